"""How far can a learned reward be optimised, and how many labels move that point out?

The gold reward, which is the true one, falls beyond that point. It is in sd of the initial policy's
score, which is 0 on average. A policy at ``KL`` nats from the initial one scores by the laws of
Gao, Schulman and Hilton [1]_, stated by their peak
(:mod:`aligntax.models.overoptimization.gold_law`).

Run ``r`` optimises one proxy reward ``p`` in one way ``m``. Runs of one proxy share its labels, and
so the luck of them: an effect of the proxy moves the peaks of all its runs alike. More labels move
the peak out, up to the best that the proxy's class can do, and leave less to luck. With ``n_p``
labels, and all in log10 but the exponents::

    short_p           = log10(1 + 10^(label_exponent (labels_half - log10 n_p)))
    luck_p            = (n_p / 1000)^-spread_exponent
    proxy_peak_kl_p   ~ Normal(peak_kl - short_p, peak_kl_spread luck_p)
    proxy_peak_gold_p ~ Normal(peak_gold + gold_slope (proxy_peak_kl_p - peak_kl),
                               peak_gold_spread luck_p)
    run_peak_kl_r     = proxy_peak_kl_p + method_kl_m
    run_peak_gold_r   = proxy_peak_gold_p + method_gold_m
    typical_p         = 10^(peak_gold - gold_slope short_p)
    gold_i            ~ Normal(gold_r(d_i), sqrt(gold_se_i^2 + (misfit typical_p)^2))

============================  ====  =======================  ======================================
name                          unit  prior                    meaning
============================  ====  =======================  ======================================
``peak_kl_spread``            OOM   LogNormal(log 0.1, 0.7)  spread of the peak's KL between proxies
                                                             of 1,000 labels
``peak_gold_spread``          OOM   LogNormal(log 0.1, 0.7)  the same of its gold, given its KL
``spread_exponent``           1     Normal(0.5, 0.25)        how fast both fall with labels
``method_kl, method_gold``    OOM   Normal(0, 0.3)           offset of another method
``gold_slope``                1     Normal(0.75, 0.35)       gold's OOM per OOM of KL
``misfit``                    1     HalfNormal(0.1)          error of the law, in typical peaks
============================  ====  =======================  ======================================

The sampled variable is ``proxy_start_p = proxy_peak_gold_p - proxy_peak_kl_p / 2``, the log10 of
``gold* / d*``. Points short of the peak determine a curve's start (half its alpha in the form bon)
far better than its peak. The law's error is a share of the peak of a typical proxy of as many
labels: as a share of its own peak, a curve of endless height would excuse itself. What runs of one
proxy differ by beyond their methods is misfit. A proxy of no stated number of labels counts as one
of ample labels, with the luck of 1,000. A run of no stated proxy is of a proxy of its own.
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
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.random import Generator

from aligntax.models.evidence import Evidence, replaceable_rows, select
from aligntax.models.overoptimization.gold_law import coefficients, gold, labels_needed, reduction
from aligntax.models.overoptimization.located_peaks import (
    locate_proxies,
    of_proxies,
    run_index_of,
)
from aligntax.models.views import View

QUANTITIES = ("peak_kl", "peak_gold", "labels_half", "label_exponent", "kl_budget", "kl_practice")
TOP_LEVEL = (
    "misfit",
    "method_kl",
    "method_gold",
    "gold_slope",
    "peak_kl_spread",
    "peak_gold_spread",
    "spread_exponent",
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

# OOM, median of the spread of peaks between proxies of LUCK labels; log-normal, 90% 0.03 to 0.3:
# seeds move a peak, and may double or halve it. The prior avoids zero, since two curves cannot tell
# a spread from none (Chung et al. 2013, doi:10.1007/s11336-013-9328-2).
SPREAD, SPREAD_SD = 0.1, 0.7
LUCK = 3.0  # log10 labels
WIDE = 1.0  # OOM
# An average over n labels errs by n^-0.5. A proxy's error is one, so that fall is the middle.
SPREAD_EXPONENT, SPREAD_EXPONENT_SD = 0.5, 0.25
# OOM: Gao et al. find that RL spends several times the KL of best-of-n for the same gold
METHOD_SPREAD = 0.3
# scale of the curve's error, as a share of the peak: the laws describe Gao et al.'s curves to a few
# per cent of it
MISFIT = 0.1
# A chain that never finds its curve, which R-hat tells of, has draws whose curves no float holds.
FAR = np.errstate(over="ignore", divide="ignore", invalid="ignore")


def run_names(evidence: Evidence) -> tuple[str, ...]:
    """Names of the used runs, sorted."""
    return tuple(str(name) for name in np.unique(select(evidence["gold_curves"])["run"].values))


def proxy_names(evidence: Evidence) -> tuple[str, ...]:
    """Names of the proxies of the used runs, sorted."""
    return tuple(str(name) for name in np.unique(select(evidence["gold_curves"])["proxy"].values))


def methods(evidence: Evidence) -> tuple[str, ...]:
    """Ways of optimising of the used points; that of the first point is first, as the reference."""
    return tuple(
        dict.fromkeys(str(name) for name in select(evidence["gold_curves"])["method"].values)
    )


@replaceable_rows("gold_curves")
def curves(evidence: Evidence) -> xr.Dataset:
    """Points in the likelihood, and what is known of each run.

    Over ``gold_point`` these are ``d``, ``gold``, ``gold_se`` (0 where not stated) and
    ``run_index``; over ``gold_run`` they are ``is_rl``, ``method_index``, ``proxy_index`` and
    ``log_labels`` (log10, NaN where unknown).
    """
    used, order = select(evidence["gold_curves"]), methods(evidence)
    names, first, index = np.unique(used["run"].values, return_index=True, return_inverse=True)
    of_run, proxies = used.isel(gold_point=first), proxy_names(evidence)
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
            "proxy_index": (
                "gold_run",
                [proxies.index(str(name)) for name in of_run["proxy"].values],
            ),
            "log_labels": ("gold_run", np.log10(of_run["labels"].values.astype(float))),
        },
        coords={"gold_run": [str(name) for name in names]},
    )


def data(evidence: Evidence, view: View) -> dict[str, xr.Dataset]:
    """Numbers that the graph holds as ``pm.Data``, by name: of each point, run and proxy."""
    rows = curves(evidence)
    index = run_index_of(rows)
    of_point = {
        "proxy_index": rows["proxy_index"].values[index].astype(float),
        "form": rows["is_rl"].values[index],
    }
    columns = {name: ("gold_point", value) for name, value in of_point.items()}
    return {
        "gold_points": rows[["d", "gold", "gold_se"]].assign(columns),
        "gold_proxies": locate_proxies(rows, MISFIT),
    }


def unshared(evidence: Evidence) -> Evidence:
    """Evidence in which runs of one proxy pass for runs of different ones: a wrong model of them.

    Calibration shows with it that a fit without the shared effect is caught.
    """
    table = evidence["gold_curves"]
    tables = {**evidence.tables, "gold_curves": table.assign(proxy=table["run"])}
    ready = dict(evidence.ready)
    if "gold_curves" in ready:
        rows = ready["gold_curves"]
        ready["gold_curves"] = rows.assign(proxy_index=("gold_run", range(rows.sizes["gold_run"])))
    return replace(evidence, tables=tables, ready=ready)


def _short(
    x: Mapping[str, Any], labels: Any, known: Any, log1p: Any = np.log1p, exp: Any = np.exp
) -> Any:
    """OOM by which a typical proxy's peak lies below that with ample labels; 0 where unknown."""
    return known * reduction(labels, x["labels_half"], x["label_exponent"], log1p, exp)


