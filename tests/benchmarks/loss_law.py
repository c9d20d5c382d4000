"""NUTS on a user's training runs."""

from tests.benchmarks.measure import Talk, measure
from tests.benchmarks.nuts import EVERYTHING, JITTED, POSTERIOR, RUNS, rates, ways
from tests.benchmarks.rows import Row

__all__ = ["rows"]


def rows(repeats: int, talk: Talk) -> list[Row]:
    """New priors in the loss law of Chinchilla's 240 runs, beside build and `pm.sample` (nutpie; numpyro), live; ESS a second."""
    if not RUNS.is_file():
        return [
            Row.without(
                "loss_law", "loss-law on 240 runs", skipped=f"the digitised runs are not at {RUNS}"
            )
        ]
    posterior, everything, nutpie, numpyro = measure(ways("loss-law"), repeats, talk)
    found = [
        Row("loss_law", what, ours, nutpie)
        for ours, what in ((posterior, POSTERIOR), (everything, EVERYTHING))
    ]
    found.append(Row("loss_law", POSTERIOR, posterior, numpyro, note=JITTED))
    return found + rates("loss_law", posterior, [nutpie, numpyro])
