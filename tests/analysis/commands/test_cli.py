"""The command line as a person meets it: answers on stdout, talk on stderr, exit codes, one message for a mistake."""

import inspect
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer.main

from aligntax.analysis import cli
from aligntax.analysis.inference.options import Sampling

ROOT = typer.main.get_command(cli.app)


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


# ------------------------------------------------------------------------------------------ reading


def test_show_prints_the_answer(aligntax, run_folder):
    code, out, err = aligntax("show", run_folder)
    assert code == 0 and err == ""
    for words in (
        "How much alignment data is needed?",
        "alignment data needed",
        "TAI arrival",
        "verdict: pass",
        "report.html",
    ):
        assert words in out
    assert "\x1b" not in out  # a pipe gets no colours


def test_show_json_is_the_summary(aligntax, run_folder):
    code, out, _ = aligntax("show", run_folder, "--json")
    assert code == 0 and json.loads(out) == json.loads((run_folder / "summary.json").read_text())


def test_show_all_has_every_quantity(aligntax, run_folder):
    short, long = (aligntax("show", run_folder, *extra)[1] for extra in ((), ("--all",)))
    assert "hazard steepness" in long and "hazard steepness" not in short


def test_show_draws_the_answer_into_a_file(aligntax, run_folder, tmp_path):
    plain = aligntax("show", run_folder)
    code, out, err = aligntax("show", run_folder, "--picture", "answer.png")
    assert (code, out) == plain[:2] and err == "picture: answer.png\n"
    assert (tmp_path / "answer.png").read_bytes().startswith(b"\x89PNG")
    code, out, err = aligntax("show", run_folder, "--picture", "answer.gif")
    assert (code, out) == (2, "") and "must end in .png, .svg or .pdf" in err
    assert files(tmp_path) == ["answer.png"]


@pytest.mark.slow
def test_the_picture_shows_the_draws_that_meet_a_condition(aligntax, run_folder, monkeypatch):
    drawn = []
    saving = "aligntax.analysis.commands.runs.save_picture"
    monkeypatch.setattr(saving, lambda figure, path: drawn.append(figure))
    for given in ((), ("--given", "tai_year<2040")):
        assert aligntax("show", run_folder, "--picture", "x.svg", *given)[0] == 0
    at_2100 = [figure.axes[1].lines[0].get_ydata()[-1] for figure in drawn]
    assert at_2100[0] < 0.9 and at_2100[1] == 1.0


def test_runs_lists_and_names_damaged_ones(aligntax, damaged):
    out = damaged.parent
    code, text, err = aligntax("runs", "--out", out)
    assert code == 0 and "copy" in text and err == ""
    (damaged / "summary.json").write_text("{")
    code, text, err = aligntax("runs", "--out", out)
    assert code == 0 and "summary.json must be JSON" in err


def test_runs_in_an_empty_folder_says_how_to_make_one(aligntax):
    code, out, _ = aligntax("runs")
    assert code == 0 and "aligntax run" in out
    assert json.loads(aligntax("runs", "--json")[1]) == []


def test_verify_says_what_differs(aligntax, damaged):
    assert aligntax("verify", damaged)[0] == 0
    (damaged / "view.toml").write_text("")
    code, out, _ = aligntax("verify", damaged)
    assert code == 1 and "view.toml: differs" in out


@pytest.mark.slow
def test_report_is_drawn_again(aligntax, damaged):
    before = (damaged / "report.html").read_text("utf-8")
    (damaged / "report.html").unlink()
    code, out, _ = aligntax("report", damaged)
    after = Path(out.strip()).read_text("utf-8")
    names = re.findall(r'data-figure="([^"]+)"', after)
    assert code == 0 and names and names == re.findall(r'data-figure="([^"]+)"', before)


def test_view_list_show_and_check(aligntax, tmp_path):
    assert "default" in aligntax("view", "list")[1]
    assert "rlhf_multiplier" in aligntax("view", "show", "default")[1]
    toml = aligntax("view", "show", "default", "--toml")[1]
    (tmp_path / "copy.toml").write_text(toml)
    assert "changes no prior of" in aligntax("view", "check", "copy.toml")[1]
    (tmp_path / "mine.toml").write_text(
        "[quantities.rlhf_multiplier]\nquantiles = {0.1 = 0.1, 0.5 = 3, 0.9 = 100}\n"
    )
    code, out, _ = aligntax("view", "check", "mine.toml")
    assert code == 0 and "rlhf_multiplier" in out and "changes 1 prior of" in out


