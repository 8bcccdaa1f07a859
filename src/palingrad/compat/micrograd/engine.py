"""micrograd's `engine`: Value, a scalar with a gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

from ...errors import DTypeError
from ...graph.registry import ops
from ...messages.checks import shown
from ...scalars.recording import ScalarOperation, code_of
from ...scalars.scalar import Scalar

_RELU = code_of("micrograd.relu", lambda: ScalarOperation("ReLU", ops.relu))


class Value(Scalar):
    """A number and its gradient. Differences and quotients are made of products, powers and sums,
    as in micrograd, so that graphs have the same nodes.

    Code that defines operations of its own as micrograd does, `out = Value(number, (self,), "exp")`
    with `out._backward = closure`, works: the closure adds to its operands' `grad`.
    """

    def __init__(self, data: Any, _children: Iterable[Scalar] = (), _op: str = "") -> None:
        super().__init__(data)
        children = tuple(_children)
        if children:
            self.depends_on(children, _op, lambda: [0.0] * len(children))

    def __pow__(self, other: Any) -> Self:
        if not isinstance(other, (int, float)):
            raise DTypeError(
                f"the exponent {shown(other)} isn't an int or float",
                hint="micrograd's powers have constant exponents.",
            )
        code = code_of(
            ("micrograd.power", type(other), other),
            lambda: ScalarOperation(f"**{other}", lambda x: x**other),
        )
        return self.applied(code)

    def relu(self) -> Self:
        return self.applied(_RELU)

    def __neg__(self) -> Self:
        return self * -1

    def __sub__(self, other: Any) -> Self:
        return self + (-other)

    def __radd__(self, other: Any) -> Self:
        return self + other

    def __rsub__(self, other: Any) -> Self:
        return other + (-self)

    def __rmul__(self, other: Any) -> Self:
        return self * other

    def __truediv__(self, other: Any) -> Self:
        return self * other**-1

    def __rtruediv__(self, other: Any) -> Self:
        return other * self**-1

    def __repr__(self) -> str:
        return f"Value(data={self.data}, grad={self.grad})"

    @property
    def _prev(self) -> set[Scalar]:
        return set(self.operands)

    @property
    def _op(self) -> str:
        return self.sign

    @property
    def _backward(self) -> Callable[[], None]:
        """Adds to the operands' `grad` what this number's `grad` contributes."""

        def step() -> None:
            for operand, gradient in zip(
                self.operands, self.local_gradients(self.grad), strict=True
            ):
                operand.grad += gradient

        return step

    @_backward.setter
    def _backward(self, closure: Callable[[], None]) -> None:
        if self.own is None:
            raise DTypeError(
                "_backward can be assigned only to a Value that was given its _children",
                hint="out = Value(number, (x,), 'name'); out._backward = closure",
            )
        operands = self.own.operands

        def pull() -> Sequence[float]:
            before = [operand.grad for operand in operands]
            for operand in operands:
                operand.grad = 0.0
            closure()
            gained = [operand.grad for operand in operands]
            for operand, gradient in zip(operands, before, strict=True):
                operand.grad = gradient
            # An operand that occurs twice has one gradient.
            first = [operands.index(operand) == n for n, operand in enumerate(operands)]
            return [g if once else 0.0 for g, once in zip(gained, first, strict=True)]

        self.depends_on(operands, self.own.sign, pull)
