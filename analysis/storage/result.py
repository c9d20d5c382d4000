"""A finished run in memory, and how it is written to its folder."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aligntax.analysis.storage.attributes import run_attributes
from aligntax.analysis.storage.draw_files import FILES, write_tree
from aligntax.analysis.storage.layout import POSTERIOR, UNCONSTRAINED, WEIGHED, Groups
from aligntax.analysis.storage.run_folder import (
    HASHED,
    INFO,
    SUMMARY,
    TABLE,
    VIEW,
    file_hash,
    read_text,
)
from aligntax.analysis.storage.whole_file import write_json

WEIGHT = "weight"  # coordinate of draws that do not count the same

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from aligntax.analysis.summaries.weights import Weights
    from aligntax.models.evidence import Evidence
    from aligntax.models.views import View


@dataclass(frozen=True)
class Result:
    """A finished run in memory.

    Attributes
    ----------
    info, record : mapping
        ``info.json`` and ``summary.json``.
    tree : xarray.DataTree
        Everything drawn and derived, as ArviZ expects it; see
        :mod:`aligntax.analysis.storage.layout`.
    """

    path: Path
    info: Mapping[str, Any]
    record: Mapping[str, Any]
    tree: "xr.DataTree"

    @property
    def posterior(self) -> "xr.Dataset":
        """Every quantity and every structural parameter of every draw, on its own scale.

        A quantity is infinite where it is censored and NaN where it is undefined. Where draws do
        not count the same, the coordinate ``weight`` (chain, draw) says how much.
        """
        return self._weighed(self.tree[POSTERIOR].to_dataset())

    @property
    def unconstrained_posterior(self) -> "xr.Dataset":
        """``z`` (chain, draw, quantity), standard-normal scores; ``weight`` as above."""
        return self._weighed(self.tree[UNCONSTRAINED[POSTERIOR]].to_dataset())

    @property
    def derived(self) -> "xr.Dataset":
        """Every quantity of every draw, finite or NaN, beside the states of missing values."""
        return self._weighed(self.groups.derived)

    @property
    def draws(self) -> "xr.Dataset":
        """``z`` (chain, draw, quantity) and structural parameters; ``weight`` as above."""
        return self._weighed(self.groups.draws)

    @cached_property
    def groups(self) -> Groups:
        """What was drawn, as the package works with it."""
        return Groups.of(self.tree)

    def with_groups(self, groups: Groups) -> "Result":
        """Return the result with other draws."""
        return replace(self, tree=tree_of(groups, self.tree.attrs))

    @property
    def weighted(self) -> bool:
        """Whether draws do not count the same."""
        return "weights" in self.tree.children

    def _weighed(self, draws: "xr.Dataset") -> "xr.Dataset":
        """Draws with their weights where these differ: numbers take them along."""
        if not self.weighted:
            return draws
        weight = {WEIGHT: (("chain", "draw"), self.weights.values, {"long_name": WEIGHED})}
        return draws.assign_coords(weight).assign_attrs(weights=WEIGHED)

    def equally_weighted(self) -> "Result":
        """Return the same answer in draws that count the same, for tools that know no weights.

        Draws are repeated in proportion to their weight, by systematic resampling. Chains lose
        their order, so R-hat and effective sample sizes of the new draws mean nothing;
        ``record`` keeps those of the weighted ones. A run whose draws count the same is returned
        as it is.
        """
        if not self.weighted:
            return self
        from aligntax.analysis.storage.shared_draws import resample_by_weight

        return resample_by_weight(self, self.weights)

    @property
    def weights(self) -> "Weights":
        """Weight of each draw: equal in a sampled run, importance weights in a reweighted one."""
        from aligntax.analysis.summaries.weights import Weights

        if self.weighted:
            return Weights.of_log(self.groups.weights["log_weight"].values.astype(float))
        sizes = self.tree[POSTERIOR].sizes
        return Weights.equal((sizes["chain"], sizes["draw"]))

    @cached_property
    def view(self) -> "View":
        """The priors, resolved and complete."""
        return stored_view(read_text(self.path / VIEW), str(self.path / VIEW))[0]

    @cached_property
    def evidence(self) -> "Evidence":
        """The evidence as the model saw it."""
        return evidence_from_tables(self.groups.evidence)

    def summary(self) -> "pd.DataFrame":
        """Table of ``summary.json``: one row per number."""
        import pandas as pd

        return pd.DataFrame.from_dict(self.record["quantities"], orient="index")


def tree_of(groups: Groups, attrs: Mapping[Any, Any]) -> "xr.DataTree":
    """What was drawn as a tree, with attributes at its root."""
    import xarray as xr

    stored = {f"/{name}": dataset for name, dataset in groups.stored().items()}
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=dict(attrs)), **stored})


def evidence_from_tables(tables: "Mapping[str, xr.Dataset]") -> "Evidence":
    """Evidence from the tables of a run, whose flags are bytes in netCDF."""
    from aligntax.models.evidence import TABLES, Evidence

    flags = {name: [c.name for c in TABLES[name].columns if c.kind == "flag"] for name in tables}
    return Evidence(
        {
            name: rows.assign({f: rows[f].astype(bool) for f in flags[name]})
            for name, rows in tables.items()
        }
    )


def stored_view(text: str, origin: str) -> tuple["View", str]:
    """View of a run, and the hash that it had when it was written.

    A run does not state quantities that were added after it. They are taken from the view
    ``default``.
    """
    from aligntax.models.views import fingerprint, load_view, parse_toml, resolve
    from aligntax.models.views.setting_rules import require_table

    raw = parse_toml(text, origin)
    stated = require_table("quantities", raw.get("quantities", {}))
    view = resolve({**raw, "quantities": {**load_view("default").quantities, **stated}}, origin)
    return view, fingerprint({**raw, "quantities": stated})


def write_run(
    folder: Path,
    name: str,
    groups: "Mapping[str, xr.Dataset]",
    view: "View",
    record: Mapping[str, Any],
    info: Mapping[str, Any],
    format: str = "netcdf",
) -> Result:
    """Write the files of a run except its report; ``info.json`` holds the hashes of the others.

    Parameters
    ----------
    groups : mapping
        As the file holds them.
    format : str
        Of the draws, a key of :data:`aligntax.analysis.storage.draw_files.FILES`.
    """
    told = run_attributes(name, record, info)
    tree = write_tree(folder / FILES[format], groups, told)
    (folder / VIEW).write_text(view.to_toml(), "utf-8")
    record = {**record, "run": name}
    write_json(folder / SUMMARY, record)
    write_summary_table(folder / TABLE, record["quantities"])
    info = {**info, "files": {file: file_hash(folder / file) for file in (FILES[format], *HASHED)}}
    write_json(folder / INFO, info)
    return Result(folder, info, record, tree)


def write_summary_table(path: Path, rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Write ``summary.csv``: one row per number."""
    with path.open("w", newline="", encoding="utf-8") as file:
        columns = ["quantity", *next(iter(rows.values()))]
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows({"quantity": name, **row} for name, row in rows.items())
