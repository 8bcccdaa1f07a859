"""Casts and integers have the same semantics in eager code and on every engine."""

import math
from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import PalingradError

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
DTYPES = ("bool", *INTEGERS, "float32", "float64")  # a program with half floats runs on NumPy
FLOATS = [
    0.0, -0.0, 1.0, -1.0, 0.5, -1.5, 3.7, 300.7, -300.7, 7e4, 2.0**31, -(2.0**31) - 1024, 2.0**33,
    2.0**63, -(2.0**63), 2.0**64, 1e30, -1e30, math.inf, -math.inf, math.nan,
]  # fmt: skip


def edges(dtype: str) -> Any:
    """Values at which a dtype bends: bounds, zeros, bit counts, what no integer holds."""
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return np.array([True, False])
    if kind.kind == "f":
        with np.errstate(over="ignore"):
            return np.array(FLOATS).astype(kind)
    low, high = int(np.iinfo(kind).min), int(np.iinfo(kind).max)
    numbers = {low, low + 1, -7, -3, -2, -1, 0, 1, 2, 3, 7, 8, 31, 32, 33, 63, 64, high - 1, high}
    return np.array(sorted(number for number in numbers if low <= number <= high), kind)


def everywhere(f: Any, *arrays: Any) -> list[list[Any]]:
    """The results of f on each engine, the eager ones first."""
    found = [[one.numpy() for one in f(*map(pg.tensor, arrays))]]
    return found + [list(pg.function(f, engine=name)(*arrays)) for name in pg.engine_names()]


def assert_same_everywhere(f: Any, *arrays: Any) -> list[Any]:
    """Integers to the bit, floats to their rounding; the eager results."""
    first, *others = everywhere(f, *arrays)
    for other in others:
        for place, (one, expected) in enumerate(zip(other, first, strict=True)):
            assert (one.dtype, one.shape) == (expected.dtype, expected.shape), place
            digits = 1e-5 if one.dtype.kind == "f" else 0
            np.testing.assert_allclose(one, expected, rtol=digits, atol=0, err_msg=str(place))
    return first


# ---------------------------------------------------------------- casts


def exact(x: Any, dtype: str) -> Any:
    """What a value becomes in a dtype, in Python's own numbers; None where floats round."""
    kind, value = np.dtype(dtype), x.item()
    if kind.kind == "b":
        return value != 0
    if kind.kind == "f":
        return None
    low, high = int(np.iinfo(kind).min), int(np.iinfo(kind).max)
    if isinstance(value, float):
        if math.isnan(value):
            return 0
        return low if value <= low else high if value >= high else int(value)
    return (int(value) - low) % (high - low + 1) + low


@pytest.mark.parametrize("source", [*DTYPES, "float16"])
def test_casts_saturate_floats_and_wrap_integers(source):
    x = edges(source)
    found = assert_same_everywhere(lambda x: [pg.cast(x, dtype) for dtype in DTYPES], x)
    for result, dtype in zip(found, DTYPES, strict=True):
        assert result.dtype == dtype
        for one, value in zip(result, x, strict=True):
            expected = exact(value, dtype)
            assert expected is None or one.item() == expected, (source, dtype, value, one)


def test_a_scalar_and_an_operator_cast_alike():
    for value, expected in ((-1.5, 0), (300.7, 255), (math.nan, 0)):
        assert pg.cast(pg.tensor(value), "uint8").numpy() == expected
    (found,) = assert_same_everywhere(lambda x: [x.astype("int8")], np.array([[-200.0, 200.0]]))
    np.testing.assert_array_equal(found, [[-128, 127]])


# ---------------------------------------------------------------- operations

PAIRS = """
    add subtract multiply divide floor_divide remainder maximum minimum equal not_equal less
    less_equal greater greater_equal logical_and logical_or logical_xor bitwise_and bitwise_or
    bitwise_xor bitwise_left_shift bitwise_right_shift
""".split()
ONES = """
    abs sign negative square floor ceil round trunc isnan isinf isfinite logical_not bitwise_invert
    sum prod max min any all argmax argmin
""".split()


def defined(name: str, *arrays: Any) -> bool:
    """Whether the dtypes have the operation; the rule is the same for every engine."""
    try:
        getattr(pg, name)(*(x[..., :1] for x in arrays))
    except PalingradError:
        return False
    return True


