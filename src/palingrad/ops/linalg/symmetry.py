"""A check that the argument of a function of symmetric matrices isn't one triangle of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ArgumentError
from ...graph.node import Node


def check_hermitian(name: str, x: Any, hint: str) -> None:
    """Raise ArgumentError where a known x is far from symmetric, such as one triangle of it.

    NumPy reads one triangle and ignores the other. Here the symmetric part counts, so that
    gradients are symmetric, and a triangle would silently give another result.
    """
    try:
        value = np.asarray(x._known() if isinstance(x, Node) else x)
    except (TypeError, ValueError):
        return  # a list of nodes, or something that is refused elsewhere
    if value.ndim < 2 or value.shape[-1] != value.shape[-2] or not value.size:
        return
    if value.dtype.kind not in "biufc" or not np.isfinite(value).all():
        return
    wide = value.astype(np.complex128 if value.dtype.kind == "c" else np.float64)
    rest = np.abs(wide - np.conj(np.swapaxes(wide, -1, -2)))
    if np.max(rest) > 0.1 * np.max(np.abs(wide)):
        *_, i, j = np.unravel_index(int(np.argmax(rest)), rest.shape)
        raise ArgumentError(
            f"{name}: the matrix isn't symmetric: elements ({i}, {j}) and ({j}, {i}) differ by "
            f"{np.max(rest):.3g}.",
            hint=hint,
        )
