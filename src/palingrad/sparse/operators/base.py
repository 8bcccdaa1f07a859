"""JacobianOperator: a matrix known by its products; what is common to all structures."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ...dtypes import Array
from ...errors import ArgumentError, ShapeError

DENSE_BUDGET = 1 << 30  # bytes that `dense()` may allocate, unless it is told otherwise


class JacobianOperator:
    """A matrix ∂y/∂x of shape (size of y, size of x), in row-major order of both.

    `J @ v` and `u @ J` are products with vectors and matrices, `J @ K` is a composition, `J + K` a
    sum, `J.T` the transpose; none of them makes a full matrix. `J.nbytes` is the memory that the
    operator holds, `J.dense_nbytes` what `J.dense()` would allocate: both are known without
    allocating anything.
    """

    structure: ClassVar[str] = "matrix"
    __array_ufunc__ = None  # so that NumPy leaves array @ operator to the operator

    def __init__(self, shape: tuple[int, int], dtype: Any) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)

    # ------------------------------------------------------------ what a structure defines

    def arrays(self) -> tuple[Any, ...]:
        """The arrays and operators that it consists of."""
        return ()

    def apply(self, x: Array) -> Array:
        """J·x, for x (columns, k)."""
        raise NotImplementedError

    def apply_transposed(self, x: Array) -> Array:
        """Jᵀ·x, for x (rows, k)."""
        raise NotImplementedError

    def entries(self) -> tuple[Array, Array, Array]:
        """(rows, columns, values) of the entries that may be nonzero; repeated ones add up."""
        full = self.dense()
        rows, columns = np.nonzero(full)
        return rows, columns, full[rows, columns]

    # ------------------------------------------------------------ what follows from it

    @property
    def nbytes(self) -> int:
        """The memory that the operator holds."""
        return sum(part.nbytes for part in self.arrays())

    @property
    def dense_nbytes(self) -> int:
        """The memory of the full matrix."""
        return self.shape[0] * self.shape[1] * self.dtype.itemsize

    @property
    def T(self) -> JacobianOperator:
        """The transpose."""
        return Transposed(self)

    def dense(self, *, budget: float = DENSE_BUDGET) -> Array:
        """The full matrix. Raises ArgumentError, before anything is allocated, if it is larger
        than `budget` bytes."""
        check_budget(self, budget)
        return self.filled()

    def filled(self) -> Array:
        """The full matrix, whatever its size."""
        rows, columns, values = self.entries()
        full = np.zeros(self.shape, self.dtype)
        np.add.at(full, (rows, columns), values)
        return full

    def sparse(self) -> Any:
        """The matrix as a SciPy CSR array."""
        from scipy import sparse

        rows, columns, values = self.entries()
        return sparse.csr_array(sparse.coo_array((values, (rows, columns)), shape=self.shape))

    def __matmul__(self, other: Any) -> Any:
        if isinstance(other, JacobianOperator):
            return _algebra[0](self, other)
        return _product(self, other, self.shape[1], "@", self.apply)

    def __rmatmul__(self, other: Any) -> Any:
        x = np.asarray(other)
        if x.ndim == 1:
            return _product(self, x, self.shape[0], "@", self.apply_transposed)
        return _product(self, x.T, self.shape[0], "@", self.apply_transposed).T

    def __add__(self, other: Any) -> JacobianOperator:
        if not isinstance(other, JacobianOperator):
            return NotImplemented
        return _algebra[1](self, other)

    def __repr__(self) -> str:
        rows, columns = self.shape
        return f"{type(self).__name__}({rows} × {columns} {self.dtype}, {size_text(self.nbytes)})"


_algebra: list[Any] = []  # composition and sum, which know all structures: see `algebra.py`


def define_algebra(compose: Any, add: Any) -> None:
    """Register how operators are composed and added."""
    _algebra[:] = [compose, add]


class Transposed(JacobianOperator):
    """Jᵀ of any operator."""

    structure = "transpose"

    def __init__(self, of: JacobianOperator) -> None:
        super().__init__((of.shape[1], of.shape[0]), of.dtype)
        self.of = of

    def arrays(self) -> tuple[Any, ...]:
        return (self.of,)

    def apply(self, x: Array) -> Array:
        return self.of.apply_transposed(x)

    def apply_transposed(self, x: Array) -> Array:
        return self.of.apply(x)

    def entries(self) -> tuple[Array, Array, Array]:
        rows, columns, values = self.of.entries()
        return columns, rows, values

    def filled(self) -> Array:
        return self.of.filled().T

    @property
    def T(self) -> JacobianOperator:
        return self.of


def check_budget(operator: JacobianOperator, budget: float = DENSE_BUDGET) -> None:
    """Raise ArgumentError if the full matrix is larger than `budget` bytes."""
    if operator.dense_nbytes > budget:
        rows, columns = operator.shape
        raise ArgumentError(
            f"dense: {operator.structure} Jacobian of {rows} × {columns} {operator.dtype} would "
            f"take {size_text(operator.dense_nbytes)}, the budget is {size_text(int(budget))}.",
            hint=f"Products J @ v and u @ J, and J.sparse(), don't form it: J holds "
            f"{size_text(operator.nbytes)}. Or pass dense(budget=…).",
        )


def size_text(count: int) -> str:
    """A number of bytes for people.

    >>> size_text(3_200_000)
    '3.2 MB'
    """
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} B"


def _product(operator: JacobianOperator, x: Any, length: int, sign: str, apply: Any) -> Array:
    """The product with a vector or with the columns of a matrix."""
    array = np.asarray(x)
    if array.ndim not in (1, 2) or array.shape[0] != length:
        rows, columns = operator.shape
        raise ShapeError(
            f"{operator.structure} Jacobian of {rows} × {columns}: a factor of shape "
            f"{array.shape} doesn't fit.",
            hint="Flatten an array of x's or y's shape: J @ v.ravel().",
        )
    return apply(array[:, None])[:, 0] if array.ndim == 1 else apply(array)
