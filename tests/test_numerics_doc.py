"""docs/numerics.md says what runs."""

import doctest
from pathlib import Path


def test_the_examples_of_the_page_run_as_written():
    page = Path(__file__).resolve().parent.parent / "docs" / "numerics.md"
    found = doctest.testfile(str(page), module_relative=False)
    assert found.attempted > 4
    assert not found.failed
