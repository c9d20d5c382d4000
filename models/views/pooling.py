"""Pool whole views: several experts' views become one view.

Each prior on which the experts differ becomes a pool of theirs, and the source of every component
is kept. :mod:`aligntax.models.priors.pooled_tables` defines the pools.

What an expert does not state is the default view's, and no opinion: the expert abstains there, and
the weights of the others count. A prior that equals the default's, but has a source of its own, is
an opinion, and so is every prior of the default view where that is itself an expert. The title of
the pool says who alone spoke to what, anchor weights and correlations too. Who states one pair that
correlates states them all, so that pairs of the default view may go; the title says that too.

Weights of the requirement anchors are a discrete distribution. They are averaged, or for the log
pool become normalised geometric means. Anchors have no order, so a quantile pool has no meaning for
them and averages them too. Correlation matrices are averaged, which keeps them positive definite.
Settings and the choice of evidence are no beliefs about a quantity. They have no average and must
agree.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import cache
from typing import Any, Literal

import numpy as np

from aligntax.models.errors import InputError
from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.copula import copula_factor
from aligntax.models.priors.quantities import ELICITED, lookup
from aligntax.models.priors.specification import NOTES, canonical, without_notes
from aligntax.models.views import ANCHORS, SECTIONS, View, load_view

Method = Literal["linear", "log", "quantile"]
KEYS: Mapping[str, str] = {"linear": "mixture", "log": "log_pool", "quantile": "quantile_pool"}
METHODS = tuple(KEYS)


FEW = 8  # experts: so many are named in a title, and more are counted
Experts = Sequence[tuple[View, float]]  # views with their weights


def pool_views(
    views: Sequence[View],
    weights: Sequence[float] | None = None,
    method: Method = "linear",
    name: str = "pool",
) -> View:
    """Pool views.

    Parameters
    ----------
    views : sequence of View
        Two or more.
    weights : sequence of float, optional
        One per view, not negative; by default equal. A view of weight 0 is left out.
    method : {"linear", "log", "quantile"}
    name : str
        Of the pooled view.

    Returns
    -------
    View
        Complete: it extends nothing.

    Raises
    ------
    InputError
        If weights do not fit, settings or evidence differ, or a log pool's experts hardly overlap.
    """
    if method not in METHODS:
        raise InputError(f"method: must be {', '.join(METHODS)}, got {method!r}; choose one")
    if len(views) < 2:
        raise InputError(f"views: a pool needs two or more, got {len(views)}; name another")
    experts = [
        (view, share)
        for view, share in zip(views, shares(views, weights), strict=True)
        if share > 0
    ]
    if len(experts) == 1:
        return replace(experts[0][0], name=name)
    _require_agreement([view for view, _ in experts])
    who = _named([f"{view.name} ({share:.3g})" for view, share in experts])
    names = _stated([view for view, _ in experts])
    quantities = {q: _pooled_prior(q, who_states(q, experts), method) for q in names}
    sources = "; ".join(f"{view.name}: {view.source or 'see each prior'}" for view, _ in experts)
    return replace(
        experts[0][0],
        name=name,
        title=f"{method} pool of {who}{_who_spoke(names, experts)}",
        source=sources if len(experts) <= FEW else "see each prior",
        quantities=quantities,
        correlations=_pooled_correlations(
            _with_opinion(experts, lambda view: dict(view.correlations))
        ),
        anchors=_pooled_anchors(_with_opinion(experts, lambda view: dict(view.anchors)), method),
    )


def who_states(quantity: str, experts: Experts) -> Experts:
    """Experts who state a quantity; all of them where none does."""
    return _with_opinion(experts, _prior(quantity))


def _named(names: Sequence[str], join: str = ", ", more: str = "{} experts") -> str:
    """Names of a few experts, or how many they are."""
    return join.join(names) if len(names) <= FEW else more.format(len(names))


def _stated(views: Sequence[View]) -> list[str]:
    """Quantities of the package, then those from outside that a view has an opinion about."""
    return list(dict.fromkeys((*ELICITED.own, *(name for v in views for name in v.quantities))))


@cache
def _default_view() -> View:
    return load_view("default")


def _prior(quantity: str) -> Callable[[View], Any]:
    return lambda view: view.quantities[quantity]


def _with_opinion(experts: Experts, part: Callable[[View], Any]) -> Experts:
    """Experts who state a part of a view themselves; all of them where none does.

    Parameters
    ----------
    part : callable
        Part of a view: the default's where its file is silent.
    """
    silent = _default_view()
    speaking = [
        (view, share)
        for view, share in experts
        if part(view) != part(silent) or view.name == silent.name
    ]
    return speaking or experts


def _who_spoke(names: Sequence[str], experts: Experts) -> str:
    """Say which experts spoke to what others abstain on, and whether the default's pairs go.

    It is empty if none did, or if the default view is an expert, which speaks to everything.
    """
    silent, spoken = _default_view(), dict[str, list[str]]()
    if any(view.name == silent.name for view, _ in experts):
        return ""
    unsaid = _parts(silent, names)
    stated = [(view.name, _parts(view, names)) for view, _ in experts]
    for label in unsaid:
        speaking = [who for who, parts in stated if parts[label] not in (None, unsaid[label])]
        if 0 < len(speaking) < len(experts):
            told = _named(speaking, " and ", "{} of them")
            spoken.setdefault(told, []).append(label)
    kept = all(_pairs(silent) <= _pairs(view) for view, _ in experts)
    return "".join(
        [f"; {', '.join(labels)}: only {who}" for who, labels in spoken.items()]
        + ([] if kept else ["; the default's correlations are replaced"])
    )


def _parts(view: View, names: Sequence[str]) -> dict[str, Any]:
    """What a view has an opinion about, by the words of a title; None where it knows no prior."""
    return {
        **{lookup(name).label: view.quantities.get(name) for name in names},
        "anchor weights": dict(view.anchors),
        "correlations": _pairs(view),
    }


def _pairs(view: View) -> set[tuple[frozenset[str], float]]:
    """Pairs that correlate, in whichever order they are named."""
    return {(frozenset(pair), rho) for pair, rho in view.correlations.items()}


def shares(views: Sequence[View], weights: Sequence[float] | None) -> list[float]:
    """Weights of views that sum to 1; equal where none are given.

    Raises
    ------
    InputError
        If they do not fit.
    """
    given = np.ones(len(views)) if weights is None else np.asarray(weights, dtype=float)
    good = len(given) == len(views) and np.all(np.isfinite(given)) and np.all(given >= 0)
    if not good or not 0 < given.sum() < np.inf:
        rule = f"must be {len(views)} numbers, not negative and not all 0"
        raise InputError(f"weights: {rule}, got {given.tolist()}; give one per view, in order")
    return [float(share) for share in given / given.sum()]


def _require_agreement(views: Sequence[View]) -> None:
    """Raise an error about the first link, or the first setting in which the views differ."""
    for view in views:
        if view.links:
            got = ", ".join(f"{quantity} {link.name}" for quantity, link in view.links.items())
            remedy = "pool the view.toml of a run made with it, which has the fitted prior"
            raise InputError(f"links: a pool needs priors, got {got} in {view.name}; {remedy}")
    settings = [(key, field.name) for key, kind in SECTIONS.items() for field in fields(kind)]
    settings += [("evidence", "use"), ("evidence", "until")]
    for section, setting in settings:
        values = [getattr(getattr(view, section), setting) for view in views]
        if any(value != values[0] for value in values):
            got = ", ".join(
                f"{value} ({view.name})" for view, value in zip(views, values, strict=True)
            )
            raise InputError(
                f"{section}.{setting}: must be the same in every pooled view, got {got}; "
                "make them agree"
            )


def _pooled_prior(quantity: str, experts: Experts, method: Method) -> dict[str, Any]:
    """Pool of the experts' priors, or the prior itself where all state the same."""
    specs = [canonical(view.quantities[quantity]) for view, _ in experts]
    if all(without_notes(spec) == without_notes(specs[0]) for spec in specs):
        notes = {
            note: "; ".join(dict.fromkeys(s[note] for s in specs if s.get(note))) for note in NOTES
        }
        return without_notes(specs[0]) | {note: text for note, text in notes.items() if text}
    parts = [
        {"weight": share, **spec, "source": f"{view.name}: {spec.get('source', 'no source')}"}
        for spec, (view, share) in zip(specs, experts, strict=True)
    ]
    who = _named([view.name for view, _ in experts])
    spec = {
        KEYS[method]: parts,
        "source": f"{method} pool of {who}",
        "rationale": "see each component",
    }
    try:
        compile_prior(quantity, spec)
    except InputError as error:
        raise InputError(f"pool of {who}: {error}") from None
    return spec


