"""How far does each headline move when the evidence is another? One refit per other choice.

Somebody else might have left out a study or a whole table, or rows known from memory or at second
hand, or treated outliers among recomputed exponents otherwise. Units that are left out count zero
times in the compiled model; where rows within a unit change, the model is compiled again.

Hours needed hang on two readings above all, which are therefore crossed: what counts as a
developer's practice, and which figures of the workforces of 2025 are believed.

A headline is compared by the place of its new median among the run's own draws,
``P(X <= median')``. The place is a half if nothing moved, whatever the unit, and "later or never"
has a place too. A number that is summarised by its mean, such as a probability, is compared by its
mean. Refits share the run's random numbers, draw by draw. So the Monte Carlo error is that of the
mean difference of what the same draws ``i`` contribute, by batch means of each chain::

    d_i = 1[x_i < median] - 1[x'_i < median']      or      d_i = x_i - x'_i

Of 67 refits some move far by chance. :mod:`aligntax.analysis.trust.evidence.wording` corrects for
how many moves are looked at.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.inference.compiled_model import CompiledModel
from aligntax.analysis.inference.derive import derive
from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.inference.seeds import child_generator
from aligntax.analysis.summaries.summary import iter_series, summarise
from aligntax.analysis.summaries.weights import Weights, batch_error
from aligntax.analysis.trust.evidence.horizon_readings import horizon_variants
from aligntax.analysis.trust.evidence.variant import Variant
from aligntax.analysis.trust.leave_out import LeaveOut
from aligntax.models.catalogue import restrict
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence, select
from aligntax.models.evidence.variants import (
    OUTLIERS,
    exchanged,
    with_open_data,
    without_rows,
    without_status,
)
from aligntax.models.priors.quantities import quantity_of

STUDIES = (
    "scaling_exponents",
    "loss_laws",
    "algorithmic_progress",
    "rlhf_efforts",
    "feedback_workforces",
    "alignment_compute_shares",
    "paid_taxes",
    "ai_labour",
    "labeller_agreement",
    "oversight_games",
    "density_trials",
)
"""Tables whose units are studies; units of others are runs or models, which nobody leaves out."""
STATED = ("mean", "q05", "q50", "q95", "prob_above", "prob_below", "prob_undefined")
QUIET = Talk()
DOUBTED = (("memory",), ("secondary",), ("memory", "secondary"))  # statuses of rows left out


@dataclass(frozen=True)
class VariantNumber:
    """A number under a variant, compared with the run.

    Attributes
    ----------
    mean, q05, q50, q95 : float or None
        On the quantity's own scale; None inside censored mass.
    prob_above, prob_below, prob_undefined : float
        Mass beyond the numbers.
    place : float or None
        Share of the run's own draws up to the new median. None where the quantity is undefined in
        every draw, or is summarised by its mean.
    error : float or None
        Monte Carlo standard error of the place if nothing moved, or of the difference of means.
        None where the quantity is undefined in every draw.
    """

    mean: float | None
    q05: float | None
    q50: float | None
    q95: float | None
    prob_above: float
    prob_below: float
    prob_undefined: float
    place: float | None
    error: float | None


@dataclass(frozen=True)
class Robustness:
    """Every headline under every variant.

    Attributes
    ----------
    base : mapping of str to VariantNumber
        The run's own draws, compared with themselves.
    numbers : tuple of mapping of str to VariantNumber
        In the order of variants; empty where one failed.
    failures : mapping of str to str
        What went wrong, by label of the variant.
    divergences : tuple of int
        In the order of variants.
    """

    base: Mapping[str, VariantNumber]
    variants: tuple[Variant, ...]
    numbers: tuple[Mapping[str, VariantNumber], ...]
    failures: Mapping[str, str]
    divergences: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping for JSON."""
        rows = [
            {
                "kind": variant.kind,
                "label": variant.label,
                "reading": list(variant.reading),
                "error": self.failures.get(variant.label),
                "divergences": diverged,
                "quantities": {name: asdict(number) for name, number in numbers.items()},
            }
            for variant, numbers, diverged in zip(
                self.variants, self.numbers, self.divergences, strict=True
            )
        ]
        base = {name: asdict(number) for name, number in self.base.items()}
        return {"base": base, "variants": rows}


