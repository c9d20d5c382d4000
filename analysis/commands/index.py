"""``index``: every run of the results folder as one page."""

import sys
from pathlib import Path

import typer

from aligntax.analysis.commands.shared import Out


def index(out: Out = Path("results")) -> None:
    """Write a page of the runs in the results folder, and print its path."""
    from aligntax.analysis.pages.index import write_index

    written = write_index(out)
    for problem in written.damaged:
        sys.stderr.write(f"aligntax: {problem}\n")
    typer.echo(written.path)
