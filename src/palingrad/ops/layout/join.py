"""Joining and splitting arrays: concat, stack, split."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from ...errors import ArgumentError, ShapeError
from ...graph.batching.rules import along_front
from ...graph.declared.strided import Strided
from ...graph.describe.notation import Piece
from ...graph.functions import frozen
from ...graph.kinds import Layout
from ...graph.node import Node
from ...graph.operation import MultipleOutputs
from ...graph.promotion import as_node, as_nodes
from ...graph.registry import ops, register
from ...graph.samples import case
from ...messages.calls import explains, misfit
from ...shapes import Dim, Shape, axis_in, same, sizes


class Concat(Layout):
    """y = the inputs joined along `axis`; their sizes on the other axes must agree."""

    batched = along_front
    math, onnx = r"[{x}; {y}]", "Concat"
    associative = True
    samples = [
        case((3, 4), (2, 4), axis=0),
        case((3, 4), (3, 1), (3, 0), axis=-1),
        case((2,), axis=0),
    ]

    def f(m, *x, axis):
        return m.concatenate(x, axis=axis)

    def shape_rule(y, *shapes):
        axis = axis_in(y.attributes["axis"], len(shapes[0]))
        result: list[Dim] = list(shapes[0])
        total: Dim = 0
        for shape in shapes:
            fits = len(shape) == len(result) and all(
                place == axis or same(a, b)
                for place, (a, b) in enumerate(zip(shape, result, strict=True))
            )
            if not fits:
                differ = [at for at, (a, b) in enumerate(zip(shapes[0], shape)) if not same(a, b)]
                fits = len(differ) == 1 and len(shape) == len(shapes[0])
                raise ShapeError(
                    f"shapes {shapes[0]} and {shape} differ outside axis {axis}",
                    hint=f"They differ on one axis alone: axis={differ[0]}." if fits else "",
                )
            result = [b if a is None else a for a, b in zip(result, shape, strict=True)]
            total = None if total is None or shape[axis] is None else total + shape[axis]
        result[axis] = total
        return tuple(result)

    def filled(y, zeros: Strided, position: int) -> Strided | None:
        axis = axis_in(y.axis, len(zeros.shape))
        ends = np.cumsum([0, *(sizes(x.shape)[axis] for x in y.inputs)]).tolist()
        part = slice(ends[position], ends[position + 1])
        return zeros.sliced((*(slice(None),) * axis, part))

    def vjp(y, g, *x):
        axis = axis_in(y.axis, x[0].ndim or 0)
        ends = np.cumsum([0, *(part.shape[axis] for part in x)]).tolist()
        before = (slice(None),) * axis
        return [g[(*before, slice(start, stop))] for start, stop in itertools.pairwise(ends)]

    def notation(y, *x):
        axis = "" if y.ndim == 1 else f"_{{{y.attributes['axis']}}}"
        return Piece("\\left[" + r";\, ".join(part.latex for part in x) + "\\right]" + axis)


class Split(MultipleOutputs, Layout):
    """Pieces of x along `axis`, of the given sizes, which add up to the size of that axis."""

    batched = along_front
    math, onnx = r"\operatorname{split}({x})", "Split"
    samples = [
        case((5, 4), sizes=(2, 3), axis=0),
        case((3, 4), sizes=(1, 3, 0), axis=-1),
    ]

    def f(m, x, *, sizes, axis):
        return m.split(x, np.cumsum(sizes[:-1]).tolist(), axis=axis)

    def _evaluate(self, values: Sequence[Any]) -> Any:
        self._infer()  # np.split clips sizes that don't add up instead of raising an error
        return super()._evaluate(values)

    @property
    def count(self) -> int:
        return len(self.attributes["sizes"])

    def shape_rule(y, *shapes):
        sizes: tuple[int, ...] = y.attributes["sizes"]
        axis = axis_in(y.attributes["axis"], len(shapes[0]))
        length = shapes[0][axis]
        if length is not None and sum(sizes) != length:
            raise ShapeError(f"pieces of {sizes} don't add up to axis {axis} of size {length}")
        return tuple((*shapes[0][:axis], size, *shapes[0][axis + 1 :]) for size in sizes)

    def dtype_rule(y, *dtypes):
        return tuple(dtypes[0] for _ in y.attributes["sizes"])

    def vjp(y, g, x):
        return [concat(g, axis=y.axis)]


@register
@explains
def concat(
    xs: Sequence[Any],
    axis: int | None = 0,
    *more: Any,
    name: str | None = None,
    **unknown: Any,
) -> Node:
    """y = the arrays `xs` joined along `axis`; their sizes on the other axes must agree.

    With axis=None the arrays are flattened first.
    """
    if more or unknown:
        raise misfit(concat, (xs, axis, *more), unknown)
    if isinstance(xs, (Node, np.ndarray)):
        raise ShapeError("concat: expected a list of arrays, got one array",
                         hint="Write pg.concat([x, y]).")  # fmt: skip
    if not xs:
        raise ShapeError("concat: expected arrays to join, got none", hint="Write [x, y].")
    if axis is None:
        xs, axis = [ops.reshape(x, -1) for x in as_nodes(*xs)], 0
    return Concat(*xs, axis=frozen(axis), name=name)


@register
@explains
def stack(
    xs: Sequence[Any], axis: int = 0, *more: Any, name: str | None = None, **unknown: Any
) -> Node:
    """y = the arrays `xs`, all of one shape, joined along a new axis `axis`, counted in y."""
    if more or unknown:
        raise misfit(stack, (xs, axis, *more), unknown)
    if isinstance(axis, Node):
        raise ShapeError("stack: expected a list of arrays, got arrays",
                         hint="Write pg.stack([x, y]).")  # fmt: skip
    return concat([ops.expand_dims(x, axis=axis) for x in as_nodes(*xs)], axis=axis, name=name)


@register
def split(
    x: Any,
    /,
    indices_or_sections: int | Sequence[int] | None = None,
    axis: int = 0,
    *,
    sizes: Sequence[int] | None = None,
    name: str | None = None,
) -> tuple[Node, ...]:
    """Pieces of x along `axis`: a number of equal pieces, or those between indices, as in NumPy.

    Indices [2, 5] give x[:2], x[2:5] and x[5:]. `sizes` are the sizes of the pieces instead, which
    add up to the size of the axis. A number of pieces requires that this size is known when the
    graph is built.
    """
    if (sizes is None) == (indices_or_sections is None):
        raise ArgumentError("split: expected either a number of pieces, indices or sizes=[…].",
                            hint="Write pg.split(x, 2).")  # fmt: skip
    if indices_or_sections is not None:
        if isinstance(indices_or_sections, (int, np.integer)):
            sizes = _equal_sizes(x, int(indices_or_sections), axis)
        else:
            ends = [index(end) for end in indices_or_sections]
            length = length_of(x, axis)
            if length is None or sorted(ends) != ends or not all(0 <= e <= length for e in ends):
                return _slices(x, ends, axis)
            sizes = np.diff(np.asarray([0, *ends, length])).tolist()
    pieces = tuple(index(size) for size in sizes or ())
    return Split(x, sizes=pieces, axis=index(axis), name=name).items


def _slices(x: Any, ends: list[int], axis: int) -> tuple[Node, ...]:
    """The slices between indices that needn't be in order or in range."""
    x = as_node(x)
    if axis < 0:
        if x.ndim is None:
            raise ShapeError("split: the number of axes isn't known yet", hint="Count from axis=0.")
        axis = axis_in(axis, x.ndim)
    before = (slice(None),) * axis
    parts = itertools.pairwise([0, *ends, None])
    return tuple(x[(*before, slice(start, stop))] for start, stop in parts)


def length_of(x: Any, axis: int) -> int | None:
    """The size of x on `axis`, None where it isn't known."""
    shape: Shape | None = x.shape if isinstance(x, Node) else np.shape(x)
    return None if shape is None else shape[axis_in(axis, len(shape))]


def _equal_sizes(x: Any, pieces: int, axis: int) -> list[int]:
    length = length_of(x, axis)
    if length is None:
        raise ShapeError(
            f"split: the size of axis {axis} isn't known yet",
            hint="Give the sizes of the pieces: sizes=[2, 3].",
        )
    if pieces < 1 or length % pieces:
        sizes = [len(part) for part in np.array_split(range(length), max(pieces, 1))]
        raise ShapeError(
            f"split: axis {axis} of size {length} can't make {pieces} equal pieces",
            hint=f"Give the sizes of the pieces, such as sizes={sizes}.",
        )
    return [length // pieces] * pieces
