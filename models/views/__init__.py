"""Named sets of beliefs: priors, anchor weights, the evidence they meet, and the settings of a forecast.

A view is a TOML file. It extends ``default`` unless it says otherwise, so that three numbers make a view::

    extends = "default"

    [quantities.rlhf_multiplier]
    quantiles = {0.1 = 0.1, 0.5 = 3, 0.9 = 100}
    source = "me, 2026-11-23"
"""

import hashlib
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date, datetime
from importlib.resources import files
from typing import Any, Literal, cast

import numpy as np

from models.errors import InputError
from models.priors import NOTES, canonical, compile_prior
from models.quantities import ELICITED, lookup
from models.tables import Tables, copula

__all__ = ["ANCHORS", "View", "decimal_year", "load_view", "parse_view", "view_names"]

ANCHORS = (
    "lifetime",
    "short_horizon",
    "medium_horizon",
    "long_horizon",
    "genome",
    "evolution",
    "user",
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


@dataclass(frozen=True)
class View:
    """A complete set of beliefs and settings.

    Attributes
    ----------
    quantities : mapping
        Prior specification of each elicited quantity; see :func:`models.priors.compile_prior`.
    correlations : mapping of pair to float
        Spearman rank correlations.
    anchors : mapping
        Weights of the requirement anchors, a simplex over :data:`ANCHORS`.
    """

    name: str
    title: str = ""
    source: str = ""
    quantities: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    correlations: Mapping[tuple[str, str], float] = field(default_factory=dict)
    anchors: Mapping[str, float] = field(default_factory=dict)
    evidence: EvidenceChoice = EvidenceChoice()
    scaling: Scaling = Scaling()
    compute: Compute = Compute()
    arrival: Arrival = Arrival()
    alignment: Alignment = Alignment()

    def tables(self, names: Sequence[str]) -> Tables:
        """Quantile tables and copula of the named quantities."""
        each = [compile_prior(name, self.quantities[name]) for name in names]
        y, slope = np.stack([t.y for t in each]), np.stack([t.slope for t in each])
        return Tables(tuple(names), y, slope, copula(names, self.correlations))

    def with_quantity(self, name: str, spec: Mapping[str, Any]) -> "View":
        """Return the same view with another prior for one quantity."""
        _elicited(name)
        compile_prior(name, spec)
        return replace(self, quantities={**self.quantities, name: canonical(spec)})

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping in the layout of the TOML file, complete."""
        plain = asdict(self)
        plain["correlations"] = [{"between": list(pair), "rho": rho} for pair, rho in self.correlations.items()]
        plain["quantities"] = {name: dict(spec) for name, spec in self.quantities.items()}
        plain["evidence"]["use"] = (
            list(self.evidence.use) if isinstance(self.evidence.use, tuple) else self.evidence.use
        )
        return cast(dict[str, Any], _without_none({"extends": "", **plain}))

    def to_toml(self) -> str:
        """Text of the TOML file, complete: it extends nothing."""
        import tomli_w

        return tomli_w.dumps(self.to_dict())

    @property
    def hash(self) -> str:
        """SHA-256 of what the view states; name, title and notes do not count."""
        plain = {k: v for k, v in self.to_dict().items() if k not in ("name", "title", "source", "extends")}
        plain["quantities"] = {name: _without_notes(spec) for name, spec in plain["quantities"].items()}
        return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _without_notes(spec: Mapping[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in spec.items() if key not in NOTES}
    if "mixture" in plain:
        plain["mixture"] = [_without_notes(component) for component in plain["mixture"]]
    return plain


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _without_none(v) for k, v in value.items() if v is not None}
    return value


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


def view_names() -> list[str]:
    """Names of the views that come with the package."""
    return sorted(f.name.removesuffix(".toml") for f in files(__name__).iterdir() if f.name.endswith(".toml"))


def load_view(name: str, base: View | None = None) -> View:
    """Return a view that comes with the package, on top of another where one is given.

    Raises
    ------
    InputError
        If there is no such view.
    """
    if name not in view_names():
        raise InputError(f"view: must be a file or one of {', '.join(view_names())}, got {name!r}; check the spelling")
    return parse_view((files(__name__) / f"{name}.toml").read_text("utf-8"), name, base)


def parse_view(text: str, origin: str, base: View | None = None) -> View:
    """Read a view.

    Parameters
    ----------
    text : str
        TOML.
    origin : str
        File name for messages; its stem is the view's name where the file gives none.
    base : View, optional
        View to extend; by default the one that ``extends`` names, or ``default``.

    Raises
    ------
    InputError
        With the file, the key, the rule, the value got and the remedy.
    """
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # tomllib's own error is a ValueError, as is a number of 5000 digits
        raise InputError(f"{origin}: must be TOML, got {error}; compare with `aligntax view show default`") from None
    try:
        return _resolve(raw, origin, base)
    except InputError as error:
        raise InputError(f"{origin}: {error}") from None


def _resolve(raw: dict[str, Any], origin: str, base: View | None) -> View:
    known = {"extends", *(f.name for f in fields(View))}
    if unknown := set(raw) - known:
        raise InputError(f"view: has no key {sorted(unknown)}; known are {', '.join(sorted(known))}")
    parent = raw.get("extends", "" if origin == "default" else "default")
    start = base or (load_view(parent) if parent else View(name=""))
    quantities = dict(start.quantities)
    for name, spec in _mapping("quantities", raw.get("quantities", {})).items():
        _elicited(name)
        compile_prior(name, _mapping(name, spec))
        quantities[name] = canonical(spec)
    sections = {key: _section(key, getattr(start, key), raw.get(key, {})) for key in SECTIONS}
    view = View(
        name=_text("name", raw.get("name", origin.rsplit("/", 1)[-1].removesuffix(".toml"))),
        title=_text("title", raw.get("title", "")),
        source=_text("source", raw.get("source", "")),
        quantities=quantities,
        correlations=start.correlations if "correlations" not in raw else _correlations(raw["correlations"]),
        anchors=start.anchors if "anchors" not in raw else _anchors(raw["anchors"]),
        evidence=_evidence(start.evidence, raw.get("evidence", {})),
        **sections,
    )
    if missing := set(ELICITED) - set(quantities):
        raise InputError(
            f'quantities: a view that extends nothing states all, missing {sorted(missing)}; add extends = "default"'
        )
    copula(list(quantities), view.correlations)
    return view


def _elicited(name: str) -> None:
    if lookup(name).name not in ELICITED:
        raise InputError(f"quantity: only elicited ones take a prior, got {name!r}; see `aligntax view show default`")


def _mapping(key: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(f"{key}: must be a table, got {value!r}; write [{key}] with a key a line")
    return value


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InputError(f"{key}: must be text, got {value!r}; put it in quotes")
    return value


def _section(key: str, start: Any, raw: Any) -> Any:
    known = {f.name for f in fields(start)}
    if unknown := set(_mapping(key, raw)) - known:
        raise InputError(f"{key}: has no setting {sorted(unknown)}; known are {', '.join(sorted(known))}")
    values = {}
    for name, value in raw.items():
        if key == "arrival" and name == "mode":
            if value not in ("hazard", "crossing"):
                raise InputError(f"arrival.mode: must be hazard or crossing, got {value!r}; choose one")
            values[name] = value
        else:
            values[name] = _year_or_number(f"{key}.{name}", value)
    section = replace(start, **values)
    if isinstance(section, Arrival):
        _check(
            0 < section.hazard_cap <= 1000,
            "arrival.hazard_cap",
            "must lie between 0 and 1000 per year",
            section.hazard_cap,
        )
        _check(1950 <= section.start <= 2026, "arrival.start", "must be a year from 1950 to 2026", section.start)
        final = section.none_final
        _check(final is None or 0 <= final <= 1, "arrival.none_final", "must lie between 0 and 1", final)
        _check(2027 <= section.horizon <= 3000, "arrival.horizon", "must be a year from 2027 to 3000", section.horizon)
    if isinstance(section, Scaling):
        _check(
            0 <= section.error_correlation < 1,
            "scaling.error_correlation",
            "must lie in [0, 1)",
            section.error_correlation,
        )
    return section


def _check(good: bool, key: str, rule: str, got: object) -> None:
    if not good:
        raise InputError(f"{key}: {rule}, got {got}; correct it")


def _year_or_number(key: str, value: Any) -> float:
    try:
        number = decimal_year(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        raise InputError(f"{key}: must be a number or a date, got {value!r}; write 2030.0 or 2030-01-01")
    return number


def _correlations(raw: Any) -> dict[tuple[str, str], float]:
    pairs: dict[tuple[str, str], float] = {}
    for row in raw if isinstance(raw, list) else [raw]:
        between = _mapping("correlations", row).get("between")
        if (
            not isinstance(between, list)
            or len(between) != 2
            or between[0] == between[1]
            or set(row) != {"between", "rho"}
        ):
            raise InputError(f"correlations: each has between = [two quantities] and rho, got {dict(row)}; correct it")
        for name in between:
            _elicited(_text("correlations.between", name))
        if tuple(between) in pairs or tuple(between[::-1]) in pairs:
            raise InputError(f"correlations: a pair is stated once, got {between} again; remove one")
        pairs[(between[0], between[1])] = _year_or_number("correlations.rho", row["rho"])
    return pairs


def _anchors(raw: Any) -> dict[str, float]:
    weights = {name: _year_or_number(f"anchors.{name}", w) for name, w in _mapping("anchors", raw).items()}
    if unknown := set(weights) - set(ANCHORS):
        raise InputError(f"anchors: no anchor {sorted(unknown)}; known are {', '.join(ANCHORS)}")
    _check(min(weights.values(), default=0) >= 0, "anchors", "weights must not be negative", weights)
    total = sum(weights.values())
    _check(abs(total - 1) < 1e-6, "anchors", "weights must sum to 1 (anchors left out have weight 0)", f"{total:g}")
    return {name: weights.get(name, 0.0) for name in ANCHORS}


def _evidence(start: EvidenceChoice, raw: Any) -> EvidenceChoice:
    from models.evidence import TABLES

    if unknown := set(_mapping("evidence", raw)) - {"use", "until"}:
        raise InputError(f"evidence: has no key {sorted(unknown)}; known are use, until")
    use = raw.get("use", start.use)
    if isinstance(use, list):
        known = [*(name for name, table in TABLES.items() if table.likelihood), "no_tai"]
        if unknown := set(map(str, use)) - set(known):
            raise InputError(
                f"evidence.use: no table {sorted(unknown)} is conditioned on; known are {', '.join(known)}"
            )
        use = tuple(use)
    elif not isinstance(use, tuple) and use not in ("all", "none"):
        raise InputError(f"evidence.use: must be all, none or a list of tables, got {use!r}; choose one")
    until = raw.get("until", start.until)
    return EvidenceChoice(use, None if until is None else _year_or_number("evidence.until", until))
