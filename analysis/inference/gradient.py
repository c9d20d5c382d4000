"""What a sampler walks on: a log density with its gradient, under data that may change.

By default it is machine code that is kept on disk (:mod:`aligntax.analysis.inference.kernel`).
What that cannot express nutpie compiles with Numba, in every process anew.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from aligntax.analysis.inference.graphs.graph import Graph
from aligntax.analysis.inference.graphs.kept import KeptGraph
from aligntax.analysis.inference.kernel.assembly import Processor
from aligntax.analysis.inference.kernel.kernel import Density, Kernel, WrongProgram
from aligntax.analysis.inference.kernel.store import kernel_for
from aligntax.analysis.inference.kernel.walk import NotExpressible
from aligntax.analysis.inference.options import warned

if TYPE_CHECKING:
    from aligntax.analysis.inference.graphs.live import LiveGraph


class Gradient(Protocol):
    """A value: other data make another one, which shares what was compiled."""

    @property
    def density(self) -> Density | None:
        """The same for many points at once; None where nutpie has compiled it for one."""

    def with_data(self, **values: Any) -> "Gradient":
        """The same under other data, by the names of the ``pm.Data`` of the graph."""

    def for_nutpie(self) -> Any:
        """Model that nutpie samples."""


@dataclass(frozen=True)
class NumbaGradient:
    """What nutpie has compiled."""

    shared: Graph
    compiled: Any
    data: Mapping[str, Any]

    @classmethod
    def of(cls, shared: Graph) -> "NumbaGradient":
        """Compile a graph.

        Fast math is off. With it a function that was just compiled and the same function from
        PyTensor's cache round differently, and the same seed would give other draws in the next
        process.
        """
        import nutpie
        import pytensor

        with pytensor.config.change_flags(numba__fastmath=False):
            compiled = nutpie.compile_pymc_model(shared.live.model, freeze_model=False)
        return cls(shared, compiled, shared.outline.data)

    @property
    def density(self) -> None:
        """None: nutpie has compiled it for one point."""

    def with_data(self, **values: Any) -> "NumbaGradient":
        """The same under other data."""
        # without evidence the density depends on fewer pm.Data than the graph has
        used = {variable.name for variable in self.compiled.shared_var_keys}
        numbers = {name: value for name, value in values.items() if name in used}
        return replace(
            self, compiled=self.compiled.with_data(**numbers), data={**self.data, **values}
        )

    def for_nutpie(self) -> Any:
        """Model that nutpie samples."""
        start = partial(self.shared.start, self.data)
        return replace(self.compiled, initial_point_func=start)


@dataclass(frozen=True)
class KernelGradient:
    """Machine code that is kept on disk."""

    shared: Graph
    kernel: Kernel
    data: Mapping[str, Any]

    @classmethod
    def of(
        cls, shared: "LiveGraph", say: Callable[[str], None], cpu: Processor | None = None
    ) -> "KernelGradient":
        """Read or compile the kernel of a graph, for a processor; see :func:`kernel_for`."""
        return cls(shared, kernel_for(shared.model, say, cpu=cpu), shared.outline.data)

    @cached_property
    def density(self) -> Density:
        """The code on these data."""
        return self.kernel.prepare(self.data)

    def with_data(self, **values: Any) -> "KernelGradient":
        """The same under other data, which compile only where the code is made of data."""
        data = {**self.data, **values}
        try:
            self.kernel.program.in_a_row(data)
        except WrongProgram:
            return replace(self, data=data)._again(self.kernel.program.lanes)
        return replace(self, data=data)

    def _again(self, lanes: int) -> "KernelGradient":
        """The same with code of these data, of so many chains in a vector."""
        live, cpu = self.shared.live, replace(Processor.here(), lanes=lanes)
        with live.holding(self.data):
            return replace(self, kernel=kernel_for(live.model, warned, cpu=cpu))

    def for_nutpie(self) -> Any:
        """Model that nutpie samples, one chain at a time."""
        if self.kernel.program.lanes != 1:
            return self._again(1).for_nutpie()
        import pandas as pd
        from nutpie.compile_pymc import CompiledPyMCModel

        density, program = self.density, self.kernel.program
        names, shapes = zip(*program.variables, strict=True)
        ends = np.cumsum([int(np.prod(shape, dtype=int)) for shape in shapes]).tolist()
        slices = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
        outline = self.shared.outline
        dims = {name: outline.dims[name] for name in names if name in outline.dims}
        coords: dict[str, Any] = {"unconstrained_parameter": range(density.dimension)}
        for name, shape in program.variables:
            for dim, size in zip(dims.get(name, ()), shape, strict=False):
                labels = outline.coords[dim]
                coords[dim] = range(size) if labels is None else labels
        log_density, values = density.of_a_chain()
        return CompiledPyMCModel(
            compiled_logp_func=log_density,
            compiled_expand_func=values,
            initial_point_func=partial(self.shared.start, self.data),
            user_data=density.numbers,
            n_expanded=ends[-1],
            shape_info=(list(names), slices, list(shapes)),
            dims=dims,
            shared_data={},
            shared_var_keys={},
            logp_func=None,
            expand_func=None,
            reparameterized_names=[],
            _n_dim=density.dimension,
            _shapes=dict(program.variables),
            _coords={dim: pd.Index(labels) for dim, labels in coords.items()},
        )


def gradient_of(
    graph: Graph, say: Callable[[str], None] = warned, cpu: Processor | None = None
) -> Gradient:
    """Gradient of a graph, compiled if no code that is kept will do.

    Parameters
    ----------
    say : callable
        Takes one line about code that is kept and will not do.
    cpu : Processor, optional
        Of a graph that is live; see :func:`kernel_for`.
    """
    if isinstance(graph, KeptGraph):
        return KernelGradient(graph, graph.code.density, graph.outline.data)
    try:
        return KernelGradient.of(graph.live, say, cpu)
    except (NotExpressible, WrongProgram) as problem:
        say(f"nutpie compiles the model, for lack of machine code of its own ({problem})")
        return NumbaGradient.of(graph)
