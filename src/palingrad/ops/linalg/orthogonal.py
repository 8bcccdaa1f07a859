"""The QR and LU factorisations."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...errors import GradientError
from ...graph.kinds import Factorisation
from ...graph.node import Node
from ...graph.operation import MultipleOutputs
from ...graph.registry import ops
from ...graph.samples import case
from ...messages.calls import public
from ...messages.checks import one_of
from ...shapes import sizes
from .parts import adjoint, conjugated, half_lower, lower, matrix, upper
from .singular import TALL, WIDE, least
from .solve import BATCH, REGULAR, SolveTriangular

_UPPER: dict[str, Any] = {"lower": False, "unit_diagonal": False}


class QR(MultipleOutputs, Factorisation):
    """q with orthonormal columns and upper triangular r with x = q r.

    ∂L/∂x is that of Walter & Lehmann 2018 for tall and of Roberts & Roberts 2020 for wide matrices;
    it needs the leading columns to be independent, else it raises `numpy.linalg.LinAlgError`. The
    columns of q that mode="complete" adds have no derivative.
    """

    math = r"\operatorname{qr} {x}"
    samples = [
        case(TALL, mode="reduced"),
        case(WIDE, mode="reduced"),
        case(BATCH, mode="complete"),
    ]

    def f(m, x, *, mode):
        return m.qr(x, mode)

    @property
    def count(self) -> int:
        return 2

    def shape_rule(y, *shapes):
        rows, columns = matrix(shapes[0])
        k = rows if y.attributes["mode"] == "complete" else least(rows, columns)
        return (*shapes[0][:-2], rows, k), (*shapes[0][:-2], k, columns)

    def dtype_rule(y, *dtypes):
        return dtypes[0], dtypes[0]

    def vjp(y, g, x):
        *_, rows, columns = sizes(x.shape)
        if y.mode == "complete" and rows > columns:
            raise GradientError(
                f"qr: the columns of q that mode='complete' adds for a matrix {rows} × {columns} "
                "have no derivative",
                hint="Write pg.linalg.qr(x), in the reduced mode.",
            )
        (q, r), (a, b) = y.items, map(conjugated, g)
        if rows >= columns:
            return [conjugated(_of_tall(q, r, a, b))]
        rest = b[..., rows:]  # x = [x₁ x₂] and r = [r₁ qᴴ x₂]
        first = _of_tall(q, r[..., :rows], a + x[..., rows:] @ adjoint(rest), b[..., :rows])
        return [conjugated(ops.concat([first, q @ rest], axis=-1))]


def _of_tall(q: Any, r: Any, a: Any, b: Any) -> Any:
    """The cotangent of q r from those of q and r: (a + q (Φ + Φᴴ)) r⁻ᴴ, Φ = Φ(r bᴴ − aᴴ q)."""
    inner = half_lower(r @ adjoint(b) - adjoint(a) @ q)
    whole = a + q @ (inner + adjoint(inner))
    return adjoint(SolveTriangular(r, adjoint(whole), **_UPPER))


class LU(MultipleOutputs, Factorisation):
    """p, l, u with x = p l u: a permutation, a unit lower and an upper triangular matrix.

    For square x, ∂L/∂x = p l⁻ᵀ (the triangle below the diagonal of lᵀ a, and b uᵀ above) u⁻ᵀ with
    the cotangents a of l and b of u.
    """

    math = r"\operatorname{lu} {x}"
    samples = [case(REGULAR), case(TALL), case(WIDE), case(BATCH[:, ::-1])]

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
        return (dtypes[0],) * 3

    def vjp(y, g, x):
        *_, rows, columns = sizes(x.shape)
        p, l, u = y.items
        _, a, b = g
        k = min(rows, columns)
        parts: list[Any] = []
        if rows > columns:  # l₂ = x₂ u⁻¹
            below = _right_divided(a[..., k:, :], u)
            b, a = b - upper(l[..., k:, :].mT @ below), a[..., :k, :]
            parts = [below]
        l1, u1 = l[..., :k, :], u[..., :, :k]
        if columns > rows:  # u₂ = l⁻¹ x₂
            beside = SolveTriangular(l1.mT, b[..., k:], lower=False, unit_diagonal=True)
            a, b = a - lower(beside @ u[..., k:].mT, -1), b[..., :k]
            parts = [beside]
        inner = lower(l1.mT @ a, -1) + upper(b @ u1.mT)
        left = SolveTriangular(l1.mT, inner, lower=False, unit_diagonal=True)
        whole = _right_divided(left, u1)
        if parts:
            whole = ops.concat([whole, *parts], axis=-2 if rows > columns else -1)
        return [p @ whole]


def _right_divided(x: Any, u: Any) -> Any:
    """x u⁻ᵀ for an upper triangular u: the transpose of u⁻¹ xᵀ."""
    return SolveTriangular(u, x.mT, **_UPPER).mT


class QRResult(NamedTuple):
    """A matrix with orthonormal columns and an upper triangular matrix."""

    Q: Node
    R: Node


class LUResult(NamedTuple):
    """A permutation, a unit lower triangular and an upper triangular matrix."""

    P: Node
    L: Node
    U: Node


@public
def qr(x: Any, /, mode: str = "reduced", *, name: str | None = None) -> Any:
    """q with orthonormal columns and upper triangular r with x = q r.

    For x (…, m, n) and k = min(m, n) the shapes are (…, m, k) and (…, k, n); with mode="complete"
    they are (…, m, m) and (…, m, n), without a gradient if m > n. mode="r" returns r alone.
    """
    kind = one_of("qr: mode", mode, ["reduced", "complete", "r"])
    q, r = QR(x, mode="reduced" if kind == "r" else kind, name=name).items
    return r if kind == "r" else QRResult(q, r)


@public
def lu(x: Any, /, *, name: str | None = None) -> LUResult:
    """p, l, u with x = p l u: a permutation, a unit lower and an upper triangular matrix.

    For x (…, m, n) and k = min(m, n) the shapes are (…, m, m), (…, m, k) and (…, k, n). The rows
    are exchanged so that |l| ≤ 1 (partial pivoting).
    """
    return LUResult(*LU(x, name=name).items)
