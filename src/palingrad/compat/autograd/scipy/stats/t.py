"""Student's t distribution: on arrays SciPy's functions, on nodes palingrad's."""

from __future__ import annotations

from scipy.stats import t as _original

from .....stats import t as _ours
from ...forwarding import forwarding as _forwarding

__getattr__ = _forwarding(_original, _ours)
