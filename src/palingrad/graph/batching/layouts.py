"""The batching rules of layout operations, which put the same elements elsewhere."""

from __future__ import annotations

from typing import Any

from ...shapes import axes_in, sizes
from ..registry import ops
from .batch import Batch, with_axes

_ALL = slice(None)


def to_shape(y: Any, batch: Batch) -> Any:
    """Operations that keep the order of the elements."""
    return ops.reshape(batch.xs[0], (batch.size, *sizes(y.shape)))


def to_broadcast(y: Any, batch: Batch) -> Any:
    """Elements repeated along axes of size 1 and axes before those of the example."""
    x = with_axes(batch.xs[0], len(y.shape) + 1)
    return ops.broadcast_to(x, (batch.size, *sizes(y.shape)))


def permuted(y: Any, batch: Batch) -> Any:
    """Axes in another order, which y gives as `order`."""
    order = y.order(len(y.inputs[0].shape))
    return ops.permute_dims(batch.xs[0], (0, *(axis + 1 for axis in order)))


def transposed(y: Any, batch: Batch) -> Any:
    """The last two axes exchanged."""
    return ops.matrix_transpose(batch.xs[0])


def at_index(y: Any, batch: Batch) -> Any:
    """Parts at a basic index, of arrays whose shape is that of an input or the attribute."""
    options = {**y.attributes, "index": (_ALL, *y.attributes["index"])}
    if "shape" in options:
        options["shape"] = (batch.size, *sizes(y.shape))
    return y.applied(batch.fronts(), options)


def reversed_axes(y: Any, batch: Batch) -> Any:
    """Elements in reverse order along axes; None stands for all axes of an example."""
    axes = axes_in(y.attributes["axis"], len(y.shape))
    return y.applied(batch.xs, {**y.attributes, "axis": tuple(axis + 1 for axis in axes)})
