"""A part of an array, at a basic index, replaced by values."""

from __future__ import annotations

import numpy as np

from ...errors import ShapeError
from ...graph.batching.layouts import at_index, piece_of
from ...graph.describe.notation import index_text, subscripted
from ...graph.kinds import Layout
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.registry import ops
from ...graph.samples import case
from ...shapes import same, sizes, sliced, text
from ..layout.move import Place

_ALL = slice(None)


class Overwrite(Layout):
    """y = x with y[index] = v, for an index of integers, slices, None and `...`."""

    batched = at_index
    math = r"{x}[i] \leftarrow {v}"
    samples = [
        case((3, 4), (4,), index=(1,)),
        case((3, 4), (2, 2), index=(slice(None, None, -2), slice(1, 3))),
        case((2, 3, 4), (2, 1, 3), index=(Ellipsis, None, slice(None), 0)),
        case((3, 4), (3, 2), index=(_ALL, slice(1, 3))),
    ]

    def f(m, x, v, *, index):
        return m.overwritten(x, v, index)

    def shape_rule(y, *shapes):
        x, values = shapes
        place = sliced(x, y.attributes["index"])
        if len(values) != len(place) or not all(map(same, values, place)):
            raise ShapeError(f"values of {text(values)} for a part of {text(place)}")
        return x

    def simpler(y, *given: Node) -> Node | None:
        """Concatenated pieces if the index is one piece of one axis; else a choice by a mask."""
        x, v = given
        index, shape = y.attributes["index"], sizes(x.shape)
        piece = piece_of(index, shape)
        if piece is None:
            mask = np.zeros(shape, bool)
            mask[index] = True
            return ops.where(Constant(mask), Place(v, shape=shape, index=index), x)
        axis, start, stop = piece
        whole = (*shape[:axis], stop - start, *shape[axis + 1 :])
        before, after = (_ALL,) * axis, slice(stop, None)
        parts = [ops.reshape(v, whole)]
        if start:
            parts.insert(0, x[(*before, slice(0, start))])
        if stop < shape[axis]:
            parts.append(x[(*before, after)])
        return ops.concat(parts, axis=axis)

    def vjp(y, g, x, v):
        zeros = ops.broadcast_to(Constant.of(0, g.dtype), v.shape)
        return [lambda: Overwrite(g, zeros, index=y.index), lambda: g[y.index]]

    def notation(y, x, v):
        place = f"[{index_text(y.attributes['index'])}]"
        return subscripted(x, f"{place} \\leftarrow {v.latex}")
