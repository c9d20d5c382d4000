"""``aligntax view``: from an empty folder to a checked view, by a person, a pipe or a script; and whatever can be wrong."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tomli_w
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aligntax.analysis.cli import main
from aligntax.analysis.commands.next_steps import next_commands
from aligntax.analysis.inputs.view_reader import parse_weights, read_samples, read_view
from aligntax.analysis.inputs.view_writer import rounded_texts
from aligntax.analysis.storage.whole_file import save_user_file
from aligntax.models.catalogue import MODELS
from aligntax.models.errors import InputError
from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.quantities import ELICITED, lookup
from aligntax.models.priors.specification import KINDS
from aligntax.models.views import load_view, parse_view, view_names

WIDE = "[quantities.rlhf_multiplier]\nquantiles = {0.1 = 0.1, 0.5 = 3, 0.9 = 100}\n"


def files(folder):
    return sorted(p.name for p in folder.iterdir())


# ------------------------------------------------------------------------------------ list and show


def test_list_shows_every_view_and_show_every_quantity(aligntax):
    out = aligntax("view", "list")[1]
    assert all(name in out for name in view_names())
    shown = aligntax("view", "show", "default")[1]
    assert all(name in shown for name in ELICITED)


# ---------------------------------------------------------------------------------------------- new


def test_new_writes_a_view_that_is_valid_as_it_is_and_says_what_is_next(aligntax, tmp_path, view):
    code, out, err = aligntax("view", "new")
    assert (code, out) == (0, "") and files(tmp_path) == ["mine.toml"]
    assert err.splitlines()[-3:] == [
        "  aligntax view check mine.toml",
        "  aligntax run --view mine.toml --name mine",
        "  aligntax report mine",
    ]
    assert read_view("mine.toml").hash == view.hash
    code, out, err = aligntax("view", "check", "mine.toml")
    assert code == 0 and "changes no prior of" in out and "nothing differs" in err


def uncommented(text, name):
    """What a person does: remove the '# ' before a quantity's four lines."""
    lines = text.splitlines()
    at = lines.index(f"# [quantities.{name}]")
    return "\n".join(
        line.removeprefix("# ") if at <= i < at + 4 else line for i, line in enumerate(lines)
    )


@pytest.mark.parametrize("name", sorted(ELICITED))
def test_the_starting_values_of_every_quantity_are_its_own_prior(aligntax, view, name):
    aligntax("view", "new", "mine.toml", "--quantity", name)
    text = Path("mine.toml").read_text()
    assert lookup(name).meaning in text and (lookup(name).unit == "1" or lookup(name).unit in text)
    Path("mine.toml").write_text(uncommented(text, name))
    mine = read_view("mine.toml").stated([name]).table(name)
    was = view.stated([name]).table(name)
    spread = float(was.value(1.28) - was.value(-1.28))
    np.testing.assert_allclose(
        mine.value([-1.2816, 0, 1.2816]), was.value([-1.2816, 0, 1.2816]), atol=0.02 * spread
    )


@pytest.mark.parametrize("name", ["rlhf_multiplier", "spend_growth", "alignment_compute_share"])
def test_every_other_way_in_the_template_is_valid_where_it_is_put_in(aligntax, tmp_path, name):
    aligntax("view", "new", "-", "--quantity", name)
    text = aligntax("view", "new", "-", "--quantity", name)[1]
    ways = [line.removeprefix("#   ") for line in text.splitlines() if line.startswith("#   ")]
    kinds = {w.split(" ")[0]: i for i, w in enumerate(ways) if w.split(" ")[0] in KINDS}
    assert set(kinds) == {"family", "histogram", "samples", "point", "mixture"}
    assert "log_pool or quantile_pool" in text
    np.savetxt("draws.csv", np.linspace(0.1, 0.4, 30), header=name, comments="")
    for kind, at in kinds.items():
        lines = ways[at : at + 3] if kind == "family" else [ways[at]]
        Path("mine.toml").write_text(f"[quantities.{name}]\n" + "\n".join(lines))
        code, out, err = aligntax("view", "check", "mine.toml")
        assert code == 0 and "changes 1 prior of" in out, (kind, err)
    tail = (
        text[text.index("# [[correlations]]") :]
        .replace("# Weights", "## W")
        .replace("# What", "## W")
    )
    Path("mine.toml").write_text(
        "\n".join(line.removeprefix("# ") for line in tail.splitlines() if line != "#")
    )
    assert aligntax("view", "check", "mine.toml")[0] == 0


