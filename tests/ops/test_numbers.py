"""Signs, remainders, parts and neighbours of numbers, tests of closeness: NumPy's values."""

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import DTypeError, ShapeError
from tolerances import assert_same

EDGES = np.array([0.0, -0.0, 1.5, -1.5, 2.5, 7.25, -7.25, 1e-310, 1e300, np.inf, -np.inf, np.nan])
X, Y = (part.ravel() for part in np.meshgrid(EDGES, EDGES))
INTEGERS = np.array([12, -12, 7, 0, -128, 127, 5])
I, J = (part.ravel() for part in np.meshgrid(INTEGERS, INTEGERS))

UNARY = "signbit rint fabs deg2rad rad2deg degrees radians fix isposinf isneginf nan_to_num".split()
BINARY = "copysign heaviside fmax fmin fmod nextafter isclose divmod float_power logaddexp2".split()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_number(name):
    found, expected = getattr(pg, name)(EDGES), getattr(np, name)(EDGES)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-15)
    if expected.dtype.kind == "f":
        np.testing.assert_array_equal(np.signbit(found.numpy()[:-1]), np.signbit(expected[:-1]))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two_numbers(name):
    found, expected = getattr(pg, name)(X, Y), getattr(np, name)(X, Y)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["fmod", "gcd", "lcm", "fmax", "divmod", "isclose"])
def test_functions_of_two_integers(name):
    for dtype in (np.int64, np.int8):
        found, expected = (getattr(m, name)(I.astype(dtype), J.astype(dtype)) for m in (pg, np))
        np.testing.assert_array_equal(found, expected)


@pytest.mark.filterwarnings("ignore")
def test_parts_of_numbers():
    for name in ("frexp", "modf"):
        for found, expected in zip(getattr(pg, name)(EDGES), getattr(np, name)(EDGES), strict=True):
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected)
    powers = np.array([0, 3, -2, 1, 2000, -2000, 5, 1030, -1000, 1, 1, 1])
    np.testing.assert_array_equal(pg.ldexp(EDGES, powers), np.ldexp(EDGES, powers))
    assert pg.bitwise_count([7, -7, 0]).tolist() == [3, 3, 0]
    x = np.array([10.0, -0.75])
    assert pg.grad(lambda x: pg.sum(pg.frexp(x)[0]))(x).tolist() == [1 / 16, 1]
    assert pg.grad(lambda x: pg.sum(pg.modf(x)[0]))(x).tolist() == [1, 1]
    assert pg.grad(lambda x: pg.sum(pg.modf(x)[1]))(x).tolist() == [0, 0]


def test_closeness_and_equality():
    x = np.array([1.0, np.nan, np.inf])
    for y in (x, x + 1e-9, x[:2], x * 2, np.array([1.0, np.nan, -np.inf])):
        for equal_nan in (False, True):
            if np.shape(y) == (3,):
                expected = np.allclose(x, y, equal_nan=equal_nan)
                assert pg.allclose(x, y, equal_nan=equal_nan).item() == expected
            expected = np.array_equal(x, y, equal_nan=equal_nan)
            assert pg.array_equal(x, y, equal_nan=equal_nan).item() == expected
    assert pg.array_equiv([[1, 2]], [1, 2]).item()
    assert not pg.array_equiv([1, 2], [1, 2, 3]).item()
    assert bool(pg.isclose(np.uint8(1), np.uint8(2), atol=1))  # 1 − 2 doesn't wrap around
    with pg.Graph(), pytest.raises(ShapeError, match=r"Write pg.all\(x == y\)"):
        pg.array_equal(pg.placeholder(), 1.0)


def test_nan_to_num_in_other_dtypes_and_values():
    x = np.array([np.nan, np.inf, -np.inf, 2.0], np.float32)
    np.testing.assert_array_equal(pg.nan_to_num(x), np.nan_to_num(x))
    assert pg.nan_to_num(x, nan=1, posinf=5, neginf=-5).tolist() == [1, 5, -5, 2]
    assert pg.nan_to_num([True, False]).tolist() == [True, False]
    assert pg.grad(lambda x: pg.sum(pg.nan_to_num(x)))(x).tolist() == [0, 0, 0, 1]


def test_functions_of_integers_refuse_floats():
    with pytest.raises(DTypeError, match="gcd: expected integers, got float32"):
        pg.gcd(1.5, 2)
    with pytest.raises(DTypeError, match=r"ldexp: the exponent is float32.* x \* 2.0\*\*n"):
        pg.ldexp(1.0, 2.5)


