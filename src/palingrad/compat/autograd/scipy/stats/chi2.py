"""The χ² distribution: on arrays SciPy's functions, on nodes palingrad's."""

from __future__ import annotations

from scipy.stats import chi2 as _original

from .....stats import chi2 as _ours
from ...forwarding import forwarding as _forwarding

__getattr__ = _forwarding(_original, _ours)
