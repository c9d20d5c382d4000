"""Shared by the tests of what runs: the command line in this process."""

import io
import sys
from functools import cache

import pytest
import typer.main

from aligntax.analysis.cli import main


@pytest.fixture
def aligntax(monkeypatch, capsys, tmp_path):
    """Run a command in this process, in an empty folder, with answers typed; returns exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")  # cells of tables in one line

    def call(*words, answers=None):
        monkeypatch.setattr(sys, "argv", ["aligntax", *map(str, words)])
        if answers is not None:
            monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{a}\n" for a in answers)))
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = 0 if stop.code is None else stop.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture(scope="session", autouse=True)
def commands_built_once():
    """Typer builds every command anew for each call, which is most of what a refusal takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", cache(typer.main.get_command))
        yield
