"""Compressed derivatives: products with sums of unit vectors, one for each colour.

B = J·S, where column k of S is 1 at the inputs of colour k, has each entry of J once; so has S·J,
for colours of the outputs. All products stand in one Program and share the values of f.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..autodiff.forward import forward
from ..autodiff.gradients import gradients
from ..dtypes import Array
from ..graph.leaves import Constant
from ..graph.node import Node
from ..graph.registry import ops
from ..graph.state.lazy import lazy
from ..shapes import size, sizes
from .colouring import column_colours, star_colours, transposed
from .sparsity import Compressed, Format, Sparsity, matrix_of, sealed

Mode = Literal["forward", "reverse"]
AT_ONCE = 24  # colours in one Program; more take several runs of it
_FOLDED = 1 << 20  # seeds up to this many elements are constants, of which compilers compute ahead


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

    @property
    def in_one_run(self) -> bool:
        """Whether one Program, in which the seeds are constants, computes all entries."""
        return self.count <= AT_ONCE and self.count * self.colours.size <= _FOLDED

    @lazy
    def template(self) -> Any:
        """A matrix of this pattern, which is copied to give it entries."""
        none = np.zeros(self.indices.shape)
        return matrix_of(none, self.indices, self.indptr, self.sparsity.shape, self.format)

    def matrix(self, entries: Array) -> Any:
        """The sparse matrix of these entries. Its arrays are read-only; the indices are shared."""
        if isinstance(self.template, Compressed):
            return self.template._replace(data=entries)
        made = copy(self.template)
        made.data = entries
        return made


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
        found = None
    else:
        found = places
    index = [sealed(np.asarray(one, np.int32)) for one in (indices, indptr)]
    return Plan(sparsity, mode, colours.astype(np.int32), count, found, format, *index)


def products(y: Node, x: Node, plan: Plan, colours: Any = None, first: Any = None) -> Node:
    """The entries of ∂y/∂x; or, of the products for the colours from `first` on, all elements."""
    reverse = plan.mode == "reverse"
    of, along = (y, x) if reverse else (x, y)
    found: list[Any] = []
    for number in range(plan.at_once):
        if colours is None:
            seed = Constant((plan.colours == number).astype(of.dtype).reshape(sizes(of.shape)))
        else:
            seed = ops.reshape(ops.cast(colours == first + number, of.dtype), sizes(of.shape))
        t = gradients(y, x, gradient=seed) if reverse else forward([y], {x: seed})[0]
        found.append(ops.zeros_like(along) if t is None else t)
    flat = [ops.reshape(one, (size(along.shape),)) for one in found]
    joined = ops.concat(flat) if len(flat) > 1 else flat[0]
    if colours is not None or plan.places is None:
        return joined
    return ops.take(joined, plan.places)
