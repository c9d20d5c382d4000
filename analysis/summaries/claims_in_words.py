"""Claims in words: their probability, what they are given, and what they rest on."""

from collections.abc import Mapping
from typing import Any

from aligntax.analysis.summaries.claims import Claim
from aligntax.analysis.summaries.words import format_chance, format_probability


def claim_text(claim: Claim) -> str:
    """A claim with the condition under which it is made."""
    return f"{claim.text}, given {claim.condition}" if claim.condition else claim.text


def chance_in_words(answer: Mapping[str, Any]) -> str:
    """Probability of a claim without digits below its noise; "undefined" if there is none."""
    if answer["probability"] is None:
        return "undefined"
    return format_chance(answer["probability"], answer.get("mcse"))


def condition_in_words(answer: Mapping[str, Any]) -> str:
    """What a claim is given, with the probability of that; empty if nothing."""
    if not answer["given"]:
        return ""
    return f"given {answer['given']} ({format_probability(answer['given_probability'])})"


def cell_in_words(answer: Mapping[str, Any]) -> str:
    """Probability of a claim and what it is given, for a cell of a table."""
    parts = (chance_in_words(answer), condition_in_words(answer))
    return ", ".join(part for part in parts if part)


def notes_in_words(answer: Mapping[str, Any]) -> list[str]:
    """What a reader must know beside a claim's text: its condition, and whether it is assumed."""
    condition = condition_in_words(answer)
    assumed = "assumed: no evidence bears on it" if answer["assumed"] else ""
    reason = answer.get("reason", "")
    return [note for note in (condition, assumed, reason) if note]
