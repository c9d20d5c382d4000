"""The charting library is bundled once, and a file that is damaged or foreign is bundled again."""

import pytest
import vl_convert

from aligntax.analysis.inference.compile_cache import VARIABLE
from aligntax.analysis.pages.charting_library import charting_library


@pytest.fixture
def bundled(monkeypatch, tmp_path):
    """How often vl-convert has bundled it; a short stand-in, for the sake of time."""
    times = []

    def bundle(script):
        times.append(script)
        return "let chart = '</script>';\nä\r\n"

    monkeypatch.setenv(VARIABLE, str(tmp_path / "kept"))
    monkeypatch.setattr(vl_convert, "javascript_bundle", bundle)
    return times


def the_file(tmp_path):
    (path,) = (tmp_path / "kept").iterdir()
    return path


def test_it_is_bundled_once(bundled) -> None:
    first = charting_library()
    assert first == charting_library() == "let chart = '</script>';\nä\r\n"
    assert len(bundled) == 1 and "vegaEmbed" in bundled[0]


@pytest.mark.parametrize("damage", [b"", b"something else", b"\xff\xfe", "truncated"])
def test_a_damaged_file_is_bundled_again(bundled, tmp_path, damage) -> None:
    script = charting_library()
    whole = the_file(tmp_path).read_bytes()
    the_file(tmp_path).write_bytes(whole[:-3] if damage == "truncated" else damage)
    assert charting_library() == script and len(bundled) == 2
    assert the_file(tmp_path).read_bytes() == whole, "it is not mended"


def test_a_file_that_others_can_write_is_not_used(bundled, tmp_path) -> None:
    charting_library()
    the_file(tmp_path).chmod(0o666)
    assert charting_library() and len(bundled) == 2


def test_a_folder_that_cannot_be_written_costs_no_page(bundled, tmp_path) -> None:
    (tmp_path / "kept").write_text("a file")
    assert charting_library() == charting_library() and len(bundled) == 2
