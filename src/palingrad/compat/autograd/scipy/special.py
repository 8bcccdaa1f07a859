"""scipy.special: on arrays SciPy's functions, on nodes palingrad's of the same names."""

from __future__ import annotations

import scipy.special as _original

from .... import special as _ours
from ..forwarding import forwarding as _forwarding

__getattr__ = _forwarding(_original, _ours)
