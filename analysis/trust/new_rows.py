"""Rows that further evidence may bring: their designs, their simulation and their density.

A new row has the design of one of the latest own rows, such as its error and its size, and comes a
year later. Its figures are simulated under a draw ``theta_j``. Given a draw, rows of a table are
independent but for errors that they share, and those have parameters or belong to groups::

    p(own rows, y_j | theta) / p(own rows | theta) = p(y_j | theta)

New studies form groups of their own. New time horizons are measured on the same suite, whose errors
are parameters, and follow the shape of the trend that each draw has. New runs are counted off in no
ten, since ten of them would have to come first. The developer whose model arrives remains one of
those that have paid already.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.inference.compile_cache import before_pytensor
from aligntax.analysis.inference.compiled_model import data_of_evidence
from aligntax.analysis.inference.derive import split_draws
from aligntax.analysis.inference.terms import Terms
from aligntax.analysis.trust.calibration.doubled_evidence import LIKELIHOOD_ROWS
from aligntax.models.catalogue import Model
from aligntax.models.evidence import NO_TAI, TABLES, Evidence
from aligntax.models.horizon_trend import SHAPES, shape_weights
from aligntax.models.priors.columns import stack_columns
from aligntax.models.priors.tables import PriorTables
from aligntax.models.time_horizon import log_shapes
from aligntax.models.views import View

RECENT = 10  # own rows, the latest, whose designs new rows have
LATER = 1.0  # years
HORIZONS = "time_horizons"


def tables_with_rows(model: Model, evidence: Evidence, view: View) -> tuple[str, ...]:
    """Tables of a model whose new rows can be simulated: those that have own rows."""
    known = [table for table in model.tables_of(evidence) if table in LIKELIHOOD_ROWS]
    return tuple(table for table in known if _dim_of(_own(table, evidence, view)))


def parameters_of(graph: Any, quantities: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Elicited quantities and single structural parameters of the likelihood of each table."""
    from pytensor.graph.traversal import ancestors

    single = (variable.name for variable in graph.free_RVs if variable.ndim == 0)
    names = (*quantities, *single)
    touched = {term.name: {v.name for v in ancestors([term])} for term in graph.potentials}
    return {table: tuple(n for n in names if n in found) for table, found in touched.items()}


def rows_a_year(table: str, evidence: Evidence, view: View) -> int:
    """Number of own rows that came in the last full calendar year of the evidence."""
    year = np.floor(evidence.constant(NO_TAI)) - 1.0
    return int(np.sum(np.floor(_dates(table, evidence, view)) == year))


def _own(table: str, evidence: Evidence, view: View) -> xr.Dataset:
    return LIKELIHOOD_ROWS[table](evidence, view)


def _dim_of(rows: xr.Dataset) -> str:
    """Dimension of likelihood rows; empty if there are none."""
    dim = str(next(iter(rows.data_vars.values())).dims[0])
    return dim if rows.sizes[dim] else ""


def _dates(table: str, evidence: Evidence, view: View) -> Any:
    """Decimal year, or year, in which each own row became known."""
    rows, known = _own(table, evidence, view), evidence[table]
    dim = TABLES[table].dim
    return known[TABLES[table].dated].sel({dim: rows[dim].values}).values


def latest_rows(table: str, evidence: Evidence, view: View) -> xr.Dataset:
    """The own likelihood rows whose designs new rows have."""
    latest = np.argsort(_dates(table, evidence, view), kind="stable")[-RECENT:]
    rows = _own(table, evidence, view)
    return rows.isel({_dim_of(rows): latest})


def designs(table: str, latest: xr.Dataset, number: int, rng: np.random.Generator) -> xr.Dataset:
    """Likelihood rows of new evidence before it is simulated, after those of the latest rows."""
    dim = _dim_of(latest)
    new = latest.isel({dim: rng.integers(latest.sizes[dim], size=number)})
    new = new.assign_coords({dim: [f"new {i + 1}" for i in range(number)]})
    if "date" in new:
        new = new.assign(date=new["date"] + LATER)
    return _apart(table, new, np.arange(number))


def rows_that_came(table: str, before: Evidence, after: Evidence, view: View) -> xr.Dataset:
    """Likelihood rows that later evidence has and earlier evidence has not."""
    rows, old = _own(table, after, view), _own(table, before, view)
    dim = TABLES[table].dim
    rows = rows.isel({dim: ~np.isin(rows[dim].values, old[dim].values)})
    group = rows["group_index"].values if "group_index" in rows else None
    return _apart(table, rows, group)


