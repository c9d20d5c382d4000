"""What tests of the kernel share: PyTensor's own numbers of a graph, models on evidence, and small graphs."""

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from pytensor.compile.mode import Mode
from pytensor.graph.replace import vectorize_graph

from aligntax.models.catalogue import find_model, restrict
from tests.gold_curves import simulated as gold_curves
from tests.horizon_runs import World
from tests.horizon_runs import simulated as horizon_runs
from tests.loss_runs import simulated as loss_runs

DENSITIES: dict = {}


def with_users_rows(evidence, name):
    """Evidence of a model whose rows a user brings."""
    if name == "loss-law":
        return evidence.with_rows("loss_runs", loss_runs(30))
    if name.startswith("horizon-runs"):
        return evidence.with_rows("horizon_runs", horizon_runs(World(tasks=6, models=5)).rows)
    if name == "overoptimization":
        return evidence.with_rows("gold_curves", gold_curves(6)[0])
    return evidence


def built(evidence, view, name):
    """Graph of a model under a view."""
    model = find_model(name)
    return model.build(restrict(with_users_rows(evidence, name), view, model), view)


def numbers(graph):
    """Values of the ``pm.Data`` of a graph."""
    return {variable.name: variable.get_value() for variable in graph.data_vars}


def by_name(program, x):
    """Points of shape (parameter, point) as arrays of shape (point, ...)."""
    sizes = [int(np.prod(shape, dtype=int)) for _, shape in program.parameters]
    parts = np.split(x.T, np.cumsum(sizes)[:-1], axis=1)
    return [p.reshape(-1, *s) for p, (_, s) in zip(parts, program.parameters, strict=True)]


def reference(graph):
    """Function of points, (parameter, point): PyTensor's log densities and gradients, operation by operation."""
    density = graph.logp()
    outputs = [density, *pt.grad(density, graph.value_vars, disconnected_inputs="ignore")]
    batches = [
        pt.tensor(v.name, dtype="float64", shape=(None, *v.type.shape)) for v in graph.value_vars
    ]
    vectors = vectorize_graph(outputs, replace=dict(zip(graph.value_vars, batches, strict=True)))
    function = pytensor.function(
        batches, vectors, mode=Mode(linker="py", optimizer=None), on_unused_input="ignore"
    )

    def evaluate(program, x):
        with np.errstate(all="ignore"):
            value, *slopes = function(*by_name(program, x))
        count = x.shape[1]
        rows = [np.broadcast_to(s, (count, *s.shape[1:])).reshape(count, -1) for s in slopes]
        return value, np.concatenate(rows, axis=1).T

    return evaluate


def of_function(make, size=3, **data):
    """Graph of standard normals ``x`` with one potential, ``make(x)`` or ``make(x, data...)``."""
    with pm.Model() as graph:
        x = pm.Normal("x", size=size)
        held = [pm.Data(name, value) for name, value in data.items()]
        pm.Potential("term", make(x, *held))
    return graph
