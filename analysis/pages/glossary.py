"""What quantities mean, for the tooltips of a page, in the words of the registry."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aligntax.models.priors.quantities import Quantity, base_name, lookup


@dataclass(frozen=True)
class Term:
    """A piece of a list in words: the label of a quantity, if it has one, and what follows."""

    name: str
    label: str
    rest: str


def glossary(names: Iterable[str]) -> dict[str, list[str]]:
    """Return label, meaning and unit by name; elements of a vector share those of the vector."""
    return {base: _entry(lookup(base)) for base in dict.fromkeys(base_name(name) for name in names)}


def _entry(quantity: Quantity) -> list[str]:
    unit = {"1": "a pure number", "x": "a multiple"}.get(quantity.unit, f"in {quantity.unit}")
    bounds = (
        f" between {quantity.lower:g} and {quantity.upper:g}" if quantity.scale == "logit" else ""
    )
    scale = ", on a log10 scale" if quantity.scale == "log10" else ""
    return [quantity.label, quantity.meaning, f"{unit[0].upper()}{unit[1:]}{bounds}{scale}."]


def terms(text: str, names: Iterable[str]) -> Iterator[Term]:
    """Yield the pieces of a list such as ``tolerance (0.08); wages 3%`` with their quantities."""
    labels = {lookup(name).label: name for name in names}
    for piece in text.split("; "):
        label = max((each for each in labels if piece.startswith(f"{each} ")), key=len, default="")
        yield Term(labels.get(label, ""), label, piece[len(label) :])
