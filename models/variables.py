"""Units and meanings of what is stored beside the quantities of :mod:`aligntax.models.priors`.

Quantities have a registry, and columns of evidence a schema. What remains are parameters that
nobody elicits, observations on the scale of their likelihood, and columns that a likelihood works
out.
"""

from collections.abc import Mapping
from types import MappingProxyType

Meaning = tuple[str, str]  # unit, and what it is


def _table(rows: Mapping[str, Meaning]) -> Mapping[str, Meaning]:
    return MappingProxyType(dict(rows))


# fmt: off
PARAMETERS = _table({
    # indices of a draw's choice, which are derived and no quantities
    "tai_anchor": ("index", "kind of requirement, in the order of the coordinate anchor"),
    "horizon_shape": ("index", "shape of the trend of time horizons"),
    # scaling
    "method_sd": ("1", "spread of log gamma between methods on the same runs"),
    "isoflop_bias": ("1", "bias of log gamma where parabolas are fitted to isoFLOP profiles"),
    "regime_offset": ("sd", "offset of today's regime among groups of scaling studies"),
    # time horizon
    "horizon_scatter": ("doublings", "scatter of models about the trend of time horizons"),
    "suite_error_share": ("1", "share of each squared standard error that is the suite's"),
    "suite_error_short": ("sd", "error of the suite on short tasks"),
    "suite_error_long": ("sd", "error of the suite on long tasks"),
    # compute
    "spend_sd": ("OOM", "spread of spend between top-10 runs of one date"),
    "hardware_sd": ("OOM", "spread of FLOP per USD between runs of one date"),
    "spend_hardware_correlation": ("1", "correlation of spend and FLOP per USD between runs"),
    "flop_sd_scale": ("1", "true error of a run's FLOP over the stated one"),
    "algorithmic_spread": ("OOM/year", "spread of algorithmic growth between published estimates"),
    # alignment
    "effort_sd": ("OOM", "spread of human-hours between efforts"),
    "share_spread": ("OOM", "spread of the share of compute between systems"),
    "tolerance_spread": ("OOM", "spread of the tolerated tax between developers"),
    # loss law
    "exponent_spread": ("1", "spread of log exponents between corpora"),
    "corpus_alpha": ("log", "log of alpha, by corpus"),
    "corpus_beta": ("log", "log of beta, by corpus"),
    "corpus_irreducible_loss": ("log nat/token", "log of the irreducible loss, by corpus"),
    "corpus_parameter_loss": ("log10 nat/token", "parameter term, by corpus"),
    "corpus_data_loss": ("log10 nat/token", "data term, by corpus"),
    # outer alignment
    "error_concentration": ("1", "concentration of label errors among studies"),
    "agreement_concentration": ("1", "concentration of agreement about its study's"),
    "new_labellers": ("sd", "label error of new labellers among studies"),
    "worst_rival": ("sd", "score of the best hidden rival among all draws of as many"),
    "guessed_share": ("1", "twice the label error, by study"),
    # overoptimisation
    "gold_slope": ("OOM/OOM", "change of the peak's gold with the peak's KL"),
    "spread_exponent": ("1", "fall of the luck of proxies with labels"),
    "peak_kl_spread": ("OOM", "spread of the peak's KL between proxies of 1,000 labels"),
    "peak_gold_spread": ("OOM", "spread of the peak's gold between proxies of 1,000 labels"),
    "proxy_peak_kl": ("log10 nat", "KL at the peak, by proxy"),
    "proxy_start": ("OOM", "initial slope of gold, by proxy"),
    "method_kl": ("OOM", "difference of the peak's KL, by method"),
    "method_gold": ("OOM", "difference of the peak's gold, by method"),
    # density prediction
    "failure_logit": ("logit", "logit of the probability of failure, by trial"),
    # runs on tasks
    "task_mean": ("log2 minutes", "mean length of tasks"),
    "task_sd": ("doublings", "sd of the length of tasks"),
    "hardness": ("logit", "slope times difficulty, by task"),
    "skill": ("logit", "slope times ability, by model"),
})
LIKELIHOODS = _table({
    "scaling_exponents": ("log of the data exponent", "Scaling studies"),
    "loss_laws": ("log10 nat/token, or 1", "Published loss laws"),
    "training_runs": ("log10 FLOP", "Training runs"),
    "loss_runs": ("log of the loss (nat per token)", "Runs of the loss law"),
    "algorithmic_progress": ("OOM/year", "Algorithmic progress"),
    "time_horizons": ("log2 minutes", "Time horizons"),
    "rlhf_efforts": ("log10 human-hours", "RLHF efforts"),
    "feedback_workforces": ("log10 human-hours/year", "Feedback workforces"),
    "alignment_compute_shares": (
        "log10 share of pretraining compute", "Alignment compute shares"
    ),
    "paid_taxes": ("log10 of the tax", "Paid taxes"),
    "ai_labour": ("log10 of the ratio", "Trials of AI labour"),
    "no_tai": ("nat", "No transformative AI so far"),
    "labeller_agreement": ("share of comparisons", "Agreement of two people"),
    "oversight_games": ("logit", "Games of oversight"),
    "gold_curves": ("gold (sd)", "Gold curves"),
    "density_trials": ("share of predictions that fail", "Trials of density prediction"),
    "horizon_runs": ("share of attempts that succeed", "Runs of models on tasks"),
    "human_times": ("log2 minutes", "Times of people on tasks"),
})
COLUMNS = _table({
    "log_gamma_se": ("1", "standard error of the log of the data exponent"),
    "kaplan_style": ("1", "1 in Kaplan-style set-ups"),
    "isoflop": ("1", "1 where parabolas are fitted to isoFLOP profiles"),
    "group_index": ("1", "index of the study's group"),
    "log2_sd": ("doublings", "standard error of the horizon"),
    "lead": ("sd", "lead of the class's best models"),
    "short": ("1", "loading on the suite's error on short tasks"),
    "long": ("1", "loading on the suite's error on long tasks"),
    "short_gain": ("1", "what the residual says of the error on short tasks"),
    "long_gain": ("1", "what the residual says of the error on long tasks"),
    "exact": ("1", "1 where the figure is known, 0 where it is only known to be exceeded"),
    "counts": ("1", "how often the row counts"),
    "largest": ("1", "1 for the largest run of its ten"),
    "costed": ("1", "1 where the cost is known"),
    "capped": ("1", "1 where the largest run of its ten is a ceiling"),
    "log_flop": ("log10 FLOP", "training compute of the model"),
    "growth_se": ("OOM/year", "standard error of the estimate"),
    "chat": ("1", "1 where items are chats"),
    "efficiency": ("1", "power of AI's efficiency in the ratio"),
    "margin": ("1", "power of the margin of AI labels in the ratio"),
    "transfer": ("1", "power of the transfer to a frontier model in the ratio"),
    "price": ("1", "power of the price of an AI hour in the ratio"),
    "total": ("1", "comparisons of the study, at its effective size"),
    "study_index": ("1", "index of the row's study"),
    "is_debate": ("1", "1 for debates"),
    "gold_curves_d": ("root nat", "square root of the KL"),
    "gold_se": ("gold (sd)", "standard error of gold"),
    "proxy_index": ("1", "index of the row's proxy"),
    "form": ("1", "1 for reinforcement learning, 0 for best of n and tilts"),
    "ways": ("nat", "log of the binomial coefficient"),
    "loss_runs_n": ("log", "log of parameters over those of the reference"),
    "loss_runs_d": ("log", "log of training tokens over those of the reference"),
    "corpus_index": ("1", "index of the row's corpus"),
    "on_trend": ("1", "1 where the model is on the trend"),
})
# fmt: on