def variants(model: LeaveOut, evidence: Evidence) -> Iterator[Variant]:
    """Every variant that a model's evidence allows.

    Parameters
    ----------
    evidence : Evidence
        As loaded, including the rows that are not used.
    """
    for table in STUDIES:
        for label in model.units.get(table, ()):
            yield Variant("study", f"without {label} of {table}", {table: (label,)})
    for table, labels in model.units.items():
        if len(labels) > 1 or table not in STUDIES:  # else its only study is left out above
            every = "all " if len(labels) > 1 else ""
            yield Variant("table", f"without {every}{table}", {table: labels})
    compiled = model.compiled
    others = [
        ("status", f"without rows {' or '.join(doubted)}", without_status(evidence, doubted))
        for doubted in DOUBTED
    ]
    if "scaling_exponents" in evidence.tables:
        others += [("outliers", name, exchanged(evidence, rows)) for name, rows in OUTLIERS.items()]
    for kind, label, other in others:
        # a model that uses none of the rows that differ has no such variant
        if restrict(other, compiled.view, compiled.model).hash != compiled.evidence.hash:
            yield Variant(kind, f"with {label}" if kind == "outliers" else label, evidence=other)
    yield from readings(model, evidence)
    yield from horizon_variants(model, evidence)


def readings(model: LeaveOut, evidence: Evidence) -> Iterator[Variant]:
    """Every reading of practice under every reading of the workforces of 2025.

    The first of each is the default's. None for a model that uses neither table.
    """
    if not {"rlhf_efforts", "feedback_workforces"} <= model.units.keys():
        return
    used = restrict(evidence, model.compiled.view, model.compiled.model)
    efforts, workforces = (select(used[name]) for name in ("rlhf_efforts", "feedback_workforces"))
    timed = efforts["effort"].values[efforts["hours_basis"].values == "items_times_minutes"]
    of_basis = {
        basis: tuple(workforces["workforce"].values[workforces["basis"].values == basis].tolist())
        for basis in ("people", "money")
    }
    practice = {
        "developers' own efforts": (None, ()),
        "open data sets too": (with_open_data(evidence), ()),
        "no hours from items": (None, tuple(timed.tolist())),
    }
    workforce = {
        "staff and spending": (),
        "staff alone": of_basis["money"],
        "spending alone": of_basis["people"],
        "neither": of_basis["people"] + of_basis["money"],
    }
    for own, (other, without) in practice.items():
        for bought, left in workforce.items():
            chosen = {"rlhf_efforts": without, "feedback_workforces": left}
            yield Variant(
                "reading",
                f"practice: {own}; workforce: {bought}",
                {table: keys for table, keys in chosen.items() if keys},
                other,
                (own, bought),
            )


def refit_variants(
    model: LeaveOut, derived: xr.Dataset, evidence: Evidence, options: Sampling, talk: Talk = QUIET
) -> Robustness:
    """Refit under every variant.

    Parameters
    ----------
    derived : xarray.Dataset
        Quantities of the run, which the variants are compared with.
    evidence : Evidence
        As loaded, including the rows that are not used.
    talk : Talk
        Its progress receives how many variants are done, of how many, and how many failed.

    Raises
    ------
    InputError
        If the model conditions on no evidence.
    """
    every = tuple(variants(model, evidence))
    if not every:
        rule = f"must have rows that {model.compiled.model.name} uses"
        raise InputError(f"evidence: {rule}, got none; nothing can be left out")
    base = _headlines(model.compiled, derived)
    numbers: list[Mapping[str, VariantNumber]] = []
    failures: dict[str, str] = {}
    diverged: list[int] = []
    compiled: dict[str, LeaveOut] = {}
    for done, variant in enumerate(every):
        if talk.progress is not None:
            talk.progress(done, len(every), len(failures))
        try:
            found, divergences = _derived(_compiled(model, variant, compiled), variant, options)
        except Exception as error:  # stands in the result, so that the others go on
            failures[variant.label] = f"{type(error).__name__}: {error}"
            found, divergences = None, 0
        numbers.append({} if found is None else compared(base, found))
        diverged.append(divergences)
    return Robustness(compared(base, base), every, tuple(numbers), failures, tuple(diverged))


