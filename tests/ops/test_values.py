"""Every function computes what its name says: held against NumPy, or against mpmath's digits.

The battery only shows that engines agree and derivatives fit; here is what the values are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import palingrad as pg
from palingrad import ops
from tolerances import assert_close, assert_same

X = np.linspace(-2.0, 2.0, 12).reshape(3, 4)
UNIT = X / 2.5
POSITIVE = X + 2.5
ROW = np.array([0.5, -1.5, 2.0, 3.0])
BITS = np.array([5, 6, -1])
TRUTH = np.array([True, False, True])
CUBE = np.arange(24.0).reshape(2, 3, 4) / 7 - 1


def digits(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` on mpmath's numbers of 50 digits, elementwise, rounded to float64 at the end."""

    def rounded(*x: float) -> float:
        with mpmath.workdps(50):
            return float(function(*map(mpmath.mpf, x)))

    return np.vectorize(rounded, otypes=[np.float64])


def softmax(x: Any, axis: int = -1) -> Any:
    weights = np.exp(x - x.max(axis=axis, keepdims=True))
    return weights / weights.sum(axis=axis, keepdims=True)


# The function's name, what it should compute, and arguments for both.
ELEMENTWISE = [
    ("abs", np.abs, X),
    ("add", np.add, X, ROW),
    ("acos", np.arccos, UNIT),
    ("acosh", np.arccosh, POSITIVE + 1),
    ("asin", np.arcsin, UNIT),
    ("asinh", np.arcsinh, X),
    ("atan", np.arctan, X),
    ("atan2", np.arctan2, X, ROW),
    ("atanh", np.arctanh, UNIT),
    ("bitwise_and", np.bitwise_and, BITS, 3),
    ("bitwise_invert", np.invert, BITS),
    ("bitwise_or", np.bitwise_or, BITS, 3),
    ("bitwise_xor", np.bitwise_xor, BITS, 3),
    ("cbrt", np.cbrt, X),
    ("ceil", np.ceil, X),
    ("cos", np.cos, X),
    ("cosh", np.cosh, X),
    ("divide", np.divide, X, ROW),
    ("equal", np.equal, ROW, 2.0),
    ("erf", digits(mpmath.erf), X),
    ("erfc", digits(mpmath.erfc), X),
    ("exp", np.exp, X),
    ("exp2", np.exp2, X),
    ("expm1", np.expm1, X),
    ("floor", np.floor, X),
    ("floor_divide", np.floor_divide, X, ROW),
    ("gelu", digits(lambda x: x * mpmath.ncdf(x)), X),
    ("gelu", digits(lambda x: x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2), 3 * X),
    ("greater", np.greater, X, ROW),
    ("greater_equal", np.greater_equal, X, ROW),
    ("hypot", np.hypot, X, ROW),
    ("isfinite", np.isfinite, np.array([0.0, np.inf, -np.inf, np.nan])),
    ("isinf", np.isinf, np.array([0.0, np.inf, -np.inf, np.nan])),
    ("isnan", np.isnan, np.array([0.0, np.inf, -np.inf, np.nan])),
    ("less", np.less, X, ROW),
    ("less_equal", np.less_equal, X, ROW),
    ("log", np.log, POSITIVE),
    ("log10", np.log10, POSITIVE),
    ("log1p", np.log1p, UNIT),
    ("log2", np.log2, POSITIVE),
    ("log_sigmoid", digits(lambda x: -mpmath.log(1 + mpmath.exp(-x))), X),
    ("logaddexp", np.logaddexp, X, ROW),
    ("logical_and", np.logical_and, TRUTH, [True, True, False]),
    ("logical_not", np.logical_not, TRUTH),
    ("logical_or", np.logical_or, TRUTH, [True, True, False]),
    ("logical_xor", np.logical_xor, TRUTH, [True, True, False]),
    ("maximum", np.maximum, X, ROW),
    ("minimum", np.minimum, X, ROW),
    ("multiply", np.multiply, X, ROW),
    ("negative", np.negative, X),
    ("not_equal", np.not_equal, ROW, 2.0),
    ("ones_like", np.ones_like, X),
    ("positive", np.positive, X),
    ("pow", np.power, POSITIVE, ROW),
    ("reciprocal", np.reciprocal, X),
    ("relu", lambda x: np.maximum(x, 0), X),
    ("remainder", np.remainder, X, ROW),
    ("round", np.round, X),
    ("sigmoid", digits(lambda x: 1 / (1 + mpmath.exp(-x))), X),
    ("sign", np.sign, X),
    ("silu", digits(lambda x: x / (1 + mpmath.exp(-x))), X),
    ("sin", np.sin, X),
    ("sinh", np.sinh, X),
    ("softplus", digits(lambda x: mpmath.log(1 + mpmath.exp(x))), X),
    ("sqrt", np.sqrt, POSITIVE),
    ("square", np.square, X),
    ("stop_gradient", np.array, X),
    ("subtract", np.subtract, X, ROW),
    ("tan", np.tan, X),
    ("tanh", np.tanh, X),
    ("trunc", np.trunc, X),
    ("where", np.where, X > 0, X, ROW),
    ("zeros_like", np.zeros_like, X),
]

