"""`make` finds a Python that will do, or says in one sentence what is needed and what was found."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / ".ci" / "uv"
TOOLS = ("sh", "sed", "dirname", "mkdir", "mktemp", "rm", "mv", "cat", "env", "paste")

# uv as far as the script asks it: it shows the Python that it was given, and can reach nothing.
UV = """#!/bin/sh
case "$*" in
--version) echo "uv 0.9.0" ;;
"python install"*) echo "error: dns error: failed to lookup address" >&2; exit 2 ;;
"python find --managed-python"*) {managed} ;;
*) echo "$UV_PYTHON" ;;
esac
"""
OLD = """#!/bin/sh
case "$*" in
*"< (3, 12)"*) exit 1 ;;
*version_info*) echo 3.11.2 ;;
esac
"""
DEAD = """#!/bin/sh
echo "pyenv: python3.13: command not found" >&2
exit 127
"""


class Machine:
    """A checkout with a PATH of its own."""

    def __init__(self, home: Path, managed: str = "exit 2") -> None:
        self.home, self.bin = home, home / "bin"
        (home / "checkout" / ".ci").mkdir(parents=True)
        self.bin.mkdir()
        self.script = Path(shutil.copy(SCRIPT, home / "checkout" / ".ci"))
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool) or tool)
        self.program("bin/uv", UV.format(managed=managed))

    def program(self, where: str, text: str | None = None) -> Path:
        """A program; this Python where no text is given."""
        path = self.home / where
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text or f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', "utf-8")
        path.chmod(0o755)
        return path

    def uv(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", self.script, "sync"],
            env={"PATH": str(self.bin), "HOME": str(self.home), **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("name", ["python3.12", "python3.13", "python3.14", "python3", "python"])
def test_any_python_on_the_path_will_do_whatever_its_name(machine, name) -> None:
    python = machine.program(f"bin/{name}")
    done = machine.uv()
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, str(python), "")


@pytest.mark.parametrize(
    "where",
    [
        ".pyenv/versions/3.12.1/bin/python3",
        "miniconda3/bin/python3",
        "miniforge3/envs/mine/bin/python3",
    ],
)
def test_pyenv_and_conda_are_looked_through(machine, where) -> None:
    python = machine.program(where)
    assert machine.uv().stdout.strip() == str(python)


def test_the_active_conda_environment_is_looked_at(machine) -> None:
    python = machine.program("opt/conda/bin/python3")
    done = machine.uv(CONDA_PREFIX=str(machine.home / "opt" / "conda"))
    assert done.stdout.strip() == str(python)


def test_dead_shims_and_old_pythons_are_passed_over(machine) -> None:
    machine.program("bin/python3.13", DEAD)
    machine.program("bin/python3", OLD)
    python = machine.program("bin/python3.12")
    assert machine.uv().stdout.strip() == str(python)


def test_the_python_of_the_environment_comes_first(machine) -> None:
    machine.program("bin/python3.13")
    own = machine.program("their own/python3.12")
    (machine.home / "checkout" / ".venv").mkdir()
    told = f"home = {own.parent}\nuv = 0.9.0\nversion_info = 3.12.1\nprompt = aligntax\n"
    (machine.home / "checkout" / ".venv" / "pyvenv.cfg").write_text(told, "utf-8")
    assert machine.uv().stdout.strip() == str(own)


def test_what_the_user_says_comes_before_everything(machine) -> None:
    machine.program("bin/python3.13")
    assert machine.uv(UV_PYTHON="/their/python").stdout.strip() == "/their/python"


def test_uv_brings_one_where_it_can(tmp_path) -> None:
    machine = Machine(tmp_path, managed="echo /uv/python3.13")
    machine.program("bin/python3", OLD)
    assert machine.uv().stdout.strip() == "/uv/python3.13"


def test_with_an_old_python_and_no_network_one_sentence_says_what_to_do(machine) -> None:
    python = machine.program("bin/python3", OLD)
    done = machine.uv()
    assert done.returncode == 1 and done.stdout == ""
    first, sentence = done.stderr.splitlines()
    assert first == "aligntax: no Python 3.12 or newer found, asking uv for one"
    assert f"needs Python 3.12 or newer, found 3.11.2 at {python}" in sentence
    assert "UV_PYTHON=/path/to/python3 make run" in sentence
    assert "UV_PYTHON_INSTALL_MIRROR" in sentence
    assert "dns error" not in done.stderr


def test_without_any_python_it_says_so(machine) -> None:
    assert "found none, and uv could not" in machine.uv().stderr


def test_the_stub_is_what_answers(machine) -> None:
    """Negative control: without a Python of the machine's own no other one slips in."""
    assert str(os.environ["PATH"]) not in machine.uv().stdout
    assert machine.uv().stdout == ""
