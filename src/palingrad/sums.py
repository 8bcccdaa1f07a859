"""Sums, products and matrix products of many terms, for the numpy maths namespace.

Sequential summation of n numbers has an error of up to n roundings. NumPy sums pairwise along the
axis that is contiguous in memory, but sequentially along the others, and BLAS does so in some
products of vectors. Here long axes are cut into blocks whose sums are summed, and half floats are
accumulated in float32 and rounded once (Higham, Accuracy and Stability of Numerical Algorithms,
ch. 4).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .dtypes import Array, DType, float16, float32

_BLOCK = 256  # maximum number of terms that are added sequentially
_TERMS = 8192  # maximum number of terms per sum in one call of BLAS


def blocked_sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Σ x over `axis` like np.sum, but floats are summed in blocks, half floats in float32."""
    if type(x) is np.ndarray and x.size <= _BLOCK and x.dtype.char in "fd":
        return np.add.reduce(x, axis, None, None, keepdims)  # pyright: ignore[reportCallIssue] (by position: faster)
    x = np.asarray(x)
    if x.dtype.kind not in "fc":
        return np.sum(x, axis=axis, keepdims=keepdims)
    if x.dtype == float16:
        return blocked_sum(x.astype(float32), axis, keepdims=keepdims).astype(float16)
    if x.size <= _BLOCK:
        return np.add.reduce(x, axis=axis, keepdims=keepdims)
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    if math.prod([x.shape[one] for one in axes]) <= _BLOCK:
        return np.add.reduce(x, axis=axis, keepdims=keepdims)
    axes = tuple(one % x.ndim for one in axes)
    total = sum_over(x, axes)
    return np.expand_dims(total, axes) if keepdims else total


def sums_plainly(shape: tuple[int, ...], dtype: DType, axis: Any) -> bool:
    """Whether `blocked_sum` has the order of summation of np.sum, for an array in C order."""
    axes = range(len(shape)) if axis is None else np.atleast_1d(axis) % len(shape)
    last = sorted(axes) == list(range(len(shape) - len(axes), len(shape)))
    few = math.prod([shape[one] for one in axes]) <= _BLOCK
    return dtype != float16 and (last or few or dtype.kind not in "fc")


def multiplies_plainly(shape: tuple[int, ...], dtype: DType) -> bool:
    """Whether `matrix_product` is one np.matmul, for a left operand of this shape."""
    return dtype.kind not in "fc" or (dtype != float16 and shape[-1] <= _TERMS)


def sum_over(x: Array, axes: tuple[int, ...]) -> Any:
    """Σ x over `axes`, with at most a block of terms added sequentially."""
    slow = added_in_sequence(x, axes)
    terms = math.prod([x.shape[axis] for axis in slow])
    if terms <= _BLOCK:
        return np.add.reduce(x, axis=axes)
    first = slow[0]
    others = tuple(axis for axis in axes if axis != first)
    place = first - sum(axis < first for axis in others)
    chunk = _BLOCK // (terms // x.shape[first])
    if chunk < 2:
        return sum_over(sum_over(x, others), (place,))
    length, before = x.shape[first], (slice(None),) * first
    whole = length // chunk * chunk
    main = x if whole == length else x[(*before, slice(whole))]
    split = main.reshape(*x.shape[:first], whole // chunk, chunk, *x.shape[first + 1 :])
    inner = tuple(axis + (axis >= first) for axis in axes)
    total = sum_over(np.add.reduce(split, axis=inner), (place,))
    return total if whole == length else total + sum_over(x[(*before, slice(whole, None))], axes)


def added_in_sequence(x: Array, axes: tuple[int, ...]) -> list[int]:
    """The axes among `axes` along which NumPy adds sequentially, the outermost in memory first.

    Along the innermost axis, and the axes contiguous with it, NumPy sums pairwise.
    """
    order = [axis for axis in range(x.ndim) if x.shape[axis] > 1]
    order.sort(key=lambda axis: -abs(x.strides[axis]))
    slow = list(order)
    while slow and slow[-1] in axes and x.strides[slow[-1]]:
        inner = slow.pop()
        if not slow or x.strides[slow[-1]] != x.strides[inner] * x.shape[inner]:
            break
    return [axis for axis in slow if axis in axes]


def product(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Π x over `axis`, like np.prod, but half floats are multiplied in float32."""
    x = np.asarray(x)
    if x.dtype != float16:
        return np.prod(x, axis=axis, keepdims=keepdims)
    return np.prod(x, axis=axis, dtype=float32, keepdims=keepdims).astype(float16)


def matrix_product(x: Any, y: Any) -> Any:
    """x y, like np.matmul, but sums of many products are halved until BLAS gets few terms."""
    if x.dtype.kind not in "fc":
        return np.matmul(x, y)
    if x.dtype == float16:
        return matrix_product(x.astype(float32), y.astype(float32)).astype(float16)
    terms = x.shape[-1]
    if terms <= _TERMS:
        return np.matmul(x, y)
    half = terms // 2
    low, high = np.split(y, [half], axis=0 if y.ndim == 1 else -2)
    return matrix_product(x[..., :half], low) + matrix_product(x[..., half:], high)
