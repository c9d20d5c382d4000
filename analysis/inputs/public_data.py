"""Public sets of training runs that the package may use but not include, and fetching one.

A file is recognised by its runs and not by its bytes. Parameters, tokens and loss are hashed row by
row, to six digits: this says whether a download is the known one. The 16 smallest hashes are a
fingerprint, of which a file has most after a few runs were dropped.

People also recompute a column and round what they copy. So a run is known by two of its numbers as
well, each in a cell of a grid and in the cells beside it: by parameters and loss, and by FLOP and
loss. Only hashes of cells are kept here.
"""

import csv
import hashlib
import io
import math
import os
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from aligntax.analysis.storage.whole_file import replace_file
from aligntax.models.errors import InputError
from aligntax.models.loss_law import FLOP_PER_PARAMETER_TOKEN

# Pairs by which a run is known, with the widths of their cells in natural logs. FLOP is the budget
# of an isoFLOP study, which others share, so that there the loss must agree more closely.
PAIRS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"parameters": (0.01, 0.004), "flop": (0.01, 0.0005)}
)
KNOWN_SHARE = 0.5  # of the runs of a file, or of a public set, above which the file is of the set
TIMEOUT = 30.0  # seconds without an answer
LARGEST = 10_000_000  # bytes
CHUNK = 65_536


@dataclass(frozen=True)
class PublicData:
    """A public set of runs.

    Attributes
    ----------
    name, title, citation : str
    url : str
        Address of the file in one commit of its repository.
    columns : mapping
        The file's own names of ``parameters``, ``training_flop`` and ``loss``.
    runs : int
        Number of complete rows of the file.
    content : str
        SHA-256 over the sorted hashes of its runs; see :func:`row_hashes`.
    sketch : tuple of str
        The smallest of those hashes.
    pairs : str
        File beside this one with the hashes of :func:`pair_hashes` of its runs.
    independence_group : str
        Group of ``scaling_exponents`` whose rows analyse the same runs.
    year : int
        When the runs were published.
    """

    name: str
    title: str
    citation: str
    url: str
    columns: Mapping[str, str]
    runs: int
    content: str
    sketch: tuple[str, ...]
    independence_group: str
    year: int
    pairs: str = ""


# The hash of the content is of the 245 runs that the authors' notebook keeps. The notebook prints
# their number, columns and extremes. The bytes of the file itself have no published checksum.
CHINCHILLA = PublicData(
    name="chinchilla",
    title="Chinchilla's runs, digitised",
    citation=(
        "Besiroglu et al. 2024, arXiv:2404.10102, "
        "digitised from figure 4 of Hoffmann et al. 2022, arXiv:2203.15556"
    ),
    url=(
        "https://raw.githubusercontent.com/epoch-research/analyzing-chinchilla/"
        "92258837425e1b5f2851d624287f0120583a3d0e/data/svg_extracted_data.csv"
    ),
    columns=MappingProxyType(
        {"parameters": "Model Size", "training_flop": "Training FLOP", "loss": "loss"}
    ),
    runs=245,
    content="e2ed333a3ce4009612f37fa926e1f939ab62915641cdcb2ed02527b1ba05bde7",
    sketch=(
        "0036720102c7d680",
        "0139ceec03285b69",
        "0277871d1eaee542",
        "02a7b74095ef9b76",
        "039227353725a07e",
        "03c55e00a077d552",
        "046c306fdaceba03",
        "0625a675fce37ee6",
        "0a21be94265c20c7",
        "0ac2b3a6920b1be2",
        "0b3076aaf6577ec3",
        "0d0e122555428dae",
        "0dff00e31aea4af6",
        "0e6672bf1247aafc",
        "1603a7f717fdae9b",
        "160435afb1edfb72",
    ),
    independence_group="chinchilla_runs",
    year=2022,
    pairs="chinchilla_pairs.txt",
)
PUBLIC: Mapping[str, PublicData] = MappingProxyType({CHINCHILLA.name: CHINCHILLA})


