"""Runs of models on timed tasks for tests, in METR's layout: simulated here, by a seed that is stated.

Twelve models from 2023 on double their time horizon in ``doubling`` days; each tries 40 tasks of seconds to
days four times. Three people were timed at a task on average; every fourth has an estimate instead.
"""

import datetime
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from aligntax.models.evidence.reader import decimal_year

SEED = 20261129  # of the file that tests read


@dataclass(frozen=True)
class World:
    """What is true of the simulated runs; times are in doublings of a minute."""

    level: float = 5.0  # ability of the trend at the start of 2025
    doubling: float = 150.0  # days
    slope: float = 0.9
    difficulty_spread: float = 1.5
    ability_spread: float = 0.4
    human_time_error: float = 1.1
    estimate_error: float = 1.8
    task_mean: float = 4.0
    task_sd: float = 3.0
    tasks: int = 40
    models: int = 12
    attempts: int = 4
    most_people: int = 5  # timed at a task
    seed: int = SEED


@dataclass(frozen=True)
class Simulated:
    """Rows of ``horizon_runs``, and the truth of each model and task."""

    rows: list[dict[str, Any]]
    lines: list[dict[str, Any]]
    ability: dict[str, float] = field(default_factory=dict)


def simulated(world: World = World()) -> Simulated:
    """Runs of one world."""
    rng = np.random.default_rng(world.seed)
    length = rng.normal(world.task_mean, world.task_sd, world.tasks)
    estimated = np.arange(world.tasks) % 4 == 3
    people = np.where(estimated, 0, rng.integers(1, world.most_people + 1, world.tasks))
    error = np.where(
        estimated, world.estimate_error, world.human_time_error / np.sqrt(np.maximum(people, 1))
    )
    minutes = 2.0 ** (length + error * rng.standard_normal(world.tasks))
    hard = length + world.difficulty_spread * rng.standard_normal(world.tasks)
    days = np.linspace(0, 1090, world.models).round().astype(int)
    dates = [datetime.date(2023, 1, 1) + datetime.timedelta(int(day)) for day in days]
    when = np.array([decimal_year(date) for date in dates])
    trend = world.level + (when - 2025.0) * 365.25 / world.doubling
    ability = trend + world.ability_spread * rng.standard_normal(world.models)
    chance = 1 / (1 + np.exp(-world.slope * (ability - hard[:, None])))
    success = rng.uniform(size=(world.attempts, *chance.shape)) < chance
    rows, lines = [], []
    for k in range(world.tasks):
        task = {
            "task_id": f"family_{k // 4}/task_{k}",
            "task_family": f"family_{k // 4}",
            "human_minutes": round(float(minutes[k]), 4),
            "human_source": "estimate" if estimated[k] else "baseline",
        }
        lines += [
            task | {"alias": "human", "model": "human", "score_binarized": 1}
            for _ in range(people[k])
        ]
        for m, date in enumerate(dates):
            alias = f"Model {m:02d}"
            lines += [
                task
                | {
                    "alias": alias,
                    "model": alias.lower().replace(" ", "_"),
                    "score_binarized": int(success[j, k, m]),
                    "release_date": date.isoformat(),
                }
                for j in range(world.attempts)
            ]
            rows.append(
                {
                    "key": f"pair_{len(rows) + 1:05d}",
                    "agent": alias,
                    "date": float(when[m]),
                    "task": task["task_id"],
                    "human_minutes": task["human_minutes"],
                    "human_source": task["human_source"],
                    "people": float(people[k]),
                    "attempts": float(world.attempts),
                    "successes": float(success[:, k, m].sum()),
                    "used": True,
                    "source": "simulated",
                    "status": "computed",
                    "note": "",
                }
            )
    return Simulated(rows, lines, {f"Model {m:02d}": float(a) for m, a in enumerate(ability)})


def write(path: Path, lines: list[dict[str, Any]]) -> Path:
    """A user's file of runs."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path
