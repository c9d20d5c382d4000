"""The command line: ``aligntax``, and the same as ``python -m analysis``.

Standard output is the answer, standard error is talk, and only on a terminal. Exit codes: 0 good; 1 finished, but a
check failed; 2 the input is wrong; 130 interrupted. Commands import what they need, so that reading a result stays fast.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["app", "main"]

app = typer.Typer(
    help="How much alignment data will we need in the long run, and how far does that move timelines?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
view_app = typer.Typer(help="Views: named sets of priors, anchor weights and settings.", no_args_is_help=True)
evidence_app = typer.Typer(help="The published evidence: cited tables.", no_args_is_help=True)
app.add_typer(view_app, name="view")
app.add_typer(evidence_app, name="evidence")

Run = Annotated[str, typer.Argument(help="Folder of a run, or its name in the results folder.", show_default=False)]
Out = Annotated[Path, typer.Option(help="Folder of results.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def _console(stderr: bool = False) -> "Console":
    from rich.console import Console

    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal:
        console.width = 200  # a pipe has no width: do not fold
    return console


def _dump(value: Any) -> None:
    """Answer with JSON."""
    sys.stdout.write(json.dumps(value, indent=1, allow_nan=False) + "\n")


@app.command()
def run(
    model: Annotated[str, typer.Argument(help="joint, scaling, compute or alignment.")] = "joint",
    view: Annotated[
        list[str] | None, typer.Option(help="View by name or file; several lie on top of each other.")
    ] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="One prior: quantity=p10,p50,p90.")] = None,
    evidence: Annotated[
        str | None, typer.Option(help="Folder of CSV tables that replace (NAME.csv) or extend (NAME.add.csv).")
    ] = None,
    seed: Annotated[int, typer.Option(help="Root of every random number.")] = 2022,
    draws: Annotated[int, typer.Option(help="Kept draws per chain.")] = 1000,
    tune: Annotated[int, typer.Option(help="Warm-up draws per chain.")] = 800,
    chains: Annotated[int, typer.Option(help="Chains.")] = 4,
    cores: Annotated[
        int | None, typer.Option(help="Chains sampled at once; does not change the draws.", show_default="all")
    ] = None,
    target_accept: Annotated[float, typer.Option(help="NUTS acceptance target.")] = 0.9,
    out: Out = Path("results"),
    name: Annotated[str | None, typer.Option(help="Name of the run.", show_default="model, view and time")] = None,
    report: Annotated[bool, typer.Option(help="Write report.html.")] = True,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No talk and no progress bar.")] = False,
) -> None:
    """Sample the posterior of a model and leave a run: draws, summary, report."""
    from analysis.inputs import read_evidence, read_views
    from analysis.options import Sampling
    from analysis.pipeline import run as run_model

    chosen = read_views(view or [], set_ or [])
    options = Sampling(draws=draws, tune=tune, chains=chains, seed=seed, cores=cores, target_accept=target_accept)
    from analysis.terminal import progress

    with progress(_console(stderr=True), talk=not quiet and sys.stderr.isatty()) as (say, sampled):
        result = run_model(model, chosen, read_evidence(evidence), options, out, name, report, say, sampled)
    if as_json:
        _dump(result.record)
    else:
        from analysis.terminal import answer

        answer(_console(), result.path, result.record, result.info)
    if result.record["verdict"] != "pass":
        raise typer.Exit(1)


@app.command()
def show(
    run: Run,
    as_json: Json = False,
    every: Annotated[bool, typer.Option("--all", help="Every quantity.")] = False,
    out: Out = Path("results"),
) -> None:
    """Print the answer of a run."""
    from analysis.store import INFO, SUMMARY, find_run, read_json

    folder = find_run(run, out)
    record = read_json(folder / SUMMARY)
    if as_json:
        _dump(record)
        return
    from analysis.terminal import answer

    answer(_console(), folder, record, read_json(folder / INFO), every)


@app.command()
def runs(out: Out = Path("results"), as_json: Json = False) -> None:
    """List the runs in the results folder, newest first."""
    from analysis.store import INFO, SUMMARY, list_runs, read_json

    rows, damaged = [], []
    for folder in list_runs(out):
        try:
            rows.append((folder, read_json(folder / SUMMARY), read_json(folder / INFO)))
        except InputError as error:
            damaged.append(str(error))
    if as_json:
        keys = ("model", "view", "method", "verdict", "claims")
        _dump(
            [
                {"run": folder.name, "created": info["created"], **{key: record[key] for key in keys}}
                for folder, record, info in rows
            ]
        )
    else:
        from analysis.terminal import runs_table

        runs_table(_console(), out, rows)
    for problem in damaged:
        sys.stderr.write(f"aligntax: {problem}\n")


@app.command()
def report(run: Run, out: Out = Path("results")) -> None:
    """Draw the report of a run again and print its path."""
    from analysis.report import write_report
    from analysis.store import load

    typer.echo(write_report(load(run, out)))


@app.command()
def verify(run: Run, out: Out = Path("results")) -> None:
    """Compare a run's files with the hashes written with them."""
    from analysis.store import find_run
    from analysis.store import verify as differences

    folder = find_run(run, out)
    problems = differences(folder)
    for problem in problems:
        typer.echo(problem)
    typer.echo(f"{folder}: {'as written' if not problems else f'{len(problems)} of its files differ'}")
    raise typer.Exit(1 if problems else 0)


