"""What reductions share: their axes undone, counted and sampled."""

from __future__ import annotations

import math
from typing import Any

from ..dtypes import DType, accumulates_in
from ..graph.registry import ops
from ..shapes import axes_in

# The attributes of the samples of every reduction.
WHOLE: dict[str, Any] = dict(axis=None, keepdims=False)
FIRST: dict[str, Any] = dict(axis=0, keepdims=False)
LAST: dict[str, Any] = dict(axis=-1, keepdims=True)
PAIR: dict[str, Any] = dict(axis=(0, 2), keepdims=False)


def restored(g: Any, y: Any, x: Any) -> Any:
    """`g`, of reduction y's shape, with the reduced axes back as size 1: broadcasts against x."""
    return g if y.keepdims else ops.expand_dims(g, axis=axes_in(y.axis, x.ndim))


def widened(x: Any) -> Any:
    """x in the dtype that its statistics are computed in, where its own is known."""
    return x if x.dtype is None else narrowed(x, accumulates_in(x.dtype))


def narrowed(x: Any, dtype: DType | None) -> Any:
    """x in `dtype`: what was computed in a wider one is rounded once."""
    return x if x.dtype == dtype else ops.cast(x, dtype)


def count(x: Any, axis: Any) -> int:
    """How many elements of x are brought to one."""
    return math.prod(x.shape[one] for one in axes_in(axis, x.ndim))


def equal_rows(out: int) -> str:
    """The matrix ∂y/∂x of a sum or mean, in words."""
    return "row of equal numbers" if out == 1 else "rows of equal numbers"
