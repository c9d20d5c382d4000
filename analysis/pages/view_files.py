"""What a page needs to write a view: what it extends, what differs from that, and its priors."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from aligntax.models.errors import InputError
from aligntax.models.views import LINKS, View, load_view, parse_view, view_names
from aligntax.models.views.changes import Changes

NOTES = ("name", "title", "source", "extends")
SECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "scaling": "how scaling studies are pooled",
        "loss_law": "how the loss law is stated",
        "compute": "which training runs count",
        "algorithms": "how algorithms progress",
        "research": "what AI does for AI research",
        "requirement": "the requirement of transformative AI",
        "direct_approach": "the rules of the Direct Approach",
        "time_horizon": "which evaluations count",
        "arrival": "how arrival follows from a requirement",
        "alignment": "dates of alignment",
        "outer_alignment": "the rules of comparisons",
    }
)


def prior_block(view: View, name: str) -> str:
    """Return one prior of a view as TOML."""
    import tomli_w

    return tomli_w.dumps({"quantities": {name: dict(view.quantities[name])}})


def file_parts(view: View) -> dict[str, Any]:
    """Return a view's file in parts, as short as they say the same.

    Returns
    -------
    dict
        ``extends``, a view of the package; ``head``, TOML of what differs from that beside priors;
        ``changed``, names of the priors that differ; and ``quantities``, every prior as TOML. Where
        no short file gives the view again, it extends nothing and states everything.
    """
    import tomli_w

    plain = view.to_dict()
    blocks = {name: prior_block(view, name) for name in plain["quantities"]}
    known = view.name in view_names() and load_view(view.name).hash == view.hash
    for parent in (view.name if known else "default", ""):
        base = load_view(parent).to_dict() if parent else {"quantities": {}}
        head = {
            key: value
            for key, value in plain.items()
            if key not in (*NOTES, "quantities") and base.get(key) != value
        }
        priors = base["quantities"]
        changed = [
            name
            for name, spec in plain["quantities"].items()
            if name not in priors or dict(priors[name]) != dict(spec)
        ]
        parts = {"extends": parent, "head": tomli_w.dumps(head), "changed": changed}
        if not parent or _same(view, parts, blocks):
            break
    return {**parts, "quantities": blocks}


def _same(view: View, parts: Mapping[str, Any], blocks: Mapping[str, str]) -> bool:
    """Whether the parts, read again, are the view."""
    text = "\n".join(
        [
            f'name = "again"\nextends = "{parts["extends"]}"',
            parts["head"],
            *(blocks[name] for name in parts["changed"]),
        ]
    )
    try:
        return parse_view(text, "again").hash == view.hash
    except InputError:
        return False  # what only a complete file can state


def beside_priors(change: Changes) -> str:
    """Return what a view changes beside priors, in words; empty if nothing."""
    told = ["the correlations of priors"] if change.correlated else []
    told += ["the weights of the kinds of requirement"] if change.anchors else []
    told += ["which evidence counts"] if change.evidence else []
    sections = dict.fromkeys(name.split(".")[0] for name in change.settings)
    told += [
        "a prior that another model supplies" if section in LINKS else SECTIONS[section]
        for section in sections
    ]
    return f"{', '.join(told[:-1])} and {told[-1]}" if len(told) > 1 else "".join(told)
