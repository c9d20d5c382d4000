"""Another choice of evidence, under which a run is refitted."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import xarray as xr

from aligntax.models.evidence import Evidence
from aligntax.models.views import View

READ_HORIZONS = ("superexponential_probability", "superhuman_coder_year")
"""Quantities of the table that reads the evaluations of time horizons otherwise."""


@dataclass(frozen=True)
class Variant:
    """Another choice of evidence.

    Attributes
    ----------
    kind : {"study", "table", "status", "outliers", "reading", "horizon"}
    label : str
        What differs, in words.
    left : mapping of str to tuple of str
        Units left out, by table.
    evidence : Evidence, optional
        The whole evidence, where rows change in another way.
    reading : tuple of str
        Of practice and of the workforce, in words; empty for other kinds.
    rows : mapping of str to xarray.Dataset
        Likelihood rows by table, as many as before, that stand in for the model's own.
    view : View, optional
        Another view, which differs in its priors alone.
    """

    kind: str
    label: str
    left: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    evidence: Evidence | None = None
    reading: tuple[str, ...] = ()
    rows: Mapping[str, xr.Dataset] = field(default_factory=dict)
    view: View | None = None
