"""Layout operations: reshape, transposes, added and removed axes, broadcasting, slices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import ShapeError
from ...graph.batching.layouts import at_index, permuted, placed, to_broadcast, to_shape, transposed
from ...graph.declared.strided import Strided
from ...graph.describe import axes as in_formulas
from ...graph.describe.notation import ATOM, POWER, Piece, applied, index_text, indexed, operator
from ...graph.functions import frozen, short_path, unary
from ...graph.kinds import Composite, Layout
from ...graph.node import Node
from ...graph.registry import ops, register
from ...graph.samples import case
from ...messages.calls import explains, misfit
from ...shapes import Shape, as_shape, axes_in, broadcast, known, reshaped, same, sizes, sliced
from .basic_index import as_slices, is_basic


class Reshape(Layout):
    """y = the elements of x, in row-major order, in another shape; a size of −1 is inferred."""

    batched = to_shape
    math, onnx = r"\operatorname{reshape}_{<shape>}({x})", "Reshape"
    samples = [
        case((3, 4), shape=(2, 6)),
        case((3, 4), shape=(-1,)),
        case((2, 3, 4), shape=(4, -1, 2)),
        case((), shape=(1, 1)),
        case((0, 3), shape=(3, 0)),
    ]

    def f(m, x, *, shape):
        return m.reshape(x, shape)

    def shape_rule(y, *shapes):
        return reshaped(shapes[0], y.attributes["shape"])

    def view(y, x: Strided) -> Strided | None:
        return x.reshaped(sizes(y.shape))

    def vjp(y, g, x):
        return [ops.reshape(g, x.shape)]

    def notation(y, x):
        return in_formulas.reshaped(x, y.inputs[0].shape, y.shape, y.attributes["shape"])

    def structure(y, position, size, out):
        return "identity"


class PermuteDims(Layout):
    """y = x with its axes in the order `axes`; None reverses the axes."""

    batched = permuted
    math, onnx = "{x}^T", "Transpose"
    samples = [
        case((3, 4), axes=None),
        case((2, 3, 4), axes=(1, 2, 0)),
        case((2, 3, 4), axes=(-1, 0, 1)),
        case((), axes=()),
        case((0, 2), axes=(1, 0)),
    ]

    def f(m, x, *, axes):
        return m.transpose(x, axes)

    def shape_rule(y, *shapes):
        return tuple(shapes[0][axis] for axis in y.order(len(shapes[0])))

    def view(y, x: Strided) -> Strided | None:
        return x.permuted(y.order(len(x.shape)))

    def vjp(y, g, x):
        return [permute_dims(g, tuple(int(axis) for axis in np.argsort(y.order(x.ndim))))]

    def order(self, ndim: int) -> tuple[int, ...]:
        """The axes of x in the order of y's axes, as indices ≥ 0."""
        axes = self.attributes["axes"]
        if axes is None:
            return tuple(range(ndim))[::-1]
        if len(axes) != ndim or len(axes_in(axes, ndim)) != ndim:
            raise ShapeError(f"axes {axes} don't name each of {ndim} axes once")
        return tuple(axis % ndim for axis in axes)

    def notation(y, x):
        axes = y.attributes["axes"]
        if y.ndim is not None and y.ndim < 2:
            return x
        if y.ndim is None or (axes is None and y.ndim == 2) or axes in ((1, 0), (-1, -2)):
            return Piece(f"{x.within(ATOM)}^T", POWER)
        order = y.order(y.ndim) if axes is None else axes
        text = f"{operator('permute')}_{{{', '.join(map(str, order))}}}"
        return x if y.order(y.ndim) == tuple(range(y.ndim)) else applied(text, [x])

    def structure(y, position, size, out):
        return "permutation"


class MatrixTranspose(Layout):
    """y = x with its last two axes exchanged."""

    batched = transposed
    math, onnx = "{x}^T", "Transpose"
    samples = [case((3, 4)), case((2, 3, 4)), case((0, 2))]

    def f(m, x):
        return m.swapaxes(x, -1, -2)

    def shape_rule(y, *shapes):
        if len(shapes[0]) < 2:
            hint = "A vector becomes a column by v[:, None], a row by v[None, :]."
            raise ShapeError(f"a matrix has two axes or more, got {len(shapes[0])}", hint=hint)
        return (*shapes[0][:-2], shapes[0][-1], shapes[0][-2])

    def view(y, x: Strided) -> Strided | None:
        *outer, rows, columns = range(len(x.shape))
        return x.permuted((*outer, columns, rows))

    def vjp(y, g, x):
        return [g.mT]

    def structure(y, position, size, out):
        return "permutation"


