"""The report in a browser."""

import shutil

import pytest

from aligntax.analysis.pages.report import write_report
from aligntax.analysis.storage.load import load
from tests.conftest import REFERENCE


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Report of the reference run."""
    folder = tmp_path_factory.mktemp("results") / "reference"
    shutil.copytree(REFERENCE, folder)
    return write_report(load(folder), strict=True)


def test_it_opens_from_disk(report, opened):
    page = opened(report)
    assert "reference" in page.title()
    assert page.locator("h1").inner_text()
