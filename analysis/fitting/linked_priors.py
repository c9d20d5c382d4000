"""Linked priors: a view takes a prior from the posterior of another model, which is fitted first.

``multiplier = "from-overoptimization"`` makes ``rlhf_multiplier`` the posterior of
``labels_multiple_needed``, labels needed at the KL budget over those at the KL of RLHF practice.
``quality = "from-outer-alignment"`` makes ``quality_factor`` that of ``quality_factor_needed``,
comparisons needed at the capability over those at GPT-3's. Both models are fitted under the same
view and evidence as the run. The posterior becomes a prior by its quantiles.

Where no amount of data suffices the answer is infinite, which a prior cannot be. Quantiles count
such draws by rank, so those beyond the finite ones are left out. Beyond the highest stated quantile
the table continues in a straight line on the scale of the standard normal: these draws ask for more
than that quantile, by an extrapolation. Draws in which the answer is undefined (none suffices in
practice either) are left out. The share of both is reported.

A view whose links are fitted is a view like any other: its priors are stated, with their source.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.summaries.checks import Check
from aligntax.analysis.summaries.simulated_world import simulated_world
from aligntax.analysis.summaries.summary import censored_quantile, iter_series
from aligntax.analysis.summaries.words import format_number, format_probability
from aligntax.models.catalogue import Model, find_model
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence, load_evidence
from aligntax.models.priors.quantities import lookup
from aligntax.models.priors.specification import without_notes
from aligntax.models.views import LINKS, UNLINKED, Link, View

if TYPE_CHECKING:
    from aligntax.analysis.fitting.fitted_first import FittedFirst


PROBABILITIES = (0.01, 0.025, 0.05, *(round(0.1 * i, 1) for i in range(1, 10)), 0.95, 0.975, 0.99)
LARGEST = 300.0  # log10: beyond it a number cannot be stated, and counts as infinite
NEXT = 1 + 1e-9  # ratio of quantiles that differ


@dataclass(frozen=True)
class PriorQuantiles:
    """Quantiles of a posterior that become a prior.

    Attributes
    ----------
    stated : dict of float to float
        Value in the quantity's own unit by probability, finite and increasing.
    above, below : float
        Shares of plus and minus infinity among the draws that have a value.
    undefined : float
        Share of draws that have no value.
    """

    stated: dict[float, float]
    above: float
    below: float
    undefined: float


def quantiles_of(values: Any) -> PriorQuantiles:
    """Quantiles of draws on a log10 scale, some of them infinite or undefined.

    Raises
    ------
    InputError
        If fewer than two quantiles are finite.
    """
    values = np.ravel(values)
    known = values[~np.isnan(values)]
    stated: dict[float, float] = {}
    for p in PROBABILITIES if len(known) else ():
        value = censored_quantile(known, p)
        if abs(value) < LARGEST and 10.0**value > NEXT * max(stated.values(), default=0.0):
            stated[p] = float(10.0**value)
    if len(stated) < 2:
        finite = format_probability(float(np.isfinite(values).mean()))
        rule = "at least two quantiles must be finite and differ"
        raise InputError(f"{rule}, got a finite value in {finite} of draws")
    above, below = (float(np.mean(known == infinite)) for infinite in (np.inf, -np.inf))
    return PriorQuantiles(stated, above, below, float(np.isnan(values).mean()))


def fit_links(
    model: Model, view: View, evidence: Evidence, options: Sampling, talk: Talk
) -> tuple[View, dict[str, dict[str, Any]]]:
    """Fit every link that a model needs.

    Parameters
    ----------
    model : Model
        A link to a quantity that it does not have is left as it is.
    evidence : Evidence
        With the tables of the linked models.
    options : Sampling
        Of the run. The linked models are sampled with as many draws, each in its own way.

    Returns
    -------
    view : View
        With the fitted priors.
    links : dict
        What ``info.json`` says of each link, by quantity.

    Raises
    ------
    InputError
        If a posterior is infinite nearly everywhere.
    """
    from aligntax.analysis.fitting.fitted_first import fit_first

    links = {}
    options = replace(options, sampler=None, tune=None, target_accept=None)
    for key, link in LINKS.items():
        if getattr(view, key) == UNLINKED or link.quantity not in model.quantities:
            continue
        fitted = fit_first(find_model(link.model), view, evidence, options, talk)
        prior, links[link.quantity] = _prior_of_posterior(link, fitted, options)
        view = view.with_quantity(link.quantity, prior)
    return view, links


def _prior_of_posterior(
    link: Link, fitted: "FittedFirst", options: Sampling
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Prior that a posterior becomes, and what ``info.json`` says of it."""
    answer = next(series for series in iter_series(fitted.derived) if series.name == link.answer)
    try:
        quantiles = quantiles_of(answer.values)
    except InputError as error:
        raise InputError(
            f"{link.quantity}: {link.name}: {error}; state a prior of {link.quantity} instead"
        ) from None
    words = _describe_link(link, fitted, quantiles)
    fit = f"view {fitted.view.name}, evidence {fitted.evidence.hash[:12]}, seed {options.seed}"
    size = f"{options.chains} x {options.draws} draws"
    prior = {
        "quantiles": {f"{p:g}": value for p, value in quantiles.stated.items()},
        "source": f"computed: posterior of {link.answer} in the model {link.model} ({fit}, {size})",
        "rationale": words,
    }
    facts = {
        "link": link.name,
        "model": link.model,
        "answer": link.answer,
        "evidence": fitted.evidence.hash,
        "prior": prior["quantiles"],
        **{key: value for key, value in asdict(quantiles).items() if key != "stated"},
        "failed_checks": list(fitted.failed),
        "words": words,
    }
    return prior, facts


