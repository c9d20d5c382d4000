"""Write ``tests/what_if_vector.json``: what a refit answers to moves of priors and without evidence, for Python and the page.

``python -m tests.what_if_vector`` after the reference run was made anew.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from aligntax.analysis.fitting.left_out import leave_out, units
from aligntax.analysis.fitting.refit_plan import answer_from_draws, plan_reweighting
from aligntax.analysis.fitting.reweight import weigh_draws
from aligntax.analysis.storage.load import load
from aligntax.analysis.storage.sampled_run import SampledRun, read_sampled_run
from aligntax.models.views import View, load_view
from tests.reference import REFERENCE

VECTOR = Path(__file__).with_suffix(".json")
KEYS = (
    "q05",
    "q25",
    "q50",
    "q75",
    "q95",
    "mean",
    "sd",
    "prob_above",
    "prob_below",
    "prob_undefined",
)
CLAIM_KEYS = ("probability", "mcse", "given_probability")
MOVES: tuple[dict[str, Any], ...] = (
    {},
    {"rlhf_multiplier": [0.05, 1, 20]},
    {
        "hours_floor": [1e3, 1e4, 1e5],
        "rnd_ratio": [2, 3, 5],
        "compute_data_exponent": [0.5, 0.8, 0.95],
    },
    {
        "workforce_hours": [1e4, 1e5, 1e6],
        "workforce_growth": [-0.05, 0.0, 0.05],
        "rlhf_multiplier": [10, 300, 1e4],
    },
    {
        "label_efficiency_growth": [0.0, 0.1, 0.3],
        "usd_per_hour": [5, 20, 80],
        "quality_factor": [0.5, 1.5, 4],
    },
    {"spend_growth": [0.5, 0.57, 0.64]},
    {"practice_hours": [3e3, 1e4, 3e4], "alignment_tax_tolerance": [0.003, 0.05, 0.3]},
    {"lifetime_flop": [4e26, 1e28, 4e33]},
    {"superexponential_weight": [0.1, 0.3, 0.6], "hazard_steepness": [1.0, 2.0, 5.0]},
    {"hardware_growth": [0.2, 0.25, 0.3]},  # where the run has no draws
)
ROW = "algorithmic_progress:ho2024"  # of which weights without it can be trusted
# Evidence that is left out, alone and with a prior that moves.
WITHOUT: tuple[tuple[dict[str, Any], list[str]], ...] = (
    ({}, [ROW]),
    ({"rlhf_multiplier": [0.05, 1, 20]}, [ROW]),
    ({"lifetime_flop": [4e26, 1e28, 4e33]}, [ROW]),
    ({"hardware_growth": [0.2, 0.25, 0.3]}, [ROW]),
)
VIEWS = ("hilton-2022", "leike-2023", "chinchilla-naive", "vague")


def moved(source: SampledRun, move: dict[str, list[float]]) -> View:
    """The run's view with the 10, 50 and 90% points of some priors."""
    view = source.view
    for name, (low, middle, high) in move.items():
        view = view.with_quantity(name, {"quantiles": {"0.1": low, "0.5": middle, "0.9": high}})
    return view


def answered(source: SampledRun, view: View, without: list[str] | None = None) -> dict[str, Any]:
    """What ``aligntax refit --method reweight`` finds, and whether ``auto`` would have trusted it."""
    chosen = plan_reweighting(source, view)
    if without:
        known = {u.key: u for u in units(load(source.path).groups.log_likelihood, source.model)}
        carried = leave_out(chosen.carried, [known[key] for key in without])
        weights, checks = weigh_draws(carried)
        chosen = replace(chosen, carried=carried, weights=weights, checks=tuple(checks))
    answer = answer_from_draws(chosen)
    rows = {name: {key: row[key] for key in KEYS} for name, row in answer.rows.items()}
    checks = {check.name: [check.value, check.passed, check.where] for check in chosen.checks}
    claims = {
        name: {key: claim[key] for key in CLAIM_KEYS} for name, claim in answer.claims.items()
    }
    return {"exact": chosen.exact, "checks": checks, "claims": claims, "rows": rows}


def vector(source: SampledRun) -> dict[str, Any]:
    """Every move and named view with its answer."""
    moves = [{"move": move, **answered(source, moved(source, move))} for move in MOVES]
    return {
        "moves": moves,
        "without": [
            {"move": move, "without": keys, **answered(source, moved(source, move), keys)}
            for move, keys in WITHOUT
        ],
        "views": [{"view": name, **answered(source, load_view(name))} for name in VIEWS],
    }


def kept(found: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The same with some rows alone."""
    return {
        kind: [
            {**each, "rows": {n: row for n, row in each["rows"].items() if n in names}}
            for each in answers
        ]
        for kind, answers in found.items()
    }


def main() -> None:
    """Work out and write."""
    from aligntax.analysis.pages.report import ANSWER

    found = kept(vector(read_sampled_run(REFERENCE)), ANSWER)
    VECTOR.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
