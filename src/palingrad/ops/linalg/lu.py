"""The LU factorisation, LAPACK's form of it, and equations solved by it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...dtypes import int32, int64, real_of
from ...errors import ArgumentError, ShapeError
from ...graph.batching.rules import solving
from ...graph.kinds import Factorisation
from ...graph.node import Node
from ...graph.operation import MultipleOutputs
from ...graph.promotion import align, as_node
from ...graph.registry import ops
from ...graph.samples import case
from ...messages.calls import public
from ...shapes import broadcast, same, sizes
from ..indexing.known import integers
from .parts import conjugated, lower, matrix, square, upper
from .triangular import (
    BATCH,
    COMPLEX,
    REGULAR,
    TALL,
    UPPER,
    WIDE,
    SolveTriangular,
    columns_of,
    least,
    solution_shape,
)

CYCLED = REGULAR[[1, 2, 0]]  # whose permutation isn't its own inverse


def factors_to_matrix(f: Any, g: Any) -> Any:
    """The cotangent of l u from the cotangent g of f, LAPACK's form of both factors."""
    rows, columns = sizes(f.shape)[-2:]
    k = min(rows, columns)
    core = g if rows == columns else g[..., :k, :k]
    parts: list[Any] = []
    if rows > columns:  # l₂ = x₂ u⁻¹
        below = _right_divided(g[..., k:, :], f[..., :k, :])
        core, parts = core - upper(f[..., k:, :].mT @ below), [below]
    if columns > rows:  # u₂ = l⁻¹ x₂
        beside = SolveTriangular(f[..., :k].mT, g[..., k:], lower=False, unit_diagonal=True)
        core, parts = core - lower(beside @ f[..., k:].mT, -1), [beside]
    whole = LuSlope(f[..., :k, :k] if parts else f, core)
    return ops.concat([whole, *parts], axis=-2 if rows > columns else -1) if parts else whole


def _right_divided(x: Any, u: Any) -> Any:
    """x u⁻ᵀ for an upper triangular u: the transpose of u⁻¹ xᵀ."""
    return SolveTriangular(u, x.mT, **UPPER).mT


class LuSlope(Factorisation):
    """y = the cotangent of l u from the cotangent g of f, which holds square factors l and u.

    It is l⁻ᵀ (lᵀ g below the diagonal, g uᵀ on and above it) u⁻ᵀ: in these triangles only that of
    l, or of u, in g counts. Computed in blocks, and differentiated as this formula.
    """

    math = r"\operatorname{D\,lu}({f})^{*}\left[{g}\right]"
    _library = "lu_slope"
    samples = [
        case(REGULAR, REGULAR[::-1]),
        case(BATCH[0], BATCH),
        case(COMPLEX, COMPLEX[:, ::-1]),
    ]

    def f(m, f, g):
        return m.lu_slope(f, g)

    def shape_rule(y, *shapes):
        f, g = shapes
        if not same(square(f, "f"), square(g, "g")):
            raise ShapeError("f and g have different sizes")
        return (*broadcast(f[:-2], g[:-2]), *f[-2:])

    def vjp(y, t, f, g):
        def formula(f: Any, g: Any) -> Any:
            l, u = _unit_lower(f), upper(f)
            inner = lower(l.mT @ g, -1) + upper(g @ u.mT)
            return _right_divided(SolveTriangular(f.mT, inner, lower=False, unit_diagonal=True), f)

        def of_f() -> Any:
            fixed = ops.positive(g)  # a node of its own: g may depend on f, which counts elsewhere
            return ops.pull_back(formula(f, fixed), [f, fixed], t)[0]

        def of_g() -> Any:
            fixed = ops.positive(f)
            return ops.pull_back(formula(fixed, g), [fixed, g], t)[1]

        return [of_f, of_g]


def rows_at(x: Any, order: Any) -> Any:
    """Row orderᵢ of x as row i."""
    if x.ndim == 2:
        return ops.take(x, order, axis=0)
    return ops.take_along_axis(x, ops.expand_dims(order, axis=-1), axis=-2)


