"""Calibrations, backtests, cross-validation and robustness in a terminal."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntax.analysis.summaries.words import how_many, label_of
from aligntax.analysis.terminal.tables import print_simulated, print_table
from aligntax.analysis.trust.backtest.wording import (
    BELIEF_HEADS,
    BESIDE_HEADS,
    NAMED_HEADS,
    SKILL_HEADS,
    WIN_HEADS,
    belief_rows,
    beside_rows,
    named_rows,
    skill_rows,
    win_rows,
    win_sentence,
)
from aligntax.analysis.trust.calibration.family import LEVEL, power_in_words
from aligntax.analysis.trust.calibration.ranks import RANKED
from aligntax.analysis.trust.calibration.simulation import CONTROLS
from aligntax.analysis.trust.evidence.variant import READ_HORIZONS
from aligntax.analysis.trust.evidence.wording import (
    READ,
    cross_validation_row,
    headline_rows,
    horizon_rows,
    notable_units,
    reading_rows,
)

if TYPE_CHECKING:
    from rich.console import Console

    from aligntax.analysis.trust.calibration.study import Calibration

MOST_LISTED = 10  # quantities and failures that are listed


def print_calibration(console: "Console", found: "Calibration") -> None:
    """Print a finished calibration."""
    info = found.info
    console.print(_totals(info), markup=False, soft_wrap=True)
    tests = sorted(
        info["quantities"].items(), key=lambda row: min(row[1]["p_band"], row[1]["p_chi_square"])
    )
    rows = [
        (
            name,
            *(f"{row[f'{p}_holm']:.3f} ({row[p]:.5f})" for p in ("p_band", "p_chi_square")),
            *(f"{row[f'covered_{percent}']:.1%}" for percent in (50, 90)),
        )
        for name, row in tests[:MOST_LISTED]
    ]
    print_table(
        console,
        ("quantity", "p of the band: Holm (own)", "p of chi-square", "50% covers", "90% covers"),
        rows,
    )
    if len(tests) > MOST_LISTED:
        console.print(
            f"and {len(tests) - MOST_LISTED} more quantities that stray less: "
            f"{found.path / 'calibration.json'}",
            markup=False,
            soft_wrap=True,
        )
    for failure in info["failures"][:MOST_LISTED]:
        line = f"failed: simulation {failure['case']}: {failure['error']}"
        console.print(line, style="bold red", markup=False, soft_wrap=True)
    for key, what in (("rejected", "not uniform"), ("coverage_rejected", "coverage is off")):
        if info[key]:
            console.print(
                f"{what} at {LEVEL:.0%} over all tests of all quantities: {', '.join(info[key])}",
                markup=False,
                soft_wrap=True,
            )
    if power := power_in_words(info):
        console.print(power, markup=False, soft_wrap=True)
    good = info["verdict"] == "pass"
    console.print(f"verdict: {_verdict(info)}", style="green" if good else "bold red", markup=False)
    console.print(f"report: {found.path / 'report.html'}", markup=False, soft_wrap=True)


def _totals(info: "Mapping[str, Any]") -> str:
    done, failed = info["simulations"], len(info["failures"])
    diverged = (
        f"; {how_many(info['divergences'], 'divergence')} in {info['with_divergences']} of them"
        if info["divergences"]
        else ""
    )
    lost = f"; {how_many(len(info['lost']), 'worker')} lost" if info["lost"] else ""
    where = "posterior" if info.get("posterior") else "prior"
    return (
        f"{info['model']['name']} under {info['view']['name']} ({CONTROLS[info['control']]}): "
        f"{done - failed} of {how_many(done, 'simulation')} from {info['attempts']} {where} "
        f"draws in {info['seconds']:.0f} s, each truth ranked among {RANKED} draws{diverged}{lost}"
    )


def _verdict(info: "Mapping[str, Any]") -> str:
    if info["control"] == "none":
        return str(info["verdict"])
    return (
        "pass: the wrong fit is caught"
        if info["verdict"] == "pass"
        else "fail: the wrong fit is not caught"
    )


def print_backtest(console: "Console", folder: Path, info: Mapping[str, Any]) -> None:
    """Print skill, where baselines win, beliefs, and what could not be forecast."""
    print_table(console, SKILL_HEADS, skill_rows(info["skill"]), "the model's forecasts")
    print_table(
        console,
        BESIDE_HEADS,
        beside_rows(info["skill"]),
        "ratio of CRPS to naive forecasters: below one the model is better",
    )
    if info["naive_wins"]:
        print_table(
            console, WIN_HEADS, win_rows(info["naive_wins"]), "where a naive forecaster wins"
        )
    console.print(win_sentence(info["naive_wins"], info["skill"]), markup=False, soft_wrap=True)
    if info["named"]:
        print_table(console, NAMED_HEADS, named_rows(info["named"]), "forecasts of named people")
    print_table(
        console,
        BELIEF_HEADS,
        belief_rows(info["beliefs"]),
        "data exponent that a forecaster would have believed in",
    )
    if info["skipped"]:
        console.print(
            f"{how_many(len(info['skipped']), 'origin')} had too few rows; see backtest.json",
            markup=False,
            soft_wrap=True,
        )
    if info["divergences"]:
        console.print(
            f"{how_many(info['divergences'], 'draw')} diverged", style="bold red", markup=False
        )
    console.print(f"report: {folder / 'report.html'}", markup=False, soft_wrap=True)


CROSS_VALIDATION_COLUMNS = (
    "evidence",
    "unit predicted",
    "units",
    "elpd",
    "se",
    "parameters",
    "worst k",
    "how",
    "not trusted",
)


def print_cross_validation(console: "Console", whole: Mapping[str, Any]) -> None:
    """Print each table's cross-validation, and the units for which weights did not suffice."""
    print_simulated(console, whole)
    rows = [tuple(cross_validation_row(table).values()) for table in whole["tables"]]
    print_table(console, CROSS_VALIDATION_COLUMNS, rows)
    for table in whole["tables"]:
        for text in notable_units(table):
            console.print(text, markup=False, soft_wrap=True)
    console.print(
        "elpd: log density of each unit given the others, summed, in nats; "
        "parameters: effective number that the units themselves inform.",
        markup=False,
        soft_wrap=True,
    )


def print_robustness(console: "Console", whole: Mapping[str, Any], horizon: float) -> None:
    """Print what hangs on readings of the evidence, then what moves each headline furthest."""
    print_simulated(console, whole)
    if readings := reading_rows(whole, horizon):
        heads = ("practice", "workforces of 2025", *(label_of(name) for name in READ))
        lines = [(*row["reading"], *row["cells"]) for row in readings]
        print_table(console, heads, lines)
    if horizons := horizon_rows(whole, horizon):
        heads = ("evaluations of time horizons", *(label_of(name) for name in READ_HORIZONS))
        print_table(console, heads, [(row["label"], *row["cells"]) for row in horizons])
    rows = [
        (row["label"], row["median"], row["ninety"], row["moves"])
        for row in headline_rows(whole, horizon)
    ]
    print_table(console, ("headline", "median", "90%", "furthest moved"), rows)
    failed = sum(bool(variant["error"]) for variant in whole["variants"])
    note = f"; {failed} failed" if failed else ""
    console.print(
        f"{len(whole['variants'])} variants of the evidence{note}. Moves are from the run's median "
        "or probability to that of the variant, the furthest first, where they stand out of "
        "Monte Carlo error, corrected for every variant and headline (Holm, 1%).",
        markup=False,
        soft_wrap=True,
    )
