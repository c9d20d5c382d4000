"""From what a view says of a quantity to its quantile table.

A prior is stated as ``quantiles``, a ``family`` with parameters, a ``histogram``, ``samples``, a
``point``, or a pool of such (``mixture``, which is the linear pool, ``log_pool``,
``quantile_pool``), in the quantity's own unit or another; ``bounds`` condition it to lie between
two values. Whatever is stated is compiled on the quantity's link to a
:class:`aligntax.models.priors.tables.Table`; every mistake is an :class:`InputError` that names the
quantity, the rule, the value and a remedy.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aligntax.models.errors import InputError
from aligntax.models.priors.distributions import (
    FAMILIES,
    Distribution,
    Histogram,
    Mapped,
    Mixture,
    Normal,
    Truncated,
)
from aligntax.models.priors.pools import log_pool, quantile_pool
from aligntax.models.priors.quantities import Quantity, lookup
from aligntax.models.priors.tables import Table, from_quantiles, from_samples, tabulate
from aligntax.models.priors.units import Link, fitting, link

Array = NDArray[np.float64]

POOLS = ("mixture", "log_pool", "quantile_pool")
KINDS = ("quantiles", "family", "histogram", "samples", "point", *POOLS)
NOTES = ("source", "rationale")

NEEDS = "a prior states exactly one of " + ", ".join(KINDS)
EXAMPLE = "quantiles = {0.1 = 1, 0.5 = 3, 0.9 = 9}"

SAMPLES = (20, 10_000)  # fewer say little of a tail; more belong in a file of their own, thinned
# A point mass is a normal this wide on the link (relative beyond 1): its density stays finite, so
# that log prior, reweighting and NUTS work; a millionth of an order of magnitude, or of a unit, is
# below anything that is reported.
POINT_WIDTH = 1e-6


def brief(value: object, limit: int = 160) -> str:
    """Value in a message: its text on one line, cut to a length."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except RecursionError:
        text = f"{type(value).__name__} nested too deep"
    text = "".join(
        letter if letter.isprintable() else repr(letter)[1:-1] for letter in text[: limit + 1]
    )
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _fail(quantity: Quantity, rule: str, got: object, remedy: str) -> InputError:
    return InputError(f"{quantity.name}: {rule}, got {brief(got)}; {remedy}")


