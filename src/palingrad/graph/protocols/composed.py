"""Functions of NumPy that are made of the library's operations when they are called with nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ...errors import ArgumentError
from ...shapes import known, size
from ..registry import ops


def _clip(x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    low = min if a_min is None else a_min
    high = max if a_max is None else a_max
    return ops.clip(x, low, high)


def _where(condition: Any, *branches: Any) -> Any:
    return ops.where(condition, *branches) if branches else ops.nonzero(condition)


def _shape(x: Any) -> Any:
    return x.shape


def _ndim(x: Any) -> Any:
    return x.ndim


def _size(x: Any, axis: Any = None) -> Any:
    if x.shape is None or not known(x.shape):
        raise ArgumentError(f"np.size: {x.label()} has no known size{x.built()}.",
                            hint="pg.mean(x) and pg.sum(x) need none.")  # fmt: skip
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return size(tuple(x.shape[one] for one in axes))


def _copy(x: Any) -> Any:
    return ops.positive(x)


def _ravel(x: Any) -> Any:
    return ops.reshape(x, -1)


def _full_like(x: Any, value: Any, dtype: Any = None) -> Any:
    y = ops.broadcast_to(value, x.shape)
    return ops.cast(y, x.dtype if dtype is None else dtype)


def _take(x: Any, indices: Any, axis: Any = None, **options: Any) -> Any:
    if axis is None:
        x, axis = ops.reshape(x, -1), 0
    return ops.take(x, indices, axis=axis, **options)


def _split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """NumPy's split takes the places of the cuts, palingrad's the sizes of the pieces."""
    if isinstance(indices_or_sections, (int, np.integer)):
        return list(ops.split(x, int(indices_or_sections), axis=axis))
    length = x.shape[axis]
    cuts = [slice(None, length).indices(length)[1] if cut is None else
            min(max(int(cut) + (length if cut < 0 else 0), 0), length)
            for cut in indices_or_sections]  # fmt: skip
    ends = [0, *cuts, length]
    before = (slice(None),) * (axis % x.ndim)
    return [x[(*before, slice(a, max(a, b)))] for a, b in pairwise(ends)]


def _append(x: Any, values: Any, axis: Any = None) -> Any:
    if axis is not None:
        return ops.concat([x, values], axis=axis)
    return ops.concat([ops.reshape(x, -1), ops.reshape(values, -1)], axis=0)


def _at_least(least: int) -> Callable[..., Any]:
    def function(*arrays: Any) -> Any:
        results = [_with_axes(x, least) for x in arrays]
        return results[0] if len(results) == 1 else tuple(results)

    return function


def _with_axes(x: Any, least: int) -> Any:
    """x with at least this many axes, which NumPy adds in front, and a third one at the end."""
    shape = np.shape(x)
    if len(shape) >= least:
        return ops.positive(x)
    if least == 3 and shape:
        new = (1, *shape, 1) if len(shape) == 1 else (*shape, 1)
    else:
        new = (1,) * (least - len(shape)) + shape
    return ops.reshape(x, new)


def _joined(least: int, axis: int) -> Callable[..., Any]:
    """np.vstack and its like: the arrays with at least `least` axes, joined along `axis`."""

    def function(arrays: Sequence[Any], **options: Any) -> Any:
        parts = [_with_axes(x, least) for x in arrays]
        along = 0 if axis == 1 and parts and len(np.shape(parts[0])) == 1 else axis
        return ops.concat(parts, axis=along, **options)

    return function


def _column_stack(arrays: Sequence[Any]) -> Any:
    columns = [_with_axes(x, 2).T if np.ndim(x) < 2 else x for x in arrays]
    return ops.concat(columns, axis=1)


def _linspace(
    start: Any, stop: Any, num: int = 50, *, endpoint: bool = True, retstep: bool = False,
    dtype: Any = None, axis: int = 0,
) -> Any:  # fmt: skip
    """start·(1 − t) + stop·t, which is exact at both ends."""
    if retstep:
        raise ArgumentError("np.linspace of nodes returns no step.",
                            hint="It is (stop - start) / (num - 1).")  # fmt: skip
    rank = max(np.ndim(start), np.ndim(stop))
    t = np.linspace(0.0, 1.0, num, endpoint=endpoint).reshape((num,) + (1,) * rank)
    kind = next(x.dtype for x in (start, stop) if hasattr(x, "inputs"))
    t = t.astype(kind if kind is not None and kind.kind == "f" else np.float64)
    y = ops.add(ops.multiply(start, 1 - t), ops.multiply(stop, t))
    if axis != 0:
        axes = list(range(1, rank + 1))
        axes.insert(axis % (rank + 1), 0)
        y = ops.permute_dims(y, axes)
    return y if dtype is None else ops.cast(y, dtype)


def _polyval(p: Any, x: Any) -> Any:
    """Horner's scheme: p[0] is the coefficient of the highest power."""
    y = ops.zeros_like(x)
    for place in range(np.shape(p)[0]):
        y = ops.add(ops.multiply(y, x), p[place])
    return y


# NumPy's parameters differ from those of the library's function of the same name.
ADAPTED: dict[str, Callable[..., Any]] = {
    "clip": _clip,
    "copy": _copy,
    "linspace": _linspace,
    "ndim": _ndim,
    "ravel": _ravel,
    "shape": _shape,
    "size": _size,
    "split": _split,
    "take": _take,
    "where": _where,
}

# For functions that the library doesn't have itself.
COMPOSED: dict[str, Callable[..., Any]] = {
    "append": _append,
    "atleast_1d": _at_least(1),
    "atleast_2d": _at_least(2),
    "atleast_3d": _at_least(3),
    "column_stack": _column_stack,
    "dstack": _joined(3, 2),
    "full_like": _full_like,
    "hstack": _joined(1, 1),
    "polyval": _polyval,
    "vstack": _joined(2, 0),
}
