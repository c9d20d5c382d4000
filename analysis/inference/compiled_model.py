"""Compile a model once and sample it; the same compiled model takes new tables without recompiling.

nutpie compiles with data left open (``freeze_model=False``), so a refit replaces ``pm.Data`` and
nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import xarray as xr
from pymc.distributions.shape_utils import change_dist_size

from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.inference.seeds import child, generator
from aligntax.models.blocks import in_blocks
from aligntax.models.catalogue import COMPILED, Model, restrict
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.outer_alignment import model as outer_alignment
from aligntax.models.priors.elicited import stacked
from aligntax.models.priors.tables import Tables, log_density
from aligntax.models.requirements import log_weights
from aligntax.models.scaling import view_settings
from aligntax.models.views import View

Progress = Callable[[int, int, int], None]
WHITE = "white"  # what is sampled for the elicited quantities; stored as z = L white


@dataclass(frozen=True)
class Fit:
    """Draws of one model under one view.

    Attributes
    ----------
    model : Model
    view : View
    view_hash : str
        Of the view that was sampled; :func:`aligntax.analysis.fitting.outcome.conclude` refuses
        another.
    evidence : Evidence
        Restricted to what the view uses.
    tables : Tables
    posterior : xarray.Dataset
        ``z`` (chain, draw, quantity) and structural parameters.
    prior : xarray.Dataset
        The same variables from the prior.
    sample_stats, log_likelihood, log_prior : xarray.Dataset
    prior_only : tuple of str
        Elicited quantities that no likelihood touches.
    """

    model: Model
    view: View
    view_hash: str
    evidence: Evidence
    tables: Tables
    posterior: xr.Dataset
    prior: xr.Dataset
    sample_stats: xr.Dataset
    log_likelihood: xr.Dataset
    log_prior: xr.Dataset
    prior_only: tuple[str, ...]


@dataclass(frozen=True)
class CompiledModel:
    """A model compiled for NUTS and the view it was compiled with.

    Attributes
    ----------
    model : Model
    view : View
    evidence : Evidence
    graph : pymc.Model
    compiled : nutpie.sample.CompiledModel
    terms : Terms
        Functions of the graph, shared by every view.
    """

    model: Model
    view: View
    evidence: Evidence
    graph: Any
    compiled: Any
    terms: "Terms"

    def with_view(self, view: View) -> "CompiledModel":
        """The same compiled model under other priors, correlations and anchor weights; nothing is compiled.

        Raises
        ------
        InputError
            If the view differs in what is compiled in: its evidence, trend and arrival settings.
        """
        for key in COMPILED:
            if getattr(view, key) != getattr(self.view, key):
                raise InputError(
                    f"view: {key} is compiled in and must stay {getattr(self.view, key)}, got {getattr(view, key)}; compile again"
                )
        return replace(
            self, view=view, compiled=self._with_data(open_data(view, self.model, self.graph))
        )

    def with_evidence(self, evidence: Evidence) -> "CompiledModel":
        """The same compiled model on evidence with other numbers in the same rows; nothing is compiled.

        Parameters
        ----------
        evidence : Evidence
            The model's own, :meth:`aligntax.models.evidence.Evidence.with_likelihood_rows`: as many
            rows, of the same groups.
        """
        numbers = evidence_data(evidence, self.view, self.model, self.graph)
        stacks = {name: stacked(rows) for name, rows in numbers.items()}
        return replace(self, evidence=evidence, compiled=self._with_data(stacks))

    def _with_data(self, values: dict[str, Any]) -> Any:
        """What nutpie samples with other data; without evidence the density depends on less than the graph holds."""
        held = {variable.name for variable in self.compiled.shared_var_keys}
        return self.compiled.with_data(
            **{name: value for name, value in values.items() if name in held}
        )

    def set_data(self) -> None:
        """Give the graph, and so :attr:`terms` and where chains start, the numbers that are sampled, with their labels."""
        values = open_data(self.view, self.model, self.graph)
        coords: dict[Any, list[Any]] = {}
        for name, rows in evidence_data(self.evidence, self.view, self.model, self.graph).items():
            values[name] = stacked(rows)
            coords |= {
                dim: list(rows[dim].values)
                for dim in rows.dims
                if dim in rows.coords and dim in self.graph.coords
            }
        pm.set_data(values, model=self.graph, coords=coords)

    def posterior(
        self, options: Sampling, progress: Progress | None = None, unconstrained: bool = False
    ) -> tuple[xr.Dataset, xr.Dataset]:
        """Sample the posterior alone.

        Parameters
        ----------
        options : Sampling
        progress : callable, optional
        unconstrained : bool
            Whether ``sample_stats`` keeps ``unconstrained_draw`` (chain, draw,
            unconstrained_parameter), what NUTS moved.

        Returns
        -------
        posterior : xarray.Dataset
            ``z`` (chain, draw, quantity) and structural parameters.
        sample_stats : xarray.Dataset
        """
        import nutpie

        self.set_data()
        options = options.of(self.model)
        sampler = nutpie.sample(
            self.compiled,
            draws=options.draws,
            tune=options.tune,
            chains=options.chains,
            cores=options.cores,
            target_accept=options.target_accept,
            adaptation=self.model.adaptation,
            seed=child(options.seed, "sample"),
            save_warmup=False,
            progress_bar=False,
            progress_callback=None if progress is None else lambda each: progress(*_count(each)),
            blocking=False,
            store_unconstrained=unconstrained,
        )
        # nutpie's own waiting takes an interrupt for the end and returns the draws so far
        try:
            trace = sampler.wait()
        except BaseException:
            sampler.cancel()
            raise
        tables = self.view.tables(self.model.quantities)
        return correlate(trace["posterior"].dataset.load(), tables), trace[
            "sample_stats"
        ].dataset.load()

    def sample(self, options: Sampling, progress: Progress | None = None) -> Fit:
        """Sample the posterior; also prior draws, log likelihood and log prior.

        ``progress`` is told now and then how many draws, warm-up included, are done of how many,
        and how many diverged.
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
            prior=self.terms.draw_prior(tables, options),
            sample_stats=sample_stats,
            log_likelihood=self.terms.log_likelihood(posterior, tables),
            log_prior=self.terms.log_prior(posterior, tables),
            prior_only=prior_only(self.graph, tables),
        )


