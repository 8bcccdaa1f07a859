"""Convolution and correlation of two sequences."""

from __future__ import annotations

from typing import Any

from ...dtypes import is_complex
from ...errors import ShapeError
from ...graph.kinds import Composite, Window
from ...graph.node import Node
from ...graph.promotion import as_nodes
from ...graph.registry import ops, register
from ...graph.samples import case, complex_case
from ...messages.checks import one_of
from ...shapes import Dim, Shape, sizes, text
from ..reduction.axes import narrowed, widened
from .several_axes import convolved

_MODES = ("full", "same", "valid")


class Convolve1D(Window):
    """zₙ = Σᵢ xᵢ·yₙ₋ᵢ of two vectors: for all n, or for 'valid' where all of y meets elements of x.

    The derivatives are convolutions with a reversed factor, of the other mode for x.
    """

    math, symbol = "{x} * {y}", "*"
    drawn = ""  # drawings show the name instead of a symbol
    complexes = True
    samples = [
        complex_case((3,), (2,), mode="full"),
        case((4,), (2,), mode="full"),
        case((2,), (3,), mode="full"),
        case((5,), (3,), mode="valid"),
    ]

    def f(m, x, y, *, mode):
        return m.convolve(x, y, mode)

    def shape_rule(z, *shapes):
        x, y = shapes
        if len(x) != 1 or len(y) != 1 or 0 in (x[0], y[0]):
            raise ShapeError(f"expected two vectors with elements, got {text(x)} and {text(y)}",
                             hint="For images see pg.conv2d.")  # fmt: skip
        if x[0] is None or y[0] is None:
            return (None,)
        if z.attributes["mode"] == "full":
            return (x[0] + y[0] - 1,)
        if x[0] < y[0]:
            raise ShapeError(f"y {text(y)} is longer than x {text(x)}", hint="Exchange them.")
        return (x[0] - y[0] + 1,)

    def batched(z, batch):
        """Pairs of vectors are channels in groups of their own; complex ones go one by one."""
        if is_complex(z.dtype):
            return None
        x, y = batch.fronts()
        width = sizes(z.inputs[1].shape)[0] - 1 if z.mode == "full" else 0
        taps = ops.expand_dims(ops.flip(y, axis=1), axis=1)  # (examples, 1, k)
        options: dict[str, Any] = dict(padding=width, groups=batch.size)
        return ops.squeeze(ops.conv1d(ops.expand_dims(x, axis=0), taps, **options), axis=0)

    def vjp(z, g, x, y):
        if z.mode == "full":
            return [
                lambda: Convolve1D(g, ops.flip(y), mode="valid"),
                lambda: Convolve1D(g, ops.flip(x), mode="valid"),
            ]
        return [
            lambda: Convolve1D(g, ops.flip(y), mode="full"),
            lambda: Convolve1D(ops.flip(x), g, mode="valid"),
        ]


class Convolve(Composite):
    """zₙ = Σᵢ xᵢ·yₙ₋ᵢ of two vectors, which are 0 beyond their ends.

    mode 'full' is all n, 'same' the middle of it, as long as the longer vector, and 'valid' where
    the vectors overlap fully.
    """

    math = "{x} * {y}"
    commutes = True
    samples = [
        case((4,), (2,), mode="full"),
        case((2,), (4,), mode="same"),
        case((2,), (4,), mode="valid"),
    ]

    def shape_rule(self, *shapes: Shape) -> Shape:
        return _shape(shapes, self.attributes["mode"])

    def expand(z, x: Any, y: Any):
        long, short = (x, y) if x.shape[0] >= y.shape[0] else (y, x)
        start = (short.shape[0] - 1) // 2
        return _in_mode(z.mode, long, short, long.shape[0], start)


class Correlate(Composite):
    """zₙ = Σᵢ xᵢ₊ₙ·ȳᵢ of two vectors, which are 0 beyond their ends.

    mode 'full' is all n, 'same' the middle of it, as long as the longer vector, and 'valid' where
    the vectors overlap fully.
    """

    math = r"{x} \star {y}"
    samples = [
        case((4,), (2,), mode="full"),
        case((2,), (4,), mode="same"),
        case((2,), (4,), mode="valid"),
    ]

    def shape_rule(self, *shapes: Shape) -> Shape:
        return _shape(shapes, self.attributes["mode"])

    def expand(z, x: Any, y: Any):
        y = ops.flip(ops.conj(y) if is_complex(y.dtype) else y)
        if x.shape[0] >= y.shape[0]:
            return _in_mode(z.mode, x, y, x.shape[0], (y.shape[0] - 1) // 2)
        return _in_mode(z.mode, y, x, y.shape[0], x.shape[0] // 2)


def _shape(shapes: Any, mode: str) -> Shape:
    x, y = shapes
    if len(x) != 1 or len(y) != 1 or 0 in (x[0], y[0]):
        raise ShapeError(f"expected two vectors with elements, got {text(x)} and {text(y)}",
                         hint="For images see pg.conv2d.")  # fmt: skip
    n: Dim = x[0]
    k: Dim = y[0]
    if n is None or k is None:
        return (None,)
    return ({"full": n + k - 1, "same": max(n, k), "valid": abs(n - k) + 1}[mode],)


def _in_mode(mode: str, long: Any, short: Any, length: int, start: int) -> Any:
    """The convolution of two vectors; of 'same', the `length` elements from `start` on."""
    dtype, long, short = long.dtype, widened(long), widened(short)
    if mode == "valid":
        return narrowed(Convolve1D(long, short, mode="valid"), dtype)
    whole: Any = narrowed(Convolve1D(long, short, mode="full"), dtype)
    return whole if mode == "full" else whole[start : start + length]


@register
def convolve(
    x: Any,
    y: Any,
    /,
    mode: str = "full",
    *,
    axes: Any = None,
    dot_axes: Any = None,
    name: str | None = None,
) -> Node:
    """zₙ = Σᵢ xᵢ·yₙ₋ᵢ of two vectors, which are 0 beyond their ends.

    mode: 'full' gives all len(x) + len(y) − 1 elements, 'same' the middle max(len(x), len(y)),
    'valid' those where the vectors overlap fully.

    Arrays of several axes are convolved along all of them, as by SciPy; 'same' then gives x's
    shape. axes: pairs of lists, the axes of x and those of y along which they are convolved;
    dot_axes: likewise, those along which products are summed, as by `tensordot`. The other axes of
    x come first in z, then those of y, then the convolved ones. For images see `conv2d`.
    """
    mode = one_of("convolve: mode", mode, _MODES)
    x, y = as_nodes(x, y)
    several = x.ndim is not None and x.ndim == y.ndim and x.ndim > 1
    if axes is None and dot_axes is None and not several:
        return Convolve(x, y, mode=mode, name=name)
    return convolved(x, y, mode, axes, dot_axes, name)


@register
def correlate(x: Any, y: Any, /, mode: str = "valid", *, name: str | None = None) -> Node:
    """zₙ = Σᵢ xᵢ₊ₙ·ȳᵢ of two vectors, which are 0 beyond their ends: `convolve` with y reversed.

    mode: 'valid' gives the elements where the vectors overlap fully, 'same' and 'full' more, as for
    `convolve`.
    """
    return Correlate(x, y, mode=one_of("correlate: mode", mode, _MODES), name=name)
