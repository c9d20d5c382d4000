"""Gold-reward curves of a simulated world: proxies learned from more and more labels, each optimised further and further.

The world and what is known of it exactly are in
:mod:`aligntax.models.overoptimization.proxy_rewards`. A curve's points carry the noise of an
evaluation: gold is an average over sampled outputs.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.inference.seeds import child
from aligntax.models.errors import InputError
from aligntax.models.overoptimization.local_steps import (
    Paths,
    exact_steps,
    narrow_steps,
    relearned_steps,
    sampled_steps,
)
from aligntax.models.overoptimization.policies import best_of_n_kl
from aligntax.models.overoptimization.proxy_rewards import (
    World,
    accuracy,
    best_of_n_outputs,
    best_of_n_rewards,
    compare,
    draw,
    learn,
    peak,
    tilted_outputs,
    tilted_rewards,
)

QUIET = Talk()
# comparisons: from little better than chance to about as good as a proxy gets; with 30 some are
# worse than chance, without peak
LABELS = (100, 300, 1000, 3000, 10_000, 30_000)
REPLICATES = 5
# nats of tilting: policies in Stiennon et al. 2020 lie 2 to 250 from the initial
BUDGETS = (1, 2, 5, 10, 25, 50, 100, 200)
BEST_OF = (2, 10, 100, 1000, 10_000, 60_000)  # n, 0.2 to 10 nats: the range of Gao et al. 2022
OUTPUTS = 1000  # sampled to evaluate a policy
FRESH = 10_000  # comparisons on which a proxy's accuracy is measured
MOST_LABELS = 100_000  # 320 MB
ROUNDING = 1e-9  # sd: a misfit below it is none
FIXED_LABELS = 3000  # of the proxies whose optimisation is compared
POOL = 5000  # outputs of a finite policy, which can go 8.5 nats
STEPS, SAMPLES, ROUNDS = 50, 20, 10
# nats at which paths are compared
AT = {"exact": (5,), "sampled": (10, 50), "narrow": (10, 50), "relearned": (10, 50)}
BROKEN = {
    "exact": "exact",
    "sampled": f"seeing {SAMPLES} outputs each",
    "narrow": "policy lacks features",
    "relearned": f"reward relearned {ROUNDS} times",
}
HEADS = (
    "key",
    "run",
    "method",
    "form",
    "labels",
    "kl",
    "gold",
    "gold_se",
    "used",
    "source",
    "status",
    "note",
)


@dataclass(frozen=True)
class Point:
    """A policy: gold as evaluated, its standard error, and gold exactly, in sd under the initial policy; ``kl`` in nats."""

    run: str
    method: str
    labels: int
    kl: float
    gold: float
    gold_se: float
    exact: float


@dataclass(frozen=True)
class Proxy:
    """A learned reward: its accuracy on fresh labels, where tilting by it is best (nats, sd), and gold at the largest budget."""

    labels: int
    accuracy: float
    peak_kl: float
    peak_gold: float
    last_gold: float


@dataclass(frozen=True)
class Curves:
    """A sweep: every point, every proxy, and what they were made from."""

    points: tuple[Point, ...]
    proxies: tuple[Proxy, ...]
    seed: int
    replicates: int

    @property
    def labels(self) -> tuple[int, ...]:
        """Label counts, rising."""
        return tuple(sorted({each.labels for each in self.proxies}))

    def by_labels(self) -> list[dict[str, float]]:
        """Averages over the proxies of each label count."""
        fields = ("accuracy", "peak_kl", "peak_gold", "last_gold")
        groups = ((n, [each for each in self.proxies if each.labels == n]) for n in self.labels)
        return [
            {"labels": n} | {f: float(np.mean([getattr(p, f) for p in own])) for f in fields}
            for n, own in groups
        ]

    def misfit(self, method: str, form: str) -> float:
        """Root mean square over all runs of a method, in sd, by which the form misses gold as it is exactly."""
        runs: dict[str, list[Point]] = {}
        for point in self.points:
            if point.method == method:
                runs.setdefault(point.run, []).append(point)
        return float(np.sqrt(np.mean([fit_form(own, form) ** 2 for own in runs.values()])))


def fit_form(points: Sequence[Point], form: str) -> float:
    """Root mean square error of the least-squares fit of ``d (alpha - beta d)`` or ``d (alpha - beta log d)`` to exact gold."""
    d = np.sqrt([point.kl for point in points])
    exact = np.array([point.exact for point in points])
    basis = np.stack([d, -d * (d if form == "bon" else np.log(d))], axis=-1)
    found, *_ = np.linalg.lstsq(basis, exact)
    return float(np.sqrt(np.mean((basis @ found - exact) ** 2)))


def _check(labels: Sequence[int], replicates: int, seed: int) -> None:
    Sampling(seed=seed)  # refuses a seed out of bounds
    if not labels:
        raise InputError("labels: must be one number or more, got none; such as 100,1000,10000")
    for count in labels:
        if not 2 <= count <= MOST_LABELS:
            raise InputError(
                f"labels: must lie between 2 and {MOST_LABELS}, got {count}; choose another"
            )
    if len(set(labels)) < len(labels):
        raise InputError(f"labels: must differ, got {','.join(map(str, labels))}; drop one of them")
    if not 1 <= replicates <= 1000:
        raise InputError(
            f"replicates: must lie between 1 and 1000, got {replicates}; {REPLICATES} is usual"
        )


def sweep(
    labels: Sequence[int] = LABELS,
    replicates: int = REPLICATES,
    seed: int = 2022,
    world: World | None = None,
    talk: Talk = QUIET,
) -> Curves:
    """Learn proxies and optimise each by best-of-n and by tilting.

    Parameters
    ----------
    labels : sequence of int
        Label counts, each at least 2. A proxy's numbers depend neither on the others nor on their
        order.
    replicates : int
        Proxies of each label count, each learned from labels of its own.
    seed : int
        Root of every random number.
    world : World, optional
        The default one if left out.
    talk : Talk

    Raises
    ------
    InputError
        If an argument is out of bounds.
    """
    _check(labels, replicates, seed)
    world, root = world or World(), child(seed, "gold_curves")
    fresh = compare(world, draw(world, FRESH, np.random.default_rng(root)))
    points: list[Point] = []
    proxies = []
    for count in sorted(labels):
        for replicate in range(1, replicates + 1):
            talk.say(f"proxy {replicate} of {replicates} from {count:,} labels")
            rng = np.random.default_rng((root, count, replicate))
            weights = learn(compare(world, draw(world, count, rng)))
            last, _ = tilted_rewards(world, weights, BUDGETS[-1])
            proxies.append(
                Proxy(count, accuracy(weights, fresh), *peak(world, weights), float(last))
            )
            points += _curves(world, weights, count, replicate, rng)
    return Curves(tuple(points), tuple(proxies), seed, replicates)


def _curves(
    world: World, weights: Any, labels: int, replicate: int, rng: np.random.Generator
) -> list[Point]:
    """Points of one proxy, optimised in both ways."""

    def point(method: str, kl: float, exact: Any, outputs: Any) -> Point:
        gold = world.gold(outputs)
        run = f"labels_{labels}_{replicate}_{method}"
        se = gold.std(ddof=1) / np.sqrt(OUTPUTS)
        return Point(run, method, labels, kl, float(gold.mean()), float(se), float(exact))

    tilts = [
        point(
            "tilt",
            kl,
            tilted_rewards(world, weights, kl)[0],
            tilted_outputs(world, weights, kl, OUTPUTS, rng),
        )
        for kl in BUDGETS
    ]
    best = [
        point(
            "bon",
            float(best_of_n_kl(n)),
            best_of_n_rewards(world, weights, n)[0],
            best_of_n_outputs(world, weights, n, OUTPUTS, rng),
        )
        for n in BEST_OF
    ]
    return tilts + best


@dataclass(frozen=True)
class Cause:
    """Gold at a KL after local steps and under a global penalty, on average, and the gap between them with its standard error.

    The error is over proxies; of a comparison without chance it is 0.
    """

    cause: str
    words: str
    kl: float
    steps: float
    tilts: float
    gap: float
    gap_se: float


def causes(seed: int = 2022, world: World | None = None, talk: Talk = QUIET) -> list[Cause]:
    """Compare local steps with a global penalty: exact, and with each condition broken alone (:mod:`aligntax.models.overoptimization.local_steps`)."""
    Sampling(seed=seed)
    world, root = world or World(), child(seed, "gold_curves")
    paths: dict[str, list[Paths]] = {name: [] for name in BROKEN}
    paths["narrow"].append(narrow_steps(world, 60.0, 1000))
    for replicate in range(1, REPLICATES + 1):
        talk.say(f"local steps beside a global penalty, proxy {replicate} of {REPLICATES}")
        rng = np.random.default_rng((root, 0, replicate))
        draws = draw(world, FIXED_LABELS, rng)
        weights = learn(compare(world, draws))
        outputs = rng.standard_normal((POOL, world.dimensions))
        reward = outputs @ weights / np.linalg.norm(weights)
        paths["exact"].append(exact_steps(world.gold(outputs), reward, np.full(STEPS, 8.0 / STEPS)))
        paths["sampled"].append(sampled_steps(world, weights, 75.0, STEPS, SAMPLES, rng))
        paths["relearned"].append(relearned_steps(world, draws, 120.0, ROUNDS))
    return [_cause(name, nats, paths[name]) for name in BROKEN for nats in AT[name]]


def _cause(name: str, nats: float, paths: Sequence[Paths]) -> Cause:
    steps, tilts = np.array([path.at(nats) for path in paths]).T
    gap = steps - tilts
    se = float(gap.std(ddof=1) / np.sqrt(len(gap))) if len(gap) > 1 else 0.0
    return Cause(
        name, BROKEN[name], nats, float(steps.mean()), float(tilts.mean()), float(gap.mean()), se
    )


def table_text(curves: Curves) -> str:
    """Text of the evidence table ``gold_curves``."""
    asked = f"--labels {','.join(map(str, curves.labels))} --replicates {curves.replicates} --seed {curves.seed}"
    tilt, best = (
        {form: f"{curves.misfit(m, form):.2g}" for form in ("bon", "rl")} for m in ("tilt", "bon")
    )
    out = io.StringIO()
    ends = f"{BUDGETS[0]} to {BUDGETS[-1]} nats", f"best of {BEST_OF[0]} to {BEST_OF[-1]:,}"
    exactly = "0" if float(tilt["bon"]) < ROUNDING else tilt["bon"]
    out.write(
        f"""\
