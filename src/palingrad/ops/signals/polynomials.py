"""Polynomials by their coefficients, the highest power first, as in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ArgumentError, ShapeError
from ...graph.kinds import Composite
from ...graph.node import Node
from ...graph.promotion import as_node, as_nodes
from ...graph.registry import ops, register
from ...graph.samples import case, complex_case
from ...messages.checks import flag, whole
from ...shapes import Shape, text
from ..indexing.known import value_of
from ..linalg.singular import lstsq
from ..linalg.spectral import eigvals
from ..reduction.axes import narrowed, widened


class Polyval(Composite):
    """y = p₀·xⁿ⁻¹ + p₁·xⁿ⁻² + … + pₙ₋₁ for n coefficients p, by Horner's rule."""

    math = r"\operatorname{polyval}({p}, {x})"
    samples = [
        case((4,), (2, 3)),
        case((1,), (2,)),
        case((0,), (2,)),
        complex_case((3,), (2,)),
    ]

    def shape_rule(self, *shapes: Shape) -> Shape:
        _check_vector("p", shapes[0])
        return shapes[1]

    def expand(y, p: Any, x: Any):
        p, wide = widened(p), widened(x)
        if not p.shape[0]:
            return ops.zeros_like(x)
        total = ops.broadcast_to(p[0], x.shape)
        for place in range(1, p.shape[0]):
            total = total * wide + p[place]
        return narrowed(total, x.dtype)


class Vander(Composite):
    """y[i, j] = xᵢʲ, or xᵢⁿ⁻¹⁻ʲ unless `increasing`, for j from 0 to n − 1.

    The powers are products of x, so that their slopes at 0 are right.
    """

    math = r"\operatorname{vander}({x})"
    samples = [
        case((3,), n=3, increasing=True),
        case(np.array([0.0, 1.5]), n=4, increasing=False),
        case((2,), n=1, increasing=False),
        complex_case((2,), n=3, increasing=True),
    ]

    def shape_rule(self, *shapes: Shape) -> Shape:
        _check_vector("x", shapes[0])
        return (shapes[0][0], self.attributes["n"])

    def expand(y, x):
        wide = widened(x)
        powers = [ops.ones_like(wide), wide][: y.n]
        while len(powers) < y.n:
            powers.append(powers[-1] * wide)
        columns = powers if y.increasing else powers[::-1]
        found = ops.stack(columns, axis=1) if columns else ops.reshape(wide[:0], (x.shape[0], 0))
        return narrowed(found, x.dtype)


def _check_vector(what: str, shape: Shape) -> None:
    if len(shape) != 1:
        raise ShapeError(f"{what} {text(shape)} isn't a vector", hint="Flatten it: x.reshape(-1).")


def _coefficients(function: str, p: Any) -> Any:
    """The coefficients as a vector of known length; a number is one coefficient."""
    p = as_node(p)
    if p.ndim == 0:
        p = ops.reshape(p, (1,))
    if p.shape is None or None in p.shape or p.ndim != 1:
        raise ShapeError(f"{function}: coefficients of shape {text(p.shape)}; expected a vector",
                         hint="Give the placeholder a shape, such as (4,).")  # fmt: skip
    return p


@register
def polyval(p: Any, x: Any, /, *, name: str | None = None) -> Node:
    """y = p₀·xⁿ⁻¹ + … + pₙ₋₁: the polynomial with n coefficients p, highest power first, at x."""
    p, x = as_nodes(p, x)
    return Polyval(_coefficients("polyval", p), x, name=name)


@register
def polyder(p: Any, /, m: int = 1, *, name: str | None = None) -> Node:
    """The coefficients of the derivative of order `m` of a polynomial, highest power first."""
    p = _coefficients("polyder", p)
    for _ in range(whole("polyder: m", m)):
        degree = p.shape[0] - 1
        p = p[:-1] * np.arange(degree, 0, -1) if degree > 0 else p[:0]
    return ops.positive(p, name=name)


@register
def polyint(p: Any, /, m: int = 1, k: Any = None, *, name: str | None = None) -> Node:
    """The coefficients of the integral of order `m` of a polynomial, highest power first.

    k: the constants of integration, one for all or one for each order; by default 0.
    """
    m = whole("polyint: m", m)
    p, constants = (_coefficients("polyint", one) for one in as_nodes(p, 0.0 if k is None else k))
    if constants.shape[0] not in (1, m):
        raise ArgumentError(f"polyint: {constants.shape[0]} constants for order {m}.",
                            hint="Give one constant, or one for each order.")  # fmt: skip
    for order in range(m):
        p = p / np.arange(p.shape[0], 0, -1)
        constant = constants[order : order + 1] if constants.shape[0] > 1 else constants
        p = ops.concat([p, constant])
    return ops.positive(p, name=name)


