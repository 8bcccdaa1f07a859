"""The batching rules of the kinds of operations.

In each, y is the operation on one example and `batch` holds its inputs for all of them. The axis of
the examples is the first of every result.
"""

from __future__ import annotations

from typing import Any

from ...shapes import axes_in, axis_in, broadcast, sizes
from ..registry import ops
from .batch import Batch, Rule, flat, is_identity, moved, split, with_axes


def elementwise(y: Any, batch: Batch) -> Any:
    """The examples broadcast as their elements do."""
    return y.applied(batch.aligned(len(y.shape)), y.attributes)


def reduction(y: Any, batch: Batch) -> Any:
    """The same axes, counted behind that of the examples. All axes of an example are one axis for
    a reduction whose result depends on their number, as that of argmax does."""
    shape = broadcast(*(x.shape for x in y.inputs))
    axis, keepdims = y.attributes["axis"], y.attributes["keepdims"]
    if axis is not None:
        axes = tuple(place + 1 for place in axes_in(axis, len(shape)))
        axis = axes if isinstance(axis, tuple) else axes[0]
        return y.applied(batch.aligned(len(shape)), {**y.attributes, "axis": axis})
    whole = (batch.size, *sizes(shape))
    xs = [ops.broadcast_to(x, whole) for x in batch.aligned(len(shape))]
    options = {**y.attributes, "axis": 1, "keepdims": False}
    result = y.applied([flat(x, len(shape)) for x in xs], options)
    return ops.reshape(result, (batch.size, *sizes(y.shape))) if keepdims else result


def along_axis(y: Any, batch: Batch) -> Any:
    """Operations along one axis, of inputs that broadcast."""
    ndim = max(len(x.shape) for x in y.inputs)
    axis = axis_in(y.attributes["axis"], ndim) + 1
    return y.applied(batch.aligned(ndim), {**y.attributes, "axis": axis})


def along_axes(y: Any, batch: Batch) -> Any:
    """Operations along an axis, several or, for None, all."""
    ndim = max(len(x.shape) for x in y.inputs)
    axis = y.attributes["axis"]
    axes = tuple(place + 1 for place in axes_in(axis, ndim))
    single = isinstance(axis, int)
    return y.applied(batch.aligned(ndim), {**y.attributes, "axis": axes[0] if single else axes})


def along_front(y: Any, batch: Batch) -> Any:
    """Operations along one axis, of inputs that don't broadcast."""
    axis = axis_in(y.attributes["axis"], len(y.inputs[0].shape)) + 1
    return y.applied(batch.fronts(), {**y.attributes, "axis": axis})


def shifted(*names: str) -> Rule:
    """The rule of operations on one input, of which these attributes are an axis, several or None,
    which must not depend on the number of axes."""

    def rule(y: Any, batch: Batch) -> Any:
        ndim = len(y.inputs[0].shape)

        def behind(axis: Any) -> Any:
            if isinstance(axis, (tuple, list)):
                return tuple(axis_in(one, ndim) + 1 for one in axis)
            return axis_in(axis, ndim) + 1

        options = {name: behind(y.attributes[name]) for name in names}
        return y.applied(batch.xs, {**y.attributes, **options})

    return rule


def as_it_is(y: Any, batch: Batch) -> Any:
    """Operations on leading axes, whose other inputs are the same for all examples."""
    return y.applied(batch.xs, y.attributes) if not any(batch.mapped[1:]) else None


def second_as_it_is(y: Any, batch: Batch) -> Any:
    """The same, of the second input."""
    return None if batch.mapped[0] else y.applied(batch.xs, y.attributes)


def merging(y: Any, batch: Batch) -> Any:
    """Operations on parts that the first axis of all inputs numbers."""
    merged = [batch.merged(number) for number in range(len(batch.xs))]
    return split(y, y.applied(merged, y.attributes), batch)


def matrices(y: Any, batch: Batch) -> Any:
    """Operations on matrices, the last two axes, which take any number of axes before them."""
    ndim = max(len(x.shape) for x in y.inputs)
    return y.applied([with_axes(x, ndim + 1) for x in batch.fronts()], y.attributes)


def solving(y: Any, batch: Batch) -> Any:
    """Solutions of linear systems with matrices in the first input and the last input as the right
    side: one vector if it has one axis. With one matrix for all examples, their right sides are
    columns beside each other, so that the matrix is factored once."""
    *_, right = batch.xs
    ndims = [len(x.shape) for x in y.inputs]
    vector = ndims[-1] == 1
    if not any(batch.mapped[:-1]) and max(ndims) <= 2:
        *_, n, k = sizes(right.shape) if not vector else (*sizes(right.shape), 1)
        columns = moved(ops.reshape(right, (batch.size, n, k)), 0, 1)  # (n, examples, k)
        found = y.applied([*batch.xs[:-1], ops.reshape(columns, (n, -1))], y.attributes)
        split_ = moved(ops.reshape(found, (n, batch.size, k)), 1, 0)
        return ops.reshape(split_, (batch.size, *sizes(y.shape)))
    *xs, right = batch.fronts()
    right = ops.expand_dims(right, axis=-1) if vector else right
    ndim = max(*ndims, 2) + 1
    xs = [
        with_axes(x, ndim - ndims[0] + len(of.shape)) for x, of in zip(xs, y.inputs, strict=False)
    ]
    xs.append(with_axes(right, ndim))
    result = y.applied(xs, y.attributes)
    return ops.reshape(result, (batch.size, *sizes(y.shape)))


def product(y: Any, batch: Batch) -> Any:
    """Matrix products. A vector is a row on the left and a column on the right. What multiplies one
    matrix by rows or columns of all examples is a product of two matrices, with these as rows; by
    unit vectors, it is the matrix."""
    (left, right), mapped = batch.xs, batch.mapped
    p, q = (len(x.shape) for x in y.inputs)
    shape = (batch.size, *sizes(y.shape))
    if not mapped[1] and q == 2 and 0 not in sizes(left.shape):
        if p == 1 and is_identity(left):
            return right
        k = sizes(left.shape)[-1]
        return ops.reshape(ops.reshape(left, (-1, k)) @ right, shape)
    if not mapped[0] and p == 2 and (q == 1 or sizes(right.shape)[-1] == 1):
        k = sizes(left.shape)[-1]
        turned = ops.matrix_transpose(left)
        if not is_identity(right):
            turned = ops.reshape(right, (batch.size, k)) @ turned  # (examples, k) @ (k, m)
        return ops.reshape(turned, shape)
    left = ops.expand_dims(left, axis=-2) if p == 1 else left
    right = ops.expand_dims(right, axis=-1) if q == 1 else right
    ndim = max(p, q, 2)
    left, right = (
        with_axes(x, ndim + 1) if of else x for x, of in zip((left, right), mapped, strict=True)
    )
    result = y.applied([left, right], y.attributes)
    return result if p > 1 < q else ops.reshape(result, shape)


def first(y: Any, batch: Batch) -> Any:
    """Operations that give their first input, whatever the others are."""
    return y.applied([batch.front(0), *batch.xs[1:]], y.attributes)


def first_aligned(y: Any, batch: Batch) -> Any:
    """Elementwise, with a result of the first input's shape."""
    first, *others = batch.front(0), *batch.aligned(len(y.shape))[1:]
    return y.applied([with_axes(first, len(y.shape) + 1), *others], y.attributes)
