"""Initialisers have the mean, spread, bounds and dtype that they promise."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import DTypeError, ShapeError
from palingrad.nn import init

pytestmark = pytest.mark.tiny


class Row(NamedTuple):
    """An initialiser, its variance for given fans, and its distribution."""

    name: str
    make: Callable[..., Any]
    variance: Callable[[int, int], float]
    uniform: bool


ROWS = [
    Row("glorot_uniform", init.glorot_uniform, lambda i, o: 2 / (i + o), True),
    Row("glorot_normal", init.glorot_normal, lambda i, o: 2 / (i + o), False),
    Row("he_uniform", init.he_uniform, lambda i, o: 2 / i, True),
    Row("he_normal", init.he_normal, lambda i, o: 2 / i, False),
    Row("lecun_uniform", init.lecun_uniform, lambda i, o: 1 / i, True),
    Row("lecun_normal", init.lecun_normal, lambda i, o: 1 / i, False),
    Row("normal", init.normal(0.3), lambda i, o: 0.09, False),
    Row("uniform", init.uniform(0.6), lambda i, o: 0.12, True),
]
# (shape, fan-in, fan-out): a matrix, wide and tall, and a convolution's (outputs, inputs, window)
SHAPES = [((100, 300), 100, 300), ((300, 100), 300, 100), ((40, 30, 5, 5), 750, 1000)]


@pytest.mark.parametrize(("shape", "fan_in", "fan_out"), SHAPES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_mean_and_variance_are_as_promised(row, shape, fan_in, fan_out):
    values = np.float64(row.make(shape, seed=0).numpy())
    assert values.shape == shape
    variance = row.variance(fan_in, fan_out)
    assert abs(values.mean()) < 5 * math.sqrt(variance / values.size)
    assert values.var() == pytest.approx(variance, rel=0.05)  # its own spread is below 1 %


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_uniform_ones_keep_their_bounds_and_normal_ones_have_tails(row):
    values = row.make((100, 300), seed=0).numpy()
    limit = math.sqrt(3 * row.variance(100, 300))
    inside = np.abs(values) <= limit * (1 + np.finfo(np.float32).eps)
    if row.uniform:
        assert inside.all()
        assert np.abs(values).max() > 0.99 * limit
    else:  # outside ±√3 standard deviations a normal distribution has 8.3 %
        assert 1 - inside.mean() == pytest.approx(0.0833, abs=0.01)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_seed_gives_the_same_numbers_and_dtype_is_kept(row):
    first, again = row.make((3, 4), seed=9).numpy(), row.make((3, 4), seed=9).numpy()
    np.testing.assert_array_equal(first, again)
    assert (first != row.make((3, 4), seed=10).numpy()).any()
    assert first.dtype == np.float32
    assert row.make((3, 4), seed=9, dtype=np.float64).dtype == np.float64
    pg.set_default_dtype(pg.float64)
    assert row.make((3, 4), seed=9).dtype == np.float64


@pytest.mark.parametrize(("shape", "matrix"), [((5, 3), (5, 3)), ((3, 5), (3, 5)),
                                               ((4, 2, 3), (4, 6))])  # fmt: skip
def test_orthogonal_rows_or_columns_are_orthonormal(shape, matrix):
    q = init.orthogonal(shape, seed=3, dtype="float64").numpy()
    assert q.shape == shape
    q = q.reshape(matrix)
    product = q.T @ q if matrix[0] >= matrix[1] else q @ q.T
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-14)
    assert init.orthogonal(shape, seed=3).dtype == np.float32
    assert (q != init.orthogonal(shape, seed=4, dtype="float64").numpy().reshape(matrix)).any()


def test_every_initialiser_has_a_row():
    own = {name for name, x in vars(init).items() if getattr(x, "__module__", "") == init.__name__}
    public = {name for name in own if not name.startswith("_")}
    assert public - {"fans", "zeros", "orthogonal"} == {row.name for row in ROWS}


def test_zeros_are_zeros():
    np.testing.assert_array_equal(init.zeros((2, 3)).numpy(), np.zeros((2, 3), np.float32))
    assert init.zeros((2,), dtype="f8").dtype == np.float64


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((3, 4), (3, 4)), ((8, 3, 5), (15, 40)), ((8, 3, 5, 7), (105, 280))],
)
def test_fans(shape, expected):
    assert init.fans(shape) == expected


@pytest.mark.parametrize("shape", [(), (3,)])
def test_a_weight_with_fans_has_two_axes(shape):
    with pytest.raises(ShapeError, match="two axes or more, got"):
        init.he_normal(shape)


def test_weights_are_floats():
    with pytest.raises(DTypeError, match="expected a float dtype, got int32"):
        init.glorot_uniform((2, 3), dtype=np.int32)
