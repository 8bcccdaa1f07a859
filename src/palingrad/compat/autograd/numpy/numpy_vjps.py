"""Cotangents of arrays that NumPy has broadcast, for derivatives that users write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as _np

from ....dtypes import is_complex as _is_complex
from ....graph.node import Node

__all__ = ["unbroadcast", "unbroadcast_f"]


def unbroadcast(x: Any, target_meta: Any, broadcast_idx: int = 0) -> Any:
    """x, summed over the axes by which an array of the shape target_meta[0] was broadcast to its
    own; real if target_meta[3] says that the array was."""
    shape, ndim, _, is_complex = target_meta
    while _np.ndim(x) > ndim:
        x = _np.sum(x, axis=broadcast_idx)
    for axis, size in enumerate(shape):
        if size == 1 and _np.shape(x)[axis] != 1:
            x = _np.sum(x, axis=axis, keepdims=True)
    return _np.real(x) if _np.iscomplexobj(x) and not is_complex else x


def unbroadcast_f(target: Any, f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """f, whose results are summed to the shape of `target`."""
    dtype: Any = target.dtype if isinstance(target, Node) else _np.asarray(target).dtype
    meta = _np.shape(target), _np.ndim(target), None, _is_complex(dtype)
    return lambda g: unbroadcast(f(g), meta)
