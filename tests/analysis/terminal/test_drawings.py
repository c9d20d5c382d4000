"""Pictures in a terminal: they are the draws, they fit, and they stay out of pipes."""

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from aligntax.analysis.answers.condition import summarise_given
from aligntax.analysis.answers.densities import density_of, probability_arrived, read_draws
from aligntax.analysis.commands import output
from aligntax.analysis.refitting import refit
from aligntax.analysis.storage.load import load
from aligntax.analysis.storage.run_folder import read_json
from aligntax.analysis.summaries.summary import censored_quantile, iter_series
from aligntax.analysis.terminal import drawings as terminal_sketch
from aligntax.analysis.terminal.answer import print_run
from aligntax.models.states import resolved, stated
from tests.conftest import REFERENCE

BLOCKS, BRAILLE = set(terminal_sketch.BLOCKS), {chr(code) for code in range(0x2801, 0x2900)}
WAGE = {"quantiles": {"0.1": 60, "0.5": 150, "0.9": 400}}  # no evidence bears on it
GROWTH = {"quantiles": {"0.1": 0.5, "0.5": 0.57, "0.9": 0.65}}  # evidence does: draws are weighted


@pytest.fixture(scope="module")
def folders(tmp_path_factory, view) -> dict[str, Path]:
    """The committed run and two refits that count its draws: one stores quantities, one weights too."""
    out = tmp_path_factory.mktemp("results")
    shutil.copytree(REFERENCE, out / "reference")
    changes = {
        "redrawn": view.with_quantity("usd_per_hour", WAGE),
        "weighted": view.with_quantity("spend_growth", GROWTH),
    }
    for name, changed in changes.items():
        refit("reference", changed, "reweight", out=out, name=name)
    return {name: out / name for name in ("reference", *changes)}


@pytest.fixture(scope="module")
def wholes(folders):
    """The same with all that they hold."""
    return {name: load(folder) for name, folder in folders.items()}


def shown(folder, width=100, weights=None, every=False, **kind):
    """What a person sees at a terminal, line by line."""
    looks = {
        "force_terminal": True,
        "color_system": "truecolor",
        "width": width,
        "highlight": False,
    } | kind
    screen = Console(file=io.StringIO(), **looks)
    print_run(
        screen,
        folder,
        read_json(folder / "summary.json"),
        read_json(folder / "info.json"),
        every,
        weights,
    )
    return screen.file.getvalue().splitlines()


def _without_colour(line):
    return Text.from_ansi(line).plain


def drawn(lines):
    text = set("".join(lines))
    return bool(text & BLOCKS), bool(text & BRAILLE)


# ------------------------------------------------------------------------------------------ numbers


@pytest.mark.slow
@pytest.mark.parametrize("name", ["reference", "redrawn", "weighted"])
def test_the_draws_are_those_of_the_whole_result(folders, wholes, name):
    whole = wholes[name]
    expected = {series.name: series.values for series in iter_series(whole.derived)}
    names = list(whole.record["quantities"])
    draws = read_draws(folders[name], names)
    assert set(draws.values) == set(names)
    for quantity in names:
        np.testing.assert_array_equal(draws.values[quantity], expected[quantity])
    np.testing.assert_allclose(draws.weights.values, whole.weights.values, rtol=1e-12)


def test_states_are_read_as_the_models_write_them():
    values = np.array([2040.0, np.inf, -np.inf, np.nan, -1.0])
    written = stated({"tai_year": values})
    assert np.isfinite(written["tai_year"]).tolist() == [True, False, False, False, True]
    assert not np.isinf(written["tai_year"]).any()
    np.testing.assert_array_equal(resolved(written["tai_year"], written["tai_year_state"]), values)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["reference", "redrawn", "weighted"])
@pytest.mark.parametrize(
    "quantity", ["tai_year", "alignment_hours_affordable", "tax_headroom", "data_exponent"]
)
def test_a_density_is_a_weighted_histogram_between_two_quantiles(folders, wholes, name, quantity):
    whole = wholes[name]
    row, weights = whole.record["quantities"][quantity], whole.weights.values
    values = read_draws(folders[name], [quantity]).values[quantity]
    shape = density_of(values, weights, 20)
    finite = np.isfinite(values)
    x, w = values[finite], weights[finite] / weights[finite].sum()
    edges = [np.quantile(x, q, weights=w, method="inverted_cdf") for q in (0.01, 0.99)]
    mass, _ = np.histogram(x, 20, range=edges, weights=w)
    np.testing.assert_allclose(shape.heights, mass / mass.max(), atol=1e-9)
    near = [censored_quantile(x, q, w) for q in (0.01, 0.99)]
    # a draw's distance from the summary's quantiles
    np.testing.assert_allclose(edges, near, atol=0.05 * np.ptp(x))
    for share, key in (
        (shape.above, "prob_above"),
        (shape.below, "prob_below"),
        (shape.undefined, "prob_undefined"),
    ):
        assert share == pytest.approx(row[key], abs=1e-9)


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(st.floats(allow_infinity=True), st.integers(0, 1000)), min_size=1, max_size=30
    ),
    st.integers(1, 24),
)
def test_a_density_takes_whatever_draws_there_are(pairs, cells):
    values, weights = np.array(pairs).T
    weights = weights / weights.sum() if weights.any() else np.full(len(pairs), 1 / len(pairs))
    shape = density_of(values, weights, cells)
    counted = np.isfinite(values) & (weights > 0)
    assert len(shape.heights) == (cells if counted.any() else 0)
    if counted.any():
        assert shape.heights.max() == 1 and shape.heights.min() >= 0
    finite = weights[np.isfinite(values)].sum()
    assert finite + shape.above + shape.below + shape.undefined == pytest.approx(1)


