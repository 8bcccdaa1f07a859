"""The functions of generated code: errors in units in the last place, and special values."""

import ctypes
from functools import cache, partial

import numpy as np
import pytest
from llvmlite import ir
from mpmath import mp

import palingrad as pg
from palingrad.engines.native.llvm.builder import Builder
from palingrad.engines.native.llvm.loops import integer, read, vectors, write
from palingrad.engines.native.llvm.maths import NativeMaths
from palingrad.engines.native.llvm.target import Library, host, machine_code
from palingrad.maths import numpy_maths
from palingrad.ops.elementwise.activation import Sigmoid

# The largest error in ULP that each function may have, in float32 and in float64.
ULP = {
    "exp": (1, 1), "exp2": (1, 1), "expm1": (1.5, 1.5), "log": (1, 1), "log2": (1.5, 1.5),
    "log10": (2, 2), "log1p": (1.5, 1.5), "sinh": (1.5, 1.5), "cosh": (1.5, 1.5),
    "tanh": (1.5, 1.5), "arcsinh": (1.5, 1.5), "arccosh": (2, 2), "arctanh": (1.5, 1.5),
    "sin": (2, 2), "cos": (2, 2), "tan": (1.5, 1.5), "arcsin": (1.5, 1.5), "arccos": (1.5, 1.5),
    "arctan": (2, 2), "sqrt": (0.5, 0.5), "cbrt": (1, 1), "erf": (1.5, 1.5), "erfc": (2, 2),
}  # fmt: skip
# The least and the largest value that a result may have, rounded to its dtype.
BOUNDS = {
    "sin": (-1, 1), "cos": (-1, 1), "tanh": (-1, 1), "erf": (-1, 1), "erfc": (0, 2),
    "arcsin": (-np.pi / 2, np.pi / 2), "arccos": (0, np.pi), "arctan": (-np.pi / 2, np.pi / 2),
    "exp": (0, np.inf), "exp2": (0, np.inf), "expm1": (-1, np.inf), "cosh": (1, np.inf),
    "arccosh": (0, np.inf), "sqrt": (-0.0, np.inf), "sigmoid": (0, 1),
}  # fmt: skip
INCREASING = ["exp", "log", "log1p", "sinh", "tanh", "arcsinh", "arctan", "cbrt", "erf", "sigmoid"]
PAIRS = {"power": (1, 1.5), "hypot": (1.5, 1.5), "arctan2": (2, 2)}
SPECIAL = [
    0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, -3.0, 1e-45, -1e-45,
    1e-38, 1e-30, -1e30, 3.4e38, 16777217.0, 1e5, -1e5,
]  # fmt: skip
DTYPES = [pg.float32, pg.float64]


def compiled(formula, dtype, count, arity=1, to=None):
    """A function from arrays of `count` elements to one, computed by generated code."""
    (run,) = of_widths(formula, dtype, count, [host().lanes(dtype.itemsize)], arity, to)
    return run


def of_widths(formula, dtype, count, widths, arity=1, to=None):
    """The same function with vectors of each width, all in one module."""
    module = ir.Module()
    pointer = ir.IntType(8).as_pointer()
    signature = ir.FunctionType(ir.VoidType(), [pointer.as_pointer()])
    for lanes in widths:
        function = ir.Function(module, signature, f"go_{lanes}")
        builder = Builder(function.append_basic_block())
        table = function.args[0]
        places = [builder.load(builder.gep(table, [integer(n)])) for n in range(arity + 1)]

        def body(index, width, builder=builder, places=places):
            values = [read(builder, place, dtype, index, width, 1) for place in places[:-1]]
            write(builder, places[-1], formula(*values), index)

        vectors(builder, count, lanes, body)
        builder.ret_void()
    library = Library(machine_code(str(module)))

    def run(call, *inputs):
        assert library is not None
        assert all(x.flags.c_contiguous and x.dtype == dtype for x in inputs)
        result = np.empty(count, to or dtype)
        pointers = (ctypes.c_void_p * (arity + 1))(*(x.ctypes.data for x in (*inputs, result)))
        call(ctypes.addressof(pointers))
        return result

    return [partial(run, library.function(f"go_{lanes}")) for lanes in widths]


