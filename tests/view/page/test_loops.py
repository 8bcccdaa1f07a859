"""Loops and branches on the page: operations that open to their bodies, with values of steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.view.page.export import Export, Options
from tolerances import near


def loops() -> Any:
    """A scan, a while loop and a branch, each of which reads the one before."""
    w = pg.Variable(0.5, name="w", dtype=pg.float64)
    xs = pg.tensor(np.array([1.0, 2.0, 3.0, 4.0]), name="xs")

    def step(h: Any, x: Any) -> Any:
        h = pg.tanh(w * x + h)
        return h, h * h

    h, ys = pg.scan(step, pg.tensor(0.0, dtype=pg.float64), xs)
    r = pg.while_loop(lambda a: a < 100.0, lambda a: a * 2.0 + h, h + 2.0, max_steps=50)
    c = pg.cond(r > 50.0, lambda a: pg.sin(a) * 2.0, lambda a: a * 3.0, r)
    return pg.sum(ys) + r + c


def body(data: Any, kind: str) -> Any:
    """The region of the operation of this kind."""
    return next(one for one in data["regions"] if data["nodes"][one["at"]]["o"] == kind)


def test_values_of_each_step_are_those_of_the_loop():
    data = Export(loops(), Options()).data()
    scan = {node["n"]: node for node in body(data, "loop")["nodes"]}
    h, expected = 0.0, []
    for x in (1.0, 2.0, 3.0, 4.0):
        h = float(np.tanh(0.5 * x + h))
        expected.append(h)
    assert [row[0] for row in scan["h"]["v"]] == near(expected)
    assert [row[0] for row in scan["carry"]["v"]] == near([0.0, *expected[:-1]])
    assert [row[0] for row in scan["xs[t]"]["v"]] == [1.0, 2.0, 3.0, 4.0]
    repeat = body(data, "while_loop")
    less = next(node for node in repeat["nodes"] if node["o"] == "less")
    assert [row[0] for row in less["v"]] == [1, 1, 1, 1, 1, 0]
    branch = body(data, "switch")
    taken = {node["o"]: node for node in branch["nodes"] if "v" in node}
    assert "sin" in taken  # and the other branch has no values
    assert sum(node["o"] == "multiply" and "v" in node for node in branch["nodes"]) == 1


def test_long_loops_have_structure_but_no_values():
    long = pg.fori_loop(0, 100_000, lambda _, x: x * 0.99, pg.tensor(1.0))
    nodes = body(Export(long, Options()).data(), "loop")["nodes"]
    assert len(nodes) > 2
    assert not any("v" in node for node in nodes)
    wide = pg.fori_loop(0, 3, lambda _, x: x * 0.99, pg.tensor(np.ones(100)))
    values = [node.get("v") for node in body(Export(wide, Options()).data(), "loop")["nodes"]]
    assert any(rows == [[0.99]] * 3 for rows in values)  # numbers, but not the arrays
    assert None in values


def test_an_operation_opens_to_its_body_and_closes_again(graph_scope):
    page = graph_scope(loops())
    cards = page.js("palingrad.scene().boxes.length")
    assert cards == page.js("palingrad.nodes.length")
    loop = page.js("palingrad.nodes.findIndex(n => n.o === 'while_loop')")
    x, y, scale = page.js(
        """k => { const b = palingrad.boxFor(k);
        const [x, y] = palingrad.toScreen(b.x + b.w / 2 - 12, b.y - b.h / 2 + 12);
        return [x, y, palingrad.camera.scale]; }""",
        loop,
    )
    canvas = page.page.locator("#canvas")
    canvas.click(position={"x": x, "y": y})  # the plus on its card
    assert scale > 0.5
    path = page.js("k => [...palingrad.loops.values()].find(one => one.at === k).path", loop)
    assert page.js("p => palingrad.frames.has(p)", path)
    inner = page.js("palingrad.scene().boxes.filter(b => b.inner).length")
    assert page.js("palingrad.scene().boxes.length") == cards + inner
    frame = page.js("p => palingrad.frames.get(p)", path)
    for box in page.js("palingrad.scene().boxes.filter(b => b.inner).map(({x, y}) => ({x, y}))"):
        assert frame["left"] < box["x"] < frame["right"]
        assert frame["top"] < box["y"] < frame["bottom"]
    # Its operands lead to the body now, and the body to the operation.
    ends = page.js(
        """k => { const s = palingrad.scene(); const at = s.boxOf[k];
        return s.lines.filter(l => l.to === at).map(l => Boolean(s.boxes[l.from].inner)); }""",
        loop,
    )
    assert ends
    assert all(ends)
    # The values of a step.
    slider = page.page.locator("#loop-step")
    assert slider.input_value() == "4"
    before = page.text("#body")
    slider.fill("0")
    assert page.text("#body") != before
    assert "6.985" in page.text("#body")
    page.page.locator("#body button", has_text="add").click()
    assert page.page.locator("#details .matrix tr").count() == 1 + 5  # a row for each step
    assert "add in the body of while_loop" in page.text("#details")
    page.page.locator("#details button", has_text="the whole body").click()
    page.page.locator("#toggle-group").click()
    assert page.js("palingrad.scene().boxes.length") == cards
    # What is computed, and its derivatives, are the same with open bodies.
    total = page.js("palingrad.totalOf(palingrad.nodes.findIndex(n => n.n === 'w')).data[0]")
    page.page.locator("#fit").click()
    page.js("palingrad.set({collapsed: new Set()})")
    page.js("palingrad.edit(palingrad.nodes.findIndex(n => n.n === 'w'), [0.5])")
    page.js("palingrad.resetEdits()")
    assert (
        page.js("palingrad.totalOf(palingrad.nodes.findIndex(n => n.n === 'w')).data[0]") == total
    )


def test_a_recorded_loop_opens_too():
    w = pg.Variable(0.5, name="w")
    with pg.record() as tape:
        y = pg.fori_loop(0, 4, lambda _, x: x * w, pg.tensor(1.0))
        y.backward()
    data = Export(tape.graph(), Options()).data()
    assert body(data, "loop")["nodes"]


@pytest.mark.parametrize("steps", [0, 1])
def test_loops_of_no_step_and_of_one(graph_scope, steps):
    y = pg.fori_loop(0, steps, lambda _, x: x * 2.0, pg.Variable(3.0))
    page = graph_scope(y + 1.0)
    page.js("palingrad.set({collapsed: new Set()})")
    page.js("palingrad.choose({group: [...palingrad.loops.keys()][0]})")
    assert "Its body" in page.text("#details")