# The same with options: the function's name, its reference, positional arguments, keyword ones.
OTHERS = [
    ("all", np.all, (X > -1,), dict(axis=0)),
    ("any", np.any, (X > 1,), dict(axis=1, keepdims=True)),
    ("argmax", np.argmax, (X,), dict(axis=0)),
    ("argmin", np.argmin, (X,), dict()),
    ("broadcast_to", np.broadcast_to, (ROW, (3, 4)), dict()),
    ("clip", np.clip, (X, -1.0, 0.5), dict()),
    ("concat", np.concatenate, ([X, X[:1]],), dict(axis=0)),
    ("dot", np.dot, (X, CUBE.reshape(2, 4, 3)), dict()),
    ("expand_dims", np.expand_dims, (X,), dict(axis=(0, -1))),
    ("logsumexp", lambda x, axis: np.log(np.exp(x).sum(axis=axis)), (X,), dict(axis=1)),
    ("log_softmax", lambda x, axis: np.log(softmax(x, axis)), (X,), dict(axis=0)),
    ("matmul", np.matmul, (CUBE, ROW), dict()),
    ("matmul", np.matmul, (CUBE, CUBE.reshape(2, 4, 3)), dict()),
    ("matrix_transpose", lambda x: np.swapaxes(x, -1, -2), (CUBE,), dict()),
    ("max", np.max, (CUBE,), dict(axis=(0, 2))),
    ("mean", np.mean, (CUBE,), dict(axis=(0, 2), keepdims=True)),
    ("min", np.min, (CUBE,), dict(axis=-1)),
    ("outer", np.outer, (ROW, X[0]), dict()),
    ("permute_dims", np.transpose, (CUBE, (2, 0, 1)), dict()),
    ("prod", np.prod, (CUBE,), dict(axis=1)),
    ("reshape", np.reshape, (CUBE, (4, -1)), dict()),
    ("softmax", softmax, (X,), dict(axis=0)),
    ("squeeze", np.squeeze, (X[None, :, None],), dict(axis=0)),
    ("stack", np.stack, ([X, -X],), dict(axis=1)),
    ("std", lambda x, axis, correction: np.std(x, axis=axis, ddof=correction), (CUBE,),
     dict(axis=1, correction=1)),
    ("sum", np.sum, (CUBE,), dict(axis=(0, 1))),
    ("var", lambda x, correction: np.var(x, ddof=correction), (CUBE,), dict(correction=0.5)),
]  # fmt: skip


@pytest.mark.tiny
@pytest.mark.parametrize("row", ELEMENTWISE, ids=lambda row: row[0])
def test_elementwise(row):
    name, reference, *x = row
    assert_close(getattr(pg, name)(*x).numpy(), reference(*x))


@pytest.mark.tiny
@pytest.mark.parametrize("row", OTHERS, ids=lambda row: row[0])
def test_with_options(row):
    name, reference, args, options = row
    assert_close(getattr(pg, name)(*args, **options).numpy(), reference(*args, **options))


