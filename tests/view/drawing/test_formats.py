"""SVG, DOT and Mermaid: colours, values and gradients in every viewer; names as they are."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.view.drawing.style import PALETTES
from palingrad.view.drawings import draw

NAMES = [
    "end", "graph", "subgraph", "style", "click", "default", 'a"b', "a<b>&amp;", "ünï∂", "%%{init}",
    "1. x", "- y", "*bold*", "`code`", r"\N \n", "#35;", "$$x$$", "x_y_z",
]  # fmt: skip
COLOUR = re.compile(r"#[0-9a-f]{6}")


def differentiated() -> Any:
    """A graph with all kinds of nodes, values, gradients and a derivative."""
    x, w = pg.Variable(2.0), pg.Variable(3.0)
    y = pg.sin(x * w) + 0.5
    dy = pg.gradients(y, x)
    y.backward()
    return [y, dy]


def named(*more: str) -> pg.Node:
    y = pg.tensor(1.0)
    for name in (*NAMES, *more):
        y = pg.Variable(1.5, name=name) * y
    return y


# ---------------------------------------------------------------- SVG


@pytest.mark.parametrize("nodes", ["operations", "neurons"])
@pytest.mark.parametrize("style", ["auto", "light", "dark", "print"])
def test_every_mark_of_an_svg_has_plain_colours(style: Any, nodes: Any):
    what: Any = differentiated()
    if nodes == "neurons":
        x = pg.placeholder((1, 3), dtype=pg.float32)
        what = pg.tanh(x @ pg.Variable(np.ones((3, 2), np.float32)))
    text = draw(what, style=style, nodes=nodes).svg()
    root = ElementTree.fromstring(text)
    palette = PALETTES["light" if style == "auto" else style]
    shapes = [e for e in root.iter() if e.tag.rpartition("}")[2] in ("path", "text", "rect")]
    assert len(shapes) > 8
    for shape in shapes:
        colours = [shape.get(name) for name in ("fill", "stroke")]
        assert colours[0] is not None
        for colour in colours:
            assert colour in (None, "none", *palette.values())
        assert "style" not in shape.attrib
        for one in (shape.get("class") or "").split():  # the variables give the same colours
            if one[:2] in ("f-", "s-"):
                assert palette[one[2:]] == colours["fs".index(one[0])]
                assert f".{one}{{" in text
    assert "var(" not in re.sub(r"@supports[^<]*", "", text)  # what other viewers read


def test_only_auto_follows_the_readers_screen():
    y = differentiated()
    assert "prefers-color-scheme" in draw(y).svg()
    assert "prefers-color-scheme" not in draw(y, style="dark").svg()


# ---------------------------------------------------------------- DOT and Mermaid


@pytest.mark.parametrize("form", ["dot", "mermaid"])
def test_values_gradients_derivatives_and_colours_are_exported(form: str):
    text = getattr(draw(differentiated()), form)()
    for part in ("0.2206", "∂ 1", "∂ 2.881", "∂y/∂x", "2.881", "backward"):
        assert part in text
    light, dark = PALETTES["light"], PALETTES["dark"]
    assert set(COLOUR.findall(text)) <= set(light.values())
    for tone in ("variable", "operation", "backward"):
        assert light[tone] in text
        assert light[f"{tone}-fill"] in text
    plain = getattr(draw(differentiated(), style="dark", values=False), form)()
    assert set(COLOUR.findall(plain)) <= set(dark.values())
    assert "2.881" not in plain


def test_the_direction_is_exported():
    y = named()
    assert "rankdir=TB" in draw(y).dot()
    assert "rankdir=LR" in draw(y, direction="right").dot()
    assert draw(y).mermaid().startswith("flowchart TD\n")
    assert draw(y, direction="right").mermaid().startswith("flowchart LR\n")


def test_names_are_shown_as_they_are_in_dot():
    found = re.findall(r'^  n\d+ \[label="((?:[^"\\]|\\.)*)"', draw(named()).dot(), re.M)
    assert len(found) == 2 * len(NAMES) + 1
    shown = [  # as Graphviz reads them
        re.sub(r"\\(.)", lambda m: {"n": "\0"}.get(m[1], m[1]), one).replace("&amp;", "&")
        for one in found
    ]
    assert set(NAMES) <= {one.split("\0")[0] for one in shown}


def test_names_are_strings_in_which_nothing_has_a_meaning_in_mermaid():
    text = draw(named()).mermaid()
    strings = re.findall(r'^  n\d+[\[(]+"([^"\n]*)"[\])]+$', text, re.M)
    assert len(strings) == 2 * len(NAMES) + 1
    shown = [re.sub(r"#(\d+);", lambda m: chr(int(m[1])), one) for one in strings]
    assert set(NAMES) <= {one.replace("\u2060", "").split("<br/>")[0] for one in shown}
    for one in strings:
        assert not re.search(r"[<>&`*_~%$\\]|^[-+]|^\d+\.\s", one.replace("<br/>", ""))
    for one in shown:
        assert "$$" not in one
        assert r"\n" not in one


def test_a_name_of_two_lines_is_one_line_in_each():
    y = named("two\nlines")
    for text in (draw(y).dot(), draw(y).mermaid()):
        assert "lines" in text
        assert not [line for line in text.splitlines() if line.startswith("lines")]