def compile_model(model: Model, evidence: Evidence, view: View) -> CompiledModel:
    """Build a model on the evidence that a view uses and compile it."""
    return compile_on(model, restrict(evidence, view, model), view)


def compile_on(model: Model, evidence: Evidence, view: View) -> CompiledModel:
    """Build a model on evidence that is restricted already, or has likelihood rows of its own, and compile it.

    Fast math is off: with it a kernel that was just compiled and the same kernel from PyTensor's
    cache round differently, and the same seed would give other draws in the next process.
    """
    import nutpie

    graph = model.build(evidence, view)
    with pytensor.config.change_flags(numba__fastmath=False):
        compiled = nutpie.compile_pymc_model(graph, freeze_model=False)
    return CompiledModel(model, view, evidence, graph, compiled, Terms(graph))


def compiled_for(
    model: Model, evidence: Evidence, view: View, compiled: CompiledModel | None, talk: Talk
) -> CompiledModel:
    """Compiled model under a view: the one given where there is one, else a new one.

    Raises
    ------
    InputError
        If the one given is of another model or of other evidence.
    """
    if compiled is None:
        talk.say("compiling the model (the first time on a machine a minute)")
        return compile_model(model, evidence, view)
    expected, got = restrict(evidence, view, model).hash, compiled.evidence.hash
    if compiled.model.name != model.name or got != expected:
        rule = f"must be model {model.name} on the evidence {expected[:12]}"
        raise InputError(
            f"compiled: {rule}, got {compiled.model.name} on {got[:12]}; compile again"
        )
    return compiled.with_view(view)


