"""Operators that gather, scatter and order elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.registry import ops
from .elementwise import bounded
from .table import Call, in_dtype, reads


@reads("Gather")
def gather(n: Call, x: Any, indices: Any) -> Any:
    """Rows at indices along an axis."""
    return ops.take(x, indices, axis=int(n.attr("axis", 0)))


def _places(x: Any, indices: Any, axis: int) -> tuple[Any, ...]:
    """Indices of all axes: those of the elements, and along `axis` the given ones."""
    shape = tuple(indices.shape)
    grids = np.meshgrid(*(np.arange(size) for size in shape), indexing="ij") if shape else []
    return tuple(indices if place == axis else grid for place, grid in enumerate(grids))


@reads("GatherElements")
def gather_elements(n: Call, x: Any, indices: Any) -> Any:
    """Each element at an index of its own along an axis."""
    axis = int(n.attr("axis", 0)) % len(x.shape)
    return x[_places(x, indices, axis)]


@reads("ScatterElements", "Scatter")
def scatter_elements(n: Call, x: Any, indices: Any, updates: Any) -> Any:
    """x with elements written, or combined, at indices of their own along an axis."""
    axis = int(n.attr("axis", 0)) % len(x.shape)
    return _updated(n, x, _places(x, indices, axis), updates)


def _updated(n: Call, x: Any, index: Any, updates: Any) -> Any:
    how = n.attr("reduction", "none")
    place = ops.at(x)[index]
    names = {"none": "set", "add": "add", "mul": "multiply", "max": "max", "min": "min"}
    if how not in names:
        raise n.refuse(f"reduction={how!r:.20} is unknown")
    return getattr(place, names[how])(updates)


@reads("GatherND")
def gather_nd(n: Call, x: Any, indices: Any) -> Any:
    """Slices at tuples of indices, within each element of the batch."""
    lead = int(n.attr("batch_dims", 0))
    depth = indices.shape[-1]
    columns = [indices[..., place] for place in range(depth)]
    extra = len(columns[0].shape) - lead if columns else 0
    batch = [
        np.arange(x.shape[axis]).reshape([-1 if a == axis else 1 for a in range(lead)]
                                         + [1] * extra)
        for axis in range(lead)
    ]  # fmt: skip
    return x[(*batch, *columns)]


@reads("ScatterND")
def scatter_nd(n: Call, x: Any, indices: Any, updates: Any) -> Any:
    """x with slices written, or combined, at tuples of indices."""
    columns = tuple(indices[..., place] for place in range(indices.shape[-1]))
    return _updated(n, x, columns, updates)


@reads("OneHot")
def one_hot(n: Call, indices: Any, depth: Any, values: Any) -> Any:
    """values[1] where a new axis has the index, else values[0]."""
    (count,) = bounded(n, [int(n.known(depth, "depth").reshape(-1)[0])])
    axis = int(n.attr("axis", -1)) % (len(indices.shape) + 1)
    index = in_dtype(indices, np.int64)
    index = ops.where(ops.less(index, 0), index + count, index)
    numbers = np.arange(count).reshape([-1 if a == axis else 1
                                        for a in range(len(indices.shape) + 1)])  # fmt: skip
    return ops.where(ops.equal(ops.expand_dims(index, axis), numbers), values[1], values[0])


@reads("TopK")
def top_k(n: Call, x: Any, k: Any = None) -> Any:
    """The largest or smallest elements along an axis, and their indices."""
    given = n.option("k", k, 10) or [1]
    axis = int(n.attr("axis", -1)) % len(x.shape)
    order = ops.argsort(x, axis=axis, descending=bool(n.attr("largest", 1)))
    order = order[(*(slice(None),) * axis, slice(given[0]))]
    return ops.take_along_axis(x, order, axis=axis), order


@reads("NonZero")
def nonzero(n: Call, x: Any) -> Any:
    """The positions of elements that aren't 0, of an array that is known."""
    return np.array(np.nonzero(n.known(x, "which elements aren't 0")), np.int64)


@reads("Compress")
def compress(n: Call, x: Any, condition: Any) -> Any:
    """The rows where a known condition holds."""
    kept = np.flatnonzero(n.known(condition, "the condition"))
    axis = n.attr("axis")
    if axis is None:
        return ops.take(ops.reshape(x, (-1,)), kept, axis=0)
    return ops.take(x, kept, axis=int(axis))


@reads("Unique")
def unique(n: Call, x: Any) -> Any:
    """The different elements or rows of an array that is known."""
    array, axis = n.known(x, "which elements differ"), n.attr("axis")
    if axis is None:
        array, axis = array.reshape(-1), 0
    found, first, inverse, counts = np.unique(
        array, axis=int(axis), return_index=True, return_inverse=True, return_counts=True
    )
    inverse = inverse.reshape(-1)
    if not n.attr("sorted", 1):
        order = np.argsort(first)
        found = np.take(found, order, axis=int(axis))
        first, counts = first[order], counts[order]
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        inverse = rank[inverse]
    return found, first, inverse, counts
