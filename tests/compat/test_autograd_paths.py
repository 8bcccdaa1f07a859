"""Calls of autograd's home that take a short way have the values and gradients of the long one."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as onp
import pytest

import palingrad as pg
import palingrad.compat.autograd.numpy as np
from palingrad.compat.autograd import elementwise_grad, grad, hessian, value_and_grad
from palingrad.compat.autograd.extend import defvjp, primitive

X = onp.array([0.3, -1.2, 2.5])
MATRIX = onp.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def refused(*given: Any, **options: Any) -> Any:
    raise AssertionError("the general reverse pass was called")


@primitive
def bounded_exp(x: Any) -> Any:
    return onp.exp(onp.clip(x, -onp.inf, 600.0))


defvjp(bounded_exp, lambda ans, x: lambda g: g * ans)


def test_nested_gradients_with_primitives_are_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    times = onp.array([0.5, 1.0, 2.0])

    def hazards(p: Any) -> Any:
        def cumulative(t: Any) -> Any:  # the second factor depends on p alone
            return bounded_exp(p[0] * np.log(t)) * bounded_exp(p[1])

        return np.sum(np.log(elementwise_grad(cumulative)(times)) * onp.array([1.0, 0.5, 2.0]))

    def by_hand(p: Any) -> Any:
        logarithms = onp.log(p[0]) + (p[0] - 1) * onp.log(times) + p[1]
        return onp.sum(logarithms * onp.array([1.0, 0.5, 2.0]))

    both = value_and_grad(hazards)
    points = [onp.array([1.5 + 0.1 * n, 0.7 - 0.2 * n]) for n in range(6)]
    for p in points[:3]:
        both(p)
    monkeypatch.setattr("palingrad.compat.autograd.core.reverse", refused)
    for p in points:
        value, slopes = both(p)
        onp.testing.assert_allclose(value, by_hand(p), rtol=1e-13)
        weights = onp.array([1.0, 0.5, 2.0])
        slope = onp.sum(weights * (1 / p[0] + onp.log(times)))
        onp.testing.assert_allclose(slopes, [slope, 3.5], rtol=1e-13)
    monkeypatch.undo()
    bend = hessian(hazards)(points[0])
    onp.testing.assert_allclose(bend, [[-3.5 / points[0][0] ** 2, 0], [0, 0]], atol=1e-12)


def test_a_result_in_a_structure_keeps_its_second_derivatives() -> None:
    def slope(t: Any) -> Any:
        return grad(lambda d: d["x"] ** 3 * t)({"x": t})["x"]

    for t in (0.5, 1.5, -2.0):
        onp.testing.assert_allclose(grad(slope)(t), 9 * t**2, rtol=1e-14)


def test_a_call_of_a_primitive_keeps_no_node() -> None:
    @primitive
    def doubled(x: Any) -> Any:
        return 2 * x

    x = pg.tensor(X)
    seen = weakref.ref(x)
    assert doubled(x).numpy().tolist() == (2 * X).tolist()
    del x
    gc.collect()
    assert seen() is None


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.clip(x, -1, 2),
        lambda x: np.clip(x, a_min=-1.0, a_max=None),
        lambda x: np.clip(x, 0.0, onp.inf),
        lambda x: np.where(X > 0, x, 2.0),
        lambda x: np.where(X > 0, [1.0, 2.0, 3.0], x),
        lambda x: np.dot(MATRIX, x),
        lambda x: np.dot(x, x),
        lambda x: np.dot(x, 3.0),
        lambda x: np.dot([1.0, 2.0, 3.0], x),
        lambda x: np.sum(x),
        lambda x: np.sum(x, 0),
        lambda x: np.mean(x, axis=0),
        lambda x: np.sum(x, 0, None),
        lambda x: np.diff(x),
        lambda x: np.stack([x, 2 * x]).T[:, (0,)],
        lambda x: np.stack([x, 2 * x])[[1], :2],
        lambda x: np.reshape(np.expand_dims(x, (0, 2)), (3, 1)),
    ],
)
def test_functions_have_numpys_values(f: Any) -> None:
    onp.testing.assert_allclose(f(pg.tensor(X)).numpy(), f(X), rtol=1e-15)
    slopes = [grad(lambda x: np.sum(f(x) ** 2))(X) for _ in range(3)]
    step = 1e-6 * onp.eye(3)
    differences = [(onp.sum(f(X + s) ** 2) - onp.sum(f(X - s) ** 2)) / 2e-6 for s in step]
    for one in slopes:
        onp.testing.assert_allclose(one, differences, rtol=1e-7, atol=1e-8)
