"""Read the settings and the choice of evidence that the file of a view states, and check them."""

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any, cast

from aligntax.models.errors import InputError, brief
from aligntax.models.priors.amounts import plain_number
from aligntax.models.views.settings import ANCHORS, EvidenceChoice

SMALLEST = 1e-9  # stands for "greater than zero" in limits that include their ends
UNSET = ("alignment.ai_labour",)  # settings whose "none" says what leaving them out says
TEXTS = ("requirement.user_milestone",)
ODD = ("outer_alignment.labels_per_comparison",)
BY_ANCHOR = ("algorithms.growth", "algorithms.limit")
NO_FLOP = ("time_horizon", "none")  # anchors without a requirement in FLOP
CHOICES = {
    "arrival.mode": ("hazard", "crossing"),
    "loss_law.errors": ("student_t", "gaussian"),
    "direct_approach.allocation": ("optimal", "published"),
    "direct_approach.units": ("nats", "published"),
    "direct_approach.update": ("none", "published"),
    "algorithms.limit_floor": ("progress", "none"),
    "research.feedback": ("none", "effective_compute", "time_horizon"),
    "research.inputs": ("balanced", "ai-futures", "kwa"),
    "outer_alignment.ties": ("split", "losses"),
    "outer_alignment.oversight": (
        "none",
        "amplification",
        "debate",
        "recursive_reward_modelling",
    ),
    "alignment.ai_labour": ("none", "priced"),
    "time_horizon.rows": ("all", "records"),
    "time_horizon.reward_hacks": ("fail", "count"),
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
    "algorithms.limit_since": (1950, 2030, "must be a year from 1950 to 2030"),
    "research.since": (2020, 2030, "must be a year from 2020 to 2030"),
    "research.labour_gain": (0, 5, "must lie between 0 and 5"),
    "research.substitution": (-10, 0, "must lie between -10 and 0"),
    "research.serial": (0, 1, "must lie between 0 and 1"),
    "research.ceiling": (1, 2, "must lie between 1 and 2"),
    "research.taste_growth": (0, 20, "must lie between 0 and 20 standard deviations per year"),
    "research.taste_at_coder": (-20, 20, "must lie between -20 and 20 standard deviations"),
    "research.taste_spread": (0.01, 5, "must lie between 0.01 and 5"),
    "research.taste_limit": (0.1, 50, "must lie between 0.1 and 50 OOM"),
    "research.speed_limit": (1, 1e4, "must lie between 1 and 10000"),
    "research.milestone": (0.01, 0.999999, "must lie between 0.01 and 0.999999"),
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
    "outer_alignment.game_spread": (0.01, 10, "must lie between 0.01 and 10"),
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


def require_table(key: str, value: Any) -> Mapping[str, Any]:
    """Return a table of the file, or raise an error about anything else."""
    if not isinstance(value, Mapping):
        raise InputError(
            f"{key}: must be a table, got {brief(repr(value))}; write [{key}] with one key per line"
        )
    return value


def read_by_anchor(key: str, raw: Any) -> dict[str, float]:
    """Return numbers by requirement anchor, for the anchors that the file names."""
    values = {
        name: read_number(f"{key}.{name}", value) for name, value in require_table(key, raw).items()
    }
    if unknown := set(values) - set(ANCHORS):
        raise InputError(
            f"{key}: no anchor {brief(repr(sorted(unknown)))}; known are {', '.join(ANCHORS)}"
        )
    return values


def _read_setting(key: str, value: Any) -> Any:
    """Return one setting of a section, checked."""
    if choices := CHOICES.get(key):
        if value not in choices:
            rule = f"must be {' or '.join(choices)}"
            raise InputError(f"{key}: {rule}, got {brief(repr(value))}; choose one")
        return None if key in UNSET and value == "none" else value
    if key in TEXTS:
        require(
            isinstance(value, str) and bool(value.strip()), key, "must be text", brief(repr(value))
        )
        return value
    read = read_by_anchor(key, value) if key in BY_ANCHOR else read_number(key, value)
    if isinstance(read, dict) and (without := sorted(set(read) & set(NO_FLOP))):
        raise InputError(
            f"{key}: anchors must have a requirement in FLOP, got {', '.join(without)}; "
            "leave it out"
        )
    lower, upper, rule = LIMITS.get(key, (-math.inf, math.inf, ""))
    for number in read.values() if isinstance(read, dict) else (read,):
        require(lower <= number <= upper, key, rule, number)
        require(
            key not in ODD or number % 2 == 1,
            key,
            "must be odd, so that a majority decides",
            number,
        )
    return read


def read_section(key: str, start: Any, raw: Any) -> Any:
    """Return the settings of one part of the model: what the file states on top of ``start``."""
    known = {f.name for f in fields(start)}
    if unknown := set(require_table(key, raw)) - known:
        raise InputError(
            f"{key}: has no setting {brief(repr(sorted(unknown)))}; "
            f"known are {', '.join(sorted(known))}"
        )
    return replace(
        start, **{name: _read_setting(f"{key}.{name}", value) for name, value in raw.items()}
    )


def require(good: bool, key: str, rule: str, got: object) -> None:
    """Raise an error about a setting unless ``good``."""
    if not good:
        raise InputError(f"{key}: {rule}, got {got}; correct it")


def _number_in_words(value: object) -> float:
    """Number that text such as ``5%`` states; NaN where it states none."""
    try:
        return plain_number(str(value))
    except ValueError:
        return math.nan


def read_number(key: str, value: Any) -> float:
    """Return a finite number; a date becomes its decimal year, and text such as ``5%`` a number."""
    try:
        number = decimal_year(value)
    except ValueError:
        number = _number_in_words(value)
    except (TypeError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        raise InputError(
            f"{key}: must be a number or a date, got {brief(repr(value))}; "
            "write 2030.0 or 2030-01-01"
        )
    return number


def read_evidence_choice(start: EvidenceChoice, raw: Any) -> EvidenceChoice:
    """Return the evidence that the file asks for, on top of another choice."""
    from aligntax.models.evidence import TABLES

    if unknown := set(require_table("evidence", raw)) - {"use", "until"}:
        raise InputError(
            f"evidence: has no key {brief(repr(sorted(unknown)))}; known are use, until"
        )
    use = raw.get("use", start.use)
    if isinstance(use, list):
        known = [*(name for name, table in TABLES.items() if table.likelihood), "no_tai"]
        if unknown := set(map(str, use)) - set(known):
            raise InputError(
                f"evidence.use: no table {brief(repr(sorted(unknown)))} is conditioned on; "
                f"known are {', '.join(known)}"
            )
        use = tuple(use)
    elif not isinstance(use, tuple) and use not in ("all", "none"):
        raise InputError(
            f"evidence.use: must be all, none or a list of tables, got {brief(repr(use))}; "
            "choose one"
        )
    until = raw.get("until", start.until)
    return EvidenceChoice(use, None if until is None else read_number("evidence.until", until))
