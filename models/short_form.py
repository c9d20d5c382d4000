"""What an object shows of itself in one screen: its fields, the long ones by their size."""

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any

WIDTH = 76  # characters of a field's value
MOST_FIELDS = 22  # lines


def short_form(thing: Any) -> str:
    """Return one line per field of a dataclass.

    Write ``__repr__ = short_form`` in a class whose fields can hold more than a screen shows.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Answer:
    ...     run: str
    ...     draws: list[float]
    ...     __repr__ = short_form
    >>> Answer("mine", [0.5] * 1000)
    Answer(
        run='mine',
        draws=<list of 1000>,
    )
    """
    shown = [each.name for each in fields(thing) if each.repr]
    lines = [f"    {name}={short_value(getattr(thing, name))}," for name in shown[:MOST_FIELDS]]
    if len(shown) > MOST_FIELDS:
        lines.append(f"    ...,  # {len(shown) - MOST_FIELDS} more fields")
    return "\n".join((f"{type(thing).__name__}(", *lines, ")"))


def short_value(value: Any) -> str:
    """Value on one line: itself where that is short, else its kind and size."""
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"<{type(value).__name__} of {' x '.join(map(str, shape))}>"
    sizes = getattr(value, "sizes", None)
    if isinstance(sizes, Mapping):
        return f"<{type(value).__name__} of {', '.join(f'{d}: {n}' for d, n in sizes.items())}>"
    many = isinstance(value, Collection) and not isinstance(value, str)
    if many and len(value) > WIDTH:
        return f"<{type(value).__name__} of {len(value)}>"
    text = f"{value:.6g}" if isinstance(value, float) else repr(value)
    if len(text) <= WIDTH and "\n" not in text:
        return text
    if many:
        return f"<{type(value).__name__} of {len(value)}>"
    if isinstance(value, str):
        return f"{text[: WIDTH - 3]}..."
    return f"<{type(value).__name__}>"
