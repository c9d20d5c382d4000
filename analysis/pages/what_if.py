"""Data of the report's what-if section, in which a reader moves priors within the page.

The page does what :mod:`aligntax.analysis.fitting.reweight` does, on the same draws in single
precision. Quantities that evidence informs keep their values, and the weights of draws change;
prior-only quantities are redrawn exactly. Rows of evidence that are left out change weights alone.
The page recomputes what follows from alignment's own
quantities alone (hours, tax, waits); everything else is a column of numbers. If moving a prior
changes more than that, as one of compute does in a view without evidence, the page refers to
``aligntax refit``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy.special import ndtri

from aligntax.analysis.fitting.reweight import (
    FEWEST,
    UNREACHED,
    CarriedDraws,
    carry_draws,
    least_eigenvalue,
    relative_efficiency,
)
from aligntax.analysis.inference.derive import derive_from
from aligntax.analysis.inference.seeds import child_generator
from aligntax.analysis.pages.evidence_switches import RESOLUTION, switch_data
from aligntax.analysis.pages.live_alignment import alignment_data
from aligntax.analysis.pages.packed_draws import (
    column_data,
    packed,
    page_draws,
    quantity_data,
    thinned,
)
from aligntax.analysis.pages.render import VEGA
from aligntax.analysis.pages.view_files import beside_priors, file_parts, prior_block
from aligntax.analysis.storage.result import Result
from aligntax.analysis.storage.sampled_run import SampledRun, read_sampled_run
from aligntax.analysis.summaries.checks import ESS
from aligntax.analysis.summaries.claim_answers import neural_draws
from aligntax.analysis.summaries.claims import CLAIMS, WHOSE
from aligntax.analysis.summaries.pareto import k_hat_limit
from aligntax.analysis.summaries.summary import Series, iter_series
from aligntax.analysis.summaries.words import words_of_event
from aligntax.models import (
    ai_labour,
    alignment,
    compute,
    direct_approach,
    requirements,
    research,
    scaling,
    time_horizon,
)
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from aligntax.models.priors.copula import conditional_normal
from aligntax.models.priors.quantities import lookup
from aligntax.models.priors.tables import PriorTables
from aligntax.models.views import View, load_views
from aligntax.models.views.changes import changes

_SCRIPT_NAMES = (
    *("tables", "weights", "alignment", "what_if", "words", "charts", "specs", "rows"),
    *("amounts", "sketch", "controls", "evidence", "summary_bar", "alignment_wait", "chosen"),
    *("moved_priors", "outcome", "live_charts", "what_if_page"),
)
SCRIPTS = (VEGA, *(f"{name}.js" for name in _SCRIPT_NAMES))
STATED = (0.1, 0.5, 0.9)  # probabilities at which a prior is moved
ALIGNMENT = ("joint", "alignment")  # models whose alignment the page recomputes
# Quantities that compute and arrival do not depend on: the page redraws what follows from them.
REDRAWN = frozenset((*alignment.OWN_QUANTITIES, *ai_labour.QUANTITIES)) - {
    "alignment_compute_share",
    "compute_size_exponent",
}
GROUPS = (
    ("Alignment: hours, money, tolerance", alignment.OWN_QUANTITIES),
    ("Data exponent", scaling.QUANTITIES),
    ("Compute", compute.QUANTITIES),
    ("Requirement of transformative AI", (*requirements.QUANTITIES, "hazard_steepness")),
    ("Loss law and Direct Approach", direct_approach.QUANTITIES),
    ("Time horizon", time_horizon.QUANTITIES),
    ("What AI does for AI research", research.QUANTITIES),
    ("AI labour", ai_labour.QUANTITIES),
)
OTHER = "Priors"


@dataclass(frozen=True)
class Live:
    """The what-if section of a report: its data and scripts, or an error in its place."""

    data: Mapping[str, Any]
    scripts: Sequence[str]
    error: str = ""

    @classmethod
    def of(cls, result: Result, answer: Sequence[str], sentence: str, strict: bool) -> "Live":
        """Make the section of a run; for arguments see :func:`page_data`."""
        try:
            return cls({"held": page_data(result, answer, sentence)}, SCRIPTS)
        except Exception as error:
            if strict:
                raise
            return cls({}, (), f"what if: {type(error).__name__}: {error}")


def page_data(result: Result, answer: Sequence[str], sentence: str) -> dict[str, Any]:
    """Return everything that the section's scripts read, as plain JSON.

    Parameters
    ----------
    result : Result
        A run. If it is a refit that reuses draws, its ``weights`` are used.
    answer : sequence of str
        Names of the leading numbers, as in the summary.
    sentence : str
        Template of the answer; see :mod:`aligntax.analysis.pages.sentences`.
    """
    source = _weighted_run(result)
    view = result.view
    carried = carry_draws(source, view)
    kept = page_draws(carried.z.shape[:2])
    derived = derive_from(
        source.model,
        carried.x,
        carried.parameters,
        source.evidence,
        view,
        child_generator(source.seed, "arrival"),
    )
    known = {series.name: series for series in iter_series(derived)}
    recomputed = source.model.name in ALIGNMENT
    names, prior_only = source.tables.names, set(source.prior_only)
    return {
        "run": result.record.get("run", result.path.name),
        "model": source.model.name,
        "view": view.name,
        "draws": int(kept[0].size * kept[1].size),
        "all_draws": int(carried.z[..., 0].size),
        "probability": list(STATED),
        "score": [float(ndtri(p)) for p in STATED],
        "horizon": view.arrival.horizon,
        "quantities": [_prior_data(name, source, carried, prior_only) for name in names],
        "groups": list(_grouped(names)),
        "tables": packed(np.stack([source.tables.y, source.tables.slope], axis=1)),
        "now_tables": packed(_current_tables(source.tables, carried.tables)),
        "z": packed(thinned(source.z, kept).astype("float32"), transpose=True),
        "copula": _copula_data(source, carried),
        "fixed": _fixed_log_ratio(source, view, kept),
        "limits": _check_limits(source, carried),
        "evidence": list(switch_data(result, carried, kept)),
        "resolution": RESOLUTION,
        "columns": [
            {
                **column_data(known[name], kept, view.arrival.horizon),
                "stored": _stored_row(result, name),
            }
            for name in answer
        ],
        "sentence": sentence,
        "file": file_parts(view),
        "claims": list(_claims_data(known, answer, view.arrival.horizon)),
        "chains": int(kept[0].size),
        "neural": _neural_column(derived, kept),
        "views": [_menu_view(each, source, view) for each in load_views().values()],
        "alignment": alignment_data(source, view, derived, kept) if recomputed else None,
    }


def _weighted_run(result: Result) -> SampledRun:
    """Return the run whose draws are weighted: the source of a refit that reuses draws."""
    link = result.info.get("refitted_from")
    if link and link["shares_draws"]:
        return read_sampled_run(result.path)
    model, view = find_model(result.record["model"]), result.view
    draws = result.draws.sel(quantity=list(view.in_use(model.quantities)))
    tables = view.tables(model.quantities)
    return SampledRun(
        result.path, result.info, result.record, model, view, result.evidence, tables, draws
    )


def _current_tables(old: PriorTables, new: PriorTables) -> Any:
    """Return the tables of this run's view that differ from those the draws were sampled under."""
    moved = [i for i in range(len(old.names)) if _table_differs(old, new, i)]
    return np.stack([new.y[moved], new.slope[moved]], axis=1)