def native(name, *inputs, to=None):
    """The function on whole arrays."""
    function = getattr(NativeMaths(), name)
    return compiled(function, inputs[0].dtype, len(inputs[0]), len(inputs), to=to)(*inputs)


def formula(name):
    """A function of the maths namespace, or the formula of an operation made of several."""
    maths = NativeMaths()
    return (lambda x: Sigmoid.f(maths, x)) if name == "sigmoid" else getattr(maths, name)


@cache
def singles(stride):
    """Every stride-th of all float32, and the special ones."""
    every = np.arange(0, 2**32, stride, np.uint64).astype(np.uint32).view(np.float32)
    found = np.concatenate([every, np.array(SPECIAL, np.float32)])
    found.flags.writeable = False
    return found


def doubles(count):
    """float64 of all exponents, and more of those where functions bend."""
    rng = np.random.default_rng(0)
    wide = rng.integers(0, 2**64, count, np.uint64).view(np.float64)
    signs = rng.choice([-1.0, 1.0], count)
    parts = [
        wide, signs * np.exp2(rng.uniform(-60, 12, count)), rng.uniform(-1.2, 1.2, count),
        rng.uniform(-30, 30, count), rng.uniform(0.3, 3, count), rng.uniform(-745, 745, count),
        [*SPECIAL, 5e-324, -5e-324, 1e308, -1e308, 2.0**53, 6381956970095103.0 * 2.0**797],
    ]  # fmt: skip
    return np.concatenate(parts)


def errors(found, exact):
    """|found − exact| in units of the last place of `exact`; ∞ where a special value is wrong.

    Where one of the two rounds to ∞ and the other to the largest number, that is one unit. The
    errors of float32 are measured in float64: units are powers of two, and 29 more bits enough.
    """
    wide = np.float64 if found.dtype == np.float32 else np.longdouble
    exact = exact.astype(wide)
    rounded = exact.astype(found.dtype)
    largest = np.finfo(found.dtype).max
    bounded = [np.clip(x, -largest, largest) for x in (found, exact, rounded)]
    unit = np.spacing(np.abs(bounded[2])).astype(wide)
    error = np.abs(bounded[0].astype(wide) - bounded[1]) / unit
    wrong = np.isnan(found) != np.isnan(rounded)
    wrong |= (found == 0) & (rounded == 0) & (np.signbit(found) != np.signbit(rounded))
    wrong |= np.isinf(found) & (np.abs(bounded[1]) < largest * (1 - 4 * np.finfo(found.dtype).eps))
    return np.where(wrong, np.inf, np.where(np.isnan(rounded), 0, error))


def by_parts(f, *arrays):
    """A function of each element, in parts that stay in the processor's caches."""
    count = -(-len(arrays[0]) // 50_000)
    with np.errstate(all="ignore"):
        parts = zip(*[np.array_split(x, count) for x in arrays], strict=True)
        return np.concatenate([f(*part) for part in parts])


def worst(found, exact, *inputs):
    """The largest error, and where it is."""
    error = by_parts(errors, found, exact)
    at = int(error.argmax())
    return float(error[at]), [float(x[at]) for x in inputs], float(found[at]), float(exact[at])


@pytest.mark.parametrize("name", ULP)
def test_float32_stays_within_its_bound_on_numbers_of_all_sizes(name):
    # The references of erf and erfc are long sums: they are held against every 9,970th.
    x = singles(9_970 if name.startswith("erf") else 997)
    exact = by_parts(lambda x: getattr(numpy_maths, name)(x.astype(np.float64)), x)
    found = worst(native(name, x), exact, x)
    assert found[0] <= ULP[name][0], found


@pytest.mark.parametrize("name", [name for name in ULP if not name.startswith("erf")])
def test_float64_stays_within_its_bound_over_all_exponents(name):
    x = doubles(40_000)
    with np.errstate(all="ignore"):
        exact = getattr(np, name)(x.astype(np.longdouble))
    found = worst(native(name, x), exact, x)
    assert found[0] <= ULP[name][1], found


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BOUNDS)
def test_results_stay_within_the_range_of_the_function(name, dtype):
    x = singles(997) if dtype == pg.float32 else doubles(100_000)
    found = compiled(formula(name), dtype, len(x))(x)
    low, high = (dtype.type(bound) for bound in BOUNDS[name])
    outside = (found < low) | (found > high)
    assert not outside.any(), (x[outside][:3], found[outside][:3])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", INCREASING)
