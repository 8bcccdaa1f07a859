"""The problem of a matrix product: its sizes, and the strides of its operands."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from .....graph.operation import Operation
from .....graph.state.records import dataclass
from .....shapes import sizes
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
    # The index space of the elements: the result's shape, or (rows, columns) if the rows of all
    # matrices of the batch are rows of one.
    space: tuple[int, ...]

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
    return GemmProblem(
        batch, rows, depth, columns, x, y, x_batch, y_batch, x_step, y_step, swapped,
        sizes(node.shape),
    )  # fmt: skip


def with_merged_rows(f: GemmProblem, operands: list[View]) -> GemmProblem:
    """The same product as one of two matrices, if all matrices of the batch have the same right
    operand, and the rows of all are evenly spaced in the left one and in these operands and results
    of the elementwise nodes; otherwise the given problem."""
    if f.swapped or any(f.y_batch) or math.prod(f.batch) < 2 or 0 in (f.rows, f.depth, f.columns):
        return f
    if len(f.space) != len(f.batch) + 2:
        return f
    rows = math.prod(f.batch) * f.rows
    left = View(f.x.base, (*f.batch, f.rows, f.depth), (*f.x_batch, *f.x_step), f.x.offset)
    x = left.layout.reshaped((rows, f.depth))
    space = rows, f.columns
    if x is None or any(broadcast(one, f.space).layout.reshaped(space) is None for one in operands):
        return f
    return replace(
        f, batch=(), rows=rows, x_batch=(), y_batch=(), x_step=(x.strides[0], x.strides[1]),
        space=space,
    )  # fmt: skip


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
