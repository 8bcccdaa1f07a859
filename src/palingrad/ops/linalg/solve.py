"""Linear equations, Sylvester's included, and inverses."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ArgumentError, ShapeError
from ...graph.batching.rules import solving
from ...graph.describe.notation import ATOM, PRODUCT, Piece
from ...graph.functions import unary
from ...graph.kinds import Composite, Factorisation
from ...graph.node import Node
from ...graph.registry import ops
from ...graph.samples import case
from ...messages.calls import public
from ...shapes import broadcast, same, sizes
from .lu import LuFactor, LuSolve
from .parts import matrix, square
from .triangular import BATCH, COMPLEX, REGULAR, WIDE, columns_of, solution_shape

# From this size on the LU factors of single matrices are kept for derivatives: below, keeping them
# costs more than computing them again.
_FACTORED = 100

# Three diagonals, of two matrices.
BANDS = np.stack([REGULAR, REGULAR[::-1]]) + np.array([[0.0], [4.0], [0.0]])


class Solve(Composite):
    """x = a⁻¹ b, the solution of a x = b. ∂L/∂b = a⁻ᵀ g, ∂L/∂a = −(∂L/∂b) xᵀ, g = ∂L/∂x.

    a (…, n, n), transposed first if `transposed`; b (n,) is one vector, b (…, n, k) are matrices,
    whose leading axes broadcast. Raises `numpy.linalg.LinAlgError` if a matrix is singular. The LU
    factors of a large matrix are computed once for the solution and its derivatives.
    """

    batched = solving
    math = r"{a}^{-1}\,{b}"
    floats = complexes = True
    samples = [
        case(REGULAR, np.array([[1.0, -0.5], [0.5, 2.0], [-1.0, 0.3]]), transposed=False),
        case(BATCH, np.array([0.5, -1.5]), transposed=False),
        case(REGULAR[:2, :2], np.array([[[1.0], [0.5]], [[-1.0], [2.0]]]), transposed=True),
        case(COMPLEX, COMPLEX[:, :1], transposed=False),
    ]

    def shape_rule(x, *shapes):
        return solution_shape(*shapes)

    def notation(x, a, b):
        power = "-T" if x.transposed else "-1"
        return Piece(rf"{a.within(ATOM)}^{{{power}}}\,{b.within(PRODUCT)}", PRODUCT)

    def expand(x, a, b):
        if a.ndim == 2 and sizes(a.shape)[0] >= _FACTORED:
            return LuSolve(*LuFactor(a).items, b, transposed=x.transposed)
        return DirectSolve(a.mT if x.transposed else a, b)

    def vjp(x, g, a, b):
        return solution_slopes(x, g, a, b, x.transposed)


def solution_slopes(x: Any, g: Any, a: Any, b: Any, transposed: bool) -> list[Any]:
    """The cotangents of a and b from that of x = a⁻¹ b, or a⁻ᵀ b."""
    is_vector = b.ndim == 1
    w = Solve(a, columns_of(g, is_vector), transposed=not transposed)

    def of_a() -> Any:
        solution = columns_of(x, is_vector)
        return -(solution @ w.mT) if transposed else -(w @ solution.mT)

    return [of_a, lambda: w[..., 0] if is_vector else w]


class DirectSolve(Factorisation):
    """x = a⁻¹ b in one call of LAPACK, which keeps no factors: what `solve` is for small and for
    many matrices."""

    batched = solving
    math = r"{a}^{-1}\,{b}"
    _library = "solve"
    samples = [
        case(REGULAR, np.array([[1.0, -0.5], [0.5, 2.0], [-1.0, 0.3]])),
        case(BATCH, np.array([0.5, -1.5])),
    ]

    def f(m, a, b):
        return m.solve(a, b)

    def shape_rule(x, *shapes):
        return solution_shape(*shapes)

    def vjp(x, g, a, b):
        return solution_slopes(x, g, a, b, False)


class Inv(Factorisation):
    """y = x⁻¹. ∂L/∂x = −yᵀ g yᵀ. Raises `numpy.linalg.LinAlgError` if a matrix is singular."""

    math = "{x}^{-1}"
    samples = [case(REGULAR), case(BATCH), case(COMPLEX)]

    def f(m, x):
        return m.inv(x)

    def shape_rule(y, *shapes):
        square(shapes[0])
        return shapes[0]

    def vjp(y, g, x):
        return [-(y.mT @ g @ y.mT)]


class SolveSylvester(Factorisation):
    """x with a x + x b = q. With w such that aᵀ w + w bᵀ = g, ∂L/∂q = w, ∂L/∂a = −w xᵀ and
    ∂L/∂b = −xᵀ w.

    Raises `numpy.linalg.LinAlgError` if a and −b have a common eigenvalue.
    """

    math = r"\operatorname{sylvester}({a}, {b}, {q})"
    samples = [
        case(REGULAR, BATCH[0], np.array([[1.0, -0.5], [0.5, 2.0], [-1.0, 0.3]])),
        case(BATCH, REGULAR, WIDE),
        case(np.array([[1.0, 2.0], [-1.5, 0.4]]), np.array([[0.5, 1.0], [-2.0, 0.3]]), BATCH),
        case(COMPLEX, COMPLEX.T, COMPLEX),
    ]

    def f(m, a, b, q):
        return m.solve_sylvester(a, b, q)

    def shape_rule(x, *shapes):
        a, b, q = shapes
        rows, columns = square(a, "a"), square(b, "b")
        if not all(map(same, matrix(q, "q"), (rows, columns))):
            raise ShapeError(f"q has shape {q[-2:]}; a and b ask for {(rows, columns)}")
        return (*broadcast(a[:-2], b[:-2], q[:-2]), *q[-2:])

    def vjp(x, g, a, b, q):
        w = SolveSylvester(a.mT, b.mT, g)
        return [lambda: -(w @ x.mT), lambda: -(x.mT @ w), w]


class SolveBanded(Factorisation):
    """x = a⁻¹ b, where aᵢⱼ = ab[upper + i − j, j] in the band of a and 0 elsewhere.

    ∂L/∂b = a⁻ᵀ g, and ∂L/∂ab has the elements of −(∂L/∂b) xᵀ in the band. Elements of ab outside
    the matrix aren't read. Raises `numpy.linalg.LinAlgError` if a matrix is singular.
    """

    batched = solving
    math = r"\operatorname{band}({a})^{-1}\,{b}"
    samples = [
        case(np.array([[[9.0, 0.5, 1, 2], [2, 3, 4, 3]]]), np.ones((4, 2)), lower=0, upper=1),
        case(BANDS, REGULAR[0], lower=1, upper=1),
        case(COMPLEX, COMPLEX[:, :1], lower=2, upper=0),
    ]

    def f(m, ab, b, *, lower, upper):
        return m.solve_banded(ab, b, lower, upper)

    def shape_rule(x, *shapes):
        ab, b = shapes
        rows, n = matrix(ab, "ab")
        expected = x.attributes["lower"] + x.attributes["upper"] + 1
        if not same(rows, expected):
            raise ShapeError(f"ab has {rows} rows; l + u + 1 diagonals are {expected}")
        return solution_shape((*ab[:-2], n, n), b)

    def vjp(x, g, ab, b):
        n, is_vector = sizes(ab.shape)[-1], b.ndim == 1
        rows, columns = np.arange(x.lower + x.upper + 1)[:, None], np.arange(n)
        turned = x.lower + x.upper - rows, columns + rows - x.lower  # where aᵀ has these elements
        transposed = _within(ab[(..., turned[0], _clipped(turned[1], n))], turned[1], n)
        w = SolveBanded(transposed, columns_of(g, is_vector), lower=x.upper, upper=x.lower)

        def of_ab() -> Any:
            at = columns + rows - x.upper
            left = w[(..., _clipped(at, n), slice(None))]  # (…, diagonals, n, k)
            right = ops.expand_dims(columns_of(x, is_vector), axis=-3)
            return _within(-ops.sum(left * right, axis=-1), at, n)

        return [of_ab, lambda: w[..., 0] if is_vector else w]


def _clipped(at: Any, n: int) -> Any:
    return np.clip(at, 0, n - 1)


def _within(x: Any, at: Any, n: int) -> Any:
    """x where 0 ≤ at < n, else 0."""
    return ops.where((at >= 0) & (at < n), x, 0)


inv = public(unary(Inv))


@public
def solve(a: Any, b: Any, /, *, name: str | None = None) -> Node:
    """x = a⁻¹ b, the solution of a x = b.

    a (…, n, n); b (n,) is one vector, b (…, n, k) are matrices, whose leading axes broadcast.
    Raises `numpy.linalg.LinAlgError` if a matrix is singular.
    """
    return Solve(a, b, transposed=False, name=name)


@public
def solve_sylvester(a: Any, b: Any, q: Any, /, *, name: str | None = None) -> Node:
    """x with a x + x b = q, for a (…, m, m), b (…, n, n) and q (…, m, n).

    Raises `numpy.linalg.LinAlgError` if a and −b have a common eigenvalue: then there is no
    solution, or not one alone.
    """
    return SolveSylvester(a, b, q, name=name)


@public
def solve_banded(l_and_u: Any, ab: Any, b: Any, /, *, name: str | None = None) -> Node:
    """x = a⁻¹ b for a matrix a with l diagonals below the main one and u above: aᵢⱼ is
    ab[u + i − j, j].

    ab (…, l + u + 1, n); b (n,) is one vector, b (…, n, k) are matrices, whose leading axes
    broadcast. Elements of ab outside the matrix aren't read. Raises `numpy.linalg.LinAlgError` if a
    matrix is singular.
    """
    pair: Any = tuple(l_and_u) if isinstance(l_and_u, (tuple, list)) else ()
    if len(pair) != 2 or not all(isinstance(n, (int, np.integer)) and n >= 0 for n in pair):
        raise ArgumentError(
            f"solve_banded: the first argument is {l_and_u!r:.40}; expected (l, u), the numbers of "
            "diagonals below and above the main one.",
            hint="Write pg.linalg.solve_banded((1, 1), ab, b) for three diagonals.",
        )
    return SolveBanded(ab, b, lower=int(pair[0]), upper=int(pair[1]), name=name)
