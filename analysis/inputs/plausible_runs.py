"""Are training runs in the units that they are read in? One table of rules, on medians of a file.

A unit is wrong for a whole file or for a part of it, so that the median shows it, or a tenth of the
runs does that lies far beyond the bounds of a median. Single odd runs are no matter of units.
Nothing is converted: a file that breaks a rule is asked about, and taken as it is where the user
insists.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Runs = Sequence[Mapping[str, Any]]
FAR = 10.0  # times a bound of the median, beyond which a run is in another unit
PART = 0.1  # of the runs, from which on they are no odd ones
# Loss of web text in nats per token, E + A N^-alpha + B D^-beta, by which a loss is judged:
# Besiroglu et al. 2024, arXiv:2404.10102.
E, A, ALPHA, B, BETA = 1.82, 482.01, 0.3478, 2085.43, 0.3658


@dataclass(frozen=True)
class Rule:
    """Bounds of one median.

    Attributes
    ----------
    column, what : str
        Column of the file that is at fault, and what is judged, in words.
    low, high : float
        Bounds; within them nothing is asked.
    below, above : str
        The usual mistake beyond each bound.
    source : str
        Where the bounds come from.
    """

    column: str
    what: str
    low: float
    high: float
    below: str
    above: str
    source: str


PARAMETERS = Rule(
    "parameters",
    "the median of the parameters",
    1e4,
    1e13,
    "parameters in millions or billions?",
    "FLOP, or parameters in another unit?",
    "studies have 768 (Kaplan et al. 2020, arXiv:2001.08361) to 1.6e10 (Hoffmann et al. 2022, "
    "arXiv:2203.15556), with medians above 1e7",
)
TOKENS = Rule(
    "tokens",
    "the median of the tokens",
    1e6,
    1e15,
    "tokens in millions or billions, or FLOP in GFLOP or PFLOP-days?",
    "tokens, or FLOP, in another unit?",
    "studies have 2.2e7 (Kaplan et al. 2020) to 1.5e13 (Llama 3, arXiv:2407.21783)",
)
TOKENS_PER_PARAMETER = Rule(
    "tokens",
    "the median of tokens per parameter",
    0.1,
    1e4,
    "tokens, or FLOP, in a larger unit than parameters?",
    "parameters in thousands or millions?",
    "studies have 1.7 (Kaplan et al. 2020, compute-optimal) to 1e4 (Sardana et al. 2024, "
    "arXiv:2401.00448)",
)
LOSS = Rule(
    "loss",
    "the loss as a multiple of web text's at the same sizes (median)",
    0.35,
    1.3,
    "loss per character or byte?",
    "loss in bits, or perplexity?",
    "six corpora of Brandfonbrener et al. 2024, arXiv:2411.12925, have 0.44 (code) to 0.97, and up "
    "to 1.3 held out on other text; bits are 1.44 times, a character a quarter of a token",
)


def loss_of_web_text(parameters: Any, tokens: Any) -> Any:
    """Loss that web text has at these sizes, nats per token.

    Examples
    --------
    >>> round(float(loss_of_web_text(7e10, 1.4e12)), 2)
    1.98
    """
    return E + A * parameters**-ALPHA + B * tokens**-BETA


def doubts(rows: Runs) -> list[str]:
    """What a file of runs is asked about: one line for each rule that it breaks.

    Parameters
    ----------
    rows : sequence of mapping
        Columns of the evidence table ``loss_runs``; those that are not used are not judged.
    """
    used = [row for row in rows if row["used"]]
    n, d, loss = (np.array([r[name] for r in used]) for name in ("parameters", "tokens", "loss"))
    corpora = np.array([str(row["corpus"]) for row in used])
    found = [
        _doubt(PARAMETERS, n),
        _doubt(TOKENS, d),
        _doubt(TOKENS_PER_PARAMETER, d / n),
    ]
    if not any(found):  # sizes in a wrong unit say nothing of the loss
        multiple = loss / loss_of_web_text(n, d)
        found = [_doubt(LOSS, multiple[corpora == name], name) for name in np.unique(corpora)]
    return [line for line in found if line]


def _doubt(rule: Rule, values: Any, corpus: str = "") -> str:
    """One line if the median of the values breaks the rule, or if a part of them does by far."""
    of, median = f" of {corpus}" if corpus else "", float(np.median(values))
    rule_in_words = (
        f"column {rule.column}: {rule.what}{of} must lie between {rule.low:g} and {rule.high:g}"
    )
    if not rule.low <= median <= rule.high:
        guess = rule.below if median < rule.low else rule.above
        return f"{rule_in_words}, got {median:.3g}; {guess}"
    for far, guess in (
        (values < rule.low / FAR, rule.below),
        (values > rule.high * FAR, rule.above),
    ):
        if far.mean() >= PART:
            part = (
                f"{far.sum()} of {len(values)} runs with a median of {np.median(values[far]):.3g}"
            )
            return f"{rule_in_words}, got {part}; {guess}"
    return ""
