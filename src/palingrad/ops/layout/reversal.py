"""Elements in reversed or rotated order: flip, roll, rot90."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import ShapeError
from ...graph.batching.layouts import reversed_axes
from ...graph.batching.rules import shifted
from ...graph.declared.strided import Strided
from ...graph.functions import frozen
from ...graph.kinds import Composite, Layout
from ...graph.node import Node
from ...graph.registry import ops, register
from ...graph.samples import case
from ...shapes import Shape, axes_in, axis_in


class Flip(Layout):
    """y = x with the order of the elements reversed along `axis`; None reverses all axes."""

    batched = reversed_axes
    math = r"\operatorname{flip}_{<axis>}({x})"
    samples = [case((3, 4), axis=0), case((2, 3, 4), axis=(-1, 0)), case((2, 3), axis=None)]

    def f(m, x, *, axis):
        return m.slice_of(x, _reversal(axis, len(x.shape)))

    def shape_rule(y, *shapes):
        axes_in(y.attributes["axis"], len(shapes[0]))
        return shapes[0]

    def view(y, x: Strided) -> Strided | None:
        return x.sliced(_reversal(y.attributes["axis"], len(x.shape)))

    def vjp(y, g, x):
        return [Flip(g, axis=y.axis)]

    def structure(y, position, size, out):
        return "permutation"


def _reversal(axis: Any, ndim: int) -> tuple[slice, ...]:
    """The index that reverses the axes."""
    axes = axes_in(axis, ndim)
    return tuple(slice(None, None, -1) if place in axes else slice(None) for place in range(ndim))


class Rot90(Layout):
    """y = x rotated by 90° `k` times in the plane of two axes, from the first to the second."""

    batched = shifted("axes")
    math = r"\operatorname{rot90}_{<k>; <axes>}({x})"
    samples = [
        case((2, 3), k=1, axes=(0, 1)),
        case((2, 3, 4), k=2, axes=(0, 2)),
        case((2, 3, 4), k=-1, axes=(-1, 1)),
    ]

    def f(m, x, *, k, axes):
        index, order = _rotation(k, axes, len(x.shape))
        return m.transpose(m.slice_of(x, index), order)

    def shape_rule(y, *shapes):
        _, order = _rotation(y.attributes["k"], y.attributes["axes"], len(shapes[0]))
        return tuple(shapes[0][axis] for axis in order)

    def view(y, x: Strided) -> Strided | None:
        index, order = _rotation(y.attributes["k"], y.attributes["axes"], len(x.shape))
        return x.sliced(index).permuted(order)

    def vjp(y, g, x):
        return [Rot90(g, k=-y.k, axes=y.axes)]

    def structure(y, position, size, out):
        return "permutation"


def _rotation(k: int, axes: Any, ndim: int) -> tuple[tuple[slice, ...], tuple[int, ...]]:
    """A rotation as an index that reverses axes, followed by an order of the axes."""
    first, second = (axis_in(axis, ndim) for axis in axes)
    if first == second:
        raise ShapeError(f"axes {tuple(axes)} are one axis; a plane has two")
    turned = {0: (), 1: (second,), 2: (first, second), 3: (first,)}[k % 4]
    order = list(range(ndim))
    if k % 2:
        order[first], order[second] = second, first
    return _reversal(turned, ndim), tuple(order)


class Roll(Composite):
    """y = x with its elements shifted cyclically along each `axis`: yᵢ = xᵢ₋ₛ for its `shift` s.

    Without an axis the elements are shifted in row-major order.
    """

    math = r"\operatorname{roll}_{<shift>; <axis>}({x})"
    linear = complexes = True
    stays_finite = True
    samples = [
        case((5,), shift=(2,), axis=(0,)),
        case((3, 4), shift=(-1, 6), axis=(0, 1)),
        case((3, 4), shift=(1, 1), axis=(-1, 1)),
        case((2, 3), shift=(2,), axis=None),
        case((0, 3), shift=(1,), axis=(0,)),
    ]

    def shape_rule(self, *shapes: Shape) -> Shape:
        for axis in self.attributes["axis"] or ():
            axis_in(axis, len(shapes[0]))
        return shapes[0]

    def expand(y, x: Any):
        if y.axis is None:
            return ops.reshape(Roll(ops.reshape(x, -1), shift=y.shift, axis=(0,)), x.shape)
        result = x
        shifts: dict[int, int] = {}
        for shift, axis in zip(y.shift, y.axis, strict=True):
            place = axis_in(axis, x.ndim)
            shifts[place] = shifts.get(place, 0) + shift
        for axis, shift in shifts.items():
            length = x.shape[axis]
            if length and shift % length:
                before = (slice(None),) * axis
                start = length - shift % length
                parts = [result[(*before, slice(start, None))], result[(*before, slice(start))]]
                result = ops.concat(parts, axis=axis)
        return x[...] if result is x else result

    def vjp(y, g, x):
        return [Roll(g, shift=tuple(-shift for shift in y.shift), axis=y.axis)]

    def structure(y, position, size, out):
        return "permutation"


@register
def flip(x: Any, /, axis: int | Sequence[int] | None = None, *, name: str | None = None) -> Node:
    """y = x with the order of the elements reversed along `axis`, by default along all axes."""
    return Flip(x, axis=frozen(axis), name=name)


@register
def fliplr(x: Any, /, *, name: str | None = None) -> Node:
    """y = x with its columns, axis 1, in reverse order."""
    return Flip(x, axis=1, name=name)


@register
def flipud(x: Any, /, *, name: str | None = None) -> Node:
    """y = x with its rows, axis 0, in reverse order."""
    return Flip(x, axis=0, name=name)


@register
def rot90(
    x: Any, /, k: int = 1, axes: tuple[int, int] = (0, 1), *, name: str | None = None
) -> Node:
    """y = x rotated by 90° `k` times in the plane of two axes, from the first to the second."""
    plane = frozen(tuple(axes))
    if not isinstance(plane, tuple) or len(plane) != 2:
        raise ShapeError(f"rot90: a plane has two axes, got {axes!r}", hint="Write axes=(0, 1).")
    return Rot90(x, k=int(k) % 4, axes=plane, name=name)


@register
def roll(
    x: Any,
    /,
    shift: int | Sequence[int],
    axis: int | Sequence[int] | None = None,
    *,
    name: str | None = None,
) -> Node:
    """y = x with its elements shifted cyclically by `shift` places along `axis`.

    Elements that leave at one end come back at the other. Several shifts need as many axes, or one
    shift goes along several. Without an axis, x is rolled in row-major order and keeps its shape.
    """
    steps, axes = frozen(shift), frozen(axis)
    if axes is None:
        total = steps if isinstance(steps, int) else sum(steps or ())
        return Roll(x, shift=(total,), axis=None, name=name)
    axes = axes if isinstance(axes, tuple) else (axes,)
    steps = steps if isinstance(steps, tuple) else (steps or 0,) * len(axes)
    axes = axes * len(steps) if len(axes) == 1 else axes
    if len(steps) != len(axes):
        raise ShapeError(f"roll: {len(steps)} shifts for {len(axes)} axes",
                         hint="Give one shift for each axis.")  # fmt: skip
    return Roll(x, shift=steps, axis=axes, name=name)
