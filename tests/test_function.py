"""pg.function: traced once for each signature, then run as one program."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import GraphError, ShapeError
from tolerances import assert_close, assert_same

X = np.array([1.0, 2.0, 3.0])


def traced(f):
    """`f` compiled, with a list that grows by one for each trace."""
    traces: list[int] = []

    @pg.function
    def function(*args, **kwargs):
        traces.append(1)
        return f(*args, **kwargs)

    return function, traces


@pytest.mark.tiny
def test_one_trace_for_each_shape_and_dtype():
    f, traces = traced(lambda x: x * 2)
    for argument in (X, X + 1, X[:2], X.astype(np.float32), X.astype(int), np.float64(1)):
        assert_same(f(argument), np.asarray(argument) * 2)
    assert len(traces) == 5


@pytest.mark.tiny
def test_python_numbers_are_fed_and_everything_else_is_part_of_the_signature():
    f, traces = traced(lambda x, n, flag, word=None: x * n if flag else x + n)
    assert_same(f(X, 2.0, True), X * 2)
    assert_same(f(X, 3.0, True), X * 3)
    assert_same(f(X, 3, True), X * 3)
    assert_same(f(X, 3, False), X + 3)
    assert_same(f(X, 3, False, word="a"), X + 3)
    assert_same(f(X, 3, False, word="b"), X + 3)
    assert len(traces) == 5


@pytest.mark.tiny
def test_a_python_number_gives_way_as_in_eager_code():
    scale = pg.function(lambda x, n: x * n)
    for x in (X, X.astype(np.float32), np.array([1, 2]), np.array([1, 2], np.int8)):
        for n in (2, 2.5):
            eager = (pg.tensor(x) * n).numpy()
            assert_same(scale(x, n), eager)
    assert pg.function(pg.sin)(1.0).dtype == pg.float32
    assert pg.function(lambda x, y: x + y)(1.0, 2.0).dtype == pg.float32
    assert pg.function(lambda x, y: x + y)(1, 2).dtype == pg.int64
    assert pg.function(lambda x, y: x / y)(1, 2).dtype == pg.float32


def test_arguments_and_results_may_be_trees():
    f, traces = traced(lambda batch, *, scale: {"y": [batch["x"] * scale, None], "n": 3})
    found = f({"x": X}, scale=2.0)
    assert_same(found["y"][0], X * 2)
    assert (found["y"][1], found["n"]) == (None, 3)
    f({"x": X}, scale=3.0)
    assert len(traces) == 1
    lists = pg.function(lambda x: ([x * 2], [x * 3, x]))
    for _ in range(2):  # the second call takes the fast path
        (one,), (other, same) = lists(X)
        assert_same([one, other, same], [X * 2, X * 3, X])


def test_results_are_read_only_and_never_the_fed_memory():
    fed = X.copy()
    for found in pg.function(lambda x: [x, x[::-1], x * 1.0, pg.positive(x)])(fed):
        assert not np.shares_memory(found, fed)
        assert not found.flags.writeable
    assert fed.flags.writeable


def test_the_next_call_runs_on_the_engine_that_is_set_by_then(monkeypatch):
    """Also where nothing else is new since the last call; the environment counts when asked for."""
    pg.set_engine("numpy")
    f, traces = traced(lambda x: x * 2)
    for change, count in [
        (lambda: None, 1),
        (lambda: pg.set_engine("native"), 2),
        (lambda: monkeypatch.setenv("PALINGRAD_ENGINE", "auto"), 2),
        (lambda: pg.set_engine(None), 3),
        (lambda: pg.set_engine("numpy"), 3),
    ]:
        change()
        for _ in range(2):
            assert_same(f(X), X * 2)
        assert len(traces) == count
        assert f.explain(X).startswith("native" if count == 2 else "numpy")


# -------------------------------------------------------------------------------- Variables


@pytest.mark.tiny
def test_variables_are_read_and_assigned():
    v = pg.Variable(1.0)

    @pg.function
    def step(x):
        v.assign(v + x)
        return v * 10

    assert step(2.0) == 30.0
    assert step(2.0) == 50.0
    assert v.item() == 5.0
    v.assign(0.0)
    assert step(1.0) == 10.0


def test_assignments_follow_one_another_and_the_last_counts():
    v, w = pg.Variable(1.0), pg.Variable(10.0)

    @pg.function
    def step():
        before = v * 1
        v.assign(v + 1)
        w.assign(v)
        v.assign(v * 2)
        return before, v, w

    assert step() == (1.0, 4.0, 2.0)
    assert (v.item(), w.item()) == (4.0, 2.0)


def test_variables_as_arguments_are_told_apart_by_identity():
    f, traces = traced(lambda v: v * 2)
    v, w = pg.Variable(1.0), pg.Variable(1.0)
    assert (f(v), f(w)) == (2.0, 2.0)
    assert len(traces) == 2
    v.assign(5.0)
    assert f(v) == 10.0
    assert len(traces) == 2


def test_a_failing_run_leaves_every_variable_as_it_was():
    v = pg.Variable([1.0, 2.0])

    class Failing(pg.Custom):
        def compute(self, x):
            if x[0] < 0:
                raise ZeroDivisionError
            return x

    @pg.function
    def step(x):
        v.assign(v + 1)
        return Failing(x)

    step(np.ones(2))
    with pytest.raises(ZeroDivisionError):
        step(-np.ones(2))
    assert_same(v.numpy(), np.array([2.0, 3.0], np.float32))


def test_a_variable_is_made_before_the_trace():
    @pg.function
    def f(x):
        return pg.Variable(1.0) * x

    with pytest.raises(GraphError, match=r"can't be created inside pg.function.*Create it before"):
        f(1.0)


def test_a_gradient_step():
    w = pg.Variable(np.zeros(3))

    @pg.function
    def step(x, y):
        loss, slope = pg.value_and_grad(lambda w: pg.mean((x @ w - y) ** 2))(w)
        w.assign(w - 0.1 * slope)
        return loss

    a = np.random.default_rng(0).standard_normal((40, 3))
    losses = [step(a, a @ X) for _ in range(400)]
    assert losses[-1] < 1e-20 < losses[0]
    assert_close(w.numpy(), X)


# -------------------------------------------------------------------------------- what is around


def test_called_with_nodes_it_becomes_part_of_their_graph():
    f, traces = traced(lambda x: x * x)
    x = pg.tensor(X)
    y = f(x)
    assert isinstance(y, pg.Node)
    assert_same(pg.gradients(pg.sum(y), x).numpy(), 2 * X)
    with pg.Graph() as graph:
        assert f(pg.placeholder()).graph is graph
    g = pg.function(lambda x: pg.sum(f(x)))
    assert g(X) == np.sum(X * X)
    assert_same(pg.grad(g)(X), 2 * X)
    assert len(traces) == 4


def test_values_from_outside_are_taken_as_they_are():
    outside = pg.tensor(X) * 2.0
    f = pg.function(lambda x: x + outside)
    assert_same(f(X), 3 * X)
    with pg.Graph():
        waiting = pg.placeholder(name="p")
    with pytest.raises(GraphError, match="placeholder 'p' belongs to another graph"):
        pg.function(lambda x: x + waiting)(X)


def test_python_runs_only_while_tracing():
    def f(x):
        for _ in range(3):
            x = x + 1
        return x if x.shape == (3,) else -x

    function, traces = traced(f)
    assert_same(function(X), X + 3)
    assert_same(function(X[:2]), -(X[:2] + 3))
    assert len(traces) == 2
    with pytest.raises(GraphError, match=r"use pg.where"):
        pg.function(lambda x: x if x[0] > 0 else -x)(X)


def test_it_keeps_name_and_docstring_and_works_as_a_method():
    class Model:
        def __init__(self, scale):
            self.scale = scale

        @pg.function
        def __call__(self, x):
            """Scales x."""
            return x * self.scale

        @pg.function(engine="numpy")
        def shifted(self, x):
            return x + self.scale

    one, two = Model(2.0), Model(3.0)
    assert_same(one(X), 2 * X)
    assert_same(two(X), 3 * X)
    assert_same(two.shifted(X), X + 3)
    assert Model.__call__.__doc__ == "Scales x."


def test_an_argument_that_is_neither_numbers_nor_hashable_is_refused():
    with pytest.raises(TypeError, match="<lambda>: an argument is neither numbers nor hashable"):
        pg.function(lambda x: 1.0)({1, 2})


def test_an_error_while_tracing_is_that_of_the_line():
    f = pg.function(lambda x, y: pg.matmul(x, y))
    with pytest.raises(ShapeError, match=r"inner sizes 3 and 2 differ.* Built at test_function.py"):
        f(np.ones((2, 3)), np.ones((2, 3)))
    assert_same(f(np.ones((2, 3)), np.ones((3, 2))), np.full((2, 2), 3.0))


def test_true_and_1_are_not_the_same_signature():
    f, traces = traced(lambda x, flag: x if flag is True else -x)
    assert (f(2.0, True), f(2.0, 1)) == (2.0, -2.0)
    assert len(traces) == 2


def test_equal_values_of_other_types_are_not_the_same_signature():
    f, traces = traced(lambda x, kind: x * (2 if isinstance(kind, Fraction) else 3))
    assert (f(1.0, Fraction(1, 2)), f(1.0, Decimal("0.5"))) == (2.0, 3.0)
    assert len(traces) == 2


def test_lists_and_tuples_are_not_the_same_signature():
    f, traces = traced(lambda xs: xs[0] + xs[1] if isinstance(xs, list) else xs[0] - xs[1])
    assert (f([3.0, 2.0]), f((3.0, 2.0))) == (5.0, 1.0)
    assert len(traces) == 2
