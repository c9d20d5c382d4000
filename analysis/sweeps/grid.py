"""What a sweep asks, one case a view and seed, and how a worker answers case after case with one compiled model.

A grid is the product of the priors stated for each quantity, laid over every view; every seed is
asked of each. Cases that differ in what is compiled in stand together, so that a worker compiles
once for each such group.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.models.catalogue import COMPILED, find_model
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.priors.compile import without_notes
from aligntax.models.views import View

if TYPE_CHECKING:
    import xarray as xr

    from aligntax.analysis.fitting.outcome import Answered
    from aligntax.analysis.inference.compiled_model import CompiledModel, Fit


MOST = 100_000  # cases: months of two cores
Prior = tuple[str, Mapping[str, Any]]  # a quantity, and what is stated of it


@dataclass(frozen=True)
class Case:
    """One question of a sweep.

    Attributes
    ----------
    name : str
        Its number, which names it everywhere.
    view : View
    seed : int
    """

    name: str
    view: View
    seed: int


@dataclass(frozen=True)
class Job:
    """What is the same for every case.

    Attributes
    ----------
    model : str
        Name in the catalogue.
    evidence : Evidence
    options : Sampling
        But the seed, which is the case's.
    keep_draws : bool
        Whether the draws of the headline quantities come back too.

    Raises
    ------
    InputError
        If there is no such model, or it needs what a sweep does not have.
    """

    model: str
    evidence: Evidence
    options: Sampling
    keep_draws: bool = False

    def __post_init__(self) -> None:
        if find_model(self.model).name == "loss-law":
            rule = "a sweep has no training runs of a user's, which loss-law is fitted to"
            raise InputError(
                f"model: {rule}, got {self.model!r}; choose another, or use `aligntax run`"
            )

    def answerer(self) -> "Answerer":
        """Who answers its cases in a process."""
        return Answerer(self)


@dataclass(frozen=True)
class Answer:
    """What a worker says of a case.

    Attributes
    ----------
    case : str
    record : mapping
        ``verdict``, ``checks``, ``claims`` and ``quantities`` as in a run's ``summary.json``; empty
        where it failed.
    seconds : mapping
        Of compiling, of sampling and of the rest.
    error : str
        Why it failed; empty where it did not.
    draws : xarray.Dataset or None
        Headline quantities (chain, draw) in single precision.
    """

    case: str
    record: Mapping[str, Any] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    error: str = ""
    draws: "xr.Dataset | None" = None


def cases(views: Sequence[View], grid: Sequence[Prior], seeds: Sequence[int]) -> tuple[Case, ...]:
    """Every view under every choice of the grid and every seed.

    Parameters
    ----------
    views : sequence of View
    grid : sequence of (quantity, prior)
        Several priors of one quantity are alternatives.
    seeds : sequence of int

    Raises
    ------
    InputError
        If there is nothing to ask, a prior or a seed is stated twice or no seed, or there are too
        many cases.
    """
    alternatives: dict[str, list[Mapping[str, Any]]] = {}
    for name, prior in grid:
        if without_notes(prior) in map(without_notes, alternatives.setdefault(name, [])):
            raise InputError(
                f"set: alternatives of {name} must differ, got {_brief(prior)} twice; leave one out"
            )
        alternatives[name].append(prior)
    if len(set(seeds)) < len(seeds):
        raise InputError(
            f"seed: must differ, got {', '.join(map(str, seeds))}; leave the repeated out"
        )
    for seed in seeds:
        Sampling(seed=seed)  # refuses what is none
    count = (
        len(views)
        * len(seeds)
        * int(np.prod([len(each) for each in alternatives.values()], initial=1.0))
    )
    if not 1 <= count <= MOST:
        raise InputError(
            f"sweep: must have between 1 and {MOST} cases, got {count}; state fewer alternatives"
        )
    chosen = [
        _laid(view, dict(zip(alternatives, choice, strict=True)))
        for view in views
        for choice in product(*alternatives.values())
    ]
    chosen.sort(key=_group(chosen))
    digits = max(4, len(str(count)))
    asked = [(view, seed) for view in chosen for seed in seeds]
    return tuple(Case(f"{i:0{digits}d}", view, seed) for i, (view, seed) in enumerate(asked, 1))


def _laid(view: View, priors: Mapping[str, Mapping[str, Any]]) -> View:
    """View with some priors in place of its own, whose name says so."""
    for name, prior in priors.items():
        view = view.with_quantity(name, prior)
    stated = ", ".join(f"{name} {_brief(prior)}" for name, prior in priors.items())
    return replace(view, name=f"{view.name}, {stated}") if priors else view


def _brief(prior: Mapping[str, Any]) -> str:
    values = prior.get("quantiles", {})
    return "/".join(f"{value:g}" for value in values.values()) if values else "changed"


def _group(views: Sequence[View]) -> Callable[[View], int]:
    """Number of the group of views that one compiled model answers, in order of appearance."""
    known: list[tuple[Any, ...]] = []

    def number(view: View) -> int:
        key = compiled_in(view)
        if key not in known:
            known.append(key)
        return known.index(key)

    for view in views:
        number(view)
    return number


def compiled_in(view: View) -> tuple[Any, ...]:
    """What of a view is a constant of the compiled model."""
    return tuple(getattr(view, key) for key in COMPILED)


class Answerer:
    """Answers case after case in one process, and compiles again only where a view differs in what is compiled in."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.compiled: CompiledModel | None = None

    def answer(self, case: Case, cores: int = 1) -> Answer:
        """Answer a case on so many cores; whatever goes wrong with it is told in the answer, so that the others go on."""
        try:
            return self._answer(case, cores)
        except Exception as error:
            kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
            return Answer(case.name, error=f"{kind}{error}" or type(error).__name__)

    def _answer(self, case: Case, cores: int) -> Answer:
        from aligntax.analysis.fitting.linked_priors import fit_links
        from aligntax.analysis.fitting.outcome import answered
        from aligntax.analysis.summaries.checks import verdict

        watch, options = _Watch(), replace(self.job.options, seed=case.seed, cores=cores)
        model = find_model(self.job.model)
        view, links = fit_links(model, case.view, self.job.evidence, options, Talk())
        compiled = self._compiled(view)
        watch.lap("compile")
        fit = compiled.sample(options)
        watch.lap("sample")
        found = answered(fit, options, links)
        record = {
            "verdict": verdict(list(found.checks)),
            "checks": [check.to_dict() for check in found.checks],
            "claims": dict(found.claims),
            "quantities": found.rows,
        }
        draws = _headlines(fit, found) if self.job.keep_draws else None
        watch.lap("summarise")
        return Answer(case.name, record, watch.laps, draws=draws)

    def _compiled(self, view: View) -> "CompiledModel":
        from aligntax.analysis.inference.compiled_model import compile_model

        if self.compiled is None or compiled_in(self.compiled.view) != compiled_in(view):
            self.compiled = compile_model(find_model(self.job.model), self.job.evidence, view)
        return self.compiled.with_view(view)


def _headlines(fit: "Fit", found: "Answered") -> "xr.Dataset":
    """Draws of the headline quantities and the states of what is missing in them."""
    names = [
        name
        for each in fit.model.headlines
        for name in (each, f"{each}_state")
        if name in found.derived
    ]
    return found.derived[names].map(lambda v: v.astype("float32") if v.dtype.kind == "f" else v)


class _Watch:
    """Seconds from lap to lap."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self.last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name], self.last = round(now - self.last, 3), now
