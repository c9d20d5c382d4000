"""Can a prior be meant? Two rules, on medians of quantities on a log scale.

A share that people state is seldom above 100%. On a logit scale it cannot be. On a log scale it
can, as a tax of five times the cost of development would, so that ``1,5,20`` for percent is read as
100%, 500% and 2000%. And whatever is stated seldom lies ten times beyond what every named view
states: cents are read as dollars, and thousands of hours as hours. Nothing is converted: such a
prior is asked about, and taken as it is where the user insists.
"""

import warnings
from collections.abc import Sequence

from aligntax.analysis.summaries.words import format_amount, format_percent
from aligntax.models.errors import InputError
from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.quantities import ELICITED
from aligntax.models.priors.quantity import Quantity
from aligntax.models.views import View, load_view, view_names

BEYOND = 1.0  # OOM
NINETY = 1.6448536  # normal score of the ends of a 90% interval


def doubts_of_priors(view: View) -> list[str]:
    """Return one sentence for each prior of a view that can hardly be meant."""
    default, found = load_view("default"), []
    for quantity in ELICITED.values():
        spec = view.quantities[quantity.name]
        if quantity.scale != "log10" or spec == default.quantities[quantity.name]:
            continue
        median = float(compile_prior(quantity.name, spec).value(0.0))
        if quantity.kind == "share":
            if median > 0:
                found.append(
                    f"{quantity.name}: its median must be at most 100% to be a share of "
                    f"{quantity.meaning.rpartition('share of ')[2] or 'a whole'}, got "
                    f"{format_percent(float(quantity.from_link(median)))}"
                )
        elif _lies_beyond(median, _stated(quantity, ("default",))):
            low, high = _stated(quantity, view_names())
            if _lies_beyond(median, (low, high)):
                found.append(
                    f"{quantity.name}: its median must be within ten times of what named views "
                    f"state, {format_amount(low, quantity)} to {format_amount(high, quantity)}, "
                    f"got {format_amount(median, quantity)}: is it in another unit?"
                )
    return found


def _stated(quantity: Quantity, names: Sequence[str]) -> tuple[float, float]:
    """Ends of the 90% intervals of some views together, log10."""
    tables = [compile_prior(quantity.name, load_view(n).quantities[quantity.name]) for n in names]
    low, high = (
        end(float(table.value(score)) for table in tables)
        for end, score in ((min, -NINETY), (max, NINETY))
    )
    return low, high


def _lies_beyond(median: float, stated: tuple[float, float]) -> bool:
    return not stated[0] - BEYOND <= median <= stated[1] + BEYOND


def warn_of_priors(view: View) -> None:
    """Warn of priors that can hardly be meant, where nobody can be asked."""
    for doubt in doubts_of_priors(view):
        warnings.warn(f"{doubt}; it is taken as it is", stacklevel=3)


def question_priors(view: View, insist: bool = False) -> None:
    """Refuse a view with a prior that can hardly be meant, unless the user insists.

    Raises
    ------
    InputError
        With every such prior.
    """
    found = doubts_of_priors(view)
    if found and not insist:
        remedy = (
            "write 5% or 0.05 for five percent, convert what is in another unit, or insist: --yes"
        )
        raise InputError("\n".join([*found, remedy]))