def test_results_of_increasing_functions_are_monotonic(name, dtype):
    x = singles(3989) if dtype == pg.float32 else doubles(50_000)
    x = np.sort(x[~np.isnan(x)])
    found = compiled(formula(name), dtype, len(x))(x)
    found = found[~np.isnan(found)]
    falls = found[1:] < found[:-1]
    assert not falls.any(), (found[:-1][falls][:3], found[1:][falls][:3])


def test_one_minus_a_squared_cosine_has_a_root():
    x = np.full(16, 6.565393e-07, np.float32)
    found = pg.function(lambda x: pg.sqrt(1 - pg.cos(x) ** 2), engine="native")(x)
    np.testing.assert_allclose(found, 0, atol=1e-3)


@pytest.mark.parametrize("name", ["erf", "erfc"])
def test_float64_error_functions_stay_within_their_bound(name):
    rng = np.random.default_rng(0)
    near, far = rng.uniform(-6.5, 6.5, 1500), rng.uniform(6.5, 27.4, 500)
    x = np.concatenate([near, far, np.exp(rng.uniform(-60, 0, 200))])
    with mp.workdps(40):
        exact = np.array([np.longdouble(mp.nstr(getattr(mp, name)(mp.mpf(v)), 25)) for v in x])
    found = worst(native(name, x), exact, x)
    assert found[0] <= ULP[name][1], found


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["erf", "erfc"])
def test_error_functions_reach_their_limits(name, dtype):
    edges = np.array([np.nan, 0.0, -0.0, np.inf, -np.inf, 1e30, -1e30, 28.0], dtype)
    known = {"erf": [np.nan, 0, -0.0, 1, -1, 1, -1, 1], "erfc": [np.nan, 1, 1, 0, 2, 0, 2, 0]}
    at_edges = native(name, edges)
    np.testing.assert_array_equal(at_edges, known[name])
    np.testing.assert_array_equal(np.signbit(at_edges[1:]), np.signbit(known[name][1:]))


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_huge_angles_are_reduced_with_all_their_digits(name):
    rng = np.random.default_rng(0)
    x = np.ldexp(rng.uniform(-1, 1, 500), rng.integers(25, 1024, 500))
    x = np.concatenate([x, [6381956970095103.0 * 2.0**797, 1e22, -np.finfo(np.float64).max]])
    with mp.workdps(400):
        exact = np.array([np.longdouble(mp.nstr(getattr(mp, name)(mp.mpf(v)), 25)) for v in x])
    found = worst(native(name, x), exact, x)
    assert found[0] <= ULP[name][1], found


def two_operands(dtype, count=40_000):
    """Pairs: all special ones, and ones whose powers cover the whole range."""
    rng = np.random.default_rng(0)
    special = np.clip(SPECIAL, -np.finfo(dtype).max, np.finfo(dtype).max)
    special[np.isinf(SPECIAL)] = np.array(SPECIAL)[np.isinf(SPECIAL)]
    first, second = (part.ravel() for part in np.meshgrid(special, special))
    x = np.concatenate([
        np.exp(rng.uniform(-80, 80, count)), rng.uniform(0.5, 2, count),
        np.exp(rng.normal(0, 1e-3, count)), rng.uniform(-5, 5, count),
    ]).astype(dtype)  # fmt: skip
    largest = np.finfo(dtype).maxexp / np.maximum(np.abs(np.log2(np.abs(x.astype(float)))), 1e-6)
    y = rng.uniform(-1.1, 1.1, len(x)) * largest
    y[-count:] = rng.integers(-30, 30, count)
    return np.concatenate([first, x]).astype(dtype), np.concatenate([second, y]).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PAIRS)
