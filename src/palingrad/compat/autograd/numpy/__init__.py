"""NumPy's functions, which work on nodes by NumPy's own protocols, and those of autograd's own."""

from __future__ import annotations

from typing import Any

import numpy as _np

from ....graph.node import Node as _Node
from ....graph.registry import ops as _ops
from . import fft, linalg, random
from .wrapping import (
    from_nodes as _from_nodes,
    has_nodes as _has_nodes,
    value_of as _value_of,
    wrapping as _wrapping,
)

__all__ = ["array", "asarray", "c_", "fft", "linalg", "make_diagonal", "r_", "random"]


def array(A: Any, *args: Any, **kwargs: Any) -> Any:
    """NumPy's array; of lists with nodes, a node."""
    return _from_nodes(A) if _has_nodes(A) else _np.array(A, *args, **kwargs)


def _listed(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and _has_nodes(value)


def asarray(A: Any, *args: Any, **kwargs: Any) -> Any:
    """NumPy's asarray; nodes, and lists with nodes, are nodes."""
    return _from_nodes(A) if _has_nodes(A) else _np.asarray(A, *args, **kwargs)


def make_diagonal(D: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Matrices with the vectors of D's last axis on their diagonals, at the last two axes."""
    if not (offset == 0 and axis1 == -1 and axis2 == -2):
        raise NotImplementedError(
            "Currently make_diagonal only supports offset=0, axis1=-1, axis2=-2"
        )
    eye = _np.eye(D.shape[-1])
    return D[..., None] * eye


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """x where the condition is true and y elsewhere; of a condition alone, where it is true. For a
    condition without axes, lists and Python's numbers are returned as they are."""
    if x is None and y is None:
        return _np.where(_value_of(condition))
    if not _np.ndim(condition) and not any(hasattr(one, "dtype") for one in (x, y)):
        return x if _value_of(condition) else y
    arrays: list[Any] = [_from_nodes(one) if _listed(one) else one for one in (x, y)]
    return _np.where(condition, *arrays)


def real_if_close(a: Any, tol: float = 100) -> Any:
    """The real part of numbers whose imaginary parts are all close to 0, else the numbers."""
    if not isinstance(a, _Node):
        return _np.real_if_close(a, tol=tol)
    return _np.real(a) if _np.isrealobj(_np.real_if_close(_value_of(a), tol=tol)) else a


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
__getattr__ = _wrapping(_np, globals())


def __dir__() -> list[str]:
    return sorted({*dir(_np), *globals()})
