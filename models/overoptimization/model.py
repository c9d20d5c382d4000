"""How far can a learned reward be optimised, and how many labels move that point out?

The gold reward, which is the true one, falls beyond that point. It is in sd of the initial policy's
score, which is 0 on average. A policy at ``KL`` nats from the initial one, with ``d = sqrt(KL)``,
scores by the laws of Gao, Schulman and Hilton [1]_::

    form bon:  gold(d) = d (alpha - beta d)
               peak at d* = alpha / (2 beta),         gold* = alpha^2 / (4 beta)
    form rl:   gold(d) = d (alpha - beta log d)
               peak at d* = exp(alpha / beta - 1),    gold* = beta d*

With the peak as parameter and ``u = d / d*``, both are one line, and neither alpha nor beta need be
known in advance::

    bon:  gold = gold* u (2 - u)                     rl:  gold = gold* u (1 - log u)

Run ``r``, one proxy reward optimised in one way ``m``, has its own peak, and runs are partially
pooled. More labels move it out, up to the best that the proxy's class can do. With ``n_r`` labels,
and all in log10 but ``label_exponent``::

    short_r         = log10(1 + 10^(label_exponent (labels_half - log10 n_r)))
    run_peak_kl_r   ~ Normal(peak_kl - short_r + method_kl_m, peak_kl_spread)
    further_r       = run_peak_kl_r - peak_kl
    run_peak_gold_r ~ Normal(peak_gold + gold_slope further_r + method_gold_m, peak_gold_spread)
    gold_i          ~ Normal(gold_r(d_i), sqrt(gold_se_i^2 + (misfit gold*_r)^2))

    peak_kl_spread, peak_gold_spread ~ LogNormal(log 0.1, 0.7)
    method_kl, method_gold           ~ Normal(0, 0.3)
    gold_slope                       ~ Normal(0.75, 0.35)
    misfit                           ~ HalfNormal(0.1)

The sampled variable is ``run_start_r = run_peak_gold_r - run_peak_kl_r / 2``, the log10 of
``gold* / d*``. Points short of the peak determine a curve's start (half its alpha in the form bon)
far better than its peak. A run that states no number of labels counts as one with ample labels.
``peak_kl`` and ``peak_gold`` are those of the method of the first point; other methods are offset.
For the peak to lie at ``kl_budget``, so that over-optimisation does not set in before::

    labels_needed = labels_half - log10(10^(peak_kl - kl_budget) - 1) / label_exponent

This is infinite where ``kl_budget`` is beyond ``peak_kl``. More labels do not help then, but
another class of proxy would. ``labels_multiple_needed`` is that number over the one for the KL of
RLHF practice.

References
----------
.. [1] Gao, Schulman, Hilton, "Scaling laws for reward model overoptimization", 2022.
       arXiv:2210.10760
.. [2] Stiennon et al., "Learning to summarize from human feedback", 2020. arXiv:2009.01325
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.random import Generator

from aligntax.models.evidence import Evidence, replaceable_rows, select
from aligntax.models.views import View

QUANTITIES = ("peak_kl", "peak_gold", "labels_half", "label_exponent", "kl_budget", "kl_practice")
TOP_LEVEL = (
    "misfit",
    "method_kl",
    "method_gold",
    "gold_slope",
    "peak_kl_spread",
    "peak_gold_spread",
)
HEADLINES = (
    "peak_kl",
    "peak_gold",
    "gold_alpha",
    "gold_beta",
    "gold_lost",
    "labels_needed",
    "labels_multiple_needed",
    "labels_suffice",
)
FORMS = ("bon", "rl")
BY_RUN = ("peak_kl", "peak_gold", "gold_alpha", "gold_beta")

# OOM, median of the spread of peaks between proxies with equally many labels; log-normal, 90% 0.03
# to 0.3: seeds move a peak, and may double or halve it. The prior avoids zero, since two curves
# cannot tell a spread from none (Chung et al. 2013, doi:10.1007/s11336-013-9328-2).
SPREAD, SPREAD_SD = 0.1, 0.7
# OOM: Gao et al. find that RL spends several times the KL of best-of-n for the same gold
METHOD_SPREAD = 0.3
# log10 nats: where a run's peak is searched, and the smallest sd with which it is located
PEAK_RANGE, SMALLEST_PEAK_SD = ((-3.0, 5.0), 0.01)
TINY = 1e-9  # sd
# scale of the curve's error, as a share of the peak: the laws describe Gao et al.'s curves to a few
# per cent of it
MISFIT = 0.1


def gold(d: Any, peak_d: Any, peak_gold: Any, is_rl: Any, log: Any = np.log) -> Any:
    """Gold reward at ``d``, in sd of the initial policy's score.

    Parameters
    ----------
    d : array or tensor
        Root of KL (nats), positive.
    peak_d, peak_gold : array or tensor
        Where gold is highest, and how high.
    is_rl : array of bool or float
        Whether the form is ``d (alpha - beta log d)`` rather than ``d (alpha - beta d)``.
    log : callable
        ``numpy.log`` or its PyTensor twin.
    """
    u = d / peak_d
    return peak_gold * u * (1 + is_rl * -log(u) + (1 - is_rl) * (1 - u))


def coefficients(peak_kl: Any, peak_gold: Any, is_rl: Any) -> tuple[Any, Any]:
    """``alpha`` and ``beta`` of the curve whose peak lies at ``peak_kl`` and ``peak_gold``."""
    d, height = 10.0 ** (np.asarray(peak_kl) / 2), 10.0 ** np.asarray(peak_gold)
    beta = np.where(is_rl, height / d, height / d**2)
    return np.where(is_rl, beta * (1 + np.log(d)), 2 * height / d), beta


def peak(alpha: Any, beta: Any, is_rl: Any) -> tuple[Any, Any]:
    """KL (nats) and gold of a curve's peak, the inverse of :func:`coefficients`.

    The curve is ``d (alpha - beta log d)`` if ``is_rl``, else ``d (alpha - beta d)``.
    """
    alpha, beta = np.asarray(alpha, dtype=float), np.asarray(beta, dtype=float)
    d = np.where(is_rl, np.exp(alpha / beta - 1), alpha / (2 * beta))
    return d**2, np.where(is_rl, beta * d, beta * d**2)


def reduction(
    log_labels: Any, labels_half: Any, label_exponent: Any, log1p: Any = np.log1p, exp: Any = np.exp
) -> Any:
    """OOM by which the peak's KL lies below that with ample labels.

    ``log_labels`` and ``labels_half`` are in log10.
    """
    ln10 = float(np.log(10))
    short_by = label_exponent * (labels_half - log_labels) * ln10
    positive = short_by * (short_by > 0)  # log(1 + e^s) = s + log(1 + e^-s), without overflow
    return (positive + log1p(exp(-abs(short_by)))) / ln10


def labels_needed(x: Mapping[str, Any], log_kl: Any) -> Any:
    """Labels (log10) with which a typical proxy's gold peaks at a KL.

    Infinite where no number suffices.

    Parameters
    ----------
    x : dict of ndarray
        ``peak_kl``, ``labels_half`` (log10) and ``label_exponent``.
    log_kl : float or ndarray
        log10 nats.
    """
    room = np.expm1(np.log(10) * (x["peak_kl"] - log_kl))  # limit over budget, less 1
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(room > 0, x["labels_half"] - np.log10(room) / x["label_exponent"], np.inf)


def run_names(evidence: Evidence) -> tuple[str, ...]:
    """Names of the used runs, sorted."""
    return tuple(str(name) for name in np.unique(select(evidence["gold_curves"])["run"].values))


def methods(evidence: Evidence) -> tuple[str, ...]:
    """Ways of optimising of the used points; that of the first point is first, as the reference."""
    return tuple(
        dict.fromkeys(str(name) for name in select(evidence["gold_curves"])["method"].values)
    )


@replaceable_rows("gold_curves")
def curves(evidence: Evidence) -> xr.Dataset:
    """Points in the likelihood, and what is known of each run.

    Over ``gold_point`` these are ``d``, ``gold``, ``gold_se`` (0 where not stated) and
    ``run_index``; over ``gold_run`` they are ``is_rl``, ``method_index`` and ``log_labels`` (log10,
    NaN where unknown).
    """
    used, order = select(evidence["gold_curves"]), methods(evidence)
    names, first, index = np.unique(used["run"].values, return_index=True, return_inverse=True)
    of_run = used.isel(gold_point=first)
    return xr.Dataset(
        {
            "d": np.sqrt(used["kl"]),
            "gold": used["gold"],
            "gold_se": used["gold_se"].fillna(0.0),
            "run_index": ("gold_point", index.astype(float)),
            "is_rl": ("gold_run", (of_run["form"].values == "rl").astype(float)),
            "method_index": (
                "gold_run",
                [order.index(str(name)) for name in of_run["method"].values],
            ),
            "log_labels": ("gold_run", np.log10(of_run["labels"].values.astype(float))),
        },
        coords={"gold_run": [str(name) for name in names]},
    )


def locate_peaks(data: xr.Dataset) -> xr.Dataset:
    """Mean and sd of ``run_peak_kl`` and ``run_start`` by each run's own points, over ``gold_run``.

    They are found by quadrature. Given the peak's KL, gold is linear in its height, so that one
    integral has a closed form. This only decides where chains start and in what units they move. A
    parabola that misses the points by thousands of standard errors has slopes that trap chains.
    """
    grid, index = np.linspace(*PEAK_RANGE, 1001), run_index_of(data)
    fitted = []
    for run, is_rl in enumerate(data["is_rl"].values):
        d, y, se = (data[name].values[index == run] for name in ("d", "gold", "gold_se"))
        error = np.where(se > 0, se, MISFIT * np.abs(y).max() + TINY)
        shape, y = gold(d, 10.0 ** (grid[:, None] / 2), 1.0, is_rl) / error, y / error
        height = np.maximum(shape @ y / (shape**2).sum(axis=-1), TINY)
        fit = -0.5 * ((y - height[:, None] * shape) ** 2).sum(axis=-1)
        weight = np.exp(fit - fit.max())
        where = np.stack([grid, np.log10(height) - grid / 2])
        mean = np.average(where, axis=-1, weights=weight)
        sd = np.sqrt(np.average((where - mean[:, None]) ** 2, axis=-1, weights=weight))
        fitted.append([*mean, *np.clip(sd, SMALLEST_PEAK_SD, METHOD_SPREAD)])
    names = ("run_peak_kl", "run_start", "run_peak_kl_sd", "run_start_sd")
    return xr.Dataset(
        {
            name: ("gold_run", column)
            for name, column in zip(names, np.reshape(fitted, (-1, 4)).T, strict=True)
        }
    )


def data(evidence: Evidence, view: View) -> dict[str, xr.Dataset]:
    """Numbers that the graph holds as ``pm.Data``, by name: of each point, and of each run."""
    rows = curves(evidence)
    form = rows["is_rl"].values[run_index_of(rows)]
    return {
        "gold_points": rows[["d", "gold", "gold_se", "run_index"]].assign(
            form=("gold_point", form)
        ),
        "gold_runs": locate_peaks(rows).assign(log_labels=rows["log_labels"].fillna(0.0)),
    }


def _add_peaks(
    rows: xr.Dataset, run: dict[str, Any], order: tuple[str, ...], x: Mapping[str, Any]
) -> tuple[Any, Any]:
    """Log10 KL and gold of each run's peak, in the open model."""
    import pymc as pm
    import pytensor.tensor as pt

    from aligntax.models.priors.scales import informed_normal

    mean_kl, mean_gold = x["peak_kl"], x["peak_gold"]
    known = np.isfinite(rows["log_labels"].values)
    if known.any():
        short = reduction(
            run["log_labels"], x["labels_half"], x["label_exponent"], pt.log1p, pt.exp
        )
        mean_kl = mean_kl - known.astype(float) * short
    if len(order) > 1:
        is_method = (rows["method_index"].values[:, None] == np.arange(1, len(order))).astype(float)
        kl = pm.Normal("method_kl", 0.0, METHOD_SPREAD, dims="other_method")
        height = pm.Normal("method_gold", 0.0, METHOD_SPREAD, dims="other_method")
        mean_kl = mean_kl + (is_method * kl).sum(axis=-1)
        mean_gold = mean_gold + (is_method * height).sum(axis=-1)
    # between the 1/2 of curves that share alpha, and so their start, and the 1 of curves that share
    # beta
    slope = pm.Normal("gold_slope", 0.75, 0.35)

    def spread(name: str) -> Any:
        return pm.LogNormal(name, np.log(SPREAD), SPREAD_SD)

    def of_run(name: str, mean: Any, sd: Any) -> Any:
        return informed_normal(name, mean, sd, run[name], run[f"{name}_sd"], "gold_run")

    peak_kl = of_run("run_peak_kl", mean_kl, spread("peak_kl_spread"))
    mean_gold = mean_gold + slope * (peak_kl - x["peak_kl"])
    start = of_run("run_start", mean_gold - peak_kl / 2, spread("peak_gold_spread"))
    return peak_kl, start + peak_kl / 2


