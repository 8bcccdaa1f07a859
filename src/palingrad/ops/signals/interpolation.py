"""Piecewise linear interpolation of data points."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dtypes import is_complex
from ...errors import ArgumentError, ShapeError
from ...graph.batching.rules import as_it_is
from ...graph.describe.nonfinite import Reason
from ...graph.kinds import Composite, Index
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops, register
from ...graph.samples import case, kink
from ...messages.checks import within
from ...shapes import Shape, same, text
from ..reduction.axes import narrowed, widened

_X, _XP = np.array([[-0.5, 0.2, 1.7], [2.4, 1.1, 3.6]]), np.array([0.0, 1.0, 1.5, 3.0])


class Interval(Index):
    """i = the last index in 0 … n − 2 with knotsᵢ ≤ x, 0 if there is none. The knots ascend."""

    batched = as_it_is
    math = r"\operatorname{interval}({x}, {p})"
    samples = [case(_X, _XP), case(np.array(0.5), np.array([1.0]))]

    def f(m, x, knots):
        return m.interval(x, knots)

    def shape_rule(y, *shapes):
        return shapes[0]

    def dtype_rule(y, *dtypes):
        return np.dtype(np.int64)

    def vjp(y, g, x, knots):
        return [None, None]

    def nonfinite(y, value, *x):
        return Reason("an index isn't finite", "reporting it: it is an error of the library")

    def structure(y, position, size, out):
        return "zero"


class Interp(Composite):
    """y = the piecewise linear function through the points (xp, fp), at x.

    Left of the points it is fp₀, or `left`, and right of them fpₙ, or `right`. With a period, x and
    xp are taken modulo it. The slope at a point is that on its right; ∂y/∂fp are the two weights of
    the interpolation, and ∂y/∂xp is −slope times these.
    """

    complexes = False
    math = r"\operatorname{interp}({x}, {p}, {f})"
    floats = True
    samples = [
        case(_X, _XP, (4,), left=None, right=None, period=None),
        case(_X, _XP, (4,), left=-1.0, right=2.0, period=None),
        case(_X, np.array([0.1, 2.1, 1.2]), (3,), left=None, right=None, period=2.5),
        case((2,), (1,), (1,), left=None, right=None, period=None),
        kink([1.0, 3.0], _XP, [0.0, 2.0, 2.0, 5.0], left=None, right=None, period=None,
             slopes=[[0.0, 2.0], [0.0, 0.0, 0.0, -2.0], [0.0, 1.0, 0.0, 1.0]]),
    ]  # fmt: skip

    def shape_rule(self, *shapes: Shape) -> Shape:
        x, xp, fp = shapes
        if len(xp) != 1 or len(fp) != 1 or not same(xp[0], fp[0]) or 0 in (xp[0], fp[0]):
            raise ShapeError(
                f"xp {text(xp)} and fp {text(fp)} aren't vectors of one length",
                hint="Each point has one x and one value; interpolate rows one by one.",
            )
        return x

    def expand(y, x: Any, xp: Any, fp: Any):
        dtype, x, xp, fp = x.dtype, widened(x), widened(xp), widened(fp)
        if y.period is not None:
            x, xp = ops.remainder(x, y.period), ops.remainder(xp, y.period)
            order = ops.argsort(ops.stop_gradient(xp))
            xp, fp = ops.take(xp, order), ops.take(fp, order)
            xp = ops.concat([xp[-1:] - y.period, xp, xp[:1] + y.period])
            fp = ops.concat([fp[-1:], fp, fp[:1]])
        inside = _between(x, xp, fp) if xp.shape[0] > 1 else ops.broadcast_to(fp, x.shape or (1,))
        inside = inside if xp.shape[0] > 1 or x.shape else ops.reshape(inside, ())
        left = fp[0] if y.left is None else y.left
        right = fp[-1] if y.right is None else y.right
        result = ops.where(x < xp[0], left, ops.where(x > xp[-1], right, inside))
        if xp.shape[0] == 1:
            result = ops.where(ops.isnan(x), x, result)
        return narrowed(result, dtype)


def _between(x: Any, xp: Any, fp: Any) -> Any:
    """The line through the two points around x, computed from the nearer one."""
    index = Interval(x, xp)
    start, end = ops.take(xp, index), ops.take(xp, index + 1)
    first, last = ops.take(fp, index), ops.take(fp, index + 1)
    width = ops.where(end == start, 1, end - start)
    share, rest = (x - start) / width, (end - x) / width
    rise = last - first
    # At a point the product with an infinite rise is 0, not NaN.
    from_first = first + ops.absorbing_product(share, rise)
    from_last = last - ops.absorbing_product(rest, rise)
    near = ops.where(share <= 0.5, from_first, from_last)
    # Beside an infinite value one of the two is NaN, and both between two equal ones.
    far = ops.where(share <= 0.5, from_last, from_first)
    far = ops.where((first == last) & ~ops.isnan(x), first, far)
    return ops.where(ops.isnan(near), far, near)


@register
def interp(
    x: Any,
    xp: Any,
    fp: Any,
    /,
    left: complex | None = None,
    right: complex | None = None,
    period: float | None = None,
    *,
    name: str | None = None,
) -> Node:
    """y = the piecewise linear function through the points (xp, fp), at x, as in NumPy.

    xp, fp: vectors of one length; xp ascends unless there is a period, or ValueError is raised.
    left, right: the values beyond the points, by default fp[0] and fp[-1]. period: x and xp are
    taken modulo it, and left and right aren't used. Differentiable in x, xp and fp; at a point the
    slope in x is that on its right.
    """
    if period is not None:
        period = float(within("interp: period", abs(period), "(0, inf)", like=360))
    values = as_node(xp)._known()
    if values is not None and values.ndim == 1 and period is None:
        if not (values[1:] >= values[:-1]).all():
            raise ArgumentError(
                "interp: the points xp aren't in ascending order.",
                hint="Sort them: order = np.argsort(xp); pg.interp(x, xp[order], fp[order]).",
            )
    points = as_node(fp)
    if is_complex(points.dtype):
        pairs = [(None, None) if end is None else (complex(end).real, complex(end).imag)
                 for end in (left, right)]  # fmt: skip
        real, imag = (
            interp(x, xp, part(points), *ends, period=period)
            for part, ends in zip((ops.real, ops.imag), zip(*pairs), strict=True)
        )
        return ops.complex(real, imag, name=name)
    ends: list[Any] = [None if end is None else _number(end) for end in (left, right)]
    return Interp(x, xp, fp, left=ends[0], right=ends[1], period=period, name=name)


def _number(end: Any) -> float:
    if isinstance(end, Node):
        raise ArgumentError("interp: left and right are numbers, not nodes.",
                            hint="Write pg.where(x < xp[0], left, pg.interp(x, xp, fp)).",
                            )  # fmt: skip
    if end != end:  # NaN
        return end
    return float(within("interp: left and right", end, "[-inf, inf]", like=0.0))
