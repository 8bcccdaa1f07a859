"""Pooling: the maximum, sum or mean of each window, and the adjoints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import Array, lowest
from ...errors import ShapeError
from ...graph.batching.rules import merging
from ...graph.kinds import Composite, Window
from ...graph.node import Node
from ...graph.registry import ops, register
from ...graph.samples import case, kink, spread
from ...shapes import Shape, same, sizes, text
from ..reduction.axes import narrowed, widened
from .geometry import Padding, pads, places, several

_HALF: dict[str, Any] = dict(size=(2, 2), stride=(2, 2), padding=((0, 0), (0, 0)))
_OVERLAP: dict[str, Any] = dict(size=(3, 2), stride=(2, 1), padding=((1, 0), (0, 1)))
_LINE: dict[str, Any] = dict(size=(3,), stride=(2,), padding=((1, 1),))


def _scattered(shape: tuple[int, ...]) -> Array:
    """Distinct unsorted numbers in [0, 1), made without numpy.random, which is slow to import."""
    return (np.arange(math.prod(shape)) * 0.6180339887498949 % 1).reshape(shape)


class Pool(Window):
    """A reduction of each window of x (n, c, *space) to one number: y (n, c, *places)."""

    def shape_rule(self, *shapes: Shape) -> Shape:
        return _pooled(shapes[0], self.attributes)


def _pooled(x: Shape, a: Any) -> Shape:
    if len(x) != len(a["size"]) + 2:
        raise ShapeError(f"expected x (n, c, *space) with {len(a['size'])} sizes, got {text(x)}")
    ones = (1,) * len(a["size"])
    return (*x[:2], *map(places, x[2:], a["size"], a["stride"], a["padding"], ones))


def _flat_windows(m: Any, x: Any, size: Any, stride: Any, padding: Any, fill: Any) -> Any:
    """The windows of x with their elements on one last axis: (n, c, *places, taps)."""
    ones = (1,) * len(size)
    view = m.windows(m.padded(x, padding, fill), size, stride, ones)
    return m.reshape(view, (*view.shape[: -len(size)], math.prod(size)))


class MaxPool(Pool):
    """y = the largest element of each window; among ties the first element gets the gradient."""

    batched = merging
    math, onnx = r"\operatorname{maxpool}({x})", "MaxPool"
    stays_finite = True
    samples = [
        spread((2, 3, 4, 6), **_HALF),
        spread((1, 2, 5, 4), **_OVERLAP),
        spread((2, 2, 7), **_LINE),
        kink(np.ones((1, 1, 2, 2)), slopes=[[[[[1.0, 0.0], [0.0, 0.0]]]]], **_HALF),
    ]

    def f(m: Any, x, *, size, stride, padding):
        return m.max(_flat_windows(m, x, size, stride, padding, lowest(x.dtype)), axis=-1)

    def vjp(y, g, x):
        return [MaxPoolPlace(g, x, **y.attributes)]


class MaxPoolPlace(Window):
    """z = zeros of x's shape, with gᵢ added at the largest element of window i. Linear in g.

    The adjoint of max pooling.
    """

    batched = merging
    math = r"\operatorname{maxpool}^T({g}, {x})"
    floats = True
    samples = [
        case((2, 3, 2, 3), _scattered((2, 3, 4, 6)), **_HALF),
        case((1, 2, 2, 4), _scattered((1, 2, 5, 4)), **_OVERLAP),
    ]

    def f(m: Any, g, x, *, size, stride, padding):
        taps = _flat_windows(m, x, size, stride, padding, lowest(x.dtype))
        first = m.expand_dims(m.argmax(taps, axis=-1), -1)
        parts = m.where(first == m.arange(math.prod(size)), m.expand_dims(g, -1), 0)
        whole = m.reshape(m.cast(parts, g.dtype), (*g.shape, *size))
        return m.unwindowed(whole, x.shape[2:], stride, padding, (1,) * len(size))

    def shape_rule(z, *shapes):
        g, x = shapes
        _check_cotangent(g, _pooled(x, z.attributes))
        return x

    def vjp(z, h, g, x):
        return [MaxPoolSelect(h, x, **z.attributes), None]


class MaxPoolSelect(Window):
    """zᵢ = h at the largest element of window i of x, for h of x's shape. Linear in h."""

    batched = merging
    math = r"\operatorname{select}({h}, {x})"
    stays_finite = True
    floats = True
    samples = [
        case((2, 3, 4, 6), _scattered((2, 3, 4, 6)), **_HALF),
        case((1, 2, 5, 4), _scattered((1, 2, 5, 4)), **_OVERLAP),
    ]

    def f(m: Any, h, x, *, size, stride, padding):
        first = m.argmax(_flat_windows(m, x, size, stride, padding, lowest(x.dtype)), axis=-1)
        chosen = m.expand_dims(first, -1) == m.arange(math.prod(size))
        taps = m.where(chosen, _flat_windows(m, h, size, stride, padding, 0), 0)
        return m.sum(m.cast(taps, h.dtype), axis=-1)

    def shape_rule(z, *shapes):
        h, x = shapes
        _check_cotangent(h, x)
        return _pooled(x, z.attributes)

    def vjp(z, g, h, x):
        return [MaxPoolPlace(g, x, **z.attributes), None]