def open_data(view: View, model: Model, graph: Any) -> dict[str, Any]:
    """Value of every ``pm.Data`` of the graph that a view sets, by name."""
    tables = view.tables(model.quantities)
    values = {
        "prior_tables": np.stack([tables.y, tables.slope]),
        "copula_cholesky": tables.cholesky,
        "anchor_log_weight": log_weights(view),
        "scaling_settings": view_settings(view),
        "outer_alignment_settings": outer_alignment.view_settings(view),
    }
    return {name: value for name, value in values.items() if name in graph.named_vars}


def evidence_data(
    evidence: Evidence, view: View, model: Model, graph: Any
) -> dict[str, xr.Dataset]:
    """Rows of every ``pm.Data`` of the graph that is evidence, by name."""
    return {
        name: rows for name, rows in model.data(evidence, view).items() if name in graph.named_vars
    }


def _count(chains: list[Any]) -> tuple[int, int, int]:
    done, total, diverged = (
        [getattr(c, key) for c in chains]
        for key in ("finished_draws", "total_draws", "divergences")
    )
    return sum(done), sum(total), sum(diverged)


def correlate(posterior: xr.Dataset, tables: Tables) -> xr.Dataset:
    """Replace ``white`` by ``z = L white``."""
    z = posterior[WHITE].transpose("chain", "draw", "quantity").values @ tables.cholesky.T
    return posterior.drop_vars(WHITE).assign(z=(("chain", "draw", "quantity"), z))


def structural(graph: Any) -> list[Any]:
    """Free variables that nobody elicits."""
    return [rv for rv in graph.free_RVs if rv.name != WHITE]


def prior_only(graph: Any, tables: Tables) -> tuple[str, ...]:
    """Elicited quantities that no likelihood depends on, read from the graph."""
    from pytensor.graph.traversal import ancestors

    touched = {variable.name for variable in ancestors(graph.potentials)}
    return tuple(name for name in tables.names if name not in touched)


