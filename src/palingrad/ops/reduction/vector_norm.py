"""Norms of vectors, of any order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import is_complex, real_of
from ...errors import ArgumentError
from ...graph.describe.notation import attribute_text
from ...graph.functions import frozen
from ...graph.node import Node
from ...graph.registry import ops, register
from ...graph.samples import case, complex_case, kink, spread
from ...shapes import axes_in
from .axes import FIRST, LAST, PAIR, WHOLE, count, narrowed, restored, widened
from .statistics import Statistic, VectorNorm, infinite_count, norm_of

_AT_INFINITY = [[1.0, 0.0, 0.0], [0.0, -(2 ** (-2 / 3)), 2 ** (-2 / 3)]]


class PowerNorm(Statistic):
    """y = (Σ |x|ᵖ)^(1/p) over `axis`, p = `ord`; |x| is divided by its largest element first.

    ∂y/∂x = sign(x)·(|x|/y)ᵖ⁻¹, and 0 where x = 0: for p > 1 that is the derivative, unless y = 0;
    for p < 1 the slope is infinite there. Of n infinite elements each has the slope ±n^(1/p − 1).
    """

    math = r"\left\lVert{x}\right\rVert_p"
    real = complexes = True
    samples = [
        case((3, 4), **WHOLE, ord=3.0),
        complex_case((3,), low=0.3, **WHOLE, ord=3.0),
        case((1,), low=0.3, **WHOLE, ord=3.0),
        case((2, 3, 4), low=0.3, **PAIR, ord=1.5),
        case((4, 4), low=0.3, **FIRST, ord=-2.0),
        case((24,), low=60, high=95, **WHOLE, ord=3.0),  # the sum overflows in float16
        kink([0.0, -0.0], slopes=[[0.0, 0.0]], **WHOLE, ord=3.0),
        kink([0.0, 2.0], slopes=[[0.0, 0.0]], **WHOLE, ord=-2.0),
        kink([[np.inf, 2.0, 0.0], [1.0, -np.inf, np.inf]], slopes=[_AT_INFINITY], **LAST, ord=3.0),
        kink([[np.inf, 2.0], [np.inf, -np.inf]],
             slopes=[[[0.0, 1.0], [2**-1.5, -(2**-1.5)]]], **LAST, ord=-2.0),
        kink([np.inf, -2.0, 0.0], slopes=[[1.0, -np.inf, 0.0]], **WHOLE, ord=0.5),
    ]  # fmt: skip

    def notation(y, *x):
        return norm_of(y, x[0], attribute_text(y.ord))

    def expand(y, x):
        size = ops.abs(widened(x))
        if count(x, y.axis) == 0:
            total = ops.sum(size, axis=y.axis, keepdims=y.keepdims)
            return narrowed(total if y.ord > 0 else total + math.inf, y.dtype)
        unit = _unit(y, size)
        total = ops.sum(ops.pow(size / unit, y.ord), axis=y.axis, keepdims=True)
        root = unit * ops.pow(total, 1 / y.ord)
        root = root if y.keepdims else ops.squeeze(root, axis=axes_in(y.axis, x.ndim))
        return narrowed(root, y.dtype)

    def vjp(y, g, x):
        if count(x, y.axis) == 0:
            return [ops.zeros_like(x)]
        wide, length = widened(x), restored(y, y, x)
        if wide.dtype != x.dtype:  # y was rounded, and a power would multiply that error
            length = PowerNorm(wide, axis=y.axis, keepdims=True, ord=y.ord)
        inside = ops.logical_and(wide != 0, length != 0)
        ratio = ops.abs(wide) / ops.where(length == 0, 1, length)
        sign = ops.conjugated(ops.sign(wide))
        slope = sign * ops.pow(ops.where(inside, ratio, 1), y.ord - 1)
        slope = ops.where(inside, slope, 0)
        if not is_complex(wide.dtype):
            far = ops.logical_and(ops.isinf(wide), ops.isinf(length))
            number = ops.maximum(infinite_count(wide, y), 1)
            slope = ops.where(far, sign * ops.pow(number, 1 / y.ord - 1), slope)
        return [narrowed(ops.scaled(widened(restored(g, y, x)), slope), x.dtype)]


def _unit(y: Any, size: Any) -> Node:
    """The largest |x| (for p < 0 the smallest), or 1 if that is 0 or not finite."""
    extreme = ops.max if y.ord > 0 else ops.min
    top = ops.stop_gradient(extreme(size, axis=y.axis, keepdims=True))
    return ops.where(ops.logical_and(top > 0, ops.isfinite(top)), top, 1)


class NonzeroNorm(Statistic):
    """y = how many elements on `axis` differ from 0, a float. ∂y/∂x = 0."""

    math = r"\left\lVert{x}\right\rVert_0"
    real = complexes = True
    samples = [
        case(np.array([[0.0, -0.0, 3.0], [1.0, 0.0, -np.inf]]), **LAST),
        case(np.array([0, 2, 3]), **WHOLE),
    ]

    def notation(y, *x):
        return norm_of(y, x[0], "0")

    def expand(y, x):
        nonzero = ops.cast(ops.not_equal(x, 0), real_of(widened(x).dtype))
        return narrowed(ops.sum(nonzero, axis=y.axis, keepdims=y.keepdims), y.dtype)


class AbsoluteSum(Statistic):
    """y = Σ |x| over `axis`. ∂y/∂x = sign x, 0 at 0."""

    math = r"\left\lVert{x}\right\rVert_1"
    real = True
    samples = [
        case((3, 4), **WHOLE),
        case((24,), low=60, high=95, **LAST),
        kink([0.0, -2.0, 3.0], slopes=[[0.0, -1.0, 1.0]], **WHOLE),
    ]

    def notation(y, *x):
        return norm_of(y, x[0], "1")

    def expand(y, x):
        return narrowed(ops.sum(ops.abs(widened(x)), axis=y.axis, keepdims=y.keepdims), y.dtype)


class AbsoluteExtreme(Statistic):
    """y = max |x| over `axis`, or min |x| with `least`; tied elements share the gradient equally, 0
    where x = 0."""

    math = r"\left\lVert{x}\right\rVert_\infty"
    real = True
    samples = [
        spread((3, 4), **WHOLE, least=False),
        case((4, 3), low=0.5, **FIRST, least=True),
        kink([2.0, -2.0, 1.0], slopes=[[0.5, -0.5, 0.0]], **WHOLE, least=False),
    ]

    def notation(y, *x):
        return norm_of(y, x[0], r"-\infty" if y.least else r"\infty")

    def expand(y, x):
        extreme = ops.min if y.least else ops.max
        if count(x, y.axis) == 0 and not y.least:
            extreme = ops.sum  # 0, the norm of no elements
        return narrowed(extreme(ops.abs(widened(x)), axis=y.axis, keepdims=y.keepdims), y.dtype)


@register
def vector_norm(
    x: Any,
    /,
    axis: int | Sequence[int] | None = None,
    *,
    keepdims: bool = False,
    ord: float = 2,
    name: str | None = None,
) -> Node:
    """The p-norm of x over `axis`, p = `ord`: (Σ |x|ᵖ)^(1/p), without overflow of |x|ᵖ.

    ord=2: √Σ x². ord=1: Σ |x|. ord=∞, −∞: the largest, the smallest |x|. ord=0: how many elements
    differ from 0. The gradient is 0 where x = 0, and tied elements share it for ±∞.
    """
    options: dict[str, Any] = dict(axis=frozen(axis), keepdims=bool(keepdims), name=name)
    if isinstance(ord, str) or isinstance(ord, Node):
        raise ArgumentError(
            f"vector_norm: ord is a number, got {ord!r:.40}.",
            hint="'fro' and 'nuc' are norms of matrices: pg.vector_norm(x) is the Frobenius norm.",
        )
    if ord == 2:
        return VectorNorm(x, **options)
    if ord == 1:
        return AbsoluteSum(x, **options)
    if ord == 0:
        return NonzeroNorm(x, **options)
    if math.isinf(ord):
        return AbsoluteExtreme(x, **options, least=ord < 0)
    return PowerNorm(x, **options, ord=float(ord))
