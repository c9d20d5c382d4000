"""How to label: votes on an item, or better evaluators, by the information that money buys.

A comparison whose true preference is ``m`` in (-1, 1) comes back with mean
``(1 - 2e) m`` when the label errs with probability ``e``. Comparisons decide at ``m`` near 0, where
the Fisher information about ``m`` in one label is ``(1 - 2e)^2``. A majority of ``r`` labels (``r``
odd) errs with probability ``e_r = P(Binomial(r, e) > r/2)``, so one unit of money buys::

    (1 - 2 e_r)^2 / (item + r)       r votes on an item
    (1 - 2 k e)^2 / (item + m)       an evaluator with k times the error at m times the cost

Costs are in units of one label; ``item`` is the cost of the item itself. Items that cost nothing
never deserve a second vote. An evaluator is worth up to the ``m`` at which the two lines are equal.
The error that published agreement implies is that of labellers yet to be hired, by the model of
:mod:`aligntax.models.outer_alignment.label_error` under the run's view, from the package's studies.

References
----------
.. [1] Natarajan, Dhillon, Ravikumar, Tewari, "Learning with noisy labels", 2013, for the factor
       ``1 - 2e``.
.. [2] Wu et al., "Recursively summarizing books with human feedback", 2021. arXiv:2109.10862
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import bdtrc

from aligntax.models.catalogue import find_model, restrict
from aligntax.models.errors import InputError
from aligntax.models.evidence import load_evidence
from aligntax.models.outer_alignment.label_error import label_error
from aligntax.models.views import View

# In labels: 4 minutes to write an item, 1.5 to compare two; Wu et al. 2021, appendix E.
ITEM_COST = 4.0 / 1.5
BETTER = 0.5  # error of a better evaluator over that of a labeller: an example, our judgement
VOTES = (1, 3, 5, 7, 9)
ERRORS = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.35, 0.40)


@dataclass(frozen=True)
class Labelling:
    """How to label at one label error.

    Attributes
    ----------
    error : float
        Probability that a label is wrong.
    votes : int
        Best number of votes if people write the items.
    votes_gain : float
        Information per USD of these votes over that of single labels.
    worth : float
        Cost, in labels, up to which an evaluator with half the error is better than a label, if
        items cost nothing.
    worth_written : float
        The same if people write the items, against the best number of votes.
    """

    error: float
    votes: int
    votes_gain: float
    worth: float
    worth_written: float


def majority_error(error: Any, votes: int) -> Any:
    """Probability that the majority of an odd number of independent votes is wrong."""
    return bdtrc(votes // 2, votes, np.asarray(error, dtype=float))


def label_information(error: Any, cost: Any) -> Any:
    """Fisher information, per unit of cost, of a label that errs with probability below 1/2."""
    return (1.0 - 2.0 * np.asarray(error)) ** 2 / cost


def best_labelling(error: float, item: float = ITEM_COST, better: float = BETTER) -> Labelling:
    """How to label at a label error.

    Parameters
    ----------
    error : float
        In [0, 1/2).
    item : float
        Cost of an item that people write, in labels.
    better : float
        Error of the better evaluator over that of a label.
    """
    if not 0 <= error < 0.5:
        raise InputError(
            f"error: must lie in [0, 0.5), got {error}; from one half on no amount of labels helps"
        )
    written = {
        votes: float(label_information(majority_error(error, votes), item + votes))
        for votes in VOTES
    }
    votes = max(written, key=written.__getitem__)
    gain = (1.0 - 2.0 * better * error) ** 2
    return Labelling(
        error=error,
        votes=votes,
        votes_gain=written[votes] / written[1],
        worth=gain / float(label_information(error, 1.0)),
        worth_written=gain / written[votes] - item,
    )


def published_label_error(view: View) -> tuple[float, float, float]:
    """5%, 50% and 95% point of the error of labellers yet to be hired, under a view.

    No run that has hours conditions on agreement. So the studies are the package's that the view
    uses, as in a run of the model ``outer-alignment``.
    """
    studies = restrict(load_evidence(), view, find_model("outer-alignment"))
    low, middle, high = label_error(studies, view).quantiles([0.05, 0.5, 0.95])
    return float(low), float(middle), float(high)
