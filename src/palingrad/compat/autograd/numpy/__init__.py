"""NumPy: its functions work on nodes by NumPy's own protocols; here are those that can't.

Every other name is NumPy's own.
"""

from __future__ import annotations

from typing import Any

import numpy as _np

from ....graph.node import Node as _Node
from ....graph.promotion import tensor as _tensor
from ....trees import leaves as _leaves
from . import fft, linalg, random

__all__ = ["array", "asarray", "fft", "linalg", "random"]


def array(A: Any, *args: Any, **kwargs: Any) -> Any:
    """NumPy's array; of lists with nodes, a node."""
    if any(isinstance(leaf, _Node) for leaf in _leaves(A)):
        return _from_nodes(A)
    return _np.array(A, *args, **kwargs)


def asarray(A: Any, *args: Any, **kwargs: Any) -> Any:
    """NumPy's asarray; nodes, and lists with nodes, are nodes."""
    if any(isinstance(leaf, _Node) for leaf in _leaves(A)):
        return _from_nodes(A)
    return _np.asarray(A, *args, **kwargs)


def _from_nodes(A: Any) -> _Node:
    dtypes = [_np.asarray(leaf).dtype if not isinstance(leaf, _Node) else leaf.dtype
              for leaf in _leaves(A)]  # fmt: skip
    return _tensor(A, dtype=_np.result_type(*dtypes))


def __getattr__(name: str) -> Any:
    return getattr(_np, name)


def __dir__() -> list[str]:
    return sorted({*dir(_np), *globals()})
