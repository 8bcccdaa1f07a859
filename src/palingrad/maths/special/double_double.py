"""Double-double arithmetic: unevaluated sums hi + lo of two doubles, about 106 bits.

The error-free transformations are those of Dekker, "A floating-point technique for extending the
available precision", Numer. Math. 18 (1971), and Knuth, TAOCP vol. 2, section 4.2.2. Numbers whose
square overflows or underflows aren't exact here; callers keep away from them.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

_SPLITTER = 134217729.0  # 2²⁷ + 1


class Wide(NamedTuple):
    """hi + lo, elementwise, with |lo| at most half a unit in the last place of hi."""

    hi: Any
    lo: Any

    def __add__(self, other: Any) -> Wide:  # pyright: ignore[reportIncompatibleMethodOverride]
        if not isinstance(other, Wide):
            s, e = two_sum(self.hi, other)
            return Wide(*quick_sum(s, e + self.lo))
        s, e = two_sum(self.hi, other.hi)
        t, f = two_sum(self.lo, other.lo)
        s, e = quick_sum(s, e + t)
        return Wide(*quick_sum(s, e + f))

    __radd__ = __add__

    def __neg__(self) -> Wide:
        return Wide(-self.hi, -self.lo)

    def __sub__(self, other: Any) -> Wide:
        return self + -other

    def __rsub__(self, other: Any) -> Wide:
        return wide(other) + -self

    def __mul__(self, other: Any) -> Wide:  # pyright: ignore[reportIncompatibleMethodOverride]
        if not isinstance(other, Wide):
            p, e = two_product(self.hi, other)
            return Wide(*quick_sum(p, e + self.lo * other))
        p, e = two_product(self.hi, other.hi)
        return Wide(*quick_sum(p, e + (self.hi * other.lo + self.lo * other.hi)))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Wide:
        b = wide(other)
        first = self.hi / b.hi
        rest = self - b * first
        second = rest.hi / b.hi
        rest = rest - b * second
        return Wide(*quick_sum(first, second)) + rest.hi / b.hi

    def __rtruediv__(self, other: Any) -> Wide:
        return wide(other) / self

    @property
    def value(self) -> Any:
        """The nearest double."""
        return self.hi + self.lo


def wide(x: Any) -> Wide:
    """x as a double-double number."""
    return x if isinstance(x, Wide) else Wide(np.asarray(x, np.float64), 0.0)


def stacked(*x: Wide) -> Wide:
    """The numbers side by side on a new first axis: one call computes a function of all of them."""
    hi = np.broadcast_arrays(*[one.hi for one in x])
    lo = [np.broadcast_to(one.lo, hi[0].shape) for one in x]
    return Wide(np.stack(hi), np.stack(lo))


def apart(x: Wide) -> list[Wide]:
    """The numbers that `stacked` put side by side."""
    return [Wide(hi, lo) for hi, lo in zip(x.hi, x.lo, strict=True)]


def exactly(x: Fraction) -> Wide:
    """A rational number as a double-double number."""
    hi = float(x)
    return Wide(hi, float(x - Fraction(hi)))


def two_sum(a: Any, b: Any) -> tuple[Any, Any]:
    """a + b as the rounded sum and its exact error."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def quick_sum(a: Any, b: Any) -> tuple[Any, Any]:
    """The same for |a| ≥ |b|."""
    s = a + b
    return s, b - (s - a)


def two_product(a: Any, b: Any) -> tuple[Any, Any]:
    """a·b as the rounded product and its exact error."""
    p = a * b
    t = _SPLITTER * a
    ah = t - (t - a)
    al = a - ah
    t = _SPLITTER * b
    bh = t - (t - b)
    bl = b - bh
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


