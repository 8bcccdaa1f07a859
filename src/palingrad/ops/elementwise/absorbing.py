"""Products in which a factor of 0 is absorbing: of cotangents, tangents and slopes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.derivatives.cotangents import scaled, scaled_tangent
from ...graph.functions import binary
from ...graph.registry import ops, register
from ...graph.samples import case, edge
from ...maths.numpy import has_nan
from .arithmetic import Multiply

_SAMPLES = [
    case((3, 4), (3, 4)),
    case((3, 1), (4,)),
    case((0, 2), (2,)),
    edge(0.0, -0.0, 1.0, -2.0, np.inf, -np.inf, np.nan, inputs=2),
]


class AbsorbingProduct(Multiply):
    """z = x · y, and 0 where x = 0 and y is ±∞ or NaN. ∂z/∂x = y, ∂z/∂y = x.

    Gradients are made of such products, of a cotangent x and a slope y.
    """

    onnx = None
    samples = _SAMPLES

    def f(m, x, y):
        return m.absorbing_product(x, y)

    # y may be the infinite slope of a branch that isn't taken, where x = 0, so that a derivative
    # with respect to y is 0 there.
    def vjp(z, g, x, y):
        return [lambda: scaled(g, y), lambda: scaled_tangent(x, g)]

    def jvp(z, tangents, x, y):
        t, u = tangents
        return _sum_of(_term(t, y), _term(u, x))


class DoublyAbsorbingProduct(Multiply):
    """z = x · y, and 0 where x or y is 0, even if the other is ±∞ or NaN. ∂z/∂x = y, ∂z/∂y = x.

    Derivatives in forward mode are made of such products, of a tangent x and a slope y.
    """

    onnx = None
    samples = _SAMPLES

    def f(m, x, y):
        z = m.multiply(x, y)
        if isinstance(z, (np.ndarray, np.generic)) and not has_nan(np.asarray(z)):
            return np.asarray(z)
        if (unless_nan := getattr(type(z), "unless_nan", None)) is not None:  # machine code
            return unless_nan(z, lambda: m.where(m.logical_or(x == 0, y == 0), 0, z))
        return m.where(m.isnan(z) & m.logical_or(x == 0, y == 0), 0, z)

    def vjp(z, g, x, y):
        return [lambda: scaled_tangent(g, y), lambda: scaled_tangent(g, x)]

    def jvp(z, tangents, x, y):
        t, u = tangents
        return _sum_of(_term(t, y), _term(u, x))


def _term(t: Any, slope: Any) -> Any:
    return None if t is None else scaled_tangent(t, slope)


def _sum_of(a: Any, b: Any) -> Any:
    """a + b, where None is 0."""
    return b if a is None else a if b is None else ops.add(a, b)


absorbing_product = register(binary(AbsorbingProduct))
doubly_absorbing_product = register(binary(DoublyAbsorbingProduct))
