"""The plan of a reduction: kept and reduced axes, their order, and the number of parts."""

from __future__ import annotations

import math

from ....graph.node import Node
from ....graph.state.records import dataclass
from ....shapes import axes_in, sizes
from ..llvm.loops import collapsed
from ..llvm.strided_view import View, broadcast, row_major
from .formula import dtype_of, lanes_for
from .kernel import Fused, Views
from .reducers import block_of, needs_compensation

STREAMS = 4  # running totals of a result, or vectors of results at once
# A reduction to fewer than `_FEW` results of at least `_LARGE` elements is cut into parts.
_FEW, _LARGE = 8, 1 << 15
_PART = 4096  # elements in a part, about


@dataclass(frozen=True, eq=False)
class ReductionPlan:
    """Kept and reduced axes, merged, for operands in the index space of the input."""

    reads: tuple[Node, ...]
    operands: list[View]
    count: int  # results
    terms: int  # of a result
    lane_per_result: bool  # whether each lane is a result of its own
    outer: list[int]  # sizes of the kept axes
    outer_steps: list[list[int]]  # of each operand
    result_steps: list[int]
    inner: list[int]  # sizes of the reduced axes
    inner_steps: list[list[int]]
    lanes: int
    width: int  # results that are computed at once
    results: int  # items of a part
    parts: int
    part: int  # the length of a part along the outermost reduced axis
    # (the reduced axis that is cut into blocks, its iterations per block); None if combining does
    # not round, or a part has no more terms than a block.
    block: tuple[int, int] | None

    @classmethod
    def of(cls, fused: Fused, views: Views) -> ReductionPlan:
        """The plan of the last node."""
        node, reads = fused.nodes[-1], fused.operands
        shape = sizes(node.inputs[0].shape)
        operands = [broadcast(views[x], shape) for x in reads]
        reduced = list(axes_in(node.attributes["axis"], len(shape)))
        kept = [axis for axis in range(len(shape)) if axis not in reduced]
        order = row_major(tuple(shape[axis] for axis in kept))
        result = dict(zip(kept, order, strict=True))
        inner = _innermost(shape, operands)
        # The innermost axis comes last, among the kept or the reduced axes.
        kept, reduced = (sorted(axes, key=lambda axis: axis == inner) for axes in (kept, reduced))
        steps = [view.strides for view in operands]
        outer, outer_steps = collapsed(
            [shape[axis] for axis in kept],
            [[one[axis] for axis in kept] for one in [*steps, result]],
        )
        extents, inner_steps = collapsed(
            [shape[axis] for axis in reduced], [[one[axis] for axis in reduced] for one in steps]
        )
        count = math.prod(shape[axis] for axis in kept)
        terms = math.prod(shape[axis] for axis in reduced)
        dtypes = [dtype_of(x) for x in (*fused.nodes, *reads)]
        lane_per_result = inner in kept and count > 0
        width, results = 1, count
        if lane_per_result:
            lanes = lanes_for(dtypes, outer[-1])
            width = min(outer[-1], STREAMS * lanes)
            results = math.prod(outer[:-1]) * -(-outer[-1] // width)
        else:
            lanes = lanes_for(dtypes, extents[-1] if extents else 1)
        length = extents[0] if extents else 1
        part = length
        if results < _FEW and terms * count >= _LARGE and length > 1:
            part = -(-length // min(64, terms * count // _PART, length))
            if not lane_per_result and len(extents) == 1:
                part = -(-part // (lanes * STREAMS)) * lanes * STREAMS
        lengths = [part, *extents[1:]] if extents else []
        if lengths and not lane_per_result:
            lengths[-1] = -(-lengths[-1] // (lanes * STREAMS))
        return cls(
            reads, operands, count, terms, lane_per_result, outer, outer_steps[:-1],
            outer_steps[-1], extents, inner_steps, lanes, width, results,
            -(-length // part) if part else 1, part,
            block_of(lengths) if needs_compensation(node) else None,
        )  # fmt: skip


def _innermost(shape: tuple[int, ...], operands: list[View]) -> int:
    """The axis of several elements on which most operands are contiguous, −1 if there is none."""

    def worth(axis: int) -> tuple[int, int]:
        return sum(view.strides[axis] == 1 for view in operands), axis

    return max((axis for axis, n in enumerate(shape) if n > 1), key=worth, default=-1)
