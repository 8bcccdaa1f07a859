"""Sinking: elementwise nodes computed from leaves alone are computed where they are needed.

A sinkable node, such as Adam's β·m, has no group until another node needs it; then that node's
group computes it. So the whole update of a weight runs in the kernel that computes its gradient.

So do a few more nodes: those that only reductions need, computed from a product that is in memory
anyway, such as the terms of layer norm's gradients. The product's epilogue would write them, to be
read again by the reductions.
"""

from __future__ import annotations

from .....graph.kinds import Contract, Elementwise, Reduce
from .....graph.node import Node
from .....graph.operation import Operation
from .....passes.program import Program
from .....shapes import axes_in, sizes
from ...kernels.family import Group
from ...kernels.formula import weight
from ...kernels.row import ELEMENTWISE
from ...llvm.strided_view import broadcast, positions, whole
from ..groups import Groups

_MAX_SUNK = 16  # nodes of a chain of sinkable nodes
_MANY = 64  # nodes of a loop without dependencies
_LIGHT = 8  # instructions at most of a node that reductions compute again


class Sinking:
    """Decides which group computes each sinkable node."""

    def __init__(self, groups: Groups, program: Program) -> None:
        self.groups = groups
        self._readers: dict[Node, list[Node]] = {}
        if any(isinstance(node, Contract) for node in program.order):
            for node in program.order:
                for x in node.inputs:
                    self._readers.setdefault(x, []).append(node)
        self._roots = frozenset(program.roots)
        self._of_products = set[Node]()  # sinkable nodes that aren't computed from leaves alone
        self._start: dict[tuple[int, ...], Group] = {}  # by shape, a loop without dependencies

    def sink(self, node: Operation) -> bool:
        """Makes an elementwise node sinkable, if all its inputs are leaves or sinkable."""
        groups, depth = self.groups, 0
        for x in node.inputs:
            base = groups.views[x].base
            if base in self._of_products:
                return False
            if base in groups.sinkable:
                depth = max(depth, groups.sinkable[base] + 1)
            elif base in groups.producer:
                return False
        if depth >= _MAX_SUNK:
            return False
        groups.sinkable[node] = depth
        groups.views[node] = whole(node)
        return True

    def sink_into_reductions(self, node: Operation) -> bool:
        """Makes an elementwise node sinkable that only reductions and elementwise nodes read, and
        whose inputs are in memory in any case, one of them a product."""
        readers = self._readers.get(node, ())
        if node in self._roots or not any(isinstance(one, Reduce) for one in readers):
            return False
        if not all(isinstance(one, (Elementwise, Reduce)) for one in readers):
            return False
        groups = self.groups
        bases = [groups.views[x].base for x in node.inputs]
        products = [x for x in bases if x in self._of_products or self._is_product(x)]
        if not products or (weight(node) or _LIGHT) >= _LIGHT:
            return False
        own = [groups.producer[x] for x in products if x in groups.producer]
        if any(groups.producer.get(x) in own and not self._is_in_memory(x) for x in bases):
            return False
        groups.sinkable[node] = 0
        groups.views[node] = whole(node)
        self._of_products.add(node)
        return True

    def _is_product(self, x: Node) -> bool:
        """Whether x is a matrix product that elementwise nodes may join."""
        group = self.groups.producer.get(x)
        return isinstance(x, Contract) and group is not None and group.first is x

    def _is_in_memory(self, x: Node) -> bool:
        """Whether a node that can't be in the group of x reads it."""
        return x in self._roots or any(
            isinstance(one, Contract) or (isinstance(one, Reduce) and not _is_along_rows(one))
            for one in self._readers.get(x, ())
        )

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

    def inputs(self, x: Node) -> list[Node]:
        """The values that the group of a reader of x computes it from: of a sinkable x that isn't
        computed from leaves alone its inputs, and so on."""
        found, stack = list[Node](), [self.groups.views[x].base]
        while stack:
            base = stack.pop()
            if base in self._of_products and base in self.groups.sinkable:
                stack += (self.groups.views[one].base for one in base.inputs)
            else:
                found.append(base)
        return found

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


def _is_along_rows(node: Reduce) -> bool:
    """Whether the reduction is over the last axis alone."""
    rank = len(sizes(node.inputs[0].shape))
    return axes_in(node.attributes["axis"], rank) == (rank - 1,)