# Gold reward of policies optimised against proxies learned from few or many labels: simulated, models/overoptimization/proxy_rewards.py.
# Made by `aligntax gold-curves {asked}`.
#
# A run is one proxy, learned from labels of its own, optimised in one way: tilt (the optimum under a KL penalty,
# {ends[0]}) or bon ({ends[1]}, kl = log n - (n - 1) / n). The two runs of a proxy share its labels.
# gold is in sd of gold under the initial policy and 0 there on average: a mean over {OUTPUTS} sampled outputs, with gold_se.
#
# form: d (alpha - beta d), d = sqrt(kl), is what a tilt by a linear proxy follows exactly in this world, and best-of-n
# nearly. Root mean square misfit to gold without evaluation noise, in sd, of this form and of d (alpha - beta log d):
# tilt {exactly} and {tilt["rl"]}, best-of-n {best["bon"]} and {best["rl"]}.
"""
    )
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(HEADS)
    seen: dict[str, int] = {}
    for each in curves.points:
        seen[each.run] = seen.get(each.run, 0) + 1
        values = (f"{each.kl:.6g}", f"{each.gold:.5g}", f"{each.gold_se:.3g}")
        own = (f"{each.run}_{seen[each.run]}", each.run, each.method, "bon", each.labels, *values)
        rows.writerow((*own, "true", f"aligntax gold-curves --seed {curves.seed}", "computed", ""))
    return out.getvalue()
