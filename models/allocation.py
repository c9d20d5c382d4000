"""What is it worth to know how compute should be split between parameters and data?

Until 2022 the largest runs spent added compute mostly on parameters, ``N ~ C^0.73`` [1]_. Hoffmann
et al. [2]_ found that data should grow as fast. The same loss then takes less compute, which pulls
arrival in, where a requirement of many parameters pushes it out. With the loss law of
:mod:`aligntax.models.direct_approach` and ``C = 6 N D``::

    KL(N, D) = A N^-alpha + B D^-beta           loss above the least possible
    C*(KL)   = 6 (K / KL)^(1 / kappa)           compute of that loss at the best allocation
    N(C)     = N_0 (C / C_0)^0.73,  D = C / (6 N)
    gain(C)  = log10 C - log10 C*(KL(N(C), D(C)))
    progress = gain(C_0) / (spend_growth + hardware_growth + algorithmic_growth)

The gain is zero where the two allocations agree, and grows as compute moves them apart. ``N_0`` and
``C_0 = 6 N_0 D_0`` are those of Gopher, the largest dense run before the finding, whose compute
Hoffmann et al. spent on Chinchilla. Kaplan et al.'s own rule, with ``N_0`` of theirs, asks for
three times its parameters. Gopher did not follow it, so it is told (``allocation_gain_kaplan``) and
not used.

Two readings of progress conflict, and both are told: ``allocation_progress`` as above, the default
of the claim, and ``allocation_progress_most``, the gain over Kaplan et al.'s rule divided by the
growth of algorithms alone. Both are gross: some of it was to be expected, and the estimates of
algorithmic growth contain it.

:mod:`aligntax.models.shifts` has the years of arrival. They hang on what would have happened
otherwise. The two readings bracket it: no more is lost than the finding saved in its day,
``gain(C_0)`` (``timeline_shift_allocation``), or the exponent 0.73 is kept for ever, ``gain(C)``
(``timeline_shift_allocation_kept``).

========  ==========  ========================================================
name      unit        meaning
========  ==========  ========================================================
gain      OOM         compute that the best allocation saves at the same loss
progress  years       growth of effective compute that is worth as much
========  ==========  ========================================================

References
----------
.. [1] Kaplan et al., "Scaling laws for neural language models", 2020. arXiv:2001.08361
.. [2] Hoffmann et al., "Training compute-optimal large language models", 2022. arXiv:2203.15556
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from aligntax.models.direct_approach import optimal_flop
from aligntax.models.evidence import Evidence
from aligntax.models.loss_law import FLOP_PER_PARAMETER_TOKEN
from aligntax.models.views import View

CONSTANTS = (
    "gopher_parameters",
    "gopher_tokens",
    "kaplan_allocation_exponent",
    "kaplan_parameters",
    "kaplan_parameters_flop",
)
GROWTH = ("spend_growth", "hardware_growth", "algorithmic_growth")


def known(evidence: Evidence) -> bool:
    """Whether the evidence has the allocations; that of runs stored by earlier versions has not."""
    return set(CONSTANTS) <= set(evidence["constants"]["constant"].values.tolist())


def gain(x: Mapping[str, Any], log_parameters: Any, log_flop: Any, view: View) -> Any:
    """Compute that the best allocation saves at the loss of a run, OOM; never negative.

    Parameters
    ----------
    x : dict of ndarray
        Loss law at the view's reference.
    log_parameters, log_flop : float or ndarray
        log10 of the run's N and C; shapes broadcast against the draws.
    view : View
        Gives the reference of the loss law.
    """
    log_tokens = log_flop - np.log10(FLOP_PER_PARAMETER_TOKEN) - log_parameters
    larger = log_parameters - np.log10(view.loss_law.parameters)
    longer = log_tokens - np.log10(view.loss_law.tokens)
    terms = x["parameter_loss"] - x["alpha"] * larger, x["data_loss"] - x["beta"] * longer
    log_loss = np.logaddexp(*(term * np.log(10.0) for term in terms)) / np.log(10.0)
    return log_flop - optimal_flop(x, -log_loss, view)


def gopher(evidence: Evidence) -> tuple[float, float]:
    """Return log10 parameters and log10 FLOP, 6 N D, of Gopher."""
    log_n, log_d = (
        float(np.log10(evidence.constant(name))) for name in ("gopher_parameters", "gopher_tokens")
    )
    return log_n, float(np.log10(FLOP_PER_PARAMETER_TOKEN)) + log_n + log_d


def kaplans_rule(evidence: Evidence) -> tuple[float, float]:
    """Return log10 parameters and log10 FLOP of a run by Kaplan et al.'s own rule."""
    log_n, log_c = (
        float(np.log10(evidence.constant(name)))
        for name in ("kaplan_parameters", "kaplan_parameters_flop")
    )
    return log_n, log_c


def parameters_from(run: tuple[float, float], log_flop: Any, evidence: Evidence) -> Any:
    """Parameters (log10) at a compute, as before the finding, going on from a run's N and C."""
    log_n, log_c = run
    return log_n + evidence.constant("kaplan_allocation_exponent") * (log_flop - log_c)


def derive(x: Mapping[str, Any], evidence: Evidence, view: View) -> dict[str, Any]:
    """What the finding was worth at Gopher's compute; empty where the evidence lacks it.

    Parameters
    ----------
    x : dict of ndarray, shape (draw,)
        Loss law and growth.

    Returns
    -------
    dict of ndarray, shape (draw,)
        ``allocation_gain`` and ``allocation_gain_kaplan`` in OOM; ``allocation_progress`` and
        ``allocation_progress_most`` in years, infinite where there is no growth.
    """
    if not known(evidence):
        return {}
    log_n, log_c = gopher(evidence)
    saved = gain(x, log_n, log_c, view)
    larger = parameters_from(kaplans_rule(evidence), log_c, evidence)
    by_rule = gain(x, larger, log_c, view)
    return {
        "allocation_gain": saved,
        "allocation_gain_kaplan": by_rule,
        "allocation_progress": _years(saved, sum(x[name] for name in GROWTH)),
        "allocation_progress_most": _years(by_rule, x["algorithmic_growth"]),
    }


def _years(saved: Any, growth: Any) -> Any:
    """Years in which growth (OOM a year) makes up what was saved (OOM)."""
    with np.errstate(divide="ignore"):
        return np.where(growth > 0, saved / np.maximum(growth, 0.0), np.inf)
