"""Weighted averages, ranges, counts and covariances, composed of other operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import DType, default_dtype, int64, is_boolean, is_complex, is_inexact, promote
from ...errors import ArgumentError, DTypeError, ShapeError
from ...graph.functions import frozen
from ...graph.node import Node
from ...graph.promotion import as_node, as_nodes
from ...graph.registry import ops, register
from ...graph.samples import case, kink, spread
from ...shapes import axes_in, known, same, text
from .axes import FIRST, LAST, PAIR, WHOLE, narrowed, widened
from .statistics import Statistic


class Average(Statistic):
    """y = Σ w·x / Σ w over `axis`, with weights w that broadcast to x. ∂y/∂x = w / Σ w,
    ∂y/∂w = (x − y) / Σ w."""

    math = r"\operatorname{average}\left({x}; {w}\right)"
    complexes = True
    samples = [
        case((3, 4), np.array([0.5, 1.0, 2.0, 1.5]), **LAST),
        case((2, 3, 4), np.full((2, 3, 4), 0.5), **PAIR),
        case((3,), (3,), low=0.5, **WHOLE),
        case(np.array([1, 2, 4]), np.array([1, 0, 2]), **WHOLE),
    ]

    def dtype_rule(self, *dtypes: DType) -> DType:
        dtype = promote(*dtypes)
        return dtype if is_inexact(dtype) else default_dtype()

    def expand(y, x, w):
        x, w = widened(x), widened(w)
        options = dict(axis=y.axis, keepdims=y.keepdims)
        whole = ops.broadcast_to(w, x.shape)
        total = ops.sum(x * w, **options) / ops.sum(whole, **options)
        return narrowed(total, y.dtype)


class CountNonzero(Statistic):
    """y = how many elements on `axis` differ from 0, as int64; NaN does."""

    math = r"\operatorname{nnz} {x}"
    stays_finite = complexes = True
    samples = [
        case(np.array([[0.0, -0.0, np.nan], [1.0, 0.0, 2.0]]), **LAST),
        case(np.array([[0, 2], [3, 0]]), **WHOLE),
        case(np.array([True, False]), **FIRST),
    ]

    def dtype_rule(self, *dtypes: DType) -> DType:
        return int64

    def expand(y, x):
        return ops.sum(ops.not_equal(x, 0), axis=y.axis, keepdims=y.keepdims)

    def vjp(y, g: Any, *x: Node):
        return [None]


class Ptp(Statistic):
    """y = max x − min x over `axis`; tied elements share the gradient equally."""

    complexes = False
    math = r"\operatorname{ptp} {x}"
    samples = [
        spread((3, 4), **WHOLE),
        spread((4, 4), **FIRST),
        case(np.array([3, 1, 2]), **WHOLE),
        kink([[1.0, 1.0, 0.0], [2.0, 2.0, 2.0]], slopes=[[[0.5, 0.5, -1.0], [0.0, 0.0, 0.0]]],
             **LAST),
    ]  # fmt: skip

    def dtype_rule(self, *dtypes: DType) -> DType:
        if is_boolean(dtypes[0]):
            raise DTypeError("booleans have no differences", hint="Write pg.any(x) & ~pg.all(x).")
        return dtypes[0]

    def expand(y, x):
        options = dict(axis=y.axis, keepdims=y.keepdims)
        return ops.max(x, **options) - ops.min(x, **options)


Axis = int | Sequence[int] | None


@register
def average(
    x: Any,
    /,
    axis: Axis = None,
    weights: Any = None,
    returned: bool = False,
    *,
    keepdims: bool = False,
    name: str | None = None,
) -> Any:
    """y = Σ w·x / Σ w over `axis`; without weights the mean.

    weights: of x's shape, or of the sizes of the axes `axis`. Where their sum is 0, y isn't finite.
    returned: the sum of the weights, in y's shape, is the second of two results.
    """
    if weights is not None:
        x, weights = as_nodes(x, weights)
    x = as_node(x)
    options: dict[str, Any] = dict(axis=frozen(axis), keepdims=bool(keepdims))
    if weights is None:
        y = ops.mean(x, **options, name=name)
        if not returned:
            return y
        return y, narrowed(ops.sum(ops.ones_like(widened(x)), **options), y.dtype)
    w = _aligned(weights, x, options["axis"])
    y = Average(x, w, **options, name=name)
    if not returned:
        return y
    whole = ops.broadcast_to(widened(w), x.shape)
    return y, narrowed(ops.sum(whole, **options), y.dtype)


def _aligned(w: Any, x: Any, axis: Any) -> Any:
    """Weights as an array that broadcasts to x."""
    if w.shape is None or x.shape is None:
        raise ShapeError("average: the shapes of the array and its weights must be known.")
    if _fits(w.shape, x.shape):
        return w
    axes = axes_in(axis, x.ndim)
    order = _order(axis, x.ndim)
    sizes = [w.shape[one] for one in order] if len(order) == w.ndim else []
    if axis is None or not _fits(sizes, [x.shape[one] for one in axes]):
        raise ShapeError(
            f"average: weights {text(w.shape)} don't fit x {text(x.shape)} with axis={axis}.",
            hint=_axis_for(w, x),
        )
    w = ops.permute_dims(w, order) if len(order) > 1 else w
    gone = [one for one in range(x.ndim) if one not in axes]
    return ops.expand_dims(w, axis=tuple(gone)) if gone else w


def _axis_for(w: Any, x: Any) -> str:
    """The axes for which these weights would do, for a ShapeError."""
    if w.ndim == 1:
        for axis, size in enumerate(x.shape):
            if size == w.shape[0]:
                return f"One weight for each element of an axis needs that axis: axis={axis}."
    return "Weights have x's shape, or the sizes of the axes that are averaged."


def _fits(a: Any, b: Any) -> bool:
    """Whether these sizes can be equal."""
    return len(a) == len(b) and all(map(same, a, b))


def _order(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes of the weights in the order of x's axes."""
    if axis is None:
        return ()
    numbers = [one % ndim for one in (axis if isinstance(axis, tuple) else (axis,))]
    return tuple(int(one) for one in np.argsort(numbers))


