"""Errors a user can cause."""


class InputError(ValueError):
    """The input is wrong: the message names the argument, the rule, the value got and the remedy."""