class ExpandDims(Layout):
    """y = x with axes of size 1 inserted at `axis`, counted in y."""

    batched = to_shape
    math, onnx = "{x}", "Unsqueeze"
    samples = [
        case((3, 4), axis=0),
        case((3, 4), axis=-1),
        case((3, 4), axis=(0, 3)),
        case((), axis=0),
    ]

    def f(m, x, *, axis):
        return m.expand_dims(x, axis)

    def shape_rule(y, *shapes):
        axis = y.attributes["axis"]
        ndim = len(shapes[0]) + (len(axis) if isinstance(axis, tuple) else 1)
        new = axes_in(axis, ndim)
        sizes = iter(shapes[0])
        return tuple(1 if place in new else next(sizes) for place in range(ndim))

    def view(y, x: Strided) -> Strided | None:
        return x.reshaped(sizes(y.shape))

    def vjp(y, g, x):
        return [ops.reshape(g, x.shape)]

    def notation(y, x):
        if not y.ndim or all(n == 1 for n in y.inputs[0].shape or ()):
            return x
        return in_formulas.inserted(x, axes_in(y.axis, y.ndim), y.shape)

    def structure(y, position, size, out):
        return "identity"


class Squeeze(Layout):
    """y = x without the axes `axis`, which must have size 1; None removes all axes of size 1."""

    batched = to_shape
    math, onnx = "{x}", "Squeeze"
    samples = [
        case((3, 1, 4), axis=1),
        case((1, 3, 1), axis=(0, -1)),
        case((1, 3, 1), axis=None),
        case((1,), axis=0),
    ]

    def f(m: Any, x, *, axis):
        return m.squeeze(x, axis)

    def shape_rule(y, *shapes):
        axis = y.attributes["axis"]
        if axis is None:
            if not known(shapes[0]):
                raise ShapeError("the shape isn't known yet", hint="Name the axes to remove.")
            return tuple(dim for dim in shapes[0] if dim != 1)
        removed = axes_in(axis, len(shapes[0]))
        for index in removed:
            if shapes[0][index] not in (1, None):
                raise ShapeError(f"axis {index} has size {shapes[0][index]}, not 1")
        return tuple(dim for index, dim in enumerate(shapes[0]) if index not in removed)

    def view(y, x: Strided) -> Strided | None:
        return x.reshaped(sizes(y.shape))

    def vjp(y, g, x):
        return [ops.reshape(g, x.shape)]

    def notation(y, x):
        given = y.inputs[0].shape
        if given is None:
            return applied(operator("squeeze"), [x])
        ones = [place for place, n in enumerate(given) if n == 1]
        return in_formulas.removed(
            x, ones if y.axis is None else axes_in(y.axis, len(given)), given
        )

    def structure(y, position, size, out):
        return "identity"


class BroadcastTo(Layout):
    """y = x repeated along new leading axes and axes of size 1, up to the given shape."""

    batched = to_broadcast
    math, onnx = "{x}", "Expand"
    samples = [
        case((3, 1), shape=(2, 3, 4)),
        case((), shape=(2, 2)),
        case((4,), shape=(4,)),
        case((1,), shape=(0,)),
        *(case((1, 1), shape=(1, 4, 4)), case((1, 1), shape=(2, 1, 4))),
    ]

    def f(m, x, *, shape):
        return m.broadcast_to(x, shape)

    def shape_rule(y, *shapes):
        target: Shape = y.attributes["shape"]
        try:
            fits = broadcast(shapes[0], target)
        except ShapeError:
            fits = None
        if fits is None or len(fits) != len(target) or not all(map(same, fits, target)):
            raise ShapeError(f"can't be broadcast to {target}")
        return target

    def view(y, x: Strided) -> Strided | None:
        return x.broadcast(sizes(y.shape))

    def vjp(y, g, x):
        return [ops.sum_to(g, x.shape)]

    def notation(y, x):
        return in_formulas.broadcast(x, y.inputs[0].shape, y.shape or ())


class Flatten(Composite):
    """y = x with all axes after the first merged into one: (batch, …) to (batch, features)."""

    math, onnx = r"\operatorname{flatten}({x})", "Flatten"
    promotes = False
    samples = [case((2, 3, 4)), case((2, 3)), case((4,)), case((0, 3, 2))]

    def shape_rule(y, *shapes):
        if not shapes[0]:
            raise ShapeError("x has no axes to flatten")
        rest = shapes[0][1:]
        return shapes[0][0], math.prod(rest) if None not in rest else None

    def expand(y, x):
        return ops.reshape(x, y.shape_rule(x.shape))

    def structure(y, position, size, out):
        return "identity"


