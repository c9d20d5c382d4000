"""Tables of simulated experiments: density prediction, and gold reward under optimisation."""

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
from aligntax.models.evidence.rules import fails_at_most_always

DENSITY_TRIALS = EvidenceTable(
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
    simulated=True,
    rules=(fails_at_most_always,),
)

GOLD_CURVES = EvidenceTable(
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
        Column("proxy", "slug", "", "the proxy reward; its runs share its labels and their luck"),
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
    simulated=True,
)
