"""How does loss fall with parameters and data, and how should compute be split between them?

Run ``i`` of a language model on corpus ``c``, with ``N`` parameters and ``D`` tokens, ends at the
loss ``L`` (nat per token). With reference ``N0`` and ``D0`` (``[loss_law]`` of the view)::

    L(N, D)  = E + A N^-alpha + B D^-beta,   A = a0 N0^alpha,   B = b0 D0^beta
    log L_i  = log L(N_i, D_i) + loss_sd * e_i,   e_i ~ StudentT(error_freedom) or Normal(0, 1)

``E``, ``a0``, ``b0``, ``alpha`` and ``beta`` are elicited. At a reference among the runs the two
terms are known well, and are less correlated with the exponents than A and B are. Along ``C = 6 N
D`` the loss is least where ``alpha A N^-alpha = beta B D^-beta``, so that::

    N(C)  = G (C / 6)^a,   D(C) = (C / 6)^(1 - a) / G,   D ~ N^gamma
    a     = beta / (alpha + beta)
    G     = (alpha A / (beta B))^(1 / (alpha + beta))
    gamma = (1 - a) / a = alpha / beta

With several corpora the elicited values are the population's, and each corpus has its own. With
the log10 of a term at the reference, ``t = log10 a0`` or ``log10 b0``::

    log alpha_c ~ Normal(log alpha, exponent_spread)
    log beta_c  ~ Normal(log beta, exponent_spread)
    log E_c     ~ Normal(log E, 0.2)
    t_c         ~ Normal(t, 0.3)

The prior of the spread is log-normal, since no two corpora agree exactly and values near zero would
be hard to sample.

Student-t errors hold where the digitised runs have outliers: five of 245 Chinchilla points moved a
published Huber fit's ``a`` by 0.05 [2]_.

References
----------
.. [1] Hoffmann et al., "Training compute-optimal large language models", 2022. arXiv:2203.15556
.. [2] Besiroglu et al., "Chinchilla scaling: a replication attempt", 2024. arXiv:2404.10102
.. [3] Juarez, Steel, "Model-based clustering of non-Gaussian panel data", 2010 (prior of the
       degrees of freedom).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.random import Generator

from aligntax.models.evidence import Evidence, replaceable_rows, select
from aligntax.models.views import View

QUANTITIES = ("irreducible_loss", "parameter_loss", "data_loss", "alpha", "beta")
TOP_LEVEL = ("loss_sd", "error_freedom", "exponent_spread")
HEADLINES = (
    "alpha",
    "beta",
    "irreducible_loss",
    "allocation_exponent",
    "data_exponent",
    "tokens_per_parameter",
)
TERMS = ("parameter_loss", "data_loss")

FLOP_PER_PARAMETER_TOKEN = 6.0  # C = 6 N D
# sd of log E between corpora: Muennighoff et al. 2023 have 1.87 on C4, Hoffmann et al. 2022 1.69
ENTROPY_SPREAD = 0.2
# OOM, sd of a term between corpora: a factor of two, as a tokeniser and a recipe may move it
TERM_SPREAD = 0.3
LN10 = float(np.log(10))


def loss(x: Mapping[str, Any], n: Any, d: Any) -> Any:
    """Loss in nat per token; numbers, arrays or tensors that broadcast.

    Parameters
    ----------
    x : mapping
        ``irreducible_loss`` (E, nat per token), ``parameter_loss`` and ``data_loss`` (log10 of the
        two terms at the reference), ``alpha``, ``beta``.
    n, d
        Natural log of parameters and of tokens over their reference.
    """
    parameter_term = np.exp(x["parameter_loss"] * LN10 - x["alpha"] * n)
    data_term = np.exp(x["data_loss"] * LN10 - x["beta"] * d)
    return x["irreducible_loss"] + parameter_term + data_term


def allocation_exponent(alpha: Any, beta: Any) -> Any:
    """``a`` of ``N ~ C^a`` along the compute-optimal path."""
    return beta / (alpha + beta)


def data_exponent(alpha: Any, beta: Any) -> Any:
    """``gamma`` of ``D ~ N^gamma`` along the compute-optimal path."""
    return alpha / beta


def optimal_parameters(x: Mapping[str, Any], view: View, flop: Any) -> Any:
    """Log10 parameters of the run of least loss at a training compute; any shape that broadcasts.

    Parameters
    ----------
    x : dict of ndarray
        ``parameter_loss``, ``data_loss`` (log10), ``alpha``, ``beta``.
    view : View
        Whose reference the two terms are stated at.
    flop : float or ndarray
        Training FLOP.
    """
    alpha, beta = x["alpha"], x["beta"]
    log_n0, log_d0 = np.log10(view.loss_law.parameters), np.log10(view.loss_law.tokens)
    log_a, log_b = x["parameter_loss"] + alpha * log_n0, x["data_loss"] + beta * log_d0
    log_g = (np.log10(alpha / beta) + log_a - log_b) / (alpha + beta)
    return log_g + allocation_exponent(alpha, beta) * np.log10(flop / FLOP_PER_PARAMETER_TOKEN)


def optimal_tokens(x: Mapping[str, Any], view: View, flop: Any) -> Any:
    """Log10 tokens of the same run; arguments as of :func:`optimal_parameters`."""
    return np.log10(flop / FLOP_PER_PARAMETER_TOKEN) - optimal_parameters(x, view, flop)


def tokens_per_parameter(x: Mapping[str, Any], view: View, flop: Any) -> Any:
    """Log10 tokens over parameters of the same run; arguments as of :func:`optimal_parameters`."""
    return optimal_tokens(x, view, flop) - optimal_parameters(x, view, flop)


def corpora(evidence: Evidence) -> tuple[str, ...]:
    """Names of the corpora of the used runs, sorted."""
    return tuple(str(name) for name in np.unique(select(evidence["loss_runs"])["corpus"].values))


@replaceable_rows("loss_runs")
def runs(evidence: Evidence, view: View) -> xr.Dataset:
    """Rows in the likelihood: ``n``, ``d``, ``log_loss`` and the index of the corpus.

    ``n`` and ``d`` are natural logs of parameters and tokens over the reference.
    """
    used = select(evidence["loss_runs"])
    _, index = np.unique(used["corpus"].values, return_inverse=True)
    return xr.Dataset(
        {
            "n": np.log(used["parameters"] / view.loss_law.parameters),
            "d": np.log(used["tokens"] / view.loss_law.tokens),
            "log_loss": np.log(used["loss"]),
            "corpus_index": ("loss_run", index.astype(float)),
        }
    )


def data(evidence: Evidence, view: View) -> dict[str, xr.Dataset]:
    """Numbers that :func:`add` puts into the graph as ``pm.Data``, by name."""
    return {"loss_run_data": runs(evidence, view)}


def to_link(x: Mapping[str, Any]) -> dict[str, Any]:
    """Scale on which corpora differ: natural log of E, alpha and beta; log10 of the two terms."""
    return {name: value if name in TERMS else np.log(value) for name, value in x.items()}


def from_link(y: dict[str, Any]) -> dict[str, Any]:
    """Inverse of :func:`to_link`."""
    return {name: value if name in TERMS else np.exp(value) for name, value in y.items()}


def log_likelihood(residual: Any, sd: Any, freedom: Any) -> Any:
    """Log density of each residual of log loss; normal where ``freedom`` is None."""
    import pytensor.tensor as pt

    if freedom is None:
        return -0.5 * (residual / sd) ** 2 - pt.log(sd) - 0.5 * np.log(2 * np.pi)
    half = 0.5 * (freedom + 1)
    constant = pt.gammaln(half) - pt.gammaln(0.5 * freedom) - 0.5 * pt.log(np.pi * freedom)
    return constant - pt.log(sd) - half * pt.log1p((residual / sd) ** 2 / freedom)


def add(evidence: Evidence, view: View, x: Mapping[str, Any]) -> None:
    """Add the runs to the open model; a view without them leaves the prior."""
    import pymc as pm

    from aligntax.models.priors.elicited import data_columns
    from aligntax.models.priors.observed import add_likelihood, named
    from aligntax.models.priors.scales import half_normal

    rows, names = runs(evidence, view), corpora(evidence)
    model = pm.modelcontext(None)
    model.add_coord("loss_run", rows["loss_run"].values)
    sd = half_normal("loss_sd", 0.05)  # of log loss: seeds and digitising move a loss by about 1%
    freedom = None
    if view.loss_law.errors == "student_t":
        # Juarez and Steel 2010: from heavy tails to nearly normal
        freedom = pm.Gamma("error_freedom", 2.0, 0.1)
    run = data_columns("loss_run_data", rows)
    law = x
    if len(names) > 1:
        model.add_coord("corpus", names)
        # DeepSeek's three corpora: 0.18; Marin's three: 0.03
        spread = pm.LogNormal("exponent_spread", np.log(0.12), 0.5)
        sds = dict.fromkeys(TERMS, TERM_SPREAD) | {
            "irreducible_loss": ENTROPY_SPREAD,
            "alpha": spread,
            "beta": spread,
        }
        own = {
            name: pm.Normal(f"corpus_{name}", y, sds[name], dims="corpus")
            for name, y in to_link(x).items()
        }
        index = run["corpus_index"].astype("int64")
        law = {name: value[index] for name, value in from_link(own).items()}
    if rows.sizes["loss_run"]:
        mean = np.log(loss(law, run["n"], run["d"]))
        terms = log_likelihood(run["log_loss"] - mean, sd, freedom)
        known = pm.Normal.dist(mean, sd)
        if freedom is not None:
            known = pm.StudentT.dist(nu=freedom, mu=mean, sigma=sd)
        add_likelihood("loss_runs", known, run["log_loss"], "loss_run", terms=terms)
    named("allocation_exponent", allocation_exponent(x["alpha"], x["beta"]))
    named("data_exponent", data_exponent(x["alpha"], x["beta"]))


def build(evidence: Evidence, view: View, opened: bool = False) -> Any:
    """Return the loss law as a ``pm.Model``."""
    from aligntax.models.priors.elicited import elicited_model

    with elicited_model(view.tables(QUANTITIES), opened=opened) as (model, x):
        add(evidence, view, x)
    return model


def derive(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View
) -> dict[str, Any]:
    """Exponents and optimal tokens per parameter from draws.

    With several corpora there are those of each corpus beside those of the population.

    Parameters
    ----------
    x : dict of ndarray, shape (draw,)
        Elicited quantities on their own scales.
    parameters : xarray.Dataset
        Structural parameters; those of corpora have a last dimension ``corpus``.

    Returns
    -------
    dict of ndarray
        ``X_by_corpus``, shape (draw, corpus), is reported as ``X[corpus]``.
    """
    known = {
        name: parameters[name].values for name in ("loss_sd", "error_freedom") if name in parameters
    }
    if "exponent_spread" not in parameters:
        return _allocation(x, view) | known
    own = from_link({name: parameters[f"corpus_{name}"].values for name in QUANTITIES})
    corpus = {name: own[name] for name in HEADLINES if name in own} | _allocation(own, view)
    spread = {"exponent_spread": parameters["exponent_spread"].values}
    of_corpora = {f"{name}_by_corpus": value for name, value in corpus.items()}
    return _allocation(x, view) | of_corpora | known | spread


def _allocation(x: Mapping[str, Any], view: View) -> dict[str, Any]:
    return {
        "allocation_exponent": allocation_exponent(x["alpha"], x["beta"]),
        "data_exponent": data_exponent(x["alpha"], x["beta"]),
        "tokens_per_parameter": tokens_per_parameter(x, view, view.loss_law.compute),
    }


def coords(evidence: Evidence) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Extra dimension of the derived quantities of each corpus."""
    names = corpora(evidence)
    return {f"{name}_by_corpus": ("corpus", names) for name in HEADLINES} if len(names) > 1 else {}


