"""The joint model's derivation: paired worlds, censoring, and every prior reaching some headline."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr

from aligntax.models import (
    ai_labour,
    direct_approach,
    horizon_evaluations,
    joint,
    research,
    time_horizon,
)
from aligntax.models.arrival import Chance
from aligntax.models.catalogue import MODELS, find_model, restrict
from aligntax.models.errors import InputError
from aligntax.models.priors.quantities import (
    ELICITED,
    HEADLINES,
    LABELS,
    LOSS_LIMIT,
    QUANTITIES,
)
from aligntax.models.priors.tables import PriorTables
from aligntax.models.states import ABOVE, BELOW, OBSERVED, UNDEFINED, censored
from aligntax.models.trend import Trend
from aligntax.models.views import ANCHORS, View, load_view, parse_view
from tests.prior import scale_at, suite_at

SIZE = 1500
NEURAL_ONLY = "[anchors]\nshort_horizon = 0.4\nmedium_horizon = 0.4\nlong_horizon = 0.2\n"
OTHERS_ONLY = "[anchors]\nlifetime = 0.5\ngenome = 0.3\nevolution = 0.1\nnone = 0.1\n"


def structural(size: int, seed: int = 2) -> xr.Dataset:
    """The model's own parameters from their documented priors."""
    rng = np.random.default_rng(seed)
    half = {
        "between_study_sd": 0.3,
        "method_sd": 0.1,
        "spend_sd": 0.7,
        "hardware_sd": 0.5,
        "algorithmic_spread": 0.15,
    }
    half |= {"effort_sd": 1.0, "share_spread": 0.7, "tolerance_spread": 0.5, "horizon_scatter": 0.5}
    values = {name: np.abs(rng.normal(0, sd, size)) for name, sd in half.items()}
    values |= {"kaplan_bias": rng.normal(0, 2, size), "regime_offset": rng.normal(size=size)}
    values["spend_hardware_correlation"] = rng.uniform(-1, 1, size)
    values["suite_error_share"] = rng.uniform(0, 1, size)
    values |= {f"suite_error_{end}": rng.normal(size=size) for end in ("short", "long")}
    values["flop_sd_scale"] = np.abs(rng.normal(size=size))
    return xr.Dataset({name: ("sample", value) for name, value in values.items()})


def derived(
    view: View, evidence, size: int = SIZE, tables: PriorTables | None = None, **fixed: Any
) -> dict[str, Any]:
    """Derive from prior draws under a view; the same z, parameters and chance at every call."""
    tables = tables or view.tables(joint.QUANTITIES)
    z = np.random.default_rng(1).standard_normal((size, len(tables.names)))
    x = tables.values(z @ tables.cholesky.T)
    parameters, chance = structural(size), Chance.draw(size, np.random.default_rng(3))
    x |= {name: np.full(size, float(value)) for name, value in fixed.items() if name in x}
    parameters = parameters.assign(
        {
            name: ("sample", np.full(size, float(value)))
            for name, value in fixed.items()
            if name in parameters
        }
    )
    return joint.derive(x, parameters, restrict(evidence, view, find_model("joint")), view, chance)


def read(text: str) -> View:
    return parse_view(text, "test.toml")


@pytest.fixture(scope="module")
def prior(view, evidence) -> dict[str, Any]:
    return derived(view, evidence)


# ------------------------------------------------------------------------------------- completeness


def test_every_headline_is_derived_or_elicited_and_in_the_registry(prior) -> None:
    assert set(HEADLINES) <= set(prior) | set(joint.QUANTITIES)
    assert set(prior) - set(LABELS) <= set(QUANTITIES)
    of_models = {name for model in MODELS.values() for name in model.quantities}
    assert set(ELICITED) == of_models | {LOSS_LIMIT} and LOSS_LIMIT not in of_models


def test_every_derived_quantity_has_a_value_a_draw(prior) -> None:
    for name, value in prior.items():
        assert value.shape == ((SIZE, len(ANCHORS)) if name == "anchor_probability" else (SIZE,)), (
            name
        )
    np.testing.assert_allclose(prior["anchor_probability"].sum(axis=1), 1.0, rtol=1e-12)


def test_arrivals_lie_between_the_evidence_and_the_horizon(prior, evidence, view) -> None:
    come = np.isfinite(prior["tai_year"])
    assert 0.2 < come.mean() < 0.99
    assert prior["tai_year"][come].min() >= evidence.constant("no_tai_until")
    assert prior["tai_year"][come].max() <= view.arrival.horizon
    assert not np.any(np.isnan(prior["tai_year"]))


