"""Indexing by arrays: reading, writing, searching and counting, compared with NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from fuzzing.indexing import faults
from palingrad.errors import DTypeError, GraphError, OutOfRangeError, ShapeError

X = np.arange(24.0).reshape(2, 3, 4)
V = np.array([3.0, 1.0, 2.0, 1.0])
I = np.array([2, 0, 2, 1])
BOTH = pytest.mark.parametrize("engine", ["numpy", "native"])


def test_random_indices_read_and_write_as_numpys_do():
    assert faults(300, first=10**6, every=75) == []


def test_a_wrong_index_of_the_fuzz_would_be_found(monkeypatch):
    monkeypatch.setattr(pg.Node, "__getitem__", lambda x, index: pg.at(x)[index].get() + 1)
    assert len(faults(40, every=1000)) > 10


# ---------------------------------------------------------------- values, against NumPy

NUMPYS: dict[str, Callable[[Any], Any]] = {
    "take of all": lambda n: n.take(X, I),
    "take, wrap": lambda n: n.take(X, I + 5, axis=1, mode="wrap"),
    "take, clip": lambda n: n.take(X, I * 5 - 3, axis=1, mode="clip"),
    "take_along_axis": lambda n: n.take_along_axis(X, I[:, None, None][:2] % 2, 0),
    "take_along_axis, last": lambda n: n.take_along_axis(X, np.argsort(-X, -1), -1),
    "take_along_axis, flat": lambda n: n.take_along_axis(X, I, None),
    "nonzero": lambda n: n.nonzero(X % 3),
    "flatnonzero": lambda n: n.flatnonzero(X % 3),
    "argwhere": lambda n: n.argwhere(X % 3),
    "argwhere of a scalar": lambda n: n.argwhere(np.float64(3)),
    "select": lambda n: n.select([X > 20, X > 10], [X, -X], 7.0),
    "choose": lambda n: n.choose(I, [V, -V, 10 * V]),
    "choose, wrap": lambda n: n.choose(I * 2 - 3, [V, -V], mode="wrap"),
    "choose, clip": lambda n: n.choose(I - 1, [V, -V], mode="clip"),
    "choose, broadcast": lambda n: n.choose(np.array([[0], [1]]), [V, np.float64(2)]),
    "searchsorted": lambda n: n.searchsorted(np.sort(V), X),
    "searchsorted, right": lambda n: n.searchsorted(np.sort(V), V, "right"),
    "searchsorted, sorter": lambda n: n.searchsorted(V, X, sorter=np.argsort(V)),
    "digitize": lambda n: n.digitize(X, np.array([1.0, 5.0, 9.5])),
    "digitize, right": lambda n: n.digitize(X, np.array([1.0, 5.0, 9.0]), right=True),
    "digitize, falling": lambda n: n.digitize(X, np.array([9.0, 5.0, 1.0])),
    "isin": lambda n: n.isin(X, V),
    "isin, inverted": lambda n: n.isin(X, V, invert=True),
    "bincount": lambda n: n.bincount(I),
    "bincount, longer": lambda n: n.bincount(I, minlength=6),
    "bincount, weights": lambda n: n.bincount(I, V),
    "bincount of nothing": lambda n: n.bincount(np.zeros(0, np.int64)),
    "histogram": lambda n: n.histogram(X, 5),
    "histogram, range": lambda n: n.histogram(X, 4, (3.0, 17.0)),
    "histogram, edges": lambda n: n.histogram(X, np.array([0.0, 3, 11, 23])),
    "histogram, weights": lambda n: n.histogram(V, 2, weights=V),
    "histogram, density": lambda n: n.histogram(V, 3, density=True)[1],
    "unique": lambda n: n.unique(V),
    "unique, all": lambda n: n.unique(V, True, True, True),
    "unique rows": lambda n: n.unique(np.array([[1.0, 2], [1, 2], [0, 1]]), axis=0),
    "unique_all": lambda n: n.unique_all(np.array([[3.0, 1], [1, 2]])),
    "unique_counts": lambda n: n.unique_counts(np.array([np.nan, 1, np.nan])),
    "unique_inverse": lambda n: n.unique_inverse(V),
    "ravel_multi_index": lambda n: n.ravel_multi_index((I, I), (3, 4)),
    "ravel_multi_index, F": lambda n: n.ravel_multi_index((I, I), (3, 4), order="F"),
    "ravel_multi_index, wrap": lambda n: n.ravel_multi_index((I, I * 9), (3, 4), mode="wrap"),
    "unravel_index": lambda n: n.unravel_index(np.arange(24), (2, 3, 4)),
    "unravel_index, F": lambda n: n.unravel_index(np.arange(24), (2, 3, 4), order="F"),
}  # fmt: skip


@pytest.mark.parametrize("name", NUMPYS)
def test_functions_give_what_numpys_give(name):
    found, expected = NUMPYS[name](pg), NUMPYS[name](np)
    found, expected = (one if isinstance(one, tuple) else (one,) for one in (found, expected))
    assert len(found) == len(expected)
    for one, wanted in zip(found, expected, strict=True):
        assert one.shape == np.shape(wanted)
        assert one.dtype == np.asarray(wanted).dtype
        np.testing.assert_array_equal(one.numpy(), wanted)


def test_segments_and_one_hot():
    rows, ids = X.reshape(6, 4), np.array([0, 2, 0, 2, 2, 0])
    for name, combine in (("sum", np.sum), ("mean", np.mean), ("max", np.max), ("min", np.min)):
        found = getattr(pg, f"segment_{name}")(rows, ids, 3).numpy()
        for segment in (0, 2):
            np.testing.assert_allclose(found[segment], combine(rows[ids == segment], axis=0))
        empty = {"sum": 0, "mean": np.nan, "max": -np.inf, "min": np.inf}[name]
        np.testing.assert_array_equal(found[1], np.full(4, empty))
    assert pg.one_hot([0, 2], 3, dtype="int8").numpy().tolist() == [[1, 0, 0], [0, 0, 1]]
    assert pg.one_hot([[0, 2]], 3, axis=0).numpy().tolist() == [[[1, 0]], [[0, 0]], [[0, 1]]]
    y = pg.put_along_axis(X, np.zeros((2, 1, 4), int), -1.0, axis=1).numpy()
    np.testing.assert_array_equal(y[:, 0], -np.ones((2, 4)))
    np.testing.assert_array_equal(y[:, 1:], X[:, 1:])
    assert pg.put_along_axis(X, [5], [9.0], axis=None).numpy()[0, 1, 1] == 9


# ---------------------------------------------------------------- in functions, on the engines


@BOTH
def test_functions_read_write_and_count_at_fed_indices(engine):
    @pg.function(engine=engine)
    def f(x, i, v):
        return (
            x[0, i, 1:], x.at[1, i].add(v[:, None]), x.at[:, ::2].multiply(3.0),
            x.at[0].set(v), x.at[x > 9].set(0.0), x.at[i % 2, i].max(v[:, None] * 9),
            pg.bincount(i, v, length=4), pg.segment_max(v, i, 3), pg.one_hot(i, 3),
            pg.take_along_axis(x, i[None, None, :], 2), pg.searchsorted(pg.tensor(np.sort(V)), v),
            pg.nonzero(v - 1, size=3, fill_value=-1)[0], pg.choose(i, [v, 2 * v, 3 * v]),
        )  # fmt: skip

    added, chosen = X.copy(), X.copy()
    np.add.at(added[1], I, V[:, None])
    np.maximum.at(chosen, (I % 2, I), V[:, None] * 9)
    tripled, replaced = X.copy(), X.copy()
    tripled[:, ::2] *= 3
    replaced[0] = V
    expected = (
        X[0, I, 1:], added, tripled, replaced, np.where(X > 9, 0, X), chosen,
        np.bincount(I, V, 4), [1, 1, 3], np.eye(3)[I],
        np.take_along_axis(X, np.broadcast_to(I, (2, 3, 4)), 2), np.searchsorted(np.sort(V), V),
        [0, 2, -1], np.choose(I, [V, 2 * V, 3 * V]),
    )  # fmt: skip
    for one, wanted in zip(f(X, I, V), expected, strict=True):
        np.testing.assert_array_equal(one, wanted)
    for bad in (np.array([2, 0, 3, 1]), np.array([2, 0, -4, 1])):
        with pytest.raises(IndexError):
            f(X, bad, V)


@BOTH
def test_a_computed_index_is_checked_on_its_own_axis(engine):
    f = pg.function(lambda x, i, j: x[i + 0, :, j + 0], engine=engine)
    np.testing.assert_array_equal(f(X, I % 2, I), X[I % 2, :, I])
    with pytest.raises(IndexError, match=r"axis 2|4 is out of bounds for axis 2"):
        f(X, I % 2, I + 2)


@BOTH
def test_constants_out_of_range_are_found_when_a_program_is_made(engine):
    i, j = np.array([[0], [2]]), np.array([0, 3])
    for f in (lambda x: x[i, :, j], lambda x: x.at[i, :, j].set(0.0), lambda x: pg.take(x, i + 23)):
        with pytest.raises(IndexError):
            pg.function(f, engine=engine)(X)
        with pg.Graph() as graph:
            x = pg.placeholder()
            y = f(x)
        with pytest.raises(IndexError):
            pg.Session(graph, engine=engine).run(y, {x: X})


def test_native_has_kernels_for_reading_and_writing_at_arrays():
    def f(x, i, v):
        return x[i, :, i], x.at[0, i].add(v), x.at[:, 1:3].set(v[:2, None])

    said = pg.function(f, engine="native").explain(X, I % 2, V)
    assert "Gather" in said
    assert "Scatter" in said
    assert "Fallback" not in said


@BOTH
def test_fed_numbers_are_values_and_indices(engine):
    f = pg.function(lambda x, i, v: (x[i], x.at[i].set(v), x.at[[1, 1]].add(v)), engine=engine)
    for x in (np.ones(3, np.float32), np.ones(3)):
        found, first, added = f(x, 1, 3.5)
        assert (found, first.tolist(), added.tolist()) == (1, [1, 3.5, 1], [1, 8, 1])
        assert first.dtype == added.dtype == x.dtype


def test_a_template_takes_any_index():
    with pg.Graph() as graph:
        x, i = pg.placeholder(), pg.placeholder()
        ys = x[i, ..., -1], x.at[:, i].set(0.0)
    first, second = pg.Session(graph).run(ys, {x: X, i: [1, 0]})
    np.testing.assert_array_equal(first, X[[1, 0], ..., -1])
    np.testing.assert_array_equal(second[:, :2], 0)
    with pytest.raises(DTypeError, match="a mask selects as many elements as it is True"):
        pg.Session(graph).run(ys, {x: X, i: [True, False]})


# ---------------------------------------------------------------- derivatives


@pytest.mark.parametrize("how", ["set", "add", "subtract", "multiply", "divide", "min", "max"])
@pytest.mark.parametrize("index", [I, (slice(None, None, -2),), np.array([True, False, True])],
                         ids=["repeated", "basic", "mask"])  # fmt: skip
def test_derivatives_of_updates_are_slopes(how, index):
    x = np.array([1.5, -2.0, 0.5])
    v = np.linspace(0.7, 2.0, x[index].size)
    pg.check_gradients(lambda x, v: getattr(x.at[index], how)(v) ** 2, x, v)


def test_products_at_one_element_have_exact_derivatives_where_values_are_zero():
    def f(v):
        return pg.tensor([2.0, 5.0]).at[[0, 0, 0, 1]].multiply(v)[0]

    v = np.array([0.0, 0.0, 3.0, 1.0])
    assert pg.grad(f)(v).tolist() == [0, 0, 0, 0]
    assert pg.hessian(f)(v)[:3, :3].tolist() == [[0, 6, 0], [6, 0, 0], [0, 0, 0]]
    compiled = pg.function(lambda i, v: pg.gradients(
        pg.sum(pg.at(np.array([2.0, 5.0]))[i].multiply(v)), v), engine="native")  # fmt: skip
    assert compiled(np.array([0, 0, 0, 1]), np.array([1.0, 2, 3, 4])).tolist() == [12, 6, 4, 5]


def test_weights_and_unique_values_have_derivatives():
    assert pg.grad(lambda w: pg.bincount(I, w)[2])(V).tolist() == [1, 0, 1, 0]
    assert pg.grad(lambda w: pg.histogram(V, 2, weights=w)[0][1])(V).tolist() == [1, 0, 1, 0]
    assert pg.grad(lambda v: pg.sum(pg.unique(v) * np.array([1.0, 2, 3])))(V).tolist() == [
        3,
        1,
        2,
        0,
    ]
    assert pg.grad(lambda v: pg.sum(v[v > 1.5] ** 2))(V).tolist() == [6, 0, 4, 0]


def test_powers_and_functions_of_elements():
    x = pg.tensor(V)
    assert x.at[1:3].power(2.0).numpy().tolist() == [3, 1, 4, 1]
    assert x.at[[0, 2]].apply(lambda part: part * 10).numpy().tolist() == [30, 1, 20, 1]
    slope = pg.grad(lambda p: pg.sum(x.at[0].power(p)))(np.float64(2))
    assert float(slope) == pytest.approx(9 * np.log(3))
    f = pg.function(lambda x, i: x.at[i].power(2.0, unique_indices=True))
    assert f(V, np.array([0])).tolist() == [9, 1, 2, 1]


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: pg.function(lambda x: pg.nonzero(x))(V), GraphError, "pg.nonzero(x, size=n)"),
        (lambda: pg.function(lambda x: pg.unique(x))(V), GraphError, "outside of the function"),
        (lambda: pg.function(lambda i: pg.bincount(i))(I), GraphError, "pg.bincount(x, length=n)"),
        (lambda: pg.bincount([1, -1]), IndexError, "-1 is not in 0 … 1"),
        (lambda: pg.bincount([1.0]), DTypeError, "expected integers, got float32"),
        (lambda: pg.take(V, V > 1), DTypeError, "indices are booleans"),
        (lambda: pg.take(X, [0, 24]), OutOfRangeError, "indices 0 … 24 for 24 rows"),
        (lambda: pg.take_along_axis(X, I, 0), ShapeError, "x has 3 axes and the indices have 1"),
        (lambda: pg.one_hot([3], 3), IndexError, "3 is not in 0 … 2"),
        (lambda: pg.choose([2], [V, V]), IndexError, "2 is not in 0 … 1"),
        (lambda: pg.digitize(V, [1.0, 3.0, 2.0]), ValueError, "bins must increase or decrease"),
        (lambda: pg.segment_sum(V, [0, 1]), ShapeError, "segments of shape (2,) for rows"),
        (lambda: pg.tensor(V).at[0].divide(np.float64), DTypeError, "expected numbers"),
        (lambda: pg.tensor(I).at[0].divide(2), DTypeError, "quotients are floats"),
        (lambda: pg.tensor(V).at[0].set(1j), DTypeError, "can't hold the result"),
        (lambda: pg.tensor(np.ones(2, "u1")).at[0].set(300), DTypeError, "300 doesn't fit uint8"),
        (lambda: pg.tensor(V).at[0].st(2), AttributeError, "st"),
        (lambda: pg.tensor(V)[V.reshape(2, 2) > 1], OutOfRangeError, "2 indices for 1 axes"),
        (lambda: pg.grad(lambda v: pg.histogram(v)[0][0] * v[0])(V), ValueError, "histogram|plain"),
        (lambda: pg.function(lambda x, v: x.at[x > 1].set(v))(V, V), ShapeError, "same value"),
    ],
)  # fmt: skip
def test_refused(call, error, words):
    with pytest.raises(error) as found:
        call()
    assert any(word in str(found.value) for word in words.split("|"))


SETS = ("union1d", "intersect1d", "setdiff1d", "setxor1d")


@pytest.mark.parametrize("name", SETS)
def test_sets_are_numpys(name):
    ours, numpys = getattr(pg, name), getattr(np, name)
    x, y, gaps = (
        np.array([3.0, 1, 2, 2, 5]),
        np.array([[2, 5], [7, 7]]),
        np.array([np.nan, 1, np.nan]),
    )
    for a, b in [(x, y), (x[:0], y), (x, y[:0]), (gaps, gaps[:1])]:
        found = ours(a, b).numpy()
        np.testing.assert_array_equal(found, numpys(a, b), strict=True)
    np.testing.assert_array_equal(numpys(pg.tensor(x), y), numpys(x, y))
    if name != "union1d":
        a, b = np.array([4.0, 1, 3]), np.array([3.0, 9])
        np.testing.assert_array_equal(ours(a, b, True), numpys(a, b, True))
    with pg.Graph(), pytest.raises(GraphError, match="outside of the function"):
        ours(pg.placeholder((3,)), x)


def test_the_places_of_common_elements_and_their_gradients():
    x, y = np.array([3.0, 1, 2, 2, 5]), np.array([[2, 5], [7, 7]])
    for one, other in zip(pg.intersect1d(x, y, return_indices=True),
                          np.intersect1d(x, y, return_indices=True), strict=True):  # fmt: skip
        np.testing.assert_array_equal(one, other)
    gradients = {name: pg.grad(lambda x: pg.sum(getattr(pg, name)(x, y) ** 2))(x) for name in SETS}  # noqa: B023
    assert gradients["union1d"].tolist() == [6, 2, 4, 0, 10]
    assert gradients["intersect1d"].tolist() == [0, 0, 4, 0, 10]
    assert gradients["setdiff1d"].tolist() == gradients["setxor1d"].tolist() == [6, 2, 0, 0, 0]


def test_a_list_of_one_integer_among_slices_is_a_slice():
    x = np.arange(24.0).reshape(2, 3, 4)
    for index in [(slice(None), [1]), (slice(None), (2,), slice(1, 3)), ([1],), ([0], slice(2))]:
        y = pg.tensor(x)[index]
        np.testing.assert_array_equal(y.numpy(), x[index])
        assert type(y).__name__ == "Slice"
        slopes = pg.grad(lambda x, index=index: pg.sum(x[index] ** 2))(x)
        expected = np.zeros_like(x)
        expected[index] = 2 * x[index]
        np.testing.assert_array_equal(slopes, expected)
    for index in [(0, [1]), ([0], [1]), ([-1],), (..., [1])]:  # NumPy's rules of places
        y = pg.tensor(x)[index]
        np.testing.assert_array_equal(y.numpy(), x[index], strict=True)
        assert type(y).__name__ != "Slice"
    with pytest.raises(OutOfRangeError, match="3"):
        pg.tensor(x)[:, [3]]
