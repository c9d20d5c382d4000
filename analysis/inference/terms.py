"""Log likelihood, log prior and prior draws of a graph under given numbers.

PyTensor's functions read ``pm.Data`` where it stands in the graph, and compiling them takes
seconds, so all views of one graph share them. :class:`SharedGraph` lends the graph to one reader at
a time: it holds the reader's numbers while the reader works, and its own otherwise.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from threading import RLock
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import xarray as xr
from pymc.distributions.shape_utils import change_dist_size
from pytensor.compile.mode import Mode

from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.inference.seeds import child_generator, child_seed
from aligntax.models.blocks import in_blocks
from aligntax.models.priors.tables import PriorTables, log_density

WHITE = "white"  # what is sampled for the elicited quantities; stored as z = L white


def structural_variables(graph: Any) -> list[Any]:
    """Free variables that nobody elicits."""
    return [rv for rv in graph.free_RVs if rv.name != WHITE]


@dataclass(frozen=True)
class SharedGraph:
    """A graph and its compiled functions, which every view of it shares.

    Attributes
    ----------
    model : pymc.Model
    """

    model: Any
    _lock: Any = field(default_factory=RLock, repr=False, compare=False)

    @contextmanager
    def holding(self, data: Mapping[str, Any]) -> Iterator[None]:
        """Give the graph other numbers, by the names of its ``pm.Data``, until the block ends."""
        variables = {name: self.model.named_vars[name] for name in data}
        with self._lock:
            own = {name: variable.get_value() for name, variable in variables.items()}
            try:
                for name, variable in variables.items():
                    variable.set_value(np.asarray(data[name], dtype=variable.type.dtype))
                yield
            finally:
                for name, variable in variables.items():
                    variable.set_value(own[name])

    @property
    def data(self) -> dict[str, Any]:
        """Value of each ``pm.Data`` that the graph holds."""
        return {variable.name: variable.get_value() for variable in self.model.data_vars}

    def starting(self, data: Mapping[str, Any]) -> Callable[[int], Any]:
        """Where a chain starts under data, by its seed, in the coordinates of NUTS.

        It is the middle of each prior, moved by up to 1 either way.
        """

        def start(seed: int) -> Any:
            with self.holding(data):
                point = self._start(seed)
            return np.concatenate([np.ravel(point[each.name]) for each in self.model.value_vars])

        return start

    @cached_property
    def _start(self) -> Any:
        from pymc.initial_point import make_initial_point_fn

        return make_initial_point_fn(
            model=self.model, jitter_rvs={*self.model.free_RVs}, default_strategy="support_point"
        )

    @cached_property
    def likelihood(self) -> Any:
        """Every potential for a batch of draws.

        Pieces of evidence are ``pm.Potential`` terms, which PyMC's own ``compute_log_likelihood``
        leaves out.
        """
        from pytensor.graph.replace import vectorize_graph

        batches = self._batches()
        terms = vectorize_graph(self.model.potentials, replace=batches)
        return _function(batches, terms)

    @cached_property
    def structural_prior(self) -> Any:
        """Log density of each structural parameter for a batch of draws, given its parents."""
        from pytensor.graph.replace import vectorize_graph

        variables, batches = structural_variables(self.model), self._batches()
        values = [rv.type() for rv in variables]
        terms = [pm.logp(rv, value) for rv, value in zip(variables, values, strict=True)]
        own = {value: batches[rv] for rv, value in zip(variables, values, strict=True)}
        return _function(batches, vectorize_graph(terms, replace={**batches, **own}))

    def _batches(self) -> dict[Any, Any]:
        """A tensor with one more axis, of draws, for each free variable."""
        return {
            rv: pt.tensor(rv.name, dtype="float64", shape=(None, *rv.type.shape))
            for rv in self.model.free_RVs
        }


def _function(batches: Mapping[Any, Any], outputs: Sequence[Any]) -> Any:
    """Compile a function that works operation by operation.

    On batches of draws that takes as long as what PyTensor's rewriting makes of it, and rewriting
    takes seconds.
    """
    mode = Mode(linker="py", optimizer=None)
    return pytensor.function([*batches.values()], outputs, mode=mode, on_unused_input="ignore")


@dataclass(frozen=True)
class Terms:
    """Prior draws, log likelihood and log prior of one view on one set of evidence.

    Attributes
    ----------
    graph : SharedGraph
    data : mapping
        Value of each ``pm.Data`` of the graph.
    labels : mapping
        Labels of each dimension of the graph.
    """

    graph: SharedGraph
    data: Mapping[str, Any]
    labels: Mapping[str, Sequence[Any]]

    def draw_prior(self, tables: PriorTables, options: Sampling) -> xr.Dataset:
        """As many draws from the prior as from the posterior, in the posterior's layout."""
        shape = (options.chains, options.draws)
        white = child_generator(options.seed, "prior").standard_normal((*shape, len(tables.names)))
        data: dict[str, Any] = {"z": (("chain", "draw", "quantity"), tables.correlate(white))}
        batches = self._structural_batches(white)
        seed = child_seed(options.seed, "prior_structural")
        drawn = []
        if batches:
            with self.graph.holding(self.data):
                drawn = pm.draw(list(batches.values()), random_seed=seed, mode="FAST_COMPILE")
        data |= {rv.name: (self._dims(rv), value) for rv, value in zip(batches, drawn, strict=True)}
        coords = {
            "chain": np.arange(shape[0]),
            "draw": np.arange(shape[1]),
            "quantity": list(tables.names),
        }
        return xr.Dataset(data, coords=coords | self._coords(data))

    def _structural_batches(self, white: Any) -> dict[Any, Any]:
        """Structural parameters for every draw of ``white``, each given its parents."""
        from pytensor.graph.replace import vectorize_graph
        from pytensor.graph.traversal import ancestors

        from aligntax.models.priors.scales import is_normal_around

        free = self.graph.model.free_RVs
        known: dict[Any, Any] = {rv: pt.constant(white) for rv in free if rv.name == WHITE}
        for rv in structural_variables(self.graph.model):
            above = [] if is_normal_around(rv) else ancestors([rv])
            parents = {parent: known[parent] for parent in above if parent in known}
            known[rv] = (
                vectorize_graph(rv, replace=parents)
                if parents
                else change_dist_size(rv, white.shape[:2], expand=True)
            )
        return {rv: batch for rv, batch in known.items() if rv.name != WHITE}

    def log_likelihood(self, posterior: xr.Dataset, tables: PriorTables) -> xr.Dataset:
        """Log likelihood of every piece of evidence.

        One variable for each table; ``no_tai`` is the evidence of no transformative AI so far.
        """
        potentials = self.graph.model.potentials
        if not potentials:
            return xr.Dataset()
        values = self._evaluated(self.graph.likelihood, potentials, posterior, tables)
        data = {
            term.name: (self._dims(term), _by_chain(values[term.name], posterior))
            for term in potentials
        }
        coords = {"chain": posterior["chain"], "draw": posterior["draw"], **self._coords(data)}
        return xr.Dataset(data, coords=coords)

    def log_prior(self, posterior: xr.Dataset, tables: PriorTables) -> xr.Dataset:
        """Log prior density.

        ``z`` holds one term for each elicited quantity, in its link space; the other variables one
        for each structural parameter.
        """
        dims = ("chain", "draw", "quantity")
        data: dict[str, Any] = {"z": (dims, log_density(tables, posterior["z"].values))}
        if variables := structural_variables(self.graph.model):
            values = self._evaluated(self.graph.structural_prior, variables, posterior, tables)
            data |= {
                rv.name: (self._dims(rv), _by_chain(values[rv.name], posterior)) for rv in variables
            }
        return xr.Dataset(data, coords={dim: posterior[dim] for dim in dims} | self._coords(data))

    def _evaluated(
        self, function: Any, variables: Sequence[Any], posterior: xr.Dataset, tables: PriorTables
    ) -> dict[str, Any]:
        """Values of a compiled function by variable, chains and draws in one axis; in blocks."""
        names, flat = [variable.name for variable in variables], self._flat(posterior, tables)

        def work(block: slice) -> dict[str, Any]:
            return dict(zip(names, function(*(value[block] for value in flat)), strict=True))

        with self.graph.holding(self.data):
            return in_blocks(work, len(flat[0]), at_once=1)

    def _flat(self, posterior: xr.Dataset, tables: PriorTables) -> list[Any]:
        """Values of the free variables, chains and draws in one axis."""
        white = tables.whiten(posterior["z"].values)
        values = [
            white if rv.name == WHITE else posterior[rv.name].values
            for rv in self.graph.model.free_RVs
        ]
        return [value.reshape(-1, *value.shape[2:]) for value in values]

    def _dims(self, variable: Any) -> tuple[str, ...]:
        return ("chain", "draw", *self.graph.model.named_vars_to_dims.get(variable.name, ()))

    def _coords(self, data: Mapping[str, Any]) -> dict[str, list[Any]]:
        """Labels of the graph's own dimensions that variables have."""
        dims = {dim for dims, _ in data.values() for dim in dims}
        return {dim: list(labels) for dim, labels in self.labels.items() if dim in dims}


def _by_chain(value: Any, posterior: xr.Dataset) -> Any:
    """Split the first axis into chains and draws."""
    return np.reshape(value, (posterior.sizes["chain"], posterior.sizes["draw"], *value.shape[1:]))
