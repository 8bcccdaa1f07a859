"""What the tests of lessons share: one tab in which lessons are opened from disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

import palingrad as pg
from chromium import Opened, launched, tab_of


@pytest.fixture(scope="session")
def tab() -> Iterator[Page]:
    with launched() as browser:
        yield tab_of(browser)


@pytest.fixture
def opened(tab: Page, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Write a lesson and open it; at the end nothing may have been complained of or asked for."""
    pages: list[Opened] = []

    def make(loss: pg.Node, ask: list[str], *, address: str = "", **options: Any) -> Opened:
        path = tmp_path / f"lesson{len(pages)}.html"
        pg.lesson(loss, ask, path, **options)
        pages.append(Opened(tab, path, address))
        return pages[-1]

    yield make
    for page in pages:
        page.check()