def test_new_never_replaces_a_file_unless_forced(aligntax, tmp_path):
    (tmp_path / "mine.toml").write_text("precious")
    code, _, err = aligntax("view", "new")
    assert code == 2 and "which exists" in err and "--force" in err
    assert (tmp_path / "mine.toml").read_text() == "precious"
    assert aligntax("view", "new", "--force")[0] == 0
    assert (tmp_path / "mine.toml").read_text() != "precious"


def test_new_to_standard_output_writes_no_file(aligntax, tmp_path):
    code, out, _ = aligntax("view", "new", "-")
    assert code == 0 and parse_view(out, "x").name == "x" and files(tmp_path) == []


def test_new_extends_another_file_from_where_it_stands(aligntax, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "base.toml").write_text(WIDE)
    assert aligntax("view", "new", "sub/mine.toml", "--extends", "base.toml")[0] == 0
    assert 'extends = "../base.toml"' in (tmp_path / "sub" / "mine.toml").read_text()
    assert read_view("sub/mine.toml").hash == read_view("base.toml").hash


BAD_NEW = {
    "unknown quantity": (("--quantity", "rlhf_multiplyer"), "did you mean rlhf_multiplier"),
    "derived quantity": (("--quantity", "tai_year"), "must be an elicited one"),
    "unknown parent": (("--extends", "nobody"), "must be a file or one of"),
    "a folder that is not there": (("no/where.toml",), "folder that can be written"),
    "a folder": ((".",), "must be a file, got the folder"),
}


@pytest.mark.parametrize("case", BAD_NEW)
@pytest.mark.parametrize("command", ["new", "elicit"])
def test_a_bad_argument_is_said_before_anything_is_asked_or_written(
    aligntax, tmp_path, case, command
):
    words, message = BAD_NEW[case]
    code, out, err = aligntax("view", command, *words, answers=[])
    assert (
        (code, out) == (2, "") and message in err and err.count("\n") == 1 and files(tmp_path) == []
    )


def test_a_view_of_another_model_is_answered_by_that_model(tmp_path):
    """The joint model has no label error: refitting a joint run would answer nothing."""
    assert next_commands("mine.toml", tmp_path, True, ["label_error"])[0] == (
        "aligntax run outer-alignment --view mine.toml --name mine"
    )
    for name, model in (("old", "outer-alignment"), ("new", "joint")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "summary.json").write_text(summary_of(model))
        (tmp_path / name / "info.json").write_text(info_of(model))
    refit = next_commands("mine.toml", tmp_path, True, ["label_error"])[0]
    assert refit == "aligntax refit old --view mine.toml --name mine"
    joint = next_commands("mine.toml", tmp_path, True, ["rlhf_multiplier"])[0]
    assert joint == "aligntax refit new --view mine.toml --name mine"


def summary_of(model):
    parts = {"run": "a", "model": model, "view": "default", "method": "sample", "verdict": "pass"}
    return json.dumps({"format": 2, **parts, "checks": [], "claims": {}, "quantities": {}})


def info_of(model):
    made = {"format": 2, "model": {"name": model, "version": MODELS[model].version}}
    parts = {"created": "2026-05-01T10:00:00+00:00", "prior_only": [], "horizon": 2100.0}
    return json.dumps({**made, **parts, "view": {}, "sampler": {}, "files": {}})


def test_the_next_commands_refit_the_newest_joint_run_where_there_is_one(tmp_path, run_folder):
    assert (
        next_commands("my view.toml", tmp_path)[1]
        == "aligntax run --view 'my view.toml' --name my-view"
    )
    out = run_folder.parent
    refit = next_commands("mine.toml", out)[1]
    assert refit == f"aligntax refit {run_folder.name} --view mine.toml --name mine"
    again = next_commands(f"{run_folder.name}.toml", out)[1]  # that name is taken
    assert again.endswith(f"--name {run_folder.name}-2")


