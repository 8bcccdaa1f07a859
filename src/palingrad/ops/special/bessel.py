"""Bessel functions of one order, a Python number; derivatives in x to any order."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.describe.notation import PRODUCT, Piece, applied
from ...graph.node import Node
from ...graph.registry import ops, register
from ...graph.samples import case, edge, kink
from .base import Special, order_of

_REAL = [case((2,), low=-2.0, high=2.0, n=0), case((), low=0.5, high=2.0, n=3)]
_ENDS = edge(0.0, 1.0, 30.0, 1e6, -2.0, np.inf, np.nan, n=1)


class Bessel(Special):
    """A Bessel function of order n."""

    letter = "J"

    def notation(y, x):
        return applied(f"{y.letter}_{{{y.n}}}", [x])

    def _near(y, x: Any) -> tuple[Any, Any]:
        """The functions of orders n − 1 and n + 1."""
        return type(y)(x, n=y.n - 1), type(y)(x, n=y.n + 1)


class BesselJ(Bessel):
    """y = Jₙ(x), the Bessel function of the first kind. ∂y/∂x = ½(Jₙ₋₁ − Jₙ₊₁)."""

    math = r"J_{n}({x})"
    harmless = 0
    samples = [*_REAL, _ENDS, kink([0.0], slopes=[[0.5]], n=1)]

    def f(m, x, *, n):
        return m.bessel_j(x, n)

    def d(y, x):
        if y.n == 0:
            return [-BesselJ(x, n=1)]
        below, above = y._near(x)
        return [0.5 * (below - above)]


class BesselY(Bessel):
    """y = Yₙ(x), the Bessel function of the second kind; −∞ at 0, NaN for x < 0.

    ∂y/∂x = ½(Yₙ₋₁ − Yₙ₊₁).
    """

    letter = "Y"
    math = r"Y_{n}({x})"
    harmless = 1
    samples = [case((), low=0.6, high=2.0, n=0), case((), low=0.9, high=2.0, n=2), _ENDS]

    def f(m, x, *, n):
        return m.bessel_y(x, n)

    def d(y, x):
        if y.n == 0:
            return [-BesselY(x, n=1)]
        below, above = y._near(x)
        return [0.5 * (below - above)]


class BesselI(Bessel):
    """y = Iₙ(x), the modified Bessel function of the first kind. ∂y/∂x = ½(Iₙ₋₁ + Iₙ₊₁)."""

    letter = "I"
    math = r"I_{n}({x})"
    harmless = 0
    samples = [*_REAL, _ENDS]

    def f(m, x, *, n):
        return m.bessel_i(x, n, False)

    def d(y, x):
        if y.n == 0:
            return [BesselI(x, n=1)]
        below, above = y._near(x)
        return [0.5 * (below + above)]


class BesselIe(Bessel):
    """y = Iₙ(x)·e^−|x|, which doesn't overflow. ∂y/∂x = ½(yₙ₋₁ + yₙ₊₁) − sign(x)·y.

    At the kink 0 the slope is that of Iₙ.
    """

    math = r"e^{-|{x}|} \* I_{n}({x})"
    harmless = 0
    samples = [
        case((3,), low=0.3, high=3.0, n=0),
        case((3,), low=-3.0, high=-0.3, n=1),
        _ENDS,
        kink([0.0], slopes=[[0.5]], n=1),
    ]

    def f(m, x, *, n):
        return m.bessel_i(x, n, True)

    def notation(y, x):
        sign = r" \odot " if y.inputs[0].ndim else r"\,"
        return Piece(rf"e^{{-|{x.latex}|}}{sign}{applied(f'I_{{{y.n}}}', [x]).latex}", PRODUCT)

    def d(y, x):
        below, above = y._near(x)
        mean = above if y.n == 0 else 0.5 * (below + above)
        return [mean - ops.sign(x) * BesselIe(x, n=y.n)]


class BesselK(Bessel):
    """y = Kₙ(x), the modified Bessel function of the second kind; ∞ at 0, NaN for x < 0.

    ∂y/∂x = −½(Kₙ₋₁ + Kₙ₊₁).
    """

    letter = "K"
    math = r"K_{n}({x})"
    harmless = 1
    samples = [case((3,), low=0.6, high=4.0, n=1), _ENDS]

    def f(m, x, *, n):
        return m.bessel_k(x, n, False)

    def d(y, x):
        below, above = y._near(x)
        return [-0.5 * (below + above)]


@register
def jv(v: float, x: Any, /, *, name: str | None = None) -> Node:
    """y = J_v(x), the Bessel function of the first kind, differentiable in x.

    v is a Python number; integer orders are exact near the zeros of J too.
    """
    return BesselJ(x, n=order_of("jv: v", v, whole=False), name=name)


@register
def yv(v: float, x: Any, /, *, name: str | None = None) -> Node:
    """y = Y_v(x), the Bessel function of the second kind, differentiable in x; v a number."""
    return BesselY(x, n=order_of("yv: v", v, whole=False), name=name)


@register
def iv(v: float, x: Any, /, *, name: str | None = None) -> Node:
    """y = I_v(x), the modified Bessel function of the first kind, differentiable in x."""
    return BesselI(x, n=order_of("iv: v", v, whole=False), name=name)


@register
def ive(v: float, x: Any, /, *, name: str | None = None) -> Node:
    """y = I_v(x)·e^−|x|, which doesn't overflow, differentiable in x."""
    return BesselIe(x, n=order_of("ive: v", v, whole=False), name=name)


