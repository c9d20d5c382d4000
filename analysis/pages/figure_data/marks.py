"""What an axes of matplotlib holds that carries data: lines, points, bands, intervals, bars and cells."""

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

from aligntax.analysis.pages.figure_data.axes import named


@dataclass(frozen=True)
class Mark:
    """Columns of what one artist shows.

    Attributes
    ----------
    kind : str
        line, points, band, interval, bars or cells.
    label : str
        As in the legend; empty where it has none.
    colour, look : str
        By which a reader knows it again.
    order : int
        When it was drawn, in its axes.
    columns : mapping of str to ndarray
        ``x`` and ``y``; or a place and, along the other axis, ``low`` and ``high``; cells have a
        ``value`` too. No columns where it stands in the legend alone.
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
    def said(self) -> tuple[str, ...]:
        """Columns without which a row says nothing."""
        return ("low", "high") if self.along else ("value",) if self.kind == "cells" else ("x", "y")

    def take(self, rows: Any) -> "Mark":
        """Some of the rows."""
        columns = {key: column[rows] for key, column in self.columns.items()}
        return Mark(self.kind, self.label, self.colour, self.look, self.order, columns, self.along)


def marks(axes: Axes) -> list[Mark]:
    """Everything in a panel that carries data, in the order of drawing; shading under a line says what the line says."""
    bars = [container for container in axes.containers if isinstance(container, BarContainer)]
    labels = {id(child): _label(group) for group in axes.containers for child in _children(group)}
    found = [
        mark
        for order, artist in enumerate(axes.get_children())
        for mark in _read(artist, axes, labels, order)
    ]
    found += [_bars(container) for container in bars]
    lines = [mark for mark in found if mark.kind == "line"]
    return [
        mark
        for mark in found
        if not (mark.kind == "band" and any(_shades(mark, line) for line in lines))
    ]


def _children(container: Container) -> Iterator[Artist]:
    for child in container:
        yield from child if isinstance(child, tuple | list) else (child,)


def _label(artist: Artist | Container) -> str:
    label = " ".join(str(artist.get_label() or "").split())
    return "" if label.startswith("_") else label


def _read(artist: Artist, axes: Axes, labels: Mapping[int, str], order: int) -> Iterator[Mark]:
    """Marks of one artist; none where it is decoration."""
    label = _label(artist) or labels.get(id(artist), "")
    if isinstance(artist, Line2D):
        yield from _line(artist, axes, label, order)
    elif isinstance(artist, PathCollection) and _of_data(artist.get_offset_transform(), axes):
        x, y = np.ma.filled(np.ma.asarray(artist.get_offsets(), dtype=float), np.nan).T
        yield Mark("points", label, _face(artist), "", order, {"x": x, "y": y})
    elif isinstance(artist, FillBetweenPolyCollection) and _of_data(artist.get_transform(), axes):
        yield _band(artist, label, order)
    elif isinstance(artist, LineCollection) and _of_data(artist.get_transform(), axes):
        yield from _segments(artist, axes, label, order)
    elif isinstance(artist, StepPatch):
        heights, edges, _ = artist.get_data()
        middles = 0.5 * (np.asarray(edges[:-1], dtype=float) + np.asarray(edges[1:], dtype=float))
        colour = to_hex(artist.get_edgecolor())
        yield Mark(
            "line", label, colour, "", order, {"x": middles, "y": np.asarray(heights, dtype=float)}
        )
    elif isinstance(artist, AxesImage):
        yield _cells(artist, label, order)


def _of_data(transform: Any, axes: Axes) -> bool:
    """Whether both coordinates are values, not a place on the panel."""
    return all(transform.contains_branch_seperately(axes.transData))


def _line(line: Line2D, axes: Axes, label: str, order: int) -> Iterator[Mark]:
    x, y = (
        np.ma.filled(np.ma.asarray(data, dtype=float), np.nan) for data in line.get_data(orig=False)
    )
    colour, look = to_hex(line.get_color()), f"{line.get_marker()}{line.get_linestyle()}"
    by_x, by_y = line.get_transform().contains_branch_seperately(axes.transData)
    if not (by_x and by_y):  # a line across the panel
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
        if line.get_linestyle() != "-":  # where zero is
            return
        yield _interval(
            x[None],
            y[None],
            ("", colour, look, order),
            level=y[0] == y[1] and (x[0] != x[1] or named(axes.yaxis)),
        )
    else:
        alone = len(x) == 1 or line.get_linestyle() in ("None", "", " ")
        yield Mark("points" if alone else "line", label, colour, look, order, {"x": x, "y": y})


def _interval(x: Any, y: Any, whose: tuple[str, str, str, int], level: bool) -> Mark:
    """Intervals along one axis; ``x`` and ``y`` have a row an interval and its two ends."""
    along, place = ("x", "y") if level else ("y", "x")
    at, ends = (y, x) if level else (x, y)
    columns = {place: at[:, 0], "low": ends.min(axis=1), "high": ends.max(axis=1)}
    return Mark("interval", *whose, columns, along)


def _segments(collection: LineCollection, axes: Axes, label: str, order: int) -> Iterator[Mark]:
    parts = [
        np.ma.filled(np.ma.asarray(part, dtype=float), np.nan) for part in collection.get_segments()
    ]
    colours = collection.get_edgecolor()
    whose = (label, to_hex(colours[0]) if len(colours) else "", "", order)  # type: ignore[arg-type]
    straight = [part for part in parts if len(part) == 2 and np.any(part[0] == part[1])]
    for part in parts:
        if len(part) > 2:
            yield Mark("line", *whose, {"x": part[:, 0], "y": part[:, 1]})
    # one without a length lies at a name, if there are names
    for fixed in (1, 0) if named(axes.yaxis) else (0, 1):
        own = np.array([part for part in straight if part[0, fixed] == part[1, fixed]])
        if not len(own):
            continue
        # across a name it is a mark, not an interval
        if named(axes.yaxis if fixed == 0 else axes.xaxis):
            middle = own.mean(axis=1)
            yield Mark("points", *whose, {"x": middle[:, 0], "y": middle[:, 1]})
        else:
            yield _interval(own[..., 0], own[..., 1], whose, level=fixed == 1)
        straight = [part for part in straight if part[0, fixed] != part[1, fixed]]


def _band(band: FillBetweenPolyCollection, label: str, order: int) -> Mark:
    """Low and high at each place, from the outline."""
    points = np.concatenate([path.vertices for path in band.get_paths()] or [np.empty((0, 2))])
    sideways = band.t_direction == "y"  # type: ignore[attr-defined]
    place, value = (points[:, 1], points[:, 0]) if sideways else (points[:, 0], points[:, 1])
    at, row = np.unique(place, return_inverse=True)
    low, high = np.full(len(at), np.inf), np.full(len(at), -np.inf)
    np.minimum.at(low, row, value)
    np.maximum.at(high, row, value)
    columns = {"y" if sideways else "x": at, "low": low, "high": high}
    return Mark("band", label, _face(band), "", order, columns, "x" if sideways else "y")


def _shades(band: Mark, line: Mark) -> bool:
    """Whether a band from zero up to a line is but its shading."""
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


def _face(collection: Collection) -> str:
    """Colour that a reader sees: that of the edge where there is nothing inside; none where points differ."""
    face, edge = (
        np.atleast_2d(collection.get_facecolor()),
        np.atleast_2d(collection.get_edgecolor()),
    )
    hollow = not face.size or face[0, 3] == 0 or to_hex(face[0]) == "#ffffff"
    chosen = edge if hollow else face
    return to_hex(chosen[0]) if chosen.size and len(chosen) == 1 else ""
