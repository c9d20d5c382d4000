"""The subcommands, one file a subject; what they share.

Commands import what they need inside themselves, so that reading a result stays fast.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Json", "Out", "Run", "console", "dump"]

Run = Annotated[str, typer.Argument(help="Folder of a run, or its name in the results folder.", show_default=False)]
Out = Annotated[Path, typer.Option(help="Folder of results.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def console(stderr: bool = False) -> "Console":
    """Terminal, or a pipe, which has no width: nothing is folded there."""
    from rich.console import Console

    screen = Console(stderr=stderr, highlight=False)
    if not screen.is_terminal:
        screen.width = 200
    return screen


def dump(value: Any) -> None:
    """Answer with JSON."""
    sys.stdout.write(json.dumps(value, indent=1, allow_nan=False) + "\n")
