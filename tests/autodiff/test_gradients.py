"""pg.gradients and backward: what they give, in which graph, and what they refuse."""

from __future__ import annotations

import re

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import GradientError
from styles import in_every_style, in_every_style_but_backward
from tolerances import assert_close, assert_same

X = np.array([1.0, 2.0, 3.0])


# -------------------------------------------------------------------------------- gradients


@pytest.mark.tiny
def test_one_node_gives_one_gradient_and_a_list_gives_a_list():
    x, y = pg.tensor(2.0), pg.tensor(3.0)
    z = x * x * y
    assert pg.gradients(z, x).item() == 12
    assert [g.item() for g in pg.gradients(z, [x, y])] == [12, 4]
    assert [g.item() for g in pg.gradients(z, (y,))] == [4]
    assert pg.gradients(z, []) == []
    assert pg.gradients(z, z).item() == 1


def test_gradients_of_intermediate_nodes_are_total_derivatives():
    x = pg.tensor(X)
    u = x * x
    y = pg.sum(u * x)
    found = pg.gradients(y, [x, u])
    assert_same(found[0].numpy(), 3 * X * X)
    assert_same(found[1].numpy(), X)


@pytest.mark.tiny
@in_every_style
def test_a_second_gradient_is_a_gradient_of_the_first(slope):
    def third(x):
        first = pg.gradients(pg.sum(x**5), x)
        second = pg.gradients(pg.sum(first), x)
        return pg.sum(second)

    assert_close(slope(third, X), 60 * X**2)


def test_gradients_of_a_deferred_node_are_nodes_of_its_graph():
    with pg.Graph() as graph:
        x = pg.placeholder((3,), dtype=pg.float64)
        y = pg.sum(x * x)
    g = pg.gradients(y, x)
    assert g.value is None
    assert g.graph is graph
    assert (g.shape, g.dtype) == ((3,), pg.float64)
    assert_same(pg.Session(graph).run(g, {x: X}), 2 * X)


@pytest.mark.tiny
def test_gradients_in_a_template_are_deferred_and_expanded_for_each_signature():
    with pg.Graph() as graph:
        x = pg.placeholder()
        y = pg.sum(pg.mean(x, axis=0) ** 2)
        g = pg.gradients(y, x)
    session = pg.Session(graph)
    assert g.shape is None
    assert_close(session.run(g, {x: X}), np.full(3, 4 / 3))
    wide = np.ones((2, 3), np.float32)
    assert_close(session.run(g, {x: wide}), np.ones((2, 3), np.float32))


def test_deferred_gradients_of_deferred_gradients_and_seeds_are_expanded():
    with pg.Graph() as graph:
        x, seed = pg.placeholder(), pg.placeholder()
        (first,) = pg.gradients(x**3, [x], gradient=seed)
        second = pg.gradients(pg.sum(first), x)
    feeds = {x: X, seed: np.array([1.0, 10.0, 100.0])}
    found = pg.Session(graph).run([first, second], feeds)
    assert_close(found[0], 3 * X**2 * feeds[seed])
    assert_close(found[1], 6 * X * feeds[seed])


def test_a_gradient_to_start_with_weighs_the_results():
    x = pg.tensor(X)
    assert_same(pg.gradients(x * x, x, gradient=[1.0, 0, 2]).numpy(), 2 * X * [1, 0, 2])
    assert pg.gradients(x[0] * 1.0, x, gradient=0.1).numpy()[0] == 0.1
    with pytest.raises(
        GradientError, match=re.escape("gradient has shape (2,), multiply has (3,)")
    ):
        pg.gradients(x * x, x, gradient=[1.0, 2.0])


def test_a_gradient_has_the_dtype_of_its_node_whatever_a_rule_sends():
    class Wide(pg.Custom):
        def compute(self, x):
            return x * 2

        def vjp(y, g, x):
            return [pg.cast(g, pg.float64) * 2]

    x = pg.Variable([1.0, 2.0])
    assert pg.gradients(pg.sum(Wide(x)), x).dtype == pg.float32
    wide = pg.tensor(np.ones(2))
    assert pg.gradients(x * 1.0, x, gradient=wide).dtype == pg.float32
    pg.sum(Wide(x)).backward()
    assert x.grad is not None
    assert x.grad.dtype == pg.float32


