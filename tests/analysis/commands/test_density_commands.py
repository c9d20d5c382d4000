"""``predict-density`` and ``density-trials`` as a person meets them; the trials as a model."""

import io
import json
import math
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aligntax.models.evidence as package
from aligntax.analysis.answers.sensitivity import with_sensitivity
from aligntax.analysis.experiments.density_prediction import (
    Symbols,
    count_in_words,
    count_levels,
    guarantees,
    percentage,
    predict,
    trials_table,
)
from aligntax.analysis.figures.density_prediction import failures, has_trials, nearest
from aligntax.analysis.fitting.outcome import conclude_fit, write_outcome
from aligntax.analysis.inference.compiled_model import compile_model
from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.pages.report import write_report
from aligntax.analysis.storage.unfinished import new_folder
from aligntax.models.catalogue import find_model
from aligntax.models.density_prediction import trials as density_trials
from aligntax.models.density_prediction.theorem import Claim
from aligntax.models.errors import InputError
from aligntax.models.evidence import load_evidence
from aligntax.models.views import load_view
from tests.models.density_prediction.test_trials import few

FIELDS = ["zeros", "start", "length", "epsilon", "delta", "correct"]


@pytest.fixture
def piped(aligntax, monkeypatch):
    """``piped(content, *words)``: the command with bytes on standard input."""

    def call(content, *words):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))
        return aligntax("predict-density", "-", *words)

    return call


@pytest.fixture
def fair(tmp_path):
    """A file of 4096 fair symbols."""
    bits = np.random.default_rng(3).integers(2, size=4096).astype(np.uint8) + ord("0")
    path = tmp_path / "fair.txt"
    path.write_bytes(bits.tobytes())
    return path


# --------------------------------------------------------------------------------------- the answer


def test_the_answer_says_what_the_length_supports_then_predicts_then_tells(aligntax, fair):
    code, out, err = aligntax("predict-density", fair, "--epsilon", 0.5, "--delta", 0.25)
    lines = out.splitlines()
    assert (code, err, len(lines)) == (0, "", 6)
    assert lines[0] == "12 levels, 4,096 symbols"
    assert lines[1] == "  within 50%: with probability of at least 66.67% (delta 0.3333)"
    assert lines[2] == "  with probability 75%: within 57.74% (epsilon 0.5774)"
    assert (
        lines[3] == "  within 50% with probability 75%: takes 16 levels, a stream of 2^16 symbols"
    )
    said = r"the next [\d,]+ symbols? (is|are) [\d.]+% zeros \(within 50% with probability of at least 66.67%\)"
    assert re.fullmatch(said, lines[4])
    assert re.fullmatch(r"(right|wrong): [\d.]+% zeros came, [\d.]+% off", lines[5])


def test_one_per_cent_twice_is_not_supported_by_any_file_and_the_answer_says_so(aligntax, fair):
    _, out, _ = aligntax("predict-density", fair)
    assert (
        out.count("nothing is guaranteed") == 2
        and "takes 1,000,000 levels, a stream of 2^1000000 symbols" in out
    )
    assert "zeros (within 1% not guaranteed)" in out


@pytest.mark.parametrize("seed", range(8))
def test_json_is_the_prediction_checked_by_hand(aligntax, fair, seed):
    code, out, err = aligntax("predict-density", fair, "--seed", seed, "--epsilon", 0.3, "--json")
    found, bits = json.loads(out), fair.read_bytes()
    assert (code, err, list(found)) == (0, "", FIELDS)
    start, length = found["start"], found["length"]
    before, after = (bits[a : a + length].count(b"0") / length for a in (start - length, start))
    assert length & (length - 1) == 0 and start % (2 * length) == length
    assert found["zeros"] == before and found["correct"] is (abs(before - after) <= 0.3)
    assert (found["epsilon"], found["delta"]) == (0.3, pytest.approx(1 / (12 * 0.3**2)))


def test_a_wrong_prediction_is_a_result(aligntax, tmp_path):
    (tmp_path / "made").write_text("01")
    code, out, _ = aligntax("predict-density", "made")
    assert code == 0 and out.endswith(
        "the next 1 symbol is 100% zeros (within 1% not guaranteed)\nwrong: 0% zeros came, 100% off\n"
    )


