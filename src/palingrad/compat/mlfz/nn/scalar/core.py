"""Scalar: a number with a gradient."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

from .....graph.registry import ops
from .....scalars.recording import ScalarOperation, code_of
from .....scalars.scalar import Scalar as Recorded


class Edge(NamedTuple):
    """An operand, and the derivative of the result by it."""

    prev: Any
    local_grad: float


_DIVIDE = code_of("/", lambda: ScalarOperation("/", lambda x, y: x / y))
_POWER = code_of("mlfz.power", lambda: ScalarOperation("**", lambda x, y: x**y))


class Scalar(Recorded):
    """A number; `backward()` sets `backwards_grad` of all that it depends on.

    A function of one's own returns `Scalar(value, prevs=[Edge(x, local_grad)])`.
    """

    def __init__(self, value: Any, prevs: Sequence[Any] | None = None) -> None:
        super().__init__(value)
        if prevs:
            edges = [Edge(*edge) for edge in prevs]
            self.depends_on(
                [edge.prev for edge in edges],
                "",
                lambda: [edge.local_grad * self.grad for edge in edges],
            )

    def __repr__(self) -> str:
        return f"Scalar({self.value})"

    @property
    def value(self) -> Any:
        """The number."""
        return self.data

    @value.setter
    def value(self, new: Any) -> None:
        self.data = new

    @property
    def backwards_grad(self) -> Any:
        """The derivative of the number whose `backward()` was called last by this one."""
        return self.grad

    @backwards_grad.setter
    def backwards_grad(self, new: Any) -> None:
        self.grad = new

    @property
    def prevs(self) -> list[Edge]:
        """The operands, and the derivatives by them."""
        return [Edge(*pair) for pair in zip(self.operands, self.local_gradients(), strict=True)]

    def backward(self) -> None:
        self.clear_gradients()
        super().backward()

    def gradient_update(self, lr: float) -> None:
        """Takes a step of gradient descent."""
        self.value -= lr * self.backwards_grad

    def __sub__(self, other: Any) -> Self:
        return self + (-other)

    def __neg__(self) -> Self:
        return (-1) * self

    def __truediv__(self, other: Any) -> Self:
        return self.combined(_DIVIDE, other)

    def __pow__(self, exponent: Any) -> Self:
        if isinstance(exponent, Scalar):
            return self.combined(_POWER, exponent)
        code = code_of(
            ("mlfz.power", type(exponent), exponent),
            lambda: ScalarOperation(f"**{exponent}", lambda x: x**exponent),
        )
        return self.applied(code)

    def __radd__(self, other: Any) -> Self:
        return self + other

    def __rsub__(self, other: Any) -> Self:
        return other + (-self)

    def __rmul__(self, other: Any) -> Self:
        return self * other

    def __rtruediv__(self, other: Any) -> Self:
        return type(self)(other) / self

    @classmethod
    def from_random(cls, lower: float = 0, upper: float = 1) -> Self:
        """A random number between two."""
        return cls(random.uniform(lower, upper))


def _function(name: str, rule: Any) -> Any:
    code = code_of(f"mlfz.{name}", lambda: ScalarOperation(name, rule))

    def function(x: Scalar) -> Scalar:
        return x.applied(code)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{name}(x) of a Scalar."
    return function


sin = _function("sin", ops.sin)
cos = _function("cos", ops.cos)
exp = _function("exp", ops.exp)
log = _function("log", ops.log)
sigmoid = _function("sigmoid", ops.sigmoid)
relu = _function("relu", ops.relu)
tanh = _function("tanh", ops.tanh)
