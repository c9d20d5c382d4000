"""Posteriors without some of the evidence, and the density of what was left out.

Every term of the log likelihood is multiplied by how often it counts: once, not at all if it is
left out, or in part. These counts are data of the graph, so that one compiled model serves every
choice::

    log p(theta | y) = log p(theta) + sum_i counts_i log p(y_i | theta) + constant
    log p(y_i | y_-i, theta) = log p(y | theta) - log p(y_-i | theta)

The second line is the density of unit ``i`` given a draw, and given the rows that stay, where the
rows of a table are not independent given a draw. A unit is an element of a term; studies on the
same runs are one unit. Tables whose likelihood is one term have a count per row in their data
instead (:attr:`aligntax.models.catalogue.Model.counted_rows`).
"""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.inference.compile_cache import before_pytensor
from aligntax.analysis.inference.compiled_model import CompiledModel
from aligntax.analysis.inference.gradient import gradient_of
from aligntax.analysis.inference.graphs.keeping import processor_for
from aligntax.analysis.inference.options import Sampling
from aligntax.models.blocks import in_blocks
from aligntax.models.catalogue import Model, restrict
from aligntax.models.evidence import Evidence
from aligntax.models.views import View

COUNTS = "counts"  # in the graph: one number per element of every term


@dataclass(frozen=True)
class PosteriorDraws:
    """Draws of a posterior, of which some units may be left out.

    Attributes
    ----------
    unconstrained : ndarray, shape (chain, draw, parameter)
        The same draws in the coordinates of the sampler.
    """

    posterior: xr.Dataset
    sample_stats: xr.Dataset
    unconstrained: Any


@dataclass(frozen=True)
class Densities:
    """Log posterior and log likelihood of a PyMC graph at unconstrained points."""

    graph: Any

    @cached_property
    def _whole(self) -> Any:
        """Log prior of every variable, Jacobian included, and every term, at (draw, parameter)."""
        return self._compile([*self.graph.logp(vars=self.graph.free_RVs, sum=False), *self._terms])

    @cached_property
    def _alone(self) -> dict[str, Any]:
        """Functions of single terms by name; each is compiled when it is first asked for."""
        return {}

    @property
    def _terms(self) -> list[Any]:
        terms: list[Any] = self.graph.replace_rvs_by_values(self.graph.potentials)
        return terms

    def _compile(self, outputs: list[Any]) -> Any:
        """Values of a graph's variables at points, (draw, parameter)."""
        import pytensor
        import pytensor.tensor as pt
        from pytensor.graph.replace import graph_replace, vectorize_graph

        start = self.graph.initial_point()
        ends = np.cumsum([0, *(start[v.name].size for v in self.graph.value_vars)])
        point = pt.vector("point", shape=(int(ends[-1]),))
        pieces = {
            v: point[low:high].reshape(start[v.name].shape).astype(v.dtype)
            for v, low, high in zip(
                self.graph.value_vars, ends[:-1].tolist(), ends[1:].tolist(), strict=True
            )
        }
        batch = pt.matrix("points", shape=(None, int(ends[-1])))
        at_points = vectorize_graph(
            graph_replace(outputs, pieces, strict=False), replace={point: batch}
        )
        return pytensor.function([batch], at_points, mode="FAST_COMPILE", on_unused_input="ignore")

    def log_posterior(self, points: Any) -> Any:
        """Log posterior up to a constant, for points (..., parameter)."""

        def total(values: list[Any]) -> Any:
            return sum(value.reshape(len(value), -1).sum(axis=-1) for value in values)

        return _evaluated(self._whole, total, points)

    def term(self, points: Any, name: str) -> Any:
        """One term of the log likelihood, for points (..., parameter)."""
        if name not in self._alone:
            names = [term.name for term in self.graph.potentials]
            self._alone[name] = self._compile([self._terms[names.index(name)]])
        return _evaluated(self._alone[name], lambda values: values[0], points)


def _evaluated(function: Any, chosen: Callable[[list[Any]], Any], points: Any) -> Any:
    """What is chosen of a function's values, in blocks of points (..., parameter)."""
    flat = points.reshape(-1, points.shape[-1])
    found = in_blocks(lambda block: {"": chosen(function(flat[block]))}, len(flat), at_once=1)[""]
    return found.reshape(*points.shape[:-1], *found.shape[1:])


