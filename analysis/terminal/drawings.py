"""Small pictures in a terminal: a density beside each median, and arrival by year as a curve.

They need colour, room, and an encoding that has the characters. A pipe, ``NO_COLOR`` and other
terminals get words alone.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.cells import cell_len
from rich.console import Group
from rich.measure import Measurement
from rich.text import Text

from aligntax.analysis.answers.densities import StoredDraws, read_draws
from aligntax.analysis.terminal.tables import print_table
from aligntax.models.errors import InputError
from aligntax.models.priors.quantities import QUANTITIES, quantity_of

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions

    from aligntax.analysis.summaries.weights import Weights


BLOCKS = "▁▂▃▄▅▆▇█"
CHARACTERS = f"{BLOCKS}←→│└─┴┤⠿"
COLOURS = ("cyan", "yellow")
BAR_LEGEND = (
    "density: from the 1% to the 99% quantile of finite draws, amounts in orders of magnitude; "
    "← below, → beyond every value"
)
FEWEST_COLUMNS, MOST_COLUMNS = 8, 24  # of a bar
NOTE_COLUMNS = 36  # that a note keeps beside a column of bars
SHARE_COLUMNS = 16  # of a bar from which on its arrows have shares beside them
NARROWEST_TERMINAL = 56  # columns; a narrower terminal gets words alone
WIDEST_CURVE = 100  # columns
CURVE_ROWS = 9  # so that every quarter of probability falls on a row
# bits of a braille character's dots: four rows of two
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
CURVES = (("tai_year", 1), ("tai_year_aligned", 2))  # the second is dashed: every other character
AXIS_COLUMNS = 6  # left of a curve


def can_draw(console: "Console") -> bool:
    """Say whether a console is a terminal with colour, room and the characters."""
    return (
        has_characters(console)
        and console.color_system is not None
        and not console.no_color
        and console.width >= NARROWEST_TERMINAL
    )


def has_characters(console: "Console") -> bool:
    """Say whether a console is a terminal whose encoding has the characters."""
    if not console.is_terminal:
        return False
    try:
        CHARACTERS.encode(console.encoding)
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def read_drawable(
    console: "Console", folder: Path, names: Iterable[str], weights: "Weights | None" = None
) -> StoredDraws | None:
    """Read the draws of quantities if the console can draw.

    Draws that cannot be read are reported on standard error, and nothing is returned.
    """
    if not can_draw(console):
        return None
    try:
        return read_draws(folder, {*names, *(name for name, _ in CURVES)}, weights)
    except InputError as error:
        sys.stderr.write(f"aligntax: nothing is drawn; {error}\n")
        return None


@dataclass(frozen=True)
class Bar:
    """A density as blocks, as wide as its column allows.

    Arrows point at the share of draws below or beyond every value.

    Attributes
    ----------
    slots : tuple of bool
        Whether room is left for a share below and one above, so that the bars of a column line up.
    most : int
        Most columns that it takes.
    """

    draws: StoredDraws
    name: str
    slots: tuple[bool, bool]
    most: int

    def __rich_measure__(self, console: "Console", options: "ConsoleOptions") -> Measurement:
        return Measurement(FEWEST_COLUMNS, self.most).with_maximum(options.max_width)

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> Iterator[Text]:
        width = min(options.max_width, self.most)
        if width < FEWEST_COLUMNS:
            return
        slot = 4 if width >= SHARE_COLUMNS else 1
        shape = self.draws.density(self.name, width - slot * sum(self.slots))
        defined = 1.0 - shape.undefined
        low, high = (
            share / defined if defined > 0 else 0.0 for share in (shape.below, shape.above)
        )
        with_share = slot > 1
        left = f"{_share(low) if with_share else ''}←" if low else ""
        right = f"→{_share(high) if with_share else ''}" if high else ""
        line = Text(no_wrap=True, overflow="crop")
        line.append(left.rjust(slot) if self.slots[0] else "", COLOURS[1])
        line.append("".join(block(height) for height in shape.heights), COLOURS[0])
        line.append(right, COLOURS[1])
        yield line


def block(height: float) -> str:
    """Return the block character of a relative height; a cell with any draw at all is not blank."""
    return BLOCKS[max(0, int(np.ceil(height * len(BLOCKS))) - 1)] if height > 0 else " "


def _share(share: float) -> str:
    """Write a share in three columns at most."""
    if share < 0.01:
        return "<1%"
    return f"{min(99, round(100 * share))}%" if share < 1.0 - 1e-9 else "all"


def print_table_with_bars(
    console: "Console",
    columns: Sequence[str],
    rows: Mapping[str, Sequence[str]],
    draws: StoredDraws,
) -> None:
    """Print a table of quantities with bars.

    Bars stand in a column of their own if the words leave room, otherwise below the medians.
    Probabilities have none, because their mean says all.
    """
    drawn = [name for name in rows if name in draws.values and not quantity_of(name).by_mean]
    if not drawn:
        print_table(console, columns, rows.values())
        return
    shapes = [draws.density(name, 1) for name in drawn]
    slots = (any(shape.below for shape in shapes), any(shape.above for shape in shapes))
    words = [max(map(cell_len, column)) for column in zip(columns, *rows.values(), strict=True)]
    room = console.width - sum(words) - 3 * len(columns)
    apart = room + words[-1] - min(words[-1], NOTE_COLUMNS) >= MOST_COLUMNS
    # words are not narrowed for a bar
    free = max(FEWEST_COLUMNS, words[1], room + words[1])
    most = MOST_COLUMNS if apart else min(MOST_COLUMNS, free)
    cells: list[list[Any]] = []
    for name, (label, median, *others) in rows.items():
        bar = Bar(draws, name, slots, most) if name in drawn else ""
        cells.append(
            [
                label,
                *((median, bar) if apart else (Group(Text(median), bar),) if bar else (median,)),
                *others,
            ]
        )
    print_table(console, [*columns[:2], *(["density"] if apart else []), *columns[2:]], cells)
    console.print(BAR_LEGEND, style="dim")


def print_arrival_curve(console: "Console", draws: StoredDraws, info: Mapping[str, Any]) -> None:
    """Print the probability of arrival by year, from the run's year to its horizon.

    A second curve includes the wait for alignment if the run has one.
    """
    names = [name for name, _ in CURVES if name in draws.values]
    if CURVES[0][0] not in names:
        return
    width = min(console.width - AXIS_COLUMNS - 1, WIDEST_CURVE)
    start, end = draws.years(CURVES[0][0], float(info["created"][:4]), float(info["horizon"]))
    years = np.linspace(start, end, 2 * width)
    chances = [draws.arrived(name, years) for name in names]
    lines = _plot(chances, width)
    console.print(Text("\nprobability of arrival by year", "bold"))
    for row, line in enumerate(lines):
        label = f"{100 - 100 * row // (CURVE_ROWS - 1)}% ┤" if row % 2 == 0 else "│"
        console.print(Text.assemble((label.rjust(AXIS_COLUMNS), "dim"), line, no_wrap=True))
    for text in _axis(start, end, width):
        console.print(Text(text, "dim", no_wrap=True))
    for i, (name, chance) in enumerate(zip(names, chances, strict=True)):
        stroke = ("⠒⠒⠒", "⠒ ⠒")[i]
        words = f" {_legend(name)}: {round(100 * float(chance[-1]))}% by {end:.0f}"
        console.print(Text.assemble(" " * AXIS_COLUMNS, (stroke, COLOURS[i]), words))
    console.print()


def _legend(name: str) -> str:
    return QUANTITIES[name].label if name == CURVES[0][0] else "TAI arrival with alignment ready"


def _plot(chances: Sequence[Any], width: int) -> list[Text]:
    """Draw curves in braille, one row of text each; where two meet, the first has the colour."""
    height = 4 * CURVE_ROWS
    codes = np.zeros((len(chances), CURVE_ROWS, width), dtype=int)
    for i, chance in enumerate(chances):
        level = np.rint((height - 1) * (1.0 - chance)).astype(int)
        for x in range(2 * width):
            if (x // 2) % CURVES[i][1]:
                continue
            # a step is drawn as a line
            top, bottom = (level[x], max(level[x], level[x - 1] - 1 if x else 0))
            for y in range(top, bottom + 1):
                codes[i, y // 4, x // 2] |= DOTS[y % 4][x % 2]
    whole, lines = np.bitwise_or.reduce(codes), []
    for row in range(CURVE_ROWS):
        line = Text()
        for x in range(width):
            style = next((COLOURS[i] for i in range(len(codes)) if codes[i, row, x]), "")
            line.append(chr(0x2800 + int(whole[row, x])) if whole[row, x] else " ", style)
        lines.append(line)
    return lines


def _axis(start: float, end: float, width: int) -> tuple[str, str]:
    """Return the axis of years with its ticks, and the labels below it."""
    room = (end - start) * 8 / width  # a label of four digits and as much space
    step = next((s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500) if s >= room), 1000)
    line, labels = ["─"] * width, [" "] * (width + AXIS_COLUMNS + 1)
    for year in range(int(-(-start // step) * step), int(end) + 1, step):
        column = min(width - 1, int((year - start) / (end - start) * width))
        line[column] = "┴"
        first = min(max(AXIS_COLUMNS + column - 1, 0), len(labels) - 4)
        labels[first : first + 4] = f"{year:4d}"
    return " " * (AXIS_COLUMNS - 1) + "└" + "".join(line), "".join(labels).rstrip()
