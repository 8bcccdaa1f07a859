"""Numbers by which operands and results of attention's products are multiplied, such as 1/√depth.

The kernel multiplies an operand that it packs anyway, so that no multiple is in memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .....graph.kinds import Layout
from .....graph.leaves import Constant
from .....graph.node import Node
from .....graph.operation import Operation
from .....ops.elementwise.arithmetic import Multiply
from .....passes.program import Program
from .....shapes import sizes
from ...kernels.attention.recipe import Result
from ...kernels.formula import is_number
from .find import Factored, Region, is_transpose

_MOST = 2.0**20  # size of a factor, and of its reciprocal, that brings no number out of range


def with_factors(regions: Iterable[Region], program: Program) -> list[Region]:
    """The regions, whose kernels compute such multiples."""
    readers: dict[Node, list[Node]] = {}
    for node in program.order:
        for x in node.inputs:
            readers.setdefault(x, []).append(node)
    roots = set(program.roots)

    def multiple_of(node: Operation) -> Operation | None:
        """The only node that reads this one, if it is the node times a number."""
        only = readers.get(node, ())
        if node in roots or len(only) != 1 or not isinstance(only[0], Operation):
            return None
        return only[0] if _factor(only[0])[0] is node else None

    def result(one: Result) -> Result:
        other, factor = _factor(one.other)
        multiple = multiple_of(one.node)
        if multiple is not None:
            factor *= _factor(multiple)[1]
        return replace(one, other=other, factor=factor, multiple=multiple)

    return [
        replace(region, results=[*map(result, region.results)], factored=_factored(region))
        for region in regions
    ]


def _factored(region: Region) -> dict[Operation, Factored]:
    """The region's products of multiples."""
    found: dict[Operation, Factored] = {}
    for node in region.products:
        (x, first), (y, second) = map(_factor, node.inputs)
        if first * second != 1.0:
            found[node] = Factored((x, y), first * second)
    return found


def _factor(x: Node) -> tuple[Node, float]:
    """(y, c) with x = y·c for a number c of moderate size; (x, 1) if x is no such multiple."""
    if isinstance(x, Multiply) and x._shipped:
        for y, number in (x.inputs, reversed(x.inputs)):
            if is_number(number) and isinstance(number, Constant) and y.dtype == x.dtype:
                factor = float(number.numpy())
                if sizes(y.shape) == sizes(x.shape) and 1 / _MOST <= abs(factor) <= _MOST:
                    return y, factor
    if isinstance(x, Layout) and is_transpose(x):
        y, factor = _factor(x.inputs[0])
        return (x, 1.0) if factor == 1.0 else (x.clone([y]), factor)
    return x, 1.0