def test_constant_and_censored_quantities_have_a_shape():
    weights = np.full(4, 0.25)
    assert density_of(np.full(4, 2030.0), weights, 8).heights.tolist() == [0, 0, 0, 0, 1, 0, 0, 0]
    never = density_of(np.full(4, np.inf), weights, 8)
    assert never.heights.size == 0 and never.above == 1
    assert density_of(np.full(4, np.nan), weights, 8).undefined == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["reference", "weighted"])
@pytest.mark.parametrize("quantity", ["tai_year", "tai_year_aligned"])
def test_arrival_is_the_empirical_distribution(folders, wholes, name, quantity):
    whole = wholes[name]
    draws, years = read_draws(folders[name], [quantity]), np.linspace(2026, 2100, 149)
    chance = draws.arrived(quantity, years)
    values, w = draws.values[quantity].ravel(), whole.weights.values.ravel()
    np.testing.assert_allclose(chance, [w[values <= year].sum() for year in years], atol=1e-12)
    assert (np.diff(chance) >= 0).all()
    row = whole.record["quantities"][quantity]
    assert chance[-1] <= 1 - row["prob_above"] - row["prob_undefined"] + 1e-9


def test_what_is_censored_or_undefined_never_arrives():
    values = np.array([2030.0, np.inf, np.nan, 2040.0])
    weights = np.array([0.1, 0.2, 0.3, 0.4])
    np.testing.assert_allclose(
        probability_arrived(values, weights, np.array([2029, 2030, 2039, 2040, 9999])),
        [0, 0.1, 0.1, 0.5, 0.5],
    )


# ----------------------------------------------------------------------------------------- pictures


@pytest.mark.slow
@pytest.mark.parametrize("width", [56, 60, 80, 100, 160, 250])
@pytest.mark.parametrize("name", ["reference", "weighted"])
def test_bars_and_a_curve_fit_the_terminal(folders, width, name, capsys):
    lines = shown(folders[name], width)
    assert capsys.readouterr().err == "" and drawn(lines) == (True, True)
    plain = shown(folders[name], width, color_system=None)
    for line in map(_without_colour, lines):
        # a path is left whole, to be copied
        assert len(line) <= width or line.startswith(("run: ", "from "))
    words = {word for line in plain for word in line.split() if len(word) < 8}
    assert words <= {word for line in lines for word in _without_colour(line).split()}
    for mark in ("100%", "75%", "50%", "25%", "0%"):
        assert any(_without_colour(line).startswith(f"{mark} ┤".rjust(6)) for line in lines)


@pytest.mark.slow
def test_a_narrow_terminal_keeps_the_words_alone(folders):
    lines = shown(folders["reference"], 40)
    assert drawn(lines) == (False, False) and not any("density" in line for line in lines)


@pytest.mark.slow
def test_bars_tell_what_lies_beyond_them(folders):
    lines = [_without_colour(line) for line in shown(folders["reference"], 160)]
    (year,) = (line for line in lines if line.strip().startswith("TAI arrival  "))
    (headroom,) = (line for line in lines if line.strip().startswith("tax headroom"))
    (affordable,) = (line for line in lines if line.strip().startswith("alignment affordable"))
    told = json.loads((folders["reference"] / "summary.json").read_text("utf-8"))["quantities"]
    never = told["tai_year"]["prob_above"]
    assert f"→{never:.0%}" in year and not set(affordable) & BLOCKS
    assert set(headroom) & BLOCKS and not set(headroom) & set("←→")  # every draw has a number


@pytest.mark.parametrize(
    "share, words", [(0.001, "<1%"), (0.31, "31%"), (0.999, "99%"), (1.0, "all")]
)
def test_a_share_takes_three_columns(share, words):
    assert terminal_sketch._share(share) == words


@pytest.mark.slow
def test_the_legend_tells_both_curves_and_colours_differ(folders):
    lines = shown(folders["reference"])
    legend = [line for line in lines if " by 2100" in line and "⠒" in line]
    assert len(legend) == 2
    first, second = (line[line.index("\x1b[") : line.index("m") + 1] for line in legend)
    body = "".join(line for line in lines if "┤" in line or "│" in line)
    assert first != second and first in body and second in body
    row = read_json(folders["reference"] / "summary.json")["quantities"]["tai_year"]
    assert f"{100 * (1 - row['prob_above']):.0f}% by 2100" in legend[0]


