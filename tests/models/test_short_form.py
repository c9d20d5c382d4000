"""An object's repr is one screen, whatever it holds."""

from dataclasses import dataclass, field, make_dataclass

import numpy as np
import xarray as xr

from aligntax.models.short_form import MOST_FIELDS, short_form, short_value


@dataclass(frozen=True)
class Held:
    name: str
    count: float
    draws: object = None
    hidden: int = field(default=0, repr=False)
    __repr__ = short_form


def test_short_values_are_shown_and_long_ones_by_their_size() -> None:
    assert repr(Held("mine", 0.123456789)) == (
        "Held(\n    name='mine',\n    count=0.123457,\n    draws=None,\n)"
    )
    assert short_value({"a": 1}) == "{'a': 1}"
    assert short_value(dict.fromkeys(range(1000))) == "<dict of 1000>"
    assert short_value(np.zeros((4, 1000))) == "<ndarray of 4 x 1000>"
    assert short_value(xr.Dataset({"x": ("draw", np.zeros(9))})) == "<Dataset of draw: 9>"
    assert short_value("word " * 100).endswith("...") and len(short_value("word " * 100)) == 76
    assert short_value([Held("a" * 70, 1.0)]) == "<list of 1>"
    assert short_value(Held("mine", 1.0)) == "<Held>"
    assert short_value("one\nline") == "'one\\nline'"


def test_many_fields_are_cut() -> None:
    names = [f"field_{i}" for i in range(MOST_FIELDS + 5)]
    many = make_dataclass("Many", names, namespace={"__repr__": short_form})
    text = repr(many(*names))
    assert text.count("\n") < 30 and "5 more fields" in text
    # negative control: Python's own repr of a large field is no screen
    assert len(repr(list(range(1000)))) > 3000 > len(repr(Held("x", 1.0, list(range(1000)))))
