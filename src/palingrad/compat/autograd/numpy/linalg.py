"""numpy.linalg, whose functions work on nodes by NumPy's own protocols."""

from __future__ import annotations

from typing import Any

import numpy.linalg as _original

from .wrapping import wrapping as _wrapping

__getattr__ = _wrapping(_original)


def eigh(A: Any, UPLO: str = "L") -> Any:
    """Eigenvalues and eigenvectors of Hermitian matrices, of which one triangle is read."""
    return _original.eigh(A, UPLO=UPLO)  # type: ignore[arg-type]


def eigvalsh(A: Any, UPLO: str = "L") -> Any:
    """Eigenvalues of Hermitian matrices, of which one triangle is read."""
    return _original.eigvalsh(A, UPLO=UPLO)  # type: ignore[arg-type]


def cholesky(A: Any) -> Any:
    """The lower Cholesky factors of Hermitian matrices, of which the lower triangle is read."""
    return _original.cholesky(A)


def __dir__() -> list[str]:
    return dir(_original)
