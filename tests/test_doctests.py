"""Examples in docstrings, the README and docs are run; links, commands and options there exist."""

import doctest
import importlib
import re
import shlex
from pathlib import Path

import pytest
import typer

from aligntax.analysis.cli import app
from aligntax.models.priors.quantities import QUANTITIES
from tests.test_layers import LEVEL

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = {
    str(path.relative_to(ROOT)): path
    for path in (README, ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md")))
    if "_build" not in path.parts
}
WITH_EXAMPLES = sorted(
    ".".join(("aligntax", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
    for package in ("models", "analysis")
    for path in (ROOT / package).rglob("*.py")
    if ">>>" in path.read_text("utf-8")
)


def test_there_are_examples():
    assert {
        "aligntax.analysis.answers.comparison",
        "aligntax.analysis.refitting",
        "aligntax.models.priors.user_prior",
        "aligntax.models.views.view",
    } <= set(WITH_EXAMPLES)


# Their examples refit and compare runs, which takes seconds.
REFITTING = {"aligntax.analysis.answers.comparison", "aligntax.analysis.refitting"}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in REFITTING else [])
        for name in WITH_EXAMPLES
    ],
)
def test_examples_run(name, monkeypatch, tmp_path):
    """``folder`` in an example is an empty results folder."""
    monkeypatch.chdir(ROOT)
    done = doctest.testmod(
        importlib.import_module(name), extraglobs={"folder": tmp_path}, verbose=False
    )
    assert done.attempted > 0 and done.failed == 0


# ---------------------------------------------------------------------------------- reading a page


def blocks(text, language):
    """Fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def prose(text):
    """The page without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def inline_code(text):
    """Code within sentences, on one line each."""
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose(text))]


def heading_anchors(text):
    """Names under which a page's headings can be linked to, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(text, folder):
    """Relative links whose file or heading does not exist."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(text)):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, heading = link.partition("#")
        target = (folder / file).resolve() if file else None
        there = target is None or target.exists()
        content = text if target is None else target.read_text("utf-8") if heading and there else ""
        if not there or (heading and heading not in heading_anchors(content)):
            broken.append(link)
    return broken


COMMAND = re.compile(r"(?:\.venv/bin/|uv run |python -m )?aligntax (.+)")
MAKE = re.compile(r"make ([a-z-]+)(?: ARGS=(.+))?")


def asked(text):
    """Command lines in the fenced blocks of sh, as a person would type them."""
    for block in blocks(text, "sh"):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["make"]:
                if words[1] == "run" and len(words) > 2:
                    yield ["run", *shlex.split(words[2].removeprefix("ARGS="))]
            elif words:
                found = COMMAND.fullmatch(shlex.join(words))
                assert found, f"no command of this project: {line}"
                yield shlex.split(found[1])


def synopses(text):
    """Command lines with placeholders: in fenced blocks of text, and within sentences."""
    for block in blocks(text, "text"):
        joined = re.sub(r"\n +(?=\[)", " ", block)
        yield from (found[1] for line in joined.splitlines() if (found := COMMAND.fullmatch(line)))
    yield from (found[1] for code in inline_code(text) if (found := COMMAND.fullmatch(code)))


def options_in(words):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", words))


def leaf(words):
    """Command that some words ask for, its name, and the words that are left."""
    command, name, left = typer.main.get_command(app), "aligntax", list(words)
    while hasattr(command, "commands"):
        name = left.pop(0) if left else ""
        assert name in command.commands, f"no command {name!r} in {' '.join(words)!r}"
        command = command.commands[name]
    return command, name, left


def option_names(command):
    return {
        name
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
    } | {"--help"}


def every_option():
    waiting, names = [typer.main.get_command(app)], set()
    while waiting:
        command = waiting.pop()
        waiting += getattr(command, "commands", {}).values()
        names |= option_names(command)
    return names


def unknown_options(synopsis):
    """Options of a synopsis that its command does not have."""
    command, _, _ = leaf(synopsis.split())
    return options_in(synopsis) - option_names(command)


# ------------------------------------------------------------------------------------- what is held


@pytest.mark.parametrize(
    ("page", "block"),
    [
        pytest.param(name, block, marks=[] if name == "README.md" else [pytest.mark.slow])
        for name, path in PAGES.items()
        for block in blocks(path.read_text("utf-8"), "python")
    ],
)  # fmt: skip
def test_python_in_a_page_runs(page, block, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "reference").symlink_to(ROOT / "results" / "reference")
    for table in blocks(PAGES[page].read_text("utf-8"), "csv"):
        (tmp_path / "panel.csv").write_text(table, "utf-8")
    exec(compile(block, page, "exec"), {})


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    assert not broken_links(PAGES[page].read_text("utf-8"), PAGES[page].parent)


@pytest.mark.parametrize("page", PAGES)
def test_commands_to_type_are_understood(page):
    """By the parser itself, which knows names, types, and what is required."""
    for words in asked(PAGES[page].read_text("utf-8")):
        command, name, left = leaf(words)
        command.make_context(name, left)


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_options_that_are_described_exist(page):
    text = PAGES[page].read_text("utf-8")
    for synopsis in synopses(text):
        if synopsis != "..." and not synopsis.startswith("COMMAND"):
            assert not unknown_options(synopsis), synopsis
    alone = {
        name for code in inline_code(text) if code.startswith("--") for name in options_in(code)
    }
    assert not alone - every_option()


