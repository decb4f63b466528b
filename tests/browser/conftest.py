"""A real Chromium, a page that records whatever it should not do, and sites to open in it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Payloads call tripwire(); where it exists and is called, a text has become a script.
TRIPWIRE = "window.tripped = 0; window.tripwire = () => { window.tripped += 1; };"


@dataclass
class Watched:
    """A page, and what it did besides showing itself."""

    page: Page
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def open(self, file: Path, fragment: str = "") -> Page:
        """Open a page as a user does, from disk; what an earlier page did is forgotten."""
        if self.page.url.partition("#")[0] == file.as_uri():
            self.page.goto("about:blank")  # another fragment alone would not load the page again
        for record in (self.requests, self.dialogs, self.errors):
            record.clear()
        self.page.goto(f"{file.as_uri()}{fragment}")
        return self.page

    def assert_quiet(self) -> None:
        """Nothing ran, asked, loaded or failed."""
        assert self.page.evaluate("window.tripped") == 0
        assert (self.requests, self.dialogs, self.errors) == ([], [], [])


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        reason = f"no browser: none of {', '.join(NAMES)} is on PATH"
        if os.environ.get("FLOWFORGE_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Root, as in a container, gets no sandbox; a small /dev/shm would crash large pages.
        started = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = _context(browser)
    yield opened
    opened.close()


@pytest.fixture
def watched(context: BrowserContext) -> Watched:
    return _watch(context)


@pytest.fixture(scope="module")
def one_page(browser: Browser) -> Iterator[Watched]:
    """One page for many sites: opening a page anew costs more than what is looked at."""
    # So low that no page comes as far down as its drawing, which would load Mermaid.
    opened = _context(browser, height=320)
    yield _watch(opened)
    opened.close()


def _context(browser: Browser, height: int = 720) -> BrowserContext:
    opened = browser.new_context(color_scheme="light", viewport={"width": 1280, "height": height})
    opened.set_default_timeout(60_000)
    opened.add_init_script(TRIPWIRE)
    # Whatever is not a file is refused, and noted in _watch. A pattern, not a function: files then pass by unasked.
    opened.route(re.compile(r"^(?!file:|about:)"), lambda route: route.abort())
    return opened


def _watch(context: BrowserContext) -> Watched:
    found = Watched(context.new_page())

    def on_request(request: Request) -> None:
        if not request.url.startswith(("file:", "about:")):
            found.requests.append(request.url)

    def on_dialog(dialog: Dialog) -> None:
        found.dialogs.append(dialog.message)
        dialog.dismiss()

    def on_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            found.errors.append(message.text)

    found.page.on("request", on_request)
    found.page.on("dialog", on_dialog)
    found.page.on("console", on_console)
    found.page.on("pageerror", lambda error: found.errors.append(str(error)))
    return found
