"""What hostile input is given to, and what must hold: one clear error or an answer, nothing written elsewhere, no code run.

An input is *refused* with :class:`aligntax.models.errors.InputError` or an exit code of 1 or 2
after one message, or *taken*. Anything else that is raised is a defect.
"""

import contextlib
import hashlib
import io
import json
import random
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.mutations import spoilt, words_spoilt

__all__ = ["TARGETS", "Place", "Reply"]

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "results" / "reference"
CODES = (0, 1, 2)


@dataclass(frozen=True)
class Reply:
    """How an input was met.

    Attributes
    ----------
    outcome : {"taken", "refused"}
    said : str
    """

    outcome: str
    said: str = ""


@dataclass(frozen=True)
class Place:
    """Where a process works: a folder that it may write to, and seeds of valid input.

    Attributes
    ----------
    folder : Path
    seeds : mapping of str to list of bytes
        Valid input, by target.
    """

    folder: Path
    seeds: Mapping[str, list[bytes]]

    @classmethod
    def of(cls, folder: Path) -> "Place":
        """Make the files that targets start from."""
        views = [path.read_bytes() for path in sorted((ROOT / "models" / "views").glob("*.toml"))]
        tables = sorted((ROOT / "models" / "evidence").glob("*.csv"))
        shutil.copytree(REFERENCE, folder / "results" / "reference")
        (folder / "view.toml").write_text(
            "[quantities.wage]\nquantiles = {0.1 = 10, 0.5 = 20, 0.9 = 60}\n", "utf-8"
        )
        return cls(
            folder,
            {
                "view": views,
                "evidence": [path.name.encode() + b"\n" + path.read_bytes() for path in tables],
            },
        )


def _called(words: list[str]) -> Reply:
    """A command in this process."""
    from aligntax.analysis.cli import main

    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["aligntax", *words]
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    said = err.getvalue()
    if code not in CODES:
        raise AssertionError(f"exit code {code}")
    if "Traceback" in said:
        raise AssertionError(said[-2000:])
    if code and not said.strip():
        said = out.getvalue()  # help, or what a check found
    if "\x1b" in said.replace("\x1b[0m", "") or "\x1b]" in out.getvalue():
        raise AssertionError(f"an escape sequence reaches the terminal: {said[-300:]!r}")
    return Reply("taken" if code == 0 else "refused", said)


def view(place: Place, rng: random.Random) -> Reply:
    """A view file, and the tables of priors that it states."""
    from aligntax.analysis.inputs.view_reader import read_view
    from aligntax.models.errors import InputError

    path = place.folder / "hostile.toml"
    # short ones lie on top of the default
    content = rng.choice(SHORT if rng.random() < 0.5 else place.seeds["view"])
    path.write_bytes(spoilt(rng, content))
    try:
        found = read_view(str(path))
        found.tables(tuple(found.quantities)[:3])
    except InputError as error:
        return Reply("refused", str(error))
    return Reply("taken")


SHORT = (
    b'[quantities.wage]\nquantiles = {0.1 = 10, 0.5 = 20, 0.9 = 60}\nunit = "USD/hour"\n',
    b'[quantities.alignment_tax_tolerance]\nfamily = "uniform"\nlower = 0.1\nupper = 0.2\n',
    b"[quantities.data_exponent_prior]\nhistogram = {edges = [0.5, 0.8, 1.0], weights = [1, 2]}\n",
    b'[quantities.rlhf_multiplier]\nsamples = {file = "draws.csv", column = "x"}\n',
    b"[quantities.rlhf_multiplier]\nmixture = [{weight = 0.5, point = 3.0}, {weight = 0.5, quantiles = {0.1 = 1, 0.9 = 9}}]\n",
    b'extends = "hilton-2022"\n[anchors]\ngenome = 0.5\nnone = 0.5\n[arrival]\nhorizon = 2100\n',
    b'evidence = ["scaling_exponents"]\n[correlations]\n"wage,overhead" = 0.3\n',
)


def evidence(place: Place, rng: random.Random) -> Reply:
    """A folder of evidence in which one table is spoilt."""
    from aligntax.analysis.inputs.view_reader import read_evidence
    from aligntax.models.errors import InputError

    folder = place.folder / "evidence"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    name, _, content = rng.choice(place.seeds["evidence"]).partition(b"\n")
    ending = rng.choice((".csv", ".csv", ".add.csv"))
    (folder / f"{name.decode().removesuffix('.csv')}{ending}").write_bytes(spoilt(rng, content))
    try:
        read_evidence(str(folder))
    except InputError as error:
        return Reply("refused", str(error))
    return Reply("taken")


