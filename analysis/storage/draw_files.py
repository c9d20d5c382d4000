"""The file in a run's folder that holds its draws: netCDF, or zarr for large runs.

A zarr store is thousands of small files. Here it is one: a zip without compression of its own. So
it is there whole or not at all, it has one hash, and no name in it can lead out of the folder. Its
chunks are :data:`CHUNK` draws of a number.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile

from aligntax.models.errors import InputError

if TYPE_CHECKING:
    import xarray as xr


FILES = {"netcdf": "posterior.nc", "zarr": "posterior.zarr.zip"}
CHUNK = 5000  # draws of every chain


def check_format(name: str) -> str:
    """Return the name of a format if this installation can write it.

    Raises
    ------
    InputError
        If there is no such format, or its package is not installed.
    """
    if name not in FILES:
        raise InputError(
            f"format: must be one of {', '.join(FILES)}, got {name!r}; netcdf needs nothing more"
        )
    if name == "zarr":
        _check_zarr()
    return name


def _check_zarr() -> None:
    from importlib.util import find_spec

    if find_spec("zarr") is None:
        rule = "draws in zarr need the package zarr, got none"
        raise InputError(f"format: {rule}; install it: pip install zarr")


def format_of_draws(files: Mapping[str, Any]) -> str:
    """Format of a run's draws, from the names of its files."""
    return next((name for name, file in FILES.items() if file in files), "netcdf")


def file_of_draws(files: Mapping[str, Any]) -> str:
    """Name of the file that holds a run's draws, from the names of its files."""
    return FILES[format_of_draws(files)]


def write_tree(
    path: Path, groups: "Mapping[str, xr.Dataset]", attrs: Mapping[str, Any]
) -> "xr.DataTree":
    """Write every group, compressed, and return them as written.

    The file's name decides the format; see :data:`FILES`. Booleans become bytes, because netCDF has
    no booleans.

    Parameters
    ----------
    attrs : mapping
        Texts and numbers at the root of the file.
    """
    import xarray as xr

    plain = {
        name: dataset.map(lambda v: v.astype("int8") if v.dtype == bool else v, keep_attrs=True)
        for name, dataset in groups.items()
    }
    root = xr.Dataset(attrs=dict(attrs))
    stored = {f"/{name}": dataset for name, dataset in plain.items()}
    tree = xr.DataTree.from_dict({"/": root, **stored})
    if path.name == FILES["zarr"]:
        _write_zarr(path, tree, plain)
    else:
        from aligntax.analysis.storage.netcdf import write_netcdf

        write_netcdf(path, plain, attrs)
    return tree


def _write_zarr(path: Path, tree: "xr.DataTree", groups: "Mapping[str, xr.Dataset]") -> None:
    from zipfile import ZipFile, ZipInfo

    from zarr.codecs import BloscCodec

    packed = {"compressors": (BloscCodec(cname="zstd", clevel=1, shuffle="shuffle"),)}

    def chunks(variable: Any) -> tuple[int, ...]:
        return tuple(
            max(1, min(size, CHUNK) if dim == "draw" else size)
            for dim, size in variable.sizes.items()
        )

    encoding: dict[str, Any] = {
        f"/{name}": {
            v: {"chunks": chunks(each), **(packed if each.dtype.kind in "fiu" else {})}
            for v, each in dataset.variables.items()
            if each.ndim
        }
        for name, dataset in groups.items()
    }
    with TemporaryDirectory(prefix=".", dir=path.parent) as place, ZipFile(path, "w") as archive:
        tree.map_over_datasets(lambda dataset: dataset.drop_encoding()).to_zarr(
            place,
            mode="w",
            encoding=encoding,
            zarr_format=3,
            consolidated=False,
            write_inherited_coords=False,
        )
        written = [
            Path(place, name, str(v)) for name, dataset in groups.items() for v in dataset.variables
        ]
        files = {
            file: None
            for part in (*written, Path(place))
            for file in sorted(part.rglob("*"))
            if file.is_file()
        }
        for file in files:
            # without a date, the same draws have the same hash
            undated = ZipInfo(file.relative_to(place).as_posix())
            archive.writestr(undated, file.read_bytes())


