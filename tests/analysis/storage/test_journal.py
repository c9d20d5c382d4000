"""A journal loses nothing but a half-written line, and has one process at a time."""

import pytest

from aligntax.analysis.storage.journal import append_to_journal, hold_folder, read_journal
from aligntax.models.errors import InputError


def lines_of(path):
    """Lines of a journal with the byte at which each begins, and where the last whole one ends."""
    lines = []
    end = read_journal(path, "sweep", lambda line, begins: lines.append((line["case"], begins)))
    return lines, end


def test_what_is_added_is_read_back(tmp_path) -> None:
    path = tmp_path / "answers.jsonl"
    assert lines_of(path) == ([], 0)
    with append_to_journal(path, 0) as add:
        add({"case": "a"})
        add({"case": "b"})
    assert lines_of(path) == ([("a", 0), ("b", 14)], 28)


def test_a_line_that_is_half_written_does_not_count_and_is_written_over(tmp_path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(b'{"case": "a"}\n{"case": "b')
    lines, end = lines_of(path)
    assert lines == [("a", 0)] and end == 14
    with append_to_journal(path, end) as add:
        add({"case": "c"})
    assert lines_of(path) == ([("a", 0), ("c", 14)], 28)


@pytest.mark.parametrize("damage", [b"noise\n", b"[]x\n", b'{"other": 1}\n', b"3\n"])
def test_a_damaged_line_is_named(tmp_path, damage) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(b'{"case": "a"}\n' + damage + b'{"case": "b"}\n')
    with pytest.raises(InputError, match=r"line 2 must be JSON as `aligntax sweep` writes it"):
        lines_of(path)


def test_a_line_without_a_number_for_what_it_says_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="JSON"), append_to_journal(tmp_path / "j", 0) as add:
        add({"case": float("nan")})
    assert lines_of(tmp_path / "j") == ([], 0)


def test_a_folder_is_held_by_one_process_at_a_time(tmp_path) -> None:
    """A lock belongs to the open file, so that a second opening stands for a second process."""
    with (
        hold_folder(tmp_path, "sweep"),
        pytest.raises(InputError, match="one process at a time"),
        hold_folder(tmp_path, "sweep"),
    ):
        raise AssertionError("must not be entered")
    with hold_folder(tmp_path, "sweep"):
        pass
