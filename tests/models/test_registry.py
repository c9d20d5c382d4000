"""Registries: the package's own first, plug-ins once and late, and nothing that stays by accident."""

import logging
import pickle
import subprocess
import sys
import threading
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from aligntax.models.catalogue import MODELS
from aligntax.models.errors import InputError
from aligntax.models.registry import EXTENSIONS, Extensions, Registry


@dataclass(frozen=True)
class Thing:
    name: str
    value: object = 0


class Plugs:
    """Entry points of our own, which count how often they are looked for and called."""

    def __init__(self, **functions):
        self.functions, self.looks, self.calls = functions, 0, []

    def __call__(self):
        self.looks += 1
        dist = SimpleNamespace(name="some-package", version="1.2")
        return [
            SimpleNamespace(name=name, dist=dist, load=lambda n=name, f=f: lambda: self.call(n, f))
            for name, f in self.functions.items()
        ]

    def call(self, name, function):
        self.calls.append(name)
        function()


def registry(**functions):
    plugs = Plugs(**functions)
    extensions = Extensions(plugs)
    return Registry("thing", (Thing("own"), Thing("other")), extensions), extensions, plugs


def test_it_reads_as_a_mapping_the_packages_own_first():
    things, _, _ = registry(b=lambda: things.register(Thing("theirs")))
    things.register(Thing("mine"))
    assert list(things) == ["own", "other", "theirs", "mine"] and len(things) == 4
    assert things["mine"] == Thing("mine") and "none" not in things and things.get("none") is None
    with pytest.raises(KeyError, match="none"):
        things["none"]
    with pytest.raises(TypeError):
        things.own["own"] = Thing("own")


def test_what_comes_with_the_package_is_read_without_a_look_for_plug_ins():
    things, _, plugs = registry(b=lambda: things.register(Thing("theirs")))
    assert things["own"] and "other" in things and things.own
    assert plugs.looks == 0
    assert "theirs" in things  # negative control: whoever asks for more does look
    assert plugs.looks == 1


@pytest.mark.parametrize(
    "ask",
    [list, len, lambda t: "theirs" in t, lambda t: t.added, lambda t: t.register(Thing("mine"))],
)
def test_a_plug_in_is_called_once_when_more_is_asked_for(ask):
    things, extensions, plugs = registry(b=lambda: things.register(Thing("theirs")))
    for _ in range(2):
        ask(things)
        with extensions.forgotten_after():
            list(things)
        things.entries.pop("mine", None)
    assert plugs.looks == 1 and plugs.calls == ["b"]


def test_threads_wait_until_plug_ins_are_loaded():
    started, go = threading.Event(), threading.Event()

    def slow():
        started.set()
        assert go.wait(20)
        things.register(Thing("theirs"))

    things, _, plugs = registry(b=slow)
    seen = []
    threads = [threading.Thread(target=lambda: seen.append("theirs" in things)) for _ in range(5)]
    threads[0].start()
    assert started.wait(20)
    for thread in threads[1:]:
        thread.start()
    go.set()
    for thread in threads:
        thread.join(20)
    assert seen == [True] * 5 and plugs.calls == ["b"]


def test_a_plug_in_may_read_registries_while_it_is_loaded():
    things, _, _ = registry(b=lambda: things.register(Thing("theirs", [*things])))
    assert things["theirs"].value == ["own", "other"]


@pytest.mark.parametrize(
    ("name", "whose"),
    [
        ("own", "comes with the package; choose another name"),
        ("theirs", "is of the plug-in b; choose another name"),
        ("mine", "is registered already; choose another name, or give replace=True"),
    ],
)
def test_a_name_that_is_taken_is_refused(name, whose):
    things, _, _ = registry(b=lambda: things.register(Thing("theirs")))
    things.register(Thing("mine"))
    with pytest.raises(
        InputError, match=f"thing: must have a name of its own, got '{name}', which {whose}"
    ):
        things.register(Thing(name, "new"))
    assert things[name].value == 0


@pytest.mark.parametrize(("name", "replaced"), [("own", False), ("theirs", False), ("mine", True)])
def test_only_what_was_added_by_hand_can_be_replaced(name, replaced):
    things, _, _ = registry(b=lambda: things.register(Thing("theirs")))
    things.register(Thing("mine"))
    if replaced:
        things.register(Thing(name, "new"), replace=True)
    else:
        with pytest.raises(InputError, match=r"choose another name$"):
            things.register(Thing(name, "new"), replace=True)
    assert things[name].value == ("new" if replaced else 0)


def broken():
    raise ValueError("no\nlicence")


def test_a_broken_plug_in_is_told_of_in_one_line_and_leaves_nothing(caplog):
    def half():
        things.register(Thing("half"))
        broken()

    things, extensions, _ = registry(a=half, b=lambda: things.register(Thing("theirs")))
    with caplog.at_level(logging.WARNING, "aligntax"):
        assert list(things) == ["own", "other", "theirs"]
        assert list(things) == ["own", "other", "theirs"]
    (record,) = caplog.records
    told = "the plug-in a of some-package 1.2 does not load and is left out: ValueError: no"
    assert told in record.getMessage() and "\n" not in record.getMessage()
    assert extensions.hint().startswith("; plug-ins that do not load: a (ValueError: no")
    assert list(extensions.loaded) == ["b"]


