"""A run as one offline page: verdict and answer first, then figures, checks, evidence, priors and how it was made.

Everything shown is text that the template escapes, or an image in a data URI; the page's own
scripts add what a pointer or a key asks for, and nothing is fetched. A figure that fails leaves its
error in its place and is counted beside the verdict.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from aligntax.analysis.answers import sensitivity_wording
from aligntax.analysis.answers.condition import summarise_given
from aligntax.analysis.answers.sensitivity import sensitivity_of_result
from aligntax.analysis.answers.timeline_shifts import shifts_by_anchor
from aligntax.analysis.figures import report_figures
from aligntax.analysis.figures.style import used_rows, view_of
from aligntax.analysis.inference.options import Talk
from aligntax.analysis.pages.evidence_checks import trust
from aligntax.analysis.pages.figure_data.pictures import explorer, failures, show
from aligntax.analysis.pages.glossary import glossary, terms
from aligntax.analysis.pages.render import render
from aligntax.analysis.pages.sentences import filled, template
from aligntax.analysis.pages.sources import linked
from aligntax.analysis.pages.what_if import Live
from aligntax.analysis.storage.result import Result
from aligntax.analysis.storage.shared_draws import resampled
from aligntax.analysis.storage.whole_file import replace_file
from aligntax.analysis.summaries.claims import CLAIMS, Claim, assumed_quantities
from aligntax.analysis.summaries.words import (
    format_number,
    format_probability,
    label_of,
    median_and_interval,
    missing_mass,
    without_long_vectors,
)
from aligntax.models.catalogue import Model, find_model
from aligntax.models.priors.quantities import Quantity, base_name, lookup, quantity_of
from aligntax.models.views import ANCHORS

PAGE = "report.html"
PARTS = {
    1: "Alignment needs far more than a few hundred hours of human feedback",
    2: "A tax of 1% or more is likely to be affordable, and pays for over two further orders of magnitude",
    3: "Training data grow linearly with parameters, which moves timelines out by a few years",
}
ANSWER = (
    "alignment_hours_needed",
    "alignment_hours_affordable",
    "tax_headroom",
    "alignment_tax",
    "alignment_tax_tolerance",
    "prob_affordable",
    "rlhf_multiple_needed",
    "rlhf_multiple_affordable",
    "tai_year",
    "tai_year_aligned",
    "tai_year_baseline_exponent",
    "timeline_shift_exponent",
    "timeline_shift_alignment",
    "training_cost_at_tai",
    "tai_flop",
    "data_exponent",
    "data_exponent_pooled",
)
# evidence without a likelihood, shown where arrival is modelled
BACKGROUND = ("bio_anchors", "published_forecasts")
REPORTED = ("all", "neural nets only")  # groups of anchors whose shifts stand on the page
LONGEST = 60  # letters of a condition in a file's name
QUIET = Talk()
FIGURES = ("forecast", "driven", "predictive", "chains")  # sections of the page


def write_report(
    result: Result, strict: bool = False, given: str | None = None, talk: Talk = QUIET
) -> Path:
    """Write ``report.html`` into a run's folder, or ``report-given-CONDITION.html`` of the draws that meet a condition.

    Parameters
    ----------
    result : Result
    strict : bool
        Whether a figure that fails raises; by default its error is shown on the page and counted in
        the verdict.
    given : str, optional
        Condition on quantities; see :mod:`aligntax.analysis.answers.condition`.
    talk : Talk
        Told of each figure that failed, and why.

    Returns
    -------
    Path
        The page, replaced as a whole or not at all.
    """
    page = PAGE
    # weights are cheap to make, and this is not
    if given is None and result.record["method"] == "reweight":
        result = replace(result, info={**result.info, "sensitivity": sensitivity_of_result(result)})
    if given is not None:
        result, page = _conditional(result, given), f"report-given-{_slug(given)}.html"
    context = _page(result, strict)
    shown = [each for name in FIGURES for each in context[name]]
    live = (
        None
        if given is not None
        else Live.of(result, context["leading"], context["template"], strict)
    )
    context |= {"live": live, "errors": context["errors"] + bool(live and live.error)}
    data = {
        "figures": explorer(context["run"], shown),
        "glossary": glossary(_named(context)),
        **(live.data if live else {}),
    }
    scripts = ("downloads.js", "explorer.js", "terms.js", *(live.scripts if live else ()))
    path = replace_file(result.path / page, render(PAGE, context, scripts, **data))
    for failure in [*failures(shown), *([live.error] if live and live.error else [])]:
        talk.failed(failure)
    return path


def _named(context: Mapping[str, Any]) -> Iterator[str]:
    """Quantities that the page's tables name."""
    for table in ("quantities", "priors", "shifts"):
        yield from (row["name"] for row in context[table])
    yield from (row["name"] for row in context["drivers"]["rows"])


