"""The page of ten thousand nodes, and of arrays too large to be exported whole."""

from __future__ import annotations

from typing import Any

import numpy as np

import palingrad as pg
from palingrad.view.page.export import Export, Options


def deep(count: int) -> Any:
    """A chain of `count` nodes that share two leaves."""
    a, b = pg.Variable(0.9, name="a"), pg.Variable(0.1, name="b")
    y: Any = pg.tensor(1.0, name="x")
    for _ in range(count // 2):
        y = y * a + b
    return y


def test_ten_thousand_nodes_stay_responsive(graph_scope):
    page = graph_scope(deep(10_000), budget=8_000_000)
    assert page.js("palingrad.nodes.length") > 10_000
    assert page.page.locator("#tree [role=treeitem]").count() < 80  # only those in sight
    page.js("palingrad.choose({node: 5000})")
    page.js("palingrad.set({step: 7000})")
    assert len(page.js("palingrad.readyQueue(7000)")) == 1
    assert page.js("palingrad.find('multiply').length") == 5000
    page.js("palingrad.edit(1, [0.8])")
    expected = 1.0
    for _ in range(4200):
        expected = np.float32(np.float32(expected * np.float32(0.8)) + np.float32(0.1))
    value = page.js("palingrad.valueOf(palingrad.data.result).data[0]")
    assert value == float(expected)
    page.page.locator("#tab-paths").click()
    assert page.page.locator("#path-list .path").count() > 0
    page.js("palingrad.resetEdits()")
    page.page.locator("#search").fill("n9000")
    page.page.keyboard.press("Enter")
    assert page.js("palingrad.state.node") == 9000
    # Only what is visible is drawn.
    drawn = page.js(
        """() => { palingrad.choose({node: 5000}); const b = palingrad.boxFor(5000);
        Object.assign(palingrad.camera, {x: b.x, y: b.y, scale: 1});
        const g = document.querySelector('#canvas').getContext('2d');
        const fill = g.fillText; let texts = 0;
        g.fillText = function (...a) { texts++; return fill.apply(this, a); };
        palingrad.paint(); g.fillText = fill; return texts; }"""
    )
    assert 3 < drawn < 200


def test_large_arrays_are_summaries_and_slices_under_a_budget(graph_scope):
    rng = np.random.default_rng(0)
    x = pg.tensor(rng.normal(size=(64, 300)).astype(np.float32), name="x")
    w = pg.Variable(rng.normal(size=(300, 200)).astype(np.float32), name="w")
    h = pg.relu(x @ w)
    page = graph_scope(pg.mean(h * h))
    place = page.js("palingrad.nodes.findIndex(n => n.n === 'w')")
    page.js("k => palingrad.choose({node: k})", place)
    text = page.text("#details")
    for word in ("Value, summarised", "60 000", "smallest", "deviation", "The first 16 × 16"):
        assert word.replace(" ", "\u202f") in text or word in text
    assert page.page.locator("#details .hist").count() >= 1
    edge = page.js(
        "palingrad.edges.findIndex(e => palingrad.nodes[e.b].o === 'matmul' && e.i === 1)"
    )
    page.js("n => palingrad.choose({edge: n})", edge)
    assert "Kronecker" in page.text("#structure")
    assert "12 800 × 60 000" in page.text("#details").replace("\u202f", " ")


def test_a_budget_cuts_numbers_and_says_so(graph_scope):
    x = pg.Variable(np.linspace(0, 1, 2000))
    y: Any = x
    for _ in range(20):
        y = pg.sin(y)
    small = Export(pg.sum(y), Options(budget=100_000))
    data = small.data()
    assert small.budget.cut > 20
    assert "budget=" in data["notes"][0]
    page = graph_scope(pg.sum(y), budget=100_000)
    assert "0.1 MB" in page.text("#details")


def test_slices_of_higher_axes_are_chosen(graph_scope):
    x = pg.Variable(np.arange(24.0).reshape(2, 3, 4), name="x")
    page = graph_scope(pg.sum(x * 2.0))
    page.js("palingrad.choose({node: 0})")
    axis = page.page.locator("#details input[type=number]").first
    assert "23" not in page.text("#details .matrix")
    axis.fill("1")
    assert "23" in page.text("#details .matrix")


def test_an_operation_of_thousands_of_inputs_is_looked_at_once_not_for_each_edge(monkeypatch):
    made = Export(pg.sum(pg.stack([pg.Variable(float(k)) for k in range(4200)])), Options())
    looked: list[int] = []
    known = made.blocks.of

    def counted(node: Any, values: Any) -> int | str:
        looked.append(id(node))
        return known(node, values)

    monkeypatch.setattr(made.blocks, "of", counted)
    data = made.data()
    assert len(looked) == len(set(looked)) == 4202  # each expand_dims, concat, sum
    assert sum("l" in edge for edge in data["edges"]) < 100
