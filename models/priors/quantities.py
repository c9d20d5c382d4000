"""The registry of quantities: every one that is elicited, reported or plotted.

It gives each a name, a unit, a scale, a label and a meaning, so that a word means the same in a
formula, a view, a table, an axis and a report. The scale fixes the link on which a prior lives:

========  =====================================  =============================
scale     link ``y``                             value that models and reports use
========  =====================================  =============================
linear    ``x``                                  ``x``
log10     ``log10(x)``                           ``log10(x)``
logit     ``log((x - lower) / (upper - x))``     ``x``
========  =====================================  =============================

Orders of magnitude (OOM) are log10; compute is FLOP, a count; money is 2023 USD; effort is
human-hours; dates are decimal calendar years.
"""

from difflib import get_close_matches
from typing import Any

from aligntax.models.errors import InputError
from aligntax.models.priors.quantity import Kind as Kind
from aligntax.models.priors.quantity import Quantity as Quantity
from aligntax.models.priors.quantity import Scale as Scale
from aligntax.models.registry import Registry

# events without which several quantities are undefined
EITHER = "arrival in either world before {end}"
ENDS = "arrival and an end of the wait for alignment before {end}"
AI_LABOUR = "alignment.ai_labour"  # setting that asks for quantities


# fmt: off
_ELICITED = (
    # scaling
    Quantity("data_exponent_prior", "1", "log10", "data exponent", "gamma in D ~ N^gamma along the compute-optimal path"),
    # loss law
    Quantity("irreducible_loss", "nat/token", "linear", "irreducible loss", "E, the loss that no model and no data get below"),
    Quantity("parameter_loss", "nat/token", "log10", "parameter term", "A N^-alpha at the reference parameters: loss because the model is finite"),
    Quantity("data_loss", "nat/token", "log10", "data term", "B D^-beta at the reference tokens: loss because the data are finite"),
    Quantity("alpha", "1", "linear", "alpha", "exponent of the loss in parameters"),
    Quantity("beta", "1", "linear", "beta", "exponent of the loss in training tokens"),
    # compute
    Quantity("spend_level", "USD", "log10", "spend, top-10 run", "cost of a typical top-10 training run at the reference year"),
    Quantity("spend_growth", "OOM/year", "linear", "spend growth", "growth of spend per frontier run up to the evidence's date"),
    Quantity("spend_growth_ratio", "1", "linear", "future / past spend growth", "spend growth afterwards, as a multiple of the past's"),
    Quantity("spend_cap", "1", "log10", "spend cap", "largest share of a year's world product that one run can cost", kind="share"),
    Quantity("world_product_growth", "OOM/year", "linear", "world product growth", "real growth of world product"),
    Quantity("hardware_level", "FLOP/USD", "log10", "realised FLOP per USD", "training FLOP per USD at the reference year"),
    Quantity("hardware_growth", "OOM/year", "linear", "FLOP per USD growth", "growth of realised training FLOP per USD"),
    Quantity("hardware_limit", "FLOP/USD", "log10", "FLOP per USD limit", "level at which price-performance stops growing"),
    Quantity("algorithmic_growth", "OOM/year", "linear", "algorithmic growth", "fall per year of compute needed at fixed loss"),
    Quantity("algorithmic_limit", "OOM", "linear", "algorithmic limit", "most that algorithms gain from the year they are counted from"),
    Quantity("largest_run_offset", "OOM", "linear", "largest run offset", "largest of ten runs in a row over a typical top-10 run of its date"),
    # requirements
    Quantity("brain_flop", "FLOP/s", "log10", "inference FLOP/s", "FLOP per subjective second of a transformative model"),
    Quantity("flop_per_parameter", "FLOP/s", "log10", "FLOP per parameter", "FLOP per parameter per subjective second"),
    Quantity("horizon_short", "s", "log10", "short horizon", "effective horizon of the short-horizon anchor"),
    Quantity("horizon_medium", "s", "log10", "medium horizon", "effective horizon of the medium-horizon anchor"),
    Quantity("horizon_long", "s", "log10", "long horizon", "effective horizon of the long-horizon anchor"),
    Quantity("lifetime_flop", "FLOP", "log10", "lifetime anchor", "FLOP of past algorithms, lifetime anchor"),
    Quantity("genome_flop", "FLOP", "log10", "genome anchor", "FLOP of past algorithms, genome anchor"),
    Quantity("evolution_flop", "FLOP", "log10", "evolution anchor", "FLOP of past algorithms, evolution anchor"),
    Quantity("user_flop", "FLOP", "log10", "own requirement", "FLOP of past algorithms, a user's own anchor (weight 0 by default)"),
    # time horizon: minutes of an expert's work on one task; not the horizons above, which are
    # subjective seconds per sample
    Quantity("time_horizon_level", "minutes", "log10", "time horizon then", "length of task that the best model completes half the time, at the reference date"),
    Quantity("time_horizon_doubling", "days", "log10", "doubling time", "time that the time horizon takes to double, at the reference date"),
    Quantity("doubling_shrink", "1", "logit", "shrinking of doublings", "share by which each doubling takes less time than the one before, if superexponential", 0.0, 0.5),
    Quantity("doubling_floor", "days", "log10", "shortest doubling time", "time below which no doubling of the time horizon falls, if superexponential"),
    Quantity("kink_year", "year", "linear", "year of the kink", "year in which the doubling time changes, if it does once"),
    Quantity("kink_ratio", "x", "log10", "doubling time after the kink", "doubling time after the kink over that before, if there is one"),
    Quantity("saturation_doublings", "doublings", "log10", "doublings to saturation", "doublings of the time horizon between the reference date and its end, if it saturates"),
    Quantity("superexponential_weight", "1", "logit", "superexponential weight", "prior probability that the time horizon grows superexponentially", 0.0, 1.0),
    Quantity("saturating_weight", "1", "logit", "saturating weight", "prior probability that the time horizon saturates, if it does not grow superexponentially", 0.0, 1.0),
    Quantity("kink_weight", "1", "logit", "kink weight", "prior probability that the doubling time changes once, if growth neither saturates nor is superexponential", 0.0, 1.0),
    Quantity("length_bias", "doublings", "linear", "bias of long horizons", "doublings by which the suite overstates a time horizon of 16 hours; none at a minute, and in proportion to the log between"),
    Quantity("horizon_ratio", "x", "log10", "50% over 80% horizon", "time horizon at 50% success over that at 80%, of the model that is a superhuman coder"),
    Quantity("superhuman_coder_horizon", "minutes", "log10", "superhuman coder's horizon", "length of task that a superhuman coder completes four times in five"),
    Quantity("superhuman_coder_lag", "years", "log10", "coder to TAI", "time from a superhuman coder to transformative AI"),
    Quantity("human_slowdown", "x", "log10", "human slowdown", "tokens that a human judge of text needs over an ideal judge's"),
    Quantity("task_tokens", "tokens", "log10", "task length", "tokens of a transformative task, over which a model must pass for a person"),
    Quantity("hazard_steepness", "1/OOM", "log10", "hazard steepness", "growth of the log arrival rate per OOM above the requirement"),
    Quantity("horizon_steepness", "1/doubling", "log10", "hazard steepness of task length", "growth of the log arrival rate per doubling of the time horizon beyond the threshold"),
    # alignment
    Quantity("practice_hours", "human-hours", "log10", "RLHF practice", "human-hours of a typical effort on a GPT-3-sized model"),
    Quantity("practice_slope", "OOM/OOM", "linear", "practice slope", "OOM of human-hours per OOM of physical training FLOP"),
    Quantity("rlhf_multiplier", "x", "log10", "RLHF multiplier", "data that alignment needs over RLHF practice"),
    Quantity("quality_factor", "x", "log10", "quality factor", "hours multiplied by the label quality that alignment asks for"),
    Quantity("label_efficiency_growth", "OOM/year", "linear", "label efficiency growth", "fall per year of human-hours for the same result"),
    Quantity("label_efficiency_limit", "OOM", "linear", "label efficiency limit", "most that human-hours for the same result can fall"),
    Quantity("usd_per_hour", "USD/hour", "log10", "wage", "wage paid per human-hour"),
    Quantity("labour_overhead", "x", "log10", "labour overhead", "total cost of a human-hour over the wage"),
    Quantity("chat_minutes", "x", "log10", "chat-era minutes", "working time of an item of the chat era over that of 2021"),
    Quantity("alignment_share_of_human_data", "1", "logit", "alignment share of human data", "hours that buy alignment over all human data of a frontier developer", 0.0, 1.0, kind="share"),
    Quantity("models_per_year", "1/year", "log10", "models per year", "models that share a developer's human data of a year"),
    Quantity("hours_floor", "human-hours", "log10", "least hours", "human-hours that alignment takes however little data it needs"),
    Quantity("rnd_ratio", "x", "log10", "development / final run", "total development cost over the cost of the largest training run"),
    Quantity("alignment_compute_share", "1", "logit", "alignment compute share", "alignment compute over pretraining compute, practice on a GPT-3-sized model", 0.0, 1.0, kind="share"),
    Quantity("compute_size_exponent", "OOM/OOM", "linear", "share against size", "OOM of that share per OOM of physical training FLOP, at practice"),
    Quantity("compute_data_exponent", "OOM/OOM", "logit", "share against data", "OOM of that share per OOM of alignment data beyond practice", 0.0, 1.0),
    Quantity("alignment_tax_tolerance", "1", "log10", "tax tolerance", "alignment tax that a typical developer would bear, share of development cost", kind="share"),
    Quantity("alignment_share_of_payment", "1", "logit", "alignment share of payments", "part of what developers paid for feedback that bought alignment and not capability", 0.0, 1.0, kind="share"),
    Quantity("workforce_hours", "human-hours/year", "log10", "workforce", "human-hours a developer can buy per year in 2025, whatever it buys"),
    Quantity("workforce_growth", "OOM/year", "linear", "workforce growth", "growth of that workforce"),
    # decisions
    Quantity("loss_limit", "USD", "log10", "loss limit", "most that too few hours of alignment can cost whoever buys them"),
    # research by AI
    Quantity("automated_share", "1", "logit", "research that AI does", "share of AI research that AI does at the date from which feedback counts", 0.0, 1.0, kind="share"),
    Quantity("automation_span", "OOM", "log10", "span of automation", "OOM of effective compute by which the odds of automated against human research grow e-fold"),
    Quantity("research_labour_share", "1", "logit", "labour share of research", "share of labour in the returns to research; the rest is compute of experiments", 0.0, 1.0, kind="share"),
    Quantity("research_returns", "1", "log10", "returns to research inputs", "OOM of research per OOM of labour and compute together"),
    Quantity("research_difficulty", "1", "linear", "research gets harder", "OOM by which research slows per OOM of algorithmic progress, beta of Jones's model"),
    # AI labour
    Quantity("ai_usd_per_hour", "USD/hour", "log10", "price of an AI hour", "cost of an hour of AI feedback or automated alignment research", asked_by=AI_LABOUR),
    Quantity("ai_efficiency", "x", "log10", "efficiency of AI hours", "human-hours of work that an AI hour does in published trials, errors apart", asked_by=AI_LABOUR),
    Quantity("ai_margin", "x", "log10", "margin of AI labels", "2q - 1 of an AI's label over that of a person's, q the probability that it is right", asked_by=AI_LABOUR),
    Quantity("ai_transfer", "x", "log10", "transfer of AI labour", "worth of an AI hour on a frontier model over that in published trials", asked_by=AI_LABOUR),
    Quantity("ai_substitution", "1", "logit", "substitution of AI hours", "elasticity of substitution between human and AI hours", 1.0, 50.0, asked_by=AI_LABOUR),
    # outer alignment
    Quantity("label_error", "1", "logit", "label error", "probability that a labeller's label is wrong, typical study", 0.0, 0.5, kind="share"),
    Quantity("evaluator_error", "1", "logit", "evaluator error", "error of what people can judge at all, at GPT-3's compute, about a typical rival; from 1/2 on the preference flips", 0.0, 1.0, kind="share"),
    Quantity("evaluator_error_growth", "1/OOM", "linear", "growth of evaluator error", "growth of its logit per OOM of effective FLOP, where people judge unaided"),
    Quantity("evaluator_error_spread", "1", "log10", "evaluator error between rivals", "sd of the logit of the evaluator's error between rivals"),
    Quantity("amplification_share", "1", "logit", "growth left by amplification", "share of the growth of evaluator error that amplification leaves", 0.0, 1.0, kind="share"),
    Quantity("debate_share", "1", "logit", "growth left by debate", "share of the growth of evaluator error that debate leaves", 0.0, 1.0, kind="share"),
    Quantity("recursion_share", "1", "logit", "growth left by recursion", "share of the growth of evaluator error that recursive reward modelling leaves", 0.0, 1.0, kind="share"),
    Quantity("elo_per_oom", "Elo/OOM", "log10", "Elo per OOM", "points of general Elo that a model gains per OOM of effective FLOP"),
    Quantity("parity_error", "1", "logit", "failure between equals", "how often oversight of an equally capable model fails in a game", 0.0, 1.0, kind="share"),
    Quantity("reward_gap", "1", "logit", "reward gap", "how much more often an ideal judge prefers the aligned policy's answer to a typical rival's than not, on the training distribution", 0.0, 1.0, kind="share"),
    Quantity("reward_gap_spread", "1", "log10", "reward gap between rivals", "sd of the logit of the reward gap between rivals"),
    Quantity("coverage", "1", "logit", "coverage", "share of rivals that differ from the aligned policy on the training distribution at all", 0.0, 1.0, kind="share"),
    Quantity("rival_policies", "policies", "log10", "rival policies", "unaligned policies that the comparisons must tell from the aligned one"),
    Quantity("capability", "OOM", "linear", "capability", "effective FLOP over GPT-3's at which alignment is asked for"),
    Quantity("minutes_per_comparison", "minutes", "log10", "minutes per comparison", "working time of one label of one comparison"),
    # over-optimisation
    Quantity("peak_kl", "nats", "log10", "KL at the peak", "KL from the initial policy at which gold reward is highest, with ample labels"),
    Quantity("peak_gold", "sd", "log10", "gold at the peak", "highest gold reward with ample labels, in sd of the initial policy's"),
    Quantity("labels_half", "labels", "log10", "labels for half the KL", "labels with which the peak's KL is half of what ample labels allow"),
    Quantity("label_exponent", "1", "logit", "label exponent", "power of labels with which the peak's KL grows while labels are few", 0.0, 5.0),
    Quantity("kl_budget", "nats", "log10", "KL budget", "KL from the initial policy to which alignment must optimise"),
    Quantity("kl_practice", "nats", "log10", "KL of RLHF practice", "KL from the initial policy that RLHF has spent"),
    # density prediction
    Quantity("prediction_failure", "1", "logit", "prediction fails, typical adversary", "probability that a prediction of density fails against a typical adversary", 0.0, 1.0, kind="share"),
)

