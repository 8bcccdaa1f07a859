"""Smooth graphs that nobody thought of: hypothesis builds them, and their derivatives must agree.

That every engine computes what eager code does is compared in `fuzzing/`, over all operations.

A graph is a list of steps; each takes earlier values by number, so any list makes a graph, with
shared nodes, diamonds and values used twice. All results stay within a few units, so that
differences see their derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import given, strategies as st

import palingrad as pg
from palingrad.autodiff.check import Levels
from tolerances import assert_close

Array = np.ndarray[Any, Any]

ONE: dict[str, Callable[[Any], Any]] = {
    "sin": pg.sin,
    "tanh": pg.tanh,
    "sigmoid": pg.sigmoid,
    "squared": lambda x: 0.3 * x * x,
    "logarithm": lambda x: pg.log(2 + pg.tanh(x)),
    "softplus": lambda x: pg.log(1 + pg.exp(x)),
    "root": lambda x: pg.sqrt(1 + x * x),
    "minus": lambda x: -x,
    "as it is": lambda x: x * 1.0,
    "sum": lambda x: pg.sum(x) / 3,
    "columns": lambda x: pg.mean(x, axis=0) if x.ndim else x,
    "rows": lambda x: pg.sum(x, axis=-1, keepdims=True) / 3 if x.ndim else x,
    "deviation": lambda x: pg.sqrt(pg.var(x) + 1),
    "softmax": lambda x: pg.softmax(x) if x.ndim else x,
    "logsumexp": lambda x: pg.logsumexp(x, axis=-1) if x.ndim else x,
    "normalised": lambda x: pg.log(pg.softmax(x)) if x.ndim else x,
    "layer norm": lambda x: pg.layer_norm(x) if x.ndim else x,
    "norm of columns": lambda x: (
        (x - pg.mean(x, axis=0)) / pg.sqrt(pg.var(x, axis=0) + 0.5) if x.ndim == 2 else x
    ),
    "smooth largest": lambda x: pg.logsumexp(x, axis=0, keepdims=True) - x if x.ndim else x,
    "all axes": lambda x: x * pg.sum(pg.tanh(x), axis=tuple(range(x.ndim))) / 3,
    "repeated": lambda x: pg.mean(pg.broadcast_to(x, (4, *x.shape)) * x, axis=0),
    "every other": lambda x: x[..., ::2] * 0.5 if x.ndim else x,
    "transpose": lambda x: x.mT if x.ndim == 2 else x,
    "flat": lambda x: pg.reshape(x, (-1,))[:3],
    "backwards": lambda x: x[::-1] if x.ndim else x[None],
    "corner": lambda x: x[0] if x.ndim else x,
    "twice": lambda x: pg.concat([x, x], axis=-1)[..., :3] if x.ndim else x + x,
    "halves": lambda x: pg.split(x, sizes=[1, 2], axis=-1)[1] if x.ndim and x.shape[-1] == 3 else x,
    "gradient": lambda x: pg.gradients(pg.sum(pg.sin(x) * x), x),
}
TWO: dict[str, Callable[[Any, Any], Any]] = {
    "add": pg.add,
    "subtract": pg.subtract,
    "multiply": lambda x, y: pg.tanh(x) * y,
    "divide": lambda x, y: x / (1.5 + pg.tanh(y)),
    "hypot": lambda x, y: pg.hypot(1.0 + x * x, y),
    "logaddexp": pg.logaddexp,
    "choose": lambda x, y: pg.where(np.array([True, False, True]), x, y),
    "matmul": lambda x, y: 0.3 * pg.matmul(x, y),
    "outer": lambda x, y: pg.outer(x, y)[:3, :3] if x.ndim == y.ndim == 1 else x,
    "stack": lambda x, y: pg.stack([x, y])[1],
}
INPUTS = ((2, 3), (3,), (), (3, 3))
RNG = np.random.default_rng(0)
ARRAYS = [RNG.uniform(-1, 1, shape) for shape in INPUTS]

STEP = st.tuples(st.sampled_from([*ONE, *TWO]), st.integers(0, 20), st.integers(0, 20))
GRAPHS = st.lists(STEP, min_size=1, max_size=10)


def build(steps: Sequence[tuple[str, int, int]], inputs: Sequence[Any]) -> Any:
    """One number that depends on all that the steps make; steps that don't fit are left out."""
    values = list(inputs)
    for name, i, j in steps:
        x, y = values[-1 - i % len(values)], values[-1 - j % len(values)]
        try:
            value = ONE[name](x) if name in ONE else TWO[name](x, y)
        except pg.errors.ShapeError:
            continue
        values.append(value)
    weighted = [
        pg.sum(
            value * np.cos(1.0 + np.arange(np.prod(value.shape, dtype=int))).reshape(value.shape)
        )
        for value in values
    ]
    return sum(weighted[1:], start=weighted[0])


def eager(steps: Any) -> tuple[Array, list[Array]]:
    xs = [pg.tensor(array) for array in ARRAYS]
    y = build(steps, xs)
    return y.numpy(), [g.numpy() for g in pg.gradients(y, xs)]


@given(GRAPHS)
def test_a_function_and_backward_give_the_same_gradients(steps):
    _, slopes = eager(steps)
    traced = pg.function(pg.grad(lambda *xs: build(steps, xs), tuple(range(len(INPUTS)))))(*ARRAYS)
    xs = [pg.Variable(array) for array in ARRAYS]
    build(steps, xs).backward()
    for one, other, x in zip(traced, slopes, xs, strict=True):
        assert_close(one, other)
        assert x.grad is not None
        assert_close(x.grad.numpy(), other)


@given(GRAPHS)
def test_gradients_are_slopes_and_forward_mode_is_their_transpose(steps):
    Levels(lambda *xs: build(steps, xs), ARRAYS).check(1, recorded=True, probed=True)


@given(GRAPHS)
def test_second_derivatives_are_symmetric_and_agree_forwards(steps):
    def f(x: Any) -> Any:
        return build(steps, [pg.tensor(ARRAYS[0]), x, pg.tensor(ARRAYS[2]), x[:, None] * x])

    hessian = pg.hessian(f)(ARRAYS[1])
    assert_close(hessian, hessian.T)
    columns = [pg.jvp(pg.grad(f), (ARRAYS[1],), (row,))[1] for row in np.eye(3)]
    assert_close(hessian, np.stack(columns, axis=1))


@given(GRAPHS)
def test_a_few_small_graphs(steps):
    value, slopes = eager(steps)
    found = pg.function(lambda *xs: build(steps, xs))(*ARRAYS)
    assert_close(found, value)
    assert [g.shape for g in slopes] == list(INPUTS)