def _table_differs(old: PriorTables, new: PriorTables, i: int) -> bool:
    return not (np.array_equal(old.y[i], new.y[i]) and np.array_equal(old.slope[i], new.slope[i]))


def _prior_data(
    name: str, source: SampledRun, carried: CarriedDraws, prior_only: set[str]
) -> dict[str, Any]:
    quantity, i = lookup(name), source.tables.names.index(name)
    redrawable = source.model.name in ALIGNMENT and name in REDRAWN
    return {
        **quantity_data(quantity),
        "informed": name not in prior_only,
        "movable": name not in prior_only or redrawable,
        "moved": _table_differs(source.tables, carried.tables, i),
    }


def _grouped(names: Sequence[str]) -> Iterator[dict[str, Any]]:
    left = list(names)
    for title, members in GROUPS:
        mine = [name for name in left if name in members]
        if mine:
            yield {"title": title, "quantities": mine}
        left = [name for name in left if name not in mine]
    if left:
        yield {"title": OTHER, "quantities": left}


def _copula_data(source: SampledRun, carried: CarriedDraws) -> dict[str, Any]:
    """Return what correlations imply, as rows of non-zero entries.

    These are the whitening of informed scores and the redraw of prior-only ones.
    """
    informed: Any = np.isin(source.tables.names, source.prior_only, invert=True)
    old, new = source.tables.correlation, carried.tables.correlation
    return {
        "white": _whitening(old, informed),
        "new_white": _whitening(new, informed),
        **_conditional("", old, informed),
        **_conditional("new_", new, informed),
    }


