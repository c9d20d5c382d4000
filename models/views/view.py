"""The view as a value: priors, anchor weights, choice of evidence, and settings of a forecast."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from numbers import Real
from typing import Any, cast

import numpy as np

from aligntax.models.errors import InputError
from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.copula import copula_factor
from aligntax.models.priors.quantities import ELICITED, lookup
from aligntax.models.priors.specification import canonical, python_values, without_notes
from aligntax.models.priors.tables import PriorTables
from aligntax.models.short_form import short_form
from aligntax.models.views.changed_fields import errors_about, read_changes, require_elicited
from aligntax.models.views.links import LINKS, UNLINKED, Link
from aligntax.models.views.settings import (
    Algorithms,
    Alignment,
    Arrival,
    Compute,
    DirectApproach,
    EvidenceChoice,
    LossLaw,
    OuterAlignment,
    Requirement,
    Research,
    Scaling,
    TimeHorizon,
)


class Priors(dict[str, Mapping[str, Any]]):
    """Priors that a view states.

    A quantity from outside that the view is silent about has the prior that it was registered with.
    It is found when it is asked for and is no part of what the view states, so that a view is the
    same whether or not a plug-in is installed.
    """

    def __missing__(self, name: str) -> Mapping[str, Any]:
        quantity = ELICITED.get(name)
        if quantity is None or quantity.prior is None:
            raise KeyError(name)
        return quantity.prior


@dataclass(frozen=True)
class View:
    """A complete set of beliefs and settings.

    Attributes
    ----------
    quantities : mapping
        Prior specification of each elicited quantity; see :class:`Priors` and
        :func:`aligntax.models.priors.compile.compile_prior`.
    correlations : mapping of pair to float
        Spearman rank correlations.
    anchors : mapping
        Weights of the requirement anchors, a simplex over
        :data:`aligntax.models.views.settings.ANCHORS`.
    multiplier, quality : str
        Whether ``rlhf_multiplier`` and ``quality_factor`` are elicited or the posterior of another
        model; see :mod:`aligntax.models.views.links`.
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
    research: Research = field(default_factory=Research)
    requirement: Requirement = field(default_factory=Requirement)
    direct_approach: DirectApproach = field(default_factory=DirectApproach)
    time_horizon: TimeHorizon = field(default_factory=TimeHorizon)
    arrival: Arrival = field(default_factory=Arrival)
    alignment: Alignment = field(default_factory=Alignment)
    outer_alignment: OuterAlignment = field(default_factory=OuterAlignment)
    __repr__ = short_form

    def __post_init__(self) -> None:
        object.__setattr__(self, "quantities", Priors(self.quantities))

    @property
    def links(self) -> dict[str, Link]:
        """Links by quantity whose prior is the posterior of a model that is not fitted yet."""
        return {
            link.quantity: link for key, link in LINKS.items() if getattr(self, key) != UNLINKED
        }

    def in_use(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those of the named quantities that the view's settings do not leave out of models."""
        return tuple(name for name in names if self.asks(lookup(name).asked_by))

    def asks(self, setting: str) -> bool:
        """Whether the view states a setting, ``section.name``; of an empty name it is true."""
        section, _, name = setting.partition(".")
        return not setting or getattr(getattr(self, section), name) is not None

    def tables(self, names: Sequence[str]) -> PriorTables:
        """Quantile tables and copula of the named quantities that are in use.

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
        return self.stated(self.in_use(names))

    def stated(self, names: Sequence[str]) -> PriorTables:
        """Quantile tables and copula as the view states them, before a link replaces any."""
        tables = [compile_prior(name, self.quantities[name]) for name in names]
        y, slope = np.stack([t.y for t in tables]), np.stack([t.slope for t in tables])
        return PriorTables(tuple(names), y, slope, copula_factor(names, self.correlations))

    def stating(self, names: Sequence[str]) -> "View":
        """Return the view that states the priors of these quantities itself, as a run stores it."""
        silent = {name: self.quantities[name] for name in names if name not in self.quantities}
        return replace(self, quantities={**self.quantities, **silent}) if silent else self

    def with_quantity(self, name: str, spec: Mapping[str, Any]) -> "View":
        """Return this view with another prior for one quantity, and without a link of it."""
        require_elicited(name)
        spec = python_values(spec)
        compile_prior(name, spec)
        unlinked: dict[str, Any] = {
            key: UNLINKED for key, link in LINKS.items() if link.quantity == name
        }
        return replace(self, quantities={**self.quantities, name: canonical(spec)}, **unlinked)

    def replace(self, **changes: Any) -> "View":
        """Return this view with some priors or fields replaced.

        Parameters
        ----------
        **changes
            For a quantity, a :class:`aligntax.models.priors.user_prior.Prior`, values by
            probability, or what the file of a view states. For a field of the view, its value:
            ``name``, ``title``, ``source``; ``multiplier`` and ``quality``; ``anchors`` as a whole;
            ``correlations`` by pair; ``evidence``, ``scaling``, ``loss_law``, ``compute``,
            ``algorithms``, ``research``, ``requirement``, ``direct_approach``, ``time_horizon``,
            ``arrival``, ``alignment``, ``outer_alignment`` as mappings of the settings that change.

        Raises
        ------
        InputError
            If a name is unknown or a value does not fit.

        Examples
        --------
        >>> from aligntax.models.views import load_view
        >>> wage = {0.1: 10, 0.5: 20, 0.9: 60}
        >>> mine = load_view("default").replace(usd_per_hour=wage, arrival={"horizon": 2080})
        >>> mine.name, mine.arrival.horizon
        ('default-changed', 2080.0)
        """
        own = {entry.name for entry in fields(self)}
        raw: dict[str, Any] = {"name": f"{self.name}-changed"}
        raw |= {key: value for key, value in changes.items() if key in own}
        if isinstance(raw.get("correlations"), Mapping):
            raw["correlations"] = [
                {"between": list(pair), "rho": rho} for pair, rho in raw["correlations"].items()
            ]
        raw["quantities"] = {
            **raw.get("quantities", {}),
            **{k: specification(v) for k, v in changes.items() if k not in own},
        }
        with errors_about("replace"):
            return replace(self, **read_changes(self, raw, "replace"))

    def to_dict(self) -> dict[str, Any]:
        """Everything that the view states, in the layout of its file."""
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
        """Text of a file that states everything and extends nothing."""
        import tomli_w

        return tomli_w.dumps(self.to_dict())

    @property
    def hash(self) -> str:
        """SHA-256 of what the view states, without name, title and notes."""
        return fingerprint(self.to_dict())


def fingerprint(stated: Mapping[str, Any]) -> str:
    """SHA-256 of what the complete file of a view states.

    It equals :attr:`View.hash` as long as views have the quantities of the file. Priors that its
    settings leave out of every model do not count.
    """
    plain = {k: v for k, v in stated.items() if k not in ("name", "title", "source", "extends")}
    plain["quantities"] = {
        name: without_notes(spec)
        for name, spec in plain["quantities"].items()
        if name not in ELICITED.own or _states(stated, ELICITED.own[name].asked_by)
    }
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _states(stated: Mapping[str, Any], setting: str) -> bool:
    """Whether a complete file states a setting; of an empty name it is true."""
    section, _, name = setting.partition(".")
    return not setting or name in stated.get(section, {})


def specification(value: Any) -> Any:
    """What the file of a view would state for a prior, for values by probability, or as given."""
    if hasattr(value, "spec"):
        return python_values(value.spec)
    if isinstance(value, Mapping) and value and all(isinstance(key, Real) for key in value):
        value = {"quantiles": {f"{float(p):g}": v for p, v in value.items()}}
    return python_values(value)


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _without_none(v) for k, v in value.items() if v is not None}
    return value
