"""Methods that compute each element from one element, and products."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ...messages.calls import public
from ..registry import ops
from .call import Pointwise, attribute, method

if TYPE_CHECKING:
    from ..node import Node


class ElementwiseMethods:
    """Methods that compute each element from one element, and products."""

    abs: ClassVar[Pointwise] = method("abs", Pointwise)
    ceil: ClassVar[Pointwise] = method("ceil", Pointwise)
    cos: ClassVar[Pointwise] = method("cos", Pointwise)
    cosh: ClassVar[Pointwise] = method("cosh", Pointwise)
    exp: ClassVar[Pointwise] = method("exp", Pointwise)
    expm1: ClassVar[Pointwise] = method("expm1", Pointwise)
    floor: ClassVar[Pointwise] = method("floor", Pointwise)
    isfinite: ClassVar[Pointwise] = method("isfinite", Pointwise)
    isinf: ClassVar[Pointwise] = method("isinf", Pointwise)
    isnan: ClassVar[Pointwise] = method("isnan", Pointwise)
    log: ClassVar[Pointwise] = method("log", Pointwise)
    log10: ClassVar[Pointwise] = method("log10", Pointwise)
    log1p: ClassVar[Pointwise] = method("log1p", Pointwise)
    log2: ClassVar[Pointwise] = method("log2", Pointwise)
    reciprocal: ClassVar[Pointwise] = method("reciprocal", Pointwise)
    relu: ClassVar[Pointwise] = method("relu", Pointwise)
    sigmoid: ClassVar[Pointwise] = method("sigmoid", Pointwise)
    sign: ClassVar[Pointwise] = method("sign", Pointwise)
    sin: ClassVar[Pointwise] = method("sin", Pointwise)
    sinh: ClassVar[Pointwise] = method("sinh", Pointwise)
    sqrt: ClassVar[Pointwise] = method("sqrt", Pointwise)
    square: ClassVar[Pointwise] = method("square", Pointwise)
    tan: ClassVar[Pointwise] = method("tan", Pointwise)
    tanh: ClassVar[Pointwise] = method("tanh", Pointwise)
    trunc: ClassVar[Pointwise] = method("trunc", Pointwise)
    conj: ClassVar[Pointwise] = method("conj", Pointwise)
    conjugate: ClassVar[Pointwise] = method("conj", Pointwise)

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

    def __divmod__(self, other: Any) -> tuple[Node, Node]:
        return ops.floor_divide(self, other), ops.remainder(self, other)

    def __rdivmod__(self, other: Any) -> tuple[Node, Node]:
        return ops.floor_divide(other, self), ops.remainder(other, self)