# ------------------------------------------------------------------------------------ paired worlds


def test_without_neural_net_anchors_the_data_exponent_moves_nothing(evidence) -> None:
    values = derived(read(OTHERS_ONLY), evidence)
    shift = values["timeline_shift_exponent"]
    defined = ~np.isnan(shift)
    assert defined.mean() > 0.3
    assert np.all(shift[defined] == 0.0)


def test_at_bio_anchors_exponent_the_paired_worlds_are_one(evidence) -> None:
    values = derived(
        read(NEURAL_ONLY), evidence, data_exponent_prior=np.log10(0.8), between_study_sd=0.0
    )
    np.testing.assert_allclose(values["data_exponent"], 0.8, rtol=1e-12)
    shift = values["timeline_shift_exponent"]
    defined = ~np.isnan(shift)
    assert defined.mean() > 0.3
    np.testing.assert_allclose(shift[defined], 0.0, atol=1e-9)
    np.testing.assert_allclose(values["data_exponent_shift_flop"], 0.0, atol=1e-12)


def test_a_larger_exponent_never_brings_a_large_model_forward(evidence) -> None:
    """Where the model is larger than the reference and gamma above 0.8; and the reverse where below."""
    values = derived(read(NEURAL_ONLY), evidence, between_study_sd=0.2)
    shift, more = values["timeline_shift_exponent"], values["data_exponent_shift_flop"]
    defined = ~np.isnan(shift)
    later, earlier = defined & (more >= 0), defined & (more <= 0)
    assert min(later.sum(), earlier.sum()) > 50
    assert np.all(shift[later] >= -1e-9)
    assert np.all(shift[earlier] <= 1e-9)
    assert np.mean(shift[later] > 0.1) > 0.2


def test_linear_data_growth_moves_the_requirement_by_the_formulas_oom(evidence) -> None:
    """gamma 1: 0.2 OOM for each OOM of parameters beyond the reference."""
    values = derived(
        read(NEURAL_ONLY),
        evidence,
        data_exponent_prior=0.0,
        between_study_sd=0.0,
        brain_flop=17.7,
        flop_per_parameter=1.5,
    )
    np.testing.assert_allclose(values["data_exponent_shift_flop"], 1.0, rtol=1e-9)
    assert (
        np.nanmean(
            values["timeline_shift_exponent"][np.isfinite(values["timeline_shift_exponent"])]
        )
        > 0.5
    )


def test_the_shift_is_undefined_exactly_where_neither_world_comes(evidence) -> None:
    values = derived(read(NEURAL_ONLY + "[arrival]\nhorizon = 2045\n"), evidence)
    never, never_baseline = (
        np.isinf(values[n]) for n in ("tai_year", "tai_year_baseline_exponent")
    )
    shift = values["timeline_shift_exponent"]
    np.testing.assert_array_equal(np.isnan(shift), never & never_baseline)
    np.testing.assert_array_equal(shift == np.inf, never & ~never_baseline)
    np.testing.assert_array_equal(shift == -np.inf, ~never & never_baseline)
    assert (
        min(
            (never & never_baseline).sum(),
            (never & ~never_baseline).sum(),
            (~never & never_baseline).sum(),
        )
        > 0
    )


def test_the_aligned_year_is_arrival_plus_delay_and_the_parts_sum_to_it(prior) -> None:
    delay = prior["timeline_shift_alignment"]
    np.testing.assert_array_equal(np.isfinite(delay), prior["alignment_ends"] == 1)
    ends = np.isfinite(delay)
    np.testing.assert_allclose(prior["tai_year_aligned"][ends], (prior["tai_year"] + delay)[ends])
    assert np.all(np.isnan(prior["tai_year_aligned"][~ends]))
    parts = sum(prior[f"timeline_shift_alignment_{part}"] for part in ("compute", "tax", "work"))
    both = np.isfinite(delay)
    np.testing.assert_allclose(parts[both], delay[both], atol=1e-9)
    assert np.all(delay[both] >= 0)
    waits = prior["timeline_shift_alignment_tax"] + prior["timeline_shift_alignment_work"]
    assert 0.05 < np.mean(waits[both] == 0) < 0.99


