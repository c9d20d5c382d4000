"""What differs between two views, as a model sees it.

Priors are compared by their tables. Correlations, anchor weights, settings and the choice of
evidence are compared by value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligntax.models.priors.tables import PriorTables
from aligntax.models.views import LINKS, View
from aligntax.models.views.settings import ROLES, Role


@dataclass(frozen=True)
class Changes:
    """What is different in a second view.

    Attributes
    ----------
    quantities : tuple of str
        Quantities whose prior differs.
    correlated : tuple of str
        Quantities whose row of the copula's correlation matrix R differs.
    anchors : bool
        Whether the weights of the requirement anchors differ.
    settings : tuple of str
        Settings that differ, as ``section.name``; links, as ``multiplier``.
    evidence : bool
        Whether the choice of evidence differs.
    """

    quantities: tuple[str, ...]
    correlated: tuple[str, ...]
    anchors: bool
    settings: tuple[str, ...]
    evidence: bool

    @property
    def any(self) -> bool:
        """Whether anything differs."""
        return bool(
            self.quantities or self.correlated or self.anchors or self.settings or self.evidence
        )

    def words(self) -> str:
        """One line that names everything that differs."""
        parts = [", ".join(self.quantities)] if self.quantities else []
        parts += ["correlations of " + ", ".join(self.correlated)] if self.correlated else []
        parts += ["anchor weights"] if self.anchors else []
        parts += [", ".join(self.settings)] if self.settings else []
        parts += ["evidence"] if self.evidence else []
        return "; ".join(parts) or "nothing"


def changes(old: View, new: View, names: Sequence[str]) -> Changes:
    """Compare two views in the named quantities and in every setting."""
    before, after = old.stated(names), new.stated(names)
    linked = tuple(key for key in LINKS if getattr(old, key) != getattr(new, key))
    return Changes(
        quantities=tuple(name for i, name in enumerate(names) if _differs(before, after, i)),
        correlated=tuple(np.asarray(names)[_coupled_differently(before, after)].tolist()),
        anchors=dict(old.anchors) != dict(new.anchors),
        settings=linked + tuple(name for name in ROLES if setting(old, name) != setting(new, name)),
        evidence=old.evidence != new.evidence,
    )


def _differs(before: PriorTables, after: PriorTables, i: int) -> bool:
    return not (
        np.array_equal(before.y[i], after.y[i]) and np.array_equal(before.slope[i], after.slope[i])
    )


def _coupled_differently(before: PriorTables, after: PriorTables) -> Any:
    """Whether each quantity's row of R differs, shape (quantity,)."""
    return (np.abs(before.correlation - after.correlation) > 1e-12).any(axis=1)


def roles(change: Changes) -> dict[str, Role]:
    """What each changed setting enters.

    A link enters nothing. It changes a prior, which is a changed quantity.
    """
    return {name: ROLES[name] for name in change.settings if name not in LINKS}


def compiled_in(view: View) -> dict[str, object]:
    """What a view says that is a constant of a graph, by name."""
    settings = {name: setting(view, name) for name, role in ROLES.items() if role.compiled}
    return {"evidence": view.evidence, **settings}


def setting(view: View, name: str) -> object:
    """Value of a setting, ``section.name``."""
    section, _, field = name.partition(".")
    value: object = getattr(getattr(view, section), field)
    return value
