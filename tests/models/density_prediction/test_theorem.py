"""Density prediction: the theorem against every short sequence, against adversaries, and on streams; exact stopping times."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aligntax.models.density_prediction.adversaries import (
    ADVERSARIES,
    Spender,
    failures,
    gaps,
    surviving,
)
from aligntax.models.density_prediction.theorem import (
    MOST_LEVELS,
    Claim,
    StoppingTime,
    Watch,
    levels_needed,
    stopping_time,
    supported_delta,
    supported_epsilon,
)
from aligntax.models.errors import InputError

ONE_PER_CENT = {"10%": Claim(10_000, 0.1), "1%": Claim(1_000_000, 0.01)}  # delta 1% for both
TRIALS, MOST = 20_000, 256  # failures: 1% and four standard errors
SPENDERS = [name for name, each in ADVERSARIES.items() if isinstance(each, Spender)]


# -------------------------------------------------------------------------------------- the theorem


def gaps_of_tree(zeros):
    """Signed gap of every block of every level, last axis symbols: arrays (..., blocks), from the whole to pairs."""
    levels = zeros.shape[-1].bit_length() - 1
    for k in range(levels):
        halves = zeros.reshape(*zeros.shape[:-1], 2**k, 2, -1).mean(axis=-1)
        yield halves[..., 0] - halves[..., 1]


@pytest.mark.parametrize("levels", [1, 2, 3, 4])
def test_the_bound_holds_for_every_sequence(levels) -> None:
    """All of them, with the probability over coins and levels exact: no sampling."""
    size = 2**levels
    sequences = (np.arange(2**size)[:, None] >> np.arange(size)) & 1
    found = list(gaps_of_tree(sequences.astype(float)))
    total = sum((gap**2).mean(axis=-1) for gap in found)
    density = sequences.mean(axis=-1)
    assert total == pytest.approx(4 * density * (1 - density))  # the proof's identity
    for epsilon in (0.2, 0.3, 0.5, 0.7, 0.9, 0.999):
        failing = sum((np.abs(gap) > epsilon).mean(axis=-1) for gap in found) / levels
        assert failing.max() <= supported_delta(levels, epsilon)
    assert failing.max() == pytest.approx(1 / levels)  # attained: zeros, then ones


def test_the_bound_needs_the_coins() -> None:
    """Negative control: a stopping rule that is fixed beforehand is wrong on a sequence made for it, whatever its level."""
    levels = 6
    for level in range(levels):
        half = 2 ** (levels - level - 1)
        sequence = np.tile(np.repeat([1.0, 0.0], half), 2**level)
        gap = list(gaps_of_tree(sequence))[level]
        assert (np.abs(gap) == 1.0).all()  # on every path


def test_a_rule_without_the_random_level_fails_and_with_it_holds() -> None:
    """The coins of the path alone do not help against one who spends everything at the level of the stop."""
    claim, rng = Claim(10_000, 0.1), np.random.default_rng(5)
    always_early = np.zeros(TRIALS, dtype=int)
    assert (
        np.mean(gaps(ADVERSARIES["nearly_tight"], claim, always_early, rng) > claim.epsilon) == 1.0
    )
    assert failures(ADVERSARIES["nearly_tight"], claim, TRIALS, rng) <= MOST


# ----------------------------------------------------------------------------------- what is needed


def test_one_per_cent_twice_takes_a_million_levels() -> None:
    assert levels_needed(0.01, 0.01) == 1_000_000
    assert levels_needed(0.1, 0.01) == 10_000


@given(st.floats(1e-4, 0.999), st.floats(1e-4, 0.999))
def test_levels_needed_are_the_fewest_that_support_both(epsilon, delta) -> None:
    levels = levels_needed(epsilon, delta)
    bound = 1 / (Fraction(repr(delta)) * Fraction(repr(epsilon)) ** 2)
    assert levels - 1 < bound <= levels
    assert supported_delta(levels, epsilon) <= delta * (1 + 1e-12)
    assert supported_epsilon(levels, delta) <= epsilon * (1 + 1e-12)


@given(st.integers(1, MOST_LEVELS), st.floats(1e-4, 0.999))
def test_what_is_supported_is_one_curve(levels, epsilon) -> None:
    """The epsilon of the delta of an epsilon is that epsilon; more levels support less of either."""
    assert supported_epsilon(levels, supported_delta(levels, epsilon)) == pytest.approx(epsilon)
    assert (
        supported_delta(levels + 1, epsilon)
        < supported_delta(levels, epsilon)
        == Claim(levels, epsilon).delta
    )


@pytest.mark.parametrize("value", [0, 1, -0.1, 2, math.nan, math.inf])
def test_shares_out_of_bounds_are_refused(value) -> None:
    for ask in (
        lambda: levels_needed(value, 0.1),
        lambda: levels_needed(0.1, value),
        lambda: Claim(5, value),
    ):
        with pytest.raises(InputError, match="must lie between 0 and 1"):
            ask()


@pytest.mark.parametrize("levels", [0, -3, MOST_LEVELS + 1])
def test_levels_out_of_bounds_are_refused(levels) -> None:
    for ask in (
        lambda: Claim(levels, 0.1),
        lambda: stopping_time(levels, np.random.default_rng(1)),
    ):
        with pytest.raises(
            InputError, match=f"levels: must lie between 1 and {MOST_LEVELS}, got {levels}"
        ):
            ask()


# ----------------------------------------------------------------------------------- stopping times


def every_stop(levels):
    """Stopping times by walking the tree, and their probabilities."""
    blocks = [(0, 2**levels, Fraction(1))]
    for level in range(levels):
        halves = []
        for start, size, chance in blocks:
            half = size // 2
            yield StoppingTime(level, start + half, half), chance / levels
            halves += [(start, half, chance / 2), (start + half, half, chance / 2)]
        blocks = halves


@pytest.mark.parametrize("levels", [1, 2, 3, 5])
def test_stopping_times_are_those_of_the_tree_in_proportion(levels) -> None:
    expected, draws = dict(every_stop(levels)), 40_000
    assert sum(expected.values()) == 1
    rng, counts = np.random.default_rng(levels), dict.fromkeys(expected, 0)
    for _ in range(draws):
        counts[stopping_time(levels, rng)] += 1  # a KeyError where the tree has no such block
    z = [
        (n - draws * float(expected[w])) / math.sqrt(draws * float(expected[w]))
        for w, n in counts.items()
    ]
    assert max(map(abs, z)) < 4.5


@given(st.integers(1, 3000), st.integers(0, 2**32 - 1))
def test_a_stop_is_the_middle_of_a_block_however_large(levels, seed) -> None:
    when = stopping_time(levels, np.random.default_rng(seed))
    assert when.length == 2 ** (levels - when.level - 1) and 0 <= when.level < levels
    assert when.start % (2 * when.length) == when.length  # the middle of a block of its level
    assert when.start + when.length <= 2**levels


def test_a_million_levels_are_exact() -> None:
    when = stopping_time(1_000_000, np.random.default_rng(8))
    assert when.start % when.length == 0 and (when.start // when.length) % 2 == 1
    assert when.start.bit_length() > 900_000


# ----------------------------------------------------------------------------------------- watching

BITS = st.text("01", min_size=2, max_size=200).map(str.encode)


def watched(when, pieces):
    watch = Watch(when)
    for piece in pieces:
        watch = watch.after(piece)
    return watch


@given(BITS, st.integers(0, 2**32 - 1), st.lists(st.integers(0, 200), max_size=12))
def test_a_stream_may_come_in_any_pieces(bits, seed, cuts) -> None:
    when = stopping_time(len(bits).bit_length() - 1, np.random.default_rng(seed))
    ends = [0, *sorted(min(cut, len(bits)) for cut in cuts), len(bits)]
    pieces = [bits[a:b] for a, b in pairwise(ends)]
    watch = watched(when, pieces)
    assert (
        watch == watched(when, [bits]) == watched(when, [bits[i : i + 1] for i in range(len(bits))])
    )
    before, after = (
        bits[when.start - when.length : when.start],
        bits[when.start : when.start + when.length],
    )
    assert watch.stated == before.count(b"0") / when.length
    assert watch.found == after.count(b"0") / when.length
    wrong = abs(before.count(b"0") - after.count(b"0")) * 4 > when.length
    assert watch.right(0.25) is not wrong


def test_what_comes_after_is_not_known_before() -> None:
    watch = Watch(StoppingTime(1, 6, 2))
    assert (watch.stopped, watch.to_read, watch.right(0.1)) == (False, 6, None)
    watch = watch.after(b"111101")
    assert (watch.stopped, watch.finished, watch.stated, watch.to_read) == (True, False, 0.5, 2)
    watch = watch.after(b"0")
    assert (watch.right(0.1), watch.to_read) == (None, 1)
    watch = watch.after(b"01111")
    assert (watch.finished, watch.found, watch.right(0.1), watch.right(0.5), watch.to_read) == (
        True,
        1.0,
        False,
        True,
        0,
    )


def test_a_difference_of_exactly_epsilon_is_right() -> None:
    """In binary floating point 0.3 - 0.2 exceeds 0.1."""
    watch = Watch(StoppingTime(0, 10, 10)).after(b"0" * 3 + b"1" * 7 + b"0" * 2 + b"1" * 8)
    assert 0.3 - 0.2 != 0.1 and watch.right(0.1) is True and watch.right(0.0999) is False


def test_what_is_remembered_does_not_grow_with_the_stream() -> None:
    """Four integers, of the size of the stopping time's."""
    when = stopping_time(60, np.random.default_rng(4))
    watch = Watch(when)
    for _ in range(1000):
        watch = watch.after(b"01" * 500)
    fields = vars(watch)
    assert set(fields) == {"when", "read", "zeros_before", "zeros_after"}
    assert all(isinstance(fields[name], int) for name in fields if name != "when")
    assert watch.read == 1_000_000