def test_alignment_compute_delays_every_flop_requirement_and_no_time_horizon(
    prior, evidence
) -> None:
    """A share below a per cent is some thousandths of an OOM."""
    delay = prior["timeline_shift_alignment_compute"]
    met = np.isfinite(delay)
    assert np.all(delay[met] >= 0)
    assert 0 < np.median(delay[met]) < 0.5
    horizon = derived(read("[anchors]\ntime_horizon = 1.0\n"), evidence)
    delay = horizon["timeline_shift_alignment_compute"]
    assert np.all(delay[np.isfinite(delay)] == 0)
    assert np.all(np.isnan(horizon["tai_flop"]))  # it has no requirement in FLOP


def test_where_nothing_takes_compute_the_tax_waits_exactly_where_it_is_not_affordable(
    evidence,
) -> None:
    values = derived(read(""), evidence, alignment_compute_share=1e-8)
    ends = values["alignment_ends"] == 1
    assert np.nanmax(values["timeline_shift_alignment_compute"][ends]) < 1e-3
    waits = (values["timeline_shift_alignment_tax"] > 0)[ends]
    assert 0.02 < waits.mean() < 0.95
    blocked = (values["prob_affordable"] == 0)[ends]
    work = (values["timeline_shift_alignment_work"] > 0)[ends]
    assert np.mean((waits | work) == (blocked | work)) > 0.999
    assert np.all(waits[blocked])


def test_draws_do_not_depend_on_the_block_they_are_derived_in(view, evidence) -> None:
    size = 200
    tables = view.tables(joint.QUANTITIES)
    x = tables.values(np.random.default_rng(1).standard_normal((size, len(tables.names))))
    parameters, chance = structural(size), Chance.draw(size, np.random.default_rng(3))
    whole = joint.derive(x, parameters, evidence, view, chance)
    for start in range(0, size, 70):
        block = slice(start, start + 70)
        part = joint.derive(
            {name: value[block] for name, value in x.items()},
            parameters.isel(sample=block),
            evidence,
            view,
            chance[block],
        )
        for name, value in part.items():
            np.testing.assert_allclose(value, whole[name][block], rtol=1e-12, err_msg=name)


# ------------------------------------------------------------------------------------------ anchors


def test_without_evidence_the_anchors_keep_their_prior_weights(evidence) -> None:
    view = read('[evidence]\nuse = "none"\n')
    values = derived(view, evidence)
    np.testing.assert_allclose(
        values["anchor_probability"],
        np.broadcast_to(list(view.anchors.values()), (SIZE, len(ANCHORS))),
        atol=1e-12,
    )
    come = np.isfinite(values["tai_year"])
    assert come.any()
    assert values["tai_year"][come].min() >= view.arrival.start  # the hazard runs from its start


def test_the_absence_of_tai_speaks_against_the_lifetime_anchor(prior, view) -> None:
    mean = dict(zip(ANCHORS, prior["anchor_probability"].mean(axis=0), strict=True))
    assert mean["lifetime"] < view.anchors["lifetime"]
    assert mean["none"] > view.anchors["none"]


def test_the_absence_of_tai_gives_no_weight_to_what_had_none(evidence) -> None:
    alone = derived(load_view("bioanchors-alone"), evidence, 400)["anchor_probability"]
    mean = dict(zip(ANCHORS, alone.mean(axis=0), strict=True))
    for name in ("direct_approach", "user", "time_horizon"):
        assert mean[name] == pytest.approx(0.0, abs=1e-12), name


def test_plain_crossing_has_no_likelihood_for_the_absence_of_tai(evidence) -> None:
    with pytest.raises(
        InputError,
        match=r'arrival\.mode: crossing .*no_tai; set evidence\.use = "none" or mode = "hazard"',
    ):
        joint.build(evidence, read('[arrival]\nmode = "crossing"\n'))


def test_plain_crossing_arrives_where_effective_flop_meets_the_requirement(evidence) -> None:
    view = read('[arrival]\nmode = "crossing"\n[evidence]\nuse = "none"\n' + NEURAL_ONLY)
    values = derived(view, evidence)
    tables = view.tables(joint.QUANTITIES)
    z = np.random.default_rng(1).standard_normal((SIZE, len(tables.names)))
    x = tables.values(z @ tables.cholesky.T)
    trend = Trend.of(evidence, view)
    come = np.isfinite(values["tai_year"]) & (values["tai_year"] > view.arrival.start)
    assert come.sum() > 100
    year = np.where(come, values["tai_year"], 2030.0)
    before = np.floor(year)  # yearly grid, straight between
    part = year - before
    reached = (1 - part) * trend.effective(x, before) + part * trend.effective(x, before + 1.0)
    np.testing.assert_allclose(reached[come], values["tai_flop"][come], atol=1e-6)


