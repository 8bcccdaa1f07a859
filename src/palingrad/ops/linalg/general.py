"""Eigenvalues and eigenvectors of matrices that needn't be symmetric."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...dtypes import complex_of
from ...graph.functions import unary
from ...graph.kinds import Factorisation
from ...graph.node import Node
from ...graph.operation import MultipleOutputs
from ...graph.registry import ops
from ...graph.samples import case
from ...messages.calls import public
from ...shapes import sizes
from .parts import adjoint, conjugated, on_diagonal, row, square, without_diagonal
from .quotient import differences, gap_quotient, largest, of_pairs, without_phase
from .solve import BATCH, COMPLEX, Solve


class Eig(MultipleOutputs, Factorisation):
    """Complex eigenvalues w and eigenvectors v of length 1, in columns: x v = v diag w.

    With the cotangents a of w and b of v, conjugated, ∂L/∂x is the conjugate of
    v⁻ᴴ (diag a + (vᴴ b − vᴴ v Re diag(vᴴ b))ᵢⱼ/conj(wⱼ − wᵢ)) vᴴ (Boeddeker et al. 2017, eq. 4.77).
    A cotangent of vectors whose eigenvalues coincide, or along the phase of a vector, raises
    `numpy.linalg.LinAlgError`.
    """

    math = r"\operatorname{eig} {x}"

    def f(m, x):
        return m.eig(x)

    @property
    def count(self) -> int:
        return 2

    def shape_rule(y, *shapes):
        square(shapes[0])
        return shapes[0][:-1], shapes[0]

    def dtype_rule(y, *dtypes):
        return (complex_of(dtypes[0]),) * 2

    def vjp(y, g, x):
        if 0 in sizes(x.shape):
            return [ops.zeros_like(x)]
        w, v = y.items
        a, b = map(conjugated, g)
        product = adjoint(v) @ b
        lengths = ops.diagonal(product, 0, -2, -1)
        mixed = product - adjoint(v) @ v * row(ops.real(lengths))
        scale = largest(w)
        gaps = conjugated(differences(w, 1, scale))
        turned = gap_quotient(without_diagonal(mixed), gaps, scale, of_pairs(b))
        inner = on_diagonal(a + without_phase(lengths, b)) + turned
        return [conjugated(Solve(adjoint(v), inner @ adjoint(v)))]


class Eigvals(Factorisation):
    """w = the complex eigenvalues of x. ∂L/∂x = v⁻ᵀ diag(g) vᵀ with the eigenvectors v.

    Raises `numpy.linalg.LinAlgError` where the eigenvectors are dependent.
    """

    math = r"\operatorname{eigvals} {x}"
    samples = [
        case(np.array([[1.0, 2.0, 0.3], [-1.5, 0.4, 0.2], [0.1, 0.6, -2.0]])),
        case(BATCH * np.array([[1, 2], [-1, 3]])),
        case(COMPLEX),
    ]

    def f(m, x):
        return m.eigvals(x)

    def shape_rule(y, *shapes):
        square(shapes[0])
        return shapes[0][:-1]

    def dtype_rule(y, *dtypes):
        return complex_of(dtypes[0])

    def vjp(y, g, x):
        _, v = Eig(x).items
        return [Solve(v.mT, row(g).mT * v.mT)]


class EigResult(NamedTuple):
    """Complex eigenvalues, and eigenvectors in columns."""

    eigenvalues: Node
    eigenvectors: Node


@public
def eig(x: Any, /, *, name: str | None = None) -> EigResult:
    """Complex eigenvalues w and eigenvectors v of length 1, in columns: x v = v diag w.

    The results are complex also for real x, and in no order. A gradient of vectors whose
    eigenvalues coincide, or along the phase of a vector, raises `numpy.linalg.LinAlgError`.
    """
    return EigResult(*Eig(x, name=name).items)


eigvals = public(unary(Eigvals))
