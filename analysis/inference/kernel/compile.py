"""From the graph of a model to a program that is checked against it."""

from dataclasses import replace
from typing import Any

import numpy as np

from aligntax.analysis.inference.kernel.assembly import Processor, assemble, translate
from aligntax.analysis.inference.kernel.derivative import gradient
from aligntax.analysis.inference.kernel.front import Functions, LogDensity, Names, flatten
from aligntax.analysis.inference.kernel.kernel import (
    CHECK_ERROR,
    Array,
    Density,
    Kernel,
    Program,
    WrongProgram,
    agree,
    count,
)

POINTS = 8  # at which a program is checked
SPREAD = 0.3  # of their coordinates, which are near standard normal under a prior
STEP = 1e-5  # of differences
SLOPE_ERROR = 1e-5  # of derivatives against differences, relative to the gradient


def compile_kernel(graph: Any, cpu: Processor | None = None, effort: int = 1) -> Kernel:
    """Derive machine code from the graph of a model, and check it; see :func:`compile_density`."""
    return compile_density(flatten(graph), cpu or Processor.here(), effort)


def compile_density(
    density: LogDensity, cpu: Processor, effort: int = 1, points: Array | None = None
) -> Kernel:
    """Make machine code of a log density, and check it against its source.

    Parameters
    ----------
    effort : int
        Of LLVM: 0 is soonest done, 1 is faster code.
    points : ndarray, shape (parameter, point), optional
        Where it is checked; by default near the middle of a prior in the coordinates of NUTS.

    Raises
    ------
    WrongProgram
        If the code disagrees with PyTensor, or its gradient with differences of its own values.
    """
    e = density.expressions
    size = count(density.parameters)
    slopes = gradient(e, density.value, [e.parameter(i) for i in range(size)])
    source = translate(e, density.value, slopes, density.natural, cpu)
    graph = density.source.graph
    data = [np.asarray(graph[name].get_value(), dtype=float) for name, _ in density.data]
    if points is None:
        points = SPREAD * np.random.default_rng(0).standard_normal((size, POINTS))
    values, natural = _by_pytensor(density.source, points)
    program = Program(
        parameters=density.parameters,
        data=density.data,
        variables=density.variables,
        granted=np.array([[*density.granted], [*density.granted.values()]], dtype=float),
        constants=np.array(density.constants, dtype=float),
        fixed=source.fixed,
        scratch=source.scratch,
        lanes=cpu.lanes,
        kernel=assemble(source.kernel, cpu, effort),
        expansion=assemble(source.expand, cpu, effort),
        preparation=assemble(source.prepare, cpu, 0),
        check_data=np.concatenate([*map(np.ravel, data), np.empty(0)]),
        check_points=points,
        check_values=values,
        check_natural=natural,
        check_slopes=np.empty(0),
    )
    return Kernel(replace(program, check_slopes=_slopes(program)))


def _by_pytensor(source: Functions, points: Array) -> tuple[Array, Array]:
    """Value and outputs at points as PyTensor works them out, operation by operation."""
    import pytensor
    from pymc.logprob.utils import ParameterValueError
    from pytensor.compile.mode import Mode

    mode = Mode(linker="py", optimizer=None)
    outputs = [source.value, *source.outputs.values()]
    function = pytensor.function([*source.inputs], outputs, mode=mode, on_unused_input="ignore")
    parameters: Names = tuple(source.inputs.values())
    cuts = np.cumsum([int(np.prod(shape, dtype=int)) for _, shape in parameters])[:-1]

    def at(x: Array) -> Any:
        parts = zip(np.split(x, cuts), parameters, strict=True)
        values = function(*(part.reshape(shape) for part, (_, shape) in parts))
        return np.concatenate([*map(np.ravel, values)])

    try:
        with np.errstate(all="ignore"):
            density, *natural = np.array([at(x) for x in points.T], dtype=float).T
            return density, np.array(natural)
    except ParameterValueError as error:
        raise WrongProgram(f"PyTensor has no log density at a check point: {error}") from None


def _slopes(program: Program) -> Array:
    """Gradients at the check points, which agree with differences along random directions."""
    density = Density(Kernel(program, checked=False), program.check_data)
    points = program.check_points
    direction = np.random.default_rng(1).standard_normal(points.shape)
    values, slopes = density.log_density_and_gradient(points)
    if not agree(values, program.check_values, CHECK_ERROR):
        raise WrongProgram("the code disagrees with PyTensor's log density")
    above, below = (
        density.log_density_and_gradient(points + side * STEP * direction)[0] for side in (1, -1)
    )
    with np.errstate(invalid="ignore"):
        along, expected = (above - below) / (2 * STEP), (slopes * direction).sum(axis=0)
        size = np.linalg.norm(slopes, axis=0) * np.linalg.norm(direction, axis=0)
        # rounding of the values is magnified by the step
        error = SLOPE_ERROR * (1 + size) + 1e-14 * np.abs(values) / STEP
        wrong = np.isfinite(along) & ~(np.abs(along - expected) <= error)
    if wrong.any():
        raise WrongProgram("the gradient of the code disagrees with differences of its values")
    return slopes
