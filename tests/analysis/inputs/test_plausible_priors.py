"""A prior that can hardly be meant is asked about by whatever takes priors, and taken on insistence."""

import pytest

import aligntax as aligntax_package
from aligntax.analysis.inputs.plausible_priors import doubts_of_priors, question_priors
from aligntax.models.errors import InputError
from aligntax.models.views import load_view, view_names
from tests.conftest import REFERENCE

TAX = "alignment_tax_tolerance"
PERCENT = f"{TAX}=1,5,20"  # percent, and read as 100%, 500% and 2000%


def test_no_named_view_is_doubted() -> None:
    assert not any(doubts_of_priors(load_view(name)) for name in view_names())


@pytest.mark.parametrize(
    ("quantiles", "doubted"),
    [
        ({0.1: 1, 0.5: 5, 0.9: 20}, True),
        ({0.1: 0.01, 0.5: 0.99, 0.9: 20}, False),
        ({0.1: 0.01, 0.5: 1.2, 0.9: 20}, True),
        ({0.1: "1%", 0.5: "5%", 0.9: "20%"}, False),
    ],
)
def test_a_share_is_doubted_by_its_median(quantiles, doubted) -> None:
    view = load_view("default").replace(**{TAX: quantiles})
    assert bool(doubts_of_priors(view)) is doubted
    question_priors(view, insist=True)
    if doubted:
        with pytest.raises(InputError, match=r"got (500|120)%"):
            question_priors(view)


@pytest.mark.parametrize(
    ("name", "medians", "doubted"),
    [
        ("usd_per_hour", (10_000, 20_000, 60_000), True),  # USD a year
        ("usd_per_hour", (0.01, 0.02, 0.06), True),
        ("usd_per_hour", (100, 200, 300), False),
        ("practice_hours", (2, 5, 20), True),  # thousands
        ("doubling_floor", (0.005, 0.01, 0.02), False),  # as a named view has it
    ],
)
def test_a_median_far_beyond_every_named_view_is_doubted(name, medians, doubted) -> None:
    view = load_view("default").replace(**{name: dict(zip((0.1, 0.5, 0.9), medians, strict=True))})
    found = doubts_of_priors(view)
    assert bool(found) is doubted
    if doubted:
        assert found[0].startswith(f"{name}: its median must be within ten times")
        with pytest.raises(InputError, match=r"another unit\?\n.*--yes"):
            question_priors(view)


def test_python_is_warned_where_a_command_asks(tmp_path) -> None:
    view = load_view("default").replace(**{TAX: {0.1: 1, 0.5: 5, 0.9: 20}})
    with pytest.warns(UserWarning, match="at most 100%.*taken as it is"):
        aligntax_package.refit(REFERENCE, view, "reweight", out=tmp_path)


def test_every_command_that_takes_priors_asks(aligntax) -> None:
    asks = (
        ("run", "scaling", "--set", PERCENT),
        ("refit", str(REFERENCE), "--set", PERCENT),
        ("sweep", "default", "--set", PERCENT),
    )
    for command in asks:
        code, _, err = aligntax(*command)
        assert code == 2 and "at most 100%" in err and "500%" in err and "--yes" in err


def test_a_check_warns_and_a_refit_goes_on_where_one_insists(aligntax, tmp_path) -> None:
    (tmp_path / "mine.toml").write_text(
        f'extends = "default"\n[quantities.{TAX}]\nquantiles = {{0.1 = 1, 0.5 = 5, 0.9 = 20}}\n'
    )
    code, _, err = aligntax("view", "check", "mine.toml")
    assert code == 0 and "warning: alignment_tax_tolerance: its median" in err
    refit = ("refit", str(REFERENCE), "--view", "mine.toml", "--yes", "--name", "sure")
    code, _, err = aligntax(*refit, "--method", "reweight")
    assert code != 2, err
    assert "at most 100%" not in err
