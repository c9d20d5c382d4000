"""Marks of a matplotlib axes that carry data: lines, points, bands, intervals, bars and cells."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import (
    Collection,
    FillBetweenPolyCollection,
    LineCollection,
    PathCollection,
)
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer, Container
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch

from aligntax.analysis.pages.figure_data.axes import shows_names


@dataclass(frozen=True)
class Mark:
    """The values that one artist shows, in columns.

    Attributes
    ----------
    kind : str
        line, points, band, interval, bars or cells.
    label : str
        As in the legend; empty if it has none.
    colour, look : str
        How a reader recognises it.
    order : int
        Place in the order of drawing, within its axes.
    columns : mapping of str to ndarray
        ``x`` and ``y``; or a place and, along the other axis, ``low`` and ``high``. Cells also have
        a ``value``. No columns if it stands in the legend only.
    along : str
        Axis of ``low`` and ``high``.
    """

    kind: str
    label: str
    colour: str
    look: str
    order: int
    columns: Mapping[str, Any]
    along: str = ""

    def __len__(self) -> int:
        return max((len(column) for column in self.columns.values()), default=0)

    @property
    def required(self) -> tuple[str, ...]:
        """Columns without which a row is empty."""
        return ("low", "high") if self.along else ("value",) if self.kind == "cells" else ("x", "y")

    def take(self, rows: Any) -> "Mark":
        """Return some of the rows."""
        columns = {key: column[rows] for key, column in self.columns.items()}
        return Mark(self.kind, self.label, self.colour, self.look, self.order, columns, self.along)


def marks_of(axes: Axes) -> list[Mark]:
    """Return the marks of a panel in the order of drawing.

    Shading under a line is left out: it repeats the line.
    """
    bars = [container for container in axes.containers if isinstance(container, BarContainer)]
    labels = {id(child): _label(group) for group in axes.containers for child in _children(group)}
    found = [
        mark
        for order, artist in enumerate(axes.get_children())
        for mark in _artist_marks(artist, axes, labels, order)
    ]
    found += [_bars(container) for container in bars]
    lines = [mark for mark in found if mark.kind == "line"]
    return [
        mark
        for mark in found
        if not (mark.kind == "band" and any(_is_shading(mark, line) for line in lines))
    ]


def _children(container: Container) -> Iterator[Artist]:
    for child in container:
        yield from child if isinstance(child, tuple | list) else (child,)


def _label(artist: Artist | Container) -> str:
    label = " ".join(str(artist.get_label() or "").split())
    return "" if label.startswith("_") else label


def _artist_marks(
    artist: Artist, axes: Axes, labels: Mapping[int, str], order: int
) -> Iterator[Mark]:
    """Yield the marks of one artist; none if it is decoration."""
    label = _label(artist) or labels.get(id(artist), "")
    if isinstance(artist, Line2D):
        yield from _line_marks(artist, axes, label, order)
    elif isinstance(artist, PathCollection) and _in_data(artist.get_offset_transform(), axes):
        x, y = np.ma.filled(np.ma.asarray(artist.get_offsets(), dtype=float), np.nan).T
        yield Mark("points", label, _visible_colour(artist), "", order, {"x": x, "y": y})
    elif isinstance(artist, FillBetweenPolyCollection) and _in_data(artist.get_transform(), axes):
        yield _band(artist, label, order)
    elif isinstance(artist, LineCollection) and _in_data(artist.get_transform(), axes):
        yield from _segment_marks(artist, axes, label, order)
    elif isinstance(artist, StepPatch):
        heights, edges, _ = artist.get_data()
        middles = 0.5 * (np.asarray(edges[:-1], dtype=float) + np.asarray(edges[1:], dtype=float))
        colour = to_hex(artist.get_edgecolor())
        yield Mark(
            "line", label, colour, "", order, {"x": middles, "y": np.asarray(heights, dtype=float)}
        )
    elif isinstance(artist, AxesImage):
        yield _cells(artist, label, order)


def _in_data(transform: Any, axes: Axes) -> bool:
    """Whether both coordinates are data, not places on the panel."""
    return all(transform.contains_branch_seperately(axes.transData))


def _line_marks(line: Line2D, axes: Axes, label: str, order: int) -> Iterator[Mark]:
    x, y = (
        np.ma.filled(np.ma.asarray(data, dtype=float), np.nan) for data in line.get_data(orig=False)
    )
    colour, look = to_hex(line.get_color()), f"{line.get_marker()}{line.get_linestyle()}"
    by_x, by_y = line.get_transform().contains_branch_seperately(axes.transData)
    if not (by_x and by_y):  # a line across the whole panel
        if label and (by_x or by_y) and len(x):
            blank = np.array([np.nan])
            yield Mark(
                "points",
                label,
                colour,
                look,
                order,
                {"x": x[:1] if by_x else blank, "y": y[:1] if by_y else blank},
            )
    elif not len(x):
        yield Mark("line", label, colour, look, order, {})
    elif (
        len(x) == 2
        and not label
        and line.get_marker() in ("None", "", None, " ")
        and (x[0] == x[1] or y[0] == y[1])
    ):
        if line.get_linestyle() != "-":  # it marks zero
            return
        yield _interval(
            x[None],
            y[None],
            ("", colour, look, order),
            level=y[0] == y[1] and (x[0] != x[1] or shows_names(axes.yaxis)),
        )
    else:
        alone = len(x) == 1 or line.get_linestyle() in ("None", "", " ")
        yield Mark("points" if alone else "line", label, colour, look, order, {"x": x, "y": y})


def _interval(x: Any, y: Any, whose: tuple[str, str, str, int], level: bool) -> Mark:
    """Return intervals along one axis; ``x`` and ``y`` have shape (interval, 2)."""
    along, place = ("x", "y") if level else ("y", "x")
    at, ends = (y, x) if level else (x, y)
    columns = {place: at[:, 0], "low": ends.min(axis=1), "high": ends.max(axis=1)}
    return Mark("interval", *whose, columns, along)


def _segment_marks(
    collection: LineCollection, axes: Axes, label: str, order: int
) -> Iterator[Mark]:
    parts = [
        np.ma.filled(np.ma.asarray(part, dtype=float), np.nan) for part in collection.get_segments()
    ]
    colours = collection.get_edgecolor()
    whose = (label, to_hex(colours[0]) if len(colours) else "", "", order)  # type: ignore[arg-type]
    straight = [part for part in parts if len(part) == 2 and np.any(part[0] == part[1])]
    for part in parts:
        if len(part) > 2:
            yield Mark("line", *whose, {"x": part[:, 0], "y": part[:, 1]})
    # a segment of no length lies at a name, if the axis shows names
    for fixed in (1, 0) if shows_names(axes.yaxis) else (0, 1):
        own = np.array([part for part in straight if part[0, fixed] == part[1, fixed]])
        if not len(own):
            continue
        # a segment across a name is a mark, not an interval
        if shows_names(axes.yaxis if fixed == 0 else axes.xaxis):
            middle = own.mean(axis=1)
            yield Mark("points", *whose, {"x": middle[:, 0], "y": middle[:, 1]})
        else:
            yield _interval(own[..., 0], own[..., 1], whose, level=fixed == 1)
        straight = [part for part in straight if part[0, fixed] != part[1, fixed]]


def _band(band: FillBetweenPolyCollection, label: str, order: int) -> Mark:
    """Return low and high at each place, read from the outline."""
    points = np.concatenate([path.vertices for path in band.get_paths()] or [np.empty((0, 2))])
    sideways = band.t_direction == "y"  # type: ignore[attr-defined]
    place, value = (points[:, 1], points[:, 0]) if sideways else (points[:, 0], points[:, 1])
    at, row = np.unique(place, return_inverse=True)
    low, high = np.full(len(at), np.inf), np.full(len(at), -np.inf)
    np.minimum.at(low, row, value)
    np.maximum.at(high, row, value)
    columns = {"y" if sideways else "x": at, "low": low, "high": high}
    return Mark("band", label, _visible_colour(band), "", order, columns, "x" if sideways else "y")


def _is_shading(band: Mark, line: Mark) -> bool:
    """Whether a band from zero up to a line is only its shading."""
    if (
        band.along != "y"
        or line.colour != band.colour
        or len(line) != len(band)
        or np.any(band.columns["low"])
    ):
        return False
    return bool(np.allclose(line.columns["y"], band.columns["high"]))


def _cells(image: AxesImage, label: str, order: int) -> Mark:
    grid = np.ma.filled(np.ma.asarray(image.get_array(), dtype=float), np.nan)
    left, right, bottom, top = image.get_extent()
    rows, columns = grid.shape[:2]
    x = left + (np.arange(columns) + 0.5) * (right - left) / columns
    up = (np.arange(rows) + 0.5) / rows
    y = top + up * (bottom - top) if image.origin == "upper" else bottom + up * (top - bottom)
    across, down = np.meshgrid(x, y)
    return Mark(
        "cells",
        label,
        "",
        "",
        order,
        {"x": across.ravel(), "y": down.ravel(), "value": grid.ravel()},
    )


def _bars(container: BarContainer) -> Mark:
    boxes = [patch.get_bbox() for patch in container.patches]
    level = container.orientation == "horizontal"
    middle = np.array(
        [0.5 * (box.y0 + box.y1) if level else 0.5 * (box.x0 + box.x1) for box in boxes]
    )
    end = np.array([box.x1 if level else box.y1 for box in boxes])
    columns = {"x": end, "y": middle} if level else {"x": middle, "y": end}
    colour = to_hex(container.patches[0].get_facecolor()) if boxes else ""
    return Mark("bars", _label(container), colour, "", len(boxes), columns)


def _visible_colour(collection: Collection) -> str:
    """Return the visible colour, that of the edge if hollow; empty if points differ."""
    face, edge = (
        np.atleast_2d(collection.get_facecolor()),
        np.atleast_2d(collection.get_edgecolor()),
    )
    hollow = not face.size or face[0, 3] == 0 or to_hex(face[0]) == "#ffffff"
    chosen = edge if hollow else face
    return to_hex(chosen[0]) if chosen.size and len(chosen) == 1 else ""