def _add_proxies(known: Any, proxy: Mapping[str, Any], x: Mapping[str, Any]) -> tuple[Any, ...]:
    """Log10 KL and gold of each proxy's peak, and the typical height, in the open model."""
    import pymc as pm
    import pytensor.tensor as pt

    from aligntax.models.priors.observed import start_at
    from aligntax.models.priors.scales import informed_normal

    # between the 1/2 of curves that share alpha, and so their start, and the 1 of curves that share
    # beta
    slope = pm.Normal("gold_slope", 0.75, 0.35)
    # chains start with wide spreads, alike for all labels, and a wide misfit: proxies, points and a
    # population that has yet to find them would else throw each other far away
    fall = pm.Normal("spread_exponent", SPREAD_EXPONENT, SPREAD_EXPONENT_SD, initval=start_at(0.0))
    luck = pt.exp(np.log(10) * fall * known * (LUCK - proxy["log_labels"]))
    short = _short(x, proxy["log_labels"], known, pt.log1p, pt.exp)

    def of_proxy(name: str, mean: Any, spread: str) -> Any:
        sd = pm.LogNormal(spread, np.log(SPREAD), SPREAD_SD, initval=start_at(WIDE)) * luck
        return informed_normal(name, mean, sd, proxy[name], proxy[f"{name}_sd"], "gold_proxy")

    peak_kl = of_proxy("proxy_peak_kl", x["peak_kl"] - short, "peak_kl_spread")
    mean_gold = x["peak_gold"] + slope * (peak_kl - x["peak_kl"])
    start = of_proxy("proxy_start", mean_gold - peak_kl / 2, "peak_gold_spread")
    return peak_kl, start + peak_kl / 2, pt.exp(np.log(10) * (x["peak_gold"] - slope * short))


def _add_offsets(is_method: Any) -> tuple[Any, Any]:
    """Log10 KL and gold by which the method of each point moves its peak, in the open model."""
    import pymc as pm

    if not is_method.shape[-1]:
        return 0.0, 0.0
    kl, height = (
        (is_method * pm.Normal(name, 0.0, METHOD_SPREAD, dims="other_method")).sum(axis=-1)
        for name in ("method_kl", "method_gold")
    )
    return kl, height


def _is_method(rows: xr.Dataset, order: tuple[str, ...]) -> Any:
    """Whether each run is of each method but the first, shape (run, method)."""
    return (rows["method_index"].values[:, None] == np.arange(1, len(order))).astype(float)


