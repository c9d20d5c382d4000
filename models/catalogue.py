"""The models that can be run, by name: how each is built, what is derived from its draws and what its report leads with."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

import xarray as xr

from aligntax.models import alignment, compute, joint, loss_law, scaling, time_horizon
from aligntax.models.arrival import Chance
from aligntax.models.compute import Trend
from aligntax.models.density_prediction import trials as density_trials
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.outer_alignment import model as outer_alignment
from aligntax.models.overoptimization import model as overoptimization
from aligntax.models.priors.quantities import HEADLINES
from aligntax.models.views import ANCHORS, View

Draws = Mapping[str, Any]
Coords = Mapping[str, tuple[str, tuple[Any, ...]]]

HORIZON_DATES = (2027.0, 2028.0, 2030.0, 2035.0)  # at which the time-horizon model answers
DATES = (2027.0, 2030.0, 2035.0, 2040.0, 2050.0)  # at which the compute model answers
FRONTIER = ("frontier_spend", "frontier_flop", "effective_flop")
COMPUTE_TABLES = ("training_runs", "algorithmic_progress")
ALIGNMENT_TABLES = ("rlhf_efforts", "alignment_compute_shares")

COMPILED = (  # what a view says that is a constant of the graph
    "evidence",
    "loss_law",
    "compute",
    "algorithms",
    "requirement",
    "direct_approach",
    "time_horizon",
    "arrival",
)


@dataclass(frozen=True)
class Model:
    """A model of the package.

    Attributes
    ----------
    name, title : str
    version : int
        Raised whenever the log density or a derivation changes.
    quantities : tuple of str
        Elicited quantities, in the order of the coordinate ``quantity``.
    tables : tuple of str
        Evidence tables with a likelihood in it.
    headlines : tuple of str
        What its answer and report lead with.
    build : callable
        ``(evidence, view) -> pymc.Model``.
    derive : callable
        ``(x, parameters, evidence, view, chance) -> dict`` of arrays over draws.
    observed : callable
        ``(evidence, view) -> dict`` of the evidence on the scale of its likelihood.
    simulate : callable
        ``(x, parameters, evidence, view, rng) -> dict`` of replicated evidence, same names.
    data : callable
        ``(evidence, view) -> dict`` of the numbers that it holds as ``pm.Data``, a Dataset by its
        name.
    replicate : callable
        ``(x, parameters, evidence, view, rng) -> dict`` of likelihood rows that one draw might have
        seen, by table; ``x`` and ``parameters`` are scalars. What a likelihood takes as given
        stays. See :meth:`Evidence.with_likelihood_rows`.
    coords : callable
        ``(evidence) -> dict``, the extra dimension of derived quantities: name -> (dimension,
        labels). A quantity that is called ``X_by_DIMENSION`` is reported as ``X[label]``.
    log_no_tai : callable, optional
        ``(x, parameters, evidence, view)`` to the log probability of each draw that nothing has
        arrived yet.
    pointwise : callable, optional
        ``(x, parameters, evidence, view) -> dict`` of the log density of each row given the others,
        (draw, row), by table: of those whose rows are not independent given a draw.
    background : tuple of str
        Tables with a likelihood in other models that its figures or answers show.
    adaptation : {"diag", "low_rank"}
        What nutpie adapts to the posterior: scales, or also correlations, which pays where they are
        strong and fixed.
    target_accept : float
        NUTS acceptance target with which it does not diverge.
    """

    name: str
    title: str
    version: int
    quantities: tuple[str, ...]
    tables: tuple[str, ...]
    headlines: tuple[str, ...]
    build: Callable[[Evidence, View], Any]
    derive: Callable[[Draws, xr.Dataset, Evidence, View, Chance], dict[str, Any]]
    observed: Callable[[Evidence, View], dict[str, xr.DataArray]]
    simulate: Callable[..., dict[str, tuple[str, Any]]]
    data: Callable[[Evidence, View], dict[str, xr.Dataset]]
    replicate: Callable[..., dict[str, xr.Dataset]]
    coords: Callable[[Evidence], Coords]
    log_no_tai: Callable[[Draws, xr.Dataset, Evidence, View], Any] | None = None
    pointwise: Callable[[Draws, xr.Dataset, Evidence, View], dict[str, xr.DataArray]] | None = None
    background: tuple[str, ...] = ()
    adaptation: Literal["diag", "low_rank"] = "diag"
    target_accept: float = 0.9

    @property
    def question(self) -> str:
        """What it answers: the first line of the file that builds it."""
        return (sys.modules[self.build.__module__].__doc__ or self.title).splitlines()[0]


def _same(coords: Coords, evidence: Evidence) -> Coords:
    return coords


def _fixed(**coords: tuple[str, tuple[Any, ...]]) -> Callable[[Evidence], Coords]:
    """Labels that no evidence changes; a partial and no lambda, so that a model can be pickled."""
    return partial(_same, coords)


def _scaling(
    x: Draws, parameters: xr.Dataset, evidence: Evidence, view: View, chance: Chance
) -> dict[str, Any]:
    return scaling.derive(dict(x), parameters)


def _loss_law(
    x: Draws, parameters: xr.Dataset, evidence: Evidence, view: View, chance: Chance
) -> dict[str, Any]:
    return loss_law.derive(dict(x), parameters, evidence, view)


def _overoptimization(
    x: Draws, parameters: xr.Dataset, evidence: Evidence, view: View, chance: Chance
) -> dict[str, Any]:
    return overoptimization.derive(dict(x), parameters, evidence, view)


def _outer_alignment(
    x: Draws, parameters: xr.Dataset, evidence: Evidence, view: View, chance: Chance
) -> dict[str, Any]:
    return outer_alignment.derive(dict(x), parameters, evidence, view)


def _density_prediction(
    x: Draws, parameters: xr.Dataset, evidence: Evidence, view: View, chance: Chance
) -> dict[str, Any]:
    return density_trials.derive(dict(x), parameters, evidence, view)


def _compute(
    x: Draws, parameters: xr.Dataset, evidence: Evidence, view: View, chance: Chance
) -> dict[str, Any]:
    return compute.derive(dict(x), Trend.of(evidence, view), DATES)


def _alignment(
    x: Draws, parameters: xr.Dataset, evidence: Evidence, view: View, chance: Chance
) -> dict[str, Any]:
    return alignment.derive(dict(x), evidence, view)


def _time_horizon(
    x: Draws, parameters: xr.Dataset, evidence: Evidence, view: View, chance: Chance
) -> dict[str, Any]:
    return time_horizon.derive(x, parameters, evidence, view, chance, HORIZON_DATES)


_JOINT = Model(
    name="joint",
    title="Alignment data, alignment tax and timelines",
    version=2,
    quantities=joint.QUANTITIES,
    tables=("scaling_exponents", "loss_laws", "time_horizons", *COMPUTE_TABLES, *ALIGNMENT_TABLES),
    headlines=HEADLINES,
    build=joint.build,
    derive=joint.derive,
    observed=joint.observed,
    simulate=joint.simulate,
    data=joint.data,
    replicate=joint.replicate,
    coords=_fixed(anchor_probability=("anchor", ANCHORS)),
    log_no_tai=joint.log_no_tai,
    pointwise=time_horizon.pointwise,
    background=("labeller_agreement",),
    target_accept=0.75,
)
_SCALING = Model(
    name="scaling",
    title="The data exponent from published scaling studies",
    version=1,
    quantities=scaling.QUANTITIES,
    tables=("scaling_exponents",),
    headlines=("data_exponent", "data_exponent_pooled", "between_study_sd", "kaplan_bias"),
    build=scaling.build,
    derive=_scaling,
    observed=scaling.observed,
    simulate=scaling.simulate,
    data=scaling.data,
    replicate=scaling.replicate,
    coords=_fixed(),
)
_LOSS_LAW = Model(
    name="loss-law",
    title="The loss law of training runs, and how it splits compute",
    version=1,
    quantities=loss_law.QUANTITIES,
    tables=("loss_runs",),
    headlines=(
        "alpha",
        "beta",
        "irreducible_loss",
        "allocation_exponent",
        "data_exponent",
        "tokens_per_parameter",
    ),
    build=loss_law.build,
    derive=_loss_law,
    observed=loss_law.observed,
    simulate=loss_law.simulate,
    data=loss_law.data,
    replicate=loss_law.replicate,
    coords=loss_law.coords,
    background=("scaling_exponents", "loss_laws"),
    adaptation="low_rank",
)
_COMPUTE = Model(
    name="compute",
    title="Spend, compute and algorithms of the largest training run",
    version=1,
    quantities=compute.QUANTITIES,
    tables=COMPUTE_TABLES,
    headlines=(
        "spend_growth",
        "hardware_growth",
        "algorithmic_growth",
        "largest_run_offset",
        *FRONTIER,
    ),
    build=compute.build,
    derive=_compute,
    observed=compute.observed,
    simulate=compute.simulate,
    data=compute.data,
    replicate=compute.replicate,
    coords=_fixed(**dict.fromkeys(FRONTIER, ("date", DATES))),
)
_ALIGNMENT = Model(
    name="alignment",
    title="Human feedback and alignment tax of the largest run at a date",
    version=1,
    quantities=alignment.QUANTITIES,
    tables=(*COMPUTE_TABLES, *ALIGNMENT_TABLES),
    headlines=(
        "alignment_hours_needed",
        "alignment_hours_affordable",
        "rlhf_multiple_needed",
        "rlhf_multiple_affordable",
        "alignment_tax",
        "alignment_tax_tolerance",
        "tax_headroom",
        "prob_affordable",
    ),
    build=alignment.build,
    derive=_alignment,
    observed=alignment.observed_all,
    simulate=alignment.simulate_all,
    data=alignment.data_all,
    replicate=alignment.replicate_all,
    coords=_fixed(),
)
_TIME_HORIZON = Model(
    name="time-horizon",
    title="Length of tasks that AI completes, and the superhuman coder",
    version=1,
    quantities=time_horizon.QUANTITIES,
    tables=("time_horizons",),
    headlines=(
        "superhuman_coder_year",
        "superhuman_coder_past",
        "superexponential_probability",
        "time_horizon_doubling",
        "time_horizon_level",
        "time_horizon",
    ),
    build=time_horizon.build,
    derive=_time_horizon,
    observed=time_horizon.observed,
    simulate=time_horizon.simulate,
    data=time_horizon.data,
    replicate=time_horizon.replicate,
    coords=_fixed(time_horizon=("date", HORIZON_DATES)),
    pointwise=time_horizon.pointwise,
)
_OUTER_ALIGNMENT = Model(
    name="outer-alignment",
    title="Outer alignment as data quality: comparisons that single out an aligned policy",
    version=1,
    quantities=outer_alignment.QUANTITIES,
    tables=("labeller_agreement",),
    headlines=(
        "data_suffices",
        "comparisons_needed",
        "outer_alignment_hours",
        "outer_alignment_cost",
        "quality_factor_needed",
        "label_advantage",
        "label_error",
        "label_error_study",
    ),
    build=outer_alignment.build,
    derive=_outer_alignment,
    observed=outer_alignment.observed,
    simulate=outer_alignment.simulate,
    data=outer_alignment.data,
    replicate=outer_alignment.replicate,
    coords=outer_alignment.coords,
)
_OVEROPTIMIZATION = Model(
    name="overoptimization",
    title="How far a learned reward can be optimised, and the labels that move that point out",
    version=1,
    quantities=overoptimization.QUANTITIES,
    tables=("gold_curves",),
    headlines=(
        "peak_kl",
        "peak_gold",
        "gold_alpha",
        "gold_beta",
        "gold_lost",
        "labels_needed",
        "labels_multiple_needed",
        "labels_suffice",
    ),
    build=overoptimization.build,
    derive=_overoptimization,
    observed=overoptimization.observed,
    simulate=overoptimization.simulate,
    data=overoptimization.data,
    replicate=overoptimization.replicate,
    coords=overoptimization.coords,
    adaptation="low_rank",
)
_DENSITY_PREDICTION = Model(
    name="density-prediction",
    title="Predicting the density of zeros: failures against each adversary, and the theorem's bound",
    version=1,
    quantities=density_trials.QUANTITIES,
    tables=("density_trials",),
    headlines=(
        "worst_failure",
        "worst_within_bound",
        "failure_probability",
        "prediction_failure",
        "adversary_spread",
    ),
    build=density_trials.build,
    derive=_density_prediction,
    observed=density_trials.observed,
    simulate=density_trials.simulate,
    data=density_trials.data,
    replicate=density_trials.replicate,
    coords=density_trials.coords,
)
MODELS: Mapping[str, Model] = MappingProxyType(
    {
        m.name: m
        for m in (
            _JOINT,
            _SCALING,
            _LOSS_LAW,
            _COMPUTE,
            _TIME_HORIZON,
            _ALIGNMENT,
            _OUTER_ALIGNMENT,
            _OVEROPTIMIZATION,
            _DENSITY_PREDICTION,
        )
    }
)


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
        )
    return MODELS[name]


def restrict(evidence: Evidence, view: View, model: Model) -> Evidence:
    """Evidence that a model uses under a view: its tables, those the view names, up to the view's date.

    Tables with a likelihood in other models alone are left out, so that a run neither stores them
    nor depends on them.
    """
    use = view.evidence.use
    named = (
        model.tables
        if use == "all"
        else ()
        if use == "none"
        else tuple(t for t in model.tables if t in use)
    )
    foreign = {name for other in MODELS.values() for name in other.tables} - {
        *model.tables,
        *model.background,
    }
    chosen = Evidence(
        {name: rows for name, rows in evidence.only(named).tables.items() if name not in foreign}
    )
    return chosen if view.evidence.until is None else chosen.until(view.evidence.until)
