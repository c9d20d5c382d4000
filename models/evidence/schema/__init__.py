"""What each table of evidence holds: columns, units, bounds, and rules that tie columns together.

A row is *used* when it enters the default likelihood. In a table without likelihood, a used row is
one that the default view or the report follows. A column marked ``needed`` may be empty in a row
that is only carried, never in a used one.
"""

from aligntax.models.evidence.columns import EvidenceTable
from aligntax.models.evidence.schema.feedback import (
    AI_LABOUR,
    ALIGNMENT_COMPUTE_SHARES,
    FEEDBACK_WORKFORCES,
    LABELLER_AGREEMENT,
    OVERSIGHT_GAMES,
    PAID_TAXES,
    RLHF_EFFORTS,
)
from aligntax.models.evidence.schema.forecasts import (
    BIO_ANCHORS,
    CONSTANTS,
    NAMED_FORECASTS,
    PUBLISHED_FORECASTS,
    PUBLISHED_REQUIREMENTS,
    RESEARCH_INPUTS,
)
from aligntax.models.evidence.schema.progress import (
    ALGORITHMIC_PROGRESS,
    TIME_HORIZONS,
    TRAINING_RUNS,
)
from aligntax.models.evidence.schema.runs import HORIZON_RUNS
from aligntax.models.evidence.schema.scaling import LOSS_LAWS, LOSS_RUNS, SCALING_EXPONENTS
from aligntax.models.evidence.schema.simulated import DENSITY_TRIALS, GOLD_CURVES
from aligntax.models.registry import Registry

TABLES: Registry[EvidenceTable] = Registry(
    "table",
    (
        SCALING_EXPONENTS,
        LOSS_RUNS,
        LOSS_LAWS,
        TRAINING_RUNS,
        ALGORITHMIC_PROGRESS,
        RLHF_EFFORTS,
        LABELLER_AGREEMENT,
        OVERSIGHT_GAMES,
        ALIGNMENT_COMPUTE_SHARES,
        FEEDBACK_WORKFORCES,
        PAID_TAXES,
        AI_LABOUR,
        TIME_HORIZONS,
        HORIZON_RUNS,
        DENSITY_TRIALS,
        GOLD_CURVES,
        BIO_ANCHORS,
        PUBLISHED_FORECASTS,
        PUBLISHED_REQUIREMENTS,
        NAMED_FORECASTS,
        RESEARCH_INPUTS,
        CONSTANTS,
    ),
)
"""Every table by name, in the order in which they are listed and hashed."""
