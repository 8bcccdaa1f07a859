"""Nodes as LaTeX: operations as they say themselves, leaves by their values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ....dtypes import is_inexact
from ....graph.describe.notation import ATOM, PRODUCT, SUM, Piece
from ....graph.leaves import Constant
from ....graph.node import Node
from ....graph.operation import Operation
from ....ops.comparison import Equal
from ....ops.discrete import BitwiseAnd, BitwiseInvert
from ....ops.selection import Where
from .symbols import number, value_of

Writing = Callable[[Any, Sequence[Piece]], Piece]


def written(node: Node, operands: Sequence[Piece]) -> Piece:
    """A node from how its operands are written."""
    return node.notation(*operands) if isinstance(node, Operation) else leaf(node)


def leaf(node: Node) -> Piece:
    """A leaf without a name: a number, a small matrix, or what kind of leaf it is."""
    if isinstance(node, Constant):
        array = node.numpy()
        if (
            array.ndim
            and array.size > 1
            and np.all(array == array.flat[0])
            and is_inexact(array.dtype)
        ):
            if array.flat[0] in (0, 1):
                return Piece(rf"\mathbf{{{array.flat[0]:.0f}}}")
            return Piece(number(array.flat[0]) + r"\,\mathbf{1}", PRODUCT)
        text = value_of(array.reshape(()) if array.size == 1 else array)
        return Piece(text, SUM if text.startswith("-") else PRODUCT if "10^" in text else ATOM)
    return Piece(f"\\mathrm{{{node.kind_name()}}}")


def written_unguarded(node: Node, operands: Sequence[Piece]) -> Piece:
    """As `written`, without the choices that only keep a rule from dividing by 0: in a derivative
    x/where(z == 0, 1, z) is read as x/z."""
    if type(node) is Where:
        condition = node.inputs[0]
        if _is_guard(condition):
            return operands[2]
        if isinstance(condition, BitwiseInvert) and _is_guard(condition.inputs[0]):
            return operands[1]
    return written(node, operands)


def _is_guard(condition: Node) -> bool:
    """Whether it asks if something is exactly 0."""
    if isinstance(condition, BitwiseAnd):
        return all(map(_is_guard, condition.inputs))
    if not isinstance(condition, Equal):
        return False
    zero = condition.inputs[1]
    return isinstance(zero, Constant) and not zero.numpy().any()