def _describe_link(link: Link, fitted: "FittedFirst", quantiles: PriorQuantiles) -> str:
    """One sentence that says how the prior was fitted."""
    tables = [name for name in fitted.model.tables if fitted.evidence[name]["used"].values.any()]
    given = f"given {', '.join(tables).replace('_', ' ')}" if tables else "given no evidence"
    middle = quantiles.stated.get(0.5)
    text = f"{link.name}: {lookup(link.answer).label} by the model {link.model}, {given}"
    text += f"; median {format_number(middle)}x" if middle is not None else ""
    if quantiles.above:
        top, share = max(quantiles.stated), format_probability(quantiles.above)
        text += f"; in {share} of draws no amount suffices, which count as more than the "
        text += f"{100 * top:g}% point, extrapolated"
    if quantiles.below:
        share = format_probability(quantiles.below)
        text += f"; in {share} only practice has no sufficient amount, which count as less than any"
    if quantiles.undefined:
        share = format_probability(quantiles.undefined)
        text += f"; {share} of draws have no such ratio and are left out"
    if simulated := simulated_world(fitted.evidence, tables):
        text += f"; {simulated}"
    return text + (f"; its checks failed: {', '.join(fitted.failed)}" if fitted.failed else "")


def refit_links(
    model: Model,
    view: View,
    known: Mapping[str, Any],
    evidence: Evidence | None,
    options: Sampling,
    talk: Talk,
) -> tuple[View, dict[str, Any]]:
    """As :func:`fit_links`, for a refit.

    Parameters
    ----------
    known : mapping
        Links of the run. Those whose prior the view keeps are returned with the new ones.
    evidence : Evidence or None
        By default the embedded tables: a run holds only those of its own model.
    """
    links = links_still_stated(known, view)
    if not set(view.links) & set(model.quantities):
        return view, links
    view, fitted = fit_links(model, view, evidence or load_evidence(), options, talk)
    return view, {**links, **fitted}


def links_still_stated(links: Mapping[str, Any], view: View) -> dict[str, Any]:
    """Links of an earlier run whose prior a view still has."""
    return {
        name: link
        for name, link in links.items()
        if without_notes(view.quantities[name]).get("quantiles") == link["prior"]
    }


def failed_link_checks(links: Mapping[str, Any]) -> list[Check]:
    """Checks that the fit behind a prior failed: a run that rests on it fails them too."""
    return [
        Check(
            f"{link['model']}_{name}",
            None,
            0.0,
            False,
            quantity,
            f"look at `aligntax run {link['model']}`",
        )
        for quantity, link in links.items()
        for name in link["failed_checks"]
    ]