def observed(evidence: Evidence, view: View) -> dict[str, xr.DataArray]:
    """The evidence on the scale of the likelihood, under the names of :func:`simulate`."""
    return {"loss_runs": runs(evidence, view)["log_loss"]}


def expected(x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View) -> Any:
    """Log loss without error of each used run, (draw..., run)."""
    rows = runs(evidence, view)
    law = {name: x[name][..., None] for name in QUANTITIES}
    if "exponent_spread" in parameters:
        index = rows["corpus_index"].values.astype(int)
        law = from_link(
            {name: parameters[f"corpus_{name}"].values[..., index] for name in QUANTITIES}
        )
    return np.log(loss(law, rows["n"].values, rows["d"].values))


def simulate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, tuple[str, Any]]:
    """Replicated log loss of each used run, (draw..., run)."""
    mean = expected(x, parameters, evidence, view)
    if "error_freedom" in parameters:
        error = rng.standard_t(parameters["error_freedom"].values[..., None], size=mean.shape)
    else:
        error = rng.standard_normal(mean.shape)
    return {"loss_runs": ("loss_run", mean + parameters["loss_sd"].values[..., None] * error)}


def replicate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, xr.Dataset]:
    """Likelihood rows of one draw's replicated evidence, by table; values are scalars."""
    drawn = simulate(x, parameters, evidence, view, rng)["loss_runs"]
    return {"loss_runs": runs(evidence, view).assign(log_loss=drawn)}
