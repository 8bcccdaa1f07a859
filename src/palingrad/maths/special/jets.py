"""Truncated Taylor polynomials of two variables, on arrays of doubles.

A polynomial is an array c whose entry c[i, j] is the coefficient of εⁱδʲ: arithmetic on them is
forward-mode differentiation to any order (Griewank & Walther, "Evaluating Derivatives", ch. 13).
"""

from __future__ import annotations

import numpy as np

from ...dtypes import Array


def constant(x: Array, i: int, j: int) -> Array:
    """x as a polynomial of degrees i in ε and j in δ."""
    c = np.zeros((i + 1, j + 1, *np.shape(x)))
    c[0, 0] = x
    return c


def times(a: Array, b: Array) -> Array:
    """a·b."""
    rows, columns = a.shape[:2]
    if rows == columns == 1:
        return a * b
    result = np.zeros(np.broadcast_shapes(a.shape, b.shape))
    for i in range(rows):
        for j in range(columns):
            result[i:, j:] += a[i, j] * b[: rows - i, : columns - j]
    return result


def over(a: Array, b: Array) -> Array:
    """a / b."""
    rows, columns = a.shape[:2]
    if rows == columns == 1:
        return a / b
    same = a.shape == b.shape
    rest = a.copy() if same else np.array(np.broadcast_to(a, np.broadcast_shapes(a.shape, b.shape)))
    for i in range(rows):
        for j in range(columns):
            rest[i, j] /= b[0, 0]
            if j + 1 < columns:
                rest[i, j + 1 :] -= rest[i, j] * b[0, 1 : columns - j]
            if i + 1 < rows:
                rest[i + 1 :, j:] -= rest[i, j] * b[1 : rows - i, : columns - j]
    return rest


def exp(a: Array) -> Array:
    """eᵃ."""
    result = np.zeros(a.shape)
    result[0, 0] = np.exp(a[0, 0])
    rows, columns = len(a), len(a[0])
    for i in range(rows):
        for j in range(columns):
            if i:  # i·yᵢⱼ = Σ p·aₚ_q·yᵢ₋ₚ,ⱼ₋_q
                for p in range(1, i + 1):
                    for q in range(j + 1):
                        result[i, j] += p / i * a[p, q] * result[i - p, j - q]
            elif j:
                for q in range(1, j + 1):
                    result[i, j] += q / j * a[i, q] * result[i, j - q]
    return result
