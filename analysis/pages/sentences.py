"""The answer of a run in one sentence, filled from its summary.

In a template ``{name}`` stands for a median and ``{name|90}`` for a 90% interval.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aligntax.analysis.summaries.words import median_and_interval
from aligntax.models.priors.quantities import quantity_of

JOINT = (
    "For the model that arrives, alignment needs {alignment_hours_needed} of feedback (90%: "
    "{alignment_hours_needed|90}): a labour tax of {labour_tax} of development cost, beside a "
    "compute tax of {compute_tax}; the tolerated tax pays for {alignment_hours_affordable}, and is "
    "enough with probability {prob_affordable}; transformative AI is expected by {tai_year} (90%: "
    "{tai_year|90}), and by {tai_year_baseline_exponent} (90%: {tai_year_baseline_exponent|90}) "
    "if data grew as parameters^0.8 rather than as the evidence says."
)
PLACE = re.compile(r"\{(\w+(?:\[[^\]]*\])?)(\|90)?\}")
MOST = 3  # numbers in the sentence of a model without a template of its own


def sentence_template(names: Sequence[str]) -> str:
    """Return the template of a sentence about numbers of these names."""
    if all(match[0] in names for match in PLACE.findall(JOINT)):
        return JOINT
    parts = [f"{quantity_of(name).label}: {{{name}}} (90%: {{{name}|90}})" for name in names[:MOST]]
    text = "; ".join(parts).replace(" (90%: )", "")
    return f"{text[:1].upper()}{text[1:]}."


def fill_sentence(text: str, rows: Mapping[str, Mapping[str, Any]], horizon: float) -> str:
    """Return a template filled with a run's numbers in words."""

    def words(match: re.Match[str]) -> str:
        name, ninety = match.groups()
        return median_and_interval(rows[name], quantity_of(name), horizon)[1 if ninety else 0]

    return PLACE.sub(words, text).replace(" (90%: )", "")


def time_in_words(created: str) -> str:
    """Return an ISO time as people write it: 29 November 2026, 23:16 UTC."""
    try:
        at = datetime.fromisoformat(created).astimezone(UTC)
    except ValueError:
        return created
    return f"{at.day} {at:%B %Y, %H:%M} UTC"
