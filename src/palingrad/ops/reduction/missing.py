"""Reductions and running totals that leave out elements that are NaN.

The gradient at those elements is 0. Of integers and booleans, which are never NaN, all elements
count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import DType, is_complex, is_floating, is_inexact, real_of
from ...errors import DTypeError, ShapeError
from ...graph.functions import frozen
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops, register
from ...graph.samples import case, kink, spread
from ...shapes import Shape, axes_in
from .axes import FIRST, LAST, WHOLE, count, narrowed, restored, widened
from .options import mask_of, one_correction
from .reduce import ArgExtreme, Extreme
from .statistics import Statistic

_GAPS = np.array([[1.5, np.nan, -2.0], [np.nan, np.nan, np.nan], [0.5, 2.5, np.nan]])
_SAMPLES = [
    case((3, 4), **WHOLE),
    case(_GAPS, **LAST),
    case(_GAPS, **FIRST),
    case(np.array([1, 2, 4]), **WHOLE),
]


class Nansum(Statistic):
    """y = Σ x over the elements on `axis` that aren't NaN; 0 if there are none."""

    math = r"\operatorname{nansum} {x}"
    samples = _SAMPLES

    def dtype_rule(self, *dtypes: DType) -> DType:
        return np.add.reduce(np.ones(1, dtypes[0])).dtype

    def expand(y, x):
        return ops.sum(_filled(x, 0), axis=y.axis, keepdims=y.keepdims)


class Nanprod(Statistic):
    """y = Π x over the elements on `axis` that aren't NaN; 1 if there are none."""

    math = r"\operatorname{nanprod} {x}"
    samples = _SAMPLES

    def dtype_rule(self, *dtypes: DType) -> DType:
        return np.multiply.reduce(np.ones(1, dtypes[0])).dtype

    def expand(y, x):
        return ops.prod(_filled(x, 1), axis=y.axis, keepdims=y.keepdims)


class Nanmean(Statistic):
    """y = Σ x / n over the n elements on `axis` that aren't NaN; NaN if n = 0."""

    math = r"\operatorname{nanmean} {x}"
    samples = _SAMPLES

    def expand(y, x):
        if not is_inexact(x.dtype):
            return ops.mean(x, axis=y.axis, keepdims=y.keepdims)
        wide = widened(x)
        total = ops.sum(_filled(wide, 0), axis=y.axis, keepdims=y.keepdims)
        return narrowed(total / _count(wide, y.axis, y.keepdims), y.dtype)


class Nanvar(Statistic):
    """y = Σ |x − mean|² / (n − correction) over the n elements on `axis` that aren't NaN; NaN if
    n ≤ correction."""

    math = r"\operatorname{nanvar} {x}"
    real = True
    samples = [
        case((3, 4), **WHOLE, correction=0),
        case(_GAPS, **LAST, correction=1),
        case(_GAPS, **FIRST, correction=0),
        case(np.array([1, 2, 4]), **WHOLE, correction=0),
    ]

    def expand(y, x):
        if not is_inexact(x.dtype):
            return ops.var(x, axis=y.axis, keepdims=y.keepdims, correction=y.correction)
        wide = widened(x)
        mean = ops.nanmean(wide, axis=y.axis, keepdims=True)
        gaps = ops.where(ops.isnan(wide), 0, wide - mean)  # ∞ − ∞ stays NaN
        squares = ops.real(gaps * ops.conj(gaps)) if is_complex(gaps.dtype) else ops.square(gaps)
        total = ops.sum(squares, axis=y.axis, keepdims=y.keepdims)
        return narrowed(total / _freedom(y, wide, y.keepdims), y.dtype)


class Nanstd(Statistic):
    """y = √nanvar x over `axis`. ∂y/∂x = (x − mean)/((n − correction)·y), and 0 where y = 0."""

    math = r"\operatorname{nanstd} {x}"
    samples = [
        case((3, 4), **WHOLE, correction=0),
        case(_GAPS, **LAST, correction=0),
        case(_GAPS, **FIRST, correction=1),
        kink([0.1, np.nan, 0.1, 0.1], slopes=[[0.0] * 4], **WHOLE, correction=0),
        kink([[1.5, np.nan, -2.0], [0.5, 2.5, np.nan]],  # y = |a − b|/√2 for two elements
             slopes=[np.sqrt(0.5) * np.array([[1, 0, -1], [-1, 1, 0]])], axis=-1, keepdims=False,
             correction=1),
    ]  # fmt: skip

    def expand(y, x):
        if not is_floating(x.dtype) or count(x, y.axis) == 0:
            return ops.std(x, axis=y.axis, keepdims=y.keepdims, correction=y.correction)
        wide = widened(x)
        # Elements at the mean add nothing; that of equal elements is rounded, so take one of them.
        options = dict(axis=y.axis, keepdims=True)
        top, bottom = ops.nanmax(wide, **options), ops.nanmin(wide, **options)
        mean = ops.where(top == bottom, top, ops.nanmean(wide, **options))
        filled = ops.where(ops.isnan(wide), mean, wide)
        root = ops.std(filled, axis=y.axis, keepdims=y.keepdims)
        ratio = count(x, y.axis) / _freedom(y, wide, y.keepdims)
        return narrowed(root * ops.sqrt(ratio), y.dtype)

    def vjp(y, g, x):  # where y = 0 it divides by 1, because 0/0 would give NaN
        wide = widened(x)
        centred = wide - ops.nanmean(wide, axis=y.axis, keepdims=True)
        deviation = widened(restored(y, y, x))
        ignored = ops.logical_or(ops.isnan(wide), deviation == 0)
        slope = centred / (ops.where(deviation == 0, 1, deviation) * _freedom(y, wide, True))
        slope = ops.where(ignored, 0, slope)
        return [narrowed(ops.scaled(widened(restored(g, y, x)), slope), x.dtype)]