RUNS = b"parameters,tokens,loss,corpus\n" + b"".join(
    f"{1e8 * 1.7**i:.4g},{2e9 * 1.9**j:.4g},{1.8 + 400 / (1e8 * 1.7**i) ** 0.34 + 410 / (2e9 * 1.9**j) ** 0.28:.5f},a\n".encode()
    for i in range(4)
    for j in range(3)
)
CURVES = b"run,kl,gold,labels,policy_parameters\n" + b"".join(
    f"r{run},{kl},{0.5 * kl**0.5 - 0.05 * run * kl:.3f},{1000 * (run + 1)},3e9\n".encode()
    for run in range(2)
    for kl in range(1, 9)
)
PANEL = b"forecaster_id,question,quantile,forecast,weight\n" + b"".join(
    f"F{i},{name},{level},{value * (1 + i)},{1 + i}\n".encode()
    for i in range(3)
    for name, values in (("wage", (10, 20, 60)), ("Tax tolerance", (0.01, 0.05, 0.2)))
    for level, value in zip((0.1, 0.5, 0.9), values, strict=True)
)


def runs(place: Place, rng: random.Random) -> Reply:
    """A user's own training runs, gold curves, or a panel of experts."""
    from aligntax.analysis.inputs.expert_table import read_panel
    from aligntax.analysis.inputs.gold_data import read_curves
    from aligntax.analysis.inputs.loss_runs import read_runs
    from aligntax.models.errors import InputError

    path = place.folder / "runs.csv"
    read, content = rng.choice(((read_runs, RUNS), (read_curves, CURVES), (read_panel, PANEL)))
    path.write_bytes(spoilt(rng, content))
    try:
        read(path)
    except InputError as error:
        return Reply("refused", str(error))
    return Reply("taken")


SETTINGS = (
    "wage=10,20,60",
    "data_exponent_prior=0.6,0.8,1.0",
    "alignment_tax_tolerance=1%,5%,20%",
    "spend_cap=1e10,1e11,1e12",
)
WEIGHTS = ("1,2,3", "0.5,0.5", "1")
REQUIREMENTS = ("bioanchors", "mixture", "user")


def settings(place: Place, rng: random.Random) -> Reply:
    """Short texts of the command line: priors, weights, requirements."""
    from aligntax.analysis.inputs.view_reader import parse_set, parse_weights, read_views
    from aligntax.models.errors import InputError

    def text(choices: tuple[str, ...]) -> str:
        return spoilt(rng, rng.choice(choices).encode()).decode("utf-8", "surrogateescape")

    try:
        kind = rng.randrange(4)
        if kind == 0:
            parse_set(text(SETTINGS))
        elif kind == 1:
            parse_weights(text(WEIGHTS), rng.randrange(1, 4))
        elif kind == 2:
            read_views(["default"], [], text(REQUIREMENTS))
        else:
            read_views(["default"], [text(SETTINGS)])
    except InputError as error:
        return Reply("refused", str(error))
    return Reply("taken")


GIVEN = (
    "tai_year<2040",
    "alignment_tax<1% and tai_year>=2030",
    "prob_affordable==1",
    "data_exponent>0.8",
)


def given(place: Place, rng: random.Random) -> Reply:
    """A condition over quantities of a run."""
    from aligntax.analysis.answers.condition import apply_condition
    from aligntax.models.errors import InputError

    result = _reference(place)
    text = spoilt(rng, rng.choice(GIVEN).encode()).decode("utf-8", "surrogateescape")
    try:
        apply_condition(text, result.derived, result.weights)
    except InputError as error:
        return Reply("refused", str(error))
    return Reply("taken")


_LOADED: dict[Path, object] = {}


def _reference(place: Place):
    from aligntax.analysis.storage.load import load

    if place.folder not in _LOADED:
        _LOADED[place.folder] = load("reference", place.folder / "results")
    return _LOADED[place.folder]


COMMANDS = (
    ["--help"],
    ["runs"],
    ["runs", "--json"],
    ["show", "reference"],
    ["show", "reference", "--json"],
    ["show", "reference", "--all"],
    ["verify", "reference"],
    ["view", "list"],
    ["view", "show", "default"],
    ["view", "check", "view.toml"],
    ["view", "diff", "default", "view.toml"],
    ["evidence", "list"],
    ["evidence", "show", "scaling_exponents"],
    ["run", "scaling", "--draws", "none"],
    ["run", "scaling", "--set", "wage=1,2", "--view", "view.toml"],
    ["refit", "reference", "--set", "wage=3,2,1"],
    ["calibrate", "scaling", "--simulations", "2"],
    ["backtest", "--from", "2030", "--to", "2010"],
    ["sweep", "view.toml", "--draws", "0"],
    ["loo", "nobody"],
    ["robustness", "nobody"],
    ["report", "nobody"],
    ["compare", "reference"],
    ["budget", "nobody"],
)
SLOW = {
    "run",
    "refit",
    "calibrate",
    "backtest",
    "sweep",
    "loo",
    "robustness",
    "reproduce",
    "density-trials",
    "gold-curves",
    "sensitivity",
    "elicit",
    "fetch",
    "predict-density",
    "index",
    "report",
    "compare",
}


