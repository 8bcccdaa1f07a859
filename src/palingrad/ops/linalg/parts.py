"""What the families of linear algebra share: checks of shapes, triangles, diagonals, adjoints.

Derivatives follow the library's convention for complex numbers: of a holomorphic function they use
plain transposes. Where a rule is easier in adjoints, it conjugates cotangents first and last.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dtypes import is_complex, is_supported
from ...errors import ArgumentError, ShapeError
from ...graph.derivatives.cotangents import conjugated as conjugated
from ...graph.node import Node
from ...graph.registry import ops
from ...shapes import Dim, Shape, same, sizes, text


def matrix(shape: Shape, name: str = "x") -> tuple[Dim, Dim]:
    """Rows and columns of a shape that has them. Raises ShapeError otherwise."""
    if len(shape) < 2:
        raise ShapeError(
            f"{name} has {len(shape)} axes, a matrix has two or more",
            hint="A vector becomes a column by v[:, None], a row by v[None, :].",
        )
    return shape[-2], shape[-1]


def square(shape: Shape, name: str = "x") -> Dim:
    """The size of square matrices of this shape. Raises ShapeError for others."""
    rows, columns = matrix(shape, name)
    if not same(rows, columns):
        raise ShapeError(f"matrices {text((rows, columns))} of {name} aren't square")
    return columns if rows is None else rows


def adjoint(x: Any) -> Any:
    """xᴴ: transposed and conjugated."""
    return conjugated(x).mT


def lower(x: Any, offset: int = 0) -> Any:
    """x with zeros above the diagonal number `offset`."""
    *_, rows, columns = sizes(x.shape)
    return ops.where(np.tri(rows, columns, offset, dtype=bool), x, 0)


def upper(x: Any, offset: int = 0) -> Any:
    """x with zeros below the diagonal number `offset`."""
    *_, rows, columns = sizes(x.shape)
    return ops.where(np.tri(rows, columns, offset - 1, dtype=bool), 0, x)


def half_lower(x: Any) -> Any:
    """x with zeros above the diagonal and half of its diagonal: Φ of Murray 2016."""
    *_, rows, columns = sizes(x.shape)
    weights = np.tri(rows, columns, -1) + 0.5 * np.eye(rows, columns)
    return lower(x) * weights.astype(x.dtype)


def without_diagonal(x: Any) -> Any:
    """x with zeros on its diagonal."""
    *_, rows, columns = sizes(x.shape)
    return ops.where(np.eye(rows, columns, dtype=bool), 0, x)


def hermitian_part(x: Any) -> Any:
    """(x + xᴴ)/2."""
    return (x + adjoint(x)) * 0.5


def on_diagonal(v: Any) -> Any:
    """Matrices with v (…, n) on their diagonals."""
    n = sizes(v.shape)[-1]
    return ops.where(np.eye(n, dtype=bool), ops.expand_dims(v, axis=-1), 0)


def column(v: Any) -> Any:
    """v (…, n) as columns (…, n, 1)."""
    return ops.expand_dims(v, axis=-1)


def row(v: Any) -> Any:
    """v (…, n) as rows (…, 1, n)."""
    return ops.expand_dims(v, axis=-2)


def per_matrix(g: Any) -> Any:
    """One number for each matrix, with axes of size 1 for rows and columns."""
    return ops.expand_dims(g, axis=(-2, -1))


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
    if not is_supported(value.dtype) or not np.isfinite(value).all():
        return
    wide = value.astype(np.complex128 if is_complex(value.dtype) else np.float64)
    rest = np.abs(wide - np.conj(np.swapaxes(wide, -1, -2)))
    if np.max(rest) > 0.1 * np.max(np.abs(wide)):
        *_, i, j = np.unravel_index(int(np.argmax(rest)), rest.shape)
        raise ArgumentError(
            f"{name}: the matrix isn't symmetric: elements ({i}, {j}) and ({j}, {i}) differ by "
            f"{np.max(rest):.3g}.",
            hint=hint,
        )
