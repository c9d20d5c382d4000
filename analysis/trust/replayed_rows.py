"""Were earlier foresights right? How far the rows that came were foreseen to narrow each answer.

A run is fitted to what was known at a date. The rows that came until a later one are simulated,
with their number and their designs, and the run is refitted with each simulation, and with the rows
as they were. If the model is right, what the rows did is one more draw of what they were foreseen
to do. New rows share no ten and no group with the own, and of tables that had no rows none is
foreseen. Both hold for the rows as they were, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from aligntax.analysis.answers.answers_now import REPEATED
from aligntax.analysis.answers.foresight import ENDS, widths
from aligntax.analysis.inference.options import Talk
from aligntax.analysis.inference.seeds import child_generator, child_seed
from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.summary import draws_of
from aligntax.analysis.trust.new_rows import NewRows, rows_that_came, tables_with_rows
from aligntax.analysis.trust.refitted_rows import Refits
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.errors import InputError


@dataclass(frozen=True)
class Replayed:
    """What the rows of a time did to the interval of an answer.

    Attributes
    ----------
    now : float
        Width of the 90% interval before, on the quantity's own scale.
    foreseen : ndarray, shape (simulation,)
        Contraction given each simulation.
    happened : float
        Contraction given the rows as they were.
    """

    now: float
    foreseen: Any
    happened: float

    @property
    def below(self) -> int:
        """In how many simulations the rows narrow it less than they did."""
        return int(np.sum(self.foreseen < self.happened))

    def to_dict(self) -> dict[str, float | int]:
        """Plain mapping for JSON."""
        mean, sd = float(self.foreseen.mean()), float(self.foreseen.std(ddof=1))
        told = {"now": self.now, "foreseen": mean, "sd": sd, "happened": self.happened}
        return {**told, "below": self.below}


def replayed(
    result: Result, since: float, until: float, simulations: int, seed: int, talk: Talk
) -> tuple[dict[str, int], dict[str, Replayed]]:
    """Foresee from a date, decimal year, and look at what came until a later one.

    Returns
    -------
    rows : dict of str to int
        How many came, by table.
    answers : dict of str to Replayed
        By headline quantity with a 90% interval.

    Raises
    ------
    InputError
        If no row came.
    """
    model, known = find_model(result.record["model"]), result.evidence
    view = result.view.replace(evidence={"until": since})
    before = restrict(known, view, model)
    after = restrict(known, view.replace(evidence={"until": until}), model)
    tables = tables_with_rows(model, before, view)
    came = {table: rows_that_came(table, before, after, view) for table in tables}
    came = {t: rows for t, rows in came.items() if next(iter(rows.data_vars.values())).size}
    if not came:
        rule = f"must be followed by evidence until {until:g}, got none after {since:g}"
        raise InputError(f"since: {rule}; choose an earlier date")
    numbers = {t: next(iter(rows.data_vars.values())).shape[0] for t, rows in came.items()}
    talk.say("compiling the model on what was known, unless its code is kept")
    # their draws are those of the first refit
    rows = NewRows.of(model, before, view, result.draws, None, numbers)
    rows = replace(rows, fixed=came)
    refits = Refits.of(rows, came)
    seeds = [child_seed(seed + i, "foresight") for i in range(simulations)]
    draws, derived = refits.posterior(came, {}, seeds[0])
    shape = derived["horizon_shape"].values.astype(int) if "horizon_shape" in derived else None
    rows, rng = replace(rows, draws=draws, shape=shape), child_generator(seed, "foresight")
    places = rng.integers(draws["z"].shape[0] * draws["z"].shape[1], size=simulations)
    drawn = [rows.simulated(divmod(int(place), draws.sizes["draw"]), rng) for place in places]
    names = [n for n in model.headlines if n in derived and n not in REPEATED]
    names = [n for n in names if derived[n].ndim == 2]
    found: dict[str, list[dict[str, float]]] = {"before": [], "foreseen": [], "happened": []}
    for i, (each, own) in enumerate(zip(drawn, seeds, strict=True)):
        asked = {"before": (came, {}), "foreseen": (each, numbers), "happened": (came, numbers)}
        for key, (given, counted) in asked.items():
            _, answers = refits.posterior(given, counted, own)
            found[key].append(_widths(answers, names))
        if talk.progress is not None:
            talk.progress(i + 1, simulations, 0)
    return numbers, _compared(found, names)


def _widths(derived: Any, names: list[str]) -> dict[str, float]:
    values = {name: draws_of(name, derived).ravel() for name in names}
    return {
        n: float(widths(v, np.full((1, v.size), 1 / v.size), ENDS)[0]) for n, v in values.items()
    }


def _compared(found: Mapping[str, list[dict[str, float]]], names: list[str]) -> dict[str, Replayed]:
    """Contractions of the quantities whose intervals are finite and no events."""
    answers = {}
    for name in names:
        each = {key: np.asarray([one[name] for one in many]) for key, many in found.items()}
        if not all(
            np.isfinite(v).all() and (v > 0).all() and (v != 1).any() for v in each.values()
        ):
            continue
        now = float(each["before"].mean())
        happened = 1.0 - float(each["happened"].mean()) / now
        answers[name] = Replayed(now, 1.0 - each["foreseen"] / now, happened)
    return answers
