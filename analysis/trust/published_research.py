"""Published models of AI that does AI research, recomputed from their own inputs by this package.

A *reading* is a view: the named one, which has the published parameters, or one that differs from
it in an input. Priors are pushed forward through :mod:`aligntax.models.research`, without evidence.
The others say what each input is worth, and so where a difference from the published date comes
from.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aligntax.analysis.inference.options import Talk
from aligntax.analysis.inference.seeds import child_generator
from aligntax.analysis.summaries.summary import censored_quantile
from aligntax.models import compute, horizon_trend, research, time_horizon
from aligntax.models.arrival import first_crossing
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.short_form import short_form
from aligntax.models.trend import Trend
from aligntax.models.views import View, load_view

QUIET = Talk()
FORECASTS = ("ai-futures", "kwa")
QUANTITIES = (*compute.QUANTITIES, *time_horizon.QUANTITIES, *research.QUANTITIES)
FEWEST = 40  # draws: four of them lie below the 10% quantile that the table quotes
AT_ONCE = 5_000  # draws of one integration, which then takes about 100 MB
CODER, ASI, KWA = "automated coder", "superintelligence", "99% of AI research automated"
# a pace that the site states for people alone, at the pace with AI: see the view's head
PACE = 1.6608 / 1.5337


@dataclass(frozen=True)
class ResearchReading:
    """One milestone under one view.

    Attributes
    ----------
    name : str
        How the view differs from the named one.
    milestone : str
        What is reached.
    year : ndarray, shape (draw,)
        Infinite after the view's horizon.
    published : mapping of float to float
        Published year by probability; empty where the view is nobody's.
    """

    name: str
    milestone: str
    year: Any
    published: Mapping[float, float] = field(default_factory=dict)

    def probability(self, year: float) -> float:
        """Share of draws that have reached the milestone by a year."""
        return float(np.mean(self.year <= year))

    def quantile(self, probability: float) -> float | None:
        """Year by which a share of draws has reached it; None if that is after the horizon."""
        value = censored_quantile(self.year, probability)
        return float(value) if np.isfinite(value) else None

    def difference(self) -> float | None:
        """Years by which the median is later than the published; None without one of them."""
        own = self.quantile(0.5)
        return None if own is None or 0.5 not in self.published else own - self.published[0.5]


@dataclass(frozen=True)
class ResearchReproduction:
    """A published model of AI research and the readings of its inputs.

    Attributes
    ----------
    name : str
        One of :data:`FORECASTS`.
    readings : tuple of ResearchReading
        The named view first.
    why : tuple of str
        Where the differences come from, one sentence each.
    """

    name: str
    readings: tuple[ResearchReading, ...]
    why: tuple[str, ...]
    __repr__ = short_form

    @property
    def milestone(self) -> str:
        """Of the first reading: what a picture's curves are of."""
        return self.readings[0].milestone

    @property
    def published(self) -> dict[float, float]:
        """Published probability of the first reading's milestone, by year."""
        return {year: p for p, year in self.readings[0].published.items()}

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping, for ``--json``."""
        return {
            "forecast": self.name,
            "readings": [
                {
                    "name": reading.name,
                    "milestone": reading.milestone,
                    **{f"q{100 * p:.0f}": reading.quantile(p) for p in (0.1, 0.5, 0.9)},
                    "published": {f"q{100 * p:.0f}": y for p, y in reading.published.items()},
                    "years_later_than_published": reading.difference(),
                }
                for reading in self.readings
            ],
            "why": list(self.why),
        }


def reproduce_research(
    name: str, evidence: Evidence, draws: int = 100_000, seed: int = 2022, talk: Talk = QUIET
) -> ResearchReproduction:
    """Recompute a published model under every reading of its inputs.

    Parameters
    ----------
    name : {"ai-futures", "kwa"}
    evidence : Evidence
        Holds the published paths of inputs and the published dates.
    draws : int
        Per reading, at least 40; the AI Futures Model has points, for which 40 are enough.

    Raises
    ------
    InputError
        If there is no such model, or the draws are too few for its quantiles.
    """
    if name not in FORECASTS:
        raise InputError(
            f"forecast: must be one of {', '.join(FORECASTS)}, got {name!r}; check the spelling"
        )
    if draws < FEWEST:
        raise InputError(f"draws: must be at least {FEWEST}, got {draws}; leave it out for 100,000")
    views, points = (_ai_futures(evidence), True) if name == "ai-futures" else (_kwa(), False)
    readings = []
    for reading, view, published in views:
        talk.say(f"pushing forward: {reading}")
        dates = push_forward(view, evidence, FEWEST if points else draws, seed)
        readings += [
            ResearchReading(reading, what, year, _published(evidence, published.get(what, "")))
            for what, year in dates.items()
        ]
    return ResearchReproduction(name, tuple(readings), WHY[name])


def push_forward(view: View, evidence: Evidence, draws: int, seed: int) -> dict[str, Any]:
    """Year of each milestone of a view, of draws from its prior; infinity after the horizon.

    Returns
    -------
    dict of ndarray, shape (draw,)
        The share that is the view's milestone, or the coder and superintelligence.
    """
    tables, trend = view.tables(QUANTITIES), Trend.of(evidence, view)
    rng = child_generator(seed, "prior_arrival")
    z = rng.standard_normal((draws, len(QUANTITIES))) @ tables.cholesky.T
    blocks = [
        _milestones(tables.values(z[i : i + AT_ONCE]), trend, evidence, view)
        for i in range(0, draws, AT_ONCE)
    ]
    years = {what: np.concatenate([block[what] for block in blocks]) for what in blocks[0]}
    return {what: np.where(np.isnan(year), np.inf, year) for what, year in years.items()}


def _milestones(
    x: Mapping[str, Any], trend: Trend, evidence: Evidence, view: View
) -> dict[str, Any]:
    if view.research.milestone is not None:
        paths = research.integrate(x, None, trend, evidence, view)
        return {KWA: first_crossing(paths.gained - paths.milestone[:, None], paths.dates)}
    coder = horizon_trend.threshold_date(x, "superexponential", view)
    paths = research.integrate(x, coder, trend, evidence, view)
    settings, wanted = view.research, evidence.constant("superintelligence_taste")
    years = (wanted - settings.taste_at_coder) / max(settings.taste_growth, 1e-9)
    far = (paths.full + years * paths.rate)[:, None]
    return {CODER: paths.calendar(coder), ASI: first_crossing(paths.gained - far, paths.dates)}


def _published(evidence: Evidence, forecast: str) -> dict[float, float]:
    """Published years by probability; none for an empty name."""
    if not forecast:
        return {}
    rows = evidence["published_forecasts"]  # none is used: they are beside no model's curve
    rows = rows.isel(point=np.flatnonzero(rows["forecast"].values == forecast))
    pairs = zip(rows["probability"].values, rows["year"].values, strict=True)
    return {float(p): float(year) for p, year in pairs}


Views = Iterator[tuple[str, View, Mapping[str, str]]]


def _ai_futures(evidence: Evidence) -> Views:
    """Views of the AI Futures Model: two authors' medians, then what inputs are worth."""
    base, of = load_view("ai-futures-2026"), "AI Futures Model, {}, {}".format
    names = {
        who: {CODER: of(who, "coder"), ASI: of(who, "superintelligence")}
        for who in ("Kokotajlo", "Lifland")
    }
    slope = {"taste_growth": 2.1 * PACE, "taste_spread": 0.4234, "taste_limit": 5.1138}
    lifland = base.replace(superhuman_coder_horizon={"point": 1.557e7}, research=slope)
    yield "the view ai-futures-2026", base, names["Kokotajlo"]
    yield "Lifland: 125 work years, taste 2.1 a year", lifland, names["Lifland"]
    faster = lifland.replace(research={"taste_growth": 3.0 * PACE})
    yield "Lifland, with Kokotajlo's 3.0 a year", faster, {}
    share = 1.0 - 1.6 ** (-1.0 / 1.5)
    yield (
        "coders 1.6 times as fast at first",
        base.with_quantity("automated_share", {"point": share}),
        {},
    )
    yield "automation that ends at 110%", base.replace(research={"ceiling": 1.1}), {}
    frozen = base.replace(research={"labour_gain": 0.0, "taste_growth": 0.0})
    yield "no AI in research", frozen, {}
    balanced = base.replace(research={"inputs": "balanced"})
    yield "inputs that hold the trend", balanced, {}


