"""A sweep as one offline page: how far views are apart, what moves answers, and every case."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from aligntax.analysis.figures import sweep as sweep_figures
from aligntax.analysis.figures.report_figures import Drawing
from aligntax.analysis.inference.options import Talk
from aligntax.analysis.pages.figure_data.pictures import (
    Shown,
    draw_and_read,
    explorer_data,
    failure_lines,
)
from aligntax.analysis.pages.glossary import glossary
from aligntax.analysis.pages.render import render
from aligntax.analysis.storage.whole_file import replace_file
from aligntax.analysis.summaries.words import format_probability, label_of
from aligntax.analysis.sweeps.disagreement import FEWEST, Disagreement, disagreement
from aligntax.analysis.sweeps.sweep import Sweep
from aligntax.analysis.sweeps.wording import (
    extent_in_words,
    input_label,
    interval_within_view,
    moves_in_words,
    same_views,
    share_between_views,
    totals_line,
)
from aligntax.models.catalogue import find_model
from aligntax.models.priors.quantities import element, quantity_of

PAGE = "report.html"
QUIET = Talk()
MOST_CASES = 2000  # that the page lists; cases.csv has all


def write_page(
    sweep: Sweep, found: Disagreement | None = None, talk: Talk = QUIET, strict: bool = False
) -> Path:
    """Write ``report.html`` into a sweep's folder, replaced as a whole or not at all.

    Parameters
    ----------
    sweep : Sweep
        A finished sweep.
    found : Disagreement, optional
        The disagreement of this sweep, if already computed.
    talk : Talk
        Receives a message for each figure that failed.
    strict : bool
        Whether a figure that fails raises.
    """
    found = disagreement(sweep) if found is None else found
    shown = [
        draw_and_read(drawing, number, strict) for number, drawing in enumerate(_drawings(found), 1)
    ]
    context = _context(sweep, found, shown)
    named = [each.answer for each in found.spreads]
    data = {"figures": explorer_data(sweep.info["sweep"], shown), "glossary": glossary(named)}
    scripts = ("downloads.js", "explorer.js", "terms.js", "sortable.js")
    path = replace_file(sweep.path / PAGE, render("sweep.html", context, scripts, **data))
    for failure in failure_lines(shown):
        talk.failed(failure)
    return path


def _drawings(found: Disagreement) -> Iterator[Drawing]:
    answers = sweep_figures.answers_to_draw(found)
    if any(move.seen and move.answer in answers for move in found.moves):
        yield Drawing(
            "Which disagreement moves which answer: percent of the variance between views that "
            "their statements about one quantity explain alone. Blank where it may be chance (F "
            "test, Holm, 5%).",
            partial(sweep_figures.heat_map, found),
        )
    if sweep_figures.strongest_moves(found):
        yield Drawing(
            "Answers over what views state, for the strongest disagreements: one point per view, "
            "and the median of each fifth of the views.",
            partial(sweep_figures.answers_over_statements, found),
            dense=True,
        )
    if answers:
        yield Drawing(
            "How far views are apart: share of views whose median is at most the value. Views "
            "whose median is later or never, or nothing, count beyond the ends.",
            partial(sweep_figures.answer_spreads, found, answers),
        )


def _context(sweep: Sweep, found: Disagreement, shown: list[Shown]) -> dict[str, Any]:
    info = sweep.info
    return {
        "info": info,
        "model": find_model(info["model"]["name"]),
        "totals": totals_line(info, found),
        "same": same_views(info),
        "few": len(found.views) < FEWEST,
        "fewest": FEWEST,
        "spreads": [
            {
                "name": each.answer,
                "label": label_of(each.answer),
                "meaning": quantity_of(each.answer).meaning,
                "extent": extent_in_words(each),
                "within": interval_within_view(each),
                "between": share_between_views(each),
                "noise": "" if each.noise is None else format_probability(each.noise),
                "moved": moves_in_words(found, each.answer),
            }
            for each in found.spreads
            if not element(each.answer) or each.points[0] != each.points[-1]
        ],
        "inputs": [input_label(each.name, each.aspect) for each in found.inputs],
        "figures": shown,
        "errors": sum(bool(each.error or each.unread) for each in shown),
        "cases": [
            _case(case, answer)
            for case, answer in zip(info["cases"][:MOST_CASES], sweep.answers(), strict=False)
        ],
        "left_out": max(0, len(info["cases"]) - MOST_CASES),
    }


def _case(case: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    failed = [
        check["name"].replace("_", " ") for check in answer.get("checks", ()) if not check["passed"]
    ]
    return {
        **case,
        "verdict": answer.get("verdict", "no answer"),
        "why": answer["error"] or ", ".join(dict.fromkeys(failed)),
        "seconds": f"{sum(answer['seconds'].values()):.1f}" if answer["seconds"] else "",
    }
