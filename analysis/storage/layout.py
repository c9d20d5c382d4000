"""What a run drew, as the package works with it and as its file holds it.

The file is laid out as ArviZ's users expect, so that what they type first is right:

=========================  =====================================================================
``posterior``, ``prior``   every quantity on its own scale, elicited and derived, and the
                           structural parameters. What lies beyond the horizon or never comes is
                           ``+inf``, what an earlier world would have needed ``-inf``, and what
                           is undefined NaN
``unconstrained_*``        ``z``: standard-normal scores of the elicited quantities
``log_likelihood``,        one variable per table of evidence, under one name
``observed_data``,
``posterior_predictive``
``constant_data``          ``<table>_<column>``: what the likelihood takes as given
=========================  =====================================================================

The package works with ``z`` and structural parameters (:attr:`Groups.draws`) on the one hand, and
with quantities without infinities beside their states (:attr:`Groups.derived`) on the other.
:class:`Groups` turns one into the other and back. Nothing is stored twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from aligntax.models.states import resolved, stated

if TYPE_CHECKING:
    import xarray as xr

POSTERIOR, PRIOR = "posterior", "prior"
UNCONSTRAINED = {POSTERIOR: "unconstrained_posterior", PRIOR: "unconstrained_prior"}
EVIDENCE = "evidence"
# Scores and quantities that a refit moves, in its own file. They are no posterior: ArviZ would
# summarise them without their weights.
MOVED, CHANGED = "moved_scores", "changed_quantities"
WITH_QUANTITIES = (POSTERIOR, CHANGED, "derived")  # the last in files of format 1
STRUCTURAL = "structural"  # attribute of a group: names of its structural parameters
UNREPORTED = "unreported"  # attribute: those of them that are no quantities
# ArviZ's attribute for chain and draw, its default. A file gives it back as an array, at which
# `az.extract` fails.
SAMPLE_DIMS = "sample_dims"
INFINITE = (
    "+inf: above everything (later than the horizon, or never); -inf: below everything; "
    "NaN: undefined. aligntax.dates_for_plot draws the rest and says the share"
)
WEIGHED = (
    "draws do not count the same: x.weighted(x.weight), or Result.equally_weighted() for tools "
    "that know no weights"
)
PLAIN = (
    "sample_stats",
    "log_likelihood",
    "log_prior",
    "posterior_predictive",
    "prior_predictive",
    "observed_data",
    "constant_data",
    "weights",
)


def _empty() -> Any:
    import xarray as xr

    return xr.Dataset()


@dataclass(frozen=True)
class Groups:
    """What a run drew; a group that it lacks is empty.

    Attributes
    ----------
    draws, prior_draws : xarray.Dataset
        ``z`` (chain, draw, quantity) and structural parameters.
    derived, prior_derived : xarray.Dataset
        Every quantity, without infinities, and states of missing values; see
        :mod:`aligntax.models.states`.
    log_likelihood, observed_data, posterior_predictive, prior_predictive : xarray.Dataset
        One variable per table of evidence.
    constant_data : xarray.Dataset
        As of :func:`aligntax.analysis.inference.derive.given_evidence`.
    weights : xarray.Dataset
        ``log_weight`` (chain, draw), where draws do not count the same.
    evidence : mapping
        Tables by name.
    """

    draws: "xr.Dataset" = field(default_factory=_empty)
    derived: "xr.Dataset" = field(default_factory=_empty)
    log_prior: "xr.Dataset" = field(default_factory=_empty)
    log_likelihood: "xr.Dataset" = field(default_factory=_empty)
    sample_stats: "xr.Dataset" = field(default_factory=_empty)
    prior_draws: "xr.Dataset" = field(default_factory=_empty)
    prior_derived: "xr.Dataset" = field(default_factory=_empty)
    posterior_predictive: "xr.Dataset" = field(default_factory=_empty)
    prior_predictive: "xr.Dataset" = field(default_factory=_empty)
    observed_data: "xr.Dataset" = field(default_factory=_empty)
    constant_data: "xr.Dataset" = field(default_factory=_empty)
    weights: "xr.Dataset" = field(default_factory=_empty)
    evidence: "Mapping[str, xr.Dataset]" = field(default_factory=dict)

    @cached_property
    def predictable(self) -> "tuple[xr.Dataset, xr.Dataset]":
        """Observations and their replicates, without rows whose figure is only a bound."""
        observed, predicted = self.observed_data, self.posterior_predictive
        if not (observed.data_vars and predicted.data_vars):
            return _empty(), _empty()
        rows = {}
        for name, array in observed.items():
            if (exact := f"{name}_exact") in self.constant_data:
                rows[array.dims[0]] = np.flatnonzero(self.constant_data[exact].values)
        return observed.isel(rows), predicted.isel(rows)

    def stored(self) -> "dict[str, xr.Dataset]":
        """Groups of the file by name, with units and meanings; empty ones are left out.

        Raises
        ------
        ValueError
            If a structural parameter and a quantity share a name and not their values.
        """
        from aligntax.analysis.storage.attributes import described, described_rows

        groups = {}
        for name, draws, derived in (
            (POSTERIOR, self.draws, self.derived),
            (PRIOR, self.prior_draws, self.prior_derived),
        ):
            if draws.data_vars or derived.data_vars:
                groups[name] = described(_natural(draws, derived))
            if "z" in draws:
                scores = draws[["z"]].drop_attrs(deep=False)
                groups[UNCONSTRAINED[name]] = described(scores)
        if self.weights.data_vars and POSTERIOR in groups:
            groups[POSTERIOR] = groups[POSTERIOR].assign_attrs(weights=WEIGHED)
        for name in PLAIN:
            if (group := getattr(self, name)).data_vars:
                groups[name] = described_rows(name, group)
        groups = {name: _without_sample_dims(group) for name, group in groups.items()}
        return groups | {f"{EVIDENCE}/{name}": rows for name, rows in self.evidence.items()}

    @classmethod
    def of(cls, tree: "xr.DataTree") -> "Groups":
        """Inverse of :meth:`stored`."""
        found = {name: node.to_dataset() for name, node in tree.children.items()}
        parts: dict[str, Any] = {name: found[name] for name in PLAIN if name in found}
        for name, draws, derived in (
            (POSTERIOR, "draws", "derived"),
            (PRIOR, "prior_draws", "prior_derived"),
        ):
            if name in found:
                natural = found[name]
                parts[draws] = drawn(natural, found.get(UNCONSTRAINED[name], _empty()))
                parts[derived] = _companions(natural)
        if EVIDENCE in tree.children:
            tables = tree[EVIDENCE].children.items()
            parts["evidence"] = {name: node.to_dataset() for name, node in tables}
        return cls(**parts)


def _without_sample_dims(group: "xr.Dataset") -> "xr.Dataset":
    kept = {name: value for name, value in group.attrs.items() if name != SAMPLE_DIMS}
    bare = group.copy()
    bare.attrs = kept
    return bare


def _natural(draws: "xr.Dataset", derived: "xr.Dataset") -> "xr.Dataset":
    """Quantities with their infinities, and structural parameters."""
    parameters = draws.drop_vars("z", errors="ignore").drop_dims("quantity", errors="ignore")
    values = {}
    for name, array in derived.items():
        state = f"{name}_state"
        if str(name).endswith("_state") and str(name).removesuffix("_state") in derived:
            continue
        if state in derived:
            whole = resolved(array.values, derived[state].values).astype(array.dtype)
            array = array.copy(data=whole)
        values[str(name)] = array
    for name in set(map(str, parameters)) & set(values):
        if not np.array_equal(parameters[name].values, values[name].values, equal_nan=True):
            raise ValueError(f"{name} is a structural parameter, and another quantity")
    only = [str(name) for name in parameters if name not in values]
    attrs = {
        **draws.attrs,
        STRUCTURAL: " ".join(map(str, parameters)),
        UNREPORTED: " ".join(only),
        "infinite": INFINITE,
    }
    quantities = derived.drop_vars(list(derived.data_vars)).assign(values)
    return quantities.assign({name: parameters[name] for name in only}).assign_attrs(attrs)


def drawn(natural: "xr.Dataset", unconstrained: "xr.Dataset") -> "xr.Dataset":
    """``z`` and structural parameters, from the groups of the file."""
    parameters = natural[natural.attrs.get(STRUCTURAL, "").split()]
    both: xr.Dataset = parameters.assign(unconstrained.data_vars)
    return both.drop_attrs(deep=False).assign_attrs(_attributes(natural))


def _attributes(natural: "xr.Dataset") -> dict[str, Any]:
    """Attributes of a group without those of the layout."""
    own = (STRUCTURAL, UNREPORTED, "infinite", "weights")
    return {str(name): value for name, value in natural.attrs.items() if name not in own}


def _companions(natural: "xr.Dataset") -> "xr.Dataset":
    """Finite quantities and the states of those that are not finite everywhere."""
    quantities = natural.drop_vars(natural.attrs.get(UNREPORTED, "").split())
    unused = set(quantities.dims) - {dim for array in quantities.values() for dim in array.dims}
    values: dict[str, Any] = {}
    for name, array in quantities.items():
        values[str(name)] = array
        if array.dtype.kind == "f" and not np.isfinite(array.values).all():
            both = stated({"x": array.values})
            values[str(name)] = array.copy(data=both["x"].astype(array.dtype))
            values[f"{name}_state"] = (array.dims, both["x_state"])
    bare = quantities.drop_vars([*quantities.data_vars, *unused], errors="ignore")
    return bare.assign(values).drop_attrs(deep=False).assign_attrs(_attributes(natural))
