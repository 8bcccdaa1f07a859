"""Linear algebra: the array API standard's `linalg`, NumPy's, and what SciPy's users look for.

Matrices are the last two axes, and leading axes are batches. Every function has derivatives of any
order; where one doesn't exist it is refused: with GradientError if that follows from the shapes,
with `numpy.linalg.LinAlgError` if it follows from the values, such as repeated eigenvalues.
"""

from numpy.linalg import LinAlgError

from ..messages.names import unknown_name
from ..ops.contract import matmul, outer
from ..ops.contraction.products import cross, inner, kron, matvec, tensordot, vdot, vecdot, vecmat
from ..ops.layout.move import matrix_transpose
from ..ops.linalg.cholesky import cho_factor, cholesky
from ..ops.linalg.determinant import SlogdetResult, det, slogdet
from ..ops.linalg.exponential import expm
from ..ops.linalg.general import EigResult, eig, eigvals
from ..ops.linalg.norms import cond, matrix_norm, norm, vector_norm
from ..ops.linalg.orthogonal import LUResult, QRResult, lu, qr
from ..ops.linalg.products import (
    block_diag,
    diagonal,
    matrix_power,
    multi_dot,
    tensorinv,
    tensorsolve,
    trace,
)
from ..ops.linalg.singular import (
    LstsqResult,
    SVDResult,
    lstsq,
    matrix_rank,
    pinv,
    svd,
    svdvals,
)
from ..ops.linalg.solve import cho_solve, inv, solve, solve_triangular
from ..ops.linalg.spectral import EighResult, eigh, eigvalsh

__all__ = [
    "EigResult",
    "EighResult",
    "LUResult",
    "LinAlgError",
    "LstsqResult",
    "QRResult",
    "SVDResult",
    "SlogdetResult",
    "block_diag",
    "cho_factor",
    "cho_solve",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "expm",
    "inner",
    "inv",
    "kron",
    "lstsq",
    "lu",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "matvec",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensordot",
    "tensorinv",
    "tensorsolve",
    "trace",
    "vdot",
    "vecdot",
    "vecmat",
    "vector_norm",
]


# Names in NumPy, SciPy and PyTorch that are missing here, and what to write.
_ELSEWHERE = {
    "cholesky_solve": "pg.linalg.cho_solve((factor, True), b)",
    "inv_ex": "pg.linalg.inv",
    "lu_factor": "pg.linalg.lu",
    "lu_solve": "pg.linalg.solve",
    "matrix_exp": "pg.linalg.expm",
    "sqrtm": "w, v = pg.linalg.eigh(x); v * pg.sqrt(w) @ v.mT for symmetric matrices",
    "logm": "w, v = pg.linalg.eigh(x); v * pg.log(w) @ v.mT for symmetric matrices",
    "solve_banded": "pg.linalg.solve of the full matrix",
    "solve_sylvester": "pg.linalg.solve of pg.kron(a, I) + pg.kron(I, b.T)",
    "logdet": "pg.linalg.slogdet(x).logabsdet",
}


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__, _ELSEWHERE)


def __dir__() -> list[str]:
    return __all__