def build(evidence: Evidence, view: View) -> Any:
    """Return the gold curves as a ``pm.Model``; evidence without points leaves the prior."""
    import pymc as pm
    import pytensor.tensor as pt

    from aligntax.models.priors.elicited import data_columns, elicited_model
    from aligntax.models.priors.scales import half_normal

    rows, order = curves(evidence), methods(evidence)
    coords = {
        "gold_run": rows["gold_run"].values,
        "gold_point": rows["gold_point"].values,
        "other_method": order[1:],
    }
    with elicited_model(view.tables(QUANTITIES), coords) as (model, x):
        misfit = half_normal("misfit", MISFIT)
        if rows.sizes["gold_point"]:
            numbers = data(evidence, view)
            peak_kl, peak_gold = _add_peaks(
                rows, data_columns("gold_runs", numbers["gold_runs"]), order, x
            )
            point = data_columns("gold_points", numbers["gold_points"])
            index = point["run_index"].astype("int64")
            height = pt.exp(np.log(10) * peak_gold)[index]
            d_peak = pt.exp(np.log(10) / 2 * peak_kl)[index]
            mean = gold(point["d"], d_peak, height, point["form"], pt.log)
            error = pt.sqrt(point["gold_se"] ** 2 + (misfit * height) ** 2)
            terms = (
                -0.5 * ((point["gold"] - mean) / error) ** 2
                - pt.log(error)
                - 0.5 * np.log(2 * np.pi)
            )
            pm.Potential("gold_curves", terms, dims="gold_point")
    return model


