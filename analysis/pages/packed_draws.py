"""Draws as a page holds them: a part of them, packed, in single precision."""

import base64
import zlib
from typing import Any

import numpy as np

from aligntax.analysis.summaries.summary import Series
from aligntax.analysis.summaries.words import label_of, words_above, words_below
from aligntax.models.priors.quantities import Quantity, lookup

MOST = 8000  # draws in a page: for 46 quantities they take 1.5 MB


def page_draws(shape: tuple[int, int]) -> tuple[Any, Any]:
    """Return chains and draws that the page holds: all, or evenly spaced ones that fit."""
    every = -(-shape[0] * shape[1] // MOST)
    return np.arange(shape[0]), np.arange(0, shape[1], every)


def thinned(values: Any, kept: tuple[Any, Any]) -> Any:
    """Return the draws that the page holds, along the first axis."""
    some = values[np.ix_(*kept)]
    return some.reshape(-1, *some.shape[2:])


def packed(values: Any, transpose: bool = False) -> str:
    """Return numbers as base64 of deflated bytes.

    The first bytes of all numbers come first, then the second ones: signs and exponents repeat.
    """
    array = np.ascontiguousarray(values.T if transpose else values)
    planes = array.view("uint8").reshape(-1, array.dtype.itemsize).T
    return base64.b64encode(zlib.compress(planes.tobytes(), 6)).decode()


def quantity_data(quantity: Quantity) -> dict[str, Any]:
    """Return what a page says of a quantity, and its bounds where its scale has some."""
    data: dict[str, Any] = {
        key: getattr(quantity, key) for key in ("name", "label", "unit", "scale", "meaning")
    }
    data["share"], data["indicator"] = quantity.share, quantity.indicator
    bounds = {"lower": quantity.lower, "upper": quantity.upper} if quantity.scale == "logit" else {}
    return {**data, **bounds}


def offset_values(values: Any, kept: tuple[Any, Any]) -> dict[str, Any]:
    """Return one number of every draw, minus its median, so that single precision suffices.

    The median is of single precision too, so that a zero comes back as one.
    """
    values = thinned(values, kept)
    finite = values[np.isfinite(values)]
    offset = float(np.float32(np.median(finite))) if len(finite) else 0.0
    return {"offset": offset, "values": packed((values - offset).astype("float32"))}


def column_data(series: Series, kept: tuple[Any, Any], horizon: float) -> dict[str, Any]:
    """Return one number of every draw, with what a page says of it."""
    data = quantity_data(lookup(series.quantity))
    return {
        **data,
        "name": series.name,
        "label": label_of(series.name),
        "quantity": series.quantity,
        "beyond": words_above(lookup(series.quantity), horizon),
        "beneath": words_below(lookup(series.quantity), horizon),
        **offset_values(series.values, kept),
    }
