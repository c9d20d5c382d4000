"""Draws as netCDF-4, read and written with h5py.

Opening or writing some hundred variables as a DataTree takes ten times as long as their numbers,
because every attachment of a dimension is a change of the file. Here each dimension is attached
once to all of its variables. A file is what the standard asks for, and other programs read it.

References
----------
.. [1] NetCDF-4 in HDF5: https://docs.unidata.ucar.edu/netcdf-c/current/file_format_specifications.html
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

# What netCDF writes into an HDF5 file for itself.
NETCDF_ATTRIBUTES = ("CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_FillValue")
NO_VARIABLE = b"This is a netCDF dimension but not a netCDF variable"
COMPRESSED = 10_000  # numbers of a variable, from which on it is compressed
PACKED = {"compression": "gzip", "compression_opts": 1, "shuffle": True}


def write_netcdf(path: Path, groups: "Mapping[str, xr.Dataset]", attrs: Mapping[str, Any]) -> None:
    """Write groups, by their paths, and attributes at the root."""
    import h5py

    numbers = count()  # of dimensions, which differ within a file
    with h5py.File(path, "w", track_order=True) as file:
        file.attrs["_NCProperties"] = np.bytes_(f"version=2,h5py={h5py.version.version}")
        _set_attributes(file, attrs)
        for name, dataset in groups.items():
            _write_group(file.create_group(name, track_order=True), dataset, numbers)


def _write_group(group: Any, dataset: "xr.Dataset", numbers: Iterator[int]) -> None:
    """Write a dataset: its dimensions as scales, then its variables, attached to them."""
    import h5py
    from xarray.conventions import cf_encoder, encode_dataset_coordinates

    variables, attrs = cf_encoder(*encode_dataset_coordinates(dataset))
    _set_attributes(group, attrs)
    scales: dict[Any, Any] = {}
    users: dict[Any, list[tuple[Any, int]]] = {}
    for dim, size in dataset.sizes.items():
        if dim in variables:
            scale = _write_variable(group, str(dim), variables[dim])
            label = str(dim)
        else:
            scale = group.create_dataset(str(dim), shape=(size,), dtype=">f4", track_order=True)
            label = f"{NO_VARIABLE.decode()}. {size:>10}"
        scale.make_scale(label)
        scale.attrs["_Netcdf4Dimid"] = np.int32(next(numbers))
        scales[dim], users[dim] = scale, []
    for name, variable in variables.items():
        if name in scales:
            continue
        written = _write_variable(group, str(name), variable)
        for i, dim in enumerate(variable.dims):
            users[dim].append((written.ref, i))
        lists = np.empty(len(variable.dims), dtype=object)
        lists[:] = [np.array([scales[dim].ref], h5py.ref_dtype) for dim in variable.dims]
        if len(lists):
            kind = h5py.vlen_dtype(h5py.ref_dtype)
            written.attrs.create("DIMENSION_LIST", lists, dtype=kind)
    user = np.dtype([("dataset", h5py.ref_dtype), ("dimension", np.int32)])
    for dim, scale in scales.items():
        if users[dim]:
            scale.attrs.create("REFERENCE_LIST", np.array(users[dim], user), dtype=user)


def _write_variable(group: Any, name: str, variable: Any) -> Any:
    """Write the numbers or texts of a variable, and its attributes."""
    import h5py

    values, kept = np.asarray(variable.values), {}
    if values.dtype.kind in "OUT":
        values, kept = values.astype(object), {"dtype": h5py.string_dtype()}
    elif values.size > COMPRESSED and values.dtype.kind in "fiu":
        kept = PACKED
    written = group.create_dataset(name, data=values, track_order=True, **kept)
    _set_attributes(written, variable.attrs)
    return written


def _set_attributes(node: Any, attrs: Mapping[Any, Any]) -> None:
    """Texts as they are; numbers as arrays, since netCDF has no single ones."""
    for name, value in attrs.items():
        node.attrs[str(name)] = value if isinstance(value, str) else np.atleast_1d(value)


def read_netcdf(
    path: Path, groups: Sequence[str] | None = None, listed: str | None = None
) -> "xr.DataTree":
    """Read a file into memory; see :func:`aligntax.analysis.storage.draw_files.read_tree`."""
    import h5py
    import xarray as xr

    with h5py.File(path, "r") as file:
        if groups is None:
            return xr.DataTree.from_dict(dict(_datasets(file)))
        found = {name: dict(_datasets(file[name], listed=listed)) for name in groups}
        return xr.DataTree(children={n: xr.DataTree.from_dict(each) for n, each in found.items()})


def _datasets(
    group: Any, at: str = "/", listed: str | None = None
) -> "Iterator[tuple[str, xr.Dataset]]":
    """Group of a netCDF file, and those within it, as datasets by their paths."""
    import h5py

    yield at, _dataset(group, listed)
    for name, node in group.items():
        if isinstance(node, h5py.Group):
            yield from _datasets(node, f"{at.rstrip('/')}/{name}", listed)


def _dataset(group: Any, listed: str | None = None) -> "xr.Dataset":
    """Variables of a group, without what netCDF itself adds."""
    import h5py
    import xarray as xr

    arrays = {name: each for name, each in group.items() if not isinstance(each, h5py.Group)}
    scales = {each: name for name, each in arrays.items() if each.is_scale}
    wanted = set(arrays)
    if listed and listed in group.attrs:
        wanted = {*str(group.attrs[listed]).split(), *scales.values()}
    variables = {}
    for name, array in arrays.items():
        if name not in wanted or array.attrs.get("NAME", b"").startswith(NO_VARIABLE):
            continue
        # a name looked up in the file itself takes a millisecond
        dims = [name] if array in scales else [scales[dim[0]] for dim in array.dims]
        values = array.asstr()[()].astype(str) if array.dtype.kind == "O" else array[()]
        variables[name] = (dims, values, _attributes(array))
    return xr.decode_cf(xr.Dataset(variables, attrs=_attributes(group)), decode_times=False)


def _attributes(node: Any) -> dict[str, Any]:
    """A person's attributes; netCDF has no array of one number."""
    found = {}
    for name in node.attrs:  # netCDF's own are not read, which would take most of the time
        if name not in NETCDF_ATTRIBUTES and not name.startswith(("_Netcdf4", "_NC")):
            value = node.attrs[name]
            found[name] = value[0] if getattr(value, "shape", ()) == (1,) else value
    return found
