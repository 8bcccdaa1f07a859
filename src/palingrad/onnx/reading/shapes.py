"""Operators that rearrange elements."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from ...graph.registry import ops
from .elementwise import bounded
from .table import Call, reads


@reads("Reshape")
def reshape(n: Call, x: Any, shape: Any = None) -> Any:
    """The elements in another shape; 0 keeps a size."""
    sizes = n.option("shape", shape, 5) or []
    if not n.attr("allowzero", 0):
        if any(size == 0 and place >= len(x.shape) for place, size in enumerate(sizes)):
            raise n.refuse(f"shape {sizes} keeps an axis that x of shape {x.shape} lacks")
        sizes = [x.shape[place] if size == 0 else size for place, size in enumerate(sizes)]
    if -1 in sizes and 0 in x.shape:
        rest = math.prod(size for size in sizes if size != -1)
        sizes[sizes.index(-1)] = 0 if not rest else math.prod(x.shape) // rest
    return ops.reshape(x, tuple(sizes))


@reads("Flatten")
def flatten(n: Call, x: Any) -> Any:
    """A matrix."""
    axis = int(n.attr("axis", 1))
    axis = axis + len(x.shape) if axis < 0 else axis
    return ops.reshape(x, (math.prod(x.shape[:axis]), math.prod(x.shape[axis:])))


@reads("Transpose")
def transpose(n: Call, x: Any) -> Any:
    """The axes in another order."""
    order = n.attr("perm")
    axes = range(len(x.shape) - 1, -1, -1) if order is None else order
    return ops.permute_dims(x, tuple(map(int, axes)))


@reads("Squeeze")
def squeeze(n: Call, x: Any, axes: Any = None) -> Any:
    """Without axes of size 1."""
    given = n.option("axes", axes, 13)
    if given is None:
        given = [place for place, size in enumerate(x.shape) if size == 1]
    return ops.squeeze(x, axis=tuple(given)) if given else x


@reads("Unsqueeze")
def unsqueeze(n: Call, x: Any, axes: Any = None) -> Any:
    """With new axes of size 1, counted in the result."""
    given = n.option("axes", axes, 13) or []
    count = len(x.shape) + len(given)
    places = {axis % count for axis in given}
    if len(places) < len(given):
        raise n.refuse(f"axes {given} name one axis twice")
    sizes = iter(x.shape)
    shape = tuple(1 if place in places else next(sizes) for place in range(count))
    return ops.reshape(x, shape)


@reads("Expand")
def expand(n: Call, x: Any, shape: Any) -> Any:
    """x broadcast with a shape, in both directions."""
    wanted = np.broadcast_shapes(tuple(x.shape), tuple(n.ints(shape, "the shape")))
    return ops.broadcast_to(x, bounded(n, wanted))


@reads("Concat")
def concat(n: Call, *xs: Any) -> Any:
    """The inputs joined along an axis."""
    return ops.concat(list(xs), axis=int(n.attr("axis", 1)))


@reads("Split")
def split(n: Call, x: Any, sizes: Any = None) -> Any:
    """Pieces along an axis."""
    axis = int(n.attr("axis", 0)) % len(x.shape)
    parts = n.option("split", sizes, 13)
    if parts is None:
        count = int(n.attr("num_outputs", len(n.outputs)))
        each = -(-x.shape[axis] // count)
        parts = [min(each, max(x.shape[axis] - each * k, 0)) for k in range(count)]
    if sum(parts) != x.shape[axis] or min(parts, default=0) < 0:
        raise n.refuse(f"sizes {parts} don't add up to {x.shape[axis]}")
    ends = np.cumsum([0, *parts]).tolist()
    lead = (slice(None),) * axis
    return tuple(x[(*lead, slice(a, b))] for a, b in pairwise(ends))


@reads("Slice")
def slices(n: Call, x: Any, starts: Any = None, ends: Any = None, axes: Any = None,
           steps: Any = None) -> Any:  # fmt: skip
    """Elements between bounds, which are clamped."""
    a, b = n.option("starts", starts, 10) or [], n.option("ends", ends, 10) or []
    places = n.option("axes", axes, 10)
    places = list(range(len(a))) if places is None else places
    strides = [1] * len(a) if steps is None else n.ints(steps, "steps")
    index = [slice(None)] * len(x.shape)
    for start, end, axis, step in zip(a, b, places, strides, strict=True):
        size = x.shape[axis]
        start = max(start + size, 0 if step > 0 else -1) if start < 0 else start
        end = max(end + size, -1) if end < 0 else end
        if step < 0:
            first = min(start, size - 1)
            count = len(range(first, end, step)) if first >= 0 else 0
            last = first + step * count
            index[axis] = slice(first, last if last >= 0 else None, step) if count else slice(0, 0)
        else:
            index[axis] = slice(start, max(end, 0), step)
    return x[tuple(index)]


@reads("Tile")
def tile(n: Call, x: Any, repeats: Any) -> Any:
    """x repeated along each axis."""
    counts = n.ints(repeats, "repeats")
    bounded(n, [a * b for a, b in zip(x.shape, counts, strict=True)])
    return ops.tile(x, tuple(counts))


@reads("Pad")
def pad(n: Call, x: Any, pads: Any = None, value: Any = None, axes: Any = None) -> Any:
    """x with elements before and after it; negative counts cut."""
    sides = n.option("pads", pads, 11) or []
    if n.opset < 11:
        value = np.asarray(n.attr("value", 0.0), x.dtype)
    places = list(range(len(x.shape))) if axes is None else n.ints(axes, "axes")
    count = len(places)
    widths = [(0, 0)] * len(x.shape)
    cut = [slice(None)] * len(x.shape)
    for number, axis in enumerate(places):
        low, high = sides[number], sides[count + number]
        widths[axis] = max(low, 0), max(high, 0)
        end = x.shape[axis] + min(high, 0)
        cut[axis] = slice(-min(low, 0), end)
    if any(one != slice(0, size) for one, size in zip(cut, x.shape, strict=True)):
        x = x[tuple(cut)]
    bounded(n, [size + a + b for size, (a, b) in zip(x.shape, widths, strict=True)])
    mode = n.attr("mode", "constant")
    if mode == "constant":
        padded = ops.pad(x, tuple(widths), constant_values=0)
        if value is None:
            return padded
        inside = np.pad(np.ones(x.shape, bool), widths)
        return ops.where(inside, padded, ops.reshape(value, ()))
    return ops.pad(x, tuple(widths), mode=mode)


@reads("DepthToSpace")
def depth_to_space(n: Call, x: Any) -> Any:
    """Channels become blocks of space."""
    b = int(n.attr("blocksize"))
    size, c, h, w = x.shape
    if n.attr("mode", "DCR") == "DCR":
        y = ops.permute_dims(ops.reshape(x, (size, b, b, c // b**2, h, w)), (0, 3, 4, 1, 5, 2))
    else:
        y = ops.permute_dims(ops.reshape(x, (size, c // b**2, b, b, h, w)), (0, 1, 4, 2, 5, 3))
    return ops.reshape(y, (size, c // b**2, h * b, w * b))


@reads("SpaceToDepth")
def space_to_depth(n: Call, x: Any) -> Any:
    """Blocks of space become channels."""
    b = int(n.attr("blocksize"))
    size, c, h, w = x.shape
    parts = ops.reshape(x, (size, c, h // b, b, w // b, b))
    order = (0, 1, 3, 5, 2, 4) if n.attr("mode", "DCR") == "CRD" else (0, 3, 5, 1, 2, 4)
    return ops.reshape(ops.permute_dims(parts, order), (size, c * b**2, h // b, w // b))


@reads("Trilu")
def trilu(n: Call, x: Any, k: Any = None) -> Any:
    """The upper or lower triangle of each matrix."""
    place = 0 if k is None else int(n.known(k, "k").reshape(-1)[0])
    rows, columns = (np.arange(size) for size in x.shape[-2:])
    d = columns[None, :] - rows[:, None]
    kept = d >= place if n.attr("upper", 1) else d <= place
    return ops.where(kept, x, ops.zeros_like(x))


@reads("ReverseSequence")
def reverse_sequence(n: Call, x: Any, lengths: Any) -> Any:
    """Each row of a batch reversed up to its own length."""
    time, batch = int(n.attr("time_axis", 0)), int(n.attr("batch_axis", 1))
    steps = np.arange(x.shape[time]).reshape([-1 if a == time else 1 for a in range(2)])
    ends = ops.reshape(lengths, tuple(-1 if a == batch else 1 for a in range(2)))
    place = ops.where(ops.less(steps, ends), ends - 1 - steps, steps)
    place = ops.reshape(place, (*place.shape, *(1,) * (len(x.shape) - 2)))
    return ops.take_along_axis(x, ops.broadcast_to(place, x.shape), axis=time)


@reads("Einsum")
def einsum(n: Call, *xs: Any) -> Any:
    """Einstein's sum."""
    return ops.einsum(n.attr("equation"), *xs)