class LU(MultipleOutputs, Factorisation):
    """p, l, u with x = p l u: a permutation, a unit lower and an upper triangular matrix.

    For square x, ∂L/∂x = p l⁻ᵀ (the triangle below the diagonal of lᵀ a, and b uᵀ above) u⁻ᵀ with
    the cotangents a of l and b of u.
    """

    math = r"\operatorname{lu} {x}"
    samples = [
        case(CYCLED),
        case(TALL[None]),
        case(WIDE[None]),
        case(np.stack([CYCLED, REGULAR])),
        case(COMPLEX),
    ]

    def f(m, x):
        return m.lu(x)

    @property
    def count(self) -> int:
        return 3

    def shape_rule(y, *shapes):
        rows, columns = matrix(shapes[0])
        outer, k = shapes[0][:-2], least(rows, columns)
        return (*outer, rows, rows), (*outer, rows, k), (*outer, k, columns)

    def dtype_rule(y, *dtypes):
        return real_of(dtypes[0]), dtypes[0], dtypes[0]

    def vjp(y, g, x):
        p, l, u = y.items
        _, a, b = g
        if 0 in sizes(x.shape):
            return [ops.zeros_like(x)]
        whole = factors_to_matrix(_together(l, u), _together(a, b))
        return [rows_at(whole, ops.argmax(p, axis=-1))]


class LuFactor(MultipleOutputs, Factorisation):
    """l below the diagonal and u on and above it, as one matrix, and the pivots, as in LAPACK.

    Row i of x was exchanged with row pivᵢ, for i = 0, 1, …, which gave l u. The derivative is that
    of `lu`.
    """

    math = r"\operatorname{lu} {x}"
    _library = "lu_factor"
    samples = [
        case(CYCLED),
        case(TALL),
        case(WIDE),
        case(np.stack([CYCLED, REGULAR])),
        case(COMPLEX),
    ]

    def f(m, x):
        return m.lu_factor(x)

    @property
    def count(self) -> int:
        return 2

    def shape_rule(y, *shapes):
        rows, columns = matrix(shapes[0])
        return shapes[0], (*shapes[0][:-2], least(rows, columns))

    def dtype_rule(y, *dtypes):
        return dtypes[0], int32

    def vjp(y, g, x):
        *_, rows, columns = sizes(x.shape)
        if not rows or not columns:
            return [g[0]]
        f, piv = y.items
        whole = factors_to_matrix(f, g[0])
        return [rows_at(whole, ops.argsort(PivotOrder(piv, rows=rows)))]


def _together(l: Any, u: Any) -> Any:
    """LAPACK's form of the factors l (…, m, k) and u (…, k, n)."""
    *_, rows, k = sizes(l.shape)
    columns = sizes(u.shape)[-1]
    below = np.tri(k, k, -1, dtype=bool)
    if rows > k:
        return ops.concat([ops.where(below, l[..., :k, :], u), l[..., k:, :]], axis=-2)
    if columns > k:
        return ops.concat([ops.where(below, l, u[..., :k]), u[..., k:]], axis=-1)
    return ops.where(below, l, u)


def _unit_lower(f: Any) -> Any:
    """The unit lower triangular factor in LAPACK's form of them."""
    *_, rows, columns = sizes(f.shape)
    return ops.where(np.eye(rows, columns, dtype=bool), 1, lower(f, -1))


class PivotOrder(Factorisation):
    """y = the order of `rows` rows after exchanges: row i was row yᵢ. x are those of `LuFactor`."""

    math = r"\operatorname{order} {x}"
    floats = complexes = promotes = False
    samples = [case(np.array([[1, 1], [0, 2]]), rows=3), case(np.array([2]), rows=3)]

    def below(y) -> int | None:
        return y.attributes["rows"]

    def f(m, x, *, rows):
        return m.pivot_order(x, rows)

    def shape_rule(y, *shapes):
        return (*shapes[0][:-1], y.attributes["rows"])

    def dtype_rule(y, *dtypes):
        return int64


