"""Rows of a report's tables on how the model meets its evidence.

These are predictive p-values, cross-validation, and how far other evidence would move the answer.
"""

from typing import Any

from aligntax.analysis.pages.exceptions import exceptions_of
from aligntax.analysis.storage.attachments import CROSS_VALIDATION, ROBUSTNESS, read_attachment
from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.words import label_of
from aligntax.analysis.trust.evidence.loo import validated_by_weights
from aligntax.analysis.trust.evidence.predictive import STATISTICS, p_values, title_and_unit
from aligntax.analysis.trust.evidence.variant import READ_HORIZONS
from aligntax.analysis.trust.evidence.wording import (
    METHODS,
    READ,
    cross_validation_row,
    headline_rows,
    horizon_rows,
    notable_units,
    p_value_cells,
    reading_rows,
    variant_rows,
)
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError


def evidence_check_rows(result: Result, horizon: float) -> dict[str, Any]:
    """Return rows by their names in the template; empty if the run has no draws of its own.

    Raises
    ------
    InputError
        If a stored cross-validation or robustness study is damaged, of other draws, or by a method
        that is no longer used.
    """
    if result.record["method"] != "sample" or result.record.get("given"):
        stored = result.record.get("exceptions", [])  # of the run whose draws count
        return {"p_values": [], "validated": [], "moves": [], "exceptions": stored}
    tables = _cross_validation(result)
    whole = read_attachment(result, ROBUSTNESS)
    return {
        "exceptions": exceptions_of(result, tables),
        "statistics": tuple(STATISTICS),
        "p_values": _p_value_rows(result),
        "validated": [cross_validation_row(each) for each in tables],
        "noted": [text for each in tables for text in notable_units(each)],
        "readings": [] if whole is None else reading_rows(whole, horizon),
        "read": [label_of(name) for name in READ],
        "horizons": [] if whole is None else horizon_rows(whole, horizon),
        "read_horizons": [label_of(name) for name in READ_HORIZONS],
        "moves": [] if whole is None else headline_rows(whole, horizon),
        "places": [] if whole is None else variant_rows(whole),
        "headlines": [] if whole is None else list(whole["base"]),
    }


def _p_value_rows(result: Result) -> list[dict[str, Any]]:
    return [
        {"label": title_and_unit(name)[0], "cells": p_value_cells(row)}
        for name, row in p_values(*result.groups.predictable).items()
    ]


def _cross_validation(result: Result) -> list[dict[str, Any]]:
    """Return cross-validation by table: as ``aligntax loo`` stored it, else by weights alone."""
    stored = read_attachment(result, CROSS_VALIDATION)
    if stored is not None:
        tables = list(stored["tables"])
        for unit in (unit for table in tables for unit in table["units"]):
            if unit["method"] not in METHODS:
                rule = f"must be by {' or '.join(METHODS)}, got {unit['method']!r}"
                remedy = f"ask again: aligntax loo {result.path.name}"
                raise InputError(f"run: {unit['label']} of its {CROSS_VALIDATION} {rule}; {remedy}")
        return tables
    model = find_model(result.record["model"])
    return validated_by_weights(model, result.view, result.evidence, result.groups)