def _compiled(model: LeaveOut, variant: Variant, others: dict[str, LeaveOut]) -> CompiledModel:
    """The compiled model on a variant, compiled again only where the layout of rows changes.

    ``others`` keeps models compiled on other evidence, by its hash.
    """
    compiled = model.compiled
    if variant.evidence is None:
        chosen = model.without(variant.left).compiled
        chosen = chosen if variant.view is None else chosen.with_view(variant.view)
        ready = chosen.evidence.with_likelihood_rows(variant.rows)
        return chosen.with_evidence(ready) if variant.rows else chosen
    other = restrict(variant.evidence, compiled.view, compiled.model)
    now, then = (compiled.model.data(rows, compiled.view) for rows in (compiled.evidence, other))
    same_sizes = all(now[name].sizes == then[name].sizes for name in now)
    same_groups = same_sizes and all(
        np.array_equal(now[name][column], then[name][column])
        for name in now
        for column in now[name]
        if str(column).endswith("index")
    )
    if same_groups:
        return model.without({}).compiled.with_evidence(other)
    if other.hash not in others:
        others[other.hash] = LeaveOut.of(compiled.model, variant.evidence, compiled.view)
    return others[other.hash].without(variant.left).compiled


def _derived(
    compiled: CompiledModel, variant: Variant, options: Sampling
) -> tuple[xr.Dataset, int]:
    """Headline quantities of a posterior, and how many draws diverged."""
    posterior, stats = compiled.posterior(options)
    tables = compiled.view.tables(compiled.model.quantities)
    rng = child_generator(options.seed, "arrival")
    evidence = without_rows(compiled.evidence, variant.left)  # what is left out binds nobody
    derived = derive(compiled.model, posterior, tables, evidence, compiled.view, rng)
    return _headlines(compiled, derived), int(stats["diverging"].values.sum())


def _headlines(compiled: CompiledModel, derived: xr.Dataset) -> xr.Dataset:
    """The headline quantities among those that are derived."""
    names = compiled.model.headlines
    return derived[
        [n for n in derived.data_vars if str(n).removesuffix("_state").split("_by_")[0] in names]
    ]


def compared(base: xr.Dataset, other: xr.Dataset) -> dict[str, VariantNumber]:
    """Each number of another posterior, with the place of its median among the base's draws."""
    new, old = (
        {series.name: series.values for series in iter_series(draws)} for draws in (other, base)
    )
    found = {}
    for name, row in summarise(other).items():
        place = error = None
        before, after = (values[~np.isnan(values)] for values in (old[name], new[name]))
        if len(before) and len(after):
            told = (old[name], new[name])
            if not quantity_of(name).by_mean:
                median = np.quantile(after, 0.5, method="inverted_cdf")
                place = float(np.mean(_below(before, median)))
                own = np.quantile(before, 0.5, method="inverted_cdf")
                told = (_below(old[name], own), _below(new[name], median))
            error = _error_of_difference(*told)
        found[name] = VariantNumber(**{key: row[key] for key in STATED}, place=place, error=error)
    return found


def _below(values: Any, median: float) -> Any:
    """Indicator of lying below a median; one half at it, NaN where undefined."""
    return np.where(np.isnan(values), np.nan, (values < median) + 0.5 * (values == median))


def _error_of_difference(old: Any, new: Any) -> float:
    """Monte Carlo error of a difference of means, NaN left out, of draws with common numbers."""
    parts = []
    for values in (old, new):
        defined = ~np.isnan(values)
        among = Weights.equal(values.shape).given(defined)
        parts.append(among.influence(np.where(defined, values, 0.0)))
    if parts[0].shape == parts[1].shape:
        return batch_error(parts[0] - parts[1])
    return float(np.hypot(batch_error(parts[0]), batch_error(parts[1])))