def test_dates_of_evidence_are_short_on_a_screen_and_whole_in_json(aligntax):
    words = ("evidence", "show", "training_runs")
    rows = json.loads(aligntax(*words, "--json")[1])
    alexnet = next(row for row in rows if row["key"] == "alexnet")
    assert alexnet["date"] == pytest.approx(2012 + 273 / 366)
    out = aligntax(*words)[1]
    assert "2012.75" in out and str(alexnet["date"]) not in out


def test_evidence_list_show_and_check(aligntax):
    assert "scaling_exponents" in aligntax("evidence", "list")[1]
    assert "Porian" in aligntax("evidence", "show", "scaling_exponents")[1]
    used = json.loads(aligntax("evidence", "show", "scaling_exponents", "--used", "--json")[1])
    assert len(used) >= 18 and len({row["independence_group"] for row in used}) >= 12
    code, out, _ = aligntax("evidence", "check")
    assert code == 0 and "valid" in out


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("run",),
        ("show",),
        ("runs",),
        ("report",),
        ("verify",),
        ("view",),
        ("evidence",),
        ("view", "show"),
    ],
)
def test_help_is_there_for_every_command(aligntax, words):
    code, out, _ = aligntax(*words, "--help")
    assert code == 0 and "Usage" in out


def test_version_is_printed_and_needs_no_command(aligntax):
    from importlib.metadata import version

    assert aligntax("--version") == (0, f"aligntax {version('aligntax')}\n", "")


def test_help_lists_commands_in_panels(aligntax):
    code, out, _ = aligntax("--help")
    panels = re.findall(r"^╭─ (.*?) ─+╮$", out, re.MULTILINE)
    assert code == 0
    assert panels == [
        "Options", "Run", "Decide", "Read", "State priors and evidence", "Check", "Theory",
    ]  # fmt: skip


def found(group, *names):
    """Commands below a group, by the words that call them."""
    for name, command in group.commands.items():
        yield (*names, name), command
        if hasattr(command, "commands"):
            yield from found(command, *names, name)


COMMANDS = dict(found(ROOT))


@pytest.mark.parametrize("names", COMMANDS, ids=" ".join)
def test_help_of_a_command_starts_with_a_verb_and_its_example_can_be_typed(names):
    command = COMMANDS[names]
    first = command.help.split()[0].rstrip(",")
    assert first[0].isupper() and first.isalpha() and not first.endswith("s")
    _, *paragraphs = inspect.cleandoc(command.help).split("\n\n")
    for line in "\n".join(paragraphs).splitlines():
        assert len(line) <= 76  # typer keeps their line ends, and must not fold in 80 columns
    examples = re.findall(r"^ *Example: (.*)$", command.help, re.MULTILINE)
    assert hasattr(command, "commands") or len(set(examples)) == len(examples) >= 2
    for example in examples:
        program, *words = shlex.split(example)
        assert program == "aligntax" and tuple(words[: len(names)]) == names
        command.make_context(" ".join(names), words[len(names) :])  # refuses what it does not know


def defaults(*names):
    return {option.name: option.default for option in COMMANDS[names].params}


def test_a_run_samples_by_default_as_the_package_does():
    stated = defaults("run")
    for name in ("draws", "tune", "chains", "seed", "cores", "target_accept", "sampler"):
        assert stated[name] == getattr(Sampling(), name), name


@pytest.mark.parametrize(
    ("command", "stated"),
    [
        ("sweep", {"draws": 1000, "tune": None, "chains": 4, "report": True}),
        ("calibrate", {"draws": 500, "tune": None, "chains": 2, "simulations": 300}),
        ("backtest", {"draws": 500, "tune": None, "chains": 4, "first": 2016, "last": 2024}),
        ("budget", {"confidence": 0.8, "price": None}),
        ("reproduce", {"draws": 100_000}),
        ("predict-density", {"epsilon": 0.01, "delta": 0.01, "levels": None}),
    ],
)
def test_defaults_of_other_commands_are_as_documented(command, stated):
    assert {name: defaults(command)[name] for name in stated} == stated


@pytest.mark.parametrize("names", COMMANDS, ids=" ".join)
def test_every_command_has_the_same_seed_and_folder_by_default(names):
    assert defaults(*names).get("seed", 2022) in (2022, None)
    assert defaults(*names).get("out") in (None, Path("results"))
    assert not {"quiet", "as_json", "force"} & {n for n, value in defaults(*names).items() if value}


