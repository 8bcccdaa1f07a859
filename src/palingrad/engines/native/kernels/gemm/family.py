"""The family of matrix products: chooses the kernel of a product by its sizes and strides."""

from __future__ import annotations

from typing import ClassVar

from .....dtypes import DType
from .....graph.leaves import Variable
from .....graph.node import Node
from ..family import Group, KernelFamily
from ..formula import dtype_of
from ..kernel import Fused, Views
from .blocked import LargeProduct
from .dot import Dot
from .panels import blocks_of
from .problem import GemmProblem, gemm_problem, with_merged_rows
from .small import DEPTH, Product, SmallProduct
from .split_k import SplitProduct, parts_of

_LARGE = 1 << 21  # multiplications from which on both operands are packed in blocks


class ProductFamily(KernelFamily):
    """A product, the first node, and elementwise nodes of the same shape."""

    reads_any_strides: ClassVar[bool] = False

    def takes_elementwise(self, group: Group, views: Views) -> bool:
        return not _is_dot(gemm_problem(group.first, views))

    def writes_any_strides(self, group: Group, node: Node) -> bool:
        return node is not group.first

    def updates_in_place(self, group: Group, value: Node, variable: Variable, views: Views) -> bool:
        if any(views[x].base is variable for x in group.first.inputs):
            return False
        # If terms are summed block by block, partial sums would overwrite the old value too early.
        return value is not group.first or not _sums_in_memory(group, views)


def _is_dot(f: GemmProblem) -> bool:
    """Whether both operands are contiguous along the terms, and there are few rows or columns."""
    contiguous = f.x_step[1] == 1 and f.y_step[0] == 1
    transposed = f.y_step[1] != 1 or f.columns == 1
    return contiguous and transposed and f.depth > 1 and min(f.rows, f.columns) <= 2


def _is_split(f: GemmProblem, itemsize: int) -> bool:
    """Whether the terms are division into parts that are summed in parallel."""
    return parts_of(f, itemsize) > 1


def _is_large(f: GemmProblem) -> bool:
    """Whether packing both operands repays its cost."""
    return min(f.rows, f.columns) >= 48 and f.depth >= 8 and f.work >= _LARGE


def _sums_in_memory(group: Group, views: Views) -> bool:
    """Whether the product's kernel stores partial sums in the result."""
    f, dtype = gemm_problem(group.first, views), dtype_of(group.first)
    return any(_sums_blocks_in_memory(one, dtype) for one in (f, with_merged_rows(f, [])))


def _sums_blocks_in_memory(f: GemmProblem, dtype: DType) -> bool:
    if _is_dot(f):
        return True
    if _is_split(f, dtype.itemsize):
        return False
    return blocks_of(f, dtype) > 1 if _is_large(f) else f.depth > DEPTH


def _kernel(fused: Fused, views: Views) -> Product:
    f = gemm_problem(fused.first, views)
    operands = [*fused.epilogue_operands, *fused.live_out]
    f = with_merged_rows(f, [views[x] for x in operands])
    if _is_dot(f):
        return Dot.of(fused, f)
    if _is_split(f, dtype_of(fused.first).itemsize):
        return SplitProduct.of(fused, f)
    return LargeProduct.of(fused, f, views) if _is_large(f) else SmallProduct.of(fused, f)


PRODUCT = ProductFamily(_kernel)
