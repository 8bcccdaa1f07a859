"""scipy.signal: `convolve` along any axes; the rest is SciPy's own."""

from __future__ import annotations

import scipy.signal as _original

from .... import ops as _ours
from ..forwarding import forwarding as _forwarding

__getattr__ = _forwarding(_original, _ours)
