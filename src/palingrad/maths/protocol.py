"""`Maths`: the functions of `m`, in which formulas `f(m, x)` are written, and their semantics.

NumPy is the reference (`numpy.py`). Each part of the library that runs, compiles, prints or draws
formulas implements an `m` with these functions; tests/test_maths_protocol.py compares each with
NumPy. Where a docstring is silent, IEEE 754 and C99 hold: NaN gives NaN, zeros have signs. Dtypes
follow NumPy's promotion: Python numbers are weak, NumPy scalars are not.
"""

from __future__ import annotations

from typing import Any

from ..classes import Protocol
from .library import LIBRARY as LIBRARY, LibraryMaths


class ElementwiseMaths(Protocol):
    """Elementwise functions: a compiled engine implements these."""

    # ---------------------------------------------------------------- arithmetic

    def add(self, x: Any, y: Any) -> Any:
        """x + y; for booleans x ∨ y. Integers wrap around."""

    def subtract(self, x: Any, y: Any) -> Any:
        """x − y; refuses booleans."""

    def multiply(self, x: Any, y: Any) -> Any:
        """x·y; for booleans x ∧ y. Integers wrap around."""

    def absorbing_product(self, x: Any, y: Any) -> Any:
        """x·y, but 0 where x = 0 and y is ±∞ or NaN."""

    def divide(self, x: Any, y: Any) -> Any:
        """x / y, for integers in float64; x/0 = ±∞, 0/0 = NaN."""

    def floor_divide(self, x: Any, y: Any) -> Any:
        """⌊x/y⌋; for y = 0, integers give 0 and floats x/y."""

    def mod(self, x: Any, y: Any) -> Any:
        """x − ⌊x/y⌋·y, with the sign of y; for y = 0, integers give 0 and floats NaN."""

    def power(self, x: Any, y: Any) -> Any:
        """xʸ; x⁰ = 1ʸ = 1, also for NaN. Integers wrap around, and raise ValueError for y < 0."""

    def negative(self, x: Any) -> Any:
        """−x; −0.0 for 0.0; refuses booleans. Unsigned integers wrap around."""

    def positive(self, x: Any) -> Any:
        """x; refuses booleans."""

    def absolute(self, x: Any) -> Any:
        """|x|; |−0.0| = 0.0; the smallest signed integer gives itself."""

    def sign(self, x: Any) -> Any:
        """−1, 0 or 1; ±0 gives 0 and NaN gives NaN; refuses booleans."""

    def square(self, x: Any) -> Any:
        """x²."""

    def reciprocal(self, x: Any) -> Any:
        """1/x; integers are truncated; ±0.0 gives ±∞."""

    def sqrt(self, x: Any) -> Any:
        """√x; √−0.0 = −0.0, NaN for x < 0."""

    def cbrt(self, x: Any) -> Any:
        """∛x, with the sign of x."""

    def hypot(self, x: Any, y: Any) -> Any:
        """√(x² + y²) without overflow; ∞ if x or y is ±∞, even if the other is NaN."""

    # ---------------------------------------------------------------- exponentials and logarithms

    def exp(self, x: Any) -> Any:
        """eˣ; 0 at −∞."""

    def exp2(self, x: Any) -> Any:
        """2ˣ; 0 at −∞."""

    def expm1(self, x: Any) -> Any:
        """eˣ − 1 without cancellation near 0; ±0 at ±0, −1 at −∞."""

    def log(self, x: Any) -> Any:
        """log x, the natural logarithm; −∞ at ±0, NaN for x < 0."""

    def log2(self, x: Any) -> Any:
        """log₂ x; −∞ at ±0, NaN for x < 0."""

    def log10(self, x: Any) -> Any:
        """log₁₀ x; −∞ at ±0, NaN for x < 0."""

    def log1p(self, x: Any) -> Any:
        """log(1 + x) without cancellation near 0; ±0 at ±0, −∞ at −1, NaN for x < −1."""

    def logaddexp(self, x: Any, y: Any) -> Any:
        """log(eˣ + eʸ) without overflow; −∞ if x = y = −∞."""

    # ---------------------------------------------------------------- angles

    def sin(self, x: Any) -> Any:
        """sin x; NaN at ±∞, −0.0 at −0.0."""

    def cos(self, x: Any) -> Any:
        """cos x; NaN at ±∞."""

    def tan(self, x: Any) -> Any:
        """tan x; NaN at ±∞, −0.0 at −0.0."""

    def arcsin(self, x: Any) -> Any:
        """arcsin x in [−½π, ½π]; NaN for |x| > 1."""

    def arccos(self, x: Any) -> Any:
        """arccos x in [0, π]; NaN for |x| > 1."""

    def arctan(self, x: Any) -> Any:
        """arctan x in [−½π, ½π]; ±½π at ±∞."""

    def arctan2(self, y: Any, x: Any) -> Any:
        """The angle of the point (x, y) in [−π, π]; zeros and infinities as in C99."""

    def sinh(self, x: Any) -> Any:
        """sinh x; ±∞ at ±∞."""

    def cosh(self, x: Any) -> Any:
        """cosh x; ∞ at ±∞."""

    def tanh(self, x: Any) -> Any:
        """tanh x; ±1 at ±∞."""

    def arcsinh(self, x: Any) -> Any:
        """arcsinh x; ±∞ at ±∞."""

    def arccosh(self, x: Any) -> Any:
        """arccosh x; NaN for x < 1."""

    def arctanh(self, x: Any) -> Any:
        """arctanh x; ±∞ at ±1, NaN for |x| > 1."""

    def erf(self, x: Any) -> Any:
        """erf x = 2/√π ∫₀ˣ exp(−u²) du; ±1 at ±∞."""

    def erfc(self, x: Any) -> Any:
        """erfc x = 1 − erf x without cancellation; 2 at −∞."""

    # ---------------------------------------------------------------- rounding

    def floor(self, x: Any) -> Any:
        """⌊x⌋; ±0 and ±∞ are unchanged."""

    def ceil(self, x: Any) -> Any:
        """⌈x⌉, −0.0 for −1 < x < 0."""

    def trunc(self, x: Any) -> Any:
        """x rounded towards 0, with the sign of x."""

    def rint(self, x: Any) -> Any:
        """The integer nearest to x; halves round to even. Integers are converted to floats."""

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
        """max(x, y); NaN if either is NaN; of 0.0 and −0.0 the second one."""

    def minimum(self, x: Any, y: Any) -> Any:
        """min(x, y); NaN if either is NaN; of 0.0 and −0.0 the second one."""

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """x where the condition isn't 0, else y."""

    def logical_and(self, x: Any, y: Any) -> Any:
        """Whether both x and y differ from 0; NaN differs from 0."""

    def logical_or(self, x: Any, y: Any) -> Any:
        """Whether x or y differs from 0; NaN differs from 0."""

    def logical_xor(self, x: Any, y: Any) -> Any:
        """Whether exactly one of x and y differs from 0; NaN differs from 0."""

    def logical_not(self, x: Any) -> Any:
        """Whether x is 0."""

    def isnan(self, x: Any) -> Any:
        """Whether x is NaN; False for integers."""

    def isinf(self, x: Any) -> Any:
        """Whether x is ±∞; False for integers."""

    def isfinite(self, x: Any) -> Any:
        """Whether x is neither NaN nor ±∞; True for integers."""

    # ---------------------------------------------------------------- bits

    def bitwise_and(self, x: Any, y: Any) -> Any:
        """x & y, bit by bit; refuses floats."""

    def bitwise_or(self, x: Any, y: Any) -> Any:
        """x | y, bit by bit; refuses floats."""

    def bitwise_xor(self, x: Any, y: Any) -> Any:
        """x ^ y (exclusive or), bit by bit; refuses floats."""

    def bitwise_invert(self, x: Any) -> Any:
        """~x, every bit inverted; for booleans ¬x; refuses floats."""

    def left_shift(self, x: Any, y: Any) -> Any:
        """x·2ʸ modulo 2ᵇ, for integers of b bits; 0 for y < 0 and y ≥ b; refuses floats."""

    def right_shift(self, x: Any, y: Any) -> Any:
        """⌊x/2ʸ⌋; for y < 0 and y ≥ b, −1 if x < 0 and else 0; refuses floats."""

    # ---------------------------------------------------------------- dtypes

    def cast(self, x: Any, dtype: Any) -> Any:
        """x in another dtype; from floats to integers it truncates."""

    def ones_like(self, x: Any) -> Any:
        """1 in x's dtype."""

    def zeros_like(self, x: Any) -> Any:
        """0 in x's dtype."""


