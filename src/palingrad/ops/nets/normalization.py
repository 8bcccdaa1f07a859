"""Normalisation of groups of channels, of single channels, by the root of the mean square."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import ShapeError
from ...graph.describe.notation import ATOM, POWER, Piece, attribute_text, quotient
from ...graph.functions import frozen
from ...graph.kinds import Composite
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops, register
from ...graph.samples import case
from ...messages.checks import whole, within
from ...shapes import Shape, axes_in, text
from ..reduction.axes import narrowed, widened
from ..reduction.norms import Standardize, named_over
from ..window.pooling import SumPool


class RmsNormalize(Composite):
    """y = x/√(mean x² + ε), with the mean over `axis` (Zhang & Sennrich 2019)."""

    math = r"\operatorname{rmsnormalize}({x})"
    floats = True
    complexes = False
    samples = [
        case((3, 4), axis=(-1,), epsilon=1e-5),
        case((2, 3, 2), axis=(0, 2), epsilon=1e-3),
        case((24,), low=-95, high=95, axis=(-1,), epsilon=1e-5),  # x² overflows in float16
    ]

    def shape_rule(self, *shapes: Shape) -> Shape:
        axes_in(self.attributes["axis"], len(shapes[0]))
        return shapes[0]

    def notation(y, x):
        square = named_over(y, "mean", Piece(f"{x.within(ATOM)}^2", POWER))
        return quotient(x, Piece(rf"\sqrt{{{square.latex} + {attribute_text(y.epsilon)}}}"))

    def expand(y, x):
        wide = widened(x)
        square = ops.mean(ops.square(wide), axis=y.axis, keepdims=True)
        return narrowed(wide / ops.sqrt(square + y.epsilon), x.dtype)


class GroupNormalize(Composite):
    """y = (x − mean)/√(var + ε) over each of `groups` groups of channels, axis 1, of each example.

    Wu & He 2018. `groups` None makes each channel a group.
    """

    complexes = False
    math = r"\operatorname{groupnorm}({x})"
    floats = True
    samples = [
        case((2, 4, 3), groups=2, epsilon=1e-5),
        case((2, 3, 2, 2), groups=None, epsilon=1e-3),
        case((2, 4), groups=1, epsilon=0.5),
    ]

    def shape_rule(self, *shapes: Shape) -> Shape:
        (x,) = shapes
        groups = self.attributes["groups"]
        if len(x) < 2:
            raise ShapeError(f"expected x (n, channels, …), got {text(x)}")
        if groups is not None and x[1] is not None and x[1] % groups:
            raise ShapeError(f"{x[1]} channels don't make {groups} equal groups",
                             hint="The number of groups divides the number of channels, axis 1.",
                             )  # fmt: skip
        return x

    def expand(y, x: Any):
        examples, channels = x.shape[:2]
        groups = channels if y.groups is None else y.groups
        each = channels // groups if groups else 0
        grouped = ops.reshape(x, (examples, groups, each, *x.shape[2:]))
        axes = tuple(range(2, grouped.ndim))
        return ops.reshape(Standardize(grouped, axis=axes, epsilon=y.epsilon), x.shape)


class LocalResponseNormalize(Composite):
    """y = x/(k + α·mean x²)^β, with the mean over `size` neighbouring channels, axis 1.

    Channels beyond the ends count as 0 (Krizhevsky et al. 2012, with α/size in place of α).
    """

    complexes = False
    math = r"\operatorname{lrn}({x})"
    floats = True
    samples = [
        case((2, 5, 2), size=3, alpha=0.5, beta=0.75, k=1.0),
        case((1, 4), size=2, alpha=0.1, beta=0.5, k=2.0),
    ]

    def shape_rule(self, *shapes: Shape) -> Shape:
        if len(shapes[0]) < 2:
            raise ShapeError(f"expected x (n, channels, …), got {text(shapes[0])}")
        return shapes[0]

    def expand(y, x: Any):
        examples, channels = x.shape[:2]
        wide = widened(x)
        rows = ops.reshape(ops.square(wide), (examples, 1, channels, -1))  # (n, 1, c, space)
        if 0 in x.shape:
            return x[...]
        around = ((y.attributes["size"] // 2, (y.attributes["size"] - 1) // 2), (0, 0))
        total = SumPool(rows, size=(y.attributes["size"], 1), stride=(1, 1), padding=around)
        mean = ops.reshape(total, x.shape) / y.attributes["size"]
        return narrowed(wide / ops.pow(y.k + y.alpha * mean, y.beta), x.dtype)


@register
def rms_norm(
    x: Any,
    scale: Any = None,
    *,
    axis: int | Sequence[int] = -1,
    epsilon: float = 1e-5,
    name: str | None = None,
) -> Node:
    """y = scale·x/√(mean x² + ε), with the mean over `axis` (Zhang & Sennrich 2019).

    scale broadcasts against x; None leaves it out.
    """
    axes = frozen(axis)
    if axes is None or axes == ():
        raise ShapeError("rms_norm: a normalisation needs the axes to normalise over",
                         hint="Write axis=-1.")  # fmt: skip
    axes = axes if isinstance(axes, tuple) else (axes,)
    epsilon = float(within("rms_norm: epsilon", epsilon, "[0, inf)", like=1e-5))
    y: Any = RmsNormalize(x, axis=axes, epsilon=epsilon, name=name)
    return y if scale is None else y * scale


@register
def group_norm(
    x: Any,
    groups: int,
    scale: Any = None,
    offset: Any = None,
    *,
    epsilon: float = 1e-5,
    name: str | None = None,
) -> Node:
    """y = scale·(x − mean)/√(var + ε) + offset for each group of channels of each example.

    x (n, channels, …): its channels, axis 1, make `groups` equal groups (Wu & He 2018). scale and
    offset have one number for each channel, (channels,); None leaves them out.
    """
    groups = whole("group_norm: groups", groups, least=1, like=2)
    return _normalized("group_norm", x, groups, scale, offset, epsilon, name)


@register
def instance_norm(
    x: Any,
    scale: Any = None,
    offset: Any = None,
    *,
    epsilon: float = 1e-5,
    name: str | None = None,
) -> Node:
    """y = scale·(x − mean)/√(var + ε) + offset for each channel of each example.

    x (n, channels, …): mean and variance are over the axes from 2 on (Ulyanov et al. 2016). scale
    and offset have one number for each channel, (channels,); None leaves them out.
    """
    return _normalized("instance_norm", x, None, scale, offset, epsilon, name)


def _normalized(
    function: str, x: Any, groups: int | None, scale: Any, offset: Any, epsilon: float, name: Any
) -> Node:
    epsilon = float(within(f"{function}: epsilon", epsilon, "[0, inf)", like=1e-5))
    y: Any = GroupNormalize(x, groups=groups, epsilon=epsilon, name=name)
    if scale is not None:
        y = y * _of_channels(function, scale, y)
    return y if offset is None else y + _of_channels(function, offset, y)


def _of_channels(function: str, numbers: Any, y: Node) -> Node:
    """One number for each channel, (channels,), as (channels, 1, …), which broadcasts to y."""
    numbers = as_node(numbers)
    if y.ndim is None:
        raise ShapeError(f"{function}: the number of axes of x isn't known yet",
                         hint="Give the placeholder a shape, such as (None, 3, None, None).",
                         )  # fmt: skip
    if numbers.ndim == 1:
        return ops.reshape(numbers, (-1, *(1,) * (y.ndim - 2)))
    return numbers


@register
def local_response_norm(
    x: Any,
    size: int = 5,
    *,
    alpha: float = 1e-4,
    beta: float = 0.75,
    k: float = 1.0,
    name: str | None = None,
) -> Node:
    """y = x/(k + alpha·mean x²)^beta, with the mean over `size` neighbouring channels, axis 1.

    Channels beyond the ends count as 0 (Krizhevsky et al. 2012).
    """
    options = dict(
        size=whole("local_response_norm: size", size, least=1, like=5),
        alpha=float(within("local_response_norm: alpha", alpha, "[0, inf)", like=1e-4)),
        beta=float(within("local_response_norm: beta", beta, "(-inf, inf)", like=0.75)),
        k=float(within("local_response_norm: k", k, "[0, inf)", like=1.0)),
    )
    return LocalResponseNormalize(x, name=name, **options)
