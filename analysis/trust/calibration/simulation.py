"""Simulation-based calibration of a model: one simulation, from a draw of the prior to the ranks of every quantity.

Draw parameters from the prior, simulate the evidence, refit, and rank the truth among the
posterior's draws: uniform, if the code that simulates and the code that infers are of one model
[1]_. The evidence of no transformative AI is no number to simulate: the rest is simulated first,
and the simulation kept with the probability that nothing has arrived, which is its likelihood. So
is a draw left out under which a row cannot be: a trend that has diverged has no likelihood. Truth
and posterior have their own random numbers of arrival, since what is derived is a draw of its
distribution given parameters and evidence.

Where priors are wide most of them is no neighbourhood of what was published, and a fault there
would be seen by few simulations. *Posterior* calibration [3]_ draws the truth from the posterior
given the published rows, replicates those, and refits both together; the evidence of no
transformative AI counts as replicated.

A *control* is a fit that is wrong on purpose, which must be caught.

References
----------
.. [1] Talts et al., "Validating Bayesian inference algorithms with simulation-based calibration",
       2018. arXiv:1804.06788
.. [2] Modrak et al., "Simulation-based calibration checking for Bayesian computation: the choice of
       test quantities shapes sensitivity", 2023. doi:10.1214/23-BA1404: the joint log likelihood as
       a test quantity.
.. [3] Saeilynoja, Schmitt, Buerkner, Vehtari, "Posterior SBC: simulation-based calibration checking
       conditional on data", 2025. arXiv:2502.03279
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.inference.compiled_model import CompiledModel, compile_model, compile_on
from aligntax.analysis.inference.derive import derive, log_no_tai, split
from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.inference.seeds import child, generator
from aligntax.analysis.summaries.summary import iter_series
from aligntax.analysis.trust.calibration.doubled_evidence import doubled
from aligntax.analysis.trust.calibration.ranks import RANKED, rank
from aligntax.analysis.trust.leave_out import LeaveOut
from aligntax.models.catalogue import Model
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.priors.tables import Tables
from aligntax.models.time_horizon import log_shape_weights
from aligntax.models.views import View

CONTROLS: Mapping[str, str] = {
    "none": "the model as it is",
    "narrow": "posterior draws 0.6 times as far from their mean",
    "shifted": "every elicited prior moved by half a standard deviation",
    "exact": "published errors taken for a tenth of what they are",
}
NARROW, SHIFT, EXACT = 0.6, 0.5, 0.1
# in a model's rows
ERRORS = ("log_gamma_se", "flop_sd", "growth_se", "hours_sd", "share_sd", "log2_sd", "gold_se")
NO_TAI = "no_tai"  # term of the likelihood
ATTEMPTS = 32  # prior draws at a time, of each of two chains
MOST = 100  # times so many: a prior under which evidence is that rare cannot be calibrated


@dataclass(frozen=True)
class Simulation:
    """How a simulation is fitted.

    Attributes
    ----------
    sampling : Sampling
        But the seed, which is the simulation's.
    control : str
        One of :data:`CONTROLS`.
    posterior : bool
        Whether truths are drawn given the published rows.

    Raises
    ------
    InputError
        If there is no such control, or fewer draws than are ranked.
    """

    sampling: Sampling = field(
        default_factory=lambda: Sampling(draws=500, tune=400, chains=2, cores=1)
    )
    control: str = "none"
    posterior: bool = False

    def __post_init__(self) -> None:
        if self.control not in CONTROLS:
            raise InputError(
                f"control: must be one of {', '.join(CONTROLS)}, got {self.control!r}; check the spelling"
            )
        if (kept := self.sampling.chains * self.sampling.draws) < RANKED:
            raise InputError(
                f"draws: must be at least {RANKED} over all chains, got {kept}; take more with --draws"
            )


@dataclass(frozen=True)
class Simulated:
    """What one simulation found.

    Attributes
    ----------
    seed : int
    ranks : mapping of str to int
        By quantity, of the truth among :data:`aligntax.analysis.trust.calibration.ranks.RANKED`
        draws.
    attempts : int
        Prior draws until one was kept.
    divergences : int
    """

    seed: int
    ranks: Mapping[str, int]
    attempts: int
    divergences: int


@dataclass(frozen=True)
class Calibrator:
    """Simulates and fits with one compiled model.

    Attributes
    ----------
    compiled : CompiledModel
        On the evidence whose layout, errors and dates the simulated rows take.
    simulation : Simulation
    base : xarray.Dataset, optional
        Draws given the published rows, from which truths are taken; else they are from the prior.
    layout : Evidence, optional
        The published rows, where ``compiled`` has twice as many.
    """

    compiled: CompiledModel
    simulation: Simulation
    base: xr.Dataset | None = None
    layout: Evidence | None = None

    @classmethod
    def of(
        cls, model: Model, evidence: Evidence, view: View, simulation: Simulation
    ) -> "Calibrator":
        """Compile a model for it."""
        if not simulation.posterior:
            return cls(compile_model(model, evidence, view), simulation)
        given = LeaveOut.of(model, evidence, view)
        options = replace(simulation.sampling, chains=4, draws=1000)
        base = (
            given.without({NO_TAI: given.units[NO_TAI]} if NO_TAI in given.units else {})
            .sample(options)
            .posterior
        )
        layout = given.compiled.evidence
        x, parameters = split(base.isel(chain=[0], draw=[0]), view.tables(model.quantities))
        one = {name: np.asarray(value[0, 0]) for name, value in x.items()}
        rows = model.replicate(
            one, parameters.isel(chain=0, draw=0), layout, view, generator(0, "calibration")
        )
        return cls(compile_on(model, doubled(layout, view, rows), view), simulation, base, layout)

    def run(self, seed: int) -> Simulated:
        """One simulation.

        Raises
        ------
        InputError
            If no prior draw can have seen such evidence.
        """
        compiled, rng = self.compiled, generator(seed, "calibration")
        tables = compiled.view.tables(compiled.model.quantities)
        attempts, truth, evidence = self._kept(tables, rng)
        fitted = compiled.with_evidence(evidence)
        posterior, stats, of_fit = self._posterior(fitted, tables, seed)
        ranks = self._ranks(fitted, (truth, tables), (posterior, of_fit), rng)
        return Simulated(seed, ranks, attempts, int(stats["diverging"].values.sum()))

    def _kept(self, tables: Tables, rng: np.random.Generator) -> tuple[int, xr.Dataset, Evidence]:
        """First simulation that is kept, and how many prior draws that took."""
        compiled = self.compiled
        for attempts, (truth, evidence) in enumerate(self._simulated(tables, rng), 1):
            if not _finite(compiled.model.data(evidence, compiled.view)):
                continue
            log_none = log_no_tai(compiled.model, *split(truth, tables), evidence, compiled.view)
            if np.log(rng.uniform()) < log_none[0, 0]:
                return attempts, truth, evidence
        rule = (
            "the prior must allow for its evidence, that nothing has arrived and rows that can be"
        )
        raise InputError(
            f"view: {rule}, got none in {2 * ATTEMPTS * MOST} draws; choose another view"
        )

    def _simulated(
        self, tables: Tables, rng: np.random.Generator
    ) -> Iterator[tuple[xr.Dataset, Evidence]]:
        """Draws of the prior, or given the published rows, each with evidence that it might have seen."""
        compiled = self.compiled
        if self.base is not None and self.layout is not None:
            yield from self._replicated(self.base, self.layout, tables, rng)
            return
        for _ in range(MOST):
            options = Sampling(chains=2, draws=ATTEMPTS, seed=int(rng.integers(2**32)))
            prior = compiled.terms.draw_prior(tables, options)
            x, parameters = split(prior, tables)
            for chain, draw in np.ndindex(2, ATTEMPTS):
                one = {name: np.asarray(value[chain, draw]) for name, value in x.items()}
                where = (parameters.isel(chain=chain, draw=draw), compiled.evidence, compiled.view)
                with np.errstate(over="ignore", invalid="ignore"):  # a trend that has diverged
                    rows = compiled.model.replicate(one, *where, rng)
                yield (
                    prior.isel(chain=[chain], draw=[draw]),
                    compiled.evidence.with_likelihood_rows(rows),
                )

    def _replicated(
        self, base: xr.Dataset, layout: Evidence, tables: Tables, rng: np.random.Generator
    ) -> Iterator[tuple[xr.Dataset, Evidence]]:
        """Draws given the published rows, each with those and as many that it might have seen."""
        model, view = self.compiled.model, self.compiled.view
        for _ in range(2 * ATTEMPTS * MOST):
            at = {dim: [int(rng.integers(base.sizes[dim]))] for dim in ("chain", "draw")}
            truth = base.isel(at)
            x, parameters = split(truth, tables)
            one, where = {name: value[0] for name, value in x.items()}, parameters.isel(chain=0)
            # the shape is that of the published rows, as probable as they make it
            if "superexponential_weight" in one:
                weights = log_shape_weights(one, where, layout, view)
                one["superexponential_weight"] = np.exp(weights[..., 1])
            scalars = {name: np.asarray(value[0]) for name, value in one.items()}
            with np.errstate(over="ignore", invalid="ignore"):
                rows = model.replicate(scalars, where.isel(draw=0), layout, view, rng)
            yield truth, doubled(layout, view, rows)

    def _posterior(
        self, fitted: CompiledModel, tables: Tables, seed: int
    ) -> tuple[xr.Dataset, xr.Dataset, Tables]:
        """Draws to rank among, (1, ranked); the sampler's account; and the tables that the fit took the prior from."""
        options, control = (
            replace(self.simulation.sampling, seed=child(seed, "sample")),
            self.simulation.control,
        )
        if control == "shifted":
            middle = tables.y.shape[-1] // 2
            tables = replace(tables, y=tables.y + SHIFT * tables.slope[:, middle : middle + 1])
            numbers = {"prior_tables": np.stack([tables.y, tables.slope])}
            fitted = replace(fitted, compiled=fitted.compiled.with_data(**numbers))
        if control == "exact":
            fitted = fitted.with_evidence(_exact(fitted.evidence))
        posterior, stats = fitted.posterior(options)
        kept = _thinned(posterior)
        if control == "narrow":
            kept = kept.map(lambda v: v.mean("draw") + NARROW * (v - v.mean("draw"))).transpose(
                "chain", "draw", ...
            )
        return kept, stats, tables

    def _ranks(
        self,
        fitted: CompiledModel,
        truth: tuple[xr.Dataset, Tables],
        kept: tuple[xr.Dataset, Tables],
        rng: np.random.Generator,
    ) -> dict[str, int]:
        """Rank of every number, the joint log likelihood among them."""
        true, drawn = _numbers(fitted, *truth, rng), _numbers(fitted, *kept, rng)
        return {name: rank(float(true[name][0]), drawn[name], rng) for name in drawn}