class ArrayMaths(Protocol):
    """Functions that depend on shapes: an engine that compiles the kinds needs none of these."""

    # ---------------------------------------------------------------- reductions

    def sum(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """Σ x over axes; 0 over no elements. Booleans and small integers give 64-bit integers."""

    def prod(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """Π x over axes; 1 over no elements. Booleans and small integers give 64-bit integers."""

    def max(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """The largest element over axes; NaN if any element is NaN."""

    def min(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """The smallest element over axes; NaN if any element is NaN."""

    def all(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """Whether all elements differ from 0; True over no elements."""

    def any(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """Whether any element differs from 0; False over no elements."""

    def argmax(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """The index of the first largest element, or of the first NaN."""

    def argmin(self, x: Any, axis: Any = None, keepdims: Any = False) -> Any:
        """The index of the first smallest element, or of the first NaN."""

    def matmul(self, x: Any, y: Any) -> Any:
        """Σₖ x[…, i, k]·y[…, k, j]; leading axes broadcast."""

    # ---------------------------------------------------------------- shapes and indices

    def asarray(self, x: Any) -> Any:
        """x as an array."""

    def arange(self, stop: Any) -> Any:
        """The integers from 0 to `stop` − 1."""

    def ones(self, shape: Any) -> Any:
        """An array of ones."""

    def zeros(self, shape: Any) -> Any:
        """An array of zeros."""

    def broadcast_to(self, x: Any, shape: Any) -> Any:
        """x repeated along axes of size 1 and along new leading axes."""

    def reshape(self, x: Any, shape: Any) -> Any:
        """The elements of x, in row-major order, in another shape; a size of −1 is inferred."""

    def squeeze(self, x: Any, axis: Any = None) -> Any:
        """x without the given axes, which have size 1, or without all axes of size 1."""

    def expand_dims(self, x: Any, axis: Any) -> Any:
        """x with new axes of size 1 at `axis`, counted in the result."""

    def transpose(self, x: Any, axes: Any = None) -> Any:
        """x with its axes in another order, by default the reverse."""

    def swapaxes(self, x: Any, axis1: Any, axis2: Any) -> Any:
        """x with two axes exchanged."""

    def concatenate(self, arrays: Any, axis: Any = 0) -> Any:
        """The arrays joined along an existing axis."""

    def stack(self, arrays: Any, axis: Any = 0) -> Any:
        """The arrays joined along a new axis."""

    def split(self, x: Any, ends: Any, axis: Any = 0) -> Any:
        """The pieces of x between the offsets `ends` along an axis."""

    def take(self, x: Any, indices: Any, axis: Any = None) -> Any:
        """The rows of x at the indices along an axis; negative indices count from the end."""

    def take_add(self, g: Any, indices: Any, axis: Any, size: Any) -> Any:
        """Zeros with `size` rows on `axis`, plus the rows of g added at their indices."""

    def slice_of(self, x: Any, index: Any) -> Any:
        """x[index] for a basic index."""

    def place(self, x: Any, shape: Any, index: Any) -> Any:
        """Zeros of `shape` with x at a basic index."""

    # ---------------------------------------------------------------- windows

    def windows(self, x: Any, size: Any, stride: Any, dilation: Any) -> Any:
        """The windows of x (n, c, *space) as (n, c, *places, *size)."""

    def unwindowed(self, parts: Any, space: Any, stride: Any, padding: Any, dilation: Any) -> Any:
        """The adjoint of `padded` followed by `windows`: overlapping parts are added."""

    def padded(self, x: Any, padding: Any, value: Any = 0) -> Any:
        """x (n, c, *space) padded with `value` on its spatial axes."""


class Maths(ElementwiseMaths, ArrayMaths, LibraryMaths, Protocol):
    """All functions of `m`; those of `LibraryMaths` only NumPy computes."""


def _names(group: type) -> tuple[str, ...]:
    return tuple(name for name in vars(group) if not name.startswith("_"))


ELEMENTWISE = _names(ElementwiseMaths)
ARRAYS = _names(ArrayMaths)
