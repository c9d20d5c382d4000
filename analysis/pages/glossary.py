"""What quantities mean, for the tooltips of a page; the registry has the words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aligntax.models.priors.quantities import Quantity, base_name, lookup


@dataclass(frozen=True)
class Term:
    """A piece of a text that starts with a quantity's label, and what follows the label; without a name plain text."""

    name: str
    label: str
    rest: str


def glossary(names: Iterable[str]) -> dict[str, list[str]]:
    """Label, meaning and unit of quantities, by name; elements of a vector are the vector's."""
    return {base: _said(lookup(base)) for base in dict.fromkeys(base_name(name) for name in names)}


def _said(quantity: Quantity) -> list[str]:
    unit = {"1": "a pure number", "x": "a multiple"}.get(quantity.unit, f"in {quantity.unit}")
    bounds = (
        f" between {quantity.lower:g} and {quantity.upper:g}" if quantity.scale == "logit" else ""
    )
    scale = ", on a log10 scale" if quantity.scale == "log10" else ""
    return [quantity.label, quantity.meaning, f"{unit[0].upper()}{unit[1:]}{bounds}{scale}."]


def terms(text: str, names: Iterable[str]) -> Iterator[Term]:
    """Pieces of a list in words, ``tax tolerance (0.08); wages 3%``, each with the quantity that its label is of."""
    labels = {lookup(name).label: name for name in names}
    for piece in text.split("; "):
        label = max((each for each in labels if piece.startswith(f"{each} ")), key=len, default="")
        yield Term(labels.get(label, ""), label, piece[len(label) :])
