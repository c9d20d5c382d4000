"""Can a prior be meant? One rule, on medians: a share that people state is seldom above 100%.

A share on a logit scale cannot exceed 100%. One on a log scale can, as a tax of five times the cost
of development would, so that ``1,5,20`` for percent is read as 100%, 500% and 2000%. Nothing is
converted: such a prior is asked about, and taken as it is where the user insists.
"""

from aligntax.analysis.summaries.words import format_percent
from aligntax.models.errors import InputError
from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.quantities import ELICITED
from aligntax.models.views import View


def doubts_of_priors(view: View) -> list[str]:
    """Return one sentence for each prior of a view that can hardly be meant."""
    found = []
    for quantity in ELICITED.values():
        if quantity.kind != "share" or quantity.scale != "log10":
            continue
        median = float(compile_prior(quantity.name, view.quantities[quantity.name]).value(0.0))
        if median > 0:
            found.append(
                f"{quantity.name}: its median must be at most 100% to be a share of "
                f"{quantity.meaning.rpartition('share of ')[2] or 'a whole'}, got "
                f"{format_percent(float(quantity.from_link(median)))}"
            )
    return found


def question_priors(view: View, insist: bool = False) -> None:
    """Refuse a view with a prior that can hardly be meant, unless the user insists.

    Raises
    ------
    InputError
        With every such prior.
    """
    found = doubts_of_priors(view)
    if found and not insist:
        raise InputError("\n".join(found) + "\nwrite 5% or 0.05 for five percent, or insist: --yes")
