"""A headless Chromium for the page's tests: one browser for all, with the network off."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Frame, Page, sync_playwright

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
OFFLINE: dict[str, Any] = {
    "offline": True,
    "reduced_motion": "reduce",
    "viewport": {"width": 1440, "height": 900},
}


def executable() -> str:
    """The system's Chromium. `make test` installs one; PALINGRAD_CHROMIUM says where another is."""
    # The shell, a Chromium that can do nothing but run headless, takes half the time.
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("PALINGRAD_CHROMIUM") or next(filter(None, map(shutil.which, names)), "")
    assert found, "no Chromium here: run `make browser`, or set PALINGRAD_CHROMIUM"
    return found


_RUNNING: list[Browser] = []  # of this process, which can have one Playwright at a time


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser with a profile of its own; inside another's life, that one."""
    if _RUNNING:
        yield _RUNNING[-1]
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        _RUNNING.append(browser)
        try:
            yield browser
        finally:
            _RUNNING.remove(browser)
            browser.close()


def tab_of(browser: Browser, context: dict[str, Any] | None = None) -> Page:
    """A tab for many pages, offline, with these options of its context.

    Its window is full screen: there the browser draws no bar of tabs, with a wheel that turns while
    a page loads: a quarter of what loading a page takes.
    """
    tab = browser.new_context(**OFFLINE | (context or {})).new_page()
    session = tab.context.new_cdp_session(tab)
    window = session.send("Browser.getWindowForTarget")["windowId"]
    bounds = {"windowState": "fullscreen"}
    session.send("Browser.setWindowBounds", {"windowId": window, "bounds": bounds})
    session.detach()
    return tab


class Opened:
    """A page opened from disk in a tab; what it complains of and asks the network for is kept."""

    def __init__(self, tab: Page, path: Path, address: str = "") -> None:
        self.page = tab
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._listen = {
            "console": lambda message: self.complaints.append(message.text),
            "pageerror": lambda error: self.complaints.append(str(error)),
            "request": lambda request: self.requests.append(request.url),
        }
        for event, listener in self._listen.items():
            tab.on(event, listener)  # pyright: ignore[reportArgumentType, reportCallIssue]
        tab.goto(path.as_uri() + address)
        tab.wait_for_selector("html[data-ready=yes]", state="attached")

    def js(self, script: str, argument: Any = None) -> Any:
        """The value of an expression in the page, where `palingrad` is what the page exposes."""
        return self.page.evaluate(script, argument)

    def text(self, selector: str) -> str:
        """The text of the first element."""
        return self.page.locator(selector).first.inner_text()

    def number(self, selector: str) -> float:
        """The number that an element displays."""
        return number(self.text(selector))

    def check(self) -> None:
        """Nothing may have gone wrong in the page, and nothing may have been asked for."""
        for event, listener in self._listen.items():
            self.page.remove_listener(event, listener)
        assert self.complaints == [], self.complaints
        assert all(url.startswith(("file:", "data:")) for url in self.requests)


class Frames(Opened):
    """A page that shows others in a frame, one after the other, as a notebook does: loading one
    so takes two thirds of the time."""

    def __init__(self, tab: Page, folder: Path) -> None:
        path = folder / "frames.html"
        path.write_text('<html data-ready="yes"></html>', encoding="utf-8")
        super().__init__(tab, path)

    def show(self, text: str) -> Frame:
        """The frame in which this page is loaded."""
        self.js(_SHOWN, text)
        (frame,) = self.page.main_frame.child_frames
        assert frame.evaluate("document.documentElement.dataset.ready") == "yes"
        return frame


_SHOWN = """async (text) => {
  const frame = document.createElement("iframe");
  Object.assign(frame, {width: 700, height: 500, srcdoc: text});
  const loaded = new Promise((done) => { frame.onload = done; });
  document.body.replaceChildren(frame);
  await loaded;
}"""


def number(text: str) -> float:
    """A number as the page displays it."""
    return float(text.replace("−", "-").replace("∞", "inf").replace("\u202f", ""))
