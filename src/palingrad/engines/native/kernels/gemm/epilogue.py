"""The epilogue: elementwise nodes computed on a tile of a result in the first-level cache."""

from __future__ import annotations

from typing import Any

from .....graph.node import Node
from .....shapes import size as size_of, sizes
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import (
    PREFETCH_DISTANCE,
    address,
    integer,
    loop,
    place_of,
    prefetch,
    read,
    splatted,
    vectors,
    write,
)
from ...llvm.strided_view import View, broadcast, view_of
from ...llvm.values import Value
from ..formula import compute, dtype_of, overlapped
from ..kernel import Fused, Views
from .blocking import cached_traffic
from .problem import GemmProblem, matrix_indices


def row_after_row(fused: Fused, views: Views, f: GemmProblem) -> bool:
    """Whether every operand and result of a product's epilogue is row-major like the product, or a
    single number."""
    if f.swapped or any(len(sizes(x.shape)) < 2 for x in fused.first.inputs):
        return False
    shape = sizes(fused.first.shape)
    operands = [broadcast(views[x], shape) for x in fused.epilogue_operands]
    operands += [views[x] for x in fused.live_out]
    return all(view.strides[-2:] in ((f.columns, 1), (0, 0)) for view in operands)


def exceeds_cache(fused: Fused, views: Views) -> bool:
    """Whether the epilogue's operands and results of the product's size exceed the second-level
    cache."""
    bases = {views[x].base for x in [*fused.epilogue_operands, *fused.live_out]}
    count = size_of(fused.first.shape)
    traffic = sum(count * dtype_of(x).itemsize for x in bases if size_of(x.shape) >= count)
    return traffic >= cached_traffic()


class Epilogue:
    """Emits the epilogue of a result's elements, and the stores of its `live_out` values."""

    def __init__(
        self, fused: Fused, context: KernelContext, lanes: int, axis: int = -1,
        space: tuple[int, ...] | None = None,
    ) -> None:  # fmt: skip
        """`space`: the index space of the elements if it isn't the first node's shape."""
        self.fused, self.context, self.lanes = fused, context, lanes
        self.axis = axis  # the axis along which the vectors run
        self.first = fused.first
        shape = sizes(self.first.shape)
        space = space or shape

        def in_space(x: Node) -> View:
            view = broadcast(context.views[x], shape)
            layout = view.layout.reshaped(space) if space != shape else view.layout
            assert layout is not None
            return view_of(view.base, layout)

        self.reads = {x: in_space(x) for x in fused.epilogue_operands}
        self.writes = {x: in_space(x) for x in fused.live_out}
        self.bases = {x: context.pointer(view.base) for x, view in self.reads.items()}
        self.outs = {x: context.pointer(view.base) for x, view in self.writes.items()}
        self.uncached = exceeds_cache(fused, context.views)

    @property
    def trivial(self) -> bool:
        """Whether there is no epilogue."""
        return len(self.fused.nodes) == 1

    def elements(self, indices: list[Any], value: Value, active: int) -> None:
        """Emits the epilogue of a vector: the elements from `indices` on along the axis."""
        b, lanes = self.context.builder, value.lanes
        values: dict[Node, Value] = {self.first: value}
        for x, view in self.reads.items():
            place = place_of(b, indices, view.strides, integer(view.offset))
            step = view.strides[self.axis] if view.strides else 0
            operand = read(b, self.bases[x], dtype_of(x), place, lanes, step, active)
            values[x] = operand if operand.lanes == lanes else splatted(operand, lanes)
        compute(b, self.fused.nodes[1:], values, lanes, self.fused.inner)
        for x, base in self.outs.items():
            view = self.writes[x]
            place = place_of(b, indices, view.strides, integer(view.offset))
            step = view.strides[self.axis] if view.strides else 1
            write(b, base, values[x], place, step, active)

    def _of_matrix(self) -> list[tuple[Any, View]]:
        """(pointer, view) of the epilogue's operands and results with the product's elements."""
        views = {view.base: (self.bases[x], view) for x, view in self.reads.items()}
        for x, base in self.outs.items():
            views.setdefault(self.writes[x].base, (base, self.writes[x]))
        return [
            (base, view) for base, view in views.values()
            if view.strides and view.strides[self.axis] == 1
            and sum(step != 0 for step in view.strides) > 1
        ]  # fmt: skip

    def prefetch(
        self, matrix: tuple[GemmProblem, list[Any]], at: tuple[Any, Any], size: tuple[Any, int]
    ) -> None:
        """Emits prefetches of a tile's operands to the first-level cache, if they exceed the
        second-level cache."""
        b = self.context.builder
        f, batch = matrix
        if not self.uncached:
            return
        operands = self._of_matrix()
        with loop(b, integer(0), size[0]) as row:
            indices = [*batch, *matrix_indices(self.first, f, b.add(at[0], row), at[1])]
            for base, view in operands:
                place = place_of(b, indices, view.strides, integer(view.offset))
                dtype = dtype_of(view.base)
                for number in [*range(0, size[1], 64 // dtype.itemsize), size[1] - 1]:
                    prefetch(b, address(b, base, dtype, b.add(place, integer(number))))

    def flat(self, f: GemmProblem) -> bool:
        """Whether rows can be computed as one long row, which saves partly filled vectors."""
        return f.columns % self.lanes != 0 and row_after_row(self.fused, self.context.views, f)

    def rows(
        self, scratch: Any, matrix: tuple[GemmProblem, list[Any]], first: Any, count: Any
    ) -> None:
        """Emits the epilogue of contiguous rows in the scratch buffer."""
        b = self.context.builder
        f, batch = matrix
        total = b.mul(count, integer(f.columns))
        main = b.mul(b.sdiv(total, integer(self.lanes)), integer(self.lanes))

        def body(index: Any, lanes: int) -> None:
            value = read(b, scratch, dtype_of(self.first), index, lanes, 1)
            if self.uncached and lanes > 1:
                ahead = b.add(index, integer(PREFETCH_DISTANCE // dtype_of(self.first).itemsize))
                for base, view in self._of_matrix():
                    place = place_of(b, [*batch, first, ahead], view.strides, integer(view.offset))
                    prefetch(b, address(b, base, dtype_of(view.base), place))
            self.elements([*batch, first, index], value, lanes)

        with loop(b, integer(0), main, self.lanes) as index:
            body(index, self.lanes)
        with loop(b, main, total) as index:
            body(index, 1)

    def tile(
        self, scratch: Any, pitch: int, matrix: tuple[GemmProblem, list[Any]], at: tuple[Any, Any],
        size: tuple[Any, int],
    ) -> None:  # fmt: skip
        """Emits the epilogue of a tile in the scratch buffer, whose rows are `pitch` apart: some
        rows and columns of a matrix of the batch."""
        b = self.context.builder
        f, batch = matrix
        tall, width = size
        lanes = self.lanes
        if width % (2 * lanes) == 0:
            lanes = overlapped(lanes, self.fused.nodes[1:], 4 * lanes)
        with loop(b, integer(0), tall) as one:
            start = b.mul(one, integer(pitch))

            def body(index: Any, active: int) -> None:
                value = read(b, scratch, dtype_of(self.first), b.add(start, index), lanes, 1)
                row, column = b.add(at[0], one), b.add(at[1], index)
                place = matrix_indices(self.first, f, row, column)
                self.elements([*batch, *place], value, active)

            vectors(b, width, lanes, body)