_DERIVED = (
    Quantity("data_exponent", "1", "linear", "data exponent, new regime", "gamma for a new regime: pooled value and study-to-study spread"),
    Quantity("data_exponent_pooled", "1", "linear", "data exponent, pooled", "gamma averaged over study groups"),
    Quantity("data_exponent_shift_flop", "OOM", "linear", "requirement shift", "training FLOP at gamma over FLOP at 0.8, neural-net anchors"),
    Quantity("data_factor_at_1e5", "x", "log10", "factor at 1e5, new regime", "compute of a model 1e5 times larger, over what gamma 0.8 gives"),
    Quantity("data_factor_at_1e5_pooled", "x", "log10", "factor at 1e5, pooled", "the same at gamma averaged over study groups"),
    Quantity("kaplan_bias", "1", "linear", "Kaplan-style bias", "bias of log gamma in Kaplan-style set-ups"),
    Quantity("between_study_sd", "1", "linear", "between-study sd", "sd of log gamma between study groups"),
    Quantity("allocation_exponent", "1", "linear", "allocation exponent", "a in N ~ C^a along the compute-optimal path, beta / (alpha + beta)"),
    Quantity("tokens_per_parameter", "1", "log10", "tokens per parameter", "training tokens over parameters of the optimal run at the stated FLOP"),
    Quantity("allocation_gain", "OOM", "linear", "allocation gain", "compute that the best allocation saves at Gopher's loss"),
    Quantity("allocation_gain_kaplan", "OOM", "linear", "allocation gain, Kaplan's rule", "the same at Gopher's compute, split by Kaplan et al.'s own rule"),
    Quantity("allocation_progress", "years", "linear", "progress by allocation", "years of growth of effective compute that are worth the allocation gain", event="growth of effective compute"),
    Quantity("allocation_progress_most", "years", "linear", "progress by allocation, most", "years of growth of algorithms alone that are worth the gain over Kaplan et al.'s own rule", event="growth of algorithms"),
    Quantity("loss_sd", "1", "linear", "error of log loss", "scale of the errors of log loss"),
    Quantity("error_freedom", "1", "linear", "degrees of freedom", "of the Student-t errors of log loss; a few means outliers"),
    Quantity("exponent_spread", "1", "linear", "spread of exponents", "sd of log alpha and of log beta between corpora"),
    Quantity("tai_flop", "FLOP", "log10", "TAI requirement", "FLOP of past algorithms that transformative AI needs", event="a requirement in FLOP"),
    Quantity("tai_year", "year", "linear", "TAI arrival", "year in which transformative AI arrives"),
    Quantity("tai_year_baseline_exponent", "year", "linear", "TAI arrival at gamma 0.8", "the same draw at Bio Anchors' data exponent"),
    Quantity("tai_year_aligned", "year", "linear", "aligned TAI where it comes", "arrival plus the alignment shift, where the wait ends", event=ENDS),
    Quantity("timeline_shift_exponent", "years", "linear", "shift, data exponent", "arrival minus arrival at gamma 0.8", event=EITHER),
    Quantity("timeline_shift_exponent_prior", "years", "linear", "shift, exponent's evidence", "arrival minus arrival at a gamma from its prior", event=EITHER),
    Quantity("timeline_shift_correlation", "years", "linear", "shift, loss-law correlations", "arrival minus arrival with A, B, alpha, beta independent", event=EITHER),
    Quantity("timeline_shift_allocation", "years", "linear", "shift, allocation", "arrival minus arrival without the compute that the Chinchilla finding saved in its day", event=EITHER),
    Quantity("timeline_shift_allocation_kept", "years", "linear", "shift, old split kept", "arrival minus arrival with compute split as before Chinchilla for ever", event=EITHER),
    Quantity("timeline_shift_alignment", "years", "linear", "alignment shift where it ends", "alignment compute taken from training, then the wait for a tolerable tax and for the hours, where it ends", event=ENDS),
    Quantity("timeline_shift_alignment_compute", "years", "linear", "of which compute", "later arrival because alignment takes compute from training"),
    Quantity("timeline_shift_alignment_tax", "years", "linear", "of which tax", "Shapley part of the wait: the tax", event=ENDS),
    Quantity("timeline_shift_alignment_work", "years", "linear", "of which work", "Shapley part of the wait: the work", event=ENDS),
    Quantity("training_cost_at_tai", "USD", "log10", "training cost at arrival", "largest training budget at arrival"),
    Quantity("training_flop_at_tai", "FLOP", "log10", "training FLOP at arrival", "physical FLOP of the largest run at arrival"),
    Quantity("alignment_hours_needed", "human-hours", "log10", "alignment data needed", "human-hours needed at arrival"),
    Quantity("alignment_hours_affordable", "human-hours", "log10", "alignment data affordable", "human-hours that the tolerated tax pays for"),
    Quantity("rlhf_multiple_needed", "x", "log10", "needed / InstructGPT", "hours needed over InstructGPT's"),
    Quantity("rlhf_multiple_affordable", "x", "log10", "affordable / InstructGPT", "hours affordable over InstructGPT's"),
    Quantity("rlhf_multiple_affordable_at_arrival", "x", "log10", "affordable / practice then", "hours affordable over RLHF practice at arrival"),
    Quantity("labour_tax", "1", "log10", "labour tax", "cost of the human feedback over total development cost", kind="share"),
    Quantity("compute_tax", "1", "log10", "compute tax", "cost of alignment compute over total development cost", kind="share"),
    Quantity("alignment_tax", "1", "log10", "both taxes", "labour tax and compute tax, their sum", kind="share"),
    Quantity("tolerance_at_arrival", "1", "log10", "tax tolerance at arrival", "tax that the developer of the model that arrives would bear, share of development cost", kind="share"),
    Quantity("tolerance_of_training_cost", "1", "log10", "tolerance, of training cost", "the same as a share of the cost of the largest training run", kind="share"),
    Quantity("tax_paid", "1", "log10", "tax paid already", "what that developer has paid for alignment, share of development cost", kind="share"),
    Quantity("ai_hour_worth", "x", "log10", "worth of an AI hour", "human-hours that an hour of AI labour is worth in aligning a frontier model"),
    Quantity("labour_usd_per_hour", "USD/hour", "log10", "cost of labour", "cost of a human-hour's worth of labour by the cheapest mix of people and AI"),
    Quantity("ai_share_of_labour_cost", "1", "linear", "AI's share of labour cost", "part of the money for labour that buys AI hours", kind="share"),
    Quantity("human_hours_paid", "human-hours", "log10", "human hours to pay", "human-hours at arrival beside AI hours, in the cheapest mix of both"),
    Quantity("ai_hours", "AI hours", "log10", "AI hours to buy", "AI hours at arrival beside human-hours, in the cheapest mix of both"),
    Quantity("compute_not_tolerated", "1", "linear", "not tolerated: compute", "1 where the compute tax alone exceeds the tolerance at arrival, else 0", kind="indicator"),
    Quantity("labour_not_tolerated", "1", "linear", "not tolerated: labour", "1 where labour takes the taxes beyond the tolerance at arrival, else 0", kind="indicator"),
    Quantity("workforce_available", "human-hours/year", "log10", "workforce of 2025", "human-hours a developer can buy per year in 2025: the workforce, or what it buys if more"),
    Quantity("workforce_too_small", "1", "linear", "too few hours worked", "1 where the tax is tolerated but the workforce is too small at arrival, else 0", kind="indicator"),
    Quantity("alignment_ends", "1", "linear", "the wait ends", "1 where an aligned model follows arrival before the horizon, else 0", kind="indicator"),
    Quantity("tax_headroom", "x", "log10", "tax headroom", "hours affordable over hours needed"),
    Quantity("prob_affordable", "1", "linear", "alignment affordable", "1 where the tax is within tolerance at arrival, else 0", kind="indicator"),
    Quantity("anchor_probability", "1", "linear", "anchor probability", "posterior probability of a requirement anchor", kind="probability"),
    Quantity("superhuman_coder_year", "year", "linear", "superhuman coder", "year in which the time horizon's trend reaches a superhuman coder's"),
    Quantity("superhuman_coder_millionfold", "year", "linear", "superhuman coder, harder", "the same if its tasks were a million times longer"),
    Quantity("superhuman_coder_past", "1", "linear", "superhuman coder already", "1 where the trend reached it before the date of the evidence, else 0", kind="indicator"),
    Quantity("superexponential_probability", "1", "linear", "superexponential growth", "posterior probability that the time horizon grows superexponentially", kind="indicator"),
    Quantity("time_horizon", "minutes", "log10", "time horizon", "length of task that the best model completes half the time, at a date"),
    Quantity("time_horizon_80", "minutes", "log10", "80% time horizon", "length of which the best model completes 80% of tasks, which differ in difficulty, at a date"),
    Quantity("time_horizon_doubling_now", "days", "log10", "doubling time, newest model", "time that the time horizon takes to double, at the date of the newest model"),
    Quantity("agent_time_horizon", "minutes", "log10", "time horizon of a model", "length of task that one evaluated model completes half the time"),
    Quantity("success_slope", "1/doubling", "linear", "slope of success", "fall of the log odds of success per doubling of a task's length"),
    Quantity("difficulty_spread", "doublings", "linear", "spread of difficulty", "sd of difficulty among tasks of one length, in doublings of length"),
    Quantity("ability_spread", "doublings", "linear", "spread of abilities", "sd of models' time horizons about the trend at their dates"),
    Quantity("human_time_error", "doublings", "linear", "error of a person's time", "sd of one person's time about the task's own"),
    Quantity("estimate_error", "doublings", "linear", "error of an estimate", "sd of an estimated time about the task's own"),
    Quantity("frontier_flop", "FLOP", "log10", "frontier FLOP", "physical FLOP of the largest run at a date"),
    Quantity("frontier_spend", "USD", "log10", "frontier spend", "cost of the largest run at a date"),
    Quantity("effective_flop", "FLOP", "log10", "effective FLOP", "FLOP of past algorithms of the largest run at a date"),
    Quantity("gold_alpha", "sd", "linear", "alpha of gold", "alpha in gold = d (alpha - beta d) or d (alpha - beta log d), d the root of KL"),
    Quantity("gold_beta", "sd", "linear", "beta of gold", "beta in the same curve"),
    Quantity("gold_lost", "sd", "linear", "gold lost", "gold at the peak less gold at the KL budget, where that is beyond the peak"),
    Quantity("labels_needed", "labels", "log10", "labels needed", "labels with which a typical proxy's gold peaks at the KL budget", endless=True),
    Quantity("labels_multiple_needed", "x", "log10", "labels needed / practice", "labels needed at the KL budget over those at the KL of RLHF practice", endless=True, event="that some amount suffices at either KL"),
    Quantity("labels_suffice", "1", "linear", "labels suffice", "1 where some number of labels keeps over-optimisation from the KL budget, else 0", kind="indicator"),
    Quantity("data_suffices", "1", "linear", "some amount of data suffices", "1 where the recorded preference is for the aligned policy more often than not, else 0: no amount suffices", kind="indicator"),
    Quantity("comparisons_needed", "comparisons", "log10", "comparisons needed", "labelled comparisons that keep every unaligned rival from winning, exact", endless=True),
    Quantity("comparisons_needed_chernoff", "comparisons", "log10", "comparisons, Chernoff bound", "comparisons that suffice by Chernoff's bound", endless=True),
    Quantity("comparisons_needed_hoeffding", "comparisons", "log10", "comparisons, Hoeffding bound", "comparisons that suffice by Hoeffding's bound", endless=True),
    Quantity("outer_alignment_hours", "human-hours", "log10", "hours of comparisons", "human-hours of the comparisons needed", endless=True),
    Quantity("outer_alignment_cost", "USD", "log10", "cost of comparisons", "wages and overhead of those hours", endless=True),
    Quantity("quality_factor_needed", "x", "log10", "quality factor needed", "comparisons needed at the capability over those for what people could judge at GPT-3's", endless=True),
    Quantity("label_advantage", "1", "linear", "label advantage", "2 q - 1, where a recorded preference is for the aligned policy, against the best hidden rival, with probability q"),
    Quantity("reward_gap_worst", "1", "linear", "reward gap, best hidden rival", "reward gap of the best hidden rival on the training distribution", kind="share"),
    Quantity("evaluator_error_worst", "1", "linear", "evaluator error, best hidden rival", "evaluator error about the best hidden rival, at the capability", kind="share"),
    Quantity("rivals_off_distribution", "policies", "log10", "rivals no label can tell", "unaligned policies that differ from the aligned one only off the training distribution"),
    Quantity("study_label_error", "1", "linear", "label error", "label error of the people whom a study compares", kind="share"),
    Quantity("label_error_study", "1", "linear", "label error, new labellers", "label error of labellers of a new study", kind="share"),
    Quantity("misfit", "1", "linear", "misfit of the curve", "sd of gold about its curve, over the gold at the peak of a typical proxy of as many labels"),
    Quantity("worst_failure", "1", "linear", "prediction fails, worst adversary", "probability that a prediction of density fails against the worst adversary", kind="share"),
    Quantity("worst_within_bound", "1", "linear", "worst within the bound", "1 where no adversary fails predictions more often than 1 / (levels epsilon^2), else 0", kind="indicator"),
    Quantity("failure_probability", "1", "linear", "prediction fails", "probability that a prediction of density fails against an adversary on so many levels", kind="share"),
    Quantity("adversary_spread", "1", "linear", "spread of adversaries", "sd of the logit of the probability of failure between adversaries"),
)
# fmt: on

