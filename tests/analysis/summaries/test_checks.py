"""Checks pass for good draws and, one by one, fail for bad ones."""

import numpy as np
import pytest
import xarray as xr

from aligntax.analysis.summaries.checks import (
    STUCK,
    Check,
    headline_checks,
    more_draws,
    sampling_checks,
    verdict,
)
from aligntax.analysis.summaries.rank_histograms import worst_rank_p
from aligntax.analysis.summaries.summary import summarise
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.states import censored


def draws(seed=0, shape=(4, 1000)):
    return np.random.default_rng(seed).normal(size=shape)


def diagnostics(x, diverging=0, energy=None, deep=0, headline=None, logp=None):
    posterior = xr.Dataset({"x": (("chain", "draw"), x)})
    flags = np.zeros(x.shape, bool)
    flags.ravel()[:diverging] = True
    depth = np.zeros(x.shape, bool)
    depth.ravel()[:deep] = True
    stats = xr.Dataset(
        {
            "diverging": (("chain", "draw"), flags),
            "maxdepth_reached": (("chain", "draw"), depth),
            "energy": (("chain", "draw"), draws(9, x.shape) if energy is None else energy),
            "logp": (("chain", "draw"), x if logp is None else logp),
        }
    )
    derived = xr.Dataset(
        {"alignment_tax": (("chain", "draw"), x if headline is None else headline)}
    )
    return sampling_checks(posterior, stats, summarise(derived), ("alignment_tax",))


def failed(checks):
    return {check.name for check in checks if not check.passed}


def test_good_draws_pass():
    checks = diagnostics(draws())
    assert verdict(checks) == "pass" and not failed(checks)
    assert all(check.action == "" for check in checks)


def autocorrelated(rho):
    x = draws()
    for i in range(1, x.shape[1]):
        x[:, i] = rho * x[:, i - 1] + np.sqrt(1 - rho**2) * x[:, i]
    return x


def stood(times):
    """Log densities of which some in a row are one point's."""
    logp = draws(7)
    logp[2, 300 : 300 + times + 1] = -3.0
    return logp


@pytest.mark.parametrize(
    ("kwargs", "names"),
    [
        ({"x": draws() + np.array([[0.5], [0], [0], [0]])}, {"r_hat"}),
        ({"x": autocorrelated(0.95)}, {"ess_bulk"}),
        ({"x": draws(), "diverging": 1}, {"divergences"}),
        ({"x": draws(), "deep": 3}, {"tree_depth_reached"}),
        ({"x": draws(), "energy": np.cumsum(draws(3), axis=1)}, {"e_bfmi"}),
        (
            {"x": draws(), "headline": autocorrelated(0.97)},
            {"headline_ess_bulk", "headline_mcse_of_median"},
        ),
        ({"x": draws(shape=(4, 50))}, {"ess_bulk", "ess_tail"}),
        ({"x": draws(), "logp": stood(60)}, {"longest_stand"}),
    ],
)
def test_each_fault_fails_its_check_and_says_what_to_do(kwargs, names):
    checks = diagnostics(**kwargs)
    assert names <= failed(checks) and verdict(checks) == "fail"
    assert all(check.action for check in checks if not check.passed)


def test_a_value_that_cannot_be_computed_fails():
    x = draws()
    x[0, 0] = np.nan
    assert {"r_hat", "ess_bulk"} <= failed(diagnostics(x, headline=draws()))


def test_too_few_draws_fail_instead_of_raising():
    assert verdict(diagnostics(draws(shape=(4, 2)))) == "fail"


def autocorrelated_energy(e_bfmi):
    """Energies of an AR(1) process: the mean squared step is ``2 (1 - rho)`` times the variance."""
    rng, rho = np.random.default_rng(4), 1 - e_bfmi / 2
    energy = rng.normal(size=(4, 5000))
    for i in range(1, energy.shape[1]):
        energy[:, i] = rho * energy[:, i - 1] + np.sqrt(1 - rho**2) * energy[:, i]
    return energy


@pytest.mark.parametrize(("e_bfmi", "passes"), [(0.2, False), (0.4, True)])
def test_energies_may_not_wander(e_bfmi, passes):
    checks = diagnostics(draws(shape=(4, 5000)), energy=autocorrelated_energy(e_bfmi))
    check = next(check for check in checks if check.name == "e_bfmi")
    assert check.passed == passes and check.value == pytest.approx(e_bfmi, abs=0.05)
    assert check.where.startswith("chain ")


