"""Dependences of operations with sliding windows: convolutions, pooling, and their adjoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import Array
from ..maths.numpy import numpy_maths
from ..ops.signals.convolve import Convolve1D
from ..ops.window.convolution import Convolution, ConvolutionInput, ConvolutionWeight
from ..ops.window.pooling import MaxPool, MaxPoolPlace, MaxPoolSelect, SumPool, SumPoolSpread
from ..shapes import sizes
from .index_sets import IndexSets


def windowed(y: Any, ids: Sequence[Array], sets: IndexSets) -> Array | None:
    """The set numbers of y's elements, None for an operation that isn't among these."""
    if isinstance(y, (MaxPool, SumPool, MaxPoolSelect)):
        view = _windows(ids[0], y.attributes["size"], y)
        return sets.union_along(view, tuple(range(ids[0].ndim, view.ndim)))
    if isinstance(y, (MaxPoolPlace, SumPoolSpread)):
        targets = _targets(sizes(y.shape), y.attributes["size"], y)
        g = ids[0].reshape(*ids[0].shape, *(1,) * len(y.attributes["size"]))
        return sets.scatter(g, targets, sizes(y.shape))
    if isinstance(y, Convolution):
        return _convolution(y, ids, sets)
    if isinstance(y, ConvolutionInput):
        return _convolution_input(y, ids, sets)
    if isinstance(y, ConvolutionWeight):
        return _convolution_weight(y, ids, sets)
    return _convolution_of_vectors(y, ids, sets) if isinstance(y, Convolve1D) else None


def _windows(x: Array, size: Any, y: Any) -> Array:
    """The windows of x, (n, c, *places, *size); 0, the empty set's number, pads it."""
    dilation = y.attributes.get("dilation", (1,) * len(size))
    return numpy_maths.windows(numpy_maths.padded(x, y.padding), size, y.stride, dilation)


def _targets(shape: tuple[int, ...], size: Any, y: Any) -> Array:
    """For each place and tap of the windows of such an array the flat index, −1 for padding."""
    positions = np.arange(1, int(np.prod(shape)) + 1).reshape(shape)
    return _windows(positions, size, y) - 1


def _by_group(x: Array, groups: int) -> Array:
    """x (n, c, …) as (n, groups, c/groups, …)."""
    return x.reshape(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:])


def _convolution(y: Any, ids: Sequence[Array], sets: IndexSets) -> Array:
    """All channels of the group and taps of the window of x, and the whole filter of w."""
    x, w = ids
    size, space = w.shape[2:], sizes(y.shape)[2:]
    view = _by_group(_windows(x, size, y), y.groups)  # (n, groups, c/groups, *places, *size)
    ndim = len(size)
    of_x = sets.union_along(view, (2, *range(3 + ndim, view.ndim)))  # (n, groups, *places)
    of_w = sets.union_along(w, tuple(range(1, w.ndim)))  # (o,)
    by_filter = np.repeat(of_x, w.shape[0] // y.groups, axis=1)  # (n, o, *places)
    return sets.union(by_filter, of_w.reshape(-1, *(1,) * len(space)))


def _convolution_input(y: Any, ids: Sequence[Array], sets: IndexSets) -> Array:
    """The places whose windows contain an element; all filters of the group at all taps."""
    g, w = ids
    size, shape = w.shape[2:], sizes(y.shape)
    targets = _by_group(_targets(shape, size, y), y.groups)
    of_g = sets.union_along(_by_group(g, y.groups), (2,), keepdims=True)
    of_g = of_g.reshape(*of_g.shape, *(1,) * len(size))
    total = sets.scatter(of_g, targets, shape)
    filters = w.reshape(y.groups, w.shape[0] // y.groups, *w.shape[1:])
    of_w = sets.union_along(filters, (1, *range(3, filters.ndim)))  # (groups, c/groups)
    return sets.union(total, of_w.reshape(-1, *(1,) * len(size)))


def _convolution_weight(y: Any, ids: Sequence[Array], sets: IndexSets) -> Array:
    """All images and places: those of x that the tap meets, and those of g for the filter."""
    x, g = ids
    ndim = len(y.attributes["size"])
    view = _windows(x, y.attributes["size"], y)  # (n, c, *places, *size)
    of_x = sets.union_along(view, (0, *range(2, 2 + ndim)))  # (c, *size)
    of_g = sets.union_along(g, (0, *range(2, g.ndim)))  # (o,)
    of_x = _by_group(of_x[None], y.groups)[0]  # (groups, c/groups, *size)
    by_filter = np.repeat(of_x, g.shape[1] // y.groups, axis=0)  # (o, c/groups, *size)
    return sets.union(by_filter, of_g.reshape(-1, 1, *(1,) * ndim))


def _convolution_of_vectors(z: Any, ids: Sequence[Array], sets: IndexSets) -> Array:
    """zₙ depends on the xᵢ and yⱼ with i + j = n; 'valid' shows the n where all of y takes part."""
    x, y = ids
    n = np.arange(x.size + y.size - 1)
    if z.mode == "valid":
        n = n[y.size - 1 : x.size]
    total = np.zeros(n.shape, np.int64)
    for one, other in ((x, y.size), (y, x.size)):
        places = n[:, None] - np.arange(other)  # (n, products)
        inside = (places >= 0) & (places < one.size)
        used = np.where(inside, one[np.where(inside, places, 0)], 0)
        total = sets.union(total, sets.union_along(used, (1,)))
    return total