# -------------------------------------------------------------------------------------- adversaries


@pytest.mark.parametrize("name", ADVERSARIES)
def test_the_claim_holds_at_ten_per_cent_against(name) -> None:
    assert (
        failures(ADVERSARIES[name], ONE_PER_CENT["10%"], TRIALS, np.random.default_rng(2022))
        <= MOST
    )


@pytest.mark.parametrize("name", SPENDERS)
def test_the_claim_holds_at_one_per_cent_twice_against(name) -> None:
    assert (
        failures(ADVERSARIES[name], ONE_PER_CENT["1%"], TRIALS, np.random.default_rng(2022)) <= MOST
    )


@pytest.mark.parametrize("name", SPENDERS)
def test_the_claim_holds_with_every_level_worked_out_against(name) -> None:
    """The same adversaries without skipping a level; both ways fail as often, within four standard errors."""
    adversary, claim, rng = ADVERSARIES[name], ONE_PER_CENT["10%"], np.random.default_rng(7)
    stop = rng.integers(claim.levels, size=TRIALS)
    failed = int(np.count_nonzero(gaps(adversary, claim, stop, rng) > claim.epsilon))
    assert failed <= MOST
    skipped = failures(adversary, claim, 10 * TRIALS, rng) / 10
    assert abs(failed - skipped) <= 4 * math.sqrt(1.1 * max(skipped, 1))


