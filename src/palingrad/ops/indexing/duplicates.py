"""Products over chains of equal integers, for the derivatives of updates of one element by many."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dtypes import int64
from ...errors import ShapeError
from ...graph.kinds import Index
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.registry import ops
from ...graph.samples import case
from ...shapes import text


class NextEqual(Index):
    """For each element of a vector the position of the next one that equals it, or the length."""

    math = r"\operatorname{next}({x})"
    promotes = False
    stays_finite = True
    samples = [case(np.array([3, 1, 3, 0, 1, 3])), case(np.zeros(0, np.int64))]

    def f(m, x):
        return m.next_equal(x)

    def shape_rule(y, *shapes):
        if len(shapes[0]) != 1:
            raise ShapeError(f"NextEqual: x must be a vector, not of shape {text(shapes[0])}.")
        return shapes[0]

    def dtype_rule(y, *dtypes):
        return int64

    def vjp(y, g, x):
        return [None]


def product_of_others(v: Node, elements: Node) -> Any:
    """For each value the product of all other values for the same element.

    That is the product of those before it times the product of those after it, each in log₂ n
    doubling steps, without division: it is also right if values are 0, in any order of derivative.
    """
    flat = ops.reshape(v, (-1,))
    after = _chained(flat, NextEqual(elements))
    before = _chained(flat[::-1], NextEqual(elements[::-1]))[::-1]
    return ops.reshape(before * after, v.shape)


def _chained(v: Any, following: Any) -> Any:
    """For each element of a vector the product of those that follow it in its chain."""
    count = v.shape[0]
    ones = ops.ones_like(v[:1])
    end = Constant(np.array([count]))
    product = ops.take(ops.concat([v, ones]), following, axis=0)
    step, following = 1, ops.concat([following, end])
    while step < count - 1:
        later = ops.take(ops.concat([product, ones]), following[:-1], axis=0)
        product, following = product * later, ops.take(following, following, axis=0)
        step *= 2
    return product
