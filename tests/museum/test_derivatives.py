"""The museum of wrong derivatives: real bugs of this field, each with a program and a mutant.

The program must be right. The mutant brings the bug back, in an operation or in the library itself,
and must be caught: by the battery, or by the same program. Bugs of traversal are next door.

The norms are `vector_norm`, `hypot` and `std`: √Σx² written out has 0·∞ = NaN at 0, as IEEE
arithmetic has it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad import proof
from palingrad.autodiff import reverse as reverse_mode
from palingrad.errors import GradientError
from palingrad.graph.promotion import as_node
from palingrad.ops.activation import Relu
from palingrad.ops.arithmetic import Divide, Multiply
from palingrad.ops.contract import Matmul
from palingrad.ops.move import Slice
from palingrad.ops.pooling import MaxPoolPlace
from palingrad.ops.reduce import Sum
from palingrad.ops.selection import Where
from palingrad.ops.trigonometric import Hypot
from styles import assert_gradient, in_every_style
from tolerances import assert_same

CAUGHT = (AssertionError, GradientError)
SQUARE = np.array([[1.0, 2.0], [-3.0, 0.5]])


# ------------------------------------------------- matmul(A, A) counting one operand twice


class MatmulCountingTwice(Matmul):
    samples = [case for case in Matmul.samples if case.text == "case((4, 4), (4, 4))"]

    def vjp(z, g, x, y):
        if x is y:
            both = g @ y.mT + x.mT @ g
            return [both, both]
        return [g @ y.mT, x.mT @ g]


class MatmulCountingOnce(MatmulCountingTwice):
    def vjp(z, g, x, y):
        return [g @ y.mT, None if x is y else x.mT @ g]


@pytest.mark.tiny
@in_every_style
def test_a_matrix_times_itself(slope):
    ones = np.ones((2, 2))
    expected = ones @ SQUARE.T + SQUARE.T @ ones
    assert_gradient(slope, lambda a: pg.sum(pg.matmul(a, a)), SQUARE, expected)


@pytest.mark.tiny
@in_every_style
def test_a_composite_of_related_inputs(slope):
    """dot and outer are made of others; what they are made of must not look behind the inputs."""
    x = np.array([1.0, 2.0, 3.0])
    assert_gradient(slope, lambda x: pg.dot(x, x), x, 2 * x)
    assert_gradient(slope, lambda x: pg.dot(x, 3 * x), x, 6 * x)
    assert_gradient(slope, lambda x: pg.sum(pg.outer(x, x * x)), x, x.sum() * 2 * x + np.sum(x * x))


@pytest.mark.parametrize("mutant", [MatmulCountingTwice, MatmulCountingOnce])
def test_miscounted_operands_are_caught(mutant):
    with pytest.raises(CAUGHT):
        proof.prove(mutant)


# ------------------------------------------------- the gradient of matrix × 1-D vector


class MatmulForMatricesOnly(Matmul):
    samples = [case for case in Matmul.samples if case.text == "case((3, 4), (4,))"]

    def vjp(z, g, x, y):
        return [g @ pg.permute_dims(y), pg.permute_dims(x) @ g]


class MatmulWithTheVectorAsARow(MatmulForMatricesOnly):
    def vjp(z, g, x, y):
        return [pg.zeros_like(x) + g[:, None] * pg.mean(y), pg.permute_dims(x) @ g]


@pytest.mark.tiny
@in_every_style
def test_matrix_times_vector_and_vector_times_matrix(slope):
    v, w = np.array([2.0, -1.0]), np.array([1.0, 3.0])
    assert_gradient(slope, lambda a: pg.sum(w * pg.matmul(a, v)), SQUARE, np.outer(w, v))
    assert_gradient(slope, lambda v: pg.sum(w * pg.matmul(SQUARE, v)), v, SQUARE.T @ w)
    assert_gradient(slope, lambda a: pg.sum(w * pg.matmul(v, a)), SQUARE, np.outer(v, w))
    assert_gradient(slope, lambda v: pg.sum(w * pg.matmul(v, SQUARE)), v, SQUARE @ w)


@pytest.mark.parametrize("mutant", [MatmulForMatricesOnly, MatmulWithTheVectorAsARow])
def test_a_vector_taken_for_a_matrix_is_caught(mutant):
    with pytest.raises(CAUGHT):
        proof.prove(mutant)


# ------------------------------------------------- a gradient that keeps broadcasting


def scaled_and_shifted(scale: pg.Node) -> pg.Node:
    return pg.sum(pg.multiply(SQUARE, scale) + scale)


@pytest.mark.tiny
@in_every_style
def test_broadcasting_is_undone(slope):
    assert_gradient(slope, scaled_and_shifted, 3.0, SQUARE.sum() + 4)
    assert_gradient(slope, scaled_and_shifted, [3.0, 1.0], SQUARE.sum(axis=0) + 2)
    column = SQUARE.sum(axis=1, keepdims=True) + 2
    assert_gradient(slope, scaled_and_shifted, [[3.0], [1.0]], column)


def test_broadcasting_left_as_it_is_is_caught(monkeypatch):
    monkeypatch.setattr(reverse_mode, "unbroadcast", lambda c, x, what: as_node(c))
    with pytest.raises(CAUGHT):
        proof.prove(Multiply)
    with pytest.raises(AssertionError):
        assert_gradient(pg.grad, scaled_and_shifted, 3.0, SQUARE.sum() + 4)


# ------------------------------------------------- division's derivatives swapped


class DivideSwapped(Divide):
    def d(z, x, y):
        return [-z / y, 1 / y]


@pytest.mark.tiny
@in_every_style
def test_division_by_both_operands(slope):
    assert_gradient(slope, lambda x: pg.divide(x, 4.0), 3.0, 0.25)
    assert_gradient(slope, lambda x: pg.divide(3.0, x), 4.0, -3 / 16)


def test_swapped_derivatives_are_caught():
    with pytest.raises(CAUGHT):
        proof.prove(DivideSwapped)


# ------------------------------------------------- sum(axis=0) sent along the wrong axis


class SumAlongTheWrongAxis(Sum):
    """Right off the square, where the wrong axis would not fit, and for sums over everything."""

    def vjp(y, g, x):
        if y.axis == 0 and x.ndim == 2 and x.shape[0] == x.shape[1]:
            return [pg.broadcast_to(pg.expand_dims(g, axis=1), x.shape)]
        return Sum.vjp(y, g, x)


@pytest.mark.tiny
@in_every_style
def test_a_square_array_summed_over_one_axis(slope):
    w = np.array([1.0, 10.0])
    assert_gradient(slope, lambda x: pg.sum(w * pg.sum(x, axis=0)), SQUARE, [[1, 10.0], [1, 10]])
    assert_gradient(slope, lambda x: pg.sum(w * pg.sum(x, axis=1)), SQUARE, [[1, 1.0], [10, 10]])


def test_the_wrong_axis_is_caught():
    with pytest.raises(CAUGHT):
        proof.prove(SumAlongTheWrongAxis)


# ------------------------------------------------- indexing that silently detaches


class SliceDetached(Slice):
    def vjp(y, g, x):
        return [None]


@pytest.mark.tiny
@in_every_style
def test_indexing_lets_gradients_through(slope):
    x = np.array([1.0, 2.0, 3.0])
    assert_gradient(slope, lambda x: pg.sum(x[1:] ** 2), x, [0.0, 4, 6])
    assert_gradient(slope, lambda x: x[0] * x[-1], x, [3.0, 0, 1])
    assert_gradient(slope, lambda x: pg.sum(x[::-1] * np.array([1.0, 2, 3])), x, [3.0, 2, 1])


def test_indexing_that_detaches_is_caught():
    with pytest.raises(CAUGHT):
        proof.prove(SliceDetached)


# ------------------------------------------------- max-pooling indices wrong off the square


class PlaceInASquare(MaxPoolPlace):
    """Takes the flat place of the largest element apart by the wrong side."""

    samples = MaxPoolPlace.samples[:1]

    def f(m, g, x, *, size, stride, padding):
        flat = MaxPoolPlace.f(m, g, x, size=size, stride=stride, padding=padding)
        return np.swapaxes(flat.reshape(*x.shape[:2], x.shape[3], x.shape[2]), 2, 3).copy()


@pytest.mark.tiny
@in_every_style
@pytest.mark.parametrize("shape", [(2, 4), (4, 2), (4, 4)])
def test_max_pooling_finds_its_place_off_the_square(slope, shape):
    x = np.arange(1.0 * shape[0] * shape[1])[::-1].reshape(1, 1, *shape)
    expected = np.zeros(shape)
    expected[::2, ::2] = 1  # the largest of each 2 × 2 window is its first
    assert_gradient(slope, lambda x: pg.sum(pg.max_pool(x, 2)), x, expected[None, None])


def test_places_for_squares_only_are_caught():
    with pytest.raises(CAUGHT):
        proof.prove(PlaceInASquare)


# ------------------------------------------------- a ReLU that leaks


class LeakingRelu(Relu):
    """0·∞ = NaN: a mask must choose, not multiply."""

    def d(y, x):
        return [pg.cast(x > 0, x.dtype)]


def relu_upstream(relu: Callable[..., Any], g: float) -> Any:
    x = pg.tensor(np.array([-1.0, 0.0, 2.0]))
    return pg.gradients(relu(x), x, gradient=np.array([g, g, 1.0])).numpy()


@pytest.mark.tiny
@pytest.mark.parametrize("g", [np.inf, -np.inf, np.nan])
def test_relu_lets_nothing_through_where_it_is_shut(g):
    assert_same(relu_upstream(pg.relu, g), [0.0, 0.0, 1.0])
    with pytest.raises(AssertionError):
        assert_same(relu_upstream(LeakingRelu, g), [0.0, 0.0, 1.0])


# ------------------------------------------------- NaN from the branch that where did not take


class WhereByMultiplying(Where):
    """c·x + (1 − c)·y is NaN wherever one of them is."""

    def f(m, c, x, y):
        return c * x + (1 - c) * y

    def d(z, c, x, y):
        c = pg.cast(c, x.dtype)
        return [None, c, 1 - c]


def upstream_of_where(where: Callable[..., Any]) -> Any:
    x = pg.tensor(np.array([1.0, 2.0]))
    y = where(np.array([True, False]), x * 3.0, np.array(1.0))
    return pg.gradients(y, x, gradient=np.array([1.0, np.nan])).numpy()


@pytest.mark.tiny
@in_every_style
def test_where_keeps_what_it_did_not_take_out(slope):
    x = np.array([-1.0, 0.0, 2.0])
    nowhere = np.full(3, np.nan)
    assert_gradient(slope, lambda x: pg.sum(pg.where(x > 0, x, nowhere)[2:]), x, [0.0, 0, 1])
    assert_gradient(slope, safe_logarithm, x, [0.0, 0.0, 0.5])


def safe_logarithm(x: pg.Node) -> pg.Node:
    """The slope of log at 0 is infinite, and 0·∞ is NaN: keep 0 from it, not from its result."""
    positive = x > 0
    return pg.sum(pg.where(positive, pg.log(pg.where(positive, x, 1.0)), 0.0))


def test_where_by_multiplying_is_caught():
    assert_same(upstream_of_where(pg.where), np.array([3.0, 0.0]))
    assert np.isnan(upstream_of_where(WhereByMultiplying)[1])
    with pytest.raises(CAUGHT):
        proof.prove(WhereByMultiplying)


# ------------------------------------------------- the gradient of a norm at 0


class HypotNotANumber(Hypot):
    def d(z, x, y):
        return [x / z, y / z]


def hypot_at_origin(hypot: Callable[..., Any]) -> list[float]:
    x, y = pg.tensor(0.0), pg.tensor(0.0)
    return [float(g) for g in pg.gradients(hypot(x, y), [x, y])]


@pytest.mark.tiny
@in_every_style
def test_lengths_and_deviations_have_slope_0_at_0(slope):
    assert_gradient(slope, lambda x: pg.hypot(x, 0.0 * x), 0.0, 0.0)
    assert_gradient(slope, pg.vector_norm, np.zeros(3), np.zeros(3))
    assert_gradient(slope, pg.vector_norm, np.array([3.0, 4.0]), np.array([0.6, 0.8]))
    assert_gradient(slope, pg.std, np.zeros(3), np.zeros(3))
    assert_gradient(slope, pg.std, np.full(3, 2.5), np.zeros(3))


def test_a_norm_with_nan_at_0_is_caught():
    assert hypot_at_origin(pg.hypot) == [0, 0]
    with pytest.raises(AssertionError):
        assert hypot_at_origin(HypotNotANumber) == [0, 0]
