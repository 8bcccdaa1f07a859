"""Repeated elements and arrays: repeat, tile, resize."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from ...dtypes import is_boolean, is_integer
from ...errors import ArgumentError, ShapeError
from ...graph.describe.notation import vec
from ...graph.kinds import Composite
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops, register
from ...graph.samples import case
from ...messages.checks import whole
from ...shapes import Dim, Shape, axis_in, sizes


class Repeat(Composite):
    """y = x with each slice along `axis` repeated: `repeats` times, or as often as its number says.

    Without an axis x is flattened first. ∂L/∂x sums the cotangents of the repetitions.
    """

    math = r"\operatorname{repeat}({x})"
    promotes = False
    linear = True
    stays_finite = True
    samples = [
        case((3,), repeats=2, axis=0),
        case((2, 3), repeats=3, axis=-1),
        case((2, 3), repeats=(2, 0, 1), axis=1),
        case((2, 2), repeats=2, axis=None),
    ]

    def notation(y, x):
        return super().notation(vec(x) if y.axis is None and y.inputs[0].ndim != 1 else x)

    def shape_rule(self, *shapes: Shape) -> Shape:
        axis, repeats = self.attributes["axis"], self.attributes["repeats"]
        whole_shape = (None if None in shapes[0] else math.prod(sizes(shapes[0])),)
        shape: Shape = whole_shape if axis is None else shapes[0]
        place = 0 if axis is None else axis_in(axis, len(shape))
        length = shape[place]
        total: Dim = None
        if isinstance(repeats, tuple):
            if length is not None and len(repeats) != length:
                raise ShapeError(
                    f"{len(repeats)} numbers of repetitions for {length} slices",
                    hint="Give one number for all, or one for each slice along the axis.",
                )
            total = sum(repeats)
        elif length is not None:
            total = length * repeats
        return (*shape[:place], total, *shape[place + 1 :])

    def expand(y, x: Any):
        if y.axis is None:
            return Repeat(ops.reshape(x, -1), repeats=y.repeats, axis=0)
        axis = axis_in(y.axis, x.ndim)
        if isinstance(y.repeats, tuple):
            rows = np.repeat(np.arange(len(y.repeats)), y.repeats)
            return ops.take(x, rows, axis=axis)
        before, after = x.shape[: axis + 1], x.shape[axis + 1 :]
        spread = ops.broadcast_to(ops.expand_dims(x, axis=axis + 1), (*before, y.repeats, *after))
        return ops.reshape(spread, y.shape_rule(x.shape))  # (…, length·repeats, …)


class Tile(Composite):
    """y = x repeated `times` along each axis, as a pattern; ∂L/∂x sums over the repetitions."""

    math = r"\operatorname{tile}({x})"
    promotes = False
    linear = True
    stays_finite = True
    samples = [case((3,), times=(2,)), case((2, 3), times=(2, 1, 3)), case((2, 3), times=(2,))]

    def shape_rule(self, *shapes: Shape) -> Shape:
        shape, times = _aligned(shapes[0], self.attributes["times"])
        return tuple(None if dim is None else dim * t for dim, t in zip(shape, times, strict=True))

    def expand(y, x: Any):
        shape, times = _aligned(x.shape, y.times)
        apart = [size for dim in shape for size in (1, dim)]  # (1, size, 1, size, …)
        spread = [size for pair in zip(times, shape, strict=True) for size in pair]
        pattern = ops.broadcast_to(ops.reshape(x, apart), spread)
        return ops.reshape(pattern, y.shape_rule(x.shape))


def _aligned(shape: Any, times: tuple[int, ...]) -> tuple[Any, tuple[int, ...]]:
    """A shape and numbers of repetitions, the shorter with ones in front."""
    ndim = max(len(shape), len(times))
    return (1,) * (ndim - len(shape)) + tuple(shape), (1,) * (ndim - len(times)) + times


@register
def repeat(
    x: Any,
    /,
    repeats: int | Sequence[int],
    axis: int | None = None,
    *,
    name: str | None = None,
) -> Node:
    """y = x with each slice along `axis` repeated; without an axis, each element of x flattened.

    repeats: one number for all slices, or one for each; its values must be known when the graph is
    built, because they decide the shape.
    """
    times: int | tuple[int, ...]
    if isinstance(repeats, int):
        times = whole("repeat: repeats", repeats, like=2)
    else:
        values = as_node(repeats)._known()
        if values is None:
            raise ShapeError(
                "repeat: the numbers of repetitions aren't known yet; the shape depends on them",
                hint="Pass them as an array, not as a placeholder or an argument of pg.function.",
            )
        integral = is_integer(values.dtype) and not is_boolean(values.dtype)
        if not integral or values.ndim > 1 or (values < 0).any():
            raise ArgumentError(f"repeat: repeats is {repeats!r:.60}; expected integers ≥ 0.",
                                hint="Write repeats=2, or repeats=[1, 0, 2].")  # fmt: skip
        numbers = tuple(values.ravel().tolist())
        times = numbers[0] if len(numbers) == 1 else numbers
    return Repeat(x, repeats=times, axis=None if axis is None else index(axis), name=name)


@register
def tile(x: Any, /, repetitions: int | Sequence[int], *, name: str | None = None) -> Node:
    """y = x repeated as a pattern: `repetitions` times along each axis.

    Fewer numbers than axes go along the last ones; more numbers give x new leading axes.
    """
    given: Any = repetitions if np.ndim(repetitions) else (repetitions,)
    times = tuple(whole("tile: repetitions", number, like=2) for number in given)
    return Tile(x, times=times, name=name)


@register
def resize(x: Any, /, new_shape: int | Sequence[int], *, name: str | None = None) -> Node:
    """y = the elements of x in row-major order, repeated or cut off to fill `new_shape`.

    For images see `interpolate`.
    """
    given = new_shape if isinstance(new_shape, (tuple, list)) else (new_shape,)
    shape = tuple(whole("resize: new_shape", size, like="(2, 3)") for size in given)
    x = as_node(x)
    if x.shape is None or None in x.shape:
        raise ShapeError("resize: the shape of x isn't known yet", hint="Write pg.reshape.")
    length, total = math.prod(sizes(x.shape)), math.prod(shape)
    if not length and total:
        raise ShapeError(f"resize: x has no elements to fill {shape} with")
    flat = ops.reshape(x, -1)
    if total > length:
        flat = Tile(flat, times=(-(-total // length),))
    return ops.reshape(flat[:total], shape, name=name)
