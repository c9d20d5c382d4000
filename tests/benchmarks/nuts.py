"""NUTS in a live process: ours with new priors in a compiled model, and ``pm.sample`` building anew, through nutpie and numpyro.

Every way says how many effective draws it got of the worst headline quantity, and how long its
sampler sampled.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.benchmarks.measure import ROOT, Live, Times, Work
from tests.benchmarks.plain import sample
from tests.benchmarks.rows import Row

__all__ = ["EVERYTHING", "NUMPYRO", "NUTPIE", "POSTERIOR", "RUNS", "rates", "ways"]

# digitised; not part of the repository
RUNS = ROOT.parent / "shared" / "data" / "chinchilla_runs.csv"
POSTERIOR, EVERYTHING = "new priors, posterior alone", "new priors, all that a run stores"
NUTPIE, NUMPYRO = "build + pm.sample (nutpie)", "build + pm.sample (numpyro)"
NOT_TWICE = 2  # repeats of numpyro, of a minute each
CHAINS = 4
JITTED = (
    "numpyro: 4 chains, chain_method parallel on 4 virtual CPU devices, each call compiles with XLA, which its time includes and its "
    "seconds of sampling leave out"
)


@dataclass(frozen=True)
class Problem:
    """A model on its evidence, the view that it is compiled with, and one that differs in a prior."""

    model: Any
    evidence: Any
    view: Any
    moved: Any

    @classmethod
    def of(cls, name: str) -> "Problem":
        """``joint``, or ``loss-law`` on the 240 digitised runs of Chinchilla, the five of highest loss left out."""
        from aligntax.analysis.inputs.loss_runs import drop_highest, read_runs, with_runs
        from aligntax.models.catalogue import find_model, restrict
        from aligntax.models.evidence import load_evidence
        from aligntax.models.views import load_view

        model, evidence, view = find_model(name), load_evidence(), load_view("default")
        if name == "loss-law":
            evidence = with_runs(evidence, drop_highest(read_runs(RUNS), 5))
            moved = view.with_quantity(
                "alpha", {"quantiles": {"0.1": 0.2, "0.5": 0.35, "0.9": 0.6}}
            )
        else:
            moved = view.with_quantity(
                "rlhf_multiplier", {"quantiles": {"0.1": 0.1, "0.5": 3, "0.9": 100}}
            )
        return cls(model, restrict(evidence, view, model), view, moved)

    def effective(self, posterior: Any) -> float:
        """Bulk effective sample size of the headline quantity that has least: of ranks, so that "never" counts as latest."""
        from aligntax.analysis.inference.derive import derive
        from aligntax.analysis.inference.seeds import child_generator
        from aligntax.analysis.summaries.summary import summarise

        tables = self.moved.tables(self.model.quantities)
        derived = derive(
            self.model, posterior, tables, self.evidence, self.moved, child_generator(1, "arrival")
        )
        names = [
            name
            for each in self.model.headlines
            for name in (each, f"{each}_state")
            if name in derived
        ]
        return min(
            row["ess_bulk"]
            for row in summarise(derived[names]).values()
            if row["ess_bulk"] is not None
        )


def ours(name: str, everything: bool) -> Work:
    """Compile once; then new priors, and all that a run stores or the posterior alone, with the default options of a run."""
    from aligntax.analysis.inference.compiled_model import compile_model
    from aligntax.analysis.inference.options import Sampling

    problem, options = Problem.of(name), Sampling()
    compiled = compile_model(problem.model, problem.evidence, problem.view)

    def do() -> Any:
        again = compiled.with_view(problem.moved)
        return again.sample(options).posterior if everything else again.posterior(options)[0]

    do()  # what is compiled when first asked for
    return Work(do, lambda posterior: {"effective": problem.effective(posterior)})


def nutpie(name: str) -> Work:
    """Build and sample, after once for nothing, so that what Python and numba do the first time does not count."""
    problem = Problem.of(name)

    def do() -> Any:
        return sample(problem.model, problem.evidence, problem.moved, chains=CHAINS)

    do()
    return Work(
        do,
        lambda trace: {
            "effective": problem.effective(_stored(problem, trace)),
            "sampling": float(trace["posterior"].attrs["sampling_time"]),
        },
    )


def numpyro(name: str) -> Work:
    """Build and sample through JAX, which says how long it compiles, and returns before the draws are there."""
    import jax
    import numpyro
    from numpyro.infer import MCMC

    numpyro.set_host_device_count(CHAINS)
    compiling, sampling, run = [0.0], [0.0], MCMC.run

    def hear(event: str, seconds: float, **_: Any) -> None:
        compiling[0] += seconds if event.startswith("/jax/core/compile/") else 0.0

    def timed(self: Any, *args: Any, **options: Any) -> None:
        compiling[0], started = 0.0, time.perf_counter()
        run(self, *args, **options)
        jax.block_until_ready(self.get_samples())
        sampling[0] = time.perf_counter() - started - compiling[0]

    jax.monitoring.register_event_duration_secs_listener(hear)
    MCMC.run = timed
    problem = Problem.of(name)

    def do() -> Any:
        return sample(
            problem.model, problem.evidence, problem.moved, nuts_sampler="numpyro", chains=CHAINS
        )

    return Work(
        do,
        lambda trace: {
            "effective": problem.effective(_stored(problem, trace)),
            "sampling": sampling[0],
        },
    )


def _stored(problem: Problem, trace: Any) -> Any:
    """Posterior of ``pm.sample`` as ours is stored."""
    from aligntax.analysis.inference.compiled_model import add_correlations

    return add_correlations(
        trace["posterior"].to_dataset(), problem.moved.tables(problem.model.quantities)
    )


def ways(name: str) -> list[Live]:
    """Ours twice and the two baselines."""
    return [
        Live(POSTERIOR, partial(ours, name, False)),
        Live(EVERYTHING, partial(ours, name, True)),
        Live(NUTPIE, partial(nutpie, name)),
        Live(NUMPYRO, partial(numpyro, name), most=NOT_TWICE),
    ]


def rates(section: str, mine: Times, baselines: list[Times]) -> list[Row]:
    """Effective draws a second: of wall time, and of the sampler's own seconds, without building and compiling."""
    found = []
    for per, clock in (("wall time", _wall), ("sampling", _sampling)):
        sides = [
            each.each(
                each.name, lambda s, extras, t=clock: extras["effective"] / t(s, extras), False
            )
            for each in (mine, *baselines)
        ]
        notes = [JITTED if side.name == NUMPYRO else "" for side in sides[1:]]
        what = f"ESS of the worst headline per second of {per}"
        found += [
            Row(section, what, sides[0], side, unit="ESS/s", note=note)
            for side, note in zip(sides[1:], notes, strict=True)
        ]
    return found


def _wall(seconds: float, extras: Mapping[str, Any]) -> float:
    return seconds


def _sampling(seconds: float, extras: Mapping[str, Any]) -> float:
    return extras.get("sampling", seconds)
