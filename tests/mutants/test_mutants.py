"""The list of mutants keeps up with the code, and the runner tells the killed from the survivors."""

import pytest

from tests.mutants.__main__ import KILLED, ROOT, STALE, SURVIVED, Mutant, listed, tried


@pytest.mark.parametrize("mutant", listed(), ids=lambda m: f"{m.file}:{m.old.strip()[:40]}")
def test_every_mutant_can_be_made(mutant) -> None:
    changed = mutant.made_in((ROOT / mutant.file).read_text("utf-8"))
    assert changed is not None, "the code has moved on: write the mutant anew"
    compile(changed, mutant.file, "exec") if mutant.file.endswith(".py") else None
    assert mutant.tests
    for test in mutant.tests:
        file, _, name = test.partition("::")
        text = (ROOT / file).read_text("utf-8")
        assert not name or f"def {name.split('[')[0].split('::')[-1]}(" in text


def test_the_list_is_long_and_has_no_line_twice() -> None:
    assert len(listed()) >= 80
    assert len({(m.file, m.old, m.new) for m in listed()}) == len(listed())


def test_a_caught_a_missed_and_an_outdated_mutant_are_told_apart(tmp_path) -> None:
    test = "from code_under_test import double\n\ndef test_two():\n    assert double(2) == 4\n"
    (tmp_path / "code_under_test.py").write_text("def double(x):\n    return 2 * x\n", "utf-8")
    (tmp_path / "test_it.py").write_text(test, "utf-8")
    cases = {"3 * x": KILLED, "x + x": SURVIVED}
    for new, fate in cases.items():
        mutant = Mutant("code_under_test.py", "2 * x", new, ("test_it.py",))
        assert tried(mutant, tmp_path, 60).fate == fate
    gone = Mutant("code_under_test.py", "4 * x", "x", ("test_it.py",))
    assert tried(gone, tmp_path, 60).fate == STALE
    assert "2 * x" in (tmp_path / "code_under_test.py").read_text("utf-8")
