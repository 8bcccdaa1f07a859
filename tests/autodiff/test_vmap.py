"""vmap: axes in and out, nesting, trees, other transforms, and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.autodiff import batching
from palingrad.errors import ArgumentError, GraphError, ShapeError
from tolerances import assert_close

RNG = np.random.default_rng(0)
X, W = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 2))


@dataclass(frozen=True)
class Layer:
    weight: Any
    bias: Any = None
    name: str = field(default="layer", metadata={"static": True})


def per_row(f, *arrays):
    return np.stack([np.asarray(f(*rows)) for rows in zip(*arrays, strict=True)])


# ---------------------------------------------------------------- axes


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
@pytest.mark.parametrize("out", [0, 1, -1])
def test_any_axis_in_and_out(axis, out):
    x = RNG.normal(size=(2, 3, 4))
    found = pg.vmap(lambda v: pg.cumsum(v, axis=1), axis, out)(x)
    expected = np.stack([np.cumsum(v, 1) for v in np.moveaxis(x, axis, 0)], axis=out)
    assert_close(found, expected)


def test_nested_over_two_axes():
    table = pg.vmap(pg.vmap(lambda a, b: a * b + a, (None, 0)), (0, None))(X[:, 0], X[:, 1])
    assert_close(table, X[:, :1] * X[:, 1] + X[:, :1])


def test_a_result_that_is_the_same_for_all():
    f = pg.vmap(lambda x, w: (x @ w, pg.sum(w)), (0, None), (0, None))
    y, total = f(X, W)
    assert_close(y, X @ W)
    assert_close(total, W.sum())
    assert pg.vmap(lambda x: 1.0, axis_size=3, in_axes=None)(2.0).shape == (3,)


def test_out_axes_of_none_needs_equal_results():
    with pytest.raises(ArgumentError, match="differs between examples"):
        pg.vmap(pg.sin, out_axes=None)(X)


def test_keyword_arguments_have_the_axis_first():
    assert_close(pg.vmap(lambda x, *, y: x * y)(X, y=X), X * X)


def test_axis_size_alone():
    assert_close(pg.vmap(lambda w: pg.sum(w), None, axis_size=2)(W), np.full(2, W.sum()))


def test_no_examples():
    assert pg.vmap(lambda x: pg.sum(pg.sin(x) @ W))(X[:0]).shape == (0,)


# ---------------------------------------------------------------- trees


def test_trees_in_and_out():
    def f(tree, layer):
        hidden = tree["x"] @ layer.weight
        return {"hidden": hidden, "rest": (tree["pair"][0] + 1, None), "layer": layer}

    tree = {"x": X, "pair": [X[:, 0], None]}
    layer = Layer(W)
    found = pg.vmap(f, ({"x": 0, "pair": 0}, None), {"hidden": 1, "rest": 0, "layer": None})(
        tree, layer
    )
    assert_close(found["hidden"], (X @ W).T)
    assert_close(found["rest"][0], X[:, 0] + 1)
    assert found["rest"][1] is None
    assert type(found["layer"]) is Layer
    assert found["layer"].name == "layer"
    assert_close(found["layer"].weight, W)


def test_axes_of_a_dataclass():
    stacked = Layer(np.stack([W, 2 * W]), np.ones((2, 2)))
    f = pg.vmap(lambda layer, x: x @ layer.weight + layer.bias, (Layer(0, 0), None))
    assert_close(f(stacked, X[0]), np.stack([X[0] @ W + 1, 2 * X[0] @ W + 1]))


# ---------------------------------------------------------------- with other transforms


def loss(w, x, y):
    return pg.sum((pg.tanh(x @ w) - y) ** 2)


Y = RNG.normal(size=(4, 2))


def test_gradients_of_each_example():
    expected = np.stack([pg.grad(loss)(W, x, y) for x, y in zip(X, Y, strict=True)])
    per_example = pg.vmap(pg.grad(loss), (None, 0, 0))
    assert_close(per_example(W, X, Y), expected)
    assert_close(pg.function(per_example)(W, X, Y), expected)
    assert_close(pg.function(per_example, engine="numpy")(W, X, Y), expected)


def test_under_grad_and_jvp():
    def total(w):
        return pg.sum(pg.vmap(loss, (None, 0, 0))(w, X, Y))

    assert_close(pg.grad(total)(W), pg.grad(loss)(W, X, Y))
    assert_close(pg.jvp(total, (W,), (W,))[1], np.sum(pg.grad(loss)(W, X, Y) * W))
    assert_close(pg.hessian(total)(W), pg.hessian(loss)(W, X, Y))


def test_of_value_and_grad_with_aux():
    def f(x):
        return pg.sum(x**2), {"x": x, "none": None}

    (y, aux), g = pg.vmap(pg.value_and_grad(f, has_aux=True))(X)
    assert_close(y, (X**2).sum(1))
    assert_close(aux["x"], X)
    assert aux["none"] is None
    assert_close(g, 2 * X)


def test_inside_a_function_and_of_a_function():
    f = pg.function(lambda x: pg.vmap(pg.function(lambda v: pg.sum(v * v)))(x))
    assert_close(f(X), (X * X).sum(1))


def test_closes_over_variables_and_tensors():
    w, t = pg.Variable(W), pg.tensor(2.0, dtype="float64")

    def f(x):
        return pg.sum(x @ w * t)

    y = pg.vmap(f)(X)
    assert isinstance(y, pg.Node)
    assert_close(y.numpy(), (X @ W * 2).sum(1))
    assert_close(pg.gradients(pg.sum(y), w).numpy(), pg.grad(lambda w: pg.sum(X @ w * 2))(W))


def test_reads_the_variable_that_a_function_has_assigned():
    w = pg.Variable(1.0, dtype="float64")

    @pg.function
    def f(x):
        w.assign(w + 1)
        return pg.vmap(lambda v: v * w)(x)

    assert_close(f(X), X * 2)


def test_in_a_graph():
    with pg.Graph() as graph:
        x = pg.placeholder((4, 3), dtype="float64")
        y = pg.vmap(pg.grad(lambda v: pg.sum(v**3)))(x)
    assert_close(pg.Session(graph).run(y, {x: X}), 3 * X**2)


def test_dtypes_are_kept():
    x = X.astype(np.float32)
    assert pg.vmap(lambda v: pg.sum(v * 2))(x).dtype == np.float32
    assert pg.vmap(lambda v: v + 1)(np.arange(3)).dtype == np.int64


# ---------------------------------------------------------------- random numbers


def test_random_numbers_are_refused_unless_told():
    def f(x):
        return x + pg.uniform((2,), dtype="float64")

    with pytest.raises(ArgumentError, match=r"draws random numbers.*randomness='different'"):
        pg.vmap(f)(np.zeros(3))
    same = pg.vmap(f, randomness="same")(np.zeros(3))
    assert (same[0] == same[1]).all()
    other = pg.vmap(f, randomness="different")(np.zeros(3))
    assert other.shape == (3, 2)
    assert len(np.unique(other)) == 6


# ---------------------------------------------------------------- what has no rule


class Doubled(pg.Custom):
    def compute(self, x):
        return 2 * x

    def vjp(self, g, x):
        return [2 * g]


class Batched(Doubled):
    def batched(y, batch):
        return Batched(batch.xs[0])


class Wrong(Doubled):
    def batched(y, batch):
        return Wrong(batch.xs[0][0])


def test_an_operation_without_a_rule_is_announced_once():
    batching._announced.clear()
    with pytest.warns(RuntimeWarning, match="doubled has no batching rule.*each of 4 examples"):
        assert_close(pg.vmap(Doubled)(X), 2 * X)
    assert_close(pg.vmap(pg.grad(lambda x: pg.sum(Doubled(x))))(X), np.full((4, 3), 2.0))


def test_a_rule_of_ones_own():
    assert_close(pg.vmap(Batched)(X), 2 * X)
    with pytest.raises(GraphError, match=r"rule of wrong gave float64 of shape \(3,\), not"):
        pg.vmap(Wrong)(X)


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: pg.vmap(pg.sin)(2.0), ShapeError, r"has no axis 0 of examples.*in_axes=None"),
        (lambda: pg.vmap(pg.add)(X, Y.T), ShapeError, r"differ: array 0.*4 on axis 0; array 1"),
        (lambda: pg.vmap(pg.sin, 2)(X), ShapeError, "has no axis 2"),
        (lambda: pg.vmap(pg.sin, None)(X), ArgumentError, "no argument has an axis"),
        (lambda: pg.vmap(pg.add, (0,))(X, X), ArgumentError, "tuple of 1 for 2 arguments"),
        (lambda: pg.vmap(pg.sin, "0")(X), ArgumentError, "in_axes is '0'"),
        (lambda: pg.vmap(pg.sin, ({"a": 0},))(X), ArgumentError, "doesn't fit"),
        (lambda: pg.vmap(lambda x, s: x)(X, "a"), ArgumentError, "str 'a', not an array"),
        (lambda: pg.vmap(pg.sin, out_axes=(0, 1))(X), ArgumentError, "out_axes .0, 1. doesn't fit"),
        (lambda: pg.vmap(lambda x: x if x > 0 else -x)(X[0]), GraphError, "stands for all"),
        (lambda: pg.vmap(pg.sin, axis_size=3)(X), ShapeError, "axis_size=3; array 0"),
        (lambda: pg.vmap(pg.sin, randomness="no")(X), ArgumentError, "randomness"),
    ],
)
def test_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_assignments_are_refused():
    w = pg.Variable(0.0)
    with pytest.raises(GraphError, match="assigned once for each example"):
        pg.vmap(lambda x: w.assign(x))(np.zeros(3, np.float32))


def test_unknown_shapes_are_refused():
    with pg.Graph(), pytest.raises(ShapeError, match="shapes must be known"):
        pg.vmap(pg.sin)(pg.placeholder())
