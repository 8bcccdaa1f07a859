"""The state of fusion: the groups, the producer and the view of each value, and the dependencies
between groups."""

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
        # Sinkable nodes that no group computes yet, with the length of the chain that each ends.
        self.sinkable: dict[Node, int] = {}

    def base(self, x: Node) -> Node:
        """The node whose buffer holds x."""
        return self.views[x].base if x in self.views else x

    def new(
        self, family: KernelFamily, shape: tuple[int, ...], sources: tuple[Node, ...] = ()
    ) -> Group:
        """A new group, which depends on the producers of its sources."""
        group = Group(family, shape, self.dependencies.new(), sources=sources)
        self.listed.append(group)
        self.wait(group, sources)
        return group

    def put(self, node: Operation, group: Group, view: View | None) -> None:
        """Assigns a node to the group that computes it, and records the node's view."""
        self.wait(group, node.inputs)
        group.add(node)
        self.producer[node] = group
        if view is not None:
            self.views[node] = view

    def wait(self, group: Group, inputs: Iterable[Node]) -> None:
        """Makes the group depend on the producers of `inputs`."""
        producers = (self.producer.get(self.base(x)) for x in inputs)
        numbers = {other.number for other in producers if other is not None and other is not group}
        self.dependencies.add(group.number, numbers)

    def waits(self, base: Node, group: Group) -> bool:
        """Whether the producer of a value depends on the group. A sinkable node has no producer:
        the search follows its inputs, which another node may have placed in a group."""

        def inputs(node: Node) -> list[Node]:
            return [self.views[x].base for x in node.inputs] if node in self.sinkable else []

        producers = map(self.producer.get, postorder(base, inputs=inputs))
        return any(
            producer is not None and self.dependencies.waits(producer.number, group.number)
            for producer in producers
        )

    def merge(self, other: Group, group: Group) -> None:
        """Moves the nodes of a group that no group waits for into one that it doesn't wait for."""
        assert not self.dependencies.awaited >> other.number & 1
        self.dependencies.add(group.number, self.dependencies.of(other.number))
        for node in other.nodes:
            group.add(node)
            if self.producer.get(node) is other:
                self.producer[node] = group
        other.nodes, other.members, other.is_merged = [], set(), True

    def candidates(self, bases: Iterable[Node]) -> list[Group]:
        """The groups that compute one of these nodes, the latest first."""
        found: dict[Group, None] = {}
        for base in bases:
            group = self.producer.get(base)
            if group is not None:
                found[group] = None
        return sorted(found, key=lambda group: -group.number)
