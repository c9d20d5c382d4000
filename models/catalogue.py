"""The models that can be run, by name.

Each entry says how a model is built, what is derived from its draws and what its report leads with.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any, Literal

import xarray as xr
from numpy.random import Generator

from aligntax.models import (
    alignment,
    compute,
    direct_approach,
    horizon_evaluations,
    horizon_runs,
    joint,
    loss_law,
    scaling,
    time_horizon,
)
from aligntax.models.arrival import Chance
from aligntax.models.coords import Coords, fixed_coords, no_coords
from aligntax.models.density_prediction import trials as density_trials
from aligntax.models.errors import InputError
from aligntax.models.evidence import TABLES, Evidence
from aligntax.models.horizon_trend import SHAPES
from aligntax.models.likelihood import Likelihood
from aligntax.models.outer_alignment import model as outer_alignment
from aligntax.models.overoptimization import model as overoptimization
from aligntax.models.registry import Registry
from aligntax.models.requirements import log_weights
from aligntax.models.trend import Trend
from aligntax.models.views import ANCHORS, View

Values = Mapping[str, Any]

HORIZON_DATES = (2027.0, 2028.0, 2030.0, 2035.0)  # at which the time-horizon model answers
DATES = (2027.0, 2030.0, 2035.0, 2040.0, 2050.0)  # at which the compute model answers
COMPUTE_TABLES = ("training_runs", "algorithmic_progress")
ALIGNMENT_TABLES = (
    "rlhf_efforts",
    "feedback_workforces",
    "alignment_compute_shares",
    "paid_taxes",
    "ai_labour",
)


@dataclass(frozen=True)
class Model:
    """A model of the package.

    Attributes
    ----------
    version : int
        Raised whenever the log density or a derivation changes.
    quantities : tuple of str
        Elicited quantities, in the order of the coordinate ``quantity``.
    tables : tuple of str
        Evidence tables with a likelihood in the model.
    headlines : tuple of str
        Quantities that its answer and its report lead with.
    build : callable
        ``(evidence, view, opened=False) -> pymc.Model``, the lean graph; see :meth:`open`.
    derive : callable
        ``(x, parameters, evidence, view, chance) -> dict`` of arrays over draws.
    likelihoods : tuple of Likelihood
        Of the model files that it is composed of, in the order in which they use random numbers.
    coords : callable
        ``(evidence) -> dict``, the extra dimension of derived quantities: name -> (dimension,
        labels). A quantity that is called ``X_by_DIMENSION`` is reported as ``X[label]``.
    log_no_tai : callable, optional
        ``(x, parameters, evidence, view)`` to the log probability of each draw that nothing has
        arrived yet.
    pointwise : callable, optional
        ``(x, parameters, evidence, view) -> dict`` of the log density of each row given the others,
        (draw, row), by table. Only for tables whose rows are not independent given a draw.
    counted_rows : mapping of str to callable
        The same tables, whose likelihood is one term: ``(evidence, view)`` to the rows, of which
        each counts as often as its column ``counts`` says.
    background : tuple of str
        Tables with a likelihood in other models that its figures or answers show.
    adaptation : {"diag", "low_rank"}
        What NUTS adapts to the posterior: scales alone, or correlations too. The latter pays
        where correlations are strong and fixed.
    target_accept : float
        Acceptance target at which sampling does not diverge.
    sampler : {"hmc", "nuts"}
        Many short chains in step, whose trajectories are all of one length, or nutpie's NUTS, whose
        trajectories find their lengths.
    """

    name: str
    title: str
    version: int
    quantities: tuple[str, ...]
    tables: tuple[str, ...]
    headlines: tuple[str, ...]
    build: Callable[..., Any]
    derive: Callable[[Values, xr.Dataset, Evidence, View, Chance], dict[str, Any]]
    likelihoods: tuple[Likelihood, ...]
    coords: Callable[[Evidence], Coords] = no_coords
    log_no_tai: Callable[[Values, xr.Dataset, Evidence, View], Any] | None = None
    pointwise: Callable[[Values, xr.Dataset, Evidence, View], dict[str, xr.DataArray]] | None = None
    counted_rows: Mapping[str, Callable[[Evidence, View], xr.Dataset]] = field(
        default_factory=dict, hash=False
    )
    background: tuple[str, ...] = ()
    adaptation: Literal["diag", "low_rank"] = "diag"
    target_accept: float = 0.9
    sampler: Literal["hmc", "nuts"] = "nuts"

    @property
    def question(self) -> str:
        """What it answers: the first line of the file that builds it."""
        build = self.build.func if isinstance(self.build, partial) else self.build
        return (sys.modules[build.__module__].__doc__ or self.title).splitlines()[0]

    @property
    def top_level(self) -> tuple[str, ...]:
        """Structural parameters with a prior of their own; see :class:`Likelihood`."""
        return tuple(name for part in self.likelihoods for name in part.top_level)

    def open(self, evidence: Evidence, view: View) -> Any:
        """Return the model as an open PyMC graph, for PyMC's own functions and further likelihoods.

        It has the density of the graph that this package samples. Each elicited quantity is a
        Deterministic of its name, and each table an observed variable of its name
        (:mod:`aligntax.models.priors.observed`).

        Parameters
        ----------
        evidence : Evidence
            It is restricted to what the view uses.

        Returns
        -------
        pymc.Model
        """
        return self.build(restrict(evidence, view, self), view, opened=True)

    def tables_of(self, evidence: Evidence) -> tuple[str, ...]:
        """Its tables that evidence holds; :func:`restrict` leaves out what a view does not ask."""
        return tuple(name for name in self.tables if name in evidence.tables)

    def data(self, evidence: Evidence, view: View) -> dict[str, xr.Dataset]:
        """Numbers that the graph holds as ``pm.Data``; see :class:`Likelihood`."""
        return _merged(part.data(evidence, view) for part in self.likelihoods)

    def observed(self, evidence: Evidence, view: View) -> dict[str, xr.DataArray]:
        """The evidence on the scale of its likelihood; see :class:`Likelihood`."""
        return _merged(part.observed(evidence, view) for part in self.likelihoods)

    def simulate(
        self, x: Values, parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
    ) -> dict[str, tuple[str, Any]]:
        """Replicated evidence, (..., row); see :class:`Likelihood`."""
        drawn = (p.simulate(x, parameters, evidence, view, rng) for p in self.likelihoods)
        return _merged(drawn)

    def replicate(
        self, x: Values, parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
    ) -> dict[str, xr.Dataset]:
        """Likelihood rows that one draw might have seen, by table; see :class:`Likelihood`.

        The evidence that no transformative AI has arrived has no rows.
        """
        drawn = (p.replicate(x, parameters, evidence, view, rng) for p in self.likelihoods)
        return _merged(drawn)


def _merged[T](parts: Iterable[Mapping[str, T]]) -> dict[str, T]:
    return {name: value for part in parts for name, value in part.items()}


def _without_chance(
    derive: Callable[[Values, xr.Dataset, Evidence, View], dict[str, Any]],
    x: Values,
    parameters: xr.Dataset,
    evidence: Evidence,
    view: View,
    chance: Chance,
) -> dict[str, Any]:
    """Derived quantities of a model in which nothing is left to chance given a draw."""
    return derive(x, parameters, evidence, view)


def _scaling(
    x: Values, parameters: xr.Dataset, evidence: Evidence, view: View, chance: Chance
) -> dict[str, Any]:
    return scaling.derive(x, parameters)


def _compute(
    x: Values, parameters: xr.Dataset, evidence: Evidence, view: View, chance: Chance
) -> dict[str, Any]:
    return compute.derive(x, Trend.of(evidence, view), DATES)


def _entry(file: ModuleType, *parts: ModuleType, **fields: Any) -> Model:
    """Entry of a model file, which is composed of ``parts`` if there are any."""
    return Model(
        quantities=file.QUANTITIES,
        headlines=file.HEADLINES,
        build=file.build,
        likelihoods=tuple(Likelihood.of(part) for part in parts or (file,)),
        **fields,
    )


def _run_level(shape: str) -> Model:
    """Entry of the runs of models on timed tasks, with one shape of trend."""
    dates = HORIZON_DATES
    return Model(
        name=horizon_runs.model_name(shape),
        title=f"Length of tasks that AI completes, from single runs: {shape} trend",
        version=1,
        quantities=horizon_runs.quantities(shape),
        tables=("horizon_runs",),
        headlines=horizon_runs.HEADLINES,
        build=partial(horizon_runs.build, shape=shape),
        derive=partial(_without_chance, partial(horizon_runs.derive, shape=shape, dates=dates)),
        likelihoods=(Likelihood.of(horizon_runs),),
        coords=partial(horizon_runs.coords, dates=dates),
        adaptation="low_rank",
        target_accept=0.95,
    )


_ENTRIES = (
    _entry(
        joint,
        scaling,
        direct_approach,
        time_horizon,
        compute,
        *alignment.PARTS,
        name="joint",
        title="Alignment data, alignment tax and timelines",
        version=5,
        tables=(
            "scaling_exponents",
            "loss_laws",
            "time_horizons",
            *COMPUTE_TABLES,
            *ALIGNMENT_TABLES,
        ),
        derive=joint.derive,
        coords=fixed_coords(anchor_probability=("anchor", ANCHORS)),
        log_no_tai=joint.log_no_tai,
        pointwise=time_horizon.pointwise,
        counted_rows={"time_horizons": horizon_evaluations.evaluations},
        background=("labeller_agreement",),
        sampler="hmc",
        target_accept=0.8,
    ),
    _entry(
        scaling,
        name="scaling",
        title="The data exponent from published scaling studies",
        version=2,
        tables=("scaling_exponents",),
        derive=_scaling,
        sampler="hmc",
    ),
    _entry(
        loss_law,
        name="loss-law",
        title="The loss law of training runs, and how it splits compute",
        version=1,
        tables=("loss_runs",),
        derive=partial(_without_chance, loss_law.derive),
        coords=loss_law.coords,
        background=("scaling_exponents", "loss_laws"),
        adaptation="low_rank",
    ),
    _entry(
        compute,
        name="compute",
        title="Spend, compute and algorithms of the largest training run",
        version=3,
        tables=COMPUTE_TABLES,
        derive=_compute,
        coords=fixed_coords(**dict.fromkeys(compute.FRONTIER, ("date", DATES))),
        sampler="hmc",
    ),
    _entry(
        time_horizon,
        name="time-horizon",
        title="Length of tasks that AI completes, and the superhuman coder",
        version=2,
        tables=("time_horizons",),
        derive=partial(time_horizon.derive, dates=HORIZON_DATES),
        coords=fixed_coords(time_horizon=("date", HORIZON_DATES)),
        pointwise=time_horizon.pointwise,
        counted_rows={"time_horizons": horizon_evaluations.evaluations},
        sampler="hmc",
    ),
    _entry(
        alignment,
        compute,
        *alignment.PARTS,
        name="alignment",
        title="Human feedback and alignment tax of the largest run at a date",
        version=3,
        tables=(*COMPUTE_TABLES, *ALIGNMENT_TABLES),
        derive=alignment.derive,
        sampler="hmc",
    ),
    _entry(
        outer_alignment,
        name="outer-alignment",
        title="Outer alignment as data quality: comparisons that single out an aligned policy",
        version=2,
        tables=("labeller_agreement", "oversight_games"),
        derive=partial(_without_chance, outer_alignment.derive),
        coords=outer_alignment.coords,
        target_accept=0.95,
    ),
    _entry(
        overoptimization,
        name="overoptimization",
        title="How far a learned reward can be optimised, and the labels that move that point out",
        version=2,
        tables=("gold_curves",),
        derive=partial(_without_chance, overoptimization.derive),
        coords=overoptimization.coords,
        adaptation="low_rank",
    ),
    _entry(
        density_trials,
        name="density-prediction",
        title="Predicting the density of zeros: failures against each adversary, "
        "and the theorem's bound",
        version=1,
        tables=("density_trials",),
        derive=partial(_without_chance, density_trials.derive),
        coords=density_trials.coords,
        sampler="hmc",
    ),
    *(_run_level(shape) for shape in SHAPES),
)
MODELS: Registry[Model] = Registry("model", _ENTRIES)


def find_model(name: str) -> Model:
    """Return the model of that name.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in MODELS:
        raise InputError(
            f"model: must be one of {', '.join(MODELS)}, got {name!r}; check the spelling"
            f"{MODELS.extensions.hint()}"
        )
    return MODELS[name]


