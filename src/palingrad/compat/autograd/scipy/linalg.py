"""scipy.linalg: on arrays SciPy's functions, on nodes palingrad's of the same names."""

from __future__ import annotations

from typing import Any

import numpy as _np
import scipy.linalg as _original

from .... import linalg as _ours
from ..forwarding import either as _either, forwarding as _forwarding


def _sqrtm(A: Any, disp: bool = True, blocksize: int = 64) -> Any:
    """The square root of a matrix; complex where SciPy's is."""
    if not disp:
        raise NotImplementedError("sqrtm of nodes with disp=False: the estimate of the error")
    root = _original.sqrtm(A._value)  # complex where an eigenvalue is negative
    return _ours.sqrtm(A + 0j if _np.iscomplexobj(root) else A)


sqrtm = _either(_original.sqrtm, _sqrtm)
__getattr__ = _forwarding(_original, _ours)
