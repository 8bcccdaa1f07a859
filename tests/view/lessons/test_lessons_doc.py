"""docs/lessons.md is true: its example runs, and it lists all options, keys, kinds and limits."""

from __future__ import annotations

import doctest
import inspect
import re
from pathlib import Path

import palingrad as pg
from palingrad.view.lessons import export, questions
from palingrad.view.lessons.assemble import own_asset

PAGE = Path(__file__).parents[3] / "docs" / "lessons.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_example_prints_what_is_shown(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 5
    assert found.failed == 0
    assert {one.name for one in tmp_path.iterdir()} == {"lesson.html", "lesson.pdf"}


def test_the_table_has_every_option():
    named = set(re.findall(r"^\| `(\w+)=`", TEXT, re.MULTILINE))
    assert named == set(inspect.signature(pg.lesson).parameters) - {"loss", "ask", "path"}


def test_keys_limits_and_tolerances_are_those_of_the_page():
    (keys,) = re.findall(r"const KEYS = \{(.*)\}", own_asset("main.js"))
    for key in re.findall(r"(\w): ", keys):
        assert f"`{key}`" in TEXT
    assert f"at most {export.LARGEST} operations" in TEXT
    assert f"at most {export.ELEMENTS:,} numbers" in TEXT
    assert f"at most {questions.LARGEST}." in TEXT
    judge = own_asset("judge.js")
    assert "CLOSE = 1e-3" in judge
    assert "ROUNDED = 5e-3" in judge
    assert "within 0.1 %, or rounded correctly and within 0.5 %" in TEXT


def test_every_kind_has_a_title_and_a_sentence():
    kinds = set(
        re.findall(r'"(\w+)"', re.findall(r"const KINDS = \[(.*)\]", own_asset("judge.js"))[0])
    )
    words = own_asset("words.js")
    for kind in kinds:
        assert len(re.findall(rf"^  {kind}: ", words, re.MULTILINE)) == 2, kind
