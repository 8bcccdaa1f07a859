"""Sums and counts by number: bincount, segments, histogram."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from ...dtypes import default_dtype, highest, is_complex, is_inexact, lowest
from ...errors import ArgumentError, ShapeError
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.promotion import as_node, refuse_complex
from ...graph.registry import ops, register
from ...shapes import sizes
from ..layout.take import TakeAdd
from .gather import ScatterND
from .known import InRange, integers, shape_of, value_of

_ASK = "Say how many there are: {}."


@register
def bincount(
    x: Any, /, weights: Any = None, minlength: int = 0, *, length: int | None = None,
    name: str | None = None,
) -> Node:  # fmt: skip
    """y[k] = how often k is in the vector x of integers ≥ 0, or the sum of the weights there.

    y has max(x) + 1 elements and at least `minlength`, or `length`, which a function needs because
    it doesn't know x. Derivatives flow to the weights.
    """
    numbers = integers("bincount", x)
    if numbers.ndim is not None and numbers.ndim != 1:
        raise ShapeError(f"bincount: x is a vector, got {numbers.ndim} axes",
                         hint="Write pg.reshape(x, -1).")  # fmt: skip
    count = _count("bincount", numbers, length, "pg.bincount(x, length=n)")
    if length is None:
        count = max(count, index(minlength))
    if weights is None:
        terms = ops.broadcast_to(Constant(np.int64(1)), shape_of("bincount", numbers))
    else:
        terms = as_node(weights)
        if not is_inexact(terms.dtype):
            terms = ops.cast(terms, default_dtype())
        if terms.shape is not None and numbers.shape is not None and terms.shape != numbers.shape:
            raise ShapeError(
                f"bincount: weights of shape {terms.shape} for numbers of {numbers.shape}"
            )
    return TakeAdd(terms, _checked(numbers, count), axis=0, size=count, name=name)


def _count(name: str, numbers: Node, length: int | None, call: str) -> int:
    """The length that is given, or one more than the largest number."""
    if length is not None:
        return index(length)
    value = value_of(name, numbers, _ASK.format(call))
    return int(value.max()) + 1 if value.size else 0


def _checked(numbers: Node, count: int) -> Node:
    return ops.cast(InRange(numbers, size=count), "int64")


@register
def segment_sum(
    x: Any, segment_ids: Any, /, num_segments: int | None = None, *, name: str | None = None
) -> Node:
    """y[k] = the sum of the rows of x whose segment is k, for k < num_segments.

    The segments, a vector of integers ≥ 0, needn't be sorted. Their number is max + 1 unless it is
    given, as it must be in a function.
    """
    rows, numbers, count = _segments("segment_sum", x, segment_ids, num_segments)
    return TakeAdd(rows, numbers, axis=0, size=count, name=name)


@register
def segment_mean(
    x: Any, segment_ids: Any, /, num_segments: int | None = None, *, name: str | None = None
) -> Node:
    """y[k] = the mean of the rows of x whose segment is k, NaN if there are none."""
    rows, numbers, count = _segments("segment_mean", x, segment_ids, num_segments)
    if not is_inexact(rows.dtype):
        rows = ops.cast(rows, default_dtype())
    ones = ops.broadcast_to(Constant.of(1, rows.dtype or default_dtype()), sizes(numbers.shape))
    counts = TakeAdd(ones, numbers, axis=0, size=count)
    for _ in range((rows.ndim or 0) - 1):
        counts = ops.expand_dims(counts, axis=-1)
    return ops.divide(TakeAdd(rows, numbers, axis=0, size=count), counts, name=name)


@register
def segment_max(
    x: Any, segment_ids: Any, /, num_segments: int | None = None, *, name: str | None = None
) -> Node:
    """y[k] = the largest of the rows of x whose segment is k, element by element; −∞, or the
    smallest integer, if there are none."""
    return _extreme("segment_max", x, segment_ids, num_segments, name)


@register
def segment_min(
    x: Any, segment_ids: Any, /, num_segments: int | None = None, *, name: str | None = None
) -> Node:
    """y[k] = the smallest of the rows of x whose segment is k, element by element; ∞, or the
    largest integer, if there are none."""
    return _extreme("segment_min", x, segment_ids, num_segments, name)


def _extreme(function: str, x: Any, ids: Any, count: int | None, name: str | None) -> Node:
    rows, numbers, count = _segments(function, x, ids, count)
    dtype = rows.dtype or default_dtype()
    if is_complex(dtype):
        refuse_complex(dtype, function)
    neutral = (lowest if function == "segment_max" else highest)(dtype)
    empty = ops.broadcast_to(Constant(np.array(neutral, dtype)), (count, *sizes(rows.shape)[1:]))
    how = "maximum" if function == "segment_max" else "minimum"
    return ScatterND(empty, rows, numbers, axis=0, named=(0,), how=how, name=name)


def _segments(name: str, x: Any, ids: Any, count: int | None) -> tuple[Node, Node, int]:
    """The rows, the segment of each, and the number of segments."""
    rows, numbers = as_node(x), integers(name, ids)
    shape, own = shape_of(name, rows), shape_of(name, numbers)
    if len(own) != 1 or shape[:1] != own:
        raise ShapeError(f"{name}: segments of shape {own} for rows of an array of {shape}",
                         hint="They are a vector, with a number for each row.")  # fmt: skip
    found = _count(name, numbers, count, f"pg.{name}(x, ids, num_segments=n)")
    return rows, _checked(numbers, found), found


@register
def histogram(
    x: Any, /, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None,
) -> tuple[Node, Node]:  # fmt: skip
    """How many elements of x are in each bin, or the sum of their weights, and the bins' edges.

    `bins` and `range` are those of `np.histogram`; x must have a value. Derivatives flow to the
    weights. With `density`, the histogram's integral is 1.
    """
    node = as_node(x)
    if is_complex(node.dtype):
        refuse_complex(node.dtype, "histogram")
    value = value_of("histogram", node, "Write pg.bincount(pg.digitize(x, bins), length=n).")
    if range is None and np.ndim(bins) == 0:
        _ = node.value  # the edges depend on x: refused where that would cut a derivative
    given = None if weights is None else as_node(weights)
    known = bins.numpy() if isinstance(bins, Node) else bins
    if isinstance(known, str) and given is not None:
        raise ArgumentError("histogram: bins by name don't take weights", hint="Write bins=10.")
    edges = np.histogram_bin_edges(value, known, range)
    flat = value.ravel()
    numbers = np.searchsorted(edges, flat, "right") - 1
    numbers[flat == edges[-1]] = len(edges) - 2
    inside = np.flatnonzero((numbers >= 0) & (flat <= edges[-1]))
    if given is not None and given.shape != value.shape:
        raise ShapeError(f"histogram: weights of shape {given.shape} for x of {value.shape}")
    terms = None if given is None else ops.take(given, inside)
    counts = bincount(Constant(numbers[inside]), terms, length=len(edges) - 1)
    if density:
        counts = ops.divide(counts, ops.multiply(np.diff(edges), ops.sum(counts)))
    return counts, Constant(edges)