@pytest.mark.slow
def test_a_first_time_user_follows_the_commands_to_a_refitted_report(
    aligntax, tmp_path, run_folder
):
    """Types nothing but what the commands print, and three numbers."""
    out = ("--out", str(run_folder.parent))
    _, _, err = aligntax("view", "new", *out)
    check, refit, report = (shlex.split(line) for line in err.splitlines()[-3:])
    text = uncommented(Path("mine.toml").read_text(), "rlhf_multiplier")
    Path("mine.toml").write_text(
        re.sub(r"quantiles = .*", "quantiles = {0.1 = 0.5, 0.5 = 2, 0.9 = 8}", text, count=1)
    )
    code, _, err = aligntax(*check[1:], *out)
    assert code == 0 and [shlex.split(line) for line in err.splitlines()[-2:]] == [refit, report]
    code, answer, _ = aligntax(*refit[1:], *out)
    assert code == 0 and "verdict: pass" in answer
    code, path, _ = aligntax(*report[1:], *out)
    page = Path(path.strip()).read_text("utf-8")
    assert code == 0 and "mine" in page and 'data-figure="01-' in page


# -------------------------------------------------------------------------------------------- check


def test_check_holds_each_stated_quantile_against_the_prior(aligntax, tmp_path):
    (tmp_path / "mine.toml").write_text(WIDE)
    code, out, err = aligntax("view", "check", "mine.toml")
    assert code == 0 and "at most 100" in out and "90.0%" in out and "warning" not in err
    assert err.splitlines()[0] == "next:" and "aligntax run --view mine.toml" in err
    assert "\x1b" not in out + err


def test_check_warns_and_stays_good(aligntax, tmp_path):
    (tmp_path / "mine.toml").write_text(
        "[quantities.spend_growth]\nquantiles = {0.1 = 0.1, 0.5 = 0.2, 0.51 = 0.5, 0.9 = 0.6}\nbounds = [0.15, 1]\n"
    )
    code, _, err = aligntax("view", "check", "mine.toml")
    lines = [line for line in err.splitlines() if line.startswith("aligntax: warning: ")]
    assert code == 0
    assert any("its bounds condition it" in line for line in lines)
    assert any("nearer than" in line for line in lines)


def test_check_refuses_what_run_would(aligntax, tmp_path):
    """Plain crossing has no likelihood for the absence of TAI; without that evidence it is valid."""
    view = '[arrival]\nmode = "crossing"\n'
    (tmp_path / "mine.toml").write_text(view)
    code, out, err = aligntax("view", "check", "mine.toml")
    assert (code, out) == (2, "") and "crossing has no likelihood for no_tai" in err
    (tmp_path / "mine.toml").write_text(view + '[evidence]\nuse = "none"\n')
    assert aligntax("view", "check", "mine.toml")[0] == 0


def test_check_json_has_statements_and_warnings(aligntax, tmp_path):
    (tmp_path / "mine.toml").write_text(WIDE)
    code, out, _ = aligntax("view", "check", "mine.toml", "--json")
    record = json.loads(out)
    assert code == 0 and record["hash"] == read_view("mine.toml").hash and record["warnings"] == []
    (row,) = record["quantities"]
    assert row["quantity"] == "rlhf_multiplier" and row["q50"] == pytest.approx(3.0)
    assert [s["probability"] for s in row["stated"]] == [0.1, 0.5, 0.9]
    assert all(abs(s["fitted"] - s["probability"]) < 1e-4 for s in row["stated"])


RICH = """
name = "rich $x_1$"
[quantities.rlhf_multiplier]
histogram = {edges = [0.01, 1, 100], weights = [1, 3]}
[quantities.alignment_tax_tolerance]
mixture = [{quantiles = {0.1 = 0.1, 0.5 = 1, 0.9 = 3}, unit = "percent"}, {point = 0.2}]
[quantities.alignment_compute_share]
quantiles = {0.1 = 0.1, 0.5 = 1, 0.9 = 3}
unit = "percent"
[quantities.usd_per_hour]
point = 30
[quantities.spend_growth]
quantiles = {0.1 = 10, 0.5 = 30, 0.9 = 80}
unit = "percent/year"
bounds = [0, 200]
[quantities.data_exponent_prior]
log_pool = [{quantiles = {0.1 = 0.5, 0.5 = 0.8, 0.9 = 1.1}}, {family = "normal", mu = 0.9, sigma = 0.1, bounds = [0.2, 2]}]
[[correlations]]
between = ["spend_growth", "hardware_growth"]
rho = 0.4
[anchors]
none = 0.5
user = 0.5
"""


