"""The maths namespace `m` for NumPy arrays: the reference implementation.

`protocol.py` declares its functions. They are NumPy's, except for those in `_OWN`, which NumPy
lacks or which need an exact definition or smaller errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast as typed

import numpy as np

from ..dtypes import Array, DType, float16, float32, float64
from ..sums import blocked_sum, product
from .blas import matmul
from .library import OWN as LIBRARY_OWN
from .protocol import ARRAYS, ELEMENTWISE, LIBRARY, Maths
from .windows import padded, unwindowed, windows

# W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969):
# erf x = x·P(x²)/Q(x²) on |x| ≤ 0.46875, erfc x = exp(−x²)·R(x)/S(x) up to 4, with 1/x² beyond.
ERF_SMALL = (
    (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2,
     3.77485237685302021e2, 3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3,
     2.84423683343917062e3),
)  # fmt: skip
ERFC_MIDDLE = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0,
     6.61191906371416295e1, 2.98635138197400131e2, 8.81952221241769090e2,
     1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3),
    (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2,
     1.62138957456669019e3, 3.29079923573345963e3, 4.36261909014324716e3,
     3.43936767414372164e3, 1.23033935480374942e3),
)  # fmt: skip
ERFC_LARGE = (
    (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1,
     1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4),
    (1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1,
     6.05183413124413191e-2, 2.33520497626869185e-3),
)  # fmt: skip
_SQRT_PI = 1.7724538509055160273


Table = tuple[tuple[float, ...], tuple[float, ...]]


def rational(x: Array, table: Table) -> Array:
    """P(x)/Q(x) for the coefficients of P and Q, that of the highest power first."""
    return _polynomial(table[0], x) / _polynomial(table[1], x)


def _polynomial(coefficients: Sequence[float], x: Array) -> Any:
    """By Horner's scheme, in one array: allocating each step's would take most of the time."""
    total: Any = coefficients[0] * x
    for c in coefficients[1:-1]:
        total += c
        total *= x
    total += coefficients[-1]
    return total


def erfc(x: Any) -> Array:
    """erfc x = 1 − erf x without cancellation, to double precision (Cody 1969)."""
    wide = np.asarray(x, np.float64)
    positive, _ = _of_size(np.minimum(np.abs(wide), 30.0))  # erfc 30 underflows to 0
    return np.where(wide < 0, 2.0 - positive, positive).astype(_float_of(x))


def _of_size(size: Array) -> tuple[Array, Array]:
    """erfc x for 0 ≤ x ≤ 30, and erf x / x for x ≤ ½."""
    square = size * size
    coarse = np.trunc(size * 16) / 16  # exp(−x²) as two factors, whose exponents aren't rounded
    decay = np.exp(-coarse * coarse) * np.exp(-(size - coarse) * (size + coarse))
    inverse = 1.0 / np.maximum(square, 16.0)
    slope = rational(np.minimum(square, 0.25), ERF_SMALL)
    centre = decay * rational(np.minimum(size, 4.0), ERFC_MIDDLE)
    tail = 1 / _SQRT_PI - inverse * rational(inverse, ERFC_LARGE)
    large = decay / np.maximum(size, 4.0) * tail
    few = np.where(size <= 4.0, centre, large)
    return np.where(size <= 0.46875, 1.0 - size * slope, few), slope


def erf(x: Any) -> Array:
    """erf x = 2/√π ∫₀ˣ exp(−u²) du, to double precision (Cody 1969)."""
    wide = np.asarray(x, np.float64)
    size = np.abs(wide)
    above, slope = _of_size(np.minimum(size, 30.0))
    result = np.where(size <= 0.46875, wide * slope, np.sign(wide) * (1.0 - above))
    return result.astype(_float_of(x))


def absorbing_product(x: Any, y: Any) -> Array:
    """x·y, but 0 where x = 0 and y is ±∞ or NaN."""
    z = np.multiply(x, y)
    if type(z) is not np.ndarray and abs(z) < np.inf:  # one number; it is added faster
        return z
    z = np.asarray(z)
    if not has_nan(z):
        return z
    return np.where(np.equal(x, 0) & np.isnan(z), z.dtype.type(0), z)


def has_nan(z: Array) -> bool:
    """Whether an array has a NaN. The sum of few squares is the fastest test."""
    dtype = z.dtype
    small = z.ndim == 1 and z.size < 10_000  # of more BLAS uses several threads
    if small and (dtype is float64 or dtype is float32):
        return not z.dot(z) >= 0
    if dtype.kind not in "fc":
        return False
    return bool(np.isnan(np.maximum.reduce(z, axis=None, initial=0)))


def _float_of(x: Any) -> DType:
    """The float dtype in which NumPy computes a function such as exp of x."""
    return np.exp.resolve_dtypes((np.asarray(x).dtype, None))[-1]


def cast(x: Any, dtype: Any) -> Array:
    """`x` in `dtype`. Floats are truncated to integers: values out of range give the nearest bound,
    NaN gives 0. Integers are taken modulo 2ᵇ, for a target of b bits."""
    x = np.asarray(x)
    if x.dtype.kind != "f" or np.dtype(dtype).kind not in "iu":
        return x.astype(dtype)
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    with np.errstate(all="ignore"):
        whole = np.where(np.isnan(x), np.zeros((), dtype), x.astype(dtype))
        below, above = x <= float(low), x >= float(high)
    whole[below], whole[above] = low, high
    return whole


def expand_dims(x: Any, axis: Any) -> Array:
    """np.expand_dims, which takes five times as long for one axis."""
    if type(axis) is int and type(x) is np.ndarray:
        shape = x.shape
        place = axis if axis >= 0 else axis + len(shape) + 1
        if 0 <= place <= len(shape):
            return x.reshape((*shape[:place], 1, *shape[place:]))
    return np.expand_dims(x, axis)


def slice_of(x: Any, index: Any) -> Array:
    """`x[index]` for a basic index."""
    return x[index]


def place(x: Any, shape: Any, index: Any) -> Array:
    """An array of zeros of `shape` with `x` at a basic `index`."""
    result = np.zeros(shape, x.dtype)
    result[index] = x
    return result


def take_add(g: Any, indices: Any, axis: int, size: int) -> Array:
    """An array of zeros with `size` rows on `axis`, plus the rows of g added at their indices."""
    rows = np.moveaxis(g, range(axis, axis + indices.ndim), range(indices.ndim))
    wide = float32 if g.dtype == float16 else g.dtype
    total = np.zeros((size, *rows.shape[indices.ndim :]), wide)
    np.add.at(total, indices, rows)
    return np.moveaxis(total, 0, axis).astype(g.dtype, copy=False)


_OWN = {
    "absorbing_product": absorbing_product, "cast": cast, "erf": erf, "erfc": erfc,
    "expand_dims": expand_dims, "matmul": matmul, "padded": padded, "place": place,
    "prod": product, "slice_of": slice_of, "sum": blocked_sum,
    "take_add": take_add, "unwindowed": unwindowed, "windows": windows, **LIBRARY_OWN,
}  # fmt: skip
_functions = {
    name: _OWN.get(name) or getattr(np, name) for name in (*ELEMENTWISE, *ARRAYS, *LIBRARY)
}
numpy_maths = typed(Maths, SimpleNamespace(**_functions))
