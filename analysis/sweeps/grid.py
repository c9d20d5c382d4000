"""Cases of a sweep, one per view and seed, and how a worker answers them with one compiled model.

The views are the product of all alternative priors of each quantity, laid over every given view;
every view is asked with every seed. Views that one compiled model can answer stand together, so
that a worker compiles once for each such group.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.priors.specification import without_notes
from aligntax.models.registry import EXTENSIONS, Registrations
from aligntax.models.views import View
from aligntax.models.views.changes import compiled_in

if TYPE_CHECKING:
    import xarray as xr

    from aligntax.analysis.fitting.outcome import FitSummary
    from aligntax.analysis.inference.compiled_model import CompiledModel, Fit


MOST = 100_000  # cases: they take two cores months
Prior = tuple[str, Mapping[str, Any]]  # a quantity and the prior stated for it


@dataclass(frozen=True)
class Case:
    """One question of a study.

    Attributes
    ----------
    name : str
        A number that identifies it in every file.
    """

    name: str
    view: View
    seed: int


@dataclass(frozen=True)
class SweepJob:
    """What is the same for every case of a sweep.

    Attributes
    ----------
    model : str
        Name in the catalogue.
    options : Sampling
        Its seed is not used: each case has its own.
    keep_draws : bool
        Whether answers hold the draws of the headline quantities.
    registered : Registrations
        What this session registered by hand, which workers register too.

    Raises
    ------
    InputError
        If there is no such model, or it needs what a sweep does not have.
    """

    model: str
    evidence: Evidence
    options: Sampling
    keep_draws: bool = False
    registered: Registrations = field(default_factory=EXTENSIONS.by_hand)

    def __post_init__(self) -> None:
        model = find_model(self.model)
        supplied = {"loss_runs": "training runs", "horizon_runs": "runs on tasks"}
        if what := supplied.get(model.tables[0]):
            rule = f"a sweep has no {what} of a user's, which {model.name} is fitted to"
            raise InputError(
                f"model: {rule}, got {self.model!r}; choose another, or use `aligntax run`"
            )

    def answerer(self) -> "SweepAnswerer":
        """Make what answers cases in a worker's process."""
        self.registered.repeat()
        return SweepAnswerer(self)


@dataclass(frozen=True)
class Answer:
    """What a worker returns for a case.

    Attributes
    ----------
    record : mapping
        What goes into the journal; of a sweep ``verdict``, ``checks``, ``claims`` and
        ``quantities`` as in a run's ``summary.json``. Empty where the case failed.
    seconds : mapping
        By stage, such as compiling and sampling.
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


def failed(case: Case, error: Exception) -> Answer:
    """Answer of a case that an error stopped; the message of a user's mistake stands alone."""
    kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
    return Answer(case.name, error=f"{kind}{error}" or type(error).__name__)


def cases(views: Sequence[View], grid: Sequence[Prior], seeds: Sequence[int]) -> tuple[Case, ...]:
    """Every view under every choice of the grid and every seed.

    Parameters
    ----------
    grid : sequence of (quantity, prior)
        Several priors of one quantity are alternatives.

    Raises
    ------
    InputError
        If there is nothing to ask, a prior or a seed is stated twice, a seed is out of bounds, or
        there are too many cases.
    """
    alternatives: dict[str, list[Mapping[str, Any]]] = {}
    for name, prior in grid:
        if without_notes(prior) in map(without_notes, alternatives.setdefault(name, [])):
            raise InputError(
                f"set: alternatives of {name} must differ, "
                f"got {_short_form(prior)} twice; leave one out"
            )
        alternatives[name].append(prior)
    if len(set(seeds)) < len(seeds):
        raise InputError(
            f"seed: must differ, got {', '.join(map(str, seeds))}; leave the repeated out"
        )
    for seed in seeds:
        Sampling(seed=seed)  # refuses a seed out of bounds
    choices = np.prod([len(each) for each in alternatives.values()], initial=1.0)
    count = len(views) * len(seeds) * int(choices)
    if not 1 <= count <= MOST:
        raise InputError(
            f"sweep: must have between 1 and {MOST} cases, got {count}; state fewer alternatives"
        )
    chosen = [
        _with_priors(view, dict(zip(alternatives, choice, strict=True)))
        for view in views
        for choice in product(*alternatives.values())
    ]
    digits = max(4, len(str(count)))
    asked = [(view, seed) for view in _grouped(chosen) for seed in seeds]
    return tuple(Case(f"{i:0{digits}d}", view, seed) for i, (view, seed) in enumerate(asked, 1))


