"""Texts of view files that the command line writes: a commented template, and an elicited view.

A stated number is rounded to what a person would write, as long as it differs from its neighbours.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import ndtri

from aligntax.models.errors import InputError
from aligntax.models.priors.quantities import ELICITED, Quantity, lookup
from aligntax.models.priors.tables import QuantileTable
from aligntax.models.priors.units import units_of
from aligntax.models.views import LINKS, View

# The three that drive the answer: the multiple of RLHF that is needed, the tax that is tolerated,
# and how data grow with parameters.
DRIVERS = ("rlhf_multiplier", "alignment_tax_tolerance", "data_exponent_prior")
LEVELS = (0.1, 0.5, 0.9)  # the middle, and two extremes that a person can picture (one in ten)


def quantities_to_state(names: Sequence[str] | None) -> list[str]:
    """Quantities to state, by default :data:`DRIVERS`.

    Raises
    ------
    InputError
        If one is not elicited.
    """
    for name in names or ():
        if lookup(name).name not in ELICITED:
            raise InputError(
                f"quantity: must be an elicited one, got {name!r}; see `aligntax view show default`"
            )
    return list(dict.fromkeys(lookup(name).name for name in names or DRIVERS))


def rounded_texts(values: Any) -> list[str]:
    """Numbers as a person writes them: with three digits, or more where neighbours need them."""
    known = np.unique(np.asarray(values, dtype=float))
    nearest = np.diff(known).min(initial=np.inf)
    for digits in range(3, 18):
        rounded = [float(f"{value:.{digits}g}") for value in values]
        if np.abs(np.subtract(rounded, values)).max(initial=0.0) <= nearest / 8:
            break
    return [_number_text(value) for value in rounded]


def _number_text(value: float) -> str:
    """Text of a number in TOML: 0.02, 300, 2e18."""
    text = f"{value:.15g}"
    return re.sub(r"e([+-])0*(\d+)", lambda m: f"e{m[1].strip('+')}{m[2]}", text)


def natural_quantiles(
    quantity: Quantity, table: QuantileTable, probabilities: Sequence[float] = LEVELS
) -> list[float]:
    """Quantiles of a table in the quantity's own unit."""
    return [float(x) for x in quantity.from_link(table.value(ndtri(np.asarray(probabilities))))]


def _quantiles_text(texts: Sequence[str], probabilities: Sequence[float] = LEVELS) -> str:
    return (
        "{"
        + ", ".join(f"{p:g} = {text}" for p, text in zip(probabilities, texts, strict=True))
        + "}"
    )


def template_text(names: Sequence[str], base: View, extends: str, file: str) -> str:
    """Text of a view that changes nothing until its comments are removed.

    Parameters
    ----------
    names : sequence of str
        Quantities to offer; see :func:`quantities_to_state`.
    base : View
        Its quantiles are the starting values.
    extends : str
        What the file states for ``extends``.
    file : str
        Name of the file, for the commands in its text.
    """
    tables, shown = base.stated(names), shlex.quote(file)
    lines = [
        f"# Your own priors. What this file leaves out is view {base.name}'s, "
        "so nothing has changed yet: remove the '#' before",
        f"# the lines you mean, put in your numbers, then run  aligntax view check {shown}",
        f"extends = {_toml_string(extends)}",
    ]
    for name in names:
        quantity = lookup(name)
        values = rounded_texts(natural_quantiles(quantity, tables.table(name)))
        unit = "a pure number" if quantity.unit == "1" else quantity.unit
        others = [u for u in units_of(quantity) if u != quantity.unit]
        ways = (
            f", or with unit = {' or '.join(_toml_string(u) for u in others)} in that"
            if others
            else ""
        )
        lines += [
            "",
            f"# {quantity.label}: {quantity.meaning}",
            f"# Stated as {unit}{ways}. Below are the 10%, 50% and 90% points of view {base.name}.",
            f"# [quantities.{name}]",
            f"# quantiles = {_quantiles_text(values)}",
            '# source = "your name, date"',
            '# rationale = "why"',
            *_link_lines(name),
        ]
    return (
        "\n".join([*lines, "", *_other_kinds_lines(lookup(names[0]), tables.table(names[0]), base)])
        + "\n"
    )


