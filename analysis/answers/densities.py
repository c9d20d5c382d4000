"""What a terminal draws of a run: densities of its quantities and arrival by year.

Draws in netCDF are read by h5py and numpy alone, in a twentieth of a second, where opening
``posterior.nc`` as a DataTree takes seconds.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aligntax.analysis.storage.draw_files import FILES, open_tree
from aligntax.analysis.storage.run_folder import RunFolder, digest, hash_of_draws
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.errors import InputError
from aligntax.models.priors.quantities import base_name
from aligntax.models.states import ABOVE, BELOW, UNDEFINED

EDGES = (0.01, 0.99)  # quantiles between which a density is drawn
SPAN = 10.0  # fewest years of an arrival curve


@dataclass(frozen=True)
class Density:
    """Shape of a quantity's draws.

    Attributes
    ----------
    heights : ndarray
        Density in equal cells from the 1% to the 99% quantile of the finite draws, of which the
        highest is 1; empty where no draw is finite.
    above, below, undefined : float
        Shares of the draws that are later or never (infinite), of which nothing is affordable
        (minus infinite), and that have no value.
    """

    heights: Any
    above: float
    below: float
    undefined: float


@dataclass(frozen=True)
class StoredDraws:
    """Draws of quantities, and what each draw counts.

    Attributes
    ----------
    values : mapping of str to ndarray, shape (chain, draw)
        Infinite where censored above or below, NaN where undefined.
    weights : Weights
    """

    values: Mapping[str, Any]
    weights: Weights

    def density(self, name: str, cells: int) -> Density:
        """Shape of one quantity; see :func:`density`."""
        return density_of(self.values[name], self.weights.values, cells)

    def arrived(self, name: str, years: Any) -> Any:
        """Probability that a date has come by each year; see :func:`arrived`."""
        return probability_arrived(self.values[name], self.weights.values, years)

    def years(self, name: str, start: float, horizon: float) -> tuple[float, float]:
        """First and last year of a curve: from a start, or the first arrival before it, to the horizon."""
        dates = self.values[name]
        return float(
            np.floor(dates[np.isfinite(dates)].min(initial=min(start, horizon - SPAN)))
        ), horizon


def density_of(values: Any, weights: Any, cells: int) -> Density:
    """Shape of weighted draws.

    Parameters
    ----------
    values : ndarray
        May be infinite (censored) and NaN (undefined).
    weights : ndarray
        Of each draw, not negative, sum 1.
    cells : int
        How many.
    """
    values, weights = np.ravel(values).astype(float), np.ravel(weights)
    above, below, undefined = (
        float(weights[mask].sum())
        for mask in (values == np.inf, values == -np.inf, values != values)
    )
    counted = np.isfinite(values) & (weights > 0)
    heights = _heights(values[counted], weights[counted], cells) if counted.any() else np.zeros(0)
    return Density(heights, above, below, undefined)


def _heights(values: Any, weights: Any, cells: int) -> Any:
    low, high = np.quantile(values, EDGES, weights=weights, method="inverted_cdf")
    width = 0.5 * high - 0.5 * low  # halves, whose difference cannot overflow
    if not width > 0:
        return (np.arange(cells) == cells // 2).astype(float)
    inside = (values >= low) & (values <= high)
    place = (0.5 * values[inside] - 0.5 * low) / width
    mass = np.bincount(np.minimum(place * cells, cells - 1).astype(int), weights[inside], cells)
    return mass / mass.max()


def probability_arrived(values: Any, weights: Any, years: Any) -> Any:
    """Probability that a date has come by each year.

    Parameters
    ----------
    values : ndarray
        Dates; infinite and NaN ones never come.
    weights : ndarray
        Of each draw, not negative, sum 1.
    years : ndarray
    """
    dates = np.nan_to_num(np.ravel(values).astype(float), nan=np.inf)
    order = np.argsort(dates)
    share = np.concatenate([[0.0], np.cumsum(np.ravel(weights)[order])])
    return share[np.searchsorted(dates[order], years, side="right")]


def read_draws(folder: Path, names: Iterable[str], weights: Weights | None = None) -> StoredDraws:
    """Read quantities of a run: its own where it stores them, and those of the run whose draws it counts.

    Parameters
    ----------
    folder : Path
        Of the run.
    names : iterable of str
        As in ``summary.json``; those that the run has no draws of are left out.
    weights : Weights, optional
        What each draw counts; default what the run says.

    Raises
    ------
    InputError
        If the file of the draws is missing or not as it was written.
    """
    own: dict[str, Any] = {}
    run = RunFolder(folder)
    for place in dict.fromkeys((run.sampled(), run)):
        stored, stated = _read(place, set(names))
        own |= stored
    if weights is None:
        shape = next(iter(own.values())).shape if own else (1, 1)
        weights = Weights.equal(shape) if stated is None else Weights.of_log(stated)
    return StoredDraws(own, weights)


def _read(folder: RunFolder, names: set[str]) -> tuple[dict[str, Any], Any]:
    """Quantities that a folder itself stores, and its log weights."""
    import h5py

    path = folder.draws
    try:
        if digest(path) != hash_of_draws(folder.info):
            raise InputError(
                f"run: {path} must be as it was written, got another file; restore it or run again"
            )
        if path.name == FILES["zarr"]:
            return _read_zarr(path, names)
        with h5py.File(path, "r") as file:
            values = dict(_numbers(file["derived"], names)) if "derived" in file else {}
            return values, file["weights/log_weight"][()].astype(
                float
            ) if "weights" in file else None
    except OSError as error:
        why = error.strerror or error
        raise InputError(
            f"run: {path} must be readable, got {why}; restore it or run again"
        ) from None


def _read_zarr(path: Path, names: set[str]) -> tuple[dict[str, Any], Any]:
    from aligntax.analysis.summaries.summary import iter_series

    bases = {base_name(name) for name in names}
    with open_tree(path) as lazy:
        derived = lazy["derived"].to_dataset() if "derived" in lazy.children else None
        chosen = [] if derived is None else [v for v in derived.data_vars if _base(str(v)) in bases]
        values = (
            {}
            if derived is None
            else {s.name: s.values for s in iter_series(derived[chosen]) if s.name in names}
        )
        stated = (
            lazy["weights"].to_dataset()["log_weight"].values.astype(float)
            if "weights" in lazy.children
            else None
        )
    return values, stated


def _base(variable: str) -> str:
    return variable.removesuffix("_state").split("_by_")[0]


def _numbers(group: Any, names: set[str]) -> Iterator[tuple[str, Any]]:
    """Named numbers of a group, vectors element by element, as :func:`aligntax.analysis.summaries.summary.iter_series` has it."""
    bases = {base_name(name) for name in names}
    for variable in group:
        if variable.split("_by_")[0] not in bases:
            continue
        data = group[variable]
        values = data[()].astype(float)
        if f"{variable}_state" in group:
            state = group[f"{variable}_state"][()]
            values = np.select(
                [state == ABOVE, state == BELOW, state == UNDEFINED],
                [np.inf, -np.inf, np.nan],
                values,
            )
        if values.ndim == 2:
            if variable in names:
                yield variable, values
            continue
        dim = data.dims[2][0].name.rsplit("/", 1)[-1]
        labels = group[dim].asstr()[()] if group[dim].dtype.kind == "O" else group[dim][()]
        for i, label in enumerate(labels):
            name = f"{variable.removesuffix(f'_by_{dim}')}[{f'{label:g}' if isinstance(label, float) else label}]"
            if name in names:
                yield name, values[..., i]
