"""Bounds for gradients: each element, or the common norm, never the direction."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import ArgumentError
from palingrad.optim import Adam, GradientDescent, clip_by_global_norm, clip_by_value, global_norm
from tolerances import assert_close

pytestmark = pytest.mark.tiny

FIRST, SECOND = np.array([[3.0, -4.0], [0.0, 0.5]]), np.array([12.0, -0.1])
NORM = np.sqrt((FIRST**2).sum() + (SECOND**2).sum())


def values(nodes):
    return [node.numpy() for node in nodes]


def after_a_step(**options):
    """Two Variables that were 0, after a step of gradient descent down gradients as above."""
    u, v = pg.Variable(np.zeros((2, 2))), pg.Variable(np.zeros(2))
    GradientDescent(1.0, **options).minimize(pg.sum(u * FIRST) + pg.sum(v * SECOND))
    return -u.numpy(), -v.numpy()


def test_the_global_norm_counts_every_element_of_every_gradient():
    assert_close(global_norm([pg.tensor(FIRST), pg.tensor(SECOND)]).numpy(), NORM)


def test_by_value_brings_each_element_into_the_bounds():
    first, second = values(clip_by_value([pg.tensor(FIRST), pg.tensor(SECOND)], 0.5))
    assert_close(first, np.array([[0.5, -0.5], [0.0, 0.5]]))
    assert_close(second, np.array([0.5, -0.1]))


def test_by_global_norm_scales_all_alike():
    clipped = values(clip_by_global_norm([pg.tensor(FIRST), pg.tensor(SECOND)], 2.0))
    for found, before in zip(clipped, (FIRST, SECOND), strict=True):
        assert_close(found, before * (2 / NORM))


def test_a_norm_within_the_bound_changes_nothing():
    clipped = values(clip_by_global_norm([pg.tensor(FIRST), pg.tensor(SECOND)], 100.0))
    for found, before in zip(clipped, (FIRST, SECOND), strict=True):
        np.testing.assert_array_equal(found, before)


def test_gradients_of_zero_stay_zero():
    (found,) = values(clip_by_global_norm([pg.tensor(np.zeros(3))], 1.0))
    np.testing.assert_array_equal(found, np.zeros(3))


def test_gradients_keep_their_dtypes():
    narrow, wide = pg.tensor(FIRST.astype(np.float32)), pg.tensor(SECOND)
    first, second = values(clip_by_global_norm([narrow, wide], 2.0))
    assert (first.dtype, second.dtype) == (np.float32, np.float64)
    assert_close(first, np.float32(FIRST * (2 / NORM)))


def test_an_optimizer_clips_by_value():
    first, second = after_a_step(clip_value=0.5)
    assert_close(first, FIRST.clip(-0.5, 0.5))
    assert_close(second, SECOND.clip(-0.5, 0.5))


def test_an_optimizer_clips_by_the_norm_over_all_variables():
    first, second = after_a_step(clip_norm=2.0)
    assert_close(first, FIRST * (2 / NORM))
    assert_close(second, SECOND * (2 / NORM))


def test_both_bounds_together_clip_the_values_first():
    first, second = after_a_step(clip_value=0.5, clip_norm=0.5)
    clipped = FIRST.clip(-0.5, 0.5), SECOND.clip(-0.5, 0.5)
    norm = np.sqrt(sum((g**2).sum() for g in clipped))
    assert_close(first, clipped[0] * (0.5 / norm))
    assert_close(second, clipped[1] * (0.5 / norm))


def test_in_a_graph_and_in_a_function_a_step_is_clipped_alike():
    u, v = pg.Variable(np.zeros(3)), pg.Variable(np.zeros(3))
    with pg.Graph() as graph:
        x = pg.placeholder()
        train = GradientDescent(1.0, clip_norm=1.0).minimize(pg.sum(u * x))
    pg.Session(graph).run(train, {x: [3.0, 0.0, 4.0]})
    optimizer = GradientDescent(1.0, clip_norm=1.0)

    @pg.function
    def step(x):
        optimizer.minimize(pg.sum(v * x))

    step(np.array([3.0, 0.0, 4.0]))
    for found in (u, v):
        assert_close(found.numpy(), -np.array([0.6, 0.0, 0.8]))


def test_the_accumulated_mean_is_clipped_not_its_parts():
    w = pg.Variable(np.zeros(2))
    optimizer = GradientDescent(1.0, clip_norm=1.0)
    for g in ([30.0, 0.0], [-30.0, 0.2]):
        optimizer.accumulate(pg.sum(w * np.array(g)))
    optimizer.apply()  # the mean is (0, 0.1)
    assert_close(w.numpy(), -np.array([0.0, 0.1]))


@pytest.mark.parametrize("bound", [0, -1.0, float("nan")])
@pytest.mark.parametrize("option", ["clip_norm", "clip_value"])
def test_a_bound_must_be_positive(option, bound):
    w = pg.Variable(1.0)
    with pytest.raises(ArgumentError, match=rf"Adam: {option} is .*; expected a finite number"):
        Adam(0.1, **{option: bound}).minimize(w * w)
    assert w.item() == 1
