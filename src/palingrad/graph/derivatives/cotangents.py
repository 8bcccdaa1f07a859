"""The product of a cotangent and a slope, in which a cotangent of exactly 0 is absorbing.

A branch that `where` did not take, a masked row or an unselected element has the cotangent 0. Its
slope may be infinite or NaN, and 0·∞ = NaN by IEEE 754 would spoil the whole gradient. By default
0 times any slope is therefore 0; `set_ieee_gradients` selects IEEE's products.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...dtypes import bool_, is_complex, is_inexact, setting_changes
from ..node import Node
from ..registry import ops, register

_ieee = [False]
_NUMBERS = (int, float, complex)


def ieee_gradients() -> bool:
    """Whether 0·∞ and 0·NaN are NaN in derivatives, as by IEEE 754; False by default."""
    return _ieee[0]


def set_ieee_gradients(on: Any) -> None:
    """Choose what a cotangent of 0 times an infinite or NaN slope is from now on, in all threads.

    False, the default, makes it 0: what doesn't reach the result contributes nothing. True makes it
    NaN, as IEEE 754 does, which shows that a slope was infinite.

    >>> import palingrad as pg
    >>> f = lambda x: pg.where(x > 0, pg.sqrt(x), 0)
    >>> pg.grad(f)(-1.0)
    array(0., dtype=float32)
    """
    if not isinstance(on, bool):
        raise TypeError(f"set_ieee_gradients: expected True or False, got {on!r:.60}")
    _ieee[0] = on
    setting_changes[0] += 1  # last: who reads it before sees the new setting, or asks again


@register
def scaled(g: Node, slope: Any) -> Node | None:
    """g · slope, for a cotangent g and a slope in any form that `Elementwise.d` returns, except a
    function. A cotangent of 0 is absorbing."""
    product = ops.multiply if _ieee[0] else ops.absorbing_product
    return _product(g, slope, product)


@register
def scaled_tangent(t: Node, slope: Any) -> Node | None:
    """t · slope, for a tangent t: the same in forward mode.

    A slope of 0 is absorbing too: forward mode meets it after the infinite slope before it, where
    reverse mode meets it first.
    """
    product = ops.multiply if _ieee[0] else ops.doubly_absorbing_product
    return _product(t, slope, product)


def _product(g: Node, slope: Any, product: Callable[[Node, Any], Node]) -> Node | None:
    if slope is None or (type(slope) in _NUMBERS and slope == 0):
        return None
    if type(slope) in _NUMBERS:
        if slope == 1:
            return g
        return ops.negative(g) if slope == -1 else ops.multiply(g, slope)
    if slope.dtype == bool_:
        return ops.where(slope, g, 0)
    return product(g, slope) if is_inexact(slope.dtype) else ops.multiply(g, slope)


@register
def like_input(c: Node, x: Any) -> Node:
    """A cotangent or tangent in x's dtype: of a real x the real part."""
    if c.dtype == x.dtype:
        return c
    if is_complex(c.dtype) and not is_complex(x.dtype):
        return like_input(ops.real(c), x)
    return ops.cast(c, x.dtype)


@register
def conjugated(slope: Node) -> Node:
    """The conjugate of a slope; a real one unchanged."""
    return ops.conj(slope) if is_complex(slope.dtype) else slope
