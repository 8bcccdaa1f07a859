"""Exponentials, logarithms and angles, composed of what ONNX has, without cancellation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...maths.numpy import ERF_SMALL, ERFC_LARGE, ERFC_MIDDLE
from .elementwise import ElementwiseOnnx


class ExponentialOnnx(ElementwiseOnnx):
    """Functions that ONNX lacks or has for float32 alone."""

    def exp2(self, x: Any) -> Any:
        """2ˣ."""
        (x,), dtype = self.resolved("exp2", x)
        return self.elementwise("Pow", self.lift(2.0, dtype), x, dtype=dtype)

    def expm1(self, x: Any) -> Any:
        """eˣ − 1 = tanh(x/2)·(eˣ + 1), without cancellation near 0."""
        (x,), _ = self.resolved("expm1", x)
        return self.tanh(0.5 * x) * (self.exp(x) + 1.0)

    def log1p(self, x: Any) -> Any:
        """log(1 + x) = log u · x/(u − 1), u = 1 + x rounded (Kahan)."""
        (x,), _ = self.resolved("log1p", x)
        u = x + 1.0
        d = u - 1.0
        exact = self.logical_or(self.equal(d, 0.0), self.equal(x, math.inf))
        return self.where(exact, x, self.log(u) * (x / self.where(exact, 1.0, d)))

    def log2(self, x: Any) -> Any:
        """log₂ x."""
        (x,), _ = self.resolved("log2", x)
        return self.log(x) * (1.0 / math.log(2.0))

    def log10(self, x: Any) -> Any:
        """log₁₀ x."""
        (x,), _ = self.resolved("log10", x)
        return self.log(x) * (1.0 / math.log(10.0))

    def logaddexp(self, x: Any, y: Any) -> Any:
        """log(eˣ + eʸ) without overflow."""
        (x, y), _ = self.resolved("logaddexp", x, y)
        d = self.absolute(self.subtract(x, y))
        total = self.maximum(x, y) + self.log1p(self.exp(-d))
        return self.where(self.equal(x, y), x + math.log(2.0), total)

    def arctan2(self, y: Any, x: Any) -> Any:
        """The angle of the point (x, y)."""
        (y, x), _ = self.resolved("arctan2", y, x)
        a, b = self.absolute(y), self.absolute(x)
        steep = self.greater(a, b)
        low, high = self.minimum(a, b), self.maximum(a, b)
        both = self.logical_or(self.equal(high, 0.0), self.equal(low, math.inf))
        ratio = low / self.where(both, 1.0, high)
        ratio = self.where(self.equal(low, math.inf), 1.0, ratio)
        ratio = self.where(self.equal(high, 0.0), 0.0, ratio)
        angle = self.arctan(ratio)
        angle = self.where(steep, math.pi / 2 - angle, angle)
        angle = self.where(self.signbit(x), math.pi - angle, angle)
        angle = self.where(self.logical_or(self.isnan(x), self.isnan(y)), math.nan, angle)
        return self.copysign(angle, y)

    def erf(self, x: Any) -> Any:
        """erf x; of float64 by Cody's rational approximations, as NumPy's here."""
        (x,), dtype = self.resolved("exp", x)
        if dtype.itemsize < 8:
            return self.elementwise("Erf", x, dtype=dtype)
        size = self.absolute(x)
        above, slope = self._of_size(self.minimum(size, 30.0))
        large = self.sign(x) * (1.0 - above)
        return self.where(self.less_equal(size, 0.46875), x * slope, large)

    def erfc(self, x: Any) -> Any:
        """erfc x = 1 − erf x without cancellation, computed in float64 (Cody 1969)."""
        (x,), dtype = self.resolved("exp", x)
        wide = self.cast_to(x, np.dtype(np.float64))
        few, _ = self._of_size(self.minimum(self.absolute(wide), 30.0))
        return self.cast_to(self.where(self.less(wide, 0.0), 2.0 - few, few), dtype)

    def _of_size(self, size: Any) -> tuple[Any, Any]:
        """erfc x for 0 ≤ x ≤ 30, and erf x / x for x ≤ ½: see `maths/numpy.py`."""
        square = size * size
        coarse = self.trunc(size * 16.0) * 0.0625
        decay = self.exp(-coarse * coarse) * self.exp(-(size - coarse) * (size + coarse))
        inverse = 1.0 / self.maximum(square, 16.0)
        slope = _rational(self.minimum(square, 0.25), ERF_SMALL)
        centre = decay * _rational(self.minimum(size, 4.0), ERFC_MIDDLE)
        tail = 1 / math.sqrt(math.pi) - inverse * _rational(inverse, ERFC_LARGE)
        large = decay / self.maximum(size, 4.0) * tail
        few = self.where(self.less_equal(size, 4.0), centre, large)
        return self.where(self.less_equal(size, 0.46875), 1.0 - size * slope, few), slope


def _rational(x: Any, table: Any) -> Any:
    values: list[Any] = []
    for coefficients in table:
        total = coefficients[0] * x
        for c in coefficients[1:-1]:
            total = (total + c) * x
        values.append(total + coefficients[-1])
    return values[0] / values[1]