# ----------------------------------------------------------------------------------------- mistakes

BAD_VIEWS = {
    "malformed": ("quantiles = {", "must be TOML"),
    "empty": ("", "must not be empty"),
    "unknown quantity": (
        "[quantities.rlhf_multiplyer]\nquantiles = {0.1=1, 0.9=2}",
        "did you mean rlhf_multiplier",
    ),
    "out of order": (
        "[quantities.rlhf_multiplier]\nquantiles = {0.1=3, 0.5=2, 0.9=1}",
        "must increase",
    ),
    "impossible bounds": (
        "[quantities.rlhf_multiplier]\nquantiles = {0.1=1, 0.9=3}\nbounds = [5, 4]",
        "two increasing numbers",
    ),
    "bounds without mass": (
        "[quantities.rlhf_multiplier]\nquantiles = {0.1=1, 0.9=3}\nbounds = [1e9, 1e12]",
        "leave at least 1%",
    ),
    "negative": ("[quantities.usd_per_hour]\nquantiles = {0.1=-1, 0.9=3}", "above 0"),
    "anchors": ("[anchors]\nlifetime = 0.5", "must sum to 1"),
    "crossing with evidence": ('[arrival]\nmode = "crossing"', "crossing has no likelihood"),
    "unknown key": ("[quantites]\n", "has no key"),
}


@pytest.mark.parametrize("case", BAD_VIEWS)
def test_a_bad_view_is_one_clear_message_and_writes_nothing(aligntax, tmp_path, case):
    text, message = BAD_VIEWS[case]
    (tmp_path / "view.toml").write_text(text)
    code, out, err = aligntax("run", "--view", "view.toml")
    assert (code, out) == (2, "")
    assert err.startswith("aligntax: ") and message in err and err.count("\n") == 1
    assert files(tmp_path) == ["view.toml"]


BAD_WORDS = {
    "missing view": (("run", "--view", "nowhere.toml"), "must be a file or one of"),
    "a folder as view": (("run", "--view", "."), "must be a file"),
    "zero draws": (("run", "--draws", 0), "draws: must lie between"),
    "one chain": (("run", "--chains", 1), "chains: must lie between"),
    "negative seed": (("run", "--seed", -1), "seed: must lie between"),
    "no cores": (("run", "--cores", 0), "cores: must be at least 1"),
    "target accept": (("run", "--target-accept", 2), "target_accept: must lie"),
    "unknown model": (("run", "jiont"), "model: must be one of"),
    "bad name": (("run", "--name", "../x"), "name: must be"),
    "set without values": (("run", "--set", "rlhf_multiplier"), "must be quantity=p10,p50,p90"),
    "set with words": (("run", "--set", "rlhf_multiplier=a,b,c"), "a number above 0, got 'a'"),
    "set of two": (("run", "--set", "rlhf_multiplier=1,2"), "must be quantity=p10,p50,p90"),
    "set of a derived quantity": (
        ("run", "--set", "tai_year=2030,2040,2050"),
        "only elicited ones",
    ),
    "missing evidence": (("run", "--evidence", "nowhere"), "nowhere"),
    "evidence without a table": (("evidence", "check", "."), "scaling_exponents"),
    "unknown table": (("evidence", "show", "runs"), "training_runs"),
    "missing run": (("show", "nothing"), "run: must be a run's folder or name"),
    "unwritable folder": (
        ("run", "--out", "/proc/results"),
        "out: must be a folder that can be written",
    ),
}


@pytest.mark.parametrize("case", BAD_WORDS)
def test_a_bad_argument_is_one_clear_message_and_writes_nothing(aligntax, tmp_path, case):
    words, message = BAD_WORDS[case]
    code, out, err = aligntax(*words)
    assert (code, out) == (2, "")
    assert err.startswith("aligntax: ") and message in err and "Traceback" not in err
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    "words", [("rnu",), ("run", "--darws", "3"), ("run", "--draws", "many"), ("show",)]
)
def test_a_typo_is_a_usage_error(aligntax, tmp_path, words):
    code, out, err = aligntax(*words)
    assert code == 2 and out == "" and "Usage" in err and files(tmp_path) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("rnu",), "command: must be one that aligntax has, got 'rnu'; did you mean run?"),
        (("view", "chek"), "command: must be one that aligntax view has, got 'chek'; did you mean check?"),
        (("run", "--darws", "3"), "option: must be one that aligntax run has, got '--darws'; did you mean --draws, --runs?"),
        (("run", "--draws", "many"), "draws: must be a whole number, got 'many'; write for instance 1000"),
        (("run", "--target-accept", "x"), "target_accept: must be a number, got 'x'; write for instance 0.8"),
        (("run", "--draws"), "draws: must have a value, got none"),
        (("show",), "run: must be stated, got nothing; give a run's name, its folder, or latest"),
        (("budget", "--confidence", "viel"), "confidence: must be a number with or without %, got 'viel'"),
    ],
)  # fmt: skip
def test_a_bad_option_is_told_as_every_error(aligntax, words, message):
    code, out, err = aligntax(*words)
    assert code == 2 and out == "" and err.startswith(f"aligntax: {message}")
    assert "╭" not in err and "Input should be" not in err