def test_functions_of_two_numbers_stay_within_their_bound(name, dtype):
    x, y = two_operands(dtype)
    with np.errstate(all="ignore"):
        exact = getattr(np, name)(x.astype(np.longdouble), y.astype(np.longdouble))
    found = worst(native(name, x, y), exact, x, y)
    assert found[0] <= PAIRS[name][dtype == pg.float64], found


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_error_of_logaddexp_is_bounded_by_its_largest_term(dtype):
    x, y = two_operands(dtype)
    y[-1000:] = x[-1000:] + np.linspace(-40, 40, 1000, dtype=dtype)
    with np.errstate(all="ignore"):
        exact = np.logaddexp(x.astype(np.longdouble), y.astype(np.longdouble))
        found = native("logaddexp", x, y)
        unit = np.spacing(np.fmax(np.fmax(np.abs(x), np.abs(y)), np.abs(exact.astype(dtype))))
        error = np.where(found == exact, 0, np.abs(found - exact) / unit)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(exact))
    assert error[np.isfinite(error)].max() <= 2
    special = ~np.isfinite(exact.astype(dtype))
    np.testing.assert_array_equal(found[special], exact[special].astype(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["floor_divide", "mod"])
def test_quotients_and_remainders_of_floats_are_numpys_bit_for_bit(name, dtype):
    x, y = two_operands(dtype)
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x, y)
    found = native(name, x, y)
    np.testing.assert_array_equal(found, expected)
    there = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(found[there]), np.signbit(expected[there]))


@pytest.mark.parametrize("kind", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"])
@pytest.mark.parametrize("name", ["floor_divide", "mod", "left_shift", "right_shift"])
def test_integers_are_divided_and_shifted_as_by_numpy(name, kind):
    dtype = np.dtype(kind)
    bounds = np.iinfo(dtype)
    rng = np.random.default_rng(0)
    edges = [bounds.min, bounds.min + 1, 0, 1, 2, 3, 7, 8 * dtype.itemsize, bounds.max]
    edges += [-1, -2, -7] if kind[0] == "i" else []
    some = rng.integers(bounds.min, bounds.max, 20, dtype)
    numbers = np.concatenate([np.array(edges, dtype), some, some >> (4 * dtype.itemsize)])
    x, y = (np.ascontiguousarray(part.ravel()) for part in np.meshgrid(numbers, numbers))
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x, y)
    np.testing.assert_array_equal(native(name, x, y), expected)


@pytest.mark.parametrize("kind", ["u1", "u4", "u8"])
def test_unsigned_powers_wrap_around_as_numpys(kind):
    x, y = (np.arange(49, dtype=kind) % 7 * 5, np.arange(49, dtype=kind) // 7)
    np.testing.assert_array_equal(native("power", x, y), x**y)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 4, -1, 0.5])
@pytest.mark.parametrize("dtype", DTYPES)
def test_powers_with_constant_exponents_are_short_and_right(exponent, dtype):
    x = np.concatenate([np.random.default_rng(0).uniform(-9, 9, 1000), SPECIAL]).astype(dtype)
    with np.errstate(all="ignore"):
        exact = np.power(x.astype(np.longdouble), np.longdouble(exponent))
    maths = NativeMaths()
    run = compiled(lambda x: maths.power(x, x.number(exponent)), dtype, len(x))
    found = worst(run(x), exact, x)
    assert found[0] <= 2, found


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["sign", "floor", "ceil", "rint", "trunc", "reciprocal", "square"])
def test_simple_functions_are_numpys(name, dtype):
    with np.errstate(all="ignore"):
        x = np.concatenate([SPECIAL, [0.49, 1.5, 2.5, -2.5, -0.3]]).astype(dtype)
        np.testing.assert_array_equal(native(name, x), getattr(np, name)(x))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_maximum_and_minimum_propagate_nan(name, dtype):
    x, y = two_operands(dtype, 1)
    np.testing.assert_array_equal(native(name, x, y), getattr(np, name)(x, y))
    maths = NativeMaths()
    with_number = compiled(lambda x: getattr(maths, name)(x, 0), dtype, len(x))
    np.testing.assert_array_equal(with_number(x), getattr(np, name)(x, dtype.type(0)))


