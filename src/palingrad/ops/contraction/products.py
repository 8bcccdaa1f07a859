"""Products of vectors, matrices and tensors beside matmul, dot and outer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from ...dtypes import int32, is_boolean, is_complex, is_inexact
from ...errors import ArgumentError, DTypeError, ShapeError
from ...graph.describe.notation import applied, operator
from ...graph.describe.template import below, stated_options
from ...graph.functions import binary
from ...graph.kinds import Composite
from ...graph.node import Node
from ...graph.registry import ops, register
from ...graph.samples import case, complex_case
from ...shapes import Shape, axis_in, broadcast, same, size, sizes
from ..reduction.axes import narrowed, widened
from .pairs import Term, contracted, reshaped


class Tensordot(Composite):
    """z = Σ x·y over pairs of axes: the other axes of x, then those of y.

    `axes` are the axes of x and those of y, in pairs.
    """

    math = r"{x} \cdot {y}"
    samples = [
        case((2, 3, 4), (4, 3, 2), axes=((1, 2), (1, 0))),
        case((2, 3), (3,), axes=((-1,), (0,))),
        case((2,), (3,), axes=((), ())),
        case(np.array([[1, 2], [3, 4]]), np.array([[1, 2], [3, 4]]), axes=((0, 1), (0, 1))),
    ]

    def notation(z, x, y):
        dot = z.axes in (((0,), (0,)), ((-1,), (0,))) and z.ndim == 0
        return (
            super().notation(x, y)
            if dot
            else applied(operator("tensordot") + below(stated_options(z)), [x, y])
        )

    def shape_rule(z, *shapes):
        x, y = shapes
        pairs = _pairs(z.attributes["axes"], x, y)
        for one, other in pairs:
            if not same(x[one], y[other]):
                raise ShapeError(
                    f"axis {one} of x has size {x[one]}, axis {other} of y size {y[other]}",
                    hint="axes=(axes of x, axes of y) pairs axes of equal sizes.",
                )
        left = tuple(n for axis, n in enumerate(x) if axis not in [one for one, _ in pairs])
        right = tuple(n for axis, n in enumerate(y) if axis not in [other for _, other in pairs])
        return (*left, *right)

    def expand(z, x, y):
        pairs = dict(_pairs(z.axes, sizes(x.shape), sizes(y.shape)))
        back = {other: one for one, other in pairs.items()}
        a = Term(x, tuple(f"x{axis}" for axis in range(len(sizes(x.shape)))))
        labels = tuple(
            f"x{back[axis]}" if axis in back else f"y{axis}" for axis in range(len(sizes(y.shape)))
        )
        kept = [f"x{axis}" for axis in range(len(a.labels)) if axis not in pairs]
        kept += [label for label in labels if label.startswith("y")]
        if is_boolean(x.dtype):
            a, b = Term(ops.cast(x, int32), a.labels), Term(ops.cast(y, int32), labels)
            return contracted(a, b, kept).in_order(kept).x != 0
        return contracted(a, Term(y, labels), kept).in_order(kept).x


def _pairs(axes: Any, x: Sequence[Any], y: Sequence[Any]) -> list[tuple[int, int]]:
    left, right = ([axis_in(n, len(s)) for n in given] for given, s in zip(axes, (x, y)))
    for numbers in (left, right):
        if len(set(numbers)) != len(numbers):
            raise ShapeError(f"axes {tuple(numbers)} name an axis twice")
    return list(zip(left, right, strict=True))


class Inner(Composite):
    """z = Σ x·y over the last axis of both, as in `numpy.inner`; a product if one is a scalar."""

    math, symbol = r"{x} \cdot {y}", "·"
    samples = [case((3,), (3,)), case((2, 3), (4, 3)), case((), (2,))]

    def notation(z, x, y):
        dot = z.ndim == 0 and z.inputs[0].ndim == 1
        return super().notation(x, y) if dot else applied(operator("inner"), [x, y])

    def shape_rule(z, *shapes):
        x, y = shapes
        if not x or not y:
            return (*x, *y)
        if not same(x[-1], y[-1]):
            hint = "Did you mean pg.matmul(x, y)?" if len(y) > 1 and same(x[-1], y[-2]) else ""
            raise ShapeError(f"last axes have sizes {x[-1]} and {y[-1]}", hint=hint)
        return (*x[:-1], *y[:-1])

    def expand(z, x, y):
        return tensordot(x, y, ([-1], [-1])) if x.ndim and y.ndim else x * y


class Vecdot(Composite):
    """z = Σ x̄·y over `axis`; the other axes broadcast."""

    math, symbol = r"{x} \cdot {y}", "·"
    samples = [
        case((2, 3), (2, 3), axis=-1),
        case((2, 1, 3), (2, 3), axis=-1),
        case((3, 2), (3, 1), axis=-2),
    ]

    def notation(z, x, y):
        dot = z.ndim == 0
        return (
            super().notation(x, y)
            if dot
            else applied(operator("vecdot") + below(stated_options(z)), [x, y])
        )

    def shape_rule(z, *shapes):
        axis = z.attributes["axis"]
        x, y = shapes
        one, other = axis_in(axis, len(x)), axis_in(axis, len(y))
        if not same(x[one], y[other]):
            raise ShapeError(f"the vectors have sizes {x[one]} and {y[other]}")
        return broadcast((*x[:one], *x[one + 1 :]), (*y[:other], *y[other + 1 :]))

    def expand(z, x, y):
        dtype = x.dtype
        one, other = axis_in(z.axis, x.ndim or 0), axis_in(z.axis, y.ndim or 0)
        x, y = _last(ops.conjugated(x), one), _last(y, other)
        if is_boolean(dtype):
            return ops.any(ops.logical_and(x, y), axis=-1)
        if is_inexact(dtype):
            x, y = widened(x), widened(y)
        return narrowed(ops.sum(x * y, axis=-1), dtype)


def _last(x: Any, axis: int) -> Any:
    """x with this axis last."""
    order = (*(n for n in range(x.ndim) if n != axis), axis)
    return x if axis == x.ndim - 1 else ops.permute_dims(x, order)


class Vdot(Composite):
    """z = Σ x̄·y over all elements, in row-major order, as in `numpy.vdot`."""

    math, symbol = r"{x} \cdot {y}", "·"
    samples = [case((3,), (3,)), case((2, 3), (6,)), case((), ())]

    def notation(z, x, y):
        dot = z.inputs[0].ndim == 1 and z.dtype is not None and not is_complex(z.dtype)
        return super().notation(x, y) if dot else applied(operator("vdot"), [x, y])

    def shape_rule(z, *shapes):
        x, y = shapes
        if None not in (*x, *y) and size(x) != size(y):
            raise ShapeError(f"{size(x)} and {size(y)} elements don't pair up")
        return ()

    def expand(z, x, y):
        return ops.matmul(ops.reshape(ops.conjugated(x), (-1,)), ops.reshape(y, (-1,)))


class Matvec(Composite):
    """z = x y for matrices x (…, m, n) and vectors y (…, n): z (…, m)."""

    math = r"{x}\,{y}"
    samples = [case((2, 3), (3,)), case((2, 2, 3), (4, 1, 3))]

    def notation(z, x, y):
        plain = z.inputs[1].ndim == 1
        return super().notation(x, y) if plain else applied(operator("matvec"), [x, y])

    def shape_rule(z, *shapes):
        x, y = shapes
        _check_matrix(x, "x")
        _check_vector(y, "y")
        if not same(x[-1], y[-1]):
            raise ShapeError(f"matrices with {x[-1]} columns and vectors of {y[-1]} elements")
        return (*broadcast(x[:-2], y[:-1]), x[-2])

    def expand(z, x, y):
        return ops.squeeze(x @ ops.expand_dims(y, axis=-1), axis=-1)


class Vecmat(Composite):
    """z = x̄ᵀ y for vectors x (…, m) and matrices y (…, m, n): z (…, n)."""

    math = r"{x}^T\,{y}"
    samples = [case((2,), (2, 3)), case((4, 1, 2), (2, 2, 3))]

    def notation(z, x, y):
        plain = z.inputs[0].ndim == 1 and not is_complex(z.inputs[0].dtype)
        return super().notation(x, y) if plain else applied(operator("vecmat"), [x, y])

    def shape_rule(z, *shapes):
        x, y = shapes
        _check_vector(x, "x")
        _check_matrix(y, "y")
        if not same(x[-1], y[-2]):
            raise ShapeError(f"vectors of {x[-1]} elements and matrices with {y[-2]} rows")
        return (*broadcast(x[:-1], y[:-2]), y[-1])

    def expand(z, x, y):
        return ops.squeeze(ops.expand_dims(ops.conjugated(x), axis=-2) @ y, axis=-2)


def _check_matrix(shape: Shape, name: str) -> None:
    if len(shape) < 2:
        raise ShapeError(f"{name} has {len(shape)} axes, a matrix has two or more")


def _check_vector(shape: Shape, name: str) -> None:
    if not shape:
        raise ShapeError(f"{name} is a scalar, not a vector")


class Kron(Composite):
    """z = x ⊗ y, the Kronecker product: blocks xᵢⱼ·y. Missing leading axes have size 1."""

    math = r"\operatorname{kron}({x}, {y})"
    samples = [case((2, 3), (3, 2)), case((2,), (2, 1, 2)), case((), (2,))]

    def shape_rule(z, *shapes):
        x, y = _padded(*shapes)
        return tuple(None if None in (a, b) else math.prod((a, b)) for a, b in zip(x, y))

    def expand(z, x, y):
        left, right = _padded(sizes(x.shape), sizes(y.shape))
        x = reshaped(x, tuple(n for a in left for n in (a, 1)))  # (a₀, 1, a₁, 1, …)
        y = reshaped(y, tuple(n for b in right for n in (1, b)))  # (1, b₀, 1, b₁, …)
        return reshaped(x * y, tuple(a * b for a, b in zip(left, right)))


def _padded(x: Any, y: Any) -> tuple[Any, Any]:
    rank = max(len(x), len(y))
    return (1,) * (rank - len(x)) + x, (1,) * (rank - len(y)) + y


class Cross(Composite):
    """z = x × y for vectors of 3 elements along an axis of each; the other axes broadcast.

    `axes` are the axes of the vectors in x, y and z.
    """

    math, symbol = r"{x} \times {y}", "×"
    samples = [
        case((3,), (3,), axes=(-1, -1, -1)),
        case((2, 3), (3,), axes=(-1, -1, -1)),
        case((3, 2), (2, 3), axes=(0, 1, 0)),
        complex_case((3,), (3,), axes=(-1, -1, -1)),
    ]

    def shape_rule(z, *shapes):
        x, y = (
            (*shape[: axis_in(axis, len(shape))], *shape[axis_in(axis, len(shape)) + 1 :])
            for shape, axis in zip(shapes, z.attributes["axes"])
        )
        for name, shape, axis in zip("xy", shapes, z.attributes["axes"]):
            if not same(shape[axis], 3):
                raise ShapeError(
                    f"the vectors of {name} have {shape[axis]} elements, expected 3",
                    hint="In the plane: x[..., 0] * y[..., 1] - x[..., 1] * y[..., 0]."
                    if shape[axis] == 2
                    else "axis= names the axis of the vectors.",
                )
        outer = broadcast(x, y)
        place = axis_in(z.attributes["axes"][2], len(outer) + 1)
        return (*outer[:place], 3, *outer[place:])

    def dtype_rule(z, *dtypes):
        if is_boolean(dtypes[0]):
            raise DTypeError("booleans have no differences", hint="Write pg.cast(x, 'int64').")
        return dtypes[0]

    def expand(z, x, y):
        one, other, place = z.axes
        x = _last(x, axis_in(one, x.ndim or 0))
        y = _last(y, axis_in(other, y.ndim or 0))
        xs, ys = ([v[..., n : n + 1] for n in range(3)] for v in (x, y))
        parts = [xs[a] * ys[b] - xs[b] * ys[a] for a, b in ((1, 2), (2, 0), (0, 1))]
        result = ops.concat(parts, axis=-1)
        place = axis_in(place, result.ndim)
        order = [*range(result.ndim - 1)]
        order.insert(place, result.ndim - 1)
        return result if place == result.ndim - 1 else ops.permute_dims(result, order)


# ---------------------------------------------------------------- functions


@register
def tensordot(x: Any, y: Any, /, axes: Any = 2, *, name: str | None = None) -> Node:
    """z = Σ x·y over pairs of axes: the other axes of x, then those of y.

    `axes` is a number n, the last n axes of x and the first n of y, or (axes of x, axes of y).
    """
    return Tensordot(x, y, axes=_axes(axes), name=name)


def _axes(axes: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    try:
        if not isinstance(axes, (list, tuple)):
            count = index(axes)
            if count >= 0:
                return tuple(range(-count, 0)), tuple(range(count))
        elif len(axes) == 2:
            left, right = (
                tuple(map(index, one)) if isinstance(one, (list, tuple)) else (index(one),)
                for one in axes
            )
            if len(left) == len(right):
                return left, right
    except TypeError:
        pass
    raise ArgumentError(
        f"tensordot: axes is {axes!r:.60}; expected a number, or as many axes of x as of y.",
        hint="Write axes=1 for a matrix product, axes=([0, 1], [1, 0]) to pair axes.",
    )


@register
def vecdot(x: Any, y: Any, /, *, axis: int = -1, name: str | None = None) -> Node:
    """z = Σ x̄·y over `axis`, counted in each of x and y; the other axes broadcast."""
    return Vecdot(x, y, axis=index(axis), name=name)


@register
def cross(
    x: Any,
    y: Any,
    /,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
    *,
    name: str | None = None,
) -> Node:
    """z = x × y for vectors of 3 elements along the axes `axisa` of x, `axisb` of y, `axisc` of z.

    `axis` stands for all three; the other axes broadcast.
    """
    axes = (axisa, axisb, axisc) if axis is None else (axis,) * 3
    return Cross(x, y, axes=tuple(map(index, axes)), name=name)


inner = register(binary(Inner))
vdot = register(binary(Vdot))
matvec = register(binary(Matvec))
vecmat = register(binary(Vecmat))
kron = register(binary(Kron))
