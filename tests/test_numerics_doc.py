"""docs/numerics.md and the pages like it say what runs."""

import doctest
from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["numerics", "interchange", "special", "training", "transforms"])
def test_the_examples_of_the_page_run_as_written(name):
    page = Path(__file__).resolve().parent.parent / "docs" / f"{name}.md"
    found = doctest.testfile(str(page), module_relative=False)
    assert found.attempted > 4
    assert not found.failed