def _finite(data: Mapping[str, xr.Dataset]) -> bool:
    """Whether every number is one that can be."""
    return all(
        np.isfinite(column.values).all()
        for rows in data.values()
        for column in rows.data_vars.values()
    )


def _numbers(
    fitted: CompiledModel, draws: xr.Dataset, tables: Tables, rng: np.random.Generator
) -> dict[str, Any]:
    """Every number of draws of one chain, by name."""
    derived = derive(fitted.model, draws, tables, fitted.evidence, fitted.view, rng)
    numbers = {series.name: series.values[0] for series in iter_series(derived)}
    scalars = {
        str(name): v.values[0] for name, v in draws.data_vars.items() if v.dims == ("chain", "draw")
    }
    terms = fitted.terms.log_likelihood(draws, tables)
    total = sum(
        v.values[0].reshape(v.sizes["draw"], -1).sum(axis=-1) for v in terms.data_vars.values()
    )
    return scalars | numbers | {"log_likelihood": np.broadcast_to(total, draws.sizes["draw"])}


def _thinned(posterior: xr.Dataset) -> xr.Dataset:
    """As many draws as are ranked, evenly spaced over chains and draws, as one chain."""
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    at = np.linspace(0, chains * draws - 1, RANKED).round().astype(int)
    chain, draw = (xr.DataArray(index, dims="kept") for index in (at // draws, at % draws))
    kept = (
        posterior.isel(chain=chain, draw=draw)
        .drop_vars(["chain", "draw"])
        .rename(kept="draw")
        .expand_dims("chain")
    )
    return kept.transpose("chain", "draw", ...).assign_coords(chain=[0], draw=np.arange(RANKED))


def _exact(evidence: Evidence) -> Evidence:
    """Evidence whose likelihood rows state a tenth of their error."""
    rows = {
        table: ready.assign({name: EXACT * ready[name] for name in ERRORS if name in ready})
        for table, ready in evidence.ready.items()
    }
    return evidence.with_likelihood_rows(rows)
