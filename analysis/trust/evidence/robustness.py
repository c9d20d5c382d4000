"""How far does each headline move when the evidence is another? A refit for each choice somebody else might have made.

A study is left out, or a whole table, or what is known from memory or at second hand; or recomputed
exponents follow the other outlier policy. Units that are left out count zero times in the compiled
model; where rows within a unit change, the model is compiled again. A move is told as where the new
median stands among the run's own draws, ``P(X <= median')``: a half if nothing moved, whatever the
unit, and "later or never" has its place. What is told by its mean, a probability, moves by that.
Both have the Monte Carlo error of two fits, by the effective sizes ``n`` and ``n'`` of their draws
in which the quantity is defined::

    se(place) = sqrt(1 / n + 1 / n') / 2
    se(mean' - mean) = sqrt(sd^2 / n + sd'^2 / n')
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.inference.compiled_model import CompiledModel, compile_model
from aligntax.analysis.inference.derive import derive
from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.inference.seeds import generator
from aligntax.analysis.summaries.summary import iter_series, summarise
from aligntax.analysis.trust.leave_out import LeaveOut
from aligntax.models.catalogue import restrict
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.evidence.variants import OUTLIERS, exchanged, without_status
from aligntax.models.priors.quantities import quantity_of

STUDIES = (
    "scaling_exponents",
    "loss_laws",
    "algorithmic_progress",
    "rlhf_efforts",
    "alignment_compute_shares",
    "labeller_agreement",
    "density_trials",
)
"""Tables whose units are studies; those of the others are runs or models, of which one is nobody's choice."""
STATED = ("mean", "q05", "q50", "q95", "prob_above", "prob_below", "prob_undefined")
QUIET = Talk()
DOUBTED = (("memory",), ("secondary",), ("memory", "secondary"))


@dataclass(frozen=True)
class Variant:
    """Evidence that differs.

    Attributes
    ----------
    kind : {"study", "table", "status", "outliers"}
    label : str
        What is different.
    left : mapping of str to tuple of str
        Units left out, by table.
    evidence : Evidence, optional
        Where rows change otherwise.
    """

    kind: str
    label: str
    left: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    evidence: Evidence | None = None