@pytest.mark.tiny
def test_float32_stays_float32():
    for name, reference, *x in ELEMENTWISE:
        narrow = [np.asarray(each).astype("f4") if np.asarray(each).dtype == "f8" else each
                  for each in x]  # fmt: skip
        if any(np.asarray(each).dtype == "f4" for each in narrow):
            expected = np.asarray(reference(*narrow))
            expected = expected.astype("f4") if expected.dtype == "f8" else expected
            assert_close(getattr(pg, name)(*narrow).numpy(), expected, name)


def test_split_takes_apart_what_concat_joins():
    one, two, three = pg.split(X, sizes=[1, 0, 3], axis=1)
    assert [piece.shape for piece in (one, two, three)] == [(3, 1), (3, 0), (3, 3)]
    assert_same(pg.concat([one, two, three], axis=1).numpy(), X)
    assert_same([piece.numpy() for piece in pg.split(X, 3)], [X[:1], X[1:2], X[2:]])


def test_clip_with_one_bound_is_maximum_or_minimum():
    assert_same(pg.clip(X, min=-0.5).numpy(), np.maximum(X, -0.5))
    assert_same(pg.clip(X, max=0.5).numpy(), np.minimum(X, 0.5))


def test_leaky_relu_and_elu_take_their_slope_and_height():
    assert_close(pg.leaky_relu(X).numpy(), np.where(X > 0, X, 0.01 * X))
    assert_close(pg.leaky_relu(X, slope=0.3).numpy(), np.where(X > 0, X, 0.3 * X))
    assert_close(pg.elu(X).numpy(), np.where(X > 0, X, np.expm1(X)))
    assert_close(pg.elu(X, alpha=0.5).numpy(), np.where(X > 0, X, 0.5 * np.expm1(X)))


def test_the_approximation_of_gelu_is_near_gelu():
    near = pg.gelu(X, approximate=True).numpy()
    np.testing.assert_allclose(near, pg.gelu(X).numpy(), atol=1e-3)  # what the paper promises
    inner = np.sqrt(2 / np.pi) * (X + 0.044715 * X**3)
    assert_close(near, 0.5 * X * (1 + np.tanh(inner)))


def test_cast_rounds_towards_zero_and_takes_numbers_for_truth():
    assert_same(pg.cast([1.7, -1.7], pg.int64).numpy(), np.array([1, -1]))
    assert_same(pg.cast([0.0, 2.0], bool).numpy(), np.array([False, True]))
    assert_same(pg.cast([1, 2], float).numpy(), np.array([1, 2], np.float32))


def test_cross_entropy_of_labels_of_one_hot_rows_and_of_distributions():
    labels = np.array([0, 3, 1])
    each = -np.log(softmax(X))[np.arange(3), labels]
    hot = np.eye(4)[labels]
    assert_close(pg.cross_entropy(X, labels).numpy(), each.mean())
    assert_close(pg.cross_entropy(X, labels, reduction="sum").numpy(), each.sum())
    assert_close(pg.cross_entropy(X, labels, reduction="none").numpy(), each)
    assert_close(pg.cross_entropy(X, hot).numpy(), each.mean())
    mixed = np.full((3, 4), 0.25)
    expected = -(mixed * np.log(softmax(X))).sum(axis=-1).mean()
    assert_close(pg.cross_entropy(X, mixed).numpy(), expected)


@pytest.mark.parametrize("labels", [np.array([0, 3, 1]), np.eye(4)[[0, 3, 1]]])
def test_cross_entropy_learns_from_the_feed_which_form_labels_have(labels):
    with pg.Graph() as graph:
        fed = pg.placeholder(labels.shape)
        loss = pg.cross_entropy(X, fed)
    assert_same(
        pg.Session(graph, engine="numpy").run(loss, {fed: labels}),
        pg.cross_entropy(X, labels).numpy(),
    )


def test_a_label_out_of_range_that_is_fed_makes_nan():
    with pg.Graph() as graph:
        labels = pg.placeholder(dtype=pg.int64)
        losses = pg.cross_entropy(X, labels, reduction="none")
    found = pg.Session(graph).run(losses, {labels: [0, 4, -1]})
    assert_same(np.isnan(found), np.array([False, True, True]))