def test_the_likelihood_of_no_tai_is_the_log_of_weights_times_survival(evidence, view) -> None:
    """The graph's potential against numpy's anchors at random draws."""
    import pytensor

    view = view.replace(
        anchors={"short_horizon": 0.4, "direct_approach": 0.2, "time_horizon": 0.3, "none": 0.1}
    )
    model, tables = joint.build(evidence, view), view.tables(joint.QUANTITIES)
    (potential,) = model.replace_rvs_by_values([model["no_tai"]])
    compiled = pytensor.function(
        model.value_vars, potential, mode="FAST_COMPILE", on_unused_input="ignore"
    )
    rng, seen = np.random.default_rng(5), []
    for _ in range(10):
        white, regime = rng.normal(size=len(tables.names)), rng.normal()
        scales = {
            "between_study_sd": rng.uniform(0.05, 0.5),
            "horizon_scatter": rng.uniform(0.1, 1.0),
        }
        points = [scale_at(name, value) for name, value in scales.items()]
        point = {
            "white": white,
            "regime_offset": regime,
            "suite_error_share_interval__": 0.0,
            **points[0],
            **points[1],
        }
        x = {
            name: np.atleast_1d(value)
            for name, value in tables.values(tables.cholesky @ white).items()
        }
        own = {**scales, "regime_offset": regime, "kaplan_bias": 0.0, "suite_error_share": 0.5}
        own |= {"suite_error_short": 0.0, "suite_error_long": 0.0}
        point |= suite_at(own, x, horizon_evaluations.evaluations(evidence, view), view)
        parameters = xr.Dataset({name: ("sample", [value]) for name, value in own.items()})
        (expected,) = joint.log_no_tai(x, parameters, evidence, view)
        seen.append(expected)
        assert compiled(*(point.get(v.name, 0.0) for v in model.value_vars)) == pytest.approx(
            expected, rel=1e-8, abs=1e-10
        )
    assert min(seen) < -0.01  # some draws are spoken against


# ---------------------------------------------------------------------------------------- censoring


def test_nothing_infinite_is_stored_and_every_missing_value_has_its_state() -> None:
    values = {
        "tai_year": np.asarray([2040.0, np.inf, -np.inf, np.nan]),
        "alignment_tax": np.arange(4.0),
    }
    data = censored(values, {"draw": range(4)}, dict.fromkeys(values, ("draw",)))
    np.testing.assert_array_equal(data["tai_year"], [2040.0, np.nan, np.nan, np.nan])
    assert data["tai_year_state"].values.tolist() == [OBSERVED, ABOVE, BELOW, UNDEFINED]
    np.testing.assert_array_equal(data["alignment_tax"], np.arange(4.0))
    assert "alignment_tax_state" not in data


def test_derived_draws_are_stored_without_infinities(prior) -> None:
    dims = {
        name: ("draw", "anchor") if value.ndim == 2 else ("draw",) for name, value in prior.items()
    }
    data = censored(prior, {}, dims)
    for name in prior:
        assert not np.any(np.isinf(data[name]))
        missing = np.isnan(data[name].values)
        assert missing.any() == (f"{name}_state" in data)
        if missing.any():
            np.testing.assert_array_equal(data[f"{name}_state"].values != OBSERVED, missing)
    assert set(np.unique(data["tai_year_state"])) == {OBSERVED, ABOVE}
    assert UNDEFINED in data["timeline_shift_alignment_state"]


# --------------------------------------------------------------------- every prior drives something

NEEDS = {
    "user_flop": "[anchors]\nuser = 0.5\nnone = 0.5\n",
    **dict.fromkeys(direct_approach.QUANTITIES, "[anchors]\ndirect_approach = 1.0\n"),
    **dict.fromkeys(time_horizon.QUANTITIES, "[anchors]\ntime_horizon = 1.0\n"),
    **dict.fromkeys(research.QUANTITIES, '[research]\nfeedback = "effective_compute"\n'),
    **dict.fromkeys(ai_labour.QUANTITIES, '[alignment]\nai_labour = "priced"\n'),
}


@pytest.fixture(scope="module")
def by_view(evidence) -> dict[str, dict[str, Any]]:
    return {text: derived(read(text), evidence, 400) for text in {"", *NEEDS.values()}}


# How evidence of practice is read: answers depend on it through its rows alone, which
# tests/analysis/answers/test_sensitivity.py reweights.
OF_EVIDENCE = ("chat_minutes", "alignment_share_of_human_data", "models_per_year")