def build(evidence: Evidence, view: View, opened: bool = False) -> Any:
    """Return the gold curves as a ``pm.Model``; evidence without points leaves the prior."""
    import pymc as pm
    import pytensor.tensor as pt

    from aligntax.models.priors.elicited import data_columns, elicited_model
    from aligntax.models.priors.observed import add_likelihood, named
    from aligntax.models.priors.scales import half_normal

    rows, order = curves(evidence), methods(evidence)
    coords = {
        "gold_run": rows["gold_run"].values,
        "gold_proxy": proxy_names(evidence),
        "gold_point": rows["gold_point"].values,
        "other_method": order[1:],
    }
    with elicited_model(view.tables(QUANTITIES), coords, opened) as (model, x):
        misfit = half_normal("misfit", MISFIT, start=3 * MISFIT)
        if rows.sizes["gold_point"]:
            numbers = data(evidence, view)
            known = np.isfinite(of_proxies(rows, rows["log_labels"].values)).astype(float)
            proxy = data_columns("gold_proxies", numbers["gold_proxies"])
            peak_kl, peak_gold, typical = _add_proxies(known, proxy, x)
            more_kl, more_gold = _add_offsets(_is_method(rows, order)[run_index_of(rows)])
            point = data_columns("gold_points", numbers["gold_points"])
            index = point["proxy_index"].astype("int64")
            height = pt.exp(np.log(10) * (peak_gold[index] + more_gold))
            d_peak = pt.exp(np.log(10) / 2 * (peak_kl[index] + more_kl))
            mean = gold(point["d"], d_peak, height, point["form"], pt.log)
            error = pt.sqrt(point["gold_se"] ** 2 + (misfit * typical[index]) ** 2)
            terms = (
                -0.5 * ((point["gold"] - mean) / error) ** 2
                - pt.log(error)
                - 0.5 * np.log(2 * np.pi)
            )
            law = pm.Normal.dist(mean, error)
            add_likelihood("gold_curves", law, point["gold"], "gold_point", terms=terms)
            named("proxy_peak_gold", peak_gold, gold_proxy=coords["gold_proxy"])
    return model


def run_peaks(parameters: xr.Dataset, evidence: Evidence) -> tuple[Any, Any]:
    """Log10 KL and gold of each run's peak, (draw..., run)."""
    rows = curves(evidence)
    proxy, is_method = rows["proxy_index"].values, _is_method(rows, methods(evidence))
    kl = parameters["proxy_peak_kl"].values[..., proxy]
    height = parameters["proxy_start"].values[..., proxy] + kl / 2
    if is_method.shape[-1]:
        kl = kl + parameters["method_kl"].values @ is_method.T
        height = height + parameters["method_gold"].values @ is_method.T
    return kl, height


@FAR
def derive(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View
) -> dict[str, Any]:
    """Peak, gold lost beyond it and labels needed of a typical run, and each run's own curve.

    Parameters
    ----------
    x : dict of ndarray, shape (draw,)
        Elicited quantities on their own scales.
    parameters : xarray.Dataset
        Structural parameters; those of proxies have a last dimension ``gold_proxy``.

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
    multiple = needed - practice  # undefined where both are infinite
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
    if "proxy_peak_kl" not in parameters:
        return answers
    kl, top = run_peaks(parameters, evidence)
    own = dict(zip(BY_RUN, (kl, top, *coefficients(kl, top, data["is_rl"].values)), strict=True))
    return answers | {f"{name}_by_gold_run": value for name, value in own.items()}


def coords(evidence: Evidence) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Extra dimension of the derived quantities of each run."""
    names = run_names(evidence)
    return {f"{name}_by_gold_run": ("gold_run", names) for name in BY_RUN} if names else {}


def observed(evidence: Evidence, view: View) -> dict[str, xr.DataArray]:
    """The evidence on the scale of the likelihood, under the names of :func:`simulate`."""
    return {"gold_curves": curves(evidence)["gold"]}


@FAR
def simulate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, tuple[str, Any]]:
    """Replicated gold of each used point, (..., point), for the same runs."""
    data = curves(evidence)
    index = run_index_of(data)
    peak_kl, peak_gold = (value[..., index] for value in run_peaks(parameters, evidence))
    height = 10.0**peak_gold
    mean = gold(data["d"].values, 10.0 ** (peak_kl / 2), height, data["is_rl"].values[index])
    column = {name: np.asarray(value)[..., None] for name, value in x.items()}
    labels = data["log_labels"].values[index]
    short = _short(column, np.nan_to_num(labels), np.isfinite(labels))
    slope, misfit = (parameters[name].values[..., None] for name in ("gold_slope", "misfit"))
    typical = 10.0 ** (column["peak_gold"] - slope * short)
    error = np.sqrt(data["gold_se"].values ** 2 + (misfit * typical) ** 2)
    return {"gold_curves": ("gold_point", mean + error * rng.standard_normal(mean.shape))}


def replicate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, xr.Dataset]:
    """Likelihood rows of one draw's replicated evidence, by table; values are scalars."""
    drawn = simulate(x, parameters, evidence, view, rng)["gold_curves"]
    return {"gold_curves": curves(evidence).assign(gold=drawn)}
