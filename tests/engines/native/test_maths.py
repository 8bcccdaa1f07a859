"""The functions of generated code: errors in units in the last place, and special values."""

import ctypes
import math

import numpy as np
import pytest
from llvmlite import ir

import palingrad as pg
from palingrad.engines.native.loops import integer, read, vectors, write
from palingrad.engines.native.maths import NativeMaths
from palingrad.engines.native.target import Library, host

# The largest error in ULP that each function may have, in float32 and in float64 alike.
ULP = {"exp": 1, "exp2": 1, "log": 1, "expm1": 2, "log1p": 3, "tanh": 3.5, "sqrt": 0.5}


def compiled(name, dtype, count):
    """A function from an array of `count` elements to one, computed by generated code."""
    module = ir.Module()
    pointer = ir.IntType(8).as_pointer()
    signature = ir.FunctionType(ir.VoidType(), [pointer.as_pointer()])
    function = ir.Function(module, signature, "go")
    builder = ir.IRBuilder(function.append_basic_block())
    source, to = (builder.load(builder.gep(function.args[0], [integer(n)])) for n in (0, 1))

    def body(index, lanes):
        x = read(builder, source, dtype, index, lanes, 1)
        write(builder, to, getattr(NativeMaths(), name)(x), index)

    vectors(builder, count, host().lanes(dtype.itemsize), body)
    builder.ret_void()
    library = Library(str(module))
    call = library.function("go")

    def run(x):
        assert library is not None
        result = np.empty_like(x)
        call(ctypes.addressof((ctypes.c_void_p * 2)(x.ctypes.data, result.ctypes.data)))
        return result

    return run


def whole_range(name, dtype, count):
    """Numbers over all of where the function is finite, dense near 0 and 1."""
    rng = np.random.default_rng(0)
    largest = 80.0 if dtype == pg.float32 else 600.0
    spread = np.exp(rng.uniform(-largest, largest, count // 2))
    if name in ("log", "sqrt"):
        parts = [spread, rng.uniform(0.3, 3, count - count // 2)]
    elif name == "log1p":
        parts = [spread, rng.uniform(-0.99, 1, count - count // 2)]
    else:
        parts = [
            rng.uniform(-largest, largest, count // 2),
            rng.uniform(-2, 2, count // 4),
            rng.choice([-1, 1], count // 4) * np.exp(rng.uniform(-30, 0, count // 4)),
        ]
    return np.concatenate(parts).astype(dtype)


@pytest.mark.parametrize("dtype", [pg.float32, pg.float64])
@pytest.mark.parametrize("name", ULP)
def test_errors_stay_within_their_bound_over_the_whole_range(name, dtype):
    count = 40_000
    x = whole_range(name, dtype, count)
    found = compiled(name, dtype, len(x))(x)
    exact = getattr(np, name)(x.astype(np.longdouble))
    unit = np.spacing(np.abs(exact).astype(dtype)).astype(np.longdouble)
    error = np.abs(found.astype(np.longdouble) - exact) / unit
    assert error.max() <= ULP[name], (x[error.argmax()], float(error.max()))


@pytest.mark.parametrize("dtype", [pg.float32, pg.float64])
@pytest.mark.parametrize("name", ULP)
def test_special_values_are_numpys(name, dtype):
    special = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e30, -1e30, 1e-40, -3.0]
    x = np.resize(np.array(special, dtype), 64)  # in vectors, and in the last scalars below
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x)
    bound = 4 * np.finfo(dtype).eps
    for count in (64, 11):
        found = compiled(name, dtype, count)(x[:count])
        np.testing.assert_allclose(found, expected[:count], rtol=bound, atol=0)
        zero = expected[:count] == 0
        np.testing.assert_array_equal(np.signbit(found[zero]), np.signbit(expected[:count][zero]))
