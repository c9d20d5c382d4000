"""``backtest``: would the models have known?"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from aligntax.analysis.commands.shared import Json, Out, console, dump, tell_failed


def backtest(
    first: Annotated[
        int, typer.Option("--from", help="First year at whose end a forecaster stands.")
    ] = 2016,
    last: Annotated[int, typer.Option("--to", help="Last such year.")] = 2024,
    view: Annotated[
        str, typer.Option(help="View whose priors are held, by name or file.")
    ] = "vague",
    evidence: Annotated[
        str | None, typer.Option(help="Folder of CSV tables.", show_default="embedded")
    ] = None,
    draws: Annotated[int, typer.Option(help="Kept draws per chain.")] = 500,
    tune: Annotated[int, typer.Option(help="Warm-up draws per chain.")] = 400,
    chains: Annotated[int, typer.Option(help="Chains.")] = 4,
    seed: Annotated[int, typer.Option(help="Root of every random number.")] = 2022,
    out: Out = Path("results"),
    name: Annotated[
        str | None, typer.Option(help="Name of the result.", show_default="its time")
    ] = None,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No talk.")] = False,
) -> None:
    """Fit the trends on the evidence up to each year, predict the later rows, and score them beside naive forecasts."""
    from aligntax.analysis.inference.options import Sampling
    from aligntax.analysis.inputs.view_reader import read_evidence, read_views
    from aligntax.analysis.pages.backtest import write_page
    from aligntax.analysis.storage.run_folder import run_name
    from aligntax.analysis.storage.unfinished import unfinished
    from aligntax.analysis.terminal.tables import progress
    from aligntax.analysis.trust.backtest.folder import default_name, facts, write_files
    from aligntax.analysis.trust.backtest.origins import Origins
    from aligntax.analysis.trust.backtest.origins import backtest as look_back

    origins, options = (
        Origins(first, last),
        Sampling(draws=draws, tune=tune, chains=chains, seed=seed),
    )
    chosen, known, name = (
        read_views([view], []),
        read_evidence(evidence),
        run_name(name or default_name()),
    )
    failed: list[str] = []
    with (
        progress(console(stderr=True), not quiet and sys.stderr.isatty()) as talk,
        unfinished(out, name) as place,
    ):
        found = look_back(known, chosen, origins, options, talk)
        info = facts(found, known, chosen, origins, options, name)
        write_files(place.folder, found, chosen, info)
        talk.say("drawing the page")
        write_page(place.folder, info, found.scores, replace(talk, failed=failed.append))
    if as_json:
        dump({"path": str(place.path), **info})
    else:
        from aligntax.analysis.terminal.trust import backtest_table

        backtest_table(console(), place.path, info)
    tell_failed(failed)
    if failed or found.divergences:
        raise typer.Exit(1)
