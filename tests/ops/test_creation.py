"""Arrays made of sizes and numbers: NumPy's values, the default float, derivatives of bounds."""

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import ArgumentError, DTypeError, ShapeError

CALLS = {
    "zeros": lambda xp: xp.zeros(3),
    "zeros of a shape": lambda xp: xp.zeros((2, 0), int),
    "ones": lambda xp: xp.ones((2, 2), dtype="int8"),
    "full": lambda xp: xp.full((2,), 7.0),
    "full of integers": lambda xp: xp.full(3, 7),
    "full of a row": lambda xp: xp.full((2, 2), [1.0, 2.0]),
    "arange": lambda xp: xp.arange(5),
    "arange from": lambda xp: xp.arange(2, 9, 3),
    "arange down": lambda xp: xp.arange(5, 0, -2),
    "arange of floats": lambda xp: xp.arange(0, 1, 0.1),
    "arange in a dtype": lambda xp: xp.arange(3, dtype="float64"),
    "linspace": lambda xp: xp.linspace(0, 1, 5),
    "linspace without its end": lambda xp: xp.linspace(0.0, 1.0, 4, endpoint=False),
    "linspace of vectors": lambda xp: xp.linspace([0.0, 1.0], [2.0, 5.0], 3, axis=1),
    "linspace of integers": lambda xp: xp.linspace(-1, 1, 4, dtype=int),
    "linspace of one": lambda xp: xp.linspace(2, 3, 1),
    "logspace": lambda xp: xp.logspace(0, 2, 3),
    "geomspace": lambda xp: xp.geomspace(1, 256, 9),
    "eye": lambda xp: xp.eye(3),
    "eye of a rectangle": lambda xp: xp.eye(2, 4, k=1, dtype=bool),
    "identity": lambda xp: xp.identity(2),
    "tri": lambda xp: xp.tri(3, 4, -1),
    "indices": lambda xp: xp.indices((2, 3)),
    "meshgrid": lambda xp: xp.stack(xp.meshgrid([1.0, 2.0, 3.0], [4.0, 5.0])),
    "meshgrid by index": lambda xp: xp.stack(xp.meshgrid([1, 2], [4, 5], indexing="ij")),
    "array": lambda xp: xp.array([1.0, 2.0], ndmin=3),
    "array in a dtype": lambda xp: xp.array([1, 2], "float64"),
    "asarray": lambda xp: xp.asarray([[1, 2]]),
    "zeros_like": lambda xp: xp.zeros_like([1, 2], "float64"),
    "ones_like": lambda xp: xp.ones_like([[1.5, 2.0]], shape=(3,)),
    "full_like": lambda xp: xp.full_like([1, 2], 2.7),
    "empty_like": lambda xp: xp.empty_like([1, 2]) * 0,
    "diag": lambda xp: xp.diag([1, 2], 1),
    "tril_indices": lambda xp: xp.stack(xp.tril_indices(3, 1)),
    "triu_indices": lambda xp: xp.stack(xp.triu_indices(3, -1, 2)),
    "diag_indices": lambda xp: xp.stack(xp.diag_indices(3)),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
def test_values_are_numpys_in_the_default_float(call):
    expected = call(np)
    for found in (call(pg), pg.function(lambda x: call(pg) + (x > 1))(0.0)):
        value = np.asarray(found)
        assert value.shape == expected.shape
        np.testing.assert_allclose(value, expected, rtol=1e-6)
    made = call(pg)
    assert isinstance(made, pg.Node)
    asked = expected.dtype if expected.dtype.kind in "biu" else None
    assert made.dtype in ({asked} if asked else {pg.float32, pg.float64})


def test_dtypes():
    assert pg.zeros(2).dtype == pg.ones(2).dtype == pg.eye(2).dtype == np.float32
    assert pg.linspace(0, 1, 3).dtype == pg.arange(0.0, 1.0, 0.5).dtype == np.float32
    assert pg.arange(np.float64(2)).dtype == np.float64
    assert pg.linspace(np.zeros(2), 1, 3).dtype == np.float64
    assert pg.full(2, np.float64(1)).dtype == np.float64
    assert pg.full(2, True).dtype == np.bool_ == pg.bool
    assert pg.full(2, 1).dtype == pg.arange(3).dtype == np.int64
    assert pg.array([0.1], "float64").numpy()[0] == 0.1  # not rounded to float32 on the way
    pg.set_default_dtype("float64")
    try:
        assert pg.zeros(2).dtype == pg.linspace(0, 1, 3).dtype == np.float64
    finally:
        pg.set_default_dtype("float32")


def test_a_constant_counts_in_promotion():
    assert (pg.zeros(()) + pg.tensor(np.float16(1))).dtype == np.float32


def test_constants():
    assert (pg.pi, pg.e, pg.inf) == (np.pi, np.e, np.inf)
    assert pg.nan != pg.nan
    assert pg.newaxis is None


def test_derivatives_reach_fill_values_and_bounds():
    x = np.array(2.0)
    for f, slope in {
        (lambda x: pg.sum(pg.full((2, 3), x))): 6.0,
        (lambda x: pg.sum(pg.full((2,), pg.tensor([x, 2 * x])))): 3.0,
        (lambda x: pg.sum(pg.full_like(np.ones(4), x))): 4.0,
        (lambda x: pg.sum(pg.linspace(x, 3 * x, 5))): 10.0,
        (lambda x: pg.linspace(0, x, 5, endpoint=False)[-1]): 0.8,
        (lambda x: pg.linspace(0, x, 5, retstep=True)[1]): 0.25,
        (lambda x: pg.logspace(0, x, 3, base=2.0)[-1]): 4 * np.log(2),
        (lambda x: pg.logspace(0, 2, 3, base=x)[-1]): 4.0,
        (lambda x: pg.geomspace(1, x, 3)[1]): 0.5 / np.sqrt(2),
        (lambda x: pg.geomspace(-1, -x, 3)[1]): -0.5 / np.sqrt(2),
        (lambda x: pg.sum(pg.asarray([x, 1.0]))): 1.0,
        (lambda x: pg.sum(pg.array(x, ndmin=2))): 1.0,
        (lambda x: pg.sum(pg.meshgrid([x, 1.0], [1.0, 2.0, 3.0])[0])): 3.0,
    }.items():
        assert pg.grad(f)(x) == pytest.approx(slope)
    starts = np.array([1.0, 2.0])
    for axis in (0, 1, -1):
        found = pg.linspace(pg.tensor(starts), 5.0, 3, axis=axis)
        np.testing.assert_allclose(found, np.linspace(starts, 5.0, 3, axis=axis))


def test_the_shape_of_what_is_fed():
    with pg.Graph() as graph:
        x = pg.placeholder((None, 2), dtype="float64")
        y = pg.full_like(x, 2) + pg.zeros_like(x, "float32") + pg.ones_like(x)
    assert pg.Session(graph).run(y, {x: np.ones((3, 2))}).tolist() == [[3.0, 3.0]] * 3


def test_asarray_gives_the_node_itself():
    x = pg.tensor([1.0, 2.0])
    assert pg.asarray(x) is x
    assert pg.asarray(x, "float32") is x
    assert pg.asarray(x, copy=True) is not x
    assert pg.asarray(x, "float64").dtype == np.float64
    assert pg.astype(x, "int32").tolist() == [1, 2]


def test_what_is_wrong_with_a_call():
    zeros: Any = pg.zeros
    for call, error, expected in [
        (lambda: zeros(2, 3), DTypeError, r"Sizes are one tuple: pg.zeros\(\(2, 3\)\)"),
        (lambda: zeros(2, 3, 4), ArgumentError, r"one tuple: zeros\(\(2, 3, 4\)\)"),
        (lambda: pg.zeros(-1), ShapeError, "a size can't be negative"),
        (lambda: pg.ones((None, 2)), ShapeError, "zeros_like"),  # pyright: ignore
        (lambda: pg.zeros(2, device="cuda"), ArgumentError, "device is 'cuda'"),
        (lambda: pg.full((2,), [1.0, 2.0, 3.0]), ShapeError, "can't be broadcast"),
        (lambda: pg.arange("abc"), ArgumentError, "arange: 'abc' is no number"),
        (lambda: pg.asarray(np.ones(2), copy=False), ArgumentError, "copy=False"),
        (lambda: pg.meshgrid([1], [2], indexing="yx"), ArgumentError, "expected 'xy' or 'ij'"),
        (lambda: pg.diag(1.0), ShapeError, "a vector or a matrix"),
        (lambda: pg.tril([1.0, 2.0]), ShapeError, "two axes or more"),
    ]:
        with pytest.raises(error, match=expected):
            call()
