"""scipy.linalg: on arrays SciPy's functions, on nodes palingrad's of the same names."""

from __future__ import annotations

import scipy.linalg as _original

from .... import linalg as _ours
from ..forwarding import forwarding as _forwarding

__getattr__ = _forwarding(_original, _ours)
