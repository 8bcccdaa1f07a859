"""docs/transforms.md is true: every example runs and prints what is shown."""

from __future__ import annotations

import doctest
from pathlib import Path

DOC = Path(__file__).resolve().parents[2] / "docs" / "transforms.md"


def test_every_example_in_the_document_runs():
    found = doctest.testfile(str(DOC), module_relative=False)
    assert found.attempted > 20
    assert found.failed == 0
