"""A headless Chromium, and pages opened in it from disk: they may neither complain nor ask for anything."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip(
    "playwright.sync_api",
    reason="playwright is a developers' dependency: `make test-browser` brings it",
)
from playwright.sync_api import Browser, Page, sync_playwright

from tests.analysis.conftest import aligntax

__all__ = ["aligntax"]

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")  # no loop of its own while other files' tests run in this process
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        assert not os.environ.get("CI"), "CI must have Chromium: .ci/run installs it"
        pytest.skip("no Chromium on this machine; install Debian's package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page from disk; afterwards it must have logged no error and asked for nothing but itself."""
    pages: list[tuple[Page, list[str]]] = []

    def open_page(path: Path, width: int = 1280, height: int = 900, **context: object) -> Page:
        page = browser.new_context(
            viewport={"width": width, "height": height}, accept_downloads=True, **context
        ).new_page()
        said: list[str] = []
        page.on(
            "console",
            lambda message: (
                said.append(f"console: {message.text}")
                if message.type in ("error", "warning")
                else None
            ),
        )
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.on(
            "request",
            lambda request: (
                said.append(f"request: {request.url}")
                if request.url != path.as_uri() and not request.url.startswith(("data:", "blob:"))
                else None
            ),
        )
        page.on(
            "dialog", lambda dialog: (said.append(f"dialog: {dialog.message}"), dialog.dismiss())
        )
        page.goto(path.as_uri())
        pages.append((page, said))
        return page

    yield open_page
    for page, said in pages:
        page.context.close()
        assert said == []
