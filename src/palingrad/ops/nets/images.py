"""Images in other sizes: interpolation, and channels exchanged for resolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import ArgumentError, ShapeError
from ...graph.batching.rules import as_it_is
from ...graph.kinds import Composite, Layout
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops, register
from ...graph.samples import case
from ...messages.checks import flag, one_of, shown, whole, within
from ...shapes import Dim, Shape, sizes, text
from ..reduction.axes import narrowed, widened
from ..window.geometry import several

_LINEAR = ("linear", "bilinear", "trilinear")


class Interpolate(Composite):
    """y = x (n, c, *space) in another size: the nearest elements, or linear between neighbours.

    Element i of an axis lies at (i + ½)·s − ½ of x, s = size of x / size of y, and at
    i·(size of x − 1)/(size of y − 1) with `align_corners`. Nearest: ⌊i·s⌋. Linear in x.
    """

    math, onnx = r"\operatorname{interpolate}({x})", "Resize"
    floats = True
    linear = True
    samples = [
        case((1, 2, 3), size=(7,), scale=None, mode="linear", align_corners=False),
        case((1, 1, 3, 2), size=(2, 4), scale=None, mode="linear", align_corners=True),
        case((1, 1, 4, 2), size=None, scale=(1.5, 0.5), mode="nearest", align_corners=False),
    ]

    def shape_rule(self, *shapes: Shape) -> Shape:
        (x,) = shapes
        given = self.attributes["size"] or self.attributes["scale"]
        if len(x) != 2 + len(given):
            raise ShapeError(f"expected x (n, c, *space) with {len(given)} sizes, got {text(x)}")
        if self.attributes["size"] is not None:
            if 0 in x[2:] and 0 not in given:
                raise ShapeError(f"x {text(x)} has no elements to interpolate between")
            return (*x[:2], *given)
        return (*x[:2], *map(_scaled_size, x[2:], given))

    def expand(y, x: Any):
        wide = x if y.mode == "nearest" else widened(x)
        for axis, length in enumerate(sizes(y.shape_rule(x.shape))[2:], start=2):
            scale = None if y.scale is None else y.scale[axis - 2]
            wide = y._along(wide, axis, length, scale)
        return narrowed(wide, x.dtype)

    def _along(y, x: Any, axis: int, length: int, scale: float | None) -> Any:
        """x with another length on one axis."""
        size = x.shape[axis]
        step = size / max(length, 1) if scale is None else 1 / scale
        index = np.arange(length)
        if size == length and step == 1:
            return x[...]
        if size and length % size == 0 and step == size / length and not y.align_corners:
            factor = length // size
            if y.mode == "nearest":
                return ops.repeat(x, factor, axis=axis)
            return _enlarged(x, axis, factor)
        if y.mode == "nearest":
            rows = np.minimum(np.floor(index * step).astype(np.int64), size - 1)
            return ops.take(x, rows, axis=axis)
        if y.align_corners:
            places = index * ((size - 1) / (length - 1) if length > 1 else 0.0)
        else:
            places = np.maximum((index + 0.5) * step - 0.5, 0)
        low = np.minimum(places.astype(np.int64), size - 1)
        high = np.minimum(low + 1, size - 1)
        share = (places - low).astype(x.dtype).reshape(-1, *(1,) * (x.ndim - axis - 1))
        first = ops.take(x, low, axis=axis)
        return first * (1 - share) + ops.take(x, high, axis=axis) * share


def _enlarged(x: Any, axis: int, factor: int) -> Any:
    """Linear interpolation between elements, `factor` as many: for each place between two of them
    one array of slices, which are interleaved."""
    size, before = x.shape[axis], (slice(None),) * axis
    around = ops.pad(x, [(int(place == axis),) * 2 for place in range(x.ndim)], "edge")
    phases: list[Any] = []
    for phase in range(factor):
        place = (phase + 0.5) / factor + 0.5  # from the element before
        start, share = int(place), place % 1
        low, high = (around[(*before, slice(at, at + size))] for at in (start, start + 1))
        phases.append(low * (1 - share) + high * share if share else low)
    joined = ops.stack(phases, axis=axis + 1)  # (…, size, factor, …)
    return ops.reshape(joined, (*x.shape[:axis], size * factor, *x.shape[axis + 1 :]))


def _scaled_size(length: Dim, scale: float) -> Dim:
    return None if length is None else int(length * scale)


class PixelShuffle(Layout):
    """y (…, c, h·r, w·r) of x (…, c·r², h, w): r² channels become blocks of r × r.

    y[…, c, h·r + i, w·r + j] = x[…, c·r² + i·r + j, h, w] (Shi et al. 2016).
    """

    batched = as_it_is
    math = r"\operatorname{shuffle}({x})"
    samples = [case((1, 4, 2, 3), factor=2), case((9, 1, 2), factor=3)]

    def f(m, x, *, factor):
        *lead, c, h, w = x.shape
        split = m.reshape(x, (*lead, c // factor**2, factor, factor, h, w))
        n = len(lead)
        order = (*range(n + 1), n + 3, n + 1, n + 4, n + 2)  # (…, c, h, r, w, r)
        return m.reshape(m.transpose(split, order), (*lead, c // factor**2, h * factor, w * factor))

    def shape_rule(y, *shapes):
        factor = y.attributes["factor"]
        if len(shapes[0]) < 3:
            raise ShapeError(f"expected x (…, channels, height, width), got {text(shapes[0])}")
        *lead, c, h, w = shapes[0]
        if c is not None and c % factor**2:
            raise ShapeError(f"{c} channels aren't a multiple of {factor}² = {factor**2}")
        return (
            *lead,
            *(None if c is None else c // factor**2,),
            _times(h, factor),
            _times(w, factor),
        )

    def vjp(y, g, x):
        return [PixelUnshuffle(g, factor=y.factor)]

    def structure(y, position, size, out):
        return "permutation"


class PixelUnshuffle(Layout):
    """y (…, c·r², h, w) of x (…, c, h·r, w·r): blocks of r × r become r² channels."""

    batched = as_it_is
    math = r"\operatorname{unshuffle}({x})"
    samples = [case((1, 1, 4, 6), factor=2), case((1, 3, 6), factor=3)]

    def f(m, x, *, factor):
        *lead, c, h, w = x.shape
        split = m.reshape(x, (*lead, c, h // factor, factor, w // factor, factor))
        n = len(lead)
        order = (*range(n + 1), n + 2, n + 4, n + 1, n + 3)  # (…, c, r, r, h, w)
        shape = (*lead, c * factor**2, h // factor, w // factor)
        return m.reshape(m.transpose(split, order), shape)

    def shape_rule(y, *shapes):
        factor = y.attributes["factor"]
        if len(shapes[0]) < 3:
            raise ShapeError(f"expected x (…, channels, height, width), got {text(shapes[0])}")
        *lead, c, h, w = shapes[0]
        if any(length is not None and length % factor for length in (h, w)):
            raise ShapeError(f"an image of {h} × {w} isn't made of blocks of {factor} × {factor}")
        space = (None if length is None else length // factor for length in (h, w))
        return (*lead, _times(c, factor**2), *space)

    def vjp(y, g, x):
        return [PixelShuffle(g, factor=y.factor)]

    def structure(y, position, size, out):
        return "permutation"


def _times(length: Dim, factor: int) -> Dim:
    return None if length is None else length * factor


@register
def interpolate(
    x: Any,
    /,
    size: int | Sequence[int] | None = None,
    *,
    scale: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool = False,
    name: str | None = None,
) -> Node:
    """y = x (n, c, *space) in another size: y (n, c, *size), or x's sizes times `scale`.

    mode: 'nearest', or 'linear' between neighbouring elements on each axis ('bilinear', 'trilinear'
    for two and three). align_corners, for 'linear': the centres of the first and last elements of x
    and y lie at the same places, rather than their outer edges.
    """
    one_of("interpolate: mode", mode, ("nearest", *_LINEAR))
    corners = flag("interpolate: align_corners", align_corners)
    if corners and mode == "nearest":
        raise ArgumentError("interpolate: align_corners is for mode='linear'.",
                            hint="Write mode='linear', or leave it out.")  # fmt: skip
    if (size is None) == (scale is None):
        raise ArgumentError("interpolate: expected either a size or scale=….",
                            hint="Write pg.interpolate(x, scale=2).")  # fmt: skip
    x = as_node(x)
    if x.ndim is None or x.ndim < 3:
        raise ShapeError(f"interpolate: expected x (n, c, *space), got {text(x.shape)}",
                         hint="Add axes: x[None, None].")  # fmt: skip
    ndim = x.ndim - 2
    axes = {"bilinear": 2, "trilinear": 3}.get(mode, ndim)
    if axes != ndim:
        raise ShapeError(f"interpolate: mode {mode!r} is for {axes} axes after the channels, x has "
                         f"{ndim}", hint="Write mode='linear'.")  # fmt: skip
    kind = "nearest" if mode == "nearest" else "linear"
    sizes = None if size is None else several(size, ndim, "interpolate: size", least=0)
    factors = None if scale is None else _factors(scale, ndim)
    return Interpolate(x, size=sizes, scale=factors, mode=kind, align_corners=corners, name=name)


def _factors(scale: Any, ndim: int) -> tuple[float, ...]:
    given = scale if isinstance(scale, (tuple, list)) else (scale,) * ndim
    if len(given) != ndim:
        raise ShapeError(f"interpolate: scale is {shown(scale)} for {ndim} axes",
                         hint="Give one factor, or one for each axis.")  # fmt: skip
    return tuple(float(within("interpolate: scale", one, "(0, inf)", like=2)) for one in given)


@register
def pixel_shuffle(x: Any, factor: int, /, *, name: str | None = None) -> Node:
    """y (…, c, h·r, w·r) of x (…, c·r², h, w): r² channels become blocks of r × r, r the factor."""
    return PixelShuffle(
        x, factor=whole("pixel_shuffle: factor", factor, least=1, like=2), name=name
    )


@register
def pixel_unshuffle(x: Any, factor: int, /, *, name: str | None = None) -> Node:
    """y (…, c·r², h, w) of x (…, c, h·r, w·r): blocks of r × r become r² channels, r the factor."""
    factor = whole("pixel_unshuffle: factor", factor, least=1, like=2)
    return PixelUnshuffle(x, factor=factor, name=name)
