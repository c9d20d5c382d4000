"""Read what a file, or :meth:`View.replace`, states on top of a view.

:func:`read_changes` checks everything that is stated and returns new values for the fields of the
view.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aligntax.models.errors import InputError, brief
from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.copula import copula_factor
from aligntax.models.priors.quantities import ELICITED, lookup
from aligntax.models.priors.specification import NOTES, canonical
from aligntax.models.views.links import LINKS, UNLINKED, read_link
from aligntax.models.views.setting_rules import (
    read_by_anchor,
    read_evidence_choice,
    read_number,
    read_section,
    require,
    require_table,
)
from aligntax.models.views.settings import ANCHORS, SECTIONS

ENDING = ".toml"  # of a file, in capitals too

if TYPE_CHECKING:
    from aligntax.models.views.view import View


@contextmanager
def errors_about(origin: str) -> Iterator[None]:
    """Put the name of a file, or of an argument, before the message of an :class:`InputError`."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{origin}: {error}") from None
    except RecursionError:
        raise InputError(
            f"{origin}: must not nest so deep, got a pool of pools; write one pool"
        ) from None


def read_changes(start: "View", raw: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """New values of a view's fields.

    Parameters
    ----------
    start : View
        What ``raw`` leaves out stays as it is here, except name, title and source.
    raw : mapping
        In the layout of a view's file; its keys are fields of the view.
    origin : str
        File name; its stem is the view's name where ``raw`` gives none.

    Raises
    ------
    InputError
        With the key, the rule, the value got and the remedy.
    """
    quantities, stated = dict(start.quantities), raw.get("quantities", {})
    for name, spec in require_table("quantities", stated).items():
        require_elicited(name)
        compile_prior(name, require_table(name, spec))
        quantities[name] = canonical(spec)
    sections = {key: read_section(key, getattr(start, key), raw.get(key, {})) for key in SECTIONS}
    links = {
        key: UNLINKED if link.quantity in stated else getattr(start, key)
        for key, link in LINKS.items()
    }
    linked = {key: read_link(key, raw.get(key, value)) for key, value in links.items()}
    stem = origin.rsplit("/", 1)[-1]
    stem = stem[: -len(ENDING)] if stem.lower().endswith(ENDING) else stem
    changed = {
        "name": _text("name", raw.get("name", stem)),
        "title": _text("title", raw.get("title", "")),
        "source": _text("source", raw.get("source", "")),
        "quantities": quantities,
        "correlations": start.correlations
        if "correlations" not in raw
        else _correlations(raw["correlations"]),
        "anchors": start.anchors if "anchors" not in raw else _anchors(raw["anchors"]),
        "evidence": read_evidence_choice(start.evidence, raw.get("evidence", {})),
        **linked,
        **sections,
    }
    missing = set(ELICITED.own) - set(quantities)
    if unasked := [name for name in missing if _left_out(ELICITED.own[name].asked_by, sections)]:
        quantities |= _of_default(unasked)
    if missing := missing - set(unasked):
        raise InputError(
            "quantities: a view that extends nothing states all, missing "
            f'{sorted(missing)}; add extends = "default"'
        )
    paired = (name for pair in changed["correlations"] for name in pair)
    copula_factor(list(dict.fromkeys((*quantities, *paired))), changed["correlations"])
    return changed


def _left_out(setting: str, sections: Mapping[str, Any]) -> bool:
    """Whether a setting asks for quantities, and the view does not state it."""
    section, _, name = setting.partition(".")
    return bool(setting) and getattr(sections[section], name) is None


def _of_default(names: Iterable[str]) -> dict[str, Any]:
    """Priors of the default view, where a complete file of an earlier version lacks some."""
    from aligntax.models.views.parsing import load_view

    default = load_view("default")
    return {name: default.quantities[name] for name in names}


def require_elicited(name: str) -> None:
    """Raise an error unless a quantity is elicited."""
    if lookup(name).name not in ELICITED:
        raise InputError(
            f"quantity: only elicited ones take a prior, got {brief(repr(name))}; "
            "see `aligntax view show default`"
        )


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InputError(f"{key}: must be text, got {brief(repr(value))}; put it in quotes")
    return value


def _correlations(raw: Any) -> dict[tuple[str, str], float]:
    pairs: dict[tuple[str, str], float] = {}
    for row in raw if isinstance(raw, list) else [raw]:
        between = require_table("correlations", row).get("between")
        if unknown := set(row) - {"between", "rho", *NOTES}:
            raise InputError(
                f"correlations: has no key {brief(repr(sorted(unknown)))}; known are between, rho, "
                f"{', '.join(NOTES)}"
            )
        for note in NOTES:  # read, and not kept
            _text(f"correlations.{note}", row.get(note, ""))
        if (
            not isinstance(between, list)
            or len(between) != 2
            or between[0] == between[1]
            or "rho" not in row
        ):
            raise InputError(
                "correlations: each has between = [two quantities] and rho, got "
                f"{brief(repr(row))}; correct it"
            )
        for name in between:
            require_elicited(_text("correlations.between", name))
        if tuple(between) in pairs or tuple(between[::-1]) in pairs:
            raise InputError(
                f"correlations: a pair is stated once, got {between} again; remove one"
            )
        pairs[(between[0], between[1])] = read_number("correlations.rho", row["rho"])
    return pairs


def _anchors(raw: Any) -> dict[str, float]:
    weights = read_by_anchor("anchors", raw)
    least, total = min(weights.values(), default=0), sum(weights.values())
    require(least >= 0, "anchors", "weights must not be negative", weights)
    rule = "weights must sum to 1 (anchors left out have weight 0)"
    require(abs(total - 1) < 1e-6, "anchors", rule, f"{total:g}")
    return {name: weights.get(name, 0.0) for name in ANCHORS}
