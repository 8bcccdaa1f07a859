"""The groups of a program while nodes are fused: which group makes which value, where each value
lies, and which group waits for which."""

from __future__ import annotations

from collections.abc import Iterable

from ....graph.node import Node
from ....graph.operation import Operation
from ....graph.traversal.order import postorder
from ..kernels.family import Group, KernelFamily
from ..llvm.strided_view import View
from .dependencies import Dependencies


class Groups:
    """What fusion has decided so far."""

    def __init__(self) -> None:
        self.listed: list[Group] = []  # by number
        self.views: dict[Node, View] = {}
        self.producer: dict[Node, Group] = {}
        self.dependencies = Dependencies()
        # Elementwise nodes that no group computes yet, and how long a chain of such each one ends.
        self.sinkable: dict[Node, int] = {}

    def base(self, x: Node) -> Node:
        """The node whose buffer holds x."""
        return self.views[x].base if x in self.views else x

    def new(
        self, family: KernelFamily, shape: tuple[int, ...], sources: tuple[Node, ...] = ()
    ) -> Group:
        """One more group, which waits for whoever makes its sources."""
        group = Group(family, shape, self.dependencies.new(), sources=sources)
        self.listed.append(group)
        self.wait(group, sources)
        return group

    def put(self, node: Operation, group: Group, view: View | None) -> None:
        """Let the group compute a node, which lies where the view says."""
        self.wait(group, node.inputs)
        group.add(node)
        self.producer[node] = group
        if view is not None:
            self.views[node] = view

    def wait(self, group: Group, inputs: Iterable[Node]) -> None:
        """The group waits for whoever makes these."""
        producers = (self.producer.get(self.base(x)) for x in inputs)
        numbers = {one.number for one in producers if one is not None and one is not group}
        self.dependencies.add(group.number, numbers)

    def waits(self, base: Node, group: Group) -> bool:
        """Whether who makes a value waits for the group. The inputs of a sinkable node may be made
        by a group by now, where something else needed them."""

        def inputs(one: Node) -> list[Node]:
            return [self.views[x].base for x in one.inputs] if one in self.sinkable else []

        producers = map(self.producer.get, postorder(base, inputs=inputs))
        return any(
            producer is not None and self.dependencies.waits(producer.number, group.number)
            for producer in producers
        )

    def candidates(self, node: Operation) -> list[Group]:
        """The groups that make an input or read it, the latest first."""
        found: dict[Group, None] = {}
        for x in node.inputs:
            group = self.producer.get(self.views[x].base)
            if group is not None:
                found[group] = None
        return sorted(found, key=lambda group: -group.number)
