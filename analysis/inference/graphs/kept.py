"""A graph as machine code: what sampling needs, without PyMC.

Three programs stand for the graph: its density, the middle of its priors where chains start, and
the terms of its likelihood and prior. What they do not hold for, such as evidence of other groups,
the live graph works out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from aligntax.analysis.inference.graphs.graph import WHITE, Outline, rounded
from aligntax.analysis.inference.kernel.kernel import Kernel, WrongProgram, count
from aligntax.models.blocks import in_blocks

if TYPE_CHECKING:
    from aligntax.analysis.inference.graphs.live import LiveGraph

LIKELIHOOD, PRIOR, PARAMETER = "likelihood", "prior", "parameter"  # kinds of terms


# random numbers of each distribution, as PyTensor takes them: (generator, size, *parameters)
DRAWN: Mapping[str, Callable[..., Any]] = {
    "normal": lambda rng, size, mean, sd: rng.normal(mean, sd, size),
    "halfnormal": lambda rng, size, low, sd: low + sd * np.abs(rng.standard_normal(size)),
    "lognormal": lambda rng, size, mean, sd: rng.lognormal(mean, sd, size),
    "uniform": lambda rng, size, low, high: rng.uniform(low, high, size),
    "gamma": lambda rng, size, shape, scale: rng.gamma(shape, scale, size),
    "beta": lambda rng, size, a, b: rng.beta(a, b, size),
}


@dataclass(frozen=True)
class Code:
    """Programs that stand for a graph, and how its prior is drawn.

    Attributes
    ----------
    density : Kernel
        Log density, and free variables, at a point in the coordinates of NUTS.
    start : Kernel
        Where a chain starts, from jitter by coordinate.
    terms : Kernel
        From the free variables: ``likelihood:TERM``, ``prior:VARIABLE``, and
        ``parameter:VARIABLE:NUMBER`` of its distribution.
    jitter, drawn : tuple of str
        Variables in the order in which they take random numbers: coordinates, and structural
        parameters.
    distributions : mapping of str to str
        Distribution of each structural parameter; see :data:`DRAWN`.
    descended : tuple of str
        Structural parameters whose distribution depends on other free variables.
    """

    density: Kernel
    start: Kernel
    terms: Kernel
    jitter: tuple[str, ...]
    drawn: tuple[str, ...]
    distributions: Mapping[str, str]
    descended: tuple[str, ...]


@dataclass(frozen=True)
class KeptGraph:
    """A graph whose numbers come from machine code; see :class:`Graph`.

    Attributes
    ----------
    build : callable
        Builds the graph in PyTensor, where it is asked for.
    """

    outline: Outline
    code: Code
    build: "Callable[[], LiveGraph]"

    @cached_property
    def live(self) -> "LiveGraph":
        """The graph in PyTensor."""
        return self.build()

    def start(self, data: Mapping[str, Any], seed: int) -> Any:
        """Where a chain starts."""
        try:
            middle = self.code.start.prepare(data)
        except WrongProgram:
            return self.live.start(data, seed)
        shapes, order = dict(self.code.start.program.parameters), self.code.jitter
        moved = {
            name: rng.uniform(-1, 1, shapes[name]).ravel()
            for name, rng in zip(order, generators(seed, len(order)), strict=True)
        }
        jitter = np.concatenate([moved[name] for name in shapes])
        return rounded(middle.natural(jitter[:, None])[:, 0])

    def log_likelihood(self, data: Mapping[str, Any], draws: Sequence[Any]) -> dict[str, Any]:
        """Log likelihood of each row."""
        found = self._of_kind(LIKELIHOOD, data, draws)
        return self.live.log_likelihood(data, draws) if found is None else found

    def log_prior(self, data: Mapping[str, Any], draws: Sequence[Any]) -> dict[str, Any]:
        """Log density of each structural parameter."""
        found = self._of_kind(PRIOR, data, draws)
        return self.live.log_prior(data, draws) if found is None else found

    def draw_prior(self, data: Mapping[str, Any], white: Any, seed: int) -> dict[str, Any]:
        """Structural parameters from their prior."""
        shape, own = white.shape[:2], dict(self.outline.free)
        known = {name: np.zeros((*shape, *size)) for name, size in own.items()}
        known[WHITE] = white
        rngs = dict(zip(self.code.drawn, generators(seed, len(self.code.drawn)), strict=True))
        try:
            for name in self.outline.structural:
                size = (*shape, *own[name])
                known[name] = self._drawn(name, data, known, rngs[name], size)
        except WrongProgram:
            return self.live.draw_prior(data, white, seed)
        return {name: known[name] for name in self.outline.structural}

    def _drawn(
        self, name: str, data: Mapping[str, Any], known: Mapping[str, Any], rng: Any, size: Any
    ) -> Any:
        """Draws of a parameter given its parents, which are known."""
        law, of_draws = self.code.distributions[name], name in self.code.descended
        draws = [value.reshape(-1, *value.shape[2:]) for value in known.values()]
        values = self._terms(data, draws if of_draws else [value[:1] for value in draws])
        parameters = [*_named(f"{PARAMETER}:{name}", values).values()]
        if of_draws:
            dims = len(size) - 2
            parameters = [
                value.reshape(*size[:2], *(1,) * (dims - value.ndim + 1), *value.shape[1:])
                for value in parameters
            ]
        return DRAWN[law](rng, size, *(p if of_draws else p[0] for p in parameters))

    def _of_kind(
        self, kind: str, data: Mapping[str, Any], draws: Sequence[Any]
    ) -> dict[str, Any] | None:
        """Terms of one kind by name; None where the code does not hold for the data."""
        try:
            return _named(kind, self._terms(data, draws))
        except WrongProgram:
            return None

    def _terms(self, data: Mapping[str, Any], draws: Sequence[Any]) -> dict[str, Any]:
        """All terms by name, (draw, ...)."""
        density, names = self.code.terms.prepare(data), self.code.terms.program.variables
        ends = np.cumsum([count((each,)) for each in names])

        def work(block: slice) -> dict[str, Any]:
            flat = [each[block].reshape(len(each[block]), -1).T for each in draws]
            rows = np.split(density.natural(np.concatenate(flat)), ends[:-1])
            return {
                name: part.T.reshape(-1, *shape)
                for (name, shape), part in zip(names, rows, strict=True)
            }

        return in_blocks(work, len(draws[0]))


def _named(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Terms of one kind by the rest of their names."""
    prefix = f"{kind}:"
    return {key.removeprefix(prefix): v for key, v in values.items() if key.startswith(prefix)}


def generators(seed: int, count: int) -> list[np.random.Generator]:
    """Generators of random numbers as PyMC seeds them."""
    return [np.random.default_rng(each) for each in np.random.SeedSequence(seed).spawn(count)]