@pytest.mark.parametrize(
    ("ending", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("PDF", b"%PDF")]
)
def test_a_picture_is_drawn_of_the_changed_priors(aligntax, tmp_path, ending, start):
    (tmp_path / "mine.toml").write_text(RICH)
    code, _, err = aligntax("view", "check", "mine.toml", "--picture", f"look.{ending}")
    assert code == 0 and f"picture: look.{ending}" in err
    assert (tmp_path / f"look.{ending}").read_bytes().startswith(start)
    assert files(tmp_path) == [f"look.{ending}", "mine.toml"]


def test_the_picture_has_a_panel_a_quantity_and_a_dot_a_stated_quantile(tmp_path, view):
    from aligntax.analysis.figures.view import prior_densities

    mine = parse_view(RICH, "mine.toml")
    names = ("spend_growth", "rlhf_multiplier", "usd_per_hour", "alignment_compute_share")
    figure = prior_densities(mine, view, names)
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.axison]
    assert titles == [
        "spend growth (OOM/year)",
        "RLHF multiplier (x)",
        "wage (USD/hour)",
        "alignment compute share",
    ]
    dots = [
        [line for line in axes.lines if line.get_marker() == "o" and len(line.get_xdata())]
        for axes in figure.axes
    ]
    assert [len(each) for each in dots] == [3, 0, 0, 3]
    share = figure.axes[3]
    assert [float(line.get_xdata()[0]) for line in dots[3]] == pytest.approx(
        [np.log(p / (1 - p)) for p in (0.001, 0.01, 0.03)]
    )
    assert "1%" in [label.get_text() for label in share.get_xticklabels()]
    # a density integrates to one, less what lies beyond the axis or is cut
    for axes in figure.axes[:4]:
        x, density = axes.lines[1].get_data()
        assert np.sum(density) * (x[1] - x[0]) == pytest.approx(1.0, abs=0.03)


def test_a_picture_of_another_kind_or_place_is_refused(aligntax, tmp_path):
    (tmp_path / "mine.toml").write_text(WIDE)
    for name, message in (
        ("x.gif", "must end in .png, .svg or .pdf"),
        ("no/x.svg", "no must be a folder"),
    ):
        code, out, err = aligntax("view", "check", "mine.toml", "--picture", name)
        assert (code, out) == (2, "") and message in err
    assert files(tmp_path) == ["mine.toml"]


# --------------------------------------------------------------------------------------------- diff


def test_diff_shows_what_differs_side_by_side(aligntax, tmp_path):
    (tmp_path / "rich.toml").write_text(RICH)
    code, out, err = aligntax("view", "diff", "default", "rich.toml")
    assert code == 0 and err == ""
    for words in (
        "usd_per_hour",
        "anchors.user",
        "rho of spend_growth and hardware_growth",
        "rich $x_1$",
        "OOM",
    ):
        assert words in out
    assert "spend_level" not in out and "arrival.horizon" not in out


def test_diff_json_has_the_shift_in_oom_and_the_ratio_of_widths(aligntax, tmp_path):
    one, other = (
        f"[quantities.rlhf_multiplier]\nfamily = 'normal'\nunit = 'OOM'\nmu = {m}\nsigma = {s}\n"
        for m, s in ((0, 1), (2, 0.5))
    )
    (tmp_path / "one.toml").write_text(one)
    (tmp_path / "other.toml").write_text(
        other + "[arrival]\nhorizon = 2080\n[evidence]\nuse = 'none'\n"
    )
    record = json.loads(aligntax("view", "diff", "one.toml", "other.toml", "--json")[1])
    (row,) = record["quantities"]
    assert row["median_shift"] == pytest.approx(2.0) and row["width_ratio"] == pytest.approx(0.5)
    assert row["first"]["q50"] == pytest.approx(1.0) and row["second"]["q50"] == pytest.approx(
        100.0
    )
    assert record["settings"] == {"arrival.horizon": [2100.0, 2080.0]}
    assert [each["use"] for each in record["evidence"]] == ["all", "none"]
    assert record["anchors"] == {} and record["correlations"] == []


