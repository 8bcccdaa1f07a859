"""Layer and batch normalisation: values standardised to mean 0 and variance 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import ShapeError
from ...graph.describe.axes import kept
from ...graph.describe.notation import (
    Piece,
    applied,
    attribute_text,
    operator,
    quotient,
    subtracted,
)
from ...graph.describe.template import below
from ...graph.functions import frozen
from ...graph.kinds import Composite
from ...graph.node import Node
from ...graph.registry import ops, register
from ...graph.samples import case
from ...shapes import Shape, axes_in
from .axes import narrowed, widened


class Standardize(Composite):
    """y = (x − mean)/√(var + ε), with mean and variance over `axis`.

    ∂L/∂x = (g − mean g − y·mean(g·y))/√(var + ε), g = ∂L/∂y.
    """

    math = r"\operatorname{standardize}({x})"
    floats = True
    samples = [
        case((3, 4), axis=(-1,), epsilon=1e-5),
        case((4, 4), axis=(0,), epsilon=1e-3),
        case((2, 3, 4, 2), axis=(0, 2, 3), epsilon=1e-5),
        case((0, 3), axis=(-1,), epsilon=1e-5),
        case((24,), low=-95, high=95, axis=(-1,), epsilon=1e-5),
    ]

    def shape_rule(self, *shapes: Shape) -> Shape:
        axes_in(self.attributes["axis"], len(shapes[0]))
        return shapes[0]

    def notation(y, x):
        centre, spread = (named_over(y, name, x) for name in ("mean", "var"))
        below = rf"\sqrt{{{spread.latex} + {attribute_text(y.epsilon)}}}"
        return quotient(subtracted(x, centre), Piece(below))

    def expand(y, x):
        wide = widened(x)
        centred = wide - ops.mean(wide, axis=y.axis, keepdims=True)
        return narrowed(centred / _deviation(y, wide), x.dtype)

    def vjp(y, g, x):
        g, wide = widened(g), widened(y)
        centred = g - ops.mean(g, axis=y.axis, keepdims=True)
        share = ops.mean(ops.scaled(g, wide), axis=y.axis, keepdims=True)
        rest = centred - ops.scaled(share, wide)
        return [narrowed(ops.scaled(rest, 1 / _deviation(y, widened(x))), x.dtype)]


def named_over(y: Any, name: str, x: Piece) -> Piece:
    """mean(x) or the like over the axes of y, which are kept: mean₁(x)_{[:, new]}."""
    ndim = y.inputs[0].ndim
    axes = "" if ndim == 1 else below(attribute_text(y.axis))
    return kept(applied(operator(name) + axes, [x]), y.axis, ndim)


def _deviation(y: Any, x: Any) -> Node:
    return ops.sqrt(ops.var(x, axis=y.axis, keepdims=True) + y.epsilon)


@register
def layer_norm(
    x: Any,
    scale: Any = None,
    offset: Any = None,
    *,
    axis: int | Sequence[int] = -1,
    epsilon: float = 1e-5,
    name: str | None = None,
) -> Node:
    """y = scale·(x − mean)/√(var + ε) + offset, with mean and variance over `axis`.

    By default the last axis: the features of each example (Ba et al. 2016). scale and offset
    broadcast against x; None leaves them out.
    """
    y: Any = Standardize(x, axis=_axes(axis), epsilon=float(epsilon), name=name)
    y = y if scale is None else y * scale
    return y if offset is None else y + offset


@register
def batch_norm(
    x: Any,
    scale: Any = None,
    offset: Any = None,
    *,
    axis: int | Sequence[int] = 0,
    epsilon: float = 1e-5,
    name: str | None = None,
) -> Node:
    """y = scale·(x − mean)/√(var + ε) + offset, with mean and variance over `axis`.

    By default the first axis: the examples of a batch (Ioffe & Szegedy 2015). For images
    (n, c, height, width) the axes are (0, 2, 3), and scale and offset have shape (c, 1, 1).
    """
    return layer_norm(x, scale, offset, axis=axis, epsilon=epsilon, name=name)


def _axes(axis: int | Sequence[int]) -> tuple[int, ...]:
    axes = frozen(axis)
    if axes is None or axes == ():
        raise ShapeError("a normalisation needs the axes to normalise over")
    return axes if isinstance(axes, tuple) else (axes,)
