"""The gallery: each script draws exactly the pictures that stand beside it."""

from __future__ import annotations

import doctest
import re
import runpy
from pathlib import Path

import pytest

GALLERY = Path(__file__).resolve().parent.parent / "examples" / "gallery"
PAGE = GALLERY.parent.parent / "docs" / "drawings.md"
SCRIPTS = sorted(GALLERY.glob("*.py"))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each picture that a script makes, by its name; none is made by two. On the digits that come
    with the library, also where there are others."""
    found: dict[str, Path] = {}
    for script in SCRIPTS:
        folder = tmp_path_factory.mktemp(script.stem)
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("PALINGRAD_DATA", raising=False)
            runpy.run_path(str(script), run_name="gallery")["main"](folder)
        for path in folder.iterdir():
            assert path.name not in found
            found[path.name] = path
    return found


def test_every_picture_is_made_by_a_script(drawn: dict[str, Path]):
    assert set(drawn) == {path.name for path in GALLERY.glob("*.svg")}


def test_the_pictures_are_those_that_are_kept(drawn: dict[str, Path]):
    """Stale? Run the script, look at its picture, and keep it."""
    stale = [
        name
        for name, path in drawn.items()
        if name != "trained_mlp.svg" and path.read_bytes() != (GALLERY / name).read_bytes()
    ]
    assert not stale


def test_the_trained_network_is_drawn_alike_up_to_its_weights(drawn: dict[str, Path]):
    """What a weight is after many steps depends on the machine; what is drawn doesn't."""
    now, kept = (
        path.read_text() for path in (drawn["trained_mlp.svg"], GALLERY / "trained_mlp.svg")
    )
    assert re.findall(r">([^<]+)</text>", now) == re.findall(r">([^<]+)</text>", kept)
    assert now.count("<path") == kept.count("<path")


def test_the_snippets_of_the_page_print_what_stands_there():
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 10
    assert not found.failed


def test_the_pages_show_every_picture():
    page = PAGE.read_text()
    for path in GALLERY.glob("*.svg"):
        assert f"../examples/gallery/{path.name}" in page
