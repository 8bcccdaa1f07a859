"""Products with derivatives, auxiliary results, and trees in and out of every transform."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import GradientError, ShapeError
from palingrad.ops.random import Dropout
from tolerances import assert_close, near

X, T = np.array([1.0, 2.0, 3.0]), np.array([0.5, -1.0, 2.0])


def cube(x):
    return pg.sum(x**3)


@dataclass
class Model:
    weight: Any
    bias: Any = None
    kind: str = field(default="linear", metadata={"static": True})


def squares(model):
    return pg.sum(model.weight**2) + 3 * (0 if model.bias is None else model.bias)


# ---------------------------------------------------------------- products


def test_hvp_is_the_hessian_times_a_vector():
    assert_close(pg.hvp(cube, (X,), (T,)), 6 * X * T)
    assert_close(pg.function(lambda x, t: pg.hvp(cube, (x,), (t,)))(X, T), 6 * X * T)
    both = pg.hvp(lambda x, y: pg.sum(x * x * y), (X, T), (T, X))
    assert_close(both[0], 2 * T * T + 2 * X * X)
    assert_close(both[1], 2 * X * T)


def test_linearize_evaluates_once():
    calls = []

    def f(x):
        calls.append(1)
        return {"sin": pg.sin(x), "sum": pg.sum(x * x)}

    y, push = pg.linearize(f, X)
    assert_close(y["sin"], np.sin(X))
    for t in (T, 2 * T):
        assert_close(push(t)["sin"], np.cos(X) * t)
        assert_close(push(t)["sum"], np.sum(2 * X * t))
    assert len(calls) == 1
    with pytest.raises(ShapeError, match="linearize: an argument of shape"):
        push(T[:2])


def test_linearize_is_differentiable_and_compiles():
    def f(x):
        _, push = pg.linearize(cube, x)
        return push(T)

    assert_close(pg.grad(f)(X), 6 * X * T)
    assert_close(pg.function(f)(X), np.sum(3 * X**2 * T))
    _, push = pg.linearize(cube, X)
    assert_close(pg.grad(push)(T), 3 * X**2)


def test_make_jvp():
    value, slope = pg.make_jvp(lambda x, y: x * y, 1)(X, T)(X)
    assert_close(value, X * T)
    assert_close(slope, X * X)
    assert_close(pg.make_jvp(lambda x, y: x * y, (0, 1))(X, T)((T, X))[1], T * T + X * X)


def test_elementwise_grad():
    assert_close(pg.elementwise_grad(pg.tanh)(X), 1 - np.tanh(X) ** 2)
    assert_close(pg.elementwise_grad(pg.elementwise_grad(pg.sin))(X), -np.sin(X))


# ---------------------------------------------------------------- auxiliary results


def with_aux(x):
    return pg.sum(x**2), {"double": 2 * x, "none": None, "name": "aux"}


def check_aux(aux):
    assert_close(aux["double"], 2 * X)
    assert aux["none"] is None
    assert aux["name"] == "aux"


def test_auxiliary_results_of_every_transform():
    for g, aux in (pg.grad(with_aux, has_aux=True)(X), pg.grad_and_aux(with_aux)(X)):
        assert_close(g, 2 * X)
        check_aux(aux)
    (value, aux), g = pg.value_and_grad(with_aux, has_aux=True)(X)
    assert (float(value), g.tolist()) == (14.0, [2.0, 4.0, 6.0])
    check_aux(aux)
    value, pull, aux = pg.vjp(with_aux, X, has_aux=True)
    assert_close(pull(1.0)[0], 2 * X)
    check_aux(aux)
    value, slope, aux = pg.jvp(with_aux, (X,), (T,), has_aux=True)
    assert float(slope) == near(np.sum(2 * X * T))
    check_aux(aux)
    rows, aux = pg.jacobian(with_aux, has_aux=True)(X)
    assert_close(rows, 2 * X)
    check_aux(aux)
    matrix, aux = pg.hessian(with_aux, has_aux=True)(X)
    assert_close(matrix, 2 * np.eye(3))
    check_aux(aux)
    g, aux = pg.function(pg.grad(with_aux, has_aux=True))(X)
    check_aux(aux)


def test_one_result_where_two_are_expected():
    with pytest.raises(GradientError, match="has_aux, f returns a pair"):
        pg.grad(cube, has_aux=True)(X)


# ---------------------------------------------------------------- trees


def test_a_dataclass_and_none_are_trees():
    model = Model(X, 2.0)
    g = pg.grad(squares)(model)
    assert (type(g), g.kind) == (Model, "linear")
    assert_close(g.weight, 2 * X)
    assert float(g.bias) == 3.0
    assert pg.grad(squares)(Model(X)).bias is None
    assert_close(pg.function(pg.grad(squares))(model).weight, 2 * X)


def test_trees_of_every_transform():
    model, tangent = Model({"a": X, "b": [T, None]}), Model({"a": T, "b": [X, None]})

    def f(model):
        a, (b, _) = model.weight["a"], model.weight["b"]
        return Model(a * b, (pg.sum(a), None))

    value, push = pg.linearize(f, model)
    for y, t in ((pg.jvp(f, (model,), (tangent,))), (value, push(tangent))):
        assert_close(y.weight, X * T)
        assert_close(t.weight, T * T + X * X)
        assert_close(t.bias[0], T.sum())
        assert t.bias[1] is None
    _, pull = pg.vjp(f, model)
    (c,) = pull(Model(X, (1.0, None)))
    assert_close(c.weight["a"], X * T + 1)
    assert c.weight["b"][1] is None
    rows = pg.jacobian(f)(model)
    assert_close(rows.weight.weight["a"], np.diag(T))
    assert_close(rows.bias[0].weight["a"], np.ones(3))
    blocks = pg.hessian(lambda m: pg.sum(m.weight["a"] ** 2 * m.weight["b"][0]))(model)
    assert_close(blocks.weight["a"].weight["b"][0], np.diag(2 * X))
    assert blocks.weight["b"][1] is None


def test_several_arguments_of_jacobian_and_hessian():
    blocks = pg.hessian(lambda x, y: pg.sum(x * x * y), (0, 1))(X, T)
    assert_close(blocks[0][1], np.diag(2 * X))
    assert_close(blocks[1][1], np.zeros((3, 3)))


# ---------------------------------------------------------------- all rows at once


def test_a_jacobian_has_no_node_for_each_row():
    x = pg.tensor(np.arange(50.0))
    rows = pg.jacobian(lambda x: pg.cumsum(pg.sin(x), axis=0) ** 2)(x)
    assert len(pg.postorder(rows)) < 60
    expected = np.stack([g.numpy() for g in (
        pg.gradients((pg.cumsum(pg.sin(x), axis=0) ** 2)[n], x) for n in range(50)
    )])  # fmt: skip
    assert_close(rows.numpy(), expected)


@pytest.mark.parametrize("shapes", [((2, 3), (4,)), ((), (3,)), ((5,), ()), ((0,), (3,))])
def test_rows_and_columns_of_any_shape(shapes):
    (out, given), rng = shapes, np.random.default_rng(0)
    matrix = rng.normal(size=(*out, *given))
    axes = len(given)
    found = pg.jacobian(lambda x: pg.tensordot(matrix, pg.sin(x), axes))(
        x := rng.normal(size=given)
    )
    assert_close(found, matrix * np.cos(x))


@pytest.mark.parametrize("shape", [(3,), (2, 3), ()])
def test_columns_of_a_program_are_those_of_eager_code(shape):
    table = np.arange(1.0, 1 + np.prod(shape, dtype=int)).reshape(shape)

    def f(x):
        pieces = [pg.sin(x) * table, x**2 * pg.sum(x), pg.exp(x[:1]) if shape else x]
        return pg.concat([pg.reshape(one, (-1,)) for one in pieces]), pg.stack([x, 2 * x], axis=-1)

    x = np.linspace(0.5, 1.5, table.size).reshape(shape)
    expected = pg.jacobian(f)(x)
    for engine in ("numpy", "native"):
        for one, other in zip(pg.function(pg.jacobian(f), engine=engine)(x), expected, strict=True):
            assert_close(one, other)


def test_products_of_unit_vectors_are_the_matrix():
    matrix = np.arange(6.0).reshape(2, 3)
    for f in (lambda x: matrix @ x, lambda x: x @ matrix.T, lambda x: matrix @ (2 * x)):
        compiled = pg.function(pg.jacobian(f), engine="numpy")
        x = np.array([0.1, 0.2, -0.3])
        assert_close(compiled(x), pg.jacobian(f)(x))
        assert "matmul" not in compiled.explain(x)


@pytest.mark.parametrize("shape", [(4,), (3, 2)])
def test_jacobians_and_products_take_the_numbers_that_the_value_drew(shape):
    state, x = np.array([7, 0], np.uint64), np.arange(1.0, 1 + np.prod(shape)).reshape(shape)

    def f(x):
        return Dropout(x, state, rate=0.5, stream=1)

    mask = f(pg.tensor(x)).numpy() / x
    found = pg.jacobian(f)(x).reshape(x.size, x.size)
    np.testing.assert_allclose(found, np.diag(mask.ravel()))
    np.testing.assert_allclose(pg.linearize(f, x)[1](np.ones(shape)), mask)
