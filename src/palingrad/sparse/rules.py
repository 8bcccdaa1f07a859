"""On which elements of the input each element of a node depends, by the node's kind.

A rule takes a node, the set numbers of its inputs and the table of sets, and returns the set
numbers of its elements. It never misses a dependence: what it doesn't know it takes for a
dependence of every element on all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtypes import Array, is_inexact
from ..graph.kinds import (
    Contract,
    Control,
    Elementwise,
    Gather,
    Layout,
    Random,
    Reduce,
    Scan,
    ScatterAdd,
    ScatterUpdate,
    Transform,
    Window,
)
from ..graph.operation import MultipleOutputs, Operation
from ..maths.numpy import numpy_maths
from ..ops.order.sorting import Ordering
from ..shapes import axes_in, axis_in, sizes
from .index_sets import EMPTY, IndexSets
from .known import Known
from .windowed import windowed

Ids = Any  # an array of set numbers; for an operation with several outputs a tuple of them


def dependences(y: Operation, ids: Sequence[Ids], sets: IndexSets, known: Known) -> Ids:
    """The set numbers of y's elements, from those of its inputs."""
    if not isinstance(y, MultipleOutputs) and not is_inexact(y.dtype):
        return np.zeros(sizes(y.shape), np.int64)
    if isinstance(y, Elementwise):
        return _elementwise(y, ids, sets, known)
    if y._shipped:
        for kind, rule in _RULES:
            if isinstance(y, kind):
                found = rule(y, ids, sets, known)
                if found is not None:
                    return found
    return everything(y, ids, sets)


def everything(y: Operation, ids: Sequence[Ids], sets: IndexSets) -> Ids:
    """Every element of y depends on all that any element of an input depends on."""
    total = np.zeros((), np.int64)
    for one in ids:
        for part in one if isinstance(one, tuple) else (one,):
            total = sets.union(total, sets.union_along(part, tuple(range(part.ndim))))
    if not isinstance(y, MultipleOutputs):
        return np.broadcast_to(total, sizes(y.shape))
    return tuple(
        np.broadcast_to(total if is_inexact(dtype) else np.int64(EMPTY), sizes(shape))
        for shape, dtype in zip(y.shape, y.dtype)
    )


def _elementwise(y: Elementwise, ids: Sequence[Array], sets: IndexSets, known: Known) -> Array:
    """The union at each element, without inputs whose slope is known to be 0 there."""
    shape = sizes(y.shape)
    total = np.zeros(shape, np.int64)
    slopes = _slopes(y, ids)
    for one, slope in zip(ids, slopes):
        if one.any() and slope is not None:
            value = known(slope)
            if value is not None:
                one = np.where(np.broadcast_to(value == 0, shape), EMPTY, one)
            total = sets.union(total, np.broadcast_to(one, shape))
    return total


def _slopes(y: Elementwise, ids: Sequence[Array]) -> list[Any]:
    """∂y/∂x for each input: a number, a node, or None for zero; 1 where a class has another rule
    than `d`."""
    if type(y).d is Elementwise.d or type(y).vjp is not Elementwise.vjp:
        return [1] * len(ids)
    slopes = y._slopes(y.inputs)
    return [slope() if callable(slope) and one.any() else slope for slope, one in zip(slopes, ids)]


def _layout(y: Any, ids: Sequence[Array], sets: IndexSets, known: Known) -> Ids:
    """A layout of the set numbers: what it fills with zeros depends on nothing."""
    found = y.f(numpy_maths, *ids, **y.attributes)
    return tuple(found) if isinstance(y, MultipleOutputs) else found


def _reduce(y: Any, ids: Sequence[Array], sets: IndexSets, known: Known) -> Array:
    shape = sizes(y.space)
    total = np.zeros(shape, np.int64)
    for one in ids:
        total = sets.union(total, np.broadcast_to(one, shape))
    axes = axes_in(y.axis, len(shape))
    return sets.union_along(total, axes, keepdims=y.keepdims)


def _scan(y: Any, ids: Sequence[Array], sets: IndexSets, known: Known) -> Array:
    shape = sizes(y.shape)
    total = np.zeros(shape, np.int64)
    for one in ids:
        total = sets.union(total, np.broadcast_to(one, shape))
    return sets.running(total, axis_in(y.axis, len(shape)), reverse=y.reverse)


def _along_axis(y: Any, ids: Sequence[Array], sets: IndexSets, known: Known) -> Array:
    """An operation along one axis: each element depends on its whole line."""
    axis = axis_in(y.axis, ids[0].ndim)
    line = sets.union_along(ids[0], (axis,), keepdims=True)
    return np.broadcast_to(line, sizes(y.shape))


