"""Kernel families: what fusion, updates in place and concatenation in place must know of the kernel
that a group of nodes will become, before there is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from ....graph.leaves import Variable
from ....graph.node import Node
from ....graph.operation import Operation
from .formula import outside
from .kernel import Fused, Kernel, Views


@dataclass(frozen=True, eq=False)
class KernelFamily:
    """Makes the kernels of its groups. The defaults suit a kernel of one node; a family overrides
    what differs for it.
    """

    kernel: Callable[[Fused, Views], Kernel]  # once all views are final

    is_native: ClassVar[bool] = True  # whether generated code computes the group
    may_fail: ClassVar[bool] = False  # whether it finds out that the run must raise
    takes_reductions: ClassVar[bool] = False  # over the last axis of the group's shape
    # Whether it computes the sinkable nodes that it reads without making their values its own.
    recomputes: ClassVar[bool] = False
    reads_any_strides: ClassVar[bool] = True

    def takes_elementwise(self, group: Group, views: Views) -> bool:
        """Whether elementwise nodes of the group's shape may join it."""
        return False

    def writes_any_strides(self, group: Group, node: Node) -> bool:
        """Whether the group's kernel can write this value of it with any strides."""
        return False

    def fixes_layout(self, group: Group, node: Node) -> bool:
        """Whether the kernel writes this value in an order of its own."""
        return False

    def updates_in_place(self, group: Group, value: Node, variable: Variable, views: Views) -> bool:
        """Whether `value` may be written over `variable`, of which the group reads each element at
        the place that it writes."""
        return False


@dataclass(eq=False)
class Group:
    """Nodes that become one kernel. It grows while nodes are fused."""

    family: KernelFamily
    shape: tuple[int, ...]
    number: int
    nodes: list[Operation] = field(default_factory=list[Operation])
    members: set[Node] = field(default_factory=set[Node])
    scalars: set[Node] = field(default_factory=set[Node])  # of one number for each row
    sources: tuple[Node, ...] = ()  # what a group without nodes of its own reads

    @property
    def first(self) -> Operation:
        """The node that the others follow."""
        return self.nodes[0]

    def add(self, node: Operation) -> None:
        """One more node, after the others."""
        self.nodes.append(node)
        self.members.add(node)

    def inner(self, views: Views) -> dict[Node, Node]:
        """Layouts of the group's own nodes that its nodes read, and the nodes that they show."""
        found: dict[Node, Node] = {}
        for x in (x for node in self.nodes for x in node.inputs if x in views):
            base = views[x].base
            if x is not base and base in self.members:
                found[x] = base
        return found

    def needs(self, views: Views) -> list[Node]:
        """The values that must be in memory for the group's kernels."""
        return [*self.sources, *outside(self.nodes, self.inner(views))]