def run_peaks(parameters: xr.Dataset) -> tuple[Any, Any]:
    """Log10 KL and gold of each run's peak, (draw..., run)."""
    kl = parameters["run_peak_kl"].values
    return kl, parameters["run_start"].values + kl / 2


def run_index_of(data: xr.Dataset) -> Any:
    """Run of each point, as integers."""
    return data["run_index"].values.astype(int)


def derive(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View
) -> dict[str, Any]:
    """Peak, gold lost beyond it and labels needed of a typical run, and each run's own curve.

    Parameters
    ----------
    x : dict of ndarray, shape (draw,)
        Elicited quantities on their own scales.
    parameters : xarray.Dataset
        Structural parameters; those of runs have a last dimension ``gold_run``.

    Returns
    -------
    dict of ndarray
        ``X_by_gold_run``, shape (draw, run), is reported as ``X[run]``. ``labels_needed`` and
        ``labels_multiple_needed`` are infinite where no number of labels suffices; the multiple is
        NaN where that holds for practice too.
    """
    data = curves(evidence)
    is_rl = bool(data["is_rl"].values[run_index_of(data)[0]]) if data.sizes["gold_point"] else False
    alpha, beta = coefficients(x["peak_kl"], x["peak_gold"], is_rl)
    d, d_peak = 10.0 ** (x["kl_budget"] / 2), 10.0 ** (x["peak_kl"] / 2)
    height = 10.0 ** x["peak_gold"]
    needed, practice = labels_needed(x, x["kl_budget"]), labels_needed(x, x["kl_practice"])
    with np.errstate(invalid="ignore"):  # infinite over infinite
        multiple = needed - practice
    answers = {
        "peak_kl": x["peak_kl"],
        "peak_gold": x["peak_gold"],
        "gold_alpha": alpha,
        "gold_beta": beta,
        "gold_lost": np.where(d > d_peak, height - gold(d, d_peak, height, is_rl), 0.0),
        "labels_needed": needed,
        "labels_multiple_needed": multiple,
        "labels_suffice": np.isfinite(needed).astype(float),
        "misfit": parameters["misfit"].values,
    }
    if "run_peak_kl" not in parameters:
        return answers
    kl, top = run_peaks(parameters)
    own = dict(zip(BY_RUN, (kl, top, *coefficients(kl, top, data["is_rl"].values)), strict=True))
    return answers | {f"{name}_by_gold_run": value for name, value in own.items()}


