"""Holm's correction by hand, and between no correction and Bonferroni's."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aligntax.analysis.summaries.multiple_testing import holm_adjusted, holm_rejected


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_keeps_order_and_is_between_p_and_bonferroni(p) -> None:
    adjusted = holm_adjusted(p)
    assert np.all(adjusted >= np.array(p)) and np.all(
        adjusted <= np.minimum(1.0, len(p) * np.array(p)) + 1e-12
    )
    assert np.all(np.diff(adjusted[np.argsort(p, kind="stable")]) >= -1e-12)


def test_holm_by_hand() -> None:
    np.testing.assert_allclose(holm_adjusted([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])


def test_holm_is_between_bonferroni_and_nothing():
    p = {"a": (0.001,), "b": (0.02,), "c": (0.04,), "d": (0.9,)}
    assert holm_rejected(p, 0.05) == {"a": (True,), "b": (False,), "c": (False,), "d": (False,)}
    # Bonferroni would keep b at 0.025 too
    assert holm_rejected({"a": (0.01,), "b": (0.02,)}, 0.05) == {"a": (True,), "b": (True,)}
    # and here it would not
    assert holm_rejected({"a": (0.024,), "b": (0.04,)}, 0.05) == {"a": (True,), "b": (True,)}


@given(
    st.dictionaries(st.text(max_size=2), st.lists(st.floats(0, 1), max_size=6), max_size=4),
    st.sampled_from([0.01, 0.05, 0.3]),
)
def test_what_is_rejected_is_what_stepping_down_rejects(p, level) -> None:
    """Holm's own procedure: from the smallest on, each against the level over the number left, until one is kept."""
    ordered = sorted(value for values in p.values() for value in values)
    rejected = 0
    while rejected < len(ordered) and (len(ordered) - rejected) * ordered[rejected] <= level:
        rejected += 1
    largest = ordered[rejected - 1] if rejected else -1.0
    found = holm_rejected(p, level)
    assert list(found) == list(p)
    assert found == {name: tuple(value <= largest for value in p[name]) for name in p}
