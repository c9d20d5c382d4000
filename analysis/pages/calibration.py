"""A calibration as one offline page."""

from functools import partial
from pathlib import Path
from typing import Any

from aligntax.analysis.figures import trust
from aligntax.analysis.figures.report_figures import Drawing
from aligntax.analysis.inference.options import Talk
from aligntax.analysis.pages.checks import CheckPage, CheckRow, CheckTable, write_check_page
from aligntax.analysis.summaries.words import how_many
from aligntax.analysis.trust.calibration.family import LEVEL, TESTS, power_in_words
from aligntax.analysis.trust.calibration.ranks import RANKED
from aligntax.analysis.trust.calibration.simulation import CONTROLS
from aligntax.analysis.trust.calibration.study import Calibration

QUIET = Talk()
HEADS = (
    "quantity",
    "p of the band",
    "adjusted",
    "p of chi-square",
    "adjusted",
    "50% covers",
    "90% covers",
)


def write_page(found: Calibration, talk: Talk = QUIET, strict: bool = False) -> Path:
    """Write ``report.html`` into the folder of a finished calibration."""
    info, ranks = found.info, found.ranks()
    where = "posterior" if info.get("posterior") else "prior"
    tests = info["quantities"]
    beyond = {*info["rejected"], *info["coverage_rejected"]}
    quantities = CheckTable(
        "Every quantity",
        "quantities",
        HEADS,
        [
            CheckRow(_rank_cells(name, tests[name]), name in beyond)
            for name in sorted(tests, key=lambda name: _smallest_p(tests[name]))
        ],
        [
            "Truths were drawn from the prior, evidence from each truth, and the model was "
            f"refitted. Each truth is ranked among {RANKED} draws of its posterior. If simulation "
            "and inference are of one model, the ranks are uniform (Talts et al., "
            "arXiv:1804.06788). Their ECDF is tested against a simultaneous band "
            "(arXiv:2103.10522), and their histogram by chi-square; p-values are adjusted by Holm "
            f"for {len(TESTS)} tests of {len(tests)} quantities, and rejected below {LEVEL:.0%}.",
            *([f"{power[0].upper()}{power[1:]}."] if (power := power_in_words(info)) else []),
        ],
        range(1, len(HEADS)),
    )
    failures = CheckTable(
        "Without an answer",
        "failures",
        ("simulation", "why"),
        [CheckRow((each["case"], each["error"]), True) for each in info["failures"]],
    )
    drawing = Drawing(
        "How far the ranks of each quantity stray from uniform: one line per quantity, beside the "
        "99% simultaneous band of one quantity. Those beyond it, adjusted for their number, are "
        "named.",
        partial(trust.rank_ecdfs, ranks, tests),
        dense=True,
    )
    page = CheckPage(
        f"Calibration: {info['model']['name']}",
        "Does the model find what it simulates?",
        f"{info['simulations']} simulations from {info['attempts']} {where} draws under the view "
        f"{info['view']['name']}, seed {info['seed']}, in {info['seconds']:.0f} s: "
        f"{CONTROLS[info['control']]}.",
        info,
        [quantities, *([failures] if info["failures"] else [])],
        [drawing] if tests else [],
        _verdict(info),
    )
    return write_check_page(found.path, page, talk, strict)


def _smallest_p(row: dict[str, float]) -> float:
    return min(row["p_band"], row["p_chi_square"])


def _rank_cells(name: str, row: dict[str, float]) -> tuple[str, ...]:
    ps = [
        f"{row[key]:.4f}" for key in ("p_band", "p_band_holm", "p_chi_square", "p_chi_square_holm")
    ]
    return (name, *ps, *(f"{row[f'covered_{percent}']:.1%}" for percent in (50, 90)))


def _verdict(info: Any) -> dict[str, Any]:
    """Return the verdict in words; a deliberately wrong fit must be caught."""
    points = [f"not uniform: {name}" for name in info["rejected"]]
    points += [f"coverage is off: {name}" for name in info["coverage_rejected"]]
    if info["failures"]:
        points.append(f"without an answer: {how_many(len(info['failures']), 'simulation')}")
    if info["divergences"]:
        points.append(
            f"{how_many(info['divergences'], 'divergence')} in "
            f"{how_many(info['with_divergences'], 'simulation')}, which "
            "are kept"
        )
    good = info["verdict"] == "pass"
    if info["control"] == "none":
        words = (
            "The ranks of every quantity are uniform."
            if good
            else "The model does not find what it simulates."
        )
    else:
        words = "The wrong fit is caught." if good else "The wrong fit is not caught."
    return {"state": info["verdict"], "words": words, "points": points}
