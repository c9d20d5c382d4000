"""What some further rows of evidence are expected to do, and how that is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aligntax.analysis.answers.foresight import Expected, Narrowed
from aligntax.analysis.summaries.words import format_number, label_of
from aligntax.models.priors.quantities import quantity_of

YEARS = "no_tai"  # the kind whose rows are years without transformative AI
KINDS = {
    "scaling_exponents": "scaling studies",
    "loss_laws": "fits of a loss law",
    "time_horizons": "time-horizon evaluations",
    "training_runs": "frontier training runs",
    "algorithmic_progress": "estimates of algorithmic progress",
    "rlhf_efforts": "RLHF efforts",
    "feedback_workforces": "workforce reports",
    "alignment_compute_shares": "alignment compute shares",
    "paid_taxes": "payments for alignment",
    "ai_labour": "trials of AI labour",
    YEARS: "years without TAI",
}


@dataclass(frozen=True)
class Foreseen:
    """What some further rows of one kind are expected to do.

    Attributes
    ----------
    kind : str
        Table of evidence, or ``no_tai``.
    rows : int
        How many; of ``no_tai``, years.
    a_year : bool
        Whether as many came in the last full year.
    method : {"weights", "refits", "condition", "none"}
        ``none`` where weights cannot be trusted and nothing was refitted.
    simulations, untrusted : int
        How many were simulated, and in how many weights cannot be trusted.
    answers : mapping of str to Narrowed
        By headline quantity.
    value : Expected or None
        Expected value of sample information, USD.
    """

    kind: str
    rows: int
    a_year: bool
    method: str
    simulations: int
    untrusted: int
    answers: Mapping[str, Narrowed] = field(repr=False)
    value: Expected | None

    @property
    def trusted(self) -> bool:
        """Whether its figures are to be used."""
        return self.method != "none"

    @property
    def worth(self) -> float:
        """USD a row, where that stands out of its noise; 0 elsewhere."""
        clear = self.value is not None and self.value.clear
        return max(0.0, self.value.value / self.rows) if clear and self.value else 0.0

    @property
    def title(self) -> str:
        """The kind in words."""
        return KINDS[self.kind]


def width_unit(name: str) -> str:
    """Unit of the width of a quantity's interval."""
    quantity = quantity_of(name)
    if quantity.scale == "log10":
        return "OOM"
    return {"1": "", "year": "years"}.get(quantity.unit, quantity.unit)


def in_words(name: str, interval: str, each: Narrowed) -> str:
    """Width of an interval, ``90%`` or ``50%``, now and as expected."""
    half = "" if interval == "90%" else f" ({interval} interval)"
    widths = f"from {format_number(each.now, 3)} to {format_number(each.width.value, 3)}"
    return f"{label_of(name)}{half} {widths} {width_unit(name)}".rstrip()
