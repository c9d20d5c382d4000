"""Files written with h5py alone: xarray and netCDF see what xarray itself would have written."""

import h5py
import numpy as np
import pytest
import xarray as xr

from aligntax.analysis.storage.netcdf import COMPRESSED, read_netcdf, write_netcdf

RNG = np.random.default_rng(5)
ALL_KINDS = xr.Dataset(
    {
        "number": (("chain", "draw"), RNG.standard_normal((2, 3)), {"units": "year"}),
        "single": (("draw",), RNG.standard_normal(3).astype("float32")),
        "missing": (("draw",), [np.nan, np.inf, -np.inf]),
        "whole": (("row",), np.arange(4, dtype="int32")),
        "state": (("draw",), np.array([0, 1, -1], dtype="int8")),
        "text": (("row",), ["a", "Größe", "", "longer than the others"]),
        "scalar": ((), 2.5),
        "square": (("row", "again"), RNG.standard_normal((4, 4))),
        "large": (("many",), RNG.standard_normal(COMPRESSED + 1)),
        "nothing": (("none",), np.empty(0)),
        "no_texts": (("none",), np.empty(0, dtype="U3")),
    },
    coords={
        "chain": [0, 1],
        "row": ["w", "x", "y", "z"],
        "group": ("row", ["one", "one", "two", "two"]),  # a coordinate that is no dimension
    },
    attrs={"structural": "a b", "count": 3, "share": 0.5},
)
GROUPS = {
    "posterior": ALL_KINDS,
    "evidence/first": ALL_KINDS[["text"]],
    "evidence/second": xr.Dataset({"draw_of_another_size": ("draw", np.arange(9.0))}),
    "without_variables": xr.Dataset(attrs={"note": "empty"}),
}
ATTRS = {"run": "mine", "seed": 2022}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The same groups, written here and by xarray."""
    folder = tmp_path_factory.mktemp("netcdf")
    ours, theirs = folder / "ours.nc", folder / "theirs.nc"
    write_netcdf(ours, GROUPS, ATTRS)
    tree = xr.DataTree.from_dict({"/": xr.Dataset(attrs=ATTRS), **GROUPS})
    tree.to_netcdf(theirs, engine="h5netcdf")
    return ours, theirs


def test_xarray_reads_what_it_would_have_written(files):
    ours, theirs = (xr.load_datatree(file, engine="h5netcdf") for file in files)
    xr.testing.assert_identical(ours, theirs)
    np.testing.assert_array_equal(ours["posterior/missing"], [np.nan, np.inf, -np.inf])
    assert list(ours["posterior"].data_vars) == list(ALL_KINDS.data_vars)  # in the same order


def test_both_files_are_read_alike(files):
    ours, theirs = map(read_netcdf, files)
    xr.testing.assert_identical(ours, theirs)
    xr.testing.assert_identical(
        ours["posterior"].to_dataset(), ALL_KINDS.assign(text=ALL_KINDS["text"].astype(object))
    )
    (part,) = read_netcdf(files[0], ["evidence"]).children.values()
    assert list(part.children) == ["first", "second"]


def test_dimensions_know_their_variables_and_variables_their_dimensions(files):
    with h5py.File(files[0]) as file:
        group, numbers = file["posterior"], []
        for name, size in ALL_KINDS.sizes.items():
            scale = group[name]
            assert scale.is_scale and scale.shape == (size,)
            users = {file[user].name for user, _ in scale.attrs.get("REFERENCE_LIST", ())}
            expected = {
                f"/posterior/{v}" for v, x in ALL_KINDS.variables.items() if name in x.dims
            } - {f"/posterior/{name}"}
            assert users == expected
        for name in ALL_KINDS.data_vars:
            found = [dim[0].name.split("/")[-1] for dim in group[name].dims]
            assert found == list(ALL_KINDS[name].dims)
        file.visititems(lambda _, node: numbers.extend(_number_of_dimension(node)))
        assert len(numbers) == len(set(numbers))
        assert group["large"].compression == "gzip" and group["number"].compression is None


def _number_of_dimension(node):
    return [int(node.attrs["_Netcdf4Dimid"])] if "_Netcdf4Dimid" in node.attrs else []


def test_the_same_draws_are_the_same_bytes(files, tmp_path):
    write_netcdf(tmp_path / "again.nc", GROUPS, ATTRS)
    assert (tmp_path / "again.nc").read_bytes() == files[0].read_bytes()
