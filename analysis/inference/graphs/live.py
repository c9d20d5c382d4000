"""A graph in PyTensor, and what it works out.

PyTensor's functions read ``pm.Data`` where it stands in the graph, and compiling them takes
seconds, so all views of one graph share them. :class:`LiveGraph` lends the graph to one reader at
a time: it holds the reader's numbers while the reader works, and its own otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from threading import RLock
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from pymc.distributions.shape_utils import change_dist_size
from pytensor.compile.mode import Mode

from aligntax.analysis.inference.graphs.graph import WHITE, Outline, rounded
from aligntax.models.blocks import in_blocks


def structural_variables(model: Any) -> list[Any]:
    """Free variables of a PyMC model that nobody elicits."""
    return [rv for rv in model.free_RVs if rv.name != WHITE]


@dataclass(frozen=True)
class LiveGraph:
    """A graph and its compiled functions, which every view of it shares.

    Attributes
    ----------
    model : pymc.Model
    """

    model: Any
    _lock: Any = field(default_factory=RLock, repr=False, compare=False)

    @property
    def live(self) -> "LiveGraph":
        """The graph itself."""
        return self

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

    @cached_property
    def outline(self) -> Outline:
        """Facts of the graph."""
        from pytensor.graph.traversal import ancestors

        model, free = self.model, self.model.free_RVs
        named = [variable.name for variable in (*free, *model.potentials)]
        touched = {each.name for each in ancestors(model.potentials) if each.name}
        return Outline(
            free=tuple(zip([rv.name for rv in free], shapes_of(free), strict=True)),
            terms=tuple(term.name for term in model.potentials),
            dims={n: tuple(d) for n in named if (d := model.named_vars_to_dims.get(n))},
            coords={d: c and tuple(np.asarray(c).tolist()) for d, c in model.coords.items()},
            data={each.name: each.get_value() for each in model.data_vars},
            touched=tuple(sorted(touched)),
        )

    def start(self, data: Mapping[str, Any], seed: int) -> Any:
        """Where a chain starts; see :class:`Graph`."""
        with self.holding(data):
            point = self.starting(seed)
        return rounded(np.concatenate([np.ravel(point[v.name]) for v in self.model.value_vars]))

    @cached_property
    def starting(self) -> Any:
        """Where a chain starts by its seed, as PyMC has it."""
        from pymc.initial_point import make_initial_point_fn

        return make_initial_point_fn(
            model=self.model, jitter_rvs={*self.model.free_RVs}, default_strategy="support_point"
        )

    def log_likelihood(self, data: Mapping[str, Any], draws: Sequence[Any]) -> dict[str, Any]:
        """Log likelihood of each row; see :class:`Graph`."""
        return self._worked_out(self.likelihood, self.outline.terms, data, draws)

    def log_prior(self, data: Mapping[str, Any], draws: Sequence[Any]) -> dict[str, Any]:
        """Log density of each structural parameter; see :class:`Graph`."""
        return self._worked_out(self.structural_prior, self.outline.structural, data, draws)

    def draw_prior(self, data: Mapping[str, Any], white: Any, seed: int) -> dict[str, Any]:
        """Structural parameters from their prior; see :class:`Graph`."""
        batches = self.structural_batches(white)
        if not batches:
            return {}
        with self.holding(data):
            drawn = pm.draw(list(batches.values()), random_seed=seed, mode="FAST_COMPILE")
        return dict(zip([rv.name for rv in batches], drawn, strict=True))

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

    def _worked_out(
        self, function: Any, names: Sequence[str], data: Mapping[str, Any], draws: Sequence[Any]
    ) -> dict[str, Any]:
        """Outputs of a compiled function by name; in blocks of draws."""

        def work(block: slice) -> dict[str, Any]:
            return dict(zip(names, function(*(value[block] for value in draws)), strict=True))

        with self.holding(data):
            return in_blocks(work, len(draws[0]), at_once=1)

    def _batches(self) -> dict[Any, Any]:
        """Batch of draws of each free variable."""
        return {
            rv: pt.tensor(rv.name, dtype="float64", shape=(None, *rv.type.shape))
            for rv in self.model.free_RVs
        }

    def structural_batches(self, white: Any) -> dict[Any, Any]:
        """Structural parameters for every draw of ``white``, each given its parents."""
        from pytensor.graph.replace import vectorize_graph
        from pytensor.graph.traversal import ancestors

        from aligntax.models.priors.scales import is_normal_around

        free = self.model.free_RVs
        known: dict[Any, Any] = {rv: pt.constant(white) for rv in free if rv.name == WHITE}
        for rv in structural_variables(self.model):
            above = [] if is_normal_around(rv) else ancestors([rv])
            parents = {parent: known[parent] for parent in above if parent in known}
            known[rv] = (
                vectorize_graph(rv, replace=parents)
                if parents
                else change_dist_size(rv, white.shape[:2], expand=True)
            )
        return {rv: batch for rv, batch in known.items() if rv.name != WHITE}


def shapes_of(variables: Sequence[Any]) -> list[tuple[int, ...]]:
    """Shape of each variable under the data that its graph holds."""
    if all(None not in variable.type.shape for variable in variables):
        return [tuple(variable.type.shape) for variable in variables]
    mode = Mode(linker="py", optimizer=None)
    shapes = pytensor.function([], [variable.shape for variable in variables], mode=mode)()
    return [tuple(int(size) for size in shape) for shape in shapes]


def _function(batches: Mapping[Any, Any], outputs: Sequence[Any]) -> Any:
    """Compile a function that works operation by operation.

    On batches of draws that takes as long as what PyTensor's rewriting makes of it, and rewriting
    takes seconds.
    """
    mode = Mode(linker="py", optimizer=None)
    return pytensor.function([*batches.values()], outputs, mode=mode, on_unused_input="ignore")