def test_diff_of_a_view_with_itself_is_nothing(aligntax):
    assert "state the same" in aligntax("view", "diff", "default", "default")[1]


# --------------------------------------------------------------------------------------------- pool


@pytest.mark.parametrize("method", ["linear", "log", "quantile"])
def test_pool_writes_a_view_that_reads_as_what_was_pooled(aligntax, tmp_path, method):
    from aligntax.models.views.pooling import pool_views

    (tmp_path / "ann.toml").write_text(WIDE)
    code, out, err = aligntax(
        "view", "pool", "ann.toml", "default", "--weights", "3,1", "--method", method
    )
    assert code == 0 and err == ""
    expected = pool_views([read_view("ann.toml"), load_view("default")], (3, 1), method)
    assert parse_view(out, "pool.toml").hash == expected.hash
    code, out, err = aligntax(
        "view",
        "pool",
        "ann.toml",
        "default",
        "--weights",
        "3,1",
        "--method",
        method,
        "-f",
        "both.toml",
    )
    assert (code, out) == (0, "") and "aligntax view check both.toml" in err
    assert read_view("both.toml").hash == expected.hash and read_view("both.toml").name == "both"
    assert aligntax("view", "check", "both.toml")[0] == 0


BAD_POOL = {
    "one view": (("default",), "two or more, got 1"),
    "weights": (("default", "default", "--weights", "1"), "must be 2 numbers"),
    "words": (("default", "default", "--weights", "a,b"), "must be 2 numbers"),
    "negative": (("default", "default", "--weights", "2,-1"), "not negative"),
    "method": (("default", "default", "--method", "best"), "must be linear, log, quantile"),
    "missing": (("default", "nobody.toml"), "must be a file or one of"),
}


@pytest.mark.parametrize("case", BAD_POOL)
def test_a_bad_pool_is_one_message(aligntax, tmp_path, case):
    words, message = BAD_POOL[case]
    code, out, err = aligntax("view", "pool", *words)
    assert (
        (code, out) == (2, "") and message in err and err.count("\n") == 1 and files(tmp_path) == []
    )


def test_weights_are_read_or_left_out():
    assert parse_weights(None, 3) is None
    assert parse_weights(" 2, 1e1 ,0", 3) == [2.0, 10.0, 0.0]


# -------------------------------------------------------------------------------------------- files


def test_a_view_extends_a_view_that_extends_a_view(aligntax, tmp_path):
    (tmp_path / "a.toml").write_text(WIDE)
    (tmp_path / "b.toml").write_text('extends = "a.toml"\n[quantities.usd_per_hour]\npoint = 30\n')
    (tmp_path / "c.toml").write_text('extends = "b.toml"\n[anchors]\nuser = 1.0\n')
    mine, base = read_view(str(tmp_path / "c.toml")), read_view(str(tmp_path / "a.toml"))
    assert mine.quantities["rlhf_multiplier"] == base.quantities["rlhf_multiplier"]
    assert mine.quantities["usd_per_hour"] == {"point": 30.0} and mine.anchors["user"] == 1.0


def test_views_in_a_circle_are_an_error(aligntax, tmp_path):
    (tmp_path / "a.toml").write_text('extends = "b.toml"\n')
    (tmp_path / "b.toml").write_text('extends = "a.toml"\n')
    code, _, err = aligntax("view", "check", "a.toml")
    assert code == 2 and "extends must end in a view of the package" in err and err.count("\n") == 1


