"""``aligntax sweep`` as a person meets it, with workers that answer by a formula: exit codes, mistakes, what is left behind."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.analysis.sweeping import answer

MINE = "[quantities.data_exponent_prior]\nquantiles = {0.1 = 0.7, 0.5 = 0.8, 0.9 = 0.9}\n"


@pytest.fixture
def swept(aligntax, monkeypatch):
    """Run ``aligntax sweep`` on the model scaling; ``formula`` gives a case's answer, or raises."""

    def call(*words, formula=answer, before=lambda lost: None):
        def workers(job, cases, lost, workers):
            before(lost)
            for case in cases:
                yield formula(case)

        monkeypatch.setattr("aligntax.analysis.sweeps.workers.local", workers)
        model = () if "--resume" in words else ("--model", "scaling")
        return aligntax("sweep", *model, *words)

    return call


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def fails(number):
    return lambda case: answer(case, error="no luck" if case.name == f"{number:04d}" else "")


def interrupted(number):
    def formula(case):
        if case.name == f"{number:04d}":
            raise KeyboardInterrupt
        return answer(case)

    return formula


# ------------------------------------------------------------------------------------------ answers


def test_a_sweep_is_answered_listed_shown_and_drawn(swept, aligntax, tmp_path):
    code, out, err = swept("default", "vague", "--seed", 1, "--seed", 2, "--name", "mine")
    assert (code, err) == (0, "") and os.listdir("results") == ["mine"]
    assert (
        "scaling: 2 views under 2 seeds, 4 of 4 cases answered in 0 s\n" in out
        and "verdict: pass" in out
    )
    for path in re.findall(r"(?:results|report): (.*)", out):
        assert Path(path).is_file()
    assert aligntax("show", "mine") == (0, out, "")
    code, text, _ = aligntax("show", "mine", "--json")
    told = json.loads(text)
    assert code == 0 and (told["cases"], told["views"], told["verdict"]) == (4, 2, "pass")
    assert told["answers"]["data_exponent"]["median"] == 1 and told["moves"] == []
    Path("results/mine/report.html").unlink()
    assert "report: " not in aligntax("show", "mine")[1]
    assert aligntax("report", "results/mine") == (0, "results/mine/report.html\n", "")
    page = Path("results/mine/report.html").read_text("utf-8")
    assert page.count('<td class="words" data-label="Verdict"') == 4, "one row per case"
    code, text, _ = aligntax("runs")
    assert (
        code == 0
        and "no runs in results" in text
        and json.loads(aligntax("runs", "--json")[1]) == []
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("show", "mine", "--all"), "run: results/mine is a sweep, got --all, --given or --picture, which are for a run; leave them"),
        (("show", "mine", "--given", "tai_year<2040"), "is a sweep, got --all, --given or --picture"),
        (("show", "mine", "--picture", "answer.png"), "is a sweep, got --all, --given or --picture"),
        (("report", "mine", "--given", "tai_year<2040"), "given: conditions the draws of a run, got 'tai_year<2040' of"),
        (("verify", "mine"), "run: must be a run's folder or name, or latest, got 'mine'"),
        (("compare", "mine", "mine"), "run: must be a run's folder or name, or latest, got 'mine'"),
        (("refit", "mine", "--view", "vague"), "run: must be a run's folder or name, or latest, got 'mine'"),
    ],
)  # fmt: skip
def test_what_a_sweep_is_not_is_one_message(swept, aligntax, words, told):
    swept("--name", "mine", "--no-report")
    code, out, err = aligntax(*words)
    assert (
        (code, out) == (2, "")
        and err.startswith("aligntax: ")
        and told in err
        and err.count("\n") == 1
    )


def test_json_is_the_answer_alone(swept):
    code, out, err = swept(
        "--json", "--no-report", "--name", "mine", "--set", "usd_per_hour=1,2,4", "--keep-draws"
    )
    told = json.loads(out)
    assert (code, err) == (0, "") and told["table"] == "results/mine/answers.csv"
    assert told["keep_draws"] is True and not Path("results/mine/report.html").exists()


def test_a_case_without_an_answer_is_named_and_the_exit_code_is_1(swept, tmp_path):
    code, out, err = swept("default", "--seed", 3, "--seed", 4, "--name", "mine", formula=fails(2))
    assert (code, err) == (1, "") and "no answer: case 0002 (default, seed 4): no luck\n" in out
    assert "1 of 2 cases answered" in out and "verdict: fail" in out
    code, out, _ = swept("--resume", "mine", "--no-report")
    assert (
        code == 0 and "2 of 2 cases answered in 0 s in 2 sittings" in out and "no answer" not in out
    )


