"""Several experts as one offline page: their answers, and what their disagreement moves."""

from pathlib import Path

from aligntax.analysis.pages.render import render
from aligntax.analysis.storage.whole_file import replace_file
from aligntax.analysis.sweeps.experts import Experts
from aligntax.analysis.sweeps.moves_in_words import (
    DISPUTE_HEADS,
    LEFT_OUT_HEADS,
    SPLIT_HEADS,
    answers_by_expert,
    disputes_in_words,
    left_out_in_words,
    split_rows,
)
from aligntax.models.catalogue import find_model


def write_page(found: Experts) -> Path:
    """Write ``experts.html`` into the folder of the pool's run, as a whole or not at all."""
    horizon = found.pooled.info["horizon"]
    answers_heads, answers = answers_by_expert(found)
    context = {
        "model": find_model(found.pooled.record["model"]),
        "simulated": found.pooled.record.get("simulated", ""),
        "count": len(found.answers),
        "pool": found.pool,
        "failed": found.failed,
        "answers": {"heads": answers_heads, "rows": answers},
        "inputs": {"heads": SPLIT_HEADS, "rows": split_rows(found.inputs)},
        "left_out": left_out_in_words(found.left_out, horizon),
        "left_out_heads": LEFT_OUT_HEADS,
        "disputes": disputes_in_words(found.disputes, horizon),
        "disputes_heads": DISPUTE_HEADS,
        "runs": [(run.record["run"], run.info["refit"]["reason"]) for run in found.runs],
        "command": found.pooled.info["command"],
    }
    return replace_file(found.page, render("experts.html", context))
