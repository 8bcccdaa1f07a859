"""Tensor: an array with a gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from .....autodiff.gradients import gradients
from .....dtypes import is_inexact
from .....errors import GraphError
from .....graph.kinds import Elementwise
from .....graph.node import Node
from .....graph.promotion import tensor
from .....graph.registry import ops
from .....graph.traversal.order import postorder
from ....arrays import floating


class Edge(NamedTuple):
    """An operand of a user's own function: `backward_fn(result, local_grad, prev)` is what the
    operand's gradient gains."""

    prev: Any
    local_grad: Any = None
    backward_fn: Callable[..., Any] | None = None


class Tensor:
    """An array; `backward()` sets `backwards_grad` of all that it depends on.

    Operations are palingrad's, of float64 where both operands are integers and the function isn't
    defined on integers. A function of one's own returns `Tensor(value, prevs=[Edge(…)])`.
    """

    __array_ufunc__ = None  # so that NumPy leaves `array * tensor` to the tensor

    def __init__(self, value: Any, prevs: Sequence[Any] | None = None) -> None:
        self._value = np.array(value.value if isinstance(value, Tensor) else value)
        self._edges = [Edge(*edge) for edge in prevs] if prevs else []
        self.backwards_grad: Any = np.zeros_like(self._value)
        self._operands: tuple[Tensor, ...] = tuple(edge.prev for edge in self._edges)
        self._rule: Callable[..., Node] | None = None

    @classmethod
    def computed(cls, rule: Callable[..., Node], *operands: Any) -> Self:
        """The result of an operation of palingrad's on tensors."""
        tensors = [one if isinstance(one, Tensor) else Tensor(one) for one in operands]
        result = cls(rule(*(tensor(one._value) for one in tensors)).numpy())
        result._operands, result._rule = tuple(tensors), rule
        return result

    @property
    def value(self) -> Any:
        """The array, which may be changed or replaced."""
        return self._value

    @value.setter
    def value(self, new: Any) -> None:
        self._value = np.asarray(new)

    def __repr__(self) -> str:
        return repr(self.value).replace("array", "Tensor")

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, index: Any) -> Any:
        return self.value[index]

    @property
    def shape(self) -> tuple[int, ...]:
        """The array's shape."""
        return self.value.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.value.ndim

    # ---------------------------------------------------------------- derivatives

    @property
    def prevs(self) -> list[Edge]:
        """The operands; of elementwise operations on operands of the result's shape also the
        derivatives by them."""
        if self._rule is None:
            return list(self._edges)
        xs = [tensor(floating(one.value)) for one in self._operands]
        y = self._rule(*xs)
        elementwise = all(isinstance(one, Elementwise) for one in postorder(y) if one.inputs)
        slopes = [one.numpy() for one in gradients(y, xs, gradient=np.ones(self.shape))]
        return [
            Edge(x, slope if elementwise and x.shape == self.shape else None, _gain(place))
            for place, (x, slope) in enumerate(zip(self._operands, slopes, strict=True))
        ]

    def backward(self, zero_grad: bool = True) -> None:
        """Sets the gradient of this tensor, summed over its elements, by each that it depends on;
        adds to those that are there, if zero_grad is False."""
        order = postorder(self, inputs=_operands_of)
        if zero_grad:
            for one in order:
                one.backwards_grad = np.zeros_like(floating(one.value))
        self.backwards_grad = np.ones_like(floating(self.value))
        for one in reversed(order):
            for operand, gained in zip(one._operands, one._pulled(), strict=True):
                operand.backwards_grad = operand.backwards_grad + gained

    def _pulled(self) -> Sequence[Any]:
        """What the gradient of each operand gains from that of this tensor."""
        if self._rule is None:
            return [
                edge.backward_fn(self, edge.local_grad, edge.prev)
                if edge.backward_fn is not None
                else self.backwards_grad * edge.local_grad
                for edge in self._edges
            ]
        xs = [tensor(floating(one.value)) for one in self._operands]
        y = self._rule(*xs)
        return [one.numpy() for one in gradients(y, xs, gradient=self.backwards_grad)]

    def gradient_update(self, lr: float) -> None:
        """Takes a step of gradient descent."""
        self.value = self.value - lr * self.backwards_grad

    @property
    def __palingrad_node__(self) -> Node:
        nodes: dict[Tensor, Node] = {}
        for one in postorder(self, inputs=_operands_of):
            if one._rule is not None:
                nodes[one] = one._rule(*(nodes[x] for x in one._operands))
            elif one._edges:
                raise GraphError(
                    "a Tensor has edges written in Python, which palingrad's nodes can't show"
                )
            else:
                nodes[one] = tensor(one.value)
        return nodes[self]

    # ---------------------------------------------------------------- operations

    def __add__(self, other: Any) -> Tensor:
        return Tensor.computed(ops.add, self, other)

    def __sub__(self, other: Any) -> Tensor:
        return Tensor.computed(ops.subtract, self, other)

    def __mul__(self, other: Any) -> Tensor:
        return Tensor.computed(ops.multiply, self, other)

    def __truediv__(self, other: Any) -> Tensor:
        return Tensor.computed(_divide, self, other)

    def __matmul__(self, other: Any) -> Tensor:
        return Tensor.computed(ops.matmul, self, other)

    def __pow__(self, exponent: Any) -> Tensor:
        if isinstance(exponent, Tensor):
            return Tensor.computed(ops.power, self, exponent)
        return Tensor.computed(lambda x: ops.power(x, exponent), self)

    def __radd__(self, other: Any) -> Tensor:
        return Tensor.computed(ops.add, other, self)

    def __rsub__(self, other: Any) -> Tensor:
        return Tensor.computed(ops.subtract, other, self)

    def __rmul__(self, other: Any) -> Tensor:
        return Tensor.computed(ops.multiply, other, self)

    def __rtruediv__(self, other: Any) -> Tensor:
        return Tensor.computed(_divide, other, self)

    def __rpow__(self, other: Any) -> Tensor:
        return Tensor.computed(ops.power, other, self)

    def __neg__(self) -> Tensor:
        return Tensor.computed(ops.negative, self)

    @property
    def T(self) -> Tensor:
        """The transposed tensor."""
        return Tensor.computed(lambda x: ops.transpose(x), self)

    def reshape(self, *args: Any) -> Tensor:
        """The elements in another shape, given as one tuple or as numbers."""
        shape = args[0] if len(args) == 1 else args
        return Tensor.computed(lambda x: ops.reshape(x, shape), self)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """The sum along axes, or of all elements."""
        return Tensor.computed(lambda x: ops.sum(x, axis=axis, keepdims=keepdims), self)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """The mean along axes, or of all elements."""
        return Tensor.computed(
            lambda x: ops.mean(tensor_floating(x), axis=axis, keepdims=keepdims), self
        )

    def broadcast_to(self, shape: Sequence[int]) -> Tensor:
        """The tensor repeated to a larger shape."""
        return Tensor.computed(lambda x: ops.broadcast_to(x, shape), self)

    # ---------------------------------------------------------------- creation

    @classmethod
    def ones(cls, *shape: int) -> Self:
        """Ones."""
        return cls(np.ones(shape))

    @classmethod
    def ones_like(cls, tensor: Any) -> Self:
        """Ones in the shape of a tensor or an array."""
        return cls(np.ones_like(tensor.value if isinstance(tensor, Tensor) else tensor))

    @classmethod
    def zeros(cls, *shape: int) -> Self:
        """Zeros."""
        return cls(np.zeros(shape))

    @classmethod
    def zeros_like(cls, tensor: Any) -> Self:
        """Zeros in the shape of a tensor or an array."""
        return cls(np.zeros_like(tensor.value if isinstance(tensor, Tensor) else tensor))

    @classmethod
    def from_random(cls, *shape: int, lower: float = 0, upper: float = 1) -> Self:
        """Random numbers between `lower` and `upper`."""
        return cls(lower + (upper - lower) * np.random.rand(*shape))

    @classmethod
    def random_like(cls, tensor: Any) -> Self:
        """Random numbers between 0 and 1 in the shape of a tensor."""
        return cls(np.random.rand(*tensor.shape))


