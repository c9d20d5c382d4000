"""Gold-reward curves of a simulated world: proxies of few to many labels, each optimised far.

The world, and what is known exactly about it, are in
:mod:`aligntax.models.overoptimization.proxy_rewards`. The points of a curve carry the noise of an
evaluation: gold is an average over sampled outputs.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aligntax.analysis.inference.options import Sampling, Talk
from aligntax.analysis.inference.seeds import child_seed
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
    draw_comparisons,
    learn,
    peak,
    tilted_outputs,
    tilted_rewards,
)
from aligntax.models.short_form import short_form

QUIET = Talk()
# Comparisons, for proxies from little better than chance to about the best. With 30 labels some are
# worse than chance, and their curve has no peak.
LABELS = (100, 300, 1000, 3000, 10_000, 30_000)
REPLICATES = 5
# Nats of tilting. The policies in Stiennon et al. 2020 are 2 to 250 nats from the initial one.
BUDGETS = (1, 2, 5, 10, 25, 50, 100, 200)
BEST_OF = (2, 10, 100, 1000, 10_000, 60_000)  # 0.2 to 10 nats: the range of Gao et al. 2022
OUTPUTS = 1000  # sampled to evaluate a policy
FRESH = 10_000  # comparisons on which a proxy's accuracy is measured
MOST_LABELS = 100_000  # 320 MB
ROUNDING = 1e-9  # sd; a smaller misfit is rounding
FIXED_LABELS = 3000  # of the proxies whose optimisation is compared
POOL = 5000  # outputs of a finite policy, which can move by 8.5 nats
STEPS, SAMPLES, ROUNDS = 50, 20, 10
# Nats at which paths are compared, by broken condition.
AT = {"exact": (5,), "sampled": (10, 50), "narrow": (10, 50), "relearned": (10, 50)}
BROKEN = {
    "exact": "exact",
    "sampled": f"seeing {SAMPLES} outputs each",
    "narrow": "policy lacks features",
    "relearned": f"reward relearned {ROUNDS} times",
}


@dataclass(frozen=True)
class PolicyPoint:
    """A policy on a curve.

    Attributes
    ----------
    run, proxy, method : str
        The curve, its proxy, and how that was optimised.
    labels : int
        Labels that the proxy learned from.
    kl : float
        Nats from the initial policy.
    gold, gold_se : float
        Gold reward as evaluated and its standard error, in sd under the initial policy.
    exact : float
        Gold reward without evaluation noise.
    """

    run: str
    proxy: str
    method: str
    labels: int
    kl: float
    gold: float
    gold_se: float
    exact: float


@dataclass(frozen=True)
class Proxy:
    """A learned reward.

    Attributes
    ----------
    labels : int
        Labels that it learned from.
    accuracy : float
        Share of fresh labels that it agrees with.
    peak_kl, peak_gold : float
        Nats of tilting at which gold is highest, and that gold in sd.
    last_gold : float
        Gold at the largest budget, in sd.
    """

    labels: int
    accuracy: float
    peak_kl: float
    peak_gold: float
    last_gold: float


@dataclass(frozen=True)
class Curves:
    """Every point and proxy of one simulation, and the arguments that it was made with."""

    points: tuple[PolicyPoint, ...]
    proxies: tuple[Proxy, ...]
    seed: int
    replicates: int
    __repr__ = short_form

    @property
    def labels(self) -> tuple[int, ...]:
        """Label counts in increasing order."""
        return tuple(sorted({proxy.labels for proxy in self.proxies}))

    def by_labels(self) -> list[dict[str, float]]:
        """Averages over the proxies of each label count."""
        fields = ("accuracy", "peak_kl", "peak_gold", "last_gold")
        groups = ((n, [p for p in self.proxies if p.labels == n]) for n in self.labels)
        return [
            {"labels": n} | {f: float(np.mean([getattr(p, f) for p in own])) for f in fields}
            for n, own in groups
        ]

    def misfit(self, method: str, form: str) -> float:
        """Root mean square misfit of a form to exact gold, in sd, over all runs of a method."""
        runs: dict[str, list[PolicyPoint]] = {}
        for point in self.points:
            if point.method == method:
                runs.setdefault(point.run, []).append(point)
        return float(np.sqrt(np.mean([fit_form(own, form) ** 2 for own in runs.values()])))


def fit_form(points: Sequence[PolicyPoint], form: str) -> float:
    """Root mean square error of the least-squares fit of a form to exact gold.

    The form ``bon`` is ``d (alpha - beta d)``, and ``rl`` is ``d (alpha - beta log d)``.
    """
    d = np.sqrt([point.kl for point in points])
    exact = np.array([point.exact for point in points])
    basis = np.stack([d, -d * (d if form == "bon" else np.log(d))], axis=-1)
    coefficients, *_ = np.linalg.lstsq(basis, exact)
    return float(np.sqrt(np.mean((basis @ coefficients - exact) ** 2)))


def _check_arguments(labels: Sequence[int], replicates: int, seed: int) -> None:
    Sampling(seed=seed)  # raises an error about a seed out of bounds
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


def simulate_curves(
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
        Proxies of each label count. Each learns from labels of its own.
    seed : int
        Root of every random number.
    world : World, optional
        By default the default world.
    talk : Talk

    Raises
    ------
    InputError
        If an argument is out of bounds.
    """
    _check_arguments(labels, replicates, seed)
    world, root = world or World(), child_seed(seed, "gold_curves")
    fresh = compare(world, draw_comparisons(world, FRESH, np.random.default_rng(root)))
    points: list[PolicyPoint] = []
    proxies = []
    for count in sorted(labels):
        for replicate in range(1, replicates + 1):
            talk.say(f"proxy {replicate} of {replicates} from {count:,} labels")
            rng = np.random.default_rng((root, count, replicate))
            weights = learn(compare(world, draw_comparisons(world, count, rng)))
            last, _ = tilted_rewards(world, weights, BUDGETS[-1])
            proxies.append(
                Proxy(count, accuracy(weights, fresh), *peak(world, weights), float(last))
            )
            points += _curves_of_proxy(world, weights, count, replicate, rng)
    return Curves(tuple(points), tuple(proxies), seed, replicates)


