"""Runs in other units than they are read in are asked about, and real ones are not."""

import numpy as np
import pytest

from aligntax.analysis.inputs import plausible_runs
from aligntax.analysis.inputs.loss_runs import drop_highest, read_runs
from aligntax.analysis.inputs.plausible_runs import LOSS, doubts, loss_of_web_text
from aligntax.analysis.inputs.view_reader import read_evidence
from aligntax.models.errors import InputError
from tests.loss_runs import chinchilla, simulated

# Medians of the training loss over that of web text, by corpus, in the public runs of Brandfonbrener et al. 2024
# (KempnerInstitute/loss-to-loss-notebooks, data/sweep.csv, 529 runs).
CORPORA = {"fineweb": 0.97, "fineweb-edu": 0.90, "slimpajama": 0.92, "smollm": 0.83, "proof-pile-2": 0.59, "starcoder": 0.44}  # fmt: skip
LN_2 = np.log(2.0)


def file_of(path, rows, columns="parameters,tokens,loss,corpus"):
    names = columns.split(",")
    path.write_text("\n".join([columns, *(",".join(str(row[n]) for n in names) for row in rows)]))
    return path


def runs(**change):
    """Simulated runs of web text, each column changed by a function of the row."""
    rows = simulated(40)
    for row in rows:
        row["training_flop"] = 6 * row["parameters"] * row["tokens"]
    return [{**row, **{name: f(row) for name, f in change.items()}} for row in rows]


def six_corpora():
    rows = simulated(40)
    return [
        {**row, "corpus": name, "loss": times * loss_of_web_text(row["parameters"], row["tokens"])}
        for name, times in CORPORA.items()
        for row in rows
    ]


def scaled(column, factor):
    return {column: lambda row: row[column] * factor}