class NanExtreme(Statistic):
    """The largest or smallest element that isn't NaN, NaN if there is none; tied elements share the
    gradient equally."""

    samples = [
        spread((3, 4), **WHOLE),
        case(_GAPS, **LAST),
        case(np.array([3, 1, 2]), **WHOLE),
        kink([[1.0, np.nan, 1.0], [-np.inf, np.nan, np.nan], [np.nan, np.inf, np.inf]],
             slopes=[[[0.5, 0.0, 0.5], [1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]], **LAST),
    ]  # fmt: skip

    def shape_rule(self, *shapes: Shape) -> Shape:
        if 0 in [shapes[0][axis] for axis in axes_in(self.attributes["axis"], len(shapes[0]))]:
            raise ShapeError("no element to choose on an axis of size 0")
        return super().shape_rule(*shapes)

    def dtype_rule(self, *dtypes: DType) -> DType:
        return dtypes[0]

    def vjp(y, g: Any, *x: Any):
        return Extreme.vjp(y, g, *x)  # pyright: ignore[reportArgumentType]

    def _of(y, x: Any, function: Any, lowest: float) -> Node:
        if not is_floating(x.dtype):
            return function(x, axis=y.axis, keepdims=y.keepdims)
        found = function(_filled(x, lowest), axis=y.axis, keepdims=y.keepdims)
        missing = ops.all(ops.isnan(x), axis=y.axis, keepdims=y.keepdims)
        return ops.where(missing, math.nan, found)


class Nanmax(NanExtreme):
    """y = max x over the elements on `axis` that aren't NaN, NaN if there are none; tied elements
    share the gradient equally."""

    math = r"\operatorname{nanmax} {x}"

    def expand(y, x):
        return y._of(x, ops.max, -math.inf)


class Nanmin(NanExtreme):
    """y = min x over the elements on `axis` that aren't NaN, NaN if there are none; tied elements
    share the gradient equally."""

    math = r"\operatorname{nanmin} {x}"

    def expand(y, x):
        return y._of(x, ops.min, math.inf)


class Nanargmax(ArgExtreme):
    """y = the index of the first largest element along `axis` that isn't NaN."""

    math = r"\operatorname{nanargmax} {x}"
    samples = [
        spread((3, 4), **WHOLE),
        case(np.array([[np.nan, 1.0, 3.0], [2.0, np.nan, 2.0]]), **LAST),
    ]

    def f(m: Any, x, *, axis, keepdims):
        return m.nanargmax(x, axis=axis, keepdims=keepdims)

    def simpler(y, *given: Node) -> Node | None:
        return None  # NumPy raises the error for NaN alone


class Nanargmin(ArgExtreme):
    """y = the index of the first smallest element along `axis` that isn't NaN."""

    math = r"\operatorname{nanargmin} {x}"
    samples = Nanargmax.samples

    def f(m: Any, x, *, axis, keepdims):
        return m.nanargmin(x, axis=axis, keepdims=keepdims)

    def simpler(y, *given: Node) -> Node | None:
        return None


def _filled(x: Any, number: float) -> Any:
    """x with `number` in place of NaN."""
    return ops.where(ops.isnan(x), number, x) if is_inexact(x.dtype) else x


def _count(x: Any, axis: Any, keepdims: bool) -> Node:
    """How many elements aren't NaN, in the dtype of x or of its parts."""
    present = ops.cast(ops.logical_not(ops.isnan(x)), real_of(x.dtype))
    return ops.sum(present, axis=axis, keepdims=keepdims)


def _freedom(y: Any, x: Any, keepdims: bool) -> Node:
    """n − correction, NaN where it isn't positive."""
    free = _count(x, y.axis, keepdims) - y.correction
    return ops.where(free > 0, free, math.nan)


# ---------------------------------------------------------------- the functions

Axis = int | Sequence[int] | None


def _options(axis: Any, keepdims: Any, name: str | None) -> dict[str, Any]:
    return dict(axis=frozen(axis), keepdims=bool(keepdims), name=name)


def _chosen(function: str, x: Any, where: Any, neutral: float | None = None) -> Any:
    """x with NaN, or what changes nothing, in place of the elements that the mask leaves out."""
    if where is None or where is True:
        return x
    x = as_node(x)
    if neutral is None and x.dtype is not None and not is_inexact(x.dtype):
        raise DTypeError(
            f"{function}: where= marks elements of {x.dtype} as missing, which has no NaN.",
            hint="Convert them: pg.cast(x, 'float64').",
        )
    return ops.where(mask_of(where, x), x, math.nan if neutral is None else neutral)


@register
def nansum(
    x: Any, /, axis: Axis = None, *, dtype: Any = None, keepdims: bool = False, where: Any = None,
    name: str | None = None,
) -> Node:  # fmt: skip
    """y = Σ x over the elements on `axis` that aren't NaN, and that `where` selects; 0 if there are
    none."""
    x = _chosen("nansum", x, where, 0)
    if dtype is not None:  # NaN, which has no integer, is left out first
        return ops.sum(_filled(as_node(x), 0), axis, dtype=dtype, keepdims=keepdims, name=name)
    return Nansum(x, **_options(axis, keepdims, name))


@register
def nanprod(
    x: Any, /, axis: Axis = None, *, dtype: Any = None, keepdims: bool = False, where: Any = None,
    name: str | None = None,
) -> Node:  # fmt: skip
    """y = Π x over the elements on `axis` that aren't NaN, and that `where` selects; 1 if there are
    none."""
    x = _chosen("nanprod", x, where, 1)
    if dtype is not None:
        return ops.prod(_filled(as_node(x), 1), axis, dtype=dtype, keepdims=keepdims, name=name)
    return Nanprod(x, **_options(axis, keepdims, name))


@register
def nanmean(
    x: Any, /, axis: Axis = None, *, keepdims: bool = False, where: Any = None,
    name: str | None = None,
) -> Node:  # fmt: skip
    """The mean over `axis` of the elements that aren't NaN; NaN of none."""
    return Nanmean(_chosen("nanmean", x, where), **_options(axis, keepdims, name))


@register
def nanvar(
    x: Any, /, axis: Axis = None, *, ddof: float | None = None, correction: float = 0,
    keepdims: bool = False, where: Any = None, name: str | None = None,
) -> Node:  # fmt: skip
    """y = Σ (x − mean)² / (n − correction) over the n elements on `axis` that aren't NaN; NaN if
    n ≤ correction. NumPy's name for the correction is `ddof`."""
    correction = one_correction("nanvar", correction, ddof)
    x = _chosen("nanvar", x, where)
    return Nanvar(x, **_options(axis, keepdims, name), correction=correction)


@register
def nanstd(
    x: Any, /, axis: Axis = None, *, ddof: float | None = None, correction: float = 0,
    keepdims: bool = False, where: Any = None, name: str | None = None,
) -> Node:  # fmt: skip
    """y = √nanvar x over `axis`; the gradient is 0 where all elements are equal."""
    correction = one_correction("nanstd", correction, ddof)
    x = _chosen("nanstd", x, where)
    if x.dtype is not None and is_complex(x.dtype):
        parts = [ops.where(ops.isnan(x), math.nan, part) for part in (ops.real(x), ops.imag(x))]
        options = _options(axis, keepdims, None)
        deviations = [Nanstd(part, **options, correction=correction) for part in parts]
        return ops.hypot(*deviations, name=name)
    return Nanstd(x, **_options(axis, keepdims, name), correction=correction)


@register
def nanmax(
    x: Any, /, axis: Axis = None, *, keepdims: bool = False, where: Any = None,
    name: str | None = None,
) -> Node:  # fmt: skip
    """The largest element over `axis` that isn't NaN, NaN if all are; tied elements share the
    gradient equally."""
    return Nanmax(_chosen("nanmax", x, where), **_options(axis, keepdims, name))


@register
def nanmin(
    x: Any, /, axis: Axis = None, *, keepdims: bool = False, where: Any = None,
    name: str | None = None,
) -> Node:  # fmt: skip
    """The smallest element over `axis` that isn't NaN, NaN if all are; tied elements share the
    gradient equally."""
    return Nanmin(_chosen("nanmin", x, where), **_options(axis, keepdims, name))


@register
def nanargmax(
    x: Any, /, axis: int | None = None, *, keepdims: bool = False, name: str | None = None
) -> Node:
    """The index of the first largest element along `axis` that isn't NaN, as int64.

    Raises ValueError when it runs if all elements are NaN.
    """
    return Nanargmax(x, **_options(axis, keepdims, name))


@register
def nanargmin(
    x: Any, /, axis: int | None = None, *, keepdims: bool = False, name: str | None = None
) -> Node:
    """The index of the first smallest element along `axis` that isn't NaN, as int64.

    Raises ValueError when it runs if all elements are NaN.
    """
    return Nanargmin(x, **_options(axis, keepdims, name))


@register
def nancumsum(
    x: Any, /, axis: int | None = None, dtype: Any = None, *, name: str | None = None
) -> Node:
    """The running sum along `axis`, in which NaN counts as 0."""
    return ops.cumsum(_filled(as_node(x), 0), axis, dtype, name=name)


@register
def nancumprod(
    x: Any, /, axis: int | None = None, dtype: Any = None, *, name: str | None = None
) -> Node:
    """The running product along `axis`, in which NaN counts as 1."""
    return ops.cumprod(_filled(as_node(x), 1), axis, dtype, name=name)
