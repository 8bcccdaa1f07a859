"""The glossary: one line a term, each with a file that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (?!term )(.+?) \| (.+?) \| `(.+?)` \|$", TEXT, re.MULTILINE)


@pytest.mark.tiny
def test_every_term_is_defined_once_in_one_line_with_a_file_that_exists():
    terms = [term for term, _, _ in ROWS]
    assert len(terms) == len(set(terms)) >= 60
    missing = [path for _, _, path in ROWS if not (ROOT / "src/palingrad" / path).exists()]
    assert not missing


@pytest.mark.tiny
def test_readers_of_the_architecture_find_it():
    assert "](glossary.md)" in (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
