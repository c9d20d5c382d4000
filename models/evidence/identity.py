"""Rows of a table that are one observation under two keys: it would count twice.

Keys are names that people choose, and figures are copied with fewer digits. So a row is known by
what was observed: two rows are one observation if all of a table's ``same`` columns agree, and
their systems are named by the same words or their figures are equal within 0.1%.
"""

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from aligntax.models.evidence.columns import EvidenceTable, Identity

DAYS = 1.5 / 365  # years by which two dates of one event differ, as time zones have it
FIGURE = 1e-3  # relative difference of one figure with more and with fewer digits
WORD = re.compile(r"[a-z]+|\d+")
STAMP = re.compile(r"\d{4,}")  # of a release, such as 0314 or 20250219: some write it, others not


def repeated(rows: Sequence[Mapping[str, Any]], table: EvidenceTable) -> list[tuple[str, str]]:
    """Keys of used rows that are one observation, the earlier row first.

    Examples
    --------
    >>> from aligntax.models.evidence.schema import TABLES
    >>> row = {"used": True, "date": 2023.2, "suite": "1.1", "reward_hacks": "fail"}
    >>> mine = row | {"key": "mine", "name": "GPT-4", "horizon_minutes": 4.0}
    >>> theirs = row | {"key": "theirs", "name": "gpt 4 (0314)", "horizon_minutes": 3.99}
    >>> repeated([theirs, mine], TABLES["time_horizons"])
    [('theirs', 'mine')]
    """
    identity = table.identity
    if identity is None:
        return []
    used = [row for row in rows if row["used"]]
    return [
        (str(first["key"]), str(second["key"]))
        for first, second in itertools.combinations(used, 2)
        if _one_observation(first, second, identity)
    ]


def words(text: str) -> frozenset[str]:
    """Words of a name in lower case, without the stamp of a release.

    Examples
    --------
    >>> sorted(words("Claude 3.7 Sonnet (20250219)"))
    ['3', '7', 'claude', 'sonnet']
    """
    return frozenset(word for word in WORD.findall(text.lower()) if not STAMP.fullmatch(word))


def _one_observation(
    first: Mapping[str, Any], second: Mapping[str, Any], identity: Identity
) -> bool:
    if not all(_agree(first[name], second[name]) for name in identity.same):
        return False
    figures = first[identity.figure], second[identity.figure]
    named = words(first[identity.system]) == words(second[identity.system])
    return named or math.isclose(*figures, rel_tol=FIGURE)


def _agree(first: Any, second: Any) -> bool:
    """Whether two cells say the same; dates and years are close, texts have the same words."""
    if isinstance(first, str):
        return words(first) == words(second) and (bool(words(first)) or first == second)
    return math.isclose(first, second, rel_tol=0.0, abs_tol=DAYS)
