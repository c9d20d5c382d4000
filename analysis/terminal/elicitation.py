"""Ask a person for a prior, and show what it implies before it is kept.

For each quantity the low extreme is asked first, then the high one, and the middle last. Whoever
starts from a best guess anchors on it and states intervals that are too narrow (O'Hagan 2019,
section 3; the SHELF protocol asks in this order for the same reason). Nobody's numbers are shown
before the answer. Then comes feedback, which every protocol asks for: the prior that the three
numbers imply, and the headline quantities before and after. These are pushed forward from the prior
alone on the same random numbers, so that a difference is due to the prior.

References
----------
.. [1] O'Hagan, "Expert knowledge elicitation: subjective but scientific", 2019.
       doi:10.1080/00031305.2018.1518265
.. [2] Oakley, O'Hagan, "SHELF: the Sheffield Elicitation Framework", 2019.
       http://www.tonyohagan.co.uk/shelf
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import xarray as xr
from scipy.special import ndtri

from aligntax.analysis.inference.derive import derive
from aligntax.analysis.summaries.claims import CLAIMS
from aligntax.analysis.summaries.claims_in_words import chance_in_words, claim_text
from aligntax.analysis.summaries.summary import (
    Series,
    censored_quantile,
    claim_answers,
    iter_series,
)
from aligntax.analysis.summaries.words import format_amount, format_probability, median_and_interval
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence, load_evidence
from aligntax.models.horizon_evaluations import SCATTER
from aligntax.models.priors.amounts import examples_of, read_amount
from aligntax.models.priors.quantities import (
    QUANTITIES,
    Quantity,
    base_name,
    element,
    lookup,
    quantity_of,
)
from aligntax.models.priors.tables import QuantileTable
from aligntax.models.tolerance import SPREAD
from aligntax.models.views import View

LEVELS = {"0.1": "low", "0.5": "middle", "0.9": "high"}
DRAWS = 4000  # Monte Carlo error of a probability at most 0.8%; a tenth of a second
SEED = 2022  # the default seed of `aligntax run`
BAR_ROWS, BAR_COLUMNS = 12, 40  # of the picture in text

# Prior of a structural parameter that derived quantities read, as aligntax.models.scaling.add
# states it; a test compares them.
KAPLAN_BIAS_SD = 2.0


class Quit(Exception):
    """Raised when the person quits; nothing is to be written."""


@dataclass(frozen=True)
class Dialogue:
    """Callbacks for a dialogue with the person who answers.

    Attributes
    ----------
    ask : callable
        Takes a prompt, returns a line; raises EOFError if there is none.
    say : callable
        Takes a line.
    show : callable
        Takes the heads and the rows of a table.
    patience : int or None
        Number of bad answers to one question that is an error; None for a person at a terminal.
    """

    ask: Callable[[str], str]
    say: Callable[[str], None]
    show: Callable[[Sequence[str], Sequence[Sequence[str]]], None]
    patience: int | None = None

    def answer[T](self, prompt: str, read: Callable[[str], T]) -> T:
        """Ask until the answer can be read."""
        for attempt in count(1):
            text = self.ask(prompt).strip()
            try:
                return read(text)
            except InputError as error:
                if self.patience is not None and attempt >= self.patience:
                    raise InputError(f"{error} (asked {attempt} times; nothing written)") from None
                self.say(f"  {error}")
        raise AssertionError  # count() does not end


def parse_answer(quantity: Quantity, text: str) -> float:
    """Read an amount; see :mod:`aligntax.models.priors.amounts`.

    Raises
    ------
    InputError
        If it is not a number within the quantity's range.
    """
    examples = f"write for instance {examples_of(quantity)}, or q to quit"
    return read_amount(quantity, text, remedy=examples)


def elicit(
    names: Sequence[str], base: View, talk: Dialogue, today: str, who: str = "", why: str = ""
) -> tuple[dict[str, dict[str, Any]], str]:
    """Ask for a prior on each quantity.

    Parameters
    ----------
    base : View
        View that the new priors change.
    today : str
        Date, kept with the source.
    who, why : str
        Who states the priors and why; asked for if empty.

    Returns
    -------
    priors : dict
        Quantity to specification, with source and rationale.
    source : str
        ``"WHO, DATE"``.

    Raises
    ------
    Quit
        If the person quits.
    InputError
        If the answers end early, or are wrong as often as patience allows.
    """
    asked: list[str] = []
    try:
        evidence, before = load_evidence(), base
        stated: dict[str, dict[str, float]] = {}
        for name in names:
            asked.append(name)
            place = f"{len(asked)} of {len(names)}"
            stated[name] = _ask_until_kept(name, before, talk, evidence, place)
            before = before.with_quantity(name, {"quantiles": stated[name]})
        who = who or talk.answer("Who are you? ", _text_reader("who"))
        source = f"{who}, {today}"
        priors = {}
        for name in names:
            question = f"Why these values of {lookup(name).label}? "
            reason = why or talk.answer(question, _text_reader("why"))
            priors[name] = {"quantiles": stated[name], "source": source, "rationale": reason}
        return priors, source
    except EOFError:
        where = asked[-1] if asked else names[0]
        rule = "answers must go on to the end, got the end of the input while at"
        raise InputError(f"elicit: {rule} {where}; nothing written, start again") from None


def _text_reader(what: str) -> Callable[[str], str]:
    def read(answer: str) -> str:
        clean = " ".join("".join(c if c.isprintable() else " " for c in answer).split())
        if not clean:
            raise InputError(
                f"{what}: must not be empty, got nothing; a prior without it cannot be judged later"
            )
        return clean

    return read


def _ask_until_kept(
    name: str, before: View, talk: Dialogue, evidence: Evidence, place: str
) -> dict[str, float]:
    """Ask for a prior on one quantity until the person keeps it."""
    quantity = lookup(name)
    while True:
        stated = _ask_quantiles(quantity, talk, place)
        after = before.with_quantity(name, {"quantiles": stated})
        table = after.tables([name]).table(name)
        talk.say("")
        talk.say(f"Your prior on {quantity.label}: {_points(quantity, table)}")
        for line in draw_prior_in_text(quantity, table):
            talk.say(f"  {line}")
        moved, still = consequences(before, after, evidence)
        talk.say(
            "Its consequences, from priors alone (evidence will move them); "
            "median and 90% interval:"
        )
        if moved:
            talk.show(("headline", "before", "after"), moved)
        talk.say(f"  {still} headlines do not move")
        if talk.answer("Keep it? [y]es, [n]o: ask again, [q]uit: ", _read_choice) == "y":
            return stated


def _read_choice(text: str) -> str:
    choice = text[:1].lower()
    if choice not in ("y", "n", "q"):
        raise InputError(f"keep: must be y, n or q, got {text[:20]!r}; answer with one letter")
    if choice == "q":
        raise Quit
    return choice


def _ask_quantiles(quantity: Quantity, talk: Dialogue, place: str) -> dict[str, float]:
    """Ask for the extremes, then for the middle."""
    pure = {"1": "pure numbers; 2% will do for 0.02", "x": "multiples; 3 means three times"}
    talk.say("")
    talk.say(f"{quantity.label} ({place}): {quantity.meaning}.")
    talk.say(
        f"Answers are {pure.get(quantity.unit, f'in {quantity.unit}')}. "
        "q quits; nothing is written until the end."
    )

    def read(text: str, above: float = -np.inf, below: float = np.inf) -> float:
        if text.lower() in ("q", "quit"):
            raise Quit
        value = parse_answer(quantity, text)
        if not above < value < below:
            limits = []
            if np.isfinite(above):
                limits.append(f"above {above:g}")
            if np.isfinite(below):
                limits.append(f"below {below:g}")
            raise InputError(
                f"{quantity.name}: must lie {' and '.join(limits)}, got {value:g}; "
                "answers must increase"
            )
        return value

    low = talk.answer("A low value; one time in ten it is lower still: ", read)
    high = talk.answer(
        "A high value; one time in ten it is higher still: ", lambda text: read(text, above=low)
    )
    middle = talk.answer(
        "The middle; as likely above it as below: ",
        lambda text: read(text, above=low, below=high),
    )
    return {"0.1": low, "0.5": middle, "0.9": high}


def _points(quantity: Quantity, table: QuantileTable) -> str:
    scale = [float(v) for v in quantity.to_scale(table.value(ndtri([0.05, 0.5, 0.95])))]
    return ", ".join(
        f"{p} {format_amount(v, quantity)}"
        for p, v in zip(("5%", "50%", "95%"), scale, strict=True)
    )


def draw_prior_in_text(quantity: Quantity, table: QuantileTable) -> list[str]:
    """Draw the probability of equal steps in link space, from the 1% to the 99% point."""
    low, high = (float(y) for y in table.value(ndtri([0.01, 0.99])))
    edges = np.linspace(low, high, BAR_ROWS + 1)
    mass = np.diff(table.cdf(edges))
    scale = quantity.to_scale(edges)
    labels = [format_amount(float(v), quantity, unit=False) for v in scale[:-1]]
    width = max(map(len, labels))
    return [
        f"from {label:>{width}}  {'#' * round(BAR_COLUMNS * m / mass.max())} "
        f"{format_probability(float(m))}"
        for label, m in zip(labels, mass, strict=True)
    ]


def prior_derived(view: View, evidence: Evidence) -> xr.Dataset:
    """Derive quantities from draws of a view's priors.

    The random numbers do not depend on the view.
    """
    model, rng = find_model("joint"), np.random.default_rng(SEED)
    tables = view.stated(model.quantities)
    dims = ("chain", "draw")
    white = rng.standard_normal((1, DRAWS, len(tables.names)))
    draws = xr.Dataset(
        {
            "z": ((*dims, "quantity"), tables.correlate(white)),
            "between_study_sd": (
                dims,
                view.scaling.between_study_scale * np.abs(rng.standard_normal((1, DRAWS))),
            ),
            "kaplan_bias": (dims, KAPLAN_BIAS_SD * rng.standard_normal((1, DRAWS))),
            "tolerance_spread": (dims, SPREAD * np.abs(rng.standard_normal((1, DRAWS)))),
            "horizon_scatter": (dims, SCATTER * np.abs(rng.standard_normal((1, DRAWS)))),
            "suite_error_share": (dims, rng.uniform(size=(1, DRAWS))),
            **{
                name: (dims, rng.standard_normal((1, DRAWS)))
                for name in ("regime_offset", "suite_error_short", "suite_error_long")
            },
        },
        coords={"quantity": list(tables.names)},
    )
    return derive(model, draws, tables, restrict(evidence, view, model), view, rng)


def consequences(
    before: View, after: View, evidence: Evidence
) -> tuple[list[tuple[str, ...]], int]:
    """Compare headline quantities and claims under two views' priors.

    Returns
    -------
    moved : list of tuple
        Label, value before and value after, of those that differ.
    unmoved : int
        Number of those that do not.
    """
    derived = [prior_derived(view, evidence) for view in (before, after)]
    chances = [claim_answers(answer) for answer in derived]
    rows = [
        (claim_text(claim), *(_claim_in_words(chance.get(claim.name)) for chance in chances))
        for claim in CLAIMS
    ]
    numbers = [{series.name: series for series in iter_series(answer)} for answer in derived]
    headlines, horizon = find_model("joint").headlines, after.arrival.horizon
    for name in (n for n in numbers[0] if base_name(n) in headlines):
        label = quantity_of(name).label + (f" [{element(name)}]" if element(name) else "")
        rows.append((label, *(_series_in_words(answer[name], horizon) for answer in numbers)))
    moved = [row for row in rows if row[1] != row[2]]
    return moved, len(rows) - len(moved)


def _claim_in_words(answer: Mapping[str, Any] | None) -> str:
    return "unknown" if answer is None else chance_in_words(answer)


def _series_in_words(series: Series, horizon: float) -> str:
    """Write the median and 90% interval of draws that may be censored."""
    defined = series.defined
    row: dict[str, Any] = {
        "prob_above": float(np.mean(series.values == np.inf)),
        "prob_below": float(np.mean(series.values == -np.inf)),
        "prob_undefined": float(np.mean(np.isnan(series.values))),
        "mean": float(defined.mean()) if len(series.finite) == len(defined) > 0 else None,
    }
    for key, p in (("q05", 0.05), ("q50", 0.5), ("q95", 0.95)):
        value = censored_quantile(defined, p) if len(defined) else np.nan
        row[key] = float(value) if np.isfinite(value) else None
    median, span = median_and_interval(row, QUANTITIES[series.quantity], horizon)
    return f"{median} ({span})" if span else median