WRONG = {
    "millions of parameters": (scaled("parameters", 1e-6), "column parameters", "in millions"),
    "billions of parameters": (scaled("parameters", 1e-9), "column parameters", "in millions"),
    "billions of tokens": (scaled("tokens", 1e-9), "column tokens", "in millions or billions"),
    "both": ({**scaled("parameters", 1e-6), **scaled("tokens", 1e-9)}, "column tokens", "in millions or billions"),
    "thousands of parameters": (scaled("parameters", 1e-3), "column tokens", "parameters in thousands"),
    "perplexity": ({"loss": lambda row: np.exp(row["loss"])}, "column loss", "perplexity"),
    "bits": (scaled("loss", 1 / LN_2), "column loss", "in bits"),
    "per character": (scaled("loss", 1 / 4.5), "column loss", "per character"),
    "bits per byte": (scaled("loss", 1 / 4.5 / LN_2), "column loss", "per character or byte"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_unit_is_asked_about_by_column_and_with_a_guess(tmp_path, name) -> None:
    change, column, guess = WRONG[name]
    path = file_of(tmp_path / "runs.csv", runs(**change))
    with pytest.raises(InputError) as told:
        read_runs(path)
    assert column in str(told.value) and guess in str(told.value)
    assert str(told.value).endswith("insist with --yes")
    insisted = read_runs(path, insist=True)
    assert insisted.used == 40 and column in " ".join(insisted.doubts)


@pytest.mark.parametrize("unit", [1e-9, 1 / 8.64e19], ids=["GFLOP", "PFLOP-days"])
def test_flop_in_a_larger_unit_is_asked_about(tmp_path, unit) -> None:
    rows = runs(**scaled("training_flop", unit))
    with pytest.raises(InputError, match="GFLOP or PFLOP-days"):
        read_runs(file_of(tmp_path / "runs.csv", rows, "parameters,training_flop,loss"))


def test_real_runs_are_not_asked_about(tmp_path) -> None:
    assert not doubts(chinchilla().rows) and not doubts(chinchilla(5).rows)
    assert not doubts(runs()) and not doubts(six_corpora())
    assert not read_runs(file_of(tmp_path / "runs.csv", six_corpora())).doubts


def test_real_runs_in_bits_or_per_character_are(tmp_path) -> None:
    """Negative control: the bounds tell the units of the digitised runs apart."""
    for factor, guess in ((1 / LN_2, "in bits"), (1 / 4.5, "per character")):
        rows = [{**row, "loss": row["loss"] * factor} for row in chinchilla().rows]
        (line,) = doubts(rows)
        assert guess in line


def test_one_corpus_in_another_unit_is_named() -> None:
    rows = [
        {**row, "loss": np.exp(row["loss"])} if row["corpus"] == "smollm" else row
        for row in six_corpora()
    ]
    (line,) = doubts(rows)
    assert " of smollm must lie" in line


def test_single_odd_runs_and_runs_left_out_are_no_matter_of_units() -> None:
    rows = runs()
    rows[0] = {**rows[0], "parameters": 768.0, "tokens": 1e3, "loss": 10.0}
    assert not doubts(rows)
    unused = [{**row, "used": False, "loss": 400.0} for row in runs()]
    assert not doubts([*rows, *unused])


def test_a_part_of_a_file_in_another_unit_is_asked_about_though_the_median_is_right() -> None:
    """Every third run has its tokens and parameters in billions."""
    rows = [
        {**row, "parameters": row["parameters"] / 1e9, "tokens": row["tokens"] / 1e9}
        if i % 3 == 0
        else row
        for i, row in enumerate(runs())
    ]
    found = doubts(rows)
    assert len(found) == 2 and all("runs with a median of" in line for line in found)
    assert "millions or billions?" in found[0]


def test_bounds_lie_beyond_what_studies_have_and_before_the_next_unit() -> None:
    assert LOSS.low < min(CORPORA.values()) and max(CORPORA.values()) < LOSS.high
    assert LOSS.high < max(CORPORA.values()) / LN_2 and LOSS.low > max(CORPORA.values()) / 4
    # Hoffmann et al. 2022, arXiv:2203.15556: Chinchilla, 7e10 parameters and 1.4e12 tokens
    assert loss_of_web_text(7e10, 1.4e12) == pytest.approx(1.94, abs=0.05)
    assert (
        plausible_runs.TOKENS_PER_PARAMETER.low
        < 1.7
        < 20
        < plausible_runs.TOKENS_PER_PARAMETER.high
    )


def test_the_command_asks_and_takes_an_insistent_user_at_their_word(aligntax, tmp_path) -> None:
    path = file_of(tmp_path / "runs.csv", runs(**WRONG["millions of parameters"][0]))
    for model in ("loss-law", "scaling", "joint"):
        code, out, err = aligntax("run", model, "--runs", path)
        assert (code, out) == (2, "") and "in millions" in err and "--yes" in err
    code, _, err = aligntax("run", "compute", "--runs", path, "--yes")
    assert code == 2 and "must be given to loss-law" in err  # past the units
    code, _, err = aligntax("calibrate", "loss-law", "--runs", path)
    assert code == 2 and "in millions" in err


def test_what_was_insisted_on_is_kept_with_the_run(tmp_path, evidence, view) -> None:
    from aligntax.analysis.fitting.own_data import enter_own_data
    from aligntax.analysis.inference.options import Sampling, Talk
    from aligntax.models.catalogue import find_model

    path = file_of(tmp_path / "runs.csv", runs(**WRONG["bits"][0]))
    held = drop_highest(read_runs(path, insist=True), 2)
    _, facts = enter_own_data(find_model("loss-law"), held, view, evidence, Sampling(), Talk())
    assert facts["doubts"] == list(held.doubts) and "taken as given: column loss" in facts["words"]


def test_runs_of_an_evidence_folder_are_asked_about_too(tmp_path) -> None:
    header = "key,corpus,parameters,tokens,loss,used,source,status,note"
    for factor, good in ((1.0, True), (1e-6, False)):
        rows = [f"r{i},c4,{factor * r['parameters']},{r['tokens']},{r['loss']},true,me,seen," for i, r in enumerate(runs())]  # fmt: skip
        (tmp_path / "loss_runs.add.csv").write_text("\n".join([header, *rows]))
        if good:
            assert read_evidence(str(tmp_path))["loss_runs"].sizes["loss_run"] == 40
        else:
            with pytest.raises(InputError, match="loss_runs, column parameters: "):
                read_evidence(str(tmp_path))