def command(place: Place, rng: random.Random) -> Reply:
    """A command line. One that would work for long is given something that it must refuse."""
    words = words_spoilt(rng, rng.choice(COMMANDS))
    if SLOW & set(words) and "--help" not in words:
        words += ["--no-such-option"]
    return _called(words)


FILES = ("summary.json", "info.json", "view.toml", "summary.csv", "posterior.nc")
LOOK = (
    ["show", "hostile"],
    ["runs"],
    ["verify", "hostile"],
    ["show", "hostile", "--json"],
    ["show", "hostile", "--given", "tai_year<2040"],
)


def results(place: Place, rng: random.Random) -> Reply:
    """The folder of a run: spoilt, cut, swapped, linked, absurd; often with hashes that agree, as its maker would see to."""
    home = place.folder / "results" / "hostile"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    for name in FILES:
        shutil.copy(REFERENCE / name, home / name)
    chosen = rng.choices(FILES, (5, 5, 3, 2, 3))[0]
    path, kind = home / chosen, rng.randrange(10)
    if kind < 6:
        path.write_bytes(spoilt(rng, path.read_bytes()))
    elif kind == 6:
        path.unlink()
    elif kind == 7:
        path.unlink()
        path.symlink_to(
            rng.choice(
                ("/etc/passwd", str(home), chosen, "/dev/zero", str(place.folder / "nothing"))
            )
        )
    elif kind == 8:
        shutil.copy(home / rng.choice(FILES), home / "swap")
        (home / "swap").replace(path)
    else:
        path.write_bytes(rng.choice(ABSURD))
    if rng.random() < 0.6:
        _agree(home)
    return _called([*rng.choice(LOOK), "--out", str(place.folder / "results")])


ABSURD = (b"", b"[" * 200_000, b"{}", b"null", b"1e999", b'{"format": 1}', b'"' * 100, b"\x89HDF\r\n\x1a\n" + b"\x00" * 512,
          b'{"format": 1, "quantities": ' + b"[" * 5000 + b"]" * 5000 + b"}")  # fmt: skip


def _agree(home: Path) -> None:
    """Hashes of the files as they are now, where ``info.json`` can still be read."""
    if not (home / "info.json").is_file():
        return
    try:
        info = json.loads((home / "info.json").read_text("utf-8"))
        info["files"] = {
            name: hashlib.sha256((home / name).read_bytes()).hexdigest()
            for name in FILES
            if name != "info.json" and (home / name).is_file() and not (home / name).is_symlink()
        }
        (home / "info.json").write_text(json.dumps(info), "utf-8")
    except (OSError, ValueError, TypeError, RecursionError):
        return


def journals(place: Place, rng: random.Random) -> Reply:
    """What a sweep or a calibration has written, finished or not."""
    from aligntax.analysis.storage.journal import read_journal
    from aligntax.analysis.sweeps.sweep import Sweep
    from aligntax.analysis.trust.calibration.study import Calibration
    from aligntax.models.errors import InputError

    folder = place.folder / "results" / "sweep"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    content = json.dumps(
        {"format": 1, "model": {"name": "scaling"}, "evidence": {}, "sampler": {}, "cases": [], "keep_draws": False, "view": {},
         "control": "none", "simulations": 2, "seed": 1, "sweep": "sweep", "verdict": "pass", "failures": [], "lost": []}
    ).encode()  # fmt: skip
    line = b'{"case": "000001", "seed": 5, "error": "", "attempts": 1, "divergences": 0, "ranks": {"a": 3}}\n'
    kind = rng.randrange(4)
    try:
        if kind == 0:
            (folder / "answers.jsonl").write_bytes(spoilt(rng, line * 3))
            read_journal(folder / "answers.jsonl", "sweep", lambda each, begins: each["case"])
        elif kind == 1:
            (folder / "calibration.json").write_bytes(spoilt(rng, content))
            Calibration.load(folder)
        else:
            (folder / "sweep.json").write_bytes(spoilt(rng, content))
            Sweep.load(folder)
    except InputError as error:
        return Reply("refused", str(error))
    return Reply("taken")


Target = Callable[[Place, random.Random], Reply]
TARGETS: Mapping[str, tuple[Target, float]] = {
    "view": (view, 0.2),
    "evidence": (evidence, 0.15),
    "runs": (runs, 0.15),
    "settings": (settings, 0.15),
    "given": (given, 0.1),
    "command": (command, 0.1),
    "results": (results, 0.1),
    "journals": (journals, 0.05),
}
"""Each target and its share of the inputs."""
