"""Absolute values and signs, and the parts of complex numbers, elementwise.

These functions aren't holomorphic: for w = f(z), dw = a·dz + b·conj(dz) with b ≠ 0. The cotangent g
of w, for which dL = Re(g·dw), therefore gives z the cotangent g·a + conj(g·b).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import is_complex
from ...errors import DTypeError
from ...graph.functions import binary, unary
from ...graph.kinds import Elementwise
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops, register
from ...graph.samples import case, complex_case, complex_edge, edge, kink
from ...messages.calls import public
from .arithmetic import Numeric

_COMPLEX = complex_case((2, 3), low=0.3)
_EDGE = complex_edge(0.0, -0.0, 1.5, -np.inf, np.nan)


class Abs(Elementwise):
    """y = |x|, real. ∂y/∂x = sign x, which is 0 at x = 0; of complex x the cotangent is
    g·conj(sign x)."""

    math, onnx = r"\left|{x}\right|", "Abs"
    stays_finite = complexes = True
    samples = [
        *(case((3, 4), low=0.1), case((3, 4), low=-2, high=-0.1)),
        *(edge(0.0, -np.inf, np.nan), kink([0.0, -0.0], slopes=[[0.0, 0.0]])),
        *(_COMPLEX, kink([0j, 3 - 4j], slopes=[[0j, 0.6 + 0.8j]])),
    ]

    def f(m, x):
        return m.absolute(x)

    def d(y, x):
        return [ops.sign(x)]

    def vjp(y, g: Any, *x: Any) -> Sequence[Any]:
        if not is_complex(x[0].dtype):
            return super().vjp(g, *x)
        return [ops.scaled(g, ops.conj(ops.sign(x[0])))]

    def jvp(y, tangents: Any, *x: Any) -> Any:
        if not is_complex(x[0].dtype):
            return super().jvp(tangents, *x)
        return ops.real(ops.scaled_tangent(tangents[0], ops.conj(ops.sign(x[0]))))


class Sign(Numeric):
    """y = sign x: −1, 0 or 1, and ∂y/∂x = 0. For complex x, y = x/|x|, or 0 at x = 0, and the
    cotangent is i·Im(g·y)/x."""

    math, onnx = r"\operatorname{sign} {x}", "Sign"
    stays_finite = True
    samples = [case((3, 4), low=0.1), edge(0.0, -0.0, -np.inf, np.nan), _COMPLEX]

    def f(m, x):
        return m.sign(x)

    def d(y, x):
        return [0]

    def vjp(y, g: Any, *x: Any) -> Sequence[Any]:
        if not is_complex(x[0].dtype):
            return super().vjp(g, *x)
        return [ops.scaled(ops.imag(ops.scaled(g, y)), _turning(x[0]))]

    def jvp(y, tangents: Any, *x: Any) -> Any:
        if not is_complex(x[0].dtype):
            return super().jvp(tangents, *x)
        turned = ops.real(ops.scaled_tangent(tangents[0], -_turning(x[0])))
        return ops.scaled_tangent(turned, ops.multiply(y, 1j))


def _turning(x: Any) -> Node:
    """i/x, and 0 at x = 0: −Re(i/x·dx) is the change of the angle of x."""
    return ops.where(x == 0, 0, 1j / ops.where(x == 0, 1, x))


class Part(Elementwise):
    """A part of x, or x with another part: linear over the real numbers."""

    complexes = stays_finite = True

    def jvp(y, tangents: Any, *x: Node) -> Any:
        return y.rebuild(tangents)

    def simpler(y, *given: Node) -> Node | None:
        """Of real numbers, which engines compile, without the function of `m`."""
        return None if is_complex(given[0].dtype) else y.of_real(given[0])

    def of_real(y, x: Any) -> Node:
        """y for a real x."""
        raise NotImplementedError


class Real(Part):
    """y = Re x, the real part; x itself if it is real."""

    math = r"\operatorname{Re} {x}"
    samples = [complex_case((2, 3)), case((3,)), _EDGE]

    def f(m: Any, x):
        return m.real(x)

    def of_real(y, x: Any) -> Node:
        return x

    def vjp(y, g: Any, *x: Any) -> Sequence[Any]:
        return [g]


class Imag(Part):
    """y = Im x, the imaginary part; 0 if x is real."""

    math = r"\operatorname{Im} {x}"
    samples = [complex_case((2, 3)), case((3,)), _EDGE]

    def f(m: Any, x):
        return m.imag(x)

    def of_real(y, x: Any) -> Node:
        return ops.zeros_like(x)

    def vjp(y, g: Any, *x: Any) -> Sequence[Any]:
        return [ops.complex(ops.zeros_like(g), -g) if is_complex(x[0].dtype) else None]


class Conj(Part):
    """y = x̄, the complex conjugate: the imaginary part changes its sign."""

    math = "{x}^{*}"
    samples = [complex_case((2, 3)), case((3,)), _EDGE]

    def f(m: Any, x):
        return m.conjugate(x)

    def of_real(y, x: Any) -> Node:
        return x if x.dtype == y.dtype else ops.cast(x, y.dtype)  # booleans become int8

    def vjp(y, g: Any, *x: Any) -> Sequence[Any]:
        return [ops.conj(g)]


class Angle(Elementwise):
    """y = arg x, the angle of x in the complex plane, in [−π, π]. The cotangent is −i·g/x, and 0 at
    x = 0."""

    math = r"\arg {x}"
    floats = complexes = stays_finite = True
    samples = [_COMPLEX, case((3,), low=0.1), _EDGE, kink([0j, 2j], slopes=[[0j, -0.5]])]

    def f(m, x):
        return m.angle(x)

    def vjp(y, g: Any, *x: Any) -> Sequence[Any]:
        return [ops.scaled(g, -_turning(x[0])) if is_complex(x[0].dtype) else None]

    def jvp(y, tangents: Any, *x: Any) -> Any:
        if not is_complex(x[0].dtype):
            return None
        return ops.real(ops.scaled_tangent(tangents[0], -_turning(x[0])))


class Complex(Elementwise):
    """z = x + i·y, the complex number with the real part x and the imaginary part y."""

    math = r"{x} + i\,{y}"
    floats = stays_finite = True
    samples = [case((2, 3), (3,)), edge(0.0, -0.0, np.inf, np.nan, inputs=2)]

    def f(m, x, y):
        return m.complex_of(x, y)

    def vjp(z, g: Any, *x: Any) -> Sequence[Any]:
        return [lambda: ops.real(g), lambda: -ops.imag(g)]

    def jvp(z, tangents: Any, *x: Any) -> Any:
        pairs = zip(x, tangents, strict=True)
        return ops.complex(*(ops.zeros_like(one) if t is None else t for one, t in pairs))


abs = register(unary(Abs))
sign = register(unary(Sign))
real = register(unary(Real))
imag = register(unary(Imag))
conj = register(unary(Conj))
angle = register(unary(Angle))
complex = register(binary(Complex))


@register
def isreal(x: Any, /, *, name: str | None = None) -> Node:
    """y = whether the imaginary part of x is 0."""
    return ops.equal(ops.imag(x), 0, name=name)


@register
def iscomplex(x: Any, /, *, name: str | None = None) -> Node:
    """y = whether the imaginary part of x isn't 0."""
    return ops.not_equal(ops.imag(x), 0, name=name)


@public
def iscomplexobj(x: Any, /) -> bool:
    """Whether x has a complex dtype."""
    return is_complex(_known_dtype(x))


@public
def isrealobj(x: Any, /) -> bool:
    """Whether x has a dtype that isn't complex."""
    return not is_complex(_known_dtype(x))


def _known_dtype(x: Any) -> Any:
    node = as_node(x)
    if node.dtype is None:
        raise DTypeError(
            f"the dtype of {node.label()} isn't known yet{node.built()}",
            hint="Give the placeholder one: pg.placeholder(dtype=pg.complex64).",
        )
    return node.dtype