def _slug(given: str) -> str:
    """Name of a condition that a file can have; two conditions have the same one only if they mean the same."""
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


def _conditional(result: Result, text: str) -> Result:
    """Result of the draws that meet a condition, each as often as it counts, and what drives them."""
    given, record = summarise_given(result, text)
    info = {**result.info, "sensitivity": sensitivity_of_result(result, given.weights)}
    return replace(resampled(result, given.weights), record=record, info=info)


def _page(result: Result, strict: bool) -> dict[str, Any]:
    model, view, record = find_model(result.record["model"]), view_of(result), result.record
    horizon = view.arrival.horizon
    drawn = resampled(result, result.weights) if "weights" in result.tree.children else result
    leading = _answer(model, record["quantities"])
    sentence, numbers = template(leading), count(1)
    drawings = (
        report_figures.forecast_figures,
        report_figures.driver_figures,
        report_figures.predictive_figures,
        report_figures.chain_figures,
    )
    sections = {
        name: [show(drawing, next(numbers), strict) for drawing in found(drawn)]
        for name, found in zip(FIGURES, drawings, strict=True)
    }
    return {
        "title": model.title,
        "question": model.question,
        "run": record.get("run", result.path.name),
        "record": record,
        "info": result.info,
        "view": view,
        "failed": [check for check in record["checks"] if not check["passed"]],
        "checks": [_check(check) for check in record["checks"]],
        "claims": _claims(result, horizon),
        "prior_only": [lookup(name).label for name in assumed_quantities(result.info)],
        "links": [
            {"label": lookup(name).label, **link}
            for name, link in result.info.get("links", {}).items()
        ],
        "leading": leading,
        "template": sentence,
        "sentence": filled(sentence, record["quantities"], horizon),
        "answer": [_row(name, record["quantities"][name], horizon) for name in leading],
        "quantities": [_row(name, row, horizon) for name, row in record["quantities"].items()],
        "anchors": _anchors(result),
        "shifts": _shifts(drawn),
        "drivers": _drivers(result),
        "trust": trust(result, horizon),
        "evidence": list(_evidence(result, model)),
        "priors": [_prior(name, view.quantities[name], result) for name in model.quantities],
        "errors": sum(bool(shown.error) for group in sections.values() for shown in group),
        "unread": sum(bool(shown.unread) for group in sections.values() for shown in group),
        **sections,
    }


def _check(check: Mapping[str, Any]) -> dict[str, Any]:
    value = "not computed" if check["value"] is None else f"{check['value']:.4g}"
    return {**check, "shown": value, "words": check["name"].replace("_", " ")}


def _claims(result: Result, horizon: float) -> list[dict[str, str]]:
    """One sentence for each of the three claims; those that the run does not speak to are left out."""
    shown = []
    for part, heading in PARTS.items():
        known = [
            claim
            for claim in CLAIMS
            if claim.part == part and claim.name in result.record["claims"]
        ]
        if known:
            text = "; with ".join(_claim(claim, result, horizon) for claim in known)
            shown.append({"heading": heading, "text": f"With {text}."})
    return shown


