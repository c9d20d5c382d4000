"""Simulation-based calibration: one simulation, from a draw of the prior to ranks.

Draw parameters from the prior, simulate the evidence, refit, and rank the truth among the
posterior's draws. The ranks are uniform if the code that simulates and the code that infers are of
one model [1]_.

The evidence that there is no transformative AI yet is not a number that could be simulated.
Therefore the other evidence is simulated first, and the simulation is kept with the probability
that nothing has arrived, which is the likelihood of that evidence. A draw under which a row is
impossible is also left out. What is derived from a draw is itself random given parameters and
evidence, so truth and posterior have separate random numbers of arrival.

Where priors are wide, most prior draws lie far from what was published, and few simulations would
show a fault near the published evidence. *Posterior* calibration [3]_ draws the truth from the
posterior given the published rows, replicates those rows, and refits both together; the evidence
of no transformative AI counts as replicated.

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
from aligntax.analysis.inference.derive import derive, log_no_tai, split_draws
from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.inference.seeds import child_generator, child_seed
from aligntax.analysis.summaries.summary import iter_series
from aligntax.analysis.trust.calibration.doubled_evidence import doubled
from aligntax.analysis.trust.calibration.ranks import RANKED, rank
from aligntax.analysis.trust.leave_out import LeaveOut
from aligntax.models.catalogue import Model
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence
from aligntax.models.horizon_trend import shape_weights
from aligntax.models.overoptimization.model import unshared
from aligntax.models.priors.tables import PriorTables
from aligntax.models.time_horizon import log_shape_weights
from aligntax.models.views import View

CONTROLS: Mapping[str, str] = {
    "none": "the model as it is",
    "narrow": "posterior draws 0.6 times as far from their mean",
    "shifted": "every elicited prior moved by half a standard deviation",
    "exact": "published errors taken for a tenth of what they are",
    "unshared": "runs of one proxy reward taken for runs of different ones (overoptimization)",
}
NARROW, SHIFT, EXACT = 0.6, 0.5, 0.1
# columns of likelihood rows that the control "exact" makes smaller
ERRORS = (
    *("log_gamma_se", "flop_sd", "growth_se", "hours_sd", "share_sd", "log2_sd", "gold_se"),
    *("of_people", "of_estimates"),
)
NO_TAI = "no_tai"  # term of the likelihood
ATTEMPTS = 32  # prior draws at a time, of each of two chains
MOST = 100  # times: a prior under which such evidence is rarer cannot be calibrated


@dataclass(frozen=True)
class Simulation:
    """How a simulation is fitted.

    Attributes
    ----------
    sampling : Sampling
        Its seed is not used: each simulation has its own.
    control : str
        One of :data:`CONTROLS`.
    posterior : bool
        Whether truths are drawn given the published rows.

    Raises
    ------
    InputError
        If there is no such control, or there are fewer draws than are ranked.
    """

    sampling: Sampling = field(default_factory=lambda: Sampling(draws=500, chains=2, cores=1))
    control: str = "none"
    posterior: bool = False

    def __post_init__(self) -> None:
        if self.control not in CONTROLS:
            rule = f"must be one of {', '.join(CONTROLS)}"
            raise InputError(f"control: {rule}, got {self.control!r}; check the spelling")
        if (kept := self.sampling.chains * self.sampling.draws) < RANKED:
            rule = f"must be at least {RANKED} over all chains"
            raise InputError(f"draws: {rule}, got {kept}; take more with --draws")


@dataclass(frozen=True)
class Simulated:
    """Result of one simulation.

    Attributes
    ----------
    ranks : mapping of str to int
        Rank of the truth among :data:`aligntax.analysis.trust.calibration.ranks.RANKED` draws, by
        quantity.
    attempts : int
        Prior draws until one was kept.
    divergences : int
        Number of divergent transitions.
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
        On evidence whose layout, errors and dates the simulated rows take.
    base : xarray.Dataset, optional
        Draws given the published rows, from which truths are taken. Without it truths are drawn
        from the prior.
    layout : Evidence, optional
        The published rows; given with ``base``, where ``compiled`` has twice as many rows.
    wrong : CompiledModel, optional
        Fits in the place of ``compiled``, for the control ``unshared``.
    """

    compiled: CompiledModel
    simulation: Simulation
    base: xr.Dataset | None = None
    layout: Evidence | None = None
    wrong: CompiledModel | None = None

    @classmethod
    def of(
        cls, model: Model, evidence: Evidence, view: View, simulation: Simulation
    ) -> "Calibrator":
        """Compile a model for these simulations."""
        if not simulation.posterior:
            wrong = None
            if simulation.control == "unshared":
                wrong = compile_model(model, unshared(evidence), view)
            return cls(compile_model(model, evidence, view), simulation, wrong=wrong)
        given = LeaveOut.of(model, evidence, view)
        options = replace(simulation.sampling, chains=4, draws=1000)
        base = (
            given.without({NO_TAI: given.units[NO_TAI]} if NO_TAI in given.units else {})
            .sample(options)
            .posterior
        )
        layout = given.compiled.evidence
        x, parameters = split_draws(base.isel(chain=[0], draw=[0]), view.tables(model.quantities))
        one = {name: np.asarray(value[0, 0]) for name, value in x.items()}
        rows = model.replicate(
            one, parameters.isel(chain=0, draw=0), layout, view, child_generator(0, "calibration")
        )
        return cls(compile_on(model, doubled(layout, view, rows), view), simulation, base, layout)

    def run(self, seed: int) -> Simulated:
        """Run one simulation.

        Raises
        ------
        InputError
            If no prior draw can have seen such evidence.
        """
        compiled, rng = self.compiled, child_generator(seed, "calibration")
        tables = compiled.view.tables(compiled.model.quantities)
        attempts, truth, evidence = self._first_kept(tables, rng)
        right = fitted = compiled.with_evidence(evidence)
        if self.wrong is not None:
            fitted = self.wrong.with_evidence(unshared(evidence))
        posterior, stats, fitted_tables = self._posterior(fitted, tables, seed)
        true = _numbers(right, truth, tables, rng)
        drawn = _numbers(fitted, posterior, fitted_tables, rng)
        ranks = {name: rank(float(true[name][0]), drawn[name], rng) for name in drawn}
        return Simulated(seed, ranks, attempts, int(stats["diverging"].values.sum()))

    def _first_kept(
        self, tables: PriorTables, rng: np.random.Generator
    ) -> tuple[int, xr.Dataset, Evidence]:
        """First simulation that is kept, and how many prior draws that took."""
        compiled = self.compiled
        for attempts, (truth, evidence) in enumerate(self._truths(tables, rng), 1):
            if not _finite(compiled.model.data(evidence, compiled.view)):
                continue
            log_none = log_no_tai(
                compiled.model, *split_draws(truth, tables), evidence, compiled.view
            )
            if np.log(rng.uniform()) < log_none[0, 0]:
                return attempts, truth, evidence
        rule = (
            "the prior must allow for its evidence, that nothing has arrived and rows that can be"
        )
        raise InputError(
            f"view: {rule}, got none in {2 * ATTEMPTS * MOST} draws; choose another view"
        )

    def _truths(
        self, tables: PriorTables, rng: np.random.Generator
    ) -> Iterator[tuple[xr.Dataset, Evidence]]:
        """Truths, one draw each, with evidence simulated from them."""
        compiled = self.compiled
        if self.base is not None and self.layout is not None:
            yield from self._replicated(self.base, self.layout, tables, rng)
            return
        for _ in range(MOST):
            options = Sampling(chains=2, draws=ATTEMPTS, seed=int(rng.integers(2**32)))
            prior = compiled.terms.draw_prior(tables, options)
            x, parameters = split_draws(prior, tables)
            for chain, draw in np.ndindex(2, ATTEMPTS):
                one = {name: np.asarray(value[chain, draw]) for name, value in x.items()}
                where = (parameters.isel(chain=chain, draw=draw), compiled.evidence, compiled.view)
                with np.errstate(over="ignore", invalid="ignore"):  # a draw far from the evidence
                    rows = compiled.model.replicate(one, *where, rng)
                yield (
                    prior.isel(chain=[chain], draw=[draw]),
                    compiled.evidence.with_likelihood_rows(rows),
                )

    def _replicated(
        self, base: xr.Dataset, layout: Evidence, tables: PriorTables, rng: np.random.Generator
    ) -> Iterator[tuple[xr.Dataset, Evidence]]:
        """Truths given the published rows, with those rows and as many replicated from each."""
        model, view = self.compiled.model, self.compiled.view
        for _ in range(2 * ATTEMPTS * MOST):
            at = {dim: [int(rng.integers(base.sizes[dim]))] for dim in ("chain", "draw")}
            truth = base.isel(at)
            x, parameters = split_draws(truth, tables)
            one, where = {name: value[0] for name, value in x.items()}, parameters.isel(chain=0)
            # the shape is that of the published rows, as probable as they make it
            if "superexponential_weight" in one:
                weights = log_shape_weights(one, where, layout, view)
                one |= shape_weights(np.exp(weights))
            scalars = {name: np.asarray(value[0]) for name, value in one.items()}
            with np.errstate(over="ignore", invalid="ignore"):
                rows = model.replicate(scalars, where.isel(draw=0), layout, view, rng)
            yield truth, doubled(layout, view, rows)

    def _posterior(
        self, fitted: CompiledModel, tables: PriorTables, seed: int
    ) -> tuple[xr.Dataset, xr.Dataset, PriorTables]:
        """Draws to rank among, (1, ranked), sampler statistics, and the prior tables of the fit."""
        options = replace(self.simulation.sampling, seed=child_seed(seed, "sample"))
        control = self.simulation.control
        if control == "shifted":
            middle = tables.y.shape[-1] // 2
            tables = replace(tables, y=tables.y + SHIFT * tables.slope[:, middle : middle + 1])
            numbers = {"prior_tables": np.stack([tables.y, tables.slope])}
            fitted = replace(fitted, gradient=fitted.gradient.with_data(**numbers))
        if control == "exact":
            fitted = fitted.with_evidence(_exact(fitted.evidence))
        posterior, stats = fitted.posterior(options)
        kept = _thinned(posterior)
        if control == "narrow":
            kept = kept.map(lambda v: v.mean("draw") + NARROW * (v - v.mean("draw"))).transpose(
                "chain", "draw", ...
            )
        return kept, stats, tables


def _finite(data: Mapping[str, xr.Dataset]) -> bool:
    """Whether every number of the evidence is finite."""
    return all(
        np.isfinite(column.values).all()
        for rows in data.values()
        for column in rows.data_vars.values()
    )


def _numbers(
    fitted: CompiledModel, draws: xr.Dataset, tables: PriorTables, rng: np.random.Generator
) -> dict[str, Any]:
    """Every number to rank, by name, shape (draw,), from draws of one chain.

    These are the derived and structural quantities, and the joint log likelihood [2]_.
    """
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
    """As many draws as are ranked, evenly spaced over all chains, as one chain."""
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
    """Evidence whose likelihood rows state :data:`EXACT` of their errors."""
    rows = {
        table: ready.assign({name: EXACT * ready[name] for name in ERRORS if name in ready})
        for table, ready in evidence.ready.items()
    }
    return evidence.with_likelihood_rows(rows)
