"""Tables a person reads in a terminal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.claims import CLAIMS, assumed
from analysis.options import Talk
from analysis.words import interval, missing, number, probability, readable
from models.quantities import QUANTITIES

if TYPE_CHECKING:
    from rich.console import Console

    from analysis.budget import Budget
    from analysis.comparison import Comparison
    from analysis.experts import Experts
    from analysis.weights import Weights
    from models.evidence import Evidence

__all__ = ["answer", "evidence_rows", "progress", "runs_table", "table"]

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


def table(console: "Console", columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "") -> None:
    """Print a plain table; cells are text, never markup, or what rich can draw."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(*columns, title=title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for row in rows:
        grid.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    console.print(grid)


def answer(
    console: "Console",
    folder: Path,
    record: Mapping[str, Any],
    info: Mapping[str, Any],
    every: bool = False,
    weights: "Weights | None" = None,
) -> None:
    """Print a run: verdict, claims, quantities with 90% intervals, and where its report is; with small pictures on a terminal.

    ``weights`` are what each draw counts in the pictures, where ``record`` is conditional.
    """
    good = record["verdict"] == "pass"
    console.print(
        f"{record['model']} under view {record['view']}, {record['method']}, seed {info['sampler']['seed']}",
        markup=False,
    )
    if refit := info.get("refit"):
        console.print(f"from {info['refitted_from']['run']}: {refit['reason']}", markup=False)
    if runs := info.get("runs"):
        console.print(f"runs: {runs['words']}", markup=False, soft_wrap=True)
    for quantity, link in info.get("links", {}).items():
        console.print(f"{quantity} {link['words']}", markup=False, soft_wrap=True)
    if given := record.get("given"):
        size = f"{given['draws']} draws, {given['ess']:.0f} effective"
        console.print(f"given {given['text']}: probability {probability(given['probability'])}, {size}", markup=False)
    if record["claims"]:
        unlearned, shown = assumed(info), []
        for claim in CLAIMS:
            if claim.name in record["claims"]:
                note = "  (assumed: no evidence bears on it)" if claim.quantity in unlearned else ""
                shown.append((CLAIM_HEADS[claim.part], claim.text + note, probability(record["claims"][claim.name])))
        previous = ""
        for i, (head, text, chance) in enumerate(shown):
            shown[i] = ("" if head == previous else head, text, chance)
            previous = head
        table(console, ("question", "claim", "probability"), shown)
    _quantities(console, folder, record, info, every, weights)
    for check in record["checks"]:
        if not check["passed"]:
            where = f" ({check['where']})" if check["where"] else ""
            value = "unknown" if check["value"] is None else f"{check['value']:.4g}"
            console.print(
                f"check failed: {check['name']}{where} is {value}, limit {check['threshold']:g}; {check['action']}",
                style="bold red",
                markup=False,
            )
    state = "its checks passed" if good else "do not trust this result: a check failed"
    console.print(f"verdict: {record['verdict']} ({state})", style="green" if good else "bold red", markup=False)
    report = folder / "report.html"
    where = f"report: {report}" if report.exists() else f"run: {folder} (its report: `aligntax report {folder}`)"
    console.print(where, soft_wrap=True, markup=False)


def _quantities(
    console: "Console",
    folder: Path,
    record: Mapping[str, Any],
    info: Mapping[str, Any],
    every: bool,
    weights: "Weights | None",
) -> None:
    """Print quantities; where the console can draw, their densities and arrival by year."""
    from analysis.terminal_sketch import arrival_curve, drawn_table, sketch

    quantities, joint = record["quantities"], record["model"] == "joint"
    if suffices := quantities.get("data_suffices"):
        none = f"no amount of data suffices in {probability(1.0 - suffices['mean'])} of draws"
        console.print(f"{none}: there the record prefers an unaligned policy", markup=False)
    lead = list(quantities) if every else [n for n in quantities if n in ANSWER] if joint else readable(quantities)
    lead.sort(key=lambda name: ANSWER.index(name) if name in ANSWER else len(ANSWER))
    rows = {name: _quantity_row(name, quantities[name], info["horizon"]) for name in lead}
    draws = sketch(console, folder, lead, weights)
    columns = ("quantity", "median", "90% interval", "note")
    if draws is None:
        table(console, columns, rows.values())
    else:
        drawn_table(console, columns, rows, draws)
    if not joint and len(lead) < len(quantities):
        console.print(f"and {len(quantities) - len(lead)} quantities of single runs, with --all", markup=False)
    if draws is not None:
        arrival_curve(console, draws, info)


