"""Compile what a view states about a quantity to a quantile table.

A prior is stated as ``quantiles``, a ``family`` with parameters, a ``histogram``, ``samples``, a
``point``, or a pool of several priors (``mixture``, which is the linear pool, ``log_pool``,
``quantile_pool``). It is stated in the quantity's own unit or in another one. ``bounds`` condition
it to lie between two values. The result is a
:class:`aligntax.models.priors.tables.QuantileTable` on the quantity's link. Every mistake is an
:class:`InputError` that names the quantity, the rule, the value and a remedy.

The form of a prior is in :mod:`aligntax.models.priors.specification`; the same in Python is
:class:`aligntax.models.priors.user_prior.Prior`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import ndtr

from aligntax.models.errors import InputError, brief
from aligntax.models.priors.distributions import (
    FAMILIES,
    Distribution,
    Histogram,
    Mapped,
    Mixture,
    Normal,
    Truncated,
)
from aligntax.models.priors.pooled_tables import log_pool, quantile_pool
from aligntax.models.priors.quantities import Quantity, lookup
from aligntax.models.priors.specification import (
    EXAMPLE,
    SAMPLES,
    Array,
    flatten,
    kind_of,
    read_number,
    read_numbers,
    refusal,
    thinned,
    with_numbers,
)
from aligntax.models.priors.tables import (
    KNOTS,
    QuantileTable,
    table_from_quantiles,
    table_from_samples,
    tabulate,
)
from aligntax.models.priors.units import UnitLink, unit_link, units_of

# A point is a normal this wide on the link (relative beyond 1). Its density is then finite, so that
# log prior, reweighting and NUTS work. A millionth of an order of magnitude, or of a unit, is below
# anything that is reported.
POINT_WIDTH = 1e-6
LEAST_INSIDE = 0.01  # probability that bounds must leave of a prior
ROUNDING = 1e-12  # of a double, after some arithmetic
FARTHEST = 300.0  # OOM from 1 within five standard deviations: doubles end at 1e308
LEAST_STEP = 1e-6  # between two stated probabilities: 0.1 + 0.2 is 0.3 to its user


def compile_prior(name: str, spec: Mapping[str, Any]) -> QuantileTable:
    """Compile one prior of a view.

    Parameters
    ----------
    name : str
        Elicited quantity.
    spec : mapping
        One of :data:`aligntax.models.priors.specification.KINDS`; optionally ``unit`` (see
        :mod:`aligntax.models.priors.units`) and ``bounds`` (the prior is conditioned to lie between
        them).

    Returns
    -------
    QuantileTable
        On the quantity's link.

    Raises
    ------
    InputError
        If the specification is incomplete, out of order or outside the quantity's range.
    """
    spec = with_numbers(spec, lookup(name).unit)
    try:
        text = json.dumps(spec)
    except (TypeError, ValueError):  # it holds what a view's file cannot state
        return compile_for(lookup(name), spec)
    return _compile_cached(_CacheKey(lookup(name), text, spec))


@dataclass(frozen=True)
class _CacheKey:
    """A prior, compared by its text: views of one run or sweep share most of their priors."""

    quantity: Quantity
    text: str
    spec: Mapping[str, Any] = field(compare=False)


@lru_cache(maxsize=256)
def _compile_cached(key: _CacheKey) -> QuantileTable:
    return compile_for(key.quantity, key.spec)


def compile_for(quantity: Quantity, spec: Mapping[str, Any]) -> QuantileTable:
    """As :func:`compile_prior`, for a quantity that need not be registered."""
    # a value outside the range is reported below
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        stated = stated_distribution(quantity, spec)
        if isinstance(stated, QuantileTable):
            sound = np.all(np.isfinite([stated.y, stated.slope])) and np.all(np.diff(stated.y) > 0)
            if not sound or not np.all(stated.slope > 0):
                rule = "values must be near enough to subtract and far enough to tell apart"
                raise refusal(quantity, rule, dict(spec), "choose other numbers")
            table = stated
        else:
            table = _tabulated(quantity, spec, stated)
    if quantity.scale == "log10" and np.max(np.abs(table.y)) > FARTHEST:
        rule = f"the prior must stay within {FARTHEST:g} OOM of 1 for five standard deviations"
        got = f"{table.y[0]:.4g} to {table.y[-1]:.4g} OOM"
        raise refusal(quantity, rule, got, "narrow it; no number beyond that can be worked with")
    return table


def _tabulated(quantity: Quantity, spec: Mapping[str, Any], stated: Distribution) -> QuantileTable:
    """Table of an exact distribution; an error that says why where there can be none."""
    try:
        return tabulate(stated)
    except InputError:
        if (piled := _where_it_piles_up(stated)) is not None:
            rule = "quantiles of the prior must differ within five standard deviations"
            got = f"{quantity.from_link(piled):.6g} for many of them"
            remedy = "it piles up there closer than numbers can tell: state bounds short of it"
            raise refusal(quantity, rule, got, remedy) from None
        inside = _range_in_words(quantity)
        rule = f"the prior must lie inside the quantity's range ({inside}) without steps"
        remedy = "choose another family, unit or bounds"
        raise refusal(quantity, rule, dict(spec), remedy) from None


def _where_it_piles_up(stated: Distribution) -> float | None:
    """Link value at an end of a prior that many of its quantiles share; None if there is none."""
    y = np.asarray(stated.quantile(ndtr(KNOTS), ndtr(-KNOTS)), dtype=float)
    for end, beside in ((y[0], y[1]), (y[-1], y[-2])):
        if np.isfinite(end) and abs(end - beside) <= ROUNDING * max(1.0, abs(end)):
            return float(end)
    return None


def stated_distribution(quantity: Quantity, spec: Mapping[str, Any]) -> Distribution:
    """Distribution that a prior states, on the quantity's link.

    It is exact for a family, a histogram, and a mixture of these. Otherwise it is the quantile
    table itself.
    """
    kind = kind_of(quantity, spec)
    link = _stated_link(quantity, spec.get("unit", ""))
    unbounded = _without_bounds(quantity, kind, spec, link)
    return (
        _within_bounds(quantity, spec["bounds"], unbounded, link) if "bounds" in spec else unbounded
    )


def _without_bounds(
    quantity: Quantity, kind: str, spec: Mapping[str, Any], link: UnitLink
) -> Distribution:
    stated = spec[kind]
    if kind == "quantiles":
        return _quantile_table(quantity, stated, link)
    if kind == "family":
        return Mapped(_family(quantity, spec), link.forward, link.inverse, link.log_slope)
    if kind == "histogram":
        return Mapped(_histogram(quantity, stated), link.forward, link.inverse, link.log_slope)
    if kind == "samples":
        return table_from_samples(_samples_on_link(quantity, stated, link))
    if kind == "point":
        value = np.asarray([read_number(quantity, "point", stated)])
        at = float(_on_link(quantity, value, link)[0])
        return Normal(at, POINT_WIDTH * max(1.0, abs(at)))
    return _pool(quantity, kind, stated, spec.get("unit", ""))


def _stated_link(quantity: Quantity, unit: Any) -> UnitLink:
    """Way from a value in the stated unit to the link; an error where the unit does not fit."""
    link = unit_link(quantity, unit) if isinstance(unit, str) else None
    if link is None:
        rule = f"unit must be {' or '.join(units_of(quantity))} (another does not fit)"
        raise refusal(quantity, rule, repr(brief(unit, 40)), f"or leave it out for {quantity.unit}")
    return link


def _on_link(quantity: Quantity, values: Array, link: UnitLink) -> Array:
    """Stated values on the link; an error where one is outside the quantity's range."""
    with np.errstate(all="ignore"):
        y = np.asarray(link.forward(values), dtype=float)
    if not np.all(np.isfinite(y)):
        rule = f"values must lie inside the quantity's range ({_range_in_words(quantity)})"
        remedy = "check the unit: " + ", ".join(units_of(quantity))
        raise refusal(quantity, rule, values[~np.isfinite(y)].tolist(), remedy)
    return y


