"""What each evidence table holds: its columns, their units and bounds, and the rules that tie columns together.

A row is *used* when it enters the default likelihood (or, in a table without likelihood, when the default view or
the report follows it). Columns marked ``needed`` may be empty in a row that is only carried, never in a used one.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

__all__ = ["TABLES", "Column", "Row", "Table"]

Kind = Literal["text", "slug", "choice", "flag", "number", "count", "year", "date"]
Row = Mapping[str, Any]
# A rule looks at one whole row and returns None, or (column at fault, the rule, the remedy).
Rule = Callable[[Row], tuple[str, str, str] | None]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name, unit, meaning : str
        ``unit`` is empty for text; numbers without dimension say what they count.
    kind : {"text", "slug", "choice", "flag", "number", "count", "year", "date"}
        ``count`` and ``year`` are whole numbers; a ``date`` is YYYY-MM-DD in the file, a decimal year when loaded.
    lower, upper : float
        Inclusive bounds of a number (decimal years for a date).
    choices : tuple of str
        The values a ``choice`` may take.
    required : bool
        Whether every row must have a value.
    needed : bool
        Whether a used row must have a value.
    """

    name: str
    kind: Kind
    unit: str
    meaning: str
    lower: float = -math.inf
    upper: float = math.inf
    choices: tuple[str, ...] = ()
    required: bool = True
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One table of evidence.

    Parameters
    ----------
    name, dim, title : str
        The file is ``name.csv``; rows lie along ``dim``, whose coordinate is the column ``key``.
    columns : tuple of Column
        All of the table's columns, in the order of the embedded file.
    likelihood : bool
        Whether a model conditions on the used rows (:meth:`Evidence.only` leaves other tables alone).
    supplied : bool
        Whether its rows are the user's: the embedded file has none.
    dated : str
        The column that says when a row became known ("" if none); a year without a month counts as its middle.
    rules : tuple of callable
        Conditions on a whole row.
    """

    name: str
    dim: str
    title: str
    columns: tuple[Column, ...]
    likelihood: bool = False
    supplied: bool = False
    dated: str = ""
    rules: tuple[Rule, ...] = ()


SMALLEST = 1e-12  # stands for "greater than zero" in inclusive bounds

KEY = Column("key", "slug", "", "unique name of the row, lower-case letters, digits and underscores")
USED = Column("used", "flag", "", "whether the row enters the default likelihood, view or report")
END = (
    Column("source", "text", "", "citation: authors, year, arXiv number or name of the page"),
    Column(
        "status",
        "choice",
        "",
        "how the figure was obtained: seen in the source, in a secondary text, from memory, or computed from others",
        choices=("seen", "secondary", "memory", "computed"),
    ),
    Column("note", "text", "", "remarks; why the row is not used, if it is not", required=False),
)


def _text(name: str, meaning: str, required: bool = True) -> Column:
    return Column(name, "text", "", meaning, required=required)


def _number(name: str, unit: str, meaning: str, lower: float, upper: float = math.inf) -> Column:
    """Describe a number that carried rows may lack."""
    return Column(name, "number", unit, meaning, lower, upper, required=False)


def _needed(name: str, unit: str, meaning: str, lower: float, upper: float = math.inf) -> Column:
    """Describe a number that used rows must have."""
    return Column(name, "number", unit, meaning, lower, upper, required=False, needed=True)


def _always(name: str, unit: str, meaning: str, lower: float = -math.inf, upper: float = math.inf) -> Column:
    """Describe a number that every row must have."""
    return Column(name, "number", unit, meaning, lower, upper)


def _choice(name: str, meaning: str, *choices: str, needed: bool = False) -> Column:
    return Column(name, "choice", "", meaning, choices=choices, required=not needed, needed=needed)


def _published(meaning: str = "year of publication") -> Column:
    return Column("year", "year", "year", meaning, 1950, 2100)


def _exact_has_spread(row: Row) -> tuple[str, str, str] | None:
    if row["used"] and row["bound"] == "exact" and math.isnan(row["flop_sd"]):
        return "flop_sd", "a used run of bound 'exact' needs a measurement error", "give flop_sd or set used to false"
    return None


def _hours_follow(row: Row) -> tuple[str, str, str] | None:
    """Require hours said to be items x minutes to be that product, to half a per cent (rounding)."""
    if row["hours_basis"] != "items_times_minutes":
        return None
    product = row["items"] * row["minutes_per_item"] / 60
    if math.isnan(product):
        return "items", "hours_basis items_times_minutes needs items and minutes_per_item", "fill in both"
    if not math.isclose(row["human_hours"], product, rel_tol=0.005):
        return "human_hours", f"must equal items x minutes_per_item / 60 = {product:.6g}", "correct one of the three"
    return None


def _window_opens_first(row: Row) -> tuple[str, str, str] | None:
    if row["window_end"] <= row["window_start"]:
        return "window_end", f"must lie after window_start ({row['window_start']:g})", "swap or correct the two"
    return None


def _horizon_within(row: Row) -> tuple[str, str, str] | None:
    for low, high in (("horizon_low", "horizon_minutes"), ("horizon_minutes", "horizon_high")):
        if row[low] > row[high]:
            return high, f"must not lie below {low} ({row[low]:g})", "correct the interval"
    if row["horizon_low"] == row["horizon_high"]:
        return "horizon_high", f"must lie above horizon_low ({row['horizon_low']:g})", "give the 95% interval"
    return None


def _fails_at_most_always(row: Row) -> tuple[str, str, str] | None:
    if row["failures"] > row["trials"]:
        return "failures", f"must not exceed trials ({row['trials']:g})", "correct one of them"
    return None


def _quantiles_rise(row: Row) -> tuple[str, str, str] | None:
    for low, high in (("q05", "median"), ("median", "q95"), ("q05", "q95")):
        if row[low] > row[high]:
            return high, f"must not lie below {low} ({row[low]:g})", "correct the quantiles"
    return None


def _correlations_agree(row: Row) -> tuple[str, str, str] | None:
    """Require the six correlations of a used fit to be those of some four numbers, with a little to spare."""
    names = ("parameter_loss", "data_loss", "alpha", "beta")
    matrix = [[1.0 if i == j else row["_".join(names[k] for k in sorted((i, j)))] for j in range(4)] for i in range(4)]
    if row["used"] and np.linalg.eigvalsh(matrix).min() < 1e-9:
        return "alpha_beta", "the correlations must form a positive definite matrix", "correct them, with more digits"
    return None


_SCALING = Table(
    "scaling_exponents",
    "study",
    "Published compute-optimal allocation exponents",
    (
        KEY,
        _text("name", "the study, as one would cite it in a figure"),
        _published(),
        _text("corpus", "what the models were trained on"),
        _text("method", "how the exponent was estimated"),
        _needed("allocation_exponent", "1", "a in N proportional to C^a", 0.01, 0.99),
        _needed("allocation_exponent_se", "1", "standard error of a", 0.01, 0.5),
        _choice(
            "se_basis",
            "where the standard error is from",
            "reported_interval",
            "bootstrap",
            "assumed",
            "posterior",
            needed=True,
        ),
        Column("kaplan_style", "flag", "", "whether the set-up is Kaplan's (counting, warm-up, decay, no tuning)"),
        _choice(
            "estimand",
            "what the exponent estimates",
            "compute_optimal",
            "kaplan_setup",
            "ablation_step",
            "by_construction",
            "other_domain",
            "assumed_prior",
        ),
        _text("independence_group", "rows with the same value rest on the same training runs"),
        USED,
        *END,
    ),
    likelihood=True,
    dated="year",
)

_LOSSES = Table(
    "loss_runs",
    "loss_run",
    "Training runs with their final loss, supplied by the user",
    (
        KEY,
        _text("corpus", "what the model was trained on; runs of one name share one loss law", required=False),
        _needed("parameters", "parameters", "parameters of the model", 1, 1e18),
        _needed("tokens", "tokens", "training tokens", 1, 1e24),
        _needed("loss", "nat/token", "final loss", SMALLEST, 1e3),
        USED,
        *END,
    ),
    likelihood=True,
    supplied=True,
)

_LAWS = Table(
    "loss_laws",
    "loss_law",
    "Published fits of how a language model's loss falls with parameters and data",
    (
        KEY,
        _text("study", "the fit, as one would cite it in a figure"),
        _published(),
        _always("parameters", "parameters", "N0 at which parameter_loss is stated; 1 where it is A", SMALLEST, 1e18),
        _always("tokens", "tokens", "D0 at which data_loss is stated; 1 where it is B", SMALLEST, 1e24),
        _always("parameter_loss", "log10 nat/token", "A N0^-alpha, log10", -10, 10),
        _needed("parameter_loss_sd", "OOM", "standard error of parameter_loss", 1e-6, 5),
        _always("data_loss", "log10 nat/token", "B D0^-beta, log10", -10, 10),
        _needed("data_loss_sd", "OOM", "standard error of data_loss", 1e-6, 5),
        _always("alpha", "1", "exponent in parameters", SMALLEST, 5),
        _needed("alpha_sd", "1", "standard error of alpha", 1e-6, 1),
        _always("beta", "1", "exponent in tokens", SMALLEST, 5),
        _needed("beta_sd", "1", "standard error of beta", 1e-6, 1),
        _needed("parameter_loss_data_loss", "1", "correlation of the errors of the two terms", -1, 1),
        _needed("parameter_loss_alpha", "1", "correlation of the errors of parameter_loss and alpha", -1, 1),
        _needed("parameter_loss_beta", "1", "correlation of the errors of parameter_loss and beta", -1, 1),
        _needed("data_loss_alpha", "1", "correlation of the errors of data_loss and alpha", -1, 1),
        _needed("data_loss_beta", "1", "correlation of the errors of data_loss and beta", -1, 1),
        _needed("alpha_beta", "1", "correlation of the errors of the exponents", -1, 1),
        _text("independence_group", "rows with the same value rest on the same training runs"),
        USED,
        *END,
    ),
    likelihood=True,
    dated="year",
    rules=(_correlations_agree,),
)

_RUNS = Table(
    "training_runs",
    "run",
    "Training runs that were among the ten largest at release",
    (
        KEY,
        _text("name", "the model"),
        Column("date", "date", "calendar year", "date of release", 1950, 2100),
        _text("organisation", "who trained it"),
        _text("domain", "language, vision, multimodal, games, ..."),
        _needed("flop", "FLOP", "training compute of the final run, or what it is known to exceed", 1e3, 1e40),
        _number("flop_sd", "OOM", "measurement error of log10 flop, one standard deviation", 0.01, 3),
        _number("cost_usd", "2023 USD", "amortised hardware and energy of the final run", 0.01, 1e15),
        _choice("confidence", "Epoch AI's label of the compute figure", "confident", "likely", "speculative"),
        _choice("bound", "whether flop is the figure itself or only known to be exceeded", "exact", "above"),
        USED,
        *END,
    ),
    likelihood=True,
    dated="date",
    rules=(_exact_has_spread,),
)

_ALGORITHMS = Table(
    "algorithmic_progress",
    "estimate",
    "Published estimates of algorithmic progress",
    (
        KEY,
        _text("study", "the study, as one would cite it in a figure"),
        _published(),
        _text("domain", "language, vision, ..."),
        _needed("growth", "OOM/year", "growth of what a FLOP achieves", -1, 5),
        _needed("growth_se", "OOM/year", "standard error of growth", 0.001, 5),
        _number("window_start", "calendar year", "start of the years studied", 1950, 2100),
        _number("window_end", "calendar year", "end of the years studied", 1950, 2100),
        _choice("estimand", "what grew", "training_efficiency", "capability_catch_up", "assumed_prior"),
        _text("independence_group", "rows with the same value rest on the same data"),
        USED,
        *END,
    ),
    likelihood=True,
    dated="year",
    rules=(_window_opens_first,),
)

_EFFORTS = Table(
    "rlhf_efforts",
    "effort",
    "Human hours spent on feedback for published language models",
    (
        KEY,
        _text("name", "the model or data set"),
        Column("date", "date", "calendar year", "date of publication", 1950, 2100),
        _text("organisation", "who did it"),
        _needed("human_hours", "human-hours", "work of the people who gave feedback", 0.1, 1e12),
        _needed("hours_sd", "OOM", "uncertainty of log10 human_hours, one standard deviation", 0.01, 3),
        _choice("hours_basis", "where the hours are from", "stated", "derived", "items_times_minutes", needed=True),
        Column("items", "count", "items", "labels, comparisons or demonstrations", 0, 1e12, required=False),
        _number("minutes_per_item", "minutes", "working time of one item", 0.01, 1e4),
        _needed("model_flop", "FLOP", "physical pretraining compute of the policy's base model", 1e3, 1e40),
        _choice("feedback", "who gave the feedback", "human", "mixed", "ai"),
        USED,
        *END,
    ),
    likelihood=True,
    dated="date",
    rules=(_hours_follow,),
)

_AGREEMENT = Table(
    "labeller_agreement",
    "agreement_study",  # not `agreement`, which is the column with the figure
    "How often two people prefer the same answer",
    (
        KEY,
        _text("study", "the study, as one would cite it in a figure"),
        _published(),
        _needed("agreement", "share", "share of items on which two people chose alike", 0, 1),
        _needed("agreement_se", "share", "standard error of agreement", 0.001, 0.5),
        Column("options", "count", "options", "number of answers to choose from", 2, 100, required=False, needed=True),
        _choice("pair", "who is compared", "labeller_labeller", "labeller_researcher", "researcher_researcher"),
        USED,
        *END,
    ),
    likelihood=True,
    dated="year",
)

_SHARES = Table(
    "alignment_compute_shares",
    "system",
    "Compute of alignment and post-training relative to pretraining",
    (
        KEY,
        _text("name", "the system and the stage"),
        _published("year of release"),
        _needed("share", "share of pretraining compute", "compute of the stage / pretraining compute", SMALLEST, 100),
        _needed("share_sd", "OOM", "uncertainty of log10 share, one standard deviation", 0.01, 3),
        _choice("kind", "what the compute bought", "preference_alignment", "post_training", "capability_rl"),
        USED,
        *END,
    ),
    likelihood=True,
    dated="year",
)

_ANCHORS = Table(
    "bio_anchors",
    "input",
    "Inputs of the Bio Anchors report as its readers give them",
    (
        KEY,
        _text("quantity", "which input; rivals for one input share this name and the anchor"),
        _number("q05", "see unit", "5% quantile", -math.inf),
        _always("median", "see unit", "median or point value"),
        _number("q95", "see unit", "95% quantile", -math.inf),
        _text("unit", "unit of the three"),
        _choice(
            "anchor",
            "which anchor it belongs to",
            "lifetime",
            "short_horizon",
            "medium_horizon",
            "long_horizon",
            "genome",
            "evolution",
            "all",
        ),
        _choice("reading", "whose reading", "report", "summary", "re_implementation"),
        USED,
        *END,
    ),
    rules=(_quantiles_rise,),
)

_FORECASTS = Table(
    "published_forecasts",
    "point",
    "Points on published arrival curves",
    (
        KEY,
        _text("forecast", "whose forecast"),
        _text("milestone", "what arrives; curves of different milestones are not comparable"),
        _always("year", "calendar year", "the milestone is reached before this date", 1950, 2500),
        _always("probability", "probability", "probability that it is", 0, 1),
        USED,
        *END,
    ),
)

_HORIZONS = Table(
    "time_horizons",
    "evaluation",
    "How long a task models complete half the time",
    (
        KEY,
        _text("name", "the model"),
        Column("date", "date", "calendar year", "date of the model's release", 1950, 2100),
        _text("suite", "tasks that were set; horizons of different suites are not comparable"),
        _needed("horizon_minutes", "minutes", "expert's time of tasks completed half the time", SMALLEST, 1e12),
        _needed("horizon_low", "minutes", "2.5% end of the interval of horizon_minutes", SMALLEST, 1e12),
        _needed("horizon_high", "minutes", "97.5% end of the interval of horizon_minutes", SMALLEST, 1e12),
        _choice("bound", "whether the horizon is the figure itself or only known to be exceeded", "exact", "above"),
        Column("record", "flag", "", "whether no earlier model of the suite had a longer horizon"),
        USED,
        *END,
    ),
    likelihood=True,
    dated="date",
    rules=(_horizon_within,),
)

_DENSITY = Table(
    "density_trials",
    "density_trial",
    "How often predictions of density fail against adversaries",
    (
        KEY,
        _text("adversary", "who makes the sequence"),
        Column("levels", "count", "levels", "levels of the tree; the stream has 2 to that power symbols", 1, 1e7),
        _always("epsilon", "1", "difference of densities that counts as right", SMALLEST, 1 - SMALLEST),
        Column("trials", "count", "predictions", "predictions made", 1, 1e12),
        Column("failures", "count", "predictions", "predictions that were wrong by more than epsilon", 0, 1e12),
        USED,
        *END,
    ),
    likelihood=True,
    rules=(_fails_at_most_always,),
)

_GOLD = Table(
    "gold_curves",
    "gold_point",
    "Gold reward of policies that were optimised against a proxy",
    (
        KEY,
        Column("run", "slug", "", "one proxy reward optimised in one way; rows of a run lie on one curve"),
        _text("method", "how the proxy was optimised: bon (best of n), tilt (KL-penalised optimum), ppo, ..."),
        _choice("form", "which law the curve is read with: d (alpha - beta d) or d (alpha - beta log d)", "bon", "rl"),
        Column("labels", "count", "comparisons", "labels that the proxy learned from", 1, 1e12, required=False),
        _always("kl", "nats", "divergence of the policy from the initial one", 0, 1e6),
        _always("gold", "sd", "gold reward less its mean under the initial policy, over its sd there", -1e6, 1e6),
        _number("gold_se", "sd", "standard error of gold, an average over outputs", 0, 1e6),
        USED,
        *END,
    ),
    likelihood=True,
)

_CONSTANTS = Table(
    "constants",
    "constant",
    "Single figures that the models quote",
    (KEY, _always("value", "see unit", "the figure"), _text("unit", "its unit"), *END),
)

_REQUIREMENTS = Table(
    "published_requirements",
    "requirement",
    "Published distributions of what transformative AI needs",
    (
        KEY,
        _text("forecast", "whose forecast"),
        _text("part", "anchor of the forecast, or stage of its updating"),
        _number("q10", "log10 FLOP", "10% quantile", 0, 100),
        _always("q50", "log10 FLOP", "median", 0, 100),
        _number("q90", "log10 FLOP", "90% quantile", 0, 100),
        USED,
        *END,
    ),
)
TABLES: Mapping[str, Table] = MappingProxyType(
    {
        table.name: table
        for table in (
            _SCALING,
            _LOSSES,
            _LAWS,
            _RUNS,
            _ALGORITHMS,
            _EFFORTS,
            _AGREEMENT,
            _SHARES,
            _HORIZONS,
            _DENSITY,
            _GOLD,
            _ANCHORS,
            _FORECASTS,
            _REQUIREMENTS,
            _CONSTANTS,
        )
    }
)
