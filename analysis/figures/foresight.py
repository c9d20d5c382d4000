"""Dot plot of intervals now and as further evidence is expected to leave them."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from aligntax.analysis.answers.foreseen import Foreseen, width_unit
from aligntax.analysis.figures.style import BLUE, GREY, WIDTH, printable, styled
from aligntax.analysis.summaries.words import label_of
from aligntax.models.errors import InputError

PANELS = ("alignment_hours_needed", "alignment_hours_affordable", "tai_year", "data_exponent")
MOST = 3  # panels, of those answers or of the run's first


@styled
def narrowing_figure(foreseen: Sequence[Foreseen], intervals: Mapping[str, str]) -> Figure:
    """Draw a panel an answer: a dot for each kind and number of rows, with two standard errors.

    Parameters
    ----------
    foreseen : sequence of Foreseen
    intervals : mapping of str to str
        Of each answer, ``90%`` or ``50%``.

    Raises
    ------
    InputError
        If no figure of the answer can be trusted.
    """
    rows = [row for row in foreseen if row.trusted]
    seen = [name for name in intervals if any(name in row.answers for row in rows)]
    names = ([name for name in PANELS if name in seen] or seen)[:MOST]
    if not names:
        rule = "needs evidence whose weights can be trusted, got none"
        raise InputError(f"picture: {rule}; leave out --quick, or run again with more --draws")
    figure = Figure(
        figsize=(WIDTH * (0.4 + 0.6 * len(names)), 1.2 + 0.2 * len(rows)), layout="constrained"
    )
    panels = np.atleast_1d(figure.subplots(1, len(names), sharey=True))
    for axes, name in zip(panels, names, strict=True):
        for place, row in enumerate(rows):
            if (each := row.answers.get(name)) is None:
                continue
            colour = BLUE if each.contraction.clear else GREY
            width = each.width
            axes.errorbar(width.value, place, xerr=2 * width.error, fmt="o", ms=4, color=colour)
            axes.axvline(each.now, color=GREY, linestyle="--", linewidth=0.8)
        unit = f" ({unit})" if (unit := width_unit(name)) else ""
        axes.set_xlabel(f"{label_of(name)}:\nwidth of {intervals[name]} interval{unit}")
    panels[0].set_yticks(range(len(rows)), [printable(_label(row)) for row in rows])
    panels[0].invert_yaxis()
    return figure


def _label(row: Foreseen) -> str:
    return f"{row.rows} {row.title}{' (a year)' if row.a_year else ''}"
