"""Rows of a user's evidence that lie far beyond the package's own are named, and enter as they are."""

import pytest

from aligntax.analysis.inputs.plausible_rows import doubts_of_rows
from aligntax.models.evidence import Evidence, load_evidence


def last_row_with(name, dim, **changes):
    """The package's evidence with another last used row."""
    evidence = load_evidence()
    rows = evidence[name].copy(deep=True)
    place = int(rows["used"].values.nonzero()[0][-1])
    for column, value in changes.items():
        rows[column].values[place] = value
    return Evidence({**evidence.tables, name: rows}), str(rows[dim].values[place])


@pytest.mark.parametrize(
    ("name", "dim", "column", "value"),
    [
        ("training_runs", "run", "flop", 1e9),
        ("training_runs", "run", "flop", 1e35),
        ("rlhf_efforts", "effort", "human_hours", 5.0),  # thousands
        ("paid_taxes", "payment", "tax", 90.0),  # percent
    ],
)
def test_a_number_far_beyond_the_package_s_own_is_named_by_row_and_unit(
    name, dim, column, value
) -> None:
    evidence, row = last_row_with(name, dim, **{column: value})
    (doubt,) = doubts_of_rows(evidence)
    assert doubt.startswith(f"{name}:{row}: {column} must be within 30 times")
    assert f"got {value:.3g}: is it in another unit?" in doubt


def test_the_package_s_rows_and_figures_a_few_times_larger_are_not_doubted() -> None:
    assert doubts_of_rows(load_evidence()) == []
    assert doubts_of_rows(last_row_with("training_runs", "run", flop=1e28)[0]) == []


def test_the_command_names_the_row_and_goes_on(aligntax, tmp_path) -> None:
    row = aligntax("evidence", "new", "rlhf_efforts")[1]
    own = ",2300,0.4,items_times_minutes,60000,2.3,"
    assert own in row and ",false," in row
    row = row.replace(own, ",5,0.4,items_times_minutes,60,5,").replace(",false,", ",true,")
    row = row.replace("my_row,GPT-2 fine-tuned from preferences,2019-", "my_row,another,2025-")
    (tmp_path / "rlhf_efforts.add.csv").write_text(row)
    code, out, err = aligntax("evidence", "check", tmp_path)
    assert code == 0 and "valid" in out, err
    assert err.startswith("aligntax: warning: rlhf_efforts:") and "got 5:" in err
