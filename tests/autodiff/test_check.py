"""check_gradients passes right derivatives, finds wrong ones and says where."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from palingrad.autodiff.check import check_level
from palingrad.errors import GradientError

X = np.array([[0.3, -0.7], [1.1, 0.2]])


class OffAtOnePlace(pg.Elementwise):
    """y = x², but the derivative is wrong where x > 1."""

    def f(m, x):
        return x * x

    def d(y, x):
        return [pg.where(x > 1, 3 * x, 2 * x)]


class OffInSecondOrder(pg.Elementwise):
    """y = x³, with a derivative that can't be differentiated as it should."""

    def f(m, x):
        return x * x * x

    def d(y, x):
        return [3 * x * pg.stop_gradient(x)]


class OffForwards(pg.Elementwise):
    """y = x², pushed forwards as something else."""

    def f(m, x):
        return x * x

    def d(y, x):
        return [2 * x]

    def jvp(y, tangents, *x):
        return tangents[0] * x[0]


@pytest.mark.tiny
def test_right_derivatives_pass():
    pg.check_gradients(lambda x: pg.sum(pg.tanh(x @ x)), X)
    pg.check_gradients(lambda x, i: x[0] * i, X.astype(np.float32), np.array([1, 2]))
    pg.check_gradients(lambda x, y: [x * y, {"ratio": x / y}], X, X + 2)
    pg.check_gradients(lambda x: x * x * x, 1e4)  # the step follows the number's size
    pg.check_gradients(lambda x: pg.argmax(x), X)  # nothing to differentiate
    pg.check_gradients(lambda x: x * x, pg.tensor(X), order=3)


@pytest.mark.tiny
def test_a_wrong_derivative_is_found_with_its_element():
    with pytest.raises(
        GradientError,
        match=r"derivative 1 with respect to argument 0: reverse mode gives -?[\d.]+, "
        r"central differences give -?[\d.]+ at element \(1, 0\)",
    ):
        pg.check_gradients(lambda x: OffAtOnePlace(x), X)
    with pytest.raises(GradientError, match="with respect to argument 1"):
        pg.check_gradients(lambda x, y: x * OffAtOnePlace(y), X, X)


def test_a_wrong_second_derivative_is_found_in_second_order_only():
    pg.check_gradients(lambda x: OffInSecondOrder(x), X, order=1)
    with pytest.raises(GradientError, match="derivative 2 with respect to argument 0"):
        pg.check_gradients(lambda x: OffInSecondOrder(x), X)


def test_forward_mode_is_compared_with_reverse_mode():
    with pytest.raises(GradientError, match="derivative 1: forward mode gives"):
        pg.check_gradients(lambda x: OffForwards(x), X)


def test_a_check_at_a_discontinuity_fails():
    with pytest.raises(GradientError):
        pg.check_gradients(pg.floor, 1.0)


def test_a_recorded_graph_must_be_that_of_other_values_too():
    """Else a factor that is computed from the values, but not by the graph, would have no slope."""

    def hidden(x):
        return x * float(np.sum(x.numpy()))

    check_level(hidden, [X], 1, recorded=True)
    with pytest.raises(GradientError, match="the graph of these values gives"):
        check_level(hidden, [X], 1, recorded=True, probed=True)
    check_level(lambda x: x * pg.sum(x), [X], 1, recorded=True, probed=True)
