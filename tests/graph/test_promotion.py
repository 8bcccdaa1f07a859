"""Which dtype a result has: NumPy 2's rules, but floats keep their width."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import palingrad as pg
from palingrad.dtypes import promote
from palingrad.errors import DTypeError

NAMES = "bool int8 uint8 int16 int32 int64 uint64 float16 float32 float64".split()


def dtype_of(x: object, y: object) -> object:
    """The dtype of a sum, which is promised and computed alike in every style."""
    eager = pg.add(x, y)
    with pg.Graph() as graph:
        waiting = pg.add(x, y)
    assert waiting.dtype == eager.dtype
    assert pg.Session(graph).run(waiting).dtype == eager.dtype
    return eager.dtype


@pytest.mark.tiny
@pytest.mark.parametrize(("a", "b"), list(itertools.combinations_with_replacement(NAMES, 2)))
def test_two_arrays(a, b):
    kinds = {np.dtype(a).kind, np.dtype(b).kind}
    if kinds < set("biu") or kinds == {"f"}:
        expected = np.result_type(a, b)
    else:  # NumPy would widen float32 with int64 to float64
        expected = np.dtype(a if np.dtype(a).kind == "f" else b)
    assert dtype_of(np.ones(2, a), np.ones(2, b)) == expected
    assert dtype_of(np.ones(2, b), np.ones(2, a)) == expected


@pytest.mark.tiny
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scalar", [True, 2, 2.5])
def test_a_python_number_gives_way(name, scalar):
    array = np.ones(2, name)
    if isinstance(scalar, float) and array.dtype.kind != "f":
        expected = np.dtype(np.float32)  # the default float, where NumPy says float64
    else:
        expected = np.result_type(array, scalar)
    assert dtype_of(array, scalar) == expected
    assert dtype_of(scalar, array) == expected
    assert dtype_of(array, np.bool_(True)) == array.dtype  # a NumPy scalar doesn't


def test_a_numpy_scalar_and_a_tensor_are_strong():
    narrow = np.ones(2, np.float32)
    assert dtype_of(narrow, np.float64(1)) == pg.float64
    assert dtype_of(narrow, pg.tensor(1.0, dtype=pg.float64)) == pg.float64
    assert dtype_of(np.ones(2, np.int8), pg.tensor(1)) == pg.int64
    assert dtype_of(np.ones(2, np.int8), 1) == pg.int8


@pytest.mark.tiny
def test_a_python_number_is_not_rounded_on_its_way():
    wide = np.ones(1)
    assert (wide * pg.tensor(wide) * 0.1).item() == 0.1
    assert (pg.tensor(wide) + pg.Constant(0.1)).item() == 1.1
    x = pg.placeholder()
    assert pg.Session().run(x * 0.1, {x: wide}) == 0.1
    assert pg.function(lambda x, rate: x * rate)(wide, 0.1) == 0.1


@pytest.mark.tiny
def test_a_number_in_a_derivative_is_not_rounded_either():
    """1/3 of a float64 must not be made from a bare 3, whose own dtype is float32."""
    x = np.array(2.0)
    assert pg.grad(lambda x: x / 3)(x) == 1 / 3
    assert pg.grad(lambda x: 3.3**x)(x) == 3.3**2 * np.log(3.3)
    assert pg.grad(lambda x: x**3.0)(x) == 12
    assert pg.grad(pg.mean)(np.zeros(3))[0] == 1 / 3


def test_integers_become_the_default_float_where_a_float_is_needed():
    for function in (pg.sqrt, pg.sigmoid, pg.mean, lambda x: x / 2, lambda x: pg.softmax(x)):
        assert function(pg.tensor([1, 4])).dtype == pg.float32
        assert function(pg.tensor([1.0, 4.0], dtype=pg.float16)).dtype == pg.float16
    pg.set_default_dtype(pg.float64)
    assert pg.sqrt(pg.tensor([1, 4])).dtype == pg.float64


def test_small_integers_are_summed_as_large_ones():
    for name, expected in [("bool", "int64"), ("int8", "int64"), ("uint8", "uint64")]:
        assert pg.sum(np.ones(2, name)).dtype == expected
        assert pg.prod(np.ones(2, name)).dtype == expected
    assert pg.sum(np.ones(2, np.float16)).dtype == "float16"


def test_booleans_are_refused_where_they_mean_nothing():
    yes = pg.tensor(True)
    for function in (lambda: yes - yes, lambda: -yes, lambda: +yes, lambda: pg.sign(yes)):
        with pytest.raises(DTypeError, match=r"expected numbers, got booleans.*Use pg.cast"):
            function()
        with pg.Graph(), pytest.raises(DTypeError, match="expected numbers, got booleans"):
            function()


def test_a_number_that_does_not_fit_is_refused():
    with pytest.raises(DTypeError, match="300 doesn't fit uint8"):
        pg.tensor(np.ones(2, np.uint8)) + 300
    with pytest.raises(DTypeError, match="-1 doesn't fit uint8"):
        pg.tensor(np.ones(2, np.uint8)) + -1


def test_promotion_does_not_depend_on_order_or_grouping():
    for a, b, c in itertools.product(map(np.dtype, NAMES), repeat=3):
        assert promote(a, b, c) == promote(c, b, a)
        if {a.kind, b.kind, c.kind} == {"f"}:
            assert promote(promote(a, b), c) == promote(a, promote(b, c))


def test_an_array_of_any_kind_on_the_left_gives_a_node():
    """NumPy's arrays ask the node's class how to compute, its masked arrays the node."""
    x = pg.tensor([2.0, 3.0])
    plain, whole = np.array([1.0, 2.0]), np.ma.array([1.0, 2.0])
    part = np.ma.array([1.0, 2.0], mask=[False, True])
    for left in (plain, whole, np.float64(2), [1.0, 2.0]):
        for y in (left * x, left + x):
            assert isinstance(y, pg.Node)
    with pytest.raises(DTypeError, match="1 of 2 elements of a masked array are masked"):
        part * x


def test_python_floats_in_a_list_are_rounded_once():
    x = pg.tensor(np.array([1.2, 0.1]))
    assert (x == [1.2, 0.1]).numpy().all()
    assert (pg.where(x > 1, [0.3, 0.3], x)).numpy()[0] == 0.3
    assert pg.add(np.ones(2, np.float32), [0.5, 0.25]).dtype == np.float32
