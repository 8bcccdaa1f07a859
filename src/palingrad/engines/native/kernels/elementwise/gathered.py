"""Gathers as operands of elementwise loops: rows and elements that an array of integers names are
read where the loop needs them, and never written to memory.

A gathered operand is a view of its source, with a stride of 0 along the axes of the indices, and a
view of each array of indices, with a stride of 0 along all other axes. An element is where both
together say: at the source's place + Σ index·stride. Bounds are checked before, as for a gather
that is a kernel of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir

from .....graph.kinds import Gather
from .....graph.node import Node
from .....graph.operation import Operation
from .....graph.state.records import dataclass
from .....shapes import sizes
from ...llvm.builder import INT32, shuffled
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import integer, read, splatted, undefined
from ...llvm.strided_view import View, broadcast
from ...llvm.values import Value, value_type
from ..formula import dtype_of, outside
from ..kernel import Fused, Views
from ..movement.gather_scatter import axes_of, from_start, indices_in


@dataclass(frozen=True, eq=False)
class Gathered:
    """One gather in the index space of its result."""

    node: Operation
    source: View
    indices: tuple[View, ...]  # for each indexed axis
    strides: tuple[int, ...]  # of the source along these axes
    lengths: tuple[int, ...]  # of these axes

    @classmethod
    def of(cls, node: Operation, views: Views) -> Gathered:
        """The operand that a gather is."""
        x, shape = views[node.inputs[0]], sizes(node.shape)
        axis, lengths = axes_of(node)
        end = axis + len(lengths)
        found = indices_in(node, views)
        rank = len(found[0].shape)
        before, after = (0,) * axis, (0,) * (len(x.shape) - end)
        steps = (*x.strides[:axis], *(0,) * rank, *x.strides[end:])
        return cls(
            node,
            View(x.base, shape, steps, x.offset),
            tuple(
                View(one.base, shape, (*before, *one.strides, *after), one.offset) for one in found
            ),
            x.strides[axis:end],
            lengths,
        )

    @property
    def views(self) -> tuple[View, ...]:
        """All that it reads: the source, and the indices."""
        return (self.source, *self.indices)

    @property
    def unit(self) -> int:
        """The largest common divisor of the strides."""
        return math.gcd(*self.strides) or 1

    def place(self, numbers: Sequence[Value]) -> Any:
        """Σ index·stride / `unit`, for a number or a vector of each index."""
        found: Value | None = None
        for number, stride, length in zip(numbers, self.strides, self.lengths, strict=True):
            index = from_start(number, length)
            if stride != self.unit:  # vectors of int64 are slow to multiply
                index = index * (stride // self.unit)
            found = index if found is None else found + index
        assert found is not None
        return found.code


@dataclass(frozen=True, eq=False)
class Operands:
    """What an elementwise loop reads: values in memory, each at the loop's own position, and
    gathered ones."""

    formulas: tuple[Operation, ...]  # the elementwise nodes
    direct: tuple[Node, ...]
    views: tuple[View, ...]  # of the direct ones, in the loop's index space
    gathers: tuple[Gathered, ...]

    @classmethod
    def of(cls, fused: Fused, views: Views) -> Operands:
        """The operands of the nodes of a kernel."""
        taken = dict.fromkeys(node for node in fused.nodes if isinstance(node, Gather))
        formulas = tuple(node for node in fused.nodes if not isinstance(node, Gather))
        if not taken:
            direct = fused.operands
        else:
            direct = tuple(x for x in outside(formulas, fused.inner) if x not in taken)
        return cls(
            formulas,
            direct,
            tuple(broadcast(views[x], fused.shape) for x in direct),
            tuple(Gathered.of(node, views) for node in taken),
        )

    @property
    def all(self) -> tuple[View, ...]:
        """The views of all that is read: the direct ones, then those of each gather."""
        return (*self.views, *(view for one in self.gathers for view in one.views))

    def of_gathers(self, several: Sequence[Any]) -> list[tuple[Gathered, Sequence[Any]]]:
        """Each gather, with its part of a list that has an entry for each of `all`."""
        found: list[tuple[Gathered, Sequence[Any]]] = []
        first = len(self.direct)
        for one in self.gathers:
            found.append((one, several[first : first + len(one.views)]))
            first += len(one.views)
        return found


class GatheredRow:
    """A gathered operand along one row of a loop."""

    def __init__(
        self, context: KernelContext, one: Gathered, places: Sequence[Any], steps: Sequence[int]
    ) -> None:
        """`places` and `steps` are where the row begins in the source and in the indices, and how
        far apart its elements are."""
        self.one, self.b = one, context.builder
        self._bases = [context.pointer(view.base) for view in one.views]
        self._places, self._steps = places, steps
        # A row of the loop within one row of the source has one place.
        self._row = self._start() if not any(steps[1:]) else None

    def read(self, index: Any, lanes: int, active: int) -> Value:
        """The vector of elements from `index` on, of which `active` count."""
        b, one, step = self.b, self.one, self._steps[0]
        dtype = dtype_of(one.node)
        if self._row is not None:
            there = b.add(self._row, b.mul(index, integer(step)))
            if step == 0:
                value = read(b, self._bases[0], dtype, there, 1, 0)
                return value if lanes == 1 else splatted(value, lanes)
            return read(b, self._bases[0], dtype, there, lanes, step, active)
        places = one.place(self._numbers(index, lanes, active))
        start = b.add(self._places[0], b.mul(index, integer(step)))

        def place(lane: int) -> Any:
            own = places if lanes == 1 else b.extract_element(places, ir.Constant(INT32, lane))
            there = b.add(start, b.mul(own, integer(one.unit)))
            return b.add(there, integer(lane * step))

        return picked(b, self._bases[0], one.node, lanes, active, place)

    def _start(self) -> Any:
        b, own = self.b, self.one.place(self._numbers(None, 1, 1))
        return b.add(self._places[0], b.mul(own, integer(self.one.unit)))

    def _numbers(self, index: Any, lanes: int, active: int) -> list[Value]:
        b, found = self.b, list[Value]()
        bases, places, steps = self._bases[1:], self._places[1:], self._steps[1:]
        for view, base, place, step in zip(self.one.indices, bases, places, steps, strict=True):
            there = place if index is None else b.add(place, b.mul(index, integer(step)))
            found.append(read(b, base, dtype_of(view.base), there, lanes, step, active))
        return found


def picked(
    b: Any, base: Any, node: Node, lanes: int, active: int, place: Callable[[int], Any]
) -> Value:
    """The vector whose lanes are the elements at `place(lane)`, for the first `active` lanes."""
    dtype = dtype_of(node)
    if lanes == 1:
        return read(b, base, dtype, place(0), 1, 1)
    code = undefined(value_type(dtype, 1), lanes)
    for lane in range(active):
        one = read(b, base, dtype, place(lane), 1, 1)
        code = b.insert_element(code, one.code, ir.Constant(INT32, lane))
    return Value(b, code, dtype, lanes)


def in_runs(
    b: Any, base: Any, node: Node, lanes: int, active: int,
    runs: Sequence[int], place: Callable[[int], Any],
) -> Value:  # fmt: skip
    """As `picked`, where lanes with the same number in `runs` are neighbours in memory: halves,
    quarters and so on of the vector that are so are read at once."""
    dtype = dtype_of(node)

    def part(first: int, count: int) -> Any:
        if first >= active:
            return None
        if first + count <= active and runs[first] == runs[first + count - 1]:
            return read(b, base, dtype, place(first), count, 1).code
        half = count // 2
        low, high = part(first, half), part(first + half, half)
        if half == 1:
            code = b.insert_element(undefined(low.type, 2), low, ir.Constant(INT32, 0))
            return code if high is None else b.insert_element(code, high, ir.Constant(INT32, 1))
        other = undefined(low.type.element, half) if high is None else high
        return shuffled(b, low, other, range(count))

    return Value(b, part(0, lanes), dtype, lanes)
