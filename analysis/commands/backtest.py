"""``backtest``: would the models have known?"""

from pathlib import Path
from typing import Annotated

import typer

from aligntax.analysis.commands.options import (
    Chains,
    DrawsPerChain,
    EvidenceFolder,
    Json,
    Out,
    Quiet,
    Seed,
    WarmUp,
)
from aligntax.analysis.commands.output import print_answer, show_progress


def backtest(
    first: Annotated[
        int, typer.Option("--from", help="First year at whose end forecasts are made.")
    ] = 2016,
    last: Annotated[
        int, typer.Option("--to", help="Last year at whose end forecasts are made.")
    ] = 2024,
    view: Annotated[str, typer.Option(help="View to take priors from, by name or file.")] = "vague",
    evidence: EvidenceFolder = None,
    draws: DrawsPerChain = 500,
    tune: WarmUp = None,
    chains: Chains = 4,
    seed: Seed = 2022,
    out: Out = Path("results"),
    name: Annotated[
        str | None, typer.Option(help="Name of the result.", show_default="its time")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fit the trends on the evidence up to each year, predict later rows, and score the forecasts.

    The scores stand beside those of naive forecasts.

    Example: aligntax backtest --from 2018 --to 2022

    Example: aligntax backtest --from 2020 --to 2024 --name recent
    """
    from aligntax.analysis.checking import backtest as score_forecasts
    from aligntax.analysis.inference.options import Sampling
    from aligntax.analysis.inputs.view_reader import read_evidence, read_views
    from aligntax.analysis.terminal.trust import print_backtest

    options = Sampling(draws=draws, tune=tune, chains=chains, seed=seed)
    chosen, known = read_views([view], []), read_evidence(evidence)
    failures: list[str] = []
    with show_progress(quiet, failures.append) as talk:
        found = score_forecasts(
            first, last, chosen, known, options=options, out=out, name=name, talk=talk
        )
    print_answer(
        as_json,
        lambda: {"path": str(found.path), **found.info},
        lambda screen: print_backtest(screen, found.path, found.info),
        passed=not found.info["divergences"],
        failures=failures,
    )
