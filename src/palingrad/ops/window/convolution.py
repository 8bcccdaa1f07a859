"""Convolution over any number of spatial axes, and its adjoints for the input and the weight.

The derivatives of each of the three operations are the other two. The kernel isn't flipped, as is
usual in deep learning: the operation is a cross-correlation.
"""

from __future__ import annotations

import math
from typing import Any

from ...errors import ShapeError
from ...graph.kinds import Window
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import register
from ...graph.samples import case
from ...shapes import Dim, Shape, same, text
from . import batching
from .geometry import Padding, pads, places, several

_PLAIN: dict[str, Any] = dict(stride=(1, 1), padding=((0, 0), (0, 0)), dilation=(1, 1), groups=1)
_RICH: dict[str, Any] = dict(stride=(2, 1), padding=((1, 0), (2, 1)), dilation=(1, 2), groups=2)
_LINE: dict[str, Any] = dict(stride=(2,), padding=((1, 1),), dilation=(1,), groups=1)


def _columns(m: Any, x: Any, size: Any, stride: Any, padding: Any, dilation: Any, groups: int):
    """The windows of x (n, c, *space) as (groups, n·places, c/groups·taps), and the places.

    `places` are the positions of the window on each spatial axis, `taps` the elements per window.
    """
    ndim = len(size)
    view = m.windows(m.padded(x, padding), size, stride, dilation)  # (n, c, *places, *size)
    n, c, space = view.shape[0], view.shape[1], view.shape[2 : 2 + ndim]
    split = m.reshape(view, (n, groups, c // groups, *space, *size))
    order = (1, 0, *range(3, 3 + ndim), 2, *range(3 + ndim, 3 + 2 * ndim))
    rows = m.transpose(split, order)  # (groups, n, *places, c/groups, *size)
    shape = (groups, n * math.prod(space), c // groups * math.prod(size))
    return m.reshape(rows, shape), space


def _by_group(m: Any, y: Any, groups: int) -> Any:
    """y (n, o, *places) as (groups, n·places, o/groups)."""
    n, o, space = y.shape[0], y.shape[1], y.shape[2:]
    split = m.reshape(y, (n, groups, o // groups, math.prod(space)))
    rows = m.transpose(split, (1, 0, 3, 2))  # (groups, n, places, o/groups)
    return m.reshape(rows, (groups, n * math.prod(space), o // groups))


class Convolution(Window):
    """y = x ∗ w: yₙₒₚ = Σ_c,ₖ w_ock·x_n,c,p·stride+k·dilation, with x padded with zeros.

    x (n, c, *space) and w (o, c/groups, *size) give y (n, o, *places).
    """

    batched = batching.convolution
    math, symbol, onnx = r"{x} * {y}", "*", "Conv"
    drawn = ""  # drawings show the name instead of a symbol
    samples = [
        case((2, 3, 5, 4), (4, 3, 3, 2), **_PLAIN),
        case((2, 4, 6, 5), (4, 2, 3, 2), **_RICH),
        case((2, 3, 7), (2, 3, 3), **_LINE),
        case((0, 3, 5, 4), (4, 3, 3, 2), **_PLAIN),
    ]

    def f(m, x, w, *, stride, padding, dilation, groups):
        o, size = w.shape[0], w.shape[2:]
        rows, space = _columns(m, x, size, stride, padding, dilation, groups)
        taps = m.reshape(w, (groups, o // groups, rows.shape[2]))
        y = m.matmul(rows, m.swapaxes(taps, 1, 2))  # (groups, n·places, o/groups)
        split = m.reshape(y, (groups, x.shape[0], math.prod(space), o // groups))
        return m.reshape(m.transpose(split, (1, 0, 3, 2)), (x.shape[0], o, *space))

    def shape_rule(y, *shapes):
        x, w = shapes
        _check(x, w, y.attributes["groups"])
        a = y.attributes
        space = map(places, x[2:], w[2:], a["stride"], a["padding"], a["dilation"])
        return (x[0], w[0], *space)

    def vjp(y, g, x, w):
        return [
            lambda: ConvolutionInput(g, w, space=x.shape[2:], **y.attributes),
            lambda: ConvolutionWeight(x, g, size=w.shape[2:], **y.attributes),
        ]


class ConvolutionInput(Window):
    """x = Σ w·g: the adjoint of a convolution in its input, also called transposed convolution.

    g (n, o, *places) and w (o, c/groups, *size) give x (n, c, *space).
    """

    batched = batching.of_input
    math, onnx = r"{x} *^T {y}", "ConvTranspose"
    samples = [
        case((2, 4, 3, 3), (4, 3, 3, 2), space=(5, 4), **_PLAIN),
        case((2, 4, 3, 6), (4, 2, 3, 2), space=(6, 5), **_RICH),
        case((2, 2, 4), (2, 3, 3), space=(7,), **_LINE),
    ]

    def f(m, g, w, *, space, stride, padding, dilation, groups):
        n, o, size = g.shape[0], g.shape[1], w.shape[2:]
        taps = m.reshape(w, (groups, o // groups, w.shape[1] * math.prod(size)))
        rows = m.matmul(_by_group(m, g, groups), taps)  # (groups, n·places, c/groups·taps)
        ndim = len(size)
        split = m.reshape(rows, (groups, n, *g.shape[2:], w.shape[1], *size))
        order = (1, 0, 2 + ndim, *range(2, 2 + ndim), *range(3 + ndim, 3 + 2 * ndim))
        parts = m.transpose(split, order)  # (n, groups, c/groups, *places, *size)
        whole = m.reshape(parts, (n, groups * w.shape[1], *g.shape[2:], *size))
        return m.unwindowed(whole, space, stride, padding, dilation)

    def shape_rule(y, *shapes):
        g, w = shapes
        a = y.attributes
        _check_places(g, w[0], a["space"], w[2:], a)
        return (g[0], None if w[1] is None else w[1] * a["groups"], *a["space"])

    def vjp(y, h, g, w):
        options = {name: value for name, value in y.attributes.items() if name != "space"}
        return [
            lambda: Convolution(h, w, **options),
            lambda: ConvolutionWeight(h, g, size=w.shape[2:], **options),
        ]


class ConvolutionWeight(Window):
    """w = Σ x·g: the adjoint of a convolution in its weight.

    x (n, c, *space) and g (n, o, *places) give w (o, c/groups, *size).
    """

    batched = batching.of_weight
    math = r"{x} *_w {y}"
    samples = [
        case((2, 3, 5, 4), (2, 4, 3, 3), size=(3, 2), **_PLAIN),
        case((2, 4, 6, 5), (2, 4, 3, 6), size=(3, 2), **_RICH),
        case((2, 3, 7), (2, 2, 4), size=(3,), **_LINE),
    ]

    def f(m, x, g, *, size, stride, padding, dilation, groups):
        rows, _ = _columns(m, x, size, stride, padding, dilation, groups)
        taps = m.matmul(m.swapaxes(_by_group(m, g, groups), 1, 2), rows)
        return m.reshape(taps, (g.shape[1], x.shape[1] // groups, *size))

    def shape_rule(y, *shapes):
        x, g = shapes
        a = y.attributes
        _check_places(g, g[1], x[2:], a["size"], a)
        return (g[1], None if x[1] is None else x[1] // a["groups"], *a["size"])

    def vjp(y, v, x, g):
        options = {name: value for name, value in y.attributes.items() if name != "size"}
        return [
            lambda: ConvolutionInput(g, v, space=x.shape[2:], **options),
            lambda: Convolution(x, v, **options),
        ]


def _check(x: Shape, w: Shape, groups: int) -> None:
    if len(x) != len(w) or len(x) < 3:
        raise ShapeError(
            f"expected x (n, c, *space) and w (o, c/groups, *size), got {text(x)} and {text(w)}"
        )
    channels: Dim = None if w[1] is None else w[1] * groups
    if not same(x[1], channels) or (w[0] is not None and w[0] % groups):
        raise ShapeError(
            f"x has {x[1]} channels and w {w[0]} × {w[1]} in {groups} groups, which don't fit",
            hint=_channels_hint(x, w, channels),
        )


def _channels_hint(x: Shape, w: Shape, channels: Dim) -> str:
    if channels is not None and x[-1] == channels:
        order = (0, len(x) - 1, *range(1, len(x) - 1))
        return f"The channels are axis 1: pg.permute_dims(x, {order})."
    return f"w needs {x[1]} channels for one group: shape ({w[0]}, {x[1]}, …)."


def _check_places(g: Shape, outputs: Dim, space: Any, size: Any, a: Any) -> None:
    axes = zip(space, size, a["stride"], a["padding"], a["dilation"])
    expected = [places(*axis) for axis in axes]
    fits = len(g) == len(expected) + 2 and same(g[1], outputs)
    if not fits or not all(map(same, g[2:], expected)):
        raise ShapeError(f"a cotangent of {text(g)} isn't (n, {outputs}, {text(expected)})")


def convolved(
    x: Any, w: Any, ndim: int, stride: Any, padding: Padding, dilation: Any, groups: int, name: Any
) -> Node:
    """x ∗ w over `ndim` spatial axes, with the options that users give."""
    weight = as_node(w)
    if weight.shape is None or None in weight.shape[2:] or weight.ndim != ndim + 2:
        raise ShapeError(
            f"conv{ndim}d: a weight has shape (outputs, inputs/groups, *size) with {ndim} sizes, "
            f"got {text(weight.shape)}"
        )
    strides = several(stride, ndim, "stride")
    dilations = several(dilation, ndim, "dilation")
    around = pads(padding, [k or 0 for k in weight.shape[2:]], strides, dilations)
    return Convolution(
        x, weight, stride=strides, padding=around, dilation=dilations,
        groups=several(groups, 1, "groups")[0], name=name,
    )  # fmt: skip


@register
def conv2d(
    x: Any,
    w: Any,
    *,
    stride: int | tuple[int, int] = 1,
    padding: Padding = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    name: str | None = None,
) -> Node:
    """y = x ∗ w: x (n, c, height, width), w (outputs, c/groups, kh, kw), y (n, outputs, …).

    yₙₒₚ = Σ w·x over channels and taps; the kernel isn't flipped. stride, dilation: one integer, or
    one per axis. padding: likewise, or (before, after) pairs, 'valid' (none) or 'same' (same size
    as x; for stride 1). groups: the channels are split into that many independent convolutions.
    """
    return convolved(x, w, 2, stride, padding, dilation, groups, name)


@register
def conv1d(
    x: Any,
    w: Any,
    *,
    stride: int = 1,
    padding: Padding = 0,
    dilation: int = 1,
    groups: int = 1,
    name: str | None = None,
) -> Node:
    """y = x ∗ w: x (n, c, length), w (outputs, c/groups, k), y (n, outputs, …).

    The options are those of `conv2d`.
    """
    return convolved(x, w, 1, stride, padding, dilation, groups, name)