def test_a_pipe_and_a_file_with_the_same_levels_agree(aligntax, piped, fair):
    for seed in range(5):
        own = aligntax("predict-density", fair, "--seed", seed, "--json")
        assert own == piped(fair.read_bytes(), "--levels", 12, "--seed", seed, "--json")
        assert own == aligntax("predict-density", fair, "--levels", 12, "--seed", seed, "--json")


def test_another_seed_is_another_place(aligntax, fair):
    places = {aligntax("predict-density", fair, "--seed", seed, "--json")[1] for seed in range(12)}
    assert len(places) > 6


def test_what_follows_the_stopping_time_does_not_change_the_statement(aligntax, fair, tmp_path):
    found = json.loads(aligntax("predict-density", fair, "--seed", 4, "--json")[1])
    bits = fair.read_bytes()
    (tmp_path / "other").write_bytes(bits[: found["start"]] + b"1" * (len(bits) - found["start"]))
    again = json.loads(aligntax("predict-density", "other", "--seed", 4, "--json")[1])
    assert {**again, "correct": None} == {**found, "correct": None} and again["correct"] is False


def test_a_stream_that_ends_first_is_neither_right_nor_wrong(piped, fair):
    found = json.loads(piped(fair.read_bytes(), "--levels", 12, "--json")[1])
    short = fair.read_bytes()[: found["start"] + found["length"] - 1]
    code, out, _ = piped(short, "--levels", 12, "--json")
    assert code == 0 and json.loads(out) == {**found, "correct": None}
    assert piped(short, "--levels", 12)[1].endswith(
        "the stream ended before them: neither right nor wrong\n"
    )


# --------------------------------------------------------------------------------------- the stream


class Dribble:
    """A stream that gives pieces of stated sizes, and what was asked for is remembered."""

    def __init__(self, content, sizes):
        self.content, self.sizes, self.given = content, list(sizes), 0

    def read1(self, size=-1, /):
        most = min(size, self.sizes.pop(0) if self.sizes else size)
        piece = self.content[self.given : self.given + most]
        self.given += len(piece)
        return piece


SPACES = st.lists(
    st.sampled_from(["", "", " ", "\n", "\t", "\r\n", "\v\f  "]), min_size=64, max_size=64
)


@given(
    st.text("01", min_size=64, max_size=64),
    SPACES,
    st.lists(st.integers(1, 9), max_size=200),
    st.integers(0, 99),
)
def test_pieces_and_white_space_change_nothing_and_nothing_is_read_ahead(bits, spaces, sizes, seed):
    spread = "".join(space + bit for space, bit in zip(spaces, bits, strict=True))
    claim, told = Claim(6, 0.25), []
    plain = predict(Symbols(io.BytesIO(bits.encode()), "plain"), claim, seed, lambda made: None)
    stream = Dribble(spread.encode(), sizes)

    def tell(made):
        told.append((made, sum(character in "01" for character in spread[: stream.given])))

    assert predict(Symbols(stream, "spread"), claim, seed, tell) == plain
    ((made, read),) = told
    assert read == made.start == plain.start and made.correct is None
    assert (
        sum(character in "01" for character in spread[: stream.given]) == plain.start + plain.length
    )


@given(
    st.text("01 \n", max_size=60),
    st.sampled_from("2x-\0\xe9"),
    st.lists(st.integers(1, 7), max_size=40),
)
def test_anything_else_is_refused_with_its_place(before, wrong, sizes):
    content = before.encode() + wrong.encode("latin-1") + b"01"
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    with pytest.raises(
        InputError, match=f"x, line {line}, column {column}: a symbol must be 0 or 1, got "
    ):
        count_levels(Symbols(Dribble(content, sizes), "x"))


@pytest.mark.parametrize("size", [2, 3, 4, 7, 8, 1000, 1024])
def test_levels_of_a_length_are_the_most_that_fit(size):
    levels = count_levels(Symbols(io.BytesIO(b"0" * size), "x"))
    assert 2**levels <= size < 2 ** (levels + 1)


def test_reading_keeps_three_counts(fair):
    """What a reader of symbols remembers does not grow either."""
    symbols = Symbols(io.BytesIO(fair.read_bytes() * 50), "x")
    while symbols.read(1000):
        pass
    assert {name for name in vars(symbols) if name not in ("stream", "name")} == {"lines", "column"}


# ----------------------------------------------------------------------------------------- mistakes

