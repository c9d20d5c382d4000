"""Several experts as one offline page: their answers, and what their disagreement moves."""

from pathlib import Path

from aligntax.analysis.pages.render import render
from aligntax.analysis.storage.whole_file import replace_file
from aligntax.analysis.sweeps.experts import Experts
from aligntax.analysis.sweeps.moves_in_words import (
    SPLIT_HEADS,
    answers_by_expert,
    disputes_in_words,
    left_out_in_words,
    split_rows,
)
from aligntax.models.catalogue import find_model

PAGE = "experts.html"


def write_page(found: Experts) -> Path:
    """Write ``experts.html`` into the folder of the pool's run, as a whole or not at all."""
    horizon, heads = found.pooled.info["horizon"], ("answer", "was", "is", "its median")
    answers_heads, answers = answers_by_expert(found)
    runs = (*found.answers, found.pooled)
    context = {
        "model": find_model(found.pooled.record["model"]),
        "simulated": found.pooled.record.get("simulated", ""),
        "count": len(found.answers),
        "failed": [run.record["run"] for run in runs if run.record["verdict"] != "pass"],
        "answers": {"heads": answers_heads, "rows": answers},
        "inputs": {"heads": SPLIT_HEADS, "rows": split_rows(found.inputs)},
        "left_out": left_out_in_words(found.left_out, horizon),
        "left_out_heads": ("expert left out", *heads),
        "disputes": disputes_in_words(found.disputes, horizon),
        "disputes_heads": ("disputed", "answer", "from", "to", "its median"),
        "runs": [(run.record["run"], run.info["refit"]["reason"]) for run in runs],
        "command": found.pooled.info["command"],
    }
    return replace_file(found.pooled.path / PAGE, render("experts.html", context))
