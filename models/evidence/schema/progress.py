"""Tables on progress over time: training runs, algorithms, and time horizons."""

from aligntax.models.evidence.columns import (
    END,
    KEY,
    SMALLEST,
    USED,
    Column,
    EvidenceTable,
    Identity,
    choice,
    needed,
    number,
    published,
    text,
)
from aligntax.models.evidence.rules import exact_has_spread, horizon_within, window_opens_first

TRAINING_RUNS = EvidenceTable(
    "training_runs",
    "run",
    "Training runs that were among the ten largest at release",
    (
        KEY,
        text("name", "the model"),
        Column("date", "date", "calendar year", "date of release", 1950, 2100),
        text("organisation", "who trained it"),
        text("domain", "language, vision, multimodal, games, ..."),
        needed(
            "flop",
            "FLOP",
            "training compute of the final run, or what it is known to exceed",
            1e3,
            1e40,
        ),
        number(
            "flop_sd", "OOM", "measurement error of log10 flop, one standard deviation", 0.01, 3
        ),
        number(
            "cost_usd", "2023 USD", "amortised hardware and energy of the final run", 0.01, 1e15
        ),
        choice(
            "confidence",
            "Epoch AI's label of the compute figure",
            "confident",
            "likely",
            "speculative",
        ),
        choice(
            "bound",
            "whether flop is the figure itself or only known to be exceeded",
            "exact",
            "above",
        ),
        USED,
        *END,
    ),
    likelihood=True,
    dated="date",
    rules=(exact_has_spread,),
    identity=Identity("name", ("date",), "flop"),
)

ALGORITHMIC_PROGRESS = EvidenceTable(
    "algorithmic_progress",
    "estimate",
    "Published estimates of algorithmic progress",
    (
        KEY,
        text("study", "the study, as one would cite it in a figure"),
        published(),
        text("domain", "language, vision, ..."),
        needed("growth", "OOM/year", "growth of what a FLOP achieves", -1, 5),
        needed("growth_se", "OOM/year", "standard error of growth", 0.001, 5),
        number("window_start", "calendar year", "start of the years studied", 1950, 2100),
        number("window_end", "calendar year", "end of the years studied", 1950, 2100),
        choice(
            "estimand", "what grew", "training_efficiency", "capability_catch_up", "assumed_prior"
        ),
        text("independence_group", "rows with the same value rest on the same data"),
        USED,
        *END,
    ),
    likelihood=True,
    dated="year",
    rules=(window_opens_first,),
    identity=Identity("study", ("year", "domain", "estimand"), "growth"),
)

TIME_HORIZONS = EvidenceTable(
    "time_horizons",
    "evaluation",
    "How long a task models complete half the time",
    (
        KEY,
        text("name", "the model"),
        Column("date", "date", "calendar year", "date of the model's release", 1950, 2100),
        text("suite", "tasks that were set; horizons of different suites are not comparable"),
        needed(
            "horizon_minutes",
            "minutes",
            "expert's time of tasks completed half the time",
            SMALLEST,
            1e12,
        ),
        needed(
            "horizon_low", "minutes", "2.5% end of the interval of horizon_minutes", SMALLEST, 1e12
        ),
        needed(
            "horizon_high",
            "minutes",
            "97.5% end of the interval of horizon_minutes",
            SMALLEST,
            1e12,
        ),
        choice(
            "bound",
            "whether the horizon is the figure itself or only known to be exceeded",
            "exact",
            "above",
        ),
        choice("reward_hacks", "how runs that exploit the scoring count", "fail", "count"),
        Column("record", "flag", "", "whether no earlier model of the suite had a longer horizon"),
        USED,
        *END,
    ),
    likelihood=True,
    dated="date",
    rules=(horizon_within,),
    identity=Identity("name", ("date", "suite", "reward_hacks"), "horizon_minutes"),
)