def coords(evidence: Evidence) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Extra dimension of the derived quantities of each run."""
    names = run_names(evidence)
    return {f"{name}_by_gold_run": ("gold_run", names) for name in BY_RUN} if names else {}


def observed(evidence: Evidence, view: View) -> dict[str, xr.DataArray]:
    """The evidence on the scale of the likelihood, under the names of :func:`simulate`."""
    return {"gold": curves(evidence)["gold"]}


def simulate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, tuple[str, Any]]:
    """Replicated gold of each used point, (..., point), for the same runs."""
    data = curves(evidence)
    index = run_index_of(data)
    peak_kl, peak_gold = (value[..., index] for value in run_peaks(parameters))
    height = 10.0**peak_gold
    mean = gold(data["d"].values, 10.0 ** (peak_kl / 2), height, data["is_rl"].values[index])
    misfit = parameters["misfit"].values[..., None] * height
    error = np.sqrt(data["gold_se"].values ** 2 + misfit**2)
    return {"gold": ("gold_point", mean + error * rng.standard_normal(mean.shape))}


def replicate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, xr.Dataset]:
    """Likelihood rows of one draw's replicated evidence, by table; values are scalars."""
    return {"gold_curves": curves(evidence).assign(simulate(x, parameters, evidence, view, rng))}