@register
def count_nonzero(
    x: Any, /, axis: Axis = None, *, keepdims: bool = False, name: str | None = None
) -> Node:
    """y = how many elements on `axis` differ from 0, as int64; NaN does."""
    return CountNonzero(x, axis=frozen(axis), keepdims=bool(keepdims), name=name)


@register
def ptp(x: Any, /, axis: Axis = None, *, keepdims: bool = False, name: str | None = None) -> Node:
    """y = max x − min x over `axis`; tied elements share the gradient equally."""
    return Ptp(x, axis=frozen(axis), keepdims=bool(keepdims), name=name)


@register
def cov(
    m: Any,
    /,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    name: str | None = None,
) -> Node:
    """The covariance matrix C of variables, the rows of m (and y): Cᵢⱼ = Σ (mᵢ − m̄ᵢ)(mⱼ − m̄ⱼ)* / d.

    rowvar=False: the columns are the variables. d = n − ddof, where ddof is 1, or 0 with `bias`.
    fweights: how often each observation counts. aweights: the importance of each; with them and
    w = fweights·aweights, d = Σ w − ddof·Σ w·aweights / Σ w, and the means are weighted by w.
    """
    if y is not None:
        m, y = as_nodes(m, y)
    x = _variables(m, rowvar)
    if y is not None:
        x = ops.concat([x, _variables(y, rowvar)], axis=0)
    dtype = x.dtype if is_inexact(x.dtype) else default_dtype()
    x = widened(x)
    ddof = (0 if bias else 1) if ddof is None else ddof
    f, a = (None if w is None else _weights(w, x) for w in (fweights, aweights))
    w = a if f is None else f if a is None else f * a
    if w is None:
        centred = x - ops.mean(x, axis=1, keepdims=True)
        scaled, divisor = centred, max(x.shape[1] - ddof, 0)
    else:
        total = ops.sum(w)
        centred = x - ops.sum(x * w, axis=1, keepdims=True) / total
        used = total if a is None else ops.sum(w * a) / total * ddof
        divisor = total - (ddof if a is None else used)
        scaled = centred * w
    found = ops.matmul(scaled, ops.conjugated(centred).mT) / divisor
    if x.shape[0] == 1:
        found = ops.reshape(found, ())
    found = narrowed(found, dtype)
    return found if name is None else ops.positive(found, name=name)


def _variables(m: Any, rowvar: bool) -> Any:
    """The variables as rows."""
    m = as_node(m)
    if m.shape is None or not known(m.shape) or len(m.shape) > 2:
        raise ArgumentError(
            f"cov: expected a vector or a matrix of known shape, got {text(m.shape)}."
        )
    if m.ndim < 2:
        return ops.reshape(m, (1, -1))
    return m if rowvar else m.mT


def _weights(w: Any, x: Any) -> Any:
    w = as_node(w)
    if w.shape != x.shape[1:]:
        raise ShapeError(
            f"cov: weights {text(w.shape)} for {x.shape[1]} observations.",
            hint="One weight for each observation.",
        )
    return widened(w)


@register
def corrcoef(m: Any, /, y: Any = None, rowvar: bool = True, *, name: str | None = None) -> Node:
    """The correlation coefficients R of variables, the rows of m (and y): Rᵢⱼ = Cᵢⱼ / √(Cᵢᵢ·Cⱼⱼ)
    with the covariances C, in [−1, 1]; NaN for a variable that is constant."""
    c = ops.cov(m, y, rowvar)
    if c.ndim == 0:
        found = c / c
    else:
        eye = np.eye(c.shape[0], dtype=bool)
        deviation = ops.sqrt(ops.sum(ops.where(eye, c, 0), axis=1))
        found = c / deviation[:, None] / deviation[None, :]
        if not is_complex(found.dtype):
            found = ops.minimum(ops.maximum(found, -1), 1)
    return found if name is None else ops.positive(found, name=name)