def _curves_of_proxy(
    world: World, weights: Any, labels: int, replicate: int, rng: np.random.Generator
) -> list[PolicyPoint]:
    """Points of one proxy that is optimised by tilting and by best-of-n."""

    def point(method: str, kl: float, exact: Any, outputs: Any) -> PolicyPoint:
        gold = world.gold(outputs)
        proxy = f"labels_{labels}_{replicate}"
        mean, se = float(gold.mean()), float(gold.std(ddof=1) / np.sqrt(OUTPUTS))
        run = f"{proxy}_{method}"
        return PolicyPoint(run, proxy, method, labels, kl, mean, se, float(exact))

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
    """Gold after local steps and under a global penalty, on average, where one condition is broken.

    Attributes
    ----------
    cause, words : str
        The broken condition: its key in :data:`BROKEN`, and its words.
    kl : float
        Nats from the initial policy.
    steps, tilts : float
        Gold after local steps and under a global penalty, in sd.
    gap, gap_se : float
        Their difference and its standard error over proxies, which is 0 without randomness.
    """

    cause: str
    words: str
    kl: float
    steps: float
    tilts: float
    gap: float
    gap_se: float


def compare_local_steps(
    seed: int = 2022, world: World | None = None, talk: Talk = QUIET
) -> list[Cause]:
    """Compare local steps with a global penalty: exactly, and with each condition broken alone.

    :mod:`aligntax.models.overoptimization.local_steps` has the conditions.
    """
    Sampling(seed=seed)
    world, root = world or World(), child_seed(seed, "gold_curves")
    paths: dict[str, list[Paths]] = {name: [] for name in BROKEN}
    paths["narrow"].append(narrow_steps(world, 60.0, 1000))
    for replicate in range(1, REPLICATES + 1):
        talk.say(f"local steps beside a global penalty, proxy {replicate} of {REPLICATES}")
        rng = np.random.default_rng((root, 0, replicate))
        draws = draw_comparisons(world, FIXED_LABELS, rng)
        weights = learn(compare(world, draws))
        outputs = rng.standard_normal((POOL, world.dimensions))
        reward = outputs @ weights / np.linalg.norm(weights)
        paths["exact"].append(exact_steps(world.gold(outputs), reward, np.full(STEPS, 8.0 / STEPS)))
        paths["sampled"].append(sampled_steps(world, weights, 75.0, STEPS, SAMPLES, rng))
        paths["relearned"].append(relearned_steps(world, draws, 120.0, ROUNDS))
    return [_average_cause(name, nats, paths[name]) for name in BROKEN for nats in AT[name]]


def _average_cause(name: str, nats: float, paths: Sequence[Paths]) -> Cause:
    steps, tilts = np.array([path.at(nats) for path in paths]).T
    gap = steps - tilts
    se = float(gap.std(ddof=1) / np.sqrt(len(gap))) if len(gap) > 1 else 0.0
    return Cause(
        name, BROKEN[name], nats, float(steps.mean()), float(tilts.mean()), float(gap.mean()), se
    )


def table_text(curves: Curves) -> str:
    """Text of the evidence table ``gold_curves``."""
    from aligntax.models.evidence import TABLES  # imports xarray: simulations do without

    labels = ",".join(map(str, curves.labels))
    asked = f"--labels {labels} --replicates {curves.replicates} --seed {curves.seed}"
    tilt, best = (
        {form: f"{curves.misfit(m, form):.2g}" for form in ("bon", "rl")} for m in ("tilt", "bon")
    )
    out = io.StringIO()
    ends = f"{BUDGETS[0]} to {BUDGETS[-1]} nats", f"best of {BEST_OF[0]} to {BEST_OF[-1]:,}"
    exactly = "0" if float(tilt["bon"]) < ROUNDING else tilt["bon"]
    out.write(
        f"""\
# Gold reward of policies optimised against proxies learned from few or many labels: \
simulated, models/overoptimization/proxy_rewards.py.
# Made by `aligntax gold-curves {asked}`.
#
# A run is one proxy, learned from labels of its own, optimised in one way: \
tilt (the optimum under a KL penalty,
# {ends[0]}) or bon ({ends[1]}, kl = log n - (n - 1) / n). The runs of a proxy share its labels.
# gold is in sd of gold under the initial policy and 0 there on average: \
a mean over {OUTPUTS} sampled outputs, with gold_se.
#
# form: d (alpha - beta d), d = sqrt(kl), is what a tilt by a linear proxy follows exactly \
in this world, and best-of-n
# nearly. Root mean square misfit to gold without evaluation noise, in sd, \
of this form and of d (alpha - beta log d):
# tilt {exactly} and {tilt["rl"]}, best-of-n {best["bon"]} and {best["rl"]}.
"""
    )
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow([column.name for column in TABLES["gold_curves"].columns])
    seen: dict[str, int] = {}
    for point in curves.points:
        run, method = point.run, point.method
        seen[run] = seen.get(run, 0) + 1
        values = (f"{point.kl:.6g}", f"{point.gold:.5g}", f"{point.gold_se:.3g}")
        own = (f"{run}_{seen[run]}", run, point.proxy, method, "bon", point.labels, *values)
        rows.writerow((*own, "true", f"aligntax gold-curves --seed {curves.seed}", "computed", ""))
    return out.getvalue()
