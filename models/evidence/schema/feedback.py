"""Tables on feedback: hours, agreement of labellers, compute of alignment, and AI labour."""

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
from aligntax.models.evidence.rules import hours_follow, minutes_have_an_era

SMALLEST_RATE = 1e-6  # its logit is finite

MINUTES_ERA = Column(
    "minutes_era",
    "choice",
    "",
    "whose time an item takes: that of tasks of 2021, or of chats",
    choices=("2021", "chat"),
    required=False,
)

RLHF_EFFORTS = EvidenceTable(
    "rlhf_efforts",
    "effort",
    "Human hours spent on feedback for published language models",
    (
        KEY,
        text("name", "the model or data set"),
        Column("date", "date", "calendar year", "date of publication", 1950, 2100),
        text("organisation", "who did it"),
        needed("human_hours", "human-hours", "work of the people who gave feedback", 0.1, 1e12),
        needed(
            "hours_sd", "OOM", "uncertainty of log10 human_hours, one standard deviation", 0.01, 3
        ),
        choice(
            "hours_basis",
            "where the hours are from",
            "stated",
            "derived",
            "items_times_minutes",
            needed=True,
        ),
        Column(
            "items",
            "count",
            "items",
            "labels, comparisons or demonstrations",
            0,
            1e12,
            required=False,
        ),
        number("minutes_per_item", "minutes", "working time of one item", 0.01, 1e4),
        MINUTES_ERA,
        needed(
            "model_flop",
            "FLOP",
            "physical pretraining compute of the policy's base model",
            1e3,
            1e40,
        ),
        choice("feedback", "who gave the feedback", "human", "mixed", "ai"),
        USED,
        *END,
    ),
    likelihood=True,
    dated="date",
    rules=(hours_follow, minutes_have_an_era),
    identity=Identity("name", ("date", "feedback"), "human_hours"),
)

LABELLER_AGREEMENT = EvidenceTable(
    "labeller_agreement",
    "agreement_study",  # not `agreement`, which is the column with the figure
    "How often two people prefer the same answer",
    (
        KEY,
        text("study", "the study, as one would cite it in a figure"),
        published(),
        needed("agreement", "share", "share of items on which two people chose alike", 0, 1),
        needed("agreement_se", "share", "standard error of agreement", 0.001, 0.5),
        Column(
            "options",
            "count",
            "options",
            "number of answers to choose from",
            2,
            100,
            required=False,
            needed=True,
        ),
        choice(
            "pair",
            "who is compared",
            "labeller_labeller",
            "labeller_researcher",
            "researcher_researcher",
        ),
        USED,
        *END,
    ),
    likelihood=True,
    dated="year",
)

OVERSIGHT_GAMES = EvidenceTable(
    "oversight_games",
    "oversight_game",
    "How often oversight by weaker models succeeds",
    (
        KEY,
        text("game", "the game of overseer against overseen"),
        choice(
            "scheme",
            "scheme of scalable oversight that it stands for",
            "debate",
            "recursive_reward_modelling",
        ),
        published(),
        needed("elo_gap", "points", "general Elo of the overseen over the overseer's", 0, 1e4),
        needed(
            "success", "share", "how often oversight succeeds", SMALLEST_RATE, 1 - SMALLEST_RATE
        ),
        USED,
        *END,
    ),
    likelihood=True,
    dated="year",
)

ALIGNMENT_COMPUTE_SHARES = EvidenceTable(
    "alignment_compute_shares",
    "system",
    "Compute of alignment and post-training relative to pretraining",
    (
        KEY,
        text("name", "the system and the stage"),
        published("year of release"),
        needed(
            "share",
            "share of pretraining compute",
            "compute of the stage / pretraining compute",
            SMALLEST,
            100,
        ),
        needed("share_sd", "OOM", "uncertainty of log10 share, one standard deviation", 0.01, 3),
        needed("model_flop", "FLOP", "physical pretraining compute of the system", 1e3, 1e40),
        choice(
            "kind",
            "what the compute bought",
            "preference_alignment",
            "post_training",
            "capability_rl",
        ),
        USED,
        *END,
    ),
    likelihood=True,
    dated="year",
    identity=Identity("name", ("year", "kind"), "share"),
)

FEEDBACK_WORKFORCES = EvidenceTable(
    "feedback_workforces",
    "workforce",
    "Human data that frontier developers buy, in human-hours a year",
    (
        KEY,
        text("developer", "who buys the data"),
        Column("date", "date", "calendar year", "date of the report", 1950, 2100),
        needed(
            "human_hours", "human-hours/year", "human data of a year, for any purpose", 0.1, 1e13
        ),
        needed(
            "hours_sd", "OOM", "uncertainty of log10 human_hours, one standard deviation", 0.01, 3
        ),
        needed(
            "model_flop",
            "FLOP",
            "physical compute of the developer's largest run then",
            1e3,
            1e40,
        ),
        choice("basis", "what the hours are computed from", "people", "money"),
        choice("bound", "whether human_hours is the figure or a lower bound", "exact", "above"),
        USED,
        *END,
    ),
    likelihood=True,
    dated="date",
    identity=Identity("developer", ("date", "basis"), "human_hours"),
)

PAID_TAXES = EvidenceTable(
    "paid_taxes",
    "payment",
    "What developers have paid for human feedback, a lower bound on what they tolerate",
    (
        KEY,
        text("developer", "who paid"),
        Column("date", "date", "calendar year", "date of the effort", 1950, 2100),
        needed(
            "tax",
            "share of the largest run's cost",
            "cost of feedback / cost of the developer's largest run then",
            SMALLEST,
            100,
        ),
        needed("tax_sd", "OOM", "uncertainty of log10 tax, one standard deviation", 0.01, 3),
        choice("bought", "what the hours bought", "feedback", "human_data"),
        MINUTES_ERA,
        USED,
        *END,
    ),
    likelihood=True,
    dated="date",
    identity=Identity("developer", ("date", "bought"), "tax"),
)

AI_LABOUR = EvidenceTable(
    "ai_labour",
    "ai_trial",
    "What AI feedback and automated alignment research are worth beside people's",
    (
        KEY,
        text("trial", "the trial, as one would cite it in a figure"),
        published(),
        choice(
            "measure",
            "what log_ratio is of: AI's worth over people's of as many labels, or margin of a "
            "label; USD of as many labels as a person gives in an hour; human-hours' worth of an "
            "AI hour, in a trial or on a frontier model",
            "label_worth",
            "label_margin",
            "label_cost",
            "hour_worth",
            "hour_worth_frontier",
        ),
        choice(
            "bound", "whether log_ratio is the figure or a bound of it", "exact", "above", "below"
        ),
        needed("log_ratio", "OOM", "log10 of the ratio", -9, 9),
        needed("ratio_sd", "OOM", "uncertainty of log_ratio, one standard deviation", 0.01, 3),
        USED,
        *END,
    ),
    likelihood=True,
    dated="year",
    identity=Identity("trial", ("year", "measure"), "log_ratio"),
    asked_by="alignment.ai_labour",
)
