"""Named sets of beliefs: priors, anchor weights, the evidence they meet, and the settings of a forecast.

A view is a TOML file. It extends ``default`` unless it says otherwise, so that three numbers make a
view::

    extends = "default"

    [quantities.rlhf_multiplier]
    quantiles = {0.1 = 0.1, 0.5 = 3, 0.9 = 100}
    source = "me, 2026-11-23"

The RLHF multiplier and the quality factor can also come from the models that explain them:
``multiplier = "from-overoptimization"`` and ``quality = "from-outer-alignment"``, at the head of
the file, replace the view's own prior by that model's posterior, which is fitted when a run is
made. Such a view has no prior of that quantity until then.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.resources import files
from typing import Any, cast

import numpy as np

from aligntax.models.errors import InputError, brief
from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.copula import copula_factor
from aligntax.models.priors.quantities import ELICITED, lookup
from aligntax.models.priors.specification import canonical, without_notes
from aligntax.models.priors.tables import PriorTables
from aligntax.models.views.links import LINKS, UNLINKED, Link, read_link
from aligntax.models.views.settings import (
    ANCHORS,
    SECTIONS,
    Algorithms,
    Alignment,
    Arrival,
    Compute,
    DirectApproach,
    EvidenceChoice,
    LossLaw,
    OuterAlignment,
    Requirement,
    Scaling,
    TimeHorizon,
    by_anchor,
    check,
    decimal_year,
    mapping,
    read_evidence_choice,
    read_section,
    year_or_number,
)

__all__ = [
    "ANCHORS",
    "LINKS",
    "SECTIONS",
    "UNLINKED",
    "Algorithms",
    "Alignment",
    "Arrival",
    "Compute",
    "DirectApproach",
    "EvidenceChoice",
    "Link",
    "LossLaw",
    "OuterAlignment",
    "Requirement",
    "Scaling",
    "TimeHorizon",
    "View",
    "decimal_year",
    "fingerprint",
    "load_view",
    "parse_toml",
    "parse_view",
    "resolve",
    "view_names",
]

DEEPEST = 100  # dots in a key; Python's TOML reader takes time and memory as their square


@dataclass(frozen=True)
class View:
    """A complete set of beliefs and settings.

    Attributes
    ----------
    quantities : mapping
        Prior specification of each elicited quantity; see
        :func:`aligntax.models.priors.compile.compile_prior`.
    correlations : mapping of pair to float
        Spearman rank correlations.
    anchors : mapping
        Weights of the requirement anchors, a simplex over :data:`ANCHORS`.
    multiplier, quality : str
        Whether ``rlhf_multiplier`` and ``quality_factor`` are elicited or another model's
        posterior; see :data:`LINKS`.
    """

    name: str
    title: str = ""
    source: str = ""
    multiplier: str = UNLINKED
    quality: str = UNLINKED
    quantities: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    correlations: Mapping[tuple[str, str], float] = field(default_factory=dict)
    anchors: Mapping[str, float] = field(default_factory=dict)
    evidence: EvidenceChoice = field(default_factory=EvidenceChoice)
    scaling: Scaling = field(default_factory=Scaling)
    loss_law: LossLaw = field(default_factory=LossLaw)
    compute: Compute = field(default_factory=Compute)
    algorithms: Algorithms = field(default_factory=Algorithms)
    requirement: Requirement = field(default_factory=Requirement)
    direct_approach: DirectApproach = field(default_factory=DirectApproach)
    time_horizon: TimeHorizon = field(default_factory=TimeHorizon)
    arrival: Arrival = field(default_factory=Arrival)
    alignment: Alignment = field(default_factory=Alignment)
    outer_alignment: OuterAlignment = field(default_factory=OuterAlignment)

    @property
    def links(self) -> dict[str, Link]:
        """Quantities whose prior is still to be fitted, and what it comes from."""
        return {
            link.quantity: link for key, link in LINKS.items() if getattr(self, key) != UNLINKED
        }

    def tables(self, names: Sequence[str]) -> PriorTables:
        """Quantile tables and copula of the named quantities.

        Raises
        ------
        InputError
            If one of them is still to be fitted.
        """
        if unfitted := [f"{q} {link.name}" for q, link in self.links.items() if q in names]:
            rule = "links must be fitted before the view has all its priors"
            raise InputError(
                f"view: {rule}, got {', '.join(unfitted)}; `aligntax run` and `refit` do so"
            )
        return self.stated(names)

    def stated(self, names: Sequence[str]) -> PriorTables:
        """Quantile tables and copula as the view states them, whatever a link will put in their place."""
        each = [compile_prior(name, self.quantities[name]) for name in names]
        y, slope = np.stack([t.y for t in each]), np.stack([t.slope for t in each])
        return PriorTables(tuple(names), y, slope, copula_factor(names, self.correlations))

    def with_quantity(self, name: str, spec: Mapping[str, Any]) -> "View":
        """Return the same view with another prior for one quantity, whatever it was linked to."""
        _elicited(name)
        compile_prior(name, spec)
        unlinked: dict[str, Any] = {
            key: UNLINKED for key, link in LINKS.items() if link.quantity == name
        }
        return replace(self, quantities={**self.quantities, name: canonical(spec)}, **unlinked)

    def replace(self, **changes: Any) -> "View":
        """Return this view with something else in it.

        Parameters
        ----------
        **changes
            A quantity: a :class:`aligntax.models.priors.user_prior.Prior`, values by probability, or
            what a view's file states. Or a field of the view: ``name``, ``title``, ``source``;
            ``multiplier`` and ``quality``; ``anchors`` as a whole; ``correlations`` by pair;
            ``evidence``, ``scaling``, ``loss_law``, ``compute``, ``algorithms``, ``requirement``,
            ``direct_approach``, ``time_horizon``, ``arrival``, ``alignment``, ``outer_alignment``
            as mappings of the settings that change.

        Raises
        ------
        InputError
            If a name is unknown or a value does not fit.

        Examples
        --------
        >>> from aligntax.models.views import load_view
        >>> mine = load_view("default").replace(usd_per_hour={0.1: 10, 0.5: 20, 0.9: 60}, arrival={"horizon": 2080})
        >>> mine.name, mine.arrival.horizon
        ('default-changed', 2080.0)
        """
        own = {each.name for each in fields(self)}
        raw: dict[str, Any] = {"name": f"{self.name}-changed"}
        raw |= {key: value for key, value in changes.items() if key in own}
        if isinstance(raw.get("correlations"), Mapping):
            raw["correlations"] = [
                {"between": list(pair), "rho": rho} for pair, rho in raw["correlations"].items()
            ]
        raw["quantities"] = {
            **raw.get("quantities", {}),
            **{k: _spec(v) for k, v in changes.items() if k not in own},
        }
        return resolve(raw, "replace", self)

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping in the layout of the TOML file, complete."""
        plain = asdict(self)
        plain["correlations"] = [
            {"between": list(pair), "rho": rho} for pair, rho in self.correlations.items()
        ]
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
        return fingerprint(self.to_dict())


