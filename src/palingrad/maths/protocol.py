"""`Maths`: the functions of `m`, which formulas `f(m, x)` are written with, and what they mean.

NumPy's functions are the reference (`numpy.py`). Whoever runs, compiles, writes down or draws a
formula brings an `m` of its own with these names; tests/test_maths_protocol.py compares them all
with NumPy, function by function. What isn't said of a function is IEEE 754 and C99: NaN from NaN,
zeros with signs, infinities. Dtypes are NumPy's: Python numbers are weak, NumPy's are not.
"""

from __future__ import annotations

from typing import Any, Protocol


class ElementwiseMaths(Protocol):
    """Functions of numbers, one element at a time: what a compiled engine implements."""

    # ---------------------------------------------------------------- arithmetic

    def add(self, x: Any, y: Any) -> Any:
        """x + y; of booleans x or y. Integers wrap around."""

    def subtract(self, x: Any, y: Any) -> Any:
        """x − y; refuses booleans."""

    def multiply(self, x: Any, y: Any) -> Any:
        """x·y; of booleans x and y. Integers wrap around."""

    def divide(self, x: Any, y: Any) -> Any:
        """x / y, of integers in float64; x/0 = ±∞, 0/0 = NaN."""

    def floor_divide(self, x: Any, y: Any) -> Any:
        """⌊x/y⌋; of integers 0 where y = 0, of floats x/y there."""

    def mod(self, x: Any, y: Any) -> Any:
        """x − ⌊x/y⌋·y, with the sign of y; of integers 0 where y = 0, of floats NaN."""

    def power(self, x: Any, y: Any) -> Any:
        """xʸ; x⁰ = 1ʸ = 1, also for NaN. Integers wrap around, and raise for y < 0."""

    def negative(self, x: Any) -> Any:
        """−x, which of 0.0 is −0.0; refuses booleans. Unsigned integers wrap around."""

    def positive(self, x: Any) -> Any:
        """x; refuses booleans."""

    def absolute(self, x: Any) -> Any:
        """|x|; |−0.0| = 0.0, and of the smallest integer itself."""

    def sign(self, x: Any) -> Any:
        """−1, 0 or 1; ±0 = 0 and NaN = NaN; refuses booleans."""

    def square(self, x: Any) -> Any:
        """x²."""

    def reciprocal(self, x: Any) -> Any:
        """1/x, of integers towards zero; of ±0.0 ±∞."""

    def sqrt(self, x: Any) -> Any:
        """√x; √−0.0 = −0.0, NaN below 0."""

    def cbrt(self, x: Any) -> Any:
        """∛x, with the sign of x."""

    def hypot(self, x: Any, y: Any) -> Any:
        """√(x² + y²) without overflow; ∞ where either is ±∞, even beside NaN."""

    # ---------------------------------------------------------------- exponentials and logarithms

    def exp(self, x: Any) -> Any:
        """eˣ; 0 at −∞."""

    def exp2(self, x: Any) -> Any:
        """2ˣ; 0 at −∞."""

    def expm1(self, x: Any) -> Any:
        """eˣ − 1, exact near 0, with its sign; −1 at −∞."""

    def log(self, x: Any) -> Any:
        """log x, the natural logarithm; −∞ at ±0, NaN below."""

    def log2(self, x: Any) -> Any:
        """log₂ x; −∞ at ±0, NaN below."""

    def log10(self, x: Any) -> Any:
        """log₁₀ x; −∞ at ±0, NaN below."""

    def log1p(self, x: Any) -> Any:
        """log(1 + x), exact near 0, with its sign; −∞ at −1, NaN below."""

    def logaddexp(self, x: Any, y: Any) -> Any:
        """log(eˣ + eʸ) without overflow; −∞ where both are."""

    # ---------------------------------------------------------------- angles

    def sin(self, x: Any) -> Any:
        """sin x; NaN at ±∞, −0.0 at −0.0."""

    def cos(self, x: Any) -> Any:
        """cos x; NaN at ±∞."""

    def tan(self, x: Any) -> Any:
        """tan x; NaN at ±∞, −0.0 at −0.0."""

    def arcsin(self, x: Any) -> Any:
        """arcsin x in −½π … ½π; NaN beyond ±1."""

    def arccos(self, x: Any) -> Any:
        """arccos x in 0 … π; NaN beyond ±1."""

    def arctan(self, x: Any) -> Any:
        """arctan x in −½π … ½π; ±½π at ±∞."""

    def arctan2(self, y: Any, x: Any) -> Any:
        """The angle of (x, y) in −π … π; zeros and infinities as C99 has them."""

    def sinh(self, x: Any) -> Any:
        """sinh x; ±∞ at ±∞."""

    def cosh(self, x: Any) -> Any:
        """cosh x; ∞ at ±∞."""

    def tanh(self, x: Any) -> Any:
        """tanh x; ±1 at ±∞."""

    def arcsinh(self, x: Any) -> Any:
        """arcsinh x; ±∞ at ±∞."""

    def arccosh(self, x: Any) -> Any:
        """arccosh x; NaN below 1."""

    def arctanh(self, x: Any) -> Any:
        """arctanh x; ±∞ at ±1, NaN beyond."""

    def erf(self, x: Any) -> Any:
        """erf x = 2/√π ∫₀ˣ exp(−u²) du; ±1 at ±∞."""

    def erfc(self, x: Any) -> Any:
        """erfc x = 1 − erf x without cancellation; 2 at −∞."""

    # ---------------------------------------------------------------- whole numbers

    def floor(self, x: Any) -> Any:
        """⌊x⌋; ±0 and ±∞ stay."""

    def ceil(self, x: Any) -> Any:
        """⌈x⌉, −0.0 for −1 < x < 0."""

    def trunc(self, x: Any) -> Any:
        """x without its fraction, with its sign."""

    def rint(self, x: Any) -> Any:
        """The nearest whole number, the even one of two; integers become floats."""

    # ---------------------------------------------------------------- comparisons and choices

    def equal(self, x: Any, y: Any) -> Any:
        """x = y; NaN equals nothing, 0.0 = −0.0."""

    def not_equal(self, x: Any, y: Any) -> Any:
        """x ≠ y; True for NaN."""

    def less(self, x: Any, y: Any) -> Any:
        """x < y; False for NaN."""

    def less_equal(self, x: Any, y: Any) -> Any:
        """x ≤ y; False for NaN."""

    def greater(self, x: Any, y: Any) -> Any:
        """x > y; False for NaN."""

    def greater_equal(self, x: Any, y: Any) -> Any:
        """x ≥ y; False for NaN."""

    def maximum(self, x: Any, y: Any) -> Any:
        """The larger; NaN where either is; of 0.0 and −0.0 either."""

    def minimum(self, x: Any, y: Any) -> Any:
        """The smaller; NaN where either is; of 0.0 and −0.0 either."""

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """x where the condition isn't 0, else y."""

    def logical_and(self, x: Any, y: Any) -> Any:
        """Whether neither is 0; NaN isn't."""

    def logical_or(self, x: Any, y: Any) -> Any:
        """Whether one of them isn't 0; NaN isn't."""

    def logical_xor(self, x: Any, y: Any) -> Any:
        """Whether exactly one of them isn't 0; NaN isn't."""

    def logical_not(self, x: Any) -> Any:
        """Whether x is 0."""

    def isnan(self, x: Any) -> Any:
        """Whether x is NaN; never of integers."""

    def isinf(self, x: Any) -> Any:
        """Whether x is ±∞; never of integers."""

    def isfinite(self, x: Any) -> Any:
        """Whether x is neither NaN nor ±∞; always of integers."""

    # ---------------------------------------------------------------- bits

    def bitwise_and(self, x: Any, y: Any) -> Any:
        """The bits that both have; refuses floats."""

    def bitwise_or(self, x: Any, y: Any) -> Any:
        """The bits that either has; refuses floats."""

    def bitwise_xor(self, x: Any, y: Any) -> Any:
        """The bits that one of them has; refuses floats."""

    def bitwise_invert(self, x: Any) -> Any:
        """The bits that x hasn't; of booleans not x; refuses floats."""

    def left_shift(self, x: Any, y: Any) -> Any:
        """x·2ʸ modulo 2ᵇ; 0 from b bits on; refuses floats."""

    def right_shift(self, x: Any, y: Any) -> Any:
        """⌊x/2ʸ⌋, all sign from b bits on; refuses floats."""

    # ---------------------------------------------------------------- dtypes

    def cast(self, x: Any, dtype: Any) -> Any:
        """x in another dtype, from floats to integers towards zero."""

    def ones_like(self, x: Any) -> Any:
        """1 in x's dtype."""

    def zeros_like(self, x: Any) -> Any:
        """0 in x's dtype."""


