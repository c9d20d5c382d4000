"""What a drawn figure shows, as columns: every line, cloud of points, band and interval, and where each stands on the image.

Nothing here knows which figure it reads. A series is called by its label; one without a label takes
that of what has its colour, as a reader of the legend does, else its colour's name. Where two bands
or intervals of one colour lie inside one another they hold 90% and 50%, as everywhere in this
package. A value beyond its axis is a text, ``>7.3``: infinite ones are drawn out there, and a
number would be made up.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aligntax.analysis.figures.style import AMBER, BANDS, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY
from aligntax.analysis.pages.figure_data.axes import Scale, scales
from aligntax.analysis.pages.figure_data.marks import Mark, marks

if TYPE_CHECKING:
    from numpy.typing import NDArray


MOST = {"line": 60, "band": 60}  # rows of one series on the page; half as many more may stand
MOST_MARKS = 300  # of what is no curve: evidence is never thinned, draws are
PLACES = 10_000  # of an image's width and height
COLOURS = {
    BLUE.lower(): "blue",
    ORANGE.lower(): "orange",
    GREEN.lower(): "green",
    PURPLE.lower(): "purple",
    SKY.lower(): "light blue",
    AMBER.lower(): "amber",
    GREY.lower(): "grey",
    "#000000": "black",
}
# of what lies inside one another, the wide one first
SHARES = tuple(f"{100 * (high - low):.0f}%" for low, high, _ in BANDS)


@dataclass(frozen=True)
class Series:
    """Columns of the same length under a name; ``low`` and ``high`` lie along x or y."""

    name: str
    mark: Mark


def values(figure: Figure) -> list[dict[str, Any]]:
    """What each panel of a figure shows, fit for JSON.

    Parameters
    ----------
    figure : Figure
        As it was last saved: that fixed where its panels stand.

    Returns
    -------
    list of dict
        A panel's ``title``, its axes' labels ``x`` and ``y``, what the numbers on them are where
        words stand on the axis (``numbers``), and ``series``: each with a ``name``, the columns of
        its ``kind`` (``x``, ``y``, ``low``, ``high``, ``value``), each of these in the axis's words
        under ``words`` where it has any, and alone where it has names, what ``low`` and ``high``
        lie ``along``, places ``at`` on the image in ten thousandths from its top left, two a row
        where there are a low and a high, and the number of rows it was ``thinned`` from, if it was.
    """
    drawn = {axes: marks(axes) for axes in figure.axes}
    everything = [mark for found in drawn.values() for mark in found]
    return [
        _panel(axes, found, everything)
        for axes, found in drawn.items()
        if any(len(mark) for mark in found)
    ]


def _panel(axes: Axes, found: Sequence[Mark], everything: Sequence[Mark]) -> dict[str, Any]:
    along = scales(axes)
    shown = (_json(one, axes, along) for one in _series(found, everything))
    title = axes.get_title() or axes.get_title("left")
    return {
        "title": title,
        "x": along["x"].label,
        "y": along["y"].label,
        "numbers": {which: scale.numbers for which, scale in along.items() if scale.numbers},
        "series": [series for series in shown if series["at"]],
    }


def _series(found: Sequence[Mark], everything: Sequence[Mark]) -> list[Series]:
    """Named series: intervals and points of one name are one, lines of one name are numbered."""
    named = [(_name(mark, found, everything), mark) for mark in found if len(mark)]
    joined: dict[tuple[str, str, str], list[Mark]] = {}
    for i, (name, mark) in enumerate(named):
        apart = str(i) if mark.kind in ("line", "band") else ""
        joined.setdefault((name, f"{mark.kind} {mark.along}", apart), []).append(mark)
    whole = [Series(key[0], _together(group)) for key, group in joined.items()]
    nested = [part for series in _bands(whole) for part in _intervals(series)]
    counts: dict[str, int] = {}
    unique = []
    for series in nested:
        counts[series.name] = counts.get(series.name, 0) + 1
        count = counts[series.name]
        unique.append(series if count == 1 else replace(series, name=f"{series.name} ({count})"))
    return unique


def _name(mark: Mark, found: Sequence[Mark], everything: Sequence[Mark]) -> str:
    """Label, else that of the nearest artist of the same colour, best of the same kind; else the colour and the kind."""
    if mark.label:
        return mark.label
    near = [other for other in found if other.label and other.colour == mark.colour]
    near = near or [other for other in everything if other.label and other.colour == mark.colour]
    if not near:
        return f"{COLOURS.get(mark.colour, '')} {mark.kind}".strip()
    best = min(
        near,
        key=lambda other: (other.kind != mark.kind, other.look != mark.look, _apart(mark, other)),
    )
    alike = best.kind == mark.kind or best.look == mark.look != ""
    return best.label if alike else f"{best.label}, {mark.kind}"


def _apart(mark: Mark, other: Mark) -> tuple[bool, int]:
    """What is drawn for a series comes before the artist that has its label, as a rule."""
    return other.order < mark.order, abs(other.order - mark.order)


def _together(group: Sequence[Mark]) -> Mark:
    columns = {
        key: np.concatenate([mark.columns[key] for mark in group]) for key in group[0].columns
    }
    return replace(group[0], columns=columns)


def _bands(whole: Sequence[Series]) -> list[Series]:
    """Bands with the share they hold, where one of the same colour and places lies inside the other."""
    shares: dict[int, str] = {}
    for i, outer in enumerate(whole):
        for j, inner in enumerate(whole):
            if (
                i < j
                and outer.mark.kind == inner.mark.kind == "band"
                and _inside(inner.mark, outer.mark)
            ):
                shares |= {i: SHARES[0], j: SHARES[1]}
    return [
        replace(series, name=_shared(series, shares[i])) if i in shares else series
        for i, series in enumerate(whole)
    ]


def _inside(inner: Mark, outer: Mark) -> bool:
    place = "x" if inner.along == "y" else "y"
    if inner.colour != outer.colour or inner.along != outer.along or len(inner) != len(outer):
        return False
    a, b = inner.columns, outer.columns
    inside = np.allclose(a[place], b[place], equal_nan=True)
    return bool(inside and np.all(a["low"] >= b["low"]) and np.all(a["high"] <= b["high"]))


def _intervals(series: Series) -> Iterator[Series]:
    """Intervals, those that lie two at a place apart by the share they hold."""
    mark = series.mark
    if mark.kind != "interval":
        yield series
        return
    place = mark.columns["x" if mark.along == "y" else "y"]
    width = mark.columns["high"] - mark.columns["low"]
    same = np.isclose(place[:, None], place[None, :], rtol=0.0, atol=1e-9)
    rank = (same & (width[None, :] > width[:, None])).sum(axis=1)
    tied = same & (width[None, :] == width[:, None])
    rank += np.tril(tied, -1).sum(axis=1)  # of two that are equal the wide one was drawn first
    pair = same.sum(axis=1) == 2
    pair &= 2 * pair.sum() > len(pair)  # a few that coincide are no pairs
    for chosen, share in (
        (~pair, ""),
        *((pair & (rank == i), share) for i, share in enumerate(SHARES)),
    ):
        if chosen.any():
            name = _shared(series, share) if share else series.name
            yield Series(name, mark.take(np.flatnonzero(chosen)))


def _shared(series: Series, share: str) -> str:
    kind = series.mark.kind
    return (
        f"{series.name.removesuffix(kind)}{share} {kind}"
        if series.name.endswith(kind)
        else f"{series.name}, {share}"
    )


def _json(series: Series, axes: Axes, along: Mapping[str, Scale]) -> dict[str, Any]:
    """Series as the page has it: rows that can be seen, thinned, rounded, in words, with their places."""
    mark = _visible(series.mark, along)
    rows, most = len(mark), MOST.get(mark.kind, MOST_MARKS)
    thin = rows > 1.5 * most
    if thin:
        mark = mark.take(np.unique(np.linspace(0, rows - 1, most).round().astype(int)))
    of = {
        "x": along["x"],
        "y": along["y"],
        "low": along.get(mark.along),
        "high": along.get(mark.along),
    }
    columns: dict[str, Any] = {}
    words: dict[str, list[str]] = {}
    for key, column in mark.columns.items():
        scale = of.get(key)
        spelt = None if scale is None else scale.words(column)
        if scale is not None and scale.named and spelt is not None:
            columns[key] = spelt
            continue
        columns[key] = [_rounded(value, scale) for value in column]
        if spelt is not None:
            words[key] = spelt
    told: dict[str, Any] = {
        "name": series.name,
        "kind": mark.kind,
        **columns,
        "at": _places(mark, axes),
    }
    told |= {"along": mark.along} if mark.along else {}
    told |= {"words": words} if words else {}
    return told | ({"thinned": rows} if thin else {})


def _visible(mark: Mark, along: Mapping[str, Scale]) -> Mark:
    """Rows of a curve whose place lies on its axis, and rows that say anything."""
    kept = ~np.all(
        np.isnan([column for key, column in mark.columns.items() if key in mark.said]), axis=0
    )
    if mark.kind in ("line", "band"):
        place = "y" if mark.along == "x" else "x"
        kept &= along[place].holds(mark.columns[place])
    return mark.take(np.flatnonzero(kept))


def _rounded(value: float, scale: Scale | None) -> float | str | None:
    if np.isnan(value):
        return None
    return float(f"{value:.6g}") if scale is None else scale.cut(float(value))


def _places(mark: Mark, axes: Axes) -> "list[int | None]":
    """Where each row stands on the image, in ten thousandths of its size: x and y, null beyond the panel."""
    figure = axes.get_figure(root=True)
    assert figure is not None  # a mark is read off one
    spots = [_spot(mark, end) for end in (("low", "high") if mark.along else ("",))]
    pairs: NDArray[Any] = np.stack(spots, axis=1).reshape(-1, 2)
    with np.errstate(all="ignore"):
        pixels = axes.transData.transform(pairs)
    box = axes.bbox
    low, high = np.array([box.x0, box.y0]), np.array([box.x1, box.y1])
    if mark.along:  # an end beyond the panel is drawn up to its edge
        pixels = np.clip(pixels, low, high)
    seen = np.all((pixels >= low - 1) & (pixels <= high + 1), axis=1)
    share = pixels / [figure.bbox.width, figure.bbox.height] * [1, -1] + [0, 1]
    return [
        round(PLACES * float(part)) if shown else None
        for row, shown in zip(share, seen, strict=True)
        for part in row
    ]


def _spot(mark: Mark, end: str) -> "NDArray[Any]":
    columns = mark.columns
    x = columns[end] if mark.along == "x" else columns["x"]
    y = columns[end] if mark.along == "y" else columns["y"]
    return np.stack([x, y], axis=-1)