SOUND = xr.Dataset(
    {
        "diverging": (("chain", "draw"), np.zeros((4, 1000), bool)),
        "maxdepth_reached": (("chain", "draw"), np.zeros((4, 1000), bool)),
        "energy": (("chain", "draw"), draws(9)),
        "logp": (("chain", "draw"), draws(8)),
    }
)
# standard normal: 3.29 standard deviations lie between q05 and q95
HEALTHY = {
    "r_hat": 1.0,
    "ess_bulk": 4000.0,
    "ess_middle": 4000.0,
    "mcse_median": 0.001,
    "q05": -1.645,
    "q25": -0.6745,
    "q75": 0.6745,
    "q95": 1.645,
}


@pytest.mark.parametrize(
    ("name", "key", "good", "bad"),
    [
        ("headline_r_hat", "r_hat", 1.009, 1.011),
        ("headline_ess_bulk", "ess_bulk", 401.0, 399.0),
        ("headline_ess_middle", "ess_middle", 401.0, 399.0),
        ("headline_mcse_of_median", "mcse_median", 0.049, 0.051),
    ],
)
def test_a_headline_is_held_to_each_limit(name, key, good, bad):
    x = draws()
    posterior = xr.Dataset({"x": (("chain", "draw"), x)})
    rows = {"alignment_tax": HEALTHY | {key: good}, "tai_flop": HEALTHY}
    assert not failed(sampling_checks(posterior, SOUND, rows, ("alignment_tax", "tai_flop")))
    rows["alignment_tax"] = HEALTHY | {key: bad}
    checks = sampling_checks(posterior, SOUND, rows, ("alignment_tax", "tai_flop"))
    assert failed(checks) == {name}
    check = next(check for check in checks if check.name == name)
    assert check.value == pytest.approx(bad) and check.where == "alignment_tax"
    assert not failed(sampling_checks(posterior, SOUND, rows, ("tai_flop",)))  # no headline


@pytest.mark.parametrize(("error", "passes"), [(0.049, True), (0.051, False)])
def test_an_inner_range_stands_in_where_a_tail_is_censored(error, passes):
    """1.349 standard deviations lie between the quartiles of a normal."""
    row = HEALTHY | {"q95": None, "mcse_median": error}
    checks = headline_checks({"tai_year": row}, ("tai_year",))
    (check,) = [each for each in checks if each.name == "headline_mcse_of_median"]
    assert check.passed == passes and check.value == pytest.approx(error, rel=1e-3)


def year_of(x, share):
    """Dates of which a share are before the horizon, and the others later or never."""
    year = np.where(x > np.quantile(x, share), np.inf, 2050 + 10 * x)
    data, coords = {"tai_year": year}, {"chain": np.arange(4), "draw": np.arange(1000)}
    return censored(data, coords, {"tai_year": ("chain", "draw")})


@pytest.mark.parametrize("share", [0.6, 0.4])
def test_a_headline_with_a_censored_tail_is_checked(share):
    """With a tail beyond the horizon, and with its median there: the criterion exists and fails."""

    def told(x):
        rows = summarise(year_of(x, share))
        assert rows["tai_year"]["q95"] is None
        assert (rows["tai_year"]["q50"] is None) == (share < 0.5)
        return failed(headline_checks(rows, ("tai_year",)))

    assert not told(draws())
    assert "headline_ess_middle" in told(autocorrelated(0.98))


def test_weighted_draws_meet_the_same_criteria():
    """A tenth of the draws count: enough of 40,000 and too few of 4,000."""
    for size, wanted in ((1000, {"headline_ess_bulk", "headline_ess_middle"}), (10_000, set())):
        x = draws(shape=(4, size))
        derived = xr.Dataset({"alignment_tax": (("chain", "draw"), x)})
        weights = Weights.equal(x.shape).given(x > 1.2816)
        rows = summarise(derived, (), weights)
        checks = headline_checks(rows, ("alignment_tax",), chains=False)
        assert wanted <= failed(checks) and bool(failed(checks)) == bool(wanted)
        assert "headline_r_hat" not in {check.name for check in checks}


