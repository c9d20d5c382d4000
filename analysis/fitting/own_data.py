"""A user's own data in a model: gold curves, runs on tasks, or training runs for the loss law.

Gold curves stand in the place of the simulated ones, and runs of models on tasks fill their table.
The loss law is fitted to training runs. With ``scaling`` and ``joint`` the loss law's
data exponent enters the meta-analysis as one study.

The study's ``log gamma`` is the posterior mean of ``log alpha - log beta``, draw by draw, so that
their correlation counts, and its standard error the posterior's sd. The table holds ``a`` with
standard error ``s_a = s a (1 - a)``, the delta method of :func:`aligntax.models.scaling.studies`
inverted. With several corpora the population's exponent enters, as one study.

Published rows on the same runs must not count twice: the group that is replaced is marked as not
used. The joint model's loss law, by which the Direct Approach's requirement is met, is then the fit
to these runs, with the correlations of its posterior.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from aligntax.analysis.fitting.fitted_first import fit_first
from aligntax.analysis.inference.derive import split_draws
from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.inputs.gold_data import GoldCurves, describe_curves, with_curves
from aligntax.analysis.inputs.horizon_runs import (
    HorizonRuns,
    describe_horizon_runs,
    with_horizon_runs,
)
from aligntax.analysis.inputs.loss_runs import LossRuns, describe_runs, with_runs
from aligntax.models.catalogue import Model, find_model
from aligntax.models.direct_approach import LAW
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence, select
from aligntax.models.loss_law import allocation_exponent
from aligntax.models.views import EvidenceChoice, View

NONE = "none"  # what --replaces says where no published rows rest on the same runs
STUDIES, LAWS, GOLD = "scaling_exponents", "loss_laws", "gold_curves"
ON_TASKS = "horizon_runs"
# Least standard error of a, as for every row of the table: seeds and set-up vary more than a large
# set of runs shows.
LEAST_SE = 0.01


@dataclass(frozen=True)
class FittedLaw:
    """The loss law of a user's runs.

    Attributes
    ----------
    log_gamma, log_gamma_sd : float
    law, covariance : ndarray, shape (4,) and (4, 4)
        Posterior mean and covariance of :data:`aligntax.models.direct_approach.LAW` at the view's
        reference.
    failed : tuple of str
        Checks that the fit failed.
    """

    log_gamma: float
    log_gamma_sd: float
    law: Any
    covariance: Any
    failed: tuple[str, ...]


def enter_own_data(
    model: Model,
    runs: LossRuns | GoldCurves | HorizonRuns,
    view: View,
    evidence: Evidence,
    options: Sampling,
    talk: Talk,
    *,
    replaces: str | None = None,
) -> tuple[Evidence, dict[str, Any]]:
    """Enter a user's data into the evidence.

    Parameters
    ----------
    model : Model
        ``loss-law`` is conditioned on the runs; a model with scaling studies on one study made of
        them; ``overoptimization`` takes gold curves.
    options : Sampling
        Of the run; the loss law is fitted with the same.
    replaces : str, optional
        Group of studies that rest on the same runs. By default the one of a public set that is
        recognised.

    Returns
    -------
    evidence : Evidence
    facts : dict
        What a run's ``info.json`` says of the data.

    Raises
    ------
    InputError
        If the model has no use for runs, the view leaves scaling studies out, or there is no such
        group.
    """
    if isinstance(runs, HorizonRuns):
        return _runs_on_tasks(model, runs, replaces, view, evidence)
    facts = {
        "file": str(runs.path),
        "sha256": runs.sha256,
        "rows": runs.used,
        "left_out": len(runs.rows) - runs.used,
        "notes": list(runs.notes),
    }
    if isinstance(runs, GoldCurves):
        _require_home(model, GOLD, "gold curves", "overoptimization", replaces, view)
        return with_curves(evidence, runs), {**facts, "words": f"fitted to {describe_curves(runs)}"}
    facts |= {
        "corpora": list(runs.corpora),
        "public": None if runs.public is None else runs.public.name,
        "doubts": list(runs.doubts),
    }
    doubted = f"; taken as given: {'; '.join(runs.doubts)}" if runs.doubts else ""
    if "loss_runs" in model.tables:
        if replaces is not None:
            rule = "says which studies not to use in joint or scaling"
            raise InputError(f"replaces: {rule}, got it for {model.name}")
        words = f"fitted to {describe_runs(runs)}{doubted}"
        return with_runs(evidence, runs), {**facts, "words": words}
    if STUDIES not in model.tables:
        rule = "must be given to loss-law, scaling or joint"
        raise InputError(f"runs: {rule}, got {model.name}; choose one of them")
    _require_table(STUDIES, view)
    group = _replaced(runs, replaces, evidence)
    fitted = _fit(runs, view, evidence, options, talk)
    row = study_from_runs(runs, fitted, group)
    entered = _with_study(evidence, view, row, group)
    words = _describe_entry(runs, group, fitted, replaces) + doubted
    if LAWS in model.tables:
        law = law_from_runs(runs, fitted, row, view)
        before = entered[LAWS]["used"].values
        entered = _unused(entered, LAWS, before, law["key"]).with_rows(LAWS, [law], extend=True)
        words += "; their loss law is the Direct Approach's"
    facts |= {"log_gamma_mean": fitted.log_gamma, "log_gamma_sd": fitted.log_gamma_sd}
    facts |= {"gamma": float(np.exp(fitted.log_gamma)), "replaces": group}
    facts |= {"study": row["key"], "failed_checks": list(fitted.failed), "words": words}
    return entered, facts


def _with_study(evidence: Evidence, view: View, row: Mapping[str, Any], group: str) -> Evidence:
    """Evidence with one more scaling study, in place of those of a group."""
    if view.evidence.until is not None and row["year"] + 0.5 > view.evidence.until:
        rule = f"must be known by evidence.until = {view.evidence.until:g}"
        got = f"runs of {row['year']:.0f}"
        raise InputError(f"runs: {rule}, got {got}; leave --runs out or use a later date")
    same = evidence[STUDIES]["independence_group"].values == group
    return _unused(evidence, STUDIES, same, row["key"]).with_rows(STUDIES, [row], extend=True)


def _require_home(
    model: Model, table: str, what: str, home: str, replaces: str | None, view: View
) -> None:
    """Refuse data that belong to one model, ``home``, where they cannot enter its table."""
    if table not in model.tables:
        raise InputError(f"runs: {what} must be given to {home}, got {model.name}; run that model")
    if replaces is not None:
        rule = "says which studies training runs stand for"
        raise InputError(f"replaces: {rule}, got {replaces!r} with {what}")
    _require_table(table, view)


def _require_table(table: str, view: View) -> None:
    if view.evidence.use != "all" and table not in view.evidence.use:
        rule = f"runs: the view must condition on {table}, got evidence.use = {view.evidence.use}"
        raise InputError(f"{rule}; leave --runs out or use another view")


def _runs_on_tasks(
    model: Model, runs: HorizonRuns, replaces: str | None, view: View, evidence: Evidence
) -> tuple[Evidence, dict[str, Any]]:
    """Evidence with runs of models on tasks, and what ``info.json`` says of them."""
    _require_home(model, ON_TASKS, "runs of models on tasks", "time-horizon", replaces, view)
    entered = with_horizon_runs(evidence, runs, view)
    used = int(entered[ON_TASKS]["used"].values.sum())
    facts = {
        "file": str(runs.path),
        "sha256": runs.sha256,
        "rows": used,
        "left_out": len(runs.rows) - used,
        "undated": list(runs.undated),
        "words": f"fitted to {describe_horizon_runs(runs, entered)}",
    }
    return entered, facts


def _replaced(runs: LossRuns, replaces: str | None, evidence: Evidence) -> str:
    if replaces is None:
        return NONE if runs.public is None else runs.public.independence_group
    groups = sorted(
        {str(group) for group in select(evidence[STUDIES])["independence_group"].values}
    )
    if replaces not in (NONE, *groups):
        rule = f"must be {NONE} or a group of studies, got {replaces!r}"
        raise InputError(f"replaces: {rule}; one of {', '.join(groups)}")
    return replaces


def _fit(
    runs: LossRuns, view: View, evidence: Evidence, options: Sampling, talk: Talk
) -> FittedLaw:
    law, alone = find_model("loss-law"), replace(view, evidence=EvidenceChoice())
    found = fit_first(law, alone, with_runs(evidence, runs), options, talk)
    x, _ = split_draws(found.posterior, alone.tables(law.quantities))
    log_gamma = np.log(x["alpha"]) - np.log(x["beta"])
    draws = np.stack([x[name].ravel() for name in LAW])
    mean, sd = float(log_gamma.mean()), float(log_gamma.std(ddof=1))
    return FittedLaw(mean, sd, draws.mean(axis=1), np.cov(draws), found.failed)


def study_from_runs(runs: LossRuns, fitted: FittedLaw, group: str) -> Mapping[str, Any]:
    """Row of ``scaling_exponents`` that the runs become.

    Parameters
    ----------
    group : str
        Group that the row replaces, or ``none``. Runs of a public set that do not replace its group
        join it: their errors are correlated with its rows'.
    """
    a = float(allocation_exponent(np.exp(fitted.log_gamma), 1.0))
    known = runs.public
    own = f"runs_{runs.sha256[:12]}"
    return {
        "key": own,
        "name": f"Loss law of {runs.path.name}",
        "year": float(datetime.now(UTC).year if known is None else known.year),
        "corpus": ", ".join(name for name in runs.corpora if name) or "not stated",
        "method": "parametric loss, posterior",
        "allocation_exponent": a,
        "allocation_exponent_se": max(fitted.log_gamma_sd * a * (1 - a), LEAST_SE),
        "se_basis": "posterior",
        "kaplan_style": False,
        "estimand": "compute_optimal",
        "independence_group": known.independence_group
        if known is not None and group == NONE
        else own,
        "used": True,
        "source": f"{describe_runs(runs)}, SHA-256 {runs.sha256[:12]}"
        + (f"; {known.citation}" if known else ""),
        "status": "computed",
        "note": "`aligntax run --runs`: loss law fitted first; "
        f"standard error of a at least {LEAST_SE}",
    }


def law_from_runs(
    runs: LossRuns, fitted: FittedLaw, study: Mapping[str, Any], view: View
) -> Mapping[str, Any]:
    """Row of ``loss_laws`` that the runs become, at the view's reference.

    Parameters
    ----------
    study : mapping
        Their row of ``scaling_exponents``.
    """
    sd = np.sqrt(np.diag(fitted.covariance))
    correlation = fitted.covariance / np.outer(sd, sd)
    pairs = [(i, j) for i in range(len(LAW)) for j in range(i + 1, len(LAW))]
    return {
        "key": study["key"],
        "study": study["name"],
        "year": study["year"],
        "parameters": view.loss_law.parameters,
        "tokens": view.loss_law.tokens,
        **{name: float(value) for name, value in zip(LAW, fitted.law, strict=True)},
        **{f"{name}_sd": float(value) for name, value in zip(LAW, sd, strict=True)},
        **{f"{LAW[i]}_{LAW[j]}": float(correlation[i, j]) for i, j in pairs},
        "independence_group": study["independence_group"],
        "used": True,
        "source": study["source"],
        "status": "computed",
        "note": f"`aligntax run --runs`: posterior of {describe_runs(runs)}",
    }


def _unused(evidence: Evidence, table: str, which: Any, key: str) -> Evidence:
    """Evidence in which some rows of a table are not used, each with the reason.

    Parameters
    ----------
    which : ndarray of bool
        The rows.
    key : str
        Row that stands in their place.
    """
    rows = evidence[table]
    again = which & rows["used"].values
    reason = f"not used: {key} stands in its place"
    note = np.array(
        [reason if hit else str(text) for hit, text in zip(again, rows["note"].values, strict=True)]
    )
    changed = rows.assign(
        used=rows["used"].copy(data=rows["used"].values & ~again), note=rows["note"].copy(data=note)
    )
    return Evidence({**evidence.tables, table: changed})


def _describe_entry(runs: LossRuns, group: str, fitted: FittedLaw, asked: str | None) -> str:
    """One sentence that says what the runs became and which studies they replace.

    Parameters
    ----------
    asked : str or None
        The group that the user named.
    """
    gamma, sd = np.exp(fitted.log_gamma), fitted.log_gamma_sd
    study = f"gamma {gamma:.3f} (sd of its log {sd:.3f}) of the loss law of {describe_runs(runs)}"
    study += " is one more study"
    study += "; with several corpora the population's" if len(runs.corpora) > 1 else ""
    if group != NONE:
        why = "as asked" if asked else "because the file holds its runs"
        return f"{study}; it replaces the studies of {group}, {why}"
    if runs.public is not None:
        where = f"in the group {runs.public.independence_group} with those of the same runs"
        return f"{study}, {where}; none is replaced"
    remedy = "name their group with --replaces if any rests on these runs"
    return f"{study}; no published study is replaced: {remedy}"
