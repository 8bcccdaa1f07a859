"""Compositions and sums of operators: of one structure where that is known, lazy elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dtypes import Array
from ...errors import ShapeError
from .base import JacobianOperator, define_algebra
from .structured import Block, Dense, Diagonal, LowRank, Selection, Zero


class Composed(JacobianOperator):
    """J·K, whose products are taken one after another."""

    structure = "composition"

    def __init__(self, first: JacobianOperator, second: JacobianOperator) -> None:
        super().__init__((first.shape[0], second.shape[1]), _dtype(first, second))
        self.first, self.second = first, second

    def arrays(self) -> tuple[Any, ...]:
        return (self.first, self.second)

    def apply(self, x: Array) -> Array:
        return self.first.apply(self.second.apply(x))

    def apply_transposed(self, x: Array) -> Array:
        return self.second.apply_transposed(self.first.apply_transposed(x))

    def entries(self) -> tuple[Array, Array, Array]:
        found = (self.first.sparse() @ self.second.sparse()).tocoo()
        return found.row, found.col, found.data

    @property
    def T(self) -> JacobianOperator:
        return Composed(self.second.T, self.first.T)


class Sum(JacobianOperator):
    """J + K."""

    structure = "sum"

    def __init__(self, first: JacobianOperator, second: JacobianOperator) -> None:
        super().__init__(first.shape, _dtype(first, second))
        self.first, self.second = first, second

    def arrays(self) -> tuple[Any, ...]:
        return (self.first, self.second)

    def apply(self, x: Array) -> Array:
        return self.first.apply(x) + self.second.apply(x)

    def apply_transposed(self, x: Array) -> Array:
        return self.first.apply_transposed(x) + self.second.apply_transposed(x)

    def entries(self) -> tuple[Array, Array, Array]:
        pairs = zip(self.first.entries(), self.second.entries(), strict=True)
        rows, columns, values = (np.concatenate(pair) for pair in pairs)
        return rows, columns, values

    @property
    def T(self) -> JacobianOperator:
        return Sum(self.first.T, self.second.T)


def compose(first: JacobianOperator, second: JacobianOperator) -> JacobianOperator:
    """J·K, in the simplest structure that it is known to have."""
    if first.shape[1] != second.shape[0]:
        raise ShapeError(f"a composition of Jacobians of {first.shape} and {second.shape}: "
                         "the inner sizes differ.")  # fmt: skip
    if isinstance(first, Zero) or isinstance(second, Zero):
        return Zero((first.shape[0], second.shape[1]), _dtype(first, second))
    if isinstance(first, Diagonal) and (found := _scaled_rows(first.diagonal, second)):
        return found
    if isinstance(first, Selection) and isinstance(second, (Diagonal, Selection)):
        return _selected(first, second)
    if isinstance(first, Block) and isinstance(second, Block):
        if first.blocks.shape[::2] == second.blocks.shape[:2]:
            return Block(first.blocks @ second.blocks)
    if isinstance(first, Dense):
        return Dense(second.apply_transposed(first.matrix.T).T)
    if isinstance(second, Dense):
        return Dense(first.apply(second.matrix))
    if isinstance(first, LowRank):
        return LowRank(first.left, second.apply_transposed(first.right))
    if isinstance(second, LowRank):
        return LowRank(first.apply(second.left), second.right)
    return Composed(first, second)


def _scaled_rows(scale: Array, of: JacobianOperator) -> JacobianOperator | None:
    """diag(scale)·J where that has J's structure."""
    if isinstance(of, Diagonal):
        return Diagonal(scale * of.diagonal)
    if isinstance(of, Selection):
        return Selection(of.index, of.shape[1], scale * of.values, None)
    if isinstance(of, Block):
        return Block(scale.reshape(*of.blocks.shape[:2], 1) * of.blocks)
    return None


def _selected(first: Selection, second: Diagonal | Selection) -> JacobianOperator:
    """Rows of a matrix with at most one entry a row."""
    rows = np.maximum(first.index, 0)
    if isinstance(second, Diagonal):
        return Selection(first.index, second.shape[1], first.values * second.diagonal[rows], None)
    index = np.where(first.index < 0, -1, second.index[rows])
    return Selection(index, second.shape[1], first.values * second.values[rows], None)


def add(first: JacobianOperator, second: JacobianOperator) -> JacobianOperator:
    """J + K, in the simplest structure that it is known to have."""
    if first.shape != second.shape:
        raise ShapeError(f"a sum of Jacobians of {first.shape} and {second.shape}.")
    if isinstance(first, Zero):
        return second
    if isinstance(second, Zero):
        return first
    if isinstance(first, Diagonal) and isinstance(second, Diagonal):
        return Diagonal(first.diagonal + second.diagonal)
    if isinstance(first, Dense) and isinstance(second, Dense):
        return Dense(first.matrix + second.matrix)
    if isinstance(first, Block) and isinstance(second, Block):
        if first.blocks.shape == second.blocks.shape:
            return Block(first.blocks + second.blocks)
    if isinstance(first, LowRank) and isinstance(second, LowRank):
        left = np.concatenate((first.left, second.left), 1)
        return LowRank(left, np.concatenate((first.right, second.right), 1))
    return Sum(first, second)


def _dtype(first: JacobianOperator, second: JacobianOperator) -> Any:
    return np.result_type(first.dtype, second.dtype)


define_algebra(compose, add)
