"""Every command has its verb in Python, with its names and defaults; public objects are one screen."""

import inspect
import subprocess
import sys
from dataclasses import fields

import pytest
from typer.main import get_command

import aligntax
from aligntax.analysis.cli import app
from aligntax.analysis.inference.options import Sampling
from aligntax.models.errors import InputError
from tests.analysis.sweeping import QUICK, answer, by, numbered, row
from tests.conftest import REFERENCE

LINES, CHARACTERS = 30, 3500  # of a screen

# The verb of each command that is not called as its command is.
VERBS = {
    "predict-density": "predict_density",
    "density-trials": "density_trials",
    "gold-curves": "gold_curves",
    "view list": "view_names",
    "view show": "load_view",
    "view check": "load_view",  # checks what it reads
    "view diff": "diff_views",
    "view new": "Prior",  # in Python a prior is an object, and View.replace() writes a view
    "view elicit": "Prior",
    "view pool": "pool_views",
    "view from-csv": "read_panel",
    "view from-panel": "read_panel",
    "evidence list": "load_evidence",
    "evidence show": "load_evidence",
    "evidence check": "load_evidence",
    "evidence new": "load_evidence",  # in Python it takes the folder that is filled in
    "evidence fetch": "fetch_evidence",
}
SAMPLER = {field.name for field in fields(Sampling)}
# What a verb takes as an object or does not need: its result prints itself, draws and is asked.
AS_OBJECTS = {
    "as_json", "quiet", "picture", "page", "every",
    "view", "views", "set_", "requirement", "evidence", "runs", "drop", "insist",
    "seeds", "scheduler", "by_expert", "weights", "pool", "moves", "force", "extends",
}  # fmt: skip
RENAMED = {"format_": "format"}
ELSEWHERE = {
    ("sensitivity", "sweep"): "move_prior",
    ("foresee", "since"): "foresee_since",
    ("gold-curves", "out"): "gold_curves",  # returns what the command writes
    ("density-trials", "out"): "density_trials",
    ("gold-curves", "labels"): "gold_curves",  # numbers in place of text
    ("sweep", "resume"): "resume_sweep",
    ("sweep", "report"): "report",  # of the sweep's folder
    ("compare", "out"): "compare",  # takes results and paths
    ("budget", "run"): "budget",  # takes a result
    ("budget", "out"): "budget",
}


def commands(group=None, before=""):
    for name, command in (group or get_command(app)).commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{name} ")
        else:
            yield f"{before}{name}", command


COMMANDS = dict(commands())


def test_every_command_has_its_verb() -> None:
    assert all(hasattr(aligntax, verb) for verb in ELSEWHERE.values())
    for name in COMMANDS:
        verb = VERBS.get(name, name)
        assert verb in aligntax.__all__ and callable(getattr(aligntax, verb)), name
    assert set(VERBS) < set(COMMANDS), "VERBS names a command that is gone"


@pytest.mark.parametrize("name", [n for n in COMMANDS if not n.startswith(("view", "evidence"))])
def test_a_verb_has_the_names_and_defaults_of_its_command(name) -> None:
    verb = inspect.signature(getattr(aligntax, VERBS.get(name, name)))
    for option in COMMANDS[name].params:
        if option.name in AS_OBJECTS | {"help"} or (name, option.name) in ELSEWHERE:
            continue
        called = RENAMED.get(option.name, option.name)
        if option.name in SAMPLER and called not in verb.parameters:
            options = verb.parameters["options"].default
            if name not in ("run", "refit", "sweep"):
                assert getattr(options, called) == option.default, option.name
            continue
        stated = verb.parameters[called]
        if option.required:
            assert stated.default is inspect.Parameter.empty or name == "compare"
        elif stated.default != ():
            assert str(stated.default) == str(option.default), option.name
    assert getattr(aligntax, VERBS.get(name, name)).__doc__


def test_the_defaults_of_sampling_are_those_of_the_command() -> None:
    stated = {option.name: option.default for option in COMMANDS["run"].params}
    for name in SAMPLER:
        assert getattr(Sampling(), name) == stated[name]
    # negative control: a calibration's are others
    calibrating = inspect.signature(aligntax.calibrate).parameters["options"].default
    assert calibrating != Sampling()