def flatten(quantiles: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Undo TOML's reading of the bare key ``0.1`` as nested tables."""
    flat: dict[str, Any] = {}
    for key, value in quantiles.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _numbers(quantity: Quantity, what: str, values: Any) -> Array:
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise _fail(
            quantity, f"{what} must be a list of numbers", values, f"write {what} = [1.0, 2.0]"
        )
    return np.asarray([_number(quantity, what, value) for value in values], dtype=float)


def _number(quantity: Quantity, what: str, value: Any) -> float:
    try:
        number = (
            float(value)
            if isinstance(value, int | float) and not isinstance(value, bool)
            else np.nan
        )
    except OverflowError:  # an integer with hundreds of digits
        number = np.inf
    if not np.isfinite(number):
        raise _fail(
            quantity,
            f"{what} must be a finite number",
            repr(value)[:40],
            "write a number without quotes",
        )
    return number


def _link(quantity: Quantity, unit: Any) -> Link:
    way = link(quantity, unit) if isinstance(unit, str) else None
    if way is None:
        rule = f"unit must be {' or '.join(fitting(quantity))} (another does not fit)"
        raise _fail(quantity, rule, repr(brief(unit, 40)), "or leave it out for " + quantity.unit)
    return way


def shape(quantity: Quantity, spec: Mapping[str, Any]) -> Distribution:
    """Link-space distribution of one specification: exact where it is a family, a histogram or a mixture of such."""
    if not isinstance(spec, Mapping):
        raise _fail(quantity, "a prior must be a table", repr(spec), f"write {EXAMPLE}")
    for note in NOTES:
        if not isinstance(spec.get(note, ""), str):
            raise _fail(quantity, f"{note} must be text", repr(spec[note]), "put it in quotes")
    way = _link(quantity, spec.get("unit", ""))
    kinds = [kind for kind in KINDS if kind in spec]
    family = spec.get("family")
    parameters = FAMILIES[family][1] if isinstance(family, str) and family in FAMILIES else ()
    known = (*KINDS, *NOTES, "unit", "bounds")
    if unknown := set(spec) - {*known, *parameters}:
        raise _fail(
            quantity, "a prior has no such key", sorted(unknown), "known are " + ", ".join(known)
        )
    if len(kinds) != 1:
        raise _fail(quantity, NEEDS, kinds or "none of them", f"for instance {EXAMPLE}")
    free = _free(quantity, kinds[0], spec, way)
    return _truncate(quantity, spec["bounds"], free, way) if "bounds" in spec else free


def _free(quantity: Quantity, kind: str, spec: Mapping[str, Any], way: Link) -> Distribution:
    """Distribution without its bounds."""
    stated = spec[kind]
    if kind == "quantiles":
        return _from_quantiles(quantity, stated, way)
    if kind == "family":
        return Mapped(_family(quantity, spec), way.forward, way.inverse, way.log_slope)
    if kind == "histogram":
        return Mapped(_histogram(quantity, stated), way.forward, way.inverse, way.log_slope)
    if kind == "samples":
        return from_samples(_samples(quantity, stated, way))
    if kind == "point":
        at = float(_on_link(quantity, np.asarray([_number(quantity, "point", stated)]), way)[0])
        return Normal(at, POINT_WIDTH * max(1.0, abs(at)))
    return _pool(quantity, kind, stated, spec.get("unit", ""))


def _on_link(quantity: Quantity, values: Array, way: Link) -> Array:
    """Stated values on the link; an error where one is outside the quantity's range."""
    with np.errstate(all="ignore"):
        y = np.asarray(way.forward(values), dtype=float)
    if not np.all(np.isfinite(y)):
        rule = f"values must lie inside the quantity's range ({_range(quantity)})"
        raise _fail(
            quantity,
            rule,
            values[~np.isfinite(y)].tolist(),
            "check the unit: " + ", ".join(fitting(quantity)),
        )
    return y


def _truncate(quantity: Quantity, stated: Any, free: Distribution, way: Link) -> Distribution:
    bounds = _numbers(quantity, "bounds", stated)
    if len(bounds) != 2 or not bounds[0] < bounds[1]:
        raise _fail(
            quantity, "bounds must be two increasing numbers", stated, "write bounds = [low, high]"
        )
    with np.errstate(all="ignore"):
        low, high = (float(way.forward(b)) for b in bounds)
    if not np.isfinite(low) or not np.isfinite(high):
        raise _fail(
            quantity,
            f"bounds must lie inside the quantity's range ({quantity.scale} scale)",
            bounds.tolist(),
            "move them inside",
        )
    inside = 1.0 - float(free.cdf(np.asarray(low))) - float(free.sf(np.asarray(high)))
    if inside < 0.01:
        raise _fail(
            quantity,
            "bounds must leave at least 1% of the prior",
            f"{inside:.2g} of it",
            "widen the bounds or move the prior",
        )
    return Truncated(free, low, high)


def _from_quantiles(quantity: Quantity, stated: Any, way: Link) -> Table:
    if not isinstance(stated, Mapping) or len(flat := flatten(stated)) < 2:
        raise _fail(quantity, "quantiles must be two or more pairs", stated, f"write {EXAMPLE}")
    try:
        pairs = sorted((float(p), _number(quantity, f"quantile {p}", v)) for p, v in flat.items())
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise _fail(
            quantity,
            "the left side of a quantile must be a probability",
            list(flat),
            "write 0.1 = value",
        ) from None
    p, v = np.asarray(pairs).T
    if not (p[0] > 1e-6 and p[-1] < 1 - 1e-6 and np.all(np.diff(p) > 0)):
        raise _fail(
            quantity,
            "probabilities must be distinct and between 0 and 1",
            p.tolist(),
            "use for instance 0.1, 0.5, 0.9",
        )
    y = _on_link(quantity, v, way)
    if not np.all(np.diff(y) > 0):
        raise _fail(
            quantity,
            "quantiles must increase with their probability",
            dict(pairs),
            "put them in order",
        )
    return from_quantiles(p, y)


def _range(quantity: Quantity) -> str:
    if quantity.scale == "log10":
        return f"above 0, in {quantity.unit}"
    if quantity.scale == "logit":
        return f"between {quantity.lower:g} and {quantity.upper:g}"
    return "finite"


def _family(quantity: Quantity, spec: Mapping[str, Any]) -> Distribution:
    if not isinstance(spec["family"], str) or spec["family"] not in FAMILIES:
        raise _fail(
            quantity,
            "family must be one of " + ", ".join(FAMILIES),
            repr(spec["family"]),
            "or state quantiles",
        )
    build, names = FAMILIES[spec["family"]]
    missing = [name for name in names if name not in spec]
    if missing:
        raise _fail(
            quantity,
            f"family {spec['family']} needs {', '.join(names)}",
            f"no {', '.join(missing)}",
            "add them",
        )
    parameters = {name: _number(quantity, name, spec[name]) for name in names}
    for name in ("sigma", "nu", "alpha", "beta"):
        if parameters.get(name, 1.0) <= 0:
            raise _fail(quantity, f"{name} must be positive", parameters[name], "correct it")
    if spec["family"] == "uniform" and not parameters["lower"] < parameters["upper"]:
        raise _fail(quantity, "lower must be below upper", parameters, "exchange them")
    return build(**parameters)


def _histogram(quantity: Quantity, spec: Any) -> Histogram:
    if not isinstance(spec, Mapping) or set(spec) != {"edges", "weights"}:
        raise _fail(
            quantity,
            "a histogram has edges and weights",
            spec,
            "write {edges = [0, 1, 2], weights = [3, 1]}",
        )
    edges, weights = (
        _numbers(quantity, "edges", spec["edges"]),
        _numbers(quantity, "weights", spec["weights"]),
    )
    if len(edges) != len(weights) + 1 or not np.all(np.diff(edges) > 0):
        raise _fail(
            quantity,
            "edges must increase and be one more than the weights",
            edges.tolist(),
            "correct the list",
        )
    if np.any(weights < 0) or weights.sum() <= 0:
        raise _fail(
            quantity,
            "weights must be non-negative and not all zero",
            weights.tolist(),
            "correct the list",
        )
    return Histogram(tuple(edges), tuple(weights))


def _samples(quantity: Quantity, stated: Any, way: Link) -> Array:
    # a file is the user's: the command line reads it before the view is parsed
    if isinstance(stated, str | Mapping):
        raise _fail(
            quantity,
            "samples must be a list of numbers here",
            stated,
            "a file is read with `--view FILE`",
        )
    values = _numbers(quantity, "samples", stated)
    low, high = SAMPLES
    if not low <= len(values) <= high:
        rule = f"samples must be {low} to {high} numbers"
        raise _fail(
            quantity,
            rule,
            len(values),
            "state quantiles" if len(values) < low else "keep every so many",
        )
    y = _on_link(quantity, values, way)
    if len(np.unique(y)) < 3:
        raise _fail(
            quantity,
            "samples must have three distinct values",
            np.unique(values).tolist(),
            "state a point",
        )
    return y


def _pool(quantity: Quantity, kind: str, stated: Any, unit: Any) -> Distribution:
    """Pool of component priors; each takes the pool's unit unless it has its own."""
    listed = isinstance(stated, Sequence) and not isinstance(stated, str)
    if (
        not listed
        or len(stated) < 2
        or not all(isinstance(component, Mapping) for component in stated)
    ):
        remedy = f"write {kind} = [{{weight = 1, quantiles = ...}}, ...]"
        raise _fail(quantity, f"a {kind} is a list of two or more priors", stated, remedy)
    weights = tuple(
        _number(quantity, "weight", component.get("weight", 1.0)) for component in stated
    )
    if min(weights) < 0 or not 0 < sum(weights) < np.inf:
        raise _fail(
            quantity,
            f"{kind} weights must be non-negative and not all zero",
            weights,
            "correct them",
        )
    parts = [
        {"unit": unit, **{key: v for key, v in component.items() if key != "weight"}}
        for component in stated
    ]
    if kind == "mixture":
        return Mixture(weights, tuple(shape(quantity, part) for part in parts))
    tables = [compile_prior(quantity.name, part) for part in parts]
    try:
        return (log_pool if kind == "log_pool" else quantile_pool)(tables, weights)
    except InputError as error:
        raise InputError(f"{quantity.name}: {error}") from None


def compile_prior(name: str, spec: Mapping[str, Any]) -> Table:
    """Compile one prior of a view.

    Parameters
    ----------
    name : str
        Elicited quantity.
    spec : mapping
        One of :data:`KINDS`; optionally ``unit`` (see :mod:`aligntax.models.priors.units`) and
        ``bounds`` (the prior is conditioned to lie between them).

    Returns
    -------
    Table
        On the quantity's link.

    Raises
    ------
    InputError
        If the specification is incomplete, out of order or outside the quantity's range.
    """
    try:
        text = json.dumps(spec)
    except (TypeError, ValueError):  # holds what a view's file cannot state
        return _compile(name, spec)
    return _compile_once(_Stated(name, text, spec))


@dataclass(frozen=True)
class _Stated:
    """A prior that is known by its text: views of one run, or of a sweep, state most of theirs alike."""

    name: str
    text: str
    spec: Mapping[str, Any] = field(compare=False)


@lru_cache(maxsize=256)
def _compile_once(stated: _Stated) -> Table:
    return _compile(stated.name, stated.spec)


def _compile(name: str, spec: Mapping[str, Any]) -> Table:
    quantity = lookup(name)
    # a value outside the range is reported below
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        stated = shape(quantity, spec)
        if isinstance(stated, Table):
            sound = np.all(np.isfinite([stated.y, stated.slope])) and np.all(np.diff(stated.y) > 0)
            if not sound or not np.all(stated.slope > 0):
                rule = "values must be near enough to subtract and far enough to tell apart"
                raise _fail(quantity, rule, dict(spec), "choose other numbers")
            return stated
        try:
            return tabulate(stated)
        except InputError:
            rule = (
                f"the prior must lie inside the quantity's range ({_range(quantity)}) without steps"
            )
            raise _fail(
                quantity, rule, dict(spec), "choose another family, unit or bounds"
            ) from None


def canonical(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A prior's specification with probabilities as text and numbers as floats: equal priors are written equally."""
    plain: dict[str, Any] = {}
    for key, value in spec.items():
        if key == "quantiles":
            plain[key] = {
                f"{float(p):g}": float(v)
                for p, v in sorted(flatten(value).items(), key=lambda i: float(i[0]))
            }
        elif key in POOLS:
            plain[key] = [canonical(component) for component in value]
        elif isinstance(value, Mapping):
            plain[key] = canonical(value)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            plain[key] = [float(item) for item in value]
        else:
            plain[key] = value if isinstance(value, str) else float(value)
    return plain


def without_notes(spec: Mapping[str, Any]) -> dict[str, Any]:
    """What a specification states, without who said it and why; in a pool's components too."""
    plain = {key: value for key, value in spec.items() if key not in NOTES}
    return plain | {
        key: [without_notes(component) for component in plain[key]] for key in POOLS if key in plain
    }
