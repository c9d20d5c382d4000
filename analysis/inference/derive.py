"""From stored draws to quantities: plain numpy, in blocks, with no PyMC."""

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from aligntax.models import blocks
from aligntax.models.arrival import Chance
from aligntax.models.blocks import in_blocks
from aligntax.models.catalogue import Model
from aligntax.models.evidence import Evidence
from aligntax.models.joint import with_rows, worlds_of
from aligntax.models.priors.tables import PriorTables
from aligntax.models.shifts import Worlds, rejects
from aligntax.models.states import labelled, stated
from aligntax.models.views import ANCHORS, View

# Draws whose evidence is replicated at a time; each block takes the next random numbers.
REPLICATED_AT_ONCE = 10_000
# Blocks at a time where arrival alone is asked for: fewer paths are kept, and each call costs less.
ARRIVALS_AT_ONCE = 6
GROUP = "group"  # of the rows that share a unit of the likelihood
OUTCOMES = ("count", "failures", "log_cost", "ceiling")  # beside what is observed


def split_draws(draws: xr.Dataset, tables: PriorTables) -> tuple[dict[str, Any], xr.Dataset]:
    """Elicited quantities (chain, draw) by name, and the structural parameters."""
    z = draws["z"].transpose("chain", "draw", "quantity").values.astype(float)
    return tables.values(z), draws.drop_vars("z").drop_dims("quantity", errors="ignore")


def derive(
    model: Model,
    draws: xr.Dataset,
    tables: PriorTables,
    evidence: Evidence,
    view: View,
    rng: np.random.Generator,
) -> xr.Dataset:
    """Every quantity of every draw, elicited or derived, with states of missing values.

    Parameters
    ----------
    draws : xarray.Dataset
        ``z`` (chain, draw, quantity) and structural parameters.
    rng : numpy.random.Generator
        For the random numbers of arrival, one set per draw.

    Returns
    -------
    xarray.Dataset
        Dimensions (chain, draw) and the model's own; see :func:`aligntax.models.states.censored`.
    """
    return derive_from(model, *split_draws(draws, tables), evidence, view, rng)


def derive_from(
    model: Model,
    x: dict[str, Any],
    parameters: xr.Dataset,
    evidence: Evidence,
    view: View,
    rng: np.random.Generator,
) -> xr.Dataset:
    """As :func:`derive`, from the elicited quantities (chain, draw) on their own scales."""
    shape = next(iter(x.values())).shape
    chance = Chance.draw(shape[0] * shape[1], rng)

    def derived(block: slice, flat: dict[str, Any], structural: xr.Dataset) -> dict[str, Any]:
        found = model.derive(flat, structural, evidence, view, chance[block])
        return stated(
            {**found, **{name: value for name, value in flat.items() if name not in found}}
        )

    values = _each_block(derived, x, parameters)
    values = {name: value.reshape(*shape, *value.shape[1:]) for name, value in values.items()}
    coords = model.coords(evidence)
    extra = {dim: list(labels) for dim, labels in coords.values()}
    dims = {
        name: ("chain", "draw", *(coords[name][:1] if name in coords else ())) for name in values
    }
    return labelled(
        values, {"chain": np.arange(shape[0]), "draw": np.arange(shape[1]), **extra}, dims
    )