def test_the_nearly_tight_adversary_spends_nearly_all_there_is() -> None:
    """Failing j^2 of K levels: 98% of the bound at 1%, 81% at 10%, where steps are coarse; informed, 97% there too."""
    rng, count = np.random.default_rng(3), 400_000
    for claim, j in ((ONE_PER_CENT["10%"], 9), (ONE_PER_CENT["1%"], 99)):
        expected = count * j**2 / claim.levels
        assert abs(
            failures(ADVERSARIES["nearly_tight"], claim, count, rng) - expected
        ) < 4 * math.sqrt(expected)
    informed = failures(ADVERSARIES["informed"], ONE_PER_CENT["10%"], count, rng) / count
    # a standard error is 1.6% of it
    assert 0.95 < informed / ONE_PER_CENT["10%"].delta < 1.0 + 4 * 0.016


def test_the_harmless_adversaries_are_weaker() -> None:
    claim, rng = ONE_PER_CENT["10%"], np.random.default_rng(3)
    assert failures(ADVERSARIES["constant"], claim, TRIALS, rng) == 0
    counts = [
        failures(ADVERSARIES[name], claim, 10 * TRIALS, rng)
        for name in ("random_walk", "early", "late")
    ]
    assert counts == sorted(counts) and counts[0] > 0