@dataclass(frozen=True)
class Move:
    """Where a number stands under a variant.

    Attributes
    ----------
    mean, q05, q50, q95 : float or None
        On the quantity's own scale; null inside censored mass.
    prob_above, prob_below, prob_undefined : float
        Mass beyond the numbers.
    place : float or None
        Share of the run's own draws up to the new median; null where the quantity is undefined
        throughout, or told by its mean.
    error : float or None
        Monte Carlo standard error of the place if nothing moved, or of the mean's move where it is
        told by that; null where the quantity is undefined throughout.
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
    base : mapping of str to Move
        The run's own draws.
    variants : tuple of Variant
    moves : tuple of mapping of str to Move
        In the order of variants; empty where it failed.
    failures : mapping of str to str
        What went wrong, by label.
    divergences : tuple of int
    """

    base: Mapping[str, Move]
    variants: tuple[Variant, ...]
    moves: tuple[Mapping[str, Move], ...]
    failures: Mapping[str, str]
    divergences: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping for JSON."""
        rows = [
            {
                "kind": variant.kind,
                "label": variant.label,
                "error": self.failures.get(variant.label),
                "divergences": diverged,
                "quantities": {name: asdict(move) for name, move in moves.items()},
            }
            for variant, moves, diverged in zip(
                self.variants, self.moves, self.divergences, strict=True
            )
        ]
        return {"base": {name: asdict(move) for name, move in self.base.items()}, "variants": rows}


def variants(model: LeaveOut, evidence: Evidence) -> Iterator[Variant]:
    """Every variant that a model's evidence has.

    Parameters
    ----------
    model : LeaveOut
    evidence : Evidence
        As loaded, with the rows that are not used.
    """
    for table in STUDIES:
        for label in model.units.get(table, ()):
            yield Variant("study", f"without {label} of {table}", {table: (label,)})
    for table, labels in model.units.items():
        if len(labels) > 1 or table not in STUDIES:
            yield Variant(
                "table", f"without {'all ' if len(labels) > 1 else ''}{table}", {table: labels}
            )
    compiled = model.compiled
    others = [
        ("status", f"without rows {' or '.join(doubted)}", without_status(evidence, doubted))
        for doubted in DOUBTED
    ]
    others += [("outliers", policy, exchanged(evidence, rows)) for policy, rows in OUTLIERS.items()]
    for kind, label, other in others:
        if restrict(other, compiled.view, compiled.model).hash != compiled.evidence.hash:
            yield Variant(kind, f"with {label}" if kind == "outliers" else label, evidence=other)


def robustness(
    model: LeaveOut, derived: xr.Dataset, evidence: Evidence, options: Sampling, talk: Talk = QUIET
) -> Robustness:
    """Refit under every variant.

    Parameters
    ----------
    model : LeaveOut
    derived : xarray.Dataset
        Of the run, which the variants are compared with.
    evidence : Evidence
        As loaded, with the rows that are not used.
    options : Sampling
    talk : Talk
        Its progress is told how many of how many variants are done, and how many failed.

    Raises
    ------
    InputError
        If the model conditions on no evidence.
    """
    every = tuple(variants(model, evidence))
    if not every:
        raise InputError(
            f"evidence: must have rows that {model.compiled.model.name} uses, got none; nothing can be left out"
        )
    base = _headlines(model.compiled, derived)
    moves: list[Mapping[str, Move]] = []
    failures: dict[str, str] = {}
    diverged: list[int] = []
    for done, variant in enumerate(every):
        if talk.progress is not None:
            talk.progress(done, len(every), len(failures))
        try:
            found, divergences = _derived(_compiled(model, variant), options)
        except Exception as error:  # told in the table, so that the others go on
            failures[variant.label] = f"{type(error).__name__}: {error}"
            found, divergences = None, 0
        moves.append({} if found is None else moved(base, found))
        diverged.append(divergences)
    return Robustness(moved(base, base), every, tuple(moves), failures, tuple(diverged))


def _compiled(model: LeaveOut, variant: Variant) -> CompiledModel:
    """The compiled model on a variant; what is derived sees the evidence without what was left out too."""
    if variant.evidence is None:
        return model.without(variant.left).compiled
    compiled = model.compiled
    other = restrict(variant.evidence, compiled.view, compiled.model)
    now, then = (compiled.model.data(rows, compiled.view) for rows in (compiled.evidence, other))
    same = all(now[name].sizes == then[name].sizes for name in now)
    groups = same and all(
        np.array_equal(now[n][c], then[n][c])
        for n in now
        for c in now[n]
        if str(c).endswith("index")
    )
    if groups:
        return model.without({}).compiled.with_evidence(other)
    return compile_model(compiled.model, variant.evidence, compiled.view)


def _derived(compiled: CompiledModel, options: Sampling) -> tuple[xr.Dataset, int]:
    """Headline quantities of a posterior, and how many draws diverged."""
    posterior, stats = compiled.posterior(options)
    tables = compiled.view.tables(compiled.model.quantities)
    rng = generator(options.seed, "arrival")
    derived = derive(compiled.model, posterior, tables, compiled.evidence, compiled.view, rng)
    return _headlines(compiled, derived), int(stats["diverging"].values.sum())


def _headlines(compiled: CompiledModel, derived: xr.Dataset) -> xr.Dataset:
    """The headline quantities of all that are derived."""
    names = compiled.model.headlines
    return derived[
        [n for n in derived.data_vars if str(n).removesuffix("_state").split("_by_")[0] in names]
    ]


def moved(base: xr.Dataset, other: xr.Dataset) -> dict[str, Move]:
    """Each number of a posterior and where its median stands among the draws of another."""
    after, before = summarise(other), summarise(base)
    new, old = ({series.name: series.defined for series in iter_series(draws)} for draws in (other, base))
    found = {}
    for name, row in after.items():
        place = error = None
        if len(old[name]) and len(new[name]):
            rows = (before[name], row)
            if quantity_of(name).by_mean:
                error = _error(rows, [each["sd"] for each in rows])
            else:
                median = np.quantile(new[name], 0.5, method="inverted_cdf")
                place = float(np.mean(old[name] < median) + 0.5 * np.mean(old[name] == median))
                error = _error(rows, (0.5, 0.5))
        found[name] = Move(**{key: row[key] for key in STATED}, place=place, error=error)
    return found


def _error(rows: Sequence[Mapping[str, Any]], sds: Sequence[float]) -> float:
    """Monte Carlo standard error of a difference; draws that are all the same have none."""
    sizes = [row["ess_bulk"] and row["ess_bulk"] * (1.0 - row["prob_undefined"]) for row in rows]
    return math.sqrt(sum(sd**2 / size for sd, size in zip(sds, sizes, strict=True) if size))
