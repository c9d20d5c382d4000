"""The values that a drawn figure shows: lines, points, bands and intervals, and their places.

Nothing here depends on which figure it reads. A series has the name of its label. Without a label
it takes the label of the mark that has its colour, as a reader of the legend would, or else the
name of its colour. Of two nested bands or intervals of one colour the outer holds 90% and the inner
50%, as everywhere in this package. A value beyond its axis is a text such as ``>7.3``: infinite
values are drawn there, and a number would be wrong.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aligntax.analysis.figures.style import AMBER, BANDS, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY
from aligntax.analysis.pages.figure_data.axes import Scale, scales
from aligntax.analysis.pages.figure_data.marks import Mark, marks_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


MOST = {"line": 60, "band": 60}  # rows of one series on the page; up to half as many more are kept
MOST_MARKS = 300  # rows of what is not a curve: evidence is never thinned, draws are
PLACES = 10_000  # into which an image's width and height are divided
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
# of nested bands, the wide one first
SHARES = tuple(f"{100 * (high - low):.0f}%" for low, high, _ in BANDS)


@dataclass(frozen=True)
class NamedSeries:
    """A mark with the name under which the page shows it."""

    name: str
    mark: Mark


def figure_values(figure: Figure) -> list[dict[str, Any]]:
    """Return the values that each panel of a figure shows, fit for JSON.

    Parameters
    ----------
    figure : Figure
        A saved one: saving fixes the places of its panels.

    Returns
    -------
    list of dict
        For each panel ``title``, axis labels ``x`` and ``y``, ``numbers`` (how numbers relate
        to the words on an axis), and ``series``. Each series has a ``name``, the columns of its
        ``kind`` (``x``, ``y``, ``low``, ``high``, ``value``), and under ``words`` columns in the
        words of the axis; an axis of names has words only. ``along`` names the axis of ``low`` and
        ``high``. ``at`` holds places on the image in ten thousandths from its top left, two per row
        if there are a low and a high. ``thinned`` is the number of rows before thinning.
    """
    drawn = {axes: marks_of(axes) for axes in figure.axes}
    everything = [mark for found in drawn.values() for mark in found]
    return [
        _panel(axes, found, everything)
        for axes, found in drawn.items()
        if any(len(mark) for mark in found)
    ]


def _panel(axes: Axes, found: Sequence[Mark], everything: Sequence[Mark]) -> dict[str, Any]:
    along = scales(axes)
    shown = (_json(one, axes, along) for one in _named_series(found, everything))
    title = axes.get_title() or axes.get_title("left")
    return {
        "title": title,
        "x": along["x"].label,
        "y": along["y"].label,
        "numbers": {which: scale.numbers for which, scale in along.items() if scale.numbers},
        "series": [series for series in shown if series["at"]],
    }


def _named_series(found: Sequence[Mark], everything: Sequence[Mark]) -> list[NamedSeries]:
    """Return named series: intervals or points of one name are joined, lines are numbered."""
    named = [(_series_name(mark, found, everything), mark) for mark in found if len(mark)]
    joined: dict[tuple[str, str, str], list[Mark]] = {}
    for i, (name, mark) in enumerate(named):
        apart = str(i) if mark.kind in ("line", "band") else ""
        joined.setdefault((name, f"{mark.kind} {mark.along}", apart), []).append(mark)
    whole = [NamedSeries(key[0], _joined(group)) for key, group in joined.items()]
    nested = [part for series in _name_nested_bands(whole) for part in _split_intervals(series)]
    counts: dict[str, int] = {}
    unique = []
    for series in nested:
        counts[series.name] = counts.get(series.name, 0) + 1
        count = counts[series.name]
        unique.append(series if count == 1 else replace(series, name=f"{series.name} ({count})"))
    return unique


def _series_name(mark: Mark, found: Sequence[Mark], everything: Sequence[Mark]) -> str:
    """Return the label, or that of the nearest mark of the same colour, or colour and kind."""
    if mark.label:
        return mark.label
    near = [other for other in found if other.label and other.colour == mark.colour]
    near = near or [other for other in everything if other.label and other.colour == mark.colour]
    if not near:
        return f"{COLOURS.get(mark.colour, '')} {mark.kind}".strip()
    best = min(
        near,
        key=lambda other: (
            other.kind != mark.kind,
            other.look != mark.look,
            _distance(mark, other),
        ),
    )
    alike = best.kind == mark.kind or best.look == mark.look != ""
    return best.label if alike else f"{best.label}, {mark.kind}"


def _distance(mark: Mark, other: Mark) -> tuple[bool, int]:
    """Return a distance in drawing order; marks usually precede the artist with their label."""
    return other.order < mark.order, abs(other.order - mark.order)


def _joined(group: Sequence[Mark]) -> Mark:
    columns = {
        key: np.concatenate([mark.columns[key] for mark in group]) for key in group[0].columns
    }
    return replace(group[0], columns=columns)


def _name_nested_bands(whole: Sequence[NamedSeries]) -> list[NamedSeries]:
    """Return series in which nested bands of one colour are named by the share they hold."""
    shares: dict[int, str] = {}
    for i, outer in enumerate(whole):
        for j, inner in enumerate(whole):
            if (
                i < j
                and outer.mark.kind == inner.mark.kind == "band"
                and _is_nested(inner.mark, outer.mark)
            ):
                shares |= {i: SHARES[0], j: SHARES[1]}
    return [
        replace(series, name=_with_share(series, shares[i])) if i in shares else series
        for i, series in enumerate(whole)
    ]


def _is_nested(inner: Mark, outer: Mark) -> bool:
    place = "x" if inner.along == "y" else "y"
    if inner.colour != outer.colour or inner.along != outer.along or len(inner) != len(outer):
        return False
    a, b = inner.columns, outer.columns
    inside = np.allclose(a[place], b[place], equal_nan=True)
    return bool(inside and np.all(a["low"] >= b["low"]) and np.all(a["high"] <= b["high"]))


def _split_intervals(series: NamedSeries) -> Iterator[NamedSeries]:
    """Yield intervals; of two at one place each is named by the share it holds."""
    mark = series.mark
    if mark.kind != "interval":
        yield series
        return
    place = mark.columns["x" if mark.along == "y" else "y"]
    width = mark.columns["high"] - mark.columns["low"]
    same = np.isclose(place[:, None], place[None, :], rtol=0.0, atol=1e-9)
    rank = (same & (width[None, :] > width[:, None])).sum(axis=1)
    tied = same & (width[None, :] == width[:, None])
    rank += np.tril(tied, -1).sum(axis=1)  # of two equal ones the wide one was drawn first
    pair = same.sum(axis=1) == 2
    pair &= 2 * pair.sum() > len(pair)  # a few that coincide by chance are not pairs
    for chosen, share in (
        (~pair, ""),
        *((pair & (rank == i), share) for i, share in enumerate(SHARES)),
    ):
        if chosen.any():
            name = _with_share(series, share) if share else series.name
            yield NamedSeries(name, mark.take(np.flatnonzero(chosen)))


def _with_share(series: NamedSeries, share: str) -> str:
    kind = series.mark.kind
    return (
        f"{series.name.removesuffix(kind)}{share} {kind}"
        if series.name.endswith(kind)
        else f"{series.name}, {share}"
    )


def _json(series: NamedSeries, axes: Axes, along: Mapping[str, Scale]) -> dict[str, Any]:
    """Return a series for the page: visible rows, thinned, rounded, in words, with places."""
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
    shown: dict[str, Any] = {
        "name": series.name,
        "kind": mark.kind,
        **columns,
        "at": _places(mark, axes),
    }
    shown |= {"along": mark.along} if mark.along else {}
    shown |= {"words": words} if words else {}
    return shown | ({"thinned": rows} if thin else {})


def _visible(mark: Mark, along: Mapping[str, Scale]) -> Mark:
    """Return the rows that are not empty and, of a curve, lie on the axis."""
    kept = ~np.all(
        np.isnan([column for key, column in mark.columns.items() if key in mark.required]), axis=0
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
    """Return places on the image, x and y in ten thousandths; None beyond the panel."""
    figure = axes.get_figure(root=True)
    assert figure is not None  # marks are read from a figure
    spots = [_row_points(mark, end) for end in (("low", "high") if mark.along else ("",))]
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


def _row_points(mark: Mark, end: str) -> "NDArray[Any]":
    columns = mark.columns
    x = columns[end] if mark.along == "x" else columns["x"]
    y = columns[end] if mark.along == "y" else columns["y"]
    return np.stack([x, y], axis=-1)
