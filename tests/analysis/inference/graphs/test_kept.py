"""A kept graph gives the live graph's numbers without PyMC, and is not used where it does not hold."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from aligntax.analysis.inference.compile_cache import VARIABLE
from aligntax.analysis.inference.compiled_model import compile_model, data_of_evidence, data_of_view
from aligntax.analysis.inference.graphs import keeping, kept, programs
from aligntax.analysis.inference.graphs.graph import WHITE
from aligntax.analysis.inference.graphs.keeping import graph_of, kept_path, read_graph, write_graph
from aligntax.analysis.inference.graphs.kept import KeptGraph
from aligntax.analysis.inference.graphs.live import LiveGraph
from aligntax.analysis.inference.graphs.programs import kept_graph
from aligntax.analysis.inference.kernel import store
from aligntax.analysis.inference.kernel.kernel import WrongProgram
from aligntax.analysis.inference.kernel.walk import NotExpressible
from aligntax.analysis.inference.options import Sampling
from aligntax.models.catalogue import MODELS, find_model, restrict
from aligntax.models.evidence import Evidence
from aligntax.models.priors.columns import stack_columns
from aligntax.models.views import load_view
from tests.analysis.inference.kernel.graphs import built, with_users_rows

VIEWS = ["vague", "takeoff-conservative"]  # far from the view that a graph is built under
QUICK = Sampling(draws=40, tune=50, chains=2, seed=4)


@pytest.fixture(scope="module", params=list(MODELS.own))
def pair(request, evidence, view):
    """A model, a live graph of it, and its code."""
    model = MODELS.own[request.param]
    live = LiveGraph(built(evidence, view.stating(model.quantities), model.name))
    return model, live, kept_graph(live, str)


@pytest.fixture(scope="module")
def scaled(evidence, view):
    """The meta-analysis: its model, evidence, live graph and code."""
    model = find_model("scaling")
    stated, own = view.stating(model.quantities), restrict(evidence, view, model)
    live = LiveGraph(model.build(own, stated))
    return model, own, live, kept_graph(live, str)


def numbers(model, evidence, name, outline):
    """Data of the graph under a named view."""
    view = load_view(name).stating(model.quantities)
    rows = data_of_evidence(restrict(evidence, view, model), view, model, outline)
    stacks = {each: stack_columns(table) for each, table in rows.items()}
    return {**outline.data, **data_of_view(view, model, outline), **stacks}


@pytest.mark.parametrize("name", VIEWS)
def test_code_gives_the_live_graph_s_numbers_under_other_views(pair, evidence, name) -> None:
    model, live, graph = pair
    known = with_users_rows(evidence, model.name)
    data, sizes = numbers(model, known, name, live.outline), dict(live.outline.free)
    for seed in (0, 11):
        np.testing.assert_allclose(graph.start(data, seed), live.start(data, seed), rtol=1e-9)
    white = np.random.default_rng(5).standard_normal((2, 30, *sizes[WHITE]))
    drawn, expected = graph.draw_prior(data, white, 6), live.draw_prior(data, white, 6)
    assert drawn.keys() == expected.keys() == {*live.outline.structural}
    for each, value in expected.items():
        np.testing.assert_allclose(drawn[each], value, rtol=1e-9, err_msg=each)
    values = {WHITE: white, **expected}
    draws = [values[each].reshape(60, *shape) for each, shape in live.outline.free]
    for kind in ("log_likelihood", "log_prior"):
        got, right = (getattr(each, kind)(data, draws) for each in (graph, live))
        assert got.keys() == right.keys()
        for each, value in right.items():
            # far out the terms themselves cancel: an error is measured against the largest of them
            scale = 1e-9 * np.abs(value[np.isfinite(value)]).max(initial=1.0)
            np.testing.assert_allclose(got[each], value, rtol=1e-7, atol=scale, err_msg=each)


def test_facts_are_those_of_the_live_graph(pair, tmp_path) -> None:
    _, live, graph = pair
    path = tmp_path / "one.graph"
    write_graph(path, graph)
    read = read_graph(path, lambda: live)
    for known in (graph.outline, read.outline):
        for name, value in vars(live.outline).items():
            got = getattr(known, name)
            if name == "data":
                assert got.keys() == value.keys()
                assert all(np.array_equal(got[k], v, equal_nan=True) for k, v in value.items())
            else:
                assert got == value, name
    assert read.code.drawn == graph.code.drawn and read.code.jitter == graph.code.jitter
    assert read.code.distributions == graph.code.distributions
    assert read.code.descended == graph.code.descended


def test_what_is_read_draws_what_was_drawn_when_it_was_made(
    evidence, view, tmp_path, monkeypatch
) -> None:
    """A first run and a later one on a seed are the same to the last bit."""
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    model = find_model("scaling")
    made, later = (graph_of(model, restrict(evidence, view, model), view, str) for _ in range(2))
    assert isinstance(made, KeptGraph) and isinstance(later, KeptGraph) and made is not later
    data = made.outline.data
    assert np.array_equal(made.start(data, 3), later.start(data, 3))
    white = np.random.default_rng(5).standard_normal((2, 30, *dict(made.outline.free)[WHITE]))
    for name, value in made.draw_prior(data, white, 6).items():
        assert np.array_equal(value, later.draw_prior(data, white, 6)[name]), name


def test_other_numbers_in_the_same_rows_compile_nothing(
    evidence, view, tmp_path, monkeypatch
) -> None:
    """A user's own figures, say: the graph is built, and its code is found."""
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    model, made = find_model("scaling"), []
    compile_density = store.compile_density

    def counted(*arguments, **options):
        made.append(True)
        return compile_density(*arguments, **options)

    monkeypatch.setattr(store, "compile_density", counted)
    own = restrict(evidence, view, model)
    first = graph_of(model, own, view, str)
    assert len(made) == 3
    rows = own["scaling_exponents"]
    other = Evidence(
        {
            **own.tables,
            "scaling_exponents": rows.assign(
                allocation_exponent=rows["allocation_exponent"] + 0.01
            ),
        }
    )
    second = graph_of(model, other, view, str)
    assert len(made) == 3 and other.hash != own.hash and isinstance(second, KeptGraph)
    assert not np.array_equal(first.outline.data["studies"], second.outline.data["studies"])


