"""Quantiles of several experts in one table become a view an expert, and their pool.

A *wide* table has a row an expert and quantity. A *long* one has a row a quantile, as panels are
published:

========  ==========================================================================
column    holds
========  ==========================================================================
expert    who answers
quantity  its name or its label, such as ``wage``
p10       wide: the 10% quantile, as people write amounts; so p50, p90 or any other
quantile  long: which quantile the row has, as 0.1, 10, 10% or p10
value     long: that quantile, as people write amounts
weight    optional: the expert's weight in the pool, the same in all of their rows
source    optional: where the answer comes from
========  ==========================================================================

An empty quantile was not asked. A quantity without a row, or whose row has no quantile at all, was
not spoken to: its expert abstains.

An answer may be unusable: its quantiles cross, for instance. Where the table is *strict*, it is
refused, since its author can mend it. A published panel is what it is: there it is left out, and
told. What cannot be read at all, such as a quantity that is not known, is refused in both.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from aligntax.analysis.inputs.csv_columns import find_columns, read_file, read_table
from aligntax.analysis.inputs.expert_answers import POOL, LeftOut, Reader, shape_of
from aligntax.analysis.inputs.view_writer import (
    DRIVERS,
    elicited_text,
    natural_quantiles,
    rounded_texts,
)
from aligntax.models.errors import InputError
from aligntax.models.evidence.reader import refuse
from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.quantities import lookup
from aligntax.models.short_form import short_form
from aligntax.models.views import View, parse_view
from aligntax.models.views.pooling import Method, pool_views
from aligntax.models.views.variance_split import VarianceSplit, split_variance

COLUMNS = MappingProxyType(
    {
        "expert": ("expert", "expert_id", "forecaster", "forecaster_id", "respondent", "user_id"),
        "quantity": ("quantity", "question", "question_id", "question_name"),
        "quantile": ("quantile", "percentile"),
        "value": ("value", "forecast", "answer"),
        "weight": ("weight",),
        "source": ("source",),
    }
)
FEWEST = 3  # quantiles of an answer of a panel; who writes a table may mean two


@dataclass(frozen=True)
class Panel:
    """What experts answered.

    Attributes
    ----------
    texts : mapping of str to str
        Text of each expert's view, by a name that can be a file's, in the order of the table.
    weights : tuple of float
        Of the experts in the pool.
    left_out : tuple of LeftOut
    notes : tuple of str
        How the file was read, where it was not taken as it stands.
    """

    texts: Mapping[str, str]
    weights: tuple[float, ...]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    __repr__ = short_form

    @cached_property
    def views(self) -> tuple[View, ...]:
        """The experts' views."""
        return tuple(parse_view(text, f"{who}.toml") for who, text in self.texts.items())

    def pool(self, method: Method = "linear") -> View:
        """The experts' views pooled; the view itself of one expert.

        Raises
        ------
        InputError
            As :func:`aligntax.models.views.pooling.pool_views`.
        """
        if len(self.views) == 1:
            return self.views[0]
        return pool_views(self.views, self.weights, method, POOL)

    def split(self) -> dict[str, VarianceSplit]:
        """Variance between and within the experts, of each quantity that one of them states."""
        return split_variance(self.views, self.weights)

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping for JSON."""
        return {
            "experts": dict(zip(self.texts, self.weights, strict=True)),
            "quantities": {name: found.to_dict() for name, found in self.split().items()},
            "left_out": [asdict(each) for each in self.left_out],
            "notes": list(self.notes),
        }


def table_template(view: View) -> str:
    """CSV to fill in, with the view's quantiles of the quantities that drive the answer."""
    lines = ["expert,quantity,p10,p50,p90,weight,source"]
    for name in DRIVERS:
        table = compile_prior(name, view.quantities[name])
        values = rounded_texts(natural_quantiles(lookup(name), table))
        lines.append(f"ann,{name},{','.join(values)},1,replace these by your answers")
    return "\n".join(lines) + "\n"


def read_panel(path: str | Path, strict: bool = False) -> Panel:
    r"""Read the answers of several experts from a table, wide or long.

    Parameters
    ----------
    path : path
        Of a CSV file; ``-`` is standard input.
    strict : bool
        Whether an answer of which no prior can be made is refused, as is a column that is not used.
        Otherwise both are told, and an answer needs three quantiles.

    Raises
    ------
    InputError
        With every problem's line, column, rule, value and remedy.

    Examples
    --------
    >>> from aligntax import read_panel
    >>> rows = ["expert,quantity,p10,p50,p90", "ann,wage,10,20,60", "ben,wage,20,40,90"]
    >>> (folder / "panel.csv").write_text("\n".join(rows)) > 0
    True
    >>> panel = read_panel(folder / "panel.csv")
    >>> [view.name for view in panel.views], panel.pool().name
    (['ann', 'ben'], 'pool')
    >>> panel.split()["usd_per_hour"].experts
    2
    """
    remedy = "start from `aligntax view from-csv --template`"
    file = read_file(path, "experts' quantiles", remedy, argument="table")
    table = read_table(file, "values")
    rows = list(table.lines)
    if not rows:
        got = f"got {'no row' if table.header else 'neither'}"
        raise InputError(f"table: {file.path} must have a header and a row, {got}; {remedy}")
    place = find_columns(file.path, table.line, table.header, COLUMNS, ("expert", "quantity"))
    shape, problems, notes = shape_of(table, rows, place, strict)
    reader = Reader(place, shape, 2 if strict else FEWEST, problems)
    for line, cells in rows:
        reader.take(line, cells, len(table.header))
    said, left_out = reader.priors(file.path.name, strict)
    if problems:
        refuse(file.path, sorted(problems, key=lambda problem: problem.line))
    if not said:
        got = f"{len(left_out)} that cannot be used ({left_out[0].why})" if left_out else "none"
        rule = f"must have a row with quantiles, got {got}; fill in two or more, as p10, p50, p90"
        raise InputError(f"table: {file.path} {rule}")
    texts = {who: elicited_text(priors, "default", who) for who, priors in said.items()}
    weights = tuple(reader.weights[who] for who in texts)
    return Panel(MappingProxyType(texts), weights, tuple(left_out), (*table.notes, *notes))