class ArrayMaths(Protocol):
    """Functions that see an array's shape: an engine that compiles kinds needs none of these."""

    # ---------------------------------------------------------------- reductions

    def sum(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """Σ x over axes; 0 of nothing. Booleans and small integers in 64 bits."""

    def prod(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """Π x over axes; 1 of nothing. Booleans and small integers in 64 bits."""

    def max(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """The largest over axes; NaN if there is one."""

    def min(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """The smallest over axes; NaN if there is one."""

    def all(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """Whether no element is 0; True of nothing."""

    def any(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """Whether an element isn't 0; False of nothing."""

    def argmax(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """The place of the first largest element, or of the first NaN."""

    def argmin(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """The place of the first smallest element, or of the first NaN."""

    def matmul(self, x: Any, y: Any) -> Any:
        """Σₖ x[…, i, k]·y[…, k, j], batched."""

    # ---------------------------------------------------------------- shapes and places

    def asarray(self, x: Any) -> Any:
        """x as an array."""

    def arange(self, stop: Any) -> Any:
        """The integers from 0 below `stop`."""

    def ones(self, shape: Any) -> Any:
        """An array of ones."""

    def zeros(self, shape: Any) -> Any:
        """An array of zeros."""

    def broadcast_to(self, x: Any, shape: Any) -> Any:
        """x repeated along axes of size 1 and along new ones in front."""

    def reshape(self, x: Any, shape: Any) -> Any:
        """The same elements in their order in another shape; one size may be −1."""

    def squeeze(self, x: Any, axis: Any = None) -> Any:
        """x without axes of size 1."""

    def expand_dims(self, x: Any, axis: Any) -> Any:
        """x with new axes of size 1."""

    def transpose(self, x: Any, axes: Any = None) -> Any:
        """x with its axes in another order, by default the reverse."""

    def swapaxes(self, x: Any, axis1: Any, axis2: Any) -> Any:
        """x with two axes exchanged."""

    def concatenate(self, arrays: Any, axis: Any = 0) -> Any:
        """The arrays one after another on an axis."""

    def stack(self, arrays: Any, axis: Any = 0) -> Any:
        """The arrays beside one another on a new axis."""

    def split(self, x: Any, ends: Any, axis: Any = 0) -> Any:
        """The pieces of x between these places on an axis."""

    def take(self, x: Any, indices: Any, axis: Any = None) -> Any:
        """The rows of x at these places; negative ones count from the end."""

    def take_add(self, g: Any, indices: Any, axis: Any, size: Any) -> Any:
        """Zeros with `size` rows on `axis`, to which the rows of g are added."""

    def slice_of(self, x: Any, index: Any) -> Any:
        """x[index] for a basic index."""

    def place(self, x: Any, shape: Any, index: Any) -> Any:
        """Zeros of `shape` with x at a basic index."""

    # ---------------------------------------------------------------- windows

    def windows(self, x: Any, size: Any, stride: Any, dilation: Any) -> Any:
        """x (n, c, *space) as (n, c, *places, *size): one window for each place."""

    def unwindowed(self, parts: Any, space: Any, stride: Any, padding: Any, dilation: Any) -> Any:
        """The adjoint of padding and taking windows: parts added where they came from."""

    def padded(self, x: Any, padding: Any, value: Any = 0) -> Any:
        """x (n, c, *space) with `value` around its axes of space."""


class Maths(ElementwiseMaths, ArrayMaths, Protocol):
    """All of `m`."""


def _names(group: type) -> tuple[str, ...]:
    return tuple(name for name in vars(group) if not name.startswith("_"))


ELEMENTWISE = _names(ElementwiseMaths)
ARRAYS = _names(ArrayMaths)
