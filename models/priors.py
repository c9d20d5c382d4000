"""From what a view says of a quantity to its quantile table.

A prior is stated as ``quantiles``, a ``family`` with parameters, a ``histogram`` or a ``mixture`` of such, in the quantity's own
unit or another; ``bounds`` condition it to lie between two values. Whatever is stated is compiled on the quantity's link to a
:class:`models.tables.Table`; every mistake is an :class:`InputError` that names the quantity, the rule, the value and a remedy.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.distributions import FAMILIES, Distribution, Histogram, Mapped, Mixture, Truncated
from models.errors import InputError
from models.quantities import Quantity, lookup
from models.tables import Table, from_quantiles, tabulate

__all__ = ["NOTES", "canonical", "compile_prior"]

Array = NDArray[np.float64]

KINDS = ("quantiles", "family", "histogram", "mixture")
NOTES = ("source", "rationale")

# Alternative units of a stated value: name -> (to the natural value, back, log of the derivative).
UNITS: Mapping[str, tuple[Any, Any, Any]] = {
    "OOM": (lambda v: 10.0 ** np.asarray(v), np.log10, lambda v: np.asarray(v) * np.log(10) + np.log(np.log(10))),
    "percent": (
        lambda v: np.asarray(v) / 100,
        lambda x: np.asarray(x) * 100,
        lambda v: np.full(np.shape(v), -np.log(100)),
    ),
    "x/year": (np.log10, lambda x: 10.0 ** np.asarray(x), lambda v: -np.log(v) - np.log(np.log(10))),
    "percent/year": (
        lambda v: np.log10(1 + np.asarray(v) / 100),
        lambda x: 100 * (10.0 ** np.asarray(x) - 1),
        lambda v: -np.log(100 + np.asarray(v)) - np.log(np.log(10)),
    ),
}


def _fail(quantity: Quantity, rule: str, got: object, remedy: str) -> InputError:
    return InputError(f"{quantity.name}: {rule}, got {got}; {remedy}")


def _flatten(quantiles: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Undo TOML's reading of the bare key ``0.1`` as nested tables."""
    flat: dict[str, Any] = {}
    for key, value in quantiles.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _numbers(quantity: Quantity, what: str, values: Any) -> Array:
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise _fail(quantity, f"{what} must be a list of numbers", values, f"write {what} = [1.0, 2.0]")
    return np.asarray([_number(quantity, what, value) for value in values], dtype=float)


def _number(quantity: Quantity, what: str, value: Any) -> float:
    try:
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else np.nan
    except OverflowError:  # an integer with hundreds of digits
        number = np.inf
    if not np.isfinite(number):
        raise _fail(quantity, f"{what} must be a finite number", repr(value)[:40], "write a number without quotes")
    return number


def _forward(quantity: Quantity, unit: str) -> tuple[Any, Any, Any]:
    """Map from the stated unit to link space, its inverse and the log of its derivative."""
    if unit == "OOM" and quantity.scale == "log10":
        return np.asarray, np.asarray, lambda v: np.zeros(np.shape(v))
    if unit and unit != quantity.unit and unit not in UNITS:
        raise _fail(
            quantity,
            "unit must be the quantity's or one of " + ", ".join(UNITS),
            repr(unit),
            "leave it out for " + quantity.unit,
        )
    rates = {"x/year", "percent/year"}
    fits = {"OOM": ("OOM", "OOM/year")} | dict.fromkeys(rates, ("OOM/year",))
    if quantity.unit not in fits.get(unit, (quantity.unit,)):
        raise _fail(quantity, f"unit {unit!r} does not fit a quantity in {quantity.unit}", repr(unit), "leave it out")
    if unit == "OOM":
        unit = ""
    natural, back, log_rate = UNITS.get(unit, (np.asarray, np.asarray, lambda v: np.zeros(np.shape(v))))

    def log_slope(v: Any) -> Any:
        x = natural(v)
        if quantity.scale == "log10":
            return log_rate(v) - np.log(x) - np.log(np.log(10))
        if quantity.scale == "logit":
            low, high = quantity.lower, quantity.upper
            return log_rate(v) + np.log(high - low) - np.log(x - low) - np.log(high - x)
        return log_rate(v)

    return lambda v: quantity.to_link(natural(v)), lambda y: back(quantity.from_link(y)), log_slope


