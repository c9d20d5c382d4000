"""Figures that copies of this process draw while it works on the rest of a page.

Drawing is most of a report's time and takes one core. Each further core forks a copy, which has the
run in memory. The copies and this process take the next figure from one queue until none is left,
so that the page is the same however many there are. Those that need ArviZ come first: a copy then
imports it, while this process does the rest of the page.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from aligntax.analysis.copies import Copy, spare_cores
from aligntax.analysis.figures.report_figures import Drawing
from aligntax.analysis.pages.figure_data.pictures import Shown, draw_and_read


@contextmanager
def drawing_beside(
    drawings: Sequence[Drawing], strict: bool = False
) -> Iterator[Callable[[], list[Shown]]]:
    """Begin to draw, and yield what finishes it and returns every figure in order.

    Parameters
    ----------
    drawings : sequence of Drawing
        Fewer than 256.
    strict : bool
        Whether a figure that fails raises; then all are drawn in this process.
    """
    order = sorted(range(len(drawings)), key=lambda number: not drawings[number].by_arviz)
    queue, fill = os.pipe()
    os.write(fill, bytes(order))  # a byte is read by one process alone
    os.close(fill)
    team: list[Copy] = []
    try:
        for _ in range(0 if strict else spare_cores()):
            copy = Copy.start(lambda: _draw(drawings, _taken(queue), strict=False))
            team += [copy] if copy else []
        yield lambda: _finish(drawings, queue, team, strict)
    finally:
        os.close(queue)
        for copy in team:
            copy.stop()


def _finish(
    drawings: Sequence[Drawing], queue: int, team: Iterable[Copy], strict: bool
) -> list[Shown]:
    found = _draw(drawings, _taken(queue), strict)
    for copy in team:
        if (drawn := copy.found()) is not None:
            found |= drawn[0]
    # those of a copy that died or stands still
    found |= _draw(drawings, sorted(set(range(len(drawings))) - set(found)), strict)
    return [found[number] for number in range(len(drawings))]


def _draw(drawings: Sequence[Drawing], numbers: Iterable[int], strict: bool) -> dict[int, Shown]:
    return {number: draw_and_read(drawings[number], number + 1, strict) for number in numbers}


def _taken(queue: int) -> Iterator[int]:
    """Yield numbers of figures that no other process has taken, until none is left."""
    while number := os.read(queue, 1):
        yield number[0]