BAD_FILES = {
    "empty": (b"", "must have at least 2 symbols, got 0"),
    "white space": (b" \n\n", "must have at least 2 symbols, got 0"),
    "one symbol": (b"0\n", "must have at least 2 symbols, got 1"),
    "binary": (bytes(range(256)), r"line 1, column 1: a symbol must be 0 or 1, got '\x00'"),
    "a digit too high": (b"0101\n0121\n", "line 2, column 3: a symbol must be 0 or 1, got '2'"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_one_clear_message(aligntax, tmp_path, case):
    content, message = BAD_FILES[case]
    (tmp_path / "x").write_bytes(content)
    code, out, err = aligntax("predict-density", "x")
    assert (
        (code, out) == (2, "")
        and message in err
        and err.startswith("aligntax: x")
        and err.count("\n") == 1
    )


BAD_WORDS = {
    "missing": (
        ("nowhere",),
        "file: must be a file of symbols, got 'nowhere' (No such file or directory)",
    ),
    "a folder": ((".",), "got the folder '.'"),
    "a pipe without levels": (("-",), "levels: must be given for a pipe"),
    "a device without levels": ((os.devnull,), "levels: must be given for a pipe"),
    "epsilon": (("x", "--epsilon", 0), "epsilon: must lie between 0 and 1, got 0.0"),
    "delta": (("x", "--delta", "nan"), "delta: must lie between 0 and 1, got nan"),
    "seed": (("x", "--seed", -1), "seed: must lie between"),
    "no levels": (("x", "--levels", 0), "levels: must lie between 1 and 10000000, got 0"),
    "endless levels": (("x", "--levels", 10**12), "levels: must lie between"),
    "levels of another stream": (("x", "--levels", 300), "must have more than 2^"),
}


@pytest.mark.parametrize("case", BAD_WORDS)
def test_a_bad_argument_is_one_clear_message(aligntax, tmp_path, case):
    (tmp_path / "x").write_text("0101")
    words, message = BAD_WORDS[case]
    code, out, err = aligntax("predict-density", *words)
    assert code == 2 and message in err and "Traceback" not in err and err.count("\n") == 1
    assert "the next" not in out


def test_levels_too_many_for_a_pipe_say_how_many_fit(piped):
    code, out, err = piped(b"01" * 32, "--levels", 1000)
    assert code == 2 and "the next" not in out
    assert "got 64; all 1,000 levels ask for 2^1000; its length allows --levels 6" in err
    assert "allows" not in piped(b"", "--levels", 9)[2]


# ---------------------------------------------------------------------------------------- processes


def start(*words, **kwargs):
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(
        [sys.executable, "-m", "aligntax", "predict-density", *words], **pipes, **kwargs
    )


@pytest.fixture
def asked(piped):
    """Place of the prediction for seed 2022 on four levels."""
    return json.loads(piped(b"01" * 8, "--levels", 4, "--json")[1])


def test_the_statement_is_out_before_the_next_symbol_exists(asked):
    """Symbols up to the stopping time and no more are written; the statement must arrive while the pipe stays open."""
    process = start("-", "--levels", "4")
    process.stdin.write(b"0" * asked["start"])
    process.stdin.flush()
    lines = [process.stdout.readline() for _ in range(5)]  # would wait for ever if the program did
    assert (
        lines[4].startswith(f"the next {asked['length']} symbol".encode())
        and b"100% zeros" in lines[4]
    )
    out, err = process.communicate(b"0" * asked["length"], timeout=60)
    assert (process.returncode, out, err) == (0, b"right: 100% zeros came, 0% off\n", b"")


def test_an_interrupt_is_no_traceback(asked):
    process = start("-", "--levels", "4")
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and b"Traceback" not in err and b"interrupted" in err


def test_a_closed_pipe_is_no_traceback(fair):
    process = start(str(fair))
    process.stdout.close()
    err = process.stderr.read()
    process.stdin.close()
    process.stderr.close()
    process.wait(60)
    assert b"Traceback" not in err and b"Exception" not in err


def test_predicting_imports_nothing_slow(fair):
    code = (
        "import sys; from aligntax.analysis.cli import main\nsys.argv = ['aligntax', 'predict-density', sys.argv[1], '--json']\n"
        "try: main()\nexcept SystemExit: pass\nprint(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(fair)], capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert (
        not loaded & {"pymc", "pytensor", "xarray", "scipy", "matplotlib", "nutpie"}
        and "numpy" in loaded
    )


# -------------------------------------------------------------------------------------------- words


def test_shares_keep_apart_from_certainty():
    assert [percentage(x) for x in (0.5, 0.99, 1 / 3, 1 - 1e-9, 1.0)] == [
        "50%",
        "99%",
        "33.33%",
        "99.9999999%",
        "100%",
    ]


def test_large_counts_are_powers():
    assert [count_in_words(n) for n in (7, 4096, 2**80, 2**80 + 1)] == [
        "7",
        "4,096",
        "2^80",
        "more than 2^80",
    ]


def test_tiny_shares_ask_for_levels_that_no_memory_holds():
    assert (
        "takes 1,000,000,000,000,000,000,000,000,000 levels" in guarantees(Claim(3, 1e-9), 1e-9)[2]
    )


# ------------------------------------------------------------------------------- trials as evidence


@pytest.mark.slow
def test_the_command_reproduces_the_stored_trials():
    stored = (Path(package.__file__).parent / "density_trials.csv").read_text("utf-8")
    assert trials_table(2022) == stored


def test_trials_are_written_once(aligntax, tmp_path, monkeypatch):
    monkeypatch.setattr("aligntax.analysis.experiments.density_prediction.TRIALS", 1000)
    monkeypatch.setattr(
        "aligntax.analysis.experiments.density_prediction.trials_table",
        lambda seed: trials_table(seed, 1000),
    )
    assert aligntax("density-trials", "--out", "t.csv", "--seed", 5)[:2] == (0, "t.csv\n")
    made = (tmp_path / "t.csv").read_text()
    assert "--seed 5`" in made and len(made.splitlines()) == 4 + 1 + 8 + 6
    assert aligntax("density-trials", "--out", "t.csv")[0] == 2
    assert aligntax("density-trials", "--out", "t.csv", "--seed", 6, "--force")[0] == 0
    assert (tmp_path / "t.csv").read_text() != made


def test_written_trials_can_be_used_as_evidence(tmp_path):
    (tmp_path / "density_trials.csv").write_text(trials_table(9, 500))
    rows = load_evidence(tmp_path)["density_trials"]
    assert rows.sizes == {"density_trial": 14} and (rows["trials"].values == 500).all()


@pytest.fixture(scope="session")
def trial_run(tmp_path_factory):
    """A run of ``density-prediction`` on the stored trials."""
    model, options = find_model("density-prediction"), Sampling(seed=1)
    fit = compile_model(model, load_evidence(), load_view("default")).sample(options)
    with new_folder(tmp_path_factory.mktemp("trials"), "run") as place:
        result = write_outcome(
            place.folder, with_sensitivity(conclude_fit(fit, options, {})), "run"
        )
        page = write_report(result, strict=True).read_text("utf-8")
        assert 'data-figure="01-how-often-a-prediction-of-density"' in page
        yield result


@pytest.mark.slow
def test_the_posterior_finds_the_trials_and_the_bound(trial_run):
    rows, table = trial_run.record["quantities"], load_evidence()["density_trials"]
    assert trial_run.record["verdict"] == "pass"
    for key, failed, count in zip(
        *(table[c].values for c in ("density_trial", "failures", "trials")), strict=True
    ):
        row = rows[f"failure_probability[{key}]"]
        if failed:
            assert row["q50"] == pytest.approx(failed / count, abs=3 * math.sqrt(failed) / count)
            assert row["sd"] == pytest.approx(math.sqrt(failed) / count, rel=0.1)
        else:
            assert row["q95"] < 3 / count  # the rule of three
    assert 0.0095 < rows["worst_failure"]["q50"] < 0.01 and rows["worst_within_bound"]["mean"] > 0.9
    assert has_trials(trial_run) and nearest(trial_run)[0] in (
        "guessed",
        "late",
        "evenly",
        "nearly tight",
        "informed",
    )
    names = [text.get_text() for text in failures(trial_run).axes[0].get_yticklabels()]
    assert "informed, 10k levels" in names and len(names) == 14


@pytest.mark.slow
def test_a_program_that_fails_too_often_is_found_out():
    """Negative control: with twice the failures that the bound allows, no draw is within it."""
    rows = few((10_000, 0.1, 20_000, 400), (10_000, 0.1, 20_000, 150), (10_000, 0.1, 20_000, 3))
    evidence, view = load_evidence().with_rows("density_trials", rows), load_view("default")
    posterior, _ = compile_model(find_model("density-prediction"), evidence, view).posterior(
        Sampling(draws=400, chains=2)
    )
    assert density_trials.derive({}, posterior, evidence, view)["worst_within_bound"].mean() < 0.01