ELICITED: Registry[Quantity] = Registry("elicited quantity", _ELICITED)
QUANTITIES: Registry[Quantity] = Registry("quantity", (*_ELICITED, *_DERIVED))

# Derived and one per draw, but no quantity: an index into the requirement anchors.
LABELS = ("tai_anchor", "horizon_shape")

# Elicited, and in no model: decisions draw it given the scores of a run.
LOSS_LIMIT = "loss_limit"

HEADLINES = (
    "data_exponent",
    "data_exponent_pooled",
    "tai_flop",
    "tai_year",
    "tai_year_baseline_exponent",
    "timeline_shift_exponent",
    "timeline_shift_alignment",
    "training_cost_at_tai",
    "alignment_hours_needed",
    "alignment_hours_affordable",
    "rlhf_multiple_needed",
    "rlhf_multiple_affordable",
    "labour_tax",
    "compute_tax",
    "alignment_tax",
    "tolerance_at_arrival",
    "alignment_tax_tolerance",
    "tax_headroom",
    "prob_affordable",
    "compute_not_tolerated",
    "labour_not_tolerated",
    "workforce_too_small",
    "alignment_ends",
    "anchor_probability",
)


def base_name(name: str) -> str:
    """Quantity of a number in an answer: ``anchor_probability`` of ``anchor_probability[none]``."""
    return name.partition("[")[0]


