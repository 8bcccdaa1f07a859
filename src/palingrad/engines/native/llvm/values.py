"""Values in generated code: scalars or vectors of a NumPy dtype, with Python's operators."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from llvmlite import ir

from ....dtypes import DType, bool_, is_boolean, is_floating, is_signed, promote
from .builder import declared, shuffled
from .target import host

_TYPES: dict[str, Any] = {
    "b1": ir.IntType(1), "i1": ir.IntType(8), "i2": ir.IntType(16), "i4": ir.IntType(32),
    "i8": ir.IntType(64), "u1": ir.IntType(8), "u2": ir.IntType(16), "u4": ir.IntType(32),
    "u8": ir.IntType(64), "f4": ir.FloatType(), "f8": ir.DoubleType(),
}  # fmt: skip


def supported(dtype: Any) -> bool:
    """Whether generated code supports this dtype."""
    return dtype is not None and f"{dtype.kind}{dtype.itemsize}" in _TYPES


def scalar_type(dtype: DType) -> Any:
    """The LLVM type of one element in a register: booleans are one bit."""
    return _TYPES[f"{dtype.kind}{dtype.itemsize}"]


def value_type(dtype: DType, lanes: int) -> Any:
    """The LLVM type of `lanes` elements in a register."""
    element = scalar_type(dtype)
    return element if lanes == 1 else ir.VectorType(element, lanes)


def constant(dtype: DType, number: Any, lanes: int) -> ir.Constant:
    """A number in every lane."""
    python = float(number) if is_floating(dtype) else int(number)
    return _repeated(scalar_type(dtype), repr(python), lanes)


@lru_cache(1024)  # bounded, because constants would accumulate from program to program
def _repeated(element: Any, number: str, lanes: int) -> ir.Constant:
    """A cached constant, since printing it is slow; its key is text, because −0.0 == 0.0."""
    one = ir.Constant(element, int(number) if isinstance(element, ir.IntType) else float(number))
    return one if lanes == 1 else ir.Constant(ir.VectorType(element, lanes), [one] * lanes)


class Value:
    """`lanes` elements of a dtype; operators emit instructions at the builder's position."""

    __array_ufunc__ = None

    def __init__(self, builder: Any, code: Any, dtype: DType, lanes: int) -> None:
        self.builder, self.code, self.dtype, self.lanes = builder, code, dtype, lanes
        self.one: Value | None = None  # the scalar in every lane, if this is a broadcast

    def like(self, code: Any, dtype: DType | None = None) -> Value:
        """A value with the same number of lanes and, by default, the same dtype."""
        return Value(self.builder, code, dtype or self.dtype, self.lanes)

    def number(self, number: Any, dtype: DType | None = None) -> Value:
        """A constant of this value's dtype, in the same number of lanes."""
        dtype = dtype or self.dtype
        return self.like(constant(dtype, number, self.lanes), dtype)

    def unless_nan(self, rare: Callable[[], Value]) -> Value:
        """This value, but where it is NaN that of `rare`. If the builder is on a chain of dependent
        instructions, the code jumps to `rare`, so that nothing waits for the comparisons."""
        if not is_floating(self.dtype):
            return self
        b, wrong = self.builder, self != self
        if not b.on_a_chain:
            return chosen(wrong, rare(), self)
        found, bits = wrong.code, self.lanes
        if bits > 1:
            found = b.bitcast(found, ir.IntType(bits))
            found = b.icmp_unsigned("!=", found, ir.Constant(ir.IntType(bits), 0))
        before = b.block
        with b.if_then(found, likely=False):
            other, inside = chosen(wrong, rare(), self), b.block
        result = b.phi(self.code.type)
        result.add_incoming(self.code, before)
        result.add_incoming(other.code, inside)
        return self.like(result)

    @property
    def known(self) -> Any:
        """The number, if this value is a constant with the same number in every lane; else None."""
        if not isinstance(self.code, ir.Constant):
            return None
        number = self.code.constant
        return number[0].constant if isinstance(number, list) else number

    def coerced(self, other: Any) -> Value:
        """`other` as an operand of this value: a Python number takes this dtype."""
        return other if isinstance(other, Value) else self.number(other)

    def pair(self, other: Any) -> tuple[Value, Value]:
        """Both operands in one dtype."""
        other = self.coerced(other)
        if other.dtype == self.dtype:
            return self, other
        dtype = promote(self.dtype, other.dtype)
        return self.cast(dtype), other.cast(dtype)

    def binary(self, other: Any, floats: str, integers: str, unsigned: str = "") -> Value:
        """One instruction on two operands, named for floats and for integers."""
        a, b = self.pair(other)
        if is_floating(a.dtype):
            name = floats
        else:
            name = integers if is_signed(a.dtype) else unsigned or integers
        return a.like(a.builder.once(getattr(a.builder, name), a.code, b.code))

    def compared(self, other: Any, sign: str) -> Value:
        """A comparison, as booleans; with NaN only != is true."""
        a, b = self.pair(other)
        if is_floating(a.dtype):
            how = a.builder.fcmp_unordered if sign == "!=" else a.builder.fcmp_ordered
        else:
            how = a.builder.icmp_signed if is_signed(a.dtype) else a.builder.icmp_unsigned
        return a.like(a.builder.once(how, sign, a.code, b.code), bool_)

    def called(self, name: str, *others: Value) -> Value:
        """An LLVM intrinsic on values of this type."""
        element = f"{'f' if is_floating(self.dtype) else 'i'}{8 * self.dtype.itemsize}"
        suffix = element if self.lanes == 1 else f"v{self.lanes}{element}"
        module, full = self.builder.module, f"llvm.{name}.{suffix}"
        arguments = [self.code, *(other.code for other in others)]
        types = [argument.type for argument in arguments]
        function = declared(module, full, self.code.type, types)

        def call(*operands: Any) -> Any:
            return self.builder.call(function, operands)

        return self.like(self.builder.once(call, *arguments, how=full))

    def estimate(self, name: str) -> Value:
        """AVX-512's estimate of a function to 14 bits, of a whole vector of float32."""
        module, full, mask = self.builder.module, f"llvm.x86.avx512.{name}.ps.512", ir.IntType(16)
        vector = self.code.type
        function = declared(module, full, vector, [vector, vector, mask])
        nothing = ir.Constant(vector, ir.Undefined)
        return self.like(self.builder.call(function, [self.code, nothing, mask(0xFFFF)]))

    def cast(self, dtype: DType) -> Value:
        """This value converted to another dtype, as NumPy does."""
        if dtype == self.dtype:
            return self
        if dtype == bool_:
            return self.compared(0, "!=")
        b, code, to = self.builder, self.code, value_type(dtype, self.lanes)
        if is_floating(self.dtype) and is_floating(dtype):
            wider = dtype.itemsize > self.dtype.itemsize
            return self.like((b.fpext if wider else b.fptrunc)(code, to), dtype)
        if is_floating(self.dtype):
            return self._to_integer(dtype)
        if is_floating(dtype):
            how = b.sitofp if is_signed(self.dtype) else b.uitofp
            return self.like(how(code, to), dtype)
        bits = 1 if is_boolean(self.dtype) else 8 * self.dtype.itemsize
        if 8 * dtype.itemsize == bits:
            return self.like(code, dtype)
        if 8 * dtype.itemsize < bits:
            return self.like(b.trunc(code, to), dtype)
        return self.like((b.sext if is_signed(self.dtype) else b.zext)(code, to), dtype)

    def _to_integer(self, dtype: DType) -> Value:
        """Rounds towards zero; out-of-range numbers saturate, and NaN becomes 0."""
        to = value_type(dtype, self.lanes)
        sign = "s" if is_signed(dtype) else "u"
        lanes = "" if self.lanes == 1 else f"v{self.lanes}"
        full = (
            f"llvm.fpto{sign}i.sat.{lanes}i{8 * dtype.itemsize}.{lanes}f{8 * self.dtype.itemsize}"
        )
        function = declared(self.builder.module, full, to, [self.code.type])
        return self.like(self.builder.call(function, [self.code]), dtype)

    def bits(self, dtype: DType) -> Value:
        """The same bits as another dtype of the same size."""
        to = value_type(dtype, self.lanes)

        def bitcast(code: Any) -> Any:
            return self.builder.bitcast(code, to)

        return self.like(self.builder.once(bitcast, self.code, how=str(to)), dtype)

    def fma(self, factor: Any, addend: Any) -> Value:
        """self · factor + addend, rounded once."""
        return self.called("fma", self.coerced(factor), self.coerced(addend))

    def fused(self, factor: Value, addend: Value) -> Value:
        """self · factor + addend: rounded once where the CPU can; of integers modulo 2ᵇ."""
        if not is_floating(self.dtype):
            return self * factor + addend
        return self.called(host().fused, factor, addend)

    # ---------------------------------------------------------------- Python's operators

    def __add__(self, other: Any) -> Value:
        a, b = self.pair(other)
        return a | b if a.dtype == bool_ else a.binary(b, "fadd", "add", "add")  # True + True: True

    def __sub__(self, other: Any) -> Value:
        return self.binary(other, "fsub", "sub", "sub")

    def __mul__(self, other: Any) -> Value:
        return self.binary(other, "fmul", "mul", "mul")

    def __truediv__(self, other: Any) -> Value:
        return self.binary(other, "fdiv", "sdiv", "udiv")

    def __radd__(self, other: Any) -> Value:
        return self.coerced(other) + self

    def __rsub__(self, other: Any) -> Value:
        return self.coerced(other) - self

    def __rmul__(self, other: Any) -> Value:
        return self.coerced(other) * self

    def __rtruediv__(self, other: Any) -> Value:
        return self.coerced(other) / self

    def __neg__(self) -> Value:
        return (
            self.like(self.builder.once(self.builder.fneg, self.code))
            if is_floating(self.dtype)
            else self.number(0) - self
        )

    def __and__(self, other: Any) -> Value:
        return self.binary(other, "and_", "and_", "and_")

    def __or__(self, other: Any) -> Value:
        return self.binary(other, "or_", "or_", "or_")

    def __xor__(self, other: Any) -> Value:
        return self.binary(other, "xor", "xor", "xor")

    def __invert__(self) -> Value:
        return self.like(self.builder.not_(self.code))

    def __lshift__(self, other: Any) -> Value:
        return self.binary(other, "shl", "shl", "shl")

    def __rshift__(self, other: Any) -> Value:
        return self.binary(other, "ashr", "ashr", "lshr")

    def __lt__(self, other: Any) -> Value:
        return self.compared(other, "<")

    def __le__(self, other: Any) -> Value:
        return self.compared(other, "<=")

    def __gt__(self, other: Any) -> Value:
        return self.compared(other, ">")

    def __ge__(self, other: Any) -> Value:
        return self.compared(other, ">=")

    def __eq__(self, other: Any) -> Value:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.compared(other, "==")

    def __ne__(self, other: Any) -> Value:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self.compared(other, "!=")

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        raise TypeError("a value in generated code is not known yet")


def chosen(condition: Value, x: Value, y: Value) -> Value:
    """x where the condition holds, else y."""
    x, y = x.pair(y)
    return x.like(x.builder.once(x.builder.select, condition.code, x.code, y.code))


def transposed(rows: list[Value]) -> list[Value]:
    """The transpose of a square of vectors: lane j of vector i becomes lane i of vector j.

    Interleaves the first half of the vectors with the second half, log₂ n times.
    """
    lanes, b = rows[0].lanes, rows[0].builder
    low = [lane // 2 + (lanes if lane % 2 else 0) for lane in range(lanes)]
    high = [lanes // 2 + lane for lane in low]
    for _ in range(lanes.bit_length() - 1):
        half = lanes // 2
        rows = [
            first.like(shuffled(b, first.code, second.code, part))
            for first, second in zip(rows[:half], rows[half:], strict=True)
            for part in (low, high)
        ]
    return rows
