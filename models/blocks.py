"""Draws are worked on in blocks, so that what is needed on the way does not grow with their number.

Paths over time, worlds and anchors take some 10 kB a draw while they are worked on; what is kept of
a draw is a number for each quantity, about 0.7 kB in the joint model. That part alone grows: the
draws themselves, and what is asked of them.
"""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import numpy as np

BLOCK = 2000  # draws worked on at a time: paths that fit into a core's cache


def blocks(size: int, most: int | None = None) -> list[slice]:
    """Blocks of at most so many draws, by default :data:`BLOCK`.

    They are of equal size, since a draw that ``requirement.low_flop`` rejects is stood in for by
    another of its block.
    """
    ends = np.linspace(0, size, -(-size // (most or BLOCK)) + 1).astype(int)
    return [
        slice(start, end) for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    ]


def in_blocks(
    work: Callable[[slice], Mapping[str, Any]],
    size: int,
    most: int | None = None,
    at_once: int | None = None,
) -> dict[str, Any]:
    """What a function says of every draw, worked out a block at a time.

    Parameters
    ----------
    work : callable
        Takes a block and returns arrays by name, whose first axis is the block's draws.
    size : int
        Number of draws.
    most : int, optional
        Draws in a block; default :data:`BLOCK`.
    at_once : int, optional
        Blocks worked on at the same time; default one a core, since numpy lets go of the
        interpreter inside its loops. One where the order matters, as it does for random numbers.

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

    with ThreadPoolExecutor(at_once or os.cpu_count()) as pool:
        list(pool.map(fill, blocks(size, most)))
    return whole
