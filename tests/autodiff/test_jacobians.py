"""Values and Jacobians kept on nodes: evaluate, jacobians, and what is computed again when."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import FeedError, GradientError
from tolerances import assert_close, assert_same

X = np.array([1.0, 2.0])


class Counted(pg.Custom):
    """y = x, and a letter on a list each time it is computed."""

    def compute(self, x):
        self.attributes["note"].append(self.attributes["letter"])
        return x * 1.0

    def vjp(y, g, x):
        return [g]


# -------------------------------------------------------------------------------- evaluate


@pytest.mark.tiny
def test_evaluate_keeps_every_intermediate_value():
    with pg.Graph() as graph:
        x = pg.placeholder(name="x")
        u = x * 2.0
        y = pg.sum(u)
    result = graph.evaluate(y, {x: X})
    assert_same(result, 6.0)
    assert_same(x.value, X)
    assert_same(u.value, 2 * X)
    assert y.value is result
    graph.reset_values()
    assert (x.value, u.value, y.value) == (None, None, None)
    with pytest.raises(FeedError, match=r"placeholder 'x' needs a feed \(built at"):
        graph.evaluate(y)


@pytest.mark.tiny
def test_only_stale_values_are_recomputed():
    note: list[str] = []
    with pg.Graph() as graph:
        v, w, x = pg.Variable(1.0), pg.Variable(1.0), pg.placeholder(())
        a, b, c = (Counted(one, note=note, letter=letter) for one, letter in zip((v, w, x), "abc"))
        y = a * b * c

    def computed(**how):
        note.clear()
        graph.evaluate(y, **how)
        return "".join(note)

    assert computed(feeds={x: 2.0}) == "abc"
    assert computed() == ""
    assert computed(feeds={x: 2.0}) == ""
    assert computed(feeds={x: 3.0}) == "c"
    v.assign(5.0)
    assert computed() == "a"
    pg.Session().run(w.assign(v))
    assert computed() == "b"
    assert y.value == 5.0 * 5.0 * 3.0
    graph.reset_values()
    assert computed(feeds={x: 3.0}) == "abc"


@pytest.mark.parametrize(
    ("first", "second"),
    [([1, 2], [1.0, 2.0]), (0.0, -0.0), ([1.0, 2.0], [[1.0, 2.0]]), (np.nan, 1.0)],
)
def test_feeds_that_compare_equal_but_differ_are_distinct(first, second):
    with pg.Graph() as graph:
        x = pg.placeholder()
        y = 1.0 / x
    graph.evaluate(y, {x: first})
    with np.errstate(divide="ignore"):
        assert_same(graph.evaluate(y, {x: second}), np.asarray(1 / np.asarray(second, np.float32)))


def test_evaluating_an_eager_node_gives_its_value():
    y = pg.tensor(X) * 2.0
    assert pg.Graph().evaluate(y) is y.value


def test_only_placeholders_are_fed():
    with pg.Graph() as graph:
        v = pg.Variable(1.0)
        y = v * 2.0
    with pytest.raises(FeedError, match="only placeholders are fed, got Variable"):
        graph.evaluate(y, {v: 2.0})


# -------------------------------------------------------------------------------- jacobians


@pytest.mark.tiny
def test_every_node_holds_the_jacobian_of_the_result():
    a = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    with pg.Graph() as graph:
        matrix, x = pg.Variable(a), pg.placeholder()
        u = pg.matmul(matrix, x)
        y = u * u
    graph.jacobians(y, {x: X})
    value = a @ X
    assert_close(y.jacobian, np.eye(3))
    assert_close(u.jacobian, np.diag(2 * value))
    assert_close(x.jacobian, np.diag(2 * value) @ a)
    assert_close(matrix.jacobian, np.einsum("ij,k->ijk", np.diag(2 * value), X).reshape(3, 3, 2))
    assert not y.jacobian.flags.writeable
    graph.clear_jacobians()
    assert [node.jacobian for node in graph.nodes] == [None] * len(graph)
    assert_same(u.value, value)  # values stay


def test_jacobians_of_eager_nodes():
    x = pg.tensor(X)
    y = x * x
    pg.jacobians(y)
    assert_close(x.jacobian, np.diag(2 * X))
    pg.clear_jacobians(y)
    assert x.jacobian is None


def test_jacobians_after_an_update_are_those_of_the_new_value():
    with pg.Graph() as graph:
        v = pg.Variable(3.0)
        y = v * v
    graph.jacobians(y)
    assert v.jacobian == 6.0
    pg.Session(graph).run(v.assign(y))
    graph.jacobians(y)
    assert v.jacobian == 18.0


def test_jacobians_pass_through_composites_splits_and_deferred_gradients():
    with pg.Graph() as graph:
        x = pg.placeholder()
        one, two = pg.split(pg.softmax(x), sizes=[1, 1])
        (slope,) = pg.gradients(pg.sum(x**3), [x])
        y = pg.concat([one - two, slope])
    graph.jacobians(y, {x: X})
    p = np.exp(X) / np.exp(X).sum()
    of_softmax = np.diag(p) - np.outer(p, p)
    assert_close(x.jacobian[0], of_softmax[0] - of_softmax[1])
    assert_close(x.jacobian[1:], np.diag(6 * X))


def test_what_the_result_does_not_depend_on_through_numbers_gets_zeros():
    with pg.Graph() as graph:
        v, i = pg.Variable(2.0), pg.Variable(3)
        y = pg.stop_gradient(v) * 2.0 + i
    graph.jacobians(y)
    assert v.jacobian == 0.0
    assert i.jacobian is None


def test_only_floats_have_jacobians():
    with pg.Graph() as graph:
        i = pg.Variable(3)
        y = i * 2
    with pytest.raises(GradientError, match="multiply is int64: only floats have Jacobians"):
        graph.jacobians(y)


def test_jacobians_of_a_composite_whose_value_is_already_kept():
    with pg.Graph() as graph:
        x = pg.Variable([1.0, 2.0, 4.0], dtype=pg.float64)
        y = pg.var(x * x)
    graph.evaluate(y)
    graph.jacobians(y)
    squares = np.array([1.0, 4.0, 16.0])
    assert_close(x.jacobian, 2 / 3 * (squares - squares.mean()) * 2 * np.array([1.0, 2.0, 4.0]))
