"""Padding, rolling, flipping, repeating and cutting: each as NumPy does it, and its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import ArgumentError, DTypeError, ShapeError
from tolerances import assert_close, assert_same

A = np.array
X = np.linspace(-2.0, 2.0, 12).reshape(3, 4)
CUBE = np.arange(24.0).reshape(2, 3, 4) / 7 - 1
ROW = np.array([0.5, -1.5, 2.0, 3.0, 1.0])
INTS = np.array([[3, -1, 4], [1, 5, -9]])

# Functions that have NumPy's name and take the same arguments.
SAME: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("flip", (CUBE,), {}),
    ("flip", (CUBE, 1), {}),
    ("flip", (CUBE,), dict(axis=(0, -1))),
    ("fliplr", (X,), {}),
    ("flipud", (X,), {}),
    *[("rot90", (CUBE, k, (0, 2)), {}) for k in (-1, 0, 1, 2, 3, 5)],
    ("roll", (X, 2), {}),
    ("roll", (X, (1, 2)), {}),
    ("roll", (X, (1, -2), (0, 1)), {}),
    ("roll", (X, 3), dict(axis=(0, 1))),
    ("roll", (X, (1, 1)), dict(axis=1)),
    ("roll", (np.zeros((0, 3)), 2), dict(axis=0)),
    ("moveaxis", (CUBE, 0, -1), {}),
    ("moveaxis", (CUBE, (0, 1), (2, 0)), {}),
    ("moveaxis", (CUBE[None], [0, 3, 1], [1, 0, 3]), {}),
    ("rollaxis", (CUBE, 2), {}),
    *[("rollaxis", (CUBE[None], axis, start), {}) for axis in range(4) for start in range(5)],
    ("rollaxis", (CUBE, -1, -2), {}),
    ("swapaxes", (CUBE, 0, 2), {}),
    ("swapaxes", (CUBE,), dict(axis1=-1, axis2=1)),
    ("tile", (X, 2), {}),
    ("tile", (ROW, (2, 1, 3)), {}),
    ("tile", (CUBE, (2, 3)), {}),
    ("tile", (X, ()), {}),
    ("tile", (X, A([2, 1])), {}),
    ("split", (X, A([1, 3]), 1), {}),
    ("array_split", (X, np.int64(2), 1), {}),
    ("split", (X, np.int64(2), 1), {}),
    ("tile", (np.array(2.0), (2, 2)), {}),
    ("tile", (X, (0, 2)), {}),
    ("repeat", (X, 2), {}),
    ("repeat", (X, 3, 1), {}),
    ("repeat", (X, [2, 0, 1], 0), {}),
    ("repeat", (X, np.array([3])), dict(axis=-1)),
    ("repeat", (X, 0), dict(axis=0)),
    ("repeat", (np.array(4.0), 3), {}),
    ("resize", (X, (2, 3)), {}),
    ("resize", (X, (5, 7)), {}),
    ("resize", (ROW, 3), {}),
    ("split", (X, 2), dict(axis=1)),
    ("split", (X, [1, 3], 1), {}),
    ("split", (X, [2, 1]), {}),
    ("split", (ROW, [1, -1, 9]), {}),
    ("array_split", (ROW, 3), {}),
    ("array_split", (X, 3, 1), {}),
    ("array_split", (ROW, [0, 2, 2]), {}),
    ("array_split", (ROW, 7), {}),
    ("hsplit", (X, 2), {}),
    ("hsplit", (ROW, [2]), {}),
    ("vsplit", (X, 3), {}),
    ("dsplit", (CUBE, [1]), {}),
    ("unstack", (CUBE,), dict(axis=1)),
    ("block", ([[X, X[:, :1]], [X[:1], np.ones((1, 1))]],), {}),
    ("block", ([ROW, ROW[:2], 3.0],), {}),
    ("block", ([[1, 2], [3, 4]],), {}),
    ("block", ([CUBE, CUBE],), {}),
    ("block", (X,), {}),
    ("append", (X, ROW), {}),
    ("append", (X, X[:1]), dict(axis=0)),
    ("ediff1d", (X,), {}),
    ("ediff1d", (ROW,), dict(to_end=[1.0, 2.0], to_begin=-3.0)),
    ("trim_zeros", (np.array([0.0, 0, 1, 0, 2, 0]),), {}),
    ("trim_zeros", (np.array([0.0, 0, 1, 0, 2, 0]), "f"), {}),
    ("trim_zeros", (np.zeros(3),), {}),
    ("insert", (X, 1, 5.0), {}),
    ("insert", (X, 1, 5.0, 0), {}),
    ("insert", (X, -1, [1.0, 2, 3], 1), {}),
    ("insert", (X, 1, X[:, :2].T, 1), {}),
    ("insert", (X, [1], X[:, :1], 1), {}),
    ("insert", (X, [4, 0, 4], [[7.0, 8, 9]], 1), {}),
    ("insert", (ROW, [3, -5, 3], [1.0, 2, 3]), {}),
    ("insert", (ROW, slice(1, 4), 0.25), {}),
    ("insert", (ROW, np.array([True, False, True, False, False]), [1.0, 2]), {}),
    ("insert", (ROW, 2, [1.0, 2, 3]), {}),
    ("insert", (INTS, 1, [7, 8], 1), {}),
    ("delete", (X, 5), {}),
    ("delete", (X, 1, 0), {}),
    ("delete", (X, [0, -1], 1), {}),
    ("delete", (X, slice(None, None, 2), 1), {}),
    ("delete", (ROW, ROW > 1), {}),
    ("delete", (ROW, []), {}),
]

WIDTHS = [1, (2, 3), ((1, 0), (0, 2)), [[2], [1]], {1: (1, 2)}, {0: 2, -1: (0, 1)}, 7]
PADS: list[tuple[Any, Any, str, dict[str, Any]]] = [
    *[(X, width, mode, {}) for width in WIDTHS for mode in
      ("constant", "edge", "reflect", "symmetric", "wrap", "linear_ramp", "maximum", "mean",
       "minimum", "median")],
    *[(X, width, mode, dict(reflect_type="odd")) for width in WIDTHS
      for mode in ("reflect", "symmetric")],
    (ROW, (3, 4), "constant", dict(constant_values=(-1.5, np.inf))),
    (X, 2, "constant", dict(constant_values=((1.0, 2.0), (3.0, 4.0)))),
    (X, 2, "linear_ramp", dict(end_values=((1.0, 2.0), (3.0, 4.0)))),
    *[(X, 2, mode, dict(stat_length=length)) for mode in ("maximum", "minimum", "mean", "median")
      for length in (1, (2, 3), ((1, 2), (9, 3)))],
    *[(INTS, (2, 3), mode, {}) for mode in ("constant", "mean", "median", "linear_ramp", "wrap")],
    (INTS, (2, 3), "constant", dict(constant_values=7)),
    (INTS, (4, 3), "reflect", dict(reflect_type="odd")),
    *[(ROW[:1], (2, 3), mode, {}) for mode in ("reflect", "symmetric", "wrap", "edge")],
    (ROW[:1], (2, 3), "reflect", dict(reflect_type="odd")),
    (ROW[:1], (2, 3), "symmetric", dict(reflect_type="odd")),
    (np.zeros((0, 2)), ((0, 0), (1, 2)), "edge", {}),
    (np.zeros((0, 2)), 1, "constant", {}),
    (np.array([True, False]), 2, "reflect", {}),
]  # fmt: skip


def as_arrays(found: Any) -> Any:
    if isinstance(found, (tuple, list)):
        return [np.asarray(one.numpy()) for one in found]
    return found.numpy()


@pytest.mark.parametrize(("name", "arguments", "options"), SAME)
def test_the_elements_are_numpys(name, arguments, options):
    expected = getattr(np, name)(*arguments, **options)
    found = as_arrays(getattr(pg, name)(*arguments, **options))
    if isinstance(expected, (tuple, list)):
        expected = list(expected)
    else:
        found, expected = [found], [expected]
        if isinstance(arguments[0], np.ndarray):
            assert found[0].dtype == expected[0].dtype
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        assert_same(one, other)


@pytest.mark.parametrize(("x", "width", "mode", "options"), PADS)
def test_padding_is_numpys(x, width, mode, options):
    expected = np.pad(x, width, mode=mode, **options)  # pyright: ignore
    found = pg.pad(x, width, mode, **options).numpy()
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    assert_close(found, expected)


def test_padding_of_a_template_of_unknown_shape():
    with pg.Graph():
        x = pg.placeholder(dtype=np.float64)
        row = pg.placeholder((None,), dtype=np.float64)
        y, z, tiled = pg.pad(x, 2, "edge"), pg.pad(row, (1, 2), "mean"), pg.tile(row, 3)
        turned, rolled = pg.swapaxes(x, 0, 1), pg.roll(row, 2)
        twice = pg.repeat(row, 2)
    assert z.shape == tiled.shape == twice.shape == (None,)
    found = pg.Session().run([y, z, tiled, turned, rolled, twice], {x: X, row: ROW})
    expected = [np.pad(X, 2, "edge"), np.pad(ROW, (1, 2), "mean"), np.tile(ROW, 3), X.T,
                np.roll(ROW, 2), np.repeat(ROW, 2)]  # fmt: skip
    for one, other in zip(found, expected, strict=True):
        assert_close(one, other)


def test_gradients_go_to_the_pieces():
    weight = np.arange(1.0, 8.0)
    inserted = pg.grad(lambda v: pg.sum(pg.insert(ROW, [4, 1], v) * weight))(np.ones(2))
    assert_same(inserted, [6.0, 2.0])
    deleted = pg.grad(lambda x: pg.sum(pg.delete(x, [0, 2]) * weight[:3]))(ROW)
    assert_same(deleted, [0.0, 1.0, 0.0, 2.0, 3.0])
    stacked = pg.grad(lambda x: pg.sum(pg.unstack(x, axis=1)[2] * weight[:3]))(X)
    assert_same(stacked, [[0.0, 0, n, 0] for n in (1, 2, 3)])
    appended = pg.grad(lambda x: pg.sum(pg.append(x, x[:2]) * weight))(ROW)
    assert_same(appended, [7.0, 9.0, 3.0, 4.0, 5.0])


WRONG: list[tuple[Any, Any, str]] = [
    (lambda: pg.pad(X, -1), ArgumentError, "expected integers ≥ 0"),
    (lambda: pg.pad(X, 1.5), ArgumentError, "expected integers ≥ 0"),
    (lambda: pg.pad(X, (1, 2, 3)), ShapeError, "doesn't fit 2 axes"),
    (lambda: pg.pad(X, 1, "reflct"), ArgumentError, "Did you mean 'reflect'"),
    (lambda: pg.pad(X, 1, "edge", constant_values=1), ArgumentError, "takes no option"),
    (lambda: pg.pad(INTS, 1, constant_values=0.5), DTypeError, "doesn't fit int64"),
    (lambda: pg.pad(np.zeros((0, 2)), 1, "edge"), ShapeError, "no elements to pad with"),
    (lambda: pg.pad(X, 1, "mean", stat_length=0), ArgumentError, "stat_length is 0"),
    (lambda: pg.pad([True], 1, "reflect", reflect_type="odd"), DTypeError, "no negatives"),
    (lambda: pg.flip(X, 2), ShapeError, "out of range"),
    (lambda: pg.rot90(X, axes=(0, 0)), ShapeError, "one axis"),
    (lambda: pg.roll(X, (1, 2, 3), (0, 1)), ShapeError, "3 shifts for 2 axes"),
    (lambda: pg.repeat(X, [1, 2], 0), ShapeError, "2 numbers of repetitions for 3 slices"),
    (lambda: pg.repeat(X, -1), ArgumentError, "integer ≥ 0"),
    (lambda: pg.tile(X, -1), ArgumentError, "integer ≥ 0"),
    (lambda: pg.moveaxis(X, (0, 1), 0), ShapeError, "2 axes for 1 places"),
    (lambda: pg.moveaxis(X, (0, 0), (0, 1)), ShapeError, "name an axis twice"),
    (lambda: pg.split(X), ArgumentError, "expected either"),
    (lambda: pg.split(X, 2), ShapeError, "can't make 2 equal pieces"),
    (lambda: pg.split(X, sizes=[1, 1]), ShapeError, "don't add up"),
    (lambda: pg.vsplit(ROW, 2), ShapeError, "expected 2 or more"),
    (lambda: pg.block([[X], X]), ArgumentError, "different depths"),
    (lambda: pg.block([]), ArgumentError, "empty"),
    (lambda: pg.insert(ROW, 6, 1.0), ShapeError, "indices 6 … 6 for 5 slices"),
    (lambda: pg.insert(INTS, 0, 0.5), DTypeError, "don't fit x"),
    (lambda: pg.delete(ROW, 5), ShapeError, "indices 5 … 5 for 5 slices"),
    (lambda: pg.delete(ROW, [True, False]), ShapeError, "a mask of shape"),
    (lambda: pg.delete(ROW, 0.5), ArgumentError, "expected integers"),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_what_does_not_fit_is_refused(number):
    call, error, text = WRONG[number]
    with pytest.raises(error, match=text):
        call()