def fingerprint(stated: Mapping[str, Any]) -> str:
    """Hash of a view by what its complete file states, which is the view's own as long as views have the same quantities."""
    plain = {k: v for k, v in stated.items() if k not in ("name", "title", "source", "extends")}
    plain["quantities"] = {name: without_notes(spec) for name, spec in plain["quantities"].items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _spec(value: Any) -> Any:
    """What a view's file would state: of a prior, of values by probability, or as it is."""
    if hasattr(value, "spec"):
        return value.spec
    if isinstance(value, Mapping) and value and all(isinstance(key, float) for key in value):
        return {"quantiles": {f"{p:g}": v for p, v in value.items()}}
    return value


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _without_none(v) for k, v in value.items() if v is not None}
    return value


def view_names() -> list[str]:
    """Names of the views that come with the package."""
    return sorted(
        f.name.removesuffix(".toml") for f in files(__name__).iterdir() if f.name.endswith(".toml")
    )


def load_view(name: str, base: View | None = None) -> View:
    """Return a view that comes with the package, on top of another where one is given.

    Raises
    ------
    InputError
        If there is no such view.
    """
    if name not in view_names():
        raise InputError(
            f"view: must be a file or one of {', '.join(view_names())}, got {brief(repr(name))}; check the spelling"
        )
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
    return resolve(parse_toml(text, origin), origin, base)


