"""Reductions with NumPy's options `dtype`, `where` and `initial`, composed of other operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...dtypes import (
    DType,
    accumulates_in,
    as_dtype,
    default_dtype,
    is_complex,
    is_inexact,
    promote,
    real_of,
)
from ...errors import ArgumentError, DTypeError, ShapeError
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops
from ...messages.checks import within
from ...shapes import Shape, axes_in, broadcast, known, reduced, text
from .axes import narrowed, widened


def accumulated(
    operation: Callable[..., Node],
    x: Any,
    *,
    axis: Any,
    keepdims: bool,
    name: str | None,
    dtype: Any = None,
    initial: Any = None,
    where: Any = None,
) -> Node:
    """The sum or product, in `dtype`, of `initial` and of the elements that `where` selects."""
    x = as_node(x)
    is_product = operation.__name__ == "Prod"
    if dtype is not None:
        x = narrowed(x, as_dtype(dtype))
    if where is not None:
        x = ops.where(mask_of(where, x), x, 1 if is_product else 0)
    total = operation(x, axis=axis, keepdims=keepdims)
    if initial is not None:
        total = (ops.multiply if is_product else ops.add)(total, initial)
    if dtype is not None:  # the sum of small integers is a 64-bit integer
        total = narrowed(total, as_dtype(dtype))
    return total if name is None else ops.positive(total, name=name)


def extreme(
    operation: Callable[..., Node],
    x: Any,
    *,
    axis: Any,
    keepdims: bool,
    name: str | None,
    initial: Any = None,
    where: Any = None,
) -> Node:
    """The extreme of `initial` and of the elements that `where` selects."""
    x = as_node(x)
    kind = operation.__name__.lower()
    if initial is None:
        raise ArgumentError(
            f"{kind}: a mask may select no element, whose {kind} has no value.",
            hint="Write initial=-math.inf, or another value to start with."
            if kind == "max"
            else "Write initial=math.inf, or another value to start with.",
        )
    if where is not None:
        x = ops.where(mask_of(where, x), x, initial)
    combine = ops.maximum if kind == "max" else ops.minimum
    shape = x.shape
    if shape is not None and known(shape):
        axes = axes_in(axis, len(shape))
        if 0 in [shape[place] for place in axes]:
            target = reduced(shape, axes, keepdims)
            return ops.broadcast_to(narrowed(as_node(initial), x.dtype), target, name=name)
    return combine(operation(x, axis=axis, keepdims=keepdims), initial, name=name)


def tested(
    operation: Callable[..., Node],
    x: Any,
    *,
    axis: Any,
    keepdims: bool,
    name: str | None,
    where: Any,
) -> Node:
    """Whether any or all of the elements that `where` selects are true."""
    x = as_node(x)
    neutral = operation.__name__ == "All"
    x = ops.where(mask_of(where, x), x, neutral)
    return operation(x, axis=axis, keepdims=keepdims, name=name)


def averaged(
    operation: Callable[..., Node],
    x: Any,
    *,
    axis: Any,
    keepdims: bool,
    name: str | None,
    dtype: Any = None,
    where: Any = None,
    **options: Any,
) -> Node:
    """The mean, variance or standard deviation, in `dtype`, of the elements that `where` selects.

    It is computed in the wider of `dtype` and the dtype in which x accumulates, and rounded once.
    """
    x = as_node(x)
    result = None if dtype is None else as_dtype(dtype)
    kind = operation.__name__.lower()
    if result is not None and not is_inexact(result):
        raise DTypeError(
            f"{kind}: a {kind} is a fraction, which {result} can't hold.",
            hint="Leave dtype out, or write dtype='float64'.",
        )
    if result is None and x.dtype is not None:
        result = x.dtype if is_inexact(x.dtype) else default_dtype()
        result = result if kind == "mean" else real_of(result)
    if x.dtype is not None and result is not None:
        x = narrowed(x, _wider(x.dtype, result))
    elif result is not None:
        x = narrowed(x, result)
    if where is None or where is True:
        found = operation(x, axis=axis, keepdims=keepdims, **options)
    else:
        found = _masked(kind, x, mask_of(where, x), axis, keepdims, **options)
    found = found if result is None else narrowed(found, result)
    return found if name is None else ops.positive(found, name=name)


def _wider(given: DType, result: DType) -> DType:
    """The dtype to compute in: never narrower than that of the numbers or of the result."""
    return promote(given if is_inexact(given) else accumulates_in(given), result)


def _masked(
    kind: str, x: Node, mask: Node, axis: Any, keepdims: bool, correction: float = 0
) -> Node:
    """The statistic of the elements of x that the mask selects; NaN of none."""
    wide = widened(x)
    real = ops.real(wide) if is_complex(wide.dtype) else wide
    ones = ops.where(mask, ops.ones_like(real), 0)

    def total(terms: Any, kept: bool) -> Node:
        return ops.sum(ops.where(mask, terms, 0), axis=axis, keepdims=kept)

    if kind == "mean":
        return narrowed(
            total(wide, keepdims) / ops.sum(ones, axis=axis, keepdims=keepdims), x.dtype
        )
    mean = total(wide, True) / ops.sum(ones, axis=axis, keepdims=True)
    count = ops.sum(
        ops.real(ones) if is_complex(ones.dtype) else ones, axis=axis, keepdims=keepdims
    )
    gaps = wide - mean
    squares = ops.real(gaps * ops.conj(gaps)) if is_complex(wide.dtype) else ops.square(gaps)
    variance = total(squares, keepdims) / ops.maximum(count - correction, 0)
    result = None if x.dtype is None else real_of(x.dtype)
    if kind == "var":
        return narrowed(variance, result)
    root = ops.sqrt(ops.where(variance == 0, 1, variance))
    return narrowed(ops.where(variance == 0, 0, root), result)


def mask_of(where: Any, x: Node) -> Node:
    """The mask as a node. Raises ShapeError if it doesn't broadcast to x."""
    mask = as_node(where)
    shape, own = x.shape, mask.shape
    if shape is not None and own is not None and known(shape) and known(own):
        if not _fits(own, shape):
            raise ShapeError(
                f"where: a mask of shape {text(own)} doesn't fit an array of shape {text(shape)}.",
                hint="It has one truth value for each element, or broadcasts to that shape; one "
                "for each row is mask[:, None].",
            )
    return mask


def _fits(own: Shape, shape: Shape) -> bool:
    try:
        return broadcast(shape, own) == shape
    except ShapeError:
        return False


def one_correction(kind: str, correction: float, ddof: float | None) -> float:
    """The correction, a number, which NumPy calls `ddof`."""
    if ddof is None:
        return _number(f"{kind}: correction", correction)
    if correction != 0 and correction != ddof:
        raise ArgumentError(
            f"{kind}: correction is {correction} and ddof {ddof}; two names of one option.",
            hint=f"Write correction={correction}.",
        )
    return _number(f"{kind}: ddof", ddof)


def _number(what: str, value: Any) -> float:
    """A number, also from a tensor, to which no gradient could flow."""
    number = within(what, value, "(-inf, inf)", like=1)
    return float(number) if isinstance(number, Node) else number
