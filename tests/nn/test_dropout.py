"""Dropout drops while training, and only then."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from palingrad import nn
from palingrad.errors import ArgumentError

pytestmark = pytest.mark.tiny

ONES = np.ones((100, 200), np.float32)


def test_evaluating_changes_nothing():
    np.testing.assert_array_equal(nn.Dropout(0.9)(ONES).numpy(), ONES)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_training_drops_its_share_and_scales_the_rest(rate):
    y = nn.Dropout(rate, seed=0)(ONES, training=True).numpy()
    assert y.dtype == np.float32
    np.testing.assert_allclose(y[y != 0], 1 / (1 - rate), rtol=1e-6)  # one quotient of float32
    spread = np.sqrt(rate * (1 - rate) / y.size)
    assert abs(np.mean(y == 0) - rate) < 5 * spread


def test_rate_zero_drops_nothing():
    np.testing.assert_array_equal(nn.Dropout(0.0)(ONES, training=True).numpy(), ONES)


def test_gradients_flow_where_values_did():
    x = pg.Variable(ONES)
    y = nn.Dropout(0.5, seed=0)(x, training=True)
    pg.sum(y).backward()
    assert x.grad is not None
    np.testing.assert_array_equal(x.grad.numpy(), y.numpy())


@pytest.mark.parametrize("seed", [None, 3])
def test_each_eager_call_drops_others(seed):
    layer = nn.Dropout(0.5, seed=seed)
    first, second = (layer(ONES, training=True).numpy() for _ in range(2))
    assert 0.4 < np.mean(first != second) < 0.6


@pytest.mark.parametrize("seed", [None, 3])
def test_each_run_of_a_function_drops_others(seed):
    layer = nn.Dropout(0.5, seed=seed)
    step = pg.function(lambda x: layer(x, training=True))
    first, second = step(ONES), step(ONES)
    assert 0.4 < np.mean(first != second) < 0.6


@pytest.mark.parametrize("seed", [None, 3])
def test_each_run_of_a_session_drops_others(seed):
    with pg.Graph() as graph:
        x = pg.placeholder()
        y = nn.Dropout(0.5, seed=seed)(x, training=True)
    session = pg.Session(graph)
    first, second = session.run(y, {x: ONES}), session.run(y, {x: ONES})
    assert 0.4 < np.mean(first != second) < 0.6


def test_a_smaller_batch_of_a_function_is_not_dropped_like_the_first():
    layer = nn.Dropout(0.5, seed=3)
    step = pg.function(lambda x: layer(x, training=True))
    whole, part = step(ONES), step(ONES[:50])
    assert 0.4 < np.mean(whole[:50] != part) < 0.6


def test_the_same_seed_drops_the_same_in_the_same_order():
    def three_calls():
        layer = nn.Dropout(0.5, seed=3)
        return np.stack([layer(ONES, training=True).numpy() for _ in range(3)])

    np.testing.assert_array_equal(three_calls(), three_calls())


def test_set_seed_makes_dropout_without_a_seed_reproducible():
    def three_calls():
        pg.set_seed(5)
        layer = nn.Dropout(0.5)
        return np.stack([layer(ONES, training=True).numpy() for _ in range(3)])

    np.testing.assert_array_equal(three_calls(), three_calls())


@pytest.mark.parametrize("rate", [-0.1, 1.0, 2])
def test_an_impossible_rate_is_an_error_when_the_layer_is_made(rate):
    with pytest.raises(ArgumentError, match=r"Dropout: rate is .*; expected a number in \[0, 1\)"):
        nn.Dropout(rate)