BLOCKED = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name in ("pymc", "pytensor"):
            raise AssertionError(f"{name} is imported")

sys.meta_path.insert(0, Block())
from aligntax.analysis.inference.compiled_model import compile_model
from aligntax.analysis.inference.options import Sampling
from aligntax.models.catalogue import find_model
from aligntax.models.evidence import load_evidence
from aligntax.models.views import load_view

compiled = compile_model(find_model("scaling"), load_evidence(), load_view("vague"))
fit = compiled.sample(Sampling(draws=40, tune=50, chains=2, seed=4))
print(float(fit.posterior["z"].sum()), float(fit.log_likelihood["scaling_exponents"].sum()))
"""


def test_a_new_process_samples_another_view_without_pymc(
    evidence, view, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    model = find_model("scaling")
    graph_of(model, restrict(evidence, view, model), view, str)
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED],
        env={**os.environ, VARIABLE: str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    other = load_view("vague")
    graph = graph_of(model, restrict(evidence, other, model), other.stating(model.quantities), str)
    fit = replace(compile_model(model, evidence, other), shared=graph).sample(QUICK)
    drawn, terms = map(float, done.stdout.split())
    assert drawn == pytest.approx(float(fit.posterior["z"].sum()), rel=1e-12)
    assert terms == pytest.approx(float(fit.log_likelihood["scaling_exponents"].sum()), rel=1e-12)


def test_data_that_the_code_does_not_hold_for_are_worked_out_live(scaled) -> None:
    """Evidence of other groups: the code takes the groups for granted."""
    model, own, live, graph = scaled
    moved = {name: value.copy() for name, value in graph.outline.data.items()}
    columns = list(model.data(own, load_view("default"))["studies"].data_vars)
    groups = moved["studies"][columns.index("group_index")]
    groups[:] = groups[::-1].copy()
    white = np.random.default_rng(5).standard_normal((2, 5, *dict(live.outline.free)[WHITE]))
    drawn = live.draw_prior(moved, white, 6)
    draws = [{WHITE: white, **drawn}[n].reshape(10, *s) for n, s in live.outline.free]
    with pytest.raises(WrongProgram):
        graph.code.terms.prepare(moved)
    for kind in ("log_likelihood", "log_prior"):
        got, right = (getattr(each, kind)(moved, draws) for each in (graph, live))
        assert all(np.array_equal(got[name], value) for name, value in right.items())
    before = graph.log_likelihood(graph.outline.data, draws)["scaling_exponents"]
    assert not np.allclose(before, graph.log_likelihood(moved, draws)["scaling_exponents"])


# ------------------------------------------------------------------------- what is not kept or used


def test_a_file_is_named_after_everything_that_decides_a_graph(evidence, view, monkeypatch) -> None:
    model = find_model("joint")
    own = restrict(evidence, view, model)
    before = kept_path(model, own, view)
    assert before == kept_path(model, own, load_view("vague")), "priors decide nothing"
    paths = [
        kept_path(model, restrict(evidence.until(2023.0), view, model), view),
        kept_path(find_model("compute"), own, view),
        kept_path(model, own, load_view("with-ai-labour")),
    ]
    for name in ("sources", "version"):
        with monkeypatch.context() as patch:
            patch.setattr(keeping, name, lambda *_: "others")
            paths.append(kept_path(model, own, view))
    assert len({before, *paths}) == len(paths) + 1


def test_what_comes_from_outside_is_not_kept(evidence, view) -> None:
    """Code without a digest, and rows that are not in the hash of the evidence."""
    model = find_model("scaling")
    own = restrict(evidence, view, model)
    assert kept_path(model, own, view) is not None
    assert kept_path(replace(model, title="another"), own, view) is None
    assert (
        kept_path(model, own.with_likelihood_rows({"scaling_exponents": own["constants"]}), view)
        is None
    )


@pytest.mark.parametrize("wrong", ["start", "drawn", "law"])
def test_code_with_other_random_numbers_is_refused(scaled, monkeypatch, wrong) -> None:
    _, _, live, graph = scaled
    if wrong == "start":
        order = graph.code.jitter
        monkeypatch.setattr(programs, "_order_of_jitter", lambda live: order[1:] + order[:1])
    if wrong == "drawn":
        reordered = graph.code.drawn[1:] + graph.code.drawn[:1]
        monkeypatch.setattr(programs, "_order_of_drawing", lambda live: reordered)
    if wrong == "law":
        law = kept.DRAWN["normal"]
        changed = {**kept.DRAWN, "normal": lambda rng, size, m, s: law(rng, size, m, 1.001 * s)}
        monkeypatch.setattr(kept, "DRAWN", changed)
    with pytest.raises(WrongProgram, match="in another way"):
        kept_graph(live, str)


def test_a_distribution_that_is_not_known_is_refused_by_name(scaled, monkeypatch) -> None:
    _, _, live, _ = scaled
    known = {name: law for name, law in kept.DRAWN.items() if name != "halfnormal"}
    monkeypatch.setattr(programs, "DRAWN", known)
    with pytest.raises(NotExpressible, match="halfnormal"):
        kept_graph(live, str)


@pytest.mark.parametrize("damage", ["cut", "foreign", "open", "unreadable", "wrong"])
def test_a_damaged_file_costs_one_line(scaled, tmp_path, monkeypatch, damage, view) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    model, own, _, graph = scaled
    monkeypatch.setattr(programs, "kept_graph", lambda *_: graph)
    path, said = kept_path(model, own, view), []
    write_graph(path, graph)
    whole = path.read_bytes()
    if damage == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    if damage == "foreign":
        path.write_bytes(b"something else " * 1000)
    if damage == "open":
        path.chmod(0o666)
    if damage == "unreadable":
        path.unlink()
        path.mkdir()
    if damage == "wrong":
        program = graph.code.terms.program
        terms = kept.Kernel(replace(program, check_natural=program.check_natural + 1e-6), False)
        write_graph(path, replace(graph, code=replace(graph.code, terms=terms)))
    assert graph_of(model, own, view, said.append) is graph
    assert said[0].startswith(f"compiling again: {path} will not do (")
    if damage != "unreadable":
        assert len(said) == 1 and path.read_bytes() == whole
        assert isinstance(graph_of(model, own, view, said.append), KeptGraph) and len(said) == 1


def test_a_folder_that_cannot_be_written_is_one_line(scaled, tmp_path, monkeypatch, view) -> None:
    model, own, _, graph = scaled
    monkeypatch.setattr(programs, "kept_graph", lambda *_: graph)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "file" / "below"))
    (tmp_path / "file").write_text("")
    said = []
    assert graph_of(model, own, view, said.append) is graph
    assert len(said) == 1 and "cannot be written, so that every command compiles anew" in said[0]


def test_a_graph_that_code_cannot_express_stays_live_and_one_line_says_so(
    scaled, tmp_path, monkeypatch, view
) -> None:
    def refuse(*_):
        raise NotExpressible("the operation Sort")

    model, own, *_ = scaled
    monkeypatch.setattr(programs, "kept_graph", refuse)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    said = []
    assert isinstance(graph_of(model, own, view, said.append), LiveGraph)
    assert len(said) == 1 and "the operation Sort" in said[0]
    assert not list(tmp_path.rglob("*.graph"))
