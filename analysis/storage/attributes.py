"""Units and meanings of stored variables, and what a file of draws says of its run."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aligntax.models.priors.quantities import QUANTITIES, Quantity
from aligntax.models.variables import COLUMNS, LIKELIHOODS, PARAMETERS

if TYPE_CHECKING:
    import xarray as xr

SCORES = {"units": "sd", "long_name": "standard-normal score of the elicited quantity"}
WHAT = {
    "log_likelihood": "log likelihood",
    "observed_data": "observed",
    "posterior_predictive": "replicated, posterior",
    "prior_predictive": "replicated, prior",
}


def _unit(quantity: Quantity) -> str:
    """Unit of the value that is stored: log10 stays log10."""
    return f"log10 {quantity.unit}" if quantity.scale == "log10" else quantity.unit


def attributes_of(name: str) -> dict[str, str]:
    """``units`` and ``long_name`` of a quantity, a structural parameter or ``z``."""
    if name == "z":
        return SCORES
    base = name.split("_by_")[0]
    if (quantity := QUANTITIES.get(base)) is not None:
        return {"units": _unit(quantity), "long_name": quantity.label}
    unit, meaning = PARAMETERS.get(name, ("", name.replace("_", " ")))
    return {"units": unit, "long_name": meaning}


def described(dataset: "xr.Dataset") -> "xr.Dataset":
    """Draws with unit and meaning of every variable."""
    return dataset.assign(
        {name: array.assign_attrs(attributes_of(str(name))) for name, array in dataset.items()}
    )


def described_rows(group: str, dataset: "xr.Dataset") -> "xr.Dataset":
    """A group of evidence with unit and meaning of every variable; others stay as they are."""
    if group == "log_prior":
        units = {"units": "nat", "long_name": "log prior density"}
        return dataset.assign({name: v.assign_attrs(units) for name, v in dataset.items()})
    if group == "constant_data":
        return dataset.assign(
            {name: array.assign_attrs(_given(str(name))) for name, array in dataset.items()}
        )
    if group not in WHAT:
        return dataset
    described = {}
    for name, array in dataset.items():
        unit, title = LIKELIHOODS.get(str(name), ("", str(name).replace("_", " ")))
        unit = "nat" if group == "log_likelihood" else unit
        words = {"units": unit, "long_name": f"{title}: {WHAT[group]}"}
        described[name] = array.assign_attrs(words)
    return dataset.assign(described)


def _given(name: str) -> dict[str, str]:
    """Unit and meaning of ``<table>_<column>``."""
    from aligntax.models.evidence import TABLES

    table = max((t for t in TABLES if name.startswith(f"{t}_")), key=len, default="")
    column = name.removeprefix(f"{table}_")
    schema = {c.name: (c.unit, c.meaning) for c in TABLES[table].columns} if table else {}
    known = COLUMNS.get(name) or COLUMNS.get(column)
    unit, meaning = known or schema.get(column, ("", column.replace("_", " ")))
    return {"units": unit, "long_name": meaning}


def run_attributes(
    name: str, record: Mapping[str, Any], info: Mapping[str, Any]
) -> dict[str, str | int]:
    """What a file of draws says of its run, so that it can be told apart when it travels alone."""
    model, view = info.get("model", {}), info.get("view", {})
    told = {
        "run": name,
        "model": model.get("name"),
        "model_version": model.get("version"),
        "view": view.get("name"),
        "view_hash": view.get("hash"),
        "evidence_hash": info.get("evidence", {}).get("hash"),
        "method": record.get("method"),
        "verdict": record.get("verdict"),
        "seed": info.get("sampler", {}).get("seed"),
        "created": info.get("created"),
        "format": info.get("format"),
        "packages": json.dumps(info["packages"]) if "packages" in info else None,
    }
    return {key: value for key, value in told.items() if value is not None}
