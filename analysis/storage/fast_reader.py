"""What a refit reads of a run, and no more: draws, evidence and view, by h5py in a tenth of a second where they are in netCDF.

Opening the whole of ``posterior.nc`` as a DataTree takes seconds, most of them for groups that a
refit does not need.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from aligntax.analysis.inference.derive import split
from aligntax.analysis.storage.draw_files import FILES, as_written, file_of, open_tree
from aligntax.analysis.storage.result import evidence_of, stored_view
from aligntax.analysis.storage.run_folder import (
    INFO,
    SUMMARY,
    VIEW,
    find_run,
    origin,
    read_json,
    text_of,
    verify,
)
from aligntax.models.catalogue import Model, find_model, restrict
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence, load_evidence
from aligntax.models.priors.tables import Tables
from aligntax.models.views import View


@dataclass(frozen=True)
class Source:
    """A sampled run, as a refit needs it.

    Attributes
    ----------
    path : Path
    info, record : mapping
        ``info.json`` and ``summary.json``.
    model : Model
    view : View
    evidence : Evidence
        As the model saw it.
    tables : Tables
    posterior : xarray.Dataset
        ``z`` (chain, draw, quantity) and structural parameters.
    """

    path: Path
    info: Mapping[str, Any]
    record: Mapping[str, Any]
    model: Model
    view: View
    evidence: Evidence
    tables: Tables
    posterior: xr.Dataset

    @property
    def z(self) -> Any:
        """Standard-normal scores of the elicited quantities, (chain, draw, quantity)."""
        return self.posterior["z"].transpose("chain", "draw", "quantity").values.astype(float)

    @property
    def values(self) -> tuple[dict[str, Any], xr.Dataset]:
        """Elicited quantities (chain, draw) on their own scales, and structural parameters."""
        return split(self.posterior, self.tables)

    @property
    def seed(self) -> int:
        """Root of the run's random numbers."""
        return int(self.info["sampler"]["seed"])

    @property
    def prior_only(self) -> tuple[str, ...]:
        """Elicited quantities that no likelihood touches."""
        return tuple(self.info["prior_only"])


def read_source(run: str | os.PathLike[str], out: str | os.PathLike[str] = "results") -> Source:
    """Read the sampled run behind a run: itself, or the one that it reweights.

    Raises
    ------
    InputError
        If there is no such run, its files differ from the hashes written with them, its view is not
        the one it was fitted under, or another version of the model made it.
    """
    folder = origin(find_run(os.fspath(run), Path(out)))
    if problems := verify(folder):
        raise InputError(
            f"run: {folder} must be as it was written, got {'; '.join(problems)}; restore it or run again"
        )
    info = read_json(folder / INFO)
    model = find_model(info["model"]["name"])
    if info["model"]["version"] != model.version:
        got = info["model"]["version"]
        raise InputError(
            f"run: {folder} must be of model version {model.version}, got {got}; run it again"
        )
    view, known = stored_view(text_of(folder / VIEW), str(folder / VIEW))
    if known != info["view"]["hash"]:
        raise InputError(
            f"run: {folder} must have the view that it was fitted under, got {known[:12]} and not "
            f"{info['view']['hash'][:12]}; run it again"
        )
    file = folder / file_of(info["files"])
    posterior, evidence = _read(
        file, restrict(load_evidence(), view, model), info["evidence"]["hash"]
    )
    tables = view.tables(model.quantities)
    return Source(
        folder, info, read_json(folder / SUMMARY), model, view, evidence, tables, posterior
    )


def _read(path: Path, embedded: Evidence, known: str) -> tuple[xr.Dataset, Evidence]:
    """Draws and evidence: the embedded tables where they are what the run used, which are read ten times faster."""
    if path.name == FILES["zarr"]:
        with open_tree(path) as lazy:
            posterior = lazy["posterior"].to_dataset().load()
            if embedded.hash == known:
                return posterior, embedded
            return posterior, evidence_of(
                {n: v.to_dataset().load() for n, v in lazy["evidence"].children.items()}
            )
    import h5py

    with as_written(path), h5py.File(path, "r") as file:
        posterior = _dataset(file["posterior"])
        if embedded.hash == known:
            return posterior, embedded
        return posterior, evidence_of(
            {name: _dataset(group) for name, group in file["evidence"].items()}
        )


def _dataset(group: Any) -> xr.Dataset:
    """Group of a netCDF file; text is decoded, attributes other than netCDF's own are kept."""
    variables = {}
    for name, data in group.items():
        values = data.asstr()[()] if data.dtype.kind == "O" else data[()]
        dims = (
            [name]
            if data.is_scale
            else [data.dims[i][0].name.rsplit("/", 1)[-1] for i in range(data.ndim)]
        )
        variables[name] = (dims, np.asarray(values), _attributes(data))
    coordinates = {name for name, (dims, _, _) in variables.items() if dims == [name]}
    return xr.Dataset(
        {name: value for name, value in variables.items() if name not in coordinates},
        coords={name: variables[name] for name in coordinates},
        attrs=_attributes(group),
    )


def _attributes(node: Any) -> dict[str, Any]:
    own = ("CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_FillValue")
    return {
        k: v
        for k, v in node.attrs.items()
        if k not in own and not k.startswith(("_Netcdf4", "_NC"))
    }
