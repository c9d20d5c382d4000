"""Runs of models on timed tasks, which the user supplies: no run is embedded."""

from aligntax.models.evidence.columns import (
    END,
    KEY,
    SMALLEST,
    USED,
    Column,
    EvidenceTable,
    always,
    choice,
    text,
)
from aligntax.models.evidence.rules import succeeds_at_most_always, timed_by_people

HORIZON_RUNS = EvidenceTable(
    "horizon_runs",
    "horizon_run",
    "Runs of models on timed tasks, supplied by the user: one row per model and task",
    (
        KEY,
        text("agent", "the model, with the scaffold that it ran in"),
        Column("date", "date", "calendar year", "date of the model's release", 1950, 2100),
        text("task", "the task"),
        always("human_minutes", "minutes", "a person's time for the task", SMALLEST, 1e12),
        choice("human_source", "how that time is known", "baseline", "estimate"),
        Column("people", "count", "people", "people who were timed; 0 if none were", 0, 1e6),
        Column("attempts", "count", "runs", "runs of the model on the task", 1, 1e9),
        Column("successes", "count", "runs", "runs that succeeded", 0, 1e9),
        USED,
        *END,
    ),
    likelihood=True,
    supplied=True,
    dated="date",
    rules=(succeeds_at_most_always, timed_by_people),
)
