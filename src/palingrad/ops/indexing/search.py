"""Where elements are: nonzero, searchsorted and their like. Their results are integers."""

from __future__ import annotations

from operator import index
from typing import Any, Literal

import numpy as np

from ...dtypes import bool_, int64
from ...errors import ArgumentError, ShapeError
from ...graph.batching.rules import as_it_is, second_as_it_is
from ...graph.kinds import Index
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.promotion import as_node, as_nodes
from ...graph.registry import ops, register
from ...graph.samples import case
from .known import shape_of, value_of

_SORTED = np.array([-1.0, 0.5, 0.5, 2.0])


class Searchsorted(Index):
    """y = the position in the sorted vector a before which v is inserted, for each v.

    a[y − 1] < v ≤ a[y] with side "left", a[y − 1] ≤ v < a[y] with "right".
    """

    batched = second_as_it_is
    math = r"\operatorname{searchsorted}({a}, {v})"
    stays_finite = True
    complexes = False  # have no order
    samples = [
        case(_SORTED, (2, 3), side="left"),
        case(_SORTED, np.array([0.5, 3.0, -2.0]), side="right"),
    ]

    def f(m, a, v, *, side):
        return m.searchsorted(a, v, side=side)

    def shape_rule(y, *shapes):
        if len(shapes[0]) != 1:
            raise ShapeError(f"a sorted vector has one axis, got {len(shapes[0])}")
        return shapes[1]

    def dtype_rule(y, *dtypes):
        return int64

    def vjp(y, g, a, v):
        return [None, None]


class Isin(Index):
    """y = whether an element of x is one of those of `elements`."""

    batched = as_it_is
    math = r"{x} \in {e}"
    stays_finite = True
    samples = [case(np.array([[1.0, 2], [3, 1]]), np.array([1.0, 3]))]

    def f(m, x, elements):
        return m.isin(x, elements)

    def shape_rule(y, *shapes):
        return shapes[0]

    def dtype_rule(y, *dtypes):
        return bool_

    def vjp(y, g, x, elements):
        return [None, None]


class NonzeroPositions(Index):
    """y = the positions of the first `size` elements that aren't 0, in row-major order, then −1."""

    math = r"\operatorname{nonzero}({x})"
    promotes = False
    stays_finite = True
    samples = [case(np.array([[0.0, 2], [3, 0]]), size=3), case(np.array([True, True]), size=1)]

    def f(m, x, *, size):
        return m.nonzero_positions(x, size)

    def shape_rule(y, *shapes):
        return (y.attributes["size"],)

    def dtype_rule(y, *dtypes):
        return int64

    def vjp(y, g, x):
        return [None]


@register
def nonzero(
    x: Any, /, *, size: int | None = None, fill_value: int = 0, name: str | None = None
) -> tuple[Node, ...]:
    """The indices of the elements that aren't 0, one array for each axis, in row-major order.

    In a function, where their number isn't known, `size` says how many are given: fewer than there
    are, or more, filled up with the index `fill_value`. Raises GraphError without it.
    """
    node = as_node(x)
    if node.ndim == 0:
        raise ShapeError("nonzero: a scalar has no axes", hint="Write pg.nonzero([x]).")
    if size is None:
        value = value_of("nonzero", node, "Write pg.nonzero(x, size=n), or pg.where(x != 0, …).")
        return tuple(Constant(one) for one in np.nonzero(value))
    shape = shape_of("nonzero", node)
    flat = NonzeroPositions(node, size=_count("nonzero", size), name=name)
    missing = flat < 0
    return tuple(
        ops.where(missing, fill_value, one)
        for one in ops.unravel_index(ops.maximum(flat, 0), tuple(max(one, 1) for one in shape))
    )


@register
def flatnonzero(
    x: Any, /, *, size: int | None = None, fill_value: int = 0, name: str | None = None
) -> Node:
    """The positions, in row-major order, of the elements that aren't 0; `size` as in `nonzero`."""
    flat = ops.reshape(x, (-1,))
    return nonzero(flat, size=size, fill_value=fill_value, name=name)[0]


@register
def argwhere(
    x: Any, /, *, size: int | None = None, fill_value: int = 0, name: str | None = None
) -> Node:
    """The indices of the elements that aren't 0, one row for each; `size` as in `nonzero`."""
    node = as_node(x)
    if node.ndim == 0:
        count = value_of("argwhere", node, "Write pg.argwhere([x], size=n).").astype(bool).sum()
        return Constant(np.zeros((int(count), 0), np.int64), name=name)
    return ops.stack(nonzero(node, size=size, fill_value=fill_value), axis=1, name=name)


def _count(name: str, size: Any) -> int:
    if isinstance(size, bool) or index(size) < 0:
        raise ArgumentError(f"{name}: size is a number of elements, got {size!r:.40}")
    return index(size)


@register
def searchsorted(
    a: Any, v: Any, /, side: Literal["left", "right"] = "left", sorter: Any = None, *,
    name: str | None = None,
) -> Node:  # fmt: skip
    """The positions in the sorted vector `a` before which the elements of v keep it sorted.

    With side "left" a[y − 1] < v ≤ a[y], with "right" a[y − 1] ≤ v < a[y]. `sorter` are the indices
    that sort a, from `argsort`. The result has no derivative.
    """
    if side not in ("left", "right"):
        raise ArgumentError(f"searchsorted: side is 'left' or 'right', got {side!r:.40}")
    ordered = a if sorter is None else ops.take(a, sorter, axis=0)
    return Searchsorted(ordered, v, side=side, name=name)


@register
def digitize(x: Any, bins: Any, /, right: bool = False, *, name: str | None = None) -> Node:
    """The number of the bin of each x: bins[y − 1] ≤ x < bins[y], or < and ≤ if `right`.

    `bins` increase or decrease, which must be known when the graph is built.
    """
    x, edges = as_nodes(x, bins)
    side: Literal["left", "right"] = "left" if right else "right"
    value = value_of("digitize", edges, "For increasing bins: pg.searchsorted(bins, x, 'right').")
    if value.ndim != 1:
        raise ShapeError(f"digitize: bins are a vector, got {value.ndim} axes")
    steps = np.diff(value)
    if (steps >= 0).all():
        return searchsorted(edges, x, side, name=name)
    if not (steps <= 0).all():
        raise ArgumentError("digitize: bins must increase or decrease",
                            hint="Sort them: np.sort(bins).")  # fmt: skip
    return ops.subtract(len(value), searchsorted(edges[::-1], x, side), name=name)


@register
def isin(
    x: Any, elements: Any, /, *, assume_unique: bool = False, invert: bool = False,
    name: str | None = None,
) -> Node:  # fmt: skip
    """Whether each x is one of `elements`, or with `invert` none of them.

    `assume_unique` is accepted for NumPy's sake.
    """
    if not invert:
        return Isin(x, elements, name=name)
    return ops.logical_not(Isin(x, elements), name=name)
