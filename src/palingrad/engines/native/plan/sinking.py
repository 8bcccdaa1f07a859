"""Sinkable nodes: elementwise nodes made from leaves alone. They belong to no group until something
needs them, and are computed there: with Adam's β·m, the whole update of a weight runs where its
gradient is made."""

from __future__ import annotations

from ....graph.node import Node
from ....graph.operation import Operation
from ....shapes import sizes
from ..kernels.family import Group
from ..kernels.row import ELEMENTWISE
from ..llvm.strided_view import broadcast, positions, whole
from .groups import Groups

_MAX_SUNK = 16  # nodes of a chain
_MANY = 64  # nodes of a loop that computes what waits for nothing


class Sinking:
    """Decides where sinkable nodes are computed."""

    def __init__(self, groups: Groups) -> None:
        self.groups = groups
        self._start: dict[tuple[int, ...], Group] = {}  # loops that wait for nothing

    def sink(self, node: Operation) -> bool:
        """Leave an elementwise node without a group if it can be."""
        groups, depth = self.groups, 0
        for x in node.inputs:
            base = groups.views[x].base
            if base in groups.sinkable:
                depth = max(depth, groups.sinkable[base] + 1)
            elif base in groups.producer:
                return False  # it needs a group's result
        if depth >= _MAX_SUNK:
            return False
        groups.sinkable[node] = depth
        groups.views[node] = whole(node)
        return True

    def inline(self, x: Node, group: Group) -> None:
        """Compute a sinkable x, and the sinkable nodes that it needs, in this group if it can be
        there."""
        groups = self.groups
        view, base = groups.views[x], groups.views[x].base
        if base not in groups.sinkable:
            return
        own = positions(groups.views[base])
        if sizes(base.shape) == group.shape and positions(broadcast(view, group.shape)) == own:
            self._gather(base, group)
        else:
            self.materialize(x)

    def materialize(self, x: Node) -> None:
        """Have x in memory: if it is sinkable, by a loop that waits for nothing so far."""
        groups, base = self.groups, self.groups.base(x)
        if base not in groups.sinkable:
            return
        shape = sizes(base.shape)
        group = self._start.get(shape)
        if (
            not group
            or groups.dependencies.masks[group.number]
            or len(group.nodes) >= _MANY
            or groups.waits(base, group)
        ):
            group = self._start[shape] = groups.new(ELEMENTWISE, shape)
        self._gather(base, group)

    def _gather(self, base: Node, group: Group) -> None:
        """Compute a sinkable node and those that it needs in the group."""
        groups = self.groups
        stack: list[tuple[Node, bool]] = [(base, False)]
        while stack:
            node, ready = stack.pop()
            if not isinstance(node, Operation) or node in group.members:
                continue
            if not ready:
                stack.append((node, True))
                inputs = (groups.views[x].base for x in node.inputs)
                stack += [(one, False) for one in inputs if one in groups.sinkable]
            elif group.family.recomputes:
                groups.wait(group, node.inputs)
                group.add(node)
            else:
                del groups.sinkable[node]
                groups.put(node, group, groups.views[node])
