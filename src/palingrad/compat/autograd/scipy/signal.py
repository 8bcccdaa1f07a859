"""scipy.signal: `convolve` along any axes; the rest is SciPy's own."""

from __future__ import annotations

import functools
from typing import Any

import scipy.signal as _original

from ....graph.registry import ops as _ops
from ..forwarding import has_nodes as _has_nodes


def convolve(A: Any, B: Any, axes: Any = None, dot_axes: Any = ((), ()), mode: str = "full") -> Any:
    """The convolution of A and B along `axes`, two lists, by default all; products are summed along
    `dot_axes`. The result's axes: A's others, B's others, then the convolved ones."""
    if axes is None and not _has_nodes((A, B), {}):
        return _original.convolve(A, B, mode=mode)
    found = _ops.convolve(A, B, mode, axes=axes, dot_axes=dot_axes)
    return found if _has_nodes((A, B), {}) else found.numpy()


__getattr__ = functools.partial(getattr, _original)