def arrival_of_draws(
    x: dict[str, Any],
    parameters: xr.Dataset,
    evidence: Evidence,
    view: View,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Arrival alone in the joint model; arguments as in :func:`derive_from`.

    Returns
    -------
    dict of ndarray, shape (chain * draw,)
        ``year``, infinite where later than the horizon; ``requirement``, log10 FLOP, infinite
        without an anchor and NaN where it is a time horizon; and ``anchor``.
    """

    def arrived(worlds: Worlds) -> dict[str, Any]:
        needed = np.where(worlds.anchor == len(ANCHORS) - 1, np.inf, worlds.needed)
        return {"year": worlds.year_alone(), "requirement": needed, "anchor": worlds.anchor}

    return _each_world(arrived, x, parameters, evidence, view, rng)


def exponent_shift(
    x: dict[str, Any],
    parameters: xr.Dataset,
    evidence: Evidence,
    view: View,
    rng: np.random.Generator,
    exponents: tuple[float, float],
) -> Any:
    """Years by which arrival is later at the second data exponent than at the first.

    Returns
    -------
    ndarray, shape (chain * draw,)
        Infinite and undefined as in :mod:`aligntax.models.shifts`.
    """

    def shifted(worlds: Worlds) -> dict[str, Any]:
        year = worlds.year()
        low, high = (
            worlds.moved(
                year, worlds.requirement(np.full_like(worlds.gamma, gamma)) - worlds.needed
            )
            for gamma in exponents
        )
        with np.errstate(invalid="ignore"):
            return {"shift": high - low}

    return _each_world(shifted, x, parameters, evidence, view, rng)["shift"]


def _each_world(
    ask: Callable[[Worlds], dict[str, Any]],
    x: dict[str, Any],
    parameters: xr.Dataset,
    evidence: Evidence,
    view: View,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Answers of the worlds of every draw, block by block."""
    chance = Chance.draw(next(iter(x.values())).size, rng)
    evidence = with_rows(evidence, view)

    def work(block: slice, flat: dict[str, Any], structural: xr.Dataset) -> dict[str, Any]:
        return ask(worlds_of(flat, structural, evidence, view, chance[block], only_arrival=True))

    # others of its block stand in for a rejected draw: the block is part of the answer
    most = blocks.BLOCK if rejects(view) else ARRIVALS_AT_ONCE * blocks.BLOCK
    return _each_block(work, x, parameters, most=most)


def log_no_tai(
    model: Model, x: dict[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View
) -> Any:
    """Log probability of each draw (chain, draw) that nothing has arrived yet.

    It is zero in a model without arrival.
    """
    shape = next(iter(x.values())).shape
    if model.log_no_tai is None:
        return np.zeros(shape)
    log_probability = model.log_no_tai

    def log_none(block: slice, flat: dict[str, Any], structural: xr.Dataset) -> dict[str, Any]:
        return {"log_none": log_probability(flat, structural, evidence, view)}

    return _each_block(log_none, x, parameters)["log_none"].reshape(shape)


def _each_block(
    work: Callable[[slice, dict[str, Any], xr.Dataset], dict[str, Any]],
    x: dict[str, Any],
    parameters: xr.Dataset,
    **options: int,
) -> dict[str, Any]:
    """Values of a function for every draw, chains one after another.

    Parameters
    ----------
    work : callable
        Takes a block's place, its quantities and its structural parameters.
    **options
        Of :func:`aligntax.models.blocks.in_blocks`.
    """
    flat = {name: value.ravel() for name, value in x.items()}
    stacked = {
        name: v.values.astype(float, copy=False).reshape(-1, *v.shape[2:])
        for name, v in parameters.data_vars.items()
    }
    sample = xr.Dataset(
        {name: (("sample", *parameters[name].dims[2:]), value) for name, value in stacked.items()}
    )

    def work_on(block: slice) -> dict[str, Any]:
        quantities = {name: value[block] for name, value in flat.items()}
        return work(block, quantities, sample.isel(sample=block, missing_dims="ignore"))

    return in_blocks(work_on, next(iter(x.values())).size, **options)


def replicate_evidence(
    model: Model,
    draws: xr.Dataset,
    tables: PriorTables,
    evidence: Evidence,
    view: View,
    rng: np.random.Generator,
) -> xr.Dataset:
    """Replicated evidence, (chain, draw, row); empty without evidence."""
    x, parameters = split_draws(draws, tables)
    actual = observed_evidence(model, evidence, view)
    if not actual:
        return actual

    def replicated(block: slice, flat: dict[str, Any], structural: xr.Dataset) -> dict[str, Any]:
        one = {name: value[None] for name, value in flat.items()}  # as a chain
        within = structural.expand_dims("chain").rename(sample="draw") if structural else structural
        drawn = model.simulate(one, within, evidence, view, rng)
        return {name: value[0] for name, (_, value) in drawn.items() if name in actual}

    values = _each_block(replicated, x, parameters, most=REPLICATED_AT_ONCE, at_once=1)
    kept = {
        name: (
            ("chain", "draw", *actual[name].dims),
            value.reshape(*next(iter(x.values())).shape, *actual[name].shape),
        )
        for name, value in values.items()
    }
    return xr.Dataset(
        kept, coords={**actual.coords, "chain": draws["chain"], "draw": draws["draw"]}
    )


def observed_evidence(model: Model, evidence: Evidence, view: View) -> xr.Dataset:
    """The evidence on the scale of the likelihood, without tables that have no used row.

    One variable per table. Where a unit of its likelihood is a group of rows, the coordinate
    ``group`` names the unit of each row.
    """
    rows = model.observed(evidence, view)
    return xr.Dataset(
        {
            name: array.drop_attrs().reset_coords(
                [c for c in array.coords if c not in (*array.dims, GROUP)], drop=True
            )
            for name, array in rows.items()
            if array.size
        }
    )


def given_evidence(model: Model, evidence: Evidence, view: View) -> xr.Dataset:
    """What the likelihoods take as given: dates, standard errors and the like.

    Returns
    -------
    xarray.Dataset
        ``<table>_<column>`` along the rows of the table, in the units of the likelihood. Columns
        of whitened errors, which no reader can use, are left out.
    """
    actual = observed_evidence(model, evidence, view)
    tables = {str(array.dims[0]): str(name) for name, array in actual.items()}
    outcomes = {name: array.name for name, array in model.observed(evidence, view).items()}
    return xr.Dataset(
        {
            f"{table}_{column}": array.drop_attrs()
            for rows in model.data(evidence, view).values()
            for column, array in rows.items()
            if array.ndim == 1
            and (table := tables.get(str(array.dims[0])))
            and column not in (outcomes[table], *OUTCOMES)
            and not str(column).startswith("white_")
        }
    )
