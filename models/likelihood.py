"""What a model file says of the tables that it conditions on."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import xarray as xr

from aligntax.models.evidence import Evidence
from aligntax.models.views import View


@dataclass(frozen=True)
class Likelihood:
    """Functions of a model file, by which its tables are conditioned on and replicated.

    Attributes
    ----------
    data : callable
        ``(evidence, view) -> dict`` of the numbers that the graph holds as ``pm.Data``: one Dataset
        per name.
    observed : callable
        ``(evidence, view) -> dict`` of the evidence on the scale of its likelihood.
    simulate : callable
        ``(x, parameters, evidence, view, rng) -> dict`` of replicated evidence, under the names of
        ``observed``.
    replicate : callable
        ``(x, parameters, evidence, view, rng) -> dict`` of the likelihood rows that one draw might
        have seen, by table; ``x`` and ``parameters`` are scalars. What a likelihood takes as given
        stays. See :meth:`Evidence.with_likelihood_rows`.
    top_level : tuple of str
        Structural parameters with a prior of their own. The others are terms of a hierarchy, whose
        distribution depends on other parameters: neither prior nor likelihood.
    refreshed : tuple of str
        Elicited quantities that gradients move slowly, since the likelihood is a mixture. They are
        proposed anew, given all others.
    """

    data: Callable[[Evidence, View], dict[str, xr.Dataset]]
    observed: Callable[[Evidence, View], dict[str, xr.DataArray]]
    simulate: Callable[..., dict[str, tuple[str, Any]]]
    replicate: Callable[..., dict[str, xr.Dataset]]
    top_level: tuple[str, ...]
    refreshed: tuple[str, ...] = ()

    @classmethod
    def of(cls, file: ModuleType) -> "Likelihood":
        """Return the likelihood of a model file, which has the names of the fields."""
        functions = file.data, file.observed, file.simulate, file.replicate
        return cls(*functions, file.TOP_LEVEL, getattr(file, "REFRESHED", ()))
