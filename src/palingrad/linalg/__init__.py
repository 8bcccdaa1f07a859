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
from ..ops.linalg.lu import LUResult, lu, lu_factor, lu_solve
from ..ops.linalg.matrix_functions import expm, logm, sqrtm
from ..ops.linalg.norms import cond, matrix_norm, norm, vector_norm
from ..ops.linalg.orthogonal import QRResult, qr
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
from ..ops.linalg.solve import inv, solve, solve_banded, solve_sylvester
from ..ops.linalg.spectral import EighResult, EigResult, eig, eigh, eigvals, eigvalsh
from ..ops.linalg.triangular import cho_solve, solve_triangular

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
    "logm",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_solve",
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
    "solve_banded",
    "solve_sylvester",
    "solve_triangular",
    "sqrtm",
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
    "matrix_exp": "pg.linalg.expm",
    "logdet": "pg.linalg.slogdet(x).logabsdet",
}


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__, _ELSEWHERE)


def __dir__() -> list[str]:
    return __all__
