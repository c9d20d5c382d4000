"""Read and check what a user names on the command line: views, single priors, evidence."""

import csv
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from aligntax.analysis.inputs.expert_answers import POOL
from aligntax.analysis.inputs.plausible_runs import doubts
from aligntax.models.errors import InputError
from aligntax.models.evidence import Evidence, load_evidence
from aligntax.models.priors.amounts import read_amount, split_amounts
from aligntax.models.priors.quantities import lookup
from aligntax.models.priors.specification import POOLS, SAMPLES
from aligntax.models.requirements import choose_requirement
from aligntax.models.views import View, load_view, parse_toml, resolve, view_names

LARGEST_VIEW = 1_000_000  # bytes; a person writes a view by hand
LARGEST_SAMPLES = 10_000_000  # bytes; a million numbers of a few digits
MOST_PROBLEMS = 10  # in one message
LONGEST_CHAIN = 10  # views that extend one another; more is a circle


def read_view(name: str | os.PathLike[str], base: View | None = None) -> View:
    """Read a view by name or from a file. ``aligntax.load_view`` is this function.

    A file may do more than :func:`aligntax.models.views.parse_view` allows. It may extend another
    file (``extends = "base.toml"``) and take samples from a CSV (``samples = {file = "draws.csv",
    column = "hours"}``). Both paths are relative to its own folder.

    Parameters
    ----------
    name : str or path
        Of a view that comes with the package, or of a file; ``-`` is standard input.
    base : View, optional
        View to extend, in place of the one that the file names.

    Raises
    ------
    InputError
        If there is no such view or it is malformed.
    """
    return _read_view(os.fspath(name), base, ())


def _read_view(name: str, base: View | None, chain: tuple[str, ...]) -> View:
    if name in view_names():
        return load_view(name, base)
    text = _file_text(name)
    if not text.strip():
        raise InputError(f"view: {name} must not be empty; start from `aligntax view new`")
    raw, folder = parse_toml(text, name), Path(name).parent
    parent = raw.get("extends")
    if isinstance(parent, str) and parent not in ("", *view_names()) and _is_file(folder / parent):
        if len(chain) >= LONGEST_CHAIN:
            raise InputError(
                f"{name}: extends must end in a view of the package, "
                f"got {' > '.join(chain[:3])} > ..."
            )
        if base is None:
            base = _read_view(os.path.normpath(folder / parent), None, (*chain, name))
        raw = raw | {"extends": "default"}
    quantities = raw.get("quantities")
    if isinstance(quantities, dict):
        try:
            raw = raw | {
                "quantities": {q: _with_samples(q, spec, folder) for q, spec in quantities.items()}
            }
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
        except RecursionError:
            pass  # too deep for any prior; resolve() reports it
    return resolve(raw, name, base)


def _is_file(path: Path) -> bool:
    """Whether there is such a file; False for a name that no file can have."""
    try:
        return path.is_file()
    except OSError:
        return False


