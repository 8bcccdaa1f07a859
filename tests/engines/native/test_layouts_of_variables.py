"""A Variable's value may have any layout: the copy that machine code reads lives as long as its
address is known."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

import palingrad as pg

X = np.arange(20.0).reshape(4, 5)


@pytest.fixture(scope="module", autouse=True)
def _quick_collections() -> None:
    """Collections look at what these tests make, not at all that earlier tests left."""
    gc.collect()
    gc.freeze()


def turned(array: Any) -> Any:
    """The same array in a Variable, in the order of columns."""
    variable = pg.Variable(np.asfortranarray(array))
    assert not variable.numpy().flags.c_contiguous
    return variable


def trampled() -> list[Any]:
    """Arrays in the places of those that were let go."""
    gc.collect()
    return [np.full(X.shape, np.nan) for _ in range(1000)]


@pytest.mark.parametrize("of", [lambda x, v: x + v, lambda x, v: pg.linalg.svd(x + v)[1]])
def test_a_run_that_only_reads(of):
    v = turned(X)
    f = pg.function(lambda x: of(x, v), engine="native")
    expected = pg.function(of, engine="numpy")
    for step in range(6):
        arrays = trampled()
        np.testing.assert_allclose(f(X), expected(X, X + step // 3), rtol=1e-9, atol=1e-12)
        del arrays
        if step == 2:
            v.assign(np.asfortranarray(X + 1))


def test_a_run_in_place_that_reads_another_variable():
    v, total = turned(X), pg.Variable(np.zeros(X.shape))

    def add(x):
        total.assign(total + v * x)
        return pg.sum(x)

    step = pg.function(add, engine="native")
    for _ in range(6):  # without a look at the sum, so that the lease stays
        arrays = trampled()
        step(np.ones(X.shape))
        del arrays
    np.testing.assert_array_equal(total.numpy(), X * 6)


def test_variables_of_several_layouts_and_feeds_that_are_copied():
    flat, first, second = pg.Variable(X + 1), turned(X), turned(X * 2)
    f = pg.function(lambda x, y: x * flat + y * first + second, engine="native")
    wide = np.repeat(X, 2, axis=1)[:, ::2]
    for number in range(6):
        arrays = trampled()
        x, y = (wide, X) if number % 2 else (X, np.asfortranarray(X))
        np.testing.assert_array_equal(f(x, y), X * (X + 1) + X * X + X * 2)
        del arrays
