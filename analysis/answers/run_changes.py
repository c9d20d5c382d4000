"""What differs between two runs beside their draws: views, models and evidence."""

from aligntax.analysis.storage.result import Result
from aligntax.models.catalogue import find_model
from aligntax.models.priors.quantities import LOSS_LIMIT
from aligntax.models.views import View
from aligntax.models.views.changes import Changes, changes


def view_changes(first: Result, other: Result) -> Changes:
    """Changes of a view in the quantities that both models have."""
    views: tuple[View, View] = (first.view, other.view)
    common = find_model(other.record["model"]).quantities
    names = [name for name in find_model(first.record["model"]).quantities if name in common]
    return changes(*views, [*names, LOSS_LIMIT])


def other_changes(first: Result, other: Result) -> tuple[str, ...]:
    """Model, version and tables of evidence in which a run differs from the first, in words."""
    models = [(run.info["model"]["name"], run.info["model"]["version"]) for run in (first, other)]
    facts = []
    if models[0] != models[1]:
        old, new = (f"{name} version {version}" for name, version in models)
        facts.append(f"model {old} to {new}")
    old_tables, new_tables = (run.info["evidence"]["tables"] for run in (first, other))
    moved = [
        name
        for name in dict.fromkeys([*old_tables, *new_tables])
        if old_tables.get(name) != new_tables.get(name)
    ]
    if moved:
        facts.append(f"evidence tables {', '.join(moved)}")
    return tuple(facts)
