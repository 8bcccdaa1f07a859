"""What the page's tests share: one browser, and pages written and opened from disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from chromium import OFFLINE, Opened, launched, tab_of
from palingrad.view.page import write


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.fixture(scope="session")
def tab(browser: Browser) -> Page:
    """The tab that most tests share: a page is loaded in a tenth of a second there."""
    return tab_of(browser)


@pytest.fixture(scope="session")
def tab_with(browser: Browser) -> Callable[[str], Page]:
    """A tab with these options of its context, for all pages that want the same."""
    return cache(lambda options: tab_of(browser, json.loads(options)))


@pytest.fixture
def graph_scope(
    browser: Browser, tab: Page, tab_with: Callable[[str], Page], tmp_path: Path
) -> Iterator[Callable[..., Opened]]:
    """Write a page and open it; at the end no page may have complained or asked the network.

    `context` are options of a browser's context, for a tab with these; `stopped`: it is a new one,
    whose clock stands still until `page.page.clock.resume()`.
    """
    pages: list[Opened] = []
    stopping: list[Page] = []

    def make(
        what: Any, *, address: str = "", context: Any = None, stopped: bool = False, **options: Any
    ) -> Opened:
        path = write(what, tmp_path / f"page{len(pages)}.html", **options)
        if not stopped:
            own = tab_with(json.dumps(context)) if context else tab
        else:
            stopping.append(own := browser.new_context(**OFFLINE | context).new_page())
            own.clock.install(time=0)
            own.clock.pause_at(1000)
        pages.append(Opened(own, path, address))
        return pages[-1]

    yield make
    for page in pages:
        page.check()
        if page.page in stopping:
            page.page.context.close()
        elif page.page is not tab:
            page.js("localStorage.clear()")