CALLS = {
    "hstack": lambda xp, x: xp.hstack([x, x]),
    "hstack of vectors": lambda xp, x: xp.hstack((x[0], x[1], 5.0)),
    "vstack": lambda xp, x: xp.vstack([x, x[0]]),
    "dstack": lambda xp, x: xp.dstack([x, x]),
    "dstack of vectors": lambda xp, x: xp.dstack([x[0], x[1]]),
    "column_stack": lambda xp, x: xp.column_stack([x[0], x.T, x[1]]),
    "ravel": lambda xp, x: xp.ravel(x),
    "transpose": lambda xp, x: xp.transpose(x, (1, 0)),
    "atleast_1d": lambda xp, x: xp.atleast_1d(x[0, 0]),
    "atleast_2d": lambda xp, x: xp.atleast_2d(x[0]),
    "atleast_3d": lambda xp, x: xp.atleast_3d(x),
    "atleast_3d of a vector": lambda xp, x: xp.atleast_3d(x[0]),
    "broadcast_arrays": lambda xp, x: xp.broadcast_arrays(x, x[0])[1],
    "diagonal": lambda xp, x: xp.diagonal(x, 1),
    "diagonal of a stack": lambda xp, x: xp.diagonal(xp.stack([x, x]), 0, 2, 0),
    "diag of a vector": lambda xp, x: xp.diag(x[0], -2),
    "diag of a matrix": lambda xp, x: xp.diag(x, -1),
    "diagflat": lambda xp, x: xp.diagflat(x, 1),
    "trace": lambda xp, x: xp.trace(x, 1),
    "tril": lambda xp, x: xp.tril(x, 1),
    "triu": lambda xp, x: xp.triu(x, -1),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
def test_shapes_and_diagonals_are_numpys(call):
    x = np.arange(6.0).reshape(2, 3)
    expected = call(np, x)
    np.testing.assert_array_equal(call(pg, pg.tensor(x)), expected)
    np.testing.assert_array_equal(pg.function(lambda x: call(pg, x))(x), expected)
    copies = (call(np, x + 1) - expected).sum()  # the functions are linear
    assert pg.grad(lambda x: pg.sum(call(pg, x)))(x).sum() == copies


def test_sizes():
    x = np.zeros((2, 3))
    assert (pg.shape(x), pg.ndim(x), pg.size(x), pg.size(x, 1)) == ((2, 3), 2, 6, 3)
    assert (pg.shape(1.0), pg.size([])) == ((), 0)
    assert pg.broadcast_shapes((2, 1), 3, ()) == (2, 3)
    parts = pg.atleast_1d(1.0, [2.0])
    assert [part.shape for part in parts] == [(1,), (1,)]


def test_triangles_keep_infinity_out_of_the_other_half():
    x = np.full((2, 2), np.inf)
    assert pg.tril(x).tolist() == [[np.inf, 0.0], [np.inf, np.inf]]
    assert pg.diag(np.array([np.inf, np.nan]))[0, 1].item() == 0.0
    assert pg.tril(x > 0).tolist() == [[True, False], [True, True]]


def test_parts_of_complex_numbers_are_rounded_and_cleaned():
    c = np.array([1.26 + 2.5j, complex(np.nan, np.inf), -np.inf + 1j])
    np.testing.assert_array_equal(pg.round(c, 1), np.round(c, 1))
    np.testing.assert_array_equal(pg.round(c), np.round(c))
    np.testing.assert_array_equal(pg.nan_to_num(c), np.nan_to_num(c))
    assert pg.float_power(c[0], 2).item() == pytest.approx(c[0] ** 2)


@pytest.mark.parametrize("engine", pg.engine_names())
def test_nan_has_no_sign(engine):
    """Its sign bit isn't portable: it would differ between engines and processors."""
    for dtype in ("float16", "float32", "float64"):
        x = np.copysign(np.array([np.nan, np.nan], dtype), [1, -1]).astype(dtype)
        run = pg.function(lambda x: (pg.signbit(x), pg.copysign(pg.ones_like(x), x)), engine=engine)
        sign, size = run(x)
        assert_same(np.asarray(sign), np.array([False, False]))
        assert_same(np.asarray(size), np.ones(2, dtype))


@pytest.mark.parametrize("engine", pg.engine_names())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_of_two_zeros_the_second_is_chosen(engine, dtype):
    """NumPy's own choice is that of x86 on such machines only."""
    x = np.tile(np.array([0.0, -0.0, -0.0, 0.0, 1.0], dtype), 5)
    y = np.tile(np.array([-0.0, 0.0, -0.0, 0.0, np.nan], dtype), 5)

    def f(x, y):
        found = [pg.maximum(x, y), pg.minimum(x, y), pg.fmax(x, y), pg.fmin(x, y)]
        found += [pg.relu(x), pg.relu6(x), pg.clip(x, -0.0, None), pg.clip(x, 0.0, 1.0)]
        return [*found, pg.clip(x, -1.0, -0.0), pg.cummax(x[:4]), pg.cummin(y[:4])]

    found = [np.asarray(one) for one in pg.function(f, engine=engine)(x, y)]
    zero, minus = np.zeros_like(x), np.full_like(x, -0.0)
    for one, expected in zip(
        found, [y, y, y, y, zero, zero, minus, zero, minus, x[:4], y[:4]], strict=True
    ):
        zeros = one == 0
        np.testing.assert_array_equal(np.signbit(one)[zeros], np.signbit(expected)[zeros])