def parse_toml(text: str, origin: str) -> dict[str, Any]:
    """Read a view's TOML, before it is looked at.

    Raises
    ------
    InputError
        If it is not TOML, or would take Python's reader more time or memory than a view is worth.
    """
    if any(piece.count(".") > DEEPEST for piece in re.split(r"[=,{}\[\]\n]", text)):
        raise InputError(
            f"{origin}: a key must have at most {DEEPEST} dots, got more; is it a view?"
        )
    try:
        return tomllib.loads(text)
    # tomllib's own error is a ValueError, as is a number of 5000 digits
    except (ValueError, RecursionError) as error:
        problem = " ".join(brief(str(error)).split())
        raise InputError(
            f"{origin}: must be TOML, got {problem}; compare with `aligntax view show default`"
        ) from None


def resolve(raw: Mapping[str, Any], origin: str, base: View | None = None) -> View:
    """Make a view of what its file says; arguments and errors as in :func:`parse_view`."""
    try:
        return _resolve(raw, origin, base)
    except InputError as error:
        raise InputError(f"{origin}: {error}") from None
    except RecursionError:
        raise InputError(
            f"{origin}: must not nest so deep, got a pool of pools; write one pool"
        ) from None


def _resolve(raw: Mapping[str, Any], origin: str, base: View | None) -> View:
    known = {"extends", *(f.name for f in fields(View))}
    if unknown := set(raw) - known:
        raise InputError(
            f"view: has no key {brief(repr(sorted(unknown)))}; known are {', '.join(sorted(known))}"
        )
    parent = raw.get("extends", "" if origin == "default" else "default")
    start = base or (load_view(parent) if parent else View(name=""))
    quantities, stated = dict(start.quantities), raw.get("quantities", {})
    for name, spec in mapping("quantities", stated).items():
        _elicited(name)
        compile_prior(name, mapping(name, spec))
        quantities[name] = canonical(spec)
    sections = {key: read_section(key, getattr(start, key), raw.get(key, {})) for key in SECTIONS}
    links = {
        key: UNLINKED if link.quantity in stated else getattr(start, key)
        for key, link in LINKS.items()
    }
    linked: dict[str, Any] = {
        key: read_link(key, raw.get(key, value)) for key, value in links.items()
    }
    view = View(
        name=_text("name", raw.get("name", origin.rsplit("/", 1)[-1].removesuffix(".toml"))),
        title=_text("title", raw.get("title", "")),
        source=_text("source", raw.get("source", "")),
        quantities=quantities,
        correlations=start.correlations
        if "correlations" not in raw
        else _correlations(raw["correlations"]),
        anchors=start.anchors if "anchors" not in raw else _anchors(raw["anchors"]),
        evidence=read_evidence_choice(start.evidence, raw.get("evidence", {})),
        **linked,
        **sections,
    )
    if missing := set(ELICITED) - set(quantities):
        raise InputError(
            f'quantities: a view that extends nothing states all, missing {sorted(missing)}; add extends = "default"'
        )
    copula_factor(list(quantities), view.correlations)
    return view


def _elicited(name: str) -> None:
    if lookup(name).name not in ELICITED:
        raise InputError(
            f"quantity: only elicited ones take a prior, got {brief(repr(name))}; see `aligntax view show default`"
        )


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InputError(f"{key}: must be text, got {brief(repr(value))}; put it in quotes")
    return value


def _correlations(raw: Any) -> dict[tuple[str, str], float]:
    pairs: dict[tuple[str, str], float] = {}
    for row in raw if isinstance(raw, list) else [raw]:
        between = mapping("correlations", row).get("between")
        if (
            not isinstance(between, list)
            or len(between) != 2
            or between[0] == between[1]
            or set(row) != {"between", "rho"}
        ):
            raise InputError(
                f"correlations: each has between = [two quantities] and rho, got {brief(repr(row))}; correct it"
            )
        for name in between:
            _elicited(_text("correlations.between", name))
        if tuple(between) in pairs or tuple(between[::-1]) in pairs:
            raise InputError(
                f"correlations: a pair is stated once, got {between} again; remove one"
            )
        pairs[(between[0], between[1])] = year_or_number("correlations.rho", row["rho"])
    return pairs


def _anchors(raw: Any) -> dict[str, float]:
    weights = by_anchor("anchors", raw)
    check(min(weights.values(), default=0) >= 0, "anchors", "weights must not be negative", weights)
    total = sum(weights.values())
    check(
        abs(total - 1) < 1e-6,
        "anchors",
        "weights must sum to 1 (anchors left out have weight 0)",
        f"{total:g}",
    )
    return {name: weights.get(name, 0.0) for name in ANCHORS}
