"""The places where a Jacobian may be nonzero, and sparse matrices of that pattern."""

from __future__ import annotations

import os
from typing import Any, Literal, NamedTuple

import numpy as np

from ..dtypes import Array
from ..errors import ArgumentError
from ..files.atomic import write_atomically
from .picture import svg_of

Format = Literal["csr", "csc"]


class Compressed(NamedTuple):
    """A sparse matrix without SciPy: row i (of a CSC matrix column i) has the numbers
    data[indptr[i] : indptr[i + 1]] at the columns (rows) indices[indptr[i] : indptr[i + 1]]."""

    data: Array
    indices: Array
    indptr: Array


class Sparsity:
    """The places of a matrix whose entries may be nonzero; all others are 0 for every argument.

    `indices[indptr[i] : indptr[i + 1]]` are the columns of row i, in increasing order.
    """

    def __init__(self, indptr: Array, indices: Array, shape: tuple[int, int]) -> None:
        self.shape = shape
        self.indptr = sealed(indptr.astype(np.int32))
        self.indices = sealed(indices.astype(np.int32))

    @property
    def nnz(self) -> int:
        """How many places there are."""
        return self.indices.size

    @property
    def density(self) -> float:
        """The share of places that may be nonzero."""
        rows, columns = self.shape
        return self.nnz / (rows * columns) if rows * columns else 0.0

    @property
    def rows(self) -> Array:
        """The row of each place."""
        return np.repeat(np.arange(self.shape[0], dtype=np.int32), np.diff(self.indptr))

    def toarray(self) -> Array:
        """The pattern as a boolean array."""
        full = np.zeros(self.shape, bool)
        full[self.rows, self.indices] = True
        return full

    def symmetric(self) -> Sparsity:
        """This pattern and its transpose together."""
        rows, columns = self.shape
        if rows != columns:
            raise ArgumentError(f"symmetric: the pattern is {rows} × {columns}, not square.")
        i, j = self.rows.astype(np.int64), self.indices.astype(np.int64)
        keys = np.unique(np.concatenate((i * rows + j, j * rows + i)))
        lengths = np.bincount(keys // rows, minlength=rows) if rows else np.zeros(0, np.int64)
        return Sparsity(np.concatenate(([0], np.cumsum(lengths))), keys % rows, self.shape)

    def draw(self, path: str | os.PathLike[str]) -> None:
        """Write a picture of the pattern, an SVG file."""
        write_atomically(path, svg_of(self.rows, self.indices, self.shape))

    def _repr_svg_(self) -> str:
        return svg_of(self.rows, self.indices, self.shape)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sparsity)
            and self.shape == other.shape
            and np.array_equal(self.indptr, other.indptr)
            and np.array_equal(self.indices, other.indices)
        )

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        rows, columns = self.shape
        return f"Sparsity({rows} × {columns}, {self.nnz} places, {self.density:.2%})"


def sealed(array: Array) -> Array:
    """The array, made read-only."""
    array.setflags(write=False)
    return array


def matrix_of(data: Array, indices: Array, indptr: Array, shape: Any, format: Format) -> Any:
    """A SciPy sparse array, or a `Compressed` where SciPy isn't installed."""
    try:
        from scipy import sparse
    except ImportError:
        return Compressed(data, indices, indptr)
    kind = sparse.csr_array if format == "csr" else sparse.csc_array
    made = kind((data, indices, indptr), shape=shape)
    made.has_canonical_format = True
    return made
