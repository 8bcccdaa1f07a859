"""Differences of neighbouring elements, and integrals by the trapezoidal rule."""

from __future__ import annotations

from operator import index
from typing import Any

from ...dtypes import is_boolean
from ...errors import ArgumentError, ShapeError
from ...graph.node import Node
from ...graph.promotion import as_node, as_nodes
from ...graph.registry import ops, register
from ...shapes import axis_in, text


@register
def diff(
    x: Any,
    /,
    n: int = 1,
    axis: int = -1,
    prepend: Any = None,
    append: Any = None,
    *,
    name: str | None = None,
) -> Node:
    """yᵢ = xᵢ₊₁ − xᵢ along `axis`, n times; of booleans whether neighbours differ.

    prepend, append: numbers or arrays that are joined to x at either end of the axis first.
    """
    if index(n) < 0:
        raise ArgumentError(f"diff: n must not be negative, got {n}.", hint="n counts differences.")
    x = as_node(x)
    place = _axis("diff", x, axis)
    ends = [None if end is None else _slab(end, x, place) for end in (prepend, append)]
    parts = [part for part in (ends[0], x, ends[1]) if part is not None]
    y = ops.concat(parts, axis=place) if len(parts) > 1 else x
    for number in range(n):
        later, earlier = _neighbours(y, place)
        named = name if number == n - 1 else None
        y = (ops.not_equal if is_boolean(y.dtype) else ops.subtract)(later, earlier, name=named)
    return y


@register
def trapezoid(
    y: Any, /, x: Any = None, dx: Any = 1.0, axis: int = -1, *, name: str | None = None
) -> Node:
    """∫ y dx ≈ Σ ½(yᵢ + yᵢ₊₁)·(xᵢ₊₁ − xᵢ) along `axis`, the trapezoidal rule.

    x: the sample points, one for each element along the axis, or in the shape of y; without it
    they are `dx` apart. The result is differentiable in y, x and dx.
    """
    y = _with(y, x)
    place = _axis("trapezoid", y, axis)
    return ops.sum(_areas("trapezoid", y, x, dx, place), axis=place, keepdims=False, name=name)


@register
def cumulative_trapezoid(
    y: Any,
    /,
    x: Any = None,
    dx: Any = 1.0,
    axis: int = -1,
    initial: Any = None,
    *,
    name: str | None = None,
) -> Node:
    """The integrals by the trapezoidal rule from the first sample to each later one along `axis`.

    x, dx: as for `trapezoid`. initial=0 puts the empty integral first, so that the result has the
    length of y.
    """
    y = _with(y, x)
    place = _axis("cumulative_trapezoid", y, axis)
    if initial is not None and y.shape[place] == 0:
        raise ShapeError("cumulative_trapezoid: an axis of size 0 has no first sample.")
    total = ops.cumsum(_areas("cumulative_trapezoid", y, x, dx, place), axis=place)
    if initial is None:
        return total if name is None else ops.positive(total, name=name)
    if initial != 0:
        raise ArgumentError(
            f"cumulative_trapezoid: initial={initial!r}, where the integral of nothing is 0.",
            hint="Write initial=0, and add a constant to the result.",
        )
    first = ops.zeros_like(ops.sum(total, axis=place, keepdims=True))
    return ops.concat([first, total], axis=place, name=name)


def _axis(function: str, x: Node, axis: Any) -> int:
    """The axis of x, not negative. Raises ShapeError if x has none or an unknown number of them."""
    if x.ndim is None:
        raise ShapeError(
            f"{function}: the number of axes of {x.label()} isn't known{x.built()}.",
            hint="Give the placeholder a shape, in which sizes may be None.",
        )
    try:
        return axis_in(axis, x.ndim)
    except ShapeError as error:
        raise ShapeError(f"{function}: {error.fact}.", hint=error.hint) from None


def _neighbours(x: Any, axis: int) -> tuple[Node, Node]:
    """All elements but the first along the axis, and all but the last."""
    before = (slice(None),) * axis
    return x[(*before, slice(1, None))], x[(*before, slice(-1))]


def _slab(end: Any, x: Any, axis: int) -> Any:
    """What is joined to x: an array, or a number repeated over x's other axes."""
    _, end = as_nodes(x, end)
    if end.ndim != 0:
        return end
    zeros = ops.cast(ops.zeros_like(ops.sum(x, axis=axis, keepdims=True)), x.dtype)
    return ops.where(True, end, zeros)


def _with(y: Any, x: Any) -> Node:
    """y as a node; a list of floats beside x in its dtype."""
    return as_node(y) if x is None else as_nodes(y, x)[0]


def _areas(function: str, y: Any, x: Any, dx: Any, axis: int) -> Any:
    """The areas of the trapezoids."""
    later, earlier = _neighbours(y, axis)
    heights = (later + earlier) / 2
    if x is None:
        return heights * dx
    _, x = as_nodes(y, x)
    if x.ndim == 1 and y.ndim > 1:
        x = ops.reshape(x, (*(1,) * axis, -1, *(1,) * (y.ndim - axis - 1)))
    place = axis - y.ndim + (x.ndim or 0)
    if place < 0 or (None not in (x.shape[place], y.shape[axis]) and
                     x.shape[place] != y.shape[axis]):  # fmt: skip
        raise ShapeError(
            f"{function}: sample points x {text(x.shape)} don't fit y {text(y.shape)} on axis "
            f"{axis}.",
            hint="One for each element along the axis, or dx= if they are equally spaced.",
        )
    ends = _neighbours(x, place)
    return heights * (ends[0] - ends[1])
