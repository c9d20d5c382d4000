"""``view``: named sets of priors, anchor weights and settings."""

import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from aligntax.analysis.commands.next_steps import print_next
from aligntax.analysis.commands.options import Force, Json, Out, Picture
from aligntax.analysis.commands.output import (
    check_picture,
    console,
    print_answer,
    save_picture,
)
from aligntax.analysis.commands.view_files import check_file, deliver, parent_of, print_note

if TYPE_CHECKING:
    from rich.console import Console

    from aligntax.analysis.inputs.expert_table import Panel
    from aligntax.analysis.terminal.views import StatementsByQuantity
    from aligntax.models.views import View
    from aligntax.models.views.changes import Changes

PATIENCE = 3  # bad answers to one question after which input that is no terminal is an error

app = typer.Typer(
    name="view",
    help="Write, check, compare and pool views: named sets of priors, anchor weights and settings.",
    no_args_is_help=True,
)

ViewName = Annotated[
    str, typer.Argument(help="View, by name or file; - is standard input.", show_default=False)
]
NewFile = Annotated[Path, typer.Argument(help="File to write, or - for standard output.")]
Quantities = Annotated[
    list[str] | None,
    typer.Option(
        "--quantity", help="Quantity to state. May be repeated.", show_default="three of them"
    ),
]
PoolMethod = Annotated[str, typer.Option(help="Method of pooling: linear, log or quantile.")]
Folder = Annotated[Path, typer.Option(help="Folder that the views are written to.")]
Extends = Annotated[str, typer.Option(help="View that the new one changes, by name or file.")]


@app.command("list")
def view_list(as_json: Json = False) -> None:
    """List the views that come with the package.

    Example: aligntax view list

    Example: aligntax view list --json
    """
    from aligntax.analysis.terminal.tables import print_table
    from aligntax.models.views import load_views

    views = load_views().values()
    rows = [(v.name, v.title, v.source) for v in views]
    print_answer(
        as_json,
        lambda: [
            {"name": v.name, "title": v.title, "source": v.source, "hash": v.hash} for v in views
        ],
        lambda screen: print_table(screen, ("view", "title", "source"), rows),
    )


