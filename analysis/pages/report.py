"""A run as one offline page: verdict, answer, figures, checks, evidence, priors and provenance.

The page holds text that the template escapes and images in data URIs. Its own scripts respond to
pointer and keys; nothing is fetched. A figure that fails leaves its error in its place and is
counted beside the verdict.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from aligntax.analysis.answers.condition import summarise_given
from aligntax.analysis.answers.sensitivity import sensitivity_of_result
from aligntax.analysis.answers.sensitivity_wording import is_current
from aligntax.analysis.figures import report_figures
from aligntax.analysis.figures.style import view_of
from aligntax.analysis.inference.options import Talk
from aligntax.analysis.pages.cards import BudgetCard, Card, budget_card, cards
from aligntax.analysis.pages.evidence_checks import evidence_check_rows
from aligntax.analysis.pages.figure_data.beside import drawing_beside
from aligntax.analysis.pages.figure_data.pictures import (
    Shown,
    explorer_data,
    failure_lines,
)
from aligntax.analysis.pages.glossary import glossary
from aligntax.analysis.pages.input_tables import evidence_tables, prior_row
from aligntax.analysis.pages.render import render
from aligntax.analysis.pages.report_tables import (
    anchor_rows,
    answer_rows,
    check_row,
    driver_table,
    quantity_row,
    shift_rows,
)
from aligntax.analysis.pages.sentences import fill_sentence, sentence_template
from aligntax.analysis.pages.what_if import Live
from aligntax.analysis.storage.result import Result
from aligntax.analysis.storage.shared_draws import resample_by_weight
from aligntax.analysis.storage.whole_file import replace_file
from aligntax.analysis.summaries.arrival_answers import arrival_answers
from aligntax.analysis.summaries.claim_answers import claim_answers
from aligntax.analysis.summaries.claims import QUESTIONS, WHOSE, assumed_quantities, stated
from aligntax.analysis.summaries.claims_in_words import chance_in_words, notes_in_words
from aligntax.analysis.summaries.kinds_in_words import COLUMNS, kind_cells, kind_line
from aligntax.analysis.summaries.shapes_in_words import SHAPE_COLUMNS, shape_cells, threshold_line
from aligntax.analysis.summaries.simulated_world import simulated_world
from aligntax.analysis.summaries.words import without_long_vectors
from aligntax.models.catalogue import Model, find_model
from aligntax.models.priors.quantities import base_name, lookup
from aligntax.models.views import View

PAGE = "report.html"
ANSWER = (
    "alignment_hours_needed",
    "alignment_hours_affordable",
    "tax_headroom",
    "labour_tax",
    "compute_tax",
    "alignment_tax",
    "tolerance_at_arrival",
    "alignment_tax_tolerance",
    "tolerance_of_training_cost",
    "prob_affordable",
    "compute_not_tolerated",
    "labour_not_tolerated",
    "workforce_too_small",
    "alignment_ends",
    "rlhf_multiple_needed",
    "rlhf_multiple_affordable",
    "tai_year",
    "tai_year_aligned",
    "tai_year_baseline_exponent",
    "timeline_shift_exponent",
    "timeline_shift_allocation",
    "allocation_progress",
    "allocation_progress_most",
    "timeline_shift_alignment",
    "training_cost_at_tai",
    "tai_flop",
    "data_exponent",
    "data_exponent_pooled",
    "data_factor_at_1e5",
    "data_factor_at_1e5_pooled",
)
LONGEST = 60  # letters of a condition in a file's name
QUIET = Talk()
# sections of figures, in the order of the page
SECTIONS = {
    "forecast": report_figures.forecast_figures,
    "driven": report_figures.driver_figures,
    "predictive": report_figures.predictive_figures,
    "chains": report_figures.chain_figures,
}


@dataclass(frozen=True)
class ReportPage:
    """What ``report.html`` shows of a run; the fields are the template's variables.

    Attributes
    ----------
    model, run, record, info, view
        The run and how it was made.
    checks, claims, quantities, anchors, shifts, evidence, priors : list
        Rows of the tables of these names.
    kinds : mapping
        The answer by kind of requirement: ``columns`` and ``rows``, or one ``line``.
    shapes : mapping
        The superhuman coder by shape of growth: ``columns``, ``rows``, and the ``line`` on its
        threshold; empty in a model without time horizons.
    prior_only : list of str
        Labels of the quantities that no evidence informs.
    links : list
        Priors that were fitted by another model first.
    simulated : str
        That the evidence is simulated, where it is.
    cards : list of Card
        The answers of the first screen.
    budget : BudgetCard or None
        What to buy for the next year.
    leading : list of str
        Names of the quantities that lead the page.
    sentence_template, sentence : str
        The answer in one sentence, before and after its numbers are filled in.
    answer : list
        Rows of the leading quantities.
    drivers, trust : mapping
        Tables of what drives the answer, and of how the model meets its evidence.
    figures : mapping of str to list of Shown
        By section.
    """

    model: Model
    run: str
    record: Mapping[str, Any]
    info: Mapping[str, Any]
    view: View
    checks: list[dict[str, Any]]
    claims: list[dict[str, Any]]
    kinds: Mapping[str, Any]
    shapes: Mapping[str, Any]
    prior_only: list[str]
    links: list[dict[str, Any]]
    simulated: str
    cards: list[Card]
    budget: BudgetCard | None
    leading: list[str]
    sentence_template: str
    sentence: str
    answer: list[dict[str, Any]]
    quantities: list[dict[str, Any]]
    anchors: list[dict[str, str]]
    shifts: list[dict[str, str]]
    drivers: Mapping[str, Any]
    trust: Mapping[str, Any]
    evidence: list[dict[str, Any]]
    priors: list[dict[str, Any]]
    figures: Mapping[str, list[Shown]] = field(default_factory=dict)

    @property
    def shown(self) -> list[Shown]:
        """Every figure, in order."""
        return [shown for section in self.figures.values() for shown in section]

    @property
    def names(self) -> Iterator[str]:
        """Names of the quantities that the tables list."""
        for rows in (self.quantities, self.priors, self.shifts, self.drivers["rows"]):
            yield from (row["name"] for row in rows)


def write_report(
    result: Result, strict: bool = False, given: str | None = None, talk: Talk = QUIET
) -> Path:
    """Write ``report.html`` into a run's folder.

    Given a condition, the page is of the draws that meet it: ``report-given-CONDITION.html``.

    Parameters
    ----------
    result : Result
    strict : bool
        Whether a figure that fails raises. By default the page shows its error and counts it beside
        the verdict.
    given : str, optional
        Condition on quantities; see :mod:`aligntax.analysis.answers.condition`.
    talk : Talk
        Receives a message for each figure that failed.

    Returns
    -------
    Path
        The page, replaced as a whole or not at all.
    """
    page, result = PAGE, _answered_today(result)
    # a reweighted run does not store its sensitivity: it takes longer to compute than the weights
    if given is None and (
        result.record["method"] == "reweight" or not is_current(result.info.get("sensitivity"))
    ):
        result = replace(result, info={**result.info, "sensitivity": sensitivity_of_result(result)})
    if given is not None:
        result, page = _conditioned(result, given), f"report-given-{_condition_slug(given)}.html"
    content, live = _content(result, given is None, strict)
    error = live.error if live else ""
    shown = content.shown
    context = {
        **vars(content),
        "live": live,
        "errors": sum(bool(figure.error) for figure in shown) + bool(error),
        "unread": sum(bool(figure.unread) for figure in shown),
    }
    data = {
        "figures": explorer_data(content.run, shown),
        "glossary": glossary(content.names),
        **(live.data if live else {}),
    }
    scripts = (
        "downloads.js",
        "contents.js",
        "explorer.js",
        "terms.js",
        *(live.scripts if live else ()),
    )
    path = replace_file(result.path / page, render(PAGE, context, scripts, **data))
    for failure in [*failure_lines(shown), *([error] if error else [])]:
        talk.failed(failure)
    return path


def _content(result: Result, movable: bool, strict: bool) -> tuple[ReportPage, Live | None]:
    """Collect what the page shows, while copies of this process draw.

    Parameters
    ----------
    movable : bool
        Whether the reader can move priors.
    """
    drawn = resample_by_weight(result, result.weights) if result.weighted else result
    sections = {section: list(drawings(drawn)) for section, drawings in SECTIONS.items()}
    with drawing_beside([each for some in sections.values() for each in some], strict) as finish:
        content, live = collect_page(result, drawn), None
        if movable:
            live = Live.of(result, content.leading, content.sentence_template, strict)
        shown = iter(finish())
    figures = {section: list(islice(shown, len(some))) for section, some in sections.items()}
    return replace(content, figures=figures), live


def _answered_today(result: Result) -> Result:
    """Return a result with the claims and the answers about arrival that older summaries lack."""
    if "tai_anchor" not in result.derived or "by_requirement" in result.record:
        return result
    assumed, horizon = assumed_quantities(result.info), result.info["horizon"]
    record = {
        **result.record,
        **arrival_answers(result.derived, result.view, result.weights),
        "claims": claim_answers(result.derived, result.weights, assumed, horizon),
    }
    return replace(result, record=record)


def _condition_slug(given: str) -> str:
    """Return a file name for a condition; only conditions of one meaning share a name."""
    spelt = re.sub(r"[\s+]+", "", given.replace(" and ", "_and_"))
    for sign, word in (
        ("<=", "-at-most-"),
        (">=", "-at-least-"),
        ("==", "-is-"),
        ("<", "-below-"),
        (">", "-above-"),
        ("%", "pc"),
    ):
        spelt = spelt.replace(sign, word)
    plain = re.sub(r"[^A-Za-z0-9._-]", "-", spelt)
    if len(plain) <= LONGEST:
        return plain
    return f"{plain[:LONGEST]}-{hashlib.sha256(spelt.encode()).hexdigest()[:8]}"


def _conditioned(result: Result, text: str) -> Result:
    """Return a result of the draws that meet a condition, resampled by weight."""
    given, record = summarise_given(result, text)
    info = {**result.info, "sensitivity": sensitivity_of_result(result, given.weights)}
    return replace(resample_by_weight(result, given.weights), record=record, info=info)


def collect_page(result: Result, drawn: Result) -> ReportPage:
    """Collect what the report of a run shows beside its figures.

    Parameters
    ----------
    result : Result
    drawn : Result
        The same answer in draws that count the same.
    """
    model, view, record = find_model(result.record["model"]), view_of(result), result.record
    horizon = view.arrival.horizon
    leading = _leading_quantities(model, record["quantities"])
    template = sentence_template(leading)
    return ReportPage(
        model=model,
        run=record.get("run", result.path.name),
        record=record,
        info=result.info,
        view=view,
        checks=[check_row(check) for check in record["checks"]],
        claims=_claim_sections(record["claims"]),
        kinds=_kinds(record.get("by_requirement", ()), horizon),
        shapes=_shapes(record.get("by_shape", ()), horizon),
        prior_only=[lookup(name).label for name in assumed_quantities(result.info)],
        links=[
            {"label": lookup(name).label, **link}
            for name, link in result.info.get("links", {}).items()
        ],
        simulated=simulated_world(result.evidence, model.tables),
        cards=cards(result, horizon),
        budget=budget_card(result),
        leading=leading,
        sentence_template=template,
        sentence=fill_sentence(template, record["quantities"], horizon),
        answer=answer_rows(leading, result, horizon),
        quantities=[quantity_row(name, row, horizon) for name, row in record["quantities"].items()],
        anchors=anchor_rows(result),
        shifts=shift_rows(drawn),
        drivers=driver_table(result),
        trust=evidence_check_rows(result, horizon),
        evidence=list(evidence_tables(result, model)),
        priors=[prior_row(name, view.quantities[name], result) for name in model.quantities],
    )


def _claim_sections(answers: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the claims that the run has numbers for, by the question that they answer."""
    shown = []
    for part, heading in QUESTIONS.items():
        known = [
            {
                "chance": chance_in_words(answers[claim.name]),
                "text": claim.text,
                "whose": WHOSE[claim.whose],
                "source": claim.source,
                "notes": notes_in_words(answers[claim.name]),
            }
            for claim in stated(answers)
            if claim.part == part
        ]
        if known:
            shown.append({"heading": heading, "claims": known})
    return shown


def _kinds(rows: Sequence[Mapping[str, Any]], horizon: float) -> dict[str, Any]:
    """Return the answer by kind of requirement; one line where there is one kind."""
    if len(rows) == 1:
        return {"line": kind_line(rows[0], horizon), "columns": [], "rows": []}
    return {
        "line": "",
        "columns": [text.format(horizon=horizon) for text in COLUMNS],
        "rows": [kind_cells(row, horizon) for row in rows],
    }


def _shapes(rows: Sequence[Mapping[str, Any]], horizon: float) -> dict[str, Any]:
    """Return the superhuman coder by shape of growth, and the line on its threshold."""
    if not rows:
        return {}
    return {
        "line": threshold_line(rows, horizon),
        "columns": [text.format(horizon=horizon) for text in SHAPE_COLUMNS],
        "rows": [shape_cells(row, horizon) for row in rows],
    }


def _leading_quantities(model: Model, rows: Mapping[str, Any]) -> list[str]:
    """Return the names of the leading rows, in the order of the question or of the model."""
    if "tai_year" in rows:
        return [name for name in ANSWER if name in rows]
    return [name for name in without_long_vectors(rows) if base_name(name) in model.headlines]
