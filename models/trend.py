"""How do spend, price-performance and algorithms of the largest training run go on?

They grow as the past says (:mod:`aligntax.models.compute`), and saturate through a smooth minimum,
``min_w(a, b) = (a + b - sqrt((a - b)^2 + w^2)) / 2``. With ``s'`` the spend of the largest run up
to now, which from then on grows ``spend_growth_ratio`` times as fast, and ``h`` the trend of FLOP
per USD::

    spend(t)      = min_w(s'(t), log10(spend_cap * world product(t)))
    hardware(t)   = min_w(h(t), hardware_limit)
    algorithms(t) = sat_w(algorithmic_growth (t - since), limit)
    physical(t)   = spend + hardware               log10 FLOP
    effective(t)  = physical + algorithms          log10 FLOP of the algorithms of `since`

``sat_w`` rises from zero to its limit, and falls to minus it (:func:`saturating`). The source
of ``algorithmic_limit`` counts from a year of its own, ``limit_since``, and with ``limit_floor =
"progress"`` no limit lies below what has been gained by ``now``::

    limit = algorithmic_growth (limit_since - since)
            + max_w(algorithmic_limit, algorithmic_growth (now - limit_since))

``since``, ``limit_since`` and ``limit_floor`` are a view's settings. Progress may differ by
requirement anchor (``aligntax.models.requirements``).

=============  ============  ==============================================
path           unit, log10   limit
=============  ============  ==============================================
spend          USD of 2023   ``spend_cap``, a share of world product
hardware       FLOP/USD      ``hardware_limit``
algorithms     OOM           ``algorithmic_limit``, from a year of its own
=============  ============  ==============================================

References
----------
.. [1] Epoch AI, "Direct Approach interactive model", 2023, for caps and limits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligntax.models.evidence import Evidence
from aligntax.models.views import View

WORLD_PRODUCT_YEAR = 2025.0  # of the constant `world_product_2025`
SHARPNESS = 0.5  # OOM, w of the smooth minimum: at the crossing it lies a quarter OOM below
LEAST_LIMIT = 0.01  # OOM: growth whose limit is lower gains as little


def smooth_minimum(a: Any, b: Any) -> Any:
    """Minimum of two numbers or tensors, rounded over about half an OOM where they cross."""
    return 0.5 * (a + b - ((a - b) ** 2 + SHARPNESS**2) ** 0.5)


def _larger(a: Any, b: Any) -> Any:
    """Maximum of two numbers or tensors."""
    return 0.5 * (a + b + abs(a - b))


def saturating(free: Any, limit: Any) -> Any:
    """Growth or decline that is counted from zero, up to a limit: exact at both.

    It is the smooth minimum's like between two limits, with ``w`` the :data:`SHARPNESS`::

        sat_w(x, L) = (sqrt((x + L)^2 + w^2) - sqrt((x - L)^2 + w^2)) / 2

    Odd in ``x``, so zero at zero; ``L`` at infinity, and about ``x`` between. Its slope at zero is
    ``L / sqrt(L^2 + w^2)``.

    Parameters
    ----------
    free : number, ndarray or tensor
        Growth without a limit, OOM.
    limit : number, ndarray or tensor
        ``L``, OOM; counted as :data:`LEAST_LIMIT` where it is lower.
    """
    limit = _larger(limit, LEAST_LIMIT)
    above, below = ((free + side * limit) ** 2 + SHARPNESS**2 for side in (1.0, -1.0))
    return 0.5 * (above**0.5 - below**0.5)


@dataclass(frozen=True)
class Trend:
    """Paths of the largest run.

    Every method takes draws ``x`` by name, and dates that broadcast against them.

    Attributes
    ----------
    reference : float
        Decimal year at which levels are quoted.
    now : float
        Decimal year up to which growth is that of the past.
    world_product : float
        log10 USD of world product in 2025.
    algorithm_year : float
        Year whose algorithms effective FLOP is counted in.
    limit_year : float
        Year from which the limit of algorithmic progress is counted.
    limit_floor : bool
        Whether that limit is at least the progress up to ``now``.
    """

    reference: float
    now: float
    world_product: float
    algorithm_year: float
    limit_year: float
    limit_floor: bool

    @classmethod
    def of(cls, evidence: Evidence, view: View) -> "Trend":
        """Build from the evidence's constants and a view's settings."""
        return cls(
            view.compute.reference_year,
            evidence.constant("no_tai_until"),
            float(np.log10(evidence.constant("world_product_2025"))),
            view.algorithms.since,
            view.algorithms.limit_since,
            view.algorithms.limit_floor == "progress",
        )

    def spend(self, x: Mapping[str, Any], t: Any, beyond: Any = None) -> Any:
        """Largest training budget, log10 USD.

        ``beyond`` is the part of ``t`` after ``now``, by default ``max(t - now, 0)``.
        """
        beyond = np.maximum(t - self.now, 0.0) if beyond is None else beyond
        elapsed = t - beyond - self.reference + x["spend_growth_ratio"] * beyond
        free = x["spend_level"] + x["largest_run_offset"] + x["spend_growth"] * elapsed
        return smooth_minimum(
            free,
            x["spend_cap"]
            + self.world_product
            + x["world_product_growth"] * (t - WORLD_PRODUCT_YEAR),
        )

    def hardware(self, x: Mapping[str, Any], t: Any) -> Any:
        """Realised training FLOP per USD, log10."""
        return smooth_minimum(
            x["hardware_level"] + x["hardware_growth"] * (t - self.reference), x["hardware_limit"]
        )

    def algorithms(
        self,
        x: Mapping[str, Any],
        t: Any,
        growth: Any = 1.0,
        limit: Any = 0.0,
        ahead: Any = None,
    ) -> Any:
        """Algorithmic progress since the reference year, OOM.

        It is ``growth`` times as fast as the trend, to a limit ``limit`` OOM higher. With feedback
        of AI on research it is ``ahead`` years further than the calendar
        (:mod:`aligntax.models.research`).
        """
        t = t if ahead is None else t + ahead
        free = x["algorithmic_growth"] * growth * (t - self.algorithm_year)
        return saturating(free, self.algorithmic_limit(x, growth, limit))

    def algorithmic_limit(self, x: Mapping[str, Any], growth: Any = 1.0, limit: Any = 0.0) -> Any:
        """Progress from the reference year to the limit, OOM; arguments as of :meth:`algorithms`.

        Where algorithms get worse nothing is gained, and the limit is as stated.
        """
        gain = _larger(x["algorithmic_growth"] * growth, 0.0)  # OOM/year
        from_its_year = x["algorithmic_limit"] + limit
        if self.limit_floor:
            made = gain * (self.now - self.limit_year)
            from_its_year = -smooth_minimum(-from_its_year, -made)
        return from_its_year + gain * (self.limit_year - self.algorithm_year)

    def physical(self, x: Mapping[str, Any], t: Any, beyond: Any = None) -> Any:
        """Training FLOP of the largest run, log10."""
        return self.spend(x, t, beyond) + self.hardware(x, t)

    def effective(self, x: Mapping[str, Any], t: Any, beyond: Any = None) -> Any:
        """The same in FLOP of the reference year's algorithms, log10."""
        return self.physical(x, t, beyond) + self.algorithms(x, t)

    def costing(self, log_cost: float) -> "StatedCost":
        """Paths of a developer whose largest run costs so much (log10 USD) at every date."""
        return StatedCost(**vars(self), log_cost=log_cost)


@dataclass(frozen=True)
class StatedCost(Trend):
    """Paths of a developer whose largest run costs the same at every date.

    Attributes
    ----------
    log_cost : float
        log10 USD.
    """

    log_cost: float

    def spend(self, x: Mapping[str, Any], t: Any, beyond: Any = None) -> Any:
        """Return the stated cost, log10 USD, in the shape of the trend's."""
        return np.full(np.broadcast_shapes(np.shape(x["spend_level"]), np.shape(t)), self.log_cost)
