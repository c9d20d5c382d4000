"""What a view says besides priors: which evidence it uses, and the settings of each part of the model."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any, Literal, cast

from models.errors import InputError
from models.priors import brief

__all__ = [
    "SECTIONS",
    "Alignment",
    "Arrival",
    "Compute",
    "EvidenceChoice",
    "Scaling",
    "check",
    "decimal_year",
    "mapping",
    "read_evidence_choice",
    "read_section",
    "year_or_number",
]


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
    """

    error_correlation: float = 0.5


@dataclass(frozen=True)
class Compute:
    """Settings of the compute trends: the year at which levels are quoted, and the date from which runs enter."""

    reference_year: float = 2023.0
    runs_since: float = 2018.0


@dataclass(frozen=True)
class Arrival:
    """Settings of arrival.

    Attributes
    ----------
    mode : {"hazard", "crossing"}
        ``crossing`` is the published models' rule: arrival when effective FLOP first reaches the requirement.
    hazard_cap : float
        Largest arrival rate, per year.
    start : float
        First decimal year in which transformative AI could have arrived.
    horizon : float
        Decimal year at which draws are censored.
    none_final : float or None
        Weight of "no anchor" at the horizon; it falls linearly from its weight today. None: it does not fall.
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


SECTIONS = {"scaling": Scaling, "compute": Compute, "arrival": Arrival, "alignment": Alignment}


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
        raise InputError(f"{key}: must be a table, got {brief(repr(value))}; write [{key}] with a key a line")
    return value


def read_section(key: str, start: Any, raw: Any) -> Any:
    """Settings of one part of the model: those that the file gives, on top of others."""
    known = {f.name for f in fields(start)}
    if unknown := set(mapping(key, raw)) - known:
        raise InputError(f"{key}: has no setting {brief(repr(sorted(unknown)))}; known are {', '.join(sorted(known))}")
    values = {}
    for name, value in raw.items():
        if key == "arrival" and name == "mode":
            if value not in ("hazard", "crossing"):
                raise InputError(f"arrival.mode: must be hazard or crossing, got {brief(repr(value))}; choose one")
            values[name] = value
        else:
            values[name] = year_or_number(f"{key}.{name}", value)
    section = replace(start, **values)
    if isinstance(section, Arrival):
        check(
            0 < section.hazard_cap <= 1000,
            "arrival.hazard_cap",
            "must lie between 0 and 1000 per year",
            section.hazard_cap,
        )
        check(1950 <= section.start <= 2026, "arrival.start", "must be a year from 1950 to 2026", section.start)
        final = section.none_final
        check(final is None or 0 <= final <= 1, "arrival.none_final", "must lie between 0 and 1", final)
        check(2027 <= section.horizon <= 3000, "arrival.horizon", "must be a year from 2027 to 3000", section.horizon)
    if isinstance(section, Scaling):
        check(
            0 <= section.error_correlation < 1,
            "scaling.error_correlation",
            "must lie in [0, 1)",
            section.error_correlation,
        )
    return section


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
        raise InputError(f"{key}: must be a number or a date, got {brief(repr(value))}; write 2030.0 or 2030-01-01")
    return number


def read_evidence_choice(start: EvidenceChoice, raw: Any) -> EvidenceChoice:
    """Which evidence the file asks for, on top of another choice."""
    from models.evidence import TABLES

    if unknown := set(mapping("evidence", raw)) - {"use", "until"}:
        raise InputError(f"evidence: has no key {brief(repr(sorted(unknown)))}; known are use, until")
    use = raw.get("use", start.use)
    if isinstance(use, list):
        known = [*(name for name, table in TABLES.items() if table.likelihood), "no_tai"]
        if unknown := set(map(str, use)) - set(known):
            raise InputError(
                f"evidence.use: no table {brief(repr(sorted(unknown)))} is conditioned on; known are {', '.join(known)}"
            )
        use = tuple(use)
    elif not isinstance(use, tuple) and use not in ("all", "none"):
        raise InputError(f"evidence.use: must be all, none or a list of tables, got {brief(repr(use))}; choose one")
    until = raw.get("until", start.until)
    return EvidenceChoice(use, None if until is None else year_or_number("evidence.until", until))
