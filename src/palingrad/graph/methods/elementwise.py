"""Methods that compute each element from one element, and products."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from ...messages.calls import public
from ..registry import ops
from .call import attribute, method

if TYPE_CHECKING:
    from ..node import Node

# Of no arguments; a formula f(m, x), which type checkers take for a method, calls m.exp(x).
Pointwise = Callable[..., "Node"]


class ElementwiseMethods:
    """Methods that compute each element from one element, and products."""

    abs: ClassVar[Pointwise] = method("abs")
    ceil: ClassVar[Pointwise] = method("ceil")
    cos: ClassVar[Pointwise] = method("cos")
    cosh: ClassVar[Pointwise] = method("cosh")
    exp: ClassVar[Pointwise] = method("exp")
    expm1: ClassVar[Pointwise] = method("expm1")
    floor: ClassVar[Pointwise] = method("floor")
    isfinite: ClassVar[Pointwise] = method("isfinite")
    isinf: ClassVar[Pointwise] = method("isinf")
    isnan: ClassVar[Pointwise] = method("isnan")
    log: ClassVar[Pointwise] = method("log")
    log10: ClassVar[Pointwise] = method("log10")
    log1p: ClassVar[Pointwise] = method("log1p")
    log2: ClassVar[Pointwise] = method("log2")
    reciprocal: ClassVar[Pointwise] = method("reciprocal")
    relu: ClassVar[Pointwise] = method("relu")
    sigmoid: ClassVar[Pointwise] = method("sigmoid")
    sign: ClassVar[Pointwise] = method("sign")
    sin: ClassVar[Pointwise] = method("sin")
    sinh: ClassVar[Pointwise] = method("sinh")
    sqrt: ClassVar[Pointwise] = method("sqrt")
    square: ClassVar[Pointwise] = method("square")
    tan: ClassVar[Pointwise] = method("tan")
    tanh: ClassVar[Pointwise] = method("tanh")
    trunc: ClassVar[Pointwise] = method("trunc")
    conj: ClassVar[Pointwise] = method("conj")
    conjugate: ClassVar[Pointwise] = method("conj")

    @attribute
    def real(self) -> Node:
        """The real part."""
        return ops.real(self)

    @attribute
    def imag(self) -> Node:
        """The imaginary part."""
        return ops.imag(self)

    @public
    def astype(self, dtype: Any, *, copy: bool = True) -> Node:
        """The elements in another dtype. `copy` has no effect: values don't change."""
        return ops.cast(self, dtype)

    @public
    def round(self, decimals: int = 0) -> Node:
        """The elements rounded to a number of decimals."""
        return ops.round(self, decimals)

    @public
    def clip(self, min: Any = None, max: Any = None) -> Node:
        """The elements, not below `min` and not above `max`."""
        return ops.clip(self, min, max)

    @public
    def dot(self, other: Any) -> Node:
        """The dot product with another array."""
        return ops.dot(self, other)

    def __round__(self, ndigits: int | None = None) -> Node:
        return ops.round(self, ndigits or 0)

    def __trunc__(self) -> int:  # that of a number: math.trunc
        return int(self)

    def __divmod__(self, other: Any) -> tuple[Node, Node]:
        return ops.floor_divide(self, other), ops.remainder(self, other)

    def __rdivmod__(self, other: Any) -> tuple[Node, Node]:
        return ops.floor_divide(other, self), ops.remainder(other, self)