def _shape(quantity: Quantity, spec: Mapping[str, Any]) -> Distribution:
    """Link-space distribution of one specification."""
    if not isinstance(spec, Mapping):
        raise _fail(
            quantity, "a prior must be a table", repr(spec)[:40], "write quantiles = {0.1 = 1, 0.5 = 3, 0.9 = 9}"
        )
    for note in NOTES:
        if not isinstance(spec.get(note, ""), str):
            raise _fail(quantity, f"{note} must be text", repr(spec[note])[:40], "put it in quotes")
    unit = str(spec.get("unit", ""))
    forward, inverse, log_slope = _forward(quantity, unit)
    kinds = [kind for kind in KINDS if kind in spec]
    family = spec.get("family")
    parameters = FAMILIES[family][1] if isinstance(family, str) and family in FAMILIES else ()
    if unknown := set(spec) - {*KINDS, *NOTES, *parameters, "unit", "bounds"}:
        raise _fail(
            quantity,
            "a prior has no such key",
            sorted(unknown),
            "known are " + ", ".join((*KINDS, *NOTES, "unit", "bounds")),
        )
    if len(kinds) != 1:
        raise _fail(
            quantity, "a prior states exactly one of quantiles, family, histogram, mixture", kinds or "none of them",
            "for instance {quantiles = {0.1 = 1, 0.5 = 3, 0.9 = 9}}",
        )  # fmt: skip
    shape: Distribution
    if kinds == ["quantiles"]:
        shape = _from_quantiles(quantity, spec["quantiles"], forward)
    elif kinds == ["family"]:
        shape = Mapped(_family(quantity, spec), forward, inverse, log_slope)
    elif kinds == ["histogram"]:
        shape = Mapped(_histogram(quantity, spec["histogram"]), forward, inverse, log_slope)
    else:
        shape = _mixture(quantity, spec["mixture"], unit)
    return _truncate(quantity, spec["bounds"], shape, forward) if "bounds" in spec else shape


def _truncate(quantity: Quantity, stated: Any, shape: Distribution, forward: Any) -> Distribution:
    bounds = _numbers(quantity, "bounds", stated)
    if len(bounds) != 2 or not bounds[0] < bounds[1]:
        raise _fail(quantity, "bounds must be two increasing numbers", stated, "write bounds = [low, high]")
    with np.errstate(all="ignore"):
        low, high = (float(forward(b)) for b in bounds)
    if not np.isfinite(low) or not np.isfinite(high):
        raise _fail(
            quantity,
            f"bounds must lie inside the quantity's range ({quantity.scale} scale)",
            bounds.tolist(),
            "move them inside",
        )
    inside = 1.0 - float(shape.cdf(np.asarray(low))) - float(shape.sf(np.asarray(high)))
    if inside < 0.01:
        raise _fail(
            quantity,
            "bounds must leave at least 1% of the prior",
            f"{inside:.2g} of it",
            "widen the bounds or move the prior",
        )
    return Truncated(shape, low, high)


