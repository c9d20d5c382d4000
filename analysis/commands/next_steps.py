"""What to type next, after a view file was written."""

import re
import shlex
from pathlib import Path

from aligntax.models.errors import InputError


def next_commands(file: str, out: Path = Path("results"), checked: bool = False) -> list[str]:
    """Return the commands to type next: check the view, answer under it, and read the report.

    The newest run of the joint model is refitted; without one, the model is run.
    """
    shown, name = shlex.quote(file), _free_name(out, Path(file).stem)
    run = _newest_joint_run(out)
    first = [] if checked else [f"aligntax view check {shown}"]
    if run is None:
        return [*first, f"aligntax run --view {shown} --name {name}", f"aligntax report {name}"]
    return [
        *first,
        f"aligntax refit {shlex.quote(run)} --view {shown} --name {name}",
        f"aligntax report {name}",
    ]


def _newest_joint_run(out: Path) -> str | None:
    from aligntax.analysis.storage.run_folder import SUMMARY, list_runs, read_json

    for folder in list_runs(out):
        try:
            if read_json(folder / SUMMARY)["model"] == "joint":
                return folder.name
        except InputError:
            continue  # a damaged run cannot be refitted
    return None


def _free_name(out: Path, stem: str) -> str:
    """Return a name that no run has yet."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.")[:60] or "mine"
    plain = plain if plain[0].isalnum() else f"x{plain}"
    return next(
        name
        for i in range(1, 10_000)
        if not (out / (name := plain if i == 1 else f"{plain}-{i}")).exists()
    )
