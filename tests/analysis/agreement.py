"""Do two weighted samples agree? Probabilities of falling below common thresholds, with Monte Carlo errors."""

from dataclasses import replace

import numpy as np
from scipy import stats

from aligntax.analysis.summaries.summary import iter_series
from aligntax.models.priors.quantities import HEADLINES, lookup

PROBABILITIES = (0.1, 0.5, 0.9)


def random_view(view, rng):
    """One to four priors moved by up to one sd and widened or narrowed by up to a third, on the link."""
    in_use = view.tables(tuple(view.quantities)).names
    names = rng.choice(in_use, size=rng.integers(1, 5), replace=False)
    for name in names:
        table = view.tables([name]).table(name)
        centre, spread = rng.uniform(-1, 1), np.exp(rng.uniform(-0.4, 0.4))
        points = lookup(name).from_link(
            table.value(centre + spread * stats.norm.ppf([0.1, 0.5, 0.9]))
        )
        stated = dict(zip(("0.1", "0.5", "0.9"), map(float, points), strict=True))
        view = view.with_quantity(str(name), {"quantiles": stated})
    return replace(view, name="random")


def series(derived):
    return {s.name: s.values for s in iter_series(derived) if s.quantity in HEADLINES}


def comparisons(one, weights_one, two, weights_two):
    """Name and two-sided p of every comparison: P(defined), and P(at most q) among the defined for three thresholds q."""
    first, second = series(one), series(two)
    for name, values in first.items():
        if name not in second:
            continue
        other = second[name]
        yield (
            f"{name} defined",
            p_value(~np.isnan(values), weights_one, ~np.isnan(other), weights_two),
        )
        if (
            weights_one.probability(~np.isnan(values)) == 0
            or weights_two.probability(~np.isnan(other)) == 0
        ):
            continue
        pair = [
            (v, w.given(~np.isnan(v))) for v, w in ((values, weights_one), (other, weights_two))
        ]
        pool = np.concatenate([v[w.values > 0] for v, w in pair])
        for threshold in {np.quantile(pool, p, method="inverted_cdf") for p in PROBABILITIES}:
            below = [np.where(w.values > 0, v <= threshold, False) for v, w in pair]
            yield f"{name} <= {threshold:.3g}", p_value(below[0], pair[0][1], below[1], pair[1][1])


def p_value(one, weights_one, two, weights_two):
    one, two = one.astype(float), two.astype(float)
    difference = weights_one.mean(one) - weights_two.mean(two)
    error = np.hypot(weights_one.mcse(one), weights_two.mcse(two))
    if abs(difference) < 1e-9:  # both always true, or never
        return 1.0
    return float(2 * stats.norm.sf(abs(difference) / error)) if error > 0 else 0.0


def holm(p_values, level):
    """Names rejected at a family-wise level (Holm 1979)."""
    rejected = []
    for rank, (name, p) in enumerate(sorted(p_values, key=lambda each: each[1])):
        if p > level / (len(p_values) - rank):
            break
        rejected.append((name, p))
    return rejected
