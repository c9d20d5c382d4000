"""Several tests at once: Holm's correction, which keeps the chance of any false rejection.

With p-values in increasing order, ``p_(1) <= ... <= p_(n)``::

    adjusted p_(i) = max over j <= i of min((n - j + 1) p_(j), 1)

Rejecting every test whose adjusted p-value is at most ``alpha`` errs at all with a probability of
at most ``alpha``, however the tests depend on each other [1]_.

References
----------
.. [1] Holm, "A simple sequentially rejective multiple test procedure", 1979.
       jstor.org/stable/4615733
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def holm_adjusted(p: Any) -> Any:
    """P-values adjusted for their number, in the order given."""
    p = np.asarray(p, dtype=float)
    order = np.argsort(p)
    adjusted = np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order])
    found = np.empty_like(p)
    found[order] = np.minimum(adjusted, 1.0)
    return found


def holm_rejected(p: Mapping[str, Sequence[float]], level: float) -> dict[str, tuple[bool, ...]]:
    """Which p-values are rejected, in the layout given.

    Parameters
    ----------
    p : mapping of str to sequence of float
        All of them are one family.
    level : float
        Chance of any false rejection.
    """
    adjusted = iter(holm_adjusted([value for values in p.values() for value in values]).tolist())
    return {name: tuple(next(adjusted) <= level for _ in values) for name, values in p.items()}
