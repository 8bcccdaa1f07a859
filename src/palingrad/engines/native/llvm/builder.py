"""The IR builder: LLVM's, with constant folding of 64-bit integers, and arithmetic emitted once;
intrinsics and shuffles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from llvmlite import ir

INT = ir.IntType(64)
INT32 = ir.IntType(32)


class Builder(ir.IRBuilder):
    """LLVM's builder, which folds constant sums, products and offsets of 64-bit integers. Kernels
    have many sizes of 1 and offsets of 0, and each omitted instruction saves compile time."""

    on_a_chain: bool = False  # whether what is emitted waits for what was, in a chain of operations
    _computed: tuple[Any, dict[Any, Any]] = (None, {})  # a block, and results in it by their keys

    def once(self, emit: Callable[..., Any], *operands: Any, how: Any = None) -> Any:
        """`emit(*operands)`, an instruction without effects, or its earlier result in this block
        for the same operands. `how`: what else determines the result, such as a type.

        LLVM's passes are chosen to be quick and don't do this (`_optimise` in target.py). Formulas
        that nodes share, such as that of GELU in its slope, are computed once this way.
        """
        block: Any = self.block
        if self._anchor != len(block.instructions):
            return emit(*operands)
        if self._computed[0] is not block:
            self._computed = block, {}
        key = (emit.__name__, how, *map(_identity, operands))
        known = self._computed[1]
        if key not in known:
            known[key] = emit(*operands)
        return known[key]

    def add(self, lhs: Any, rhs: Any, name: str = "") -> Any:
        """lhs + rhs."""
        a, b = _known(lhs), _known(rhs)
        if a is not None and b is not None:
            return ir.Constant(INT, a + b)
        if a == 0:
            return rhs
        return lhs if b == 0 else super().add(lhs, rhs, name)

    def sub(self, lhs: Any, rhs: Any, name: str = "") -> Any:
        """lhs − rhs."""
        return lhs if _known(rhs) == 0 else super().sub(lhs, rhs, name)

    def mul(self, lhs: Any, rhs: Any, name: str = "") -> Any:
        """lhs · rhs."""
        a, b = _known(lhs), _known(rhs)
        if a is not None and b is not None:
            return ir.Constant(INT, a * b)
        if a == 1 or b == 0:
            return rhs
        return lhs if b == 1 or a == 0 else super().mul(lhs, rhs, name)

    def sdiv(self, lhs: Any, rhs: Any, name: str = "") -> Any:
        """lhs / rhs, towards zero."""
        return lhs if _known(rhs) == 1 else super().sdiv(lhs, rhs, name)

    def srem(self, lhs: Any, rhs: Any, name: str = "") -> Any:
        """lhs − rhs·(lhs / rhs), with the sign of lhs."""
        return ir.Constant(INT, 0) if _known(rhs) == 1 else super().srem(lhs, rhs, name)

    def gep(self, ptr: Any, indices: Sequence[Any], *more: Any, **options: Any) -> Any:
        """The pointer, advanced by the indices; the pointer itself if the only index is 0."""
        if len(indices) == 1 and _known(indices[0]) == 0:
            return ptr
        return super().gep(ptr, indices, *more, **options)


def _identity(value: Any) -> Any:
    """What two operands have in common if they are the same: the text of a constant."""
    if isinstance(value, ir.Constant):
        return str(value.type), value.get_reference()
    return value if isinstance(value, str) else id(value)


def _known(value: Any) -> int | None:
    """The number, if the value is a small constant 64-bit integer, with which folding can't
    overflow; else None."""
    if type(value) is not ir.Constant or value.type is not INT:
        return None
    number = value.constant
    return number if type(number) is int and abs(number) < 1 << 31 else None


def declared(module: Any, name: str, result: Any, arguments: Sequence[Any]) -> Any:
    """The module's declaration of an intrinsic."""
    existing = module.globals.get(name)
    return existing or ir.Function(module, ir.FunctionType(result, arguments), name)


def shuffled(builder: Any, first: Any, second: Any, lanes: Sequence[int]) -> Any:
    """The vector of these lanes of two vectors, numbered through both."""
    return builder.shuffle_vector(first, second, _lane_numbers(tuple(lanes)))


@lru_cache(256)
def _lane_numbers(lanes: tuple[int, ...]) -> ir.Constant:
    numbers = [ir.Constant(INT32, lane) for lane in lanes]
    return ir.Constant(ir.VectorType(INT32, len(lanes)), numbers)
