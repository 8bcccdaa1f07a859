"""Loops that were differentiated eagerly keep what the reverse pass reads of their steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.eager import control, tapes
from palingrad.graph.traversal.order import postorder
from palingrad.ops.control.loop import Loop
from palingrad.programs import ProgramCache

Function = Callable[..., Any]
RNG = np.random.default_rng(3)
W, XS = RNG.normal(size=(4, 4)) / 3, RNG.normal(size=(6, 4))


@pytest.fixture(autouse=True)
def _new_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "_read_back", {})
    monkeypatch.setattr(tapes, "_seen", {})
    monkeypatch.setattr(tapes, "_structures", ProgramCache(256))


def rows(w: Any, xs: Any, **options: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        h = pg.tanh(h @ w + x)
        return h, pg.sum(h * h)

    last, ys = pg.scan(step, np.zeros(4), xs, **options)
    return pg.sum(last) + pg.sum(pg.sin(ys))


def times(w: Any, xs: Any) -> Any:
    return pg.sum(pg.fori_loop(0, 5, lambda i, c: pg.sin(c @ w) + xs[i], xs[0]))


def bounded(w: Any, xs: Any) -> Any:
    def body(state: Any) -> Any:
        return state[0] + 1, pg.sin(state[1] @ w) * 1.5

    return pg.sum(pg.while_loop(lambda s: s[0] < 4, body, (0, xs[0]), max_steps=6)[1])


def mapped(w: Any, xs: Any) -> Any:
    return pg.sum(pg.map(lambda x: pg.exp(pg.sin(x @ w)), xs))


FUNCTIONS: dict[str, Function] = {
    "scan": rows,
    "reverse": lambda w, xs: rows(w, xs, reverse=True),
    "unroll": lambda w, xs: rows(w, xs, unroll=2),
    "carries": lambda w, xs: rows(w, xs, checkpoint=True),
    "groups": lambda w, xs: rows(w, xs, checkpoint=2),
    "fori_loop": times,
    "while_loop": bounded,
    "map": mapped,
}


def gradients(f: Function) -> list[np.ndarray[Any, Any]]:
    w, xs = pg.Variable(W), pg.Variable(XS)
    loss = f(w, xs)
    loss.backward()
    return [loss.numpy(), np.asarray(w.grad), np.asarray(xs.grad)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_all_ways_to_a_gradient_give_the_same_bits(name: str) -> None:
    f = FUNCTIONS[name]
    first = gradients(f)  # by rules, after steps of which nothing was kept
    for _ in range(5):  # by rules again, by a new Program, by that Program
        for a, b in zip(first, gradients(f), strict=True):
            np.testing.assert_array_equal(a, b, strict=True)
        value, slopes = pg.value_and_grad(f, (0, 1))(W, XS)
        for a, b in zip(first, (value, *slopes), strict=True):
            np.testing.assert_array_equal(a, b, strict=True)


@pytest.mark.parametrize("name", ["scan", "reverse", "carries", "fori_loop", "map"])
def test_the_reverse_pass_takes_no_step_again(name: str) -> None:
    f = FUNCTIONS[name]
    for _ in range(3):
        gradients(f)
    w, xs = pg.Variable(W), pg.Variable(XS)
    loss = f(w, xs)
    loss.backward()
    tape = tapes.known(tapes.nodes_of(loss))
    assert tape is not None
    program = tape.structure.to(tape.structure.variables)
    assert sum(type(node) is Loop for node in postorder(*program._results)) == 1


def test_calls_of_a_step_are_counted() -> None:
    calls: list[float] = []

    class Square(pg.Custom):
        def compute(self, x: Any) -> Any:
            calls.append(float(x))
            return x * x

        def vjp(self, g: Any, x: Any) -> Any:
            return [2 * g * x]

    def loss(x: Any) -> Any:
        return pg.sum(pg.scan(lambda c, _: (pg.sin(Square(c) + x), None), x, length=7)[0])

    counts: list[int] = []
    for _ in range(3):
        x = pg.Variable(0.5)
        calls.clear()
        loss(x).backward()
        counts.append(len(calls))
    assert counts == [14, 7, 7]


def test_much_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    first = gradients(rows)
    loop: Any = pg.scan(lambda h, x: (pg.tanh(h @ W + x), None), pg.tensor(np.zeros(4)), XS)[0]
    assert not loop.inputs[0].kept_places
    monkeypatch.setattr(control, "_MOST_KEPT", 6 * 4 * 8 - 1)
    for a, b in zip(first, gradients(rows), strict=True):
        np.testing.assert_array_equal(a, b, strict=True)
    w = pg.tensor(W)
    kept = [node for node in postorder(rows(w, pg.tensor(XS))) if isinstance(node, Loop)]
    assert not kept[0].kept_places


def test_another_derivative_of_the_same_loop() -> None:
    """A pass to other inputs reads other values; both are kept from then on."""

    def loss(a: Any, x: Any) -> Any:
        return pg.sum(pg.scan(lambda c, r: (c * a + pg.tanh(r), None), 1.0, x)[0])

    a, x = pg.Variable(np.array(1.5)), pg.Variable(np.array([1.0, 2.0, 3.0]))
    expected = pg.function(pg.grad(loss, (0, 1)))(a.numpy(), x.numpy())
    for chosen in ([0], [1], [0, 1]) * 4:
        found = pg.gradients(loss(a, x), [(a, x)[n] for n in chosen])
        for n, slope in zip(chosen, found, strict=True):
            np.testing.assert_array_equal(slope.numpy(), expected[n])
    (read,) = control._read_back.values()
    assert len(read) == 2  # the carry for the slope by a, tanh r for that by x


def test_second_derivatives_of_kept_steps() -> None:
    def loss(x: Any) -> Any:
        return rows(W, x * XS)

    x = np.array(0.7)
    expected = pg.function(pg.grad(pg.grad(loss)))(x)
    for _ in range(4):
        np.testing.assert_allclose(pg.grad(pg.grad(loss))(x), expected, rtol=1e-13)
        y = pg.Variable(x)
        (slope,) = pg.gradients(loss(y), [y])
        slope.backward()
        np.testing.assert_allclose(np.asarray(y.grad), expected, rtol=1e-13)


def test_a_drawing_shows_the_loop_as_written() -> None:
    def source() -> str:
        return str(pg.source(rows(pg.tensor(W), pg.tensor(XS)), name="f"))

    before = source()
    gradients(rows)
    assert source() == before
    loop: Any = next(
        node for node in postorder(rows(pg.tensor(W), pg.tensor(XS))) if type(node) is Loop
    )
    assert loop.kept_places
    assert len(loop.items) == loop.count == 2


def test_values_of_factorisations_are_read_from_the_tape() -> None:
    """The vectors that a gradient of singular values needs were computed with them."""

    def loss(x: Any) -> Any:
        return pg.sum(pg.sin(pg.linalg.svd(x, full_matrices=False)[1]))

    x = np.random.default_rng(0).normal(size=(4, 3))
    expected = pg.function(pg.grad(loss))(x)
    made: list[Any] = []
    for _ in range(4):
        variable = pg.Variable(x)
        made.append(loss(variable))
        made[-1].backward()
        np.testing.assert_allclose(np.asarray(variable.grad), expected, rtol=1e-12, atol=1e-14)
    tape = tapes.known(tapes.nodes_of(made[-1]))
    assert tape is not None
    program = tape.structure.to(tape.structure.variables)
    assert "SVD" not in {type(node).__name__ for node in postorder(*program._results)}