def _link_lines(name: str) -> list[str]:
    """Comment that shows the link of a quantity, if it has one."""
    return [
        f'# Or, above the first [table] instead: {key} = "{link.name}", '
        f"the posterior of the model {link.model}"
        for key, link in LINKS.items()
        if link.quantity == name
    ]


def _other_kinds_lines(quantity: Quantity, table: QuantileTable, base: View) -> list[str]:
    """Comments that show every other kind of prior, with numbers that fit the quantity."""
    values = natural_quantiles(quantity, table, (0.02, 0.1, 0.5, 0.9, 0.98))
    far_low, low, middle, high, far_high = rounded_texts(values)
    half = _quantiles_text([low, middle, high])
    edges = ", ".join([far_low, low, middle, high, far_high])
    first = f"{{weight = 2, quantiles = {half}}}"
    second = f"{{weight = 1, quantiles = {_quantiles_text([far_low, middle, far_high])}}}"
    return [
        f"# {'-' * 85} other ways to state a prior",
        f"# In place of quantiles, exactly one of these (here for {quantity.name}):",
        *(f"#   {line}" for line in _family_lines(quantity, table)),
        f"#   histogram = {{edges = [{edges}], weights = [1, 4, 4, 1]}}  # chips, flat in a bin",
        f'#   samples = {{file = "draws.csv", column = "{quantity.name}"}}'
        "  # a CSV beside this file, 20 to 10,000 rows",
        f"#   point = {middle}  # known for certain",
        f"#   mixture = [{first}, {second}]",
        "#   (log_pool or quantile_pool in place of mixture: several experts, pooled otherwise; "
        "see aligntax view pool --help)",
        f"# and beside it, if it must lie between two values:  bounds = [{far_low}, {far_high}]",
        "#",
        "# Rank correlation of two quantities:",
        "# [[correlations]]",
        '# between = ["spend_growth", "hardware_growth"]',
        "# rho = 0.3",
        "#",
        "# Weights of the requirement anchors, summing to 1:",
        "# [anchors]",
        *(f"# {name} = {weight:g}" for name, weight in base.anchors.items()),
        "#",
        '# What is conditioned on: "all", "none", or a list of tables (aligntax evidence list); '
        "and until when",
        "# [evidence]",
        '# use = "all"',
        "# until = 2026-01-01",
    ]


def _family_lines(quantity: Quantity, table: QuantileTable) -> list[str]:
    """Lines that state a family near the table.

    A normal or lognormal has the table's median and the width of its 80% interval. A beta has the
    table's median as its mean.
    """
    low, middle, high = natural_quantiles(quantity, table)
    width = 2 * float(ndtri(0.9))
    if quantity.scale == "log10":
        mu, sigma = np.log(middle), (np.log(high) - np.log(low)) / width
        return [
            'family = "lognormal"',
            f"mu = {mu:.4g}  # of the natural logarithm",
            f"sigma = {sigma:.3g}",
        ]
    if quantity.scale == "logit":
        share = (middle - quantity.lower) / (quantity.upper - quantity.lower)
        return [
            'family = "beta"',
            f"alpha = {10 * share:.3g}  # as if ten had been seen",
            f"beta = {10 - 10 * share:.3g}",
        ]
    return ['family = "normal"', f"mu = {middle:.4g}", f"sigma = {(high - low) / width:.3g}"]


def _toml_string(text: str) -> str:
    """Text as a TOML string."""
    import tomli_w

    return tomli_w.dumps({"x": text}).removeprefix("x = ").strip()


def elicited_text(priors: Mapping[str, Mapping[str, Any]], extends: str, who: str) -> str:
    """Text of a view with the elicited quantiles of each quantity, their source and rationale."""
    lines = [f"extends = {_toml_string(extends)}", f"source = {_toml_string(who)}"]
    for name, spec in priors.items():
        quantity = lookup(name)
        unit = "a pure number" if quantity.unit == "1" else quantity.unit
        pairs = ", ".join(f"{p} = {_number_text(v)}" for p, v in spec["quantiles"].items())
        lines += [
            "",
            f"[quantities.{name}]  # {quantity.label}, in {unit}",
            f"quantiles = {{{pairs}}}",
            f"source = {_toml_string(spec['source'])}",
            f"rationale = {_toml_string(spec['rationale'])}",
        ]
    return "\n".join(lines) + "\n"
