"""The structures of Jacobians: zero, diagonal, selection, Kronecker, block, low rank, dense."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dtypes import Array
from .base import JacobianOperator


class Zero(JacobianOperator):
    """0, of any shape."""

    structure = "zero"

    def apply(self, x: Array) -> Array:
        return np.zeros((self.shape[0], x.shape[1]), self.dtype)

    def apply_transposed(self, x: Array) -> Array:
        return np.zeros((self.shape[1], x.shape[1]), self.dtype)

    def entries(self) -> tuple[Array, Array, Array]:
        none = np.zeros(0, np.int64)
        return none, none, np.zeros(0, self.dtype)


class Diagonal(JacobianOperator):
    """diag(d): of elementwise operations."""

    structure = "diagonal"

    def __init__(self, diagonal: Array) -> None:
        super().__init__((diagonal.size, diagonal.size), diagonal.dtype)
        self.diagonal = diagonal

    def arrays(self) -> tuple[Any, ...]:
        return (self.diagonal,)

    def apply(self, x: Array) -> Array:
        return self.diagonal[:, None] * x

    def apply_transposed(self, x: Array) -> Array:
        return self.diagonal[:, None] * x

    def entries(self) -> tuple[Array, Array, Array]:
        place = np.arange(self.diagonal.size)
        return place, place, self.diagonal

    @property
    def T(self) -> JacobianOperator:
        return self


class Selection(JacobianOperator):
    """One entry a row: row i has weights[i] at column index[i], and nothing where that is −1."""

    structure = "selection"

    def __init__(self, index: Array, columns: int, weights: Array | None, dtype: Any) -> None:
        super().__init__((index.size, columns), dtype if weights is None else weights.dtype)
        self.index, self.weights = index, weights

    def arrays(self) -> tuple[Any, ...]:
        return (self.index,) if self.weights is None else (self.index, self.weights)

    @property
    def values(self) -> Array:
        """The entry of each row; 0 where there is none."""
        ones = np.ones(self.index.size, self.dtype) if self.weights is None else self.weights
        return np.where(self.index < 0, 0, ones).astype(self.dtype, copy=False)

    def apply(self, x: Array) -> Array:
        if not self.shape[1]:
            return np.zeros((self.shape[0], x.shape[1]), x.dtype)
        return self.values[:, None] * x[np.maximum(self.index, 0)]

    def apply_transposed(self, x: Array) -> Array:
        used = self.index >= 0
        total = np.zeros((self.shape[1], x.shape[1]), np.result_type(self.dtype, x.dtype))
        np.add.at(total, self.index[used], (self.values[:, None] * x)[used])
        return total

    def entries(self) -> tuple[Array, Array, Array]:
        used = np.flatnonzero(self.index >= 0)
        return used, self.index[used], self.values[used]


class Kronecker(JacobianOperator):
    """A ⊗ B: of matrix products. A factor that is an integer n is the identity of size n."""

    structure = "Kronecker"

    def __init__(self, left: Array | int, right: Array | int, dtype: Any) -> None:
        rows, columns = np.multiply(_shape(left), _shape(right)).tolist()
        super().__init__((rows, columns), dtype)
        self.left, self.right = left, right

    def arrays(self) -> tuple[Any, ...]:
        return tuple(one for one in (self.left, self.right) if not isinstance(one, int))

    def apply(self, x: Array) -> Array:
        return _kronecker(self.left, self.right, x)

    def apply_transposed(self, x: Array) -> Array:
        return _kronecker(_transpose(self.left), _transpose(self.right), x)

    def filled(self) -> Array:
        return np.kron(_full(self.left, self.dtype), _full(self.right, self.dtype))

    def entries(self) -> tuple[Array, Array, Array]:
        (i, j, a), (k, l, b) = _places(self.left, self.dtype), _places(self.right, self.dtype)
        rows, columns = _shape(self.right)
        return (
            np.add.outer(i * rows, k).ravel(),
            np.add.outer(j * columns, l).ravel(),
            np.multiply.outer(a, b).ravel(),
        )

    @property
    def T(self) -> JacobianOperator:
        return Kronecker(_transpose(self.left), _transpose(self.right), self.dtype)


class Block(JacobianOperator):
    """Blocks (b, p, q) on the diagonal: of batches, and of operations along the last axis."""

    structure = "block diagonal"

    def __init__(self, blocks: Array) -> None:
        count, rows, columns = blocks.shape
        super().__init__((count * rows, count * columns), blocks.dtype)
        self.blocks = blocks

    def arrays(self) -> tuple[Any, ...]:
        return (self.blocks,)

    def apply(self, x: Array) -> Array:
        count, rows, columns = self.blocks.shape
        return (self.blocks @ x.reshape(count, columns, -1)).reshape(count * rows, x.shape[1])

    def apply_transposed(self, x: Array) -> Array:
        return Block(self.blocks.transpose(0, 2, 1)).apply(x)

    def entries(self) -> tuple[Array, Array, Array]:
        count, rows, columns = self.blocks.shape
        block, i, j = np.indices((count, rows, columns)).reshape(3, -1)
        return block * rows + i, block * columns + j, self.blocks.ravel()

    @property
    def T(self) -> JacobianOperator:
        return Block(self.blocks.transpose(0, 2, 1))


class LowRank(JacobianOperator):
    """U·Vᵀ, U (rows, r), V (columns, r)."""

    structure = "low rank"

    def __init__(self, left: Array, right: Array) -> None:
        dtype = np.result_type(left.dtype, right.dtype)
        super().__init__((left.shape[0], right.shape[0]), dtype)
        self.left, self.right = left, right

    def arrays(self) -> tuple[Any, ...]:
        return (self.left, self.right)

    def apply(self, x: Array) -> Array:
        return self.left @ (self.right.T @ x)

    def apply_transposed(self, x: Array) -> Array:
        return self.right @ (self.left.T @ x)

    def filled(self) -> Array:
        return self.left @ self.right.T

    @property
    def T(self) -> JacobianOperator:
        return LowRank(self.right, self.left)


class Outer(LowRank):
    """u·vᵀ, of rank 1."""

    structure = "outer"

    def __init__(self, left: Array, right: Array) -> None:
        super().__init__(left.reshape(-1, 1), right.reshape(-1, 1))


class Sparse(JacobianOperator):
    """A SciPy CSR array: of windows, and of what has no structure with a name."""

    structure = "sparse"

    def __init__(self, matrix: Any) -> None:
        super().__init__(matrix.shape, matrix.dtype)
        self.matrix = matrix

    def arrays(self) -> tuple[Any, ...]:
        return (self.matrix.data, self.matrix.indices, self.matrix.indptr)

    def apply(self, x: Array) -> Array:
        return self.matrix @ x

    def apply_transposed(self, x: Array) -> Array:
        return self.matrix.T @ x

    def entries(self) -> tuple[Array, Array, Array]:
        found = self.matrix.tocoo()
        return found.row, found.col, found.data


class Dense(JacobianOperator):
    """A full matrix."""

    structure = "dense"

    def __init__(self, matrix: Array) -> None:
        super().__init__((matrix.shape[0], matrix.shape[1]), matrix.dtype)
        self.matrix = matrix

    def arrays(self) -> tuple[Any, ...]:
        return (self.matrix,)

    def apply(self, x: Array) -> Array:
        return self.matrix @ x

    def apply_transposed(self, x: Array) -> Array:
        return self.matrix.T @ x

    def filled(self) -> Array:
        return self.matrix.copy()

    @property
    def T(self) -> JacobianOperator:
        return Dense(self.matrix.T)


# ---------------------------------------------------------------- factors of Kronecker products


def _shape(factor: Array | int) -> tuple[int, int]:
    return (factor, factor) if isinstance(factor, int) else (factor.shape[0], factor.shape[1])


def _transpose(factor: Array | int) -> Array | int:
    return factor if isinstance(factor, int) else factor.T


def _full(factor: Array | int, dtype: Any) -> Array:
    return np.eye(factor, dtype=dtype) if isinstance(factor, int) else factor


def _places(factor: Array | int, dtype: Any) -> tuple[Array, Array, Array]:
    """(rows, columns, values) of a factor."""
    if isinstance(factor, int):
        place = np.arange(factor)
        return place, place, np.ones(factor, dtype)
    i, j = np.indices(factor.shape).reshape(2, -1)
    return i, j, factor.ravel()


def _kronecker(left: Array | int, right: Array | int, x: Array) -> Array:
    """(A ⊗ B)·x = A·X·Bᵀ in row-major order, for each column X of x."""
    k = x.shape[1]
    full = x.reshape(_shape(left)[1], _shape(right)[1], k)  # (p, q, k)
    if not isinstance(left, int):
        full = np.tensordot(left, full, (1, 0))  # (rows of A, q, k)
    if not isinstance(right, int):
        full = np.tensordot(right, full, (1, 1)).swapaxes(0, 1)  # (…, rows of B, k)
    return full.reshape(-1, k)
