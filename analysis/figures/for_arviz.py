"""Draws in which some are infinite or undefined, for tools that drop or spoil such draws.

Dates later than the horizon are ``+inf`` in ``posterior``. ArviZ's densities leave them out without
a word, and its means, and the effective sample sizes of quantities that may be undefined, are NaN.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from aligntax.analysis.summaries.summary import draws_of, iter_series
from aligntax.models.errors import InputError
from aligntax.models.priors.quantities import QUANTITIES
from aligntax.models.states import ABOVE, BELOW, OBSERVED, UNDEFINED

if TYPE_CHECKING:
    import xarray as xr

    from aligntax.analysis.storage.result import Result


def dates_for_plot(result: "Result", *names: str) -> "xr.DataTree":
    """Return the draws that can be drawn; the name of each variable says the share that cannot.

    ``az.plot_dist(dates_for_plot(result, "tai_year"))`` draws a panel whose title is
    ``tai_year (31% later than 2100 or never)``. Weighted draws are made equal first.

    Parameters
    ----------
    names : str
        Quantities of one number per draw; dates or any other.

    Returns
    -------
    xarray.DataTree
        ``posterior`` (chain, draw), finite or NaN; and ``state`` by the quantity's own name, which
        is 0 (finite), 1 (above everything), 2 (below everything) or 3 (undefined).

    Raises
    ------
    InputError
        If the run lacks a quantity.
    """
    import xarray as xr

    result = result.equally_weighted()
    finite, states = {}, {}
    for name in names:
        values = _draws(result, name)
        cases = [np.isnan(values), values == np.inf, values == -np.inf]
        state = np.select(cases, [UNDEFINED, ABOVE, BELOW], OBSERVED)
        shown = np.where(state == OBSERVED, values, np.nan)
        title = _title(name, state, result.info["horizon"])
        finite[title] = (("chain", "draw"), shown)
        states[name] = (("chain", "draw"), state.astype("int8"))
    coords = {dim: result.derived[dim] for dim in ("chain", "draw")}
    groups = {"/posterior": finite, "/state": states}
    return xr.DataTree.from_dict({n: xr.Dataset(v, coords) for n, v in groups.items()})


def draws_in_order(result: "Result", *names: str) -> "xr.DataTree":
    """Return finite draws in the same order, for ``az.ess``, ``az.rhat`` and rank plots.

    What is above everything stands one above the largest finite draw, what is below everything one
    below the smallest, and what is undefined below that. Ranks are those of the summary.

    Raises
    ------
    InputError
        If the run lacks a quantity.
    """
    import xarray as xr

    data = {}
    for name in names:
        _draws(result, name)
        parts = [part for part in (name, f"{name}_state") if part in result.derived]
        series = next(iter_series(result.derived[parts]))
        data[name] = (("chain", "draw"), series.ranked)
    coords = {dim: result.derived[dim] for dim in ("chain", "draw")}
    return xr.DataTree.from_dict({"/posterior": xr.Dataset(data, coords)})


def _draws(result: "Result", name: str) -> Any:
    derived = result.derived
    if name not in derived or derived[name].ndim != 2:
        rule = "must be a quantity of one number per draw"
        raise InputError(f"name: {rule}, got {name!r}; see result.summary()")
    return draws_of(name, derived)


def _title(name: str, state: Any, horizon: float) -> str:
    """Name of a quantity and, in brackets, the shares that cannot be drawn."""
    date = name in QUANTITIES and QUANTITIES[name].unit == "year"
    words = {
        ABOVE: f"later than {horizon:.0f} or never" if date else "above everything",
        BELOW: "below everything",
        UNDEFINED: "undefined",
    }
    shares = {code: float(np.mean(state == code)) for code in words}
    told = [f"{share:.0%} {words[code]}" for code, share in shares.items() if share > 0]
    return f"{name} ({', '.join(told)})" if told else name