def element(name: str) -> str:
    """Label of a number's place in its vector, ``none`` in that example; empty for a scalar."""
    return name.removesuffix("]").partition("[")[2]


def element_name(base: str, label: Any) -> str:
    """Name of a vector's element, such as ``anchor_probability[none]`` or ``time_horizon[2030.5]``."""
    return f"{base}[{label:g}]" if isinstance(label, float) else f"{base}[{label}]"


def lookup(name: str) -> Quantity:
    """Return the quantity of that name, or of that label, such as ``wage``.

    Raises
    ------
    InputError
        If no quantity has that name; the message suggests near ones.
    """
    if name in QUANTITIES:
        return QUANTITIES[name]
    labelled = [each for each in QUANTITIES.values() if each.label.casefold() == name.casefold()]
    if len(labelled) == 1:
        return labelled[0]
    near = [q.name for q in labelled] or get_close_matches(name, QUANTITIES, n=3) or [*ELICITED]
    raise InputError(
        f"quantity: must be one of the registry, got {name!r}; did you mean {', '.join(near)}?"
        f"{QUANTITIES.extensions.hint()}"
    )


def quantity_of(name: str) -> Quantity:
    """Return the quantity of a number in an answer: ``alpha[c4]`` is an element of ``alpha``."""
    return lookup(base_name(name))
