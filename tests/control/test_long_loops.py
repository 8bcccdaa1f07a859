"""A reverse pass that would keep too much of a loop's steps keeps the carries of every √n-th."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.autodiff.control import long_loops
from palingrad.engines.selection import engine_names
from palingrad.graph.traversal.order import postorder
from palingrad.ops.control.loop import Loop

RNG = np.random.default_rng(1)
W = RNG.normal(size=(3, 3)) / 2


def loss(w: Any, xs: Any, **options: Any) -> Any:
    def step(carry: Any, x: Any) -> Any:
        h, count = carry
        h = pg.tanh(h @ w + x * pg.cos(x))
        return (h, count + 1), (pg.sum(h * h), count)

    (last, _), (energies, counts) = pg.scan(step, (xs[0], np.int64(0)), xs, **options)
    return pg.sum(last) + pg.sum(energies * pg.cast(counts, "float64"))


def bounded(w: Any, xs: Any) -> Any:
    last = pg.while_loop(
        lambda s: s[0] < 17, lambda s: (s[0] + 1, pg.sin(s[1] @ w) + xs[0]), (0, xs[1]),
        max_steps=20,
    )  # fmt: skip
    return pg.sum(last[1])


CASES: dict[str, tuple[Callable[..., Any], int]] = {
    "whole groups": (loss, 16),
    "a rest": (loss, 23),
    "reverse": (lambda w, xs: loss(w, xs, reverse=True), 23),
    "carries alone": (lambda w, xs: loss(w, xs, checkpoint=True), 23),
    "while_loop": (bounded, 20),
    "map": (lambda w, xs: pg.sum(pg.map(lambda x: pg.sin(pg.tanh(x) @ w), xs)), 19),
}


@pytest.mark.parametrize("name", CASES)
def test_derivatives_are_those_of_all_steps(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    f, length = CASES[name]
    xs = np.random.default_rng(length).normal(size=(length, 3))

    def both(w: Any, xs: Any) -> Any:
        first = pg.grad(f, (0, 1))(w, xs)
        return first, pg.hvp(lambda w: f(w, xs), (w,), (w * w,))

    expected = pg.function(lambda *x: both(*x), engine="numpy")(W, xs)
    monkeypatch.setattr(long_loops, "_MOST", 100)
    found = [pg.function(lambda *x: both(*x), engine=one)(W, xs) for one in engine_names()]
    eager = both(pg.tensor(W), pg.tensor(xs))
    for result in (*found, eager):
        for a, b in zip((*result[0], result[1]), (*expected[0], expected[1]), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)


def test_little_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = 10_000
    monkeypatch.setattr(long_loops, "_MOST", 8 * 3 * steps)

    def stacked() -> int:
        with pg.Graph():
            w = pg.placeholder((3, 3), dtype="float64")
            last = pg.fori_loop(0, steps, lambda i, h: pg.tanh(h @ w), np.ones(3))
            (slope,) = pg.gradients(pg.sum(last), [w])
        loops = [node for node in postorder(slope) if isinstance(node, Loop)]
        return sum(int(np.prod(shape)) for loop in loops for shape in loop.shape)

    assert stacked() < 10 * 3 * 100
    monkeypatch.undo()
    assert stacked() >= 3 * steps


def test_an_input_in_two_places(monkeypatch: pytest.MonkeyPatch) -> None:
    def f(x: Any) -> Any:
        return pg.sum(pg.fori_loop(0, 20, lambda i, c: pg.sin(c) * x + x, x))

    x = np.array([0.3, -0.8])
    expected = pg.grad(f)(x)
    monkeypatch.setattr(long_loops, "_MOST", 10)
    np.testing.assert_allclose(pg.function(pg.grad(f))(x), expected, rtol=1e-13)
