"""MatrixSlow's operations, as palingrad computes and differentiates them."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ....errors import ArgumentError, GraphError, ShapeError
from ....graph.node import Node as PalingradNode
from ....graph.registry import ops
from ....messages.checks import shown
from ....shapes import sizes
from ..core.node import Node
from ..core.running import as_matrix

__all__ = [
    "Add",
    "Concat",
    "Convolve",
    "Logistic",
    "MatMul",
    "MaxPooling",
    "Multiply",
    "Operator",
    "ReLU",
    "Reshape",
    "ScalarMultiply",
    "SoftMax",
    "Step",
    "Welding",
    "fill_diagonal",
]


def fill_diagonal(to_be_filled: Any, filler: Any) -> Any:
    """Puts copies of a block on the diagonal of a matrix, in place, and returns the matrix."""
    rows, columns = filler.shape
    n, rest = divmod(to_be_filled.shape[0], rows)
    if rest or to_be_filled.shape[1] != n * columns:
        raise ShapeError(f"{filler.shape} doesn't fill the diagonal of {to_be_filled.shape}")
    for i in range(n):
        to_be_filled[i * rows : (i + 1) * rows, i * columns : (i + 1) * columns] = filler
    return to_be_filled


class Operator(Node):
    """An operation on its parents' values."""

    # The number of parents; None for any.
    count: ClassVar[int | None] = None

    def __init__(self, *parents: Any, **kargs: Any) -> None:
        if self.count is not None and len(parents) != self.count:
            raise ArgumentError(
                f"{type(self).__name__} has {self.count} parents, got {len(parents)}"
            )
        super().__init__(*parents, **kargs)


class Add(Operator):
    """The sum of matrices. Later ones may have one row or one column where the first has more."""

    def node(self, *parents: PalingradNode) -> PalingradNode:
        total = parents[0]
        for one in parents[1:]:
            total = ops.add(total, one)
        first = sizes(parents[0].shape)
        if sizes(total.shape) != first:
            raise ShapeError(f"{self.name}: the sum isn't of the first matrix's shape {first}")
        return total


class MatMul(Operator):
    """The product of two matrices."""

    count = 2

    def node(self, *parents: PalingradNode) -> PalingradNode:
        return ops.matmul(*parents)


class Logistic(Operator):
    """1 / (1 + exp(−x)), elementwise."""

    count = 1

    def node(self, *parents: PalingradNode) -> PalingradNode:
        return ops.sigmoid(*parents)


class ReLU(Operator):
    """x where x > 0, nslope · x elsewhere."""

    count = 1
    nslope = 0.1

    def node(self, *parents: PalingradNode) -> PalingradNode:
        (x,) = parents
        return ops.where(x > 0, x, self.nslope * x)

    def options(self) -> Any:
        return self.nslope


class SoftMax(Operator):
    """exp(x) / Σ exp(x), over all elements."""

    count = 1

    @staticmethod
    def softmax(a: Any) -> Any:
        """The softmax of a matrix, over all elements."""
        return as_matrix(np.array(_softmax(np.asarray(a, np.float64)).value))

    def node(self, *parents: PalingradNode) -> PalingradNode:
        return _softmax(*parents)


def _softmax(x: Any) -> PalingradNode:
    flat = ops.softmax(ops.reshape(x, -1))
    return ops.reshape(flat, sizes(x.shape))


class Reshape(Operator):
    """The elements in another shape, a tuple of two sizes."""

    count = 1

    def __init__(self, *parents: Any, **kargs: Any) -> None:
        super().__init__(*parents, **kargs)
        self.to_shape = _pair(self, kargs, "shape")

    def node(self, *parents: PalingradNode) -> PalingradNode:
        return ops.reshape(parents[0], tuple(self.to_shape))

    def options(self) -> Any:
        return tuple(self.to_shape)


def _pair(node: Node, kargs: dict[str, Any], name: str) -> tuple[int, int]:
    value = kargs.get(name)
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ArgumentError(
            f"{type(node).__name__}: {name} is two integers, got {shown(value)}",
            hint=f"{type(node).__name__}(x, {name}=(3, 3))",
        )
    return (int(value[0]), int(value[1]))


class Multiply(Operator):
    """The product of two matrices, elementwise."""

    count = 2

    def node(self, *parents: PalingradNode) -> PalingradNode:
        return ops.multiply(*parents)


class Convolve(Operator):
    """y[i, j] = Σ w[a, b] · x[i + a − ⌊k/2⌋, j + b − ⌊l/2⌋] for w of shape
    (k, l). y has the shape of x, which is 0 outside."""

    count = 2

    def node(self, *parents: PalingradNode) -> PalingradNode:
        x, w = parents
        padding = [(k // 2, k - 1 - k // 2) for k in sizes(w.shape)]
        return ops.conv2d(x[None, None], w[None, None], padding=padding)[0, 0]


class MaxPooling(Operator):
    """The largest element of each window of `size` (k, l). Windows begin ⌊k/2⌋ before every
    `stride`-th row, likewise for columns, and end at the edges."""

    count = 1

    def __init__(self, *parents: Any, **kargs: Any) -> None:
        super().__init__(*parents, **kargs)
        self.stride = _pair(self, kargs, "stride")
        self.size = _pair(self, kargs, "size")

    def node(self, *parents: PalingradNode) -> PalingradNode:
        (x,) = parents
        padding = []
        for n, k, s in zip(sizes(x.shape), self.size, self.stride, strict=True):
            end = (n - 1) // s * s - k // 2 + k  # of the last window
            padding.append((k // 2, max(end - n, 0)))
            if end < n:
                x = x[:end] if len(padding) == 1 else x[:, :end]
        return ops.max_pool(x[None, None], self.size, stride=self.stride, padding=padding)[0, 0]

    def options(self) -> Any:
        return (*self.size, *self.stride)


class Concat(Operator):
    """The elements of all matrices, row by row, in one column."""

    def node(self, *parents: PalingradNode) -> PalingradNode:
        return ops.concatenate([ops.reshape(one, (-1, 1)) for one in parents], axis=0)


class ScalarMultiply(Operator):
    """The product of a matrix of one element and a matrix."""

    count = 2

    def node(self, *parents: PalingradNode) -> PalingradNode:
        if sizes(parents[0].shape) != (1, 1):
            raise ShapeError(f"{self.name}: the first matrix has the shape {parents[0].shape}")
        return ops.multiply(*parents)


class Step(Operator):
    """1 where x ≥ 0, 0 elsewhere; its derivative is 0."""

    count = 1

    def node(self, *parents: PalingradNode) -> PalingradNode:
        return ops.where(parents[0] >= 0, np.float64(1), np.float64(0))


class Welding(Operator):
    """The value of a node that `weld` chooses, and may change."""

    def node(self, *parents: PalingradNode) -> PalingradNode:
        if len(parents) != 1:
            raise GraphError(f"{self.name} has {len(parents)} parents", hint="Use weld(node).")
        return parents[0]

    def weld(self, node: Node) -> None:
        """Makes `node` the only parent."""
        for parent in self.parents:
            parent.children.remove(self)
        self.parents[:] = [node]
        node.children.append(self)
        self.reset_value()
