"""The conditions under which a node may join a group: it runs over the group's elements, reads the
group's values at its own position, and none of its other inputs depends on the group."""

from __future__ import annotations

from collections import Counter

from .....graph.kinds import Reduce
from .....graph.node import Node
from .....graph.operation import Operation
from .....shapes import sizes
from ...kernels.family import Group
from ...kernels.formula import is_number
from ...kernels.row import ELEMENTWISE, as_operand
from ...llvm.strided_view import View, in_space, is_dense, positions
from ..groups import Groups

# A kernel takes `MANY` operations, and up to `_MOST` while at most `_LIVE` values are live. A loop
# over elements takes up to `_LOOP`: what it spills stays in the first-level cache, where values
# between two loops would go through memory.
MANY, _MOST = 64, 256
_LOOP = 512
_LIVE = 12


def may_join(node: Operation, group: Group, groups: Groups, uses: Counter[Node]) -> bool:
    """Whether an elementwise node, or a reduction over the last axis, may join the group. `uses`
    counts the reads of each value by nodes without a group."""
    family = group.family
    if not family.takes_elementwise(group, groups.views) or _is_full(group, uses):
        return False
    without_last_axis = False
    if isinstance(node, Reduce):
        if not family.takes_reductions or group.shape != sizes(node.inputs[0].shape):
            return False
    elif sizes(node.shape) != group.shape:
        if not _is_scalar(node, group, groups):
            return False
        without_last_axis = len(sizes(node.shape)) < len(group.shape)
    return all(
        _may_read(x, group, groups, without_last_axis) for x in node.inputs if not is_number(x)
    )


def may_merge(
    node: Operation, other: Group, group: Group, groups: Groups, uses: Counter[Node]
) -> bool:
    """Whether `other`, of which the node reads a value, should be computed in the group that the
    node joins: both are loops over the same elements, and nobody else reads what it computes, so
    that none of its values is written to memory."""
    if other is group or not _is_loop(other) or not _is_loop(group):
        return False
    if other.shape != group.shape or len(other.nodes) + len(group.nodes) >= MANY:
        return False
    if groups.dependencies.awaited >> other.number & 1 or groups.waits(other.first, group):
        return False
    views = groups.views
    strides = {views[one].strides for one in (*other.nodes, *group.nodes)}
    return (
        len(strides) <= 1
        and sum(uses[one] for one in other.nodes) == sum(x in other.members for x in node.inputs)
        and all(_may_read(x, other, groups, False) for x in node.inputs if not is_number(x))
    )


def _is_loop(group: Group) -> bool:
    """Whether the group is a loop over elements, without sums of rows."""
    return group.family is ELEMENTWISE and not group.scalars


def _is_full(group: Group, uses: Counter[Node]) -> bool:
    """Whether more operations would only spill registers."""
    if len(group.nodes) < MANY:
        return False
    if _is_loop(group):
        return len(group.nodes) >= _LOOP
    live = sum(uses[node] > 0 for node in group.nodes)
    return live > _LIVE or len(group.nodes) >= _MOST


def _is_scalar(node: Operation, group: Group, groups: Groups) -> bool:
    """Whether an elementwise node has one number for each row of the group, and all its inputs do
    or are outside the group."""
    outer = group.shape[:-1]
    shape = sizes(node.shape)
    if not group.scalars or shape not in (outer, (*outer, 1)):
        return False
    for x in node.inputs:
        base = groups.views[x].base
        if base in group.members and base not in group.scalars:
            return False
        if base not in group.members and shape == outer and sizes(x.shape) != ():
            return False
    return True


def _may_read(x: Node, group: Group, groups: Groups, without_last_axis: bool) -> bool:
    """Whether a member of the group can read x: a member's value at the reader's own position, or a
    value whose producer does not depend on the group."""
    view = groups.views[x]
    base = view.base
    if base in group.members:
        own = as_operand(groups.views[base], group.shape, base in group.scalars)
        return positions(in_space(view, group.shape, without_last_axis)) == positions(own)
    return not groups.waits(base, group)


def layout(node: Operation, group: Group, groups: Groups, plain: View) -> View:
    """The view of a new member's value: with the strides of the group's other values; in a new
    group, with those of an input of the same shape if no such input is in row-major order."""
    views = groups.views
    for other in group.nodes:
        if other in views and other not in group.scalars:
            return View(node, plain.shape, views[other].strides)
    same = [views[x] for x in node.inputs if views[x].shape == plain.shape]
    if not same or any(view.strides == plain.strides for view in same):
        return plain
    return View(node, plain.shape, same[0].strides) if is_dense(same[0]) else plain
