"""The subcommands, one file a subject; what they share.

Commands import what they need inside themselves, so that reading a result stays fast.
"""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from aligntax.analysis.inputs.gold_data import GoldCurves
    from aligntax.analysis.inputs.loss_runs import LossRuns


Run = Annotated[
    str,
    typer.Argument(help="Folder of a run, or its name in the results folder.", show_default=False),
]
Out = Annotated[Path, typer.Option(help="Folder of results.")]
Given = Annotated[
    str | None,
    typer.Option(help="Condition on quantities, such as 'tai_year<2035 and alignment_tax<1%'."),
]
Requirement = Annotated[
    str | None,
    typer.Option(
        help="What counts: bioanchors, direct-approach, time-horizon, user, or mixture, the view's own weights.",
        show_default="the view's weights",
    ),
]
Format = Annotated[
    str, typer.Option("--format", help="How draws are stored: netcdf, or zarr for large runs.")
]
Picture = Annotated[Path | None, typer.Option(help="Draw it into a file (png, svg or pdf).")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Stopped(Exception):
    """Interrupted, and something was kept: the message says what, and how to go on."""


def console(stderr: bool = False) -> "Console":
    """Terminal, or a pipe, which has no width: nothing is folded there. What is printed is text and cannot steer it."""
    from rich.console import Console
    from rich.segment import Segment

    class Screen(Console):
        def render(self, *what: Any, **options: Any) -> Iterator[Segment]:
            for segment in super().render(*what, **options):
                yield segment if segment.control else Segment(harmless(segment.text), segment.style)

    screen = Screen(stderr=stderr, highlight=False)
    if not screen.is_terminal:
        screen.width = 200
    return screen


def harmless(text: str) -> str:
    """Text whose control characters, which steer a terminal, and marks of direction are spelt out; lines and tabs stay."""
    return STEERING.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def tell_failed(failed: Sequence[str]) -> None:
    """One line for each thing that failed while the rest went on."""
    for line in failed:
        sys.stderr.write(f"aligntax: {harmless(line)}\n")


def dump(value: Any) -> None:
    """Answer with JSON."""
    sys.stdout.write(json.dumps(value, indent=1, allow_nan=False) + "\n")


def check_picture(path: Path | None) -> None:
    """Refuse a picture that could not be written, before the work for it is done.

    Raises
    ------
    InputError
        If its ending is none that can be drawn, or its folder does not exist.
    """
    if path is None:
        return
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise InputError(f"picture: must end in .png, .svg or .pdf, got {path}; rename it")
    if not path.parent.is_dir():
        raise InputError(f"picture: {path.parent} must be a folder, got none; make it first")


def save_picture(figure: Any, path: Path) -> None:
    """Write a figure whole or not at all.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    from io import BytesIO

    from aligntax.analysis.storage.whole_file import save

    drawn = BytesIO()
    figure.savefig(drawn, format=path.suffix.lower()[1:], dpi=150)
    save(path, drawn.getvalue(), force=True)


def read_own(model: str, runs: str | None, drop: int = 0) -> "LossRuns | GoldCurves":
    """A user's own data for a model: training runs, or gold curves.

    Raises
    ------
    InputError
        If the file is wrong, or rows are to be left out of none.
    """
    from aligntax.analysis.inputs.gold_data import read_curves
    from aligntax.analysis.inputs.loss_runs import drop_highest, read_runs
    from aligntax.models.catalogue import find_model

    if runs is None:
        raise InputError(
            f"drop_highest: needs runs to leave out of, got {drop} alone; give --runs FILE"
        )
    if "gold_curves" not in find_model(model).tables:
        return drop_highest(read_runs(runs), drop)
    if drop:
        raise InputError(
            f"drop_highest: leaves training runs out, got {drop} with gold curves; drop it"
        )
    return read_curves(runs)