@pytest.mark.parametrize("name", ADVERSARIES)
def test_densities_are_a_bounded_martingale_that_spends_a_quarter_at_most(name) -> None:
    """Levels few enough that each is looked at: halves are densities, and the squares of the steps sum to 1/4 or less."""
    claim, rng = Claim(60, 0.3), np.random.default_rng(1)
    density, spent = np.full(4000, 0.5), np.zeros(4000)
    for level in range(claim.levels):
        half = ADVERSARIES[name].half_gap(level, density, claim, rng)
        assert (half >= 0).all() and (half <= np.minimum(density, 1 - density)).all()
        density = density + np.where(rng.random(4000) < 0.5, half, -half)
        spent += half**2
    assert density.min() >= 0 and density.max() <= 1
    error = spent.std() / math.sqrt(4000)
    assert spent.mean() <= 0.25 + 4 * error
    assert spent.mean() == pytest.approx(density.var(), abs=4 * error + 0.02)


@pytest.mark.parametrize("name", SPENDERS)
def test_moves_before_a_level_are_counted_right(name) -> None:
    adversary, claim, rng = ADVERSARIES[name], Claim(500, 0.3), np.random.default_rng(1)
    assert claim.levels > 8 * adversary.steps(claim) ** 2
    size = 4000
    moving = np.stack(
        [adversary.moving(np.full(size, level), claim, rng) for level in range(claim.levels)]
    )
    for level in (0, 1, 2, 37, 250, 499):
        count = adversary.before(np.full(size, level), claim, rng)
        expected = moving[:level].sum(axis=0)
        if name == "guessed":
            assert count.mean() == pytest.approx(
                expected.mean(), abs=4 * expected.std() * math.sqrt(2 / size) + 1e-12
            )
        else:
            assert (count == expected).all()


@pytest.mark.parametrize("j", [1, 2, 3, 9, 40])
def test_survival_of_a_walk_is_exact(j) -> None:
    """Against the walk's transition matrix; and its sum is the average number of moves, j^2."""
    steps = np.arange(60 * j * j + 5)
    got = surviving(steps, j)
    chance, exact = np.zeros(2 * j + 1), []
    chance[j] = 1.0
    for _ in steps[: 20 * j]:
        exact.append(chance[1:-1].sum())
        moved = np.zeros_like(chance)
        moved[:-2] += chance[1:-1] / 2
        moved[2:] += chance[1:-1] / 2
        chance = moved
    assert got[: len(exact)] == pytest.approx(np.array(exact), abs=1e-12)
    assert got.sum() == pytest.approx(j * j)
    shuffled = np.random.default_rng(0).permutation(steps)
    assert (surviving(shuffled, j) == got[shuffled]).all()


# ------------------------------------------------------------------------------------------ streams

LEVELS = 17  # of the streams below; at epsilon 0.25 they support a delta of 0.94


def stream(kind):
    rng, size = np.random.default_rng(11), 2**LEVELS
    place = np.arange(size)
    made = {
        "constant": np.zeros(size, dtype=int),
        "fair": rng.integers(2, size=size),
        "biased": (rng.random(size) < 0.03).astype(int),
        "periodic": place % 7 % 2,
        "phase switches at doubling blocks": np.array(
            [n.bit_length() % 2 for n in range(1, size + 1)]
        ),
        "zeros, then ones": (place >= size // 2).astype(int),
    }
    return made[kind].astype(np.uint8)


@pytest.mark.parametrize(
    "kind",
    [
        "constant",
        "fair",
        "biased",
        "periodic",
        "phase switches at doubling blocks",
        "zeros, then ones",
    ],
)
def test_the_stated_delta_is_met_on_real_streams(kind) -> None:
    """By 300 stopping times on one stream, and exactly, over all of them."""
    symbols, claim = stream(kind), Claim(LEVELS, 0.25)
    failing = np.mean([(np.abs(gap) > claim.epsilon).mean() for gap in gaps_of_tree(1.0 - symbols)])
    assert failing <= claim.delta < 1
    text, rng = (symbols + ord("0")).tobytes(), np.random.default_rng(2)
    wrong = 0
    for _ in range(300):
        when = stopping_time(LEVELS, rng)
        begin = when.start - when.length
        watch = Watch(StoppingTime(when.level, when.length, when.length)).after(
            text[begin : when.start + when.length]
        )
        wrong += watch.right(claim.epsilon) is False
    assert wrong / 300 <= claim.delta
    assert abs(wrong / 300 - failing) <= 4.5 * math.sqrt(max(failing * (1 - failing), 1e-3) / 300)
