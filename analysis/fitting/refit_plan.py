"""How a view is answered from a run: by an exact redraw, by weights, or by sampling again."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from aligntax.analysis.fitting.reweight import (
    SAMPLE,
    CarriedDraws,
    carry_draws,
    changes_from,
    weigh_draws,
)
from aligntax.analysis.inference.derive import derive_from
from aligntax.analysis.inference.seeds import child_generator
from aligntax.analysis.storage.sampled_run import SampledRun
from aligntax.analysis.summaries.checks import Check, headline_checks, more_draws, with_remedy
from aligntax.analysis.summaries.claim_answers import claim_answers
from aligntax.analysis.summaries.claims import assumed_quantities
from aligntax.analysis.summaries.summary import summarise
from aligntax.analysis.summaries.weights import Weights
from aligntax.models.catalogue import restrict
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.views import View
from aligntax.models.views.changes import Changes, roles

if TYPE_CHECKING:
    import xarray as xr


Method = Literal["auto", "reweight", "sample"]
METHODS: tuple[Method, ...] = ("auto", "reweight", "sample")


@dataclass(frozen=True)
class SampleAgain:
    """A view that has to be sampled.

    Attributes
    ----------
    reason : str
        One line.
    """

    reason: str
    method: ClassVar[Literal["sample"]] = "sample"
    how: ClassVar[str] = "sampled"


@dataclass(frozen=True)
class Reweight:
    """A view that the stored draws of a run answer.

    Attributes
    ----------
    reason : str
        One line.
    carried : Carried
        The stored draws under the view.
    weights : Weights
    checks : tuple of Check
        Of the weights; none where every draw counts the same.
    """

    reason: str
    carried: CarriedDraws
    weights: Weights
    checks: tuple[Check, ...]
    method: ClassVar[Literal["reweight"]] = "reweight"

    @property
    def exact(self) -> bool:
        """Whether every draw counts the same: an exact redraw."""
        return self.carried.log_ratio is None

    @property
    def how(self) -> str:
        """How the answer is obtained, in one word."""
        return "redrawn" if self.exact else "reweighted"

    @property
    def failed(self) -> tuple[Check, ...]:
        """Checks that the weights fail."""
        return tuple(check for check in self.checks if not check.passed)


def plan_refit(
    source: SampledRun, view: View, method: Method = "auto", evidence: Evidence | None = None
) -> SampleAgain | Reweight:
    """Choose how to answer a view from a run, and say why.

    Parameters
    ----------
    method : {"auto", "reweight", "sample"}
        ``auto`` reweights where that can be trusted.
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
    if method == "reweight":
        return plan_reweighting(source, view, evidence)
    change = changes_from(source, view)
    if method == "sample":
        return SampleAgain(f"sampled as asked; changed: {change.words()}")
    if other := _new_likelihoods(source, view, change, evidence):
        why = f"{', '.join(other)} differs, which no weight can mend"
        return SampleAgain(f"sampled, because {why}")
    chosen = _reweighting(source, view, change)
    if chosen.failed:
        why = f"reweighting cannot be trusted: {_words(chosen.failed[0])}"
        return SampleAgain(f"sampled, because {why}; changed: {change.words()}")
    return chosen


def plan_reweighting(source: SampledRun, view: View, evidence: Evidence | None = None) -> Reweight:
    """Answer a view from the stored draws, whether or not that can be trusted.

    Raises
    ------
    InputError
        If the evidence, or a setting that a likelihood depends on, differs.
    """
    change = changes_from(source, view)
    if other := _new_likelihoods(source, view, change, evidence):
        rule = f"reweight keeps the likelihood, got another {', '.join(other)}"
        raise InputError(f"method: {rule}; use --method sample or auto")
    return _reweighting(source, view, change)


def _new_likelihoods(
    source: SampledRun, view: View, change: Changes, evidence: Evidence | None
) -> list[str]:
    """What a likelihood of the model depends on and that differs; no weight can make up for it."""
    tables = set(source.model.tables)
    settings = [name for name, role in roles(change).items() if tables & set(role.likelihood)]
    given = None if evidence is None else restrict(evidence, view, source.model)
    if change.evidence or (given is not None and given.hash != source.evidence.hash):
        return [*settings, "the evidence"]
    return settings


