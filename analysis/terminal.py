"""Tables a person reads in a terminal."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.words import interval, missing, probability
from models.quantities import QUANTITIES

if TYPE_CHECKING:
    from rich.console import Console

    from models.evidence import Evidence
    from models.views import View

__all__ = ["answer", "evidence_rows", "progress", "runs_table", "table", "view_table"]

ANSWER = (
    "alignment_hours_needed",
    "alignment_hours_affordable",
    "rlhf_multiple_needed",
    "rlhf_multiple_affordable",
    "alignment_tax",
    "alignment_tax_tolerance",
    "tax_headroom",
    "prob_affordable",
    "tai_year",
    "tai_year_baseline_exponent",
    "timeline_shift_exponent",
    "timeline_shift_alignment",
    "tai_flop",
    "training_cost_at_tai",
    "data_exponent",
    "data_exponent_pooled",
)
CLAIM_HEADS = {
    1: "How much alignment data is needed?",
    2: "Does a tolerable tax pay for it?",
    3: "How far do timelines move?",
}


def table(console: "Console", columns: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> None:
    """Print a plain table; cells are text, never markup."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(*columns, title=title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for row in rows:
        grid.add_row(*(Text(cell) for cell in row))
    console.print(grid)


def answer(
    console: "Console", folder: Path, record: Mapping[str, Any], info: Mapping[str, Any], every: bool = False
) -> None:
    """Print a run: verdict, claims, quantities with 90% intervals, and where its report is."""
    from analysis.claims import CLAIMS

    good = record["verdict"] == "pass"
    console.print(
        f"{record['model']} under view {record['view']}, {record['method']}, seed {info['sampler']['seed']}",
        markup=False,
    )
    if refit := info.get("refit"):
        console.print(f"from {info['refitted_from']['run']}: {refit['reason']}", markup=False)
    if record["claims"]:
        assumed, shown = set(info["prior_only"]), []
        for claim in CLAIMS:
            if claim.name in record["claims"]:
                note = "  (assumed: no evidence bears on it)" if claim.quantity in assumed else ""
                shown.append((CLAIM_HEADS[claim.part], claim.text + note, probability(record["claims"][claim.name])))
        previous = ""
        for i, (head, text, chance) in enumerate(shown):
            shown[i] = ("" if head == previous else head, text, chance)
            previous = head
        table(console, ("question", "claim", "probability"), shown)
    quantities = record["quantities"]
    lead = [name for name in quantities if every or name in ANSWER] if record["model"] == "joint" else list(quantities)
    lead.sort(key=lambda name: ANSWER.index(name) if name in ANSWER else len(ANSWER))
    rows = [_quantity_row(name, quantities[name], info["horizon"]) for name in lead]
    table(console, ("quantity", "median", "90% interval", "note"), rows)
    for check in record["checks"]:
        if not check["passed"]:
            where = f" ({check['where']})" if check["where"] else ""
            console.print(
                f"check failed: {check['name']}{where} is {check['value']}, limit {check['threshold']}; {check['action']}",
                style="bold red",
                markup=False,
            )
    state = "its checks passed" if good else "do not trust this result: a check failed"
    console.print(f"verdict: {record['verdict']} ({state})", style="green" if good else "bold red", markup=False)
    report = folder / "report.html"
    where = f"report: {report}" if report.exists() else f"run: {folder} (its report: `aligntax report {folder}`)"
    console.print(where, soft_wrap=True, markup=False)


def _quantity_row(name: str, row: Mapping[str, Any], horizon: float) -> tuple[str, str, str, str]:
    quantity = QUANTITIES[name.split("[")[0]]
    label = quantity.label + (f" [{name.split('[')[1]}" if "[" in name else "")
    median, span = interval(row, quantity, horizon)
    notes = [note for note in (missing(row, quantity, horizon), "assumed" if row["assumed"] else "") if note]
    return label, median, span, "; ".join(notes)


@contextmanager
def progress(
    console: "Console", talk: bool
) -> Iterator[tuple[Callable[[str], None], Callable[[int, int, int], None] | None]]:
    """What to call with a line of talk, and with counts of draws; on a terminal a bar, elsewhere nothing."""
    if not talk:
        yield (lambda text: None), None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def say(text: str) -> None:
            bar.update(task, description=text, total=None, completed=0)

        def sampled(done: int, total: int, diverged: int) -> None:
            note = f", {diverged} diverged" if diverged else ""
            bar.update(task, description=f"sampling{note}", total=total, completed=done)

        yield say, sampled


def runs_table(
    console: "Console", out: Path, rows: Sequence[tuple[Path, Mapping[str, Any], Mapping[str, Any]]]
) -> None:
    """Print one line a run."""
    if not rows:
        console.print(f"no runs in {out}; make one with `aligntax run`", markup=False)
        return
    lines = []
    for folder, record, info in rows:
        year = record["quantities"].get("tai_year", {}).get("q50")
        paid = record["claims"].get("alignment_affordable")
        texts = (f"{year:.0f}" if year else "", f"{paid:.0%}" if paid is not None else "")
        lines.append(
            (
                folder.name,
                record["model"],
                record["view"],
                record["method"],
                record["verdict"],
                info["created"][:16],
                *texts,
            )
        )
    table(console, ("run", "model", "view", "method", "verdict", "created (UTC)", "TAI median", "affordable"), lines)


def view_table(console: "Console", view: "View", names: Sequence[str]) -> None:
    """Print the priors of a view in their own units."""
    from models.quantities import lookup

    tables, rows = view.tables(names), []
    for name in names:
        quantity, prior = lookup(name), tables.table(name)
        points = quantity.from_link(prior.value([-1.6448536, 0.0, 1.6448536]))
        rows.append(
            (name, *(f"{point:.3g}" for point in points), quantity.unit, str(view.quantities[name].get("source", "")))
        )
    table(console, ("quantity", "5%", "50%", "95%", "unit", "source"), rows)


def evidence_rows(evidence: "Evidence", name: str, used: bool) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows of an evidence table; missing numbers are null."""
    data = evidence[name]
    key = str(next(iter(data.sizes)))
    columns = ["key", *(str(column) for column in data.data_vars)]
    rows = []
    for i, label in enumerate(data[key].values):
        if used and "used" in data and not bool(data["used"].values[i]):
            continue
        values = [
            data[column].values[i].item() if hasattr(data[column].values[i], "item") else data[column].values[i]
            for column in columns[1:]
        ]
        rows.append([str(label), *(None if value != value else value for value in values)])
    return columns, rows