def comparison_table(console: "Console", comparison: "Comparison", every: bool = False) -> None:
    """Print runs side by side, where they differ beyond Monte Carlo error, and what differed in their views."""
    labels, horizon = comparison.labels, comparison.runs[0].info["horizon"]
    for i, run in enumerate(comparison.runs):
        given = comparison.given[i]
        condition = "" if given is None else f", {given.words}"
        facts = f"view {run.record['view']}, {run.record['method']}, seed {run.info['sampler']['seed']}"
        console.print(f"{labels[i]}: {facts}, verdict {run.record['verdict']}{condition}", markup=False)
    rows = []
    for name in comparison.names:
        if "[" in name and not every:
            continue
        quantity = QUANTITIES[name.split("[")[0]]
        cells = []
        for i, numbers in enumerate(comparison.rows):
            median, span = interval(numbers[name], quantity, horizon)
            mark = "" if i == 0 else " *" if comparison.differs[name][i - 1] else ""
            cells.append(f"{median}{f' ({span})' if span else ''}{mark}")
        rows.append((quantity.label + (f" [{name.split('[')[1]}" if "[" in name else ""), *cells))
    table(console, ("quantity", *labels), rows)
    told = [claim for claim in CLAIMS if all(claim.name in each for each in comparison.claims)]
    chances = []
    for claim in told:
        marks = ("", *(" *" if differs else "" for differs in comparison.differs[claim.name]))
        chances.append(
            (claim.text, *(probability(each[claim.name]) + m for each, m in zip(comparison.claims, marks, strict=True)))
        )
    if chances:
        table(console, ("claim", *labels), chances)
    _differences(console, comparison, every)
    marked = sum(any(differs) for differs in comparison.differs.values())
    total = len(comparison.differs)
    console.print(
        f"* differs from {labels[0]} beyond Monte Carlo error, however little (Holm, 5%): {marked} of {total} numbers and claims",
        markup=False,
    )
    for i, label in enumerate(labels[1:]):
        draws = ("counts the same draws",) if comparison.shared[i] else ()
        facts = "; ".join((comparison.changes[i].words(), *comparison.facts[i], *draws))
        console.print(f"{label} changes {facts}", markup=False)
    _priors(console, comparison)


def _differences(console: "Console", comparison: "Comparison", every: bool) -> None:
    """Print differences of medians from the first run, with their Monte Carlo errors."""
    rows = []
    for name in comparison.names:
        if "[" in name and not every:
            continue
        quantity, cells = QUANTITIES[name.split("[")[0]], []
        unit = "OOM" if quantity.scale == "log10" else {"1": "", "year": "years"}.get(quantity.unit, quantity.unit)
        for (value, error), differs in zip(comparison.differences[name], comparison.differs[name], strict=True):
            spread = "unknown" if error is None else f"{error:.1g}"
            told = "none: censored" if value is None else f"{value:+.2g} ± {spread} {unit}".rstrip()
            cells.append(told + (" *" if differs else ""))
        rows.append((quantity.label + (f" [{name.split('[')[1]}" if "[" in name else ""), *cells))
    first, *others = comparison.labels
    table(console, (f"median less that of {first}", *(f"{other}, ± Monte Carlo error" for other in others)), rows)


def _priors(console: "Console", comparison: "Comparison") -> None:
    """Print priors that differ, in natural units."""
    names = [name for change in comparison.changes for name in change.quantities]
    rows = []
    for name in dict.fromkeys(names):
        quantity, cells = QUANTITIES[name], []
        for run in comparison.runs:
            points = quantity.from_link(run.view.tables([name]).table(name).value([-1.6448536, 0.0, 1.6448536]))
            cells.append(f"{points[1]:.3g} ({points[0]:.3g} to {points[2]:.3g})")
        rows.append((f"{quantity.label}, {quantity.unit}", *cells))
    if rows:
        table(console, ("prior", *comparison.labels), rows)


