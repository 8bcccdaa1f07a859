"""Functions of which autograd's differ from NumPy's.

They stand apart from the names of NumPy, among which are `any`, `all`, `sum` and `abs`: in one
module those would take the place of Python's own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ....graph.node import Node
from ....graph.registry import ops
from .wrapping import from_nodes, has_nodes, value_of


def array(A: Any, *args: Any, **kwargs: Any) -> Any:
    """NumPy's array; of lists with nodes, a node."""
    return from_nodes(A) if has_nodes(A) else np.array(A, *args, **kwargs)


def _listed(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and has_nodes(value)


def asarray(A: Any, *args: Any, **kwargs: Any) -> Any:
    """NumPy's asarray; nodes, and lists with nodes, are nodes."""
    return from_nodes(A) if has_nodes(A) else np.asarray(A, *args, **kwargs)


def make_diagonal(D: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Matrices with the vectors of D's last axis on their diagonals, at the last two axes."""
    if not (offset == 0 and axis1 == -1 and axis2 == -2):
        raise NotImplementedError(
            "Currently make_diagonal only supports offset=0, axis1=-1, axis2=-2"
        )
    eye = np.eye(D.shape[-1])
    return D[..., None] * eye


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """x where the condition is true and y elsewhere; of a condition alone, where it is true. For a
    condition without axes, lists and Python's numbers are returned as they are."""
    if x is None and y is None:
        return np.where(value_of(condition))
    if not np.ndim(condition) and not any(hasattr(one, "dtype") for one in (x, y)):
        return x if value_of(condition) else y
    arrays: list[Any] = [from_nodes(one) if _listed(one) else one for one in (x, y)]
    if any(isinstance(one, Node) for one in arrays):
        return ops.where(condition, *arrays)
    return np.where(condition, *arrays)


def dot(a: Any, b: Any, out: Any = None) -> Any:
    """NumPy's dot; of nodes with one or two axes it is the matrix product."""
    a, b = (from_nodes(one) if _listed(one) else one for one in (a, b))
    if out is not None or not (isinstance(a, Node) or isinstance(b, Node)):
        return np.dot(a, b, out)
    if getattr(a, "ndim", 0) in (1, 2) and getattr(b, "ndim", 0) in (1, 2):
        return ops.matmul(a, b)
    return np.dot(a, b)


def real_if_close(a: Any, tol: float = 100) -> Any:
    """The real part of numbers whose imaginary parts are all close to 0, else the numbers."""
    if not isinstance(a, Node):
        return np.real_if_close(a, tol=tol)
    return np.real(a) if np.isrealobj(np.real_if_close(value_of(a), tol=tol)) else a


class _Joined:
    """np.r_ and np.c_ of nodes, slices and arrays."""

    def __init__(self, original: Any, columns: bool) -> None:
        self._original, self._columns = original, columns

    def __getitem__(self, key: Any) -> Any:
        if not has_nodes(key):
            return self._original[key]
        parts = key if isinstance(key, tuple) else (key,)
        if any(isinstance(part, str) for part in parts):
            raise NotImplementedError("r_ and c_ of nodes take no text: write concatenate")
        arrays = [
            part if isinstance(part, Node) else np.r_[part] if isinstance(part, slice)
            else np.asarray(part) for part in parts
        ]  # fmt: skip
        if self._columns:
            arrays = [np.reshape(one, (-1, 1)) if np.ndim(one) < 2 else one for one in arrays]
            return np.concatenate(arrays, axis=-1)
        return np.concatenate([ops.reshape(one, (-1,)) if not np.ndim(one) else one
                                for one in arrays])  # fmt: skip


r_ = _Joined(np.r_, columns=False)
c_ = _Joined(np.c_, columns=True)
