"""What the tests of the models share beside the evidence and the default view: trends, and draws from a view's prior."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from aligntax.models.evidence import Evidence
from aligntax.models.trend import Trend
from aligntax.models.views import View


@pytest.fixture(scope="session")
def trend(evidence: Evidence, view: View) -> Trend:
    return Trend.of(evidence, view)


@pytest.fixture(scope="session")
def prior_draws(view: View) -> Callable[..., dict[str, Any]]:
    """``prior_draws(names, size, seed, of)``: elicited quantities on their own scales, shape (size,)."""

    def draw(names: Sequence[str], size: int, seed: int = 1, of: View = view) -> dict[str, Any]:
        tables = of.tables(names)
        z = np.random.default_rng(seed).standard_normal((size, len(tables.names)))
        return tables.values(z @ tables.cholesky.T)

    return draw
