"""TensorSlow's names, as the six parts of its text write them."""

import numpy as np
import pytest

import palingrad as pg
import palingrad.compat.tensorslow as ts
from palingrad.compat.tensorslow.graph import default_graph


@pytest.fixture(autouse=True)
def graph():
    graph = ts.Graph()
    graph.as_default()
    return graph


def test_the_first_graph_of_the_text(graph):
    A = ts.Variable([[1, 0], [0, -1]])
    b = ts.Variable([1, 1])
    x = ts.placeholder()
    y = ts.matmul(A, x)
    z = ts.add(y, b)
    output = ts.Session().run(z, {x: [1, 2]})
    assert str(output) == "[ 2 -1]"
    assert (y.input_nodes, A.consumers) == ([A, x], [y])
    assert str(y.output) == "[ 1 -2]"
    assert (graph.variables, graph.placeholders, graph.operations) == ([A, b], [x], [y, z])
    assert ts.traverse_postorder(z) == [A, x, y, b, z]
    assert default_graph() is graph


def test_the_sigmoid_of_the_text():
    x, w, b = ts.placeholder(), ts.Variable([1, 1]), ts.Variable(0)
    p = ts.sigmoid(ts.add(ts.matmul(w, x), b))
    assert f"{ts.Session().run(p, {x: [3, 2]}):.12f}" == "0.993307149076"


def perceptron(rng):
    X, c = ts.placeholder(), ts.placeholder()
    W, b = ts.Variable(rng.normal(size=(2, 2))), ts.Variable(rng.normal(size=2))
    p = ts.softmax(ts.add(ts.matmul(X, W), b))
    J = ts.negative(ts.reduce_sum(ts.reduce_sum(ts.multiply(c, ts.log(p)), axis=1)))
    points = np.concatenate([rng.normal(size=(50, 2)) + 2, rng.normal(size=(50, 2)) - 2])
    return W, b, p, J, {X: points, c: [[1, 0]] * 50 + [[0, 1]] * 50}


def reference(W, b, points, classes):
    """The loss and its gradients, written with NumPy."""
    a = points @ W + b
    p = np.exp(a) / np.exp(a).sum(axis=1)[:, None]
    slope = p - classes
    return -np.sum(classes * np.log(p)), points.T @ slope, slope.sum(axis=0)


def test_a_perceptron_is_trained_as_in_the_text():
    W, b, _, J, feed = perceptron(np.random.default_rng(0))
    points, classes = (np.asarray(value) for value in feed.values())
    w0, b0 = np.array(W.value), np.array(b.value)
    step = ts.train.GradientDescentOptimizer(learning_rate=0.01).minimize(J)
    session = ts.Session()
    for _ in range(20):
        expected, dW, db = reference(w0, b0, points, classes)
        assert session.run(J, feed) == pytest.approx(expected, rel=1e-10)
        session.run(step, feed)
        w0, b0 = w0 - 0.01 * dW, b0 - 0.01 * db
    np.testing.assert_allclose(session.run(W), w0, rtol=1e-10)
    np.testing.assert_allclose(session.run(b), b0, rtol=1e-10)


def test_gradients_of_all_nodes():
    W, b, p, J, feed = perceptron(np.random.default_rng(1))
    ts.Session().run(J, feed)
    table = ts.compute_gradients(J)
    points, classes = (np.asarray(value) for value in feed.values())
    _, dW, db = reference(W.value, b.value, points, classes)
    np.testing.assert_allclose(table[W], dW, rtol=1e-10)
    np.testing.assert_allclose(table[b], db, rtol=1e-10)
    np.testing.assert_allclose(table[p], -classes / p.output, rtol=1e-10)
    assert table[J] == 1


def test_broadcast_products_have_their_own_shapes():
    """TensorSlow's multiply and matmul return gradients of the result's shape here."""
    a, v = ts.Variable(np.arange(6.0).reshape(2, 3)), ts.Variable(np.array([1.0, 2.0, 3.0]))
    J = ts.reduce_sum(ts.matmul(ts.multiply(a, v), v))
    ts.Session().run(J)
    table = ts.compute_gradients(J)
    np.testing.assert_allclose(table[a], np.tile(v.value**2, (2, 1)))
    np.testing.assert_allclose(table[v], 2 * a.value.sum(axis=0) * v.value)


class cube(ts.Operation):
    def __init__(self, x):
        super().__init__([x])

    def compute(self, x_value):
        return x_value**3


def test_an_operation_of_the_users_own():
    x = ts.placeholder()
    w = ts.Variable(np.array([1.0, 2.0]))
    J = ts.reduce_sum(cube(ts.multiply(w, x)))
    session = ts.Session()
    feed = {x: np.array([0.5, -1.0])}
    assert session.run(J, feed) == 0.125 - 8.0
    with pytest.raises(pg.errors.GradientError, match="cube has no gradient"):
        ts.compute_gradients(J)

    @ts.RegisterGradient("cube")
    def _cube_gradient(op, grad):
        return grad * 3 * op.inputs[0] ** 2

    try:
        np.testing.assert_allclose(ts.compute_gradients(J)[w], [0.375, -12.0])
        step = ts.train.GradientDescentOptimizer(0.1).minimize(J)
        session.run(step, feed)
        np.testing.assert_allclose(w.value, [1.0 - 0.0375, 2.0 + 1.2])
    finally:
        del ts._gradient_registry[cube]


def test_a_registered_gradient_replaces_palingrads():
    a, b = ts.Variable(2.0), ts.Variable(3.0)
    J = ts.multiply(a, b)
    ts.Session().run(J)

    @ts.RegisterGradient("multiply")
    def _wrong(op, grad):
        return [grad * 10, grad * 20]

    try:
        assert ts.compute_gradients(J)[a] == 10.0
    finally:
        del ts._gradient_registry[ts.multiply]
    assert ts.compute_gradients(J)[a] == 3.0


def test_graphs_are_drawn_and_printed():
    x, w = ts.placeholder(), ts.Variable(np.array([1.0, 2.0]))
    y = ts.reduce_sum(ts.multiply(w, x))
    assert "<svg" in pg.view.draw(y).svg()
    assert r"\sum" in str(pg.latex(y))
    with pytest.raises(pg.errors.GraphError, match="cube computes with Python code"):
        pg.view.draw(cube(w))


def test_mistakes_get_names():
    x, w = ts.placeholder(), ts.Variable(1.0)
    y = ts.add(x, w)
    with pytest.raises(pg.errors.FeedError, match="placeholder 1"):
        ts.Session().run(y)
    with pytest.raises(pg.errors.FeedError, match="isn't a placeholder"):
        ts.Session().run(y, {w: 2.0})
    with pytest.raises(pg.errors.GraphError, match="isn't a node"):
        ts.add(x, 2.0)
    with pytest.raises(pg.errors.GradientError, match="hasn't run yet"):
        ts.compute_gradients(y)
    with pytest.raises(pg.errors.GradientError, match="Did you mean sigmoid"):
        ts.RegisterGradient("sigmoi")
