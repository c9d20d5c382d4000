"""What to type next, after a view file was written."""

import re
import shlex
from pathlib import Path


def next_commands(file: str, out: Path = Path("results"), checked: bool = False) -> list[str]:
    """Return the commands to type next: check the view, answer under it, and read the report.

    The newest run of the joint model is refitted; without one, the model is run.
    """
    from aligntax.analysis.storage.run_folder import newest_of

    shown, name = shlex.quote(file), _free_name(out, Path(file).stem)
    newest = newest_of(("joint",), out)
    first = [] if checked else [f"aligntax view check {shown}"]
    if newest is None:
        return [*first, f"aligntax run --view {shown} --name {name}", f"aligntax report {name}"]
    return [
        *first,
        f"aligntax refit {shlex.quote(newest.name)} --view {shown} --name {name}",
        f"aligntax report {name}",
    ]


def _free_name(out: Path, stem: str) -> str:
    """Return a name that no run has yet."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.")[:60] or "mine"
    plain = plain if plain[0].isalnum() else f"x{plain}"
    return next(
        name
        for i in range(1, 10_000)
        if not (out / (name := plain if i == 1 else f"{plain}-{i}")).exists()
    )