def _whitening(correlation: Any, informed: Any) -> dict[str, Any]:
    """Return rows of the inverse Cholesky factor of informed quantities, and its log diagonal."""
    factor = np.linalg.cholesky(correlation[np.ix_(informed, informed)])
    return {
        "rows": _sparse_rows(np.linalg.inv(factor), informed, informed),
        "log_scale": np.log(np.diag(factor)).tolist(),
    }


def _conditional(prefix: str, correlation: Any, informed: Any) -> dict[str, Any]:
    """Return the regression of prior-only scores on informed ones.

    That is its slope, the Cholesky factor of the residual covariance, and the factor's inverse.
    """
    slope, factor = conditional_normal(correlation, informed)
    return {
        f"{prefix}slope": _sparse_rows(slope, ~informed, informed),
        f"{prefix}factor": _sparse_rows(factor, ~informed, ~informed),
        f"{prefix}inverse": _sparse_rows(np.linalg.inv(factor), ~informed, ~informed),
    }


def _sparse_rows(matrix: Any, rows: Any, columns: Any) -> list[list[Any]]:
    """Return ``[quantity, [[quantity, value], ...]]`` per row."""
    down, across = np.flatnonzero(rows).tolist(), np.flatnonzero(columns).tolist()
    return [
        [i, [[j, float(v)] for j, v in zip(across, row, strict=True) if v]]
        for i, row in zip(down, matrix, strict=True)
    ]


def _fixed_log_ratio(source: SampledRun, view: View, kept: tuple[Any, Any]) -> str | None:
    """Return the log ratio of what the run's view changes beside priors; None if nothing.

    It stays the same whatever prior is moved.
    """
    same = replace(view, quantities=source.view.quantities, correlations=source.view.correlations)
    ratio = carry_draws(source, same).log_ratio
    return None if ratio is None else packed(thinned(ratio, kept))


def _check_limits(source: SampledRun, carried: CarriedDraws) -> dict[str, float]:
    """Return the thresholds of the checks of weights, and what no move changes."""
    return {
        "relative": relative_efficiency(source),
        "k_hat": k_hat_limit(carried.z[..., 0].size),
        "ess": ESS,
        "reach": UNREACHED,
        "fewest": FEWEST,
        "variance": least_eigenvalue(carried),
    }


def _stored_row(result: Result, name: str) -> dict[str, Any]:
    row = result.record["quantities"][name]
    return {key: row[key] for key in ("q05", "q25", "q50", "q75", "q95", "sd")}


def _claims_data(
    known: Mapping[str, Series], answer: Sequence[str], horizon: float
) -> Iterator[dict[str, Any]]:
    """Yield the claims about the leading numbers, as :func:`claim_draws` reads them."""
    for claim in CLAIMS:
        quantities = {each.quantity for each in (claim.statement, claim.given) if each}
        if quantities <= set(answer):
            about = claim.statement.quantity
            yield {
                **{key: getattr(claim, key) for key in ("name", "text", "condition")},
                "whose": WHOSE[claim.whose],
                "statement": asdict(claim.statement),
                "given": asdict(claim.given) if claim.given else None,
                "neural": claim.neural_nets,
                "arrival": words_of_event(lookup(about), horizon)
                if np.isnan(known[about].values).any()
                else "",
            }


def _neural_column(derived: Any, kept: tuple[Any, Any]) -> str | None:
    """Return 1 for each draw whose requirement is a neural-net anchor; None without anchors."""
    if "tai_anchor" not in derived:
        return None
    return packed(thinned(neural_draws(derived), kept).astype("float32"))


def _menu_view(view: View, source: SampledRun, now: View) -> dict[str, Any]:
    """Return a view of the menu: the tables that it changes, or what the page cannot answer."""
    names = source.tables.names
    entry = {"name": view.name, "title": view.title}
    try:
        other = beside_priors(changes(now, view, names))
        tables = view.tables(names)
    except InputError as error:
        return {**entry, "other": str(error)}
    if other:
        return {**entry, "other": other}
    moved = [i for i in range(len(names)) if _table_differs(source.tables, tables, i)]
    changed = packed(np.stack([tables.y[moved], tables.slope[moved]], axis=1))
    priors = {names[i]: prior_block(view, names[i]) for i in moved}
    return {**entry, "quantities": [names[i] for i in moved], "tables": changed, "priors": priors}
