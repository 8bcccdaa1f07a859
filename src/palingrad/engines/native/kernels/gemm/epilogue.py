"""What is computed from the elements of a result while these are in the first cache."""

from __future__ import annotations

from typing import Any

from .....graph.node import Node
from .....shapes import size as size_of, sizes
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import (
    FAR,
    address,
    fetch,
    integer,
    loop,
    place_of,
    read,
    splatted,
    vectors,
    write,
)
from ...llvm.strided_view import View, broadcast
from ...llvm.values import Value
from ..elementwise import compute
from ..formula import dtype_of
from ..kernel import Fused, Views
from .problem import GemmProblem, matrix_indices

_CACHED = 1 << 20  # bytes that the second cache holds


def row_after_row(fused: Fused, views: Views, f: GemmProblem) -> bool:
    """Whether all that is read and written after a product lies row after row as the product does,
    or is one number."""
    if f.swapped or any(len(sizes(x.shape)) < 2 for x in fused.first.inputs):
        return False
    shape = sizes(fused.first.shape)
    found = [broadcast(views[x], shape) for x in fused.epilogue_operands]
    found += [views[x] for x in fused.live_out]
    return all(view.strides[-2:] in ((f.columns, 1), (0, 0)) for view in found)


def is_far(fused: Fused, views: Views) -> bool:
    """Whether what has an element for each of the product's, and is read or written after it, is
    more than the second cache holds."""
    bases = {views[x].base for x in [*fused.epilogue_operands, *fused.live_out]}
    count = size_of(fused.first.shape)
    beside = sum(count * dtype_of(x).itemsize for x in bases if size_of(x.shape) >= count)
    return beside >= _CACHED


class Epilogue:
    """What is computed from elements of a result, and where the kept values go."""

    def __init__(self, fused: Fused, context: KernelContext, lanes: int, axis: int = -1) -> None:
        self.fused, self.context, self.lanes = fused, context, lanes
        self.axis = axis  # along which the vectors run
        self.first = fused.first
        shape = sizes(self.first.shape)
        self.reads = {x: broadcast(context.views[x], shape) for x in fused.epilogue_operands}
        self.bases = {x: context.pointer(view.base) for x, view in self.reads.items()}
        self.outs = {x: context.pointer(context.views[x].base) for x in fused.live_out}
        self.far = is_far(fused, context.views)

    @property
    def trivial(self) -> bool:
        """Whether the result alone is kept, as it is."""
        return len(self.fused.nodes) == 1

    def elements(self, indices: list[Any], value: Value, active: int) -> None:
        """The elements at `indices` and their neighbours on the axis, as many as the value has."""
        b, lanes = self.context.builder, value.lanes
        values: dict[Node, Value] = {self.first: value}
        for x, view in self.reads.items():
            place = place_of(b, indices, view.strides, integer(view.offset))
            step = view.strides[self.axis] if view.strides else 0
            one = read(b, self.bases[x], dtype_of(x), place, lanes, step, active)
            values[x] = one if one.lanes == lanes else splatted(one, lanes)
        compute(b, self.fused.nodes[1:], values, lanes, self.fused.inner)
        for x, base in self.outs.items():
            view = self.context.views[x]
            place = place_of(b, indices, view.strides, integer(view.offset))
            step = view.strides[self.axis] if view.strides else 1
            write(b, base, values[x], place, step, active)

    def _beside(self) -> list[tuple[Any, View]]:
        """Where what has an element for each of the product's lies, and how."""
        found = {view.base: (self.bases[x], view) for x, view in self.reads.items()}
        for x, base in self.outs.items():
            found.setdefault(self.context.views[x].base, (base, self.context.views[x]))
        return [
            (base, view) for base, view in found.values()
            if view.strides and view.strides[self.axis] == 1
            and sum(step != 0 for step in view.strides) > 1
        ]  # fmt: skip

    def fetch(
        self, matrix: tuple[GemmProblem, list[Any]], at: tuple[Any, Any], size: tuple[Any, int]
    ) -> None:
        """Have what the elements of a tile are computed with come to the first cache, meanwhile, if
        it is so much that it won't be in the second."""
        b = self.context.builder
        f, batch = matrix
        if not self.far:
            return
        beside = self._beside()
        with loop(b, integer(0), size[0]) as one:
            indices = [*batch, *matrix_indices(self.first, f, b.add(at[0], one), at[1])]
            for base, view in beside:
                place = place_of(b, indices, view.strides, integer(view.offset))
                dtype = dtype_of(view.base)
                for number in [*range(0, size[1], 64 // dtype.itemsize), size[1] - 1]:
                    fetch(b, address(b, base, dtype, b.add(place, integer(number))))

    def flat(self, f: GemmProblem) -> bool:
        """Whether rows can be computed as one long row, which saves vectors that aren't full."""
        return f.columns % self.lanes != 0 and row_after_row(self.fused, self.context.views, f)

    def rows(
        self, scratch: Any, matrix: tuple[GemmProblem, list[Any]], first: Any, count: Any
    ) -> None:
        """All elements of so many rows, which lie in the scratch one after another."""
        b = self.context.builder
        f, batch = matrix
        total = b.mul(count, integer(f.columns))
        main = b.mul(b.sdiv(total, integer(self.lanes)), integer(self.lanes))

        def body(index: Any, lanes: int) -> None:
            value = read(b, scratch, dtype_of(self.first), index, lanes, 1)
            if self.far and lanes > 1:
                ahead = b.add(index, integer(FAR // dtype_of(self.first).itemsize))
                for base, view in self._beside():
                    place = place_of(b, [*batch, first, ahead], view.strides, integer(view.offset))
                    fetch(b, address(b, base, dtype_of(view.base), place))
            self.elements([*batch, first, index], value, lanes)

        with loop(b, integer(0), main, self.lanes) as index:
            body(index, self.lanes)
        with loop(b, main, total) as index:
            body(index, 1)

    def tile(
        self, scratch: Any, pitch: int, matrix: tuple[GemmProblem, list[Any]], at: tuple[Any, Any],
        size: tuple[Any, int],
    ) -> None:  # fmt: skip
        """The elements of a tile that lies in the scratch, `pitch` from row to row: rows and
        columns of a matrix of a batch."""
        b = self.context.builder
        f, batch = matrix
        tall, width = size
        with loop(b, integer(0), tall) as one:
            start = b.mul(one, integer(pitch))

            def body(index: Any, active: int) -> None:
                value = read(b, scratch, dtype_of(self.first), b.add(start, index), self.lanes, 1)
                row, column = b.add(at[0], one), b.add(at[1], index)
                place = matrix_indices(self.first, f, row, column)
                self.elements([*batch, *place], value, active)

            vectors(b, width, self.lanes, body)
