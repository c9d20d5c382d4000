"""The models that can be run, by name: how each is built, what is derived from its draws and what its report leads with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import xarray as xr

from models import alignment, compute, joint, scaling
from models.arrival import Chance
from models.compute import Trend
from models.errors import InputError
from models.evidence import Evidence
from models.quantities import HEADLINES
from models.views import ANCHORS, View

__all__ = ["MODELS", "Model", "find_model", "restrict"]

Draws = Mapping[str, Any]

DATES = (2027.0, 2030.0, 2035.0, 2040.0, 2050.0)  # at which the compute model answers
FRONTIER = ("frontier_spend", "frontier_flop", "effective_flop")
COMPUTE_TABLES = ("training_runs", "algorithmic_progress")
ALIGNMENT_TABLES = ("rlhf_efforts", "alignment_compute_shares")


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
    coords : mapping
        Extra dimension of a derived quantity: name -> (dimension, labels).
    log_no_tai : callable, optional
        ``(x, parameters, evidence, view)`` to the log probability of each draw that nothing has arrived yet.
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
    coords: Mapping[str, tuple[str, tuple[Any, ...]]]
    log_no_tai: Callable[[Draws, xr.Dataset, Evidence, View], Any] | None = None


def _scaling(x: Draws, parameters: xr.Dataset, evidence: Evidence, view: View, chance: Chance) -> dict[str, Any]:
    return scaling.derive(dict(x), parameters)


def _compute(x: Draws, parameters: xr.Dataset, evidence: Evidence, view: View, chance: Chance) -> dict[str, Any]:
    return compute.derive(dict(x), Trend.of(evidence, view), DATES)


def _alignment(x: Draws, parameters: xr.Dataset, evidence: Evidence, view: View, chance: Chance) -> dict[str, Any]:
    return alignment.derive(dict(x), evidence, view)


_JOINT = Model(
    name="joint",
    title="Alignment data, alignment tax and timelines",
    version=1,
    quantities=joint.QUANTITIES,
    tables=("scaling_exponents", *COMPUTE_TABLES, *ALIGNMENT_TABLES),
    headlines=HEADLINES,
    build=joint.build,
    derive=joint.derive,
    observed=joint.observed,
    simulate=joint.simulate,
    coords={"anchor_probability": ("anchor", ANCHORS)},
    log_no_tai=joint.log_no_tai,
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
    coords={},
)
_COMPUTE = Model(
    name="compute",
    title="Spend, compute and algorithms of the largest training run",
    version=1,
    quantities=compute.QUANTITIES,
    tables=COMPUTE_TABLES,
    headlines=("spend_growth", "hardware_growth", "algorithmic_growth", "largest_run_offset", *FRONTIER),
    build=compute.build,
    derive=_compute,
    observed=compute.observed,
    simulate=compute.simulate,
    coords={name: ("date", DATES) for name in FRONTIER},
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
    coords={},
)
MODELS: Mapping[str, Model] = MappingProxyType({m.name: m for m in (_JOINT, _SCALING, _COMPUTE, _ALIGNMENT)})


def find_model(name: str) -> Model:
    """Return the model of that name.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in MODELS:
        raise InputError(f"model: must be one of {', '.join(MODELS)}, got {name!r}; check the spelling")
    return MODELS[name]


def restrict(evidence: Evidence, view: View, model: Model) -> Evidence:
    """Evidence that a model uses under a view: its tables, those the view names, up to the view's date."""
    use = view.evidence.use
    named = model.tables if use == "all" else () if use == "none" else tuple(t for t in model.tables if t in use)
    chosen = evidence.only(named)
    return chosen if view.evidence.until is None else chosen.until(view.evidence.until)