def _range_in_words(quantity: Quantity) -> str:
    if quantity.scale == "log10":
        return f"above 0, in {quantity.unit}"
    if quantity.scale == "logit":
        return f"between {quantity.lower:g} and {quantity.upper:g}"
    return "finite"


def _within_bounds(
    quantity: Quantity, stated: Any, unbounded: Distribution, link: UnitLink
) -> Distribution:
    """Condition a distribution to lie between stated bounds."""
    bounds = read_numbers(quantity, "bounds", stated)
    if len(bounds) != 2 or not bounds[0] < bounds[1]:
        rule, remedy = "bounds must be two increasing numbers", "write bounds = [low, high]"
        raise refusal(quantity, rule, stated, remedy)
    with np.errstate(all="ignore"):
        low, high = (float(link.forward(b)) for b in bounds)
    if not np.isfinite(low) or not np.isfinite(high):
        rule = f"bounds must lie inside the quantity's range ({quantity.scale} scale)"
        raise refusal(quantity, rule, bounds.tolist(), "move them inside")
    below = float(unbounded.cdf(np.asarray(low)))
    inside = 1.0 - below - float(unbounded.sf(np.asarray(high)))
    if inside < LEAST_INSIDE:
        rule, remedy = (
            "bounds must leave at least 1% of the prior",
            "widen the bounds or move the prior",
        )
        raise refusal(quantity, rule, f"{inside:.2g} of it", remedy)
    return Truncated(unbounded, low, high)


def _quantile_table(quantity: Quantity, stated: Any, link: UnitLink) -> QuantileTable:
    """Table through stated quantiles."""
    if not isinstance(stated, Mapping) or len(flat := flatten(stated)) < 2:
        raise refusal(quantity, "quantiles must be two or more pairs", stated, f"write {EXAMPLE}")
    try:
        pairs = sorted(
            (float(p), read_number(quantity, f"quantile {p}", v)) for p, v in flat.items()
        )
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        rule = "the left side of a quantile must be a probability"
        raise refusal(quantity, rule, list(flat), "write 0.1 = value") from None
    p, v = np.asarray(pairs).T
    if not (p[0] > 1e-6 and p[-1] < 1 - 1e-6 and np.all(np.diff(p) > LEAST_STEP)):
        rule = "probabilities must be distinct and between 0 and 1"
        raise refusal(quantity, rule, p.tolist(), "use for instance 0.1, 0.5, 0.9")
    y = _on_link(quantity, v, link)
    if not np.all(np.diff(y) > 0):
        rule = "quantiles must increase with their probability"
        raise refusal(quantity, rule, dict(pairs), _remedy_of_order(v))
    return table_from_quantiles(p, y)