@register
def kv(v: float, x: Any, /, *, name: str | None = None) -> Node:
    """y = K_v(x), the modified Bessel function of the second kind, differentiable in x."""
    return BesselK(x, n=order_of("kv: v", v, whole=False), name=name)


@register
def jn(n: int, x: Any, /, *, name: str | None = None) -> Node:
    """y = Jₙ(x) for an integer n."""
    return BesselJ(x, n=order_of("jn: n", n), name=name)


@register
def yn(n: int, x: Any, /, *, name: str | None = None) -> Node:
    """y = Yₙ(x) for an integer n."""
    return BesselY(x, n=order_of("yn: n", n), name=name)


@register
def j0(x: Any, /, *, name: str | None = None) -> Node:
    """y = J₀(x). ∂y/∂x = −J₁(x)."""
    return BesselJ(x, n=0, name=name)


@register
def j1(x: Any, /, *, name: str | None = None) -> Node:
    """y = J₁(x). ∂y/∂x = ½(J₀ − J₂)."""
    return BesselJ(x, n=1, name=name)


@register
def y0(x: Any, /, *, name: str | None = None) -> Node:
    """y = Y₀(x). ∂y/∂x = −Y₁(x)."""
    return BesselY(x, n=0, name=name)


@register
def y1(x: Any, /, *, name: str | None = None) -> Node:
    """y = Y₁(x). ∂y/∂x = ½(Y₀ − Y₂)."""
    return BesselY(x, n=1, name=name)


@register
def i0(x: Any, /, *, name: str | None = None) -> Node:
    """y = I₀(x). ∂y/∂x = I₁(x)."""
    return BesselI(x, n=0, name=name)


@register
def i1(x: Any, /, *, name: str | None = None) -> Node:
    """y = I₁(x). ∂y/∂x = ½(I₀ + I₂)."""
    return BesselI(x, n=1, name=name)


@register
def i0e(x: Any, /, *, name: str | None = None) -> Node:
    """y = I₀(x)·e^−|x|, which doesn't overflow."""
    return BesselIe(x, n=0, name=name)


@register
def i1e(x: Any, /, *, name: str | None = None) -> Node:
    """y = I₁(x)·e^−|x|, which doesn't overflow."""
    return BesselIe(x, n=1, name=name)
