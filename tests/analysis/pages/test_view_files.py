"""A page's short file says what its view says."""

import pytest

from aligntax.analysis.pages.view_files import SECTIONS, beside_priors, file_parts
from aligntax.models.catalogue import find_model
from aligntax.models.views import load_view, parse_view, view_names
from aligntax.models.views.changes import changes
from aligntax.models.views.settings import ROLES


def read_again(parts):
    head = f'name = "again"\nextends = "{parts["extends"]}"\n{parts["head"]}\n'
    return parse_view(head + "\n".join(parts["quantities"][q] for q in parts["changed"]), "again")


@pytest.mark.parametrize("name", view_names())
def test_a_view_of_the_package_is_its_name(name):
    parts = file_parts(load_view(name))
    assert (parts["extends"], parts["head"], parts["changed"]) == (name, "", [])


def test_another_view_is_what_differs_from_the_default():
    view = load_view("default").replace(
        name="mine", usd_per_hour={0.1: 10, 0.5: 20, 0.9: 60}, arrival={"horizon": 2080}
    )
    parts = file_parts(view)
    assert parts["extends"] == "default" and parts["changed"] == ["usd_per_hour"]
    assert read_again(parts).hash == view.hash
    assert len(parts["head"].splitlines()) < 12


def test_what_no_short_file_can_say_is_said_whole():
    """A view of Bio Anchors' shape under a name of its own."""
    view = load_view("bioanchors-2020").replace(name="mine")
    assert read_again(file_parts(view)).hash == view.hash


def test_what_a_view_changes_beside_priors_is_told_in_words():
    names = find_model("joint").quantities
    told = {
        name: beside_priors(changes(load_view("default"), load_view(name), names))
        for name in view_names()
    }
    assert told["leike-2023"] == told["hilton-2022"] == ""
    assert told["bioanchors-alone"] == "the weights of the kinds of requirement"
    assert all("." not in words and "_" not in words for words in told.values())


def test_every_section_of_settings_has_words():
    assert {name.split(".")[0] for name in ROLES} <= set(SECTIONS)
