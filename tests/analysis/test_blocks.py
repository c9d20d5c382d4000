"""Draws in blocks: the same numbers as all at once, with memory that does not grow beyond what is kept."""

import threading
import tracemalloc
from functools import partial

import numpy as np
import pytest

from aligntax.analysis.answers import sensitivity, sensitivity_draws
from aligntax.analysis.inference import derive as working
from aligntax.analysis.inference.derive import (
    arrival_of_draws,
    derive_from,
    exponent_shift,
    log_no_tai,
    replicate_evidence,
    split_draws,
)
from aligntax.analysis.storage.layout import Groups
from aligntax.analysis.summaries.weights import Weights
from aligntax.models import blocks
from aligntax.models.blocks import in_blocks
from aligntax.models.catalogue import find_model, restrict
from tests.prior import prior_draws

BLOCK, SMALL, TIMES = 250, 1000, 8  # draws of a block and of a run, and how many times as many
KEPT = 130  # bytes a draw beside the answer: ten random numbers of arrival, and rounding up
JOINT = find_model("joint")


@pytest.fixture(scope="module")
def drawn(evidence, view):
    """Prior draws by number, and what derives from them."""
    tables = view.tables(JOINT.quantities)
    return lambda size: prior_draws(tables, size), tables, restrict(evidence, view, JOINT)


def everything(size, drawn, view):
    """Every number that is worked out of draws block by block, by what works it out."""
    draws, tables, chosen = drawn[0](size), *drawn[1:]
    x, parameters = split_draws(draws, tables)
    where = (x, parameters, chosen, view)
    derived = derive_from(JOINT, *where, np.random.default_rng(1))
    return {
        **{f"derived {name}": value.values for name, value in derived.data_vars.items()},
        **{
            f"arrivals {name}": value
            for name, value in arrival_of_draws(*where, np.random.default_rng(1)).items()
        },
        "shift": exponent_shift(*where, np.random.default_rng(1), (0.8, 1.0)),
        "no TAI": log_no_tai(JOINT, *where),
    }


def of_size(monkeypatch, most):
    monkeypatch.setattr(blocks, "BLOCK", most)
    monkeypatch.setattr(working, "REPLICATED_AT_ONCE", most)


@pytest.mark.parametrize("most", [1, 7, 250, 999, 1001])
def test_blocks_say_what_all_draws_at_once_say(monkeypatch, drawn, view, most):
    """To the last digit, for sizes that do not divide."""
    size = 1001 if most > 7 else 53
    of_size(monkeypatch, size)
    whole = everything(size, drawn, view)
    of_size(monkeypatch, most)
    parts = everything(size, drawn, view)
    assert list(parts) == list(whole) and {"derived tai_year_state", "arrivals year"} <= set(whole)
    for name, value in whole.items():
        np.testing.assert_array_equal(parts[name], value, err_msg=name, strict=True)


def test_replications_in_blocks_have_random_numbers_of_their_own(monkeypatch, drawn, view):
    """The same distribution, five standard errors; the first block is the whole of a run of its size."""
    size, most = 2000, 300
    draws, tables, chosen = drawn[0](size), *drawn[1:]

    def of(most, draws=draws):
        of_size(monkeypatch, most)
        return replicate_evidence(JOINT, draws, tables, chosen, view, np.random.default_rng(1))

    whole, parts = of(size), of(most)
    first = blocks.blocks(size, most)[0]
    assert of(most, draws.isel(draw=first)).equals(parts.isel(draw=first))
    assert whole.sizes == parts.sizes and not whole.equals(parts)
    for name, value in whole.data_vars.items():
        other = parts[name].values
        assert (
            np.all(np.isfinite(other)) and len(np.unique(other.reshape(size, -1)[:, 0])) == size
        ), name
        below = np.mean(other < np.median(value.values, axis=1, keepdims=True), axis=1)
        np.testing.assert_allclose(
            below, 0.5, atol=5 * np.sqrt(2) * 0.5 / np.sqrt(size), err_msg=str(name)
        )


def test_sums_do_not_depend_on_how_many_draws_there_are():
    """To the last digit; numpy's own do."""
    rows = np.random.default_rng(1).normal(size=(30, 50))
    for work in (blocks.sum_of_rows, blocks.running_total):
        alone = [work(rows[:, i : i + 1].copy()) for i in range(50)]
        np.testing.assert_array_equal(work(rows), np.concatenate(alone, axis=-1))
        np.testing.assert_array_equal(work(rows), work(np.asfortranarray(rows)))
    np.testing.assert_allclose(blocks.sum_of_rows(rows), rows.sum(axis=0), rtol=1e-12)
    np.testing.assert_array_equal(blocks.running_total(rows), np.cumsum(rows, axis=0))
    numpys = [rows[:, i : i + 1].copy().sum(axis=0)[0] for i in range(50)]  # negative control
    assert np.any(numpys != rows.sum(axis=0))


def test_arrival_alone_is_that_of_the_whole_derivation(drawn, view):
    draws, tables, chosen = drawn[0](3001), *drawn[1:]
    where = (*split_draws(draws, tables), chosen, view)
    derived = derive_from(JOINT, *where, np.random.default_rng(1))
    found = arrival_of_draws(*where, np.random.default_rng(1))
    year = np.where(np.isinf(found["year"]), np.nan, found["year"])
    np.testing.assert_array_equal(year, derived["tai_year"].values.ravel())
    np.testing.assert_array_equal(found["anchor"], derived["tai_anchor"].values.ravel())