def test_two_plug_ins_of_one_name_do_not_mix():
    """The second is left out as a whole, and the first stays."""
    things, extensions, _ = registry(
        a=lambda: things.register(Thing("theirs", "a")),
        b=lambda: [things.register(Thing(name, "b")) for name in ("more", "theirs")],
    )
    assert list(things) == ["own", "other", "theirs"] and things["theirs"].value == "a"
    assert "of the plug-in a" in extensions.broken["b"]


def test_a_plug_in_cannot_replace_what_a_package_or_another_plug_in_has():
    things, extensions, _ = registry(
        a=lambda: things.register(Thing("own", "a"), replace=True),
        b=lambda: things.register(Thing("theirs", "b"), replace=True),
        c=lambda: things.register(Thing("theirs", "c"), replace=True),
    )
    assert things["own"].value == 0 and things["theirs"].value == "b"
    assert list(extensions.broken) == ["a", "c"]


def test_a_run_knows_the_plug_ins_behind_its_names():
    things, extensions, _ = registry(b=lambda: things.register(Thing("theirs")))
    things.register(Thing("mine"))
    known = extensions.used({"thing": ["own", "mine", "theirs", "theirs"]})
    assert known == [{"name": "b", "package": "some-package", "version": "1.2"}]
    assert extensions.absent(known) == []
    without = Extensions(Plugs())
    assert without.absent(known) == [
        "the plug-in b, which is not installed: install some-package 1.2"
    ]
    ill = Extensions(Plugs(b=broken))
    assert ill.absent(known)[0].startswith("the plug-in b, which does not load: ValueError: no")


def test_no_record_needs_no_look_for_plug_ins():
    _, extensions, plugs = registry(b=broken)
    assert extensions.absent([]) == [] and extensions.used({"thing": ["own"]}) == []
    assert plugs.looks == 0


def test_what_was_added_in_a_block_is_forgotten_after_it():
    things, extensions, _ = registry(b=lambda: things.register(Thing("theirs")))
    things.register(Thing("mine"))
    with pytest.raises(RuntimeError), extensions.forgotten_after():
        things.register(Thing("late"))
        things.register(Thing("mine", "new"), replace=True)
        raise RuntimeError
    assert list(things) == ["own", "other", "theirs", "mine"] and things["mine"].value == 0


def test_plug_ins_that_are_loaded_in_a_block_stay():
    things, extensions, _ = registry(b=lambda: things.register(Thing("theirs")))
    with extensions.forgotten_after():
        assert "theirs" in things
    assert "theirs" in things


def test_a_test_that_registers_and_does_not_clean_up():
    EXTENSIONS.registries["model"].register(Thing("left-behind"))
    assert "left-behind" in MODELS


def test_is_forgotten_by_the_next():
    assert "left-behind" not in MODELS and len(MODELS) == len(MODELS.own)


# ---------------------------------------------------------------------------------- other processes


def test_what_was_added_by_hand_travels_to_a_worker():
    things, extensions, _ = registry(b=lambda: things.register(Thing("theirs")))
    things.register(Thing("mine", len))
    sent = pickle.loads(pickle.dumps(extensions.by_hand()))
    there, others, _ = registry()
    for _ in range(2):  # a worker that has it already, too
        sent.repeat(others)
    assert list(there) == ["own", "other", "mine"] and there["mine"].value is len


def test_what_a_worker_could_not_import_is_refused():
    things, extensions, _ = registry()
    things.register(Thing("mine", lambda: 0))
    with pytest.raises(
        InputError, match=r"thing: workers must be able to import what 'mine' is made of.*put its"
    ):
        extensions.by_hand()


def test_functions_of_a_prompt_are_refused_and_those_of_a_script_are_not(tmp_path):
    code = (
        "from aligntax.models.registry import EXTENSIONS\nfrom aligntax.models.catalogue import MODELS\n"
        "from types import SimpleNamespace\ndef f(): pass\n"
        "MODELS.register(SimpleNamespace(name='mine', f=f))\nprint(len(EXTENSIONS.by_hand().entries))\n"
    )
    (tmp_path / "script.py").write_text(code)
    script = subprocess.run(
        [sys.executable, tmp_path / "script.py"], capture_output=True, text=True, check=False
    )
    assert script.stdout == "1\n", script.stderr
    prompt = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert "got functions of a notebook or prompt; put its functions" in prompt.stderr


def test_no_module_looks_for_plug_ins_when_it_is_imported():
    code = (
        "import aligntax.analysis.cli, aligntax.models.extension, aligntax.analysis.pipeline\n"
        "from aligntax.models.registry import EXTENSIONS\nprint(EXTENSIONS.begun)\n"
        "list(EXTENSIONS.registries['model'])\nprint(EXTENSIONS.begun)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "False\nTrue\n", done.stderr
