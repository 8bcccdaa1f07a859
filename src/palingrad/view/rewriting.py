"""Rewrites of derivatives for reading: without what only the reverse pass needed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

from ..dtypes import is_floating
from ..graph.context import level_of
from ..graph.kinds import Assign, Control, Custom, Elementwise, Random
from ..graph.leaves import Constant
from ..graph.node import Node
from ..graph.operation import Operation
from ..graph.regions.region import Region
from ..graph.regions.regional import Regional
from ..graph.registry import ops
from ..ops.elementwise.absorbing import AbsorbingProduct, DoublyAbsorbingProduct
from ..ops.elementwise.arithmetic import Add, Multiply, Negative, Positive, Subtract
from ..ops.layout.move import BroadcastTo
from ..passes.common_subexpressions import common_subexpressions
from ..passes.fold_constants import fold
from ..passes.program import Program
from ..passes.simplify import simplify

Pass = Callable[[Program], Program]
_ROUNDS = 8  # the largest number of times that the passes are repeated
_LARGE = 1024.0  # numbers up to it, and from its reciprocal, are multiplied


def settled(program: Program, passes: Sequence[Pass]) -> Program:
    """The program after these passes, repeated until they change nothing."""
    for _ in range(_ROUNDS):
        before = program
        for rewrite in passes:
            program = rewrite(program)
        if program is before:
            break
    return program


# ---------------------------------------------------------------- passes for derivatives only


def of_derivative(node: Node) -> bool:
    """Whether the reverse pass built the node, rather than the user; numbers in expressions and
    unnamed copies, such as `pg.grad` makes of its arguments, count."""
    if isinstance(node, Constant):
        return node.scalar is not None or level_of(node._origin) > 0
    if type(node) is Positive and node._name is None:
        return True
    return level_of(node._origin) > 0 and not isinstance(node, (Assign, Control, Custom, Random))


def _foldable(node: Node) -> bool:
    return of_derivative(node) and type(node) is not BroadcastTo  # 1 spread out stays one number


def tidied(program: Program) -> Program:
    """The program with sums and products written shorter, where this changes no bit:
    x + (−y) → x − y, x − (−y) → x + y, x + x → 2·x, 3·(2·x) → 6·x."""
    return program.rewritten(_tidied, only={Add, Subtract, Multiply})


def _tidied(node: Operation) -> Node:
    if not of_derivative(node) or not is_floating(node.dtype):
        return node
    x, y = node.inputs
    better: Node | None = None
    if type(node) is Multiply:
        better = _one_factor(node, exact=True)
    elif type(y) is Negative and of_derivative(y):
        better = (ops.subtract if type(node) is Add else ops.add)(x, y.inputs[0])
    elif type(node) is Add and type(x) is Negative and of_derivative(x):
        better = ops.subtract(y, x.inputs[0])
    elif type(node) is Add and x is y:
        better = ops.multiply(Constant(2.0), x)
    return _checked(node, better)


def _checked(node: Node, better: Node | None) -> Node:
    same = better is not None and (better.shape, better.dtype) == (node.shape, node.dtype)
    return better if better is not None and same else node


def _one_factor(node: Node, *, exact: bool) -> Node | None:
    """(a·b)·x for a·(b·x), where one of the numbers is a power of two.

    Exact: also where b·x over- or underflows.
    """
    for a, product in (node.inputs, reversed(node.inputs)):
        if type(product) is Multiply and of_derivative(product):
            for b, x in (product.inputs, reversed(product.inputs)):
                first, second = _number(a), _number(b)
                if first is None or second is None:
                    continue
                if exact and (abs(first) < 1 or second != int(second)):
                    continue
                if _is_power(first) or _is_power(second):
                    return ops.multiply(ops.multiply(a, b), x)
    return None


def _number(x: Node) -> float | None:
    """The number, if x is a moderate one of the derivative or of an expression."""
    if not isinstance(x, Constant) or not of_derivative(x) or x.shape != ():
        return None
    value = x.numpy().item()
    return value if is_floating(x.dtype) and 1 / _LARGE <= abs(value) <= _LARGE else None


def _is_power(value: float) -> bool:
    return abs(math.frexp(value)[0]) == 0.5


_PRODUCTS = {Multiply, AbsorbingProduct, DoublyAbsorbingProduct}


def shortened(program: Program) -> Program:
    """The program without products by 0 and sums with it, and with 0.5·(2·x) → x. This is right
    where all values are finite."""
    return program.rewritten(_short, only={*_PRODUCTS, Add, Subtract})


def _short(node: Operation) -> Node:
    if not of_derivative(node) or not is_floating(node.dtype):
        return node
    x, y = node.inputs
    if type(node) in _PRODUCTS:
        if _is_zero(x) or _is_zero(y):
            return ops.zeros_like(node)
        return _checked(node, _one_factor(node, exact=False) if type(node) is Multiply else None)
    if type(node) is Add and x.shape == node.shape and _is_zero(y):
        return x
    if y.shape == node.shape and _is_zero(x):
        return y if type(node) is Add else ops.negative(y)
    return node


def _is_zero(x: Node) -> bool:
    x = x.inputs[0] if type(x) is BroadcastTo else x
    return isinstance(x, Constant) and of_derivative(x) and not x.numpy().any()


def _in_regions(program: Program) -> Program:
    """The program with the bodies of the loops and branches of derivatives rewritten too."""
    return program.rewritten(_regional)


def _regional(node: Operation) -> Node:
    if not isinstance(node, Regional) or not level_of(node._origin):
        return node
    regions = [_rewritten(region) for region in node.regions]
    same = all(new is old for new, old in zip(regions, node.regions, strict=True))
    return node if same else node.with_regions(regions)


def _rewritten(region: Region) -> Region:
    before = Program(region.parameters, region.results)
    after = settled(before, PASSES)
    return region if after is before else Region(region.parameters, after.outputs)


def _of_numbers(program: Program) -> Program:
    """The program with elementwise operations on numbers that are spread out computed on the
    numbers: 2·𝟏 − 1 → 1·𝟏, x·(2·𝟏) → x·2."""
    return program.rewritten(_of_number)


def _of_number(node: Operation) -> Node:
    if not of_derivative(node) or not isinstance(node, Elementwise):
        return node
    inputs = [_spread_number(x) or x for x in node.inputs]
    if all(new is old for new, old in zip(inputs, node.inputs, strict=True)):
        return node
    better: Node = node.rebuild(inputs)
    if better.shape == () and node.shape != ():
        better = ops.broadcast_to(better, node.shape)
    return _checked(node, better)


def _spread_number(x: Node) -> Node | None:
    """The number that x is in every element, if x is of the derivative."""
    if type(x) is not BroadcastTo or not of_derivative(x):
        return None
    number = x.inputs[0]
    return number if isinstance(number, Constant) and number.shape == () else None


# Exact: no bit of a result changes.
PASSES: tuple[Pass, ...] = (
    partial(simplify, where=of_derivative),
    _of_numbers,
    partial(fold, where=_foldable),
    tidied,
    partial(common_subexpressions, where=of_derivative),
    _in_regions,
)
