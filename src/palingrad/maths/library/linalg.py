"""Factorisations of matrices, and solutions of linear systems.

Matrices are the last two axes. float16 is computed in float32 and rounded once. LAPACK's refusals
become `numpy.linalg.LinAlgError`, which says what the matrix lacks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...classes import Protocol
from ..matrices.determinants import cofactor, cofactor_slope, det, slogdet
from ..matrices.factors import cholesky, cholesky_slope, lu, lu_factor, pivot_order, qr
from ..matrices.functions import logm, logm_frechet, sqrtm
from ..matrices.spectra import (
    eig,
    eigh,
    eigvals,
    eigvalsh,
    gap_quotient,
    svd,
    svdvals,
    without_phase,
)
from ..matrices.systems import inv, lu_solve, pinv, solve, solve_banded, solve_sylvester
from ..matrices.triangular import lu_slope, solve_triangular
from .exponential import expm, expm_frechet


class LinalgMaths(Protocol):
    """Factorisations of matrices, and solutions of linear systems."""

    def solve(self, a: Any, b: Any) -> Any:
        """a⁻¹ b; b is one vector if it has one axis, else matrices. LinAlgError if singular."""

    def solve_triangular(self, a: Any, b: Any, lower: Any, unit_diagonal: Any) -> Any:
        """t⁻¹ b for the lower or upper triangle t of a, with ones on its diagonal or a's."""

    def inv(self, x: Any) -> Any:
        """x⁻¹. LinAlgError if x is singular."""

    def pinv(self, x: Any, rtol: Any) -> Any:
        """x⁺; singular values up to `rtol` times the largest count as 0."""

    def det(self, x: Any) -> Any:
        """The determinant; 1 for a matrix without elements."""

    def slogdet(self, x: Any) -> Any:
        """The sign of the determinant and log |det x|, which is −∞ for a singular matrix."""

    def cofactor(self, x: Any) -> Any:
        """The matrix of cofactors, det x · x⁻ᵀ where x isn't singular."""

    def cofactor_slope(self, x: Any, t: Any) -> Any:
        """The derivative of `cofactor` at x in the direction t."""

    def cholesky(self, x: Any) -> Any:
        """The lower triangular l with l lᴴ = (x + xᴴ)/2. LinAlgError if that isn't positive
        definite."""

    def cholesky_slope(self, low: Any, g: Any) -> Any:
        """The Hermitian cotangent of l lᴴ, from the cotangent g of the lower triangular l."""

    def qr(self, x: Any, mode: Any) -> Any:
        """q with orthonormal columns and upper triangular r with q r = x."""

    def lu(self, x: Any) -> Any:
        """p, l, u with p l u = x: a permutation, unit lower and upper triangular matrices."""

    def lu_factor(self, x: Any) -> Any:
        """LAPACK's factors l and u of x in one matrix, and its row exchanges."""

    def lu_slope(self, f: Any, g: Any) -> Any:
        """The cotangent of l u from the cotangent g of f, which holds both factors."""

    def pivot_order(self, piv: Any, rows: Any) -> Any:
        """The order of `rows` rows after the exchanges `piv` of `lu_factor`."""

    def lu_solve(self, f: Any, piv: Any, b: Any, transposed: Any) -> Any:
        """a⁻¹ b, or a⁻ᵀ b, from (f, piv) of `lu_factor`. LinAlgError if a is singular."""

    def solve_banded(self, ab: Any, b: Any, lower: Any, upper: Any) -> Any:
        """a⁻¹ b for the matrix of the diagonals `ab`. LinAlgError if it is singular."""

    def solve_sylvester(self, a: Any, b: Any, q: Any) -> Any:
        """x with a x + x b = q. LinAlgError if a and −b have a common eigenvalue."""

    def eigh(self, x: Any, uplo: Any) -> Any:
        """Eigenvalues, ascending, and eigenvectors of the Hermitian matrix `hermitian(x, uplo)`."""

    def eigvalsh(self, x: Any, uplo: Any) -> Any:
        """Eigenvalues, ascending, of the Hermitian matrix `hermitian(x, uplo)`."""

    def eig(self, x: Any) -> Any:
        """Complex eigenvalues and eigenvectors of length 1, in columns."""

    def eigvals(self, x: Any) -> Any:
        """The complex eigenvalues."""

    def gap_quotient(self, p: Any, d: Any, scale: Any, reach: Any) -> Any:
        """p/d, but 0 where p = 0. LinAlgError where |d| ≤ 10ε·scale, unless p = reach = 0."""

    def svd(self, x: Any, full_matrices: Any) -> Any:
        """u, s, vh with u diag(s) vh = x; the singular values s descend."""

    def without_phase(self, p: Any, size: Any) -> Any:
        """0 in p's dtype. LinAlgError unless p is 0, up to rounding, beside `size`."""

    def svdvals(self, x: Any) -> Any:
        """The singular values, descending."""

    def expm(self, x: Any) -> Any:
        """eˣ = Σ xᵏ/k!, of matrices."""

    def expm_frechet(self, x: Any, t: Any) -> Any:
        """The derivative of `expm` at x in the direction t."""

    def sqrtm(self, x: Any) -> Any:
        """The principal square root; LinAlgError if a real x has none that is real."""

    def logm(self, x: Any) -> Any:
        """The principal logarithm; LinAlgError if a real x has none that is real."""

    def logm_frechet(self, x: Any, t: Any) -> Any:
        """The derivative of `logm` at x in the direction t."""


OWN: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        cholesky, cholesky_slope, cofactor, cofactor_slope, det, eig, eigh, eigvals, eigvalsh, expm,
        expm_frechet, gap_quotient, inv, logm, logm_frechet, lu, lu_factor, lu_slope, lu_solve,
        pinv, pivot_order, qr, slogdet, solve, solve_banded, solve_sylvester, solve_triangular,
        sqrtm, svd, svdvals, without_phase,
    )
}  # fmt: skip
