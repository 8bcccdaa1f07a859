"""Discrete Fourier transforms along several axes, frequencies, and shifts of them."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from ...dtypes import as_dtype, default_dtype
from ...errors import ArgumentError, ShapeError
from ...graph.describe.notation import applied, attribute_text, operator
from ...graph.describe.template import below, stated_options
from ...graph.functions import frozen
from ...graph.kinds import Composite
from ...graph.node import Node
from ...graph.promotion import as_node, tensor
from ...graph.protocols.interchange import check_device
from ...graph.registry import ops
from ...graph.samples import case, complex_case
from ...messages.calls import public
from ...messages.checks import whole, within
from ...shapes import Shape, axes_in, axis_in
from .transforms import Fft, Ifft, Irfft, Rfft, norm_of


class Fftn(Composite):
    """y = the discrete Fourier transform along several axes, or its inverse.

    sizes: x is cut off, or continued with zeros, to as many elements on each axis; None leaves it.
    """

    math = r"\mathcal{F}({x})"
    floats = True
    samples = [
        complex_case((2, 3), sizes=(None, None), axes=(0, 1), norm="backward", inverse=False),
        complex_case((3, 2), sizes=(2, 3), axes=(1, 0), norm="ortho", inverse=True),
    ]

    def notation(y, x):
        sign = r"\mathcal{F}^{-1}" if y.inverse else r"\mathcal{F}"
        return applied(sign + below(stated_options(y)), [x])

    def expand(y, x):
        return _along(x, y.sizes, y.axes, y.norm, inverse=y.inverse)


class Rfftn(Composite):
    """y = the transform of real numbers along several axes: half of it along the last of them."""

    complexes = False
    math = r"\mathcal{F}_r({x})"
    floats = True
    samples = [case((2, 3), sizes=(None, None), axes=(0, 1), norm="backward"),
               case((3, 2), sizes=(2, 3), axes=(1, 0), norm="forward")]  # fmt: skip

    def expand(y, x):
        half = Rfft(x, n=y.sizes[-1], axis=y.axes[-1], norm=y.norm)
        sizes = _sizes(x, y.sizes, y.axes)  # of x: an axis may be named twice
        return _along(half, sizes[:-1], y.axes[:-1], y.norm, inverse=False)


class Irfftn(Composite):
    """y = the real numbers whose transform along several axes has x as its half."""

    math = r"\mathcal{F}_r^{-1}({x})"
    floats = True
    samples = [complex_case((2, 3), sizes=(None, None), axes=(0, 1), norm="backward"),
               complex_case((3, 2), sizes=(2, 5), axes=(1, 0), norm="forward")]  # fmt: skip

    def expand(y, x):
        sizes = _sizes(x, y.sizes, y.axes)
        rest = _along(x, sizes[:-1], y.axes[:-1], y.norm, inverse=True)
        n = 2 * (sizes[-1] - 1) if y.sizes[-1] is None else sizes[-1]
        return Irfft(rest, n=n, axis=y.axes[-1], norm=y.norm)


def _sizes(x: Any, sizes: Any, axes: Any) -> list[int]:
    """The size of the transform along each axis."""
    pairs = zip(sizes, axes, strict=True)
    return [x.shape[axis_in(axis, x.ndim)] if n is None else n for n, axis in pairs]


def _along(x: Any, sizes: Any, axes: Any, norm: str, *, inverse: bool) -> Any:
    for n, axis in zip(reversed(sizes), reversed(axes), strict=True):
        x = (Ifft if inverse else Fft)(x, n=n, axis=axis, norm=norm)
    return x


class Fftshift(Composite):
    """y = x with the frequency 0 in the middle of each axis, or back at its start."""

    math = r"\operatorname{fftshift}({x})"
    linear = True
    stays_finite = True
    samples = [case((4,), axes=None, inverse=False), case((2, 3), axes=(1,), inverse=True)]

    def shape_rule(self, *shapes: Shape) -> Shape:
        axes_in(self.attributes["axes"], len(shapes[0]))
        return shapes[0]

    def notation(y, x):
        axes = below("" if y.axes is None else attribute_text(y.axes))
        return applied(operator("ifftshift" if y.inverse else "fftshift") + axes, [x])

    def expand(y, x: Any):
        axes = axes_in(y.axes, x.ndim)
        middle = [x.shape[axis] // 2 for axis in axes]
        return ops.roll(x, [-n for n in middle] if y.inverse else middle, axes)

    def structure(y, position, size, out):
        return "permutation"


def _apply(
    operation: Any, function: str, x: Any, s: Any, axes: Any, norm: Any, name: Any, **more: Any
) -> Node:
    """The operation along the axes, whose sizes `s` may name."""
    x = as_node(x)
    given = None if s is None else tuple(None if n == -1 else index(n) for n in s)
    if axes is None:
        if x.ndim is None:
            raise ShapeError(f"{function}: the number of axes isn't known yet",
                             hint="Name the axes: axes=(-2, -1).")  # fmt: skip
        if given is not None and len(given) > x.ndim:
            raise ShapeError(f"{function}: {len(given)} sizes for {x.ndim} axes",
                             hint="Give one size for each of the last axes.")  # fmt: skip
        axes = range(x.ndim - (x.ndim if given is None else len(given)), x.ndim)
    places = tuple(index(axis) for axis in axes)
    if not places and operation is not Fftn:
        raise ShapeError(f"{function}: at least one axis must be transformed",
                         hint="Write axes=(-1,).")  # fmt: skip
    if x.ndim is not None:
        places = tuple(axis_in(axis, x.ndim) for axis in places)
    sizes = (None,) * len(places) if given is None else given
    if len(sizes) != len(places):
        raise ArgumentError(f"{function}: {len(sizes)} sizes for {len(places)} axes.",
                            hint="Give one size for each axis.")  # fmt: skip
    if any(n is not None and n < 1 for n in sizes):
        raise ArgumentError(f"{function}: s is {s!r:.60}; expected integers ≥ 1, or −1 for all.",
                            hint="Write s=(8, 8).")  # fmt: skip
    norm = norm_of(function, norm)
    return operation(x, sizes=sizes, axes=places, norm=norm, name=name, **more)


@public
def fftn(
    x: Any, /, s: Sequence[int] | None = None, axes: Sequence[int] | None = None,
    norm: str | None = None, *, name: str | None = None,
) -> Node:  # fmt: skip
    """y = the discrete Fourier transform along several axes, by default all, or the last len(s).

    s: the size to which x is cut off or continued with zeros on each axis, −1 for all of it. norm:
    as for `fft`.
    """
    return _apply(Fftn, "fftn", x, s, axes, norm, name, inverse=False)


@public
def ifftn(
    x: Any, /, s: Sequence[int] | None = None, axes: Sequence[int] | None = None,
    norm: str | None = None, *, name: str | None = None,
) -> Node:  # fmt: skip
    """y = the inverse of `fftn`, with the same options."""
    return _apply(Fftn, "ifftn", x, s, axes, norm, name, inverse=True)


@public
def rfftn(
    x: Any, /, s: Sequence[int] | None = None, axes: Sequence[int] | None = None,
    norm: str | None = None, *, name: str | None = None,
) -> Node:  # fmt: skip
    """y = `fftn` of real numbers, of which the last axis has the first n//2 + 1 elements."""
    return _apply(Rfftn, "rfftn", x, s, axes, norm, name)


