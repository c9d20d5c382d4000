"""What differs between two views, as the model sees it: priors by their tables, then correlations, anchors, settings."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from aligntax.models.priors.tables import Tables
from aligntax.models.views import LINKS, SECTIONS, View


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
    """Compare two views in what the named quantities, and every setting, mean to a model."""
    before, after = old.stated(names), new.stated(names)
    linked = tuple(key for key in LINKS if getattr(old, key) != getattr(new, key))
    return Changes(
        quantities=tuple(name for i, name in enumerate(names) if _moved(before, after, i)),
        correlated=tuple(name for i, name in enumerate(names) if _coupled(before, after, i)),
        anchors=dict(old.anchors) != dict(new.anchors),
        settings=linked
        + tuple(
            f"{section}.{field.name}"
            for section, kind in SECTIONS.items()
            for field in fields(kind)
            if getattr(getattr(old, section), field.name)
            != getattr(getattr(new, section), field.name)
        ),
        evidence=old.evidence != new.evidence,
    )


def _moved(before: Tables, after: Tables, i: int) -> bool:
    return not (
        np.array_equal(before.y[i], after.y[i]) and np.array_equal(before.slope[i], after.slope[i])
    )


def _coupled(before: Tables, after: Tables, i: int) -> bool:
    return not np.allclose(before.correlation[i], after.correlation[i], rtol=0, atol=1e-12)
