"""What a refit reads of a run, and no more: draws, evidence and view."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import xarray as xr

from aligntax.analysis.inference.derive import split_draws
from aligntax.analysis.storage.draw_files import read_tree
from aligntax.analysis.storage.layout import (
    EVIDENCE,
    POSTERIOR,
    STRUCTURAL,
    UNCONSTRAINED,
    drawn,
)
from aligntax.analysis.storage.result import evidence_from_tables, stored_view
from aligntax.analysis.storage.run_folder import (
    FIRST_FORMAT,
    VIEW,
    RunFolder,
    find_run,
    read_text,
)
from aligntax.models.catalogue import Model, find_model, restrict
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence, load_evidence
from aligntax.models.priors.tables import PriorTables
from aligntax.models.views import View


@dataclass(frozen=True)
class SampledRun:
    """A sampled run, as a refit needs it.

    Attributes
    ----------
    info, record : mapping
        ``info.json`` and ``summary.json``.
    evidence : Evidence
        As the model saw it.
    draws : xarray.Dataset
        ``z`` (chain, draw, quantity) and structural parameters.
    """

    path: Path
    info: Mapping[str, Any]
    record: Mapping[str, Any]
    model: Model
    view: View
    evidence: Evidence
    tables: PriorTables
    draws: xr.Dataset

    @cached_property
    def z(self) -> Any:
        """Standard-normal scores of the elicited quantities, (chain, draw, quantity)."""
        return self.draws["z"].transpose("chain", "draw", "quantity").values.astype(float)

    @property
    def values(self) -> tuple[dict[str, Any], xr.Dataset]:
        """Elicited quantities (chain, draw) on their own scales, and structural parameters."""
        return split_draws(self.draws, self.tables)

    @property
    def seed(self) -> int:
        """Root of the run's random numbers."""
        return int(self.info["sampler"]["seed"])

    @property
    def prior_only(self) -> tuple[str, ...]:
        """Elicited quantities that no likelihood touches."""
        return tuple(self.info["prior_only"])


def read_sampled_run(
    run: str | os.PathLike[str], out: str | os.PathLike[str] = "results"
) -> SampledRun:
    """Read the sampled run behind a run: the run itself, or the one whose draws it reweights.

    Raises
    ------
    InputError
        If there is no such run, its files differ from the hashes written with them, its view is not
        the one it was fitted under, or another version of the model made it.
    """
    folder = RunFolder(find_run(os.fspath(run), Path(out))).sampled().verified().of_this_version()
    path, info = folder.path, folder.info
    model = find_model(info["model"]["name"])
    view, known = stored_view(read_text(path / VIEW), str(path / VIEW))
    if known != info["view"]["hash"]:
        raise InputError(
            f"run: {path} must have the view that it was fitted under, got {known[:12]} and not "
            f"{info['view']['hash'][:12]}; run it again"
        )
    embedded = restrict(load_evidence(), view, model)
    draws, evidence = _read(folder, embedded)
    tables = view.tables(model.quantities)
    return SampledRun(path, info, folder.record, model, view, evidence, tables, draws)


def _read(folder: RunFolder, embedded: Evidence) -> tuple[xr.Dataset, Evidence]:
    """Draws and evidence.

    Parameters
    ----------
    embedded : Evidence
        Used where it has the hash of the run's: reading the run's own tables takes ten times as
        long.
    """
    known = folder.info["evidence"]["hash"]
    scores = () if folder.info["format"] == FIRST_FORMAT else (UNCONSTRAINED[POSTERIOR],)
    tables = () if embedded.hash == known else (EVIDENCE,)
    tree = read_tree(folder.draws, (POSTERIOR, *scores, *tables), listed=STRUCTURAL)
    draws = tree[POSTERIOR].to_dataset()
    if scores:
        draws = drawn(draws, tree[UNCONSTRAINED[POSTERIOR]].to_dataset())
    if not tables:
        return draws, embedded
    rows = tree[EVIDENCE].children.items()
    return draws, evidence_from_tables({name: node.to_dataset() for name, node in rows})