def test_nothing_but_failures_is_told_and_drawn(swept):
    seeds = [word for seed in range(12) for word in ("--seed", seed)]
    code, out, err = swept(
        *seeds, "--name", "mine", formula=lambda case: answer(case, error="no luck")
    )
    assert (
        (code, err) == (1, "")
        and "0 of 12 cases answered" in out
        and "and 2 more without an answer" in out
    )
    assert "no luck" in Path("results/mine/report.html").read_text("utf-8")


def test_a_failed_check_is_told(swept):
    code, out, _ = swept("--no-report", formula=lambda case: answer(case, verdict="fail"))
    assert (
        code == 1
        and "checks failed in 1 of 1 case: see cases.csv" in out
        and "no answer" not in out
    )


def test_a_lost_worker_is_told_at_once_and_at_the_end(swept):
    code, out, err = swept("--no-report", before=lambda lost: lost("worker 7 died (SIGKILL)"))
    assert (
        code == 0
        and err == "aligntax: worker 7 died (SIGKILL)\n"
        and "answered in 0 s; 1 worker lost\n" in out
    )


def test_an_interrupted_sweep_says_how_to_go_on(swept):
    words = ("--seed", 1, "--seed", 2, "--seed", 3, "--name", "mine", "--out", "my results")
    code, out, err = swept(*words, formula=interrupted(3))
    again = "aligntax sweep --resume mine --out 'my results'"
    assert (code, out) == (130, "")
    assert err == f"\naligntax: interrupted; what was answered is kept, resume it with: {again}\n"
    code, out, _ = swept(
        "--resume", "mine", "--out", "my results", "--no-report", formula=interrupted(1)
    )
    assert code == 0 and "3 of 3 cases answered" in out


def test_an_interruption_before_anything_is_asked_keeps_nothing(swept, monkeypatch, tmp_path):
    def stop(*words):
        raise KeyboardInterrupt

    monkeypatch.setattr("aligntax.analysis.inputs.view_reader.read_separate_views", stop)
    code, out, err = swept("--name", "mine")
    assert (code, out, err) == (130, "", "\naligntax: interrupted, nothing written\n") and files(
        tmp_path
    ) == []


def test_an_interruption_of_the_report_leaves_the_answers(swept, aligntax, monkeypatch):
    def stop(*words):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("aligntax.analysis.pages.sweep.write_page", stop)
        code, _, err = swept("--name", "mine")
    told = "the answers are in results/mine, draw their report with: aligntax report results/mine"
    assert (code, err) == (130, f"\naligntax: interrupted; {told}\n")
    assert aligntax("report", "results/mine")[0] == 0


# ----------------------------------------------------------------------------------------- mistakes

