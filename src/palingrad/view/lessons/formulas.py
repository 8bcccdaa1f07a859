"""Formulas of cards as one line of text, for the sheet and for the widths of cards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...graph.describe.notation import Piece
from ...graph.node import Node
from ...graph.operation import Operation
from ..reading.mathematics.latex import constants_in
from ..reading.mathematics.plain import plain
from ..reading.mathematics.symbols import quoted, symbol


def equation(node: Node, names: Mapping[Node, str]) -> str:
    """The name of a leaf, or an operation such as e = a b."""
    if not isinstance(node, Operation):
        return names[node]
    numbers = constants_in([node])  # a variable e beside the number e is in quotes
    operands = [Piece(_operand(names[x], numbers)) for x in node.inputs]
    return plain(f"{symbol(names[node])} = {node.notation(*operands).latex}")


def _operand(name: str, numbers: set[str]) -> str:
    if name.lstrip("−-").replace(".", "", 1).isdigit():
        return name
    return quoted(name) if name in numbers else symbol(name)


def rows_of(value: Any, shape: list[int], digits: int = 5) -> list[list[str]]:
    """A number, vector or matrix as rows of texts; without zeros' rounding errors."""
    array = np.asarray(value, np.float64).reshape(-1, shape[-1] if shape else 1)
    floor = 1e-12 * max(1.0, float(np.abs(array).max(initial=0.0)))
    return [[_number(0.0 if abs(x) <= floor else x, digits) for x in row] for row in array.tolist()]


def _number(x: float, digits: int) -> str:
    return f"{x:.{digits}g}".replace("e+0", "e").replace("e-0", "e-").replace("-", "−")