@pytest.mark.tiny
def test_a_node_that_y_does_not_depend_on_gets_zeros_or_an_error():
    x, other = pg.tensor(X), pg.Variable([1.0, 2.0], name="other")
    y = pg.sum(x)
    zeros = pg.gradients(y, other)
    assert_same(zeros.numpy(), np.zeros(2, np.float32))
    with pytest.raises(GradientError, match=r"sum doesn't depend on variable 'other' \(built at"):
        pg.gradients(y, other, missing="raise")
    with pytest.raises(GradientError, match="sum doesn't depend on constant"):
        pg.gradients(pg.sum(pg.stop_gradient(x)), x, missing="raise")
    with pg.Graph() as graph:
        p, q = pg.placeholder(), pg.placeholder(name="q")
        g = pg.gradients(pg.sum(p), q, missing="raise")
    with pytest.raises(GradientError, match="sum doesn't depend on placeholder 'q'"):
        pg.Session(graph).run(g, {p: X, q: X})


def test_stop_gradient_passes_values_and_blocks_gradients():
    x = pg.tensor(X)
    assert_same(pg.stop_gradient(x).numpy(), X)
    assert_same(pg.gradients(pg.sum(x * pg.stop_gradient(x)), x).numpy(), X)
    assert_same(pg.gradients(pg.sum(pg.stop_gradient(x)), x).numpy(), np.zeros(3))
    assert_same(pg.jvp(lambda x: pg.stop_gradient(x) * x, (X,), (np.ones(3),))[1], X)


@pytest.mark.tiny
def test_only_a_scalar_has_a_gradient():
    x = pg.tensor(X)
    with pytest.raises(
        GradientError,
        match=r"multiply has shape \(3,\) \(built at test_gradients.py:\d+\): only a scalar has "
        r"a gradient. Sum it, pg.sum\(y\) or pg.mean\(y\), pass gradient=, or use pg.jacobian.",
    ):
        pg.gradients(x * 2.0, x)
    one = pg.gradients(pg.reshape(x[:1] * 2.0, (1, 1)), x)
    assert_same(one.numpy(), np.array([2.0, 0, 0]))


@pytest.mark.tiny
@pytest.mark.parametrize("value", [2, True, [1, 2]])
def test_only_floats_have_gradients(value):
    x = pg.Variable(value, name="x")
    y = pg.sum(x * 2.0)
    with pytest.raises(
        GradientError, match=r"variable 'x' is (int64|bool) \(built at .*only floats have gradient"
    ):
        pg.gradients(y, x)
    with pytest.raises(GradientError, match=r"Make it a float, as in pg.Variable\(2.0\)"):
        pg.gradients(pg.sum(x), pg.tensor(1.0))


def test_only_nodes_have_gradients():
    with pytest.raises(GradientError, match=r"gradients: expected nodes, got float 2.0"):
        pg.gradients(2.0, pg.tensor(1.0))  # pyright: ignore
    with pytest.raises(GradientError, match="gradients: expected nodes, got ndarray"):
        pg.gradients(pg.tensor(1.0), [X])  # pyright: ignore


def test_integers_and_comparisons_block_gradients():
    x = pg.tensor(X)
    mask = pg.cast(x > 1.5, pg.float64)
    i = pg.cast(x, pg.int64)
    assert_same(pg.gradients(pg.sum(x * mask * i), x).numpy(), np.array([0.0, 2, 3]))


def test_gradients_reach_variables_that_are_not_trained():
    v = pg.Variable(3.0, trainable=False)
    assert pg.gradients(v * v, v).item() == 6


def test_rules_of_unneeded_inputs_are_not_called():
    class Picky(pg.Elementwise):
        def f(m, x, y):
            return x * y

        def d(z, x, y):
            def never():
                raise AssertionError("nobody asked for this one")

            return [y, never]

    x = pg.tensor(2.0)
    assert pg.gradients(Picky(x, 3.0), x).item() == 3


def test_gradients_of_the_outputs_of_a_split_are_added():
    x = pg.tensor(X)
    one, two = pg.split(x, sizes=[1, 2])
    assert_same(pg.gradients(pg.sum(two * 2.0), x).numpy(), np.array([0.0, 2, 2]))
    both = pg.sum(one) + pg.sum(two * two) + pg.sum(two)
    assert_same(pg.gradients(both, x).numpy(), np.array([1.0, 5, 7]))


