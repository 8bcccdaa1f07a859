"""Helpers of reductions: reinserted axes, accumulation dtypes, element counts, sample axes."""

from __future__ import annotations

import math
from typing import Any

from ...dtypes import DType, accumulates_in
from ...graph.registry import ops
from ...shapes import axes_in

# The attributes of the samples of every reduction.
WHOLE: dict[str, Any] = dict(axis=None, keepdims=False)
FIRST: dict[str, Any] = dict(axis=0, keepdims=False)
LAST: dict[str, Any] = dict(axis=-1, keepdims=True)
PAIR: dict[str, Any] = dict(axis=(0, 2), keepdims=False)


def restored(g: Any, y: Any, x: Any) -> Any:
    """g, of the shape of y = reduce(x), with the reduced axes as size 1, so it broadcasts to x."""
    return g if y.keepdims else ops.expand_dims(g, axis=axes_in(y.axis, x.ndim))


def widened(x: Any) -> Any:
    """x in the dtype in which its statistics accumulate; x itself if its dtype isn't known."""
    return x if x.dtype is None else narrowed(x, accumulates_in(x.dtype))


def narrowed(x: Any, dtype: DType | None) -> Any:
    """x in `dtype`. A result computed in a wider dtype is thus rounded once."""
    return x if x.dtype == dtype else ops.cast(x, dtype)


def count(x: Any, axis: Any) -> int:
    """The number of elements of x per element of its reduction over `axis`."""
    return math.prod(x.shape[index] for index in axes_in(axis, x.ndim))


def equal_rows(out: int) -> str:
    """A description of the matrix ∂y/∂x of a sum or mean."""
    return "row of equal numbers" if out == 1 else "rows of equal numbers"