def budget_table(console: "Console", answer: "Budget") -> None:
    """Print what to buy, what another amount would cost, and how to label."""
    arrival = f"given arrival before the horizon ({probability(answer.probability_arrival)})"
    condition = "" if answer.given is None else f"{answer.given.words}, "
    console.print(f"enough with {answer.confidence:.0%} confidence, {condition}{arrival}:", markup=False)
    since = f"a year from {answer.start:.0f} until arrival"
    rows = [
        ("hours to buy", f"{number(answer.hours)} human-hours", ""),
        ("money to set aside", "", f"{number(answer.usd)} USD"),
        (f"hours {since}", f"{number(answer.hours_per_year)} human-hours", ""),
        (f"money {since}", "", f"{number(answer.usd_per_year)} USD"),
        ("a tolerated tax pays for it", probability(answer.affordable), ""),
        (
            "least expected loss",
            f"{number(answer.best_hours)} human-hours",
            f"at {number(answer.price)} USD a missing hour",
        ),
        ("worth of knowing the need", "", f"{number(answer.evpi)} USD"),
    ]
    table(console, ("", "amount", "money"), rows)
    regrets = [(f"{m:g} times the hours", f"{number(usd)} USD") for m, usd in answer.regret.items()]
    table(console, ("buying instead", "expected regret"), regrets)
    low, middle, high = answer.error
    console.print(
        f"label error implied by published agreement: {middle:.0%} (90%: {low:.0%} to {high:.0%})", markup=False
    )
    labels = [
        (f"{s.error:.0%}", str(s.votes), f"{s.votes_gain:.2f}", f"{s.worth:.2f}", f"{s.worth_written:.2f}")
        for s in answer.splits
    ]
    columns = ("label error", "best votes", "gain of votes", "better evaluator", "better evaluator, written items")
    table(console, columns, labels)
    console.print(
        "Votes: where people write the items; where items cost nothing, one vote is always best. Better evaluator: pay up to so "
        "many labels for one with half the error.",
        markup=False,
    )


def experts(console: "Console", answer: "Experts") -> None:
    """Print medians of each expert and of their pool, and how much of the spread lies between experts."""
    horizon = answer.pooled.info["horizon"]
    columns = [*(a.record["view"] for a in answer.answers), "pooled"]
    runs = (*answer.answers, answer.pooled)
    rows = []
    for name in ANSWER:
        share = answer.between.get(name)
        quantity = QUANTITIES[name]
        medians = [
            interval(a.record["quantities"][name], quantity, horizon)[0] for a in runs if name in a.record["quantities"]
        ]
        if len(medians) == len(runs):
            rows.append((quantity.label, *medians, "" if share is None else f"{share:.0%}"))
    table(console, ("median of", *columns, "between experts"), rows)
    for a, weight in zip(answer.answers, answer.weights, strict=True):
        console.print(f"{a.record['view']} (weight {weight:.2g}): {a.info['refit']['reason']}", markup=False)
    console.print(f"pooled: {answer.pooled.info['refit']['reason']}", markup=False)
    failed = [a.record["run"] for a in runs if a.record["verdict"] != "pass"]
    console.print(f"verdict: {'a check failed in ' + ', '.join(failed) if failed else 'pass'}", markup=False)
    console.print(f"runs: {', '.join(str(a.path) for a in runs)}", soft_wrap=True, markup=False)


def _quantity_row(name: str, row: Mapping[str, Any], horizon: float) -> tuple[str, str, str, str]:
    quantity = QUANTITIES[name.split("[")[0]]
    label = quantity.label + (f" [{name.split('[')[1]}" if "[" in name else "")
    median, span = interval(row, quantity, horizon)
    notes = [note for note in (missing(row, quantity, horizon), "assumed" if row["assumed"] else "") if note]
    return label, median, span, "; ".join(notes)


@contextmanager
def progress(console: "Console", talk: bool, what: str = "sampling", bad: str = "diverged") -> Iterator[Talk]:
    """What to call with a line of talk, and with counts of what is done and of what went badly; a bar on a terminal only."""
    if not talk:
        yield Talk()
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
            note = f", {diverged} {bad}" if diverged else ""
            bar.update(task, description=f"{what}{note}", total=total, completed=done)

        yield Talk(say, sampled)


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
