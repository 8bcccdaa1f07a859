"""Functions of `m` that depend on shapes, on JAX's arrays: sums, products, indices, windows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from ....dtypes import float16, float32, int64
from ....shapes import sliced
from ..jaxlib import jnp, lax

# Matrix products of float32 are in float32 on every device, never in TF32 or bfloat16.
PRECISION = lax.Precision.HIGHEST


def _rounded_once(function: Callable[..., Any]) -> Callable[..., Any]:
    """The reduction, of half floats in float32."""

    def wrapped(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        x = jnp.asarray(x)
        if x.dtype == float16:
            return function(x.astype(float32), axis=axis, keepdims=keepdims).astype(float16)
        return function(x, axis=axis, keepdims=keepdims)

    return wrapped


def matmul(x: Any, y: Any) -> Any:
    """Σₖ x[…, i, k]·y[…, k, j]; of half floats in float32, rounded once."""
    x, y = jnp.asarray(x), jnp.asarray(y)
    if x.dtype == y.dtype == float16:
        return matmul(x.astype(float32), y.astype(float32)).astype(float16)
    return jnp.matmul(x, y, **_options(x))


def product(turned_x: bool, turned_y: bool, x: Any, y: Any) -> Any:
    """The matrix product of x or xᵀ and y or yᵀ, with equal leading axes."""
    if x.dtype == float16:
        return product(turned_x, turned_y, x.astype(float32), y.astype(float32)).astype(float16)
    last = x.ndim - 1
    summed = (last - 1 if turned_x else last,), (last if turned_y else last - 1,)
    batch = tuple(range(last - 1))
    return lax.dot_general(x, y, (summed, (batch, batch)), **_options(x))


def _options(x: Any) -> dict[str, Any]:
    """Of a matrix product: those of bfloat16 add in float32, and give it."""
    if x.dtype == jnp.bfloat16:
        return {"preferred_element_type": float32}
    return {"precision": PRECISION}


def rows(indices: Any, size: int) -> Any:
    """Integers that count from the end where they are negative, as int64 from 0 on."""
    found = jnp.asarray(indices).astype(int64)
    return jnp.where(found < 0, found + size, found)


def take(x: Any, indices: Any, axis: Any = None) -> Any:
    """The rows of x at the indices along an axis. Bounds are checked elsewhere (`checks.py`)."""
    return jnp.take(x, rows(indices, x.shape[axis]), axis=axis, mode="clip")


def take_add(g: Any, indices: Any, axis: int, size: int) -> Any:
    """Zeros with `size` rows on `axis`, plus the rows of g added at their indices."""
    count = indices.ndim
    moved = jnp.moveaxis(g, range(axis, axis + count), range(count))
    wide = float32 if g.dtype == float16 else g.dtype
    zeros = jnp.zeros((size, *moved.shape[count:]), wide)
    total = zeros.at[rows(indices, size)].add(moved.astype(wide), mode="drop")
    return jnp.moveaxis(total, 0, axis).astype(g.dtype)


def gather(x: Any, *indices: Any, axis: int) -> Any:
    """x at arrays of integers, one for each axis from `axis` on."""
    places = [rows(one, size) for one, size in zip(indices, x.shape[axis:], strict=False)]
    return x.at[(*(slice(None),) * axis, *places)].get(mode="clip")


def scatter(x: Any, values: Any, *indices: Any, axis: int, how: str) -> Any:
    """x, whose elements that `gather` reads are combined with the values, the last of several
    remains for "set"."""
    places = [rows(one, size) for one, size in zip(indices, x.shape[axis:], strict=False)]
    places = jnp.broadcast_arrays(*places)
    count = places[0].ndim
    moved = jnp.moveaxis(x, range(axis, axis + len(places)), range(len(places)))
    given = jnp.moveaxis(values, range(axis, axis + count), range(count))
    wide = float32 if x.dtype == float16 and how in ("add", "multiply") else x.dtype
    moved, given = moved.astype(wide), given.astype(wide)
    if how == "set":
        order = jnp.arange(places[0].size).reshape(places[0].shape)
        last = jnp.full(moved.shape[: len(places)], -1).at[tuple(places)].max(order, mode="drop")
        chosen = last.at[tuple(places)].get(mode="clip") == order
        places[0] = jnp.where(chosen, places[0], moved.shape[0])  # others fall out of the array
    name = {"minimum": "min", "maximum": "max"}.get(how, how)
    found = getattr(moved.at[tuple(places)], name)(given, mode="drop")
    return jnp.moveaxis(found, range(len(places)), range(axis, axis + len(places))).astype(x.dtype)


def slice_of(x: Any, index: Any) -> Any:
    """x[index] for a basic index."""
    return x[index]


def place(x: Any, shape: Sequence[int], index: Any) -> Any:
    """Zeros of `shape` with x at a basic index: x is turned, spread and padded."""
    index = index if isinstance(index, tuple) else (index,)
    named = sum(one is not None and one is not Ellipsis for one in index)
    at = index.index(Ellipsis) if Ellipsis in index else len(index)
    whole = (slice(None),) * (len(shape) - named)
    full = (*index[:at], *whole, *index[at + 1 :])
    if 0 in x.shape or 0 in sliced(tuple(shape), index):
        return jnp.zeros(shape, x.dtype)
    x = jnp.squeeze(x, tuple(axis for axis, one in enumerate(_seen(full)) if one is None))
    pads: list[tuple[int, int, int]] = []
    for axis, (one, size) in enumerate(
        zip([one for one in full if one is not None], shape, strict=True)
    ):
        if not isinstance(one, slice):
            x = jnp.expand_dims(x, axis)
            pads.append((int(one) % size, size - int(one) % size - 1, 0))
            continue
        places = range(*one.indices(size))
        if places.step < 0:
            x, places = jnp.flip(x, axis), places[::-1]
        pads.append((places[0], size - places[-1] - 1, places.step - 1 if len(places) > 1 else 0))
    return lax.pad(x, jnp.zeros((), x.dtype), pads)


def _seen(index: Sequence[Any]) -> list[Any]:
    """The parts of a basic index that have an axis in the result."""
    return [one for one in index if one is None or isinstance(one, slice)]


def padded(x: Any, padding: Any, value: Any = 0) -> Any:
    """x (n, c, *space) padded with `value` on its spatial axes."""
    edges = ((0, 0, 0), (0, 0, 0), *((low, high, 0) for low, high in padding))
    return lax.pad(x, jnp.asarray(value, x.dtype), edges)


def windows(x: Any, size: Any, stride: Any, dilation: Any) -> Any:
    """The windows of x (n, c, *space) as (n, c, *places, *size): a slice for each tap."""
    places = [
        (length - (k - 1) * d - 1) // s + 1
        for length, k, s, d in zip(x.shape[2:], size, stride, dilation, strict=True)
    ]
    found = [x[index] for index in taps(size, stride, dilation, places)]
    return jnp.stack(found, axis=-1).reshape(*x.shape[:2], *places, *size)


def unwindowed(parts: Any, space: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """The adjoint of `padded` followed by `windows`: each tap is spread, padded and added."""
    ndim = len(space)
    places, size = parts.shape[2 : 2 + ndim], parts.shape[2 + ndim :]
    extent = [length + low + high for length, (low, high) in zip(space, padding, strict=True)]
    shape = (*parts.shape[:2], *extent)
    total: Any = jnp.zeros(shape, parts.dtype)
    for tap in itertools.product(*map(range, size)):
        index = (slice(None), slice(None), *_strided(tap, dilation, stride, places))
        total = total + place(parts[(..., *tap)], shape, index)
    inner = (slice(low, low + length) for length, (low, _) in zip(space, padding, strict=True))
    return total[(..., *inner)]


def taps(size: Any, stride: Any, dilation: Any, places: Any) -> list[Any]:
    """For each tap its index: where it lies in all windows."""
    whole = (slice(None), slice(None))
    return [
        (*whole, *_strided(tap, dilation, stride, places))
        for tap in itertools.product(*map(range, size))
    ]


def _strided(tap: Any, dilation: Any, stride: Any, places: Any) -> list[slice]:
    """Where a tap of all windows lies."""
    return [
        slice(t * d, t * d + s * (count - 1) + 1, s)
        for t, d, s, count in zip(tap, dilation, stride, places, strict=True)
    ]


def arange(stop: int) -> Any:
    """The integers from 0 to `stop` − 1."""
    return jnp.arange(stop, dtype=int64)


ARRAY_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sum": _rounded_once(jnp.sum), "prod": _rounded_once(jnp.prod), "matmul": matmul,
    "take": take, "take_add": take_add, "gather": gather, "scatter": scatter,
    "slice_of": slice_of, "place": place, "padded": padded, "windows": windows,
    "unwindowed": unwindowed, "arange": arange,
}  # fmt: skip
