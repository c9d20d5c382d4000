"""Log likelihood, log prior and prior draws of a graph under given numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.inference.graphs.graph import WHITE, Graph
from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.inference.seeds import child_generator, child_seed
from aligntax.models.priors.tables import PriorTables, log_density


@dataclass(frozen=True)
class Terms:
    """Prior draws, log likelihood and log prior of one view on one set of evidence.

    Attributes
    ----------
    graph : Graph
    data : mapping
        Value of each ``pm.Data`` of the graph.
    labels : mapping
        Labels of each dimension of the graph.
    """

    graph: Graph
    data: Mapping[str, Any]
    labels: Mapping[str, Sequence[Any]]

    def draw_prior(self, tables: PriorTables, options: Sampling) -> xr.Dataset:
        """As many draws from the prior as from the posterior, in the posterior's layout."""
        shape = (options.chains, options.draws)
        white = child_generator(options.seed, "prior").standard_normal((*shape, len(tables.names)))
        data: dict[str, Any] = {"z": (("chain", "draw", "quantity"), tables.correlate(white))}
        seed = child_seed(options.seed, "prior_structural")
        drawn = self.graph.draw_prior(self.data, white, seed)
        data |= {name: (self._dims(name), value) for name, value in drawn.items()}
        coords = {
            "chain": np.arange(shape[0]),
            "draw": np.arange(shape[1]),
            "quantity": list(tables.names),
        }
        return xr.Dataset(data, coords=coords | self._coords(data))

    def log_likelihood(self, posterior: xr.Dataset, tables: PriorTables) -> xr.Dataset:
        """Log likelihood of every piece of evidence.

        One variable for each table; ``no_tai`` is the evidence of no transformative AI so far.
        """
        if not self.graph.outline.terms:
            return xr.Dataset()
        values = self.graph.log_likelihood(self.data, self._flat(posterior, tables))
        data = self._by_chain(values, posterior)
        coords = {"chain": posterior["chain"], "draw": posterior["draw"], **self._coords(data)}
        return xr.Dataset(data, coords=coords)

    def log_prior(self, posterior: xr.Dataset, tables: PriorTables) -> xr.Dataset:
        """Log prior density.

        ``z`` holds one term for each elicited quantity, in its link space; the other variables one
        for each structural parameter.
        """
        dims = ("chain", "draw", "quantity")
        data: dict[str, Any] = {"z": (dims, log_density(tables, posterior["z"].values))}
        if self.graph.outline.structural:
            values = self.graph.log_prior(self.data, self._flat(posterior, tables))
            data |= self._by_chain(values, posterior)
        return xr.Dataset(data, coords={dim: posterior[dim] for dim in dims} | self._coords(data))

    def _flat(self, posterior: xr.Dataset, tables: PriorTables) -> list[Any]:
        """Values of the free variables, chains and draws in one axis."""
        white = tables.whiten(posterior["z"].values)
        values = [
            white if name == WHITE else posterior[name].values
            for name, _ in self.graph.outline.free
        ]
        return [value.reshape(-1, *value.shape[2:]) for value in values]

    def _dims(self, name: str) -> tuple[str, ...]:
        return ("chain", "draw", *self.graph.outline.dims.get(name, ()))

    def _coords(self, data: Mapping[str, Any]) -> dict[str, list[Any]]:
        """Labels of the graph's own dimensions that variables have."""
        dims = {dim for dims, _ in data.values() for dim in dims}
        return {dim: list(labels) for dim, labels in self.labels.items() if dim in dims}

    def _by_chain(self, values: Mapping[str, Any], posterior: xr.Dataset) -> dict[str, Any]:
        """Variables whose first axis is split into chains and draws."""
        shape = posterior.sizes["chain"], posterior.sizes["draw"]
        return {
            name: (self._dims(name), np.reshape(value, (*shape, *value.shape[1:])))
            for name, value in values.items()
        }
