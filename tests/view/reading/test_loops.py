"""Loops and branches are written as recurrences and cases: run line by line by a reader that knows
nothing of palingrad, they give the value and the gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from tolerances import near
from view.reading.reader.recurrences import run

x = pg.Variable(np.float64(0.7), name="x")
a = pg.Variable(np.float64(1.3), name="a")
rows = pg.Variable(np.array([0.3, -0.8, 0.5]), name="r")
LEAVES = {"x": x, "a": a, "r": rows}

GRAPHS: dict[str, Callable[[], Any]] = {
    "scan": lambda: pg.scan(lambda h, row: (pg.tanh(a * h + row),) * 2, x, rows)[0],
    "stacked": lambda: pg.sum(pg.scan(lambda h, row: (h * a, h + row), x, rows)[1]),
    "backwards": lambda: pg.scan(lambda h, row: (h * row + a, h), x, rows, reverse=True)[0],
    "two carries": lambda: pg.scan(
        lambda c, row: ((c[0] * a + row, c[0] - c[1]), None), (x, a), rows
    )[0][1],
    "counted": lambda: pg.fori_loop(0, 4, lambda i, c: c * x + i, a),
    "counted from 2": lambda: pg.fori_loop(2, 5, lambda i, c: c * x + i, a),
    "mapped": lambda: pg.sum(pg.map(lambda row: row * pg.sin(row * a), rows)),
    "nothing": lambda: pg.fori_loop(0, 0, lambda i, c: c * x, a),
    "bounded": lambda: pg.while_loop(lambda c: c < 9.0, lambda c: c * (1 + a), x, max_steps=9),
    "branch": lambda: pg.cond(x > 0, lambda c: c**3 * a, lambda c: -c, x),
    "other branch": lambda: pg.cond(x < 0, lambda c: c**3 * a, lambda c: -c * a, x),
    "switch": lambda: pg.switch(pg.tensor(1), [pg.exp, lambda c: c * c * a, pg.sin], x),
    "branch in a loop": lambda: pg.fori_loop(
        0, 4, lambda i, c: pg.cond(c > 1, lambda d: d * x, lambda d: d + a, c), x
    ),
}


def lines_of(node: Any) -> list[str]:
    return [line for line in pg.latex(node).lines if line]


def read(node: Any) -> Any:
    """The value of the last line's left side."""
    lines = lines_of(node)
    if " = " not in lines[-1]:
        lines[-1] = "result = " + lines[-1]
    left = lines[-1].partition(" = ")[0].removesuffix("_{[t]}")
    left = left[1:-1] if left.startswith("{") else left
    return run(lines, {name: leaf.numpy() for name, leaf in LEAVES.items()})[left]


@pytest.mark.parametrize("name", GRAPHS)
def test_a_loop_read_line_by_line_has_its_value(name):
    assert read(GRAPHS[name]()) == near(GRAPHS[name]().item())


@pytest.mark.parametrize("name", [name for name in GRAPHS if name != "bounded"])
def test_its_gradient_read_line_by_line_has_its_value(name):
    for leaf in LEAVES.values():
        y = GRAPHS[name]()
        gradient = pg.gradients(y, leaf)
        if any(one.inputs for one in pg.postorder(gradient)):
            assert np.broadcast_to(read(gradient), leaf.shape) == near(gradient.numpy())


def test_what_is_read_the_steps_the_body_and_the_result_are_visible():
    h, _ = pg.scan(lambda h, row: (pg.tanh(a * h + row), None), x, rows)
    assert lines_of(h) == [
        r"h^{(0)} = x",
        r"h^{(t+1)} = \tanh \left(a\,h^{(t)} + r_{[t]}\right)"
        r"\quad \mathrm{for}\ t = 0, \dots, 2",
        "h = h^{(3)}",
    ]
    assert pg.latex(h).text.splitlines()[1] == "h⁽ᵗ⁺¹⁾ = tanh (a h⁽ᵗ⁾ + r[t]) for t = 0, …, 2"
    back = pg.latex(pg.gradients(h, x)).text
    assert "for t = 2, …, 0" in back
    assert "for t = 0, …, 2" in back
    assert "loop" not in back


def test_a_while_loop_says_when_it_ends():
    y = pg.while_loop(lambda c: c < 9.0, lambda c: c * 2, x)
    assert pg.latex(y).text.splitlines()[1:3] == [
        "y⁽ᵗ⁺¹⁾ = 2y⁽ᵗ⁾ for t < v₁", "v₁ = min {t | ¬ (y⁽ᵗ⁾ < 9)}",
    ]  # fmt: skip
    assert read(y) == near(y.item())


def test_a_derivation_goes_through_a_loop():
    y = GRAPHS["scan"]()
    found = pg.derivation(y, x)
    assert found.value == near(pg.gradients(y, x).numpy())
    text = str(found)
    assert "for t = 0, …, 2" in text
    assert "for t = 2, …, 0" in text
    assert "loop" not in text


def test_a_counter_has_no_name_of_the_users():
    t = pg.Variable(np.float64(0.4), name="t")
    y = pg.fori_loop(0, 3, lambda i, c: c * t + i, x)
    assert "for s = 0, …, 2" in pg.latex(y).text
