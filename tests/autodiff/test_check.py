"""check_gradients passes right derivatives, finds wrong ones and says where."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from palingrad.autodiff.check import Levels, _recomputed
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

    Levels(hidden, [X]).check(1, recorded=True)
    with pytest.raises(GradientError, match="the graph of these values gives"):
        Levels(hidden, [X]).check(1, recorded=True, probed=True)
    Levels(lambda x: x * pg.sum(x), [X]).check(1, recorded=True, probed=True)


class Centred(pg.Elementwise):
    """y = x − max x, which breaks the promise that elements are computed apart."""

    def f(m, x):
        return x - m.max(x)

    def d(y, x):
        return [1]


@pytest.mark.parametrize(
    "f",
    [
        lambda x: pg.sin(x) * pg.sum(x, axis=0),  # of fewer axes
        lambda x: x[:, None] - pg.exp(x) @ x,
        lambda x: pg.softmax(x) + pg.split(x, 2)[1],  # a composite, and several outputs
        lambda x: pg.where(x > 0, x, x * 1j) * np.array([2.0, 3.0]),
        lambda x: pg.prod(pg.special.gammainc(1.5, pg.abs(x))),
    ],
)
def test_several_arguments_are_computed_at_once_as_one_by_one(f):
    x = pg.tensor(X)
    y = pg.sum(pg.real(f(x)))
    again = _recomputed(y, x)
    moved = X + np.linspace(-0.01, 0.02, 5)[:, None, None]
    expected = [pg.sum(pg.real(f(pg.tensor(one)))).numpy() for one in moved]
    np.testing.assert_allclose(again(moved), expected, rtol=1e-14)
    assert [again(one[None])[0] for one in moved] == expected


def test_an_element_of_a_wide_argument_is_moved_apart_from_others():
    """Elements are moved block by block, and all of a block at once."""
    wide = np.linspace(0.5, 1.5, 50)
    Levels(lambda x: x * pg.sum(x * x), [wide]).check(1, recorded=True)
    with pytest.raises(GradientError, match="reverse mode"):
        Levels(lambda x: OffAtOnePlace(x) * pg.sum(x), [wide]).check(1, recorded=True)
    with pytest.raises(GradientError, match="reverse mode"):
        Levels(lambda x: Centred(x), [wide]).check(1, recorded=True)


@pytest.mark.parametrize("turn", [1, 0.8 + 0.6j])
@pytest.mark.parametrize("level", [1, 2, 3])
def test_wide_arguments_are_moved_along_a_few_directions(turn, level):
    wide = turn * np.linspace(0.5, 1.5, 50)
    Levels(lambda x: x * pg.sum(x * x), [wide]).check(level, recorded=True, most=2)


def test_an_error_at_one_place_is_found_along_random_directions():
    wide = np.linspace(0.5, 1.01, 50)  # the last two are wrong
    levels = Levels(lambda x: OffAtOnePlace(x) * pg.sum(x), [wide])
    with pytest.raises(GradientError, match="argument 0, along random directions: reverse mode"):
        levels.check(1, recorded=True, most=1)
    levels = Levels(lambda x: OffInSecondOrder(x), [wide])
    levels.check(1, recorded=True, most=1)
    with pytest.raises(GradientError, match=r"derivative 2 .* along random directions"):
        levels.check(2, recorded=True, most=1)
