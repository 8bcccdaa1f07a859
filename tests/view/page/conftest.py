"""What the page's tests share: one browser, and pages written and opened from disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


@pytest.fixture
def graph_scope(browser: Browser, tab: Page, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Write a page and open it; at the end no page may have complained or asked the network.

    `context` are options of a browser's context, for a tab of its own; `stopped`: its clock stands
    still until `page.page.clock.resume()`.
    """
    pages: list[Opened] = []

    def make(
        what: Any, *, address: str = "", context: Any = None, stopped: bool = False, **options: Any
    ) -> Opened:
        path = write(what, tmp_path / f"page{len(pages)}.html", **options)
        own = browser.new_context(**OFFLINE | context).new_page() if context else tab
        if stopped:
            assert own is not tab
            own.clock.install(time=0)
            own.clock.pause_at(1000)
        pages.append(Opened(own, path, address))
        return pages[-1]

    yield make
    for page in pages:
        page.check()
        if page.page is not tab:
            page.page.context.close()