def _aligned(function: str, one: Any, other: Any) -> tuple[Any, Any]:
    """Two polynomials, the shorter with zeros in front."""
    one, other = (_coefficients(function, p) for p in as_nodes(one, other))
    length = max(one.shape[0], other.shape[0])
    return tuple(ops.pad(p, (length - p.shape[0], 0)) for p in (one, other))  # pyright: ignore


@register
def polyadd(a: Any, b: Any, /, *, name: str | None = None) -> Node:
    """The coefficients of the sum of two polynomials, highest power first."""
    return ops.add(*_aligned("polyadd", a, b), name=name)


@register
def polysub(a: Any, b: Any, /, *, name: str | None = None) -> Node:
    """The coefficients of the difference of two polynomials, highest power first."""
    return ops.subtract(*_aligned("polysub", a, b), name=name)


@register
def polymul(a: Any, b: Any, /, *, name: str | None = None) -> Node:
    """The coefficients of the product of two polynomials, highest power first.

    Leading zeros are kept, unlike in NumPy: they would make the shape depend on values.
    """
    a, b = (_coefficients("polymul", one) for one in as_nodes(a, b))
    return ops.convolve(a, b, name=name)


@register
def poly(roots: Any, /, *, name: str | None = None) -> Node:
    """The coefficients of Π (x − rootᵢ), highest power first. The roots are a vector."""
    roots = _coefficients("poly", roots)
    total = ops.ones_like(ops.reshape(ops.sum(roots[:0]), (1,)))
    for place in range(roots.shape[0]):
        total = ops.pad(total, (0, 1)) - roots[place] * ops.pad(total, (1, 0))
    return ops.positive(total, name=name)


@register
def vander(
    x: Any, /, N: int | None = None, increasing: bool = False, *, name: str | None = None
) -> Node:
    """y[i, j] = xᵢᴺ⁻¹⁻ʲ, or xᵢʲ with `increasing`: the N powers of a vector in columns.

    N: by default the length of x.
    """
    x = as_node(x)
    if N is None:
        length = None if x.shape is None or x.ndim != 1 else x.shape[0]
        if length is None:
            raise ShapeError(f"vander: x has shape {text(x.shape)}; expected a vector of known "
                             "length", hint="Write N=3 for three columns.")  # fmt: skip
        count = length
    else:
        count = whole("vander: N", N, like=3)
    return Vander(x, n=count, increasing=flag("vander: increasing", increasing), name=name)


@register
def polyfit(x: Any, y: Any, /, deg: int, w: Any = None, *, name: str | None = None) -> Node:
    """The coefficients p, highest power first, of the polynomial of degree `deg` that makes
    Σᵢ wᵢ² (yᵢ − p(xᵢ))² least.

    x is a vector; y may have columns, fitted one by one. Columns of powers are scaled to norm 1 and
    solved by `linalg.lstsq`, as in NumPy.
    """
    x, y = as_nodes(x, y)
    powers = vander(x * 1.0, whole("polyfit: deg", deg, like=2) + 1)
    if w is not None:
        w = as_node(w)
        powers = powers * ops.expand_dims(w, 1)
        y = y * ops.reshape(w, (-1,) + (1,) * ((y.ndim or 1) - 1))
    lengths = ops.vector_norm(powers, axis=0)
    lengths = ops.where(lengths == 0, 1, lengths)
    solution = lstsq(powers / lengths, y).solution
    return ops.divide(solution, lengths if y.ndim == 1 else lengths[:, None], name=name)


@register
def roots(p: Any, /, *, name: str | None = None) -> Node:
    """The complex x with p₀·xⁿ⁻¹ + … + pₙ₋₁ = 0: the eigenvalues of the companion matrix.

    Zeros at either end of p are found by their values, which must be known; those at its end give
    as many roots 0, last and without a derivative.
    """
    p = _coefficients("roots", p)
    known = np.flatnonzero(value_of("roots", p, "Call it outside of the function, on an array."))
    first, last = (known[0], known[-1]) if known.size else (0, 0)
    zeros, p = (p.shape[0] - 1 - last if known.size else 0), p[first : last + 1]
    row = ops.expand_dims(-p[1:] / p[0] if known.size else p[1:] * 1.0, 0)
    degree = row.shape[1]
    matrix = ops.concat([row, ops.cast(np.eye(degree)[:-1], row.dtype)])
    found = eigvals(matrix[:degree])
    return ops.pad(found, (0, int(zeros)), name=name)
