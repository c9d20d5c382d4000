"""What was claimed in 2022: statements with their conditions, who made them, what they rest on.

This module imports little, because every command that shows a stored answer needs it.
"""

import math
import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

Sign = Literal["<=", ">", ">="]
Whose = Literal["hilton", "steiner", "ours"]

SIGNS: Mapping[Sign, Callable[[Any, float], Any]] = MappingProxyType(
    {"<=": operator.le, ">": operator.gt, ">=": operator.ge}
)
WHOSE: Mapping[str, str] = MappingProxyType(
    {"hilton": "Hilton", "steiner": "Steiner", "ours": "ours"}
)
QUESTIONS = {  # by the part of the question that a claim answers
    1: "How much alignment data is needed?",
    2: "Does a tolerable tax pay for it?",
    3: "How far do timelines move?",
}


@dataclass(frozen=True)
class Statement:
    """A comparison of one quantity with a number on the quantity's scale."""

    quantity: str
    sign: Sign
    bound: float

    def holds(self, values: Any) -> Any:
        """Whether it is true of each value; false of an undefined one, NaN."""
        return SIGNS[self.sign](values, self.bound)


@dataclass(frozen=True)
class Claim:
    """A statement, the condition under which it is made, and whose it is.

    Its probability is that among the draws that meet the condition and define its quantity.

    Attributes
    ----------
    text : str
        The statement, to be read after "the probability that".
    part : int
        Which of Hilton's three claims it speaks to; a key of :data:`QUESTIONS`.
    source : str
        Where it was made, or what a statement of ours reads.
    condition : str
        ``given`` and ``neural_nets`` in words, to be read after "given"; empty without either.
    given : Statement or None
        What the condition asks of a quantity.
    neural_nets : bool
        Whether the condition asks for a requirement that is a neural-net anchor.
    """

    name: str
    text: str
    statement: Statement
    part: int
    whose: Whose
    source: str
    condition: str = ""
    given: Statement | None = None
    neural_nets: bool = False


def assumed_quantities(info: Mapping[str, Any]) -> tuple[str, ...]:
    """Elicited quantities of a run that no evidence informs.

    A quantity whose prior comes from another model is informed by that model's evidence.
    """
    return tuple(name for name in info["prior_only"] if name not in info.get("links", {}))


HILTON = "Hilton 2022, How much alignment data will we need in the long run?"
ANSWERED = "comments of Steiner and Hilton on the post, 2022"
COMMENT = "linear growth of data: Hilton 2022, comment on the Chinchilla link post; 0.9 lies midway"
OURS = f"a reading of ours of {HILTON}"

TWO_OOM = 2.0  # log10 of 100 times InstructGPT's hours: Steiner's target
FEW_HUNDRED = math.log10(300.0)  # hours: our reading of "a few hundred hours"
ONE_PERCENT = -2.0  # log10 of the share: Hilton's "upwards of 1% of total training costs"
SEVERAL = 3.0  # years: the least of "several"
MIDWAY = 0.9  # between Bio Anchors' exponent, 0.8, and linear growth, 1
TOLERANCE = "tolerance_of_training_cost"  # in the denominator of the 1% that Hilton speaks of

TOLERATED = Statement(TOLERANCE, ">=", ONE_PERCENT)
PAYS_FOR_OVER_2_OOM = Statement("rlhf_multiple_affordable", ">", TWO_OOM)

