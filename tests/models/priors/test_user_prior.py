"""Priors and views written in Python mean what the same words in a file mean."""

import numpy as np
import pytest

from aligntax.models.errors import InputError
from aligntax.models.priors.user_prior import Prior
from aligntax.models.views import load_view, parse_view

QUANTITY = "alignment_tax_tolerance"


def same(prior, text):
    view = load_view("default")
    return (
        view.replace(**{QUANTITY: prior}).hash
        == parse_view(f"[quantities.{QUANTITY}]\n{text}", "x.toml", view).hash
    )


@pytest.mark.parametrize(
    "prior, text",
    [
        (
            Prior.from_quantiles({0.1: 1, 0.9: 10}, unit="percent"),
            "quantiles = {0.1 = 1, 0.9 = 10}\nunit = 'percent'",
        ),
        (Prior.from_family("beta", alpha=2, beta=30), "family = 'beta'\nalpha = 2\nbeta = 30"),
        (
            Prior.from_histogram([0.01, 0.1, 0.3], [3, 1]),
            "histogram = {edges = [0.01, 0.1, 0.3], weights = [3, 1]}",
        ),
        (Prior.point(0.05, source="me"), "point = 0.05"),
        (
            Prior.pool([Prior.point(0.1), Prior.from_family("beta", alpha=2, beta=30)], [1, 3]),
            "mixture = [{point = 0.1, weight = 1}, {family = 'beta', alpha = 2, beta = 30, weight = 3}]",
        ),
        ({0.1: 0.01, 0.5: 0.02, 0.9: 0.2}, "quantiles = {0.1 = 0.01, 0.5 = 0.02, 0.9 = 0.2}"),
    ],
)
def test_python_and_file_say_the_same(prior, text):
    assert same(prior, text)
    assert not same(Prior.point(0.5), text)


def test_samples_give_back_their_quantiles():
    draws = 10 ** np.random.default_rng(1).normal(-2, 0.5, 5000)
    prior = Prior.from_samples(draws)
    for p in (0.1, 0.5, 0.9):
        assert prior.quantile(QUANTITY, p) == pytest.approx(np.quantile(draws, p), rel=0.05)


def test_replace_changes_what_it_names_and_nothing_else():
    view = load_view("default")
    changed = view.replace(
        name="mine",
        usd_per_hour=Prior.point(40),
        correlations={("usd_per_hour", "labour_overhead"): 0.3},
    )
    assert changed.name == "mine" and changed.correlations == {
        ("usd_per_hour", "labour_overhead"): 0.3
    }
    assert {n for n in view.quantities if view.quantities[n] != changed.quantities[n]} == {
        "usd_per_hour"
    }
    assert (
        changed.arrival == view.arrival
        and changed.evidence == view.evidence
        and view.correlations == load_view("default").correlations
    )
    none = view.replace(evidence={"use": "none"}, arrival={"mode": "crossing"})
    assert (
        none.evidence.use == "none"
        and none.arrival.mode == "crossing"
        and none.arrival.horizon == view.arrival.horizon
    )


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"usd_per_our": Prior.point(4)}, "did you mean usd_per_hour"),
        ({"tai_year": Prior.point(2040)}, "only elicited ones take a prior"),
        ({"usd_per_hour": Prior.point(-4)}, "usd_per_hour"),
        ({"usd_per_hour": {0.9: 1, 0.1: 4}}, "increase"),
        ({"usd_per_hour": 4}, "usd_per_hour: must be a table"),
        ({"arrival": {"horizont": 2080}}, "has no setting"),
        ({"anchors": {"none": 0.5}}, "must sum to 1"),
    ],
)
def test_mistakes_are_input_errors(changes, message):
    with pytest.raises(InputError, match=message):
        load_view("default").replace(**changes)
