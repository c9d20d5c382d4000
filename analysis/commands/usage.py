"""What is wrong with a command line, in one message: argument, rule, value got, remedy.

Typer answers with the words of its parser. Its errors are told here as all errors of this package.
"""

from difflib import get_close_matches
from typing import Any

RULES = {
    "int_parsing": ("must be a whole number", "1000"),
    "int_from_float": ("must be a whole number", "1000"),
    "float_parsing": ("must be a number", "0.8"),
    "finite_number": ("must be a finite number", "0.8"),
}  # by the kind of a parser's complaint: the rule, and an example
MOST_NEAR = 3  # names that are proposed


def usage_message(error: Any) -> str:
    """Message for an error of the command line's parser, and how the command is used.

    Parameters
    ----------
    error : typer's UsageError
        With ``ctx`` and, by its kind, ``param`` or ``option_name``.
    """
    context = getattr(error, "ctx", None)
    message = _of_parameter(error) or _of_name(error, context) or error.format_message().rstrip(".")
    if context is None:
        return str(message)
    usage = " ".join(context.get_usage().split())
    return f"{message}\n{usage} (see `{context.command_path} --help`)"


def _of_parameter(error: Any) -> str:
    """Message about an argument or option whose value is missing or wrong."""
    parameter = getattr(error, "param", None)
    if parameter is None:
        return ""
    name = str(parameter.name).strip("_").removesuffix("_")
    if type(error).__name__ == "MissingParameter":
        remedy = "give a run's name, its folder, or latest" if name == "run" else "see the examples"
        return f"{name}: must be stated, got nothing; {remedy}"
    complaints: list[Any] = getattr(error.__cause__, "errors", list)()
    if not complaints or complaints[0]["type"] not in RULES:
        return f"{name}: {error.message}"
    (rule, example), got = RULES[complaints[0]["type"]], complaints[0]["input"]
    return f"{name}: {rule}, got {str(got)[:40]!r}; write for instance {example}"


def _of_name(error: Any, context: Any) -> str:
    """Message about an option or a command that does not exist."""
    option = getattr(error, "option_name", None)
    if option and type(error).__name__ != "NoSuchOption":  # it exists, and is used otherwise
        name = option.lstrip("-").replace("-", "_")
        needs = "must have a value, got none" if "requires" in error.message else "takes no value"
        return f"{name}: {needs}; see the examples of the command's --help"
    if context is None:
        return ""
    if option:
        known = [each for param in context.command.params for each in param.opts]
        kind, got = "option", option
    else:
        known, got = list(getattr(context.command, "commands", ())), _unknown_command(error)
        kind = "command"
        if not known or not got:
            return ""
    near = get_close_matches(got, known, n=MOST_NEAR)
    remedy = f"did you mean {', '.join(near)}?" if near else f"known are {', '.join(known)}"
    return f"{kind}: must be one that {context.command_path} has, got {got!r}; {remedy}"


def _unknown_command(error: Any) -> str:
    """Name that is no command, which the error has only in its words."""
    before, quote, rest = str(error.message).partition("'")
    return rest.partition("'")[0] if quote and "No such command" in before else ""
