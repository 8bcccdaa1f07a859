"""Selection between values, elementwise: where, maximum, minimum, clip."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dtypes import bool_
from ...errors import DTypeError
from ...graph.describe.notation import chosen
from ...graph.functions import binary
from ...graph.kinds import Elementwise
from ...graph.node import Node
from ...graph.promotion import align, as_node
from ...graph.registry import ops, register
from ...graph.samples import case, edge, kink
from ...messages.calls import explains, misfit

_APART = [
    case((3, 4), np.linspace(-3, 3, 4)),
    case((3, 1), np.array([2.5, -2.5])),
    case((0, 2), (2,)),
    edge(0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, inputs=2),
]


class Where(Elementwise):
    """z = x where the condition c holds, else y. ∂z/∂x = c, ∂z/∂y = ¬c."""

    math, onnx = r"\begin{cases}{x}&{c}\\{y}\end{cases}", "Where"
    stays_finite = True
    samples = [
        case(np.array([True, False, True]), (3,), (3,)),
        case(np.array([[True], [False]]), (3,), ()),
        case(np.array([True, False]), (3, 1), (2,)),
        case(np.array([True, False]), np.array([1.0, np.nan]), np.array([np.inf, 2.0])),
    ]

    def f(m, c, x, y):
        return m.where(c, x, y)

    def d(z, c, x, y):
        return [None, c, lambda: ~c]

    def notation(z, c, x, y):
        condition, *branches = z.inputs
        arrays = bool(condition.ndim and any(branch.ndim for branch in branches))
        return chosen(c, x, y, arrays=arrays)

    def align_inputs(self, inputs: tuple[Any, ...]) -> tuple[Node, ...]:
        condition = as_node(inputs[0])
        if condition.dtype is not None and condition.dtype != bool_:
            raise DTypeError(
                f"the condition is {condition.dtype}, expected bool", hint="Compare it: c != 0."
            )
        return (condition, *align(inputs[1:], promotes=True, floats=False))


class Maximum(Elementwise):
    """z = max(x, y), NaN if either is NaN. Where x = y, each gets half of the gradient."""

    math, onnx = r"\max({x}, {y})", "Max"
    commutes = stays_finite = True
    samples = [*_APART, kink([1.0, np.inf], [1.0, np.inf], slopes=[[0.5, 0.5], [0.5, 0.5]])]

    def f(m, x, y):
        return m.maximum(x, y)

    def d(z, x, y):
        return [lambda: _share(x > y, x, y), lambda: _share(y > x, x, y)]


class Minimum(Elementwise):
    """z = min(x, y), NaN if either is NaN. Where x = y, each gets half of the gradient."""

    math, onnx = r"\min({x}, {y})", "Min"
    commutes = stays_finite = True
    samples = [*_APART, kink([1.0, np.inf], [1.0, np.inf], slopes=[[0.5, 0.5], [0.5, 0.5]])]

    def f(m, x, y):
        return m.minimum(x, y)

    def d(z, x, y):
        return [lambda: _share(x < y, x, y), lambda: _share(y < x, x, y)]


_MISSING: Any = object()


def _share(wins, x, y):
    """1 where `wins` holds, ½ where x = y, which agrees with central differences."""
    return ops.where(x == y, 0.5, ops.cast(wins, x.dtype))


class Clip(Elementwise):
    """y = min(max(x, low), high). ∂y/∂x = 1 for low ≤ x ≤ high and low < high, else 0.

    Elsewhere the gradient flows to the bound that y equals, to `high` if both do.
    """

    math, onnx = r"\operatorname{clip}({x}, {l}, {h})", "Clip"
    stays_finite = True
    samples = [
        case((3, 4), np.asarray(-5.0), np.asarray(5.0)),
        case(np.array([-2.0, 0.3, 2.0]), np.asarray(-1.0), np.array([[1.0], [1.5]])),
        case(np.array([-2.0, np.nan, np.inf]), np.asarray(-1.0), np.asarray(1.0)),
        kink(
            [-1.0, 1.0, 0.0, 3.0, 1.5, -2.0, 2.0, 1.0],
            [-1.0, -1.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0],
            [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
            slopes=[
                [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
                [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0],
                [0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0],
            ],
        ),
    ]

    def f(m, x, low, high):
        return m.minimum(m.maximum(x, low), high)

    def d(y, x, low, high):
        return [
            lambda: (x >= low) & (x <= high) & (low < high),
            lambda: (x < low) & (low <= high),
            lambda: (x > high) | (low > high) | ((x == high) & (low == high)),
        ]


def _where(condition: Any, x: Any, y: Any, /, *, name: str | None = None) -> Node:
    """`where` of three arguments, as messages show it."""
    return Where(condition, x, y, name=name)


_where.__name__ = "where"


@register
@explains
def where(
    condition: Any = _MISSING, x: Any = _MISSING, y: Any = _MISSING, /, *more: Any,
    name: str | None = None, **unknown: Any,
) -> Any:  # fmt: skip
    """z = x where the condition, an array of booleans, holds, else y. All three broadcast.

    where(condition) alone gives the indices of the elements that hold, as `nonzero` does.
    """
    if more or unknown or condition is _MISSING or (y is _MISSING and x is not _MISSING):
        given = (*(part for part in (condition, x, y) if part is not _MISSING), *more)
        raise misfit(_where, given, unknown)
    if x is _MISSING:
        return ops.nonzero(condition)
    return Where(condition, x, y, name=name)


@register
@explains
def clip(
    x: Any, min: Any = None, max: Any = None, *more: Any, name: str | None = None, **unknown: Any
) -> Node:
    """y = minimum(maximum(x, min), max). Either bound may be None: no bound on that side."""
    if more or unknown:
        raise misfit(clip, (x, min, max, *more), unknown)
    if min is None and max is None:
        return ops.positive(x, name=name)
    if min is None:
        return ops.minimum(x, max, name=name)
    if max is None:
        return ops.maximum(x, min, name=name)
    return Clip(x, min, max, name=name)


maximum = register(binary(Maximum))
minimum = register(binary(Minimum))
