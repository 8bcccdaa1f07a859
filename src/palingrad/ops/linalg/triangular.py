"""Triangular systems, and what all linear equations share."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ArgumentError, ShapeError
from ...graph.batching.rules import solving
from ...graph.describe.notation import PRODUCT, Piece, applied, operator
from ...graph.kinds import Factorisation
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.samples import case
from ...messages.calls import public
from ...messages.checks import flag
from ...shapes import Dim, Shape, broadcast, same
from .parts import adjoint, column, lower, square, upper

# A well-conditioned matrix that isn't symmetric, and a batch.
REGULAR = np.array([[2.0, 0.5, -0.3], [0.2, 1.5, 0.6], [-0.4, 0.1, 1.8]])
BATCH = np.stack([REGULAR[:2, :2], REGULAR[1:, 1:]])
COMPLEX = REGULAR + 0.5j * REGULAR[::-1].T
TALL = np.array([[2.0, 0.5], [-0.3, 1.2], [0.4, -0.6]])
WIDE = np.array([[1.5, 0.2, -0.4], [-0.3, 0.8, 0.6]])
UPPER: dict[str, Any] = {"lower": False, "unit_diagonal": False}


def least(rows: Dim, columns: Dim) -> Dim:
    """The smaller size, if both are known."""
    return None if rows is None or columns is None else min(rows, columns)


def solution_shape(a: Shape, b: Shape) -> Shape:
    """The shape of a⁻¹ b; b is one vector if it has one axis, else matrices."""
    n = square(a, "a")
    if not b:
        raise ShapeError("b is a scalar, not a vector or matrix")
    rows = b[-2:][0]
    if not same(n, rows):
        hint = ""
        if len(b) > 1 and n == b[-1]:
            hint = "Vectors b[i] in rows are columns of b.mT."
        raise ShapeError(f"a has {n} rows and b {rows}", hint=hint)
    if len(b) == 1:
        return a[:-1]
    return (*broadcast(a[:-2], b[:-2]), n if rows is None else rows, b[-1])


def columns_of(x: Any, is_vector: bool) -> Any:
    """x as matrices; vectors become columns."""
    return column(x) if is_vector else x


class SolveTriangular(Factorisation):
    """x = t⁻¹ b for the triangle t of a. ∂L/∂b = t⁻ᵀ g, ∂L/∂a = −(∂L/∂b) xᵀ in the triangle.

    The other triangle of a isn't read, nor is its diagonal with `unit_diagonal`: it counts as 1.
    Shapes are those of `solve`. Raises `numpy.linalg.LinAlgError` for a 0 on a diagonal.
    """

    batched = solving
    math = r"{a}^{-1}\,{b}"
    _library = "solve_triangular"
    samples = [
        case(REGULAR, np.array([[1.0, -0.5], [0.5, 2.0], [-1.0, 0.3]]),
             lower=True, unit_diagonal=False),
        case(BATCH, np.array([0.5, -1.5]), lower=False, unit_diagonal=False),
        case(REGULAR, np.array([[[1.0], [0.5], [2.0]]]), lower=False, unit_diagonal=True),
        case(COMPLEX, COMPLEX[0], lower=True, unit_diagonal=False),
    ]  # fmt: skip

    def notation(x, a, b):
        part = operator("tril" if x.lower else "triu")
        if not x.unit_diagonal:
            triangle = applied(part, [a]).latex
        else:
            inner = applied(f"{part}_{{{-1 if x.lower else 1}}}", [a])
            triangle = rf"\left({inner.latex} + I\right)"
        return Piece(rf"{triangle}^{{-1}}\,{b.within(PRODUCT)}", PRODUCT)

    def f(m, a, b, *, lower, unit_diagonal):
        return m.solve_triangular(a, b, lower, unit_diagonal)

    def shape_rule(x, *shapes):
        return solution_shape(*shapes)

    def vjp(x, g, a, b):
        is_vector = b.ndim == 1
        options: dict[str, Any] = {"lower": not x.lower, "unit_diagonal": x.unit_diagonal}
        w = SolveTriangular(a.mT, columns_of(g, is_vector), **options)

        def of_a() -> Any:
            whole = -(w @ columns_of(x, is_vector).mT)
            offset = 1 if x.unit_diagonal else 0
            return lower(whole, -offset) if x.lower else upper(whole, offset)

        return [of_a, lambda: w[..., 0] if is_vector else w]


@public
def solve_triangular(
    a: Any,
    b: Any,
    /,
    trans: Any = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    *,
    name: str | None = None,
) -> Node:
    """x = t⁻¹ b for the upper triangle t of a, or the `lower` one; the other isn't read.

    a (…, n, n); b (n,) is one vector, b (…, n, k) are matrices, whose leading axes broadcast.
    `trans` selects t (0 or "N"), tᵀ (1 or "T") or tᴴ (2 or "C"); with `unit_diagonal` the diagonal
    counts as 1. Raises `numpy.linalg.LinAlgError` for a 0 on a diagonal.
    """
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise ArgumentError(f"solve_triangular: trans is {trans!r:.40}; expected 0, 1 or 2.",
                            hint="Write trans=1 to solve tᵀ x = b.")  # fmt: skip
    is_lower = flag("solve_triangular: lower", lower)
    if trans not in (0, "N"):
        a, is_lower = as_node(a), not is_lower
        a = a.mT if trans in (1, "T") else adjoint(a)
    unit = flag("solve_triangular: unit_diagonal", unit_diagonal)
    return SolveTriangular(a, b, lower=is_lower, unit_diagonal=unit, name=name)


@public
def cho_solve(factor: Any, b: Any, /, *, name: str | None = None) -> Node:
    """x = a⁻¹ b, where `factor` is (c, lower) of `cho_factor`: a = c cᴴ if lower, else cᴴ c."""
    if not isinstance(factor, tuple) or len(factor) != 2:
        raise ArgumentError(
            "cho_solve: the first argument is a pair (c, lower).",
            hint="Write pg.linalg.cho_solve((pg.linalg.cholesky(a), True), b).",
        )
    c, is_lower = as_node(factor[0]), flag("cho_solve: lower", factor[1])
    first, second = (c, adjoint(c)) if is_lower else (adjoint(c), c)
    half = SolveTriangular(first, b, lower=True, unit_diagonal=False)
    return SolveTriangular(second, half, lower=False, unit_diagonal=False, name=name)