CSV = {  # what -> content, words of the message
    "empty": (b"", ("must have a header and rows",)),
    "header alone": (b"hours\n", ("20 to 10000", "got 0")),
    "no header": (b"1\n2\n3\n", ("line 1 must name the column", "'1'")),
    "a word": (b"hours\n1\n2\nmany\n", ("line 4, column hours", "finite number", "'many'")),
    "an empty cell": (b"hours,x\n1,1\n,2\n", ("line 3, column hours", "finite number", "''")),
    "a short row": (b"x,hours\n1,1\n2\n", ("line 3, column hours", "finite number")),
    "NaN": (b"hours\n1\nnan\n", ("line 3, column hours", "'nan'")),
    "infinity": (b"hours\n1\n1e999\n", ("line 3, column hours", "'1e999'")),
    "another column": (b"days\n1\n2\n", ("column 'hours' is not there", "days")),
    "a column twice": (b"hours,hours\n1,2\n", ("column 'hours' is there twice",)),
    "not UTF-8": (b"hours\n\xff\xfe\n", ("must be UTF-8",)),
    "a quote that never ends": (b'hours\n"1\n2\n', ("must be CSV", "hours")),
    "null bytes": (b"hours\n1\x00\n", ("draws.csv",)),
    "too many rows": (b"hours\n" + b"1\n" * 1_000_001, ("at most 1000000 rows",)),
    "too large": (b"hours\n" + b"1" * 10_000_001, ("smaller than 10000000 bytes",)),
    "too few": (b"hours\n" + b"1\n2\n3\n" * 5, ("20 to 10000", "15")),
    "one value": (b"hours\n" + b"7\n" * 30, ("three distinct",)),
    "outside the range": (b"hours\n" + b"1\n2\n3\n" * 10 + b"-1\n", ("above 0", "-1")),
}


@pytest.mark.parametrize("case", CSV)
def test_a_bad_csv_is_one_message_with_its_place(aligntax, tmp_path, case):
    content, words = CSV[case]
    (tmp_path / "draws.csv").write_bytes(content)
    (tmp_path / "mine.toml").write_text(
        '[quantities.practice_hours]\nsamples = {file = "draws.csv", column = "hours"}\n'
    )
    code, out, err = aligntax("view", "check", "mine.toml")
    assert (
        (code, out) == (2, "")
        and err.startswith("aligntax: mine.toml: practice_hours: ")
        and err.count("\n") == 1
    )
    for word in words:
        assert word in err


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ('"nowhere.csv"', "must be in a file"),
        ('"."', "must be in a file"),
        ('"two.csv"', "say which"),
        ("{column = 'x'}", "a file and a column"),
        ("{file = 'two.csv', columns = 'x'}", "a file and a column"),
        ("{file = 3}", "a file and a column"),
        ('"a\\u0000b"', "must be"),
    ],
)
def test_a_bad_reference_to_samples_is_one_message(aligntax, tmp_path, stated, message):
    (tmp_path / "two.csv").write_text("x,y\n1,2\n")
    (tmp_path / "mine.toml").write_text(f"[quantities.practice_hours]\nsamples = {stated}\n")
    code, _, err = aligntax("view", "check", "mine.toml")
    assert code == 2 and message in err and err.count("\n") == 1


def test_samples_are_read_beside_the_view_and_stored_in_it(aligntax, tmp_path):
    drawn = np.random.default_rng(5).lognormal(9, 1, 500)
    (tmp_path / "sub").mkdir()
    np.savetxt(tmp_path / "sub" / "one.csv", drawn, header="hours", comments="")
    (tmp_path / "sub" / "two.csv").write_text(
        "id,hours\r\n" + "".join(f"{i},{x:.17g}\r\n" for i, x in enumerate(drawn)), "utf-8-sig"
    )
    hashes = []
    for stated in ('"one.csv"', '{file = "one.csv"}', '{file = "one.csv", column = "hours"}'):
        (tmp_path / "sub" / "mine.toml").write_text(
            f"[quantities.practice_hours]\nsamples = {stated}\n"
        )
        mine = read_view("sub/mine.toml")
        hashes.append(mine.hash)
        assert parse_view(mine.to_toml(), "again.toml").hash == mine.hash
        assert 10 ** compile_prior("practice_hours", mine.quantities["practice_hours"]).value(
            0.0
        ) == pytest.approx(np.median(drawn), rel=1e-3)
    assert len(set(hashes)) == 1
    np.testing.assert_allclose(read_samples(tmp_path / "sub" / "two.csv", "hours", "q"), drawn)
    (tmp_path / "sub" / "pool.toml").write_text(
        '[quantities.practice_hours]\nmixture = [{samples = "one.csv"}, {point = 20000}]\n'
    )
    assert (
        len(read_view("sub/pool.toml").quantities["practice_hours"]["mixture"][0]["samples"]) == 500
    )