def _claim(claim: Claim, result: Result, horizon: float) -> str:
    text = f"probability {format_probability(result.record['claims'][claim.name])}, {claim.text}"
    if claim.quantity in assumed_quantities(result.info):
        text += " (assumed, not learned)"
    if result.record["quantities"].get(claim.quantity, {}).get("prob_undefined"):
        world = " in either world" if claim.quantity == "timeline_shift_exponent" else ""
        text += f" (given arrival{world} before {horizon:.0f})"
    return text


def _answer(model: Model, rows: Mapping[str, Any]) -> list[str]:
    """Names of the rows to lead with: the joint model's in the order of the question, another model's headlines."""
    if "tai_year" in rows:
        return [name for name in ANSWER if name in rows]
    return [name for name in without_long_vectors(rows) if base_name(name) in model.headlines]


def _row(name: str, row: Mapping[str, Any], horizon: float) -> dict[str, Any]:
    """Row of a table of quantities, in words and in numbers."""
    quantity = quantity_of(name)
    median, ninety = median_and_interval(row, quantity, horizon)
    plain = {
        key: "" if row.get(key) is None else f"{row[key]:.4g}"
        for key in ("mean", "sd", "q05", "q50", "q95", "mcse_median", "r_hat")
    }
    return {
        "name": name,
        "label": label_of(name),
        "median": median,
        "interval": ninety,
        "missing": missing_mass(row, quantity, horizon),
        "unit": _unit(quantity),
        "meaning": quantity.meaning,
        "assumed": bool(row.get("assumed")),
        "ess": "" if row.get("ess_bulk") is None else f"{row['ess_bulk']:.0f}",
        "contraction": _contraction(row),
        **plain,
    }


def _contraction(row: Mapping[str, Any]) -> str:
    value = row.get("contraction")
    return "" if value is None else f"{round(100 * value)}%"


def _unit(quantity: Quantity) -> str:
    unit = "" if quantity.unit == "1" else quantity.unit
    return f"log10 {unit}".strip() if quantity.scale == "log10" else unit


def _drivers(result: Result) -> dict[str, Any]:
    """What drives the answer, in words; without rows in a run that did not ask."""
    found = result.info.get("sensitivity")
    if not found:
        return {"rows": []}
    notes = [
        sensitivity_wording.CAUTION,
        sensitivity_wording.contraction_sentence(found),
        sensitivity_wording.decision_sentence(found.get("decision")),
    ]
    rows = sensitivity_wording.driver_rows(found, sensitivity_wording.shown_answers(found))
    elicited = list(found["quantities"])
    split = (
        {key: list(terms(row[key], elicited)) for key in ("drivers", "spread")} for row in rows
    )
    return {
        "rows": [row | pieces for row, pieces in zip(rows, split, strict=True)],
        "notes": [note for note in notes if note],
    }


def _shifts(result: Result) -> list[dict[str, str]]:
    """Shifts of arrival over all draws and where a neural-net anchor counts; none in a model without arrival."""
    if "tai_anchor" not in result.derived:
        return []
    return [
        {
            "name": row.shift,
            "label": lookup(row.shift).label,
            "group": f"{row.group} ({format_probability(row.weight)})",
            **{
                q: "beyond" if value is None else f"{value + 0.0:.2f}"
                for q, value in row.quantiles.items()
            },
            "right": format_probability(row.prob_right_censored),
            "left": format_probability(row.prob_left_censored),
            "undefined": format_probability(row.prob_undefined),
        }
        for row in shifts_by_anchor(result).rows
        if row.group in REPORTED
    ]


def _anchors(result: Result) -> list[dict[str, str]]:
    """Prior weight and posterior probability of each requirement anchor."""
    rows, weights = result.record["quantities"], view_of(result).anchors
    found = {anchor: rows.get(f"anchor_probability[{anchor}]") for anchor in ANCHORS}
    return [
        {
            "name": anchor.replace("_", " "),
            "prior": format_probability(weights[anchor]),
            "posterior": format_probability(row["mean"]),
        }
        for anchor, row in found.items()
        if row is not None and row["mean"] is not None and (weights[anchor] or row["mean"])
    ]


