"""Functions of NumPy that are made of the library's operations when they are called with nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ...errors import ShapeError
from ...shapes import axis_in
from ..registry import ops


def _clip(x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    return ops.clip(x, min if a_min is None else a_min, max if a_max is None else a_max)


def _where(condition: Any, *branches: Any) -> Any:
    return ops.where(condition, *branches) if branches else ops.nonzero(condition)


def _copy(x: Any) -> Any:
    return ops.positive(x)


def _broadcast_arrays(*arrays: Any) -> Any:
    """Beside text or None, which matplotlib broadcasts too, nodes become arrays."""
    others = [np.asarray(x) for x in arrays if not hasattr(x, "__array_namespace__")]
    if all(one.dtype.kind in "biufc" for one in others):
        return ops.broadcast_arrays(*arrays)
    return np.broadcast_arrays(*[np.asarray(x) for x in arrays])


def _in_dtype(join: str) -> Callable[..., Any]:
    def function(arrays: Any, *, dtype: Any = None, **options: Any) -> Any:
        y = getattr(ops, join)(arrays, **options)
        return y if dtype is None else ops.cast(y, dtype)

    return function


def _compress(condition: Any, x: Any, axis: Any = None) -> Any:
    return ops.take(x, np.flatnonzero(condition), axis)


def _sliding_window_view(x: Any, window_shape: Any, axis: Any = None) -> Any:
    """Windows of x along `axis`, by default all axes; their places are where x's axes were, what is
    in them are the last axes."""
    lengths = _tuple(window_shape)
    axes = (
        tuple(range(x.ndim))
        if axis is None
        else tuple(axis_in(one, x.ndim) for one in _tuple(axis))
    )
    if len(lengths) != len(axes):
        raise ShapeError(
            f"sliding_window_view: {len(lengths)} sizes of windows for {len(axes)} axes.",
            hint="Name the axes: axis=-1.",
        )
    for length, place in zip(lengths, axes, strict=True):
        count = x.shape[place] - length + 1
        if length < 0 or count < 1:
            raise ShapeError(
                f"sliding_window_view: windows of {length} elements don't fit {x.shape[place]}."
            )
        index = np.arange(count)[:, None] + np.arange(length)
        x = ops.moveaxis(ops.take(x, index, axis=place), place + 1, -1)
    return x


def _tuple(sizes: Any) -> tuple[int, ...]:
    return tuple(sizes) if isinstance(sizes, Iterable) else (sizes,)


# NumPy's parameters differ from those of the library's function of the same name.
ADAPTED: dict[str, Callable[..., Any]] = {
    "broadcast_arrays": _broadcast_arrays,
    "clip": _clip,
    "concatenate": _in_dtype("concat"),
    "copy": _copy,
    "stack": _in_dtype("stack"),
    "where": _where,
}

# For functions that the library doesn't have itself.
COMPOSED: dict[str, Callable[..., Any]] = {
    "compress": _compress,
    "extract": _compress,
    "iscomplexobj": lambda x: x.dtype.kind == "c",
    "isrealobj": lambda x: x.dtype.kind != "c",
    "lib.stride_tricks.sliding_window_view": _sliding_window_view,
}