def test_mse_is_the_mean_of_squares():
    assert_close(pg.mse(X, X[::-1]).numpy(), np.mean((X - X[::-1]) ** 2))
    assert_close(pg.mse(X, X[::-1], reduction="none").numpy(), (X - X[::-1]) ** 2)


@pytest.mark.parametrize("index", [
    1, -1, slice(1, 3), slice(None, None, -1), (slice(None), 2), (0, slice(None, None, 2)),
    (Ellipsis, 0), (None, 1), (slice(2, 0, -1), None, -1), (), Ellipsis, slice(5, 9), np.int64(2),
], ids=str)  # fmt: skip
def test_indexing_is_numpys(index):
    assert_same(pg.tensor(X)[index].numpy(), X[index])


def test_a_node_is_iterated_over_and_unpacked():
    one, two, three = pg.tensor(X)
    assert_same([one.numpy(), two.numpy(), three.numpy()], X)
    assert [float(x) for x in pg.tensor([1.0, 2.0])] == [1, 2]


def test_operators_are_the_functions():
    x, y = pg.tensor(POSITIVE), pg.tensor(ROW)
    i, j = pg.tensor([7, -7]), pg.tensor([2, 3])
    pairs = [
        (x + y, pg.add(x, y)), (1.0 + x, pg.add(1.0, x)), (x - y, pg.subtract(x, y)),
        (1.0 - x, pg.subtract(1.0, x)), (x * y, pg.multiply(x, y)), (2.0 * x, pg.multiply(2.0, x)),
        (x / y, pg.divide(x, y)), (1.0 / x, pg.divide(1.0, x)), (x**y, pg.pow(x, y)),
        (2.0**x, pg.pow(2.0, x)), (i // j, pg.floor_divide(i, j)), (9 // j, pg.floor_divide(9, j)),
        (i % j, pg.remainder(i, j)), (9 % j, pg.remainder(9, j)), (x @ y, pg.matmul(x, y)),
        (X[0] @ x.mT, pg.matmul(X[0], x.mT)), (-x, pg.negative(x)), (+x, x), (abs(-x), x),
        (i & j, pg.bitwise_and(i, j)), (i | j, pg.bitwise_or(i, j)), (i ^ j, pg.bitwise_xor(i, j)),
        (3 & j, pg.bitwise_and(3, j)), (3 | j, pg.bitwise_or(3, j)), (3 ^ j, pg.bitwise_xor(3, j)),
        (~i, pg.bitwise_invert(i)), (x < y, pg.less(x, y)), (x <= y, pg.less_equal(x, y)),
        (x > y, pg.greater(x, y)), (x >= y, pg.greater_equal(x, y)), (x == y, pg.equal(x, y)),
        (x != y, pg.not_equal(x, y)), (X + x, pg.add(X, x)), (X @ x.T, pg.matmul(X, x.T)),
        (x.sum(axis=0), pg.sum(x, axis=0)), (x.mean(), pg.mean(x)), (x.max(), pg.max(x)),
        (x.min(axis=1, keepdims=True), pg.min(x, axis=1, keepdims=True)),
        (x.reshape(2, -1), pg.reshape(x, (2, -1))), (x.reshape((12,)), pg.reshape(x, 12)),
        (x.astype("f4"), pg.cast(x, pg.float32)), (x.T, pg.permute_dims(x)),
    ]  # fmt: skip
    for number, (found, expected) in enumerate(pairs):
        assert_same(found.numpy(), expected.numpy(), f"pair {number}")


def test_every_function_of_arrays_is_tested_here():
    """A new operation gets a row; those of other files are named with the file."""
    elsewhere = {
        "Generator", "dropout", "normal", "set_seed", "uniform",  # test_random.py
        "average_pool", "conv1d", "conv2d", "max_pool",  # test_windows.py
        "embedding", "flatten", "take",  # test_moves.py
        "group",  # test_session.py
    }  # fmt: skip
    here = {row[0] for row in ELEMENTWISE} | {row[0] for row in OTHERS}
    here |= {"cast", "clip", "cross_entropy", "elu", "leaky_relu", "mse", "split"}
    public = {name for name in vars(pg) if getattr(ops, name, None) is getattr(pg, name)}
    functions = {name for name in public if callable(getattr(pg, name))}
    assert functions - here - elsewhere == set()
