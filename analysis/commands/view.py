"""``view``: named sets of priors, anchor weights and settings."""

import sys
from typing import Annotated

import typer

from analysis.commands import Json, console, dump

__all__ = ["app"]

app = typer.Typer(help="Views: named sets of priors, anchor weights and settings.", no_args_is_help=True)


@app.command("list")
def view_list(as_json: Json = False) -> None:
    """List the views that come with the package."""
    from models.views import load_view, view_names

    views = [load_view(name) for name in view_names()]
    if as_json:
        dump([{"name": v.name, "title": v.title, "source": v.source, "hash": v.hash} for v in views])
        return
    from analysis.terminal import table

    table(console(), ("view", "title", "source"), [(v.name, v.title, v.source) for v in views])


View = Annotated[str, typer.Argument(help="View by name or file.", show_default=False)]


@app.command("show")
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
        dump(chosen.to_dict())
    else:
        from analysis.terminal import view_table

        view_table(console(), chosen, list(chosen.quantities))


@app.command("check")
def view_check(view: View) -> None:
    """Check a view and print what it changes against the default one."""
    from analysis.inputs import read_view
    from analysis.terminal import view_table
    from models.views import load_view

    chosen, default = read_view(view), load_view("default")
    changed = [name for name, spec in chosen.quantities.items() if spec != default.quantities[name]]
    screen = console()
    if changed:
        view_table(screen, chosen, changed)
    parts = [
        key
        for key in ("anchors", "correlations", "evidence", "scaling", "compute", "arrival", "alignment")
        if getattr(chosen, key) != getattr(default, key)
    ]
    screen.print(
        f"{view}: valid; changes {len(changed)} priors"
        + (f" and {', '.join(parts)}" if parts else "")
        + " of the default view"
    )