def _evidence(result: Result, model: Model) -> Iterator[dict[str, Any]]:
    """Used rows of each table that the run conditions on or shows."""
    tables = (*model.tables, *(BACKGROUND if "tai_year" in result.derived else ()), "constants")
    for name in tables:
        rows = used_rows(result, name)
        if not rows.sizes or not next(iter(rows.sizes.values())):
            continue
        dim = str(next(iter(rows.sizes)))
        own_unit = "unit" in rows.data_vars  # a table of mixed figures says the unit row by row
        numeric = [
            str(c)
            for c in rows.data_vars
            if rows[c].dtype.kind == "f" and np.isfinite(rows[c].values).any()
        ]
        label = next(
            (
                c
                for c in ("name", "study", "quantity", "forecast")
                if c in rows and rows[c].dtype.kind != "f"
            ),
            None,
        )
        yield {
            "name": name,
            "title": rows.attrs.get("title", name),
            "own_unit": own_unit,
            "role": "conditioned on" if name in model.tables else "background",
            "columns": [
                {"name": c.replace("_", " "), "unit": rows[c].attrs.get("unit", "")}
                for c in numeric
            ],
            "rows": [
                {
                    "key": rows[dim].values[i],
                    "name": "" if label is None else rows[label].values[i],
                    "figures": [_figure(rows[c].values[i], c) for c in numeric],
                    "unit": rows["unit"].values[i] if own_unit else "",
                    "source": linked(rows["source"].values[i]),
                    "status": rows["status"].values[i],
                }
                for i in range(rows.sizes[dim])
            ],
        }


def _figure(value: float, column: str) -> str:
    if not np.isfinite(value):
        return ""
    return f"{value:.2f}".rstrip("0").rstrip(".") if column in ("date", "year") else f"{value:.6g}"


def _prior(name: str, spec: Mapping[str, Any], result: Result) -> dict[str, Any]:
    quantity = lookup(name)
    row, link = result.record["quantities"].get(name, {}), result.info.get("links", {}).get(name)
    learned = "no evidence" if name in result.info["prior_only"] else _contraction(row)
    return {
        "name": name,
        "label": quantity.label,
        "stated": _stated(spec, quantity),
        "source": linked(spec.get("source", "")),
        "rationale": spec.get("rationale", ""),
        "informed": learned if link is None else f"fitted first, {link['model']}",
    }


def _stated(spec: Mapping[str, Any], quantity: Quantity) -> str:
    """Prior as the view states it, in one line."""
    unit = spec.get("unit", "" if quantity.unit == "1" else quantity.unit)
    parts = []
    for key, value in spec.items():
        if key == "quantiles" and isinstance(value, Mapping):
            parts.append(
                "; ".join(f"{100 * float(p):g}%: {_brief(x)}" for p, x in _flat(value))
                + f" {unit}".rstrip()
            )
        elif key not in ("source", "rationale", "unit"):
            parts.append(f"{key} {_brief(value)}")
    return ", ".join(parts) + ("" if "quantiles" in spec or not unit else f" ({unit})")


def _flat(quantiles: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Pairs of probability and value: TOML reads the bare key ``0.1`` as nested tables."""
    for key, value in quantiles.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _brief(value: Any, most: int = 12) -> str:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | Mapping | Sequence)
        or isinstance(value, str)
    ):
        return str(value)
    if isinstance(value, int | float):
        return f"{value:g}" if abs(value) < 1e4 else format_number(value, 3)
    if isinstance(value, Mapping):
        return (
            "{"
            + ", ".join(f"{key} = {_brief(x)}" for key, x in list(value.items())[:most])
            + (", …}" if len(value) > most else "}")
        )
    return (
        "["
        + ", ".join(_brief(x) for x in value[:most])
        + (f", … {len(value)} values]" if len(value) > most else "]")
    )
