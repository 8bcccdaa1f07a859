"""Reductions of what a loop over elements computes for them alone: the reduction computes it, so
that it is never written to memory.

It happens when all groups are known, because the loop must have no other readers: a reduction
writes only its result.
"""

from __future__ import annotations

from .....graph.kinds import Gather
from .....graph.node import Node
from .....passes.program import Program
from ...kernels.family import Group
from ...kernels.reduction import REDUCTION
from ...kernels.row import ELEMENTWISE
from ...llvm.strided_view import broadcast, positions
from ..groups import Groups

_LOOP = 24  # nodes of a loop at most: a reduction has their code for each of its streams


def inline_loops(program: Program, groups: Groups) -> None:
    """Moves loops over elements into the one reduction that reads them."""
    if not any(group.family is REDUCTION for group in groups.listed):
        return
    views = groups.views
    results = {views[x].base for x in program.roots if x in views}
    readers: dict[Node, set[Group]] = {}
    for group in groups.listed:
        for x in group.needs(views):
            readers.setdefault(groups.base(x), set()).add(group)
    for group in groups.listed:
        if group.family is not REDUCTION:
            continue
        for x in group.needs(views):
            loop = groups.producer.get(groups.base(x))
            if loop is None or not _is_loop(loop, group):
                continue
            others = {one for node in loop.nodes for one in readers.get(node, ())}
            if others == {group} and not results & loop.members and all(
                _at_its_position(one, group, groups)
                for one in group.needs(views)
                if groups.base(one) in loop.members
            ):  # fmt: skip
                _move(loop, group, groups)


def _is_loop(loop: Group, group: Group) -> bool:
    """Whether these are few elementwise nodes over the elements that the group reduces."""
    return (
        loop.family is ELEMENTWISE
        and not loop.scalars
        and loop.shape == group.shape
        and len(loop.nodes) + len(group.nodes) <= _LOOP
        and not any(isinstance(node, Gather) for node in loop.nodes)
    )


def _at_its_position(x: Node, group: Group, groups: Groups) -> bool:
    view = groups.views[x]
    return positions(broadcast(view, group.shape)) == positions(groups.views[view.base])


def _move(loop: Group, group: Group, groups: Groups) -> None:
    for node in loop.nodes:
        groups.wait(group, node.inputs)
        groups.producer[node] = group
    group.nodes = [*loop.nodes, *(node for node in group.nodes if node not in loop.members)]
    group.members |= loop.members
    loop.nodes, loop.members, loop.is_merged = [], set(), True
