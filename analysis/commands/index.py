"""``index``: every run of the results folder as one page."""

from pathlib import Path

import typer

from aligntax.analysis.commands.options import Out
from aligntax.analysis.commands.output import print_failures


def index(out: Out = Path("results")) -> None:
    """Write a page that lists the runs in the results folder, and print its path.

    Example: aligntax index

    Example: aligntax index --out archive/
    """
    from aligntax.analysis.pages.index import write_index

    written = write_index(out)
    print_failures(written.damaged)
    typer.echo(written.path)