def _from_quantiles(quantity: Quantity, stated: Any, forward: Any) -> Table:
    if not isinstance(stated, Mapping) or len(flat := _flatten(stated)) < 2:
        raise _fail(
            quantity, "quantiles must be two or more pairs", stated, "write quantiles = {0.1 = 1, 0.5 = 3, 0.9 = 9}"
        )
    try:
        pairs = sorted((float(p), _number(quantity, f"quantile {p}", v)) for p, v in flat.items())
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise _fail(
            quantity, "the left side of a quantile must be a probability", list(flat), "write 0.1 = value"
        ) from None
    p, v = np.asarray(pairs).T
    if not (p[0] > 1e-6 and p[-1] < 1 - 1e-6 and np.all(np.diff(p) > 0)):
        raise _fail(
            quantity, "probabilities must be distinct and between 0 and 1", p.tolist(), "use for instance 0.1, 0.5, 0.9"
        )
    with np.errstate(all="ignore"):
        y = np.asarray(forward(v), dtype=float)
    if not np.all(np.isfinite(y)):
        rule = f"values must lie inside the quantity's range ({_range(quantity)})"
        raise _fail(quantity, rule, v.tolist(), "check the unit: OOM, percent or " + quantity.unit)
    if not np.all(np.diff(y) > 0):
        raise _fail(quantity, "quantiles must increase with their probability", dict(pairs), "put them in order")
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
            quantity, "family must be one of " + ", ".join(FAMILIES), repr(spec["family"]), "or state quantiles"
        )
    build, names = FAMILIES[spec["family"]]
    missing = [name for name in names if name not in spec]
    if missing:
        raise _fail(
            quantity, f"family {spec['family']} needs {', '.join(names)}", f"no {', '.join(missing)}", "add them"
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
        raise _fail(quantity, "a histogram has edges and weights", spec, "write {edges = [0, 1, 2], weights = [3, 1]}")
    edges, weights = _numbers(quantity, "edges", spec["edges"]), _numbers(quantity, "weights", spec["weights"])
    if len(edges) != len(weights) + 1 or not np.all(np.diff(edges) > 0):
        raise _fail(
            quantity, "edges must increase and be one more than the weights", edges.tolist(), "correct the list"
        )
    if np.any(weights < 0) or weights.sum() <= 0:
        raise _fail(quantity, "weights must be non-negative and not all zero", weights.tolist(), "correct the list")
    return Histogram(tuple(edges), tuple(weights))


def _mixture(quantity: Quantity, spec: Any, unit: str) -> Mixture:
    if (
        not isinstance(spec, Sequence)
        or isinstance(spec, str)
        or len(spec) < 2
        or not all(isinstance(c, Mapping) for c in spec)
    ):
        raise _fail(
            quantity,
            "a mixture is a list of two or more priors",
            spec,
            "write mixture = [{weight = 1, quantiles = ...}, ...]",
        )
    weights = tuple(_number(quantity, "weight", component.get("weight", 1.0)) for component in spec)
    if min(weights) < 0 or sum(weights) <= 0:
        raise _fail(quantity, "mixture weights must be non-negative and not all zero", weights, "correct them")
    parts = [
        {"unit": unit, **{key: value for key, value in component.items() if key != "weight"}} for component in spec
    ]
    return Mixture(weights, tuple(_shape(quantity, part) for part in parts))


def compile_prior(name: str, spec: Mapping[str, Any]) -> Table:
    """Compile one prior of a view.

    Parameters
    ----------
    name : str
        Elicited quantity.
    spec : mapping
        One of ``quantiles``, ``family`` with its parameters, ``histogram`` or ``mixture``; optionally ``unit`` (``OOM``,
        ``percent``, ``x/year``, ``percent/year``) and ``bounds`` (the prior is conditioned to lie between them).

    Returns
    -------
    Table
        On the quantity's link.

    Raises
    ------
    InputError
        If the specification is incomplete, out of order or outside the quantity's range.
    """
    quantity = lookup(name)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # a value outside the range is reported below
        shape = _shape(quantity, spec)
        if isinstance(shape, Table):
            if not np.all(np.isfinite([shape.y, shape.slope])):
                raise _fail(quantity, "quantiles must be near enough to subtract", dict(spec), "choose smaller numbers")
            return shape
        try:
            return tabulate(shape)
        except InputError:
            rule = f"the prior must lie inside the quantity's range ({_range(quantity)}) without steps"
            raise _fail(quantity, rule, dict(spec), "choose another family, unit or bounds") from None


def canonical(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A prior's specification with probabilities as text and numbers as floats: equal priors are written equally."""
    plain: dict[str, Any] = {}
    for key, value in spec.items():
        if key == "quantiles":
            plain[key] = {
                f"{float(p):g}": float(v) for p, v in sorted(_flatten(value).items(), key=lambda i: float(i[0]))
            }
        elif key == "mixture":
            plain[key] = [canonical(component) for component in value]
        elif isinstance(value, Mapping):
            plain[key] = canonical(value)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            plain[key] = [float(item) for item in value]
        else:
            plain[key] = value if isinstance(value, str) else float(value)
    return plain
