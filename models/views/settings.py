"""What a view says besides priors: which evidence it uses, and the settings of each part of the model."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any, Literal, cast

from aligntax.models.errors import InputError
from aligntax.models.priors.compile import brief

SMALLEST = 1e-9  # stands for "greater than zero" in limits that include their ends

ANCHORS = (
    "lifetime",
    "short_horizon",
    "medium_horizon",
    "long_horizon",
    "genome",
    "evolution",
    "direct_approach",
    "user",
    "time_horizon",
    "none",
)


@dataclass(frozen=True)
class EvidenceChoice:
    """Which evidence a view uses: all, none, or some tables by name (and ``no_tai``); and up to which date."""

    use: str | tuple[str, ...] = "all"
    until: float | None = None

    @property
    def no_tai(self) -> bool:
        """Whether the absence of transformative AI so far is evidence."""
        return self.use == "all" or "no_tai" in self.use


@dataclass(frozen=True)
class Scaling:
    """Settings of the meta-analysis.

    Attributes
    ----------
    error_correlation : float
        Correlation of the sampling errors of analyses of the same runs.
    between_study_scale : float
        Scale of the half-normal prior of ``between_study_sd``; a view that knows one exponent for
        every regime sets it near 0.
    """

    error_correlation: float = 0.5
    between_study_scale: float = 0.3


@dataclass(frozen=True)
class LossLaw:
    """Settings of the loss law; at the first two Chinchilla's runs leave each term uncorrelated with its exponent.

    Attributes
    ----------
    parameters, tokens : float
        Reference N0 and D0 at which ``parameter_loss`` and ``data_loss`` are stated; with both 1
        these are A and B.
    compute : float
        FLOP at which tokens per parameter is reported; the default is the budget of Chinchilla and
        Gopher.
    errors : {"student_t", "gaussian"}
        Distribution of the errors of log loss.
    """

    parameters: float = 2.5e7
    tokens: float = 6e8
    compute: float = 5.76e23
    errors: Literal["student_t", "gaussian"] = "student_t"


@dataclass(frozen=True)
class Compute:
    """Settings of the compute trends: the year at which levels are quoted, and the date from which runs enter."""

    reference_year: float = 2023.0
    runs_since: float = 2018.0


@dataclass(frozen=True)
class Algorithms:
    """How algorithmic progress differs between requirement anchors.

    Attributes
    ----------
    since : float
        Decimal year from which progress is counted: requirements are FLOP of that year's
        algorithms.
    growth : mapping of str to float
        Multiple of ``algorithmic_growth``, by anchor; 1 where not stated.
    limit : mapping of str to float
        OOM on top of ``algorithmic_limit``, by anchor; 0 where not stated.
    """

    since: float = 2020.0
    growth: Mapping[str, float] = field(default_factory=dict)
    limit: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Requirement:
    """Settings of the requirement.

    Attributes
    ----------
    low_flop : float or None
        FLOP that the requirement of every anchor is known to exceed: Bio Anchors' update of 2020 on
        cheaper runs that were not transformative. For views without the evidence of no TAI, which
        says the same and more.
    user_milestone : str
        What has arrived when compute reaches ``user_flop``, in words.
    """

    low_flop: float | None = None
    user_milestone: str = "transformative AI"


@dataclass(frozen=True)
class DirectApproach:
    """Settings of the Direct Approach's requirement.

    Attributes
    ----------
    allocation : {"optimal", "published"}
        Parameters and tokens of least loss, or the constant that the published program computes.
    year : float
        Decimal year whose algorithms the requirement's FLOP is counted in; the loss law was fitted
        to runs of 2022.
    update : {"none", "published"}
        Whether requirements are weighted by the program's update on no TAI so far
        (``aligntax.models.direct_approach.survival``). For views without the evidence of no TAI,
        which says the same and more.
    """

    allocation: Literal["optimal", "published"] = "optimal"
    year: float = 2022.0
    update: Literal["none", "published"] = "none"


@dataclass(frozen=True)
class TimeHorizon:
    """Settings of the time horizon's trend.

    Attributes
    ----------
    since : float
        Date from which models enter; 2023 is METR's headline window, 2019 takes all.
    reference_date : float
        Decimal year at which the horizon's level and doubling time are quoted.
    """

    since: float = 2023.0
    reference_date: float = 2025.0


@dataclass(frozen=True)
class Arrival:
    """Settings of arrival.

    Attributes
    ----------
    mode : {"hazard", "crossing"}
        ``crossing`` is the published models' rule: arrival when effective FLOP first reaches the
        requirement.
    hazard_cap : float
        Largest arrival rate, per year.
    start : float
        First decimal year in which transformative AI could have arrived.
    horizon : float
        Decimal year at which draws are censored.
    none_final : float or None
        Weight of "no anchor" at the horizon; it falls linearly from its weight today. None: it does
        not fall.
    """

    mode: Literal["hazard", "crossing"] = "hazard"
    hazard_cap: float = 10.0
    start: float = 2012.0
    horizon: float = 2100.0
    none_final: float | None = None


@dataclass(frozen=True)
class Alignment:
    """Settings of alignment: the date at which labels start to be worked, and the date asked for when run alone."""

    work_starts: float = 2026.0
    date: float = 2030.0


@dataclass(frozen=True)
class OuterAlignment:
    """Settings of outer alignment.

    Attributes
    ----------
    delta : float
        Chance with which any unaligned rival may win.
    ties : {"split", "losses"}
        What comparisons recorded as ties, and a tied tally, count as for the aligned policy.
    tie_share : float
        Share of comparisons recorded as ties.
    labels_per_comparison : float
        Labels of which a majority decides a comparison; odd.
    error_correlation : float
        Between the errors of two labellers on one comparison, as hard items cause.
    """

    delta: float = 0.05
    ties: Literal["split", "losses"] = "split"
    tie_share: float = 0.0
    labels_per_comparison: float = 1.0
    error_correlation: float = 0.0


SECTIONS = {
    "scaling": Scaling,
    "loss_law": LossLaw,
    "compute": Compute,
    "algorithms": Algorithms,
    "requirement": Requirement,
    "direct_approach": DirectApproach,
    "time_horizon": TimeHorizon,
    "arrival": Arrival,
    "alignment": Alignment,
    "outer_alignment": OuterAlignment,
}
TEXTS = ("requirement.user_milestone",)
ODD = ("outer_alignment.labels_per_comparison",)
BY_ANCHOR = ("algorithms.growth", "algorithms.limit")
NO_FLOP = ("time_horizon", "none")  # anchors that algorithmic progress cannot meet
CHOICES = {
    "arrival.mode": ("hazard", "crossing"),
    "loss_law.errors": ("student_t", "gaussian"),
    "direct_approach.allocation": ("optimal", "published"),
    "direct_approach.update": ("none", "published"),
    "outer_alignment.ties": ("split", "losses"),
}
LIMITS: Mapping[str, tuple[float, float, str]] = {  # both ends included
    "scaling.error_correlation": (0, 1 - 1e-9, "must lie in [0, 1)"),
    "scaling.between_study_scale": (1e-3, 10, "must lie between 0.001 and 10"),
    "loss_law.parameters": (SMALLEST, math.inf, "must be positive"),
    "loss_law.tokens": (SMALLEST, math.inf, "must be positive"),
    "loss_law.compute": (SMALLEST, math.inf, "must be positive"),
    "algorithms.since": (1950, 2030, "must be a year from 1950 to 2030"),
    "algorithms.growth": (0, 10, "must lie between 0 and 10 times algorithmic_growth"),
    "algorithms.limit": (-20, 20, "must lie between -20 and 20 OOM"),
    "requirement.low_flop": (1, 1e60, "must be FLOP, from 1 to 1e60"),
    "direct_approach.year": (1950, 2030, "must be a year from 1950 to 2030"),
    "time_horizon.since": (1950, 2100, "must be a year from 1950 to 2100"),
    "time_horizon.reference_date": (2015, 2030, "must be a year from 2015 to 2030"),
    "arrival.hazard_cap": (SMALLEST, 1000, "must lie between 0 and 1000 per year"),
    "arrival.start": (1950, 2026, "must be a year from 1950 to 2026"),
    "arrival.none_final": (0, 1, "must lie between 0 and 1"),
    "arrival.horizon": (2027, 3000, "must be a year from 2027 to 3000"),
    "outer_alignment.delta": (SMALLEST, 1 - SMALLEST, "must lie between 0 and 1"),
    "outer_alignment.tie_share": (0, 1 - SMALLEST, "must lie in [0, 1)"),
    "outer_alignment.labels_per_comparison": (1, 99, "must lie between 1 and 99"),
    "outer_alignment.error_correlation": (0, 0.99, "must lie between 0 and 0.99"),
}


def decimal_year(value: object) -> float:
    """Decimal year of a date, an ISO string or a number."""
    if isinstance(value, str):
        value = date.fromisoformat(value)
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, date):
        start, end = date(value.year, 1, 1), date(value.year + 1, 1, 1)
        return value.year + (value - start).days / (end - start).days
    return float(cast(float, value))


def mapping(key: str, value: Any) -> Mapping[str, Any]:
    """Return a table of the file; an error where it is anything else."""
    if not isinstance(value, Mapping):
        raise InputError(
            f"{key}: must be a table, got {brief(repr(value))}; write [{key}] with a key a line"
        )
    return value


def by_anchor(key: str, raw: Any) -> dict[str, float]:
    """Numbers by requirement anchor, those that the file gives."""
    values = {
        name: year_or_number(f"{key}.{name}", value) for name, value in mapping(key, raw).items()
    }
    if unknown := set(values) - set(ANCHORS):
        raise InputError(
            f"{key}: no anchor {brief(repr(sorted(unknown)))}; known are {', '.join(ANCHORS)}"
        )
    return values


def _setting(key: str, value: Any) -> Any:
    """One setting of a section, checked."""
    if choices := CHOICES.get(key):
        if value not in choices:
            rule = f"must be {' or '.join(choices)}"
            raise InputError(f"{key}: {rule}, got {brief(repr(value))}; choose one")
        return value
    if key in TEXTS:
        check(
            isinstance(value, str) and bool(value.strip()), key, "must be text", brief(repr(value))
        )
        return value
    read = by_anchor(key, value) if key in BY_ANCHOR else year_or_number(key, value)
    if isinstance(read, dict) and (without := sorted(set(read) & set(NO_FLOP))):
        raise InputError(
            f"{key}: anchors must have a requirement in FLOP, got {', '.join(without)}; leave it out"
        )
    lower, upper, rule = LIMITS.get(key, (-math.inf, math.inf, ""))
    for number in read.values() if isinstance(read, dict) else (read,):
        check(lower <= number <= upper, key, rule, number)
        check(
            key not in ODD or number % 2 == 1,
            key,
            "must be odd, so that a majority decides",
            number,
        )
    return read


def read_section(key: str, start: Any, raw: Any) -> Any:
    """Settings of one part of the model: those that the file gives, on top of others."""
    known = {f.name for f in fields(start)}
    if unknown := set(mapping(key, raw)) - known:
        raise InputError(
            f"{key}: has no setting {brief(repr(sorted(unknown)))}; known are {', '.join(sorted(known))}"
        )
    return replace(start, **{name: _setting(f"{key}.{name}", value) for name, value in raw.items()})


def check(good: bool, key: str, rule: str, got: object) -> None:
    """Raise an error about a setting unless it is good."""
    if not good:
        raise InputError(f"{key}: {rule}, got {got}; correct it")


def year_or_number(key: str, value: Any) -> float:
    """Finite number; a date becomes its decimal year."""
    try:
        number = decimal_year(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        raise InputError(
            f"{key}: must be a number or a date, got {brief(repr(value))}; write 2030.0 or 2030-01-01"
        )
    return number


def read_evidence_choice(start: EvidenceChoice, raw: Any) -> EvidenceChoice:
    """Which evidence the file asks for, on top of another choice."""
    from aligntax.models.evidence import TABLES

    if unknown := set(mapping("evidence", raw)) - {"use", "until"}:
        raise InputError(
            f"evidence: has no key {brief(repr(sorted(unknown)))}; known are use, until"
        )
    use = raw.get("use", start.use)
    if isinstance(use, list):
        known = [*(name for name, table in TABLES.items() if table.likelihood), "no_tai"]
        if unknown := set(map(str, use)) - set(known):
            raise InputError(
                f"evidence.use: no table {brief(repr(sorted(unknown)))} is conditioned on; known are {', '.join(known)}"
            )
        use = tuple(use)
    elif not isinstance(use, tuple) and use not in ("all", "none"):
        raise InputError(
            f"evidence.use: must be all, none or a list of tables, got {brief(repr(use))}; choose one"
        )
    until = raw.get("until", start.until)
    return EvidenceChoice(use, None if until is None else year_or_number("evidence.until", until))