def test_a_command_group_alone_is_its_help(aligntax):
    for words in ((), ("view",), ("evidence",)):
        code, out, err = aligntax(*words)
        assert code == 2 and "Usage" in out + err and "aligntax: " not in err


def test_an_existing_name_is_refused_and_kept(aligntax, tmp_path):
    (tmp_path / "results" / "mine").mkdir(parents=True)
    code, _, err = aligntax("run", "--name", "mine")
    assert code == 2 and "must be new" in err and files(tmp_path) == ["results", "results/mine"]


def test_a_bad_evidence_row_names_file_line_column_rule_and_value(aligntax, tmp_path):
    from aligntax.models.evidence import TABLES

    columns = [column.name for column in TABLES["algorithmic_progress"].columns]
    (tmp_path / "mine").mkdir()
    row = dict.fromkeys(columns, "") | {"key": "x", "growth": "fast"}
    text = ",".join(columns) + "\n" + ",".join(row[c] for c in columns) + "\n"
    (tmp_path / "mine" / "algorithmic_progress.csv").write_text(text)
    code, _, err = aligntax("run", "--evidence", "mine")
    assert (
        code == 2 and "algorithmic_progress.csv, line 2, column growth" in err and "'fast'" in err
    )


# ---------------------------------------------------------------------------------------- processes


def start(*words, cwd, **kwargs):
    return subprocess.Popen(
        [sys.executable, "-m", "aligntax", *words],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **kwargs,
    )


def test_a_run_end_to_end_in_a_pipe(tmp_path, monkeypatch):
    """A whole run of the smallest model: answer on stdout, nothing on stderr, a folder that shows and verifies."""
    monkeypatch.setenv("COLUMNS", "200")
    words = ("run", "scaling", "--seed", "3", "--name", "mine")
    process = start(*words, cwd=tmp_path)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (0, "")
    assert "data exponent, pooled" in out and "verdict: pass" in out and "report.html" in out
    assert sorted(os.listdir(tmp_path / "results")) == ["mine"]
    page = (tmp_path / "results" / "mine" / "report.html").read_text("utf-8")
    assert 'data-figure="01-data-exponent-of-each-scaling-study"' in page
    assert 'class="broken"' not in page
    info = json.loads((tmp_path / "results" / "mine" / "info.json").read_text())
    assert info["sampler"]["seed"] == 3 and "--seed 3" in info["command"]


def test_interrupting_a_run_leaves_nothing(tmp_path):
    process = start("run", "scaling", "--draws", "100000", cwd=tmp_path)
    deadline = time.monotonic() + 60
    while not (tmp_path / "results").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    # Python ends by the signal itself if it came within code that a library ran from C; a shell
    # tells both as 130.
    assert process.returncode in (130, -signal.SIGINT)
    assert "interrupted, nothing written" in err
    assert files(tmp_path) == []


def test_an_interrupt_that_a_callback_swallows_comes_again(monkeypatch):
    monkeypatch.setattr(cli, "REPEAT_SECONDS", 0.05)
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGALRM)
    swallowed = []
    with pytest.raises(KeyboardInterrupt), cli.repeating_interrupts():
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(10)
        except KeyboardInterrupt:
            swallowed.append(True)
        time.sleep(10)
    assert swallowed == [True]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGALRM)) == before
    time.sleep(0.2)  # nothing comes after the block


def test_a_closed_pipe_is_no_error_to_speak_of(run_folder):
    process = start("show", str(run_folder), "--json", cwd=run_folder)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    process.wait(60)
    assert "Traceback" not in err and "Exception" not in err