def _kwa() -> Views:
    """Views of Kwa's model: his triangles, then what inputs are worth."""
    base = load_view("kwa-2026")
    yield "the view kwa-2026", base, {KWA: "Kwa 2026"}
    yield (
        "research no easier with more of it automated",
        base.replace(research={"labour_gain": 0.0}),
        {},
    )
    yield (
        "complements, as in the AI Futures Model",
        base.replace(research={"substitution": -0.155}),
        {},
    )
    yield "inputs that hold the trend", base.replace(research={"inputs": "balanced"}), {}
    four = base.with_quantity("algorithmic_growth", {"point": float(np.log10(4.0))})
    yield "software that grows 4x a year", four, {}


WHY = {
    "ai-futures": (
        "Kokotajlo's dates: this package's coding labour is that of the people left, and the step "
        "of its integration is a quarter of a year; each is worth less than 0.1 years for the "
        "coder. Taste is lognormal, which with the former brings superintelligence 0.4 years "
        "nearer. AI's part in research is worth the years by which 'no AI in research' is later.",
        "Lifland's superintelligence is later than published. His growth of taste then could "
        "not be read: 2.1 a year is the program's of January 2026. With Kokotajlo's 3.0 it is "
        "earlier than published, so that this input alone may explain it.",
    ),
    "kwa": (
        "Five quantiles stand for each triangle, his sample is 500 draws (standard error of a "
        "median 0.1 years), and the step of integration is a quarter of a year (0.003).",
    ),
}
