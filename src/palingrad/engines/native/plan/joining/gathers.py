"""Gathers that elementwise loops read: they are computed in the loops, and never written to memory.

It happens when all groups are known, because the gather must have no other readers: a product or a
row kernel reads its operands from memory. Each of a few loops gathers for itself, which takes no
longer than to read what another kernel has gathered.
"""

from __future__ import annotations

from .....graph.node import Node
from .....passes.program import Program
from .....shapes import sizes
from ...kernels.family import Group
from ...kernels.movement.gather_scatter import GATHER
from ...kernels.row import ELEMENTWISE
from ...llvm.strided_view import View, broadcast, positions
from ..groups import Groups
from .membership import MANY

_READERS = 2  # loops at most that gather the same rows


def inline_gathers(program: Program, groups: Groups) -> None:
    """Moves gathers into the elementwise loops that read them."""
    gathers = [group for group in groups.listed if group.family is GATHER]
    if not gathers:
        return
    views = groups.views
    results = {views[x].base for x in program.roots if x in views}
    readers: dict[Node, list[tuple[Group, View]]] = {group.first: [] for group in gathers}
    for group in groups.listed:
        for x in group.needs(views):
            if x in views and (base := views[x].base) in readers:
                readers[base].append((group, views[x]))
    for gather in gathers:
        node = gather.first
        loops = {group: None for group, _ in readers[node]}
        if (
            node not in results
            and 0 < len(loops) <= _READERS
            and all(_reads_in_place(views[node], view, group) for group, view in readers[node])
        ):
            for group in loops:
                group.nodes.insert(0, node)
                group.members.add(node)
                groups.wait(group, node.inputs)
            del groups.producer[node]
            gather.nodes, gather.members, gather.is_merged = [], set(), True


def _reads_in_place(own: View, view: View, group: Group) -> bool:
    """Whether the group is a loop over elements, with room for another node, that reads the value
    with the view `own` at its own position."""
    return (
        group.family is ELEMENTWISE
        and not group.scalars
        and bool(group.nodes)
        and len(group.nodes) < MANY
        and own.shape == group.shape == sizes(own.base.shape)
        and positions(broadcast(view, group.shape)) == positions(own)
    )
