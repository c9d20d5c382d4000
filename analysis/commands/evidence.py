"""``evidence``: the cited tables."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from aligntax.analysis.commands.shared import Json, console, dump

app = typer.Typer(help="The published evidence: cited tables.", no_args_is_help=True)


@app.command("list")
def evidence_list(
    evidence: Annotated[
        str | None, typer.Option(help="Folder of tables that replace or extend.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the evidence tables."""
    from aligntax.analysis.inputs.view_reader import read_evidence
    from aligntax.models.evidence import TABLES

    loaded = read_evidence(evidence)
    rows = []
    for name, spec in TABLES.items():
        data = loaded[name]
        rows.append(
            (
                name,
                str(data.sizes[spec.dim]),
                str(int(data["used"].values.sum())) if "used" in data else "",
                loaded.hashes[name][:12],
                spec.title,
            )
        )
    if as_json:
        dump(
            [
                dict(zip(("table", "rows", "used", "hash", "title"), row, strict=True))
                for row in rows
            ]
        )
        return
    from aligntax.analysis.terminal.tables import table

    table(console(), ("table", "rows", "used", "hash", "title"), rows)


@app.command("show")
def evidence_show(
    name: Annotated[str, typer.Argument(help="Name of a table.", show_default=False)],
    evidence: Annotated[
        str | None, typer.Option(help="Folder of tables that replace or extend.")
    ] = None,
    used: Annotated[
        bool, typer.Option("--used", help="Only rows that the models condition on.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print an evidence table with sources."""
    from aligntax.analysis.inputs.view_reader import read_evidence
    from aligntax.analysis.terminal.tables import evidence_rows, table

    columns, rows = evidence_rows(read_evidence(evidence), name, used)
    if as_json:
        dump([dict(zip(columns, row, strict=True)) for row in rows])
        return
    table(
        console(), columns, [["" if value is None else str(value) for value in row] for row in rows]
    )


@app.command("check")
def evidence_check(
    folder: Annotated[
        str | None,
        typer.Argument(help="Folder of tables; without it, the embedded ones.", show_default=False),
    ] = None,
) -> None:
    """Check evidence tables: types, units, ranges, duplicates, references."""
    from aligntax.analysis.inputs.view_reader import read_evidence

    loaded = read_evidence(folder)
    rows = sum(next(iter(data.sizes.values())) for data in loaded.tables.values())
    typer.echo(
        f"{folder or 'embedded evidence'}: valid; {len(loaded.tables)} tables, {rows} rows, hash {loaded.hash[:12]}"
    )


@app.command("fetch")
def evidence_fetch(
    name: Annotated[
        str, typer.Argument(help="Public set of training runs: chinchilla.", show_default=False)
    ],
    out: Annotated[
        Path | None, typer.Option(help="File to write.", show_default="in the user's data folder")
    ] = None,
    url: Annotated[str | None, typer.Option(help="A mirror of the same file.")] = None,
    as_json: Json = False,
) -> None:
    """Download public training runs for the loss law, check that they are the known ones, and keep them."""
    from aligntax.analysis.inputs.public_data import PUBLIC, fetch

    path, record = fetch(name, out, url)
    if as_json:
        dump(record)
    else:
        typer.echo(path)
    used = name if out is None else path
    sys.stderr.write(
        f"aligntax: {record['runs']} runs, {PUBLIC[name].citation}; next: aligntax run loss-law --runs {used}\n"
    )
