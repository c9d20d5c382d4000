"""Draws of an open graph, from PyMC or another sampler, become draws of this package."""

import numpy as np
import xarray as xr

from aligntax.analysis.inference.compiled_model import add_correlations
from aligntax.analysis.inference.derive import derive
from aligntax.models.catalogue import Model, restrict
from aligntax.models.evidence import Evidence
from aligntax.models.views import View


def own_draws(model: Model, draws: xr.DataTree, view: View) -> xr.Dataset:
    """Posterior draws in this package's layout.

    Parameters
    ----------
    draws : xarray.DataTree
        With the group ``posterior``, as ``pm.sample`` returns it for ``model.open(...)``. Further
        variables are kept.
    view : View
        That the graph was opened under.

    Returns
    -------
    xarray.Dataset
        ``z`` (chain, draw, quantity) and structural parameters.
    """
    posterior = draws["posterior"].to_dataset()
    named = [name for name in model.quantities if name in posterior]
    return add_correlations(posterior.drop_vars(named), view.tables(model.quantities))


def derive_open(
    model: Model, draws: xr.DataTree, evidence: Evidence, view: View, rng: np.random.Generator
) -> xr.Dataset:
    """Every quantity of every draw of an open graph, elicited or derived.

    Parameters
    ----------
    draws : xarray.DataTree
        As in :func:`own_draws`.
    evidence, view
        Those that the graph was opened on.
    rng : numpy.random.Generator
        For the random numbers of arrival, one set per draw.

    Returns
    -------
    xarray.Dataset
        As :func:`aligntax.analysis.inference.derive.derive` returns it.
    """
    known, tables = restrict(evidence, view, model), view.tables(model.quantities)
    return derive(model, own_draws(model, draws, view), tables, known, view, rng)
