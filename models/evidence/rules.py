"""Rules that tie the columns of one row together.

Each returns None, or the column at fault, the rule and the remedy.
"""

import math

import numpy as np

from aligntax.models.evidence.columns import Fault, Row


def exact_has_spread(row: Row) -> Fault:
    """A used run of bound ``exact`` needs a measurement error."""
    if row["used"] and row["bound"] == "exact" and math.isnan(row["flop_sd"]):
        return (
            "flop_sd",
            "a used run of bound 'exact' needs a measurement error",
            "give flop_sd or set used to false",
        )
    return None


def hours_follow(row: Row) -> Fault:
    """Hours stated as items times minutes must equal that product within half a per cent.

    The margin allows for rounding in the source.
    """
    if row["hours_basis"] != "items_times_minutes":
        return None
    product = row["items"] * row["minutes_per_item"] / 60
    if math.isnan(product):
        return (
            "items",
            "hours_basis items_times_minutes needs items and minutes_per_item",
            "fill in both",
        )
    if not math.isclose(row["human_hours"], product, rel_tol=0.005):
        return (
            "human_hours",
            f"must equal items x minutes_per_item / 60 = {product:.6g}",
            "correct one of the three",
        )
    return None


def minutes_have_an_era(row: Row) -> Fault:
    """A used row whose hours are items times minutes must say of which era the minutes are."""
    if row["used"] and row["hours_basis"] == "items_times_minutes" and not row["minutes_era"]:
        return (
            "minutes_era",
            "a used row with hours_basis items_times_minutes needs the era of its minutes",
            "write 2021 or chat, or set used to false",
        )
    return None


def window_opens_first(row: Row) -> Fault:
    """A window must end after it starts."""
    if row["window_end"] <= row["window_start"]:
        return (
            "window_end",
            f"must lie after window_start ({row['window_start']:g})",
            "swap or correct the two",
        )
    return None


def horizon_within(row: Row) -> Fault:
    """The interval of a time horizon must contain the horizon and have a width."""
    for low, high in (("horizon_low", "horizon_minutes"), ("horizon_minutes", "horizon_high")):
        if row[low] > row[high]:
            return high, f"must not lie below {low} ({row[low]:g})", "correct the interval"
    if row["horizon_low"] == row["horizon_high"]:
        return (
            "horizon_high",
            f"must lie above horizon_low ({row['horizon_low']:g})",
            "give the 95% interval",
        )
    return None


def fails_at_most_always(row: Row) -> Fault:
    """Failures must not exceed trials."""
    if row["failures"] > row["trials"]:
        return "failures", f"must not exceed trials ({row['trials']:g})", "correct one of them"
    return None


def succeeds_at_most_always(row: Row) -> Fault:
    """Successes must not exceed attempts."""
    if row["successes"] > row["attempts"]:
        return "successes", f"must not exceed attempts ({row['attempts']:g})", "correct one of them"
    return None


def timed_by_people(row: Row) -> Fault:
    """A baseline time is one of people who were timed, an estimate is not."""
    if (row["human_source"] == "baseline") != (row["people"] > 0):
        rule = "must be at least 1 for a baseline time, and 0 for an estimate"
        return "people", rule, "correct people or human_source"
    return None


def quantiles_rise(row: Row) -> Fault:
    """Quantiles must be in order."""
    for low, high in (("q05", "median"), ("median", "q95"), ("q05", "q95")):
        if row[low] > row[high]:
            return high, f"must not lie below {low} ({row[low]:g})", "correct the quantiles"
    return None


def correlations_agree(row: Row) -> Fault:
    """The six correlations of a used fit must form a positive definite matrix.

    The smallest eigenvalue must exceed 1e-9, so that rounding cannot make the matrix singular.
    """
    names = ("parameter_loss", "data_loss", "alpha", "beta")
    matrix = [
        [1.0 if i == j else row["_".join(names[k] for k in sorted((i, j)))] for j in range(4)]
        for i in range(4)
    ]
    if row["used"] and np.linalg.eigvalsh(matrix).min() < 1e-9:
        return (
            "alpha_beta",
            "the correlations must form a positive definite matrix",
            "correct them, with more digits",
        )
    return None
