"""Eigenvalues and eigenvectors, of Hermitian matrices and of others."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...dtypes import complex_of, is_complex, real_of
from ...errors import ArgumentError
from ...graph.functions import unary
from ...graph.kinds import Factorisation
from ...graph.node import Node
from ...graph.operation import MultipleOutputs
from ...graph.registry import ops
from ...graph.samples import case
from ...messages.calls import public
from ...shapes import sizes
from .parts import (
    adjoint,
    check_hermitian,
    conjugated,
    hermitian_part,
    on_diagonal,
    row,
    square,
    without_diagonal,
)
from .quotient import differences, gap_quotient, largest, of_pairs, without_phase
from .solve import Solve
from .triangular import BATCH, COMPLEX

SYMMETRIC = np.array([[2.0, 0.4, -0.3], [0.4, 0.5, 0.2], [-0.3, 0.2, -1.2]])
_TURNED = np.array([[0, 1, -2], [-1, 0, 1], [2, -1, 0]])
_TRIANGLE = "Write UPLO='L' or UPLO='U' to read one triangle, as NumPy does."


class Eigh(MultipleOutputs, Factorisation):
    """Eigenvalues w, ascending, and orthonormal eigenvectors v in columns: x v = v diag w.

    x is symmetric or Hermitian: (x + xᴴ)/2 counts, or the triangle `uplo`. With the cotangents a of
    w and b of v, ∂L/∂x = v (diag a + (vᴴ b)ᵢⱼ/(wⱼ − wᵢ)) vᴴ (Giles 2008, section 3.1).

    Where eigenvalues coincide their vectors aren't determined: a cotangent of these vectors raises
    `numpy.linalg.LinAlgError`. Without one the gradient is exact if the cotangents of the equal
    eigenvalues are equal, and a subgradient if they differ.
    """

    math = r"\operatorname{eigh} {x}"
    samples = [
        case(SYMMETRIC, uplo=None),
        case(np.stack([SYMMETRIC[:2, :2], SYMMETRIC[1:, 1:]]), uplo="L"),
        case(SYMMETRIC[:2, :2] + np.array([[0, 0.3], [0, 0]]), uplo="U"),
    ]

    def f(m, x, *, uplo):
        return m.eigh(x, uplo)

    @property
    def count(self) -> int:
        return 2

    def shape_rule(y, *shapes):
        square(shapes[0])
        return shapes[0][:-1], shapes[0]

    def dtype_rule(y, *dtypes):
        return real_of(dtypes[0]), dtypes[0]

    def vjp(y, g, x):
        if 0 in sizes(x.shape):
            return [ops.zeros_like(x)]
        w, v = y.items
        a, b = g[0], conjugated(g[1])
        product = adjoint(v) @ b
        mixed = without_diagonal(product)
        if is_complex(x.dtype):
            a = a + without_phase(ops.diagonal(product, 0, -2, -1), b)
        scale = largest(w)
        turned = gap_quotient(mixed, differences(w, 1, scale), scale, of_pairs(b))
        inner = on_diagonal(a) + hermitian_part(turned)
        return [onto(conjugated(v @ inner @ adjoint(v)), y.uplo)]


class Eigvalsh(Factorisation):
    """Eigenvalues w, ascending, of a symmetric or Hermitian matrix. ∂L/∂x = v diag(g) vᴴ.

    (x + xᴴ)/2 counts, or the triangle `uplo`. Where eigenvalues coincide the gradient is exact if
    their cotangents are equal, else a subgradient; the second derivative raises
    `numpy.linalg.LinAlgError` there.
    """

    math = r"\operatorname{eigvalsh} {x}"
    samples = [
        case(SYMMETRIC, uplo=None),
        case(np.stack([SYMMETRIC[:2, :2], SYMMETRIC[1:, 1:]]), uplo="U"),
        case(SYMMETRIC * np.ones((2, 1, 1)) + _TURNED * [[[0.3j]], [[0.5j]]], uplo=None),
    ]

    def f(m, x, *, uplo):
        return m.eigvalsh(x, uplo)

    def shape_rule(y, *shapes):
        square(shapes[0])
        return shapes[0][:-1]

    def dtype_rule(y, *dtypes):
        return real_of(dtypes[0])

    def vjp(y, g, x):
        _, v = Eigh(x, uplo=y.uplo).items
        return [onto(conjugated((v * row(g)) @ adjoint(v)), y.uplo)]


def onto(s: Any, uplo: str | None) -> Any:
    """The gradient with respect to x, from the Hermitian one with respect to the whole matrix."""
    if uplo is None:
        return s
    n = sizes(s.shape)[-1]
    weights = 2 * np.tri(n, n, -1) + np.eye(n)
    return s * (weights if uplo == "L" else weights.T).astype(s.dtype)


class EighResult(NamedTuple):
    """Eigenvalues, ascending, and eigenvectors in columns."""

    eigenvalues: Node
    eigenvectors: Node


@public
def eigh(x: Any, /, UPLO: str | None = None, *, name: str | None = None) -> EighResult:
    """Eigenvalues w, ascending, and orthonormal eigenvectors v in columns: x v = v diag w.

    x (…, n, n) is symmetric or Hermitian: (x + xᴴ)/2 counts, so that the gradient is symmetric;
    UPLO "L" or "U" reads that triangle alone. Where eigenvalues coincide, a gradient through their
    vectors raises `numpy.linalg.LinAlgError`; through the eigenvalues alone it exists.
    """
    return EighResult(*Eigh(x, uplo=_triangle("eigh", x, UPLO), name=name).items)


@public
def eigvalsh(x: Any, /, UPLO: str | None = None, *, name: str | None = None) -> Node:
    """Eigenvalues, ascending, of a symmetric or Hermitian matrix x (…, n, n).

    (x + xᴴ)/2 counts, so that the gradient is symmetric; UPLO "L" or "U" reads that triangle alone.
    Where eigenvalues coincide, the gradient is exact for functions that treat them alike, such as
    their sum, and a subgradient for others, such as the largest.
    """
    return Eigvalsh(x, uplo=_triangle("eigvalsh", x, UPLO), name=name)


def _triangle(name: str, x: Any, uplo: Any) -> str | None:
    if uplo is None:
        check_hermitian(name, x, _TRIANGLE)
        return None
    if uplo not in ("L", "U", "l", "u"):
        raise ArgumentError(f"{name}: UPLO is {uplo!r:.40}; expected 'L' or 'U'.", hint=_TRIANGLE)
    return str(uplo).upper()


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
        return [conjugated(Solve(adjoint(v), inner @ adjoint(v), transposed=False))]


class Eigvals(Factorisation):
    """w = the complex eigenvalues of x. ∂L/∂x = v⁻ᵀ diag(g) vᵀ with the eigenvectors v.

    Raises `numpy.linalg.LinAlgError` where the eigenvectors are dependent.
    """

    math = r"\operatorname{eigvals} {x}"
    samples = [
        case(np.array([[1.0, 2.0, 0.3], [-1.5, 0.4, 0.2], [0.1, 0.6, -2.0]])),
        case(BATCH * np.array([[1, 2], [-1, 3]])),
        case(COMPLEX[None]),
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
        return [Solve(v, row(g).mT * v.mT, transposed=True)]


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
