"""Gold curves for tests: simulated from the model itself, with what is true of each run."""

import numpy as np

from aligntax.models.overoptimization import model as over
from aligntax.models.overoptimization.gold_law import coefficients, gold, reduction

# log10, but the exponent
POPULATION = {"peak_kl": 1.5, "peak_gold": 0.2, "labels_half": 3.4, "label_exponent": 0.9}
SPREADS = {"peak_kl": 0.15, "peak_gold": 0.08}  # between proxies of 1,000 labels
SPREAD_EXPONENT = 0.4
RL = {"peak_kl": 0.2, "peak_gold": -0.05}  # offset of RL's peak from best-of-n's
SLOPE, MISFIT = 0.7, 0.01
KL = {"bon": (0.2, 0.7, 1.5, 3.0, 6.0, 10.0), "rl": (0.3, 1.0, 3.0, 8.0, 20.0, 50.0, 120.0)}
LABELS = (100, 300, 1000, 3000, 10_000, 30_000, 100_000)


def simulated(count=50, forms=("bon", "rl"), seed=5, se=0.02, misfit=MISFIT):
    """Rows of ``gold_curves`` of so many runs, and what is true of each: ``peak_kl``, ``peak_gold``, ``alpha``, ``beta``.

    Each proxy is optimised once in each form.
    """
    rng = np.random.default_rng(seed)
    rows, truth = [], []
    for run in range(count):
        form, labels = forms[run % len(forms)], LABELS[(run // len(forms)) % len(LABELS)]
        is_rl = form == "rl"
        if run % len(forms) == 0:
            short = reduction(
                np.log10(labels), POPULATION["labels_half"], POPULATION["label_exponent"]
            )
            luck = (labels / 10.0**over.LUCK) ** -SPREAD_EXPONENT * rng.standard_normal(2)
            proxy_kl = POPULATION["peak_kl"] - short + SPREADS["peak_kl"] * luck[0]
            mean = POPULATION["peak_gold"] + SLOPE * (proxy_kl - POPULATION["peak_kl"])
            proxy_gold = mean + SPREADS["peak_gold"] * luck[1]
        peak_kl, peak_gold = proxy_kl + is_rl * RL["peak_kl"], proxy_gold + is_rl * RL["peak_gold"]
        truth.append((peak_kl, peak_gold, *coefficients(peak_kl, peak_gold, is_rl)))
        for i, kl in enumerate(KL[form]):
            exact = gold(np.sqrt(kl), 10.0 ** (peak_kl / 2), 10.0**peak_gold, is_rl)
            error = np.hypot(se, misfit * 10.0 ** (POPULATION["peak_gold"] - SLOPE * short))
            rows.append(
                {
                    "key": f"run_{run:03d}_{i}", "run": f"run_{run:03d}", "proxy": f"proxy_{run // len(forms):03d}", "method": form, "form": form, "labels": float(labels),
                    "kl": kl, "gold": float(exact + error * rng.standard_normal()), "gold_se": se,
                    "used": True, "source": "simulated", "status": "computed", "note": "",
                }
            )  # fmt: skip
    return rows, dict(
        zip(("peak_kl", "peak_gold", "gold_alpha", "gold_beta"), np.transpose(truth), strict=True)
    )
