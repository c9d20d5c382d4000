"""Tables of inputs and forecasts that no likelihood conditions on, and single constants."""

import math

from aligntax.models.evidence.columns import (
    END,
    KEY,
    SMALLEST,
    USED,
    Column,
    EvidenceTable,
    always,
    choice,
    number,
    text,
)
from aligntax.models.evidence.rules import quantiles_rise

BIO_ANCHORS = EvidenceTable(
    "bio_anchors",
    "input",
    "Inputs of the Bio Anchors report as its readers give them",
    (
        KEY,
        text("quantity", "which input; rivals for one input share this name and the anchor"),
        number("q05", "see unit", "5% quantile", -math.inf),
        always("median", "see unit", "median or point value"),
        number("q95", "see unit", "95% quantile", -math.inf),
        text("unit", "unit of the three"),
        choice(
            "anchor",
            "which anchor it belongs to",
            "lifetime",
            "short_horizon",
            "medium_horizon",
            "long_horizon",
            "genome",
            "evolution",
            "all",
        ),
        choice("reading", "whose reading", "report", "summary", "re_implementation"),
        USED,
        *END,
    ),
    rules=(quantiles_rise,),
)

PUBLISHED_FORECASTS = EvidenceTable(
    "published_forecasts",
    "point",
    "Points on published arrival curves",
    (
        KEY,
        text("forecast", "whose forecast"),
        text("milestone", "what arrives; curves of different milestones are not comparable"),
        always("year", "calendar year", "the milestone is reached before this date", 1950, 2500),
        always("probability", "probability", "probability that it is", 0, 1),
        USED,
        *END,
    ),
)

NAMED_FORECASTS = EvidenceTable(
    "named_forecasts",
    "quantile",
    "Dated forecasts by named people, which backtests score",
    (
        KEY,
        text("forecaster", "who"),
        text("target", "what is forecast, as the backtest names it: the largest value by due_date"),
        Column("made_date", "date", "calendar year", "when it was made", 1950, 2100),
        Column("due_date", "date", "calendar year", "when it is decided", 1950, 2500),
        always("probability", "probability", "that the value is at most this", 0.001, 0.999),
        always("value", "see unit", "quantile", SMALLEST),
        choice("unit", "unit of the value", "minutes", "FLOP", "USD"),
        USED,
        *END,
    ),
    dated="made_date",
)

PUBLISHED_REQUIREMENTS = EvidenceTable(
    "published_requirements",
    "requirement",
    "Published distributions of what transformative AI needs",
    (
        KEY,
        text("forecast", "whose forecast"),
        text("part", "anchor of the forecast, or stage of its updating"),
        number("q10", "log10 FLOP", "10% quantile", 0, 100),
        always("q50", "log10 FLOP", "median", 0, 100),
        number("q90", "log10 FLOP", "90% quantile", 0, 100),
        USED,
        *END,
    ),
)

RESEARCH_INPUTS = EvidenceTable(
    "research_inputs",
    "date",
    "Inputs of AI research over time in published models",
    (
        KEY,
        choice("forecast", "whose", "ai-futures", "kwa"),
        always("year", "calendar year", "date of the row", 1990, 2500),
        always("training", "OOM", "training compute of the largest run"),
        always("people", "OOM", "people who work on AI research"),
        always("experiments", "OOM", "compute of experiments"),
        USED,
        *END,
    ),
)

CONSTANTS = EvidenceTable(
    "constants",
    "constant",
    "Single figures that the models quote",
    (KEY, always("value", "see unit", "the figure"), text("unit", "its unit"), *END),
)