@dataclass(frozen=True)
class Terms:
    """Prior draws, log likelihood and log prior of a graph, by functions compiled when first asked for and then kept.

    They read the graph's ``pm.Data`` as it stands.

    Attributes
    ----------
    graph : pymc.Model
    """

    graph: Any

    @cached_property
    def _likelihood(self) -> Any:
        """Every potential for a batch of draws.

        Pieces of evidence are ``pm.Potential`` terms, which PyMC's own ``compute_log_likelihood``
        leaves out.
        """
        from pytensor.graph.replace import vectorize_graph

        batches = [
            pt.tensor(rv.name, dtype="float64", shape=(None, *rv.type.shape))
            for rv in self.graph.free_RVs
        ]
        terms = vectorize_graph(
            self.graph.potentials, replace=dict(zip(self.graph.free_RVs, batches, strict=True))
        )
        return pytensor.function(batches, terms, mode="FAST_COMPILE", on_unused_input="ignore")

    @cached_property
    def _structural_prior(self) -> Any:
        """Log density of each structural parameter for a batch of draws, given those that it depends on."""
        from pytensor.graph.replace import vectorize_graph

        variables, every = structural(self.graph), self.graph.free_RVs
        values = [rv.type() for rv in variables]
        terms = [pm.logp(rv, value) for rv, value in zip(variables, values, strict=True)]
        batches = {
            rv: pt.tensor(rv.name, dtype="float64", shape=(None, *rv.type.shape)) for rv in every
        }
        own = {value: batches[rv] for rv, value in zip(variables, values, strict=True)}
        batched = vectorize_graph(terms, replace={**batches, **own})
        return pytensor.function(
            list(batches.values()), batched, mode="FAST_COMPILE", on_unused_input="ignore"
        )

    def draw_prior(self, tables: Tables, options: Sampling) -> xr.Dataset:
        """As many draws from the prior as from the posterior, in the posterior's layout."""
        shape = (options.chains, options.draws)
        white = generator(options.seed, "prior").standard_normal((*shape, len(tables.names)))
        data: dict[str, Any] = {"z": (("chain", "draw", "quantity"), white @ tables.cholesky.T)}
        batches = self._batches(white)
        seed = child(options.seed, "prior_structural")
        drawn = (
            pm.draw(list(batches.values()), random_seed=seed, mode="FAST_COMPILE")
            if batches
            else []
        )
        data |= {rv.name: (self._dims(rv), value) for rv, value in zip(batches, drawn, strict=True)}
        coords = {
            "chain": np.arange(shape[0]),
            "draw": np.arange(shape[1]),
            "quantity": list(tables.names),
        }
        return xr.Dataset(data, coords=coords | self._labels(data))

    def _batches(self, white: Any) -> dict[Any, Any]:
        """Structural parameters for every draw of ``white``, each given those that it depends on."""
        from pytensor.graph.replace import vectorize_graph
        from pytensor.graph.traversal import ancestors

        from aligntax.models.priors.scales import around

        known: dict[Any, Any] = {
            rv: pt.constant(white) for rv in self.graph.free_RVs if rv.name == WHITE
        }
        for rv in structural(self.graph):
            on = (
                {}
                if around(rv)
                else {parent: known[parent] for parent in ancestors([rv]) if parent in known}
            )
            known[rv] = (
                vectorize_graph(rv, replace=on)
                if on
                else change_dist_size(rv, white.shape[:2], expand=True)
            )
        return {rv: batch for rv, batch in known.items() if rv.name != WHITE}

    def _dims(self, rv: Any) -> tuple[str, ...]:
        return ("chain", "draw", *self.graph.named_vars_to_dims.get(rv.name, ()))

    def _labels(self, data: dict[str, Any]) -> dict[str, list[Any]]:
        """Labels of the graph's own dimensions."""
        return {
            dim: list(self.graph.coords[dim])
            for dims, _ in data.values()
            for dim in dims
            if dim in self.graph.coords
        }

    def log_likelihood(self, posterior: xr.Dataset, tables: Tables) -> xr.Dataset:
        """Log likelihood of every piece of evidence, one variable a table; ``no_tai`` is the evidence of none so far."""
        graph, shape = self.graph, (posterior.sizes["chain"], posterior.sizes["draw"])
        if not graph.potentials:
            return xr.Dataset()
        data = {}
        for name, value in self._blocks(
            self._likelihood, graph.potentials, posterior, tables
        ).items():
            dims = graph.named_vars_to_dims.get(name, ())
            data[name] = (("chain", "draw", *dims), np.reshape(value, (*shape, *value.shape[1:])))
        return xr.Dataset(
            data,
            coords={"chain": posterior["chain"], "draw": posterior["draw"], **self._labels(data)},
        )

    def log_prior(self, posterior: xr.Dataset, tables: Tables) -> xr.Dataset:
        """Log prior density: ``z`` holds one term per elicited quantity in its link space, the rest one per parameter."""
        dims, shape = ("chain", "draw", "quantity"), posterior["z"].shape[:2]
        data: dict[str, Any] = {"z": (dims, log_density(tables, posterior["z"].values))}
        variables = structural(self.graph)
        if variables:
            terms = self._blocks(self._structural_prior, variables, posterior, tables)
            data |= {
                rv.name: (
                    self._dims(rv),
                    np.reshape(terms[rv.name], (*shape, *terms[rv.name].shape[1:])),
                )
                for rv in variables
            }
        return xr.Dataset(data, coords={dim: posterior[dim] for dim in dims} | self._labels(data))

    def _blocks(
        self, terms: Any, of: list[Any], posterior: xr.Dataset, tables: Tables
    ) -> dict[str, Any]:
        """Values of a compiled function by the names of what it is of, chains and draws in one axis; a block at a time."""
        flat, names = self._flat(posterior, tables), [variable.name for variable in of]

        def work(block: slice) -> dict[str, Any]:
            return dict(zip(names, terms(*(value[block] for value in flat)), strict=True))

        return in_blocks(work, len(flat[0]), at_once=1)

    def _flat(self, posterior: xr.Dataset, tables: Tables) -> list[Any]:
        """Values of the free variables, chains and draws in one axis."""
        white = np.linalg.solve(tables.cholesky, posterior["z"].values[..., None])[..., 0]
        values = [
            white if rv.name == WHITE else posterior[rv.name].values for rv in self.graph.free_RVs
        ]
        return [value.reshape(-1, *value.shape[2:]) for value in values]