@pytest.mark.parametrize("name", [n for n in joint.QUANTITIES if n not in OF_EVIDENCE])
def test_moving_a_prior_moves_some_headline(name, evidence, by_view) -> None:
    """Its table moved by two of its own standard deviations, every random number the same."""
    text = NEEDS.get(name, "")
    view = read(text)
    tables = view.tables(joint.QUANTITIES)
    i = tables.names.index(name)
    y = tables.y.copy()
    y[i] += 2 * (tables.table(name).value(1.0) - tables.table(name).value(0.0))
    moved = derived(view, evidence, 400, replace(tables, y=y))
    before = by_view[text]
    changed = [
        headline
        for headline in HEADLINES
        if headline in before
        and not np.array_equal(moved[headline], before[headline], equal_nan=True)
    ]
    assert changed or name in HEADLINES, f"{name} moves no headline"


def test_an_anchor_without_weight_moves_nothing(evidence) -> None:
    view = load_view("bioanchors-alone")
    before = derived(view, evidence, 400)
    tables = view.tables(joint.QUANTITIES)
    y = tables.y.copy()
    for name in ("user_flop", "human_slowdown", "superhuman_coder_horizon"):
        y[tables.names.index(name)] += 3.0
    moved = derived(view, evidence, 400, replace(tables, y=y))
    for name, value in before.items():
        # a milestone of its own
        if name not in ("superhuman_coder_year", "superhuman_coder_millionfold"):
            np.testing.assert_array_equal(moved[name], value, err_msg=name)


def test_every_model_of_the_catalogue_states_quantities_and_tables_that_exist(evidence) -> None:
    for name, model in MODELS.items():
        assert find_model(name) is model
        assert set(model.quantities) <= set(ELICITED)
        assert set(model.tables) <= set(evidence.tables)
        assert set(model.headlines) <= set(QUANTITIES)
    with pytest.raises(InputError, match=r"must be one of joint, .*got 'jiont'"):
        find_model("jiont")


@pytest.mark.parametrize(
    ("use", "kept"),
    [
        ('"none"', set()),
        ('["training_runs"]', {"training_runs"}),
        (
            '"all"',
            {
                "scaling_exponents",  # and no loss law: the fit that is used is of 2024
                "time_horizons",
                "training_runs",
                "algorithmic_progress",
                "rlhf_efforts",  # and no workforce: they are of 2025
                "alignment_compute_shares",
                "paid_taxes",
            },
        ),
    ],
)
def test_evidence_is_restricted_to_what_the_view_uses(use, kept, evidence) -> None:
    chosen = restrict(
        evidence, read(f"[evidence]\nuse = {use}\nuntil = 2023-01-01\n"), find_model("joint")
    )
    used = {
        name
        for name, table in chosen.tables.items()
        if name in MODELS["joint"].tables and table["used"].values.any()
    }
    assert used == kept
    assert chosen.constant("no_tai_until") == 2023.0


def test_fan_charts_follow_the_same_paths_as_the_draws(view, evidence, prior_draws) -> None:
    x = prior_draws(joint.QUANTITIES, 50)
    x["tolerance_at_arrival"] = x["alignment_tax_tolerance"]
    dates = np.asarray([2027.0, 2040.0])
    fans = joint.paths(x, evidence, view, dates)
    assert {value.shape for value in fans.values()} == {(50, 2)}
    trend = Trend.of(evidence, view)
    from aligntax.models.alignment import at_date

    at = at_date(x, np.full(50, 2040.0), trend, evidence, view)
    np.testing.assert_allclose(fans["frontier_spend"][:, 1], at["training_cost_at_tai"])
    for name in ("alignment_hours_needed", "alignment_hours_affordable", "labour_tax"):
        np.testing.assert_allclose(fans[name][:, 1], at[name])


# ----------------------------------------------------------------------------- Hilton's larger model


def test_a_model_1e5_times_larger_takes_10_times_the_compute_where_data_grow_linearly(
    evidence,
) -> None:
    assert joint.data_factor(np.array([1.0, 0.8, 0.6]), evidence) == pytest.approx([1.0, 0.0, -1.0])


def test_the_factor_of_the_larger_model_is_that_of_each_exponent(prior) -> None:
    for exponent, factor in (
        ("data_exponent", "data_factor_at_1e5"),
        ("data_exponent_pooled", "data_factor_at_1e5_pooled"),
    ):
        np.testing.assert_allclose(prior[factor], 5.0 * (prior[exponent] - 0.8), rtol=1e-12)
    assert not np.allclose(prior["data_factor_at_1e5"], prior["data_factor_at_1e5_pooled"])
