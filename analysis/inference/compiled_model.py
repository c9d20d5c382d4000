"""Compile a model once and sample it; the same compiled model takes new tables without recompiling.

A refit replaces ``pm.Data`` and nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.inference.compile_cache import before_pytensor
from aligntax.analysis.inference.gradient import Gradient, NumbaGradient, gradient_of
from aligntax.analysis.inference.graphs.graph import WHITE, Graph, Outline
from aligntax.analysis.inference.graphs.keeping import graph_of, processor_for
from aligntax.analysis.inference.hmc.sampler import Draws, Plan, sample_hmc
from aligntax.analysis.inference.kernel.kernel import Density
from aligntax.analysis.inference.options import Sampling, Talk, warned
from aligntax.analysis.inference.seeds import child_generator
from aligntax.analysis.inference.terms import Terms
from aligntax.models.catalogue import Model, restrict, view_data
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.priors.columns import stack_columns
from aligntax.models.priors.tables import PriorTables
from aligntax.models.short_form import short_form
from aligntax.models.views import View
from aligntax.models.views.changes import compiled_in

Progress = Callable[[int, int, int], None]


@dataclass(frozen=True)
class Fit:
    """Draws of one model under one view.

    Attributes
    ----------
    view_hash : str
        Hash of the view that was sampled. :func:`aligntax.analysis.fitting.outcome.conclude_fit`
        refuses another.
    evidence : Evidence
        Restricted to what the view uses.
    posterior : xarray.Dataset
        ``z`` (chain, draw, quantity) and structural parameters.
    prior : xarray.Dataset
        The same variables from the prior.
    log_likelihood, log_prior : xarray.Dataset
        Terms of each row, and of each quantity, in each draw.
    prior_only : tuple of str
        Elicited quantities that no likelihood touches.
    """

    model: Model
    view: View
    view_hash: str
    evidence: Evidence
    tables: PriorTables
    posterior: xr.Dataset
    prior: xr.Dataset
    sample_stats: xr.Dataset
    log_likelihood: xr.Dataset
    log_prior: xr.Dataset
    prior_only: tuple[str, ...]


@dataclass(frozen=True)
class CompiledModel:
    """A model compiled for sampling, under one view and on one set of evidence.

    A value: other views and other evidence make other compiled models, which share what was
    compiled and nothing that changes.

    Attributes
    ----------
    shared : Graph
        The graph and its functions.
    gradient : Gradient
        Its log density under the numbers of this view and this evidence.
    """

    model: Model
    view: View
    evidence: Evidence
    shared: Graph
    gradient: Gradient
    __repr__ = short_form

    @property
    def graph(self) -> Any:
        """The PyMC model as it was built: with the numbers of the view that compiled it."""
        return self.shared.live.model

    @cached_property
    def data(self) -> dict[str, Any]:
        """Value of each ``pm.Data`` of the graph under this view and this evidence."""
        stacks = {name: stack_columns(rows) for name, rows in self._rows.items()}
        return data_of_view(self.view, self.model, self.shared.outline) | stacks

    @cached_property
    def terms(self) -> Terms:
        """Prior draws, log likelihood and log prior."""
        coords = self.shared.outline.coords
        own = {dim: each for dim, each in coords.items() if each is not None}
        labels = {
            str(dim): list(rows[dim].values)
            for rows in self._rows.values()
            for dim in rows.dims
            if dim in rows.coords and dim in coords
        }
        return Terms(self.shared, self.data, {**own, **labels})

    @cached_property
    def _rows(self) -> dict[str, xr.Dataset]:
        """Rows of each ``pm.Data`` of the graph that is evidence."""
        return data_of_evidence(self.evidence, self.view, self.model, self.shared.outline)

    def with_view(self, view: View) -> "CompiledModel":
        """The same under other priors, correlations and anchor weights; nothing is compiled.

        Raises
        ------
        InputError
            If the view differs in what is compiled in.
        """
        view, constants = view.stating(self.model.quantities), compiled_in(self.view)
        for name, value in compiled_in(view).items():
            if value != constants[name]:
                rule = f"{name} is compiled in and must stay {constants[name]}"
                raise InputError(f"view: {rule}, got {value}; compile again")
        numbers = data_of_view(view, self.model, self.shared.outline)
        return replace(self, view=view, gradient=self.gradient.with_data(**numbers))

    def with_evidence(self, evidence: Evidence) -> "CompiledModel":
        """The same on evidence with other numbers in the same rows; nothing is compiled.

        Parameters
        ----------
        evidence : Evidence
            The model's own, :meth:`aligntax.models.evidence.Evidence.with_likelihood_rows`: as many
            rows, of the same groups.
        """
        rows = data_of_evidence(evidence, self.view, self.model, self.shared.outline)
        stacks = {name: stack_columns(each) for name, each in rows.items()}
        return replace(self, evidence=evidence, gradient=self.gradient.with_data(**stacks))

    def posterior(
        self, options: Sampling, progress: Progress | None = None, unconstrained: bool = False
    ) -> tuple[xr.Dataset, xr.Dataset]:
        """Sample the posterior alone.

        Parameters
        ----------
        progress : callable, optional
            As in :meth:`sample`.
        unconstrained : bool
            Whether ``sample_stats`` keeps ``unconstrained_draw`` (chain, draw,
            unconstrained_parameter), the coordinates in which samplers move.

        Returns
        -------
        posterior : xarray.Dataset
            ``z`` (chain, draw, quantity) and structural parameters.
        sample_stats : xarray.Dataset
        """
        density, options = self.gradient.density, self.sampling(options)
        if density is None or options.sampler == "nuts":
            from aligntax.analysis.inference.nuts import sample_nuts

            found = sample_nuts(self.gradient, self.model, options, progress, unconstrained)
            draws, statistics = found
        else:
            drawn = sample_hmc(
                density,
                Plan.of(options),
                self._slow_coordinates(density),
                child_generator(options.seed, "sample"),
                options.cores,
                progress,
            )
            draws, statistics = datasets(drawn, density, self.shared.outline, unconstrained)
        return add_correlations(draws, self.view.tables(self.model.quantities)), statistics

    def sampling(self, options: Sampling) -> Sampling:
        """Options with the model's own where nothing is asked; NUTS where nothing else can sample.

        Raises
        ------
        InputError
            If HMC is asked for and there is no machine code.
        """
        if self.gradient.density is None:
            if options.sampler == "hmc":
                rule = f"must be nuts, since {self.model.name} has no machine code of its own"
                raise InputError(f"sampler: {rule}, got 'hmc'; leave it out")
            options = replace(options, sampler="nuts")
        return options.of(self.model)

    def _slow_coordinates(self, density: Density) -> list[int]:
        """Coordinates that are refreshed, given all others."""
        names = self.shared.outline.coords.get("quantity")
        if names is None:
            return []
        slow, first = refreshed_quantities(self.model), density.kernel.program.place(WHITE)
        return [first + i for i, name in enumerate(names) if name in slow]

    def sample(self, options: Sampling, progress: Progress | None = None) -> Fit:
        """Sample the posterior, and work out prior draws, log likelihood and log prior.

        Parameters
        ----------
        progress : callable, optional
            Called now and then with the number of draws done, of all, and of divergences. Warm-up
            counts; where a draw is several transitions, these are counted.
        """
        fit = self.sample_answer(options, progress)
        return replace(
            fit,
            prior=self.terms.draw_prior(fit.tables, options),
            log_likelihood=self.terms.log_likelihood(fit.posterior, fit.tables),
            log_prior=self.terms.log_prior(fit.posterior, fit.tables),
        )

    def sample_answer(self, options: Sampling, progress: Progress | None = None) -> Fit:
        """Sample the posterior alone, which is all that an answer and its checks need.

        Prior draws, log likelihood and log prior are empty; arguments as in :meth:`sample`.
        """
        tables = self.view.tables(self.model.quantities)
        posterior, sample_stats = self.posterior(options, progress)
        return Fit(
            model=self.model,
            view=self.view,
            view_hash=self.view.hash,
            evidence=self.evidence,
            tables=tables,
            posterior=posterior,
            prior=xr.Dataset(),
            sample_stats=sample_stats,
            log_likelihood=xr.Dataset(),
            log_prior=xr.Dataset(),
            prior_only=find_prior_only(self.shared.outline, tables),
        )


def refreshed_quantities(model: Model) -> tuple[str, ...]:
    """Quantities of a model that gradients move slowly."""
    return tuple(name for part in model.likelihoods for name in part.refreshed)


def compile_model(model: Model, evidence: Evidence, view: View) -> CompiledModel:
    """Build a model on the evidence that a view uses and compile it, unless its code is kept."""
    return compile_on(model, restrict(evidence, view, model), view)


def compile_on(model: Model, evidence: Evidence, view: View) -> CompiledModel:
    """As :func:`compile_model`.

    Parameters
    ----------
    evidence : Evidence
        Restricted to what the view uses, or with likelihood rows of its own.
    """
    view = view.stating(model.quantities)
    graph = graph_of(model, evidence, view, warned)
    gradient = gradient_of(graph, cpu=processor_for(model))
    gradient = gradient.with_data(**data_of_view(view, model, graph.outline))
    return CompiledModel(model, view, evidence, graph, gradient)


def compile_with_numba(model: Model, evidence: Evidence, view: View) -> CompiledModel:
    """As :func:`compile_model`, by PyMC, PyTensor and nutpie alone; no kept code is used."""
    before_pytensor()
    from aligntax.analysis.inference.graphs.live import LiveGraph

    own, view = restrict(evidence, view, model), view.stating(model.quantities)
    graph = LiveGraph(model.build(own, view))
    return CompiledModel(model, view, own, graph, NumbaGradient.of(graph))


def compiled_for(
    model: Model,
    evidence: Evidence,
    view: View,
    compiled: CompiledModel | None,
    talk: Talk,
    gradient: str = "kept",
) -> CompiledModel:
    """Compiled model under a view: the given one, or a new one if none is given.

    Parameters
    ----------
    gradient : {"kept", "numba"}
        Of a new one; see :class:`aligntax.analysis.inference.options.Sampling`.

    Raises
    ------
    InputError
        If the given one is of another model or of other evidence.
    """
    if compiled is None:
        if gradient == "numba":
            talk.say("compiling the model with Numba, about a minute")
            return compile_with_numba(model, evidence, view)
        talk.say("compiling the model, unless its code is kept")
        return compile_model(model, evidence, view)
    expected, got = restrict(evidence, view, model).hash, compiled.evidence.hash
    if compiled.model.name != model.name or got != expected:
        rule = f"must be model {model.name} on the evidence {expected[:12]}"
        raise InputError(
            f"compiled: {rule}, got {compiled.model.name} on {got[:12]}; compile again"
        )
    return compiled.with_view(view)


def data_of_view(view: View, model: Model, outline: Outline) -> dict[str, Any]:
    """Value of every ``pm.Data`` of the graph that a view sets, by name."""
    tables = view.tables(model.quantities)
    priors = {
        "prior_tables": np.stack([tables.y, tables.slope]),
        "copula_cholesky": tables.cholesky,
    }
    values = priors | view_data(view)
    return {name: value for name, value in values.items() if name in outline.data}


def data_of_evidence(
    evidence: Evidence, view: View, model: Model, outline: Outline
) -> dict[str, xr.Dataset]:
    """Rows of every ``pm.Data`` of the graph that is evidence, by name."""
    return {name: rows for name, rows in model.data(evidence, view).items() if name in outline.data}


def datasets(
    drawn: Draws, density: Density, outline: Outline, unconstrained: bool
) -> tuple[xr.Dataset, xr.Dataset]:
    """Free variables and statistics of draws, with the names and labels of the graph."""
    values = density.variables(drawn.points)
    sample = ("chain", "draw")
    shape = drawn.points.shape[:2]
    coords: dict[str, Any] = dict(zip(sample, map(range, shape), strict=True))
    variables = {}
    for name, each in values.items():
        own = outline.dims.get(name, tuple(f"{name}_dim_{i}" for i in range(each.ndim - 2)))
        variables[name] = (*sample, *own), each
        for dim, size in zip(own, each.shape[2:], strict=True):
            labels = outline.coords.get(dim)
            coords[dim] = range(size) if labels is None else np.array(labels, dtype=object)
    statistics: dict[str, Any] = {n: (sample, each) for n, each in drawn.statistics.items()}
    if unconstrained:
        statistics["unconstrained_draw"] = (*sample, "unconstrained_parameter"), drawn.points
    of_draws = {dim: coords[dim] for dim in sample}
    return xr.Dataset(variables, coords), xr.Dataset(statistics, of_draws, {"sampler": "hmc"})


def add_correlations(posterior: xr.Dataset, tables: PriorTables) -> xr.Dataset:
    """Replace ``white`` by ``z = L white``."""
    z = tables.correlate(posterior[WHITE].transpose("chain", "draw", "quantity").values)
    return posterior.drop_vars(WHITE).assign(z=(("chain", "draw", "quantity"), z))


def find_prior_only(outline: Outline, tables: PriorTables) -> tuple[str, ...]:
    """Elicited quantities that no likelihood depends on."""
    return tuple(name for name in tables.names if name not in outline.touched)