@pytest.mark.slow
def test_a_condition_is_drawn_of_the_draws_that_meet_it(folders, wholes):
    met, _ = summarise_given(wholes["weighted"], "tai_year<2035")
    lines = shown(folders["weighted"], weights=met.weights)
    assert any("TAI arrival: 100% by 2100" in _without_colour(line) for line in lines)


def test_a_model_without_arrival_has_bars_alone(scaling, tmp_path):
    from aligntax.analysis.fitting.outcome import conclude_fit, write_outcome
    from aligntax.analysis.inference.options import Sampling
    from aligntax.analysis.storage.unfinished import new_folder

    options = Sampling(draws=100, tune=200)
    with new_folder(tmp_path, "scaling") as place:
        write_outcome(place.folder, conclude_fit(scaling.sample(options), options, {}), "scaling")
    assert drawn(shown(place.path)) == (True, False)


# -------------------------------------------------------------------------------------- no pictures


@pytest.mark.slow
@pytest.mark.parametrize("extra", [(), ("--all",), ("--json",), ("--given", "tai_year<2035")])
def test_a_pipe_gets_words(aligntax, folders, extra):
    code, out, err = aligntax("show", folders["reference"], *extra)
    assert (code, err) == (0, "") and not set(out) & (BLOCKS | BRAILLE | {"\x1b"})


@pytest.mark.slow
def test_a_pipe_needs_no_draws(aligntax, folders, tmp_path):
    before = aligntax("show", folders["reference"])[1]
    (tmp_path / "sub").mkdir()
    copy = shutil.copytree(folders["reference"], tmp_path / "sub" / "reference")
    (copy / "posterior.nc").unlink()
    code, out, err = aligntax("show", copy)
    # the last names the folder
    assert (code, err) == (0, "") and out.splitlines()[:-1] == before.splitlines()[:-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", [{"force_terminal": False}, {"color_system": None}, {"no_color": True}]
)
def test_a_terminal_without_colour_gets_words(folders, kind):
    assert drawn(shown(folders["reference"], **kind)) == (False, False)


@pytest.mark.slow
@pytest.mark.parametrize("variable, value", [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_wants_no_colour_gets_words(folders, monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    assert drawn(shown(folders["reference"], color_system="auto")) == (False, False)


@pytest.mark.parametrize("encoding, can", [("utf-8", True), ("ascii", False), ("cp1252", False)])
def test_characters_that_cannot_be_shown_are_left_out(encoding, can):
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    assert (
        terminal_sketch.can_draw(Console(file=file, force_terminal=True, color_system="truecolor"))
        is can
    )


DAMAGE = {
    "gone": (lambda path: path.unlink(), "posterior.nc must be readable, got No such file"),
    "cut short": (
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
        "must be as it was written",
    ),
    "noise": (lambda path: path.write_bytes(b"noise"), "must be as it was written"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", DAMAGE)
@pytest.mark.parametrize("name", ["reference", "weighted"])
def test_damaged_draws_are_told_and_the_answer_stands(folders, tmp_path, capsys, case, name):
    for each_name in ("reference", name):
        shutil.copytree(folders[each_name], tmp_path / each_name, dirs_exist_ok=True)
    spoil, words = DAMAGE[case]
    spoil(tmp_path / "reference" / "posterior.nc")
    lines, err = shown(tmp_path / name), capsys.readouterr().err
    assert (
        err.count("\n") == 1
        and err.startswith("aligntax: nothing is drawn; run: ")
        and words in err
    )
    assert drawn(lines) == (False, False)
    assert any("verdict" in line for line in lines)


@pytest.mark.slow
def test_a_refit_without_its_source_is_told(folders, tmp_path, capsys):
    copy = shutil.copytree(folders["weighted"], tmp_path / "weighted")
    assert drawn(shown(copy)) == (False, False)
    assert "uses the draws of reference" in capsys.readouterr().err


@pytest.mark.slow
def test_show_at_a_terminal_draws(aligntax, folders, monkeypatch):
    """The command itself, with a console as at a terminal."""
    made = output.console

    def at_terminal(stderr=False):
        screen = made(stderr)
        screen._force_terminal, screen._color_system, screen.width = True, 3, 100
        return screen

    monkeypatch.setattr("aligntax.analysis.commands.output.console", at_terminal)
    code, out, err = aligntax("show", folders["reference"], "--given", "tai_year<2035")
    assert (code, err) == (0, "") and drawn([out]) == (True, True)
    json.loads(aligntax("show", folders["reference"], "--json")[1])


def test_drawing_needs_nothing_slow():
    script = (
        "import io, sys\nfrom pathlib import Path\nfrom rich.console import Console\n"
        "from aligntax.analysis.storage.run_folder import read_json\nfrom aligntax.analysis.terminal.answer import print_run\n"
        "folder = Path(sys.argv[1])\n"
        "screen = Console(file=io.StringIO(), force_terminal=True, color_system='truecolor', width=100)\n"
        "print_run(screen, folder, read_json(folder / 'summary.json'), read_json(folder / 'info.json'))\n"
        "print('█' in screen.file.getvalue(), sorted({'xarray', 'pymc', 'arviz', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, REFERENCE], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True []"
