"""The loops around scans, and the places of their operands."""

from __future__ import annotations

from typing import Any

from .....graph.node import Node
from .....graph.state.records import dataclass
from .....shapes import axis_in, sizes
from ...llvm.loops import (
    collapsed,
)
from ...llvm.strided_view import View, broadcast, row_major
from ..formula import dtype_of, lanes_for
from ..kernel import Fused, Views
from .elements import wide

_STREAMS = 4  # vectors of neighbouring scans at once, which hide the latency of ⊕


@dataclass(frozen=True, eq=False)
class ScanPlan:
    """The scanned axis, and the loops around it. The last operand is the result."""

    reads: tuple[Node, ...]
    is_row: bool  # whether no axis of several elements lies inside the scanned one
    length: int  # of the scanned axis
    steps: list[int]  # of each operand along it, in the order of the scan
    offsets: list[int]  # of each operand, of the first element in that order
    outer: list[int]  # the loops around the scan; the last one of blocks of `width` columns
    outer_steps: list[list[int]]
    columns: int  # neighbouring scans
    column_steps: list[int]
    lanes: int
    width: int

    @classmethod
    def of(cls, fused: Fused, views: Views) -> ScanPlan:
        """The plan of the last node."""
        node: Any = fused.nodes[-1]
        shape, reads = sizes(node.shape), fused.operands
        operands = [broadcast(views[x], shape) for x in reads]
        operands.append(View(node, shape, row_major(shape)))
        axis = axis_in(node.axis, len(shape))
        length = shape[axis]
        strides = [view.strides for view in operands]
        steps = [one[axis] for one in strides]
        offsets = [view.offset for view in operands]
        if node.reverse:
            offsets = [at + step * (length - 1) for at, step in zip(offsets, steps)]
            steps = [-step for step in steps]
        before, before_steps = collapsed(shape[:axis], [one[:axis] for one in strides])
        inner, inner_steps = collapsed(shape[axis + 1 :], [one[axis + 1 :] for one in strides])
        is_row = not inner
        columns = inner[-1] if inner else 1
        column_steps = [one[-1] if one else 0 for one in inner_steps]
        dtypes = [wide(node), *(dtype_of(x) for x in (*fused.nodes, *reads))]
        lanes = lanes_for(dtypes, length if is_row else columns)
        width = min(columns, _STREAMS * lanes)
        blocks = -(-columns // width) if width else 0
        return cls(
            reads, is_row, length, steps, offsets,
            [*before, *inner[:-1], blocks],
            [
                [*one, *within[:-1], width * last]
                for one, within, last in zip(before_steps, inner_steps, column_steps)
            ],
            columns, column_steps, lanes, width,
        )  # fmt: skip
