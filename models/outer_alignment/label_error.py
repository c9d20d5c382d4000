"""How often do labels err, by the agreement of published studies, without a sampler?

The model of label error in :mod:`aligntax.models.outer_alignment.model` is integrated on a grid.
With ``z`` the score of the typical error, ``u`` and ``v`` those of the two concentrations and
``x_s = 2 e_s`` the share of guesses of study ``s``::

    p(z, u, v | y) ~ phi(z) phi(u) phi(v) prod_s  int Beta(x; z, u) prod_(r in s) p(y_r | x, v) dx

Given the three, studies are independent and each integrates over its own error. The error of
labellers yet to be hired mixes the Beta laws by that weight. Without studies both are the prior's.

=====================  ==========================
``label_error``        of a typical study
``label_error_study``  of labellers of a new study
=====================  ==========================
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import betainc, gammaln

from aligntax.models.evidence import Evidence
from aligntax.models.outer_alignment.model import (
    BETWEEN_STUDIES,
    WITHIN_STUDY,
    agreement,
    log_likelihood,
    studies,
)
from aligntax.models.views import View

# A grid three times as fine moves no quantile by 0.0001.
SCORES = np.linspace(-4.0, 4.0, 65)  # of the typical error
CONCENTRATIONS = np.linspace(-3.5, 3.5, 21)  # scores of the logs of the concentrations
GUESSES = 200  # shares of guesses, evenly between 0 and 1


@dataclass(frozen=True)
class LabelError:
    """Posterior of label errors.

    Attributes
    ----------
    typical, weight : ndarray, shape (score,)
        Increasing errors of a typical study, and their probabilities.
    new, below : ndarray, shape (guess,)
        Increasing errors of labellers of a new study, and the probability below each.
    """

    typical: Any
    weight: Any
    new: Any
    below: Any

    def quantiles(self, probabilities: Any) -> Any:
        """Quantiles of ``label_error_study``."""
        return np.interp(probabilities, self.below, self.new)


def label_error(evidence: Evidence, view: View) -> LabelError:
    """Integrate the model of label error under a view; the prior where no study is used."""
    typical = view.tables(("label_error",)).values(SCORES[:, None])["label_error"]
    concentration = BETWEEN_STUDIES * np.exp(CONCENTRATIONS)
    a = 2 * typical[:, None] * concentration
    b = concentration - a
    edges = np.linspace(0.0, 1.0, GUESSES + 1)
    below = betainc(a[..., None], b[..., None], edges)  # (score, between, edge)
    seen = _log_seen(evidence, view, 0.5 * (edges[1:] + edges[:-1]))
    # (within, study), taken out of the exponential so that it cannot underflow
    most = seen.max(axis=-1, initial=-np.inf) if seen.size else np.zeros(seen.shape[:-1])
    each = np.tensordot(np.diff(below), np.exp(seen - most[..., None]), axes=([2], [2]))
    with np.errstate(divide="ignore"):  # a law may leave a study no probability
        log_weight = (np.log(each) + most).sum(axis=-1)  # (score, between, within)
    normal = [-0.5 * score**2 for score in (SCORES, CONCENTRATIONS, CONCENTRATIONS)]
    log_weight += normal[0][:, None, None] + normal[1][:, None] + normal[2]
    weight = np.exp(log_weight - log_weight.max()).sum(axis=-1)
    weight /= weight.sum()
    mixed = np.tensordot(weight, below, axes=2)
    return LabelError(typical, weight.sum(axis=1), 0.5 * edges, mixed)


def _log_seen(evidence: Evidence, view: View, guessed: Any) -> Any:
    """Log probability of each study's rows, shape (within, study, guess)."""
    rows = studies(evidence)
    share = agreement(0.5 * guessed, view.outer_alignment.error_correlation)
    count, total = rows["count"].values[:, None], rows["total"].values[:, None]
    within = WITHIN_STUDY * np.exp(CONCENTRATIONS)
    seen = log_likelihood(count, total, share, within[:, None, None], gammaln)
    member = rows["study_index"].values == np.arange(rows.sizes["study"])[:, None]
    return np.einsum("sr,wrg->wsg", member.astype(float), seen)