@public
def irfftn(
    x: Any, /, s: Sequence[int] | None = None, axes: Sequence[int] | None = None,
    norm: str | None = None, *, name: str | None = None,
) -> Node:  # fmt: skip
    """y = the real numbers whose `rfftn` is x; on the last axis 2·(size − 1) by default."""
    return _apply(Irfftn, "irfftn", x, s, axes, norm, name)


@public
def fft2(
    x: Any, /, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1),
    norm: str | None = None, *, name: str | None = None,
) -> Node:  # fmt: skip
    """y = `fftn` along two axes, by default the last two."""
    return _apply(Fftn, "fft2", x, s, axes, norm, name, inverse=False)


@public
def ifft2(
    x: Any, /, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1),
    norm: str | None = None, *, name: str | None = None,
) -> Node:  # fmt: skip
    """y = `ifftn` along two axes, by default the last two."""
    return _apply(Fftn, "ifft2", x, s, axes, norm, name, inverse=True)


@public
def rfft2(
    x: Any, /, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1),
    norm: str | None = None, *, name: str | None = None,
) -> Node:  # fmt: skip
    """y = `rfftn` along two axes, by default the last two."""
    return _apply(Rfftn, "rfft2", x, s, axes, norm, name)


@public
def irfft2(
    x: Any, /, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1),
    norm: str | None = None, *, name: str | None = None,
) -> Node:  # fmt: skip
    """y = `irfftn` along two axes, by default the last two."""
    return _apply(Irfftn, "irfft2", x, s, axes, norm, name)


@public
def fftshift(
    x: Any, /, axes: int | Sequence[int] | None = None, *, name: str | None = None
) -> Node:
    """y = x with the frequency 0 in the middle of the axes, by default of all."""
    return Fftshift(x, axes=frozen(axes), inverse=False, name=name)


@public
def ifftshift(
    x: Any, /, axes: int | Sequence[int] | None = None, *, name: str | None = None
) -> Node:
    """y = x with the frequency 0 back at the start of the axes: the inverse of `fftshift`."""
    return Fftshift(x, axes=frozen(axes), inverse=True, name=name)


@public
def fftfreq(
    n: int, /, d: float = 1.0, *, dtype: Any = None, device: Any = None, name: str | None = None
) -> Node:
    """The n frequencies of `fft`, in cycles per unit, for samples at distances d: 0, 1/(nd), …

    dtype: by default the default float.
    """
    check_device("fftfreq", device)
    return _frequencies(np.fft.fftfreq, "fftfreq", n, d, dtype, name)


@public
def rfftfreq(
    n: int, /, d: float = 1.0, *, dtype: Any = None, device: Any = None, name: str | None = None
) -> Node:
    """The n//2 + 1 frequencies of `rfft` of n samples at distances d, in cycles per unit."""
    check_device("rfftfreq", device)
    return _frequencies(np.fft.rfftfreq, "rfftfreq", n, d, dtype, name)


def _frequencies(
    values: Any, function: str, n: int, d: float, dtype: Any, name: str | None
) -> Node:
    count = whole(f"{function}: n", n, least=1, like=8)
    step = float(within(f"{function}: d", d, "(-inf, inf)", like=1.0))
    kind = default_dtype() if dtype is None else as_dtype(dtype)
    return tensor(values(count, step).astype(kind), name=name)
