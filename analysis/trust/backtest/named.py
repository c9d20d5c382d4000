"""Dated forecasts of named people, scored beside naive forecasters who knew as much.

A published forecast is a few quantiles. Between them the forecast is a straight line on the scale
of standard normal scores, and beyond them it goes on as that line. What is forecast is the largest
value on record by a date. A forecast is *open* until the evidence has a row of that date or later;
until then its score is that of the largest value so far, and what is yet to come can only raise it.

The naive forecasters predict the row of the due date from the rows known when the forecast was
made.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from scipy.special import ndtri

from aligntax.analysis.trust.backtest.origins import FEWEST, FORECASTERS
from aligntax.analysis.trust.backtest.scores import Score, probabilities, score
from aligntax.analysis.trust.backtest.targets import TARGETS, without_hindsight
from aligntax.models.catalogue import find_model, restrict
from aligntax.models.evidence import Evidence, select
from aligntax.models.views import View

LINKS = {"minutes": np.log2, "FLOP": np.log10, "USD": np.log10}  # to the unit of the target


@dataclass(frozen=True)
class Named:
    """A named person's forecast and its score; values are in the unit of the target.

    Attributes
    ----------
    made, due : float
        Decimal years.
    open : bool
        Whether the due date is still to come.
    value : float
        Largest value by the due date, or so far.
    score : Score
    naive : mapping of str to float
        CRPS of each naive forecaster for the same value.
    """

    forecaster: str
    target: str
    unit: str
    made: float
    due: float
    open: bool
    value: float
    score: Score
    naive: dict[str, float]
    source: str


def draws_of(probability: Any, value: Any) -> Any:
    """Quantiles, evenly in probability, of a forecast of which a few quantiles are known, (draw,).

    Parameters
    ----------
    probability, value : ndarray, shape (quantile,)
        At least two, rising.
    """
    z, known = ndtri(probabilities()), ndtri(probability)
    i = np.clip(np.searchsorted(known, z) - 1, 0, len(known) - 2)
    slope = np.diff(value) / np.diff(known)
    return value[i] + slope[i] * (z - known[i])


def named_forecasts(evidence: Evidence, view: View) -> Iterator[Named]:
    """Score every named forecast of a target whose evidence has come since it was made.

    Yields
    ------
    Named
    """
    view, table = without_hindsight(view), select(evidence["named_forecasts"])
    keys = list(
        zip(
            table["forecaster"].values,
            table["target"].values,
            table["made_date"].values,
            strict=True,
        )
    )
    for key in dict.fromkeys(keys):
        rows = table.isel(quantile=[i for i, each in enumerate(keys) if each == key])
        found = _named(rows.sortby("probability"), evidence, view)
        if found is not None:
            yield found


def _named(rows: xr.Dataset, evidence: Evidence, view: View) -> Named | None:
    """Score one forecast; None if nothing has come since it was made."""
    first = rows.isel(quantile=0)
    target, made, due = (first[name].item() for name in ("target", "made_date", "due_date"))
    chosen = TARGETS[target]
    model = find_model(chosen.model)
    every = chosen.rows(restrict(evidence, view, model), view)
    dates, values = every["date"].values, every["value"].values
    if not np.any((dates > made) & (dates <= due)):
        return None
    value = float(values[dates <= due].max())
    draws = draws_of(rows["probability"].values, LINKS[first["unit"].item()](rows["value"].values))
    past = chosen.rows(restrict(chosen.known(evidence, made), view, model), view)
    order = np.argsort(past["date"].values, kind="stable")
    known = past["date"].values[order], past["value"].values[order]
    naive = {
        name: score(forecaster(*known, np.asarray([due]))[:, 0], value).crps
        for name, forecaster in FORECASTERS.items()
        if len(order) >= FEWEST
    }
    return Named(
        first["forecaster"].item(),
        target,
        chosen.unit,
        made,
        due,
        bool(dates.max() < due),
        value,
        score(draws, value),
        naive,
        first["source"].item(),
    )
