"""Contractions: matmul, dot, outer."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from ..dtypes import int32, is_boolean
from ..errors import ShapeError
from ..graph.describe.notation import ATOM, POWER, PRODUCT, Piece, leading, vec
from ..graph.functions import binary
from ..graph.kinds import Composite, Contract
from ..graph.node import Node
from ..graph.registry import ops, register
from ..graph.samples import case
from ..shapes import Shape, broadcast, same, sizes


class Matmul(Contract):
    """z = x y, the matrix product over the last two axes. ∂L/∂x = g yᵀ, ∂L/∂y = xᵀ g, g = ∂L/∂z.

    x (…, m, k) and y (…, k, n) give z (…, m, n); the leading axes broadcast. A 1-D x is a row and a
    1-D y a column, whose axis of size 1 is removed from z.
    """

    math, symbol, onnx = r"{x}\,{y}", "@", "MatMul"
    samples = [
        case((3, 4), (4, 2)),
        case((4, 4), (4, 4)),
        case((4,), (4,)),
        case((3, 4), (4,)),
        case((4,), (4, 2)),
        case((2, 3, 4), (4, 5)),
        case((2, 1, 3, 4), (5, 4, 2)),
        case((2, 3, 4), (4,)),
        case((4,), (2, 4, 3)),
        case((1, 1), (1, 1)),
        case((1,), (1, 2)),
        case((0, 3), (3, 2)),
        case((2, 0), (0, 3)),
        case(np.array([[1, 0], [0, -1]]), np.array([1, 2])),
    ]

    def f(m, x, y):
        return m.matmul(x, y)

    def shape_rule(z, *shapes):
        x, y = shapes
        if not x or not y:
            raise ShapeError("an operand has no axes", hint="Use * to multiply by a number.")
        inner_x, inner_y = x[-1], y[-2:][0]  # the only axis of a 1-D y is the inner one
        if not same(inner_x, inner_y):
            raise ShapeError(f"inner sizes {inner_x} and {inner_y} differ", hint=_hint(x, y))
        rows = x[-2:-1] if len(x) > 1 else ()
        columns = y[-1:] if len(y) > 1 else ()
        return (*broadcast(x[:-2], y[:-2]), *rows, *columns)

    def simpler(z, *given: Node) -> Node | None:
        """Booleans are multiplied as integers; an inner size of 1 makes z a broadcast product."""
        if is_boolean(z.dtype):
            return ops.matmul(*(ops.cast(x, int32) for x in given)) != 0
        x, y = (sizes(node.shape) for node in given)
        if len(x) > 1 < len(y) and x[-1] == 1:
            return ops.multiply(*given) + 0  # a sum starts at 0.0: −0.0 becomes 0.0
        return None

    def vjp(z, g, x, y):
        if x.ndim == y.ndim == 1:
            return [lambda: ops.scaled(g, y), lambda: ops.scaled(g, x)]
        if x.ndim == 1:
            row = ops.expand_dims(g, axis=-2)  # (..., 1, n)
            left = ops.expand_dims(x, axis=0)  # (1, k)
            return [lambda: _vector(row @ y.mT, x, -2), lambda: left.mT @ row]
        if y.ndim == 1:
            column = ops.expand_dims(g, axis=-1)  # (..., m, 1)
            right = ops.expand_dims(y, axis=-1)  # (k, 1)
            return [lambda: column @ right.mT, lambda: _vector(x.mT @ column, y, -1)]
        return [lambda: g @ y.mT, lambda: x.mT @ g]

    def notation(z, x, y):
        if z.inputs[0].ndim == z.inputs[1].ndim == 1:
            return Piece(f"{x.within(ATOM)}^T {y.within(ATOM)}", PRODUCT)
        factors = leading(x), y
        left, right = (
            _elementwise(f).within(ATOM if r"\odot" in f.latex else PRODUCT) for f in factors
        )
        return Piece(f"{left}\\,{right}", PRODUCT)

    def structure(z, position, size, out):
        if out == 1 or any(len(x.shape or ()) == 1 for x in z.inputs):
            return "rows of the other operand" if position == 0 else "the other operand"
        return "Kronecker: I ⊗ yᵀ" if position == 0 else "Kronecker: x ⊗ I"


def _elementwise(x: Piece) -> Piece:
    """A factor of a product of matrices: in x^2 of the elements the sign ⊙ says so."""
    power = re.fullmatch(r"(.*)\^(?:\{(\d+)\}|(\d))", x.latex)
    if x.level != POWER or power is None:
        return x
    return Piece(rf"{power[1]}^{{\odot {power[2] or power[3]}}}", POWER)


def _vector(g: Any, x: Any, axis: int) -> Any:
    """g summed over the batch axes, without the axis of size 1 that made the 1-D x a matrix."""
    return ops.sum_to(ops.squeeze(g, axis=axis), x.shape)


def _hint(x: Shape, y: Shape) -> str:
    inner, *_ = y[-2:]
    if len(y) > 1 and x[-1] == y[-1] is not None:
        return "Did you mean y.mT?"
    if len(x) > 1 and x[-2] == inner is not None:
        return "Did you mean x.mT?"
    return ""


class Dot(Composite):
    """z = Σ x·y over the last axis of x and the last but one axis of y, as in `numpy.dot`."""

    math, symbol = r"{x} \cdot {y}", "·"
    samples = [
        case((4,), (4,)),
        case((3, 4), (4, 2)),
        case((), (3,)),
        case((2, 3, 4), (4,)),
        case((2, 3), (5, 3, 4)),
    ]

    def expand(z, x, y):
        if not x.ndim or not y.ndim:
            return x * y
        if y.ndim <= 2:
            return x @ y
        k, n = y.shape[-2:]
        batch = y.shape[:-2]
        order = (y.ndim - 2, *range(y.ndim - 2), y.ndim - 1)
        flat = ops.reshape(ops.permute_dims(y, order), (k, math.prod(batch) * n))  # (k, batch · n)
        return ops.reshape(x @ flat, (*x.shape[:-1], *batch, n))


class Outer(Composite):
    """zᵢⱼ = xᵢ·yⱼ, the outer product z = x yᵀ of the flattened inputs."""

    math = r"{x} \otimes {y}"
    samples = [case((3,), (4,)), case((2, 2), (3,)), case((0,), (2,))]

    def notation(z, x, y):
        vectors = [vec(p) if a.ndim != 1 else p for p, a in zip((x, y), z.inputs, strict=True)]
        return super().notation(*vectors)

    def expand(z, x, y):
        return ops.reshape(x, (_size(x), 1)) * ops.reshape(y, (1, _size(y)))


def _size(x: Any) -> int:
    return int(np.prod(x.shape, dtype=np.int64))


matmul = register(binary(Matmul))
dot = register(binary(Dot))
outer = register(binary(Outer))
