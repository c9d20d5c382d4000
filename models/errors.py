"""Errors a user can cause."""

__all__ = ["InputError"]


class InputError(ValueError):
    """The input is wrong: the message names the argument, the rule, the value got and the remedy."""
