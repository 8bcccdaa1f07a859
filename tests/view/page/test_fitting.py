"""What fits: legible text at first on any screen, long equations and names, names with markup, all
boxes of a training step opened, and the nodes of a path that is chosen in a closed graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from chromium import Opened

TEXTS = """() => { const g = document.getElementById("canvas").getContext("2d");
    const fill = g.fillText; const found = [];
    g.fillText = function (text, ...a) {
        found.push([parseFloat(/([\\d.]+)px/.exec(this.font)[1]) * palingrad.camera.scale, text]);
        return fill.call(this, text, ...a); };
    palingrad.paint(); g.fillText = fill; return found; }"""
OUTSIDE = """() => palingrad.scene().boxes.filter((box) => {
    const [x, y] = palingrad.toScreen(box.x - box.w / 2, box.y - box.h / 2);
    const [right, low] = palingrad.toScreen(box.x + box.w / 2, box.y + box.h / 2);
    const stage = document.getElementById("stage").getBoundingClientRect();
    return x < 0 || y < 0 || right > stage.width || low > stage.height; }).length"""
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


def attention() -> pg.Node:
    rng = np.random.default_rng(0)

    def drawn(name: str, *shape: int) -> Any:
        return pg.Variable(rng.standard_normal(shape).astype(np.float32) / 3, name=name)

    x, wq, wk, wv = drawn("X", 5, 8), *(drawn(name, 8, 8) for name in ("Wq", "Wk", "Wv"))
    q, k, v = pg.matmul(x, wq, name="Q"), pg.matmul(x, wk, name="K"), pg.matmul(x, wv, name="V")
    scores = pg.matmul(q, k.mT, name="S") / np.float32(np.sqrt(8.0))
    return pg.mean(pg.matmul(pg.softmax(scores, name="A"), v, name="Y") ** 2, name="L")


def training() -> tuple[pg.Graph, dict[Any, Any]]:
    one, two = pg.nn.Linear(4, 8), pg.nn.Linear(8, 1)
    with pg.Graph() as graph:
        x, t = pg.placeholder((6, 4), name="x"), pg.placeholder((6, 1), name="t")
        pg.optim.Adam(0.01).minimize(pg.mean((two(pg.tanh(one(x))) - t) ** 2, name="loss"))
    return graph, {x: np.ones((6, 4), np.float32), t: np.zeros((6, 1), np.float32)}


@pytest.mark.parametrize("screen", [None, PHONE], ids=["desktop", "phone"])
def test_at_first_all_cards_are_in_view_and_all_text_is_legible(graph_scope, screen):
    page = graph_scope(attention(), context=screen)
    texts = page.js(TEXTS)
    assert len(texts) >= 16
    assert min(size for size, _ in texts) >= 11
    assert page.js(OUTSIDE) == 0
    width = screen["viewport"]["width"] if screen else 1440
    assert page.js("document.documentElement.scrollWidth") <= width


def test_numbers_on_cards_have_fewer_digits_before_they_are_small(graph_scope):
    x = pg.Variable(np.array([0.123456, 2.5, -0.0078125]), name="x")
    page = graph_scope(pg.sum(x * 2.0, name="L"))
    for scale, shown in ((1.2, "0.123"), (0.7, "0.1"), (0.62, "(3,)")):
        page.js(f"palingrad.camera.scale = {scale}")
        texts = page.js(TEXTS)
        assert min(size for size, _ in texts) >= 11
        assert any(text.startswith(shown) for _, text in texts), (scale, texts)


def test_a_training_step_with_all_boxes_opened_is_legible(graph_scope):
    graph, feeds = training()
    page = graph_scope(graph, feeds=feeds)
    page.page.locator("#expand").click()
    assert page.js("palingrad.scene().boxes.length") > 100
    texts = page.js(TEXTS)
    assert "loss" in [text for _, text in texts]
    assert min(size for size, _ in texts) >= 11
    page.page.keyboard.press("0")
    page.page.locator("#stage").click(position={"x": 5, "y": 5})
    page.page.keyboard.press("0")
    assert page.js(OUTSIDE) == 0


HOSTILE = [
    "<img src=x onerror=window.hacked=1>",
    "\" onmouseover='window.hacked=1' x=\"",
    "</script><script>window.hacked=1</script>",
    "&lt;b&gt; & <b>",
    "学習率 = 層の出力",
    "🙂 smile 🎉",
    "x" * 150,
]


def hostile() -> pg.Node:
    """A graph whose names, scopes and title are markup, CJK, emoji or long."""
    total: Any = pg.Variable(1.0, name="z")
    for name in HOSTILE:
        with pg.name_scope(name.replace("/", "|")[:40]):
            total = pg.add(total, pg.Variable(2.0, name=name) * 3.0, name=name)
    return total


def test_names_with_markup_are_text_everywhere_and_long_ones_are_cut(graph_scope):
    page = graph_scope(hostile(), title="<b>title</b> & \"x\" 'y'")
    assert "<b>title</b> & \"x\" 'y'" in page.text("h1")
    page.page.locator("#expand").click()
    for place in range(page.js("palingrad.nodes.length")):
        page.js(f"palingrad.choose({{ node: {place} }})")
    for tab in ("paths", "whatif", "compare", "details"):
        page.js(f"palingrad.set({{ tab: '{tab}' }})")
    page.page.fill("#search", "img")
    for step in range(0, page.js("palingrad.schedule.steps.length"), 3):
        page.js(f"palingrad.set({{ step: {step} }})")
    assert page.js("palingrad.svgText()").count("<script") == 0
    assert page.js("window.hacked") is None
    assert page.js("document.querySelectorAll('main img, main b[onmouseover]').length") == 0
    page.js("palingrad.choose({})")
    assert page.js(WRAPPED) == []
    assert page.js("document.documentElement.scrollWidth") == 1440


WRAPPED = """[...document.querySelectorAll("#details .list button.row")].filter((row) =>
    row.clientHeight > 40 || row.scrollWidth > row.clientWidth + 1).map((row) => row.innerText)"""


def test_long_equations_scroll_by_themselves(graph_scope):
    y: Any = pg.Variable(0.5, name="a_rather_long_parameter_name")
    w = pg.Variable(0.25, name="another_long_parameter_name")
    page = graph_scope(pg.sin(y * w + w * w) * pg.exp(y * w * y + w) / (y + w), context=None)
    wide = page.js(
        "[...document.querySelectorAll('.eq')].map(e => [e.scrollWidth - e.clientWidth, "
        "getComputedStyle(e).overflowX])"
    )
    assert max(over for over, _ in wide) > 0
    assert {style for _, style in wide} == {"auto"}


def test_a_path_chosen_in_a_closed_graph_opens_what_it_runs_through(graph_scope):
    x = pg.Variable(0.5, name="x")
    y: Any = x
    for scope in ("first", "second"):
        with pg.name_scope(scope):
            y = pg.sin(y * 2.0)
            with pg.name_scope("inner"):
                y = pg.exp(y)
    with pg.name_scope("other"):
        k = pg.cos(pg.Variable(1.0, name="k"))
    page: Opened = graph_scope(pg.multiply(y, k, name="L"))
    page.page.locator("#collapse").click()
    assert page.js("palingrad.scene().boxes.filter((box) => box.group).length") == 3
    place = page.js("palingrad.nodes.findIndex((node) => node.n === 'x')")
    page.js(f"palingrad.set({{ tab: 'paths', from: {place}, to: palingrad.data.result }})")
    page.page.locator("#path-list .way").first.click()
    hidden = page.js(
        "palingrad.state.path.filter((number) => [palingrad.edges[number].a, "
        "palingrad.edges[number].b].some((place) => palingrad.boxFor(place).node !== place)).length"
    )
    assert hidden == 0
    closed = page.js("palingrad.scene().boxes.filter((box) => box.group).map((box) => box.group)")
    assert closed == ["other"]  # what the path doesn't need stays closed


def test_the_mark_of_a_loop_leaves_its_name_free(graph_scope):
    w = pg.Variable(0.5, name="w")
    steps = pg.tensor(np.ones(3, np.float32), name="xs")
    carry, _ = pg.scan(lambda c, s: (pg.tanh(c * w + s), c), pg.tensor(np.float32(0)), steps)
    page = graph_scope(pg.add(carry, 1.0, name="L"), context=PHONE)
    found = page.js(
        """() => { const g = document.getElementById("canvas").getContext("2d");
        const fill = g.fillText; let right = 0;
        const box = palingrad.scene().boxes.find((one) => palingrad.nodes[one.node]?.o === "loop");
        const called = palingrad.calledAs[box.node];
        g.fillText = function (text, x, y) {
            if (text === called && Math.abs(y - box.y) < box.h) right = x;
            return fill.call(this, text, x, y); };
        palingrad.paint(); g.fillText = fill; return [right, box.x + box.w / 2]; }"""
    )
    assert 0 < found[0] <= found[1] - 17 - 1
