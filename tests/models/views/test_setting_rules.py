"""The limits of settings that messages state are those that are applied, to both ends."""

import re

import pytest

from aligntax.models.errors import InputError
from aligntax.models.views import SECTIONS, parse_view
from aligntax.models.views.setting_rules import BY_ANCHOR, LIMITS, ODD, SMALLEST, read_section

EDGES = [
    (key, value, outward)
    for key, (lower, upper, _) in LIMITS.items()
    for value, outward in ((lower, -1), (upper, 1))
    if abs(value) != float("inf")
]


def read(key: str, value: float) -> object:
    section, _, name = key.partition(".")
    stated = {"genome": value} if key in BY_ANCHOR else value
    return getattr(read_section(section, SECTIONS[section](), {name: stated}), name)


@pytest.mark.parametrize(("key", "value", "outward"), EDGES)
def test_an_end_of_the_limits_is_allowed_and_what_lies_beyond_is_refused(
    key, value, outward
) -> None:
    assert read(key, value) in (value, {"genome": value})
    beyond = value + outward * (2 if key in ODD else max(1e-9, abs(value) * 1e-6))
    with pytest.raises(InputError, match=re.escape(LIMITS[key][2])):
        read(key, beyond)


@pytest.mark.parametrize("key", LIMITS)
def test_the_limits_that_a_message_states_are_those_that_are_applied(key) -> None:
    lower, upper, rule = LIMITS[key]
    applied = [0.0 if value == SMALLEST else value for value in (lower, upper)]
    if rule == "must be positive":
        assert applied == [0.0, float("inf")]
    else:
        stated = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?(?:e\d+)?", rule)]
        assert stated == pytest.approx(applied, abs=1e-8)


@pytest.mark.parametrize("excess", [0.0, 5e-7, -5e-7])
def test_anchor_weights_sum_to_one_to_a_millionth(excess) -> None:
    text = "[anchors]\ngenome = 0.25\nevolution = {}\n"
    assert parse_view(text.format(0.75 + excess), "mine").anchors["genome"] == 0.25
    with pytest.raises(InputError, match="weights must sum to 1"):
        parse_view(text.format(0.75 + (excess or 5e-7) * 4), "mine")
