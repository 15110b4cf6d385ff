"""Chromium against a served site, watched for everything a page must not do.

`browse` gives a `Visitor` for a person: it opens pages at a width, and
`faults()` says what went wrong: messages in the browser's console (which is
where CSP violations appear), failed requests, requests to other hosts, and
content wider than the screen.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.programs import BROWSER, need

ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--disable-features=OptimizationHints,MediaRouter,Translate",
]
WIDE, PHONE = 1440, 390
HEIGHTS = {WIDE: 900, PHONE: 844}
# The pages' own scripts ran, and htmx waits for nothing. Not "networkidle": that is
# half a second of waiting on each page, and a live stream never rests.
_AT_REST = """() => new Promise((done) => {
  const look = () => document.querySelector(".htmx-request, .htmx-settling")
    ? setTimeout(look, 20) : done(true);
  look();
})"""
_WIDTH = "() => [document.documentElement.scrollWidth, window.innerWidth]"


@dataclass
class Visitor:
    """One person at one browser window."""

    page: Any
    base: str
    messages: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def open(self, path: str) -> Any:
        """Go there and wait until what the page asked for has come and is shown."""
        answer = self.page.goto(f"{self.base}{path}", wait_until="load")
        self.rest()
        return answer

    def rest(self) -> None:
        """Wait until htmx waits for nothing more."""
        self.page.evaluate(_AT_REST)

    def widen(self, width: int) -> None:
        """Make the window that of a phone or of a desk; the page stays."""
        self.page.set_viewport_size({"width": width, "height": HEIGHTS[width]})

    def overflow(self) -> str:
        """Empty unless the page scrolls sideways."""
        content, screen = self.page.evaluate(_WIDTH)
        return f"{content} px wide on {screen}" if content > screen else ""

    def faults(self) -> list[str]:
        found = [*self.messages, *(f"asked {host}" for host in self.outside)]
        if wide := self.overflow():
            found.append(wide)
        return found


def walk(visitor: Visitor, paths: Iterable[str]) -> dict[str, Any]:
    """What is wrong with each page: opened as on a phone, then as at a desk.

    With DOTMAC_PICTURES naming a folder, a picture of each at both widths is put there.
    """
    faults = {}
    folder = os.environ.get("DOTMAC_PICTURES")
    for path in paths:
        visitor.widen(PHONE)
        answer = visitor.open(path)
        found = []
        for width in (PHONE, WIDE):
            visitor.widen(width)
            found += [fault for fault in visitor.faults() if fault not in found]
            if folder:
                name = re.sub(r"[^\w=-]+", "_", path.strip("/"))
                place = Path(folder) / f"{name}-{width}.png"
                visitor.page.screenshot(path=place, full_page=True)
        if answer.status != 200 or found:
            faults[path] = (answer.status, found)
        visitor.messages.clear()
        visitor.outside.clear()
    return faults


_open: list[Any] = []


@pytest.fixture(scope="session")
def chromium():
    """The installed browser.

    Each module that imports this fixture makes one of its own, and Playwright
    runs once in a thread: later ones share the first one's browser.
    """
    if _open:
        yield _open[0]
        return
    need(*BROWSER)
    from playwright.sync_api import sync_playwright

    # Playwright keeps an event loop on this thread; the ORM is used beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        _open.append(browser)
        yield browser
        _open.clear()
        browser.close()
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)


@pytest.fixture
def site(own_database):
    """The address of a served site over a database of the test's own."""
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.test.testcases import LiveServerThread

    thread = LiveServerThread("127.0.0.1", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait(30)
    if thread.error is not None:
        raise thread.error
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()


@pytest.fixture
def visit(chromium, site):
    """visit(cookies, width) is a watched window."""
    contexts = []

    def enter(cookies: dict[str, str] | None = None, width: int = WIDE, **options):
        size = {"width": width, "height": HEIGHTS.get(width, 900)}
        context = chromium.new_context(
            viewport=size, has_touch=width == PHONE, locale="en-GB", **options
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        context.add_cookies(
            [
                {"name": name, "value": value, "url": site}
                for name, value in (cookies or {}).items()
            ]
        )
        visitor = Visitor(page=context.new_page(), base=site)
        watch(visitor)
        return visitor

    yield enter
    for context in contexts:
        context.close()


def watch(visitor: Visitor) -> None:
    """Keep every message and every request that leaves the machine."""
    host = urlsplit(visitor.base).netloc
    page = visitor.page

    def on_console(message: Any) -> None:
        if message.type in {"error", "warning"}:
            visitor.messages.append(f"{message.type}: {message.text}")

    def on_request(request: Any) -> None:
        found = urlsplit(request.url)
        if found.scheme in {"http", "https", "ws", "wss"} and found.netloc != host:
            visitor.outside.append(found.netloc)

    page.on("console", on_console)
    page.on("pageerror", lambda error: visitor.messages.append(f"script: {error}"))
    page.on("request", on_request)
