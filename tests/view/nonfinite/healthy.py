"""Programs near the edge in which nothing is wrong: NaNs and infinities that reach no result."""

from __future__ import annotations

import numpy as np

import palingrad as pg


def untaken_log(x):
    return pg.sum(pg.where(x > 0, pg.log(pg.where(x > 0, x, 1)), 0))


def untaken_nan_forward(x):
    h = pg.stop_gradient(pg.log(x))
    return pg.sum(pg.where(x > 0, h, 0) + x)


def masked_softmax(x):
    return pg.sum(pg.softmax(pg.where(x > 0, x, -np.inf)) * x)


def exp_of_minus_infinity(x):
    return pg.sum(pg.exp(pg.where(x > 0, x, -np.inf)))


def square_of_negatives(x):
    return pg.sum(x**2) + pg.sum(x**3)


def abs_at_zero(x):
    return pg.sum(pg.abs(x)) + pg.sum(pg.relu(x))


def norm_at_zero(x):
    return pg.vector_norm(x) + pg.sum(x)


def deviation_of_equals(x):
    return pg.std(x * 0 + 1) + pg.sum(x)


def stable_softplus(x):
    return pg.sum(pg.softplus(x * 100))


def stable_logsumexp(x):
    return pg.logsumexp(x * 1000)


def bounded_division(x):
    y = 1 / x
    return pg.sum(1 / (1 + pg.where(pg.isfinite(y), 0, 1) + x * x))


def inverse_of_infinity(x):
    with_infinity = pg.stop_gradient(1 / pg.relu(x))
    return pg.sum(1 / with_infinity) + pg.sum(x)


def guarded_nan(x):
    ratio = pg.stop_gradient(x / x)
    return pg.sum(pg.where(pg.isnan(ratio), 1, ratio) * x)


def unused_overflow(x):
    waste = pg.exp(x * 1000)
    del waste
    return pg.sum(x)


def sliced_away(x):
    y = pg.stop_gradient(pg.log(pg.abs(x)))
    return pg.sum(y[:1]) + pg.sum(x)


def maximum_of_infinities(x):
    return pg.sum(pg.maximum(pg.where(x > 0, x, -np.inf), 0))


def clipped_infinity(x):
    return pg.sum(pg.clip(pg.stop_gradient(1 / pg.relu(x)), 0, 9)) + pg.sum(x)


def layer_norm(x):
    return pg.sum(pg.layer_norm(x) * x)


def power_with_zero(x):
    return pg.sum(pg.abs(x) ** 2.0)


def hypot_at_origin(x):
    return pg.sum(pg.hypot(x, x * 0))


def cross_entropy(x):
    return pg.cross_entropy(pg.stack([x * 1000, -x]), [0, 1])


def tiny_probabilities(x):
    return -pg.sum(pg.log_softmax(x * 500))


def infinite_slope_behind_a_mask(x):
    return pg.sum(pg.sqrt(pg.where(x > 0, x, 0)))


def compared_nan(x):
    bad = pg.log(x)
    return pg.sum(pg.cast(bad > 0, pg.float32) + x)


HEALTHY = [
    untaken_log, untaken_nan_forward, masked_softmax, exp_of_minus_infinity, square_of_negatives,
    abs_at_zero, norm_at_zero, deviation_of_equals, stable_softplus, stable_logsumexp,
    bounded_division, inverse_of_infinity, guarded_nan, unused_overflow, sliced_away,
    maximum_of_infinities, clipped_infinity, layer_norm, power_with_zero, hypot_at_origin,
    cross_entropy, tiny_probabilities, compared_nan, infinite_slope_behind_a_mask,
]  # fmt: skip
HEALTHY_DATA = [2.0, -1.0, 0.0]
