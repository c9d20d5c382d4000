"""From a live graph to a kept one, which is checked against it."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from aligntax.analysis.inference.graphs.graph import WHITE
from aligntax.analysis.inference.graphs.kept import (
    DRAWN,
    LIKELIHOOD,
    PARAMETER,
    PRIOR,
    Code,
    KeptGraph,
)
from aligntax.analysis.inference.graphs.live import LiveGraph, shapes_of, structural_variables
from aligntax.analysis.inference.kernel.assembly import Processor
from aligntax.analysis.inference.kernel.compile import POINTS
from aligntax.analysis.inference.kernel.front import Functions, LogDensity, express
from aligntax.analysis.inference.kernel.kernel import Kernel, WrongProgram
from aligntax.analysis.inference.kernel.store import kernel_for, kernel_of
from aligntax.analysis.inference.kernel.walk import NotExpressible

JITTER = "_jitter"  # as PyMC ends the names of what it adds to where a chain starts
SEEDS = (0, 1)  # of the random numbers that are checked
DRAWS = (2, 3)  # chains and draws of the prior that are checked


def kept_graph(
    live: LiveGraph, say: Callable[[str], None], cpu: Processor | None = None
) -> KeptGraph:
    """Machine code of a graph that gives the live graph's numbers.

    Parameters
    ----------
    cpu : Processor, optional
        Of the density; see :func:`aligntax.analysis.inference.kernel.store.kernel_of`.

    Raises
    ------
    NotExpressible
        If it has an operation or a distribution that is not known here.
    WrongProgram
        If new code disagrees with the live graph.
    """
    density = kernel_for(live.model, say, cpu=cpu)
    start, jitter = _start(live, say)
    terms, distributions, descended = _terms(live, density, say)
    drawn = _order_of_drawing(live)
    code = Code(density, start, terms, jitter, drawn, distributions, descended)
    graph = KeptGraph(live.outline, code, lambda: live)
    _check_random_numbers(graph, live)
    return graph


def _start(live: LiveGraph, say: Callable[[str], None]) -> tuple[Kernel, tuple[str, ...]]:
    """Where a chain starts as a function of the jitter, and the order of the jitter's numbers."""
    from pymc.initial_point import make_initial_point_expression
    from pytensor.graph.traversal import ancestors

    model = live.model
    starts = make_initial_point_expression(
        free_rvs=model.free_RVs,
        rvs_to_transforms=model.rvs_to_transforms,
        initval_strategies=model.rvs_to_initial_values,
        jitter_rvs={*model.free_RVs},
        return_transformed=True,
    )
    found = {v.name: v for v in ancestors(starts) if (v.name or "").endswith(JITTER)}
    names = [f"{rv.name}{JITTER}" for rv in model.free_RVs]
    if {*names} != {*found}:
        raise NotExpressible("chains that start without jitter")
    shapes = shapes_of([found[name] for name in names])
    inputs = {found[name]: (name, shape) for name, shape in zip(names, shapes, strict=True)}
    outputs = {str(v.name): start for v, start in zip(model.value_vars, starts, strict=True)}
    size = sum(int(np.prod(shape)) for shape in shapes)
    points = np.random.default_rng(2).uniform(-1, 1, (size, POINTS))
    code = kernel_of(_functions(model, inputs, outputs), say, points=points)
    return code, _order_of_jitter(live)


def _order_of_jitter(live: LiveGraph) -> tuple[str, ...]:
    """Jitter in the order in which the live graph gives it random numbers."""
    from pymc.pytensorf import find_rng_nodes

    graph = live.starting.__wrapped__.maker.fgraph
    taken = [graph.clients[rng][0][0] for rng in find_rng_nodes(graph.outputs)]
    return tuple(str(node.outputs[-1].name) for node in taken)


def _terms(
    live: LiveGraph, density: Kernel, say: Callable[[str], None]
) -> tuple[Kernel, dict[str, str], tuple[str, ...]]:
    """Terms of the likelihood and of the prior, given the free variables; see :class:`Code`."""
    import pymc as pm
    from pytensor.graph.replace import graph_replace
    from pytensor.graph.traversal import ancestors

    model, outline = live.model, live.outline
    given = {rv: rv.type(rv.name) for rv in model.free_RVs}
    outputs = {f"{LIKELIHOOD}:{term.name}": term for term in model.potentials}
    distributions, descended = {}, []
    for rv in structural_variables(model):
        outputs[f"{PRIOR}:{rv.name}"] = pm.logp(rv, given[rv])
        distributions[rv.name], parameters = _distribution(rv)
        outputs |= {f"{PARAMETER}:{rv.name}:{k}": each for k, each in enumerate(parameters)}
        if {*ancestors(parameters)} & {*given}:
            descended.append(rv.name)
    replaced = graph_replace([*outputs.values()], given, strict=False)
    inputs = {given[rv]: each for rv, each in zip(model.free_RVs, outline.free, strict=True)}
    functions = dict(zip(outputs, replaced, strict=True))
    points = density.program.check_natural
    code = kernel_of(_functions(model, inputs, functions), say, points=points)
    return code, distributions, tuple(descended)


def _distribution(rv: Any) -> tuple[str, list[Any]]:
    """Name and parameters of a structural parameter's distribution."""
    import pytensor.tensor as pt

    from aligntax.models.priors.scales import is_normal_around

    if is_normal_around(rv):
        return "normal", [pt.constant(0.0), pt.constant(1.0)]
    law = str(getattr(rv.owner.op, "name", rv.owner.op))
    if law not in DRAWN:
        raise NotExpressible(f"draws of the distribution {law}")
    return law, list(rv.owner.op.dist_params(rv.owner))


def _functions(model: Any, inputs: Mapping[Any, Any], outputs: Mapping[str, Any]) -> LogDensity:
    """Functions without a density as expressions."""
    import pytensor.tensor as pt

    return express(Functions(model, inputs, pt.constant(0.0), outputs))


def _order_of_drawing(live: LiveGraph) -> tuple[str, ...]:
    """Structural parameters in the order in which the live graph gives them random numbers."""
    from pymc.pytensorf import collect_default_updates

    batches = live.structural_batches(np.zeros((*DRAWS, dict(live.outline.free)[WHITE][0])))
    owners: dict[Any, str] = {}
    for rv, batch in batches.items():
        for each in collect_default_updates(outputs=[batch]):
            owners.setdefault(each, rv.name)
    return tuple(owners[rng] for rng in collect_default_updates(outputs=[*batches.values()]))


def _check_random_numbers(graph: KeptGraph, live: LiveGraph) -> None:
    """Refuse code whose starts or prior draws are not the live graph's, number by number."""
    data = graph.outline.data
    white = np.random.default_rng(3).standard_normal((*DRAWS, *dict(graph.outline.free)[WHITE]))
    for seed in SEEDS:
        pairs = [(graph.start(data, seed), live.start(data, seed))]
        mine, own = (each.draw_prior(data, white, seed) for each in (graph, live))
        pairs += [(mine[name], own[name]) for name in own]
        for got, expected in pairs:
            if got.shape != expected.shape or not np.allclose(got, expected, rtol=1e-9, atol=1e-9):
                raise WrongProgram("the code starts chains or draws priors in another way")
