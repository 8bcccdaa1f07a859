"""Finite differences as derivatives of samples, and phases without jumps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from ...dtypes import default_dtype, is_complex, is_floating, is_inexact
from ...errors import ArgumentError, ShapeError
from ...graph.functions import frozen
from ...graph.kinds import Composite
from ...graph.node import Node
from ...graph.promotion import as_node, refuse_complex
from ...graph.registry import ops, register
from ...graph.samples import case
from ...messages.checks import counted, number_of, within
from ...shapes import Shape, axes_in, axis_in, same, text
from ..reduction.axes import narrowed, widened


class FiniteDifference(Composite):
    """y ≈ ∂f/∂x along `axis`, of samples f at places x: second-order differences inside.

    h is the distance of the places, or the places themselves. At the ends the differences have
    `edge_order` 1 or 2.
    """

    math = r"\frac{\Delta {f}}{\Delta {h}}"
    floats = True
    samples = [
        case((4,), np.array(0.5), axis=0, edge_order=1),
        case((2, 4), np.array([0.0, 0.5, 0.7, 2.0]), axis=-1, edge_order=1),
        case((4, 2), np.array([0.0, 0.5, 0.7, 2.0]), axis=0, edge_order=2),
        case((3,), np.array(0.5), axis=0, edge_order=2),
    ]

    def shape_rule(self, *shapes: Shape) -> Shape:
        f, h = shapes
        axis, order = axis_in(self.attributes["axis"], len(f)), self.attributes["edge_order"]
        length = f[axis]
        if length is not None and length < order + 1:
            raise ShapeError(
                f"axis {axis} has {counted(length, 'sample')}; edge_order={order} needs {order + 1}"
            )
        if h and (len(h) != 1 or not same(h[0], length)):
            raise ShapeError(f"places {text(h)} for {length} samples on axis {axis}",
                             hint="Give one distance, or one place for each sample.")  # fmt: skip
        return f

    def expand(y, f: Any, h: Any):
        axis, dtype = axis_in(y.axis, f.ndim), f.dtype
        f, h = widened(f), widened(h)

        def at(start: int | None, stop: int | None) -> Any:
            return f[(*(slice(None),) * axis, slice(start, stop))]

        if h.ndim:
            steps = ops.reshape(h[1:] - h[:-1], (-1, *(1,) * (f.ndim - axis - 1)))
            before, after = steps[:-1], steps[1:]
        else:
            steps = before = after = None
        parts = [_edge(at(0, 1), at(1, 2), at(2, 3), steps, h, y.edge_order)]
        if f.shape[axis] > 2:
            if before is None or after is None:
                parts.append((at(2, None) - at(None, -2)) / (2 * h))
            else:
                low, mid, high = at(None, -2), at(1, -1), at(2, None)
                total = before + after
                parts.append(
                    (before / (after * total)) * (high - mid)
                    + (after / (before * total)) * (mid - low)
                )
        last = None if steps is None else steps[::-1]
        edge = _edge(at(-1, None), at(-2, -1), at(-3, -2), last, h, y.edge_order)
        parts.append(-edge)
        return narrowed(ops.concat(parts, axis=axis), dtype)


def _edge(first: Any, second: Any, third: Any, steps: Any, h: Any, order: int) -> Any:
    """The difference at an end, from the samples next to it, the places counted from there."""
    one = h if steps is None else steps[:1]
    if order == 1:
        return (second - first) / one
    two = h if steps is None else steps[1:2]
    near, far = (second - first) / one, (third - second) / two
    return near + (near - far) * (one / (one + two))


class Unwrap(Composite):
    """y = x plus multiples of `period`, so that no step along `axis` is larger than half of it.

    A step is changed only if it is larger than `discontinuity`. ∂y/∂x = 1.
    """

    math = r"\operatorname{unwrap}({x})"
    samples = [
        case(np.array([0.1, 2.5, -1.9, 2.8, -2.0]), axis=-1, period=2 * np.pi, discontinuity=None),
        case(np.array([[0.1, 1.5], [0.9, -0.2]]), axis=0, period=1.0, discontinuity=0.75),
        case(np.array([0, 3, 1, 6, 7, 3]), axis=0, period=4, discontinuity=None),
    ]

    def shape_rule(self, *shapes: Shape) -> Shape:
        axis_in(self.attributes["axis"], len(shapes[0]))
        return shapes[0]

    def expand(y, x: Any):
        axis, period = axis_in(y.axis, x.ndim), y.period
        if x.shape[axis] < 2:
            return x[...]
        before = (slice(None),) * axis
        wide = ops.stop_gradient(widened(x))
        step = wide[(*before, slice(1, None))] - wide[(*before, slice(None, -1))]
        half = period / 2 if is_inexact(x.dtype) else period // 2
        rest = ops.remainder(step + half, period) - half  # in [−period/2, period/2)
        if is_inexact(x.dtype) or period % 2 == 0:
            rest = ops.where((rest == -half) & (step > 0), half, rest)
        least = half if y.discontinuity is None else max(y.discontinuity, half)
        change = ops.where(ops.abs(step) < least, 0, rest - step)
        first = ops.zeros_like(wide[(*before, slice(0, 1))])
        total = ops.concat([first, ops.cumsum(change, axis=axis)], axis=axis)
        return narrowed(widened(x) + total, x.dtype)

    def vjp(y, g, x):
        return [g]


@register
def gradient(
    f: Any,
    /,
    *spacing: Any,
    axis: int | Sequence[int] | None = None,
    edge_order: int = 1,
    name: str | None = None,
) -> Any:
    """The derivatives of samples f along its axes, by finite differences, as in NumPy.

    Not the derivative of a computation: that is `gradients(y, x)`. spacing: the distance of the
    samples, by default 1, or for each axis a distance or the places of the samples. axis: one axis,
    or several; by default all. edge_order: 1 or 2, of the differences at the ends. The result is a
    node for one axis, and a tuple of nodes for several. Differentiable in f and in the spacing.
    """
    f = as_node(f)
    if f.ndim is None:
        raise ShapeError("gradient: the number of axes isn't known yet",
                         hint="Give the placeholder a shape.")  # fmt: skip
    if not f.ndim:
        raise ShapeError("gradient: samples have an axis or more, got a scalar.",
                         hint="pg.gradients(y, x) is the derivative of y with respect to x.",
                         )  # fmt: skip
    if isinstance(edge_order, Node) or edge_order not in (1, 2):
        raise ArgumentError(f"gradient: edge_order is {edge_order!r}; expected 1 or 2.",
                            hint="Write edge_order=1.")  # fmt: skip
    given = frozen(axis)
    axes = [axis_in(one, f.ndim) for one in given] if isinstance(given, tuple) else list(
        axes_in(given, f.ndim)
    )  # fmt: skip
    if len(spacing) not in (0, 1, len(axes)):
        raise ArgumentError(f"gradient: {counted(len(spacing), 'spacing')} for "
                            f"{len(axes)} {'axis' if len(axes) == 1 else 'axes'}.",
                            hint="Give one for all axes, or one for each.")  # fmt: skip
    if len(spacing) == 1 < len(axes) and as_node(spacing[0]).ndim:
        raise ArgumentError(f"gradient: places of samples for {len(axes)} axes.",
                            hint="Give the places of each axis.")  # fmt: skip
    steps = (spacing or (1.0,)) * (len(axes) if len(spacing) < 2 else 1)
    found = [
        FiniteDifference(f, step, axis=one, edge_order=edge_order, name=name)
        for one, step in zip(axes, steps, strict=True)
    ]
    return found[0] if len(found) == 1 else tuple(found)


@register
def unwrap(
    x: Any,
    /,
    discont: float | None = None,
    axis: int = -1,
    *,
    period: float = 2 * math.pi,
    name: str | None = None,
) -> Node:
    """y = x plus multiples of `period`, so that no step along `axis` is larger than half of it.

    discont: only steps larger than this are changed, by default half of the period; smaller values
    have no effect. Integers with an integer period stay integers. ∂y/∂x = 1.
    """
    x = as_node(x)
    if x.dtype is not None and is_complex(x.dtype):
        refuse_complex(x.dtype, "unwrap")
    number = number_of(period)
    if number is None or not 0 < number < math.inf:
        raise ArgumentError(f"unwrap: period is {period!r}; expected a finite number above 0.",
                            hint="Write period=360.")  # fmt: skip
    if is_floating(x.dtype) or not isinstance(period, (int, np.integer)):
        x, period = (x if is_floating(x.dtype) else ops.cast(x, default_dtype())), number
    else:
        period = int(period)
    if discont is not None:
        discont = float(within("unwrap: discont", discont, "[-inf, inf]", like=3.0))
    return Unwrap(x, axis=index(axis), period=period, discontinuity=discont, name=name)
