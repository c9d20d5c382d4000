"""A calibration in a terminal: what was simulated, the quantities that stray furthest, and the verdict."""

from typing import TYPE_CHECKING, Any

from analysis.calibrate import LEVEL
from analysis.calibration import CONTROLS
from analysis.terminal import table
from analysis.uniformity import RANKED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from analysis.calibrate import Calibration

__all__ = ["calibration_table"]

MOST_TOLD = 10  # quantities and failures named in a terminal


def calibration_table(console: "Console", found: "Calibration") -> None:
    """Print a finished calibration."""
    info = found.info
    console.print(_asked(info), markup=False, soft_wrap=True)
    tests = sorted(info["quantities"].items(), key=lambda row: min(row[1]["p_band"], row[1]["p_chi_square"]))
    rows = [
        (
            name,
            *(f"{row[f'{p}_holm']:.3f} ({row[p]:.5f})" for p in ("p_band", "p_chi_square")),
            *(f"{row[f'covered_{percent}']:.1%}" for percent in (50, 90)),
        )
        for name, row in tests[:MOST_TOLD]
    ]
    table(console, ("quantity", "p of the band: Holm (own)", "p of chi-square", "50% covers", "90% covers"), rows)
    if len(tests) > MOST_TOLD:
        console.print(
            f"and {len(tests) - MOST_TOLD} more quantities that stray less: {found.path / 'calibration.json'}"
        )
    for failure in info["failures"][:MOST_TOLD]:
        what = f"failed: simulation {failure['case']}: {failure['error']}"
        console.print(what, style="bold red", markup=False, soft_wrap=True)
    for key, what in (("rejected", "not uniform"), ("coverage_rejected", "coverage is off")):
        if info[key]:
            console.print(
                f"{what} at {LEVEL:.0%} over all quantities: {', '.join(info[key])}", markup=False, soft_wrap=True
            )
    good = info["verdict"] == "pass"
    console.print(f"verdict: {_verdict(info)}", style="green" if good else "bold red", markup=False)
    console.print(f"report: {found.path / 'report.html'}", markup=False, soft_wrap=True)


def _asked(info: "Mapping[str, Any]") -> str:
    done, failed = info["simulations"], len(info["failures"])
    diverged = (
        f"; {info['divergences']} divergences in {info['with_divergences']} of them" if info["divergences"] else ""
    )
    lost = f"; {len(info['lost'])} workers lost" if info["lost"] else ""
    where = "posterior" if info.get("posterior") else "prior"
    return (
        f"{info['model']['name']} under {info['view']['name']} ({CONTROLS[info['control']]}): {done - failed} of {done} "
        f"simulations from {info['attempts']} {where} draws in {info['seconds']:.0f} s, each truth ranked among {RANKED} "
        f"draws{diverged}{lost}"
    )


def _verdict(info: "Mapping[str, Any]") -> str:
    if info["control"] == "none":
        return str(info["verdict"])
    return "pass: the wrong fit is caught" if info["verdict"] == "pass" else "fail: the wrong fit is not caught"