def _pooled_anchors(experts: Experts, method: Method) -> dict[str, float]:
    stated = np.asarray([[view.anchors[name] for name in ANCHORS] for view, _ in experts])
    weights = np.asarray([share for _, share in experts])
    if np.all(stated == stated[0]):
        return dict(experts[0][0].anchors)
    pooled = np.prod(stated ** weights[:, None], axis=0) if method == "log" else weights @ stated
    if not pooled.sum() > 0:
        who = ", ".join(view.name for view, _ in experts)
        raise InputError(
            f"anchors: a log pool needs one that all find possible, got none ({who}); pool linearly"
        )
    return {
        name: float(weight) for name, weight in zip(ANCHORS, pooled / pooled.sum(), strict=True)
    }


def _pooled_correlations(experts: Experts) -> dict[tuple[str, str], float]:
    """Weighted average of the copulas' R, as Spearman's ``rho = 6 / pi asin(R / 2)``."""
    first = dict(experts[0][0].correlations)
    if all(dict(view.correlations) == first for view, _ in experts):
        return first
    names = _stated([view for view, _ in experts])
    factors = [(copula_factor(names, view.correlations), share) for view, share in experts]
    matrix = sum(share * factor @ factor.T for factor, share in factors)
    stated = {
        tuple(sorted(pair, key=names.index)) for view, _ in experts for pair in view.correlations
    }
    pairs = sorted(
        ((a, b) for a, b in stated), key=lambda pair: (names.index(pair[0]), names.index(pair[1]))
    )
    return {
        (a, b): float(6 / np.pi * np.arcsin(np.asarray(matrix)[names.index(a), names.index(b)] / 2))
        for a, b in pairs
    }
