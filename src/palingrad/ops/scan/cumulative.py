"""Running sums, products and extremes along one axis.

Their gradients are running totals in the opposite direction, most of them those of the recurrence
yᵢ = aᵢ·yᵢ₋₁ + bᵢ, whose own derivatives are such recurrences again.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...dtypes import as_dtype, highest, is_floating, is_inexact, lowest
from ...errors import ArgumentError
from ...graph.derivatives.cotangents import ieee_gradients
from ...graph.describe.nonfinite import total_overflow
from ...graph.functions import frozen
from ...graph.kinds import Scan
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops, register
from ...graph.samples import case, complex_case, kink, spread
from ...shapes import axis_in
from ..reduction.axes import narrowed, widened

ALONG: dict[str, Any] = dict(axis=0, reverse=False)
LAST: dict[str, Any] = dict(axis=-1, reverse=False)
BACK: dict[str, Any] = dict(axis=1, reverse=True)


class Cumsum(Scan):
    """yᵢ = Σⱼ≤ᵢ xⱼ along `axis`, of booleans and small integers in 64 bits; from the end with
    `reverse`. ∂L/∂x is the running sum of ∂L/∂y in the opposite direction."""

    math, onnx = r"\operatorname{cumsum} {x}", "CumSum"
    linear = True
    complexes = True
    samples = [
        case((5,), **ALONG),
        case((2, 3, 2), **BACK),
        case((2, 0), **LAST),
        case(np.array([True, True, False]), **ALONG),
    ]

    def f(m, x, *, axis, reverse):
        return m.running_sum(x, axis, reverse)

    def identity(dtype: Any):
        return -0.0 if is_floating(dtype) else 0  # −0.0 + x is x, also for −0.0

    def combine(m, a, b):
        return m.add(a, b)

    def vjp(y, g, x):
        return [Cumsum(g, axis=y.axis, reverse=not y.reverse)]

    def nonfinite(y, value, *x):
        return total_overflow(y.dtype, "sum")


class Cumprod(Scan):
    """yᵢ = Πⱼ≤ᵢ xⱼ along `axis`, of booleans and small integers in 64 bits; from the end with
    `reverse`. ∂L/∂xᵢ = yᵢ₋₁·rᵢ with rᵢ = gᵢ + xᵢ₊₁·rᵢ₊₁: without a division, so that elements may
    be 0."""

    math = r"\operatorname{cumprod} {x}"
    complexes = multiplies = True
    samples = [
        case((5,), **ALONG),
        case((2, 3, 2), **BACK),
        case(np.array([[0.5, 0.0, 3.0, 2.0], [0.0, 2.0, 0.0, 4.0]]), **LAST),
        case((2, 0), **LAST),
        complex_case((3,), **ALONG),
    ]

    def f(m, x, *, axis, reverse):
        return m.running_prod(x, axis, reverse)

    def identity(dtype: Any):
        return 1

    def combine(m, a, b):
        return m.multiply(a, b)

    def vjp(y, g, x):
        rest = recurrence(previous(x, y.axis, not y.reverse), g, y.axis, not y.reverse)
        first, later, earlier = parts(y, y.axis, y.reverse)
        pieces = [rest[first], ops.scaled(rest[later], y[earlier])]
        return [ops.concat(pieces[::-1] if y.reverse else pieces, axis=y.axis)]

    def nonfinite(y, value, *x):
        return total_overflow(y.dtype, "product")


class LinearRecurrence(Scan):
    """yᵢ = aᵢ·yᵢ₋₁ + bᵢ along `axis`, y₀ = b₀; from the end with `reverse`. The gradient with
    respect to b is the recurrence of ∂L/∂y in the opposite direction, sᵢ = gᵢ + aᵢ₊₁·sᵢ₊₁; the one
    with respect to aᵢ is sᵢ·yᵢ₋₁. With `absorbing`, aᵢ·yᵢ₋₁ is 0 where yᵢ₋₁ is 0, as in products
    of cotangents.
    """

    math = r"\operatorname{recurrence}({a}, {b})"
    floats = True
    complexes = multiplies = True
    samples = [
        case((5,), (5,), **ALONG, absorbing=False),
        case((2, 3, 2), (2, 3, 2), **BACK, absorbing=True),
        case((70,), (70,), low=-1, high=1, **ALONG, absorbing=True),  # in blocks
        case((2, 0), (2, 0), **LAST, absorbing=False),
        case((2, 1), (2, 3), **LAST, absorbing=True),
    ]

    def f(m, a, b, *, axis, reverse, absorbing):
        return m.running_recurrence(a, b, axis, reverse, absorbing)

    def prepare(m, a, b, *, absorbing):
        return a, b

    def identity(dtype, *, absorbing):
        return 1, 0

    def combine(m, a, b, *, absorbing):
        product = m.absorbing_product if absorbing else m.multiply
        return product(a[0], b[0]), m.add(product(a[1], b[0]), b[1])

    def finish(m, total, *, absorbing):
        return total[1]

    def without_nan(y):
        return {"absorbing": False} if y.absorbing else None  # only NaN is replaced by 0

    def vjp(y, g, a, b):
        a = a if a.shape == y.shape else ops.broadcast_to(a, y.shape)
        rest = recurrence(previous(a, y.axis, not y.reverse), g, y.axis, not y.reverse)
        product = ops.scaled_tangent if y.absorbing else ops.scaled  # as in absorbing products
        return [lambda: product(rest, previous(y, y.axis, y.reverse)), rest]

    def nonfinite(y, value, *x):
        return total_overflow(y.dtype, "sum")


class RunTotals(Scan):
    """yᵢ = Σ xⱼ along `axis` over those j ≤ i in the run of equal keys that ends at i; from the end
    with `reverse`. The keys ascend or descend along the axis, as running extremes do: so all
    between two equal ones are equal. NaN equals no key. Linear in x, whose gradient is the totals
    of ∂L/∂y in the opposite direction.
    """

    math = r"\operatorname{runtotals}({k}, {x})"
    floats = True
    samples = [
        case(np.array([1, 1, 2, 2, 2]), (5,), **ALONG),
        case(np.array([[[3], [1], [1]]]), (2, 3, 2), **BACK),
        case(np.repeat([7, 5, 2], [3, 1, 66]), (70,), **ALONG),  # in blocks
        case((2, 0), (2, 0), **LAST),
    ]

    def f(m, keys, x, *, axis, reverse):
        return m.run_totals(keys, x, axis, reverse)

    def prepare(m, keys, x):
        return keys, x

    def identity(dtype: Any):
        return math.nan, 0

    def combine(m, a, b):
        return b[0], m.where(m.equal(a[0], b[0]), m.add(a[1], b[1]), b[1])

    def finish(m, total):
        return total[1]

    def vjp(y, g, keys, x):
        return [None, RunTotals(keys, g, axis=y.axis, reverse=not y.reverse)]

    def nonfinite(y, value, *x):
        return total_overflow(y.dtype, "sum")


class CumulativeExtreme(Scan):
    """The largest or smallest element so far. Elements that are equal to it, among those so far,
    share the gradient equally, as in `max` and `min`."""

    stays_finite = True
    widens = False
    samples = [
        spread((6,), **ALONG),
        spread((2, 3, 2), **BACK),
        case(np.array([[2, 3, 1, 5]]), **LAST),
        case(np.array([1.0, np.nan, 2.0, -np.inf]), **ALONG),
        kink([[1.0, 1.0, 0.0], [1.0, 3.0, 3.0]], slopes=[[[2.0, 1.0, 0.0], [1.0, 1.5, 0.5]]],
             **LAST),
        kink([[1.0, 1.0], [1.0, 3.0], [0.0, 3.0]], slopes=[[[2.0, 1.0], [1.0, 1.5], [0.0, 0.5]]],
             **ALONG),
    ]  # fmt: skip

    def vjp(y, g, x):
        chosen = x == y
        ones = ops.cast(chosen, widened(x).dtype)
        total = RunTotals(y, ones, axis=y.axis, reverse=y.reverse)
        share = widened(g) / ops.maximum(total, 1)  # the total is 0 where y is NaN, so not chosen
        rest = RunTotals(y, share, axis=y.axis, reverse=not y.reverse)
        return [narrowed(ops.where(chosen, rest, 0), x.dtype)]


class CumulativeMax(CumulativeExtreme):
    """yᵢ = max xⱼ, j ≤ i, along `axis`, NaN from the first NaN on; from the end with `reverse`.
    Tied elements share the gradient equally."""

    math = r"\operatorname{cummax} {x}"

    def f(m, x, *, axis, reverse):
        return m.running_max(x, axis, reverse)

    def identity(dtype: Any):
        return lowest(dtype)

    def combine(m, a, b):
        return m.maximum(a, b)


class CumulativeMin(CumulativeExtreme):
    """yᵢ = min xⱼ, j ≤ i, along `axis`, NaN from the first NaN on; from the end with `reverse`.
    Tied elements share the gradient equally."""

    math = r"\operatorname{cummin} {x}"
    samples = [
        spread((6,), **ALONG),
        spread((2, 3, 2), **BACK),
        case(np.array([1.0, np.nan, 2.0, -np.inf]), **ALONG),
        kink([[1.0, 1.0, 3.0], [3.0, 1.0, 1.0]], slopes=[[[2.0, 1.0, 0.0], [1.0, 1.5, 0.5]]],
             **LAST),
    ]  # fmt: skip

    def f(m, x, *, axis, reverse):
        return m.running_min(x, axis, reverse)

    def identity(dtype: Any):
        return highest(dtype)

    def combine(m, a, b):
        return m.minimum(a, b)


def parts(x: Any, axis: int, reverse: bool) -> tuple[Any, Any, Any]:
    """The indices of the first element along the axis in the order of a scan, of all others, and of
    those before each of the others."""
    before = (slice(None),) * axis_in(axis, x.ndim)
    found = slice(1), slice(1, None), slice(-1)
    if reverse:
        found = slice(-1, None), slice(-1), slice(1, None)
    first, later, earlier = ((*before, one) for one in found)
    return first, later, earlier


def previous(x: Any, axis: int, reverse: bool, edge: float = 0) -> Node:
    """The element before each one along the axis, in the order of a scan; `edge` for the first."""
    first, _, earlier = parts(x, axis, reverse)
    pieces = [ops.full_like(x[first], edge), x[earlier]]
    return ops.concat(pieces[::-1] if reverse else pieces, axis=axis)


def recurrence(a: Any, b: Any, axis: int, reverse: bool) -> Node:
    """The recurrence of a cotangent, of which 0 is absorbing."""
    return LinearRecurrence(a, b, axis=axis, reverse=reverse, absorbing=not ieee_gradients())


# ---------------------------------------------------------------- the functions


def _lined(x: Any, axis: Any) -> tuple[Any, int]:
    """x and the axis of its scan; all elements in row-major order if it is None."""
    axis = frozen(axis)
    if axis is None:
        return ops.reshape(x, (-1,)), 0
    return x, axis  # pyright: ignore[reportReturnType]


def _running(
    operation: type[Scan], x: Any, axis: int, dtype: Any, name: str | None, first: Any = None
) -> Node:
    """The running totals of x in `dtype`, after those of no elements, made by `first`, if given."""
    kind = None if dtype is None else as_dtype(dtype)
    x = as_node(x) if kind is None else ops.cast(x, kind)
    narrows = kind is not None and not is_inexact(kind) and kind.itemsize < 8
    steps: list[Any] = []  # after the scan, the last of which has the name
    if narrows:
        steps.append(lambda y, name: ops.cast(y, kind, name=name))
    if first is not None:
        empty = first(ops.sum(x, axis=axis, keepdims=True))
        steps.append(
            lambda y, name: ops.concat([ops.cast(empty, y.dtype), y], axis=axis, name=name)
        )
    y: Any = operation(x, axis=axis, reverse=False, name=None if steps else name)
    for step in steps:
        y = step(y, name if step is steps[-1] else None)
    return y


@register
def cumsum(
    x: Any, /, axis: int | None = None, dtype: Any = None, *, name: str | None = None
) -> Node:
    """yᵢ = Σⱼ≤ᵢ xⱼ along `axis`, by default over all elements in row-major order, as a vector.

    Integers smaller than 64 bits and booleans are summed in 64 bits. Floats are summed in the next
    wider dtype and rounded once; float64 is summed in float64. `dtype` converts x first, and is
    the result's.
    """
    x, axis = _lined(x, axis)
    return _running(Cumsum, x, axis, dtype, name)


@register
def cumprod(
    x: Any, /, axis: int | None = None, dtype: Any = None, *, name: str | None = None
) -> Node:
    """yᵢ = Πⱼ≤ᵢ xⱼ along `axis`, by default over all elements in row-major order, as a vector.

    The gradient is exact where elements are 0. Dtypes as for `cumsum`.
    """
    x, axis = _lined(x, axis)
    return _running(Cumprod, x, axis, dtype, name)


@register
def cumulative_sum(
    x: Any,
    /,
    *,
    axis: int | None = None,
    dtype: Any = None,
    include_initial: bool = False,
    name: str | None = None,
) -> Node:
    """yᵢ = Σⱼ≤ᵢ xⱼ along `axis`, which may be left out for a vector only.

    include_initial: a 0 comes first, the sum of no elements, so that the axis is longer by one.
    """
    axis = _only_axis("cumulative_sum", x, axis)
    return _running(Cumsum, x, axis, dtype, name, ops.zeros_like if include_initial else None)


@register
def cumulative_prod(
    x: Any,
    /,
    *,
    axis: int | None = None,
    dtype: Any = None,
    include_initial: bool = False,
    name: str | None = None,
) -> Node:
    """yᵢ = Πⱼ≤ᵢ xⱼ along `axis`, which may be left out for a vector only.

    include_initial: a 1 comes first, the product of no elements, so that the axis is longer by one.
    """
    axis = _only_axis("cumulative_prod", x, axis)
    return _running(Cumprod, x, axis, dtype, name, ops.ones_like if include_initial else None)


def _only_axis(function: str, x: Any, axis: Any) -> int:
    """The axis; 0 if none is given and x is a vector."""
    found = frozen(axis)
    if isinstance(found, int):
        return found
    ndim = as_node(x).ndim
    if found is not None or (ndim is not None and ndim != 1):
        raise ArgumentError(
            f"{function}: an array with {ndim} axes needs one axis, got axis={axis!r}.",
            hint="Write axis=0; pg.cumsum(x) goes through all elements in row-major order.",
        )
    return 0


@register
def cumulative_max(x: Any, /, axis: int = 0, *, name: str | None = None) -> Node:
    """yᵢ = max xⱼ, j ≤ i, along `axis`, like np.maximum.accumulate; NaN from the first NaN on.

    Elements equal to the largest so far share the gradient equally.
    """
    return CumulativeMax(x, axis=frozen(axis), reverse=False, name=name)


@register
def cumulative_min(x: Any, /, axis: int = 0, *, name: str | None = None) -> Node:
    """yᵢ = min xⱼ, j ≤ i, along `axis`, like np.minimum.accumulate; NaN from the first NaN on.

    Elements equal to the smallest so far share the gradient equally.
    """
    return CumulativeMin(x, axis=frozen(axis), reverse=False, name=name)
