"""Losses: each held against its formula in NumPy, at the edges against the limit, by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import ArgumentError, ShapeError
from tolerances import assert_close, near

inf, nan = np.inf, np.nan
A = np.array
X = np.linspace(-2.0, 2.5, 12).reshape(3, 4)
Y = np.cos(X * 3)
P = np.exp(X) / np.exp(X).sum(-1, keepdims=True)
Q = np.exp(Y) / np.exp(Y).sum(-1, keepdims=True)
BITS = (Y > 0).astype(float)
SIDES = 2 * BITS - 1
WEIGHTS = A([0.5, 2.0, 1.0, 0.25])
LABELS = A([2, 0, 3])


def logs(x: Any) -> Any:
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def cosine(x: Any, y: Any) -> Any:
    return (x * y).sum(-1) / np.sqrt((x * x).sum(-1) * (y * y).sum(-1))


def norm(x: Any) -> Any:
    return np.sqrt((x * x).sum(-1))


def focal(x: Any, y: Any, gamma: float, alpha: float) -> Any:
    p = sigmoid(x)
    return -alpha * y * (1 - p) ** gamma * np.log(p) - (1 - alpha) * (1 - y) * p**gamma * np.log(
        1 - p
    )


def huber(d: Any, delta: float) -> Any:
    return np.where(abs(d) <= delta, d * d / 2, delta * (abs(d) - delta / 2))


# The function's name, its arguments and options, and the loss of each element or example.
CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], Any]] = [
    ("mse", (X, Y), {}, (X - Y) ** 2),
    ("mae", (X, Y), {}, abs(X - Y)),
    ("huber", (X, Y), dict(delta=0.7), huber(X - Y, 0.7)),
    ("smooth_l1", (X, Y), dict(beta=0.7), huber(X - Y, 0.7) / 0.7),
    ("smooth_l1", (X, Y), dict(beta=0), abs(X - Y)),
    ("log_cosh", (X, Y), {}, np.log(np.cosh(X - Y))),
    ("poisson_nll", (X, 3 * BITS), {}, np.exp(X) - 3 * BITS * X),
    ("poisson_nll", (P, 3 * BITS), dict(log_rate=False, full=True), P - 3 * BITS * np.log(P)
     + BITS * (3 * np.log(3) - 3 + np.log(6 * np.pi) / 2)),
    ("gaussian_nll", (X, Y, P), dict(full=True),
     (np.log(2 * np.pi * P) + (X - Y) ** 2 / P) / 2),
    ("gaussian_nll", (X, Y, P[:, :1]), dict(epsilon=0.05),
     (np.log(np.maximum(P[:, :1], 0.05)) + (X - Y) ** 2 / np.maximum(P[:, :1], 0.05)) / 2),
    ("binary_cross_entropy", (P, BITS), {}, -BITS * np.log(P) - (1 - BITS) * np.log(1 - P)),
    ("binary_cross_entropy_with_logits", (X, Q), {},
     -Q * np.log(sigmoid(X)) - (1 - Q) * np.log(sigmoid(-X))),
    ("binary_cross_entropy_with_logits", (X, BITS), dict(positive_weight=WEIGHTS),
     -WEIGHTS * BITS * np.log(sigmoid(X)) - (1 - BITS) * np.log(sigmoid(-X))),
    ("focal_loss", (X, BITS), {}, focal(X, BITS, 2, 0.25)),
    ("focal_loss", (X, BITS), dict(gamma=0, alpha=None), 2 * focal(X, BITS, 0, 0.5)),
    ("hinge_loss", (X, SIDES), {}, np.maximum(0, 1 - X * SIDES)),
    ("hinge_loss", (X, SIDES), dict(margin=0.5, squared=True),
     np.maximum(0, 0.5 - X * SIDES) ** 2),
    ("perceptron_loss", (X, SIDES), {}, np.maximum(0, -X * SIDES)),
    ("kl_divergence", (P, Q), {}, (P * np.log(P / Q)).sum(-1)),
    ("kl_divergence", (P.T, np.log(Q.T)), dict(axis=0, log_q=True), (P * np.log(P / Q)).sum(-1)),
    ("js_divergence", (P, Q), {}, (P * np.log(2 * P / (P + Q)) + Q * np.log(2 * Q / (P + Q))
                                   ).sum(-1) / 2),
    ("cosine_loss", (X, Y), {}, 1 - cosine(X, Y)),
    ("margin_ranking_loss", (X, Y, SIDES), dict(margin=0.3),
     np.maximum(0, 0.3 - SIDES * (X - Y))),
    ("triplet_loss", (X, Y, P), dict(margin=0.5),
     np.maximum(0, norm(X - Y) - norm(X - P) + 0.5)),
    ("cross_entropy", (X, LABELS), {}, -logs(X)[np.arange(3), LABELS]),
    ("cross_entropy", (X.T, LABELS), dict(axis=0), -logs(X)[np.arange(3), LABELS]),
    ("cross_entropy", (X, P), dict(label_smoothing=0.2), -((0.8 * P + 0.05) * logs(X)).sum(-1)),
    ("cross_entropy", (X, P), dict(weights=WEIGHTS), -(WEIGHTS * P * logs(X)).sum(-1)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "inputs", "options", "each"), CASES)
def test_a_loss_is_its_formula_and_is_reduced(name, inputs, options, each):
    loss: Callable[..., Any] = getattr(pg, name)
    assert_close(loss(*inputs, **options, reduction="none").numpy(), each)
    assert loss(*inputs, **options).numpy() == near(each.mean())
    assert loss(*inputs, **options, reduction="sum").numpy() == near(each.sum())
    compiled = pg.function(lambda *x: loss(*x, **options), engine="native")
    assert compiled(*inputs) == near(each.mean())
    with pytest.raises(ShapeError, match="reduction must be 'mean', 'sum' or 'none'"):
        loss(*inputs, reduction="average")


def test_weights_and_ignored_labels_count_in_the_mean():
    labels, p = A([2, -1, 3]), -logs(X)
    each = A([p[0, 2] * WEIGHTS[2], 0.0, p[2, 3] * WEIGHTS[3]])
    options: dict[str, Any] = dict(weights=WEIGHTS, ignore_index=-1)
    assert_close(pg.cross_entropy(X, labels, **options, reduction="none").numpy(), each)
    mean = each.sum() / (WEIGHTS[2] + WEIGHTS[3])
    assert pg.cross_entropy(X, labels, **options).numpy() == near(mean)
    assert np.isnan(pg.cross_entropy(X, A([-1, -1, -1]), ignore_index=-1).numpy())
    smooth = 0.9 * each + 0.1 * (WEIGHTS * p).mean(-1) * A([1, 0, 1])
    found = pg.cross_entropy(X, labels, **options, label_smoothing=0.1, reduction="none")
    assert_close(found.numpy(), smooth)
    slope = pg.grad(lambda x: pg.cross_entropy(x, labels, ignore_index=-1))(
        A([X[0], [nan, inf, -inf, 0], X[2]])
    )
    assert not slope[1].any()
    assert np.isfinite(slope).all()


# What a loss is where its formula gives NaN, and the slope in its first input.
EDGES: list[tuple[str, Any, Any, dict[str, Any], Any, Any]] = [
    ("binary_cross_entropy", [0.0, 1.0, 0.0], [0.0, 1.0, 1.0], {}, [0, 0, inf], [1, -1, -inf]),
    ("binary_cross_entropy_with_logits", [-inf, inf, 800.0], [0.0, 1.0, 0.0], {}, [0, 0, 800],
     [0, 0, 1]),
    ("focal_loss", [-inf, inf, -800.0], [0.0, 1.0, 1.0], dict(alpha=None), [0, 0, 800],
     [0, 0, -1]),
    ("focal_loss", [-inf, inf, -800.0], [0.0, 1.0, 1.0], dict(alpha=None, gamma=0), [0, 0, 800],
     [0, 0, -1]),
    ("log_cosh", [1e-9, 2000.0], [0.0, 0.0], {}, [5e-19, 2000 - np.log(2)], [1e-9, 1]),
    ("poisson_nll", [0.0, 2.0], [0.0, 0.0], dict(log_rate=False), [0, 2], [1, 1]),
    ("cosine_loss", [[0.0, 0.0], [3e200, 4e200]], [[1.0, 2.0], [4.0, -3.0]], {}, [1, 1],
     [[0, 0], [-1.6e-201, 1.2e-201]]),
    ("cross_entropy", [[0.0, -inf, 0.0], [inf, 0.0, 0.0]], A([0, 1]),
     dict(weights=[1.0, 1, 1]), [np.log(2), nan], [[-0.5, 0, 0.5], [nan, nan, nan]]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "x", "y", "options", "expected", "slope"), EDGES)
def test_the_limits_at_the_edges(name, x, y, options, expected, slope):
    loss: Callable[..., Any] = getattr(pg, name)
    found = loss(A(x), A(y), **options, reduction="none").numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    for engine in ("numpy", "native"):
        total = pg.function(
            pg.grad(lambda x: loss(x, A(y), **options, reduction="sum")), engine=engine
        )
        np.testing.assert_allclose(total(A(x)), slope, rtol=1e-12)


WRONG: list[tuple[Any, Any, str]] = [
    (lambda: pg.mae(X, Y[:, :1]), ShapeError, "differ in shape"),
    (lambda: pg.huber(X, Y, delta=0), ArgumentError, "a finite number above 0"),
    (lambda: pg.hinge_loss(X, BITS), ArgumentError, r"2 \* target - 1"),
    (lambda: pg.gaussian_nll(X, Y, np.ones((5, 3, 4))), ShapeError, "doesn't broadcast to"),
    (lambda: pg.cross_entropy(X, P, ignore_index=0), ArgumentError, "is for integer labels"),
    (lambda: pg.cross_entropy(X, LABELS, weights=[1.0, 2.0]), ShapeError, "for 4 classes"),
    (lambda: pg.cross_entropy(X, LABELS, label_smoothing=1.5), ArgumentError, "label_smoothing"),
    (lambda: pg.cross_entropy(X, LABELS * 0, axis=0), ShapeError, "expect integer labels"),
    (lambda: pg.cross_entropy(X, LABELS + 2, axis=-1), ShapeError, "labels 2 … 5 for 4 classes"),
    (lambda: pg.cross_entropy(X, LABELS + 1), ShapeError, "labels 1 … 4 for 4 classes"),
    (lambda: pg.cross_entropy(X, LABELS - 1), ShapeError, "labels -1 … 2 for 4 classes"),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_what_does_not_fit_is_refused(number):
    call, error, text = WRONG[number]
    with pytest.raises(error, match=text):
        call()


def test_a_weight_does_not_change_the_shape_of_a_loss():
    with pytest.raises(ShapeError, match=r"weight \(1,\) doesn't broadcast to \(\)"):
        pg.binary_cross_entropy_with_logits(0.0, 0.0, positive_weight=np.ones(1, np.float32))
