"""How a view is answered from stored draws: redrawn exactly, reweighted, or not at all; which, and why, in one line."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from aligntax.analysis.fitting.reweight import Carried, carry, weigh
from aligntax.analysis.inference.derive import derive_from
from aligntax.analysis.inference.seeds import generator
from aligntax.analysis.storage.fast_reader import Source
from aligntax.analysis.summaries.checks import Check
from aligntax.analysis.summaries.claims import assumed_quantities
from aligntax.analysis.summaries.summary import claim_probabilities, summarise
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.catalogue import restrict
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.views import View
from aligntax.models.views.changes import changes, roles

if TYPE_CHECKING:
    import xarray as xr


Method = Literal["auto", "reweight", "sample"]
METHODS: tuple[Method, ...] = ("auto", "reweight", "sample")


@dataclass(frozen=True)
class Plan:
    """How a view is to be answered from a run, and why.

    Attributes
    ----------
    method : {"reweight", "sample"}
    reason : str
        One line.
    carried : Carried or None
        The stored draws under the view; None where its likelihood differs.
    weights : Weights or None
    checks : tuple of Check
        Of the weights.
    """

    method: Literal["reweight", "sample"]
    reason: str
    carried: Carried | None
    weights: Weights | None
    checks: tuple[Check, ...]

    @property
    def exact(self) -> bool:
        """Whether every draw counts the same: an exact redraw."""
        return self.carried is not None and self.carried.log_ratio is None


def plan(
    source: Source, view: View, method: Method = "auto", evidence: Evidence | None = None
) -> Plan:
    """Choose how to answer a view from a run.

    Parameters
    ----------
    source : Source
    view : View
    method : {"auto", "reweight", "sample"}
    evidence : Evidence, optional
        Other evidence than the run's, which only sampling can answer to.

    Raises
    ------
    InputError
        If reweighting is asked for and the evidence, or a setting that a likelihood depends on,
        differs.
    """
    if method not in METHODS:
        raise InputError(
            f"method: must be one of {', '.join(METHODS)}, got {method!r}; auto chooses"
        )
    change = changes(source.view, view, source.tables.names)
    other = [
        name
        for name, role in roles(change).items()
        if set(role.likelihood) & set(source.model.tables)
    ]
    given = None if evidence is None else restrict(evidence, view, source.model)
    other += (
        ["the evidence"]
        if change.evidence or (given and given.hash != source.evidence.hash)
        else []
    )
    if other and method == "reweight":
        raise InputError(
            f"method: reweight keeps the likelihood, got another {', '.join(other)}; use --method sample or auto"
        )
    if method == "sample":
        return Plan("sample", f"sampled as asked; changed: {change.words()}", None, None, ())
    if other:
        return Plan(
            "sample",
            f"sampled, because {', '.join(other)} differs, which no weight can mend",
            None,
            None,
            (),
        )
    carried = carry(source, view)
    weights, checks = weigh(carried)
    what = f"changed: {change.words()}"
    if carried.log_ratio is None:
        return Plan(
            "reweight", f"redrawn exactly, no evidence bears on what {what}", carried, weights, ()
        )
    found = {check.name: check for check in checks}
    figures = f"k-hat {_short(found['k_hat'])}, {_short(found['weighted_ess'])} effective draws"
    failed = [check for check in checks if not check.passed]
    if failed and method == "auto":
        return Plan(
            "sample",
            f"sampled, because reweighting cannot be trusted: {_why(failed[0])}; {what}",
            None,
            None,
            (),
        )
    trust = f"not to be trusted: {_why(failed[0])}" if failed else "within its checks"
    return Plan(
        "reweight", f"reweighted, {trust} ({figures}); {what}", carried, weights, tuple(checks)
    )


def _short(check: Check) -> str:
    if check.value is None:
        return "not computed"
    return f"{check.value:.2f}" if abs(check.value) < 10 else f"{check.value:.0f}"


def _why(check: Check) -> str:
    where = f" of {check.where}" if check.where else ""
    return f"{check.action.split(';')[0]} ({check.name}{where} {_short(check)}, limit {check.threshold:.2g})"


@dataclass(frozen=True)
class Reweighted:
    """The answer to a view from stored draws, before it is written.

    Attributes
    ----------
    plan : Plan
        One that reweights.
    derived : xarray.Dataset
        Every quantity of every draw; each counts ``plan.weights``.
    rows, claims : dict
        As in ``summary.json``.
    """

    plan: Plan
    derived: "xr.Dataset"
    rows: dict[str, dict[str, Any]]
    claims: dict[str, float]


def reweighted(plan: Plan, links: Collection[str] = ()) -> Reweighted:
    """Quantities and summary of the stored draws under the view of a plan that reweights; linked priors are not assumed."""
    carried, weights = plan.carried, plan.weights
    assert carried is not None and weights is not None  # a plan that reweights has both
    derived = derived_under(carried, carried.x, carried.view)
    rows = summarise(
        derived, assumed_quantities({"prior_only": carried.source.prior_only, "links": links}), weights
    )
    for name, row in rows.items():
        row["contraction"] = (
            _contraction(carried, weights, name) if name in carried.tables.names else None
        )
    return Reweighted(plan, derived, rows, dict(claim_probabilities(derived, weights)))


def _contraction(carried: Carried, weights: Weights, name: str) -> float:
    """``1 - posterior variance / prior variance`` on the standard-normal scale of the new table."""
    z = carried.z[..., carried.tables.names.index(name)]
    return 1.0 - (weights.mean(z**2) - weights.mean(z) ** 2)


def derived_under(carried: Carried, x: dict[str, Any], view: View) -> "xr.Dataset":
    """Every quantity of stored draws from elicited quantities (chain, draw), by the random numbers of their run."""
    source, rng = carried.source, generator(carried.source.seed, "arrival")
    return derive_from(source.model, x, carried.parameters, source.evidence, view, rng)
