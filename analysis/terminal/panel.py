"""A panel of experts in a terminal: who answered what, and how far they differ."""

from typing import TYPE_CHECKING

from aligntax.analysis.summaries.words import format_number, format_probability
from aligntax.analysis.terminal.tables import print_table
from aligntax.models.priors.quantities import Quantity, lookup

if TYPE_CHECKING:
    from rich.console import Console

    from aligntax.analysis.inputs.expert_table import Panel

MOST_NAMED = 10  # answers of one line
UNITS = {"log10": "OOM", "logit": "log odds"}


def print_panel(console: "Console", panel: "Panel") -> None:
    """Print how many experts state each quantity, how far they differ, and what was left out."""
    rows = []
    for name, found in panel.split().items():
        quantity = lookup(name)
        sds = [_sd(value, quantity) for value in (found.between, found.within)]
        share = format_probability(found.share)
        rows.append((quantity.label, str(found.experts), *sds, share))
    heads = ("quantity", "experts", "sd between them", "sd of one", "between, of the variance")
    print_table(console, heads, rows)
    reasons: dict[str, list[str]] = {}
    for each in panel.left_out:
        told = f"{each.expert} ({lookup(each.quantity).label}, line {each.line})"
        reasons.setdefault(each.why, []).append(told)
    for why, told in reasons.items():
        more = f" and {len(told) - MOST_NAMED} more" if len(told) > MOST_NAMED else ""
        line = f"left out, since {why}: {len(told)}: {', '.join(told[:MOST_NAMED])}{more}"
        console.print(line, markup=False, soft_wrap=True)
    counted = sum(weight > 0 for weight in panel.weights)
    silent = {each.expert for each in panel.left_out} - set(panel.texts)
    notes = [f"{len(panel.left_out)} answers left out"]
    notes += [f"no usable answer of {', '.join(sorted(silent))}"] if silent else []
    notes += [f"{len(panel.weights) - counted} of weight 0"] if counted < len(panel.weights) else []
    console.print(f"{counted} experts pooled; {'; '.join(notes)}", markup=False, soft_wrap=True)


def _sd(variance: float, quantity: Quantity) -> str:
    """Standard deviation on a quantity's link, with its unit."""
    unit = UNITS.get(quantity.scale, "" if quantity.unit == "1" else quantity.unit)
    return f"{format_number(variance**0.5)} {unit}".rstrip()
