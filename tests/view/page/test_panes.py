"""Source, graph and equation side by side: each node has a place in all three."""

from __future__ import annotations

import linecache
from typing import Any

import numpy as np

import palingrad as pg
from chromium import Frames
from palingrad.view.page import html
from palingrad.view.page.export import Export, Options
from palingrad.view.page.panes.equations import equations
from palingrad.view.page.panes.spans import Sources


def small() -> Any:
    """s is used three times; the literals 2.0 and 1 stand in the line of e."""
    a, b, x = pg.Variable(2.0), pg.Variable(-1.0), pg.tensor(3.0)
    s = a * x + b
    e = pg.exp(-s * 2.0) / (1 + s * s)
    return e


def kinds() -> dict[str, Any]:
    """Graphs of several kinds, by name."""
    x, y = pg.Variable(np.arange(1.0, 4.0)), small()
    with pg.Graph():
        w = pg.Variable(2.0, name="w")
        fed = pg.placeholder((), dtype=pg.float32, name="fed")
        loss = pg.square(w * fed - 1.0)
        train = pg.optim.GradientDescent(0.1).minimize(loss)
    loop = pg.scan(lambda c, t: (c * t, c), pg.Variable(1.0), pg.tensor([1.0, 2.0]))
    layer = pg.nn.Linear(3, 2)
    return {
        "scalars": y,
        "gradient": pg.gradients(pg.sum(pg.sin(x) * x**2), x),
        "training": [loss, train],
        "loop": loop[0],
        "layer": pg.sum(pg.relu(layer(pg.tensor(np.ones((2, 3), np.float32))))),
        "large": sum((pg.sin(x * float(k)) for k in range(101)), start=x),
    }


def text_of(span: Any, file: str = __file__) -> str:
    _, first, last, start, end = span
    assert first == last
    return linecache.getline(file, first)[start:end]


def test_a_span_is_the_expression_that_built_the_node():
    e = small()
    sources = Sources(order := pg.postorder(e))
    found = [text_of(sources.spans[node]) for node in order]
    assert found[:3] == ["pg.Variable(2.0)", "pg.tensor(3.0)", "a * x"]
    assert found[3:5] == ["pg.Variable(-1.0)", "a * x + b"]
    assert found[-1] == "pg.exp(-s * 2.0) / (1 + s * s)"
    assert "2.0" in found  # a literal is the number alone
    assert "1" in found
    lines = [text for _, text in sources.data()[0]["lines"]]
    assert 4 <= len(lines) <= 8  # only these lines and their surroundings
    assert any("s = a * x + b" in line for line in lines)


def test_columns_count_as_javascript_counts_them():
    x = pg.Variable(2.0)
    y = {"𝒙∂": pg.sin(x)}["𝒙∂"]
    span = Sources(pg.postorder(y)).spans[y]
    line = linecache.getline(__file__, span[1])
    assert line.encode("utf-16-le")[2 * span[3] : 2 * span[4]].decode("utf-16-le") == "pg.sin(x)"


def test_every_node_has_a_span_and_a_term(tab, tmp_path):
    frames = Frames(tab, tmp_path)
    for name, graph in kinds().items():
        page = frames.show(html(graph))
        missing = page.evaluate("palingrad.nodes.filter((node) => !node.sp).map((node) => node.n)")
        assert missing == [], name
        unlit = page.evaluate(LIT_NOWHERE, 16 if name == "large" else 1)
        assert unlit == [], name
    frames.check()


LIT_NOWHERE = """(step) => palingrad.nodes.map((_, k) => k).filter((k) => {
  if (k % step) return false;
  palingrad.light([k], "test");
  const lit = ["#source .lit", "#equation .lit"].map((q) => document.querySelector(q));
  return lit.some((one) => one === null) || !palingrad.isLit(palingrad.boxFor(k));
})"""


def test_marking_terms_does_not_change_how_equations_are_written():
    e = small()
    lines = equations(pg.postorder(e))
    plain = ["".join(part for part in text.replace("<", "\n<").split("\n")) for _, text in lines]
    texts = [_characters(text) for text in plain]
    assert texts == ["s=ax+b", "‘e’=e−2s1+s2"]
    marked = [text.count("data-n") for _, text in lines]
    assert marked[1] >= 8  # e itself, the fraction's parts, s twice and the two literals


def _characters(text: str) -> str:
    import re

    return re.sub(r"<[^>]*>", "", text)


def test_hovering_in_one_pane_lights_all_three(graph_scope):
    page = graph_scope(small())
    where = "name => palingrad.nodes.findIndex((node) => node.n === name)"
    s = page.js(where, "s")
    lit = "[...palingrad.lit]"
    page.page.locator("#source span[data-n]", has_text="+ b").hover()
    assert page.js(lit) == [s]
    assert page.page.locator("#equation mrow.lit").count() == 3  # its equation, and twice in e
    page.page.mouse.move(5, 5)
    assert page.js(lit) == []
    page.page.locator(f"#equation mrow[data-n='{s}']").nth(1).hover()
    assert page.js(lit) == [s]
    assert page.text("#source .lit") == "a * x"  # the first piece of a * x + b
    x, y = page.js("k => palingrad.toScreen(palingrad.boxFor(k).x, palingrad.boxFor(k).y)", s)
    page.page.locator("#canvas").hover(position={"x": x, "y": y})
    assert page.js(lit) == [s]
    assert "lit" in page.page.locator(f"#equation .eq:has([data-n='{s}']) mrow").first.evaluate(
        "(row) => row.className"
    )
    page.page.locator("#source .built", has_text="s = a * x + b").locator(".count").hover()
    assert len(page.js(lit)) == 2  # the line built two nodes
    page.page.locator("#source").focus()
    page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("Enter")
    assert page.js("palingrad.state.node") is not None


def test_code_without_a_source_says_so_and_panes_can_be_hidden(graph_scope):
    space: dict[str, Any] = {"pg": pg}
    exec("x = pg.Variable(2.0); y = pg.sin(x) * x", space)
    page = graph_scope(space["y"])
    assert "isn't available: it was typed, or run from a string" in page.text("#source")
    page.page.keyboard.press("s")
    assert not page.page.locator("#source").is_visible()
    page.page.wait_for_function("location.hash.includes('panes=off')")
    page.page.locator("#panes").click()
    assert page.page.locator("#equation").is_visible()


def test_a_page_of_a_loaded_graph_has_no_source():
    data = Export(small(), Options()).data()
    assert all(len(file["lines"]) < 20 for file in data["files"])
    assert "def kinds" not in str(data["files"])