@app.command("show")
def view_show(
    view: ViewName,
    toml: Annotated[
        bool, typer.Option("--toml", help="Print the whole view as TOML, ready to edit.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print a view: each prior's 5%, 50% and 95% point, unit and source.

    Example: aligntax view show hilton-2022

    Example: aligntax view show default --toml
    """
    from aligntax.analysis.inputs.view_reader import read_view

    chosen = read_view(view)
    if toml:
        sys.stdout.write(chosen.to_toml())
        return
    from aligntax.analysis.terminal.views import print_priors
    from aligntax.models.priors.quantities import ELICITED

    names = list(dict.fromkeys((*chosen.quantities, *ELICITED.added)))
    print_answer(
        as_json,
        chosen.to_dict,
        lambda screen: print_priors(screen, chosen, names),
    )


@app.command("check")
def view_check(
    view: ViewName,
    picture: Picture = None,
    out: Out = Path("results"),
    as_json: Json = False,
) -> None:
    """Check a view: what it changes in the default view, and how well its priors fit.

    Each probability that the view states is compared with the prior that is
    made of it.

    Example: aligntax view check mine.toml --picture priors.png

    Example: aligntax view check hilton-2022
    """
    from aligntax.analysis.inputs.plausible_priors import doubts_of_priors
    from aligntax.analysis.inputs.view_reader import read_view
    from aligntax.analysis.terminal.views import check_record, check_view
    from aligntax.models import joint
    from aligntax.models.catalogue import find_model, restrict
    from aligntax.models.evidence import load_evidence
    from aligntax.models.priors.quantities import ELICITED
    from aligntax.models.views import load_view
    from aligntax.models.views.changes import changes

    check_picture(picture)
    chosen, default = read_view(view), load_view("default")
    joint.check(restrict(load_evidence(), chosen, find_model("joint")), chosen)
    found = changes(default, chosen, tuple(ELICITED))
    names = list(found.quantities)
    statements, warned = check_view(chosen, names)
    warned = [*warned, *doubts_of_priors(chosen)]
    if picture is not None:
        from aligntax.analysis.figures.view import prior_densities

        save_picture(prior_densities(chosen, default, names or list(ELICITED)), picture)
    print_answer(
        as_json,
        lambda: check_record(view, chosen, statements, warned, found),
        lambda screen: _print_check(screen, view, chosen, statements, found),
    )
    for line in warned:
        print_note(f"aligntax: warning: {line}")
    if picture is not None:
        print_note(f"picture: {picture}")
    if not as_json and view != "-":
        print_next(view, out, checked=True, changed=found.any, names=names)


def _print_check(
    screen: "Console",
    view: str,
    chosen: "View",
    statements: "StatementsByQuantity",
    found: "Changes",
) -> None:
    from aligntax.analysis.summaries.words import how_many
    from aligntax.analysis.terminal.views import print_fit, print_priors

    names = list(statements)
    if names:
        print_priors(screen, chosen, names)
        print_fit(screen, chosen, statements)
    others = [how_many(len(names), "prior")] if names else []
    others += ["anchors"] if found.anchors else []
    others += ["correlations"] if found.correlated else []
    others += ["evidence"] if found.evidence else []
    others += list(found.settings)
    *first, last = others or ["no prior"]
    changed = f"{', '.join(first)} and {last}" if first else last
    screen.print(
        f"{view}: valid; changes {changed} of the default view", markup=False, soft_wrap=True
    )


@app.command("diff")
def view_diff(first: ViewName, second: ViewName, as_json: Json = False) -> None:
    """Show two views side by side where they differ.

    They may differ in priors, anchors, correlations, settings and evidence.

    Example: aligntax view diff default mine.toml

    Example: aligntax view diff hilton-2022 mine.toml
    """
    from aligntax.analysis.inputs.view_reader import read_view
    from aligntax.analysis.terminal.views import diff_views, print_difference

    views = read_view(first), read_view(second)
    found = diff_views(*views)
    print_answer(as_json, lambda: found, lambda screen: print_difference(screen, *views, found))


@app.command("new")
def view_new(
    file: NewFile = Path("mine.toml"),
    quantity: Quantities = None,
    extends: Extends = "default",
    force: Force = False,
    out: Out = Path("results"),
) -> None:
    """Write a view with comments, for you to fill in.

    Example: aligntax view new mine.toml --quantity alignment_tax_tolerance

    Example: aligntax view new - --extends hilton-2022
    """
    from aligntax.analysis.inputs.view_reader import read_view
    from aligntax.analysis.inputs.view_writer import quantities_to_state, template_text

    names, base = quantities_to_state(quantity), read_view(extends)
    check_file(file, force)
    text = template_text(names, base, parent_of(extends, file), str(file))
    deliver(
        file,
        text,
        force,
        ": open it, remove the '#' before the lines you mean, put in your numbers",
        out,
    )


@app.command("elicit")
def view_elicit(
    file: NewFile = Path("mine.toml"),
    quantity: Quantities = None,
    extends: Extends = "default",
    who: Annotated[str, typer.Option(help="Whose beliefs these are.", show_default="asked")] = "",
    why: Annotated[
        str, typer.Option(help="Why these values, for all of them.", show_default="asked")
    ] = "",
    force: Force = False,
    out: Out = Path("results"),
) -> None:
    """Ask for priors, show what they imply, and save them with who stated them, when and why.

    Extremes are asked first, the middle last; back withdraws an answer.

    Example: aligntax view elicit mine.toml --quantity rlhf_multiplier

    Example: aligntax view elicit ann.toml --who Ann --why 'two audits'
    """
    from datetime import date

    from aligntax.analysis.inputs.view_reader import read_view
    from aligntax.analysis.inputs.view_writer import elicited_text, quantities_to_state
    from aligntax.analysis.terminal.dialogue import Quit, dialogue_at
    from aligntax.analysis.terminal.elicitation import elicit

    names, base = quantities_to_state(quantity), read_view(extends)
    check_file(file, force)
    talk = dialogue_at(console(stderr=True), None if sys.stdin.isatty() else PATIENCE)
    try:
        priors, source = elicit(names, base, talk, date.today().isoformat(), who, why)
    except Quit:
        print_note("aligntax: stopped, nothing written")
        return
    deliver(file, elicited_text(priors, parent_of(extends, file), source), force, "", out)


@app.command("pool")
def view_pool(
    views: Annotated[
        list[str], typer.Argument(help="Two or more views, by name or file.", show_default=False)
    ],
    weights: Annotated[
        str | None,
        typer.Option(help="Weights, one per view, as 2,1,1.", show_default="equal"),
    ] = None,
    method: PoolMethod = "linear",
    file: Annotated[
        Path, typer.Option("--file", "-f", help="File to write, or - for standard output.")
    ] = Path("-"),
    name: Annotated[
        str | None, typer.Option(help="Name of the pooled view.", show_default="the file's")
    ] = None,
    force: Force = False,
    out: Out = Path("results"),
) -> None:
    """Pool several experts' views into one: prior by prior, with anchors and correlations.

    Example: aligntax view pool ann.toml bob.toml --weights 2,1 -f pooled.toml

    Example: aligntax view pool ann.toml bob.toml --method quantile
    """
    from aligntax.analysis.inputs.view_reader import parse_weights, read_view
    from aligntax.models.views.pooling import pool_views

    shares = parse_weights(weights, len(views))
    check_file(file, force)
    pooled = pool_views(
        [read_view(view) for view in views],
        shares,
        method,  # type: ignore[arg-type]  # checked there
        name or (file.stem if str(file) != "-" else "pool"),
    )
    deliver(file, pooled.to_toml(), force, f": {pooled.title}", out)


@app.command("from-csv")
def view_from_csv(
    table: Annotated[
        str, typer.Argument(help="CSV of experts' quantiles; - is standard input.")
    ] = "-",
    folder: Folder = Path("experts"),
    method: PoolMethod = "linear",
    template: Annotated[
        bool, typer.Option("--template", help="Print a CSV to fill in, and write nothing.")
    ] = False,
    force: Force = False,
    out: Out = Path("results"),
) -> None:
    """Write a view an expert and their pool, from a spreadsheet of quantiles.

    Example: aligntax view from-csv --template

    Example: aligntax view from-csv experts.csv --folder experts
    """
    from aligntax.analysis.inputs.expert_table import read_panel, table_template
    from aligntax.models.views import load_view

    if template:
        sys.stdout.write(table_template(load_view("default")))
        return
    _deliver_panel(read_panel(table, strict=True), folder, method, force, out)


@app.command("from-panel")
def view_from_panel(
    table: Annotated[
        str, typer.Argument(help="CSV of many experts' quantiles; - is standard input.")
    ] = "-",
    folder: Folder = Path("experts"),
    method: PoolMethod = "linear",
    force: Force = False,
    out: Out = Path("results"),
    as_json: Json = False,
) -> None:
    """Write a view an expert and their pool, from a panel's table, and say how far they differ.

    The table has a row a quantile, or a row an expert and quantity. Answers
    of which no prior can be made are left out and told.

    Example: aligntax view from-panel panel.csv --folder experts

    Example: aligntax view from-panel panel.csv --json
    """
    from aligntax.analysis.inputs.expert_table import read_panel
    from aligntax.analysis.terminal.panel import print_panel

    panel = read_panel(table)
    _deliver_panel(panel, folder, method, force, out)
    if len(panel.texts) > 1:
        files = sorted(panel.texts, key=lambda who: f"{who}.toml")  # as a folder is read
        weights = [f"{dict(zip(panel.texts, panel.weights, strict=True))[who]:g}" for who in files]
        counted = f" --weights {','.join(weights)}" if len(set(weights)) > 1 else ""
        print_note(f"  aligntax refit RUN --by-expert --view {quote(str(folder))}{counted}")
    print_answer(as_json, panel.to_dict, lambda screen: print_panel(screen, panel))


def _deliver_panel(panel: "Panel", folder: Path, method: str, force: bool, out: Path) -> None:
    """Write a view an expert and, of two or more, their pool; all of them or none."""
    from aligntax.analysis.storage.whole_file import make_folder

    texts, title = dict(panel.texts), ""
    if len(texts) > 1:
        pool = panel.pool(method)  # type: ignore[arg-type]  # checked there
        texts[pool.name], title = pool.to_toml(), f": {pool.title}"
    for note in panel.notes:
        print_note(f"table: {note}")
    make_folder(folder)
    for who in texts:
        check_file(folder / f"{who}.toml", force)
    for who, text in texts.items():
        last = who == list(texts)[-1]
        deliver(folder / f"{who}.toml", text, force, title if last else "", out, last)
