"""Compressed derivatives: products with sums of unit vectors, one for each colour.

B = J·S, where column k of S is 1 at the inputs of colour k, has each entry of J once; so has S·J,
for colours of the outputs. All products stand in one Program and share the values of f.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..autodiff.forward import forward
from ..autodiff.gradients import gradients
from ..dtypes import Array
from ..graph.node import Node
from ..graph.registry import ops
from ..shapes import size, sizes
from .colouring import column_colours, star_colours, transposed
from .sparsity import Format, Sparsity, matrix_of

Mode = Literal["forward", "reverse"]
AT_ONCE = 24  # colours in one Program; more take several runs of it


@dataclass(frozen=True, eq=False)
class Plan:
    """How the entries of a sparse Jacobian are computed and where they are found.

    Entry number e of the matrix is element `places[e]` of the products, stacked in one array and
    flattened; None where the products are the entries.
    """

    sparsity: Sparsity
    mode: Mode
    colours: Array  # of the columns (forward), or of the rows
    count: int  # how many colours
    places: Array | None
    format: Format
    indices: Array
    indptr: Array

    @property
    def at_once(self) -> int:
        """How many products one run computes."""
        return min(self.count, AT_ONCE)

    def entries(self, products: Sequence[Array]) -> Array:
        """The entries of the matrix, in its order, from the products of each run."""
        first, *more = products
        flat = np.concatenate(products).reshape(-1) if more else first.reshape(-1)
        return flat.copy() if self.places is None else flat.take(self.places)

    def matrix(self, entries: Array) -> Any:
        """The sparse matrix of these entries."""
        return matrix_of(entries, self.indices, self.indptr, self.sparsity.shape, self.format)


def jacobian_plan(sparsity: Sparsity, mode: Mode | None, format: Format) -> Plan:
    """Colours of the columns or, if they are fewer, of the rows; or of what `mode` says."""
    rows, columns = sparsity.shape
    starts, of_rows, _ = transposed(sparsity.indptr, sparsity.indices, columns)
    widest, tallest = (int(np.diff(one).max(initial=0)) for one in (sparsity.indptr, starts))
    by_columns = by_rows = None
    if mode != "reverse" and (mode or widest <= tallest):
        by_columns = column_colours(sparsity.indptr, sparsity.indices, columns)
    if mode != "forward" and (by_columns is None or by_columns.max(initial=0) >= tallest):
        by_rows = column_colours(starts, of_rows, rows)
    if mode is None and by_columns is None and by_rows is not None:
        if by_rows.max(initial=0) >= widest:
            by_columns = column_colours(sparsity.indptr, sparsity.indices, columns)
    if by_rows is None or (
        by_columns is not None and by_columns.max(initial=0) <= by_rows.max(initial=0)
    ):
        assert by_columns is not None
        places = by_columns[sparsity.indices] * rows + sparsity.rows
        return _plan(sparsity, "forward", by_columns, places, rows, format)
    places = by_rows[sparsity.rows] * columns + sparsity.indices
    return _plan(sparsity, "reverse", by_rows, places, columns, format)


def hessian_plan(sparsity: Sparsity, format: Format) -> Plan:
    """A star colouring of a symmetric pattern; entry (i, j) is in row i of the product for j's
    colour, or in row j of that for i's where another column of row i has j's colour."""
    size = sparsity.shape[0]
    colours = star_colours(sparsity.indptr, sparsity.indices)
    i, j = sparsity.rows, sparsity.indices
    count = int(colours.max(initial=0)) + 1
    shared = np.bincount(i * np.int64(count) + colours[j], minlength=size * count)
    alone = shared[i * np.int64(count) + colours[j]] == 1
    places = np.where(alone, colours[j] * size + i, colours[i] * size + j)
    return _plan(sparsity, "forward", colours, places, size, format)


def _plan(
    sparsity: Sparsity, mode: Mode, colours: Array, places: Array, length: int, format: Format
) -> Plan:
    count = int(colours.max(initial=0)) + 1 if sparsity.nnz else 0
    indices, indptr = sparsity.indices, sparsity.indptr
    if format == "csc":
        indptr, indices, order = transposed(indptr, indices, sparsity.shape[1])
        places = places[order]
    if count <= 1 and np.array_equal(places, np.arange(count * length)):
        places = None
    index = [np.asarray(one, np.int32) for one in (indices, indptr)]
    return Plan(sparsity, mode, colours.astype(np.int32), count, places, format, *index)


def products(y: Node, x: Node, plan: Plan, colours: Node, first: Node) -> Node:
    """The products of ∂y/∂x for the colours from `first` on, stacked: (colours, elements)."""
    reverse = plan.mode == "reverse"
    of = y if reverse else x
    found: list[Any] = []
    for number in range(plan.at_once):
        seed = ops.cast(colours == first + number, of.dtype)
        seed = ops.ones_like(of) if plan.count == 1 else ops.reshape(seed, sizes(of.shape))
        t = gradients(y, x, gradient=seed) if reverse else forward([y], {x: seed})[0]
        found.append(ops.zeros_like(x if reverse else y) if t is None else t)
    length = size((x if reverse else y).shape)
    return ops.reshape(ops.stack(found), (len(found), length))