def row_hashes(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Sorted SHA-256 prefixes of runs: parameters, tokens and loss to six digits."""
    texts = {
        "|".join(f"{float(row[name]):.5e}" for name in ("parameters", "tokens", "loss"))
        for row in rows
    }
    return sorted(hashlib.sha256(text.encode()).hexdigest()[:16] for text in texts)


def content_hash(rows: Sequence[Mapping[str, Any]]) -> str:
    """SHA-256 over the hashes of all runs."""
    return hashlib.sha256("\n".join(row_hashes(rows)).encode()).hexdigest()


def pair_hashes(row: Mapping[str, Any], around: int = 0) -> set[str]:
    """Hashes of the cells of a run's pairs of numbers, and of the cells ``around`` them."""
    n, d, loss = (float(row[name]) for name in ("parameters", "tokens", "loss"))
    values = {"parameters": n, "flop": FLOP_PER_PARAMETER_TOKEN * n * d}
    steps = range(-around, around + 1)
    found = set()
    for name, widths in PAIRS.items():
        cell, other = (
            round(math.log(value) / width)
            for value, width in zip((values[name], loss), widths, strict=True)
        )
        found |= {f"{name}|{cell + i}|{other + j}" for i in steps for j in steps}
    return {hashlib.sha256(text.encode()).hexdigest()[:8] for text in found}


def recognise(rows: Sequence[Mapping[str, Any]]) -> PublicData | None:
    """Return the public set that these runs are, or are mostly taken from, or mostly hold."""
    hashes = set(row_hashes(rows))
    for known in PUBLIC.values():
        if 2 * len(hashes & set(known.sketch)) >= len(known.sketch):
            return known
        if known.pairs:
            pairs = set((Path(__file__).parent / known.pairs).read_text("ascii").split())
            again = sum(bool(pair_hashes(row, around=1) & pairs) for row in rows)
            if again >= KNOWN_SHARE * min(len(rows), known.runs):
                return known
    return None


def data_home() -> Path:
    """The user's data folder: ``$XDG_DATA_HOME/aligntax`` or ``~/.local/share/aligntax``."""
    base = os.environ.get("XDG_DATA_HOME", "")
    return (
        Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share"
    ) / "aligntax"


def fetched_file(name: str) -> Path:
    """Return the file of a public set that was fetched.

    Raises
    ------
    InputError
        If it was not.
    """
    path = data_home() / f"{name}.csv"
    if not path.is_file():
        raise InputError(
            f"runs: {name} must be fetched first, got no file {path}; "
            f"run aligntax evidence fetch {name}"
        )
    return path


def fetch_public(
    name: str, out: Path | None = None, url: str | None = None
) -> tuple[Path, dict[str, Any]]:
    """Download a public set, check that it holds the known runs, and write it whole or not at all.

    Parameters
    ----------
    name : str
        In :data:`PUBLIC`.
    out : Path, optional
        File to write; default the user's data folder.
    url : str, optional
        A mirror of the same file.

    Returns
    -------
    path : Path
    record : dict
        ``name, path, url, runs, sha256`` (of the downloaded bytes) and ``content``.

    Raises
    ------
    InputError
        Without network, if the file is another one, or if it cannot be written.
    """
    if name not in PUBLIC:
        raise InputError(
            f"name: must be one of {', '.join(PUBLIC)}, got {name!r}; check the spelling"
        )
    known = PUBLIC[name]
    where = url or known.url
    raw = download(where)
    rows, sha256 = _complete_rows(raw, known, where), hashlib.sha256(raw).hexdigest()
    if len(rows) != known.runs or content_hash(rows) != known.content:
        raise InputError(
            f"fetch: {where} must hold the {known.runs} runs known by {known.content[:12]}, "
            f"got {len(rows)} runs, {content_hash(rows)[:12]}; the file has changed or was damaged "
            "on its way: fetch again, or read it with --runs FILE"
        )
    path = data_home() / f"{name}.csv" if out is None else out
    _write_file(path, _csv_text(rows, known, where, sha256))
    record = {"name": name, "path": str(path), "url": where, "runs": len(rows), "sha256": sha256}
    return path, record | {"content": known.content}


def download(url: str, largest: int = LARGEST) -> bytes:
    """Return the bytes at an address, and show on a terminal how many have come.

    Raises
    ------
    InputError
        If it cannot be reached, or holds more than ``largest`` bytes.
    """
    remedy = f"check the network, or download {url} by hand and give the file to --runs"
    received = bytearray()
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "aligntax"})
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            while part := answer.read(CHUNK):
                received += part
                if sys.stderr.isatty():
                    sys.stderr.write(f"\r{len(received):,} bytes from {url}")
                if len(received) > largest:
                    raise InputError(
                        f"fetch: {url} must be smaller than {largest} bytes, got more; {remedy}"
                    )
    # URLError and time-outs are OSErrors; ValueError: no URL at all
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise InputError(f"fetch: {url} must be reachable, got {reason}; {remedy}") from None
    finally:
        if sys.stderr.isatty() and received:
            sys.stderr.write("\n")
    return bytes(received)


def _complete_rows(raw: bytes, known: PublicData, url: str) -> list[dict[str, float]]:
    """Rows of the file that lack no number; the authors leave out the others too."""
    try:
        table = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"fetch: {url} must be CSV, got {error}; fetch again, or read it with --runs FILE"
        ) from None
    rows = []
    for line in table:
        try:
            row = {role: float(line[column] or "nan") for role, column in known.columns.items()}
        except (KeyError, ValueError, TypeError):
            continue
        if all(0 < value < float("inf") for value in row.values()):
            rows.append(
                row
                | {"tokens": row["training_flop"] / (FLOP_PER_PARAMETER_TOKEN * row["parameters"])}
            )
    return rows


def _csv_text(rows: Sequence[Mapping[str, float]], known: PublicData, url: str, sha256: str) -> str:
    head = [
        f"# {known.title}: {known.citation}",
        f"# from {url}",
        f"# SHA-256 of the file there: {sha256}",
    ]
    lines = [",".join(repr(float(row[name])) for name in known.columns) for row in rows]
    return "\n".join([*head, ",".join(known.columns), *lines]) + "\n"


def _write_file(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text)
    except OSError as error:
        rule = f"out: must be a file that can be written, got {path} ({error.strerror})"
        raise InputError(f"{rule}; choose another with --out") from None
