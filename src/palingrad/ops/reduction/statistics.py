"""Mean, variance, standard deviation, norm and log-sum-exp, composed of other operations.

float16 is converted to float32 first, and integers to float64; the result is rounded once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ...dtypes import DType, default_dtype, is_complex, is_inexact, real_of
from ...graph.batching.rules import along_axes
from ...graph.describe.notation import Piece, norm_notation, vec
from ...graph.functions import Averaging, frozen, reduction
from ...graph.kinds import Composite, Reduce
from ...graph.node import Node
from ...graph.reduction import kept_axes, reduced_axes
from ...graph.registry import ops, register
from ...graph.samples import case, complex_case, kink
from ...shapes import Shape, axes_in, broadcast
from .axes import FIRST, LAST, PAIR, WHOLE, count, equal_rows, narrowed, restored, widened
from .options import averaged, one_correction


class Statistic(Composite):
    """A reduction composed of other operations; for integers the result is the default float."""

    real: ClassVar[bool] = False  # whether the result is real also for complex numbers

    def dtype_rule(self, *dtypes: DType) -> DType:
        dtype = dtypes[0] if is_inexact(dtypes[0]) else default_dtype()
        return real_of(dtype) if self.real else dtype

    def shape_rule(self, *shapes: Shape) -> Shape:
        return Reduce.shape_rule(self, *shapes)  # pyright: ignore[reportArgumentType]

    def notation(y, *x):
        return Reduce.notation(y, *x)  # pyright: ignore[reportArgumentType]


class Mean(Statistic):
    """y = Σ x / n over the n elements on `axis`; NaN if n = 0. ∂y/∂xᵢ = 1/n."""

    math, onnx = r"\operatorname{mean}\left({x}\right)", "ReduceMean"
    samples = [
        case((3, 4), **WHOLE),
        case((4, 4), **FIRST),
        case((2, 3, 4), **PAIR),
        case((3, 4), **LAST),
        case((), **WHOLE),
        case(np.array([1, 2]), **WHOLE),
        case((24,), low=3000, high=4000, **WHOLE),  # the sum overflows in float16
    ]

    def expand(y, x):
        total = ops.sum(widened(x), axis=y.axis, keepdims=y.keepdims)
        return narrowed(total / count(x, y.axis), y.dtype)

    def structure(y, position, size, out):
        return equal_rows(out)


class Var(Statistic):
    """y = Σ |x − mean|² / (n − correction) over the n elements on `axis`."""

    math = r"\operatorname{var} {x}"
    real = True
    samples = [
        case((3, 4), **WHOLE, correction=0),
        complex_case((3, 2), **FIRST, correction=1),
        case((4, 4), **FIRST, correction=1),
        case((2, 3, 4), **PAIR, correction=0.5),
        case((3, 4), **LAST, correction=0),
        case((24,), low=-95, high=95, **WHOLE, correction=0),  # the sum overflows in float16
    ]

    def expand(y, x):
        if is_complex(x.dtype):
            return _over_parts(ops.var, y, x, ops.add)
        x = widened(x)
        centred = x - ops.mean(x, axis=y.axis, keepdims=True)
        total = ops.sum(centred * centred, axis=y.axis, keepdims=y.keepdims)
        return narrowed(total / max(count(x, y.axis) - y.correction, 0), y.dtype)


class Std(Statistic):
    """y = √var x over `axis`. ∂y/∂x = (x − mean)/((n − correction)·y), and 0 where y = 0; for
    complex x its conjugate."""

    batched = along_axes
    complexes = real = True
    math = r"\operatorname{std} {x}"
    samples = [
        case((3, 4), **WHOLE, correction=0),
        complex_case((3, 2), **FIRST, correction=1),
        case((4, 4), **FIRST, correction=1),
        case((3, 4), **LAST, correction=0),
        case((2, 3, 4), **PAIR, correction=0),
        case((3,), **WHOLE, correction=2.5),
        case((24,), low=-95, high=95, **WHOLE, correction=0),
        kink([1e16 / 3] * 3, slopes=[[0.0] * 3], **WHOLE, correction=0),
    ]

    def expand(y, x):
        if is_complex(x.dtype):
            return _over_parts(ops.std, y, x, ops.hypot)
        x, n = widened(x), count(x, y.axis)
        if n <= y.correction:  # 0/0
            square = ops.var(x, axis=y.axis, keepdims=y.keepdims, correction=y.correction)
            return narrowed(ops.sqrt(square), y.dtype)
        centred = x - ops.mean(x, axis=y.axis, keepdims=True)
        root = _root_of_squares(centred, y, n - y.correction)
        # The rounded mean of equal elements may differ from them.
        spread = ops.max(x, axis=y.axis, keepdims=y.keepdims) - ops.min(
            x, axis=y.axis, keepdims=y.keepdims
        )
        return narrowed(ops.where(spread == 0, 0, root), y.dtype)

    def vjp(y, g, x):  # where y = 0 it divides by 1, because 0/0 would give NaN
        wide = widened(x)
        centred = wide - ops.mean(wide, axis=y.axis, keepdims=True)
        deviation = widened(restored(y, y, x))
        slope = ops.conjugated(centred) / ops.where(deviation == 0, 1, deviation)
        slope = ops.where(deviation == 0, 0, slope) / max(count(x, y.axis) - y.correction, 0)
        return [narrowed(ops.scaled(widened(restored(g, y, x)), slope), x.dtype)]


def norm_of(y: Any, x: Piece, which: str) -> Piece:
    """‖x‖ of a node whose `axis` is reduced. The norm of all elements of a matrix is that of a
    vector: ‖x‖_F, or ‖vec x‖ₚ, since ‖x‖ₚ of a matrix is another number."""
    axes = reduced_axes(y) or None
    if axes is None and (y.inputs[0].ndim or 0) > 1:
        x = vec(x) if which else x
        which = which or "F"
    if axes and len(axes) > 1 and which:
        total = norm_notation(vec(x, axes), which, -1)
    else:
        total = norm_notation(x, which, axes[0] if axes and len(axes) == 1 else axes)
    return kept_axes(y, total) if y.keepdims else total


class VectorNorm(Statistic):
    """y = √Σ |x|² over `axis`. ∂y/∂x = x/y, and 0 where y = 0; for complex x its conjugate. Of n
    infinite elements each has the slope ±1/√n."""

    batched = along_axes
    complexes = real = True
    math = r"\left\lVert{x}\right\rVert"
    samples = [
        case((3, 4), **WHOLE),
        complex_case((3, 2), **FIRST),
        case((4, 4), **FIRST),
        case((2, 3, 4), **PAIR),
        case((3, 4), **LAST),
        case((), low=0.3, **WHOLE),
        case(np.array([3, 4]), **WHOLE),
        case((24,), low=60, high=95, **WHOLE),  # the sum overflows in float16
        kink([0.0, -0.0], slopes=[[0.0, 0.0]], **WHOLE),
        kink([[np.inf, 2.0, 0.0], [1.0, -np.inf, np.inf]],
             slopes=[[[1.0, 0.0, 0.0], [0.0, -np.sqrt(0.5), np.sqrt(0.5)]]], **LAST),
    ]  # fmt: skip

    def notation(y, *x):
        return norm_of(y, x[0], "")

    def expand(y, x):
        x = ops.abs(x) if is_complex(x.dtype) else widened(x)
        if count(x, y.axis) == 0:
            return narrowed(ops.sqrt(ops.sum(x * x, axis=y.axis, keepdims=y.keepdims)), y.dtype)
        return narrowed(_root_of_squares(x, y, 1), y.dtype)

    def vjp(y, g, x):  # where y = 0 it divides by 1, because 0/0 would give NaN
        wide, length = widened(x), widened(restored(y, y, x))
        if not is_complex(wide.dtype):  # there an infinite number has no sign
            infinite, number = ops.isinf(length), infinite_count(wide, y)
            ends = ops.where(ops.isinf(wide), ops.sign(wide), 0)
            wide = ops.where(infinite, ends, wide)
            length = ops.where(infinite, ops.sqrt(number), length)
        slope = ops.conjugated(wide) / ops.where(length == 0, 1, length)
        return [narrowed(ops.scaled(widened(restored(g, y, x)), slope), x.dtype)]


def infinite_count(x: Any, y: Any) -> Any:
    """How many elements of each vector are infinite. In a p-norm that is infinite only those have a
    slope, n^(1/p − 1) times their sign: the limit, if they grow alike."""
    return ops.sum(ops.cast(ops.isinf(x), real_of(x.dtype)), axis=y.axis, keepdims=True)


def _over_parts(function: Any, y: Any, x: Any, join: Any) -> Node:
    """The statistic y of complex x, joined from those of the real and of the imaginary parts."""
    options = {"axis": y.axis, "keepdims": y.keepdims, "correction": y.correction}
    return join(function(ops.real(x), **options), function(ops.imag(x), **options))


def _root_of_squares(x: Any, y: Any, n: float) -> Any:
    """√(Σ x²/n) over the axes of the reduction y, without overflow or underflow of x²."""
    unit = _unit(x, y.axis)
    part = x / unit
    total = ops.sum(part * part, axis=y.axis, keepdims=True)
    root = unit * ops.sqrt(total if n == 1 else total / n)
    return root if y.keepdims else ops.squeeze(root, axis=axes_in(y.axis, x.ndim))


def _unit(x: Any, axis: Any) -> Node:
    """The number by which to divide x before squaring: 1, or the largest |x| if its square would
    overflow or underflow."""
    limits = np.finfo(x.dtype)
    low, high = float(limits.tiny) ** 0.25, float(limits.max) ** 0.25
    top = ops.stop_gradient(ops.max(ops.abs(x), axis=axis, keepdims=True))
    usual = (low < top) & (top < high) | (top == 0) | ~ops.isfinite(top)
    return ops.where(usual, 1, top)


class Logsumexp(Statistic):
    """y = log Σ eˣ over `axis`, without overflow; −∞ over no elements. ∂y/∂x = softmax x.

    The slope eˣ⁻ʸ isn't computed from y, whose rounding is a relative error of the slope.
    """

    batched = along_axes
    math, onnx = r"\log\sum_{<axis>} e^{{x}}", "ReduceLogSumExp"
    samples = [
        case((3, 4), **WHOLE),
        case((4, 4), **FIRST),
        case((2, 3, 4), **PAIR),
        case((3, 4), **LAST),
        case(np.array([[1000.0, 999.0], [-1000.0, -1001.0]]), **LAST),
        case(np.array([[-np.inf, 1.0], [-np.inf, -np.inf], [np.inf, 0.0]]), **LAST),
        kink([[-np.inf, 1.0], [-np.inf, -np.inf]], slopes=[[[0.0, 1.0], [0.0, 0.0]]], **LAST),
        kink([[np.inf, 1.0], [np.inf, np.inf]], slopes=[[[1.0, 0.0], [0.5, 0.5]]], **LAST),
        kink([[1e3, 1e3], [-1e3, -1e3]], slopes=[[[0.5, 0.5], [0.5, 0.5]]], **LAST),
        case((0, 3), **FIRST),
    ]

    def expand(y, x):
        x = widened(x)
        if count(x, y.axis) == 0:
            total = ops.log(ops.sum(ops.exp(x), axis=y.axis, keepdims=y.keepdims))
            return narrowed(total, y.dtype)
        top = ops.stop_gradient(ops.max(x, axis=y.axis, keepdims=True))
        top = ops.where(ops.isfinite(top), top, 0)
        total = ops.sum(ops.exp(x - top), axis=y.axis, keepdims=True)
        result = narrowed(ops.log(total) + top, y.dtype)
        return result if y.keepdims else ops.squeeze(result, axis=axes_in(y.axis, x.ndim))

    def vjp(y, g, x):
        if count(x, y.axis) == 0:
            return [ops.zeros_like(x)]
        wide = widened(x)
        top = ops.stop_gradient(ops.max(wide, axis=y.axis, keepdims=True))
        gap = wide - ops.where(top == -math.inf, 0, top)
        parts = ops.exp(ops.where(wide == math.inf, 0, gap))  # ∞ − ∞ would give NaN
        total = ops.sum(parts, axis=y.axis, keepdims=True)
        slope = parts / ops.where(total == 0, 1, total)  # 0/0 would give NaN where all x are −∞
        return [narrowed(ops.scaled(widened(restored(g, y, x)), slope), x.dtype)]


class WeightedLogsumexp(Statistic):
    """y = log Σ b·eˣ over `axis`, without overflow. ∂y/∂x = b·eˣ⁻ʸ, ∂y/∂b = eˣ⁻ʸ.

    An element of weight 0 adds nothing, however large it is.
    """

    complexes = False
    math = r"\log\sum_{<axis>} {b} \* e^{{x}}"
    floats = True
    samples = [
        case((3, 4), (3, 4), low=0.5, **LAST),
        case((2, 3), np.array([2.0, 0.0, 1.0]), **WHOLE),
        case(np.array([[1000.0, 999.0]]), np.array([[2.0, -1.0]]), **LAST),
        kink([-np.inf, 1.0, 1e3], [1.0, 2.0, 0.0], slopes=[[0.0, 1.0, 0.0], [0.0, 0.5, np.inf]],
             **WHOLE),
    ]  # fmt: skip

    def shape_rule(self, *shapes: Shape) -> Shape:
        return Reduce.shape_rule(self, *shapes)  # pyright: ignore[reportArgumentType]

    def expand(y, x, b):
        shape = broadcast(x.shape or (), b.shape or ())
        x, b = (ops.broadcast_to(widened(one), shape) for one in (x, b))
        options: dict[str, Any] = dict(axis=y.axis, keepdims=True)
        if count(x, y.axis) == 0:
            total = ops.log(ops.sum(b * ops.exp(x), axis=y.axis, keepdims=y.keepdims))
            return narrowed(total, y.dtype)
        top = ops.stop_gradient(ops.max(ops.where(b == 0, -math.inf, x), **options))
        top = ops.where(ops.isfinite(top), top, 0)
        total = ops.sum(ops.absorbing_product(b, ops.exp(x - top)), **options)
        result = narrowed(ops.log(total) + top, y.dtype)
        return result if y.keepdims else ops.squeeze(result, axis=axes_in(y.axis, x.ndim))


@register
def var(
    x: Any,
    /,
    axis: int | Sequence[int] | None = None,
    *,
    dtype: Any = None,
    correction: float = 0,
    ddof: float | None = None,
    keepdims: bool = False,
    where: Any = None,
    name: str | None = None,
) -> Node:
    """y = Σ (x − mean)² / (n − correction) over the n elements on `axis`.

    correction: 0 for the variance of the population, 1 for the unbiased estimate from a sample
    (Bessel's correction); NumPy's name for it is `ddof`. dtype: a float dtype to compute in.
    where: a mask of booleans; only elements where it holds are counted.
    """
    correction = one_correction("var", correction, ddof)
    options: dict[str, Any] = dict(axis=frozen(axis), keepdims=bool(keepdims), name=name)
    options["correction"] = correction
    if dtype is None and (where is None or where is True):
        return Var(x, **options)
    return averaged(Var, x, dtype=dtype, where=where, **options)


@register
def std(
    x: Any,
    /,
    axis: int | Sequence[int] | None = None,
    *,
    dtype: Any = None,
    correction: float = 0,
    ddof: float | None = None,
    keepdims: bool = False,
    where: Any = None,
    name: str | None = None,
) -> Node:
    """y = √var x over `axis`; the gradient is 0 where all elements are equal.

    correction, ddof, dtype and where: as for `var`.
    """
    correction = one_correction("std", correction, ddof)
    options: dict[str, Any] = dict(axis=frozen(axis), keepdims=bool(keepdims), name=name)
    options["correction"] = correction
    if dtype is None and (where is None or where is True):
        return Std(x, **options)
    return averaged(Std, x, dtype=dtype, where=where, **options)


mean = register(reduction(Mean, Averaging, averaged))


@register
def logsumexp(
    x: Any,
    /,
    axis: int | Sequence[int] | None = None,
    *,
    b: Any = None,
    keepdims: bool = False,
    where: Any = None,
    name: str | None = None,
) -> Node:
    """y = log Σ b·eˣ over `axis`, without overflow; −∞ over no elements.

    b: weights that broadcast to x, by default 1; where their sum is negative, y is NaN. where: a
    mask of booleans; only elements where it holds are counted.
    """
    if where is not None and where is not True:
        x = ops.where(where, x, -math.inf)
    options: dict[str, Any] = dict(axis=frozen(axis), keepdims=bool(keepdims), name=name)
    return Logsumexp(x, **options) if b is None else WeightedLogsumexp(x, b, **options)