def _matmul(z: Any, ids: Sequence[Array], sets: IndexSets, known: Known) -> Array:
    """Row i of x and column j of y, without products by a known 0."""
    x, y = ids
    of_x = x[None, :] if x.ndim == 1 else x  # (…, m, k)
    of_y = y[:, None] if y.ndim == 1 else y  # (…, k, n)
    rows = _sums(of_x, known(z.inputs[1]), sets, first=True)
    columns = _sums(of_y, known(z.inputs[0]), sets, first=False)
    return sets.union(rows, columns).reshape(sizes(z.shape))


_SMALL = 1 << 24  # products of a matrix product that are looked at one by one


def _sums(ids: Array, other: Array | None, sets: IndexSets, *, first: bool) -> Array:
    """The unions along the inner axis of one operand, where the other isn't known to be 0."""
    inner = ids.ndim - 1 if first else ids.ndim - 2
    if other is not None and ids.any() and not other.all():
        if first:
            other = other[:, None] if other.ndim == 1 else other
            pairs = ids[..., :, :, None], other[..., None, :, :]  # (…, m, k, n)
        else:
            other = other[None, :] if other.ndim == 1 else other
            pairs = ids[..., None, :, :], other[..., :, :, None]
        if np.broadcast(*pairs).size <= _SMALL:
            used = np.where(pairs[1] != 0, pairs[0], EMPTY)
            return sets.union_along(used, (used.ndim - 2,))
    return sets.union_along(ids, (inner,), keepdims=True)


def _gather(y: Any, ids: Sequence[Array], sets: IndexSets, known: Known) -> Array | None:
    """The sets at known indices; at others, those of all elements along the indexed axes."""
    x, *_ = ids
    indices = [known(one) for one in y.inputs[1:]]
    if all(one is not None for one in indices):
        return y.f(numpy_maths, x, *indices, **y.attributes)
    first = axis_in(y.axis, x.ndim)
    axes = tuple(range(first, first + len(indices)))
    line = sets.union_along(x, axes)
    chosen = np.broadcast_shapes(*(sizes(one.shape) for one in y.inputs[1:]))
    return np.broadcast_to(np.expand_dims(line, _axes(first, len(chosen))), sizes(y.shape))


def _axes(first: int, count: int) -> tuple[int, ...]:
    return tuple(range(first, first + count))


def _scatter_add(y: Any, ids: Sequence[Array], sets: IndexSets, known: Known) -> Array | None:
    g, *_ = ids
    indices = [known(one) for one in y.inputs[1:]]
    shape = sizes(y.shape)
    if any(one is None for one in indices):
        axes = _axes(y.axis, len(sizes(y.inputs[1].shape)))
        return np.broadcast_to(np.expand_dims(sets.union_along(g, axes), y.axis), shape)
    targets = numpy_maths.take(_positions(shape), indices[0], axis=y.axis)
    return sets.scatter(g, targets, shape)


def _scatter_update(y: Any, ids: Sequence[Array], sets: IndexSets, known: Known) -> Array | None:
    x, values, *_ = ids
    indices = [known(one) for one in y.inputs[2:]]
    if any(one is None for one in indices):
        return None
    shape = sizes(y.shape)
    targets = numpy_maths.gather(_positions(shape), *indices, axis=y.axis)
    if y.how == "set":
        x = x.copy()
        x.reshape(-1)[targets.ravel()] = EMPTY
    return sets.union(x, sets.scatter(values, targets, shape))


def _positions(shape: tuple[int, ...]) -> Array:
    return np.arange(int(np.prod(shape))).reshape(shape)


def _random(y: Any, ids: Sequence[Array], sets: IndexSets, known: Known) -> Array:
    return everything(y, [], sets)


def _control(y: Any, ids: Sequence[Ids], sets: IndexSets, known: Known) -> Ids | None:
    """The first input's, for operations that pass its value on."""
    return None if isinstance(y, MultipleOutputs) or y.shape != y.inputs[0].shape else ids[0]


def _windowed(y: Any, ids: Sequence[Array], sets: IndexSets, known: Known) -> Array | None:
    return windowed(y, ids, sets)


Rule = Callable[[Any, Sequence[Ids], IndexSets, Known], "Ids | None"]
_RULES: list[tuple[type[Operation], Rule]] = [
    (Layout, _layout),
    (Reduce, _reduce),
    (Scan, _scan),
    (Contract, _matmul),
    (Gather, _gather),
    (ScatterAdd, _scatter_add),
    (ScatterUpdate, _scatter_update),
    (Transform, _along_axis),
    (Ordering, _along_axis),
    (Window, _windowed),
    (Random, _random),
    (Control, _control),
]
