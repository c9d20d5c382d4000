"""What each evidence table holds: its columns, their units and bounds, and the rules that tie columns together.

A row is *used* when it enters the default likelihood (or, in a table without likelihood, when the
default view or the report follows it). Columns marked ``needed`` may be empty in a row that is only
carried, never in a used one.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType

from aligntax.models.evidence.columns import (
    END,
    KEY,
    SMALLEST,
    USED,
    Column,
    Table,
    always,
    choice,
    needed,
    number,
    published,
    text,
)
from aligntax.models.evidence.rules import (
    correlations_agree,
    exact_has_spread,
    fails_at_most_always,
    horizon_within,
    hours_follow,
    quantiles_rise,
    window_opens_first,
)

_SCALING = Table(
    "scaling_exponents",
    "study",
    "Published compute-optimal allocation exponents",
    (
        KEY,
        text("name", "the study, as one would cite it in a figure"),
        published(),
        text("corpus", "what the models were trained on"),
        text("method", "how the exponent was estimated"),
        needed("allocation_exponent", "1", "a in N proportional to C^a", 0.01, 0.99),
        needed("allocation_exponent_se", "1", "standard error of a", 0.01, 0.5),
        choice(
            "se_basis",
            "where the standard error is from",
            "reported_interval",
            "bootstrap",
            "assumed",
            "posterior",
            needed=True,
        ),
        Column(
            "kaplan_style",
            "flag",
            "",
            "whether the set-up is Kaplan's (counting, warm-up, decay, no tuning)",
        ),
        choice(
            "estimand",
            "what the exponent estimates",
            "compute_optimal",
            "kaplan_setup",
            "ablation_step",
            "by_construction",
            "other_domain",
            "assumed_prior",
        ),
        text("independence_group", "rows with the same value rest on the same training runs"),
        USED,
        *END,
    ),
    likelihood=True,
    dated="year",
)

_LOSSES = Table(
    "loss_runs",
    "loss_run",
    "Training runs with their final loss, supplied by the user",
    (
        KEY,
        text(
            "corpus",
            "what the model was trained on; runs of one name share one loss law",
            required=False,
        ),
        needed("parameters", "parameters", "parameters of the model", 1, 1e18),
        needed("tokens", "tokens", "training tokens", 1, 1e24),
        needed("loss", "nat/token", "final loss", SMALLEST, 1e3),
        USED,
        *END,
    ),
    likelihood=True,
    supplied=True,
)

_LAWS = Table(
    "loss_laws",
    "loss_law",
    "Published fits of how a language model's loss falls with parameters and data",
    (
        KEY,
        text("study", "the fit, as one would cite it in a figure"),
        published(),
        always(
            "parameters",
            "parameters",
            "N0 at which parameter_loss is stated; 1 where it is A",
            SMALLEST,
            1e18,
        ),
        always(
            "tokens", "tokens", "D0 at which data_loss is stated; 1 where it is B", SMALLEST, 1e24
        ),
        always("parameter_loss", "log10 nat/token", "A N0^-alpha, log10", -10, 10),
        needed("parameter_loss_sd", "OOM", "standard error of parameter_loss", 1e-6, 5),
        always("data_loss", "log10 nat/token", "B D0^-beta, log10", -10, 10),
        needed("data_loss_sd", "OOM", "standard error of data_loss", 1e-6, 5),
        always("alpha", "1", "exponent in parameters", SMALLEST, 5),
        needed("alpha_sd", "1", "standard error of alpha", 1e-6, 1),
        always("beta", "1", "exponent in tokens", SMALLEST, 5),
        needed("beta_sd", "1", "standard error of beta", 1e-6, 1),
        needed(
            "parameter_loss_data_loss", "1", "correlation of the errors of the two terms", -1, 1
        ),
        needed(
            "parameter_loss_alpha",
            "1",
            "correlation of the errors of parameter_loss and alpha",
            -1,
            1,
        ),
        needed(
            "parameter_loss_beta",
            "1",
            "correlation of the errors of parameter_loss and beta",
            -1,
            1,
        ),
        needed("data_loss_alpha", "1", "correlation of the errors of data_loss and alpha", -1, 1),
        needed("data_loss_beta", "1", "correlation of the errors of data_loss and beta", -1, 1),
        needed("alpha_beta", "1", "correlation of the errors of the exponents", -1, 1),
        text("independence_group", "rows with the same value rest on the same training runs"),
        USED,
        *END,
    ),
    likelihood=True,
    dated="year",
    rules=(correlations_agree,),
)

_RUNS = Table(
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
)

_ALGORITHMS = Table(
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
)

_EFFORTS = Table(
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
    rules=(hours_follow,),
)

_AGREEMENT = Table(
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

_SHARES = Table(
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
)

_ANCHORS = Table(
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

_FORECASTS = Table(
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

_HORIZONS = Table(
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
        Column("record", "flag", "", "whether no earlier model of the suite had a longer horizon"),
        USED,
        *END,
    ),
    likelihood=True,
    dated="date",
    rules=(horizon_within,),
)

_DENSITY = Table(
    "density_trials",
    "density_trial",
    "How often predictions of density fail against adversaries",
    (
        KEY,
        text("adversary", "who makes the sequence"),
        Column(
            "levels",
            "count",
            "levels",
            "levels of the tree; the stream has 2 to that power symbols",
            1,
            1e7,
        ),
        always(
            "epsilon", "1", "difference of densities that counts as right", SMALLEST, 1 - SMALLEST
        ),
        Column("trials", "count", "predictions", "predictions made", 1, 1e12),
        Column(
            "failures",
            "count",
            "predictions",
            "predictions that were wrong by more than epsilon",
            0,
            1e12,
        ),
        USED,
        *END,
    ),
    likelihood=True,
    rules=(fails_at_most_always,),
)

_GOLD = Table(
    "gold_curves",
    "gold_point",
    "Gold reward of policies that were optimised against a proxy",
    (
        KEY,
        Column(
            "run",
            "slug",
            "",
            "one proxy reward optimised in one way; rows of a run lie on one curve",
        ),
        text(
            "method",
            "how the proxy was optimised: bon (best of n), tilt (KL-penalised optimum), ppo, ...",
        ),
        choice(
            "form",
            "which law the curve is read with: d (alpha - beta d) or d (alpha - beta log d)",
            "bon",
            "rl",
        ),
        Column(
            "labels",
            "count",
            "comparisons",
            "labels that the proxy learned from",
            1,
            1e12,
            required=False,
        ),
        always("kl", "nats", "divergence of the policy from the initial one", 0, 1e6),
        always(
            "gold",
            "sd",
            "gold reward less its mean under the initial policy, over its sd there",
            -1e6,
            1e6,
        ),
        number("gold_se", "sd", "standard error of gold, an average over outputs", 0, 1e6),
        USED,
        *END,
    ),
    likelihood=True,
)

_CONSTANTS = Table(
    "constants",
    "constant",
    "Single figures that the models quote",
    (KEY, always("value", "see unit", "the figure"), text("unit", "its unit"), *END),
)

_REQUIREMENTS = Table(
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
TABLES: Mapping[str, Table] = MappingProxyType(
    {
        table.name: table
        for table in (
            _SCALING,
            _LOSSES,
            _LAWS,
            _RUNS,
            _ALGORITHMS,
            _EFFORTS,
            _AGREEMENT,
            _SHARES,
            _HORIZONS,
            _DENSITY,
            _GOLD,
            _ANCHORS,
            _FORECASTS,
            _REQUIREMENTS,
            _CONSTANTS,
        )
    }
)
