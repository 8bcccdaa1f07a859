"""The attention kernel: products whose results are normalised along their rows and multiplied
again, in blocks of rows, so that only a block of the scores is in memory.

Dao et al. ("FlashAttention: fast and memory-efficient exact attention with IO-awareness", 2022)
compute blocks of columns, too, and rescale what they have summed. Here a block has whole rows,
whose softmax is computed as in a row kernel: 28 rows of 256 scores are 28 kB. As there, the
backward pass computes the weights again. What a causal mask hides is skipped, tile by tile.
"""

from __future__ import annotations

import math
from typing import ClassVar

from .....graph.node import Node
from .....graph.operation import Operation
from .....graph.state.records import dataclass
from .....shapes import text
from ...llvm.kernel_context import KernelContext
from ...llvm.loops import loop, unravelled
from ...llvm.strided_view import View
from ..family import Group, KernelFamily
from ..formula import dtype_of
from ..kernel import Fused, Kernel, Views, per_element
from .emitter import Emitter
from .plan import AttentionPlan, layout_of
from .recipe import Attended, Recipe


@dataclass(frozen=True, eq=False)
class Attention(Kernel):
    """Results of a recipe. An item is a matrix of the batch, such as a head of a text."""

    label, description = "Attention", "attention by blocks of rows"

    inner: Fused  # the recipe's nodes
    recipe: Recipe
    parts: tuple[int, ...]  # the part of the recipe that each node is
    plan: AttentionPlan

    @classmethod
    def of(cls, fused: Fused, views: Views) -> Attention:
        """The kernel of these results, which have the same recipe."""
        recipe = recipe_of(fused.first)
        parts = tuple(node.attributes["part"] for node in fused.nodes)
        plan = AttentionPlan.of(recipe, dtype_of(fused.first), views)
        return cls(fused, Fused(recipe.nodes), recipe, parts, plan)

    @property
    def computed(self) -> tuple[Operation, ...]:
        return self.recipe.nodes

    @property
    def items(self) -> int:
        """The number of matrices."""
        return math.prod(self.plan.batch)

    @property
    def cost(self) -> float:
        plan = self.plan
        elements = math.prod(plan.batch) * plan.rows * plan.columns
        return 0.01 * plan.work + elements * per_element(self.recipe.chain.nodes, 2)

    @property
    def workspace(self) -> int:
        return (
            0
            if self.plan.on_stack
            else self.items * self.plan.areas.total * self.plan.dtype.itemsize
        )

    def emit(self, context: KernelContext) -> None:
        b = context.builder
        node_of = dict(zip(self.parts, self.nodes, strict=True))
        ends = [context.views[node_of[part]] for part in range(len(self.recipe.results))]
        emitter = Emitter(self.recipe, self.plan, ends, context)
        with loop(b, context.begin, context.end) as item:
            emitter.matrix(unravelled(b, item, self.plan.batch), item, self)

    def space(self) -> str:
        plan = self.plan
        return f"{text(plan.batch)} of ({plan.rows}, {plan.columns}) {plan.dtype}"


def recipe_of(node: Operation) -> Recipe:
    """The recipe of a result."""
    assert isinstance(node, Attended)
    return node.recipe


class AttentionFamily(KernelFamily):
    """Results of one recipe."""

    reads_any_strides: ClassVar[bool] = True

    def writes_any_strides(self, group: Group, node: Node) -> bool:
        return True

    def fixes_layout(self, group: Group, node: Node) -> bool:
        return True

    def view(self, node: Attended, views: Views) -> View:
        """The view of a result."""
        return layout_of(node.recipe, node.attributes["part"], node, views)


ATTENTION = AttentionFamily(Attention.of)
