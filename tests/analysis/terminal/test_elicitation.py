"""Asking for a prior: the order of questions, bad answers, what is shown before it is kept, and what is saved."""

import io
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from rich.text import Text
from scipy import stats

from aligntax.analysis.cli import main
from aligntax.analysis.inputs.view_reader import read_view
from aligntax.analysis.terminal.consequences import KAPLAN_BIAS_SD, consequences, prior_derived
from aligntax.analysis.terminal.dialogue import Dialogue, dialogue_at
from aligntax.analysis.terminal.drawings import BLOCKS
from aligntax.analysis.terminal.elicitation import (
    draw_density,
    draw_prior_in_text,
    elicit,
    parse_answer,
)
from aligntax.models.errors import InputError
from aligntax.models.priors.compile import compile_prior
from aligntax.models.priors.quantities import ELICITED, lookup

M, T = "rlhf_multiplier", "alignment_tax_tolerance"
THREE = ["0.1", "100", "3", "y"]


class Script:
    """Someone who answers from a list and remembers what was said."""

    def __init__(self, *answers, patience=3, draws=False):
        self.answers, self.asked, self.said, self.tables = list(answers), [], [], []
        self.talk = Dialogue(
            self.ask,
            self.said.append,
            lambda heads, rows: self.tables.append(rows),
            patience,
            draws,
        )

    def ask(self, prompt):
        self.asked.append(prompt)
        if not self.answers:
            raise EOFError
        return self.answers.pop(0) + "\n"


