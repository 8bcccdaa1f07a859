"""The beta distribution: on arrays SciPy's functions, on nodes palingrad's."""

from __future__ import annotations

from scipy.stats import beta as _original

from .....stats import beta as _ours
from ...forwarding import forwarding as _forwarding

__getattr__ = _forwarding(_original, _ours)
