"""What functions of indices need to know, and integers that must be in a range."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dtypes import Array, is_integer
from ...errors import DTypeError, GraphError, ShapeError
from ...graph.batching.rules import as_it_is
from ...graph.kinds import Index
from ...graph.node import Node
from ...graph.promotion import as_indices
from ...graph.samples import case
from ...shapes import sizes
from .parts import is_fixed


class InRange(Index):
    """y = x, integers of which each must be in 0 … size − 1. A run with others raises IndexError.

    Unlike indices of arrays, negative ones don't count from the end.
    """

    batched = as_it_is
    math = "{x}"
    promotes = False
    stays_finite = True
    samples = [case(np.array([0, 3, 1]), size=4)]

    def f(m, x, *, size):
        return m.in_range(x, size)

    def shape_rule(y, *shapes):
        if y.inputs[0].dtype is not None and not is_integer(y.inputs[0].dtype):
            raise DTypeError(f"numbers are {y.inputs[0].dtype}, expected integers",
                             hint="Write pg.cast(i, 'int64').")  # fmt: skip
        return shapes[0]

    def vjp(y, g, x):
        return [None]


def integers(name: str, x: Any) -> Node:
    """x as a node of integers, as which an empty list counts. Raises DTypeError for others."""
    node = as_indices(x)
    if node.dtype is not None and not is_integer(node.dtype):
        raise DTypeError(
            f"{name}: expected integers, got {node.dtype}", hint="Write pg.cast(i, 'int64')."
        )
    return node


def value_of(name: str, x: Node, hint: str) -> Array:
    """The value of a node on which the shape of a result depends.

    Raises GraphError if it isn't known before a run.
    """
    if not is_fixed(x):
        raise GraphError(
            f"{name}: the shape of the result depends on the elements of {x.label()}{x.built()}, "
            "which are known in a run only.",
            hint=hint,
        )
    return x._read()


def shape_of(name: str, x: Node) -> tuple[int, ...]:
    """The shape of a node. Raises ShapeError if it isn't known."""
    if x.shape is None or None in x.shape:
        raise ShapeError(f"{name}: the shape of {x.label()} isn't known yet{x.built()}",
                         hint="Give the placeholder a shape.")  # fmt: skip
    return sizes(x.shape)