@view_app.command("list")
def view_list(as_json: Json = False) -> None:
    """List the views that come with the package."""
    from models.views import load_view, view_names

    views = [load_view(name) for name in view_names()]
    if as_json:
        _dump([{"name": v.name, "title": v.title, "source": v.source, "hash": v.hash} for v in views])
        return
    from analysis.terminal import table

    table(_console(), ("view", "title", "source"), [(v.name, v.title, v.source) for v in views])


View = Annotated[str, typer.Argument(help="View by name or file.", show_default=False)]


@view_app.command("show")
def view_show(
    view: View,
    toml: Annotated[bool, typer.Option("--toml", help="Print it whole, ready to edit.")] = False,
    as_json: Json = False,
) -> None:
    """Print a view: each prior's 5%, 50% and 95% point, unit and source."""
    from analysis.inputs import read_view

    chosen = read_view(view)
    if toml:
        sys.stdout.write(chosen.to_toml())
    elif as_json:
        _dump(chosen.to_dict())
    else:
        from analysis.terminal import view_table

        view_table(_console(), chosen, list(chosen.quantities))


@view_app.command("check")
def view_check(view: View) -> None:
    """Check a view and print what it changes against the default one."""
    from analysis.inputs import read_view
    from analysis.terminal import view_table
    from models.views import load_view

    chosen, default = read_view(view), load_view("default")
    changed = [name for name, spec in chosen.quantities.items() if spec != default.quantities[name]]
    console = _console()
    if changed:
        view_table(console, chosen, changed)
    parts = [
        key
        for key in ("anchors", "correlations", "evidence", "scaling", "compute", "arrival", "alignment")
        if getattr(chosen, key) != getattr(default, key)
    ]
    console.print(
        f"{view}: valid; changes {len(changed)} priors"
        + (f" and {', '.join(parts)}" if parts else "")
        + " of the default view"
    )


@evidence_app.command("list")
def evidence_list(
    evidence: Annotated[str | None, typer.Option(help="Folder of tables that replace or extend.")] = None,
    as_json: Json = False,
) -> None:
    """List the evidence tables."""
    from analysis.inputs import read_evidence
    from models.evidence import TABLES

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
        _dump([dict(zip(("table", "rows", "used", "hash", "title"), row, strict=True)) for row in rows])
        return
    from analysis.terminal import table

    table(_console(), ("table", "rows", "used", "hash", "title"), rows)


@evidence_app.command("show")
def evidence_show(
    name: Annotated[str, typer.Argument(help="Name of a table.", show_default=False)],
    evidence: Annotated[str | None, typer.Option(help="Folder of tables that replace or extend.")] = None,
    used: Annotated[bool, typer.Option("--used", help="Only rows that the models condition on.")] = False,
    as_json: Json = False,
) -> None:
    """Print an evidence table with sources."""
    from analysis.inputs import read_evidence
    from analysis.terminal import evidence_rows, table

    columns, rows = evidence_rows(read_evidence(evidence), name, used)
    if as_json:
        _dump([dict(zip(columns, row, strict=True)) for row in rows])
        return
    table(_console(), columns, [["" if value is None else str(value) for value in row] for row in rows])


@evidence_app.command("check")
def evidence_check(
    folder: Annotated[
        str | None, typer.Argument(help="Folder of tables; without it, the embedded ones.", show_default=False)
    ] = None,
) -> None:
    """Check evidence tables: types, units, ranges, duplicates, references."""
    from analysis.inputs import read_evidence

    loaded = read_evidence(folder)
    rows = sum(next(iter(data.sizes.values())) for data in loaded.tables.values())
    typer.echo(
        f"{folder or 'embedded evidence'}: valid; {len(loaded.tables)} tables, {rows} rows, hash {loaded.hash[:12]}"
    )


def main() -> None:
    """Run the command line."""
    try:
        app()
    except InputError as error:
        sys.stderr.write(f"aligntax: {error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.stderr.write("aligntax: interrupted, nothing written\n")
        sys.exit(130)
