"""Tables on how loss falls with parameters and data: exponents, runs, and fitted laws."""

from aligntax.models.evidence.columns import (
    END,
    KEY,
    SMALLEST,
    USED,
    Column,
    EvidenceTable,
    Identity,
    always,
    choice,
    needed,
    published,
    text,
)
from aligntax.models.evidence.rules import correlations_agree

SCALING_EXPONENTS = EvidenceTable(
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
    identity=Identity("name", ("year", "corpus", "method"), "allocation_exponent"),
)

LOSS_RUNS = EvidenceTable(
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

LOSS_LAWS = EvidenceTable(
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
    identity=Identity("study", ("year",), "alpha"),
)