def test_saving_is_whole_or_not_at_all(tmp_path, monkeypatch):
    target = tmp_path / "x.toml"
    save_user_file(target, "first", force=False)
    with pytest.raises(InputError, match="which exists"):
        save_user_file(target, "second", force=False)

    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(InputError, match="No space left"):
        save_user_file(target, "second", force=True)
    assert target.read_text() == "first" and files(tmp_path) == ["x.toml"]


@pytest.mark.parametrize(("values", "texts"), [
    ((0.052345, 1.0, 19.12), ["0.0523", "1", "19.1"]), ((2e18, 1e-7, 300), ["2e18", "1e-07".replace("07", "7"), "300"]),
    ((1.00001, 1.00002, 1.00003), ["1.00001", "1.00002", "1.00003"]),
])  # fmt: skip
def test_numbers_are_rounded_as_a_person_would_but_kept_apart(values, texts):
    assert rounded_texts(values) == texts


# ------------------------------------------------------------------- 2,000 documents that are wrong

WHOLE = load_view("default").to_toml()
VALID = (
    WIDE,
    RICH,
    WHOLE,
    'extends = "default"\n[evidence]\nuse = ["training_runs", "no_tai"]\nuntil = 2022-07-01\n',
)
HAZARDS = st.sampled_from(
    ["nan", "inf", "-inf", "-1", "0", "1e400", "1e-400", "9" * 400, "9" * 5000, "true", '"text"', "''", "[]", "{}", "[1, 2]",
     "{a = 1}", "[[[[1]]]]", "2020-01-01", "2020-13-45", "0x", "1__0", '"\\u0000"', '"\U0001f600"', '"""', "[" * 300, "{a=" * 60,
     "a" + ".a" * 3000, "é", "\x00", "\\"]
)  # fmt: skip
KEYS = st.sampled_from(
    ["quantiles", "family", "histogram", "samples", "point", "mixture", "log_pool", "quantile_pool", "unit", "bounds", "weight",
     "extends", "anchors", "quantities", "correlations", "between", "rho", "evidence", "until", "arrival", "mode", "horizon", "x",
     "edges", "weights", "mu", "sigma", "rlhf_multiplier", "name", "file", "column"]
)  # fmt: skip
TOKEN = re.compile(r"[-+\w.]+|\"[^\"\n]*\"")


@st.composite
def mutated(draw):
    """A valid document after one to three blows."""
    lines = draw(st.sampled_from(VALID)).splitlines()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        kind = draw(
            st.sampled_from(["value", "key", "delete", "repeat", "swap", "cut", "insert", "token"])
        )
        if kind == "value" and "=" in lines[at]:
            lines[at] = lines[at].split("=")[0] + "= " + draw(HAZARDS)
        elif kind == "key":
            lines[at] = draw(KEYS) + " = " + lines[at].partition("=")[2]
        elif kind == "delete" and len(lines) > 1:
            del lines[at]
        elif kind == "repeat":
            lines.insert(at, lines[at])
        elif kind == "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        elif kind == "cut":
            lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
        elif kind == "insert":
            lines.insert(at, draw(KEYS) + " = " + draw(HAZARDS))
        elif tokens := list(TOKEN.finditer(lines[at])):
            token = draw(st.sampled_from(tokens))
            lines[at] = lines[at][: token.start()] + draw(HAZARDS | KEYS) + lines[at][token.end() :]
    return "\n".join(lines)


SCALARS = (
    st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats()
    | st.text(max_size=5)
    | st.dates()
    | KEYS
)
TREES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(KEYS, v, max_size=4), max_leaves=10
)
shaped = st.dictionaries(KEYS, TREES, max_size=4).map(tomli_w.dumps)
deep = st.builds(
    lambda depth, opening, key: f"[quantities.spend_growth]\n{key} = " + opening * depth,
    st.integers(1, 3000), st.sampled_from(["[", "{mixture = [", "[{log_pool = ", "{0.1 = "]), KEYS,
)  # fmt: skip
nested = st.builds(
    lambda depth, kind: "[quantities.spend_growth]\n" + f"{kind} = [" + f"{{{kind} = [" * depth + "{point = 1}, {point = 2}"
    + "]}" * depth + "]\n", st.integers(1, 400), st.sampled_from(["mixture", "log_pool", "quantile_pool"]),
)  # fmt: skip
dotted = st.integers(1, 5000).map(lambda n: "quantities.spend_growth" + ".x" * n + " = 1")
DOCUMENTS = st.one_of(
    st.text(max_size=200), mutated(), mutated(), shaped, shaped, deep, nested, dotted
)