def _reweighting(source: SampledRun, view: View, change: Changes) -> Reweight:
    """The stored draws with their weights, and what their checks say."""
    carried = carry_draws(source, view)
    weights, checks = weigh_draws(carried)
    if carried.log_ratio is None:
        reason = f"redrawn exactly, no evidence bears on what changed: {change.words()}"
        return Reweight(reason, carried, weights, ())
    found = {check.name: check for check in checks}
    figures = f"k-hat {_short(found['k_hat'])}, {_short(found['weighted_ess'])} effective draws"
    failed = [check for check in checks if not check.passed]
    trust = f"not to be trusted: {_words(failed[0])}" if failed else "within its checks"
    reason = f"reweighted, {trust} ({figures}); changed: {change.words()}"
    return Reweight(reason, carried, weights, tuple(checks))


def _short(check: Check) -> str:
    if check.value is None:
        return "not computed"
    return f"{check.value:.2f}" if abs(check.value) < 10 else f"{check.value:.0f}"


def _words(check: Check) -> str:
    """What a check that failed says."""
    where = f" of {check.where}" if check.where else ""
    figure = f"{check.name}{where} {_short(check)}, limit {check.threshold:.2g}"
    return f"{check.action.split(';')[0]} ({figure})"


@dataclass(frozen=True)
class ReweightedAnswer:
    """The answer to a view from stored draws, before it is written.

    Attributes
    ----------
    plan : Reweight
    derived : xarray.Dataset
        Every quantity of every draw; each counts ``plan.weights``.
    rows, claims : dict
        As in ``summary.json``.
    """

    plan: Reweight
    derived: "xr.Dataset"
    rows: dict[str, dict[str, Any]]
    claims: dict[str, dict[str, Any]]

    @property
    def checks(self) -> list[Check]:
        """Checks of the weights, and those that every headline of a sampled run has to pass."""
        model, weights = self.plan.carried.source.model, self.plan.weights
        told = headline_checks(self.rows, model.headlines, chains=False)
        remedy = f"too few draws count; {SAMPLE}"
        if self.plan.exact:
            remedy = more_draws(told, weights.values.shape[1]) or SAMPLE
        return [*self.plan.checks, *with_remedy(told, remedy)]


def answer_from_draws(plan: Reweight, links: Collection[str] = ()) -> ReweightedAnswer:
    """Quantities and summary of the stored draws under the view of a plan.

    Parameters
    ----------
    links : collection of str
        Quantities whose prior was fitted first, and so is not assumed.
    """
    carried, weights = plan.carried, plan.weights
    derived = derived_under(carried, carried.x, carried.view)
    assumed = assumed_quantities({"prior_only": carried.source.prior_only, "links": links})
    rows = summarise(derived, assumed, weights)
    for name, row in rows.items():
        row["contraction"] = (
            _contraction(carried, weights, name) if name in carried.tables.names else None
        )
    claims = claim_answers(derived, weights, assumed, carried.view.arrival.horizon)
    return ReweightedAnswer(plan, derived, rows, claims)


def _contraction(carried: CarriedDraws, weights: Weights, name: str) -> float:
    """``1 - posterior variance / prior variance`` on the standard-normal scale of the new table."""
    z = carried.z[..., carried.tables.names.index(name)]
    return 1.0 - (weights.mean(z**2) - weights.mean(z) ** 2)


def derived_under(carried: CarriedDraws, x: dict[str, Any], view: View) -> "xr.Dataset":
    """Every quantity of stored draws, by the random numbers of their run.

    Parameters
    ----------
    x : dict of ndarray, shape (chain, draw)
        Elicited quantities on their own scales.
    """
    source, rng = carried.source, child_generator(carried.source.seed, "arrival")
    return derive_from(source.model, x, carried.parameters, source.evidence, view, rng)
