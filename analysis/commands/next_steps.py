"""What to type next after a view file was written."""

import re
import shlex
from pathlib import Path

from aligntax.models.errors import InputError


def next_commands(file: str, out: Path = Path("results"), checked: bool = False) -> list[str]:
    """Return what to type next: check the view, refit the newest run of the joint model with it (or run), read the report."""
    shown, name = shlex.quote(file), _free_name(out, Path(file).stem)
    run = _newest(out)
    first = [] if checked else [f"aligntax view check {shown}"]
    if run is None:
        return [*first, f"aligntax run --view {shown} --name {name}", f"aligntax report {name}"]
    return [
        *first,
        f"aligntax refit {shlex.quote(run)} --view {shown} --name {name}",
        f"aligntax report {name}",
    ]


def _newest(out: Path) -> str | None:
    from aligntax.analysis.storage.run_folder import SUMMARY, list_runs, read_json

    for folder in list_runs(out):
        try:
            if read_json(folder / SUMMARY)["model"] == "joint":
                return folder.name
        except InputError:
            continue  # a damaged run is no one to refit
    return None


def _free_name(out: Path, stem: str) -> str:
    """Name of a run that is not there yet."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.")[:60] or "mine"
    plain = plain if plain[0].isalnum() else f"x{plain}"
    return next(
        name
        for i in range(1, 10_000)
        if not (out / (name := plain if i == 1 else f"{plain}-{i}")).exists()
    )