@pytest.mark.parametrize("name", ["isnan", "isinf", "isfinite"])
def test_isnan_isinf_and_isfinite(name):
    x = np.array(SPECIAL)
    np.testing.assert_array_equal(native(name, x, to=np.bool_), getattr(np, name)(x))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*ULP, *PAIRS, "logaddexp", "mod"])
def test_bits_do_not_depend_on_the_width_of_vectors(name, dtype):
    x = singles(3_000_017).astype(dtype) if dtype == pg.float32 else doubles(200)
    inputs = (x,) if name in ULP else (x, np.roll(x, 7))
    function = getattr(NativeMaths(), name)
    bits = np.int32 if dtype == pg.float32 else np.int64
    lanes = host().lanes(dtype.itemsize)
    widths = sorted({1, 2, 4, lanes, 2 * lanes})  # the last takes two registers
    runs = of_widths(function, dtype, len(x), widths, len(inputs))
    results = [run(*inputs) for run in runs]
    numbers = ~np.isnan(results[0])
    for other in results[1:]:
        np.testing.assert_array_equal(np.isnan(other), ~numbers)
        np.testing.assert_array_equal(other[numbers].view(bits), results[0][numbers].view(bits))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_quotients_by_one_number_are_rounded_as_ieee_754_says(dtype):
    rng = np.random.default_rng(4)
    bits = np.uint32 if dtype == np.float32 else np.uint64
    quotient = pg.function(lambda x, s: x / s, engine="native")
    anything = rng.integers(0, np.iinfo(bits).max, 50_000, dtype=bits).view(dtype)
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, 1e-38, 1.0, 3e38], dtype)
    # Products of few digits: many quotients lie next to the middle between two numbers.
    middling = (rng.integers(1, 1 << 12, 50_000) * rng.integers(1, 1 << 12, 50_000)).astype(dtype)
    numbers = [*rng.uniform(0.5, 4, 20), np.nextafter(dtype(2), dtype(0)), 3.0, -7.0, 4095.0]
    numbers += [0.0, -0.0, np.inf, np.nan, 1e-40, 1e-30, 1e30, 2.0**25, 2.0**-25, 2.0**26]
    for number in numbers:
        s = np.array(number, dtype)
        near = rng.normal(size=50_000).astype(dtype) * s
        for x in (anything, np.tile(special, 9), middling, near):
            with np.errstate(all="ignore"):
                expected = x / s
            found = quotient(x, s)
            np.testing.assert_array_equal(found, expected)
            diagnostics = ~np.isnan(expected)
            np.testing.assert_array_equal(
                np.signbit(found[diagnostics]), np.signbit(expected[diagnostics])
            )


@pytest.mark.parametrize("exponent", [-126, -112, -97, -96, 0, 1, 127])
def test_roots_of_every_mantissa_are_rounded_as_ieee_754_says(exponent):
    # Where a vector is estimated and refined, and where the remainder would be subnormal.
    first = (exponent + 127) << 23
    x = np.arange(first, first + (1 << 23), dtype=np.uint32).view(np.float32)
    np.testing.assert_array_equal(native("sqrt", x), np.sqrt(x))


def test_roots_of_zeros_infinities_and_subnormal_numbers():
    powers = np.float32(2.0) ** np.arange(-149, 128, dtype=np.float32)
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, -1.0], np.float32)
    x = np.concatenate([powers, np.nextafter(powers, np.float32(1)), special])
    with np.errstate(all="ignore"):
        expected = np.sqrt(x)
    found = native("sqrt", x)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.signbit(found[-6:-3]), np.signbit(expected[-6:-3]))
