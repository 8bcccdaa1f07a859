"""Operators on bits, and the functions of `m` that ONNX has under another name."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dtypes import is_boolean, is_floating, is_integer, is_unsigned
from .elementwise import BINARY, BITWISE, LOGICAL, UNARY
from .exponential import ExponentialOnnx

_BOOL = np.dtype(bool)
_COMPARES = ("less", "less_equal", "greater", "greater_equal", "equal")


class BitsOnnx(ExponentialOnnx):
    """Bitwise functions, shifts, and those of `UNARY`, `BINARY` and `LOGICAL`."""

    def unary(self, name: str, x: Any) -> Any:
        """A function of one argument that ONNX has."""
        if name in ("isnan", "isinf"):
            x = self.lift(x)
            if not is_floating(x.dtype):
                return self.broadcast_to(self.constant(np.False_), x.shape)
            if x.dtype == np.float16 and self.opset < 20:
                x = self.cast_to(x, np.dtype(np.float32))
            if name == "isinf" and self.opset < 10:
                return self.equal(self.absolute(x), np.inf)
            return self.elementwise(UNARY[name], x, dtype=_BOOL)
        (x,), dtype = self.resolved(name, x)
        if not is_floating(dtype) and name in ("floor", "ceil"):
            return x
        if is_boolean(dtype):
            return x
        return self.elementwise(UNARY[name], x, dtype=dtype)

    def binary(self, name: str, x: Any, y: Any) -> Any:
        """A function of two arguments that ONNX has."""
        for one, other in ((x, y), (y, x)):
            if name in _COMPARES and type(one) is int and _beyond(one, other.dtype):
                told = getattr(np, name)(*(np.zeros((), other.dtype) if z is other else z
                                           for z in (x, y)))  # fmt: skip
                return self.broadcast_to(self.constant(told), other.shape)
        (x, y), dtype = self.resolved(name, x, y)
        if name in _COMPARES and name != "equal" and is_boolean(x.dtype):
            x, y = (self.cast_to(one, np.dtype(np.int32)) for one in (x, y))
        return self.elementwise(BINARY[name], x, y, dtype=dtype)

    def logical(self, name: str, x: Any, y: Any) -> Any:
        """A function of truth values."""
        return self.elementwise(LOGICAL[name], self.truth(x), self.truth(y), dtype=_BOOL)

    def bitwise(self, name: str, x: Any, y: Any) -> Any:
        """A function of bits."""
        (x, y), dtype = self.resolved(name, x, y)
        op = BITWISE[name][not is_boolean(dtype)]
        return self.elementwise(op, x, y, dtype=dtype)

    def bitwise_invert(self, x: Any) -> Any:
        """~x."""
        x = self.lift(x)
        op = "Not" if is_boolean(x.dtype) else "BitwiseNot"
        return self.elementwise(op, x, dtype=x.dtype)

    def left_shift(self, x: Any, y: Any) -> Any:
        """x·2ʸ modulo 2ᵇ; 0 for y < 0 and y ≥ b."""
        (x, y), dtype = self.resolved("left_shift", x, y)
        shifted = self._shifted(x, y, "LEFT")
        return self._within(y, dtype, shifted, 0)

    def right_shift(self, x: Any, y: Any) -> Any:
        """⌊x/2ʸ⌋; for y < 0 and y ≥ b, −1 if x < 0 and else 0."""
        (x, y), dtype = self.resolved("right_shift", x, y)
        if is_unsigned(dtype):
            return self._within(y, dtype, self._shifted(x, y, "RIGHT"), 0)
        mask = self.negative(self.cast_to(self.less(x, 0), dtype))  # −1 where x < 0
        shifted = self.bitwise_xor(self._shifted(self.bitwise_xor(x, mask), y, "RIGHT"), mask)
        return self._within(y, dtype, shifted, mask)

    def _shifted(self, x: Any, y: Any, direction: str) -> Any:
        bits = 8 * x.dtype.itemsize
        wide = np.dtype(np.uint64 if bits == 64 else np.uint32)
        one, two = self.cast_to(x, wide), self.cast_to(y, wide)
        two = self.minimum(two, np.asarray(bits - 1, wide))
        shifted = self.elementwise("BitShift", one, two, dtype=wide, direction=direction)
        return self.cast_to(shifted, x.dtype)

    def _within(self, y: Any, dtype: Any, shifted: Any, otherwise: Any) -> Any:
        """`shifted` where 0 ≤ y < b; `otherwise` elsewhere, chosen by products of bits."""
        bits = 8 * dtype.itemsize
        inside = self.less(y, np.asarray(bits, dtype))
        if not is_unsigned(dtype):
            inside = self.logical_and(inside, self.greater_equal(y, np.asarray(0, dtype)))
        if (found := self.block_constant(y)) is not None and np.all((found >= 0) & (found < bits)):
            return shifted
        chosen = self.cast_to(inside, dtype)
        rest = self.lift(otherwise, dtype)
        return chosen * shifted + (np.asarray(1, dtype) - chosen) * rest

    def block_constant(self, x: Any) -> Any:
        """The array of a constant, else None."""
        block: Any = self.block
        while block is not None:
            if x.name in block.constants:
                return block.constants[x.name]
            block = block.parent
        return None

    def bitwise_count(self, x: Any) -> Any:
        """The number of ones among the bits of |x|, as uint8."""
        x = self.lift(x)
        size = x if is_unsigned(x.dtype) or is_boolean(x.dtype) else self.absolute(x)
        wide = np.dtype(np.uint64)
        bits, total = self.cast_to(size, wide), self.lift(0, wide)
        for place in range(8 * x.dtype.itemsize):
            total = total + self.bitwise_and(self.right_shift(bits, place), 1)
        return self.cast_to(total, np.dtype(np.uint8))

    def broadcast_to(self, x: Any, shape: Any) -> Any:
        """x repeated along axes."""
        raise NotImplementedError


def _beyond(number: int, dtype: Any) -> bool:
    """Whether a number is outside of the integers of a dtype, with which it may be compared."""
    if not is_integer(dtype):
        return False
    return not np.iinfo(dtype).min <= number <= np.iinfo(dtype).max


def _named(kind: str, name: str) -> Any:
    return lambda self, *xs: getattr(self, kind)(name, *xs)


for _kind, _table in (
    ("unary", UNARY), ("binary", BINARY), ("logical", LOGICAL), ("bitwise", BITWISE)
):  # fmt: skip
    for _name in _table:
        setattr(BitsOnnx, _name, _named(_kind, _name))
