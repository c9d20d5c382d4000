"""How fast does the error of evaluators grow with capability, with and without scalable oversight?

People judge what a more capable policy does, alone or with the help of models. At ``C`` OOM of
effective FLOP over GPT-3's the evaluator's error ``v`` about a rival of score 0 is::

    logit v(C) = logit evaluator_error + s evaluator_error_growth C

with ``s = 1`` unaided. A scheme of scalable oversight leaves a share ``s`` of the growth:
amplification [1]_, debate [2]_ or recursive reward modelling [3]_, by the view's setting
``outer_alignment.oversight``. Nobody has published such a share, so each is elicited, wide.

**Evidence** is the success of nested oversight [4]_: trusted models oversee stronger ones, which
are trusted next, at the number of levels that is best. Game ``j`` is played at a gap of ``E_j``
points of general Elo between the overseer and the strongest model. The law of Elo is a straight
line in the logit of failure, as that of ``v`` in capability is::

    logit(1 - success_j) ~ Normal(logit parity_error + s_j evaluator_error_growth E_j / elo_per_oom,
                                  game_spread)

The game Debate has debate's share. The others nest without debate, and have that of recursive
reward modelling. One gap per game cannot part growth from the failure of equals, so
``parity_error`` and ``elo_per_oom`` are elicited, and what the games teach of the growth is loose.
They are games of models against models: that errors of people who judge a policy follow the same
law is assumed.

===========================  ============  ======================================================
name                         unit          meaning
===========================  ============  ======================================================
``evaluator_error``          1             ``v`` at GPT-3's compute
``evaluator_error_growth``   1/OOM         growth of its logit, unaided
``amplification_share``      1             ``s`` of amplification; ``debate_share`` and
                                           ``recursion_share`` those of the other two
``elo_per_oom``              log10 Elo     points of general Elo per OOM of effective FLOP
``parity_error``             1             how often oversight of an equal fails
``game_spread``              1             sd of a game's logit about the law, a setting
===========================  ============  ======================================================

References
----------
.. [1] Christiano et al., "Supervising strong learners by amplifying weak experts", 2018.
       arXiv:1810.08575
.. [2] Irving et al., "AI safety via debate", 2018. arXiv:1805.00899
.. [3] Leike et al., "Scalable agent alignment via reward modeling", 2018. arXiv:1811.07871
.. [4] Engels et al., "Scaling laws for scalable oversight", 2025. arXiv:2504.18530
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.random import Generator
from scipy.special import logit

from aligntax.models.evidence import Evidence, replaceable_rows, select
from aligntax.models.views import View

SHARES = {
    "amplification": "amplification_share",
    "debate": "debate_share",
    "recursive_reward_modelling": "recursion_share",
}
QUANTITIES = (
    "evaluator_error",
    "evaluator_error_growth",
    *SHARES.values(),
    "elo_per_oom",
    "parity_error",
)


def evaluator_logit(x: Mapping[str, Any], capability: Any, oversight: str) -> Any:
    """Logit of the evaluator's error about a rival of score 0.

    Parameters
    ----------
    capability : float or ndarray
        OOM of effective FLOP over GPT-3's.
    oversight : str
        ``none`` or a scheme of :data:`SHARES`.
    """
    left = 1.0 if oversight == "none" else x[SHARES[oversight]]
    return logit(x["evaluator_error"]) + left * x["evaluator_error_growth"] * capability


def evaluator_advantage(logit_error: Any) -> Any:
    """``1 - 2 v``; it is negative where the evaluator flips the preference."""
    return -np.tanh(0.5 * np.asarray(logit_error))


@replaceable_rows("oversight_games")
def games(evidence: Evidence) -> xr.Dataset:
    """Games in the likelihood: ``failure`` (logit), ``elo_gap`` (points), ``is_debate`` (1, 0)."""
    used = select(evidence["oversight_games"])
    rows = {
        "failure": -logit(used["success"].values),
        "elo_gap": used["elo_gap"].values,
        "is_debate": (used["scheme"].values == "debate").astype(float),
    }
    return xr.Dataset(
        {name: ("oversight_game", value) for name, value in rows.items()},
        coords={"oversight_game": used["oversight_game"].values},
    )


def expected_failure(x: Mapping[str, Any], row: Mapping[str, Any], log: Any) -> Any:
    """Logit of failure of each game by the law; ``log`` is numpy's or PyTensor's."""
    parity, debate = log(x["parity_error"] / (1 - x["parity_error"])), row["is_debate"]
    left = debate * x["debate_share"] + (1 - debate) * x["recursion_share"]
    return parity + left * x["evaluator_error_growth"] * row["elo_gap"] / 10.0 ** x["elo_per_oom"]


def data(evidence: Evidence, view: View) -> dict[str, xr.Dataset]:
    """Numbers that the graph holds as ``pm.Data``, by name."""
    return {"games": games(evidence)}


def add(evidence: Evidence, view: View, x: Mapping[str, Any], spread: Any) -> None:
    """Add the games of oversight to the open model; ``spread`` is ``game_spread``, a tensor."""
    import pymc as pm
    import pytensor.tensor as pt

    from aligntax.models.priors.elicited import data_columns
    from aligntax.models.priors.observed import add_likelihood

    rows = games(evidence)
    pm.modelcontext(None).add_coord("oversight_game", rows["oversight_game"].values)
    if rows.sizes["oversight_game"]:
        row = data_columns("games", rows)
        law = pm.Normal.dist(expected_failure(x, row, pt.log), spread)
        add_likelihood("oversight_games", law, row["failure"], "oversight_game")


def observed(evidence: Evidence, view: View) -> dict[str, xr.DataArray]:
    """The evidence on the scale of the likelihood, under the names of :func:`simulate`."""
    return {"oversight_games": games(evidence)["failure"]}


def simulate(
    x: Mapping[str, Any], parameters: xr.Dataset, evidence: Evidence, view: View, rng: Generator
) -> dict[str, tuple[str, Any]]:
    """Replicated logit of failure of each used game, (..., row)."""
    row = {str(name): value.values for name, value in games(evidence).items()}
    if not row["failure"].size:
        return {}
    column = {name: np.asarray(x[name])[..., None] for name in QUANTITIES}
    law = expected_failure(column, row, np.log)
    error = view.outer_alignment.game_spread * rng.standard_normal(law.shape)
    return {"oversight_games": ("oversight_game", law + error)}
