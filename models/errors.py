"""The error that a user can cause, and how a message shows a value."""


class InputError(ValueError):
    """Wrong input: the message names the argument, the rule, the value got and the remedy."""


def brief(value: object, limit: int = 160) -> str:
    """Value as a message shows it: on one line and no longer than the limit."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except RecursionError:
        text = f"{type(value).__name__} nested too deep"
    text = "".join(
        letter if letter.isprintable() else repr(letter)[1:-1] for letter in text[: limit + 1]
    )
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