def test_completion_shows_the_public_names_and_nothing_else() -> None:
    assert dir(aligntax) == sorted(aligntax.__all__) and "TYPE_CHECKING" not in dir(aligntax)
    code = (
        "import aligntax, rlcompleter; aligntax.load; aligntax.models;"
        "c = rlcompleter.Completer({'aligntax': aligntax});"
        "found = c.attr_matches('aligntax.');"
        "print(*sorted({w.split('.')[1].rstrip('()') for w in found if '.__' not in w}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    public = {name for name in aligntax.__all__ if not name.startswith("__")}
    assert set(done.stdout.split()) == public


def test_importing_the_package_imports_nothing_else() -> None:
    code = (
        "import sys, aligntax; assert not {'numpy', 'typing_extensions', 'rich'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ------------------------------------------------------------------------------------- one screen


def screen(thing) -> str:
    text = repr(thing)
    assert text.count("\n") + 1 < LINES, text
    assert len(text) < CHARACTERS and max(map(len, text.split("\n"))) <= 120, text
    return text


@pytest.fixture(scope="module")
def result():
    return aligntax.load(REFERENCE)


def test_every_public_object_is_one_screen(result, view, tmp_path) -> None:
    wider = aligntax.refit(
        result, result.view.replace(name="more", rlhf_multiplier={0.1: 5, 0.5: 50, 0.9: 500}),
        out=tmp_path, name="more",
    )  # fmt: skip
    assert "InstructGPT" in screen(wider)
    compared = screen(aligntax.compare(result, wider))
    assert "reference, more" in compared and "alignment_hours_needed (log10)" in compared
    assert "tables" in screen(result.evidence)
    assert "default" in screen(result.view)
    for thing in (
        view,
        aligntax.load_view("hilton-2022"),
        aligntax.load_evidence(),
        Sampling(),
        aligntax.Prior.from_quantiles({0.1: 1, 0.5: 2, 0.9: 3}),
        aligntax.Prior.from_samples([float(i) for i in range(1000)]),
        aligntax.budget(result),
        aligntax.shifts(result),
        aligntax.sensitivity(result),
        aligntax.move_prior(result, "rlhf_multiplier=0.1,10,3"),
        aligntax.reproduce("bioanchors", 1000, progress=False),
        result.claims,
        result.weights,
        InputError("an argument: a rule, got a value; a remedy"),
    ):
        screen(thing)


def test_every_study_is_one_screen(view, tmp_path) -> None:
    formula = by(lambda case: answer(case, data_exponent_pooled=row(1.0)))
    found = aligntax.sweep(
        numbered(view, 40), model="scaling", options=QUICK, workers=formula,
        out=tmp_path, name="many",
    )  # fmt: skip
    assert "verdict pass" in screen(found)
    assert screen(aligntax.load_sweep("many", tmp_path)) == screen(found)
    with pytest.raises(InputError, match="sweep: must be a sweep's folder or name"):
        aligntax.load_sweep("none", tmp_path)
    experts = [
        view.replace(name=name, rlhf_multiplier={0.1: 0.05, 0.5: middle, 0.9: 20})
        for name, middle in (("ann", 1), ("bob", 3))
    ]
    screen(aligntax.refit_by_expert(REFERENCE, experts, out=tmp_path, name="both"))
    stream = tmp_path / "stream.txt"
    stream.write_text("01" * 600)
    screen(aligntax.predict_density(stream, 0.5, 0.5))
    screen(aligntax.gold_curves([100, 300], 1, progress=False))
    csv = tmp_path / "runs.csv"
    csv.write_text(
        "parameters,tokens,loss\n"
        + "".join(f"{n}e8,{n % 7 + 1}e10,{3 - n / 100}\n" for n in range(1, 90))
    )
    screen(aligntax.read_runs(csv))


def test_a_large_object_would_not_be_one_screen(result) -> None:
    """Negative control: what dataclasses write by themselves."""
    with pytest.raises(AssertionError):
        screen(dict(result.record))
    with pytest.raises(AssertionError):
        screen({field.name: getattr(result.view, field.name) for field in fields(result.view)})


# ------------------------------------------------------------- a verb answers as its command does


@pytest.mark.parametrize(
    ("words", "verb"),
    [
        (("show",), lambda: aligntax.show(REFERENCE)),
        (("show", "--given", "tai_year<2040"), lambda: aligntax.show(REFERENCE, "tai_year<2040")),
        (("shifts",), lambda: aligntax.shifts(REFERENCE).to_dict()),
        (("sensitivity", "--quantity", "tai_year"), lambda: aligntax.sensitivity(REFERENCE, ["tai_year"]).to_dict()),
        (("sensitivity", "--sweep", "rlhf_multiplier=0.1,10,3"), lambda: aligntax.move_prior(REFERENCE, "rlhf_multiplier=0.1,10,3").to_dict()),
    ],
)  # fmt: skip
def test_a_verb_answers_as_its_command(words, verb, capsys, monkeypatch) -> None:
    import json

    from aligntax.analysis.cli import main

    monkeypatch.setattr(sys, "argv", ["aligntax", words[0], str(REFERENCE), *words[1:], "--json"])
    main_ends(main)
    assert json.loads(json.dumps(verb())) == json.loads(capsys.readouterr().out)


def main_ends(main) -> None:
    try:
        main()
    except SystemExit as stop:
        assert stop.code in (None, 0)


def test_a_list_of_runs_leaves_a_damaged_one_out_with_a_warning(tmp_path) -> None:
    import shutil

    shutil.copytree(REFERENCE, tmp_path / "good")
    assert list(aligntax.runs(tmp_path).index) == ["good"]
    assert aligntax.runs(tmp_path).loc["good", "verdict"] == aligntax.show(REFERENCE)["verdict"]
    assert aligntax.verify("good", out=tmp_path) == []
    assert aligntax.index(tmp_path).name == "index.html"
    shutil.copytree(REFERENCE, tmp_path / "bad")
    (tmp_path / "bad" / "summary.json").write_text("{}")
    with pytest.warns(RuntimeWarning, match="bad"):
        assert list(aligntax.runs(tmp_path).index) == ["good"]
    assert "summary.json: differs" in aligntax.verify("bad", out=tmp_path)[0]
    assert aligntax.runs(tmp_path / "nothing").empty