@pytest.mark.parametrize("dtype", DTYPES)
def test_operations_on_edges_are_the_same_everywhere(dtype):
    x = edges(dtype)
    column, row = x[:, None], x[None]
    pairs = [name for name in PAIRS if defined(name, column[:1], row)]
    ones = [name for name in ONES if defined(name, x)]
    assert len(pairs) > 10 < len(ones)
    powers = [p for p in (0, 1, 2, 3, 7) if dtype in INTEGERS]

    def f(column: Any, row: Any, x: Any) -> list[Any]:
        found = [getattr(pg, name)(column, row) for name in pairs]
        found += [getattr(pg, name)(x) for name in ones]
        return [*found, *(x**p for p in powers)]

    assert_same_everywhere(f, column, row, x)


@pytest.mark.parametrize("dtype", DTYPES)
def test_promotion_of_every_pair_of_dtypes_is_the_same_on_every_engine(dtype):
    others = [edges(other)[None] for other in DTYPES]

    def f(x: Any, *ys: Any) -> list[Any]:
        return [pg.where(x <= y, x, y) for y in ys]

    found = assert_same_everywhere(f, edges(dtype)[:, None], *others)
    for result, other in zip(found, DTYPES, strict=True):
        kinds = {np.dtype(one) for one in (dtype, other)}
        floats = [one for one in kinds if one.kind == "f"]  # a float keeps its width
        assert result.dtype == np.result_type(*(floats or kinds))


LOW = np.iinfo(np.int32).min
EDGES = [  # what integers do where mathematics or the machine has no answer
    ("floor_divide", [7, -7, LOW, 0], [0, 2, -1, 0], [0, -4, LOW, 0]),
    ("remainder", [7, -7, LOW, 0], [0, 2, -1, 0], [0, 1, 0, 0]),
    ("abs", [LOW, -3], None, [LOW, 3]),
    ("negative", [LOW, 3], None, [LOW, -3]),
    ("sign", [LOW, 0, 5], None, [-1, 0, 1]),
    ("bitwise_left_shift", [1, 1, 1, -1], [31, 32, -1, 40], [LOW, 0, 0, 0]),
    ("bitwise_right_shift", [-8, 8, -8, 8], [40, 32, -1, -1], [-1, 0, -1, 0]),
    ("add", [2**31 - 1], [1], [LOW]),
    ("multiply", [LOW], [-1], [LOW]),
    ("pow", [3, 0, LOW], [21, 0, 1], [3**21 - 2**33, 1, LOW]),
]


@pytest.mark.parametrize(("name", "x", "y", "expected"), EDGES)
def test_integers_wrap_and_quotients_by_zero_are_zero(name, x, y, expected):
    arrays = [np.array(one, np.int32) for one in (x, y) if one is not None]
    (found,) = assert_same_everywhere(lambda *a: [getattr(pg, name)(*a)], *arrays)
    np.testing.assert_array_equal(found, np.array(expected, np.int32))


def test_negative_powers_of_integers_are_refused_everywhere():
    x = np.array([2, 3])
    for engine in pg.engine_names():
        for f in (lambda x: x**-1, lambda x: x ** pg.tensor(np.array([1, -1]))):
            with pytest.raises(ValueError, match="negative integer powers"):
                pg.function(f, engine=engine)(x)
    with pytest.raises(ValueError, match="negative integer powers"):
        pg.tensor(x) ** -1


def test_nan_compares_and_propagates_as_ieee_754_says():
    x = np.array([math.nan, 1.0])

    def f(x: Any) -> list[Any]:
        y = pg.tensor(np.array([1.0, math.nan]))
        return [
            x < y,
            x >= y,
            x == y,
            x != y,
            pg.maximum(x, y),
            pg.sign(x),
            pg.max(x),
            pg.argmax(x),
        ]

    found = assert_same_everywhere(f, x)
    np.testing.assert_array_equal(found[0:4], [[0, 0], [0, 0], [0, 0], [1, 1]])
    assert np.isnan(found[4]).all()
    assert found[7] == 0
    np.testing.assert_array_equal(found[5], [math.nan, 1])
    assert np.isnan(found[6])
