"""Outer alignment: exact against simulated and brute force, bounds and orders, and that the graph says what the functions say."""

from itertools import product

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import gammaln

from aligntax.models.errors import InputError
from aligntax.models.evidence import load_evidence
from aligntax.models.outer_alignment import comparisons, oversight
from aligntax.models.outer_alignment import model as outer
from aligntax.models.views import load_view, parse_view

TIES = ("split", "losses")
ADVANTAGE = st.floats(1e-5, 1.0)
CHANCE = st.floats(np.log(1e-30), np.log(0.5))
ERROR = st.floats(0.0, 0.49)

# ---------------------------------------------------------------------------- the chance of winning


@pytest.mark.parametrize("n", range(1, 13))
def test_the_chance_of_losing_is_the_binomial_s(n) -> None:
    advantage = np.array([-0.9, -0.3, 0.0, 1e-3, 0.2, 0.6, 1.0])
    tally = stats.binom(n, (1 + advantage) / 2)
    below, tied = tally.cdf((n - 1) // 2), tally.pmf(n // 2) if n % 2 == 0 else 0.0
    assert comparisons.lose_probability(advantage, n, ties="losses") == pytest.approx(
        below + tied, abs=1e-14
    )
    assert comparisons.lose_probability(advantage, n) == pytest.approx(
        below + 0.5 * tied, abs=1e-14
    )


def simulated(rng, n, gap, error, evaluator, votes, correlation, tie_share, ties, draws=10**6):
    """Share of a million tallies in which the aligned policy does not win, made label by label."""
    wins = np.zeros(draws)
    for _ in range(n):
        better = rng.random(draws) < (1 + gap) / 2  # an ideal judge's preference
        judged = better ^ (rng.random(draws) < evaluator)  # what people can make of it
        hard = (
            error
            if correlation == 0
            else rng.beta(*(s * (1 / correlation - 1) for s in (error, 1 - error)), draws)
        )
        wrong = rng.binomial(votes, hard, draws) > votes / 2
        recorded = (judged ^ wrong).astype(float)
        is_tie = rng.random(draws) < tie_share
        tied = 0.5 if ties == "split" else 0.0
        wins += np.where(is_tie, tied, recorded)
    coin = 0.5 if ties == "split" else 1.0
    return np.where(2 * wins < n, 1.0, np.where(2 * wins == n, coin, 0.0))


@pytest.mark.parametrize(
    ("n", "gap", "error", "evaluator", "votes", "correlation", "tie_share", "ties"),
    [
        (1, 0.9, 0.1, 0.05, 1, 0.0, 0.0, "split"),
        (7, 0.5, 0.2, 0.1, 1, 0.0, 0.0, "losses"),
        (8, 0.5, 0.2, 0.1, 3, 0.0, 0.2, "losses"),
        (8, 0.5, 0.2, 0.1, 3, 0.0, 0.2, "split"),
        (9, 0.8, 0.3, 0.0, 5, 0.3, 0.0, "split"),
        (6, 0.7, 0.25, 0.6, 3, 0.5, 0.1, "losses"),
    ],
)
def test_the_chance_of_losing_is_that_of_a_million_simulated_records(
    n, gap, error, evaluator, votes, correlation, tie_share, ties
) -> None:
    """Label by label, within 4 standard errors."""
    lost = simulated(
        np.random.default_rng(n), n, gap, error, evaluator, votes, correlation, tie_share, ties
    )
    wrong = comparisons.vote_error(error, votes, correlation)
    advantage = comparisons.label_advantage(gap, wrong, 1 - 2 * evaluator)
    exact = comparisons.lose_probability(advantage, n, tie_share, ties)
    assert abs(lost.mean() - exact) < 4 * lost.std() / 1000


def test_an_even_number_of_comparisons_is_worse_than_the_odd_one_before_it_where_ties_lose() -> (
    None
):
    """Strict majority is not monotone in n; where ties split, an even number is as good."""
    n = np.arange(1, 40)
    split, losses = (comparisons.lose_probability(0.3, n, ties=ties) for ties in TIES)
    assert np.all(losses[1::2] > losses[:-1:2])
    assert split[1::2] == pytest.approx(split[:-1:2])
    for values in (losses[::2], losses[1::2], split[::2]):
        assert np.all(np.diff(values) < 0)
    chance = losses[4] * 1.01  # n = 5 passes, n = 6 does not
    assert losses[5] > chance
    assert comparisons.comparisons_needed(0.3, np.log(chance), ties="losses") > 6


# ---------------------------------------------------------------------------------- how many needed


def brute_force(advantage, chance, ties, most=4000):
    """One more than the last number of comparisons that fails."""
    n = np.arange(1, most + 1)
    failing = n[comparisons.lose_probability(advantage, n, ties=ties) > chance]
    assert not len(failing) or failing[-1] < most
    return failing[-1] + 1 if len(failing) else 1


@pytest.mark.parametrize("ties", TIES)
def test_comparisons_needed_are_those_of_brute_force(ties) -> None:
    for a, chance in product((0.08, 0.2, 0.37, 0.7, 0.99, 1.0), (0.6, 0.4, 0.05, 1e-3, 1e-4)):
        needed = comparisons.comparisons_needed(a, np.log(chance), ties=ties)
        assert needed == brute_force(a, chance, ties)


def half_votes(advantage, tie_share, most):
    """Chance of losing on 1 to ``most`` comparisons, from the law of the lead, step by step.

    The lead after n comparisons is a walk; a tie is no step. A lead of zero is a coin's.
    """
    q = 0.5 * (1 + advantage)
    step = np.array([(1 - tie_share) * (1 - q), tie_share, (1 - tie_share) * q])
    law, lost = np.array([1.0]), []
    for n in range(1, most + 1):
        law = np.convolve(law, step)
        lost.append(law[:n].sum() + 0.5 * law[n])
    return np.array(lost)


def test_half_votes_need_what_brute_force_finds_in_400_random_cases() -> None:
    """The negative control counts ties as coins, which asks for more wherever ties are many."""
    rng, most, tied = np.random.default_rng(22), 400, 0
    for _ in range(400):
        a, share = rng.uniform(0.15, 1.0), rng.choice([rng.uniform(0, 0.9), rng.uniform(0, 0.02)])
        lost = half_votes(a, share, most)
        assert np.all(np.diff(lost) < 1e-15)  # every n is better than the one before
        chance = 10 ** rng.uniform(np.log10(max(lost[-1], 1e-12)) + 0.01, np.log10(0.45))
        needed = np.flatnonzero(lost <= chance)[0] + 1
        assert comparisons.comparisons_needed(a, np.log(chance), share) == needed
        n = np.arange(1, most + 1, 7)
        found = comparisons.lose_probability(a, n, share)
        assert found == pytest.approx(lost[n - 1], rel=1e-6, abs=1e-13)
        if share > 0.1 and needed > 10:
            tied += 1
            assert comparisons.comparisons_needed((1 - share) * a, np.log(chance)) > needed
    assert tied > 50


def test_ties_as_coins_asked_723_comparisons_where_half_votes_need_441() -> None:
    """A published fault: 0.6 of the comparisons suffice at a tie share of 0.4."""
    for a in (0.05, 0.1, 0.2):
        coins = comparisons.comparisons_needed(0.6 * a, np.log(0.01))
        halves = comparisons.comparisons_needed(a, np.log(0.01), 0.4)
        assert halves / coins == pytest.approx(441 / 723, abs=0.02)


@pytest.mark.parametrize("advantage", [1e-9, 1e-3, 0.2, 0.97, 1.0])
def test_few_ties_are_none_and_an_advantage_of_one_loses_by_ties_alone(advantage) -> None:
    n = np.array([1, 2, 7, 50, 1001])
    none = comparisons.lose_probability(advantage, n)
    assert comparisons.lose_probability(advantage, n, 1e-12) == pytest.approx(none, abs=1e-5)
    assert comparisons.lose_probability(-advantage, n, 0.3) == pytest.approx(
        1 - comparisons.lose_probability(advantage, n, 0.3)
    )
    assert comparisons.lose_probability(1.0, n, 0.3) == pytest.approx(0.5 * 0.3**n, rel=1e-9)


@given(ADVANTAGE, CHANCE, st.sampled_from(TIES), st.sampled_from([0.0, 0.0, 1e-3, 0.2, 0.9]))
def test_exact_is_below_chernoff_is_below_hoeffding_and_only_just_passes(
    a, log_chance, ties, share
) -> None:
    asked = log_chance, share, ties
    n = comparisons.comparisons_needed(a, *asked)
    assert n <= comparisons.chernoff(a, *asked) <= comparisons.hoeffding(a, *asked)
    if not np.isfinite(n):
        assert ties == "losses" and (1 - share) * a <= share
        return
    worst = n + (ties == "losses")  # the even one after it
    assert comparisons.lose_probability(a, worst, share, ties) <= np.exp(log_chance)
    if n > 1:
        before = worst - (1 if share and ties == "split" else 2)
        assert comparisons.lose_probability(a, before, share, ties) > np.exp(log_chance)


@given(
    st.floats(0.01, 1.0),
    ERROR,
    st.floats(0.0, 0.49),
    st.floats(0, 12),
    st.floats(1e-6, 0.5),
    st.sampled_from(TIES),
)
def test_more_are_needed_for_a_larger_error_a_smaller_gap_more_rivals_and_more_confidence(
    gap, error, evaluator, rivals, delta, ties
) -> None:
    def needed(gap=gap, error=error, evaluator=evaluator, rivals=rivals, delta=delta):
        advantage = comparisons.label_advantage(gap, error, 1 - 2 * evaluator)
        return comparisons.comparisons_needed(
            advantage, comparisons.log_allowed(rivals, delta), ties=ties
        )

    base = needed()
    assert base <= needed(error=error + 0.009)
    assert base <= needed(evaluator=evaluator + 0.009)
    assert base <= needed(gap=0.9 * gap)
    assert base <= needed(rivals=rivals + 1)
    assert base <= needed(delta=0.5 * delta)


@pytest.mark.parametrize("advantage", [1e-6, 3.1e-7, 1e-9, 1e-13])
def test_very_many_comparisons_follow_the_normal_law(advantage) -> None:
    """``n a^2 -> z^2``, to a part in a million at 1e13 comparisons and to rounding beyond."""
    for log_chance in np.log([0.05, 1e-8, 1e-20]):
        n = comparisons.comparisons_needed(advantage, log_chance)
        assert n > 1e11
        assert n * advantage**2 == pytest.approx(stats.norm.isf(np.exp(log_chance)) ** 2, rel=1e-6)


def test_a_chance_beyond_floating_point_takes_chernoff_s_number_without_a_jump() -> None:
    here, there = (
        comparisons.comparisons_needed(0.01, comparisons.LOG_TINY + step) for step in (1e-3, -1e-3)
    )
    assert here < there < 1.01 * here
    assert comparisons.comparisons_needed(
        0.01, comparisons.log_allowed(1000.0, 0.05)
    ) == comparisons.chernoff(0.01, np.log(0.05) - 1000 * np.log(10))


def test_no_amount_suffices_from_one_half_on() -> None:
    """Labels that are guesses or worse, an evaluator that flips, ties that lose too often: infinity, never a number."""
    chance = np.log(0.01)
    for advantage in (
        comparisons.label_advantage(0.5, 0.5, 1.0),
        comparisons.label_advantage(0.5, 0.7, 1.0),
        comparisons.label_advantage(0.5, 0.1, oversight.evaluator_advantage(np.log(1.5))),
    ):
        for needed in (comparisons.comparisons_needed, comparisons.chernoff, comparisons.hoeffding):
            assert needed(advantage, chance) == needed(advantage, chance, 0.2) == np.inf
    for needed in (comparisons.comparisons_needed, comparisons.chernoff, comparisons.hoeffding):
        assert needed(0.1, chance, 0.2, "losses") == np.inf
        assert np.isfinite(needed(0.1, chance, 0.2))


def test_an_evaluator_s_error_that_passes_one_half_flips_the_preference() -> None:
    def advantage(capability):
        x = {"evaluator_error": 0.05, "evaluator_error_growth": 0.3}
        return oversight.evaluator_advantage(oversight.evaluator_logit(x, capability, "none"))

    v = 1 / (1 + np.exp(-(np.log(0.05 / 0.95) + 0.3 * 13)))
    assert advantage(13.0) == pytest.approx(1 - 2 * v) and v > 0.5
    assert advantage(0.0) == pytest.approx(0.9)
    assert comparisons.label_advantage(0.4, 0.1, -0.5) == -comparisons.label_advantage(
        0.4, 0.1, 0.5
    )
    more = comparisons.vote_error(0.2, 9)
    assert comparisons.label_advantage(0.4, more, -0.5) < comparisons.label_advantage(
        0.4, 0.2, -0.5
    )  # votes do not mend it


# --------------------------------------------------------------------------------- labels and votes


@given(ERROR, st.sampled_from([1, 3, 5, 9]), st.floats(0.01, 0.95))
def test_votes_are_beta_binomial(error, votes, correlation) -> None:
    error = max(error, 1e-6)
    a, b = (s * (1 / correlation - 1) for s in (error, 1 - error))
    expected = stats.betabinom.sf(votes // 2, votes, a, b)
    assert comparisons.vote_error(error, votes, correlation) == pytest.approx(
        expected, rel=1e-6, abs=1e-12
    )
    assert comparisons.vote_error(error, votes) == pytest.approx(
        stats.binom.sf(votes // 2, votes, error), rel=1e-9
    )
    assert comparisons.vote_error(error, 1, correlation) == pytest.approx(error)
    # correlated votes help less
    assert comparisons.vote_error(error, votes) - 1e-12 <= expected <= error + 1e-9


def test_two_labellers_agree_as_often_as_counted() -> None:
    rng, error, correlation = np.random.default_rng(3), 0.2, 0.3
    hard = rng.beta(*(s * (1 / correlation - 1) for s in (error, 1 - error)), 10**6)
    first, second = rng.random((2, 10**6)) < hard
    share = outer.agreement(error, correlation)
    assert np.mean(first == second) == pytest.approx(
        share, abs=4 * np.sqrt(share * (1 - share) / 1e6)
    )
    p = 1 - error
    assert outer.agreement(error) == pytest.approx(p**2 + (1 - p) ** 2)
    assert share > outer.agreement(error)  # agreement overstates accuracy


# ------------------------------------------------------------------------------------- the evidence


def test_the_likelihood_is_beta_binomial_and_binomial_without_spread() -> None:
    count, total, mean = np.array([0.0, 7.0, 20.0]), 20.0, 0.7
    got = outer.log_likelihood(count, total, mean, 30.0, gammaln)
    assert got == pytest.approx(stats.betabinom.logpmf(count, 20, 21.0, 9.0))
    assert outer.log_likelihood(count, total, mean, 1e8, gammaln) == pytest.approx(
        stats.binom.logpmf(count, 20, mean), abs=1e-4
    )


def test_counts_are_those_that_have_the_published_standard_error() -> None:
    rows = outer.studies(load_evidence())
    share = rows["count"] / rows["total"]
    of = {str(key): i for i, key in enumerate(rows["agreement_study"].values)}
    i = of["instructgpt2022_trained"]
    assert rows["total"].values[i] == round(0.726 * 0.274 / 0.015**2)
    assert np.sqrt(share * (1 - share) / rows["total"]).values[i] == pytest.approx(0.015, rel=0.01)
    assert len(of) == 10 and rows.sizes["study"] == 5
    same = [
        rows["study_index"].values[of[f"instructgpt2022_{who}"]] for who in ("trained", "held_out")
    ]
    assert same[0] == same[1]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_at_the_edge_still_counts(share) -> None:
    evidence = load_evidence()
    table = evidence["labeller_agreement"]
    row = {
        "key": "mine",
        **{str(name): table[name].values[0] for name in table.data_vars},
        "agreement": share,
    }
    rows = outer.studies(evidence.with_rows("labeller_agreement", [row]))
    assert rows["total"].values[0] == round(0.03 * 0.97 / 0.03**2)
    assert rows["count"].values[0] == share * rows["total"].values[0]


def posterior_of_error(count, total, correlation=0.0):
    """Cumulative posterior of one study's error without spread on a grid; the prior is uniform in agreement."""
    error = np.linspace(0, 0.5, 20001)[1:-1]
    log = outer.log_likelihood(count, total, outer.agreement(error, correlation), 1e9, gammaln)
    density = np.exp(log - log.max()) * (1 - 2 * error)  # d agreement / d error, but for a constant
    return error, np.cumsum(density) / density.sum()


def test_the_posterior_of_label_error_without_spread_is_a_truncated_beta_s() -> None:
    """The conjugate case: agreement is Beta truncated to better than chance, error its image."""
    count, total = 150.0, 200.0
    error, cumulative = posterior_of_error(count, total)
    law, chance = (
        stats.beta(1 + count, 1 + total - count),
        stats.beta(1 + count, 1 + total - count).cdf(0.5),
    )
    exact = 1 - (law.cdf(outer.agreement(error)) - chance) / (1 - chance)
    assert np.abs(cumulative - exact).max() < 1e-3


def test_a_known_error_is_recovered_from_agreement_and_not_if_agreement_is_taken_for_accuracy() -> (
    None
):
    rng, truth, total = np.random.default_rng(5), 0.2, 2000
    inside = {"agreement": 0, "accuracy": 0}
    for _ in range(200):
        count = rng.binomial(total, outer.agreement(truth))
        error, cumulative = posterior_of_error(count, total)
        low, high = error[np.searchsorted(cumulative, [0.05, 0.95])]
        inside["agreement"] += low < truth < high
        # negative control: disagreement read as error
        naive = stats.beta(1 + total - count, 1 + count)
        inside["accuracy"] += naive.ppf(0.05) < truth < naive.ppf(0.95)
    assert 165 <= inside["agreement"] <= 194  # of 200, 90% intervals: within 4 standard deviations
    assert inside["accuracy"] == 0


# ---------------------------------------------------------------------------------------- the graph


def _evaluate(graph, outputs):
    function = graph.compile_fn(
        outputs, inputs=graph.value_vars, mode="FAST_COMPILE", on_unused_input="ignore"
    )
    return function(graph.initial_point())


def test_the_graph_s_density_of_each_row_is_scipy_s() -> None:
    view, evidence = (
        load_view("default").replace(outer_alignment={"error_correlation": 0.2}),
        load_evidence(),
    )
    graph = outer.build(evidence, view)
    wanted = ("guessed_share", "agreement_concentration")
    outputs = graph.replace_rvs_by_values([*graph.potentials, *(graph[name] for name in wanted)])
    terms, failures, guessed, within = _evaluate(graph, outputs)
    rows = outer.studies(evidence)
    share = outer.agreement(0.5 * guessed[rows["study_index"].values.astype(int)], 0.2)
    law = stats.betabinom(rows["total"].values, share * within, (1 - share) * within)
    assert terms == pytest.approx(law.logpmf(rows["count"].values), rel=1e-9)
    x = {name: value[0] for name, value in middle(view).items()}  # where the sampler starts
    played = oversight.games(evidence)
    row = {str(name): value.values for name, value in played.items()}
    law = stats.norm(oversight.expected_failure(x, row, np.log), 0.7)
    assert failures == pytest.approx(law.logpdf(row["failure"]), rel=1e-6)


def test_a_model_without_studies_is_its_prior() -> None:
    evidence, view = load_evidence().only(()), load_view("default")
    graph = outer.build(evidence, view)
    assert not graph.potentials
    assert {rv.name for rv in graph.free_RVs} == {
        "white",
        "error_concentration",
        "agreement_concentration",
        "new_labellers",
        "worst_rival",
    }
    assert outer.coords(evidence) == {}
    assert all(rows.size == 0 for rows in outer.observed(evidence, view).values())
    parameters = structural()
    assert outer.simulate(middle(view), parameters, evidence, view, np.random.default_rng(0)) == {}
    assert "study_label_error_by_study" not in outer.derive(
        middle(view), parameters, evidence, view
    )


def test_replicates_scatter_as_the_likelihood_says() -> None:
    evidence, view = load_evidence(), load_view("default")
    draws = 20000
    parameters = xr.Dataset(
        {
            "guessed_share": (("chain", "draw", "study"), np.full((1, draws, 5), 0.3)),
            "agreement_concentration": (("chain", "draw"), np.full((1, draws), 50.0)),
        }
    )
    x = dict.fromkeys(oversight.QUANTITIES, np.full((1, draws), 0.5))
    dim, drawn = outer.simulate(x, parameters, evidence, view, np.random.default_rng(1))[
        "labeller_agreement"
    ]
    total, share = outer.studies(evidence)["total"].values, outer.agreement(0.15)
    law = stats.betabinom(total, 50 * share, 50 * (1 - share))
    assert dim == "agreement_study" and drawn.shape == (1, draws, 10)
    assert drawn[0].mean(axis=0) == pytest.approx(
        law.mean() / total, abs=4 * (law.std() / total).max() / np.sqrt(draws)
    )
    assert drawn[0].std(axis=0) == pytest.approx(law.std() / total, rel=0.03)


# ---------------------------------------------------------------------------------- derived amounts


def middle(view, **shifts):
    """Elicited quantities at the medians of the view, some moved by so many standard normal scores; shape (1,)."""
    z = np.array([[shifts.get(name, 0.0) for name in outer.QUANTITIES]])
    return view.tables(outer.QUANTITIES).values(z)


def structural(worst=0.0):
    values = {"error_concentration": 30.0, "new_labellers": 0.0, "worst_rival": worst}
    return xr.Dataset({name: ("sample", [value]) for name, value in values.items()})


def derived(view=None, worst=0.0, **shifts):
    view = view or load_view("default")
    found = outer.derive(middle(view, **shifts), structural(worst), load_evidence(), view)
    return {name: float(value[0]) for name, value in found.items()}


@pytest.mark.parametrize(
    ("quantity", "answer", "sign"),
    [
        ("label_error", "comparisons_needed", 1),
        ("evaluator_error", "comparisons_needed", 1),
        ("evaluator_error_growth", "comparisons_needed", 1),
        ("evaluator_error_growth", "quality_factor_needed", 1),
        ("capability", "quality_factor_needed", 1),
        ("reward_gap", "comparisons_needed", -1),
        ("rival_policies", "comparisons_needed", 1),
        ("rival_policies", "rivals_off_distribution", 1),
        ("coverage", "comparisons_needed", 1),
        ("coverage", "rivals_off_distribution", -1),
        ("reward_gap_spread", "comparisons_needed", 1),
        ("evaluator_error_spread", "evaluator_error_worst", 1),
        ("minutes_per_comparison", "outer_alignment_hours", 1),
        ("usd_per_hour", "outer_alignment_cost", 1),
        ("labour_overhead", "outer_alignment_cost", 1),
    ],
)
def test_each_prior_moves_the_answer_its_way(quantity, answer, sign) -> None:
    low, high = (derived(**{quantity: z})[answer] for z in (-0.7, 0.7))
    assert sign * (high - low) > 0.01


def test_each_rival_on_the_distribution_has_an_equal_part_of_delta() -> None:
    found, x = derived(), {name: value[0] for name, value in middle(load_view("default")).items()}
    rivals = x["coverage"] * 10 ** x["rival_policies"]
    allowed = np.log(0.05 / rivals)
    needed = comparisons.comparisons_needed(found["label_advantage"], allowed)
    assert 10 ** found["comparisons_needed"] == pytest.approx(needed, rel=1e-9)
    assert rivals + 10 ** found["rivals_off_distribution"] == pytest.approx(
        10 ** x["rival_policies"]
    )


def test_amounts_follow_from_comparisons() -> None:
    view = load_view("default").replace(outer_alignment={"labels_per_comparison": 3})
    x, found = middle(view), derived(view)
    hours = found["comparisons_needed"] + np.log10(3 / 60) + x["minutes_per_comparison"][0]
    assert found["outer_alignment_hours"] == pytest.approx(hours)
    assert found["outer_alignment_cost"] == pytest.approx(
        hours + x["usd_per_hour"][0] + x["labour_overhead"][0]
    )
    assert found["data_suffices"] == 1.0
    assert found["comparisons_needed"] < derived()["comparisons_needed"]  # three labels err less
    # and cost more than they save
    assert found["outer_alignment_hours"] > derived()["outer_alignment_hours"]


def test_the_quality_factor_is_one_at_gpt_3_s_compute_and_infinite_where_nothing_suffices() -> None:
    view = load_view("default")
    today = view.replace(capability={"point": 0.0})
    assert derived(today)["quality_factor_needed"] == pytest.approx(0.0, abs=1e-6)
    flipped = derived(evaluator_error_growth=2.0)
    amounts = [name for name in flipped if name.startswith(("comparisons", "outer", "quality"))]
    assert len(amounts) == 6 and all(flipped[name] == np.inf for name in amounts)
    assert flipped["data_suffices"] == 0.0 and flipped["label_advantage"] < 0
    never = view.replace(evaluator_error={"point": 0.6})
    assert derived(never)["quality_factor_needed"] == np.inf
    mended = never.replace(evaluator_error_growth={"point": -0.3})
    # nothing sufficed before, something does then
    assert derived(mended)["quality_factor_needed"] == -np.inf


def test_ties_and_confidence_count_as_the_settings_say() -> None:
    def needed(**settings):
        return derived(load_view("default").replace(outer_alignment=settings))["comparisons_needed"]

    assert needed(delta=0.001) > needed()
    assert needed(tie_share=0.3) == pytest.approx(needed() - np.log10(0.7), abs=1e-3)
    assert needed(tie_share=0.3, ties="losses") == np.inf
    # of single labels only the evidence is read differently
    assert needed(error_correlation=0.5) == needed()
    crowd = {"labels_per_comparison": 9}
    assert needed(**crowd) < needed(**crowd, error_correlation=0.5) < needed()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("delta = 0", "outer_alignment.delta: must lie between 0 and 1, got 0"),
        ('ties = "won"', "outer_alignment.ties: must be split or losses, got 'won'"),
        ("tie_share = 1", r"outer_alignment.tie_share: must lie in \[0, 1\)"),
        (
            "labels_per_comparison = 2",
            "outer_alignment.labels_per_comparison: must be odd, so that a majority decides, got 2",
        ),
        ("labels_per_comparison = 1.5", "labels_per_comparison: must be odd"),
        ("error_correlation = 1", "outer_alignment.error_correlation: must lie between 0 and 0.99"),
        ("rho = 0.1", "outer_alignment: has no setting"),
    ],
)
def test_settings_without_meaning_are_refused(text, told) -> None:
    with pytest.raises(InputError, match=told):
        parse_view(f"[outer_alignment]\n{text}", "mine.toml")


def test_the_settings_are_part_of_the_view() -> None:
    view = load_view("default").replace(
        outer_alignment={"ties": "losses", "labels_per_comparison": 5}
    )
    assert parse_view(view.to_toml(), "x").outer_alignment == view.outer_alignment
    assert view.hash != load_view("default").hash
