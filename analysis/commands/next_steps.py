"""What to type next, after a view file was written."""

import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from aligntax.analysis.commands.output import escape_controls

JOINT = "joint"


def next_commands(
    file: str, out: Path = Path("results"), checked: bool = False, changed: Sequence[str] = ()
) -> list[str]:
    """Return the commands to type next: check the view, answer under it, and read the report.

    The newest run of a model that has what the view changes is refitted, of the joint model where
    that has it; without such a run, the model is run.

    Parameters
    ----------
    changed : sequence of str
        Quantities that the view changes.
    """
    from aligntax.analysis.storage.run_folder import newest_of

    shown, name = shlex.quote(file), _free_name(out, Path(file).stem)
    models = _models_with(changed)
    newest = newest_of(models, out)
    first = [] if checked else [f"aligntax view check {shown}"]
    if newest is None:
        model = "" if models[0] == JOINT else f"{models[0]} "
        answer = f"aligntax run {model}--view {shown} --name {name}"
    else:
        answer = f"aligntax refit {shlex.quote(newest.name)} --view {shown} --name {name}"
    return [*first, answer, f"aligntax report {name}"]


def print_next(
    file: str,
    out: Path,
    checked: bool = False,
    changed: bool = True,
    names: Sequence[str] = (),
) -> None:
    """Print on standard error what to type next: so a first-time user gets to a report.

    Parameters
    ----------
    changed : bool
        Whether the view differs from the default.
    names : sequence of str
        Quantities that it changes, if they are known.
    """
    if not changed:
        lines = [
            f"nothing differs from the default view yet: edit {file}, then check it again",
        ]
    else:
        lines = ["next:", *(f"  {line}" for line in next_commands(file, out, checked, names))]
    for line in lines:
        sys.stderr.write(f"{escape_controls(line)}\n")


def _models_with(changed: Sequence[str]) -> tuple[str, ...]:
    """Models that have all of some quantities; the joint model where it does, or none does."""
    if not changed:
        return (JOINT,)
    from aligntax.models.catalogue import MODELS

    found = tuple(name for name in MODELS if set(changed) <= set(MODELS[name].quantities))
    return (JOINT,) if JOINT in found or not found else found


def _free_name(out: Path, stem: str) -> str:
    """Return a name that no run has yet."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.")[:60] or "mine"
    plain = plain if plain[0].isalnum() else f"x{plain}"
    return next(
        name
        for i in range(1, 10_000)
        if not (out / (name := plain if i == 1 else f"{plain}-{i}")).exists()
    )
