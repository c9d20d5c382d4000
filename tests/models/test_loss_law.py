"""The loss law: what is known of it exactly, and that the graph says what the functions say."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import minimize_scalar

from aligntax.models import loss_law
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from aligntax.models.evidence import load_evidence
from aligntax.models.views import load_view, parse_view
from tests.loss_runs import TRUTH, simulated

EXPONENT = st.floats(0.05, 1.5)
TERM = st.floats(-2.0, 0.7)
LAW = st.fixed_dictionaries(
    {"irreducible_loss": st.floats(0.3, 5), "parameter_loss": TERM, "data_loss": TERM, "alpha": EXPONENT, "beta": EXPONENT}
)  # fmt: skip


def view_at(parameters=1e9, tokens=2e10, **settings):
    return load_view("default").replace(
        loss_law={"parameters": parameters, "tokens": tokens, **settings}
    )


def at_reference(x, view, parameters, tokens):
    """Loss of a size on data, from the view's reference."""
    return loss_law.loss(
        x, np.log(parameters / view.loss_law.parameters), np.log(tokens / view.loss_law.tokens)
    )


@given(EXPONENT, EXPONENT)
def test_exponents_are_those_of_the_optimal_path(alpha, beta) -> None:
    a, gamma = loss_law.allocation_exponent(alpha, beta), loss_law.data_exponent(alpha, beta)
    assert gamma == pytest.approx((1 - a) / a)
    assert loss_law.allocation_exponent(alpha, alpha) == 0.5


def test_exponents_in_the_limits() -> None:
    """Where data hardly helps, compute goes into parameters, and the other way round."""
    assert loss_law.allocation_exponent(1e-9, 1.0) == pytest.approx(1.0)
    assert loss_law.allocation_exponent(1.0, 1e-9) == pytest.approx(0.0, abs=1e-8)


@given(LAW, st.floats(17, 26))
def test_the_optimal_size_has_the_least_loss_at_its_compute(x, log_flop) -> None:
    view = view_at()
    flop = 10.0**log_flop

    def reducible(log_n):
        n = 10.0**log_n
        return at_reference(x | {"irreducible_loss": 0.0}, view, n, flop / 6 / n)

    best = float(loss_law.optimal_parameters(x, view, flop))
    found = minimize_scalar(
        lambda y: np.log(reducible(y)), bounds=(best - 4, best + 4), method="bounded"
    ).x
    assert found == pytest.approx(best, abs=2e-3)
    assert best + float(loss_law.optimal_tokens(x, view, flop)) == pytest.approx(np.log10(flop / 6))


def test_the_optimal_path_has_the_slopes_that_the_exponents_say() -> None:
    view, flop = view_at(), np.array([1e20, 1e24])
    n, d = (f(TRUTH, view, flop) for f in (loss_law.optimal_parameters, loss_law.optimal_tokens))
    assert np.diff(n)[0] / 4 == pytest.approx(
        loss_law.allocation_exponent(TRUTH["alpha"], TRUTH["beta"])
    )
    assert np.diff(d)[0] / np.diff(n)[0] == pytest.approx(
        loss_law.data_exponent(TRUTH["alpha"], TRUTH["beta"])
    )


def test_besiroglu_et_al_s_law_trains_chinchilla_on_some_twenty_tokens_per_parameter() -> None:
    """Their A and B, stated at parameters = tokens = 1; the paper gives about 20 at Gopher's budget."""
    x = {
        "parameter_loss": np.log10(482.01),
        "data_loss": np.log10(2085.43),
        "alpha": 0.3478,
        "beta": 0.3658,
    }
    view = view_at(1.0, 1.0)
    assert 10 ** loss_law.tokens_per_parameter(x, view, view.loss_law.compute) == pytest.approx(
        20, abs=5
    )


@given(LAW, st.floats(6, 12), st.floats(8, 13))
def test_the_reference_is_a_matter_of_words(x, log_n0, log_d0) -> None:
    """The two terms stated at another reference are the same law: same losses, same optimum."""
    here, there = view_at(), view_at(10.0**log_n0, 10.0**log_d0)
    moved = x | {
        "parameter_loss": x["parameter_loss"] - x["alpha"] * (log_n0 - 9),
        "data_loss": x["data_loss"] - x["beta"] * (log_d0 - np.log10(2e10)),
    }
    for n, d in ((7e7, 3e11), (7e10, 1.4e12)):
        assert at_reference(moved, there, n, d) == pytest.approx(at_reference(x, here, n, d))
    flop = 5.76e23
    expected = float(loss_law.tokens_per_parameter(x, here, flop))
    assert float(loss_law.tokens_per_parameter(moved, there, flop)) == pytest.approx(
        expected, abs=1e-8
    )


def test_the_law_with_references_of_one_states_a_and_b() -> None:
    x = {
        "irreducible_loss": 1.8,
        "parameter_loss": 2.6,
        "data_loss": 3.3,
        "alpha": 0.35,
        "beta": 0.37,
    }
    n, d = 1e9, 2e10
    assert at_reference(x, view_at(1.0, 1.0), n, d) == pytest.approx(
        1.8 + 10**2.6 * n**-0.35 + 10**3.3 * d**-0.37
    )


# ---------------------------------------------------------------------------------------- the graph


def with_rows(rows):
    return load_evidence().with_rows("loss_runs", rows)


