"""A refit says what each answer was, is and by how much it moved; other evidence needs no view."""

import re

import pytest

from aligntax.analysis.inputs.evidence_template import evidence_template


def test_a_refit_says_was_is_and_change(aligntax, reference, tmp_path):
    words = ("refit", reference.path, "--set", "wage=50,100,300", "--name", "dearer")
    code, out, _ = aligntax(*words)
    assert code == 1  # the reference is too short to pass its checks
    told = out[out.index("what moved") :]
    assert "was (reference)" in told and "is (dearer)" in told
    row = next(line for line in told.splitlines() if "alignment data affordable" in line)
    factor = float(re.search(r"\(([0-9.]+)x\)", row).group(1))
    assert 0.1 < factor < 0.6 and "-" in row and "human-hours" in row  # three times the wage
    muted = told[told.index("no change to speak of") :]
    assert "TAI arrival" in muted and "alignment data needed" in muted
    assert "alignment data affordable" not in muted


def test_a_refit_that_changes_nothing_moves_nothing(aligntax, reference):
    """Negative control: the run's own view again."""
    out = aligntax("refit", reference.path, "--view", reference.path / "view.toml", "--name", "x")[
        1
    ]
    assert "what moved" not in out and "no change to speak of" in out


def test_other_evidence_needs_no_view(aligntax, reference, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    text = evidence_template("rlhf_efforts").replace(",human,false,", ",human,true,")
    text = text.replace("GPT-2 fine-tuned from preferences,2019-09-15", "Ours,2026-09-15")
    (folder / "rlhf_efforts.add.csv").write_text(text, "utf-8")
    alone = ("refit", reference.path, "--evidence", folder, "--method", "reweight")
    code, out, err = aligntax(*alone)
    assert (code, out) == (2, "") and "the evidence" in err and "needs another view" not in err
    code, _, err = aligntax("refit", reference.path)
    assert code == 2 and "add --view FILE, --set, --requirement, --evidence or --without" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--without", "rlhf_effort"), "without: must name a table of evidence, got 'rlhf_effort'"),
        (("--without", "rlhf_efforts:web"), "without: must name a used row of rlhf_efforts"),
        (("--without", "paid_taxes", "--method", "reweight"), "method: reweight keeps the likelih"),
    ],
)
def test_evidence_that_cannot_be_left_out_is_refused(aligntax, reference, options, message):
    code, out, err = aligntax("refit", reference.path, *options)
    assert (code, out) == (2, "")
    assert err.startswith(f"aligntax: {message}") and len(err.splitlines()) == 1
