"""Axes moved to other places: moveaxis, rollaxis, swapaxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import ShapeError
from ...graph.batching.layouts import permuted
from ...graph.declared.strided import Strided
from ...graph.describe.notation import ATOM, POWER, Piece
from ...graph.functions import frozen
from ...graph.kinds import Layout
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import register
from ...graph.samples import case
from ...shapes import Shape, axes_in, axis_in


class Rearrange(Layout):
    """An operation that puts the axes of x into the order `order(ndim)`."""

    batched = permuted

    def order(self, ndim: int) -> tuple[int, ...]:
        """The axes of x in the order of y's axes, as indices ≥ 0."""
        raise NotImplementedError(f"{type(self).__name__} needs order(y, ndim)")

    def shape_rule(self, *shapes: Shape) -> Shape:
        return tuple(shapes[0][axis] for axis in self.order(len(shapes[0])))

    def view(y, x: Strided) -> Strided | None:
        return x.permuted(y.order(len(x.shape)))

    def structure(y, position, size, out):
        return "permutation"


class MoveAxis(Rearrange):
    """y = x with its axes `source` at the places `destination`; the others keep their order."""

    math = r"\operatorname{moveaxis}_{<source> \to <destination>}({x})"
    samples = [
        case((2, 3, 4), source=(0,), destination=(-1,)),
        case((2, 3, 4), source=(0, 2), destination=(1, 0)),
    ]

    def f(m, x, *, source, destination):
        return m.transpose(x, _moved(source, destination, len(x.shape)))

    def order(self, ndim: int) -> tuple[int, ...]:
        return _moved(self.attributes["source"], self.attributes["destination"], ndim)

    def vjp(y, g, x):
        return [MoveAxis(g, source=y.destination, destination=y.source)]


def _moved(source: Any, destination: Any, ndim: int) -> tuple[int, ...]:
    for axes in (source, destination):
        axes_in(axes, ndim)  # raises an error for an axis that is named twice
    taken = [axis_in(axis, ndim) for axis in source]
    places = [axis_in(axis, ndim) for axis in destination]
    order = [axis for axis in range(ndim) if axis not in taken]
    for place, axis in sorted(zip(places, taken, strict=True)):
        order.insert(place, axis)
    return tuple(order)


class SwapAxes(Rearrange):
    """y = x with two axes exchanged."""

    math = r"\operatorname{swapaxes}_{<axis1>, <axis2>}({x})"
    samples = [case((2, 3, 4), axis1=0, axis2=-1), case((2, 3), axis1=1, axis2=1)]

    def f(m, x, *, axis1, axis2):
        return m.swapaxes(x, axis1, axis2)

    def order(self, ndim: int) -> tuple[int, ...]:
        one, other = (axis_in(self.attributes[axis], ndim) for axis in ("axis1", "axis2"))
        order = list(range(ndim))
        order[one], order[other] = other, one
        return tuple(order)

    def vjp(y, g, x):
        return [SwapAxes(g, axis1=y.axis1, axis2=y.axis2)]

    def notation(y, x):
        if y.ndim == 2:
            return Piece(f"{x.within(ATOM)}^T", POWER) if y.order(2) == (1, 0) else x
        return super().notation(x)


@register
def moveaxis(
    x: Any,
    /,
    source: int | Sequence[int],
    destination: int | Sequence[int],
    *,
    name: str | None = None,
) -> Node:
    """y = x with its axes `source` at the places `destination`; the others keep their order."""
    taken, places = frozen(source), frozen(destination)
    taken = taken if isinstance(taken, tuple) else (taken,)
    places = places if isinstance(places, tuple) else (places,)
    if len(taken) != len(places):
        raise ShapeError(f"moveaxis: {len(taken)} axes for {len(places)} places",
                         hint="Give one destination for each source.")  # fmt: skip
    return MoveAxis(x, source=taken, destination=places, name=name)


@register
def swapaxes(x: Any, /, axis1: int, axis2: int, *, name: str | None = None) -> Node:
    """y = x with two axes exchanged."""
    return SwapAxes(x, axis1=frozen(axis1), axis2=frozen(axis2), name=name)


@register
def rollaxis(x: Any, /, axis: int, start: int = 0, *, name: str | None = None) -> Node:
    """y = x with one axis moved in front of the axis `start`. `moveaxis` is easier to read."""
    x = as_node(x)
    if x.ndim is None:
        raise ShapeError("rollaxis: the number of axes isn't known yet", hint="Write pg.moveaxis.")
    taken = axis_in(axis, x.ndim)
    place = axis_in(start + x.ndim if start < 0 else start, x.ndim + 1)
    return MoveAxis(x, source=(taken,), destination=(place - (taken < place),), name=name)
