"""NumPy's functions, which work on nodes by NumPy's own protocols, and those of autograd's own."""

from __future__ import annotations

from typing import Any

import numpy as _np

from ....graph.node import Node as _Node
from ....graph.registry import ops as _ops
from . import fft, linalg, random
from .wrapping import from_nodes as _from_nodes, has_nodes as _has_nodes, wrapping as _wrapping

__all__ = ["array", "asarray", "c_", "fft", "linalg", "make_diagonal", "r_", "random"]


def array(A: Any, *args: Any, **kwargs: Any) -> Any:
    """NumPy's array; of lists with nodes, a node."""
    return _from_nodes(A) if _has_nodes(A) else _np.array(A, *args, **kwargs)


def asarray(A: Any, *args: Any, **kwargs: Any) -> Any:
    """NumPy's asarray; nodes, and lists with nodes, are nodes."""
    return _from_nodes(A) if _has_nodes(A) else _np.asarray(A, *args, **kwargs)


def make_diagonal(D: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Matrices with the vectors along the last axis of D on their diagonals, at the last two axes."""
    if not (offset == 0 and axis1 == -1 and axis2 == -2):
        raise NotImplementedError(
            "Currently make_diagonal only supports offset=0, axis1=-1, axis2=-2"
        )
    eye = _np.eye(D.shape[-1])
    return D[..., None] * eye


class _Joined:
    """np.r_ and np.c_ of nodes, slices and arrays."""

    def __init__(self, original: Any, columns: bool) -> None:
        self._original, self._columns = original, columns

    def __getitem__(self, key: Any) -> Any:
        if not _has_nodes(key):
            return self._original[key]
        parts = key if isinstance(key, tuple) else (key,)
        if any(isinstance(part, str) for part in parts):
            raise NotImplementedError("r_ and c_ of nodes take no text: write concatenate")
        arrays = [
            part if isinstance(part, _Node) else _np.r_[part] if isinstance(part, slice)
            else _np.asarray(part) for part in parts
        ]  # fmt: skip
        if self._columns:
            arrays = [_np.reshape(one, (-1, 1)) if _np.ndim(one) < 2 else one for one in arrays]
            return _np.concatenate(arrays, axis=-1)
        return _np.concatenate([_ops.reshape(one, (-1,)) if not _np.ndim(one) else one
                                for one in arrays])  # fmt: skip


r_ = _Joined(_np.r_, columns=False)
c_ = _Joined(_np.c_, columns=True)
_attribute = _wrapping(_np)


def __getattr__(name: str) -> Any:
    return _attribute(name)


def __dir__() -> list[str]:
    return sorted({*dir(_np), *globals()})
