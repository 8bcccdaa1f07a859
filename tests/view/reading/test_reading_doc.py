"""docs/reading.md says what is true: every example in it runs and prints what is printed there."""

from __future__ import annotations

import doctest
from pathlib import Path

DOC = Path(__file__).resolve().parents[3] / "docs" / "reading.md"


def test_every_example_in_the_document_runs():
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    found = doctest.testfile(str(DOC), module_relative=False, optionflags=flags)
    assert found.attempted > 20
    assert found.failed == 0
