"""Quantiles of several experts in one spreadsheet: a row an expert and quantity, as CSV.

========  ==========================================================================
column    holds
========  ==========================================================================
expert    who answers
quantity  its name or its label, such as ``wage``
p10       the 10% quantile, as people write amounts; so p50, p90 or any other
weight    optional: the expert's weight in the pool, the same in all of their rows
source    optional: where the answer comes from
========  ==========================================================================

An empty quantile was not asked. A quantity without a row, or whose row has no quantile at all, was
not spoken to: its expert abstains.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from aligntax.analysis.inputs.csv_columns import find_columns, read_file, wrong_width
from aligntax.analysis.inputs.view_writer import (
    DRIVERS,
    elicited_text,
    natural_quantiles,
    rounded_texts,
)
from aligntax.models.errors import InputError
from aligntax.models.evidence.reader import Problem, records, refuse
from aligntax.models.priors.amounts import read_amount
from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.quantities import ELICITED, lookup
from aligntax.models.views import View, parse_view
from aligntax.models.views.pooling import Method, pool_views

LEVEL = re.compile(r"p(\d{1,2}(?:\.\d+)?)")
COLUMNS = {name: (name,) for name in ("expert", "quantity", "weight", "source")}
NOT_FILE = re.compile(r"[^\w.-]+")
POOL = "pool"  # name of the view of all experts
LONGEST = 100  # bytes of an expert's name; file systems take 255, with what is added to it


def table_template(view: View) -> str:
    """CSV to fill in, with the view's quantiles of the quantities that drive the answer."""
    lines = ["expert,quantity,p10,p50,p90,weight,source"]
    for name in DRIVERS:
        table = compile_prior(name, view.quantities[name])
        values = rounded_texts(natural_quantiles(lookup(name), table))
        lines.append(f"ann,{name},{','.join(values)},1,replace these by your answers")
    return "\n".join(lines) + "\n"


def read_experts(path: str | Path) -> tuple[dict[str, str], list[float]]:
    """Text of a view for each expert, by a name that can be a file's, and their weights.

    Raises
    ------
    InputError
        With every problem's line, column, rule, value and remedy.
    """
    remedy = "start from `aligntax view from-csv --template`"
    file = read_file(path, "experts' quantiles", remedy, argument="table")
    rows = list(records(file.path, "values", file.content))
    if len(rows) < 2:
        got = f"got {'no row' if rows else 'neither'}"
        raise InputError(f"table: {file.path} must have a header and a row, {got}; {remedy}")
    place = find_columns(file.path, *rows[0], COLUMNS, ("expert", "quantity"))
    header = [name.strip().lower() for name in rows[0][1]]
    levels, problems = _levels(rows[0][0], header, list(place.values()))
    said: dict[str, dict[str, Mapping[str, Any]]] = {}
    weights: dict[str, float] = {}
    spelt: dict[str, str] = {}
    for line, cells in rows[1:]:
        if len(cells) != len(header):
            problems.append(wrong_width(line, cells, len(header)))
            continue
        found = {role: cells[i] for role, i in place.items()}
        try:
            who, name, prior = _read_row(found, cells, levels, file.path.name)
            if spelt.setdefault(who, found["expert"]) != found["expert"]:
                rule = f"{spelt[who]!r} has the file {who}.toml, so no other name may make it"
                remedy = "spell one expert alike, and tell two apart"
                raise _Bad("expert", rule, found["expert"], remedy)
            if prior is None:
                continue
            weight = _weight(found.get("weight") or "1")
            if name in said.get(who, ()):
                raise _Bad("quantity", "one row an expert and quantity", name, "drop one")
            if weights.setdefault(who, weight) != weight:
                raise _Bad("weight", "must be the same in all rows of an expert", weight, "agree")
        except _Bad as error:
            problems.append(Problem(line, *error.args))
        else:
            said.setdefault(who, {})[name] = prior
    if problems:
        refuse(file.path, problems)
    if not said:
        rule = "must have a row with quantiles, got none; fill in two or more, as p10, p50, p90"
        raise InputError(f"table: {file.path} {rule}")
    texts = {who: elicited_text(priors, "default", who) for who, priors in said.items()}
    return texts, [weights[who] for who in texts]