WRONG = {
    "no workers": (("--workers", 0), "workers: must lie between 1 and 1024, got 0; one a core is best"),
    "too many workers": (("--workers", 1025), "workers: must lie between 1 and 1024, got 1025"),
    "both": (("--workers", 2, "--scheduler", "x"), "workers: are those of the cluster with --scheduler, got 2; leave one"),
    "nothing to resume": (("--resume", "nothing"), "resume: must be a sweep in results, got 'nothing'; see `ls -a results`"),
    "a hidden name": (("--resume", "../x"), "name: must be letters, digits, dots, dashes or underscores, and begin with a letter or digit, got '../x'"),
    "resumed otherwise": (
        ("--resume", "x", "default", "--draws", 5, "--set", "usd_per_hour=1,2,4"),
        "resume: asks what the sweep was asked, got draws, set, views too; leave it out",
    ),
    "empty folder": (("empty",), "view: empty must hold views (TOML), got none; start from `aligntax view new`"),
    "no view": (("nothing.toml",), "view: must be a file or one of"),
    "same seeds": (("--seed", 1, "--seed", 1), "seed: must differ, got 1, 1; leave the repeated out"),
    "no seed": (("--seed", -1), "seed: must lie between 0 and 4294967295, got -1"),
    "same priors": (
        ("--set", "usd_per_hour=1,2,4", "--set", "usd_per_hour=1,2,4.0"),
        "set: alternatives of usd_per_hour must differ, got 1/2/4 twice; leave one out",
    ),
    "no prior": (("--set", "usd_per_hour"), "set: must be quantity=p10,p50,p90 with three numbers, got 'usd_per_hour'"),
    "loss law": (("--model", "loss-law"), "model: a sweep has no training runs of a user's, which loss-law is fitted to, got"),
    "no model": (("--model", "jiont"), "model: must be one of joint"),
    "draws": (("--draws", 0), "draws: must lie between"),
    "name": (("--name", "a b"), "name: must be letters"),
    "evidence": (("--evidence", "nowhere"), "nowhere"),
    "place": (("--out", "/proc/results"), "out: must be a folder that can be written, got /proc/results"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_is_one_message_and_nothing_is_written(aligntax, tmp_path, case):
    words, told = WRONG[case]
    (tmp_path / "empty").mkdir()
    code, out, err = aligntax("sweep", *words)
    assert (
        (code, out) == (2, "")
        and err.startswith("aligntax: ")
        and told in err
        and err.count("\n") == 1
    )
    assert files(tmp_path) == ["empty"]


def test_bad_views_are_listed_up_to_ten(aligntax, tmp_path):
    (tmp_path / "views").mkdir()
    for i in range(13):
        text = "[quantities.usd_per_hour]\nquantiles = {0.1 = 3, 0.5 = 2, 0.9 = 1}\n" if i else MINE
        (tmp_path / "views" / f"v{i:02d}.toml").write_text(text)
    code, out, err = aligntax("sweep", "views")
    lines = err.splitlines()
    assert (code, out) == (2, "") and len(lines) == 11 and lines[-1] == "and 2 more"
    assert all(
        f"v{i:02d}.toml" in line and "must increase" in line for i, line in enumerate(lines[:-1], 1)
    )
    assert not (tmp_path / "results").exists()


def test_a_scheduler_that_is_not_there_is_told_in_bounded_time(aligntax, monkeypatch, tmp_path):
    pytest.importorskip("distributed", reason="needs Dask: the extra `dask`")
    monkeypatch.setattr("aligntax.analysis.sweeps.workers.PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    started = time.monotonic()
    code, out, err = aligntax("sweep", "--scheduler", address)
    assert (code, out) == (2, "") and time.monotonic() - started < 30
    told = f"aligntax: scheduler: must be the address of a Dask scheduler, got '{address}' ("
    assert (
        err.startswith(told) and err.endswith("; see `dask scheduler`\n") and files(tmp_path) == []
    )
    code, _, err = aligntax("sweep", "--scheduler", "no address")
    assert code == 2 and "got 'no address' (" in err and files(tmp_path) == []


def test_a_cluster_needs_dask(aligntax, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "distributed", None)
    code, _, err = aligntax("sweep", "--scheduler", "tcp://127.0.0.1:1")
    told = "scheduler: needs Dask, which is not installed; install aligntax[dask], or leave --scheduler out"
    assert (code, err) == (2, f"aligntax: {told}\n") and files(tmp_path) == []


def test_help_tells_every_default(aligntax):
    code, out, _ = aligntax("sweep", "--help")
    defaults = re.findall(r"\[default: \(?([^\])]+)", " ".join(out.replace("│", " ").split()))
    assert code == 0 and {
        "default",
        "2022",
        "joint",
        "one per core",
        "1000",
        "100 of hmc, 400 of nuts",
        "4",
        "the model's",
        "results",
    } <= set(defaults)


# ---------------------------------------------------------------------------------------- processes


@pytest.mark.slow
def test_ctrl_c_of_a_terminal_reaches_all_and_is_one_message(tmp_path):
    """The signal goes to the workers too, while they are still importing."""
    words = (
        sys.executable,
        "-m",
        "aligntax",
        "sweep",
        "--model",
        "scaling",
        "--workers",
        "2",
        "--name",
        "mine",
    )
    seeds = ("--seed", "1", "--seed", "2")
    with subprocess.Popen(
        [*words, *seeds],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        journal, deadline = (
            tmp_path / "results" / ".mine.sweep" / "answers.jsonl",
            time.monotonic() + 60,
        )
        while not journal.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.5)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    again = "resume it with: aligntax sweep --resume mine --out results"
    assert (process.returncode, out) == (130, "")
    assert err == f"\naligntax: interrupted; what was answered is kept, {again}\n"
    assert journal.exists()
