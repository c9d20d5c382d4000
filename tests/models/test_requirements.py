"""What transformative AI needs: Bio Anchors' formula, its published medians, and the data exponent's part in it."""

import numpy as np
import pytest

from aligntax.models import direct_approach
from aligntax.models.errors import InputError
from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.quantities import lookup
from aligntax.models.requirements import (
    CANDIDATES,
    FLOP_ANCHORS,
    NEURAL,
    QUANTITIES,
    anchor_requirements,
    choose_requirement,
    log_weights,
    milestones,
    neural_net_requirement,
    of_candidates,
)
from aligntax.models.views import ANCHORS, load_view, parse_view

N_REF, D_REF = 11.2, 12.0


@pytest.fixture(scope="module")
def medians(view) -> dict[str, np.ndarray]:
    names = (*QUANTITIES, *direct_approach.QUANTITIES, "algorithmic_growth")
    return {
        name: lookup(name).to_scale(compile_prior(name, view.quantities[name]).value(0.0))
        for name in names
    }


def at(medians, gamma, evidence, view) -> dict[str, float]:
    return dict(
        zip(
            FLOP_ANCHORS,
            map(float, anchor_requirements(medians, gamma, evidence, view)),
            strict=True,
        )
    )


def test_linear_data_growth_asks_ten_times_more_of_a_model_1e5_times_larger() -> None:
    """Hilton's third claim: gamma 1 against 0.8."""
    flop, per_parameter = N_REF + 5.0 + 1.5, 1.5  # N = 1e5 times the reference
    one, bio_anchors = (
        neural_net_requirement(flop, 3.0, per_parameter, g, N_REF, D_REF) for g in (1.0, 0.8)
    )
    assert one - bio_anchors == pytest.approx(1.0, abs=1e-12)


def test_at_the_reference_size_the_data_exponent_does_not_matter() -> None:
    gammas = np.linspace(0.5, 1.5, 11)
    needed = neural_net_requirement(N_REF + 1.0, 0.0, 1.0, gammas, N_REF, D_REF)
    np.testing.assert_allclose(needed, N_REF + 1.0 + D_REF, rtol=1e-14)


def test_below_the_reference_size_a_larger_exponent_asks_less() -> None:
    one, other = (
        neural_net_requirement(N_REF - 1.0, 0.0, 0.0, g, N_REF, D_REF) for g in (1.0, 0.8)
    )
    assert one - other == pytest.approx(-0.2)


def test_the_formula_is_flop_a_second_times_seconds_times_data_points() -> None:
    """F = 1e15, H = 1e3 s, p = 10: N = 1e14, D = 1e12 (N / 10^11.2)^0.8."""
    expected = np.log10(1e15 * 1e3 * 1e12 * (1e14 / 10**11.2) ** 0.8)
    assert neural_net_requirement(15.0, 3.0, 1.0, 0.8, N_REF, D_REF) == pytest.approx(
        expected, rel=1e-12
    )


@pytest.mark.parametrize(
    ("anchor", "published", "tolerance"),
    [
        ("short_horizon", 32.0, 1.0),
        ("medium_horizon", np.log10(3e34), 1.0),
        ("long_horizon", 37.0, 1.2),
    ],
)
def test_at_its_median_inputs_the_formula_gives_the_published_medians(
    anchor, published, tolerance, medians, evidence, view
) -> None:
    """Ho, "Grokking bio anchors", 2022: 1e32, 3e34, 1e37 FLOP, to an order of magnitude.

    Their spacing is 2.5 OOM, while log-uniform horizons a thousand times apart are 3: the long
    anchor lies 1.14 OOM off.
    """
    assert at(medians, 0.8, evidence, view)[anchor] == pytest.approx(published, abs=tolerance)
    rows = evidence["bio_anchors"]
    assert rows["median"].sel(input=f"flop_{anchor}").item() == pytest.approx(
        10**published, rel=0.01
    )


@pytest.mark.parametrize(
    ("anchor", "published"), [("lifetime", 28.0), ("genome", 33.0), ("evolution", 41.0)]
)
def test_elicited_anchors_have_the_published_medians(
    anchor, published, medians, evidence, view
) -> None:
    assert at(medians, 0.8, evidence, view)[anchor] == pytest.approx(published, abs=0.01)


def test_only_neural_net_anchors_move_with_the_data_exponent(medians, evidence, view) -> None:
    low, high = at(medians, 0.8, evidence, view), at(medians, 1.0, evidence, view)
    moved = {anchor for anchor in low if low[anchor] != high[anchor]}
    assert moved == set(NEURAL)
    shifts = [high[anchor] - low[anchor] for anchor in NEURAL]
    np.testing.assert_allclose(shifts, shifts[0])  # the model is the same, only its horizon differs
    assert shifts[0] > 0


def test_requirements_come_in_the_order_of_the_anchors(medians, evidence, view) -> None:
    x = medians | {name: np.asarray(float(i)) for i, name in enumerate(QUANTITIES)}
    needed = dict(zip(FLOP_ANCHORS, anchor_requirements(x, 0.0, evidence, view), strict=True))
    for anchor in ("lifetime", "genome", "evolution", "user"):
        assert needed[anchor] == x[f"{anchor}_flop"]
    for anchor in NEURAL:
        assert needed[anchor] == pytest.approx(
            x["brain_flop"] + x["horizon_" + anchor.removesuffix("_horizon")] + D_REF
        )


