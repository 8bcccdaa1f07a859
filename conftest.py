"""Modules without examples aren't searched for doctests: of 1,300 some 50 have any."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from _pytest.doctest import DoctestModule


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path) -> Generator[None, list[Any], list[Any]]:
    """Drop a module's doctests if it has no prompt `>>>`."""
    found = yield
    if not any(isinstance(one, DoctestModule) for one in found):
        return found
    if ">>>" in file_path.read_text(encoding="utf-8"):
        return found
    return [one for one in found if not isinstance(one, DoctestModule)]
