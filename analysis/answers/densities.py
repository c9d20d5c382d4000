"""What a terminal draws of a run: densities of its quantities and arrival by year.

Draws in netCDF are read with h5py and numpy alone, in a twentieth of a second. Opening
``posterior.nc`` as a DataTree takes seconds.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aligntax.analysis.storage.draw_files import FILES, open_zarr
from aligntax.analysis.storage.layout import WITH_QUANTITIES
from aligntax.analysis.storage.run_folder import RunFolder, file_hash, hash_of_draws
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.errors import InputError
from aligntax.models.priors.quantities import base_name, element_name
from aligntax.models.states import resolved

EDGES = (0.01, 0.99)  # quantiles between which a density is drawn
FEWEST_YEARS = 10.0  # of an arrival curve


@dataclass(frozen=True)
class Density:
    """Shape of a quantity's draws.

    Attributes
    ----------
    heights : ndarray
        Density in equal cells from the 1% to the 99% quantile of the finite draws. The highest is
        1. Empty if no draw is finite.
    above, below, undefined : float
        Shares of the draws that are infinite (later or never), minus infinite (nothing affordable)
        and without a value.
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
        """Shape of one quantity; see :func:`density_of`."""
        return density_of(self.values[name], self.weights.values, cells)

    def arrived(self, name: str, years: Any) -> Any:
        """See :func:`probability_arrived`."""
        return probability_arrived(self.values[name], self.weights.values, years)

    def years(self, name: str, start: float, horizon: float) -> tuple[float, float]:
        """First and last year of an arrival curve.

        It runs from ``start``, or from the first arrival if that is earlier, to the horizon.
        """
        dates = self.values[name]
        latest = min(start, horizon - FEWEST_YEARS)
        return float(np.floor(dates[np.isfinite(dates)].min(initial=latest))), horizon


def density_of(values: Any, weights: Any, cells: int) -> Density:
    """Shape of weighted draws.

    Parameters
    ----------
    values : ndarray
        May be infinite (censored) and NaN (undefined).
    weights : ndarray
        Of each draw, not negative, sum 1.
    cells : int
        Number of cells.
    """
    # A histogram and not scipy.stats.gaussian_kde: `show` starts fast because it imports no SciPy.
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
    """Read draws of quantities: the run's own, else those of the run that it was refitted from.

    Parameters
    ----------
    folder : Path
        Of the run.
    names : iterable of str
        As in ``summary.json``; names without draws are left out.
    weights : Weights, optional
        What each draw counts; by default what the run states.

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
        if file_hash(path) != hash_of_draws(folder.info):
            raise InputError(
                f"run: {path} must be as it was written, got another file; restore it or run again"
            )
        if path.name == FILES["zarr"]:
            return _read_zarr(path, names)
        with h5py.File(path, "r") as file:
            groups = [file[name] for name in WITH_QUANTITIES if name in file]
            values = {name: v for group in groups for name, v in _numbers(group, names)}
            stated = file["weights/log_weight"][()].astype(float) if "weights" in file else None
            return values, stated
    except OSError as error:
        why = error.strerror or error
        raise InputError(
            f"run: {path} must be readable, got {why}; restore it or run again"
        ) from None


def _read_zarr(path: Path, names: set[str]) -> tuple[dict[str, Any], Any]:
    from aligntax.analysis.summaries.summary import iter_series

    bases, stated = {base_name(name) for name in names}, None
    values: dict[str, Any] = {}
    with open_zarr(path) as lazy:
        for group in WITH_QUANTITIES:
            if group in lazy.children:
                stored = lazy[group].to_dataset()
                wanted = [v for v in stored.data_vars if _base(str(v)) in bases]
                found = iter_series(stored[wanted])
                values |= {s.name: s.values for s in found if s.name in names}
        if "weights" in lazy.children:
            stated = lazy["weights"].to_dataset()["log_weight"].values.astype(float)
    return values, stated


def _base(variable: str) -> str:
    """``alpha`` of ``alpha_by_corpus`` and ``alpha_by_corpus_state``."""
    return variable.removesuffix("_state").split("_by_")[0]


def _numbers(group: Any, names: set[str]) -> Iterator[tuple[str, Any]]:
    """Named numbers of a group of an HDF5 file.

    As :func:`aligntax.analysis.summaries.summary.iter_series`, without xarray.
    """
    bases = {base_name(name) for name in names}
    for variable in group:
        if variable.split("_by_")[0] not in bases:
            continue
        data = group[variable]
        values = data[()].astype(float)
        if f"{variable}_state" in group:
            values = resolved(values, group[f"{variable}_state"][()])
        if values.ndim == 2:
            if variable in names:
                yield variable, values
            continue
        dim = data.dims[2][0].name.rsplit("/", 1)[-1]
        labels = group[dim].asstr()[()] if group[dim].dtype.kind == "O" else group[dim][()]
        for i, label in enumerate(labels):
            name = element_name(variable.removesuffix(f"_by_{dim}"), label)
            if name in names:
                yield name, values[..., i]