def test_the_direct_approach_moves_by_the_progress_between_its_algorithms_and_the_views(
    medians, evidence, view
) -> None:
    earlier = view.replace(algorithms={"since": 2012.0})
    now, then = (at(medians, 0.8, evidence, each) for each in (view, earlier))
    between = (view.algorithms.since - 2012.0) * medians["algorithmic_growth"]
    assert then["direct_approach"] - now["direct_approach"] == pytest.approx(between)
    assert {k: v for k, v in then.items() if k != "direct_approach"} == {
        k: v for k, v in now.items() if k != "direct_approach"
    }


def test_every_anchor_has_a_milestone_and_every_candidate_a_weight(view) -> None:
    every = view.replace(
        anchors={name: 0.1 for name in ANCHORS}, requirement={"user_milestone": "full automation"}
    )
    assert set(milestones(every)) == set(ANCHORS) - {"none"}
    assert milestones(every)["user"] == "full automation"
    assert len(set(milestones(view).values())) == 4  # of four kinds
    assert len(set(milestones(load_view("bioanchors-alone")).values())) == 1
    shapes = np.log([[0.4, 0.3, 0.2, 0.1]])
    weights = of_candidates(log_weights(view)[None], shapes)
    assert weights.shape == (1, len(CANDIDATES) + 1)
    mixed = view.replace(anchors={"time_horizon": 0.6, "none": 0.4})
    np.testing.assert_allclose(
        np.exp(of_candidates(log_weights(mixed)[None], shapes))[0, -5:],
        [0.24, 0.18, 0.12, 0.06, 0.4],
    )


# ---------------------------------------------------------------------------- choice of requirement


def test_one_kind_of_requirement_counts_alone_or_as_the_view_mixes_it(view) -> None:
    alone = choose_requirement(view, "time-horizon")
    assert {name for name, weight in alone.anchors.items() if weight} == {"time_horizon"}
    mixed = view.replace(anchors={"genome": 0.3, "none": 0.1, "direct_approach": 0.6})
    assert choose_requirement(mixed, "mixture") is mixed
    bio = choose_requirement(mixed, "bioanchors").anchors
    assert bio["genome"] == pytest.approx(0.75)
    assert bio["none"] == pytest.approx(0.25)
    alone = load_view("bioanchors-alone").anchors
    assert choose_requirement(view, "bioanchors").anchors == pytest.approx(dict(alone))
    assert choose_requirement(view, "mixture") is view


@pytest.mark.parametrize(
    ("anchors", "choice", "message"),
    [
        (
            {"genome": 1.0},
            "mixture",
            r"two kinds of requirement or more, got genome 1; try --view default",
        ),
        (
            {"user": 1.0},
            "bioanchors",
            r"gives weight to one of them, got user 1; put --view default first",
        ),
        ({"none": 1.0}, "bioanchors", r"gives weight to one of them, got none 1"),
        (
            {"user": 1.0},
            "bio-anchors",
            r"must be one of bioanchors, .*got 'bio-anchors'; check the spelling",
        ),
    ],
)
def test_a_requirement_without_weight_is_an_error_that_says_what_to_do(
    anchors, choice, message, view
) -> None:
    with pytest.raises(InputError, match=message):
        choose_requirement(view.replace(anchors=anchors), choice)


def test_log_weights_are_the_views_and_never_infinite(view) -> None:
    weights = log_weights(view)
    np.testing.assert_allclose(
        np.exp(weights), [view.anchors[anchor] for anchor in ANCHORS], atol=1e-300
    )
    assert np.all(np.isfinite(weights))
    alone = log_weights(parse_view("[anchors]\ngenome = 1.0\n", "mine"))
    assert np.exp(alone).tolist() == [1.0 if anchor == "genome" else 0.0 for anchor in ANCHORS]


def test_the_direct_approachs_progress_in_between_is_its_own(medians, evidence, view) -> None:
    """With a growth of its own the sum of FLOP and progress is still zero at the year of its loss law."""
    plain, slow = view, view.replace(algorithms={"growth": {"direct_approach": 0.5}})
    own = direct_approach.requirement(medians, view)
    for each, growth in ((plain, 1.0), (slow, 0.5)):
        moved = at(medians, 0.8, evidence, each)["direct_approach"] - own
        years = view.direct_approach.year - view.algorithms.since
        assert moved == pytest.approx(growth * years * medians["algorithmic_growth"])


@pytest.mark.parametrize("anchor", ["time_horizon", "none"])
@pytest.mark.parametrize("setting", ["growth", "limit"])
def test_algorithms_of_an_anchor_without_flop_are_an_error(anchor, setting, view) -> None:
    rule = rf"algorithms\.{setting}: anchors must have a requirement in FLOP, got {anchor}"
    with pytest.raises(InputError, match=rule):
        view.replace(algorithms={setting: {anchor: 2.0}})