@pytest.mark.parametrize("page", PAGES)
def test_targets_of_make_exist(page):
    text, makefile = PAGES[page].read_text("utf-8"), (ROOT / "Makefile").read_text("utf-8")
    lines = [line.strip() for block in blocks(text, "sh") for line in block.splitlines()]
    named = {found[1] for line in (*lines, *inline_code(text)) if (found := MAKE.match(line))}
    assert named <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def test_what_is_wrong_in_a_page_is_seen():
    """Negative control of the tests above."""
    text = "# A b, c\n[x](#a-b-c) [y](#a-b) [z](no.md) [w](docs/using.md#commands) [v](docs/using.md#no)"
    assert broken_links(text, ROOT) == ["#a-b", "no.md", "docs/using.md#no"]
    assert unknown_options("show RUN --all --darws 3") == {"--darws"}
    text = "```sh\naligntax show\nmake run ARGS='--seed x'  # comment\n```\n"
    for words in asked(text):
        command, name, left = leaf(words)
        with pytest.raises(Exception, match=r"(?i)missing|valid integer"):
            command.make_context(name, left)
    with pytest.raises(AssertionError, match="no command 'shwo'"):
        leaf(["shwo", "RUN"])


def test_the_commands_page_names_every_command():
    text = (ROOT / "docs" / "using.md").read_text("utf-8")
    described = {
        " ".join(leaf(line.split())[1:2])
        for line in synopses(text)
        if line != "..." and "COMMAND" not in line
    }
    waiting, names = dict(typer.main.get_command(app).commands), set()
    while waiting:
        name, command = waiting.popitem()
        waiting |= getattr(command, "commands", {})
        names |= set() if hasattr(command, "commands") else {name}
    assert described == names


def test_the_readme_is_short_and_its_picture_small():
    assert len(README.read_bytes()) < 9_000
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README.read_text("utf-8"))
    assert len(pictures) == 1
    for picture in pictures:
        assert (ROOT / picture).stat().st_size < 200_000
        assert f"--picture {picture}" in README.read_text("utf-8"), "how is it made again?"


@pytest.mark.parametrize("page", PAGES)
def test_lines_of_a_page_are_short(page):
    assert not [line for line in PAGES[page].read_text("utf-8").splitlines() if len(line) > 100]


def test_every_page_can_be_reached():
    """All of them from the index, and those of no folder of their own from the README too."""
    pages = {name.removeprefix("docs/") for name in PAGES if name.startswith("docs/")}
    pages -= {"index.md"}
    for start, prefix, expected in (
        ("README.md", "docs/", {page for page in pages if "/" not in page}),
        ("docs/index.md", "", pages),
    ):
        text = PAGES[start].read_text("utf-8")
        assert {page for page in expected if f"]({prefix}{page})" in text} == expected, start


def test_every_model_file_with_equations_has_its_place_on_the_site():
    text = PAGES["docs/reference/models.md"].read_text("utf-8")
    shown = set(re.findall(r"^.. automodule:: aligntax.models.(\S+)$", text, re.MULTILINE))
    for path in (ROOT / "models").glob("*.py"):
        if "::\n" in (importlib.import_module(f"aligntax.models.{path.stem}").__doc__ or ""):
            assert path.stem in shown
    for name in shown:
        assert importlib.import_module(f"aligntax.models.{name}").__doc__


def test_the_layout_lists_every_folder():
    (listed,) = [
        block
        for block in blocks((ROOT / "docs/architecture.md").read_text("utf-8"), "text")
        if "models/" in block
    ]
    order, top = [], ""
    for line in listed.splitlines():
        folder, words = line.split(maxsplit=1)
        top = folder if line == line.lstrip() else top
        order.append(folder if folder == top else f"{top}{folder}")
        assert folder.endswith("/") and words, line
    named = set(order)
    tops = ("aligntax", "models", "analysis", "tests", "docs", "results")
    rooms = {
        f"{path.relative_to(ROOT)}/"
        for top in ("models", "analysis", "tests")
        for path in (ROOT / top).iterdir()
        if path.is_dir() and path.name != "__pycache__"
    }
    assert named == rooms | {f"{top}/" for top in tops}
    listed_rooms = [f"aligntax.{name.rstrip('/').replace('/', '.')}" for name in order]
    levels = [LEVEL[name] for name in listed_rooms if name in LEVEL]
    assert len(levels) > 15 and levels == sorted(levels), "a room imports from rooms above it"


SETTINGS = {"direct_approach", "no_tai", "multiplier", "quality"}


def test_the_glossary_names_quantities_of_the_registry():
    heads = re.findall(
        r"^\*\*[^*]+\*\*\s\(([^)]+)\)\.",
        (ROOT / "docs" / "glossary.md").read_text("utf-8"),
        re.MULTILINE,
    )
    names = {name for head in heads for name in re.findall(r"`([a-z_]+)`", head)}
    assert len(names) > 50 and not names - set(QUANTITIES) - SETTINGS
