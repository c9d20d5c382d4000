"""What in a run's report speaks against its verdict, though every check of its sampling passes.

The checks say whether the draws are of the posterior. Whether the model makes its evidence is
another question, and so is whether weights can leave a piece of evidence out. Where the report
answers either with no, the verdict names it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.fitting.outcome import Outcome
from aligntax.analysis.storage.layout import Groups
from aligntax.analysis.storage.result import Result
from aligntax.analysis.trust.evidence.loo import validated_by_weights
from aligntax.analysis.trust.evidence.predictive import (
    ENOUGH,
    PIT_LEVEL,
    STRAYS,
    p_values,
    pit_p,
    title_and_unit,
)
from aligntax.analysis.trust.evidence.wording import k_in_words, largest_k
from aligntax.models.evidence import Evidence, select
from aligntax.models.overoptimization.gold_law import misses
from aligntax.models.overoptimization.model import FORMS

# Times the miss of a form over the other's, from which on the form is doubted: of right forms of
# the simulated world, the miss is at most that of the other.
FAR_LESS = 1.5
REPLICATES = 200  # fewer give no p-value below 0.01 that is worth naming


def named_exceptions(groups: Groups, tables: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return one phrase for each part of the report that speaks against the verdict.

    Parameters
    ----------
    groups : Groups
        Observations and replicates, if the run has any.
    tables : iterable of mapping
        Cross-validation by table, as the report shows it.
    """
    observed, predicted = groups.predictable
    found = []
    if predicted and predicted.sizes["chain"] * predicted.sizes["draw"] >= REPLICATES:
        found = [*_uneven(observed, predicted), *_stray(observed, predicted)]
    return [*found, *_untrusted(tables)]


def _uneven(observed: xr.Dataset, predicted: xr.Dataset) -> Iterator[str]:
    """Variables whose observations have uneven ranks among their replicates (PIT)."""
    for name, rows in observed.items():
        if name not in predicted or rows.ndim != 1 or rows.size < ENOUGH:
            continue
        drawn = predicted[name].values.astype(float).reshape(-1, rows.size)
        p = pit_p(rows.values, drawn)
        if p < PIT_LEVEL:
            title = title_and_unit(str(name))[0]
            yield f"{title}: observations have uneven ranks among replicates (PIT, p {p:.2g})"


def _stray(observed: xr.Dataset, predicted: xr.Dataset) -> Iterator[str]:
    """Statistics that replicates hardly ever have."""
    for name, row in p_values(observed, predicted).items():
        for what, p in row.items():
            if not STRAYS <= p <= 1 - STRAYS:
                yield f"{title_and_unit(name)[0]}: replicates hardly have its {what} (p {p:.2g})"


def _untrusted(tables: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Tables of which weights cannot leave every unit out, in one phrase."""
    doubted = []
    for table in tables:
        if table["doubtful"]:
            share = f"{table['doubtful']} of {len(table['units'])} {table['table']}"
            worst = k_in_words(largest_k(table["units"]), before="k up to ")
            doubted.append(f"{share.replace('_', ' ')} ({worst})")
    if doubted:
        units = ", ".join(doubted)
        yield f"cross-validation by weights is not to be trusted for {units}: run aligntax loo"


def of_other_form(evidence: Evidence) -> Iterator[str]:
    """Forms of gold curves whose points the other form misses far less, in one phrase each."""
    if "gold_curves" not in evidence.tables:
        return
    rows = select(evidence["gold_curves"])
    forms = rows["form"].values.astype(str)
    for form in np.unique(forms):
        own = rows.isel({rows["form"].dims[0]: forms == form})
        found = misses(own["kl"].values, own["gold"].values, own["run"].values)
        (other,) = {*FORMS} - {form}
        if found[form] > FAR_LESS * found[other]:
            yield (
                f"gold curves of form {form} miss their points by {found[form]:.2g} sd at best, "
                f"and of form {other} by {found[other]:.2g}: state the other in a column form"
            )


def exceptions_of(result: Result, tables: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the exceptions of a run that was sampled, by the tables that its report shows."""
    return [*of_other_form(result.evidence), *named_exceptions(result.groups, tables)]


def with_exceptions(outcome: Outcome) -> Outcome:
    """Return an outcome whose ``summary.json`` names what its report will say against it."""
    fit = outcome.fit
    tables = validated_by_weights(fit.model, fit.view, fit.evidence, outcome.groups)
    found = [*of_other_form(fit.evidence), *named_exceptions(outcome.groups, tables)]
    return replace(outcome, record={**outcome.record, "exceptions": found})
