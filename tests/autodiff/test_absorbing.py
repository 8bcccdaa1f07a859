"""A cotangent of exactly 0 is absorbing: what doesn't reach the result contributes nothing.

Every case has an infinite or NaN slope in a branch that isn't taken, or beside a mask.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from tolerances import assert_close

inf, nan = np.inf, np.nan
A = np.array

# name: (function of an array, point, right gradient)
CASES: dict[str, tuple[Callable[[Any], Any], Any, Any]] = {
    "sqrt below 0": (lambda x: pg.where(x > 0, pg.sqrt(x), 0), A([-1.0, 0, 4]), [0, 0, 0.25]),
    "log at 0": (lambda x: pg.where(x > 0, pg.log(x), 0), A([-1.0, 0, 4]), [0, 0, 0.25]),
    "1/x at 0": (lambda x: pg.where(x == 0, 0, 1 / x), A([0.0, 2]), [0, -0.25]),
    "power": (lambda x: pg.where(x > 0, x**-0.5, x), A([0.0, 4]), [1, -0.0625]),
    "variable power": (lambda x: pg.where(x > 0, x**x, 1), A([-1.0, 1]), [0, 1]),
    "exp": (lambda x: pg.where(x < 1, pg.exp(pg.exp(x)), x), A([0.0, 800]), [np.e, 1]),
    "asin": (lambda x: pg.where(pg.abs(x) < 1, pg.asin(x), 0), A([0.0, 1, 2]), [1, 0, 0]),
    "atan2": (lambda x: pg.where(x > 0, pg.atan2(0.0, x), 0), A([0.0, 1]), [0, 0]),
    "clip": (lambda x: pg.clip(pg.log(x), -1, 1), A([0.0, 1]), [0, 1]),
    "maximum": (lambda x: pg.maximum(pg.log(x), -1), A([0.0, 1]), [0, 1]),
    "two deep": (lambda x: pg.where(x > 0, pg.log(pg.sqrt(x)), 0), A([-1.0, 4]), [0, 0.125]),
    "mask of 0 and 1": (lambda x: pg.sqrt(x) * A([0.0, 1]), A([0.0, 4]), [0, 0.25]),
    "a selected element": (lambda x: pg.log(x)[1], A([0.0, 4]), [0, 0.25]),
    "a taken element": (lambda x: pg.take(pg.log(x), A([1]), axis=0), A([0.0, 4]), [0, 0.25]),
    "σ by hand": (lambda x: 1 / (1 + pg.exp(-x)), A([-1000.0, 0]), [0, 0.25]),
    "softplus by hand": (lambda x: pg.log(1 + pg.exp(x)), A([-1000.0, 0]), [0, 0.5]),
    "prod": (lambda x: pg.prod(pg.where(x > 0, pg.log(x), 2)), A([0.0, np.e]), [0, 2 / np.e]),
    "norm": (lambda x: pg.vector_norm(pg.where(x > 0, pg.sqrt(x), 0)), A([0.0, 4]), [0, 0.25]),
    "a masked row": (
        lambda x: pg.softmax(A([[0.0, 0], [-inf, -inf]]) + x)[0, 0],
        A([0.0, 0]),
        [0.25, -0.25],
    ),
    "a masked row's logarithm": (
        lambda x: pg.log_softmax(A([[0.0, 0], [-inf, -inf]]) + x)[0, 0],
        A([0.0, 0]),
        [0.5, -0.5],
    ),
    "a row of NaN beside a layer norm": (
        lambda x: pg.where(A([[True], [False]]), pg.layer_norm(A([[0.0, 1], [nan, 1]]) + x), 0)[0],
        A([0.0, 0]),
        [0, 0],
    ),
    "cross-entropy of a masked class": (
        lambda x: pg.cross_entropy(x + A([[0.0, -inf, 0]]), A([0])),
        A([0.0, 5, 0]),
        [-0.5, 0, 0.5],
    ),
    "cross-entropy, one-hot": (
        lambda x: pg.cross_entropy(x + A([[0.0, -inf, 0]]), A([[1.0, 0, 0]])),
        A([0.0, 5, 0]),
        [-0.5, 0, 0.5],
    ),
    "logsumexp": (lambda x: pg.logsumexp(x + A([0.0, -inf])), A([1.0, 1]), [1, 0]),
    "logaddexp": (
        lambda x: pg.logaddexp(pg.logaddexp(x - inf, -inf), x),
        A([0.3]),
        [1],
    ),
}


def total(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: pg.sum(f(x))


def in_session(f: Callable[[Any], Any], x: Any) -> Any:
    with pg.Graph() as graph:
        fed = pg.placeholder(dtype=x.dtype)
        slope = pg.gradients(total(f)(fed), fed)
    return pg.Session(graph).run(slope, {fed: x})


def by_backward(f: Callable[[Any], Any], x: Any) -> Any:
    variable = pg.Variable(x)
    total(f)(variable).backward()
    return variable.grad.numpy()


STYLES: dict[str, Callable[..., Any]] = {
    "eager": lambda f, x: pg.grad(total(f))(x),
    "backward": by_backward,
    "session": in_session,
    "numpy": lambda f, x: pg.function(pg.grad(total(f)), engine="numpy")(x),
    "native": lambda f, x: pg.function(pg.grad(total(f)), engine="native")(x),
    "forward": lambda f, x: [pg.jvp(total(f), (x,), (t,))[1] for t in np.eye(len(x))],
}


@pytest.mark.parametrize("style", STYLES)
def test_untaken_branches_contribute_nothing(style):
    for name, (f, x, expected) in CASES.items():
        found = np.asarray(STYLES[style](f, x))
        assert np.isfinite(found).all(), (name, found)
        assert_close(found, A(expected, float), name)


def test_in_the_second_order_too():
    for name, (f, x, _) in CASES.items():
        if name != "σ by hand":  # every branch is taken: exp(1000) has infinite derivatives
            for hessian in (pg.hessian(total(f)), pg.jacobian(pg.grad(total(f)))):
                assert np.isfinite(hessian(x)).all(), name


def test_ieees_products_can_be_chosen():
    f = pg.function(pg.grad(lambda x: pg.where(x > 0, pg.sqrt(x), 0)))
    with pg.Graph() as graph:
        x = pg.placeholder(())
        slope = pg.gradients(pg.where(x > 0, pg.sqrt(x), 0), x)
    session = pg.Session(graph)
    for on in (False, True, False):
        pg.set_ieee_gradients(on)
        try:
            assert pg.ieee_gradients() is on
            assert np.isnan(f(-1.0)) == on  # no program compiled before the change is used again
            assert np.isnan(pg.grad(lambda x: pg.where(x > 0, pg.sqrt(x), 0))(-1.0)) == on
        finally:
            pg.set_ieee_gradients(False)
    assert session.run(slope, {x: -1.0}) == 0


def test_the_switch_takes_booleans():
    with pytest.raises(TypeError, match="True or False, got 1"):
        pg.set_ieee_gradients(1)  # pyright: ignore[reportArgumentType]


def test_only_an_exact_0_is_absorbing():
    assert np.isinf(pg.grad(pg.sqrt)(0.0))
    assert np.isnan(pg.grad(lambda x: x * pg.log(x - 1))(1e-30))  # log of a negative number
    assert np.isnan(pg.grad(lambda x: nan * pg.sin(x))(0.5))
    assert np.isnan(pg.grad(lambda x: pg.sum(x * A([nan, 1])))(A([1.0, 1]))[0])


def test_products_of_finite_numbers_keep_their_bits():
    rng = np.random.default_rng(0)
    for dtype in (np.float16, np.float32, np.float64):
        x, y = rng.normal(size=(2, 64)).astype(dtype)
        x[::5], y[::7] = 0, -0.0
        product = pg.function(pg.absorbing_product, engine="native")
        for found in (pg.absorbing_product(x, y).numpy(), product(x, y)):
            assert found.tobytes() == (x * y).tobytes()
