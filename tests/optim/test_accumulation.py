"""Mini-batches add up to the step of the whole batch: eagerly, in a graph, in a function."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import GradientError
from palingrad.optim import Adam, AdamW, GradientDescent, Momentum
from tolerances import assert_close

pytestmark = pytest.mark.tiny

_numbers = np.random.default_rng(0)
X, Y = _numbers.normal(size=(12, 3)), _numbers.normal(size=12)
PARTS = [slice(0, 5), slice(5, 6), slice(6, 12)]  # unequal: five, one and six examples
ROUNDS = 3
OPTIMIZERS = {
    "gradient descent": lambda: GradientDescent(0.1),
    "momentum": lambda: Momentum(0.1),
    "adam": lambda: Adam(0.1),
    "adamw": lambda: AdamW(0.1, weight_decay=0.1),
    "clipped": lambda: GradientDescent(1.0, clip_norm=0.1),
}


def mean_loss(w, x, y):
    return pg.mean(pg.square(x @ w - y))


def whole(optimizer, w, dtype):
    """One step for each round, down the mean loss of all examples."""
    for _ in range(ROUNDS):
        optimizer.minimize(mean_loss(w, X.astype(dtype), Y.astype(dtype)))


def eagerly(optimizer, w, dtype):
    for _ in range(ROUNDS):
        for part in PARTS:
            x, y = X[part].astype(dtype), Y[part].astype(dtype)
            assert optimizer.accumulate(mean_loss(w, x, y), weight=len(x)) is None
        assert optimizer.apply() is None


def in_a_graph(optimizer, w, dtype):
    with pg.Graph() as graph:
        x, y, count = pg.placeholder(), pg.placeholder(), pg.placeholder(dtype=pg.int64)
        gather = optimizer.accumulate(mean_loss(w, x, y), weight=count)
        step = optimizer.apply()
    session = pg.Session(graph)
    for _ in range(ROUNDS):
        for part in PARTS:
            feeds = {x: X[part].astype(dtype), y: Y[part].astype(dtype), count: len(X[part])}
            assert session.run(gather, feeds) is None
        assert session.run(step) is None


def in_functions(optimizer, w, dtype):
    @pg.function
    def gather(x, y):
        optimizer.accumulate(mean_loss(w, x, y), weight=len(x))

    @pg.function
    def step():
        optimizer.apply()

    for _ in range(ROUNDS):
        for part in PARTS:
            gather(X[part].astype(dtype), Y[part].astype(dtype))
        step()


def in_one_function(optimizer, w, dtype):
    @pg.function
    def step(x, y):
        for part in PARTS:
            optimizer.accumulate(mean_loss(w, x[part], y[part]), weight=part.stop - part.start)
        optimizer.apply()

    for _ in range(ROUNDS):
        step(X.astype(dtype), Y.astype(dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("style", [eagerly, in_a_graph, in_functions, in_one_function])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_unequal_mini_batches_give_the_step_of_the_whole_batch(name, style, dtype):
    together, apart = pg.Variable(np.ones(3, dtype)), pg.Variable(np.ones(3, dtype))
    first, second = OPTIMIZERS[name](), OPTIMIZERS[name]()
    whole(first, together, dtype)
    style(second, apart, dtype)
    assert_close(apart.numpy(), together.numpy())
    assert second.steps.item() == ROUNDS


def test_nothing_changes_before_apply():
    w = pg.Variable(np.ones(3))
    optimizer = Momentum(0.1)
    optimizer.accumulate(mean_loss(w, X, Y))
    np.testing.assert_array_equal(w.numpy(), np.ones(3))
    assert optimizer.steps.item() == 0


def test_without_weights_all_losses_count_alike():
    w = pg.Variable(np.zeros(2))
    optimizer = GradientDescent(1.0)
    for g in ([1.0, 0.0], [0.0, 4.0]):
        optimizer.accumulate(pg.sum(w * np.array(g)))
    optimizer.apply()
    assert_close(w.numpy(), np.array([-0.5, -2.0]))


def test_apply_clears_what_was_accumulated():
    w = pg.Variable(np.float64(0))
    optimizer = GradientDescent(1.0)
    for slope in (100.0, 1.0):
        optimizer.accumulate(w * slope, weight=3)
        optimizer.apply()
    assert w.item() == -101  # the second step knows nothing of the first


def test_a_variable_that_only_some_losses_depend_on_takes_its_share():
    u, v = pg.Variable(np.float64(0)), pg.Variable(np.float64(0))
    optimizer = GradientDescent(1.0)
    optimizer.accumulate(u * 3)
    optimizer.accumulate(u + v * 4)
    optimizer.apply()
    assert (u.item(), v.item()) == (-2, -2)


def test_only_the_given_variables_gather():
    u, v = pg.Variable(np.float64(0)), pg.Variable(np.float64(0))
    optimizer = GradientDescent(1.0)
    optimizer.accumulate(u + v, [v])
    optimizer.apply()
    assert (u.item(), v.item()) == (0, -1)


def test_apply_before_accumulate_is_an_error():
    with pytest.raises(GradientError, match=r"no gradient was accumulated\. Call accumulate"):
        Adam().apply()


def test_a_second_apply_is_an_error_and_changes_nothing():
    w = pg.Variable(2.0)
    optimizer = GradientDescent(0.25)
    optimizer.accumulate(w * w)
    optimizer.apply()
    with pytest.raises(GradientError, match="no gradient was accumulated"):
        optimizer.apply()
    assert (w.item(), optimizer.steps.item()) == (1, 1)


def test_in_a_graph_a_step_along_nothing_goes_nowhere():
    with pg.Graph() as graph:
        w = pg.Variable(2.0)
        optimizer = GradientDescent(0.25)
        gather = optimizer.accumulate(w * w)
        step = optimizer.apply()
    session = pg.Session(graph)
    session.run(step)
    assert w.item() == 2
    session.run(gather)
    session.run(step)
    assert w.item() == 1
