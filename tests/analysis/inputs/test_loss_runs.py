"""A user's file of training runs: what is read, and how mistakes are explained."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aligntax.analysis.inputs.loss_runs import drop_highest, read_runs, with_runs
from aligntax.models.errors import InputError
from aligntax.models.evidence import select

GOOD = [f"{1e8 * 1.5**i},{1e9 * (2.0 + i % 4) ** 2 * 1.1**i},{3.5 - 0.05 * i}" for i in range(12)]


def file_of(folder, lines, header="parameters,tokens,loss"):
    path = folder / "runs.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def test_a_file_is_read_under_the_usual_names_of_columns(tmp_path) -> None:
    named = read_runs(file_of(tmp_path, GOOD))
    flop = [
        f"{row['loss']},{6 * row['parameters'] * row['tokens']!r},x,{row['parameters']}"
        for row in named.rows
    ]
    again = read_runs(file_of(tmp_path, flop, "Loss,Training FLOP,remark,Model Size"))
    assert [row["tokens"] for row in again.rows] == pytest.approx(
        [row["tokens"] for row in named.rows]
    )
    assert {row["status"] for row in named.rows} == {"seen"} and {
        row["status"] for row in again.rows
    } == {"computed"}
    assert named.used == 12 and named.public is None and named.corpora == ("",)


@pytest.mark.parametrize(
    ("lines", "header", "message"),
    [
        ([], "", "the file must have this column|must hold a table|parameters"),
        (
            GOOD,
            "parameters,tokens,accuracy",
            "line 1, column loss: the file must have this column",
        ),
        (GOOD, "parameters,epochs,loss", "the file must have tokens or training_flop"),
        (GOOD, "n,params,loss", "column parameters: a column must occur once, got 'n and params'"),
        ([*GOOD, "1e9,abc,2.5"], None, "line 14, column tokens: must be a number, got 'abc'"),
        ([*GOOD, "1e9,,2.5"], None, "line 14, column tokens: must be a number, got ''"),
        (
            [*GOOD, "1e9,1e10,-2.5"],
            None,
            "line 14, column loss: must be greater than 0, got '-2.5'",
        ),
        ([*GOOD, "1e9,nan,2.5"], None, "line 14, column tokens: must be a number, got 'nan'"),
        ([*GOOD, "1e9,1e999,2.5"], None, "line 14, column tokens: must be a finite number"),
        ([*GOOD, "1e9,1e10"], None, "line 14, column 2: a row must have 3 values, got 2"),
        (
            [*GOOD, GOOD[3]],
            None,
            "line 14, column parameters: a run must occur once, got .* line 5 is the same",
        ),
        (GOOD[:9], None, "must have at least 10 runs, got 9"),
        (
            [f"1e9,{1e9 * i},{3 + i / 50}" for i in range(1, 13)],
            None,
            "column parameters: must have at least 3 different",
        ),
        (
            [f"{1e8 * i},{2e9 * i},{3 - i / 50}" for i in range(1, 13)],
            None,
            "must vary apart, got tokens that follow",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_explained(tmp_path, lines, header, message) -> None:
    path = file_of(tmp_path, lines, "parameters,tokens,loss" if header is None else header)
    with pytest.raises(InputError, match=message) as caught:
        read_runs(path)
    assert str(path) in str(caught.value)


def test_tokens_and_flop_that_disagree_are_refused(tmp_path) -> None:
    lines = [f"{line},{6 * float(line.split(',')[0]) * float(line.split(',')[1])}" for line in GOOD]
    header = "parameters,tokens,loss,flop"
    assert read_runs(file_of(tmp_path, lines, header)).used == 12
    lines[4] = GOOD[4] + ",1e18"
    with pytest.raises(
        InputError, match=r"line 6, column training_flop: .* must agree with training_flop within"
    ):
        read_runs(file_of(tmp_path, lines, header))


@pytest.mark.parametrize(
    ("ratio", "good"), [(1.2, True), (1 / 1.2, True), (1.3, False), (1 / 1.3, False)]
)
def test_flop_may_be_counted_otherwise_by_a_quarter(tmp_path, ratio, good) -> None:
    n, d, _ = (float(cell) for cell in GOOD[4].split(","))
    lines = [f"{line}," for line in GOOD]
    lines[4] += repr(6 * n * d / ratio)
    path = file_of(tmp_path, lines, "parameters,tokens,loss,flop")
    if good:
        assert read_runs(path).used == 12
    else:
        with pytest.raises(InputError, match=r"within a factor of 1\.25"):
            read_runs(path)


@pytest.mark.parametrize(("sizes", "good"), [(2, False), (3, True)])
def test_an_exponent_needs_three_sizes(tmp_path, sizes, good) -> None:
    path = file_of(
        tmp_path, [f"{1e8 * 2 ** (i % sizes)},{1e9 * i},{3 - i / 50}" for i in range(1, 13)]
    )
    if good:
        assert read_runs(path).used == 12
    else:
        with pytest.raises(
            InputError, match="column parameters: must have at least 3 different values, got 2"
        ):
            read_runs(path)


@pytest.mark.parametrize(("wobble", "good"), [(0.3, True), (0.03, False)])
def test_parameters_and_tokens_must_vary_apart(tmp_path, wobble, good) -> None:
    """Correlation of their logarithms: 0.995 is allowed, 0.99995 is not."""
    lines = [
        f"{10 ** (8 + i / 4)},{10 ** (9 + i / 4 + wobble * (i % 2 - 0.5) / 2)},{3 - i / 50}"
        for i in range(12)
    ]
    if good:
        assert read_runs(file_of(tmp_path, lines)).used == 12
    else:
        with pytest.raises(InputError, match="must vary apart"):
            read_runs(file_of(tmp_path, lines))


@given(
    st.binary(max_size=400)
    | st.text(alphabet='parametsloknf,\n"#0123456789.eE+-', max_size=400).map(str.encode)
)
def test_any_file_is_read_or_refused_in_words(tmp_path_factory, content) -> None:
    path = tmp_path_factory.mktemp("any") / "runs.csv"
    path.write_bytes(b"parameters,tokens,loss\n" + content if len(content) % 2 else content)
    with pytest.raises(InputError):  # so short a text never holds ten good runs
        read_runs(path)


def test_no_such_file_says_where_runs_can_be_had(tmp_path) -> None:
    with pytest.raises(InputError, match=r"No such file.*aligntax evidence fetch chinchilla"):
        read_runs(tmp_path / "none.csv")


def test_leaving_out_the_highest_losses_keeps_them_in_the_table_with_the_reason(
    tmp_path, evidence
) -> None:
    runs = drop_highest(read_runs(file_of(tmp_path, GOOD)), 2)
    out = [row for row in runs.rows if not row["used"]]
    assert [row["loss"] for row in out] == [3.5, 3.45] and all(
        "not used" in row["note"] for row in out
    )
    table = with_runs(evidence, runs)["loss_runs"]
    assert table.sizes["loss_run"] == 12 and select(table).sizes["loss_run"] == runs.used == 10
    with pytest.raises(InputError, match="at least 10 runs, got 9"):
        drop_highest(read_runs(runs.path), 3)
    with pytest.raises(InputError, match="must not be negative"):
        drop_highest(runs, -1)
