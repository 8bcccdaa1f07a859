"""Functions of NumPy that are a few of other operations: angles, parts, tests of equality."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...dtypes import complex128, default_dtype, float64, is_complex, is_inexact
from ...errors import ShapeError
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.promotion import align, as_node, in_dtype, refuse_complex
from ...graph.registry import ops, register
from ...shapes import broadcast, known, same


def _float(x: Any) -> Node:
    return align((x,), promotes=True, floats=True)[0]


def _real(function: str, x: Any) -> Node:
    """x as a node of real numbers. Raises DTypeError for complex ones."""
    node = as_node(x)
    if is_complex(node.dtype):
        refuse_complex(node.dtype, function)
    return node


@register
def deg2rad(x: Any, /, *, name: str | None = None) -> Node:
    """y = x·π/180: degrees in radians."""
    return ops.multiply(_float(_real("deg2rad", x)), math.pi / 180, name=name)


@register
def rad2deg(x: Any, /, *, name: str | None = None) -> Node:
    """y = x·180/π: radians in degrees."""
    return ops.multiply(_float(_real("rad2deg", x)), 180 / math.pi, name=name)


@register
def rint(x: Any, /, *, name: str | None = None) -> Node:
    """y = the integer nearest to x, as a float; halves round to even. ∂y/∂x = 0."""
    return ops.round(_float(x), name=name)


@register
def fabs(x: Any, /, *, name: str | None = None) -> Node:
    """y = |x| as a float."""
    return ops.abs(_float(_real("fabs", x)), name=name)


@register
def float_power(x: Any, y: Any, /, *, name: str | None = None) -> Node:
    """z = xʸ in float64, or complex128."""
    first, second = as_node(x), as_node(y)
    kind = complex128 if is_complex(first.dtype) or is_complex(second.dtype) else float64
    return ops.pow(in_dtype(first, kind), in_dtype(second, kind), name=name)  # 0.1 isn't rounded


@register
def logaddexp2(x: Any, y: Any, /, *, name: str | None = None) -> Node:
    """z = log₂(2ˣ + 2ʸ), without overflow."""
    base = math.log(2)
    first, second = align((x, y), promotes=True, floats=True)
    return ops.divide(ops.logaddexp(first * base, second * base), base, name=name)


@register
def divmod(x: Any, y: Any, /) -> tuple[Node, Node]:
    """(⌊x/y⌋, x − ⌊x/y⌋·y): the quotient and the remainder with the sign of y."""
    return ops.floor_divide(x, y), ops.remainder(x, y)


@register
def modf(x: Any, /) -> tuple[Node, Node]:
    """(x − trunc x, trunc x): the fractional part, ±0 of ±∞, and the integral part."""
    x = _float(_real("modf", x))
    whole = ops.trunc(x)
    rest = ops.where(ops.isinf(x), 0, x - ops.where(ops.isinf(x), 0, whole))
    return ops.copysign(rest, x), whole


@register
def isposinf(x: Any, /, *, name: str | None = None) -> Node:
    """Whether x is ∞."""
    return ops.equal(_real("isposinf", x), math.inf, name=name)


@register
def isneginf(x: Any, /, *, name: str | None = None) -> Node:
    """Whether x is −∞."""
    return ops.equal(_real("isneginf", x), -math.inf, name=name)


@register
def nan_to_num(
    x: Any, /, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None, *,
    name: str | None = None,
) -> Node:  # fmt: skip
    """y = x with NaN replaced by `nan`, ∞ and −∞ by `posinf` and `neginf`, by default the largest
    and the smallest finite number; so the parts of complex x. ∂y/∂x = 1 where x is finite, else 0.
    """
    node = as_node(x)
    if node.dtype is not None and not is_inexact(node.dtype):
        return ops.positive(node, name=name) if node.dtype != np.bool_ else node
    if is_complex(node.dtype):
        parts = (ops.real(node), ops.imag(node))
        return ops.complex(*(nan_to_num(x, copy, nan, posinf, neginf) for x in parts), name=name)
    limits = np.finfo(node.dtype or default_dtype())
    high = float(limits.max) if posinf is None else posinf
    low = float(limits.min) if neginf is None else neginf
    y = ops.where(ops.isnan(node), nan, node)
    y = ops.where(ops.equal(node, math.inf), high, y)
    return ops.where(ops.equal(node, -math.inf), low, y, name=name)


@register
def isclose(
    x: Any, y: Any, /, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False, *,
    name: str | None = None,
) -> Node:  # fmt: skip
    """z = whether |x − y| ≤ atol + rtol·|y|, or x = y = ±∞; with `equal_nan` NaN is close to NaN.

    Integers are compared as float64.
    """
    first, second = align((x, y), promotes=True, floats=False)
    if first.dtype is not None and not is_inexact(first.dtype):
        first, second = ops.cast(first, float64), ops.cast(second, float64)
    near = ops.abs(first - second) <= atol + rtol * ops.abs(second)
    close = ops.equal(first, second) | (near & ops.isfinite(second))
    if equal_nan:
        close = close | (ops.isnan(first) & ops.isnan(second))
    return close if name is None else ops.logical_and(close, True, name=name)


@register
def allclose(
    x: Any, y: Any, /, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False, *,
    name: str | None = None,
) -> Node:  # fmt: skip
    """z = whether all elements are close, as by `isclose`."""
    return ops.all(isclose(x, y, rtol, atol, equal_nan), name=name)


@register
def array_equal(x: Any, y: Any, /, equal_nan: bool = False) -> Node:
    """z = whether x and y have one shape and equal elements; with `equal_nan` NaN equals NaN."""
    first, second = as_node(x), as_node(y)
    a, b = first.shape, second.shape
    if a is not None and b is not None and not (len(a) == len(b) and all(map(same, a, b))):
        return Constant(np.array(False))
    if a is None or b is None or not (known(a) and known(b)):
        lacking = first if a is None or not known(a) else second
        raise ShapeError(f"array_equal: the shape of {lacking.label()} isn't known yet"
                         f"{lacking.built()}.", hint="Write pg.all(x == y).")  # fmt: skip
    return _all_equal(first, second, equal_nan)


@register
def array_equiv(x: Any, y: Any, /) -> Node:
    """z = whether x and y broadcast against each other and have equal elements."""
    first, second = as_node(x), as_node(y)
    if first.shape is not None and second.shape is not None:
        try:
            broadcast(first.shape, second.shape)
        except ShapeError:
            return Constant(np.array(False))
    return _all_equal(first, second, False)


def _all_equal(x: Node, y: Node, equal_nan: bool) -> Node:
    same_elements = ops.equal(x, y)
    if equal_nan:
        same_elements = same_elements | (ops.isnan(x) & ops.isnan(y))
    return ops.all(same_elements)