@dataclass(frozen=True)
class LeaveOut:
    """A compiled model that can be sampled without any of its units; it is compiled once.

    Attributes
    ----------
    compiled : CompiledModel
        Its graph has the data ``counts``, one number per element of every term.
    units : mapping of str to tuple of str
        Labels of the units of each table.
    counts : ndarray
        Value of ``counts``.
    """

    compiled: CompiledModel
    units: Mapping[str, tuple[str, ...]]
    densities: Densities
    counts: Any

    @classmethod
    def of(cls, model: Model, evidence: Evidence, view: View) -> "LeaveOut":
        """Compile a model whose terms have counts, on the evidence that a view uses."""
        return cls.on(model, restrict(evidence, view, model), view)

    @classmethod
    def on(cls, model: Model, evidence: Evidence, view: View) -> "LeaveOut":
        """Compile it on evidence that may have likelihood rows of its own."""
        before_pytensor()
        from aligntax.analysis.inference.graphs.live import LiveGraph

        graph = model.build(evidence, view)
        labels = _labels(graph)
        _multiply_by_counts(graph, labels)
        for table, rows in model.counted_rows.items():
            if table in labels:
                labels[table] = _keys(rows(evidence, view))
        shared = LiveGraph(graph)
        gradient = gradient_of(shared, cpu=processor_for(model))
        whole = CompiledModel(model, view, evidence, shared, gradient)
        return cls(whole, labels, Densities(graph), graph[COUNTS].get_value())

    def without(self, left: Mapping[str, Collection[str]]) -> "LeaveOut":
        """Leave out some units, given by their labels for each table.

        Raises
        ------
        KeyError
            If there is no such unit.
        """
        return self.counting({table: dict.fromkeys(labels, 0.0) for table, labels in left.items()})

    def counting(self, shares: Mapping[str, Mapping[str, float]]) -> "LeaveOut":
        """Count some units by a share, which is the power of their density; the others once.

        Raises
        ------
        KeyError
            If there is no such unit.
        """
        for table, units in shares.items():
            if missing := set(units) - set(self.units[table]):
                raise KeyError(f"{table} has no unit {', '.join(sorted(missing))}")
        compiled, counted = self.compiled, self.compiled.model.counted_rows
        for table in counted.keys() & shares.keys():
            rows = counted[table](compiled.evidence, compiled.view)
            counts = rows[COUNTS] * _counts(_keys(rows), shares[table])
            compiled = compiled.with_evidence(
                compiled.evidence.with_likelihood_rows({table: rows.assign(counts=counts)})
            )
        parts = [
            np.ones(1)
            if term.name in counted
            else _counts(self.units[term.name], shares.get(term.name, {}))
            for term in compiled.graph.potentials
        ]
        counts = np.concatenate(parts)
        compiled = replace(compiled, gradient=compiled.gradient.with_data(**{COUNTS: counts}))
        return replace(self, compiled=compiled, counts=counts)

    def sample(self, options: Sampling) -> PosteriorDraws:
        """Sample the posterior."""
        posterior, stats = self.compiled.posterior(options, unconstrained=True)
        return PosteriorDraws(posterior, stats, stats["unconstrained_draw"].values)

    def log_posterior(self, points: Any) -> Any:
        """Log posterior up to a constant, at unconstrained points (..., parameter)."""
        with self._held():
            return self.densities.log_posterior(points)

    def log_unit(self, points: Any, table: str, label: str) -> Any:
        """Log density of a unit given the other units of its table, at points (..., parameter)."""
        everything = self.without({})
        value = everything.term(points, table)
        if table in self.compiled.model.counted_rows:
            return value - everything.without({table: [label]}).term(points, table)
        return value[..., self.units[table].index(label)] if value.ndim == points.ndim else value

    def term(self, points: Any, table: str) -> Any:
        """Log likelihood of a table with these counts, at unconstrained points (..., parameter)."""
        with self._held():
            return self.densities.term(points, table)

    def _held(self) -> AbstractContextManager[Any]:
        """These counts and this evidence, held by the graph."""
        return self.compiled.shared.live.holding({**self.compiled.data, COUNTS: self.counts})


def _counts(labels: Collection[str], shares: Mapping[str, float]) -> Any:
    """How often each unit counts."""
    return np.array([shares.get(label, 1.0) for label in labels])


def _keys(rows: xr.Dataset) -> tuple[str, ...]:
    """Labels of counted rows."""
    return tuple(rows[rows[COUNTS].dims[0]].values.tolist())


def _labels(graph: Any) -> dict[str, tuple[str, ...]]:
    """Labels of each term's elements; that of a term of one element is its table's name."""
    labels = {}
    for term in graph.potentials:
        dims = graph.named_vars_to_dims.get(term.name, ())
        labels[term.name] = (
            tuple(str(label) for label in graph.coords[dims[0]]) if dims else (term.name,)
        )
    return labels


def _multiply_by_counts(graph: Any, labels: Mapping[str, tuple[str, ...]]) -> None:
    """Multiply every term of a graph by how often it counts."""
    import pymc as pm

    ends = np.cumsum([0, *(len(labels[term.name]) for term in graph.potentials)])
    with graph:
        counts = pm.Data(COUNTS, np.ones(int(ends[-1])))
    graph.potentials = [
        _counted(term, counts, ends[i : i + 2].tolist()) for i, term in enumerate(graph.potentials)
    ]


def _counted(term: Any, counts: Any, place: list[int]) -> Any:
    """A term times its part of the counts, under the same name."""
    counted = (counts[place[0] : place[1]] if term.ndim else counts[place[0]]) * term
    counted.name = term.name
    return counted
