"""A run computes into arrays of earlier runs only if no trace of their users is left."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import palingrad as pg

X = np.arange(6.0).reshape(2, 3)


def plain() -> Callable[..., Any]:
    return pg.function(lambda x: (x * 2 + 1, pg.sum(x)), engine="native")


def updating() -> Callable[..., Any]:
    count = pg.Variable(0.0)
    return pg.function(lambda x: (x * 2 + 1, count.assign(count + 1)), engine="native")


def by_numpy() -> Callable[..., Any]:
    return pg.function(lambda x: (x * 2 + 1, pg.linalg.svd(x)[1]), engine="native")


def set_shape(array: Any) -> None:
    array.shape = (6,)


def set_other_shape(array: Any) -> None:
    array.shape = (3, 2)


def set_dtype(array: Any) -> None:
    array.dtype = np.int64


def set_strides(array: Any) -> None:
    array.strides = (0, 8)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("change", [set_shape, set_other_shape, set_dtype, set_strides])
@pytest.mark.parametrize("made", [plain, updating, by_numpy])
def test_what_a_user_sets_on_a_result_is_gone_with_the_result(made, change):
    f = made()
    f(X)
    f(X)
    for _ in range(3):
        result = f(X)[0]
        change(result)
        del result
        result = f(X)[0]
        assert (result.shape, result.dtype) == (X.shape, X.dtype)
        np.testing.assert_array_equal(result, X * 2 + 1)
        del result


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_nor_does_the_shape_of_an_empty_result_stay():
    f = pg.function(lambda x: x * 2, engine="native")
    empty = np.zeros((3, 0))
    for _ in range(3):
        result = f(empty)
        assert result.shape == (3, 0)
        result.shape = (5, 0)
        del result


@pytest.mark.parametrize("made", [plain, updating, by_numpy])
def test_a_weak_reference_never_shows_the_values_of_a_later_run(made):
    f, results = made(), weakref.WeakValueDictionary[int, Any]()
    for number in range(5):
        results[number] = f(X + number)[0]
        for earlier in list(results):
            np.testing.assert_array_equal(results[earlier], (X + earlier) * 2 + 1)


def test_results_that_nobody_holds_are_used_again():
    f = plain()
    places = {f(X)[0].__array_interface__["data"][0] for _ in range(10)}
    assert len(places) <= 2