@pytest.mark.parametrize("size, most", [(1, 5), (5, 5), (6, 5), (53, 7), (4000, 2000), (0, 5)])
def test_blocks_are_every_draw_once_in_order_and_of_equal_size(size, most):
    found = blocks.blocks(size, most)
    assert [i for block in found for i in range(size)[block]] == list(range(size))
    lengths = [block.stop - block.start for block in found]
    assert (
        max(lengths, default=0) <= most and max(lengths, default=0) - min(lengths, default=0) <= 1
    )


def test_kinds_and_further_axes_are_kept():
    numbers = np.arange(24).reshape(12, 2)
    found = in_blocks(
        lambda block: {"n": numbers[block], "even": numbers[block, 0] % 4 == 0}, 12, 5
    )
    np.testing.assert_array_equal(found["n"], numbers, strict=True)
    np.testing.assert_array_equal(found["even"], numbers[:, 0] % 4 == 0, strict=True)


def test_one_at_once_goes_in_order_and_a_block_that_fails_fails_it_all():
    seen = []
    in_blocks(lambda block: seen.append(block.start) or {}, 100, 7, at_once=1)
    assert seen == sorted(seen) and len(seen) == 15

    def fails(block):
        raise ZeroDivisionError(block.start)

    with pytest.raises(ZeroDivisionError, match="0"):
        in_blocks(fails, 10, 3)
    assert threading.active_count() < 50  # its threads are gone


def above(function):
    """Peak of memory while a function runs, beyond what it returns, in bytes."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        found = function()
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    return peak - getattr(found, "nbytes", 0)


WORK = {
    "derive": lambda where, draws, tables: derive_from(JOINT, *where, np.random.default_rng(1)),
    "log_no_tai": lambda where, draws, tables: log_no_tai(JOINT, *where),
    "predict": lambda where, draws, tables: replicate_evidence(
        JOINT, draws, tables, *where[2:], np.random.default_rng(1)
    ),
}


def growth(monkeypatch, work, drawn, view, most):
    """Peaks above the answer for a number of draws and for several times as many, one block at a time."""
    # with several at once the peak depends on who meets whom
    monkeypatch.setattr(blocks.os, "cpu_count", lambda: 1)
    of_size(monkeypatch, most)
    peaks = []
    for size in (SMALL, TIMES * SMALL):
        draws, tables, chosen = drawn[0](size), *drawn[1:]
        given = split_draws(draws, tables)
        with monkeypatch.context() as patch:
            # they are there before
            patch.setattr(working, "split_draws", lambda draws, tables, given=given: given)
            peaks.append(above(partial(WORK[work], (*given, chosen, view), draws, tables)))
    return peaks


@pytest.mark.parametrize("work", WORK)
def test_memory_beyond_the_answer_does_not_grow_with_the_draws(monkeypatch, drawn, view, work):
    small, large = growth(monkeypatch, work, drawn, view, BLOCK)
    assert large < 1.1 * small + KEPT * (TIMES - 1) * SMALL


@pytest.mark.parametrize("work", WORK)
def test_it_does_where_one_block_has_all_draws(monkeypatch, drawn, view, work):
    """Negative control."""
    small, large = growth(monkeypatch, work, drawn, view, TIMES * SMALL)
    assert large > 4 * small > 1.1 * small + KEPT * (TIMES - 1) * SMALL


def sensitive(size, drawn, view, weights=None):
    """Sensitivities of so many prior draws, without evidence."""
    draws, tables, chosen = drawn[0](size), *drawn[1:]
    derived = derive_from(
        JOINT, *split_draws(draws, tables), chosen, view, np.random.default_rng(1)
    )
    groups = Groups(draws, derived, draws[["kaplan_bias"]])
    return partial(
        sensitivity.sensitivity_record, groups, tables, ("tax_headroom", "tai_flop"), (), weights
    )


def test_of_many_draws_sensitivity_looks_at_evenly_spaced_ones(monkeypatch, drawn, view):
    """No fewer than half of those allowed, with the weights that they had, and memory stays; as many are looked at as they are."""
    monkeypatch.setattr(sensitivity_draws, "MOST_DRAWS", 1000)
    seen = []
    monkeypatch.setattr(sensitivity, "_record", lambda draws: seen.append(draws))
    for size in (1000, 1001, 1999, 2001, 7777):
        sensitive(size, drawn, view)()
        found, every = seen.pop(), -(-size // 1000)
        assert (
            500 < found.weights.values.size <= 1000
            and found.weights.values.sum() == pytest.approx(1.0)
        )
        np.testing.assert_array_equal(found.z, drawn[0](size)["z"].values[:, ::every])
    counted = Weights.of_log(np.where(np.arange(4000) % 8 == 0, 0.0, -np.inf)[None])
    sensitive(4000, drawn, view, counted)()
    assert seen.pop().weights.values.size == 4000  # 500 of them count


@pytest.mark.slow
def test_memory_of_sensitivity_does_not_grow_with_the_draws(monkeypatch, drawn, view):
    def peaks(most):
        monkeypatch.setattr(sensitivity_draws, "MOST_DRAWS", most)
        return [above(sensitive(size, drawn, view)) for size in (1000, 4000)]

    small, large = peaks(1000)
    assert large < 1.1 * small
    small, large = peaks(4000)  # negative control
    assert large > 2 * small
