"""A plug-in that is installed from its own project: a model, a table, quantities and a likelihood more.

Everything is asked of new processes, with the plug-in's folder on their path and without.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "tests" / "plugin_example"
REFERENCE = ROOT / "results" / "reference"
LAB = ("--model", "label-minutes")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the plug-in installed, as uv installs any project; no network is needed."""
    folder = tmp_path_factory.mktemp("plugin")
    shutil.copytree(EXAMPLE, folder / "source")  # building writes beside the sources
    words = ["pip", "install", "--offline", "--no-deps", "--no-build-isolation"]
    where = ["--python", sys.executable, "--target", str(folder / "site"), str(folder / "source")]
    command = ["sh", str(ROOT / ".ci" / "uv"), *words, *where]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """An empty folder to work in, with the reference run among its results."""
    folder = tmp_path_factory.mktemp("place")
    shutil.copytree(REFERENCE, folder / "results" / "reference")
    return folder


def python(place, site, code):
    """What a new process prints as JSON; ``site`` is None where no plug-in is to be found."""
    done = started(place, site, sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def aligntax(place, site, *words):
    return started(place, site, sys.executable, "-m", "aligntax", *words)


def started(place, site, *command):
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    environment.pop("PYTHONPATH", None)
    if site is not None:
        environment["PYTHONPATH"] = str(site)
    return subprocess.run(
        command,
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture(scope="module")
def lab(place, site):
    """A run of the plug-in's model, by its name on the command line."""
    done = aligntax(
        place, site, "run", "label-minutes", "--draws", "1000", "--name", "lab", "--no-report"
    )
    assert done.returncode == 0, done.stderr
    return place / "results" / "lab"


def conjugate(used=("true",)):
    """Mean and standard deviation of the exact posterior of log10 minutes, given some rows."""
    lines = (EXAMPLE / "aligntax_example" / "label_timings.csv").read_text("utf-8").splitlines()
    cells = [row for line in lines if (row := line.split(","))[4:5] and row[4] in used]
    y, se = np.array([[float(row[2]), float(row[3])] for row in cells]).T
    prior_mean, prior_sd = 1.0 / np.log(10), 0.5 / np.log(10)
    precision = prior_sd**-2 + np.sum(se**-2)
    return (prior_mean / prior_sd**2 + np.sum(y / se**2)) / precision, precision**-0.5


# ------------------------------------------------------------------------------- with the plug-in


def test_its_model_has_the_conjugate_answer(place, site, lab):
    """Within four Monte Carlo errors; the control counts a row that is not used."""
    mean, sd = conjugate()
    code = (
        "import json; from aligntax import load; r = load('lab'); from arviz_stats import ess\n"
        "x = r.derived['lab_hours_per_thousand']; import numpy as np\n"
        "print(json.dumps([float(x.mean()), float(x.std(ddof=1)), float(ess(x.values)), r.info['plug_ins']]))"
    )
    got_mean, got_sd, ess, plug_ins = python(place, site, code)
    got_mean -= np.log10(1000 / 60)
    assert abs(got_mean - mean) < 4 * sd / ess**0.5
    assert abs(got_sd - sd) < 4 * sd / (2 * ess) ** 0.5
    assert plug_ins == [{"name": "example", "package": "aligntax-example", "version": "0.1.0"}]
    wrong, _ = conjugate(("true", "false"))
    assert abs(got_mean - wrong) > 8 * sd / ess**0.5
    assert "lab_label_minutes" in (lab / "view.toml").read_text("utf-8")  # the prior that it took


def test_commands_know_the_run_and_the_names(place, site, lab):
    told = aligntax(place, site, "show", "lab")
    assert told.returncode == 0 and "minutes per label" in told.stdout
    assert "label-minutes" in aligntax(place, site, "runs").stdout
    assert "lab_label_minutes" in aligntax(place, site, "view", "show", "default").stdout
    assert "label_timings" in aligntax(place, site, "evidence", "list").stdout
    refitted = aligntax(
        place, site, "refit", "lab", "--set", "lab_label_minutes=1,3,9", "--name", "again"
    )
    assert refitted.returncode == 0, refitted.stderr
    compared = aligntax(place, site, "compare", "lab", "again")
    assert compared.returncode == 0 and "again changes lab_label_minutes" in compared.stdout


STORED = """
import json
from aligntax import load, load_view, refit
from aligntax.analysis.storage.run_folder import RunFolder
run = load("reference")
other = run.view.replace(name="mine", rlhf_multiplier={0.1: 0.05, 0.5: 0.5, 0.9: 5})
again = refit(run, other, name=NAME)
print(json.dumps({
    "views": [load_view(name).hash for name in ("default", "vague", "kwa-2026")],
    "view": run.view.hash, "evidence": run.evidence.hash, "differences": RunFolder(run.path).differences,
    "reason": again.info["refit"], "hash": again.info["view"]["hash"], "quantities": again.record["quantities"],
    "plug_ins": again.info.get("plug_ins", []),
}, sort_keys=True))
"""


def test_a_stored_run_of_the_package_is_the_same_with_and_without_it(place, site):
    """It loads, verifies and refits to the very numbers, and its view and evidence keep their hashes."""
    answers = [
        python(place, where, STORED.replace("NAME", repr(name)))
        for where, name in ((site, "with"), (None, "without"))
    ]
    assert answers[0] == answers[1]
    assert answers[0]["differences"] == [] and answers[0]["plug_ins"] == []
    assert "redrawn" in answers[0]["reason"]["reason"]
    loaded = "import json, sys; from aligntax.models.priors.quantities import ELICITED\nprint(json.dumps(len(ELICITED.added)))"
    assert (
        python(place, site, loaded) == 1 and python(place, None, loaded) == 0
    )  # control: it was at hand


@pytest.mark.parametrize(
    "words", [("--help",), ("runs",), ("show", "reference"), ("run", "--help")], ids=" ".join
)
def test_commands_on_the_packages_own_look_for_no_plug_in(place, site, words):
    shutil.copytree(REFERENCE, place / "own" / "reference", dirs_exist_ok=True)
    out = ("--out", "own") if words[0] in ("runs", "show") else ()
    code = (
        f"import sys; sys.argv = ['aligntax', *{(*words, *out)!r}]\nfrom aligntax.analysis.cli import main\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert stop.code in (None, 0), stop.code\n"
        "from aligntax.models.registry import EXTENSIONS\nimport json\nprint()\n"
        "print(json.dumps([EXTENSIONS.begun, 'aligntax_example' in sys.modules]))"
    )
    assert python(place, site, code) == [False, False]


# ---------------------------------------------------------------------------- without the plug-in


@pytest.mark.parametrize(
    "words",
    [("show", "lab"), ("report", "lab"), ("refit", "lab", "--set", "usd_per_hour=10,20,60")],
    ids=lambda words: words[0],
)
def test_a_run_of_an_absent_plug_in_says_what_to_install(place, lab, words):
    done = aligntax(place, None, *words)
    assert done.returncode == 2
    told = "needs the plug-in example, which is not installed: install aligntax-example 0.1.0"
    assert told in done.stderr.replace("\n", " ")


def test_lists_and_checks_work_without_it(place, lab):
    assert "label-minutes" in aligntax(place, None, "runs").stdout
    assert aligntax(place, None, "verify", "lab").returncode == 0
    assert aligntax(place, None, "show", "lab", "--json").returncode == 0
    done = aligntax(place, None, "index")
    assert done.returncode == 0, done.stderr


def test_its_model_is_unknown_without_it(place):
    done = aligntax(place, None, "run", "label-minutes")
    assert done.returncode == 2 and "got 'label-minutes'; check the spelling" in done.stderr
    assert "plug-ins" not in done.stderr


@pytest.fixture
def broken(tmp_path):
    """A package whose plug-in fails when it is loaded, as an installer leaves it."""
    (tmp_path / "bad.py").write_text("def register():\n    raise OSError('no licence')\n")
    metadata = tmp_path / "bad-2.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: bad\nVersion: 2.0\n")
    (metadata / "entry_points.txt").write_text("[aligntax.plugins]\nworse = bad:register\n")
    return tmp_path


def test_a_broken_plug_in_breaks_nothing_else(place, broken):
    for words in (("--help",), ("runs",), ("show", "reference"), ("verify", "reference")):
        done = aligntax(place, broken, *words)
        assert done.returncode == 0 and "plug-in" not in done.stderr, done.stderr
    done = aligntax(place, broken, "evidence", "list")
    assert done.returncode == 0 and "scaling_exponents" in done.stdout
    told = (
        "aligntax: the plug-in worse of bad 2.0 does not load and is left out: OSError: no licence"
    )
    assert done.stderr.splitlines() == [told]


def test_a_name_of_a_broken_plug_in_is_unknown_with_the_reason(place, broken):
    done = aligntax(place, broken, "run", "label-minutes")
    assert done.returncode == 2
    told = "check the spelling; plug-ins that do not load: worse (OSError: no licence)"
    assert told in " ".join(done.stderr.split())


# -------------------------------------------------------------------------------- in many processes


@pytest.mark.slow
def test_workers_have_the_plug_in(place, site):
    views = ("--set", "lab_label_minutes=1,3,9", "--set", "lab_label_minutes=1,2,4")
    swept = aligntax(
        place, site, "sweep", "default", *views, *LAB, "--workers", "2", "--name", "sw"
    )
    assert swept.returncode == 0, swept.stderr + swept.stdout
    ranks = ("--simulations", "30", "--workers", "2", "--name", "cal")
    calibrated = aligntax(place, site, "calibrate", "label-minutes", *ranks)
    assert calibrated.returncode == 0, calibrated.stderr + calibrated.stdout


BY_HAND = """
import json, sys
sys.path.insert(0, EXAMPLE)
if __name__ == "__main__":
    from aligntax import Sampling, load_view, register_quantity, register_table, run, sweep
    from aligntax_example import HOME, label_minutes
    register_quantity(label_minutes.MINUTES, label_minutes.PRIOR)
    register_quantity(label_minutes.HOURS)
    register_table(label_minutes.TABLE, HOME / "label_timings.csv")
    few = Sampling(draws=400, chains=2)
    result = run(label_minutes.MODEL, name="hand", options=few, report=False)
    views = [load_view("default"), load_view("default").replace(lab_label_minutes={0.1: 1, 0.5: 2, 0.9: 4})]
    swept = sweep(views, model=label_minutes.MODEL, options=few, workers=2, name="hands")
    print(json.dumps([result.info["plug_ins"], swept.info["failures"]]))
"""


@pytest.mark.slow
def test_workers_have_what_a_script_registered(place):
    """And a run of it says, elsewhere, that its model must be registered."""
    (place / "script.py").write_text(BY_HAND.replace("EXAMPLE", repr(str(EXAMPLE))))
    done = started(place, None, sys.executable, "script.py")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [[], []]
    told = aligntax(place, None, "report", "hand")
    assert told.returncode == 2
    assert "needs its model, got no label-minutes; register it" in " ".join(told.stderr.split())


@pytest.mark.slow
def test_the_other_commands_work_with_it(place, site, lab):
    for words in (
        ("report", "lab"),
        ("sensitivity", "lab"),
        ("robustness", "lab"),
        ("loo", "lab"),
        (
            "refit",
            "lab",
            "--method",
            "sample",
            "--set",
            "lab_label_minutes=1,3,9",
            "--name",
            "sampled",
        ),
        ("index",),
    ):
        done = aligntax(place, site, *words)
        assert done.returncode == 0, (words, done.stderr, done.stdout)
