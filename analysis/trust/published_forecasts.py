"""Published forecasts, recomputed from their own published inputs by this package.

A *reading* is one set of published inputs: a view that differs from the named view in something
that the sources disagree about. Priors are pushed forward without evidence; nothing is fitted. The
result says how far each reading lies from the published curve.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from aligntax.analysis.inference.compile_cache import before_pytensor
from aligntax.analysis.inference.derive import arrival_of_draws, exponent_shift, split_draws
from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.inference.seeds import child_generator
from aligntax.analysis.summaries.summary import censored_quantile
from aligntax.analysis.trust import published_research
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence, select
from aligntax.models.requirements import BIO_ANCHORS, FLOP_ANCHORS, NEURAL
from aligntax.models.short_form import short_form
from aligntax.models.views import ANCHORS, View, load_view

QUIET = Talk()
FORECASTS = ("bioanchors", "direct-approach")
PUBLISHED = {"bioanchors": "Cotra 2020", "direct-approach": "Direct Approach, rerun"}
QUANTILES = (0.1, 0.5, 0.9)
# years from the number of a published year to the date that it means: Direct Approach's program
# counts whole years, and means their end
BY_END = {"bioanchors": 0.0, "direct-approach": 1.0}
CHAINS = 4
FEWEST = 400  # draws: 40 of them lie below the 10% quantile that the table quotes
STAGES = {  # published stage of Direct Approach: the reading that recomputes it
    "before updating": "before the update on no TAI",
    "updated on no TAI so far": "the view direct-approach-2023",
}


@dataclass(frozen=True)
class Reading:
    """One set of published inputs, pushed forward.

    Attributes
    ----------
    name : str
        How it differs from the first reading.
    year : ndarray, shape (draw,)
        Arrival; infinite where later than the horizon.
    requirement : ndarray, shape (draw,)
        log10 FLOP of each draw's anchor; infinite where it has none.
    anchor : ndarray of int, shape (draw,)
        Index into :data:`aligntax.models.views.ANCHORS`.
    shift : ndarray, shape (draw,)
        Years by which arrival is later if data grow linearly with parameters than if they grow as
        parameters^0.8.
    end : float
        Years from the number of a published year to the date that it means.
    """

    name: str
    year: Any
    requirement: Any
    anchor: Any
    shift: Any
    end: float = 0.0

    def probability(self, year: float) -> float:
        """Share of draws that have arrived by a year, as the source counts years."""
        return float(np.mean(self.year <= year + self.end))

    def quantile(self, probability: float) -> float | None:
        """Year by which a share of draws has arrived, as the source counts; None if censored."""
        value = censored_quantile(self.year, probability)
        return float(value - self.end) if np.isfinite(value) else None

    def requirements(self, anchor: str | None = None) -> list[float]:
        """10, 50 and 90% quantiles of the requirement, log10 FLOP, of one anchor or of all."""
        mine = np.isfinite(self.requirement) & (
            True if anchor is None else self.anchor == ANCHORS.index(anchor)
        )
        if not mine.any():
            return []
        return [float(q) for q in np.quantile(self.requirement[mine], QUANTILES)]

    def shift_of_neural_nets(self) -> dict[str, float | None]:
        """Shift from exponent 0.8 to 1 in draws of a neural-net anchor, and the weight of those.

        Quantiles are of the draws in which the shift is defined; the others are probabilities.
        """
        mine = np.isin(self.anchor, [ANCHORS.index(name) for name in NEURAL])
        if not mine.any():
            return {}
        defined = self.shift[mine & ~np.isnan(self.shift)]
        low, middle, high = (
            (censored_quantile(defined, p) for p in QUANTILES) if len(defined) else (np.nan,) * 3
        )
        return {
            "weight": float(mine.mean()),
            "q10": _finite(low),
            "q50": _finite(middle),
            "q90": _finite(high),
            "prob_right_censored": float(np.mean(self.shift[mine] == np.inf)),
            "prob_undefined": float(np.mean(np.isnan(self.shift[mine]))),
        }


@dataclass(frozen=True)
class Reproduction:
    """A published forecast and the readings of its inputs.

    Attributes
    ----------
    name : str
        One of :data:`FORECASTS`.
    milestone : str
        What arrives.
    published : mapping of float to float
        Published probability of arrival, by year.
    requirements : mapping of str to list
        Published 10, 50 and 90% quantiles of the requirement, log10 FLOP, by anchor or stage; NaN
        where not published.
    readings : tuple of Reading
        The named view first.
    """

    name: str
    milestone: str
    published: Mapping[float, float]
    requirements: Mapping[str, list[float]]
    readings: tuple[Reading, ...]
    __repr__ = short_form

    def difference(self, reading: Reading) -> float:
        """Largest difference from the published probabilities, in percentage points."""
        return max(abs(reading.probability(year) - p) for year, p in self.published.items()) * 100

    def recomputed(self, part: str) -> list[float]:
        """Recomputed 10, 50 and 90% quantiles of a published requirement, by anchor or stage."""
        if part in ANCHORS:
            return self.readings[0].requirements(part)
        return next(r.requirements() for r in self.readings if r.name == STAGES[part])

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping, for ``--json``."""
        return {
            "forecast": self.name,
            "milestone": self.milestone,
            "published": {
                "probability": {f"{year:g}": p for year, p in self.published.items()},
                "requirements": {
                    k: [_finite(v) for v in values] for k, values in self.requirements.items()
                },
            },
            "readings": [
                {
                    "name": reading.name,
                    "curve": {f"{year}": reading.probability(year) for year in range(2025, 2101)},
                    "q10": reading.quantile(0.1),
                    "q50": reading.quantile(0.5),
                    "largest_difference_points": self.difference(reading),
                    "requirement": reading.requirements(),
                    "requirement_by_anchor": {
                        a: reading.requirements(a) for a in FLOP_ANCHORS if reading.requirements(a)
                    },
                    "shift_exponent_neural_nets": reading.shift_of_neural_nets(),
                }
                for reading in self.readings
            ],
        }


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def reproduce(
    name: str, evidence: Evidence, draws: int = 100_000, seed: int = 2022, talk: Talk = QUIET
) -> Reproduction:
    """Recompute a published forecast under every reading of its inputs.

    Parameters
    ----------
    name : {"bioanchors", "direct-approach"}
    evidence : Evidence
        Holds the published inputs, which conflict, and the published curve.
    draws : int
        Per reading, at least 400; rounded down to a multiple of four.
    seed : int
        Every reading has the same random numbers.

    Raises
    ------
    InputError
        If there is no such forecast, or the draws are too few for its quantiles.
    """
    if name not in FORECASTS:
        known = ", ".join((*FORECASTS, *published_research.FORECASTS))
        raise InputError(f"forecast: must be one of {known}, got {name!r}; check the spelling")
    if draws < FEWEST:
        raise InputError(f"draws: must be at least {FEWEST}, got {draws}; leave it out for 100,000")
    options = Sampling(draws=draws // CHAINS, chains=CHAINS, seed=seed)
    views = dict(_bioanchors(evidence) if name == "bioanchors" else _direct_approach())
    readings = []
    for reading, view in views.items():
        talk.say(f"pushing forward: {reading}")
        readings.append(push_forward(reading, view, evidence, options, BY_END[name]))
    points = evidence["published_forecasts"]
    points = points.isel(point=np.flatnonzero(points["forecast"].values == PUBLISHED[name]))
    curve = dict(
        zip(points["year"].values.tolist(), points["probability"].values.tolist(), strict=True)
    )
    needed = select(evidence["published_requirements"], forecast=PUBLISHED[name].split(",")[0])
    parts = needed["part"].values.tolist()
    table = np.stack([needed[q].values for q in ("q10", "q50", "q90")], axis=-1).tolist()
    milestone = str(points["milestone"].values[0])
    return Reproduction(
        name, milestone, curve, dict(zip(parts, table, strict=True)), tuple(readings)
    )


def push_forward(
    name: str, view: View, evidence: Evidence, options: Sampling, end: float = 0.0
) -> Reading:
    """Arrival, requirement and exponent shift of draws from a view's prior, without evidence."""
    before_pytensor()
    from aligntax.analysis.inference.graphs.live import LiveGraph
    from aligntax.analysis.inference.terms import Terms

    model = find_model("joint")
    tables, chosen = view.tables(model.quantities), restrict(evidence, view, model)
    graph = model.build(chosen, view)  # holds this view's numbers already: no other data
    prior = Terms(LiveGraph(graph), {}, graph.coords).draw_prior(tables, options)
    where = (*split_draws(prior, tables), chosen, view)
    found = arrival_of_draws(*where, child_generator(options.seed, "prior_arrival"))
    exponents = (
        evidence.constant("baseline_data_exponent"),
        evidence.constant("chinchilla_data_exponent"),
    )
    shift = exponent_shift(*where, child_generator(options.seed, "prior_arrival"), exponents)
    return Reading(name, found["year"], found["requirement"], found["anchor"], shift, end)


def _bioanchors(evidence: Evidence) -> Iterator[tuple[str, View]]:
    """Views of Bio Anchors (2020): the named one, then one per input on which sources conflict."""
    base, inputs = load_view("bioanchors-2020"), evidence["bio_anchors"]["median"]

    def published(key: str) -> float:
        return float(inputs.sel(input=key))

    weights = {anchor: published(f"weight_{anchor}_gb") for anchor in BIO_ANCHORS}
    two_years = {"point": float(np.log10(2.0) / published("spend_doubling"))}
    reweighted = base.replace(anchors={**weights, "none": 1.0 - sum(weights.values())})
    limit = published("hardware_2025_fam") * 10.0 ** published("hardware_cap")
    yield "the view bioanchors-2020", base
    yield "weights 15/30/20 for the neural nets", reweighted
    yield "spending doubles in 2 years", base.with_quantity("spend_growth", two_years)
    yield "both of these", reweighted.with_quantity("spend_growth", two_years)
    yield (
        "FLOP per USD levels off after 6 OOM",
        base.with_quantity("hardware_limit", {"point": limit}),
    )
    yield "algorithms gain at most 2 OOM for every anchor", base.replace(algorithms={"limit": {}})
    yield (
        "no update on low FLOP",
        replace(base, requirement=replace(base.requirement, low_flop=None)),
    )
    from_2020 = {"since": 2020.5, "limit_since": 2020.5}
    yield "algorithms counted from 2020", base.replace(algorithms=from_2020)
    yield "'none' stays at 10%", replace(base, arrival=replace(base.arrival, none_final=None))


def _direct_approach() -> Iterator[tuple[str, View]]:
    """Views of Direct Approach: as the program has it, without its update, and corrected.

    The corrections are the optimal allocation and the joint posterior of the loss law.
    """
    base = load_view("direct-approach-2023")
    yield "the view direct-approach-2023", base
    yield "before the update on no TAI", base.replace(direct_approach={"update": "none"})
    yield "optimal allocation", load_view("direct-approach-optimal")
    joint = load_view("direct-approach-joint")
    yield (
        "joint posterior of A, B, alpha, beta",
        joint.replace(direct_approach={"allocation": "published"}),
    )
    yield "both of these", joint
