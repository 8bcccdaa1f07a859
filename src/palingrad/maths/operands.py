"""Symbolic operands whose operators call functions of `m`: `x * y` calls `m.multiply(x, y)`.

NumPy arrays have operators of their own. Symbolic operands, which stand for arrays while a formula
is read, printed or drawn, inherit from `Operand`, so that all of them support the same operators.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

BINARY = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide",
    "floordiv": "floor_divide", "mod": "mod", "pow": "power", "and": "bitwise_and",
    "or": "bitwise_or", "xor": "bitwise_xor", "lshift": "left_shift", "rshift": "right_shift",
    "matmul": "matmul",
}  # fmt: skip
COMPARISONS = {
    "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
    "eq": "equal", "ne": "not_equal",
}  # fmt: skip
UNARY = {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "bitwise_invert"}


class Operand:
    """A symbolic operand of a formula. Subclasses implement `applied`."""

    __hash__ = object.__hash__

    def applied(self, name: str, *operands: Any) -> Any:
        """The result of the function `name` of `m` on these operands; `self` is one of them."""
        raise NotImplementedError(f"{type(self).__name__} needs applied(name, *operands)")

    def __pow__(self, other: Any) -> Any:
        """xʸ. For y = 2, x², as in NumPy, which gives 8-bit integers for booleans."""
        if type(other) is int and other == 2:
            return self.applied("square", self)
        return self.applied("power", self, other)


def _unary(name: str) -> Callable[[Operand], Any]:
    return lambda self: self.applied(name, self)


def _binary(name: str) -> Callable[[Operand, Any], Any]:
    return lambda self, other: self.applied(name, self, other)


def _swapped(name: str) -> Callable[[Operand, Any], Any]:
    return lambda self, other: self.applied(name, other, self)


for _python, _name in BINARY.items():
    if _python != "pow":
        setattr(Operand, f"__{_python}__", _binary(_name))
    setattr(Operand, f"__r{_python}__", _swapped(_name))
for _python, _name in COMPARISONS.items():
    setattr(Operand, f"__{_python}__", _binary(_name))
for _python, _name in UNARY.items():
    setattr(Operand, f"__{_python}__", _unary(_name))