@pytest.fixture
def aligntax(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")  # cells of tables in one line

    def call(*words, answers=()):
        monkeypatch.setattr(sys, "argv", ["aligntax", "view", "elicit", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{a}\n" for a in answers)))
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


# ------------------------------------------------------------------------------------------- asking


def test_extremes_come_first_and_the_middle_last_each_with_the_views_own_point(view) -> None:
    script = Script("0.1", "100", "3", "y", "Ann", "because")
    priors, source = elicit([M], view, script.talk, "2026-11-24")
    assert [next(w for w in ("A low", "A high", "The middle", "Keep", "Who", "Why") if w in p) for p in script.asked] == [
        "A low", "A high", "The middle", "Keep", "Who", "Why"
    ]  # fmt: skip
    for prompt, point in zip(script.asked, ("0.052x", "19x", "1x"), strict=False):
        assert prompt.endswith(f" (the view default has {point}): ")
    assert not any(digit in " ".join(script.said[1:4]) for digit in "0459")
    assert priors == {
        M: {
            "quantiles": {"0.1": 0.1, "0.5": 3.0, "0.9": 100.0},
            "source": "Ann, 2026-11-24",
            "rationale": "because",
        }
    }
    assert source == "Ann, 2026-11-24"


def test_answers_out_of_order_are_explained_and_asked_again(view) -> None:
    script = Script("10", "5", "many", "100", "200", "30", "y", "Ann", "because")
    priors, _ = elicit([M], view, script.talk, "2026-11-24")
    assert list(priors[M]["quantiles"].values()) == [10.0, 30.0, 100.0]
    told = " ".join(script.said)
    assert "must lie above 10, got 5" in told
    assert "must be a number above 0, got 'many'" in told
    assert "must lie above 10 and below 100, got 200" in told


def test_a_script_is_given_three_tries_and_a_person_any_number(view) -> None:
    with pytest.raises(InputError, match=r"got 'c'.*asked 3 times; nothing written"):
        elicit([M], view, Script("a", "b", "c", "1").talk, "2026-11-24")
    patient = Script(*"abcdefgh", "0.1", "100", "3", "y", "Ann", "because", patience=None)
    assert elicit([M], view, patient.talk, "2026-11-24")[0][M]["quantiles"]["0.1"] == 0.1


def test_no_asks_again_and_keeps_the_second_answer(view) -> None:
    script = Script("0.1", "100", "3", "n", "1", "9", "3", "y", "Ann", "because")
    assert list(elicit([M], view, script.talk, "2026-11-24")[0][M]["quantiles"].values()) == [
        1.0,
        3.0,
        9.0,
    ]


def test_back_withdraws_the_answer_before_and_asks_it_again(view) -> None:
    script = Script("0.1", "50", "Back", "100", "3", "back", "5", "y", "Ann", "because")
    priors, _ = elicit([M], view, script.talk, "2026-11-24")
    assert list(priors[M]["quantiles"].values()) == [0.1, 5.0, 100.0]
    assert [prompt.split()[1].strip(";") for prompt in script.asked[:8]] == [
        "low", "high", "middle", "high", "middle", "it?", "middle", "it?"
    ]  # fmt: skip
    assert any("Type back" in line for line in script.said)


def test_back_goes_from_a_quantity_to_the_one_before_and_from_the_reason_to_the_name(view) -> None:
    script = Script(
        *THREE, "back", "n", "0.2", "200", "4", "y", "1%", "20%", "5%", "y",
        "Ann", "back", "Bob", "first", "back", "read it", "second",
    )  # fmt: skip
    priors, source = elicit([M, T], view, script.talk, "2026-11-24")
    assert list(priors[M]["quantiles"].values()) == [0.2, 4.0, 200.0]
    assert list(priors[T]["quantiles"].values()) == [0.01, 0.05, 0.2]
    assert source == "Bob, 2026-11-24"
    assert [priors[name]["rationale"] for name in (M, T)] == ["read it", "second"]


def test_there_is_none_before_the_first_question(view) -> None:
    script = Script("back", "0.1", "back", "back", "1", "9", "3", "y", "Ann", "because")
    assert elicit([M], view, script.talk, "2026-11-24")[0][M]["quantiles"]["0.1"] == 1.0
    assert sum("there must be a question before" in line for line in script.said) == 2
    with pytest.raises(InputError, match="asked 3 times; nothing written"):
        elicit([M], view, Script(*["back"] * 9).talk, "2026-11-24")


def test_the_reference_is_of_the_view_that_is_extended(view) -> None:
    mine = view.replace(name="mine", rlhf_multiplier={0.1: 2, 0.5: 4, 0.9: 8})
    script = Script(*THREE, "Ann", "because")
    elicit([M], mine, script.talk, "2026-11-24")
    assert script.asked[1].endswith("(the view mine has 8x): ")


def test_a_density_is_drawn_once_two_points_make_one_and_only_where_it_can_be_seen(view) -> None:
    script = Script(*THREE, "Ann", "because", draws=True)
    elicit([M], view, script.talk, "2026-11-24")
    drawn = [line for line in script.said if set(BLOCKS) & set(line)]
    two, three = ({"0.1": 0.1, "0.9": 100.0}, {"0.1": 0.1, "0.5": 3.0, "0.9": 100.0})
    assert [line.strip() for line in drawn] == [
        draw_density(lookup(M), compile_prior(M, {"quantiles": each})) for each in (two, three)
    ]
    blind = Script(*THREE, "Ann", "because")
    elicit([M], view, blind.talk, "2026-11-24")
    assert not set(BLOCKS) & set("".join(blind.said))


def test_the_density_has_its_ends_at_the_middle_98_percent() -> None:
    """Of a lognormal: symmetric in link space, highest in the middle, ends 2.326 deviations away."""
    sd = 1.0 / stats.norm.ppf(0.9)
    table = compile_prior(M, {"quantiles": {"0.1": 1.0, "0.5": 10.0, "0.9": 100.0}})
    low, blocks, high = draw_density(lookup(M), table).split()
    ends = 10 ** (1 + sd * stats.norm.ppf([0.01, 0.99]))
    assert (low, high) == (f"{ends[0]:.2g}x", f"{ends[1]:.0f}"[:2] + "0x")
    assert len(blocks) == 24 and blocks == blocks[::-1]
    assert blocks[11] == "█" and list(blocks[:12]) == sorted(blocks[:12])


@pytest.mark.parametrize(
    ("terminal", "encoding", "draws"),
    [(True, "utf-8", True), (True, "ascii", False), (False, "utf-8", False)],
)
def test_blocks_are_for_a_terminal_that_has_them(terminal, encoding, draws) -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    screen = Console(file=file, force_terminal=terminal, no_color=True, width=40)
    assert dialogue_at(screen, None).draws is draws


@pytest.mark.parametrize("width", [50, 60, 100])
def test_no_word_of_the_dialogue_breaks_at_the_end_of_a_line(view, monkeypatch, width) -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=width, highlight=False)
    answers = ["0.1", "oops", "100", "3", "y", "Ann", "because"]
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{a}\n" for a in answers)))
    elicit([M], view, dialogue_at(screen, None), "2026-11-24")
    lines = Text.from_ansi(screen.file.getvalue()).plain.splitlines()
    assert max(map(len, lines)) <= width
    words = " ".join(lines).split()
    for sentence in (
        "Type back to withdraw the answer before and be asked for it again, or q to quit.",
        "A high value; one time in ten it is higher still (the view default has 19x):",
        "must be a number above 0, got 'oops'; write for instance 3, 0.02 or 2%, or q to quit",
    ):
        assert sentence in " ".join(words)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        (T, "2%", 0.02),
        (M, "150%", 1.5),
        (T, "0.02", 0.02),
        ("usd_per_hour", "2e1", 20.0),
        ("spend_growth", "-0.1", -0.1),
    ],
)
def test_numbers_and_percentages_are_read(name, text, value) -> None:
    assert parse_answer(lookup(name), text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("usd_per_hour", "2%", "a percentage has no meaning"), ("usd_per_hour", "-3", "above 0"), (T, "0", "above 0"),
        ("alignment_compute_share", "120%", "between 0 and 1"), (M, "nan", "number"), (M, "1e999", "number"), (M, "", "number"),
        (M, "%", "number"), ("spend_growth", "1,5", "number"), (M, "q quit", "number"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_explained(name, text, words) -> None:
    with pytest.raises(InputError, match=words):
        parse_answer(lookup(name), text)


# ------------------------------------------------------------------------------------- consequences


def test_the_structural_priors_are_those_of_the_model(view, evidence) -> None:
    import pymc as pm

    from aligntax.models import scaling

    graph = scaling.build(evidence, view)
    kaplan, tau, regime = (
        graph[name] for name in ("kaplan_bias", "between_study_sd", "regime_offset")
    )
    for value in (0.1, 0.5, 1.3):
        logp = [float(pm.logp(rv, value).eval(mode="FAST_COMPILE")) for rv in (kaplan, tau, regime)]
        exact = (
            stats.norm(0, KAPLAN_BIAS_SD),
            stats.halfnorm(0, view.scaling.between_study_scale),
            stats.norm(),
        )
        np.testing.assert_allclose(logp, [d.logpdf(value) for d in exact], rtol=1e-6)


def test_a_view_has_no_consequences_against_itself_and_each_prior_has_some(view, evidence) -> None:
    moved, still = consequences(view, view, evidence)
    assert moved == [] and still > 20
    tight = view.with_quantity(T, {"quantiles": {"0.1": 0.02, "0.5": 0.05, "0.9": 0.2}})
    moved, _ = consequences(view, tight, evidence)
    names = [row[0] for row in moved]
    assert "tax tolerance" in names and "alignment data affordable" in names
    # the same random numbers: what the prior does not touch stays to the digit
    assert "TAI arrival" not in names


def test_the_prior_pushed_forward_is_the_prior(view, evidence) -> None:
    """Median of the elicited tolerance among 4,000 draws: within 4 standard errors of the stated one."""
    derived = prior_derived(view, evidence)
    table = view.tables([T]).table(T)
    share = float(np.mean(derived[T].values < table.value(0.0)))
    assert share == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(4000))
    assert derived.sizes["draw"] == 4000


def test_consequences_under_a_view_without_evidence(view, evidence) -> None:
    bare = replace(view, evidence=replace(view.evidence, use="none"))
    moved, _ = consequences(bare, bare.with_quantity(M, {"point": 1000.0}), evidence)
    assert any("alignment data needed" in row[0] for row in moved)


@pytest.mark.parametrize("name", sorted(ELICITED))
def test_every_default_prior_can_be_drawn_in_text(view, name) -> None:
    lines = draw_prior_in_text(lookup(name), view.stated([name]).table(name))
    assert len(lines) == 12 and max(line.count("#") for line in lines) == 40


# ------------------------------------------------------------------------------------------- saving


def test_what_is_saved_is_what_was_answered_with_who_when_and_why(aligntax, tmp_path) -> None:
    code, out, err = aligntax(
        "mine.toml",
        "--quantity",
        M,
        "--quantity",
        T,
        answers=[*THREE, "1%", "20%", "5%", "y", "Ann", "first", "second"],
    )
    assert (code, out) == (0, "") and "Your prior on RLHF multiplier: " in err and "before" in err
    mine = read_view("mine.toml")
    assert mine.quantities[T]["quantiles"] == {"0.1": 0.01, "0.5": 0.05, "0.9": 0.2}
    assert (
        mine.quantities[M]["rationale"] == "first" and mine.quantities[T]["rationale"] == "second"
    )
    who, date = mine.source.split(", ")
    assert who == "Ann" and len(date) == 10 and mine.quantities[M]["source"] == mine.source
    assert err.splitlines()[-3] == "  aligntax view check mine.toml"


@pytest.mark.parametrize(
    "text", ['a "quote" and \\ and #', "é 漢字 \U0001f600", "x" * 500, "tab\tand \x7f\x01 controls"]
)
def test_any_name_and_reason_survive(aligntax, text) -> None:
    code, _, err = aligntax("mine.toml", "--quantity", M, answers=[*THREE, text, text])
    assert code == 0, err
    clean = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    assert read_view("mine.toml").quantities[M]["rationale"] == clean


def test_a_pipe_of_bad_answers_is_an_error_after_three(aligntax, tmp_path) -> None:
    code, out, err = aligntax("mine.toml", "--quantity", M, answers=["a", "b", "c", *THREE])
    assert (code, out) == (2, "") and "asked 3 times; nothing written" in err
    assert list(tmp_path.iterdir()) == []


def test_who_and_why_can_be_given_and_are_then_not_asked(aligntax) -> None:
    code, _, err = aligntax(
        "mine.toml", "--quantity", M, "--who", "Bob", "--why", "read it", answers=THREE
    )
    assert code == 0 and "Who are you" not in err
    assert read_view("mine.toml").quantities[M]["rationale"] == "read it"


def test_an_empty_name_is_asked_again(aligntax) -> None:
    assert aligntax("mine.toml", "--quantity", M, answers=[*THREE, "", "Ann", "why"])[0] == 0
    assert read_view("mine.toml").source.startswith("Ann")


def test_a_quantity_answers_to_its_label(aligntax) -> None:
    answers = ["20", "100", "40", "y", "Ann", "why"]
    assert aligntax("mine.toml", "--quantity", "wage", answers=answers)[0] == 0
    assert read_view("mine.toml").quantities["usd_per_hour"]["quantiles"]["0.5"] == 40


def test_to_standard_output_it_is_a_view(aligntax, tmp_path) -> None:
    code, out, _ = aligntax("-", "--quantity", M, answers=[*THREE, "Ann", "why"])
    assert code == 0 and out.startswith('extends = "default"') and list(tmp_path.iterdir()) == []


def test_it_lies_on_top_of_the_view_it_extends(aligntax, tmp_path) -> None:
    (tmp_path / "base.toml").write_text("[quantities.usd_per_hour]\npoint = 30\n")
    assert (
        aligntax(
            "mine.toml", "--extends", "base.toml", "--quantity", M, answers=[*THREE, "Ann", "why"]
        )[0]
        == 0
    )
    assert read_view("mine.toml").quantities["usd_per_hour"] == {"point": 30.0}


@pytest.mark.parametrize("given", range(6))
def test_input_that_ends_anywhere_writes_nothing(aligntax, tmp_path, given) -> None:
    code, out, err = aligntax("mine.toml", "--quantity", M, answers=[*THREE, "Ann", "why"][:given])
    assert (
        (code, out) == (2, "")
        and err.splitlines()[-1].startswith("aligntax: elicit: ")
        and "nothing written" in err
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("answers", [["q"], ["1", "quit"], ["0.1", "100", "3", "q"]])
def test_quitting_writes_nothing_and_is_no_error(aligntax, tmp_path, answers) -> None:
    code, out, err = aligntax("mine.toml", answers=answers)
    assert (
        (code, out) == (0, "")
        and "stopped, nothing written" in err
        and list(tmp_path.iterdir()) == []
    )


def test_an_existing_file_is_refused_before_anything_is_asked(aligntax, tmp_path) -> None:
    (tmp_path / "mine.toml").write_text("precious")
    code, _, err = aligntax("mine.toml", answers=THREE)
    assert code == 2 and "which exists" in err and "low value" not in err
    assert Path("mine.toml").read_text() == "precious"


def test_a_person_who_goes_back_at_the_command_saves_the_second_answer(aligntax) -> None:
    code, _, err = aligntax(
        "mine.toml", "--quantity", M, answers=["1", "back", *THREE, "Ann", "back", "Bob", "why"]
    )
    assert code == 0 and not set(BLOCKS) & set(err)
    mine = read_view("mine.toml")
    assert mine.quantities[M]["quantiles"]["0.1"] == 0.1 and mine.source.startswith("Bob, ")
