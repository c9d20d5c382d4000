"""New priors in a live process, beside a model that is built and sampled anew."""

from tests.benchmarks.measure import New, Talk, measure
from tests.benchmarks.nuts import EVERYTHING, JITTED, POSTERIOR, rates, ways
from tests.benchmarks.rows import Row
from tests.benchmarks.whole_run import plain

__all__ = ["rows"]


def rows(repeats: int, talk: Talk) -> list[Row]:
    """New priors in the compiled joint model, beside build and `pm.sample` (nutpie; numpyro): live, and a new process; ESS a second."""
    new = New("new process, build + pm.sample (nutpie)", lambda: plain("4"))
    posterior, everything, nutpie, numpyro, fresh = measure([*ways("joint"), new], repeats, talk)
    found = []
    for ours, what in ((posterior, POSTERIOR), (everything, EVERYTHING)):
        found += [
            Row("refit", what, ours, nutpie, budget="refit_live"),
            Row("refit", what, ours, fresh, budget="refit_new"),
            Row("refit", what, ours, numpyro, note=JITTED),
        ]
    return found + rates("refit", posterior, [nutpie, numpyro])
