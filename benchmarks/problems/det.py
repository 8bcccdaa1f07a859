"""The determinant by expansion along the first row, all ℓ! terms, and its gradient."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from problems.problem import Array, Problem

AT_ONCE = 7  # the order of minors that are expanded with all others of their order


def expanded(m: Any, a: Any) -> Any:
    """The determinants of a (k, k, batch): Σⱼ (−1)ʲ a₀ⱼ det(a without row 0 and column j)."""
    k = a.shape[0]
    if k == 1:
        return a[0, 0]
    others = np.array([[c for c in range(k) if c != j] for j in range(k)]).T  # (k - 1, k)
    minors = a[1:][:, others]  # (k - 1, k - 1, k, batch)
    inner = expanded(m, minors.reshape(k - 1, k - 1, -1)).reshape(k, -1)
    signs = (-1.0) ** np.arange(k)
    return m.sum(m.constant(signs[:, None]) * a[0] * inner, 0)


def determinant(m: Any, x: Any, order: int) -> Any:
    """det of x (ℓ·ℓ). Rows above the last seven are expanded in a loop over the ordered choices of
    their columns, so that what is expanded at once stays small."""
    a = x.reshape(order, order)
    if order <= AT_ONCE:
        return expanded(m, a[:, :, None])[0]
    first = order - AT_ONCE
    chosen = np.array(list(itertools.permutations(range(order), first)))  # (terms, first)
    rest = np.array([[c for c in range(order) if c not in row] for row in chosen])
    signs = np.array([sign(row) for row in np.concatenate([chosen, rest], 1)])
    rows = np.arange(first)

    def term(total: Any, place: Any) -> Any:
        sign, columns, others = place
        factor = sign * m.prod(a[m.constant(rows), columns])
        return total + factor * expanded(m, a[first:][:, others][:, :, None])[0], None

    places = tuple(map(m.constant, (signs, chosen, rest)))
    return m.scan(term, m.constant(np.zeros(())), places, checkpoint=True)[0]


def sign(permutation: Any) -> float:
    pairs = itertools.combinations(permutation, 2)
    return (-1.0) ** sum(one > other for one, other in pairs)


def reference(part: str, order: int, x: Array) -> Array:
    """By LU, and by Jacobi's formula ∂ det A/∂A = det A·A⁻ᵀ."""
    a = x.reshape(order, order)
    whole = np.linalg.det(a)
    return whole if part == "value" else (whole * np.linalg.inv(a).T).ravel()


PROBLEM = Problem(
    sizes={f"{k} ({math.factorial(k):,} terms)": k for k in (5, 6, 7, 8, 9, 10, 11)},
    tiny=4,
    arrays=lambda order: (np.random.default_rng(0).random(order * order),),
    value=lambda m, order: lambda x: determinant(m, x, order),
    derivative=lambda m, order: m.grad(lambda x: determinant(m, x, order)),
    reference=reference,
)
