"""A page is one file that fetches nothing, runs its own scripts alone and escapes what it shows."""

import base64
import hashlib
import json
import re

import pytest
from jinja2 import UndefinedError

from aligntax.analysis.pages.render import render

HOSTILE = "<script>alert(1)</script>\"'&"
CONTEXT = {
    "title": HOSTILE,
    "question": "?",
    "asked": HOSTILE,
    "info": {"command": HOSTILE},
    "verdict": {},
    "tables": [],
    "figures": [],
    "errors": 0,
}


@pytest.fixture(scope="module")
def page():
    return render("checks.html", CONTEXT, ["downloads.js", "sortable.js"], found={"text": HOSTILE})


def policy_of(page):
    text = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    return dict(rule.split(" ", 1) for rule in text.split("; "))


def test_the_policy_forbids_everything_but_the_page_s_own_scripts_styles_and_images(page):
    policy = policy_of(page)
    assert policy.pop("script-src").split() == [
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    ]
    assert policy == {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": "'unsafe-inline'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_a_page_without_scripts_may_run_none():
    assert policy_of(render("checks.html", CONTEXT))["script-src"] == "'none'"


def test_text_is_escaped_and_data_cannot_end_its_element(page):
    assert HOSTILE not in page and "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    (text,) = re.findall(r'<script type="application/json" id="found">(.*?)</script>', page)
    assert "<" not in text and json.loads(text) == {"text": HOSTILE}


def test_a_missing_variable_and_what_is_no_number_are_errors():
    with pytest.raises(UndefinedError):
        render("checks.html", {key: value for key, value in CONTEXT.items() if key != "asked"})
    with pytest.raises(ValueError, match="not JSON compliant"):
        render("checks.html", CONTEXT, found=float("nan"))
