"""Discrete Fourier transforms along one axis, of complex and of real numbers.

The matrix of a transform is symmetric, and derivatives follow JAX's convention, without conjugates:
the adjoint of `fft` is `fft`. Those of the transforms of real numbers are each other, with a weight
of 2 for the elements whose conjugates are left out.
"""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from ...dtypes import DType, accumulates_in, complex_of, real_of
from ...errors import ShapeError
from ...graph.kinds import Composite, Transform
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops
from ...graph.samples import case, complex_case
from ...messages.calls import public
from ...messages.checks import one_of, whole
from ...shapes import Dim, Shape, axis_in
from ..layout.move import Place
from ..reduction.axes import narrowed

# The norm whose inverse divides by what the transform divides by, and the other way round.
DUAL = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


class AlongAxis(Transform):
    """A transform along `axis`, of n elements, by default as many as there are."""

    linear = True

    def shape_rule(self, *shapes: Shape) -> Shape:
        (x,) = shapes
        axis, n = axis_in(self.attributes["axis"], len(x)), self.attributes["n"]
        length = self.length(x[axis]) if n is None else n
        if length is not None and length < 1:
            raise ShapeError(f"axis {axis} has {x[axis]} elements; a transform has one or more")
        return (*x[:axis], self.results(length), *x[axis + 1 :])

    def length(self, size: Dim) -> Dim:
        """n, for an axis of this size."""
        return size

    def results(self, n: Dim) -> Dim:
        """The size of the axis in y."""
        return n

    def options(self) -> dict[str, Any]:
        """The axis, from 0, and the norm of the transform."""
        return dict(axis=axis_in(self.axis, self.inputs[0].ndim or 0), norm=self.norm)


class ComplexTransform(AlongAxis):
    """A transform of complex numbers; its adjoint is the same transform."""

    complexes = True
    samples = [
        complex_case((4,), n=None, axis=0, norm="backward"),
        complex_case((2, 3), n=5, axis=-1, norm="ortho"),
        complex_case((1, 3, 2), n=2, axis=1, norm="forward"),
        case((3,), n=None, axis=0, norm="backward"),
    ]

    def align_inputs(self, inputs: tuple[Any, ...]) -> tuple[Node, ...]:
        (x,) = super().align_inputs(inputs)
        return (x if x.dtype is None else narrowed(x, complex_of(x.dtype)),)

    def vjp(y, g, x: Any):
        options = y.options()
        return [fitted(type(y)(g, n=None, **options), x.shape[options["axis"]], options["axis"])]


class Fft(ComplexTransform):
    """yₖ = Σⱼ xⱼ·e^(−2πi·jk/n) along `axis`, with x cut off or continued with zeros to n."""

    math, onnx = r"\mathcal{F}({x})", "DFT"

    def f(m, x, *, n, axis, norm):
        return m.fft(x, n, axis, norm)


class Ifft(ComplexTransform):
    """yⱼ = Σₖ xₖ·e^(2πi·jk/n)/n along `axis`: the inverse of the transform."""

    math = r"\mathcal{F}^{-1}({x})"

    def f(m, x, *, n, axis, norm):
        return m.ifft(x, n, axis, norm)


class Rfft(AlongAxis):
    """y = the first n//2 + 1 elements of the transform of real numbers; the others are their
    conjugates."""

    math = r"\mathcal{F}_r({x})"
    samples = [
        case((4,), n=None, axis=0, norm="backward"),
        case((2, 3), n=5, axis=-1, norm="ortho"),
        case((5, 2), n=3, axis=0, norm="forward"),
    ]

    def f(m, x, *, n, axis, norm):
        return m.rfft(x, n, axis, norm)

    def align_inputs(self, inputs: tuple[Any, ...]) -> tuple[Node, ...]:
        (x,) = super().align_inputs(inputs)
        return (x if x.dtype is None else narrowed(x, accumulates_in(x.dtype)),)

    def results(self, n: Dim) -> Dim:
        return None if n is None else n // 2 + 1

    def dtype_rule(y, *dtypes: DType) -> DType:
        return complex_of(dtypes[0])

    def vjp(y, g, x: Any):
        axis, n = y.options()["axis"], y.n
        n = x.shape[axis] if n is None else n
        part = conjugate_of(g, 1 / halves(n, axis, x.ndim, g.dtype))
        return [fitted(Irfft(part, n=n, axis=axis, norm=DUAL[y.norm]), x.shape[axis], axis)]


class Irfft(AlongAxis):
    """y = the n real numbers of which x are the first n//2 + 1 elements of the transform.

    Imaginary parts of x that can't come from real numbers, of element 0 for example, don't count.
    """

    math = r"\mathcal{F}_r^{-1}({x})"
    complexes = True
    samples = [
        complex_case((3,), n=None, axis=0, norm="backward"),
        complex_case((2, 3), n=5, axis=-1, norm="ortho"),
        complex_case((3, 2), n=2, axis=0, norm="forward"),
        complex_case((2,), n=6, axis=0, norm="backward"),
    ]

    def f(m, x, *, n, axis, norm):
        return m.irfft(x, n, axis, norm)

    def align_inputs(self, inputs: tuple[Any, ...]) -> tuple[Node, ...]:
        (x,) = super().align_inputs(inputs)
        return (x if x.dtype is None else narrowed(x, complex_of(x.dtype)),)

    def length(self, size: Dim) -> Dim:
        return None if size is None else 2 * (size - 1)

    def dtype_rule(y, *dtypes: DType) -> DType:
        return real_of(dtypes[0])

    def vjp(y, g: Any, x: Any):
        axis = y.options()["axis"]
        part = Rfft(g, n=None, axis=axis, norm=DUAL[y.norm])
        part = conjugate_of(part, halves(g.shape[axis], axis, g.ndim, g.dtype))
        return [fitted(part, x.shape[axis], axis)]