# -------------------------------------------------------------------------------- backward


@pytest.mark.tiny
def test_backward_sets_grad_on_every_node():
    a, b, x = pg.Variable(2.0), pg.Variable(-1.0), pg.tensor(3.0)
    u = a * x
    e = u + b
    y = e * e
    y.backward()
    grads = {name: float(node.grad) for name, node in dict(a=a, b=b, x=x, u=u, e=e, y=y).items()}
    assert grads == {"a": 30, "b": 10, "x": 20, "u": 10, "e": 10, "y": 1}


@pytest.mark.tiny
def test_backward_again_sets_again_and_does_not_add():
    a = pg.Variable(2.0)
    for _ in range(2):
        (a * a).backward()
        assert a.grad is not None
        assert a.grad.item() == 4
    (a * 3.0).backward()
    assert a.grad.item() == 3


def test_backward_takes_a_gradient_to_start_with():
    a = pg.Variable([1.0, 2.0])
    (a * a).backward([1.0, 10.0])
    assert a.grad is not None
    assert_same(a.grad.numpy(), np.array([2.0, 40.0], np.float32))
    with pytest.raises(GradientError, match="only a scalar has a gradient"):
        (a * a).backward()


def test_literals_and_integers_get_no_grad():
    a, i = pg.Variable(2.0), pg.Variable(3)
    y = a * 2.0 + i
    y.backward()
    assert i.grad is None
    bare = [node for node in pg.postorder(y) if isinstance(node, pg.Constant)]
    assert [node.grad for node in bare] == [None] * len(bare)


def test_a_node_bypassed_by_y_gets_zeros():
    x = pg.tensor(2.0)
    stopped = pg.stop_gradient(x * 3.0)
    (stopped * 2.0 + 0.0 * x).backward()
    assert x.grad is not None
    assert x.grad.item() == 0


def test_backward_sets_detached_gradients():
    a = pg.Variable(2.0)
    y = a * a
    y.backward()
    assert a.grad is not None
    assert a.grad.inputs == ()
    assert len(a.consumers) == 2  # the pass itself left no consumers behind


def test_backward_of_a_deferred_node_leaves_nodes_to_run():
    with pg.Graph() as graph:
        x = pg.placeholder((), dtype=pg.float64)
        u = x * x
        y = u * x
        y.backward()
    assert u.grad is not None
    assert x.grad is not None
    assert pg.Session(graph).run([x.grad, u.grad], {x: 2.0}) == [12.0, 2.0]


def test_eager_code_may_branch():
    def power(x, n):
        return x * power(x, n - 1) if n else pg.tensor(1.0)

    a = pg.Variable(2.0)
    power(a, 3).backward()
    assert a.grad is not None
    assert a.grad.item() == 12


# -------------------------------------------------------------------------------- stable forms


@pytest.mark.tiny
@in_every_style_but_backward
@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (lambda x: pg.log(1 + pg.exp(x)), 1000.0, 1.0),
        (lambda x: pg.log1p(pg.exp(x)), 1000.0, 1.0),
        (lambda x: pg.log(pg.sigmoid(x)), -1000.0, 1.0),
        (lambda x: pg.log(pg.sum(pg.exp(x))), [1000.0, -1000.0], [1.0, 0.0]),
        (lambda x: pg.log(pg.softmax(x))[1], [1000.0, 0.0], [-1.0, 1.0]),
    ],
    ids=["softplus", "softplus of log1p", "log_sigmoid", "logsumexp", "log_softmax"],
)
def test_naive_formulas_have_the_gradient_of_their_stable_form(slope, f, x, expected):
    assert_close(slope(f, np.asarray(x)), np.asarray(expected))


def test_a_requested_intermediate_node_keeps_its_own_gradient():
    x = pg.tensor(np.array([0.3, -0.2]))
    p = pg.softmax(x)
    q = pg.log(p)
    weights = np.array([2.0, 5.0])
    found = pg.gradients(pg.sum(weights * q), [x, p, q])
    assert_close(found[0].numpy(), weights - p.numpy() * weights.sum())
    assert_close(found[1].numpy(), weights / p.numpy())
    assert_close(found[2].numpy(), weights)
    pushed = pg.jvp(lambda q: pg.sum(weights * q), (pg.log(pg.softmax(x)),), (np.ones(2),))[1]
    assert pushed.item() == 7
