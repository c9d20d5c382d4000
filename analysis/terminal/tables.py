"""Plain tables and a progress bar, for every command."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from aligntax.analysis.inference.options import Talk
from aligntax.analysis.progress import REDRAWS, SECONDS, times_in_words

if TYPE_CHECKING:
    from rich.console import Console

    from aligntax.models.evidence import Evidence


GAP = 3  # columns of a console between two of a table


def print_table(
    console: "Console", columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str = ""
) -> None:
    """Print a plain table; cells are strings, which are never read as markup, or rich's objects.

    Where the console is too narrow for the longest word of every column, each row is printed as a
    block under its first cell. So no name is cut off or broken, which another command may take.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    cells = [[Text(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    longest = [
        max(console.measure(cell).minimum for cell in (Text(name), *column))
        for name, *column in zip(columns, *cells, strict=True)
    ]
    if cells and sum(longest) + GAP * len(longest) > console.width:
        _print_blocks(console, columns, cells, title)
        return
    grid = Table(
        *columns, title=title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False
    )
    for row in cells:
        grid.add_row(*row)
    console.print(grid)


def _print_blocks(
    console: "Console", columns: Sequence[str], cells: Sequence[Sequence[Any]], title: str
) -> None:
    """Print each row as a block of names and cells under its first cell, without empty cells."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    if title:
        console.print(title, markup=False)
    for first, *others in cells:
        console.print(first, style="bold", soft_wrap=True)
        block = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
        for name, cell in zip(columns[1:], others, strict=True):
            if str(cell):
                block.add_row(Text(name), cell)
        console.print(Padding(block, (0, 0, 1, 2)))


@contextmanager
def progress(
    console: "Console", shown: bool, what: str = "sampling", bad: str = "diverged"
) -> Iterator[Talk]:
    """Show a bar with the time that has passed and, while a total is known, the time left.

    Parameters
    ----------
    shown : bool
        Whether there is a bar at all; without one, the callbacks do nothing.
    what, bad : str
        What is being done, and what can go wrong with a part of it.

    Yields
    ------
    Talk
        Callbacks that take a line about what is being done, and counts of what is done.
    """
    if not shown:
        yield Talk()
        return
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.text import Text

    class TimesColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            left = None if task.total is None else task.time_remaining
            return Text(times_in_words(bar.get_time() - started, left))

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimesColumn(),
        console=console,
        transient=True,
        auto_refresh=False,
    )
    started, done = bar.get_time(), Event()

    def redraw() -> None:
        while not done.wait(SECONDS):
            bar.refresh()

    with bar:
        Thread(target=redraw, name=REDRAWS, daemon=True).start()
        task = bar.add_task("starting", total=None)

        def say(text: str) -> None:
            bar.update(task, description=text, completed=0)
            bar.tasks[0].total = None  # update() keeps the total of what was done before

        def count(done: int, total: int, gone_badly: int) -> None:
            note = f", {gone_badly} {bad}" if gone_badly else ""
            bar.update(task, description=f"{what}{note}", total=total, completed=done)

        try:
            yield Talk(say, count)
        finally:
            done.set()


def print_simulated(console: "Console", record: Mapping[str, Any]) -> None:
    """Print that the numbers are of a simulated world, where a record says so."""
    if simulated := record.get("simulated"):
        console.print(simulated, markup=False, soft_wrap=True)


def print_verdict(console: "Console", record: Mapping[str, Any], lead: str = "") -> None:
    """Print the verdict of an answer that does not print its checks, and what does.

    Parameters
    ----------
    record : mapping
        With ``run``, ``verdict``, ``exceptions`` if there are some, and the condition ``given``.
    lead : str
        Stands before it.
    """
    from aligntax.analysis.summaries.words import verdict_line

    given = f" --given {quote(record['given'])}" if record.get("given") else ""
    details = f"see `aligntax show {quote(str(record['run']))}{given}`"
    style = "green" if record["verdict"] == "pass" else "bold red"
    console.print(lead + verdict_line(record, details), style=style, markup=False)


def print_runs(
    console: "Console", out: Path, rows: Sequence[tuple[Path, Mapping[str, Any], Mapping[str, Any]]]
) -> None:
    """Print a table with one line per run."""
    from aligntax.analysis.summaries.claims_in_words import chance_in_words
    from aligntax.analysis.summaries.words import verdict_in_words

    if not rows:
        console.print(f"no runs in {out}; make one with `aligntax run`", markup=False)
        return
    lines = []
    for folder, record, info in rows:
        year = record["quantities"].get("tai_year", {}).get("q50")
        paid = record["claims"].get("alignment_affordable")
        texts = (f"{year:.0f}" if year else "", chance_in_words(paid) if paid else "")
        lines.append(
            (
                folder.name,
                record["model"],
                record["view"],
                record["method"],
                verdict_in_words(record),
                info["created"][:16].replace("T", " "),
                *texts,
            )
        )
    print_table(
        console,
        (
            *("run", "model", "view", "method", "verdict", "created (UTC)", "TAI median"),
            "affordable, if it arrives",
        ),
        lines,
    )


def evidence_rows(evidence: "Evidence", name: str, used: bool) -> tuple[list[str], list[list[Any]]]:
    """Return the columns and rows of an evidence table; missing numbers are None."""
    data = evidence[name]
    key = str(next(iter(data.sizes)))
    columns = [str(column) for column in data.data_vars]
    lists = [data[column].values.tolist() for column in columns]  # Python's own numbers
    rows = []
    for i, label in enumerate(data[key].values):
        if used and "used" in data and not data["used"].values[i]:
            continue
        values = [values[i] for values in lists]
        rows.append([str(label), *(None if value != value else value for value in values)])
    return ["key", *columns], rows
