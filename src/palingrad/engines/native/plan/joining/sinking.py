"""Sinking: elementwise nodes computed from leaves alone are computed where they are needed.

A sinkable node, such as Adam's β·m, has no group until another node needs it; then that node's
group computes it. So the whole update of a weight runs in the kernel that computes its gradient.
"""

from __future__ import annotations

from .....graph.node import Node
from .....graph.operation import Operation
from .....shapes import sizes
from ...kernels.family import Group
from ...kernels.row import ELEMENTWISE
from ...llvm.strided_view import broadcast, positions, whole
from ..groups import Groups

_MAX_SUNK = 16  # nodes of a chain of sinkable nodes
_MANY = 64  # nodes of a loop without dependencies


class Sinking:
    """Decides which group computes each sinkable node."""

    def __init__(self, groups: Groups) -> None:
        self.groups = groups
        self._start: dict[tuple[int, ...], Group] = {}  # by shape, a loop without dependencies

    def sink(self, node: Operation) -> bool:
        """Makes an elementwise node sinkable, if all its inputs are leaves or sinkable."""
        groups, depth = self.groups, 0
        for x in node.inputs:
            base = groups.views[x].base
            if base in groups.sinkable:
                depth = max(depth, groups.sinkable[base] + 1)
            elif base in groups.producer:
                return False
        if depth >= _MAX_SUNK:
            return False
        groups.sinkable[node] = depth
        groups.views[node] = whole(node)
        return True

    def inline(self, x: Node, group: Group) -> None:
        """Computes a sinkable x and the sinkable nodes that it needs in this group if the group
        reads x at its own position, else in a group of its own."""
        groups = self.groups
        view, base = groups.views[x], groups.views[x].base
        if base not in groups.sinkable:
            return
        own = positions(groups.views[base])
        if sizes(base.shape) == group.shape and positions(broadcast(view, group.shape)) == own:
            self._compute_in(base, group)
        else:
            self.materialize(x)

    def materialize(self, x: Node) -> None:
        """Has x written to memory: a sinkable x is computed by a loop without dependencies."""
        groups, base = self.groups, self.groups.base(x)
        if base not in groups.sinkable:
            return
        shape = sizes(base.shape)
        group = self._start.get(shape)
        if (
            not group
            or group.is_merged
            or group.family is not ELEMENTWISE
            or groups.dependencies.masks[group.number]
            or len(group.nodes) >= _MANY
            or groups.waits(base, group)
        ):
            group = self._start[shape] = groups.new(ELEMENTWISE, shape)
        self._compute_in(base, group)

    def _compute_in(self, base: Node, group: Group) -> None:
        """Computes a sinkable node, and the sinkable nodes that it needs, in the group."""
        groups = self.groups
        stack: list[tuple[Node, bool]] = [(base, False)]
        while stack:
            node, ready = stack.pop()
            if not isinstance(node, Operation) or node in group.members:
                continue
            if not ready:
                stack.append((node, True))
                inputs = (groups.views[x].base for x in node.inputs)
                stack += [(x, False) for x in inputs if x in groups.sinkable]
            elif group.family.recomputes:
                groups.wait(group, node.inputs)
                group.add(node)
            else:
                del groups.sinkable[node]
                groups.put(node, group, groups.views[node])
