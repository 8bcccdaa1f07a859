"""Convolution over three axes, and transposed convolution over one to three."""

from __future__ import annotations

from typing import Any

from ...errors import ShapeError
from ...graph.kinds import Composite
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import register
from ...graph.samples import case
from ...shapes import Dim, Shape, same, text
from .convolution import ConvolutionInput, convolved
from .geometry import Padding, pads, several

_OPTIONS: dict[str, Any] = dict(
    stride=(2, 1), padding=((1, 0), (0, 1)), dilation=(1, 2), groups=1, extra=(1, 0)
)
_LINE: dict[str, Any] = dict(stride=(2,), padding=((1, 1),), dilation=(1,), groups=2, extra=(0,))


class TransposedConvolution(Composite):
    """y = x ∗ᵀ w: the adjoint of a convolution with w, applied to x.

    x (n, inputs, *space) and w (inputs, outputs/groups, *size) give y (n, outputs, *larger), of
    (space − 1)·stride + (size − 1)·dilation + 1 − padding + `extra` elements on an axis.
    """

    complexes = False
    math, onnx = r"{x} *^T {w}", "ConvTranspose"
    samples = [
        case((1, 2, 2, 3), (2, 3, 2, 2), **_OPTIONS),
        case((2, 4, 3), (4, 1, 3), **_LINE),
    ]

    def shape_rule(self, *shapes: Shape) -> Shape:
        x, w = shapes
        a = self.attributes
        if len(x) != len(w) or len(x) != len(a["stride"]) + 2:
            raise ShapeError("expected x (n, inputs, *space) and w (inputs, outputs/groups, "
                             f"*size), got {text(x)} and {text(w)}")  # fmt: skip
        groups: int = a["groups"]
        if not same(x[1], w[0]) or (w[0] is not None and w[0] % groups):
            raise ShapeError(
                f"x has {x[1]} channels and w {w[0]} in {groups} groups, which don't fit",
                hint="The inputs are axis 0 of w, unlike in conv2d, and a multiple of the groups.",
            )
        space = map(_larger, x[2:], w[2:], a["stride"], a["padding"], a["dilation"], a["extra"])
        return (x[0], None if w[1] is None else w[1] * groups, *space)

    def expand(y, x, w):
        space = y.shape_rule(x.shape, w.shape)[2:]
        return ConvolutionInput(
            x, w, space=space, stride=y.stride, padding=y.padding, dilation=y.dilation,
            groups=y.groups,
        )  # fmt: skip


def _larger(length: Dim, k: Dim, s: int, pad: tuple[int, int], d: int, extra: int) -> Dim:
    """The number of elements from which a convolution makes `length`."""
    if length is None or k is None:
        return None
    size = max(length - 1, 0) * s + (k - 1) * d + 1 - sum(pad) + extra
    if size < 0:
        raise ShapeError(f"padding {pad} is more than the {size + sum(pad)} elements of an axis")
    if extra >= s:
        raise ShapeError(f"output_padding {extra} isn't less than the stride {s}",
                         hint="More zeros are added by pg.pad.")  # fmt: skip
    return size


def _transposed(
    x: Any, w: Any, ndim: int, stride: Any, padding: Padding, extra: Any, dilation: Any,
    groups: int, name: Any,
) -> Node:  # fmt: skip
    weight = as_node(w)
    if weight.shape is None or None in weight.shape[2:] or weight.ndim != ndim + 2:
        raise ShapeError(
            f"conv_transpose{ndim}d: a weight has shape (inputs, outputs/groups, *size) with "
            f"{ndim} sizes, got {text(weight.shape)}"
        )
    strides = several(stride, ndim, "stride")
    dilations = several(dilation, ndim, "dilation")
    around = pads(padding, [k or 0 for k in weight.shape[2:]], strides, dilations)
    return TransposedConvolution(
        x, weight, stride=strides, padding=around, dilation=dilations,
        groups=several(groups, 1, "groups")[0],
        extra=several(extra, ndim, "output_padding", least=0), name=name,
    )  # fmt: skip


@register
def conv_transpose1d(
    x: Any,
    w: Any,
    *,
    stride: int = 1,
    padding: Padding = 0,
    output_padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
    name: str | None = None,
) -> Node:
    """y = x ∗ᵀ w, the adjoint of `conv1d`: x (n, inputs, length), w (inputs, outputs/groups, k).

    The options are those of `conv_transpose2d`.
    """
    return _transposed(x, w, 1, stride, padding, output_padding, dilation, groups, name)


@register
def conv_transpose2d(
    x: Any,
    w: Any,
    *,
    stride: int | tuple[int, int] = 1,
    padding: Padding = 0,
    output_padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    name: str | None = None,
) -> Node:
    """y = x ∗ᵀ w, the adjoint of `conv2d`: x (n, inputs, h, w), w (inputs, outputs/groups, kh, kw).

    An axis of y has (size of x − 1)·stride + (k − 1)·dilation + 1 − padding + output_padding
    elements: padding is what the convolution pads y with, and output_padding, less than the stride,
    adds elements at the end, which the convolution skips.
    """
    return _transposed(x, w, 2, stride, padding, output_padding, dilation, groups, name)


@register
def conv_transpose3d(
    x: Any,
    w: Any,
    *,
    stride: int | tuple[int, int, int] = 1,
    padding: Padding = 0,
    output_padding: int | tuple[int, int, int] = 0,
    dilation: int | tuple[int, int, int] = 1,
    groups: int = 1,
    name: str | None = None,
) -> Node:
    """y = x ∗ᵀ w, the adjoint of `conv3d`. The options are those of `conv_transpose2d`."""
    return _transposed(x, w, 3, stride, padding, output_padding, dilation, groups, name)


@register
def conv3d(
    x: Any,
    w: Any,
    *,
    stride: int | tuple[int, int, int] = 1,
    padding: Padding = 0,
    dilation: int | tuple[int, int, int] = 1,
    groups: int = 1,
    name: str | None = None,
) -> Node:
    """y = x ∗ w: x (n, c, depth, height, width), w (outputs, c/groups, kd, kh, kw).

    The options are those of `conv2d`.
    """
    return convolved(x, w, 3, stride, padding, dilation, groups, name)