@pytest.mark.parametrize(
    ("check", "draws", "wanted"),
    [
        (Check("ess_bulk", 200.0, 400.0, False), 1000, 3000),
        (Check("ess_bulk", 399.0, 400.0, False), 4000, 8000),
        (Check("r_hat", 1.05, 1.01, False), 4000, 30_000),
        (Check("headline_mcse_of_median", 0.1, 0.05, False), 500, 3000),
        (Check("r_hat", 2.1, 1.01, False), 4000, None),
        (Check("r_hat", 2.1, 1.01, False), 4, 1000),
        (Check("r_hat", None, 1.01, False), 4000, None),
        (Check("ess_bulk", 4.0, 400.0, False), 4000, None),
    ],
)
def test_a_remedy_of_more_draws_asks_for_more_than_there_were(check, draws, wanted):
    text = more_draws([check], draws)
    assert text == (f"run again with more draws: --draws {wanted}" if wanted else "")
    assert wanted is None or wanted > draws


def test_chains_apart_are_not_told_to_draw_more():
    """As two losses for each size of a model make them: every chain keeps to its own mode."""
    checks = diagnostics(draws() + 10.0 * np.array([[0], [0], [1], [1]]))
    actions = {check.name: check.action for check in checks if not check.passed}
    assert actions["r_hat"] == actions["headline_r_hat"] == STUCK
    assert not any("--draws" in action for action in actions.values())


def standing(length, seed=0):
    """Chains that agree, of which one stands still for a while near its middle."""
    x = draws(seed)
    x[1, 300 : 300 + length] = 0.3
    return x


@pytest.mark.parametrize("seed", range(5))
def test_a_chain_that_stands_still_fails_though_r_hat_passes(seed):
    x = standing(100, seed)
    found = {check.name: check for check in diagnostics(x, headline=draws())}
    assert found["r_hat"].passed and found["ess_bulk"].passed  # which is why ranks are looked at
    assert not found["chain_ranks"].passed and found["chain_ranks"].where == "x"
    assert "--target-accept" in found["chain_ranks"].action


def autoregressive(rho: float, seed: int):
    x = np.random.default_rng(seed).normal(size=(4, 10, 500))
    for i in range(1, 500):
        x[..., i] = rho * x[..., i - 1] + np.sqrt(1 - rho**2) * x[..., i]
    return x


SLOW = {
    "independent": lambda seed: autoregressive(0.0, seed),
    "slow": lambda seed: autoregressive(0.9, seed),
    # NUTS jumps from one side to the other, and stays in the tails
    "from side to side": lambda seed: np.abs(autoregressive(0.9, seed)) * (-1) ** np.arange(500),
}


@pytest.mark.parametrize("kind", SLOW)
def test_chains_that_agree_have_even_ranks_however_slow_they_are(kind):
    """At level 1% over ten parameters, of 40 models: without thinning all but few would fail."""
    rejected = 0
    for seed in range(40):
        found = worst_rank_p({str(k): x for k, x in enumerate(SLOW[kind](seed).swapaxes(0, 1))})
        rejected += min(found.values()) < 0.01
    assert rejected <= 2


def test_ranks_of_values_that_tie_are_even():
    """A parameter of two values: a bin holds all of one, and each chain its share."""
    x = (draws(shape=(4, 500)) > 0.5).astype(float)
    assert worst_rank_p({"x": x})["x"] > 0.01
    x[0] = 1.0  # negative control
    assert worst_rank_p({"x": x})["x"] < 1e-6


@pytest.mark.parametrize("size", [4, 5, 10])
def test_a_handful_of_draws_is_checked(size):
    """They fail, and are told to be more whatever R-hat they have."""
    checks = diagnostics(draws(shape=(2, size)))
    assert verdict(checks) == "fail"
    assert all("--draws 1000" in check.action for check in checks if "ess" in check.name)


def test_chains_that_never_move_fail():
    """Stuck all in one place, and stuck each in its own."""
    still = {"energy": np.ones((4, 1000)), "headline": draws()}
    assert "e_bfmi" in failed(diagnostics(np.ones((4, 1000)), **still))
    apart = diagnostics(np.ones((4, 1000)) * np.arange(4.0)[:, None], **still)
    assert {"r_hat", "e_bfmi"} <= failed(apart)


def test_the_median_of_what_is_told_by_its_mean_is_not_checked():
    x = draws()
    row = HEALTHY | {"mcse_median": 5.0}
    posterior = xr.Dataset({"x": (("chain", "draw"), x)})
    for name in ("prob_affordable", "anchor_probability[none]"):
        headlines = ("prob_affordable", "anchor_probability")
        assert not failed(sampling_checks(posterior, SOUND, {name: row}, headlines))