def _remedy_of_order(values: Array) -> str:
    """What to do about stated quantiles that do not increase."""
    if np.all(values == values[0]):
        return f"for one certain value write point = {values[0]:g}"
    if np.all(np.diff(values) >= 0):
        return "state the value of equal ones once, or a mixture with a point there"
    return "put them in order"


def _family(quantity: Quantity, spec: Mapping[str, Any]) -> Distribution:
    """Distribution of a named family, in the stated unit."""
    if not isinstance(spec["family"], str) or spec["family"] not in FAMILIES:
        rule = "family must be one of " + ", ".join(FAMILIES)
        raise refusal(quantity, rule, repr(spec["family"]), "or state quantiles")
    build, names = FAMILIES[spec["family"]]
    missing = [name for name in names if name not in spec]
    if missing:
        rule = f"family {spec['family']} needs {', '.join(names)}"
        raise refusal(quantity, rule, f"no {', '.join(missing)}", "add them")
    parameters = {name: read_number(quantity, name, spec[name]) for name in names}
    for name in ("sigma", "nu", "alpha", "beta"):
        if parameters.get(name, 1.0) <= 0:
            raise refusal(quantity, f"{name} must be positive", parameters[name], "correct it")
    if spec["family"] == "uniform" and not parameters["lower"] < parameters["upper"]:
        raise refusal(quantity, "lower must be below upper", parameters, "exchange them")
    return build(**parameters)


def _histogram(quantity: Quantity, spec: Any) -> Histogram:
    """Weights over bins, in the stated unit."""
    if not isinstance(spec, Mapping) or set(spec) != {"edges", "weights"}:
        remedy = "write {edges = [0, 1, 2], weights = [3, 1]}"
        raise refusal(quantity, "a histogram has edges and weights", spec, remedy)
    edges = read_numbers(quantity, "edges", spec["edges"])
    weights = read_numbers(quantity, "weights", spec["weights"])
    if len(edges) != len(weights) + 1 or not np.all(np.diff(edges) > 0):
        rule = "edges must increase and be one more than the weights"
        raise refusal(quantity, rule, edges.tolist(), "correct the list")
    if np.any(weights < 0) or weights.sum() <= 0:
        rule = "weights must be non-negative and not all zero"
        raise refusal(quantity, rule, weights.tolist(), "correct the list")
    return Histogram(tuple(edges), tuple(weights))


def _samples_on_link(quantity: Quantity, stated: Any, link: UnitLink) -> Array:
    # A file belongs to the user. The command line reads it before the view is parsed.
    if isinstance(stated, str | Mapping):
        rule, remedy = "samples must be a list of numbers here", "a file is read with `--view FILE`"
        raise refusal(quantity, rule, stated, remedy)
    values = read_numbers(quantity, "samples", stated)
    low, high = SAMPLES
    if not low <= len(values) <= high:
        remedy = "state quantiles" if len(values) < low else "keep every so many"
        raise refusal(quantity, f"samples must be {low} to {high} numbers", len(values), remedy)
    y = _on_link(quantity, np.asarray(thinned(values)), link)
    if len(np.unique(y)) < 3:
        rule = "samples must have three distinct values"
        raise refusal(quantity, rule, np.unique(values).tolist(), "state a point")
    return y


def _pool(quantity: Quantity, kind: str, stated: Any, unit: Any) -> Distribution:
    """Pool of component priors; each takes the pool's unit unless it has its own."""
    listed = isinstance(stated, Sequence) and not isinstance(stated, str)
    if not listed or len(stated) < 2 or not all(isinstance(part, Mapping) for part in stated):
        remedy = f"write {kind} = [{{weight = 1, quantiles = ...}}, ...]"
        raise refusal(quantity, f"a {kind} is a list of two or more priors", stated, remedy)
    weights = tuple(read_number(quantity, "weight", part.get("weight", 1.0)) for part in stated)
    if min(weights) < 0 or not 0 < sum(weights) < np.inf:
        rule = f"{kind} weights must be non-negative and not all zero"
        raise refusal(quantity, rule, weights, "correct them")
    parts = [
        {"unit": unit, **{key: value for key, value in part.items() if key != "weight"}}
        for part in stated
    ]
    if kind == "mixture":
        return Mixture(weights, tuple(stated_distribution(quantity, part) for part in parts))
    tables = [compile_prior(quantity.name, part) for part in parts]
    try:
        return (log_pool if kind == "log_pool" else quantile_pool)(tables, weights)
    except InputError as error:
        raise InputError(f"{quantity.name}: {error}") from None
