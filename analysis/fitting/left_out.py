"""Stored draws as draws of the posterior without some of the evidence.

A unit of evidence is what enters the likelihood as one factor: a row, studies on the same runs, or
a whole table. Without the units ``i`` that are left out, a draw counts as often as its likelihood
of them is small, whatever its prior::

    p(theta | y without y_i)  proportional to  p(theta | y) / prod_i p(y_i | theta)
    log w = -sum_i log p(y_i | theta)

The factors are those that the run stores. Such a posterior is wider than the one sampled, so that
its weights have heavy tails, and their checks decide: see
:func:`aligntax.analysis.fitting.reweight.weigh_draws`. No weight stands for a row that quantities
are derived from too, as the developer whose model arrives is one of those that have paid.

References
----------
.. [1] Gelfand, Dey, Chang, "Model determination using predictive distributions", 1992.
.. [2] Vehtari, Gelman, Gabry, "Practical Bayesian model evaluation using leave-one-out
       cross-validation and WAIC", 2017. doi:10.1007/s11222-016-9696-4
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.fitting.reweight import CarriedDraws
from aligntax.analysis.inference.derive import derive_from
from aligntax.analysis.inference.seeds import child_generator
from aligntax.models.catalogue import Model
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.evidence.schema import TABLES
from aligntax.models.evidence.variants import without_rows
from aligntax.models.short_form import short_form

FEW = 64  # draws that show whether a quantity follows from a row
MOST = 20  # units of a table that are told apart; a longer table is one unit
GROUP = "independence_group"  # column of a table whose units are of several rows


@dataclass(frozen=True)
class Unit:
    """A factor of the likelihood.

    Attributes
    ----------
    table, label : str
        Table of evidence, and the row or group of rows in it; a whole table has no label.
    log_density : ndarray, shape (chain, draw)
    """

    table: str
    label: str
    log_density: Any = field(repr=False)
    __repr__ = short_form

    @property
    def key(self) -> str:
        """As it is written in a command: ``TABLE:ROW`` or ``TABLE``."""
        return f"{self.table}:{self.label}" if self.label else self.table


def units(log_likelihood: xr.Dataset, model: Model) -> Iterator[Unit]:
    """Factors of a run's likelihood; that of no TAI is a setting of the view and not among them.

    Parameters
    ----------
    log_likelihood : xarray.Dataset
        As stored, (chain, draw) or (chain, draw, unit) by table.
    """
    for table in model.tables:
        if table not in log_likelihood:
            continue
        terms = log_likelihood[table].transpose("chain", "draw", ...)
        dims = terms.dims[2:]
        # rows of a table whose likelihood is one term are not independent given a draw
        if len(dims) != 1 or not 1 < terms.sizes[dims[0]] <= MOST:
            yield Unit(table, "", terms.values.sum(axis=tuple(range(2, terms.ndim))))
            continue
        for i, label in enumerate(terms[dims[0]].values.tolist()):
            yield Unit(table, str(label), terms.values[..., i])


def leave_out(carried: CarriedDraws, left: Sequence[Unit]) -> CarriedDraws:
    """Carried draws whose posterior lacks some units of evidence too."""
    if not left:
        return carried
    ratio = -np.sum([unit.log_density for unit in left], axis=0)
    if carried.log_ratio is not None:
        ratio = ratio + carried.log_ratio
    return replace(carried, log_ratio=ratio, left_out=tuple(unit.key for unit in left))


def tables_derived_from(carried: CarriedDraws, found: Sequence[Unit]) -> frozenset[str]:
    """Tables from which quantities follow at given parameters, too: some draws are tried."""
    source = carried.source
    x = {name: values[:1, :FEW] for name, values in carried.x.items()}
    parameters = carried.parameters.isel(chain=slice(1), draw=slice(FEW))

    def derived(evidence: Evidence) -> xr.Dataset:
        chance = child_generator(source.seed, "arrival")
        return derive_from(source.model, x, parameters, evidence, carried.view, chance)

    whole = derived(source.evidence)

    def bears(key: str) -> bool:
        try:
            less = derived(evidence_without(source.evidence, [key]))
        except (ValueError, LookupError):  # parameters of rows that are no longer there
            return True
        return not whole.equals(less)

    one = {unit.table: unit.key for unit in found}
    return frozenset(table for table, key in one.items() if bears(key))


def evidence_without(evidence: Evidence, keys: Collection[str]) -> Evidence:
    """Evidence in which units, named by their keys, are not used.

    Raises
    ------
    InputError
        If a key names no table, or no used row of it.
    """
    left: dict[str, list[str]] = {}
    for key in keys:
        table, _, label = key.partition(":")
        known = [name for name in evidence.tables if "used" in evidence[name]]
        if table not in known:
            raise _unknown("a table of evidence", table, known)
        rows = _used_rows(evidence[table], TABLES[table].dim)
        if label and label not in rows:
            raise _unknown(f"a used row of {table}", label, rows)
        named = [rows[label]] if label else rows.values()
        left.setdefault(table, []).extend(row for each in named for row in each)
    return without_rows(evidence, left)


def _used_rows(table: xr.Dataset, dim: str) -> Mapping[str, list[str]]:
    """Keys of used rows, by their own key and by the group that they are in."""
    rows: dict[str, list[str]] = {}
    used = table.isel({dim: np.flatnonzero(table["used"].values)})
    keys = [str(key) for key in used[dim].values]
    for key in keys:
        rows.setdefault(key, [key])
    if GROUP in used:
        for key, group in zip(keys, used[GROUP].values.tolist(), strict=True):
            if group and key not in rows.setdefault(str(group), []):
                rows[str(group)].append(key)
    return rows


def _unknown(rule: str, got: str, known: Collection[str]) -> InputError:
    near = get_close_matches(got, list(known), n=1)
    remedy = f"did you mean {near[0]}?" if near else f"one of {', '.join(sorted(known))}"
    return InputError(f"without: must name {rule}, got {got!r}; {remedy}")