def test_the_worst_parameter_is_named():
    posterior = xr.Dataset(
        {
            "good": (("chain", "draw"), draws(1)),
            "z": (("chain", "draw", "quantity"), np.stack([draws(2), autocorrelated(0.97)], -1)),
            "constant": (("chain", "draw"), np.ones((4, 1000))),
        },
        coords={"quantity": ["brain_flop", "spend_cap"]},
    )
    checks = sampling_checks(posterior, SOUND, {"alignment_tax": HEALTHY}, ("alignment_tax",))
    where = {check.name: check.where for check in checks}
    assert where["ess_bulk"] == where["ess_tail"] == "z[spend_cap]"


def test_what_a_sampler_does_not_have_is_not_checked() -> None:
    """Trajectories of fixed length have no tree; the change of energy is that of a transition."""
    change = np.full((4, 1000), 0.1)
    stats = SOUND.drop_vars("maxdepth_reached").assign(energy_change=(("chain", "draw"), change))
    posterior = xr.Dataset({"x": (("chain", "draw"), draws())})
    found = {each.name: each for each in sampling_checks(posterior, stats, {}, ())}
    assert "tree_depth_reached" not in found
    # the energies themselves are independent, which would say 2
    assert found["e_bfmi"].value == pytest.approx(0.01, rel=0.1) and not found["e_bfmi"].passed
    whole = {each.name: each for each in sampling_checks(posterior, SOUND, {}, ())}
    assert whole["e_bfmi"].value == pytest.approx(2.0, abs=0.3) and whole["e_bfmi"].passed


def test_a_chain_may_stand_for_a_while() -> None:
    assert not failed(diagnostics(draws(), logp=stood(50)))
    assert failed(diagnostics(draws(), logp=stood(51))) == {"longest_stand"}
    often = np.repeat(draws(7, (4, 500)), 2, axis=1)  # each draw stands once
    assert not failed(diagnostics(draws(), logp=often))


def in_step(draws, subchains=8, logp=None):
    """Checks of draws (chain, draw) that subchains drew, end to end."""
    own = np.repeat(np.arange(subchains), -(-draws.shape[1] // subchains))[: draws.shape[1]]
    stats = SOUND.isel(draw=slice(draws.shape[1])).assign(
        subchain=(("chain", "draw"), np.tile(own, (4, 1))),
        logp=(("chain", "draw"), draws if logp is None else logp),
    )
    posterior = xr.Dataset({"x": (("chain", "draw"), draws)})
    return sampling_checks(posterior, stats, {}, ())


def test_subchains_that_drift_alike_fail() -> None:
    """All alike: R-hat of halves of chains, each of which has whole subchains, sees nothing."""
    drift = np.tile(2.0 * np.exp(-np.arange(125) / 60.0), 8)
    assert not failed(in_step(draws()))
    assert failed(diagnostics(draws() + drift)) == set()
    assert failed(in_step(draws() + drift)) == {"r_hat"}


def test_a_short_subchain_that_stands_still_fails() -> None:
    x = draws(shape=(4, 400))
    logp = draws(7, x.shape)
    logp[1, 100:150] = logp[1, 100]  # the third of eight
    assert "longest_stand" in failed(in_step(x, logp=logp))
    two = draws(7, x.shape)
    two[1, 93:108] = two[1, 93]  # the end of one, the start of another
    assert "longest_stand" not in failed(in_step(x, logp=two))


def test_what_is_refreshed_does_not_hide_that_all_else_stands_still() -> None:
    """The density changes at every draw, and no trajectory is accepted for 60 draws."""
    moved = np.ones((4, 1000), bool)
    moved[1, 200:260] = False
    stats = SOUND.assign(moved=(("chain", "draw"), moved))
    posterior = xr.Dataset({"x": (("chain", "draw"), draws())})
    assert failed(sampling_checks(posterior, stats, {}, ())) == {"longest_stand"}
    assert not failed(sampling_checks(posterior, SOUND, {}, ()))


def test_trajectories_that_are_cut_short_fail() -> None:
    cut = np.zeros((4, 1000), bool)
    cut[0, 5] = True
    stats = SOUND.drop_vars("maxdepth_reached").assign(cut=(("chain", "draw"), cut))
    posterior = xr.Dataset({"x": (("chain", "draw"), draws())})
    assert failed(sampling_checks(posterior, stats, {}, ())) == {"trajectories_cut"}
