"""associative_scan: running totals by any associative function, in log n rounds of whole arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...errors import ArgumentError, ShapeError
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.regions.tracing import filled, nodes_of, same_structure
from ...graph.registry import ops, register
from ...messages.calls import called
from ...messages.checks import flag, shown
from ...shapes import axis_in, sizes, text


@register
def associative_scan(
    f: Callable[[Any, Any], Any], xs: Any, *, reverse: bool = False, axis: int = 0
) -> Any:
    """yᵢ = x₀ ⊕ x₁ ⊕ … ⊕ xᵢ along an axis, where a ⊕ b = f(a, b) is associative.

    f combines many pairs in one call: it gets parts of xs, of several rows, and works row by row.
    xs may be lists, tuples and dicts of arrays. With reverse yᵢ = xᵢ ⊕ … ⊕ xₙ, in this
    order; JAX has xₙ ⊕ … ⊕ xᵢ.

    Source: G. Blelloch, "Prefix sums and their applications", 1990.

    >>> import numpy as np
    >>> import palingrad as pg
    >>> pg.associative_scan(lambda a, b: a * b, np.array([1.0, 2.0, 3.0, 4.0])).numpy()
    array([ 1.,  2.,  6., 24.])
    """
    reverse = flag("associative_scan: reverse", reverse)
    nodes = [as_node(x) for x in nodes_of(xs)]
    lengths: set[int | None] = set()
    for x in nodes:
        if x.shape is None or None in x.shape:
            raise ShapeError(
                f"associative_scan: {x.label()} has shape {text(x.shape)}, of unknown sizes.",
                hint="Give the placeholder a shape: pg.placeholder((8, 3)).",
            )
        lengths.add(x.shape[axis_in(axis, len(x.shape))])
    if len(lengths) != 1:
        raise ShapeError(
            f"associative_scan: the arrays have sizes {lengths} along axis {axis}; one is needed."
        )
    rows = [ops.moveaxis(x, axis, 0) for x in nodes]
    rows = [ops.flip(x, axis=0) for x in rows] if reverse else rows

    def combine(a: list[Node], b: list[Node]) -> list[Node]:
        if reverse:
            a, b = b, a
        back = called(f, filled(xs, [_back(x, axis) for x in a]),
                      filled(xs, [_back(x, axis) for x in b]))  # fmt: skip
        if not same_structure(xs, back):
            raise ArgumentError(
                f"associative_scan: f returned {shown(back)}, not the structure of xs."
            )
        results = [ops.moveaxis(as_node(x), axis, 0) for x in nodes_of(back)]
        for x, y in zip(a, results, strict=True):
            if x.shape != y.shape or x.dtype != y.dtype:
                raise ShapeError(
                    f"associative_scan: f made {y.dtype} {text(y.shape)} of {x.dtype} "
                    f"{text(x.shape)}.",
                    hint="f works row by row, and keeps shapes and dtypes.",
                )
        return results

    totals = _totals(combine, rows)
    totals = [ops.flip(x, axis=0) for x in totals] if reverse else totals
    return filled(xs, [ops.moveaxis(x, 0, axis) for x in totals])


def _back(x: Node, axis: int) -> Node:
    return ops.moveaxis(x, 0, axis)


def _totals(
    combine: Callable[[list[Node], list[Node]], list[Node]], rows: list[Node]
) -> list[Node]:
    """Pairs are combined, their running totals found, and those of the even rows from these."""
    levels: list[list[Node]] = []
    while sizes(rows[0].shape)[0] > 1:
        levels.append(rows)
        rows = combine([x[0:-1:2] for x in rows], [x[1::2] for x in rows])
    totals = rows
    for rows in reversed(levels):
        count = sizes(rows[0].shape)[0]
        odd = totals  # of rows 1, 3, …
        if count > 2:
            before = odd if count % 2 else [x[:-1] for x in odd]
            later = combine(before, [x[2::2] for x in rows])
            even = [ops.concat([x[:1], y], axis=0) for x, y in zip(rows, later, strict=True)]
        else:
            even = [x[:1] for x in rows]
        totals = [_interleaved(x, y) for x, y in zip(even, odd, strict=True)]
    return totals


def _interleaved(even: Node, odd: Node) -> Node:
    """Rows of both in turn; `even` has as many as `odd`, or one more."""
    count, more = sizes(odd.shape)[0], sizes(even.shape)[0]
    rest = sizes(odd.shape)[1:]
    pairs = ops.reshape(ops.stack([even[:count], odd], axis=1), (2 * count, *rest))
    return pairs if more == count else ops.concat([pairs, even[count:]], axis=0)
