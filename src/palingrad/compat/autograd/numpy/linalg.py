"""numpy.linalg, whose functions work on nodes by NumPy's own protocols."""

from __future__ import annotations

from typing import Any

import numpy as _np
import numpy.linalg as _original

from .... import linalg as _ours
from ....graph.node import Node as _Node
from .wrapping import array_of as _array_of, wrapping as _wrapping

__getattr__ = _wrapping(_original, globals())


def eigh(A: Any, UPLO: str = "L") -> Any:
    """Eigenvalues and eigenvectors of Hermitian matrices, of which one triangle is read."""
    a = _array_of(A)
    if isinstance(a, _Node):
        return _ours.eigh(a, UPLO=UPLO)
    # The triangle is mirrored first, as for nodes: LAPACK's signs of vectors depend on it.
    lower = a if UPLO.upper() == "L" else _np.conj(_np.swapaxes(a, -1, -2))
    return _original.eigh(lower)


def eigvalsh(A: Any, UPLO: str = "L") -> Any:
    """Eigenvalues of Hermitian matrices, of which one triangle is read."""
    a = _array_of(A)
    if isinstance(a, _Node):
        return _ours.eigvalsh(a, UPLO=UPLO)
    return _original.eigvalsh(a, UPLO)  # type: ignore[arg-type]


def T(x: Any) -> Any:
    """The matrices in the last two axes, transposed."""
    return _np.swapaxes(x, -1, -2)


def __dir__() -> list[str]:
    return dir(_original)