def _apart(table: str, rows: xr.Dataset, group: Any) -> xr.Dataset:
    """New rows, which share neither a ten nor a group with the own."""
    if table == "training_runs":
        alone = {"ten": -1, "largest": False, "ceiling": np.nan}
        return rows.assign({n: xr.full_like(rows[n], value) for n, value in alone.items()})
    if table == "scaling_exponents":
        names, index = np.unique(group, return_inverse=True)
        rows = rows.drop_vars("group").assign_coords(group=[f"new {each + 1}" for each in names])
        return rows.assign(group_index=("study", index))
    return rows


@dataclass(frozen=True)
class NewRows:
    """Simulates new rows of every table under a draw, and weighs all draws by them.

    Attributes
    ----------
    evidence : Evidence
        What the run was conditioned on.
    draws : xarray.Dataset
        ``z`` (chain, draw, quantity) and structural parameters.
    shape : ndarray of int, shape (chain, draw), or None
        Shape of the horizon's trend in each draw.
    numbers : mapping of str to int
        New rows of each table.
    terms : Terms
        Of a graph whose evidence is the new rows alone.
    bears_on : mapping of str to tuple of str
        Parameters of each table's likelihood; see :func:`parameters_of`.
    latest : mapping of str to xarray.Dataset
        Rows whose designs the new rows have; see :func:`latest_rows`.
    fixed : mapping of str to xarray.Dataset
        Rows that have the designs of the new ones, in the place of any of the latest.
    """

    model: Model
    view: View
    evidence: Evidence
    tables: PriorTables
    draws: xr.Dataset
    shape: Any
    numbers: Mapping[str, int]
    terms: Terms
    bears_on: Mapping[str, tuple[str, ...]]
    latest: Mapping[str, xr.Dataset]
    fixed: Mapping[str, xr.Dataset] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        model: Model,
        evidence: Evidence,
        view: View,
        draws: xr.Dataset,
        shape: Any,
        numbers: Mapping[str, int],
    ) -> "NewRows":
        """Build the graph of the new rows; nothing is compiled."""
        before_pytensor()
        from aligntax.analysis.inference.graphs.live import LiveGraph

        rng = np.random.default_rng(0)  # any designs: the rows of each simulation replace them
        latest = {table: latest_rows(table, evidence, view) for table in numbers}
        rows = {table: designs(table, latest[table], k, rng) for table, k in numbers.items()}
        graph = model.build(evidence.with_likelihood_rows(rows), view)
        bears_on = parameters_of(graph, model.quantities)
        graph.potentials = [t for t in graph.potentials if t.name in rows and t.name != HORIZONS]
        terms = Terms(LiveGraph(graph), {}, graph.coords)
        tables = view.tables(model.quantities)
        return cls(
            model, view, evidence, tables, draws, shape, dict(numbers), terms, bears_on, latest
        )

    def simulated(self, at: tuple[int, int], rng: np.random.Generator) -> dict[str, xr.Dataset]:
        """Likelihood rows that the draw ``at`` (chain, draw) might bring, by table."""
        chain, draw = at
        rows = self.fixed or {
            table: designs(table, self.latest[table], k, rng) for table, k in self.numbers.items()
        }
        x, parameters = split_draws(self.draws.isel(chain=[chain], draw=[draw]), self.tables)
        one = {name: np.asarray(value[0, 0]) for name, value in x.items()}
        if self.shape is not None:
            own = np.arange(len(SHAPES)) == self.shape[chain, draw]
            one |= {n: np.asarray(v) for n, v in shape_weights(own.astype(float)).items()}
        ready = self.evidence.with_likelihood_rows(rows)
        drawn = self.model.replicate(one, parameters.isel(chain=0, draw=0), ready, self.view, rng)
        return {table: drawn[table] for table in rows}

    def log_densities(self, rows: Mapping[str, xr.Dataset]) -> dict[str, Any]:
        """Log density of each new row under every draw, (draw, row), chains one after another."""
        ready, outline = self.evidence.with_likelihood_rows(rows), self.terms.graph.outline
        held = data_of_evidence(ready, self.view, self.model, outline)
        data = {name: stack_columns(each) for name, each in held.items()}
        terms = replace(self.terms, data=data).log_likelihood(self.draws, self.tables)
        size = self.draws.sizes["chain"] * self.draws.sizes["draw"]
        found = {str(name): v.values.reshape(size, -1) for name, v in terms.data_vars.items()}
        if HORIZONS in rows:
            found[HORIZONS] = self._log_horizons(ready)
        return found

    def _log_horizons(self, ready: Evidence) -> Any:
        """Log density of each new horizon under the shape that the draw has, (draw, row)."""
        x, parameters = split_draws(self.draws, self.tables)
        flat = {name: value.ravel() for name, value in x.items()}
        stacked = parameters.stack(sample=("chain", "draw"))
        terms = log_shapes(flat, stacked, ready, self.view)[1]
        return np.take_along_axis(terms, self.shape.reshape(-1, 1, 1), axis=1)[:, 0]
