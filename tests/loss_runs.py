"""Training runs for tests of the loss law: simulated ones, and the digitised Chinchilla runs where they are at hand."""

import os
from pathlib import Path

import numpy as np
import pytest

from aligntax.analysis.inputs.loss_runs import LossRuns, drop_highest, read_runs
from aligntax.models import loss_law
from aligntax.models.evidence import Evidence
from aligntax.models.views import View

REFERENCE = {"parameters": 1e9, "tokens": 2e10}  # at which the two terms of TRUTH are stated
TRUTH = {
    "irreducible_loss": 1.8,
    "parameter_loss": -0.45,
    "data_loss": -0.45,
    "alpha": 0.35,
    "beta": 0.37,
}
HERE = Path(__file__).parents[1]


def chinchilla(drop: int = 0) -> LossRuns:
    """The 245 digitised runs, which are not part of the repository."""
    stated = os.environ.get("ALIGNTAX_CHINCHILLA_RUNS")
    path = Path(stated) if stated else HERE.parent / "shared" / "data" / "chinchilla_runs.csv"
    if not path.is_file():
        pytest.skip(
            f"the digitised Chinchilla runs are not at {path}: set ALIGNTAX_CHINCHILLA_RUNS to the file"
        )
    return drop_highest(read_runs(path), drop)


def design(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Parameters and tokens of runs around a few training budgets, as isoFLOP studies have them."""
    rng = np.random.default_rng(seed)
    flop = 10.0 ** rng.choice([18.5, 19.0, 19.5, 20.0, 20.5, 21.0, 21.5], size=count)
    n = 10.0 ** (0.5 * np.log10(flop / 120) + rng.uniform(-0.8, 0.8, size=count))
    return n, flop / (6 * n)


def simulated(count=100, sd=0.004, freedom=np.inf, truths=None, seed=0):
    """Rows of ``loss_runs``: one corpus a mapping of true values, or one without a name."""
    rng, rows = np.random.default_rng(seed + 1), []
    for corpus, truth in (truths or {"": TRUTH}).items():
        n, d = design(count, seed)
        error = (
            rng.standard_normal(count) if np.isinf(freedom) else rng.standard_t(freedom, size=count)
        )
        loss = loss_law.loss(
            truth, np.log(n / REFERENCE["parameters"]), np.log(d / REFERENCE["tokens"])
        ) * np.exp(sd * error)
        rows += [
            {
                "key": f"{corpus or 'run'}_{i:04d}", "corpus": corpus, "parameters": float(n[i]), "tokens": float(d[i]),
                "loss": float(loss[i]),
                "used": True, "source": "simulated", "status": "computed", "note": "",
            }
            for i in range(count)
        ]  # fmt: skip
    return rows


def data(evidence: Evidence, view: View) -> np.ndarray:
    """What the compiled model holds as ``loss_run_data``."""
    rows = loss_law.runs(evidence, view)
    return np.stack([rows[column].values.astype(float) for column in rows.data_vars])


def write(path: Path, rows) -> Path:
    """A user's file of runs."""
    lines = ["parameters,tokens,loss,corpus"]
    lines += [
        f"{row['parameters']!r},{row['tokens']!r},{row['loss']!r},{row['corpus']}" for row in rows
    ]
    path.write_text("\n".join(lines) + "\n")
    return path
