"""Kernel families: the properties of a future kernel that fusion, updates in place and
concatenation in place need while there is only a group of nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from ....graph.leaves import Variable
from ....graph.node import Node
from ....graph.operation import Operation
from ....graph.state.records import dataclass, field
from .formula import outside
from .kernel import Fused, Kernel, Views


@dataclass(frozen=True, eq=False)
class KernelFamily:
    """The properties of a kind of group, and the constructor of its kernels. The defaults are those
    of a kernel of one node."""

    kernel: Callable[[Fused, Views], Kernel]  # called when all views are final

    is_native: ClassVar[bool] = True  # whether generated code computes the group
    may_fail: ClassVar[bool] = False  # whether its kernel can make the run raise an error
    lets_signals_in: ClassVar[bool] = False  # whether signal handlers run during its kernel
    takes_reductions: ClassVar[bool] = False  # over the last axis of the group's shape
    # Whether it recomputes the sinkable nodes that it reads, so that they stay sinkable.
    recomputes: ClassVar[bool] = False
    reads_any_strides: ClassVar[bool] = True

    def takes_elementwise(self, group: Group, views: Views) -> bool:
        """Whether elementwise nodes of the group's shape may join it."""
        return False

    def writes_any_strides(self, group: Group, node: Node) -> bool:
        """Whether the group's kernel can write this node's value with any strides."""
        return False

    def fixes_layout(self, group: Group, node: Node) -> bool:
        """Whether the kernel itself determines the layout of this node's value."""
        return False

    def updates_in_place(self, group: Group, value: Node, variable: Variable, views: Views) -> bool:
        """Whether `value` may be written over `variable`, if the group reads each element of
        `variable` only at the position that it writes."""
        return False


@dataclass(eq=False)
class Group:
    """Nodes that become one kernel. It grows while nodes are fused."""

    family: KernelFamily
    shape: tuple[int, ...]
    number: int
    nodes: list[Operation] = field(default_factory=list[Operation])
    members: set[Node] = field(default_factory=set[Node])
    scalars: set[Node] = field(default_factory=set[Node])  # nodes with one number for each row
    sources: tuple[Node, ...] = ()  # the operands of a group without nodes
    is_merged: bool = False  # whether its nodes have moved to another group

    @property
    def first(self) -> Operation:
        """The first node: the product, convolution or pooling of the group, if it has one."""
        return self.nodes[0]

    def add(self, node: Operation) -> None:
        """Appends a node."""
        self.nodes.append(node)
        self.members.add(node)

    def inner(self, views: Views) -> dict[Node, Node]:
        """Maps each layout of a member that a member reads to that member."""
        layouts: dict[Node, Node] = {}
        for x in (x for node in self.nodes for x in node.inputs if x in views):
            base = views[x].base
            if x is not base and base in self.members:
                layouts[x] = base
        return layouts

    def needs(self, views: Views) -> list[Node]:
        """The values that must be in memory for the group's kernels."""
        return [*self.sources, *outside(self.nodes, self.inner(views))]
