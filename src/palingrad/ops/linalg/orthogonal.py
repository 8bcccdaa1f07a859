"""The QR factorisation."""

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
from .parts import adjoint, conjugated, half_lower, matrix
from .triangular import BATCH, COMPLEX, TALL, UPPER, WIDE, SolveTriangular, least


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
        case(COMPLEX[:, :2], mode="reduced"),
        case((WIDE + 0.5j * WIDE[::-1])[None], mode="reduced"),
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
    return adjoint(SolveTriangular(r, adjoint(whole), **UPPER))


class QRResult(NamedTuple):
    """A matrix with orthonormal columns and an upper triangular matrix."""

    Q: Node
    R: Node


@public
def qr(x: Any, /, mode: str = "reduced", *, name: str | None = None) -> Any:
    """q with orthonormal columns and upper triangular r with x = q r.

    For x (…, m, n) and k = min(m, n) the shapes are (…, m, k) and (…, k, n); with mode="complete"
    they are (…, m, m) and (…, m, n), without a gradient if m > n. mode="r" returns r alone.
    """
    kind = one_of("qr: mode", mode, ["reduced", "complete", "r"])
    q, r = QR(x, mode="reduced" if kind == "r" else kind, name=name).items
    return r if kind == "r" else QRResult(q, r)
