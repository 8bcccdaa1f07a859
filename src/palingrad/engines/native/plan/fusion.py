"""Fusion: a Program cut into groups of nodes, each of which becomes one kernel.

A node joins the group that makes one of its inputs if it runs over the same elements and nothing it
needs waits for that group. Elementwise nodes made from leaves alone float until somebody needs them
and are computed there. Groups and what they wait for are a graph; bit masks say who is behind whom.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from ....graph.kinds import Contract, Elementwise, Layout, Reduce
from ....graph.leaves import Placeholder, Variable
from ....graph.node import Node
from ....graph.operation import MultipleOutputs, Operation
from ....graph.traversal.order import postorder
from ....ops.join import Concat
from ....ops.move import ExpandDims, Place, Reshape, Squeeze
from ....passes.program import Program
from ....shapes import axes_in, size, sizes
from ..kernels import formula, gather_scatter, reducers, windowed
from ..kernels.formula import is_number
from ..kernels.gemm.small import takes_epilogue
from ..kernels.row import as_operand
from ..llvm.strided_view import View, broadcast, in_space, is_dense, moved, whole
from ..llvm.values import supported
from . import index_checks

_ROW = 1 << 14  # numbers in a row that a row kernel can keep at hand
_MANY, _MOST = 64, 256  # operations in one kernel: so many if only a few values live at once
_LIVE = 12
_MAX_SUNK = 16  # how long a chain may float


@dataclass(eq=False)
class Group:
    """Nodes that become one kernel: `kind` says which."""

    kind: str  # loop, product, fold, window, join, copy, put, gather, scatter, look or fallback
    shape: tuple[int, ...]
    number: int
    nodes: list[Operation] = field(default_factory=list[Operation])
    members: set[Node] = field(default_factory=set[Node])
    scalars: set[Node] = field(default_factory=set[Node])  # of a loop: one number for each row
    dependencies: int = 0  # the groups that this one waits for, a bit each
    check: index_checks.Check | None = None  # of a look

    def add(self, node: Operation) -> None:
        """One more node, after the others."""
        self.nodes.append(node)
        self.members.add(node)


class Fusion:
    """The groups of a program, and where every value lies."""

    def __init__(self, program: Program) -> None:
        self.views: dict[Node, View] = {}
        self.groups: list[Group] = []
        self.producer: dict[Node, Group] = {}
        self._sinkable: dict[Node, int] = {}
        self._bounds_checks: dict[Hashable, Group] = {}
        self._start: dict[tuple[int, ...], Group] = {}  # loops that wait for nothing
        self._crossing: dict[Group, None] = {}  # groups that wait for one with a larger number
        self._uses = Counter(x for node in program.order for x in node.inputs)  # still to come
        for node in program.order:
            self._place(node)
            self._uses.subtract(node.inputs)
        for node in program.roots:
            self._materialize(node)

    # ---------------------------------------------------------------- one node

    def _place(self, node: Node) -> None:
        if not isinstance(node, Operation):
            if not isinstance(node, (Placeholder, Variable)) or supported(node.dtype):
                self.views[node] = whole(node)
        elif not self._readable(node):
            self._alone(node, "fallback")
        elif isinstance(node, Elementwise) and self._computed(node):
            self._elementwise(node)
        elif isinstance(node, Concat):
            self._alone(node, "join")
        elif isinstance(node, Layout):
            self._move(node)
        elif isinstance(node, Reduce) and reducers.fits(node):
            self._reduce(node)
        elif isinstance(node, Contract) and node.dtype is not None and node.dtype.kind in "fiu":
            self._alone(node, "product")
        elif gather_scatter.kind_of(node) is not None:
            self._indexed(node)
        elif windowed.fits(node):
            self._alone(node, "window", windowed.layout(node))
        else:
            self._alone(node, "fallback")

    def _readable(self, node: Operation) -> bool:
        """Whether generated code can read the inputs and hold the result of an operation that it
        knows: a user's are in here only if no formula was read (lower.py)."""
        if isinstance(node, MultipleOutputs) or not supported(node.dtype) or not node._shipped:
            return False
        return all(x in self.views and supported(x.dtype) for x in node.inputs)

    def _computed(self, node: Operation) -> bool:
        """Whether generated code can compute an elementwise node."""
        return formula.fits(node) and not index_checks.is_wrong(node)

    def _elementwise(self, node: Operation) -> None:
        self._bounds_check(node)
        shape = sizes(node.shape)
        for x in node.inputs:
            view = self.views[x]
            if view.base in self._sinkable and (
                sizes(view.base.shape) != shape or _steps(view) != _steps(self.views[view.base])
            ):
                self._materialize(x)  # read from other places than its own: from memory
        for group in self._candidates(node):
            if self._may_join(node, group):
                self._join(node, group)
                return
        depth = self._depth(node)
        if depth is not None and depth < _MAX_SUNK:
            self._sinkable[node] = depth
            self.views[node] = whole(node)
            return
        self._join(node, self._new("loop", shape))

    def _depth(self, node: Operation) -> int | None:
        """How long a chain of floating nodes this one ends, None if it needs a group's result."""
        depth = 0
        for x in node.inputs:
            base = self.views[x].base
            if base in self._sinkable:
                depth = max(depth, self._sinkable[base] + 1)
            elif base in self.producer:
                return None
        return depth

    def _move(self, node: Operation) -> None:
        view = moved(node, self.views[node.inputs[0]])
        if view is None:
            if isinstance(node, Place):
                kind = "put"
            else:
                regroups = isinstance(node, (Reshape, ExpandDims, Squeeze))
                kind = "copy" if regroups else "fallback"
            self._alone(node, kind)
        else:
            self.views[node] = view

    def _reduce(self, node: Operation) -> None:
        x = node.inputs[0]
        shape = sizes(x.shape)
        if not _is_row(node, shape):
            group = self._new("fold", shape)
            self._inline(x, group)
            self._put(node, group, whole(node))
            return
        for group in self._candidates(node):
            if self._may_join(node, group):
                break
        else:
            group = self._new("loop", shape)
        group.scalars.add(node)
        self._join(node, group)

    def _alone(self, node: Operation, kind: str, view: View | None = None) -> None:
        """A group of its own, which others may join."""
        for x in node.inputs:
            self._materialize(x)
        group = self._new(kind, sizes(node.shape) if not isinstance(node, MultipleOutputs) else ())
        if isinstance(node, MultipleOutputs) or not supported(node.dtype):
            self._wait(group, node.inputs)
            group.add(node)
            self.producer[node] = group
        else:
            self._put(node, group, view or whole(node))

    def _indexed(self, node: Operation) -> None:
        """Rows found by integers, after a look at these if they aren't fed as they are."""
        kind = gather_scatter.kind_of(node)
        assert kind is not None
        look = self._bounds_check(node)
        self._alone(node, kind)
        if look is not None:
            self.producer[node].dependencies |= look.dependencies | 1 << look.number

    def _bounds_check(self, node: Operation) -> Group | None:
        """Who looks at the integers that the node mustn't have wrong, if they are computed."""
        check = index_checks.check_of(node)
        if check is None or index_checks.fed(check.x, self.views) is not None:
            return None
        self._materialize(check.x)
        view = self.views[check.x]
        key = (view.base, view.shape, view.strides, view.offset, check.low, check.high)
        look = self._bounds_checks.get(key)
        if look is None:
            look = self._bounds_checks[key] = self._new("look", view.shape)
            look.check = check
            self._wait(look, [check.x])
        return look

    # ---------------------------------------------------------------- groups

    def _new(self, kind: str, shape: tuple[int, ...]) -> Group:
        group = Group(kind, shape, len(self.groups))
        self.groups.append(group)
        return group

    def _candidates(self, node: Operation) -> list[Group]:
        """The groups that make an input or read it, the latest first."""
        found: dict[Group, None] = {}
        for x in node.inputs:
            group = self.producer.get(self.views[x].base)
            if group is not None:
                found[group] = None
        return sorted(found, key=lambda group: -group.number)

    def _may_join(self, node: Operation, group: Group) -> bool:
        if group.kind not in ("loop", "product", "window") or self._is_full(group):
            return False
        if group.kind == "window" and not windowed.takes_epilogue(group.nodes[0]):
            return False
        if group.kind == "product" and not takes_epilogue(group.nodes[0], self.views):
            return False
        if isinstance(node, Reduce):
            if group.kind != "loop" or group.shape != sizes(node.inputs[0].shape):
                return False
            lower = False
        elif sizes(node.shape) == group.shape:
            lower = False
        elif not self._is_scalar(node, group):
            return False
        else:
            lower = len(sizes(node.shape)) < len(group.shape)
        return all(self._may_read(x, group, lower) for x in node.inputs if not is_number(x))

    def _is_full(self, group: Group) -> bool:
        """Whether more operations would only spill registers."""
        if len(group.nodes) < _MANY:
            return False
        live = sum(self._uses[node] > 0 for node in group.nodes)
        return live > _LIVE or len(group.nodes) >= _MOST

    def _is_scalar(self, node: Operation, group: Group) -> bool:
        """Whether an elementwise node is one number for each row of a loop, made from such."""
        outer = group.shape[:-1]
        shape = sizes(node.shape)
        if group.kind != "loop" or not group.scalars or shape not in (outer, (*outer, 1)):
            return False
        for x in node.inputs:
            base = self.views[x].base
            if base in group.members and base not in group.scalars:
                return False
            if base not in group.members and shape == outer and sizes(x.shape) != ():
                return False
        return True

    def _may_read(self, x: Node, group: Group, lower: bool) -> bool:
        """Whether a member of the group can read x: at its own place, or made before."""
        view = self.views[x]
        base = view.base
        if base in group.members:
            mine = as_operand(self.views[base], group.shape, base in group.scalars)
            return _steps(in_space(view, group.shape, lower)) == _steps(mine)
        return not self._waits(base, group)

    def _join(self, node: Operation, group: Group) -> None:
        """Make the node a member, with the floating nodes that it needs here."""
        full = isinstance(node, Reduce) or sizes(node.shape) == group.shape
        if not full:
            group.scalars.add(node)
        for x in node.inputs:
            if full:
                self._inline(x, group)
            else:
                self._materialize(x)
        fresh = whole(node)
        if full and not isinstance(node, Reduce):
            fresh = self._laid_out(node, group, fresh)
        self._put(node, group, fresh)

    def _laid_out(self, node: Operation, group: Group, plain: View) -> View:
        """A value lies as the group's first does, or as what it is made from if that lies in
        another order than its axes."""
        for other in group.nodes:
            if other in self.views and other not in group.scalars:
                return View(node, plain.shape, self.views[other].strides)
        same = [self.views[x] for x in node.inputs if self.views[x].shape == plain.shape]
        if not same or any(view.strides == plain.strides for view in same):
            return plain
        return View(node, plain.shape, same[0].strides) if is_dense(same[0]) else plain

    def _put(self, node: Operation, group: Group, view: View) -> None:
        self._wait(group, node.inputs)
        group.add(node)
        self.producer[node] = group
        self.views[node] = view

    def _waits(self, base: Node, group: Group) -> bool:
        """Whether who makes a value waits for the group. What a floating one is made from may have
        been made by now, where somebody else needed it."""

        def inputs(one: Node) -> list[Node]:
            return [self.views[x].base for x in one.inputs] if one in self._sinkable else []

        producers = map(self.producer.get, postorder(base, inputs=inputs))
        return any(producer and producer.dependencies >> group.number & 1 for producer in producers)

    def _wait(self, group: Group, inputs: Iterable[Node]) -> None:
        """The group waits for whoever makes these."""
        dependencies = group.dependencies
        for x in inputs:
            base = self.views[x].base if x in self.views else x
            producer = self.producer.get(base)
            if producer is not None and producer is not group:
                dependencies |= producer.dependencies | 1 << producer.number
        if dependencies == group.dependencies:
            return
        for other in (group, *self._crossing, *self.groups[group.number + 1 :]):
            if other is group or other.dependencies >> group.number & 1:
                other.dependencies |= dependencies
                if other.dependencies >> other.number:
                    self._crossing[other] = None

    # ---------------------------------------------------------------- floating nodes

    def _inline(self, x: Node, group: Group) -> None:
        """Compute a floating x, and what floats behind it, in this group if it can be there."""
        base = self.views[x].base
        if base not in self._sinkable:
            return
        shaped = sizes(base.shape) == group.shape
        if not shaped or _steps(broadcast(self.views[x], group.shape)) != _steps(self.views[base]):
            self._materialize(x)
            return
        self._gather(base, group)

    def _gather(self, base: Node, group: Group) -> None:
        stack: list[tuple[Node, bool]] = [(base, False)]
        while stack:
            node, ready = stack.pop()
            if not isinstance(node, Operation) or node in group.members:
                continue
            if ready:
                if group.kind == "fold":  # which writes nothing but its sum
                    self._wait(group, node.inputs)
                    group.add(node)
                else:
                    del self._sinkable[node]
                    self._put(node, group, self.views[node])
                continue
            stack.append((node, True))
            for x in node.inputs:
                inner = self.views[x].base
                if inner in self._sinkable:
                    stack.append((inner, False))

    def _materialize(self, x: Node) -> None:
        """Have x in memory: if it floats, in a loop that waits for nothing so far."""
        waiting = [x]
        while waiting:
            base = self.views[waiting[-1]].base if waiting[-1] in self.views else waiting[-1]
            if base not in self._sinkable:
                waiting.pop()
                continue
            shape = sizes(base.shape)
            group = self._start.get(shape)
            if (
                not group
                or group.dependencies
                or len(group.nodes) >= _MANY
                or self._waits(base, group)
            ):
                group = self._start[shape] = self._new("loop", shape)
            self._gather(base, group)


def _steps(view: View) -> tuple[tuple[int, ...], int]:
    """Where a view's elements are, whatever the strides of axes with one element."""
    steps = tuple(0 if size == 1 else step for size, step in zip(view.shape, view.strides))
    return steps, view.offset


def _is_row(node: Operation, shape: tuple[int, ...]) -> bool:
    """Whether a row kernel should do this reduction: over the last axis, of many rows or few
    numbers."""
    if not shape or axes_in(node.attributes["axis"], len(shape)) != (len(shape) - 1,):
        return False
    rows = size(shape[:-1])
    return 2 <= shape[-1] <= _ROW and (rows >= 4 or size(shape) <= _ROW) and rows > 0