def view_data(view: View) -> dict[str, Any]:
    """Numbers that a view sets in a graph beside its priors, by the name of their ``pm.Data``."""
    return {
        "anchor_log_weight": log_weights(view),
        "scaling_settings": scaling.view_settings(view),
        "outer_alignment_settings": outer_alignment.view_settings(view),
    }


def restrict(evidence: Evidence, view: View, model: Model) -> Evidence:
    """Evidence that a model uses: its tables that the view names, up to the view's date.

    Tables with a likelihood in other models alone, tables that the view's settings do not ask for,
    and tables from outside that the model does not name, are left out, so that a run neither stores
    them nor depends on them.
    """
    use = view.evidence.use
    if use == "all":
        conditioned = model.tables
    else:
        conditioned = () if use == "none" else tuple(t for t in model.tables if t in use)
    elsewhere = {name for other in MODELS.own.values() for name in other.tables} | {*TABLES.added}
    foreign = elsewhere - {*model.tables, *model.background}
    foreign |= {name for name, table in TABLES.own.items() if not view.asks(table.asked_by)}
    kept = evidence.only(conditioned).tables.items()
    chosen = Evidence({name: rows for name, rows in kept if name not in foreign})
    return chosen if view.evidence.until is None else chosen.until(view.evidence.until)
