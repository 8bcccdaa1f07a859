"""Batch: the inputs of an operation for several examples, from which batching rules build nodes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ...classes import NamedTuple
from ...dtypes import DType
from ...shapes import sizes
from ..context import context
from ..leaves import Constant
from ..node import Node
from ..registry import ops
from ..state.records import dataclass, field

if TYPE_CHECKING:
    from ..operation import Operation

# rule(y, batch): y for all examples, whose axis is the first: one node, or one for each output.
# None where the rule doesn't apply, so that y is computed example by example. Of several outputs,
# those that are the same for all examples are `Shared`.
Rule: TypeAlias = "Callable[[Any, Batch], Node | Sequence[Node] | None]"


@dataclass(frozen=True)
class Batch:
    """The inputs `xs` of an operation for `size` examples. An input that is `mapped` has an axis of
    that size before the axes of one example; the others are the same for all examples. `known` is
    what rules remember of the other nodes that are rebuilt with this one."""

    size: int
    xs: Sequence[Node]
    mapped: Sequence[bool]
    known: dict[Any, Any] = field(default_factory=dict[Any, Any], compare=False)

    def front(self, number: int) -> Any:
        """The input, with the axis of the examples also if it is the same for all of them."""
        x = self.xs[number]
        if self.mapped[number]:
            return x
        return ops.broadcast_to(ops.expand_dims(x, axis=0), (self.size, *sizes(x.shape)))

    def fronts(self) -> list[Any]:
        """All inputs, with the axis of the examples."""
        return [self.front(number) for number in range(len(self.xs))]

    def aligned(self, ndim: int) -> list[Node]:
        """The inputs for operations that broadcast examples of `ndim` axes: axes of size 1 after
        that of the examples, so that this one broadcasts against itself only."""
        return [
            with_axes(x, ndim + 1) if mapped else x
            for x, mapped in zip(self.xs, self.mapped, strict=True)
        ]

    def merged(self, number: int) -> Any:
        """The input, whose first axis numbers independent parts, with the examples merged into it:
        (examples, n, …) becomes (examples · n, …)."""
        x = self.front(number)
        first, second, *rest = sizes(x.shape)
        return ops.reshape(x, (first * second, *rest))

    def positions(self, ndim: int) -> Node:
        """0 … size − 1 along the axis of the examples, which has `ndim` axes of size 1 behind it:
        the index of each element's example."""
        return Constant(np.arange(self.size).reshape(self.size, *(1,) * ndim))


class Shared(NamedTuple):
    """One of several outputs, which is the same for all examples: without their axis."""

    node: Node


def with_axes(x: Any, ndim: int) -> Any:
    """A batch with axes of size 1 between the axis of the examples and the others, up to `ndim`."""
    shape = sizes(x.shape)
    missing = ndim - len(shape)
    return ops.reshape(x, (shape[0], *(1,) * missing, *shape[1:])) if missing > 0 else x


def split(y: Operation, result: Any, batch: Batch) -> Any:
    """A result whose first axis was merged with the examples, with the axis of the examples."""
    return ops.reshape(result, (batch.size, *sizes(y.shape)))


def moved(x: Any, source: int, destination: int) -> Any:
    """x with one axis moved to another place; x itself where that is the same."""
    order = [axis for axis in range(len(x.shape)) if axis != source]
    order.insert(destination, source)
    return x if order == sorted(order) else ops.permute_dims(x, tuple(order))


def flat(x: Any, ndim: int) -> Any:
    """A batch of examples of `ndim` axes as (examples, elements)."""
    shape = sizes(x.shape)
    count = math.prod(shape[1:]) if ndim else 1
    return ops.reshape(x, (shape[0], count))


class Units(NamedTuple):
    """What a node of unit vectors is made of: it is 1 where the number of the example, in `rows`,
    is that of the element, in `columns`. `whole` if these are all elements in their order."""

    rows: Any
    columns: Any
    whole: bool


def unit_vectors(count: int, shape: tuple[int, ...], dtype: DType | None) -> Node:
    """An example for each element of an array of this shape: 1 there, and 0 elsewhere.

    In a graph they are computed from the numbers of the elements, so that a compiled kernel reads
    no matrix.
    """
    if context().graph is None:
        array = np.eye(count, dtype=dtype)
        array.setflags(write=False)
        identity: Any = Constant.holding(array)
        identity.units = Units(None, None, whole=True)
        return identity if len(shape) == 1 else ops.reshape(identity, (count, *shape))
    numbers = np.arange(count, dtype=np.int32)
    rows, columns = numbers.reshape(count, *(1,) * len(shape)), numbers.reshape(1, *shape)
    return _units(Units(rows, columns, whole=True), dtype)


def part_of_units(x: Node, index: tuple[Any, ...]) -> Node | None:
    """The part of unit vectors at a basic index of each, computed likewise; None of other nodes."""
    if x.units is None or x.units.rows is None:
        return None
    columns = x.units.columns[(slice(None), *index)]
    rows = x.units.rows.reshape(-1, *(1,) * (columns.ndim - 1))
    return _units(Units(rows, columns, whole=False), x.dtype)


def examples_last(x: Node) -> Node:
    """Unit vectors with the axis of the examples last."""
    rows, columns = x.units.rows, x.units.columns[0]
    return _units(Units(rows.ravel(), columns[..., None], whole=False), x.dtype)


def _units(units: Units, dtype: Any) -> Node:
    node = ops.cast(ops.equal(Constant(units.rows), Constant(units.columns)), dtype)
    node.units = units
    return node


def is_identity(x: Node) -> bool:
    """Whether x was made as the identity matrix, or has its elements in their order."""
    while x.inputs and x.units is None and _keeps_order(x):
        x = x.inputs[0]
    return x.units is not None and x.units.whole


def _keeps_order(x: Any) -> bool:
    return type(x).__name__ in ("Reshape", "ExpandDims", "Squeeze") and x._shipped
