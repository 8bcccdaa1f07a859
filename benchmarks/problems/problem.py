"""What a problem is: inputs, the function, its derivative, and what the answers must be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray
PARTS = ("value", "derivative")
TOLERANCE = 1e-4  # of max(1, |a| + |b|)


@dataclass(frozen=True)
class Problem:
    """`value(m, size)` and `derivative(m, size)` return the function of the arrays that is compiled
    and called; m is the framework's namespace (`contenders/problems_in_….py`).
    `reference(part, size, *arrays)` computes the same in another way, with NumPy; a NaN in it
    stands for any number."""

    sizes: Mapping[str, Any]
    tiny: Any
    arrays: Callable[[Any], tuple[Array, ...]]
    value: Callable[[Any, Any], Callable[..., Any]]
    derivative: Callable[[Any, Any], Callable[..., Any]]
    reference: Callable[..., Any]
    peers: tuple[str, ...] = ("JAX", "PyTorch")

    def part(self, part: str, m: Any, size: Any) -> Callable[..., Any]:
        return (self.value if part == "value" else self.derivative)(m, size)


def leaves(tree: Any) -> list[Array]:
    """The arrays of a result: nested tuples and lists in order."""
    if isinstance(tree, (tuple, list)):
        return [leaf for one in tree for leaf in leaves(one)]
    return [np.asarray(tree.numpy() if hasattr(tree, "numpy") else tree, np.float64)]


def error(found: Any, expected: Any) -> float:
    """The largest difference, as a multiple of what is allowed."""
    worst = 0.0
    ours, theirs = leaves(found), leaves(expected)
    assert len(ours) == len(theirs), f"{len(ours)} arrays, not {len(theirs)}"
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape, f"shape {a.shape}, not {b.shape}"
        known = ~np.isnan(b)
        a, b = a[known], b[known]
        allowed = TOLERANCE * np.maximum(1, np.abs(a) + np.abs(b))
        ratio = np.abs(a - b) / allowed
        worst = max(worst, float(np.max(np.where(np.isnan(ratio), np.inf, ratio), initial=0)))
    return worst


def complex_step(f: Callable[[Array], Array], x: Array, places: Any, step: float = 1e-30) -> Array:
    """∂f/∂xᵢ for each place i of x, along the last axis: Im f(x + ih)/h, exact to rounding
    (Squire & Trapp 1998)."""
    columns: list[Array] = []
    for place in places:
        moved = x.astype(complex)
        moved[place] += 1j * step
        columns.append(np.imag(f(moved)) / step)
    return np.stack(columns, -1)
