"""Scalable oversight: the law of Elo, published rates, schemes, and that a known law is found again."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats
from scipy.special import expit, logit

from aligntax.models.errors import InputError
from aligntax.models.evidence import load_evidence, select
from aligntax.models.outer_alignment import oversight
from aligntax.models.views import load_view, parse_view
from aligntax.models.views.setting_rules import CHOICES

X = {
    "evaluator_error": 0.05,
    "evaluator_error_growth": 0.3,
    "amplification_share": 0.2,
    "debate_share": 0.4,
    "recursion_share": 0.8,
    "elo_per_oom": np.log10(80.0),
    "parity_error": 0.5,
}


def test_the_games_are_those_of_the_abstract() -> None:
    """Engels et al. 2025, arXiv:2504.18530: 13.5% Mafia, 51.7% Debate, 10.0% Backdoor Code, 9.4% Wargames at 400 Elo."""
    used = select(load_evidence()["oversight_games"])
    rates = dict(zip(used["game"].values, used["success"].values, strict=True))
    assert rates == {"Mafia": 0.135, "Debate": 0.517, "Backdoor Code": 0.1, "Wargames": 0.094}
    assert set(used["elo_gap"].values) == {400.0} and set(used["status"].values) == {"seen"}
    rows = oversight.games(load_evidence())
    assert expit(-rows["failure"].values) == pytest.approx(used["success"].values)
    assert rows["is_debate"].values.tolist() == [0.0, 1.0, 0.0, 0.0]


def test_growth_of_one_elo_point_for_a_point_is_the_law_of_elo() -> None:
    """Equals at one half, and odds of ten to one at 400 points: 1 / (1 + 10^(gap / 400))."""
    per_point = np.log(10) / 400
    x = X | {"evaluator_error_growth": per_point * 80.0, "recursion_share": 1.0}
    gap = np.array([0.0, 100.0, 400.0])
    row = {"elo_gap": gap, "is_debate": np.zeros(3)}
    success = expit(-oversight.expected_failure(x, row, np.log))
    assert success == pytest.approx(1 / (1 + 10 ** (gap / 400)))
    assert success[-1] == pytest.approx(1 / 11)


def test_each_scheme_leaves_its_own_share_of_the_growth() -> None:
    start = logit(0.05)
    grown = {
        name: oversight.evaluator_logit(X, 10.0, name) - start
        for name in CHOICES["outer_alignment.oversight"]
    }
    assert grown["none"] == pytest.approx(3.0)
    shares = {name: grown[name] / grown["none"] for name in oversight.SHARES}
    assert shares == pytest.approx(
        {"amplification": 0.2, "debate": 0.4, "recursive_reward_modelling": 0.8}
    )
    for name in grown:
        assert oversight.evaluator_logit(X, 0.0, name) == pytest.approx(start)
    for game, share in ((1.0, 0.4), (0.0, 0.8)):
        row = {"elo_gap": np.array([160.0]), "is_debate": np.array([game])}
        assert oversight.expected_failure(X, row, np.log) == pytest.approx(share * 0.6)


def test_replicated_games_scatter_about_the_law_by_the_view_s_spread() -> None:
    evidence = load_evidence()
    view = load_view("default").replace(outer_alignment={"game_spread": 0.4})
    x = {name: np.full(50_000, value) for name, value in X.items()}
    drawn = oversight.simulate(x, xr.Dataset(), evidence, view, np.random.default_rng(0))
    dim, failure = drawn["oversight_games"]
    row = {str(name): value.values for name, value in oversight.games(evidence).items()}
    assert dim == "oversight_game" and failure.shape == (50_000, 4)
    assert failure.mean(axis=0) == pytest.approx(
        oversight.expected_failure(X, row, np.log), abs=4 * 0.4 / np.sqrt(50_000)
    )
    assert failure.std(axis=0) == pytest.approx(0.4, rel=0.02)


def ranks_of_truths(spread, simulations=300, draws=8_000):
    """Weighted rank of each simulated truth among prior draws, (quantity, simulation).

    The weights are the density of the games with ``spread``, as the graph has it.
    """
    evidence, view = load_evidence(), load_view("default")
    names = oversight.QUANTITIES[1:]
    z = np.random.default_rng(1).standard_normal((draws, len(names)))
    start = {"evaluator_error": 0.05}
    x = {name: v[:, None] for name, v in view.tables(names).values(z).items()} | start
    row = {str(name): value.values for name, value in oversight.games(evidence).items()}
    expected = oversight.expected_failure(x, row, np.log)
    rng = np.random.default_rng(2)
    truth = view.tables(names).values(rng.standard_normal((simulations, len(names)))) | start
    seen = oversight.simulate(truth, xr.Dataset(), evidence, view, rng)["oversight_games"][1]
    ranks = np.empty((len(names), simulations))
    for i, failure in enumerate(seen):
        log = -0.5 * ((failure - expected) ** 2).sum(axis=1) / spread**2
        weight = np.exp(log - log.max())
        for j, name in enumerate(names):
            ranks[j, i] = weight[x[name][:, 0] < truth[name][i]].sum() / weight.sum()
    return ranks


def test_truths_of_simulated_games_rank_uniformly_and_not_if_the_spread_is_understated() -> None:
    """Simulation-based calibration of the games alone, without a sampler."""
    fair = [stats.kstest(ranks, "uniform").pvalue for ranks in ranks_of_truths(0.7)]
    assert min(fair) > 0.01 / len(fair)
    narrow = [stats.kstest(ranks, "uniform").pvalue for ranks in ranks_of_truths(0.2)]
    assert min(narrow) < 1e-4


def test_without_games_nothing_is_conditioned_on_or_replicated() -> None:
    evidence, view = load_evidence().only(()), load_view("default")
    assert oversight.games(evidence).sizes["oversight_game"] == 0
    assert oversight.simulate(X, xr.Dataset(), evidence, view, np.random.default_rng(0)) == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            'oversight = "prayer"',
            "outer_alignment.oversight: must be none or amplification or debate or "
            "recursive_reward_modelling, got 'prayer'; choose one",
        ),
        ("game_spread = 0", "outer_alignment.game_spread: must lie between 0.01 and 10, got 0"),
    ],
)
def test_settings_without_meaning_are_refused(text, told) -> None:
    with pytest.raises(InputError, match=told):
        parse_view(f"[outer_alignment]\n{text}", "mine.toml")
