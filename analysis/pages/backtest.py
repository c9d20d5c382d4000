"""A backtest as one offline page."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from aligntax.analysis.figures import trust
from aligntax.analysis.figures.report_figures import Drawing
from aligntax.analysis.inference.options import Talk
from aligntax.analysis.pages.checks import CheckPage, CheckRow, CheckTable, write_check_page
from aligntax.analysis.pages.sentences import time_in_words
from aligntax.analysis.trust.backtest.origins import Scored
from aligntax.analysis.trust.backtest.wording import (
    BELIEF_HEADS,
    BESIDE_HEADS,
    NAMED_HEADS,
    SKILL_HEADS,
    WIN_HEADS,
    belief_rows,
    beside_rows,
    named_rows,
    skill_rows,
    win_rows,
    win_sentence,
)

QUIET = Talk()


def write_page(
    folder: Path,
    info: Mapping[str, Any],
    scores: Sequence[Scored],
    talk: Talk = QUIET,
    strict: bool = False,
) -> Path:
    """Write ``report.html`` into the folder of a backtest."""
    first, last = info["origins"]
    page = CheckPage(
        "Would the models have known?",
        "Fitted to the evidence up to each year, how well do the trends predict what came, beside "
        "naive forecasts?",
        f"Origins {first} to {last}, priors of the view {info['view']['name']}, "
        f"{time_in_words(info['created'])}; "
        f"{info['divergences']} divergences. Priors were written knowing what came.",
        info,
        _tables(info),
        _drawings(scores),
    )
    return write_check_page(folder, page, talk, strict)


def _tables(info: Mapping[str, Any]) -> list[CheckTable]:
    """Return tables of skill, where it fails, beliefs, and origins without a forecast, if any."""
    skill = CheckTable(
        "The model's forecasts",
        "skill",
        SKILL_HEADS,
        [CheckRow(row) for row in skill_rows(info["skill"])],
        ["CRPS in the unit of what is predicted, averaged over the later rows of all origins."],
        range(2, len(SKILL_HEADS)),
    )
    beside = CheckTable(
        "The model beside naive forecasters",
        "beside",
        BESIDE_HEADS,
        [CheckRow(row) for row in beside_rows(info["skill"])],
        [
            "Ratio of the model's CRPS to the naive forecaster's on the same rows, over all years "
            "and over the first years after the origin. Below one the model is better. The gain "
            "in log score is in nats per row."
        ],
        range(2, len(BESIDE_HEADS)),
    )
    wins = CheckTable(
        "Where a naive forecaster wins",
        "naive_wins",
        WIN_HEADS,
        [CheckRow(row) for row in win_rows(info["naive_wins"])],
        [win_sentence(info["naive_wins"], info["skill"])],
    )
    named = CheckTable(
        "Forecasts of named people",
        "named",
        NAMED_HEADS,
        [CheckRow(row) for row in named_rows(info["named"])],
        [
            "Median and 90% interval, read off the published quantiles, and what came by the due "
            "date or so far. Naive forecasters knew the rows of the day that the forecast was made."
        ],
    )
    belief = CheckTable(
        "Which data exponent would a forecaster have believed in?",
        "beliefs",
        BELIEF_HEADS,
        [CheckRow(row) for row in belief_rows(info["beliefs"])],
        [
            "Pooled exponent gamma of data proportional to parameters^gamma: 1 is linear, 0.8 is "
            "Bio Anchors'."
        ],
        range(1, len(BELIEF_HEADS)),
    )
    skipped = CheckTable(
        "Not forecast", "skipped", ("Origin",), [CheckRow((line,)) for line in info["skipped"]]
    )
    return [
        skill,
        beside,
        wins,
        *([named] if named.rows else []),
        belief,
        *([skipped] if skipped.rows else []),
    ]


def _drawings(scores: Sequence[Scored]) -> list[Drawing]:
    return [
        Drawing(
            "Median (line) and 90% interval (dashed) that each origin forecast for later rows, and "
            "what came (dots).",
            partial(trust.forecast_fans, scores),
        ),
        Drawing(
            "Mean CRPS by origin and method; lower is better.",
            partial(trust.scores_by_origin, scores),
        ),
        Drawing(
            "Where outcomes lie in the model's forecasts: evenly if calibrated, in the middle if "
            "forecasts are too wide.",
            partial(trust.pit_histograms, scores),
        ),
    ]