PI = Wide(math.pi, 1.2246467991473532e-16)
LOG2 = Wide(math.log(2), 2.3190468138462996e-17)
HALF_LOG_2PI = Wide(0.9189385332046728, -3.8782941580672414e-17)
_INVERSE_FACTORIALS = [exactly(Fraction(1, math.factorial(k))) for k in range(28)]
_TAIL = [1 / math.factorial(k) for k in range(13, 5, -1)]
_PARTS = 32  # of an octave
_ROOTS = stacked(*(  # 2^(k/32), rounded from integers of 120 bits
    exactly(Fraction(math.isqrt(math.isqrt(math.isqrt(math.isqrt(math.isqrt(
        1 << (32 * 120 + k)))))), 1 << 120)) for k in range(_PARTS)
))  # fmt: skip


def series(coefficients: Any, x: Wide) -> Wide:
    """Σ cₖ xᵏ, by Horner's scheme, where each term is larger than the sum of those after it."""
    total = wide(coefficients[-1])
    for c in map(wide, reversed(coefficients[:-1])):
        rest = total * x
        s, e = quick_sum(c.hi, rest.hi)
        total = Wide(*quick_sum(s, e + (c.lo + rest.lo)))
    return total


def exp(x: Wide) -> Wide:
    """eˣ with a relative error of about 1e-27: 2ᵏ·2^(j/32)·eʳ with |r| ≤ log 2 / 64."""
    steps = np.rint(np.clip(x.hi, -800, 800) * (_PARTS / LOG2.hi))
    r = x - Wide(LOG2.hi / _PARTS, LOG2.lo / _PARTS) * steps
    rest = np.polyval(_TAIL, r.hi)  # its terms are so small that doubles suffice
    small = series([*_INVERSE_FACTORIALS[1:6], wide(rest)], r) * r  # eʳ − 1
    k = np.floor(steps / _PARTS)
    j = np.where(steps == steps, steps - k * _PARTS, 0).astype(np.intp)  # 0 for NaN
    root = Wide(_ROOTS.hi[j], _ROOTS.lo[j])
    y = root + root * small
    half = np.trunc(k / 2)
    scale, rest = np.exp2(half), np.exp2(k - half)
    huge, none = x.hi > 720, x.hi < -760
    hi = np.where(huge, np.inf, np.where(none, 0.0, y.hi * scale * rest))
    return Wide(hi, np.where(huge | none | ~np.isfinite(hi), 0.0, y.lo * scale * rest))


def log(x: Wide) -> Wide:
    """log x for x > 0: one step of Newton's method from the double nearest to it."""
    mantissa, exponent = np.frexp(x.hi)
    reduced = Wide(mantissa, np.ldexp(x.lo, -exponent))
    first = np.log(mantissa)
    rest = reduced * exp(wide(-first)) - 1  # e^δ − 1 with |δ| of about 1e-16
    return LOG2 * exponent + (rest - rest * rest * 0.5 + first)


def log1p(x: Wide) -> Wide:
    """log(1 + x), without cancellation near 0."""
    near = np.abs(x.hi) < 1e-3
    tiny = Wide(np.where(near, x.hi, 0.0), np.where(near, x.lo, 0.0))
    s = tiny / (tiny + 2)  # 2 artanh s = 2(s + s³/3 + …)
    odd = series(_ODD, s * s) * s * 2
    rest = x + 1
    far = log(Wide(np.where(near, 1.0, rest.hi), np.where(near, 0.0, rest.lo)))
    return Wide(np.where(near, odd.hi, far.hi), np.where(near, odd.lo, far.lo))


_ODD = [exactly(Fraction(1, 2 * k + 1)) for k in range(7)]


def sin_pi(x: Wide) -> Wide:
    """sin πx for |x| ≤ ¼, by its Taylor series."""
    y = PI * x
    terms = [_INVERSE_FACTORIALS[2 * k + 1] for k in range(13)]
    return series([c if k % 2 == 0 else -c for k, c in enumerate(terms)], y * y) * y


def cos_pi(x: Wide) -> Wide:
    """cos πx for |x| ≤ ¼, by its Taylor series."""
    y = PI * x
    terms = [_INVERSE_FACTORIALS[2 * k] for k in range(14)]
    return series([c if k % 2 == 0 else -c for k, c in enumerate(terms)], y * y)
