"""grad, value_and_grad, vjp, jvp, jacobian, hessian: of functions, to functions."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import DTypeError, GradientError, ShapeError
from palingrad.graph.operation import Item
from tolerances import assert_close, assert_same

X = np.array([1.0, 2.0, 3.0])
A = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


class Weights(NamedTuple):
    scale: object
    offset: object


# -------------------------------------------------------------------------------- grad


@pytest.mark.tiny
def test_grad_of_arrays_gives_arrays():
    found = pg.grad(lambda x: pg.sum(x**3))(X)
    assert type(found) is np.ndarray
    assert_close(found, 3 * X**2)
    narrow = pg.grad(lambda x: pg.sum(x**3))(X.astype(np.float32))
    assert_close(narrow, np.float32(3) * X.astype(np.float32) ** 2)
    assert_same(pg.grad(lambda x: x * x)(2.0), np.float32(4))


@pytest.mark.tiny
def test_argnums_say_which_arguments():
    def f(x, y, *, power):
        return pg.sum(x**power * y)

    assert_close(pg.grad(f)(X, X, power=2), 2 * X * X)
    assert_close(pg.grad(f, 1)(X, X, power=2), X**2)
    assert_close(pg.grad(f, -1)(X, X, power=2), X**2)
    both = pg.grad(f, (1, 0))(X, X, power=2)
    assert type(both) is tuple
    assert_close(both[0], X**2)
    assert_close(both[1], 2 * X * X)
    with pytest.raises(GradientError, match="argnums 2 is out of range for 2 arguments"):
        pg.grad(f, 2)(X, X, power=2)


@pytest.mark.tiny
def test_a_gradient_has_the_form_of_its_argument():
    def f(weights, x):
        layers = weights["layers"]
        return pg.sum(layers[0].scale * x + layers[0].offset) * weights["gain"]

    weights = {"layers": [Weights(X, np.zeros(3))], "gain": np.array(2.0)}
    found = pg.grad(f)(weights, X)
    assert list(found) == ["layers", "gain"]
    assert type(found["layers"][0]) is Weights
    assert_close(found["layers"][0].scale, 2 * X)
    assert_close(found["layers"][0].offset, np.full(3, 2.0))
    assert_close(found["gain"], np.sum(X * X))


def test_value_and_grad_computes_f_once():
    calls = []

    def f(x):
        calls.append(x)
        return pg.sum(x * x)

    value, slope = pg.value_and_grad(f)(X)
    assert len(calls) == 1
    assert_same(value, 14.0)
    assert_same(slope, 2 * X)


def test_a_gradient_of_a_gradient():
    first = pg.grad(lambda x: x**4)
    assert_close(pg.grad(pg.grad(first))(np.array(2.0)), 48.0)
    mixed = pg.grad(lambda x, y: pg.grad(lambda x: x * x * y)(x) * y)(np.array(3.0), np.array(2.0))
    assert_close(mixed, 8.0)  # ∂/∂x (2xy · y)


@pytest.mark.tiny
def test_nodes_in_give_nodes_out():
    x = pg.tensor(X)
    found = pg.grad(lambda x: pg.sum(x * x))(x)
    assert isinstance(found, pg.Node)
    assert_same(pg.gradients(pg.sum(found), x).numpy(), np.full(3, 2.0))
    with pg.Graph() as graph:
        p = pg.placeholder()
        slope = pg.grad(lambda x: pg.sum(x * x))(p)
        value, pull = pg.vjp(lambda x: x * x, p)
        pulled = pull(p)[0]
        q = pg.placeholder((3,), dtype=pg.float64)
        pushed = pg.jvp(lambda x: x * x, (q,), (q,))[1]
    found = pg.Session(graph).run([slope, value, pulled, pushed], {p: X, q: X})
    assert_same(found, [2 * X, X * X, 2 * X * X, 2 * X * X])


def test_a_path_outside_the_argument_is_not_counted():
    x = pg.tensor(3.0)
    assert pg.grad(lambda y: y * x)(x).item() == 3  # y is x, but x isn't y
    assert pg.grad(lambda y, z: y * z, (0, 1))(x, x)[0].item() == 3


def test_grad_differentiates_through_closures():
    w = pg.Variable(2.0)
    assert pg.grad(lambda x: x * w)(np.float32(3)) == 2


@pytest.mark.tiny
def test_grad_refuses_results_and_arguments_without_a_gradient():
    with pytest.raises(
        GradientError, match=r"f returned shape \(3,\): only a scalar .* use pg.jacobian"
    ):
        pg.grad(lambda x: x * x)(X)
    for argument in (np.array([1, 2]), 3, pg.tensor([1, 2]), pg.tensor(True)):
        with pytest.raises(GradientError, match=r"an argument is (int64|bool): only floats have"):
            pg.grad(pg.sum)(argument)
    with pytest.raises(DTypeError, match="expected numbers, got str"):
        pg.grad(pg.sum)("text")


def test_transforms_keep_name_and_docstring():
    def volume(x):
        """x³"""
        return x**3

    for transform in (pg.grad, pg.value_and_grad, pg.jacobian, pg.hessian):
        assert (transform(volume).__name__, transform(volume).__doc__) == ("volume", "x³")


# -------------------------------------------------------------------------------- vjp, jvp


@pytest.mark.tiny
def test_vjp_pulls_back_to_every_argument():
    def f(a, x):
        return pg.matmul(a, x)

    value, pull = pg.vjp(f, A, X[:2])
    assert_same(value, A @ X[:2])
    g = np.array([1.0, 0.0, -1.0])
    of_a, of_x = pull(g)
    assert_close(of_a, np.outer(g, X[:2]))
    assert_close(of_x, A.T @ g)
    assert_close(pull(2 * g)[1], 2 * A.T @ g)  # as often as you like


def test_vjp_of_several_results_takes_a_cotangent_for_each():
    def f(x):
        return {"double": 2 * x, "square": [x * x]}

    value, pull = pg.vjp(f, X)
    assert_same(value["square"][0], X * X)
    (found,) = pull({"double": np.ones(3), "square": [X]})
    assert_close(found, 2 + 2 * X * X)
    with pytest.raises(GradientError, match="vjp: f returned 2 arrays, got 1 cotangents"):
        pull(X)


@pytest.mark.tiny
def test_jvp_pushes_tangents_of_every_argument():
    value, tangent = pg.jvp(pg.matmul, (A, X[:2]), (np.ones_like(A), np.array([1.0, 0.0])))
    assert_same(value, A @ X[:2])
    assert_close(tangent, np.ones_like(A) @ X[:2] + A[:, 0])
    value, tangent = pg.jvp(lambda w: {"y": w[0] * w[1]}, ([X, X],), ([X, np.zeros(3)],))
    assert_close(tangent["y"], X * X)
    assert_same(pg.jvp(lambda x: np.ones(2), (X,), (X,))[1], np.zeros(2))


@pytest.mark.tiny
def test_a_tangent_is_broadcast_with_its_value():
    for f in (lambda x: x + np.ones((2, 3)), lambda x: pg.where(X > 1, x, 0.0), lambda x: 1 - x):
        value, tangent = pg.jvp(f, (np.array(2.0),), (np.array(1.0),))
        assert (tangent.shape, tangent.dtype) == (value.shape, value.dtype)
    assert_same(tangent, -1.0)


class WidePush(pg.Elementwise):
    """y = x², whose tangents are float64."""

    def f(m, x):
        return x * x

    def d(y, x):
        return [2 * x]

    def jvp(y, tangents, *x):
        return pg.cast(2 * x[0] * tangents[0], "float64")


def test_a_tangent_of_another_dtype_gets_that_of_its_value():
    x = X.astype(np.float32)
    value, tangent = pg.jvp(WidePush, (x,), (np.ones_like(x),))
    assert tangent.dtype == value.dtype == np.float32
    assert_same(tangent, 2 * x)


def test_tangents_fit_their_arguments():
    with pytest.raises(
        ShapeError, match=re.escape("argument of shape (3,) has a tangent of shape (2,)")
    ):
        pg.jvp(pg.sin, (X,), (X[:2],))
    with pytest.raises(GradientError, match="jvp: 1 arguments but 2 tangents"):
        pg.jvp(pg.sin, (X,), (X, X))
    assert pg.jvp(pg.sin, (np.array(0.0),), (0.1,))[1] == 0.1  # the number, not its float32


def test_forward_and_reverse_mode_can_be_mixed():
    def cube(x):
        return pg.sum(x**3)

    _, along = pg.jvp(pg.grad(cube), (X,), (np.array([1.0, 0.0, 2.0]),))
    assert_close(along, 6 * X * [1, 0, 2])
    across = pg.grad(lambda x: pg.jvp(cube, (x,), (pg.tensor(X),))[1])(X)
    assert_close(across, 6 * X * X)


# -------------------------------------------------------------------------------- jacobian


@pytest.mark.tiny
@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * x,  # square
        lambda x: pg.sum(x * x),  # wide: row by row in reverse
        lambda x: pg.outer(x, x * x),  # tall: column by column forwards
        lambda x: pg.reshape(x, (3, 1, 1)) * np.ones((2, 2)),
        lambda x: x[:0],
        lambda x: pg.tensor(np.ones((2, 2))),
    ],
    ids=["square", "wide", "tall", "deep", "empty", "constant"],
)
def test_jacobian_has_the_shape_of_result_and_argument(f):
    found = pg.jacobian(f)(X)
    value = np.asarray(pg.tensor(f(pg.tensor(X))))
    assert found.shape == value.shape + X.shape
    rows = [pg.jvp(f, (X,), (row,))[1] for row in np.eye(3)]
    assert_close(found, np.stack(rows, axis=-1))


def test_jacobian_of_an_empty_argument():
    assert pg.jacobian(lambda x: pg.concat([x, np.ones(2)]))(np.ones(0)).shape == (2, 0)


def test_jacobian_of_trees_and_several_arguments():
    found = pg.jacobian(lambda w, x: w["a"] * x)({"a": X, "b": X}, X)
    assert_close(found["a"], np.diag(X))
    assert_close(found["b"], np.zeros((3, 3)))
    of_w, of_x = pg.jacobian(lambda w, x: w * x, (0, 1))(X, 2 * X)
    assert_close(of_w, np.diag(2 * X))
    assert_close(of_x, np.diag(X))


@pytest.mark.tiny
def test_hessian_is_symmetric_and_right():
    def f(x):
        return pg.sum(x**3) + x[0] * x[1] * x[2]

    expected = np.diag(6 * X) + np.array([[0, 3, 2], [3, 0, 1], [2, 1, 0.0]])
    assert_close(pg.hessian(f)(X), expected)
    assert_close(pg.hessian(lambda y, x: f(x) * y, 1)(2.0, X), 2 * expected)
    assert_close(pg.function(pg.hessian(f))(X), expected)
    assert pg.hessian(lambda a: pg.sum(a * a))(A).shape == (3, 2, 3, 2)


def test_hessian_of_a_composite_and_of_a_power_at_0():
    """Mixed second derivatives at y = 0, where the first is 0: ∂²(xʸ)/∂x∂y = 1/x."""
    found = pg.hessian(lambda v: v[0] ** v[1])(np.array([2.0, 0.0]))
    assert_close(found, np.array([[0.0, 0.5], [0.5, np.log(2) ** 2]]))
    found = pg.hessian(lambda x: pg.logsumexp(x))(X)
    p = np.exp(X - 3) / np.exp(X - 3).sum()
    assert_close(found, np.diag(p) - np.outer(p, p))


def test_one_cotangent_may_be_that_of_two_inputs():
    class SumOfTwo(pg.Operation):
        def f(m, x, y):
            return x + y

        def shape_rule(z, x, y):
            return x

        def vjp(z, g, x, y):
            return [g, g]

    assert_close(pg.jvp(SumOfTwo, (X, X**2), (X, 2 * X))[1], 3 * X)
    assert_close(pg.jvp(SumOfTwo, (X, X**2), (X, -X))[1], 0 * X)


def test_an_output_may_have_two_nodes():
    x = pg.tensor(X)
    first = pg.split(x, 3)[0]
    again = Item(first.inputs[0], index=0)
    assert_close(pg.gradients(pg.sum(3 * first + 2 * again), x).numpy(), np.array([5.0, 0, 0]))


def test_tangents_and_jacobians_need_known_shapes():
    with pg.Graph():
        x = pg.placeholder()
        with pytest.raises(ShapeError, match=r"all shapes must be known.*Give the placeholders"):
            pg.jacobian(lambda x: x * x)(x)
        with pytest.raises(
            ShapeError, match=r"jvp: all shapes must be known.*Give the placeholders"
        ):
            pg.jvp(lambda x: pg.matmul(x, x), (x,), (x,))
        y = pg.placeholder((2,), dtype=pg.float32)
        assert pg.jacobian(lambda y: y * y)(y).shape == (2, 2)
