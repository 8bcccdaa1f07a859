"""What an attention kernel computes: products, a chain of nodes along their rows, products again.

The matrices between the first and the last products, (…, t, u), are never in memory as a whole.
"""

from __future__ import annotations

from typing import Any

from .....dtypes import DType
from .....graph.describe.nonfinite import Reason, total_overflow
from .....graph.node import Node
from .....graph.operation import Operation
from .....graph.state.records import dataclass
from .....shapes import Shape
from ..kernel import Fused


@dataclass(frozen=True, eq=False)
class Result:
    """A product of a matrix w of the chain, (…, t, u), and another operand:

        w·other     (…, t, c), other (…, u, c)
        wᵀ·other    (…, u, c), other (…, t, c), if `of_columns`

    If `turned`, the node is its transpose, and `other` the transpose of the node's operand. The
    other operand is multiplied by `factor` first.
    """

    node: Operation
    weights: Operation  # the chain's node that is w
    other: Node  # the node's operand
    of_columns: bool
    turned: bool
    factor: float = 1.0
    multiple: Operation | None = None  # the node times a number, if nothing else reads the node

    @property
    def last(self) -> Operation:
        """The node whose value this is."""
        return self.node if self.multiple is None else self.multiple


@dataclass(frozen=True, eq=False)
class Recipe:
    """The nodes that one kernel computes from the values of `inputs`."""

    inputs: tuple[Node, ...]
    products: tuple[Operation, ...]  # (…, t, u), each of two values from memory
    chain: Fused  # elementwise nodes, and reductions along the rows
    results: tuple[Result, ...]
    factors: tuple[float, ...]  # of each product, by which its right operand is multiplied first
    # If it is a number: in row i, only the columns up to i + `seen` have weights other than 0.
    seen: int | None

    @property
    def nodes(self) -> tuple[Operation, ...]:
        """All nodes, inputs first."""
        return (*self.products, *self.chain.nodes, *(one.node for one in self.results))


class Attended(Operation):
    """Result `part` of a recipe, whose structure `text` describes. All results of a recipe have the
    same inputs."""

    promotes = False
    recipe: Recipe

    def shape_rule(self, *shapes: Shape) -> Shape:
        return self.attributes["shape"]

    def dtype_rule(self, *dtypes: DType) -> DType:
        return self.attributes["result"]

    def nonfinite(y, value: float, *x: float) -> Reason:
        return total_overflow(y.dtype, "sum of products")

    @classmethod
    def of(cls, recipe: Recipe, part: int, inputs: tuple[Node, ...], text: str) -> Any:
        """Result `part` of the recipe."""
        node = recipe.results[part].node
        attributes: Any = {"part": part, "shape": node.shape, "result": node.dtype, "text": text}
        made = cls(*inputs, **attributes)
        made.recipe = recipe
        return made
