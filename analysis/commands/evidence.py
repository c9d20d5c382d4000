"""``evidence``: the cited tables."""

import sys
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer

from aligntax.analysis.commands.options import EvidenceFolder, Json
from aligntax.analysis.commands.output import print_answer, print_json
from aligntax.analysis.commands.users_data import read_users_evidence
from aligntax.models.errors import InputError

app = typer.Typer(
    name="evidence",
    help="List, print, check, add to or fetch the published evidence: cited tables.",
    no_args_is_help=True,
)


@app.command("list")
def evidence_list(
    evidence: EvidenceFolder = None,
    as_json: Json = False,
) -> None:
    """List the evidence tables.

    Example: aligntax evidence list

    Example: aligntax evidence list --evidence my_tables/
    """
    from aligntax.analysis.inputs.view_reader import read_evidence
    from aligntax.analysis.terminal.tables import print_table
    from aligntax.models.evidence import TABLES

    loaded, columns = read_evidence(evidence), ("table", "rows", "used", "hash", "title")
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
    print_answer(
        as_json,
        lambda: [dict(zip(columns, row, strict=True)) for row in rows],
        lambda screen: print_table(screen, columns, rows),
    )


@app.command("show")
def evidence_show(
    name: Annotated[str, typer.Argument(help="Name of a table.", show_default=False)],
    evidence: EvidenceFolder = None,
    used: Annotated[
        bool, typer.Option("--used", help="Show only rows that the models condition on.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print an evidence table with its sources.

    Example: aligntax evidence show scaling_exponents --used

    Example: aligntax evidence show rlhf_efforts --evidence my_tables/
    """
    from aligntax.analysis.inputs.view_reader import read_evidence
    from aligntax.analysis.terminal.tables import evidence_rows, print_table

    loaded = read_evidence(evidence)
    columns, rows = evidence_rows(loaded, name, used)
    units = ["", *(loaded[name][column].attrs.get("unit", "") for column in columns[1:])]
    print_answer(
        as_json,
        lambda: [dict(zip(columns, row, strict=True)) for row in rows],
        lambda screen: print_table(
            screen,
            columns,
            [list(map(_cell, row, units)) for row in rows],
        ),
    )


def _cell(value: Any, unit: str) -> str:
    """Cell of a row; a date to a hundredth of a year, which is less than a week."""
    if value is None:
        return ""
    return f"{round(value, 2):g}" if unit == "calendar year" else str(value)


@app.command("check")
def evidence_check(
    folder: Annotated[
        str | None,
        typer.Argument(
            help="Folder of tables. Without it, the package's own are checked.", show_default=False
        ),
    ] = None,
) -> None:
    """Check evidence tables: types, units, ranges, duplicates and references.

    Example: aligntax evidence check my_tables/

    Example: aligntax evidence check
    """
    loaded = read_users_evidence(folder)
    rows = sum(next(iter(data.sizes.values())) for data in loaded.tables.values())
    typer.echo(
        f"{folder or 'embedded evidence'}: valid; {len(loaded.tables)} tables, {rows} rows, "
        f"hash {loaded.hash[:12]}"
    )


@app.command("new")
def evidence_new(
    name: Annotated[str, typer.Argument(help="Name of a table.", show_default=False)],
) -> None:
    """Print a row of a table to fill in: its columns, their units, and an example.

    Save it as FOLDER/TABLE.add.csv, then: aligntax refit RUN --evidence FOLDER

    Example: aligntax evidence new rlhf_efforts

    Example: aligntax evidence new paid_taxes
    """
    from aligntax.analysis.inputs.evidence_template import evidence_template

    sys.stdout.write(evidence_template(name))


@app.command("fetch")
def evidence_fetch(
    name: Annotated[
        str,
        typer.Argument(
            help="Public set: chinchilla (training runs) or metr-runs (runs of models on tasks).",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="File to write, for metr-runs a folder.", show_default="in the user's data folder"
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(help="Address of a mirror of the same file, for metr-runs of its tree."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Download public runs, and check that they are the known ones.

    Example: aligntax evidence fetch chinchilla

    Example: aligntax evidence fetch metr-runs --out runs/
    """
    from aligntax.analysis.inputs.public_data import PUBLIC, fetch_public
    from aligntax.analysis.inputs.public_runs import METR, fetch_runs

    if name == METR.name:
        path, record = fetch_runs(METR, out, url)
        citation, command, used = METR.citation, "run time-horizon", METR.names[0]
    elif name not in PUBLIC:
        choices = ", ".join((*PUBLIC, METR.name))
        raise InputError(f"name: must be one of {choices}, got {name!r}; check the spelling")
    else:
        path, record = fetch_public(name, out, url)
        citation, command, used = PUBLIC[name].citation, "run loss-law", name
    if as_json:
        print_json(record)
    else:
        typer.echo(path)
    sys.stderr.write(
        f"aligntax: {record['runs']} runs, {citation}; "
        f"next: aligntax {command} --runs {used if out is None else quote(str(path))}\n"
    )