class SumPool(Pool):
    """y = the sum of each window, with zeros as padding."""

    batched = merging
    math = r"\operatorname{sumpool}({x})"
    floats = True
    linear = True
    samples = [
        case((2, 3, 4, 6), **_HALF),
        case((1, 2, 5, 4), **_OVERLAP),
        case((2, 2, 7), **_LINE),
    ]

    def simpler(y, *given: Node) -> Node | None:
        """A reduction, if each window is the whole image."""
        (x,) = given
        if not _is_whole(y, x):
            return None
        return ops.sum(x, axis=tuple(range(2, len(sizes(x.shape)))), keepdims=True)

    def f(m: Any, x, *, size, stride, padding):
        return m.sum(_flat_windows(m, x, size, stride, padding, 0), axis=-1)

    def vjp(y, g, x):
        return [SumPoolSpread(g, space=x.shape[2:], **y.attributes)]


class AveragePool(Composite):
    """y = the mean of each window, with zeros as padding, which count as elements."""

    complexes = False
    math, onnx = r"\operatorname{avgpool}({x})", "AveragePool"
    floats = True
    samples = [*SumPool.samples, case(np.full((1, 1, 4, 6), 3e4), **_HALF)]

    def shape_rule(y, *shapes):
        return _pooled(shapes[0], y.attributes)

    def expand(y, x):
        total: Any = SumPool(widened(x), **y.attributes)
        return narrowed(total / math.prod(y.attributes["size"]), x.dtype)


class SumPoolSpread(Window):
    """y = zeros, with each gᵢ added to all elements of window i: the adjoint of sum pooling."""

    batched = merging
    math = r"\operatorname{sumpool}^T({x})"
    floats = True
    linear = True
    samples = [
        case((2, 3, 2, 3), space=(4, 6), **_HALF),
        case((1, 2, 2, 4), space=(5, 4), **_OVERLAP),
        case((2, 2, 4), space=(7,), **_LINE),
    ]

    def simpler(y, *given: Node) -> Node | None:
        """g repeated, if each window is the whole image."""
        return ops.broadcast_to(given[0], y.shape) if _is_whole(y, y) else None

    def f(m: Any, g, *, space, size, stride, padding):
        column = m.reshape(g, (*g.shape, *(1,) * len(size)))
        parts = m.broadcast_to(column, (*g.shape, *size))
        return m.unwindowed(parts, space, stride, padding, (1,) * len(size))

    def shape_rule(y, *shapes):
        x = (*shapes[0][:2], *y.attributes["space"])
        _check_cotangent(shapes[0], _pooled(x, y.attributes))
        return x

    def vjp(y, h, g):
        options = {name: value for name, value in y.attributes.items() if name != "space"}
        return [SumPool(h, **options)]


def _is_whole(y: Any, x: Node) -> bool:
    """Whether each window is the whole image x."""
    return y.attributes["size"] == sizes(x.shape)[2:] and not any(map(any, y.attributes["padding"]))


def _check_cotangent(g: Shape, expected: Shape) -> None:
    if len(g) != len(expected) or not all(map(same, g, expected)):
        raise ShapeError(f"a cotangent of {text(g)} isn't {text(expected)}")


def _options(size: Any, stride: Any, padding: Padding) -> dict[str, Any]:
    sizes = several(size, len(size) if isinstance(size, (tuple, list)) else 2, "size")
    strides = sizes if stride is None else several(stride, len(sizes), "stride")
    around = pads(padding, sizes, strides, (1,) * len(sizes))
    if any(max(pair) >= k for pair, k in zip(around, sizes, strict=True)):
        raise ShapeError(f"with padding {padding!r}, windows of {sizes} hold padding only")
    return dict(size=sizes, stride=strides, padding=around)


@register
def max_pool(
    x: Any,
    size: int | Sequence[int] = 2,
    *,
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    name: str | None = None,
) -> Node:
    """y = the largest element of each window of x (n, c, *space): y (n, c, *places).

    size: an integer for two spatial axes, or one integer per spatial axis, as (k,) for one axis.
    stride: the step from window to window, by default the size. padding: as for `conv2d`.
    """
    return MaxPool(x, **_options(size, stride, padding), name=name)


@register
def average_pool(
    x: Any,
    size: int | Sequence[int] = 2,
    *,
    stride: int | Sequence[int] | None = None,
    padding: Padding = 0,
    name: str | None = None,
) -> Node:
    """y = the mean of each window of x (n, c, *space): y (n, c, *places).

    The zeros of the padding count as elements. The options are those of `max_pool`.
    """
    return AveragePool(x, **_options(size, stride, padding), name=name)
