"""Published forecasts from their own inputs: how near this package comes, and what the disputed inputs are worth."""

import numpy as np
import pytest

from aligntax.analysis.trust.published_forecasts import reproduce
from aligntax.models.errors import InputError
from aligntax.models.requirements import BIO_ANCHORS

DRAWS = 120_000  # a probability has a standard error of 0.15 points


@pytest.fixture(scope="module")
def bioanchors(evidence):
    return reproduce("bioanchors", evidence, DRAWS)


@pytest.fixture(scope="module")
def direct_approach(evidence):
    return reproduce("direct-approach", evidence, DRAWS)


def reading(found, name):
    return next(each for each in found.readings if each.name == name)


# -------------------------------------------------------------------------------------- Bio Anchors


def test_bio_anchors_curve_is_within_three_points_and_its_median_within_a_year_and_a_half(
    bioanchors,
) -> None:
    """Cotra's best-guess sheet, digitised by Epoch AI: 7.7, 45.7 and 77.65% by 2030, 2050 and 2100; 10% 2031.6, 50% 2052.9."""
    first = bioanchors.readings[0]
    for year, published in ((2030.0, 0.077), (2050.0, 0.457), (2100.0, 0.7765)):
        assert bioanchors.published[year] == published
        # whether a whole year means its start or its end, which the digitised curve does not say
        for end in (0.0, 1.0):
            assert np.mean(first.year <= year + end) == pytest.approx(published, abs=0.03), (
                year,
                end,
            )
    assert first.quantile(0.5) == pytest.approx(2052.9, abs=1.5)
    assert first.quantile(0.1) == pytest.approx(2031.6, abs=2.0)


def test_bio_anchors_curve_is_smooth(bioanchors) -> None:
    """After the first year, in which what is already affordable arrives, no year brings more than 2.5 points."""
    years = np.arange(2027, 2101)
    steps = np.diff([bioanchors.readings[0].probability(year) for year in years])
    assert np.all(steps >= 0)
    assert steps.max() < 0.025
    assert np.abs(np.diff(steps)).max() < 0.01


@pytest.mark.parametrize("anchor", BIO_ANCHORS)
def test_bio_anchors_requirements_are_those_of_the_re_implementation(anchor, bioanchors) -> None:
    """Future-assessment-model, 10, 50 and 90%; its short-horizon 10% has a random push upwards that is not copied."""
    tolerance = 0.6 if anchor == "short_horizon" else 0.2
    assert bioanchors.recomputed(anchor) == pytest.approx(
        bioanchors.requirements[anchor], abs=tolerance
    )


def test_the_disputed_inputs_of_bio_anchors_move_the_median_by_up_to_five_years(bioanchors) -> None:
    """What each conflicting source is worth, as the table of `aligntax reproduce` has it."""
    first = bioanchors.readings[0].quantile(0.5)
    moved = {each.name: each.quantile(0.5) - first for each in bioanchors.readings[1:]}
    assert moved["weights 15/30/20 for the neural nets"] == pytest.approx(1.8, abs=0.6)
    assert moved["spending doubles in 2 years"] == pytest.approx(-0.4, abs=0.4)
    assert moved["algorithms gain at most 2 OOM for every anchor"] == pytest.approx(4.5, abs=0.8)
    assert moved["FLOP per USD levels off after 6 OOM"] == pytest.approx(0.0, abs=0.4)
    without = reading(bioanchors, "no update on low FLOP")
    assert 0.003 < without.probability(2030) - bioanchors.readings[0].probability(2030) < 0.02
    constant = reading(bioanchors, "'none' stays at 10%")
    assert bioanchors.readings[0].probability(2100) - constant.probability(2100) == pytest.approx(
        0.055, abs=0.01
    )


def test_linear_data_growth_moves_neural_net_anchors_by_one_to_four_years(bioanchors) -> None:
    """Hilton 2022: "a few years" to the extent that one weighs the neural-network anchors, here 70% as "none" falls."""
    shift = bioanchors.readings[0].shift_of_neural_nets()
    assert shift["weight"] == pytest.approx(0.70, abs=0.02)
    assert 1.0 < shift["q50"] < 4.0
    assert shift["q10"] >= -0.5
    assert shift["q90"] > 4.0
    assert 0.1 < shift["prob_undefined"] < 0.3


# ---------------------------------------------------------------------------------- Direct Approach


def test_direct_approach_requirement_is_within_a_third_of_an_oom_before_updating(
    direct_approach,
) -> None:
    own, published = (
        f("before updating")
        for f in (direct_approach.recomputed, direct_approach.requirements.__getitem__)
    )
    assert own == pytest.approx(published, abs=0.3)


def test_direct_approach_update_comes_near_the_programs(direct_approach) -> None:
    """The program multiplies its update with a normal of the sample's mean and sd, this package with the sample: 0.4 OOM."""
    own, published = (
        f("updated on no TAI so far")
        for f in (direct_approach.recomputed, direct_approach.requirements.get)
    )
    assert own == pytest.approx(published, abs=0.5)


def test_direct_approach_arrives_within_six_points_of_the_program(direct_approach) -> None:
    """Its default variant: 0.387, 0.668 and 0.752 by the end of 2030, 2050 and 2100, median 2034."""
    first = direct_approach.readings[0]
    for year, published in ((2030.0, 0.387), (2050.0, 0.668), (2100.0, 0.752)):
        assert first.probability(year) == pytest.approx(published, abs=0.06)
        assert np.mean(first.year <= year) == pytest.approx(published, abs=0.06)
    assert first.quantile(0.5) == pytest.approx(2034, abs=1.5)


def test_the_allocation_error_and_lost_correlations_each_cost_about_a_year(direct_approach) -> None:
    first = direct_approach.readings[0]
    both = reading(direct_approach, "both of these")
    for name, oom, years in (
        ("optimal allocation", -0.44, -1.1),
        ("joint posterior of A, B, alpha, beta", -0.52, -1.3),
        ("both of these", -0.93, -2.2),
    ):
        other = reading(direct_approach, name)
        assert other.requirements()[1] - first.requirements()[1] == pytest.approx(oom, abs=0.15), (
            name
        )
        assert other.quantile(0.5) - first.quantile(0.5) == pytest.approx(years, abs=0.5), name
    assert both.probability(2100) - first.probability(2100) == pytest.approx(0.07, abs=0.02)


# ------------------------------------------------------------------------------------------- errors


def test_an_unknown_forecast_is_an_error_that_lists_the_known(evidence) -> None:
    with pytest.raises(
        InputError,
        match=r"must be one of bioanchors, direct-approach, ai-futures, kwa, got 'ai-2027'",
    ):
        reproduce("ai-2027", evidence)


def test_a_reproduction_is_plain_numbers(direct_approach) -> None:
    import json

    told = json.loads(json.dumps(direct_approach.to_dict(), allow_nan=False))
    assert told["milestone"] == "transformative AI"
    assert len(told["readings"][0]["curve"]) == 76
