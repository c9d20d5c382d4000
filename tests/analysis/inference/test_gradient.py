"""NUTS walks on kept machine code as it does on what nutpie compiles."""

from dataclasses import replace
from functools import partial

import numpy as np
import nutpie
import pymc as pm
import pytest

from aligntax.analysis.inference import gradient
from aligntax.analysis.inference.compiled_model import compiled_for
from aligntax.analysis.inference.gradient import KernelGradient, NumbaGradient, gradient_of
from aligntax.analysis.inference.graphs.live import LiveGraph
from aligntax.analysis.inference.kernel.walk import NotExpressible
from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.errors import InputError
from aligntax.models.views import load_view

OPTIONS = Sampling(draws=1000, tune=400, chains=4, seed=5)


@pytest.fixture(scope="module")
def by_numba(scaling):
    """The meta-analysis as nutpie compiles it."""
    return replace(scaling, gradient=NumbaGradient.of(scaling.shared))


def moments(compiled):
    """Mean, standard deviation and Monte Carlo error of both for every column of a posterior."""
    posterior, stats = compiled.posterior(OPTIONS)
    assert not stats["diverging"].any()
    columns = {name: v.values.reshape(4, 1000, -1) for name, v in posterior.data_vars.items()}
    return {
        name: (x.mean((0, 1)), x.std((0, 1)), x.mean(1).std(0, ddof=1) / 2, np.log(x.std(1)).std(0))
        for name, x in columns.items()
    }


def test_the_default_is_a_kernel(scaling) -> None:
    assert isinstance(scaling.gradient, KernelGradient)


@pytest.mark.parametrize("name", ["default", "vague"])
def test_both_have_one_posterior(scaling, by_numba, name) -> None:
    view = load_view(name)
    a, b = (moments(each.with_view(view)) for each in (scaling, by_numba))
    assert {*a} == {*b}
    for name in a:
        error = np.hypot(a[name][2], b[name][2]) + 0.02 * a[name][1]
        assert (np.abs(a[name][0] - b[name][0]) < 5 * error).all(), name
        assert (np.abs(np.log(a[name][1] / b[name][1])) < 0.35).all(), name


def test_another_prior_is_another_posterior(scaling) -> None:
    """Negative control: the comparison sees a prior that has moved."""
    a, b = (moments(scaling.with_view(load_view(name))) for name in ("default", "vague"))
    assert any(
        (np.abs(a[name][0] - b[name][0]) > 5 * np.hypot(a[name][2], b[name][2])).any() for name in a
    )


def test_both_start_at_one_point_and_store_the_same_things(scaling, by_numba) -> None:
    found = [
        each.posterior(replace(OPTIONS, draws=20, sampler="nuts"), unconstrained=True)
        for each in (scaling, by_numba)
    ]
    (a, a_stats), (b, b_stats) = found
    assert {*a.data_vars} == {*b.data_vars} and {*a_stats.data_vars} == {*b_stats.data_vars}
    for name in a.data_vars:
        assert a[name].dims == b[name].dims and a[name].shape == b[name].shape
    x, y = (stats["unconstrained_draw"] for stats in (a_stats, b_stats))
    assert x.shape == y.shape
    start = partial(scaling.shared.start, scaling.data)
    assert np.array_equal(start(3), start(3)) and not np.array_equal(start(3), start(4))


def test_the_same_seed_gives_the_same_draws(scaling) -> None:
    one, two = (scaling.posterior(replace(OPTIONS, draws=50))[0] for _ in range(2))
    assert one.equals(two)


def test_draws_do_not_depend_on_cores(scaling) -> None:
    one, two = (scaling.posterior(replace(OPTIONS, draws=50, cores=n))[0] for n in (1, 2))
    assert one.equals(two)


def test_data_that_the_code_is_made_of_make_new_code(scaling, view, monkeypatch) -> None:
    rows = scaling.data["studies"]
    names = [*scaling.model.data(scaling.evidence, view)["studies"].data_vars]
    moved = rows.copy()
    index = names.index("group_index")
    moved[index, 0] = rows[index, -1]
    assert moved[index, 0] != rows[index, 0]
    asked = []
    right = gradient.kernel_for

    def kernel_for(graph, say, cpu):
        asked.append(graph["studies"].get_value())
        return right(graph, say, cpu=cpu)

    monkeypatch.setattr(gradient, "kernel_for", kernel_for)
    other = rows.copy()
    other[names.index("log_gamma")] += 0.1
    assert scaling.gradient.with_data(studies=other).kernel is scaling.gradient.kernel
    assert not asked
    again = scaling.gradient.with_data(studies=moved)
    assert len(asked) == 1 and np.array_equal(asked[0], moved)
    assert again.kernel is not scaling.gradient.kernel
    assert again.kernel.program.lanes == scaling.gradient.kernel.program.lanes
    assert np.array_equal(scaling.graph["studies"].get_value(), rows), "the graph keeps its numbers"


def test_numba_is_asked_for_by_name(evidence, view) -> None:
    """The reference: PyMC's graph and what nutpie compiles of it, and nothing that is kept."""
    model, said = find_model("scaling"), []
    found = compiled_for(model, evidence, view, None, Talk(say=said.append), "numba")
    assert isinstance(found.gradient, NumbaGradient) and isinstance(found.shared, LiveGraph)
    assert said == ["compiling the model with Numba, about a minute"]
    with pytest.raises(InputError, match="gradient: must be kept or numba, got 'jax'; choose one"):
        Sampling(gradient="jax")


def test_what_a_kernel_cannot_express_nutpie_compiles_and_one_line_says_so(
    evidence, view, monkeypatch
) -> None:
    def refuse(graph, say, cpu):
        raise NotExpressible("the operation Foo")

    monkeypatch.setattr(gradient, "kernel_for", refuse)
    model, said = find_model("scaling"), []
    own = restrict(evidence, view, model)
    found = gradient_of(LiveGraph(model.build(own, view.stating(model.quantities))), said.append)
    assert isinstance(found, NumbaGradient)
    assert said == [
        "nutpie compiles the model, for lack of machine code of its own (the operation Foo)"
    ]


def test_what_has_no_machine_code_is_sampled_by_nuts_with_its_own_warm_up(by_numba) -> None:
    found = by_numba.sampling(Sampling())
    assert (found.sampler, found.tune, found.target_accept) == ("nuts", 400, 0.95)
    with pytest.raises(InputError, match="sampler: must be nuts, since scaling has no machine"):
        by_numba.posterior(Sampling(sampler="hmc"))


def test_a_dimension_without_labels_has_numbers() -> None:
    """As the tasks and models of runs on tasks."""
    with pm.Model() as model:
        model.add_coord("task", length=3)
        pm.HalfNormal("spread", 1.0, dims="task")
        pm.Normal("level", 0.0, 1.0, shape=2)
    sampler = KernelGradient.of(LiveGraph(model), str).for_nutpie()
    trace = nutpie.sample(sampler, draws=20, tune=50, chains=1, progress_bar=False, seed=1)
    draws = trace["posterior"].dataset
    assert list(draws["task"].values) == [0, 1, 2] and (draws["spread"] > 0).all()
    assert draws["spread"].dims == ("chain", "draw", "task") and draws["level"].shape == (1, 20, 2)
