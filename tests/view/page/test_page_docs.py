"""docs/page.md is true: its examples run, and it lists all options and keys."""

from __future__ import annotations

import doctest
import inspect
import re
from pathlib import Path

from palingrad.view.page import show
from palingrad.view.page.assemble import asset

PAGE = Path(__file__).parents[3] / "docs" / "page.md"


def test_every_example_prints_what_is_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    found = doctest.testfile(str(PAGE), module_relative=False, optionflags=flags)
    assert found.attempted > 5
    assert found.failed == 0
    assert {one.name for one in tmp_path.iterdir()} == {"y.html", "graph.html", "again.html"}


def test_the_table_has_every_option():
    named = set(re.findall(r"^\| `(\w+)=`", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    options = set(inspect.signature(show).parameters) - {"what", "path"}
    assert named == options


def test_the_keys_are_those_of_the_page():
    text = PAGE.read_text(encoding="utf-8")
    for key in re.findall(r"^    ([a-z]): \(?", asset("panels/keys.js"), re.MULTILINE):
        assert f"`{key}`" in text


def test_no_two_scripts_of_the_page_define_one_name():
    """All scripts share one scope, where the later definition would replace the other."""
    from collections import Counter

    from palingrad.view.page.assemble import SCRIPTS, asset

    defined = re.compile(r"^(?:async )?(?:function|const|let|class) +(\w+)", re.M)
    found = Counter(name for script in SCRIPTS for name in defined.findall(asset(script)))
    assert [name for name, count in found.items() if count > 1] == []