def _with_priors(view: View, priors: Mapping[str, Mapping[str, Any]]) -> View:
    """View with some priors in place of its own, and a name that says so."""
    for name, prior in priors.items():
        view = view.with_quantity(name, prior)
    stated = ", ".join(f"{name} {_short_form(prior)}" for name, prior in priors.items())
    return replace(view, name=f"{view.name}, {stated}") if priors else view


def _short_form(prior: Mapping[str, Any]) -> str:
    values = prior.get("quantiles", {})
    return "/".join(f"{value:g}" for value in values.values()) if values else "changed"


def _grouped(views: Sequence[View]) -> list[View]:
    """Views in an order in which those that one compiled model answers stand together."""
    groups: list[tuple[dict[str, object], list[View]]] = []
    for view in views:
        constants = compiled_in(view)
        members = next((members for known, members in groups if known == constants), None)
        if members is None:
            groups.append((constants, [view]))
        else:
            members.append(view)
    return [view for _, members in groups for view in members]


class SweepAnswerer:
    """Answers case after case in one process; compiles again only where a constant differs."""

    def __init__(self, job: SweepJob) -> None:
        self.job = job
        self.compiled: CompiledModel | None = None

    def answer(self, case: Case, cores: int = 1) -> Answer:
        """Answer a case on so many cores; an error becomes its answer, so that the others go on."""
        try:
            return self._answer(case, cores)
        except Exception as error:
            return failed(case, error)

    def _answer(self, case: Case, cores: int) -> Answer:
        from aligntax.analysis.fitting.linked_priors import fit_links
        from aligntax.analysis.fitting.outcome import summarise_fit
        from aligntax.analysis.summaries.checks import verdict

        watch, options = _Stopwatch(), replace(self.job.options, seed=case.seed, cores=cores)
        model = find_model(self.job.model)
        view, links = fit_links(model, case.view, self.job.evidence, options, Talk())
        compiled = self._compiled(view)
        watch.lap("compile")
        fit = compiled.sample_answer(options)
        watch.lap("sample")
        found = summarise_fit(fit, options, links)
        record = {
            "verdict": verdict(list(found.checks)),
            "checks": [check.to_dict() for check in found.checks],
            "claims": dict(found.claims),
            "quantities": found.rows,
        }
        draws = _headline_draws(fit, found) if self.job.keep_draws else None
        watch.lap("summarise")
        return Answer(case.name, record, watch.laps, draws=draws)

    def _compiled(self, view: View) -> "CompiledModel":
        from aligntax.analysis.inference.compiled_model import compile_model

        if self.compiled is None or compiled_in(self.compiled.view) != compiled_in(view):
            self.compiled = compile_model(find_model(self.job.model), self.job.evidence, view)
        return self.compiled.with_view(view)


def _headline_draws(fit: "Fit", found: "FitSummary") -> "xr.Dataset":
    """Draws of the headline quantities, and the states that say why some are missing."""
    names = [
        name
        for headline in fit.model.headlines
        for name in (headline, f"{headline}_state")
        if name in found.derived
    ]
    return found.derived[names].map(lambda v: v.astype("float32") if v.dtype.kind == "f" else v)


class _Stopwatch:
    """Seconds from lap to lap."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self.last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name], self.last = round(now - self.last, 3), now