@pytest.mark.parametrize("errors", ["student_t", "gaussian"])
def test_the_graph_s_density_of_each_run_is_scipy_s(errors) -> None:
    """At the prior's medians, where the standard-normal scores are zero."""
    view, evidence = view_at(errors=errors), with_rows(simulated(20))
    graph = loss_law.build(evidence, view)
    names = [rv.name for rv in graph.free_RVs if rv.name != "white"]
    outputs = graph.replace_rvs_by_values([*graph.potentials, *(graph[name] for name in names)])
    got, *values = graph.compile_fn(outputs, on_unused_input="ignore")(graph.initial_point())
    drawn = dict(zip(names, map(float, values), strict=True))
    parameters = xr.Dataset({name: ((), value) for name, value in drawn.items()})
    x = {
        name: value[0]
        for name, value in view.tables(loss_law.QUANTITIES).values(np.zeros((1, 5))).items()
    }
    rows = loss_law.runs(evidence, view)
    residual = rows["log_loss"].values - loss_law.expected(x, parameters, evidence, view)
    sd = drawn["loss_sd"]
    law = (
        stats.t(drawn["error_freedom"], scale=sd) if errors == "student_t" else stats.norm(scale=sd)
    )
    assert got == pytest.approx(law.logpdf(residual), rel=1e-9)
    assert ("error_freedom" in drawn) == (errors == "student_t")


def test_a_model_without_runs_is_its_prior() -> None:
    graph = loss_law.build(load_evidence(), load_view("default"))
    assert not graph.potentials
    assert loss_law.corpora(load_evidence()) == ()
    assert loss_law.coords(load_evidence()) == {}


def test_one_corpus_has_no_spread_and_two_have_their_own_laws() -> None:
    view = load_view("default")
    one, two = (
        with_rows(simulated(12)),
        with_rows(simulated(12, truths={"pile": TRUTH, "c4": TRUTH})),
    )
    names = {rv.name for rv in loss_law.build(one, view).free_RVs}
    assert names == {"white", "loss_sd", "error_freedom"}
    graph = loss_law.build(two, view)
    own = {f"corpus_{name}" for name in loss_law.QUANTITIES}
    assert {rv.name for rv in graph.free_RVs} == names | {"exponent_spread"} | own
    assert tuple(graph.coords["corpus"]) == ("c4", "pile") == loss_law.corpora(two)
    assert find_model("loss-law").coords(two)["alpha_by_corpus"] == ("corpus", ("c4", "pile"))


def test_each_corpus_is_answered_by_its_own_law() -> None:
    view = load_view("default")
    evidence = with_rows(simulated(12, truths={"a": TRUTH, "b": TRUTH}))
    x = {name: np.full(3, TRUTH[name]) for name in loss_law.QUANTITIES}
    own = loss_law.to_link(
        {
            "irreducible_loss": 2.0,
            "parameter_loss": -0.3,
            "data_loss": -0.6,
            "alpha": 0.3,
            "beta": 0.6,
        }
    )
    parameters = xr.Dataset(
        {f"corpus_{name}": (("sample", "corpus"), np.stack([np.full(3, loss_law.to_link(TRUTH)[name]), np.full(3, own[name])], axis=1)) for name in own}
        | {"exponent_spread": ("sample", np.full(3, 0.1)), "loss_sd": ("sample", np.full(3, 0.01)), "error_freedom": ("sample", np.full(3, 4.0))}
    )  # fmt: skip
    derived = loss_law.derive(x, parameters, evidence, view)
    assert derived["alpha_by_corpus"] == pytest.approx(np.tile([0.35, 0.3], (3, 1)))
    assert derived["allocation_exponent_by_corpus"][:, 1] == pytest.approx(2 / 3)
    assert derived["data_exponent"] == pytest.approx(0.35 / 0.37)
    assert set(loss_law.coords(evidence)) <= set(derived)
    mean = loss_law.expected(x, parameters, evidence, view)
    rows = loss_law.runs(evidence, view)
    second = rows["corpus_index"].values == 1
    again = loss_law.loss(loss_law.from_link(own), rows["n"].values, rows["d"].values)
    assert mean.shape == (3, 24)
    assert mean[0, second] == pytest.approx(np.log(again)[second])


@pytest.mark.parametrize(("freedom", "law"), [(3.0, stats.t(3.0)), (None, stats.norm())])
def test_replicates_scatter_as_the_likelihood_says(freedom, law) -> None:
    view, evidence = load_view("default"), with_rows(simulated(10))
    draws = 4000
    x = {name: np.full((1, draws), value) for name, value in TRUTH.items()}
    values = {"loss_sd": 0.01} | ({} if freedom is None else {"error_freedom": freedom})
    parameters = xr.Dataset(
        {name: (("chain", "draw"), np.full((1, draws), value)) for name, value in values.items()}
    )
    dim, drawn = loss_law.simulate(x, parameters, evidence, view, np.random.default_rng(2))[
        "loss_runs"
    ]
    residual = (drawn - loss_law.expected(x, parameters, evidence, view)) / 0.01
    assert dim == "loss_run" and drawn.shape == (1, draws, 10)
    assert stats.kstest(residual[0, :, 0], law.cdf).pvalue > 1e-3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '[loss_law]\nerrors = "cauchy"',
            "loss_law.errors: must be student_t or gaussian, got 'cauchy'",
        ),
        ("[loss_law]\nparameters = 0", "loss_law.parameters: must be positive, got 0"),
        ("[loss_law]\ntokens = -1.0", "loss_law.tokens: must be positive"),
        ("[loss_law]\nflop = 1.0", "loss_law: has no setting"),
    ],
)
def test_settings_without_meaning_are_refused(text, told) -> None:
    with pytest.raises(InputError, match=told):
        parse_view(text, "mine.toml")


def test_the_settings_are_part_of_the_view() -> None:
    view = view_at(1.0, 1.0, errors="gaussian")
    assert parse_view(view.to_toml(), "x").loss_law == view.loss_law
    assert view.hash != load_view("default").hash
