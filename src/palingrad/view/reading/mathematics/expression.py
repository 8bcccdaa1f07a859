"""Nodes as LaTeX: operations by their own notation, leaves by their values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ....dtypes import is_complex, is_inexact
from ....graph.describe.notation import ATOM, PRODUCT, SUM, Piece, sized
from ....graph.leaves import Constant
from ....graph.node import Node
from ....graph.operation import Operation
from ....ops.elementwise.comparison import Equal
from ....ops.elementwise.discrete import BitwiseAnd, BitwiseInvert
from ....ops.elementwise.selection import Where
from ....ops.losses.cross_entropy import CrossEntropy, WeightedCrossEntropy
from .symbols import fraction_of, is_small, number, symbol_of, value_of

Writing = Callable[[Any, Sequence[Piece]], Piece]


def written(node: Node, operands: Sequence[Piece]) -> Piece:
    """The notation of a node, given that of its operands."""
    return node.notation(*operands) if isinstance(node, Operation) else leaf(node)


def leaf(node: Node) -> Piece:
    """The notation of an unnamed leaf: a number, a small matrix, or the kind of the leaf."""
    if isinstance(node, Constant):
        array = node.numpy()
        if (
            array.ndim
            and array.size > 1
            and np.all(array == array.flat[0])
            and is_inexact(array.dtype)
        ):
            ones = sized("1", array.shape)
            if array.flat[0] in (0, 1):
                return Piece(sized(f"{array.flat[0].real:.0f}", array.shape))
            return Piece(f"{number(array.flat[0], exact=True)}\\,{ones}", PRODUCT)
        if array.size != 1 and not is_small(array):
            return Piece(symbol_of(array))
        text = number(array.flat[0], exact=True) if array.size == 1 else value_of(array)
        if array.size == 1 and (fraction := fraction_of(array.flat[0], text)):
            return Piece(fraction, SUM if fraction.startswith("-") else PRODUCT)
        if is_complex(array.dtype) and array.size == 1:
            both = array.real.any() and array.imag.any()
            return Piece(text, SUM if both or text.startswith("-") else PRODUCT)
        return Piece(text, SUM if text.startswith("-") else PRODUCT if "10^" in text else ATOM)
    return Piece(f"\\mathrm{{{node.kind_name()}}}")


def written_unguarded(node: Node, operands: Sequence[Piece]) -> Piece:
    """As `written`, without the selections that protect a vjp rule from a division by 0: in a
    derivative, x/where(z == 0, 1, z) is written as x/z. What is selected for z = 0 is a number."""
    if type(node) is Where:
        condition, one, other = node.inputs
        if _is_guard(condition) and isinstance(one, Constant):
            return operands[2]
        inverted = isinstance(condition, BitwiseInvert) and _is_guard(condition.inputs[0])
        if inverted and isinstance(other, Constant):
            return operands[1]
    return written(node, operands)


def _is_guard(condition: Node) -> bool:
    """Whether the condition tests for equality with 0."""
    if isinstance(condition, BitwiseAnd):
        return all(map(_is_guard, condition.inputs))
    if not isinstance(condition, Equal):
        return False
    zero = condition.inputs[1]
    return isinstance(zero, Constant) and not zero.numpy().any()


def needs_symbol(node: Node, order: Sequence[Node]) -> bool:
    """Whether an array without a name is a symbol in formulas: labels, and what is too large."""
    if not isinstance(node, Constant) or node.ndim is None or node.numpy().size < 2:
        return False
    array = node.numpy()
    if is_inexact(array.dtype):
        return not is_small(array) and not np.all(array == array.flat[0])
    return any(node in x.inputs[1:] for x in order if isinstance(x, _LABELLED))


_LABELLED = (CrossEntropy, WeightedCrossEntropy)
