"""Powers of integers: NumPy's bits, and its error for a negative exponent, fed or computed,
before anything has changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from tolerances import assert_same

SAID = "Integers to negative integer powers are not allowed"
DTYPES = (np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint64)


def native(f: Any) -> Any:
    return pg.function(f, engine="native")


@pytest.mark.parametrize("dtype", DTYPES)
def test_powers_are_numpys_modulo_two_to_the_bits(dtype):
    rng = np.random.default_rng(0)
    x = rng.integers(-9, 10, (7, 23)).astype(dtype)
    y = rng.integers(0, 120, (7, 1)).astype(dtype)
    steps = np.arange(23, dtype=dtype)

    def powers(x: Any, y: Any) -> list[Any]:
        return [x**y, x**5, x**steps]

    f = native(powers)
    for one, other in zip(f(x, y), powers(x, y), strict=True):
        assert_same(one, other)
    assert "Fallback" not in f.explain(x, y)


def test_exponents_of_narrower_integers_and_booleans():
    x = np.arange(-4, 5)
    f = native(lambda x, y, z: [x**y, x ** (z > 0)])
    fed = (x, np.arange(9, dtype=np.int16), x)
    one, other = f(*fed)
    assert_same(one, x ** fed[1])
    assert_same(other, x ** (x > 0))
    assert "Fallback" not in f.explain(*fed)


@pytest.mark.parametrize("fed", [np.array([1, 2, -1]), np.array([1, 2, -1], np.int8)])
def test_a_negative_exponent_raises_before_any_variable_changes(fed):
    w = pg.Variable(np.zeros(3), dtype=pg.float64)

    @native
    def step(x: Any, y: Any) -> Any:
        w.assign(w + 1.0)
        return pg.sum(x**y)

    x = np.array([2, 3, 4])
    assert step(x, abs(fed)) == 2 + 9 + 4
    assert "updated in place" in step.explain(x, fed)
    with pytest.raises(ValueError, match=SAID):
        step(x, fed)
    assert_same(w.value, np.ones(3))
    with pytest.raises(ValueError, match=SAID):
        step.repeat(x, np.stack([abs(fed), abs(fed), fed]), along=(1,))
    assert_same(w.value, np.ones(3))


def test_a_power_of_no_elements_raises_no_error():
    f = native(lambda x, y: x**y)
    assert_same(f(np.zeros((0, 3), int), np.array([-1, 1, 1])), np.zeros((0, 3), int))
    f = native(lambda x, y: x ** (y - 1))
    assert_same(f(np.zeros((0, 3), int), np.array([0, 1, 1])), np.zeros((0, 3), int))


@pytest.mark.parametrize("threads", [1, 4])
def test_a_computed_negative_exponent_raises_and_changes_nothing(threads):
    w = pg.Variable(np.zeros(3), dtype=pg.float64)

    @native
    def step(x: Any, y: Any) -> Any:
        powers = x ** (y * 2)
        w.assign(w + pg.sum(powers, axis=0))
        return powers

    before = pg.get_num_threads()
    pg.set_num_threads(threads)
    x, y = np.full((4000, 3), 2), np.array([0, 1, 2])
    assert_same(step(x, y), x ** (2 * y))
    said = step.explain(x, y)
    assert "updated in place" in said
    assert "BoundsCheck" in said
    assert "Fallback" not in said
    for _ in range(2):
        with pytest.raises(ValueError, match=SAID):
            step(x, np.array([0, -1, 2]))
    assert_same(w.value, 4000.0 * 4.0**y)
    pg.set_num_threads(before)


def test_the_error_names_the_exponent_not_the_index_computed_from_it():
    f = native(lambda x, i: pg.take(x, 2 ** (i * 2), axis=0))
    x = np.arange(20.0)
    assert_same(f(x, np.array([0, 2])), np.array([1.0, 16.0]))
    with pytest.raises(ValueError, match=SAID):
        f(x, np.array([3, -1]))
    with pytest.raises(IndexError, match="1 … 64 for 20 rows"):
        f(x, np.array([3, 0]))


def test_a_constant_negative_exponent_runs_in_numpy():
    x, f = np.array([1, 2, 3]), native(lambda x: x**-2)
    with pytest.raises(ValueError, match=SAID):
        f(x)
    assert "because a negative exponent raises" in " ".join(f.explain(x).split())


def test_one_array_may_be_an_index_and_an_exponent():
    f = native(lambda x, i: pg.take(x, i, axis=0) + x[0] ** i)
    x = np.array([2, 3, 4])
    assert_same(f(x, np.array([0, 2])), np.array([3, 8]))
    with pytest.raises(ValueError, match=SAID):
        f(x, np.array([0, -1]))
    with pytest.raises(IndexError, match="0 … 3 for 3 rows"):
        f(x, np.array([0, 3]))


def test_a_users_formula_raises_as_in_numpy():
    class Raised(pg.Elementwise):
        samples = ()

        def f(m, x, y):
            return m.power(x, y)

        def d(z, x, y):
            return [None, None]

    x = np.array([1, 2, 3])
    with pytest.raises(ValueError, match=SAID):
        native(lambda x, y: Raised(x, y))(x, -x)