class Slice(Layout):
    """y = x[index] for an index of integers, slices, None and `...`, as in NumPy."""

    batched = at_index
    math, onnx = "{x}[i]", "Slice"
    samples = [
        case((3, 4), index=(1,)),
        case((3, 4), index=(slice(None), -1)),
        case((3, 4), index=(slice(None, None, -2), slice(1, 3))),
        case((2, 3, 4), index=(Ellipsis, None, 0)),
        case((3, 4), index=(slice(2, 2),)),
        case((), index=(None,)),
    ]

    def f(m, x, *, index):
        return m.slice_of(x, index)

    def shape_rule(y, *shapes):
        return sliced(shapes[0], y.attributes["index"])

    def view(y, x: Strided) -> Strided | None:
        return x.sliced(y.attributes["index"])

    def vjp(y, g, x):
        return [Place(g, shape=x.shape, index=y.index)]

    def notation(y, x):
        return indexed(x, index_text(y.attributes["index"]))


class Place(Layout):
    """y = zeros of the given shape with y[index] = x: the adjoint of a slice."""

    batched = placed
    math = r"\mathbf{0}_{[i] \leftarrow {x}}"
    samples = [
        case((4,), shape=(3, 4), index=(1,)),
        case((3,), shape=(3, 4), index=(slice(None), -1)),
        case((2, 2), shape=(3, 4), index=(slice(None, None, -2), slice(1, 3))),
        case((2, 1, 3), shape=(2, 3, 4), index=(Ellipsis, None, slice(None), 0)),
    ]

    def f(m, x, *, shape, index):
        return m.place(x, shape, index)

    def shape_rule(y, *shapes):
        place = sliced(y.attributes["shape"], y.attributes["index"])
        if len(shapes[0]) != len(place) or not all(map(same, shapes[0], place)):
            raise ShapeError(f"doesn't fit {y.attributes['index']} of {y.attributes['shape']}")
        return y.attributes["shape"]

    def filled(y, zeros: Strided, position: int) -> Strided | None:
        return zeros.sliced(y.attributes["index"])

    def notation(y, x):
        return in_formulas.placed(x, y.index, y.shape or ())

    def vjp(y, g, x):
        return [g[y.index]]


@register
def getitem(x: Any, index: Any, *, name: str | None = None) -> Node:
    """y = x[index] for an index of integers, slices, None, `...`, masks and arrays of integers."""
    parts = index if type(index) is tuple else (index,)
    for part in parts:
        if not is_basic(part):
            found = as_slices(x, parts)
            if found is None:
                return ops.at(x)[index].get(name=name)
            parts = found
            break
    short = _short_slice(x, {"index": parts}) if name is None and isinstance(x, Node) else None
    return Slice(x, index=parts, name=name) if short is None else short


_short_slice = short_path(Slice)
_short_reshape, _short_permute = short_path(Reshape), short_path(PermuteDims)
_short_expand_dims = short_path(ExpandDims)


@register
@explains
def reshape(
    x: Any, shape: int | Sequence[int], *more: Any, copy: bool | None = None,
    name: str | None = None, **unknown: Any,
) -> Node:  # fmt: skip
    """y = the elements of x, in row-major order, in another shape, a tuple or several arguments; a
    size of -1 is inferred. `copy` has no effect: values don't change."""
    if unknown or (more and not all(isinstance(size, (int, np.integer)) for size in more)):
        raise misfit(reshape, (x, shape, *more), unknown)
    given = (shape, *more) if more else shape
    sizes: Any = frozen(tuple(given) if isinstance(given, (tuple, list)) else (given,))
    if any(size < -1 for size in sizes):  # NumPy treats any negative size as -1
        raise ShapeError(f"reshape: shape {sizes} may hold one -1 and no other negative size")
    short = _short_reshape(x, {"shape": sizes}) if name is None and isinstance(x, Node) else None
    return Reshape(x, shape=sizes, name=name) if short is None else short


@register
def permute_dims(x: Any, axes: Sequence[int] | None = None, *, name: str | None = None) -> Node:
    """y = x with its axes in the order `axes`; by default the axes are reversed."""
    order = None if axes is None else frozen(tuple(axes))
    found = _short_permute(x, {"axes": order}) if name is None and isinstance(x, Node) else None
    return PermuteDims(x, axes=order, name=name) if found is None else found


@register
def expand_dims(x: Any, /, axis: int | Sequence[int] = 0, *, name: str | None = None) -> Node:
    """y = x with axes of size 1 inserted at `axis`, counted in y."""
    new = frozen(axis)
    short = _short_expand_dims(x, {"axis": new}) if name is None and isinstance(x, Node) else None
    return ExpandDims(x, axis=new, name=name) if short is None else short


@register
def squeeze(x: Any, /, axis: int | Sequence[int] | None = None, *, name: str | None = None) -> Node:
    """y = x without the axes `axis`, which must have size 1; by default all axes of size 1."""
    return Squeeze(x, axis=frozen(axis), name=name)


@register
def broadcast_to(x: Any, shape: int | Sequence[int], *, name: str | None = None) -> Node:
    """y = x repeated along new leading axes and axes of size 1, up to the given shape."""
    return BroadcastTo(x, shape=as_shape(shape), name=name)


flatten = register(unary(Flatten))
matrix_transpose = register(unary(MatrixTranspose))