def _gain(place: int) -> Callable[..., Any]:
    """What the gradient of an operand gains from that of the result."""

    def gain(result: Tensor, local_grad: Any, prev: Tensor) -> Any:
        """∂/∂prev of the sum of the result, weighted by its `backwards_grad`."""
        return result._pulled()[place]

    return gain


def _operands_of(tensor: Tensor) -> tuple[Tensor, ...]:
    return tensor._operands


def tensor_floating(x: Node) -> Node:
    """Integers as float64."""
    return x if x.dtype is not None and is_inexact(x.dtype) else ops.astype(x, np.float64)


def _divide(x: Node, y: Node) -> Node:
    return ops.divide(tensor_floating(x), tensor_floating(y))


def sum(x: Tensor, axis: Any = None) -> Tensor:
    """The sum of a tensor along axes."""
    return x.sum(axis=axis)


def mean(x: Tensor, axis: Any = None) -> Tensor:
    """The mean of a tensor along axes."""
    return x.mean(axis=axis)


def _function(name: str, rule: Callable[..., Node]) -> Callable[[Any], Tensor]:
    def function(x: Any) -> Tensor:
        return Tensor.computed(lambda node: rule(tensor_floating(node)), x)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{name}(x), elementwise."
    return function


sin = _function("sin", ops.sin)
cos = _function("cos", ops.cos)
exp = _function("exp", ops.exp)
log = _function("log", ops.log)
sigmoid = _function("sigmoid", ops.sigmoid)
relu = _function("relu", ops.relu)
tanh = _function("tanh", ops.tanh)