def _levels(
    line: int, header: Sequence[str], others: Sequence[int]
) -> tuple[dict[int, str], list[Problem]]:
    """Probability of each column of quantiles, and problems with columns that are not `others`."""
    levels: dict[int, str] = {}
    problems = []
    for i, name in enumerate(header):
        match = LEVEL.fullmatch(name)
        level = f"{float(match[1]) / 100:g}" if match else "0"
        if i in others:
            continue
        if level == "0":
            rule = "must be expert, quantity, weight, source or a quantile"
            problems.append(Problem(line, name, rule, name, "write quantiles as p10, p50, p90"))
        elif level in levels.values():
            rule, remedy = "a quantile must occur once", "drop or rename one of them"
            problems.append(Problem(line, name, rule, name, remedy))
        else:
            levels[i] = level
    return levels, problems


class _Bad(ValueError):
    """A bad cell; ``args`` are the column, the rule, the value got and the remedy."""


def pooled_experts(path: str | Path, method: Method) -> tuple[dict[str, str], str]:
    """Texts of the experts' views and, for two or more, of their pool; and the pool's title.

    Raises
    ------
    InputError
        As :func:`read_experts` and :func:`aligntax.models.views.pooling.pool_views`.
    """
    texts, weights = read_experts(path)
    views = [parse_view(text, f"{who}.toml") for who, text in texts.items()]
    if len(views) == 1:
        return texts, ""
    pool = pool_views(views, weights, method, POOL)
    return {**texts, POOL: pool.to_toml()}, pool.title


def _read_row(
    found: Mapping[str, str], cells: Sequence[str], levels: Mapping[int, str], file: str
) -> tuple[str, str, Mapping[str, Any] | None]:
    """Expert, quantity and prior of a row; no prior where none of its quantiles was asked."""
    who = NOT_FILE.sub("-", found["expert"]).strip("-.").lower()
    if not who or who == POOL or len(who.encode()) > LONGEST:
        rule = f"must be a name of up to {LONGEST} bytes, and not {POOL}"
        raise _Bad("expert", rule, found["expert"], "write who answers")
    try:
        quantity = lookup(found["quantity"])
    except InputError as error:
        remedy = str(error).rpartition("; ")[2]
        raise _Bad("quantity", "must be one of the registry", found["quantity"], remedy) from None
    if quantity.name not in ELICITED:
        remedy = "see `aligntax view show default`"
        raise _Bad("quantity", "must be an elicited one", found["quantity"], remedy)
    quantiles = {}
    for i, level in sorted(levels.items(), key=lambda item: float(item[1])):
        if not cells[i]:
            continue
        column = f"p{100 * float(level):g}"
        try:
            quantiles[level] = read_amount(quantity, cells[i])
        except InputError as error:
            rule, _, remedy = str(error).removeprefix(f"{quantity.name}: ").partition("; ")
            raise _Bad(column, rule.partition(", got ")[0], cells[i], remedy) from None
    if not any(cells[i] for i in levels):
        return who, quantity.name, None
    values = list(quantiles.values())
    if len(values) < 2 or any(a >= b for a, b in pairwise(values)):
        got = ", ".join(cells[i] for i in levels)
        rule, remedy = "must be two or more quantiles that rise", "check their order"
        raise _Bad("quantiles", rule, got, remedy)
    source = f"{found['expert']}: {found.get('source') or file}"
    prior = {"quantiles": quantiles, "source": source, "rationale": "see the source"}
    try:
        compile_prior(quantity.name, prior)
    except InputError as error:
        raise _Bad("quantiles", "must make a prior", str(error), "state others") from None
    return who, quantity.name, prior


def _weight(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise _Bad("weight", "must be a number that is not negative", text, "write for instance 1")
    return value