class LuSolve(Factorisation):
    """x = a⁻¹ b, or a⁻ᵀ b if `transposed`, from f and piv of `LuFactor` of a = p l u.

    With w = a⁻ᵀ g, ∂L/∂b = w, and ∂L/∂f is −(pᵀ w)(u x)ᵀ below the diagonal, −(lᵀ pᵀ w) xᵀ on and
    above it; if `transposed`, w = a⁻¹ g, and x and w change places in ∂L/∂f. Raises
    `numpy.linalg.LinAlgError` if a matrix is singular, IndexError if a pivot isn't a row.
    """

    batched = solving
    math = r"\operatorname{lusolve}({f}, {p}, {b})"
    _library = "lu_solve"
    samples = [
        case(REGULAR, np.array([1, 2, 2]), REGULAR[:, :2], transposed=False),
        case(BATCH, np.array([[1, 1], [0, 1]]), np.array([0.5, -1.5]), transposed=True),
        case(BATCH[0], np.array([1, 1]), BATCH, transposed=False),
        case(COMPLEX, np.array([0, 2, 2]), COMPLEX[:, :1], transposed=True),
    ]

    def f(m, f, piv, b, *, transposed):
        return m.lu_solve(f, piv, b, transposed)

    def align_inputs(self, inputs: tuple[Any, ...]) -> tuple[Node, ...]:
        f, piv, b = inputs
        f, b = align((f, b), promotes=True, floats=True, complexes=True)
        return f, as_node(piv), b

    def shape_rule(x, *shapes):
        f, piv, b = shapes
        if not piv or not same(piv[-1], f[-1]):
            raise ShapeError("the pivots have another length than the factors have rows")
        return solution_shape(f, b)

    def vjp(x, g, f, piv, b):
        is_vector = b.ndim == 1
        w = LuSolve(f, piv, columns_of(g, is_vector), transposed=not x.transposed)

        def of_f() -> Any:
            left, right = w, columns_of(x, is_vector)
            if x.transposed:
                left, right = right, left
            order = PivotOrder(piv, rows=sizes(f.shape)[-1])
            order = ops.broadcast_to(order, sizes(left.shape)[:-1])
            rows = rows_at(left, order)  # pᵀ left
            l, u = _unit_lower(f), upper(f)
            return -(lower(rows @ (u @ right).mT, -1) + upper(l.mT @ rows @ right.mT))

        return [of_f, None, lambda: w[..., 0] if is_vector else w]


class LUResult(NamedTuple):
    """A permutation, a unit lower triangular and an upper triangular matrix."""

    P: Node
    L: Node
    U: Node


@public
def lu(x: Any, /, *, name: str | None = None) -> LUResult:
    """p, l, u with x = p l u: a permutation, a unit lower and an upper triangular matrix.

    For x (…, m, n) and k = min(m, n) the shapes are (…, m, m), (…, m, k) and (…, k, n). The rows
    are exchanged so that |l| ≤ 1 (partial pivoting).
    """
    return LUResult(*LU(x, name=name).items)


@public
def lu_factor(x: Any, /, *, name: str | None = None) -> tuple[Node, Node]:
    """(lu, piv) for `lu_solve`: the factors of x (…, m, n) in one matrix, and the row exchanges.

    l is below the diagonal of lu, without its ones, u on and above it; row i of x was exchanged
    with row pivᵢ, for i = 0, 1, … A singular x has a 0 on the diagonal of lu, which `lu_solve`
    refuses.
    """
    f, piv = LuFactor(x, name=name).items
    return f, piv


_TRANS = {0: 0, 1: 1, 2: 2, "N": 0, "T": 1, "C": 2}


@public
def lu_solve(lu_and_piv: Any, b: Any, /, trans: Any = 0, *, name: str | None = None) -> Node:
    """x = a⁻¹ b, where `lu_and_piv` is (lu, piv) of `lu_factor(a)`.

    b (n,) is one vector, b (…, n, k) are matrices. `trans` selects a (0 or "N"), aᵀ (1 or "T") or
    aᴴ (2 or "C"). Raises `numpy.linalg.LinAlgError` if a matrix is singular, IndexError if a pivot
    isn't the number of a row.
    """
    if not isinstance(lu_and_piv, (tuple, list)) or len(lu_and_piv) != 2:
        raise ArgumentError(
            "lu_solve: the first argument is a pair (lu, piv).",
            hint="Write pg.linalg.lu_solve(pg.linalg.lu_factor(a), b).",
        )
    if not isinstance(trans, (int, str)) or trans not in _TRANS:
        raise ArgumentError(f"lu_solve: trans is {trans!r:.40}; expected 0, 1 or 2.",
                            hint="Write trans=1 to solve aᵀ x = b.")  # fmt: skip
    f, piv = lu_and_piv[0], integers("lu_solve", lu_and_piv[1])
    if _TRANS[trans] < 2:
        return LuSolve(f, piv, b, transposed=bool(_TRANS[trans]), name=name)
    x = LuSolve(f, piv, conjugated(as_node(b)), transposed=True)  # a⁻ᴴ b = conj(a⁻ᵀ conj b)
    return ops.conj(x, name=name)