def _in_order(tree: "xr.DataTree", written: list[str]) -> "xr.DataTree":
    """Put groups and their variables into the order of writing, which zarr does not keep."""
    import xarray as xr

    place = {name.removesuffix("/zarr.json"): i for i, name in reversed(list(enumerate(written)))}
    found: dict[str, Any] = {}
    for path, node in tree.subtree_with_keys:
        own = node.to_dataset(inherit=False)
        rank = {name: place.get(f"{path}/{name}", -1) for name in own.data_vars}
        names = sorted(rank, key=rank.__getitem__)
        found[path] = own.drop_vars(names).assign({name: own[name] for name in names})
    first = {
        path: min((i for name, i in place.items() if name.startswith(f"{path}/")), default=-1)
        for path in found
    }
    return xr.DataTree.from_dict(
        {f"/{path.strip('.')}": found[path] for path in sorted(found, key=first.__getitem__)}
    )


DAMAGED = (
    OSError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    RuntimeError,
    OverflowError,
    MemoryError,
    BadZipFile,
)


@contextmanager
def refuse_damage(path: Path, what: str = "file of draws") -> "Iterator[None]":
    """Turn any failure to read a file of draws into an error that names the file.

    Whatever fails means that the file is not as it was written.

    Parameters
    ----------
    what : str
        What the file should be, in words.

    Raises
    ------
    InputError
    """
    try:
        yield
    except DAMAGED as error:
        if isinstance(error, InputError | BrokenPipeError):
            raise
        rule = f"must be a {what} as `aligntax run` writes it"
        raise InputError(
            f"run: {path} {rule}, got {str(error) or type(error).__name__}; restore it or run again"
        ) from error


def read_tree(
    path: Path, groups: Sequence[str] | None = None, listed: str | None = None
) -> "xr.DataTree":
    """Read the draws of a run, whose file must have been verified, into memory.

    Parameters
    ----------
    groups : sequence of str, optional
        Only these, and those within them.
    listed : str, optional
        Of a group with this attribute, only the variables that it names.

    Raises
    ------
    InputError
        If the file is damaged, or one of the groups is missing; if they are in zarr and its package
        is not installed, or the file is a link or no zarr store.
    """
    import xarray as xr

    if path.name == FILES["zarr"]:
        with open_zarr(path) as lazy:
            names = lazy.children if groups is None else groups
            root = xr.Dataset(attrs=lazy.attrs) if groups is None else None
            parts = {name: _listed(lazy.children[name].copy(), listed).load() for name in names}
            return xr.DataTree(root, children=parts)
    from aligntax.analysis.storage.netcdf import read_netcdf

    with refuse_damage(path):
        return read_netcdf(path, groups, listed)


def _listed(node: "xr.DataTree", listed: str | None) -> "xr.DataTree":
    """A group with the variables that its attribute names, if it has the attribute."""
    import xarray as xr

    if listed not in node.attrs:
        return node
    return xr.DataTree(node.to_dataset()[str(node.attrs[listed]).split()])


@contextmanager
def open_zarr(path: Path) -> "Iterator[xr.DataTree]":
    """Open the draws of a run in zarr; variables are read when used.

    Raises
    ------
    InputError
        If zarr is not installed, or the file is a link or no zarr store.
    """
    import xarray as xr

    _check_zarr()
    from zarr.storage import ZipStore

    if path.is_symlink():
        rule = f"{path} must be the run's own file"
        raise InputError(f"run: {rule}, got a link; copy the file itself")
    with (
        refuse_damage(path, "zarr store"),
        ZipFile(path) as archive,
        ZipStore(path, mode="r") as store,
        xr.open_datatree(store, engine="zarr", consolidated=False) as lazy,  # type: ignore[arg-type]
    ):
        yield _in_order(lazy, archive.namelist())
