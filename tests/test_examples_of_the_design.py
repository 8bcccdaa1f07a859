"""The programs that the design promises, as they stand there (DESIGN.md, section 4)."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from tolerances import assert_close

pytestmark = pytest.mark.tiny

EXPECTED = np.array([2, -1])


def assert_integers(found):
    np.testing.assert_array_equal(found, EXPECTED)
    assert found.dtype == np.int64
    assert repr(found) == "array([ 2, -1])"


# ---------------------------------------------------------------- 1. define, then run


def test_define_then_run():
    with pg.Graph() as graph:
        A = pg.Variable([[1, 0], [0, -1]])
        b = pg.Variable([1, 1])
        x = pg.placeholder()
        z = pg.add(pg.matmul(A, x), b)
    assert_integers(pg.Session(graph).run(z, {x: [1, 2]}))


def test_the_same_with_a_default_graph_opened_by_a_plain_call():
    pg.Graph().as_default()
    A = pg.Variable([[1, 0], [0, -1]])
    b = pg.Variable([1, 1])
    x = pg.placeholder()
    z = pg.add(pg.matmul(A, x), b)
    assert_integers(pg.Session().run(z, {x: [1, 2]}))


def test_the_same_with_a_default_graph_in_a_with():
    with pg.Graph().as_default() as graph:
        A = pg.Variable([[1, 0], [0, -1]])
        b = pg.Variable([1, 1])
        x = pg.placeholder()
        z = pg.add(pg.matmul(A, x), b)
        assert_integers(pg.Session(graph).run(z, {x: [1, 2]}))
    assert pg.get_default_graph() is None


def test_the_same_without_a_graph():
    A = pg.Variable([[1, 0], [0, -1]])
    b = pg.Variable([1, 1])
    x = pg.placeholder()
    z = pg.add(pg.matmul(A, x), b)
    assert z.value is None  # it waits for x
    assert_integers(pg.Session().run(z, {x: [1, 2]}))


def test_the_same_with_operators_and_a_session_in_a_with():
    A, b, x = pg.Variable([[1, 0], [0, -1]]), pg.Variable([1, 1]), pg.placeholder()
    z = A @ x + b
    with pg.Session() as session:
        assert_integers(session.run(z, feeds={x: [1, 2]}))


def test_shape_dtype_and_name_of_a_placeholder_are_optional():
    with pg.Graph() as graph:
        x = pg.placeholder((2,), dtype=pg.float64, name="x")
        pg.add(x, 1, name="y")
    assert_close(pg.Session(graph).run(graph["y"], {graph["x"]: [1, 2]}), np.array([2.0, 3.0]))


# ---------------------------------------------------------------- 2. compute as you go


def test_compute_as_you_go():
    a, b = pg.Variable(2.0), pg.Variable(-1.0)
    x = pg.tensor(3.0)
    e = pg.sigmoid(a * x + b)
    e.backward()
    slope = np.exp(-5) / (1 + np.exp(-5)) ** 2  # of the sigmoid at 2·3 − 1
    for node, factor in ((a, 3), (b, 1), (x, 2)):
        assert node.grad is not None
        assert_close(node.grad.numpy(), np.float32(factor * slope))


def test_backward_again_sets_the_gradients_again():
    a = pg.Variable(2.0)
    e = a * 3.0
    e.backward()
    e.backward()
    assert a.grad is not None
    assert a.grad.item() == 3


# ---------------------------------------------------------------- 3. functions


def f(x):
    return pg.sum(x**3)


X, V = np.arange(3.0), np.array([1.0, -1.0, 2.0])


def test_the_gradient_of_a_function():
    assert_close(pg.grad(lambda x: pg.sum(x**3))(np.arange(3.0)), 3 * X**2)


def test_the_other_derivatives_of_a_function():
    assert_close(pg.jacobian(lambda x: x**3)(X), np.diag(3 * X**2))
    assert_close(pg.hessian(f)(X), np.diag(6 * X))
    value, pull = pg.vjp(f, X)
    assert_close(value, np.float64(9))
    (pulled,) = pull(2.0)
    assert_close(pulled, 6 * X**2)
    value, tangent = pg.jvp(f, (X,), (V,))
    assert_close(value, np.float64(9))
    assert_close(tangent, np.float64((3 * X**2) @ V))
    value, slope = pg.value_and_grad(f)(X)
    assert_close(value, np.float64(9))
    assert_close(slope, 3 * X**2)


def test_a_training_step_as_a_function():
    w = pg.Variable(np.zeros(3))
    optimizer = pg.optim.GradientDescent(0.5)
    traces = []

    def train_step(target):
        traces.append(target.shape)
        loss = pg.sum(pg.square(w - target)) / 2
        optimizer.minimize(loss)
        return loss

    step = pg.function(train_step)
    losses = [float(step(V)) for _ in range(3)]
    assert losses == [3, 0.75, 0.1875]
    assert traces == [(3,)]  # traced once, then fast


# ---------------------------------------------------------------- Jacobians on nodes


def test_jacobians_on_nodes():
    with pg.Graph() as graph:
        x = pg.Variable(np.array([1.0, 2.0]))
        y = pg.square(x)
        result = pg.sum(y)
    graph.jacobians(result)
    assert_close(x.jacobian, np.array([2.0, 4.0]))
    assert_close(y.jacobian, np.ones(2))
    assert_close(y.value, np.array([1.0, 4.0]))
    graph.clear_jacobians()
    assert (x.jacobian, y.jacobian) == (None, None)
    graph.reset_values()
    assert y.value is None


# ---------------------------------------------------------------- training


def test_minimize_is_a_node_to_run_in_a_graph():
    with pg.Graph() as graph:
        w = pg.Variable(1.0)
        loss = pg.square(w)
        train = pg.optim.Adam(learning_rate=0.001).minimize(loss)
    assert w.item() == 1
    pg.Session(graph).run(train)
    assert_close(w.numpy(), np.float32(0.999))


def test_minimize_takes_the_step_eagerly():
    w = pg.Variable(1.0)
    loss = pg.square(w)
    train = pg.optim.Adam(learning_rate=0.001).minimize(loss)
    assert train is None
    assert_close(w.numpy(), np.float32(0.999))
