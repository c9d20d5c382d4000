"""A condition on quantities, such as ``tai_year<2035``, as weights of draws: ``--given``.

Values are amounts (:mod:`aligntax.models.priors.amounts`). "Later or never" is plus
infinity, and so beyond every year. "Nothing affordable" is minus infinity. A draw in which the
quantity is undefined does not meet the condition.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.arrival_answers import arrival_answers
from aligntax.analysis.summaries.checks import (
    ESS,
    HEADLINE,
    Check,
    headline_checks,
    more_draws,
    with_remedy,
)
from aligntax.analysis.summaries.claim_answers import claim_answers
from aligntax.analysis.summaries.claims import assumed_quantities
from aligntax.analysis.summaries.summary import iter_series, summarise
from aligntax.analysis.summaries.weights import Weights
from aligntax.analysis.summaries.words import format_probability
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from aligntax.models.priors.amounts import read_amount
from aligntax.models.priors.quantities import base_name, quantity_of

OPERATORS: Mapping[str, Callable[[Any, float], Any]] = MappingProxyType(
    {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "==": operator.eq}
)
COMPARISON = re.compile(r"\s*([^<>=\[]+?(?:\[[a-z_0-9.]+\])?)\s*(<=|>=|==|<|>)\s*([^<>=]+)")
EXAMPLE = "for instance 'tai_year<2035' or 'alignment_tax<=1% and tai_year<2040'"


@dataclass(frozen=True)
class Given:
    """Draws that meet a condition.

    Attributes
    ----------
    weights : Weights
        What each draw counts among those that meet it.
    draws : int
        How many meet it and count.
    """

    text: str
    weights: Weights
    probability: float
    draws: int

    @property
    def check(self) -> Check:
        """Whether as many draws are left as any answer needs."""
        ess = self.weights.ess
        return self.with_remedy([Check("given_ess", ess, ESS, ess >= ESS, self.text)])[0]

    def with_remedy(self, checks: list[Check]) -> list[Check]:
        """Checks of these draws, of which those that failed say what to do."""
        more = more_draws(checks, self.weights.values.shape[1])
        return with_remedy(checks, f"weaken the condition{f', or {more}' if more else ''}")

    @property
    def words(self) -> str:
        """The condition, its probability and whether enough draws are left."""
        few = "" if self.check.passed else f", too few: {ESS:.0f} are wanted"
        effective = f"{self.weights.ess:.0f} effective draws{few}"
        return f"given {self.text} ({format_probability(self.probability)}; {effective})"

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping for JSON."""
        return {
            "text": self.text,
            "probability": self.probability,
            "ess": self.weights.ess,
            "draws": self.draws,
            "enough": self.check.passed,
        }


def apply_condition(text: str, derived: xr.Dataset, weights: Weights) -> Given:
    """Read a condition and find the draws that meet it.

    Parameters
    ----------
    text : str
        Comparisons of a quantity with a number, joined by ``and``.
    derived : xarray.Dataset
        Every quantity of every draw.
    weights : Weights
        What each draw counts.

    Raises
    ------
    InputError
        If it cannot be read, names a quantity that the run lacks, or holds in no draw.
    """
    known = {series.name: series.values for series in iter_series(derived)}
    holds = np.ones(weights.values.shape, dtype=bool)
    for part in re.split(r"\band\b", text):
        holds &= _draws_meeting(part, text, known)
    chance = weights.probability(holds)
    if not chance > 0:
        raise InputError(
            f"given: must hold in some draw, got {text!r}, which holds in none; weaken it"
        )
    return Given(text, weights.given(holds), chance, int(np.sum(holds & (weights.values > 0))))


def _draws_meeting(part: str, text: str, known: Mapping[str, Any]) -> Any:
    """Draws that meet one comparison; an undefined value is NaN, which meets none."""
    match = COMPARISON.fullmatch(part)
    if match is None:
        rule = f"must compare a quantity with a number, got {text!r}"
        raise InputError(f"given: {rule}; {EXAMPLE}")
    stated, sign, number = match.groups()
    quantity = quantity_of(stated)
    name = stated.replace(base_name(stated), quantity.name, 1)
    if name not in known:
        near = ", ".join(other for other in known if base_name(other) == quantity.name)
        remedy = f"it has {near}" if near else "`aligntax show RUN --all` lists what it has"
        raise InputError(f"given: must name a quantity of the run, got {name!r}; {remedy}")
    natural = read_amount(quantity, number, f"given: {name}")
    value = float(np.log10(natural)) if quantity.scale == "log10" else natural
    return OPERATORS[sign](known[name], value)


def summarise_given(result: Result, text: str) -> tuple[Given, dict[str, Any]]:
    """Summary of a run among the draws that meet a condition.

    Returns
    -------
    given : Given
    record : dict
        As ``summary.json``, with ``given``. Monte Carlo errors, checks of headlines and
        contractions are those of the remaining draws.
    """
    given = apply_condition(text, result.derived, result.weights)
    assumed = assumed_quantities(result.info)
    rows = summarise(result.derived, assumed, given.weights)
    for name, row in rows.items():
        row["contraction"] = _contraction(result, given.weights, name)
    checks = checks_given(result, given, rows)
    return given, {
        **result.record,
        "verdict": "pass" if all(check["passed"] for check in checks) else "fail",
        "checks": checks,
        "given": given.to_dict(),
        **arrival_answers(result.derived, result.view, given.weights),
        "claims": claim_answers(result.derived, given.weights, assumed, result.info["horizon"]),
        "quantities": rows,
    }


def verdict_of(result: Result, given: Given | None) -> str:
    """Verdict of a run, or of its draws that meet a condition."""
    if given is None:
        return str(result.record["verdict"])
    checks = checks_given(result, given, summarise(result.derived, (), given.weights))
    return "pass" if all(check["passed"] for check in checks) else "fail"


def checks_given(
    result: Result, given: Given, rows: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Checks of a run's sampling, and of its headlines among the draws that meet a condition.

    Parameters
    ----------
    rows : mapping
        Summary of these draws.
    """
    headlines = find_model(result.record["model"]).headlines
    told = given.with_remedy([given.check, *headline_checks(rows, headlines, chains=False)])
    sampled = [c for c in result.record["checks"] if not c["name"].startswith(HEADLINE)]
    return [*sampled, *(check.to_dict() for check in told)]


def _contraction(result: Result, weights: Weights, name: str) -> float | None:
    """Contraction of an elicited quantity among weighted draws; None for other quantities."""
    scores = result.unconstrained_posterior["z"]
    if name not in scores["quantity"].values:
        return None
    z = scores.sel(quantity=name).values
    return 1.0 - (weights.mean(z**2) - weights.mean(z) ** 2)
