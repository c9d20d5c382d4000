"""Draws are processed in blocks, so that working memory does not grow with their number.

Paths over time, worlds and anchors take some 10 kB per draw while they are computed. What is kept
of a draw is one number per quantity, about 0.7 kB in the joint model. Only that part grows: the
draws themselves and their derived quantities.
"""

import os
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Lock
from typing import Any

import numpy as np

BLOCK = 2000  # draws per block: their paths fit into a core's cache
# Before Python 3.12.3 a second thread sees half of a module that is loaded lazily, as ArviZ loads
# JAX (https://github.com/python/cpython/issues/114763); scipy then looks into that half.
SAFE_THREADS = sys.version_info >= (3, 12, 3)


def blocks(size: int, most: int | None = None) -> list[slice]:
    """Split draws into blocks of at most ``most`` draws, by default :data:`BLOCK`.

    Blocks have equal size, because another draw of the same block stands in for one that
    ``requirement.low_flop`` rejects.
    """
    ends = np.linspace(0, size, -(-size // (most or BLOCK)) + 1).astype(int)
    return [
        slice(start, end) for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    ]


def sum_of_rows(rows: Any) -> Any:
    """Sum along the first axis of an array whose last is of draws, one row after another.

    numpy adds in another order where there is one draw or where a draw's numbers are adjacent in
    memory, and that changes the last digit.
    """
    rows = np.ascontiguousarray(rows)
    one = len(rows) and rows.shape[-1] == 1
    return np.add.accumulate(rows)[-1] if one else rows.sum(axis=0)


def running_total(rows: Any) -> Any:
    """Sums of the first rows of an array whose last axis is of draws; faster than ``cumsum``."""
    total = rows.copy()
    for before, after in pairwise(total):
        after += before
    return total


def in_blocks(
    work: Callable[[slice], Mapping[str, Any]],
    size: int,
    most: int | None = None,
    at_once: int | None = None,
) -> dict[str, Any]:
    """Apply a function to all draws, one block at a time.

    Parameters
    ----------
    work : callable
        Takes a block and returns arrays by name, whose first axis is the block's draws.
    size : int
        Number of draws.
    most : int, optional
        Draws per block; default :data:`BLOCK`.
    at_once : int, optional
        Blocks processed at the same time. The default is one per core, since numpy releases the
        interpreter lock inside its loops. Pass 1 where order matters, as for random numbers.

    Returns
    -------
    dict of ndarray
        The same names; the first axis is all draws.
    """
    whole: dict[str, Any] = {}
    lock = Lock()

    def fill(block: slice) -> None:
        part = work(block)
        with lock:
            for name, value in part.items():
                if name not in whole:
                    whole[name] = np.empty((size, *value.shape[1:]), value.dtype)
        for name, value in part.items():
            whole[name][block] = value

    threads = at_once or os.cpu_count() if SAFE_THREADS else 1
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(fill, blocks(size, most)))
    return whole
