"""Sample with nutpie's NUTS, one chain at a time on each core."""

from collections.abc import Callable
from typing import Any

import xarray as xr

from aligntax.analysis.inference.gradient import Gradient
from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.inference.seeds import child_seed
from aligntax.models.catalogue import Model


def sample_nuts(
    gradient: Gradient,
    model: Model,
    options: Sampling,
    progress: Callable[[int, int, int], None] | None,
    unconstrained: bool,
) -> tuple[xr.Dataset, xr.Dataset]:
    """Free variables and statistics, both (chain, draw, ...).

    Parameters
    ----------
    options : Sampling
        Of the model.
    progress : callable, optional
        Called now and then with the number of draws done, of all draws, and of divergences.
    unconstrained : bool
        Whether the statistics have ``unconstrained_draw``.
    """
    import nutpie

    sampler = nutpie.sample(
        gradient.for_nutpie(),
        draws=options.draws,
        tune=options.tune,
        chains=options.chains,
        cores=options.cores,
        target_accept=options.target_accept,
        adaptation=model.adaptation,
        seed=child_seed(options.seed, "sample"),
        save_warmup=False,
        progress_bar=False,
        progress_callback=None if progress is None else lambda each: progress(*_count(each)),
        blocking=False,
        store_unconstrained=unconstrained,
    )
    # a blocking call would take an interrupt for the end and return the draws so far
    try:
        trace = sampler.wait()
    except BaseException:
        sampler.cancel()
        raise
    draws, statistics = (trace[name].dataset.load() for name in ("posterior", "sample_stats"))
    return draws, statistics.assign_attrs(sampler="nuts")


def _count(chains: list[Any]) -> tuple[int, int, int]:
    done, total, diverged = (
        [getattr(c, key) for c in chains]
        for key in ("finished_draws", "total_draws", "divergences")
    )
    return sum(done), sum(total), sum(diverged)
