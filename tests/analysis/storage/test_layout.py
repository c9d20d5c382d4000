"""The file's layout and the package's own are each other's inverse, and files of before still read."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aligntax.analysis.inference.derive import given_evidence, observed_evidence
from aligntax.analysis.inference.graphs.live import structural_variables
from aligntax.analysis.storage.attributes import attributes_of
from aligntax.analysis.storage.draw_files import write_tree
from aligntax.analysis.storage.layout import STRUCTURAL, UNREPORTED, Groups
from aligntax.analysis.storage.load import load
from aligntax.analysis.storage.old_layout import TABLES as RENAMED
from aligntax.analysis.storage.old_layout import groups_of_old
from aligntax.analysis.storage.result import tree_of
from aligntax.analysis.storage.run_folder import FIRST_FORMAT, RunFolder
from aligntax.models.catalogue import MODELS, restrict
from aligntax.models.priors.quantities import QUANTITIES
from aligntax.models.states import labelled, stated
from aligntax.models.variables import LIKELIHOODS
from tests.conftest import REFERENCE

DIMS = ("chain", "draw")
SHAPE = (2, 3)
COORDS = {"chain": [0, 1], "draw": [0, 1, 2]}
ANY = st.floats(width=32) | st.sampled_from([np.inf, -np.inf, np.nan])


def numbers(shape=SHAPE, elements=ANY):
    return arrays(np.float32, shape, elements=elements)


def drawn(parameters):
    data = {name: (DIMS, value) for name, value in parameters.items()}
    z = np.arange(12.0).reshape(*SHAPE, 2)
    coords = {**COORDS, "quantity": ["a", "b"]}
    return xr.Dataset({**data, "z": ((*DIMS, "quantity"), z)}, coords)


def derived(quantities, anchors=None):
    values = stated(quantities)
    values = {k: v.astype("float32") if v.dtype == float else v for k, v in values.items()}
    dims = dict.fromkeys(values, DIMS)
    coords = dict(COORDS)
    if anchors is not None:
        values |= stated({"anchor_probability": anchors})
        dims |= {"anchor_probability": (*DIMS, "anchor")}
        coords |= {"anchor": ["x", "y"]}
    return labelled(values, coords, dims)


@given(
    st.dictionaries(st.sampled_from(["tai_year", "tai_flop", "tax_headroom"]), numbers()),
    numbers((*SHAPE, 2)),
    numbers(elements=st.floats(-9, 9, width=32)),
    numbers(elements=st.floats(-9, 9, width=32)),
)
def test_what_is_stored_gives_back_draws_quantities_and_states(quantities, anchors, bias, sd):
    """``kaplan_bias`` is a parameter and a quantity; ``method_sd`` a parameter alone."""
    groups = Groups(
        drawn({"kaplan_bias": bias, "method_sd": sd}),
        derived({**quantities, "kaplan_bias": bias}, anchors),
    )
    tree = tree_of(groups, {})
    again = Groups.of(tree)
    assert again.draws.equals(groups.draws) and again.derived.equals(groups.derived)
    assert list(again.derived) == list(groups.derived)
    natural = tree["posterior"].to_dataset()
    assert set(natural) == {*quantities, "anchor_probability", "kaplan_bias", "method_sd"}
    for name, values in quantities.items():
        assert np.array_equal(natural[name].values, values, equal_nan=True)
    assert natural.attrs[STRUCTURAL] == "kaplan_bias method_sd"
    assert natural.attrs[UNREPORTED] == "method_sd"


def test_a_parameter_that_is_another_quantity_is_refused():
    one, two = np.zeros(SHAPE), np.ones(SHAPE)
    with pytest.raises(ValueError, match="kaplan_bias is a structural parameter, and another"):
        Groups(drawn({"kaplan_bias": one}), derived({"kaplan_bias": two})).stored()


def test_a_quantity_with_no_state_of_its_own_is_finite():
    """Negative control: a missing value without a state would come back as undefined."""
    groups = Groups(drawn({}), derived({"tai_year": np.full(SHAPE, 2030.0)}))
    lost = groups.derived.assign(tai_year=groups.derived["tai_year"] * np.nan)
    again = Groups.of(tree_of(replace(groups, derived=lost), {}))
    assert not again.derived.equals(lost)
    assert (again.derived["tai_year_state"] == 3).all()


def old(tree):
    """A tree as files of format 1 held it."""
    groups = Groups.of(tree)
    return xr.DataTree.from_dict(
        {
            "/posterior": groups.draws,
            "/derived": groups.derived,
            "/log_prior": groups.log_prior,
            "/observed_data": xr.Dataset({"log_hours": ("effort", [1.0, 2.0])}),
        }
    )


def test_an_old_file_reads_as_a_new_one(reference, tmp_path):
    before = old(reference.tree)
    write_tree(
        tmp_path / "posterior.nc", {n: g.to_dataset() for n, g in before.children.items()}, {}
    )
    groups = groups_of_old(before)
    assert groups.draws.equals(reference.groups.draws)
    assert groups.derived.equals(reference.groups.derived)
    assert list(groups.observed_data) == ["rlhf_efforts"]
    again = Groups.of(tree_of(groups, {}))
    assert again.draws.equals(groups.draws) and again.derived.equals(groups.derived)


def test_four_fits_of_a_loss_law_become_columns():
    names = ("parameter_loss", "data_loss", "alpha", "beta")
    data = {f"{n}_fit": ("loss_law", [float(i)]) for i, n in enumerate(names)}
    tree = xr.DataTree.from_dict({"/observed_data": xr.Dataset(data, {"loss_law": ["c"]})})
    laws = groups_of_old(tree).observed_data["loss_laws"]
    assert laws.dims == ("loss_law", "law") and list(laws["law"].values) == list(names)
    assert laws.values.tolist() == [[0.0, 1.0, 2.0, 3.0]]


def test_the_committed_run_reads_whatever_its_format(reference):
    folder = RunFolder(REFERENCE)
    assert folder.differences == [] and folder.info["format"] >= FIRST_FORMAT
    assert {"z", "method_sd"} <= set(reference.draws) and "z" not in reference.posterior
    assert {"tai_year", "tai_year_state"} <= set(reference.derived)
    assert set(RENAMED.values()) <= set(LIKELIHOODS)
    assert set(reference.groups.observed_data) <= set(LIKELIHOODS)
    assert load(REFERENCE).tree.attrs["model"] == "joint"


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_parameter_observation_and_given_number_has_a_unit(name, evidence, view):
    model = MODELS[name]
    known = restrict(evidence, view, model)
    for variable in structural_variables(model.build(known, view)):
        told = attributes_of(variable.name)
        assert told["units"] and told["long_name"] != variable.name.replace("_", " "), variable.name
    observed = observed_evidence(model, known, view)
    assert set(observed) <= set(LIKELIHOODS)
    groups = Groups(observed_data=observed, constant_data=given_evidence(model, known, view))
    for group, dataset in groups.stored().items():
        for variable, array in dataset.items():
            assert array.attrs["units"] and array.attrs["long_name"], (group, variable)
    # negative control: what nobody described has no unit
    assert attributes_of("nobody_described_this") == {
        "units": "",
        "long_name": "nobody described this",
    }


def test_every_quantity_has_a_unit():
    assert all(attributes_of(name)["units"] for name in QUANTITIES)
    assert attributes_of("alpha_by_corpus") == attributes_of("alpha")