CLAIMS = (
    Claim(
        "needed_within_2_oom_of_rlhf",
        "at most 100 times InstructGPT's hours are needed",
        Statement("rlhf_multiple_needed", "<=", TWO_OOM),
        1,
        "steiner",
        f"the target that Steiner aims for, which Hilton questions and discusses: {ANSWERED}",
    ),
    Claim(
        "needed_above_2_oom_of_rlhf",
        "over 100 times InstructGPT's hours are needed",
        Statement("rlhf_multiple_needed", ">", TWO_OOM),
        1,
        "ours",
        OURS,
    ),
    Claim(
        "hours_needed_exceed_300",
        "more than a few hundred (300) human-hours are needed",
        Statement("alignment_hours_needed", ">", FEW_HUNDRED),
        1,
        "ours",
        OURS,
    ),
    Claim(
        "tolerance_at_least_1_percent",
        "a tax of at least 1% of training cost is tolerated",
        TOLERATED,
        2,
        "hilton",
        f'"pretty likely": {ANSWERED}',
    ),
    Claim(
        "over_2_oom_affordable",
        "a tolerable tax pays for over 100 times InstructGPT's hours",
        PAYS_FOR_OVER_2_OOM,
        2,
        "ours",
        OURS,
    ),
    Claim(
        "over_2_oom_affordable_given_tolerance",
        "a tolerable tax pays for over 100 times InstructGPT's hours",
        PAYS_FOR_OVER_2_OOM,
        2,
        "hilton",
        f'"in which case", of two further orders of magnitude, read as over RLHF: {ANSWERED}',
        condition="a tolerance of at least 1%",
        given=TOLERATED,
    ),
    Claim(
        "alignment_affordable",
        "the tax that alignment needs is tolerated at arrival",
        Statement("prob_affordable", ">=", 1.0),
        2,
        "ours",
        OURS,
    ),
    Claim(
        "exponent_nearer_1_pooled",
        "the data exponent, pooled over studies, is nearer 1 than 0.8",
        Statement("data_exponent_pooled", ">", MIDWAY),
        3,
        "hilton",
        COMMENT,
    ),
    Claim(
        "exponent_nearer_1_new_regime",
        "the data exponent of a new regime is nearer 1 than 0.8",
        Statement("data_exponent", ">", MIDWAY),
        3,
        "hilton",
        COMMENT,
    ),
    Claim(
        "shift_at_least_1_year_neural_nets",
        "the data exponent moves arrival out by at least 1 year",
        Statement("timeline_shift_exponent", ">=", 1.0),
        3,
        "hilton",
        '"the order of a few years", as far as one weighs the neural-network model: Hilton 2022, '
        "comment on the Chinchilla link post; 1 year is the least of that order",
        condition="a neural-net anchor",
        neural_nets=True,
    ),
    Claim(
        "allocation_worth_under_several_years",
        "the Chinchilla finding was worth at most several (3) years of progress",
        Statement("allocation_progress", "<=", SEVERAL),
        3,
        "hilton",
        'not close to "several years of progress over and above" what was expected: Hilton 2022, '
        "comment on the Chinchilla link post; counted here without taking off what was expected",
    ),
    Claim(
        "allocation_worth_under_several_years_at_most",
        "the same (3 years) on the reading that gives most: Kaplan et al.'s own rule, over the "
        "growth of algorithms alone",
        Statement("allocation_progress_most", "<=", SEVERAL),
        3,
        "ours",
        "ours: the other of two readings of progress that conflict; see docs/answers.md",
    ),
    Claim(
        "allocation_pulls_in_at_least_1_year_neural_nets",
        "the Chinchilla finding moves arrival in by at least 1 year, by cheaper training",
        Statement("timeline_shift_allocation", "<=", -1.0),
        3,
        "ours",
        "ours: the counterpart of the shift by the data exponent, against a world without the "
        "compute that the finding saved in its day",
        condition="a neural-net anchor",
        neural_nets=True,
    ),
)


def of_today(
    claims: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Claims of a summary in today's shape.

    Older summaries have numbers in place of what :func:`claim_answers` returns. A claim that is
    made still keeps its number; the share of draws that define its quantity says how probable its
    condition is. One that is no longer made is left out.

    Parameters
    ----------
    rows : mapping
        ``quantities`` of the summary.
    """
    known = {claim.name: claim for claim in CLAIMS}
    kept = {}
    for name, value in claims.items():
        if isinstance(value, Mapping):
            kept[name] = dict(value)
        elif name in known and isinstance(value, int | float):
            found = rows.get(known[name].statement.quantity)
            row = found if isinstance(found, Mapping) else {}
            share = row.get("prob_undefined")
            undefined = share if isinstance(share, int | float) else 0.0
            kept[name] = {
                "probability": value,
                "mcse": None,
                "given": "arrival before the horizon" if undefined else None,
                "given_probability": 1.0 - undefined,
                "assumed": bool(row.get("assumed")),
                "whose": known[name].whose,
            }
    return kept


def stated(claims: Collection[str]) -> Iterable[Claim]:
    """Claims of these names, in order."""
    return (claim for claim in CLAIMS if claim.name in claims)