def _file_text(name: str) -> str:
    try:
        # never more: a device may have no end
        if name == "-":
            content = sys.stdin.buffer.read(LARGEST_VIEW + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(LARGEST_VIEW + 1)
        if len(content) > LARGEST_VIEW:
            raise InputError(
                f"view: {name} must be smaller than {LARGEST_VIEW} bytes, got more; is it a view?"
            )
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(
            f"view: {name} must be UTF-8 text, got other bytes; save it as UTF-8"
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        if isinstance(error, InputError):
            raise
        reason = error.strerror if isinstance(error, OSError) else "not a file name"
        known = ", ".join(view_names())
        raise InputError(
            f"view: must be a file or one of {known}, got {name!r} ({reason}); check the spelling"
        ) from None


def _with_samples(quantity: str, spec: Any, folder: Path) -> Any:
    """Return a prior in which the numbers of a CSV replace each reference to it, in pools too."""
    if not isinstance(spec, Mapping):
        return spec
    spec = dict(spec)
    stated = spec.get("samples")
    if isinstance(stated, str | Mapping):
        where = {"file": stated} if isinstance(stated, str) else dict(stated)
        file, column = where.pop("file", None), where.pop("column", None)
        if not isinstance(file, str) or not isinstance(column, str | None) or where:
            remedy = 'write samples = {file = "draws.csv", column = "hours"}'
            raise InputError(
                f"{quantity}: samples must be numbers, or a file and a column, "
                f"got {stated}; {remedy}"
            )
        spec["samples"] = read_samples(folder / file, column, quantity)
    for pool in POOLS:
        if isinstance(spec.get(pool), list):
            spec[pool] = [_with_samples(quantity, component, folder) for component in spec[pool]]
    return spec


def read_samples(path: Path, column: str | None, quantity: str) -> list[float]:
    """Read one column of numbers from a CSV with a header.

    Parameters
    ----------
    path : Path
    column : str or None
        None if the file has one column.
    quantity : str
        Named in messages.

    Raises
    ------
    InputError
        With the file, the rule and the value got, and with line and column where there are any.
    """
    try:
        if not path.exists() or path.is_dir():
            raise InputError(
                f"{quantity}: samples must be in a file, got {str(path)!r}; check the spelling"
            )
        if path.stat().st_size > LARGEST_SAMPLES:
            raise InputError(
                f"{quantity}: {path} must be smaller than {LARGEST_SAMPLES} bytes; "
                "keep every so many rows"
            )
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _column_numbers(csv.reader(file, strict=True), path, column, quantity)
    except UnicodeDecodeError:
        raise InputError(
            f"{quantity}: {path} must be UTF-8 text, got other bytes; save it as UTF-8"
        ) from None
    except csv.Error as error:
        raise InputError(f"{quantity}: {path} must be CSV, got {error}; save it as CSV") from None
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{quantity}: {path} must be a file that can be read ({error}); check it"
        ) from None


def _column_numbers(rows: Any, path: Path, column: str | None, quantity: str) -> list[float]:
    header: list[str] = next(rows, [])
    names = [name.strip() for name in header]
    if not any(names):
        raise InputError(
            f"{quantity}: {path} must have a header and rows, got an empty file; "
            "name the column first"
        )
    if len(names) == 1 and _finite_number(names[0]) is not None:
        raise InputError(
            f"{quantity}: {path}, line 1 must name the column, got {names[0]!r}; "
            "add a line above it"
        )
    if column is None and len(names) > 1:
        rule = f"{quantity}: {path} has columns {', '.join(names)}; say which, as in"
        raise InputError(f'{rule} samples = {{file = "{path.name}", column = "{names[0]}"}}')
    wanted = names[0] if column is None else column
    if names.count(wanted) != 1:
        got = "is there twice" if wanted in names else "is not there"
        raise InputError(
            f"{quantity}: {path}: column {wanted!r} {got}, got {', '.join(names)}; name one of them"
        )
    values, place = [], names.index(wanted)
    for row in rows:
        if not row:
            continue
        cell = row[place].strip() if place < len(row) else ""
        value = _finite_number(cell)
        if value is None:
            where = f"{path}, line {rows.line_num}, column {wanted}"
            raise InputError(
                f"{quantity}: {where}: must be a finite number, got {cell[:40]!r}; "
                "correct or drop the row"
            )
        values.append(value)
        if len(values) > SAMPLES[1]:
            raise InputError(
                f"{quantity}: {path} must have at most {SAMPLES[1]} rows, got more; "
                "keep every so many"
            )
    return values


def _finite_number(text: str) -> float | None:
    """Finite number that a cell holds, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def read_views(
    names: Sequence[str], settings: Sequence[str], requirement: str | None = None
) -> View:
    """Read one view from several names and settings.

    Parameters
    ----------
    names : sequence of str
        Views, of which each extends the one before; by default ``default``.
    settings : sequence of str
        Single priors as in :func:`parse_set`, put on top of all views.
    requirement : str, optional
        Passed to :func:`aligntax.models.requirements.choose_requirement`.
    """
    view: View | None = None
    for name in names or ("default",):
        view = read_view(name, view)
    assert view is not None  # the loop runs at least once
    for text in settings:
        view = view.with_quantity(*parse_set(text))
    view = replace(view, name=f"{view.name}-set") if settings else view
    return view if requirement is None else choose_requirement(view, requirement)


def read_separate_views(names: Sequence[str], requirement: str | None = None) -> list[View]:
    """Read several separate views.

    Parameters
    ----------
    names : sequence of str
        Names, files, and folders of files. A folder is read in the order of its files' names.

    Raises
    ------
    InputError
        If a folder holds no view, or a view is malformed. Up to ten problems are listed.
    """
    views, problems = [], []
    for name in names or ("default",):
        folder = Path(name)
        files = _views_in(folder) if folder.is_dir() else [name]
        if not files:
            raise InputError(
                f"view: {name} must hold views (TOML), got none; start from `aligntax view new`"
            )
        for file in files:
            try:
                views.append(read_views([file], (), requirement))
            except InputError as error:
                problems.append(str(error))
    if problems:
        more = (
            f"\nand {len(problems) - MOST_PROBLEMS} more" if len(problems) > MOST_PROBLEMS else ""
        )
        raise InputError("\n".join(problems[:MOST_PROBLEMS]) + more)
    return views


def files_of_experts(names: Sequence[str]) -> list[str]:
    """Views by name and file; of a folder, its files in their order without that of the pool."""
    found = []
    for name in names:
        files = _views_in(Path(name)) if Path(name).is_dir() else None
        found += [name] if files is None else [f for f in files if Path(f).stem != POOL]
    return found


def _views_in(folder: Path) -> list[str]:
    """Files of views in a folder; the ending may be written in capitals, as some systems do."""
    found = [path for path in folder.iterdir() if path.suffix.lower() == ".toml"]
    return sorted(str(path) for path in found if not path.name.startswith("."))


def parse_set(text: str) -> tuple[str, dict[str, Any]]:
    """Read ``quantity=p10,p50,p90``.

    Raises
    ------
    InputError
        If it is not a quantity and three numbers.
    """
    name, equals, values = text.partition("=")
    stated = split_amounts(values)
    if not equals or len(stated) != 3:
        raise InputError(
            f"set: must be quantity=p10,p50,p90 with three numbers, got {text!r}; "
            'for instance rlhf_multiplier=0.1,3,100, or "1,000; 2 million; 3 billion"'
        )
    quantity = lookup(name.strip())
    amounts = [read_amount(quantity, each, f"set: {quantity.name}") for each in stated]
    return quantity.name, {
        "quantiles": dict(zip(("0.1", "0.5", "0.9"), amounts, strict=True)),
        "source": f"--set {text}",
    }


def parse_weights(text: str | None, count: int) -> list[float] | None:
    """Read the weights of experts, such as ``2,1,1``; None where none are given.

    Raises
    ------
    InputError
        If they are not ``count`` numbers, or one is negative, or all are 0.
    """
    if text is None:
        return None
    values = [_finite_number(part) for part in text.split(",")]
    good = [value for value in values if value is not None and value >= 0]
    if len(good) != len(values) or len(values) != count or not sum(good) > 0:
        rule = f"must be {count} numbers with commas between, not negative and not all 0"
        raise InputError(
            f"weights: {rule}, got {text!r}; give one per view, as {','.join(['1'] * count)}"
        )
    return good


def read_evidence(folder: str | None) -> Evidence:
    """Read the embedded evidence; a user's folder may replace or extend tables.

    Raises
    ------
    InputError
        If a table is wrong, or its training runs are hardly in the units that it says.
    """
    evidence = load_evidence(None if folder is None else Path(folder))
    table = evidence["loss_runs"]
    columns = {str(name): values.values.tolist() for name, values in table.data_vars.items()}
    rows = [dict(zip(columns, each, strict=True)) for each in zip(*columns.values(), strict=True)]
    if any(row["used"] for row in rows) and (asked := doubts(rows)):
        remedy = "convert the column, or give the runs with --runs and insist with --yes"
        lines = "\n".join(f"{folder}: loss_runs, {line}" for line in asked)
        raise InputError(f"{lines}\n{remedy}")
    return evidence
