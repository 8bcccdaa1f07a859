"""Operators that reduce axes, and running totals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...dtypes import is_boolean, is_integer
from ...graph.registry import ops
from ...ops.linalg.determinant import Det
from .table import Call, in_dtype, reads


def axes_of(n: Call, x: Any, given: Any, before: int) -> tuple[int, ...] | None:
    """The axes that a reduction is told: an attribute or an input; None for all, () for none."""
    axes = n.option("axes", given, before)
    if not axes:
        return () if n.attr("noop_with_empty_axes", 0) else None
    return tuple(axis % len(x.shape) for axis in axes)


@reads("ReduceSum", "ReduceProd", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2",
       "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp")  # fmt: skip
def reduce(n: Call, x: Any, axes: Any = None) -> Any:
    """A reduction of some axes, in x's dtype."""
    axis = axes_of(n, x, axes, 13 if n.op == "ReduceSum" else 18)
    how: dict[str, Any] = dict(axis=axis, keepdims=bool(n.attr("keepdims", 1)))
    if n.op in ("ReduceMax", "ReduceMin"):
        return _extreme(n, x, axis, how)
    if axis == ():
        return {"ReduceL1": ops.abs, "ReduceL2": ops.abs, "ReduceSumSquare": ops.square,
                "ReduceLogSum": ops.log}.get(n.op, lambda x: x)(x)  # fmt: skip
    return in_dtype(_reduced(n.op, x, how), x)


def _reduced(op: str, x: Any, how: dict[str, Any]) -> Any:
    if op == "ReduceProd":
        return ops.prod(x, **how)
    if op == "ReduceMean":
        total = ops.mean(x, **how)
        return total
    if op == "ReduceL1":
        return ops.sum(ops.abs(x), **how)
    if op == "ReduceL2":
        return ops.sqrt(ops.sum(ops.square(x), **how))
    if op == "ReduceSumSquare":
        return ops.sum(ops.square(x), **how)
    if op == "ReduceLogSum":
        return ops.log(ops.sum(x, **how))
    if op == "ReduceLogSumExp":
        if 0 in x.shape:
            return ops.log(ops.sum(ops.exp(x), **how))
        return ops.logsumexp(x, **how)
    return ops.sum(x, **how)


def _extreme(n: Call, x: Any, axis: Any, how: dict[str, Any]) -> Any:
    if axis == ():
        return x
    largest = n.op == "ReduceMax"
    if is_boolean(x.dtype):
        return (ops.any if largest else ops.all)(x, **how)
    if 0 not in x.shape:
        return (ops.max if largest else ops.min)(x, **how)
    bound: Any = np.iinfo(x.dtype) if is_integer(x.dtype) else None
    worst = (bound.min if largest else bound.max) if bound else (-math.inf if largest else math.inf)
    return in_dtype(ops.sum(x, **how), x) + np.asarray(worst, x.dtype)


@reads("ArgMax", "ArgMin")
def arg_extreme(n: Call, x: Any) -> Any:
    """The index of the first, or the last, largest or smallest element."""
    axis = int(n.attr("axis", 0)) % len(x.shape)
    find = ops.argmax if n.op == "ArgMax" else ops.argmin
    keepdims = bool(n.attr("keepdims", 1))
    if not n.attr("select_last_index", 0):
        return find(x, axis=axis, keepdims=keepdims)
    return x.shape[axis] - 1 - find(ops.flip(x, axis=axis), axis=axis, keepdims=keepdims)


@reads("CumSum", "CumProd")
def cumulative(n: Call, x: Any, axis: Any) -> Any:
    """Running totals, with `exclusive` without the element itself."""
    at = int(n.known(axis, "the axis").reshape(-1)[0]) % len(x.shape)
    total = ops.cumsum if n.op == "CumSum" else ops.cumprod
    first = np.asarray(0 if n.op == "CumSum" else 1, x.dtype)
    if n.attr("reverse", 0):
        x = ops.flip(x, axis=at)
    if n.attr("exclusive", 0):
        lead = (slice(None),) * at
        ones = list(x.shape)
        ones[at] = 1
        x = ops.concat([np.broadcast_to(first, ones), x[(*lead, slice(-1))]], axis=at)
    y = in_dtype(total(x, axis=at), x)
    return ops.flip(y, axis=at) if n.attr("reverse", 0) else y


@reads("Softmax", "LogSoftmax", "Hardmax")
def softmax(n: Call, x: Any) -> Any:
    """Along one axis; before opset 13 over all axes from `axis` on."""
    old = n.opset < 13
    axis = int(n.attr("axis", 1 if old else -1)) % max(len(x.shape), 1)
    shape = x.shape
    if old:
        x = ops.reshape(x, (math.prod(shape[:axis]), math.prod(shape[axis:])))
        axis = 1
    if n.op == "Hardmax":
        place = ops.argmax(x, axis=axis, keepdims=True)
        sizes = [1] * len(x.shape)
        sizes[axis] = x.shape[axis]
        y = ops.cast(ops.equal(np.arange(x.shape[axis]).reshape(sizes), place), x.dtype)
    else:
        y = (ops.softmax if n.op == "Softmax" else ops.log_softmax)(x, axis=axis)
    return ops.reshape(y, shape) if old else y


@reads("LpNormalization")
def lp_normalization(n: Call, x: Any) -> Any:
    """x divided by its norm along an axis; 0 where that is 0."""
    axis, p = int(n.attr("axis", -1)), int(n.attr("p", 2))
    if p == 1:
        size = ops.sum(ops.abs(x), axis=axis, keepdims=True)
    else:
        size = ops.sqrt(ops.sum(ops.square(x), axis=axis, keepdims=True))
    none = ops.equal(size, 0)
    return ops.where(none, ops.zeros_like(x), x / ops.where(none, ops.ones_like(size), size))


@reads("Det")
def determinant(n: Call, x: Any) -> Any:
    """The determinant of each matrix."""
    return Det(x)