def halves(n: int, axis: int, ndim: int, dtype: DType) -> Any:
    """How often each of the n//2 + 1 elements counts in a transform of n real numbers: 1 or 2."""
    counts = np.full(n // 2 + 1, 2, real_of(dtype))
    counts[0] = 1
    if n % 2 == 0:
        counts[-1] = 1
    return counts.reshape(-1, *(1,) * (ndim - axis - 1))


def conjugate_of(x: Any, weights: Any) -> Any:
    """The complex conjugate of x, with real weights: their product as complex numbers would depend
    on the loop that NumPy chooses, in the signs of zeros."""
    return ops.complex(ops.real(x) * weights, -ops.imag(x) * weights)


def fitted(x: Any, length: int, axis: int) -> Any:
    """x cut off or continued with zeros to `length` elements on an axis."""
    before = (slice(None),) * axis
    size = x.shape[axis]
    if size == length:
        return x
    if size > length:
        return x[(*before, slice(length))]
    shape = (*x.shape[:axis], length, *x.shape[axis + 1 :])
    return Place(x, shape=shape, index=(*before, slice(size)))


class Hfft(Composite):
    """y = the n real numbers whose inverse transform has x as its first n//2 + 1 elements."""

    math = r"\mathcal{F}_h({x})"
    floats = True
    samples = [complex_case((3,), n=None, axis=0, norm="backward"),
               complex_case((2, 3), n=5, axis=1, norm="forward")]  # fmt: skip

    def expand(y, x):
        return Irfft(ops.conj(x), n=y.n, axis=y.axis, norm=DUAL[y.norm])


class Ihfft(Composite):
    """y = the first n//2 + 1 elements of the inverse transform of real numbers."""

    complexes = False
    math = r"\mathcal{F}_h^{-1}({x})"
    floats = True
    samples = [case((4,), n=None, axis=0, norm="backward"),
               case((2, 3), n=5, axis=1, norm="forward")]  # fmt: skip

    def expand(y, x):
        return ops.conj(Rfft(x, n=y.n, axis=y.axis, norm=DUAL[y.norm]))


def norm_of(function: str, norm: str | None) -> str:
    """The norm as text; None is 'backward'."""
    return "backward" if norm is None else one_of(f"{function}: norm", norm, DUAL)


def _apply(operation: Any, x: Any, n: Any, axis: Any, norm: Any, name: str | None) -> Node:
    function = operation.__name__.lower()
    length = None if n is None else whole(f"{function}: n", n, least=1, like=8)
    norm = norm_of(function, norm)
    return operation(as_node(x), n=length, axis=index(axis), norm=norm, name=name)


@public
def fft(
    x: Any, /, n: int | None = None, axis: int = -1, norm: str | None = None, *,
    name: str | None = None,
) -> Node:  # fmt: skip
    """yₖ = Σⱼ xⱼ·e^(−2πi·jk/n) along `axis`: the discrete Fourier transform.

    n: x is cut off, or continued with zeros, to n elements. norm: 'backward' divides the inverse by
    n, 'forward' the transform, 'ortho' both by √n.
    """
    return _apply(Fft, x, n, axis, norm, name)


@public
def ifft(
    x: Any, /, n: int | None = None, axis: int = -1, norm: str | None = None, *,
    name: str | None = None,
) -> Node:  # fmt: skip
    """yⱼ = Σₖ xₖ·e^(2πi·jk/n)/n along `axis`: the inverse of `fft`, with the same options."""
    return _apply(Ifft, x, n, axis, norm, name)


@public
def rfft(
    x: Any, /, n: int | None = None, axis: int = -1, norm: str | None = None, *,
    name: str | None = None,
) -> Node:  # fmt: skip
    """y = the first n//2 + 1 elements of `fft` of real numbers; the others are their conjugates."""
    return _apply(Rfft, x, n, axis, norm, name)


@public
def irfft(
    x: Any, /, n: int | None = None, axis: int = -1, norm: str | None = None, *,
    name: str | None = None,
) -> Node:  # fmt: skip
    """y = the n real numbers whose `rfft` is x; n is 2·(size − 1) by default.

    Give n for an odd number of elements.
    """
    return _apply(Irfft, x, n, axis, norm, name)


@public
def hfft(
    x: Any, /, n: int | None = None, axis: int = -1, norm: str | None = None, *,
    name: str | None = None,
) -> Node:  # fmt: skip
    """y = the n real numbers whose `ihfft` is x; n is 2·(size − 1) by default."""
    return _apply(Hfft, x, n, axis, norm, name)


@public
def ihfft(
    x: Any, /, n: int | None = None, axis: int = -1, norm: str | None = None, *,
    name: str | None = None,
) -> Node:  # fmt: skip
    """y = the first n//2 + 1 elements of `ifft` of real numbers."""
    return _apply(Ihfft, x, n, axis, norm, name)