@pytest.mark.slow
def test_2000_malformed_documents_give_exit_code_2_and_one_message(tmp_path, capsys, monkeypatch):
    """Through the command line in this process; those that happen to be valid give 0, and say so."""
    path, codes, slowest = tmp_path / "bad.toml", [], 0.0
    monkeypatch.setattr(
        sys, "argv", ["aligntax", "view", "check", str(path), "--out", str(tmp_path)]
    )

    @settings(max_examples=2000, suppress_health_check=list(HealthCheck), database=None)
    @given(DOCUMENTS)
    @example('[quantities.spend_growth]\nquantiles = """\none\ntwo"""\n')
    def check(text):
        nonlocal slowest
        path.write_text(text, "utf-8", newline="")
        started = time.perf_counter()
        with pytest.raises(SystemExit) as stop:
            main()
            sys.exit(0)
        slowest = max(slowest, time.perf_counter() - started)
        out, err = capsys.readouterr()
        codes.append(stop.value.code or 0)
        if codes[-1]:
            assert codes[-1] == 2 and out == ""
            assert err.startswith("aligntax: ") and err.count("\n") == 1 and len(err) < 2000
        else:
            assert "valid; changes" in out

    check()
    assert len(codes) >= 2000
    # mostly wrong, and the valid ones show that something is read
    assert 0.5 < np.mean(np.asarray(codes) == 2) < 1.0
    assert slowest < 30  # no hang: a bound for a shared machine, not a budget


def test_a_file_of_many_bytes_or_of_none_is_one_message(aligntax, tmp_path):
    (tmp_path / "large.toml").write_bytes(b"#" * 1_000_001)
    (tmp_path / "binary.toml").write_bytes(bytes(range(256)))
    (tmp_path / "blank.toml").write_text(" \n")
    words = {
        "large": "smaller than",
        "binary": "must be UTF-8",
        "blank": "must not be empty",
        "x\x00y": "not a file name",
    }
    for name, message in words.items():
        code, out, err = aligntax("view", "check", f"{name}.toml")
        assert (code, out) == (2, "") and message in err and err.count("\n") == 1
    assert "smaller than" in aligntax("view", "check", "/dev/zero")[2]


# ---------------------------------------------------------------------------------------- processes


def start(*words, cwd, **kwargs):
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(
        [sys.executable, "-m", "aligntax", *words], cwd=cwd, text=True, **{**streams, **kwargs}
    )


def test_interrupting_an_elicitation_writes_nothing(tmp_path):
    process = start("view", "elicit", cwd=tmp_path)
    assert process.stdin is not None and process.stderr is not None
    process.stdin.write("0.1\n")
    process.stdin.flush()
    seen = ""
    while "A high value" not in seen:
        seen += process.stderr.read(1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "nothing written" in err and "Traceback" not in err
    assert files(tmp_path) == []


def test_a_closed_pipe_leaves_no_traceback(tmp_path):
    (tmp_path / "rich.toml").write_text(RICH)
    for words in (
        ("view", "check", "rich.toml"),
        ("view", "show", "default", "--toml"),
        ("view", "diff", "default", "rich.toml"),
    ):
        process = start(*words, cwd=tmp_path, stdin=subprocess.DEVNULL)
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        process.wait(60)
        assert "Traceback" not in err and "Exception" not in err


@pytest.mark.parametrize(
    "words",
    [
        ("check", "rich.toml"),
        ("diff", "default", "rich.toml"),
        ("pool", "default", "rich.toml"),
        ("new", "-"),
    ],
)
def test_views_need_neither_pymc_nor_a_compiler_nor_plots(tmp_path, words):
    (tmp_path / "rich.toml").write_text(RICH)
    code = f"import sys\nfrom aligntax.analysis.cli import main\nsys.argv = ['aligntax', 'view', *{words!r}]\ntry:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    modules = {name.split(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert "aligntax" in modules
    assert not modules & {
        "pymc",
        "pytensor",
        "numba",
        "nutpie",
        "matplotlib",
        "arviz_plots",
        "preliz",
    }
