"""The problem of a matrix product: its sizes, and the strides of its operands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .....graph.operation import Operation
from ...llvm.strided_view import View, broadcast
from ..kernel import Views


@dataclass(frozen=True)
class GemmProblem:
    """z = x y for matrices in a batch: z is (rows, columns), x (rows, depth), y (depth, columns).
    The strides are in elements."""

    batch: tuple[int, ...]
    rows: int
    depth: int
    columns: int
    x: View
    y: View
    x_batch: tuple[int, ...]
    y_batch: tuple[int, ...]
    x_step: tuple[int, int]  # strides between rows and between terms
    y_step: tuple[int, int]  # strides between terms and between columns
    swapped: bool  # whether this is the transposed product yᵀxᵀ

    @property
    def work(self) -> int:
        """The number of multiplications."""
        return math.prod(self.batch) * self.rows * self.depth * self.columns


def gemm_problem(node: Operation, views: Views) -> GemmProblem:
    """The problem of a product. A vector on the left is a row, on the right a column."""
    x, y = (views[operand] for operand in node.inputs)
    x = View(x.base, (1, *x.shape), (0, *x.strides), x.offset) if len(x.shape) == 1 else x
    y = View(y.base, (*y.shape, 1), (*y.strides, 0), y.offset) if len(y.shape) == 1 else y
    rows, depth, columns = x.shape[-2], x.shape[-1], y.shape[-1]
    batch = _batch(x.shape[:-2], y.shape[:-2])
    x_batch = broadcast(View(x.base, x.shape[:-2], x.strides[:-2]), batch).strides
    y_batch = broadcast(View(y.base, y.shape[:-2], y.strides[:-2]), batch).strides
    x_step, y_step = (x.strides[-2], x.strides[-1]), (y.strides[-2], y.strides[-1])
    swapped = columns == 1 and rows > 1 and x_step[0] == 1
    if swapped:  # (xy)ᵀ = yᵀxᵀ reads x along its rows
        x, y, x_batch, y_batch = y, x, y_batch, x_batch
        x_step, y_step = (0, y_step[0]), (x_step[1], x_step[0])
        rows, columns = 1, rows
    return GemmProblem(batch, rows, depth, columns, x, y, x_batch, y_batch, x_step, y_step, swapped)


def _batch(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    long, short = (a, b) if len(a) >= len(b) else (b, a)
    padded = (1,) * (len(long) - len(short)) + short
    return tuple(max(one, other) if 0 not in (one, other) else 0
                 for one, other in zip(long, padded, strict=True))  # fmt: skip


def vector_axis(node: Operation, f: GemmProblem) -> int:
    """The axis of the node's shape that corresponds to the matrix's columns."""
    return -2 if f.swapped and node.inputs[1].ndim != 1 else -1


def matrix_indices(node: Operation, f: GemmProblem, row: Any, column: Any) -> list[Any]:
    """Row and column of the matrix as indices of the node's last axes."""
    if f.swapped:
        row, column = column, row
    x, y = node.inputs
    return [*([] if x.ndim == 1 else [row]), *([] if y.ndim == 1 else [column])]
