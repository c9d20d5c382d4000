"""What a view may state about a quantity: the keys of a prior, its plain form, and its numbers.

A prior is a mapping with exactly one of :data:`KINDS`. Optional keys are ``unit``, ``bounds``, and
the notes ``source`` and ``rationale``. :mod:`aligntax.models.priors.compile` gives it a meaning.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aligntax.models.errors import InputError, brief
from aligntax.models.priors.amounts import plain_number
from aligntax.models.priors.distributions import FAMILIES
from aligntax.models.priors.quantities import Quantity

Array = NDArray[np.float64]

POOLS = ("mixture", "log_pool", "quantile_pool")
KINDS = ("quantiles", "family", "histogram", "samples", "point", *POOLS)
NOTES = ("source", "rationale")
WORDS = (*NOTES, "unit", "family")  # keys whose value is text
EXAMPLE = "quantiles = {0.1 = 1, 0.5 = 3, 0.9 = 9}"
# Fewer samples say little about a tail. A table has 401 knots, so that more say nothing new.
SAMPLES = (20, 1_000_000)
KEPT_SAMPLES = 10_000  # of which a view holds so many, at equal steps of probability


def refusal(quantity: Quantity, rule: str, got: object, remedy: str) -> InputError:
    """Error about the prior of a quantity."""
    return InputError(f"{quantity.name}: {rule}, got {brief(got)}; {remedy}")


def kind_of(quantity: Quantity, spec: Mapping[str, Any]) -> str:
    """Return which of :data:`KINDS` a prior states.

    Raises
    ------
    InputError
        If it is no mapping, states none or several, or has an unknown key or a note that is no
        text.
    """
    if not isinstance(spec, Mapping):
        raise refusal(quantity, "a prior must be a table", repr(spec), f"write {EXAMPLE}")
    for note in NOTES:
        if not isinstance(spec.get(note, ""), str):
            raise refusal(quantity, f"{note} must be text", repr(spec[note]), "put it in quotes")
    family = spec.get("family")
    parameters = FAMILIES[family][1] if isinstance(family, str) and family in FAMILIES else ()
    known = (*KINDS, *NOTES, "unit", "bounds")
    if unknown := set(spec) - {*known, *parameters}:
        rule, remedy = "a prior has no such key", "known are " + ", ".join(known)
        raise refusal(quantity, rule, sorted(unknown), remedy)
    kinds = [kind for kind in KINDS if kind in spec]
    if len(kinds) != 1:
        rule = "a prior states exactly one of " + ", ".join(KINDS)
        raise refusal(quantity, rule, kinds or "none of them", f"for instance {EXAMPLE}")
    return kinds[0]


def python_values(value: Any) -> Any:
    """Return Python's own numbers and lists where NumPy's, or those of pandas, are stated."""
    if isinstance(value, Mapping):
        return {key: python_values(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [python_values(each) for each in value]
    return value.tolist() if hasattr(value, "tolist") else value


def with_numbers(spec: Any, unit: str = "") -> Any:
    """Return a prior with Python's own numbers in the place of NumPy's and of those in words.

    Text that is no number stays, and is refused where a number is read.

    Parameters
    ----------
    spec : mapping
    unit : str
        Of the pool that the prior is a component of; its own comes first.
    """
    spec = python_values(spec)
    if not isinstance(spec, Mapping):
        return spec
    own = spec.get("unit", unit)
    return {
        key: value if key in WORDS else _numbers(key, value, own if isinstance(own, str) else "")
        for key, value in spec.items()
    }


def _numbers(key: str, value: Any, unit: str) -> Any:
    if key in POOLS and isinstance(value, list):
        return [with_numbers(component, unit) for component in value]
    if isinstance(value, Mapping):
        return {name: _numbers(name, each, unit) for name, each in value.items()}
    if isinstance(value, list) and any(isinstance(each, str) for each in value):
        return [_numbers(key, each, unit) for each in value]
    if not isinstance(value, str):
        return value
    try:
        return plain_number(value, unit)
    except ValueError:
        return value


def read_number(quantity: Quantity, what: str, value: Any) -> float:
    """Return a finite number of a prior.

    Raises
    ------
    InputError
        If it is none; the message names ``what``.
    """
    value = python_values(value)
    try:
        number = (
            float(value)
            if isinstance(value, int | float) and not isinstance(value, bool)
            else np.nan
        )
    except OverflowError:  # an integer with hundreds of digits
        number = np.inf
    if not np.isfinite(number):
        rule, remedy = f"{what} must be a finite number", "write 0.05, 5%, 1,000 or 2 million"
        raise refusal(quantity, rule, repr(value)[:40], remedy)
    return number


def read_numbers(quantity: Quantity, what: str, values: Any) -> Array:
    """Return a list of finite numbers of a prior; errors as in :func:`read_number`."""
    values = python_values(values)
    if not isinstance(values, Sequence) or isinstance(values, str):
        rule, remedy = f"{what} must be a list of numbers", f"write {what} = [1.0, 2.0]"
        raise refusal(quantity, rule, values, remedy)
    return np.asarray([read_number(quantity, what, value) for value in values], dtype=float)


def flatten(quantiles: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return quantiles by probability; TOML reads the bare key ``0.1`` as nested tables."""
    flat: dict[str, Any] = {}
    for key, value in quantiles.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def thinned(samples: Any) -> Any:
    """Return samples as a view keeps them: of many, the values at equal steps of probability."""
    if len(samples) <= KEPT_SAMPLES:
        return samples
    steps = (np.arange(KEPT_SAMPLES) + 0.5) / KEPT_SAMPLES
    return np.quantile(np.asarray(samples, dtype=float), steps)


def canonical(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a prior in the form in which equal priors are written equally.

    Probabilities become text, and numbers become floats.
    """
    plain: dict[str, Any] = {}
    for key, value in with_numbers(spec).items():
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
            plain[key] = [float(item) for item in (thinned(value) if key == "samples" else value)]
        else:
            plain[key] = value if isinstance(value, str) else float(value)
    return plain


def without_notes(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a prior without its notes, and without those of a pool's components."""
    plain = {key: value for key, value in spec.items() if key not in NOTES}
    return plain | {
        key: [without_notes(component) for component in plain[key]] for key in POOLS if key in plain
    }
