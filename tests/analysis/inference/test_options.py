"""Options of a sampler: what a model decides, and what is refused."""

from dataclasses import replace

import pytest

from aligntax.analysis.inference.options import Sampling
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError


@pytest.mark.parametrize(
    ("asked", "model", "sampler", "tune", "accept"),
    [
        (Sampling(), "joint", "hmc", 100, 0.8),
        (Sampling(), "loss-law", "nuts", 400, 0.9),
        (Sampling(sampler="nuts"), "joint", "nuts", 400, 0.95),
        (Sampling(sampler="hmc"), "loss-law", "hmc", 100, 0.95),
        (Sampling(gradient="numba"), "joint", "nuts", 400, 0.95),
        (Sampling(tune=60, target_accept=0.95), "joint", "hmc", 60, 0.95),
    ],
)
def test_what_is_not_asked_for_is_the_models(asked, model, sampler, tune, accept) -> None:
    found = asked.of(find_model(model))
    assert found == replace(asked, sampler=sampler, tune=tune, target_accept=accept)
    assert found.of(find_model(model)) == found


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"sampler": "gibbs"}, "sampler: must be hmc or nuts, got 'gibbs'; choose one"),
        (
            {"sampler": "hmc", "gradient": "numba"},
            "sampler: must be nuts where Numba compiles the gradient, got 'hmc'; leave out one",
        ),
        ({"tune": 10}, "tune: must lie between 50 and 1000000, got 10; choose another"),
        ({"chains": 1}, "chains: must lie between 2 and 64, got 1"),
        ({"target_accept": 0.2}, r"target_accept: must lie in \[0.5, 1\), got 0.2"),
    ],
)
def test_what_no_sampler_can_do_is_refused(wrong, told) -> None:
    with pytest.raises(InputError, match=told):
        Sampling(**wrong)
