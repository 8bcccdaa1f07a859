"""Elements chosen along an axis, or from several arrays."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index as as_int
from typing import Any, Literal

import numpy as np

from ...dtypes import as_dtype, default_dtype, is_boolean
from ...errors import ArgumentError, DTypeError, ShapeError
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.promotion import as_node, as_nodes
from ...graph.registry import ops, register
from ...shapes import axis_in
from .known import InRange, integers, shape_of

Mode = Literal["raise", "wrap", "clip"]


@register
def take_along_axis(
    x: Any, indices: Any, /, axis: int | None = -1, *, name: str | None = None
) -> Node:
    """y[…, i, …] = x[…, indices[…, i, …], …] along `axis`, as `argmax` and `argsort` give indices.

    x and the indices have as many axes, and broadcast but for `axis`. With axis None, x is
    flattened. PyTorch calls it gather, whose indices may be shorter.
    """
    source, where = _along("take_along_axis", x, indices, axis)
    return ops.at(source)[where].get(name=name)


@register
def put_along_axis(
    x: Any, indices: Any, values: Any, /, axis: int | None = -1, *, name: str | None = None
) -> Node:
    """y = x with y[…, indices[…, i, …], …] = values[…, i, …] along `axis`.

    The inverse of `take_along_axis`. NumPy's function writes to x instead.
    """
    source, where = _along("put_along_axis", x, indices, axis)
    y = ops.at(source)[where].set(values)
    return y if axis is not None else ops.reshape(y, shape_of("put_along_axis", as_node(x)))


def _along(name: str, x: Any, indices: Any, axis: int | None) -> tuple[Node, tuple[Any, ...]]:
    """x and the index of these elements of it."""
    source, chosen = as_node(x), integers(name, indices)
    if axis is None:
        source, axis = ops.reshape(source, (-1,)), 0
    shape = shape_of(name, source)
    place = axis_in(axis, len(shape))
    if chosen.ndim != len(shape):
        raise ShapeError(
            f"{name}: x has {len(shape)} axes and the indices have {chosen.ndim}",
            hint="pg.expand_dims(i, axis) inserts the axis that argmax removes, as keepdims=True "
            "keeps it.",
        )
    found: list[Any] = []
    for number, size in enumerate(shape):
        along = (1,) * number + (size,) + (1,) * (len(shape) - number - 1)
        found.append(chosen if number == place else np.arange(size).reshape(along))
    return source, tuple(found)


@register
def one_hot(
    x: Any, num_classes: int, /, *, axis: int = -1, dtype: Any = None, name: str | None = None
) -> Node:
    """y = 1 where the new axis's index is x, else 0. Integers outside 0 … num_classes − 1 raise."""
    count, labels = as_int(num_classes), integers("one_hot", x)
    wanted = default_dtype() if dtype is None else as_dtype(dtype)
    labels = ops.expand_dims(InRange(labels, size=count), axis=as_int(axis))
    if labels.ndim is None:
        raise ShapeError("one_hot: the number of axes of x isn't known yet")
    place = axis_in(axis, labels.ndim)
    classes = np.arange(count).reshape(-1, *(1,) * (labels.ndim - place - 1))
    return ops.cast(ops.equal(labels, Constant(classes)), wanted, name=name)


@register
def select(
    condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0, *,
    name: str | None = None,
) -> Node:  # fmt: skip
    """y = the choice of the first condition that is true, else `default`, element by element."""
    if len(condlist) != len(choicelist) or not condlist:
        raise ArgumentError(
            f"select: {len(condlist)} conditions for {len(choicelist)} choices",
            hint="One choice for each condition, at least one.",
        )
    result: Any = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        dtype = as_node(condition).dtype
        if dtype is not None and not is_boolean(dtype):
            raise DTypeError(f"select: a condition is {dtype}, expected bool",
                             hint="Compare it: c != 0.")  # fmt: skip
        result = ops.where(condition, choice, result)
    return result if name is None else ops.positive(result, name=name)


@register
def choose(x: Any, choices: Any, /, *, mode: Mode = "raise", name: str | None = None) -> Node:
    """y = choices[x] element by element, for integers x; the arrays of the choices broadcast.

    Integers out of range raise, or are taken modulo the number of choices ("wrap") or replaced by
    the nearest in range ("clip").
    """
    chosen = integers("choose", x)
    arrays = as_nodes(*(choices[at] for at in range(len(choices))))
    if not arrays:
        raise ArgumentError("choose: no choices", hint="Write pg.choose(i, [x, y]).")
    if mode not in ("raise", "wrap", "clip"):
        raise ArgumentError(f"choose: mode is 'raise', 'wrap' or 'clip', got {mode!r:.40}")
    if mode == "raise":
        chosen = InRange(chosen, size=len(arrays))
    elif mode == "wrap":
        chosen = ops.remainder(chosen, len(arrays))
    else:
        chosen = ops.clip(chosen, 0, len(arrays) - 1)
    result = as_node(arrays[-1])
    if len(arrays) == 1:
        result = ops.where(ops.equal(chosen, chosen), result, result)  # the common shape
    for number in reversed(range(len(arrays) - 1)):
        result = ops.where(ops.equal(chosen, number), arrays[number], result)
    return result if name is None else ops.positive(result, name=name)
