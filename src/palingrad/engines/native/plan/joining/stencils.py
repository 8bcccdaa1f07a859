"""Stencils: which groups compute nodes that read one another's elements at shifted positions.

A group begins where a node reads a value at shifted positions that could be computed in the same
loop, or joins it with other arrays. Nodes that read its values join it, whatever their shifts, as
long as the alignment has a place for them (`kernels/stencil/alignment.py`).
"""

from __future__ import annotations

from .....graph.kinds import Elementwise
from .....graph.node import Node
from .....graph.operation import Operation
from .....graph.traversal.order import postorder
from .....shapes import sizes
from ...kernels.family import Group
from ...kernels.row import ELEMENTWISE
from ...kernels.stencil.alignment import Alignment, Read, reads_of
from ...kernels.stencil.kernel import STENCIL
from ...llvm.strided_view import whole
from .. import index_checks
from ..groups import Groups
from .sinking import Sinking

SHORTEST = 128  # elements of a loop at least; in shorter ones the ends take most of the time
_MOST = 128  # nodes of a loop


class Stencils:
    """Decides which nodes become parts of stencils."""

    def __init__(self, groups: Groups, sinking: Sinking) -> None:
        self._groups, self._sinking = groups, sinking
        self._alignments: dict[Group, Alignment] = {}

    def takes(self, node: Operation) -> bool:
        """Whether a stencil computes the node, which then is a member of its group."""
        groups = self._groups
        reads = reads_of(node, groups.views)
        if reads is None or index_checks.checks_of(node):
            return False
        bases = [base for x in node.inputs for base in self._sinking.inputs(x)]
        candidates = [group for group in groups.candidates(bases) if self._is_loop(group)]
        shifted = not isinstance(node, Elementwise) or any(map(self._is_shifted, reads))
        for group in candidates:
            if (shifted or group.family is STENCIL) and self._joined(node, reads, group):
                return True
        if not shifted or any(read.base in groups.producer for read in reads):
            return False
        return any(read.base in groups.sinkable for read in reads) and self._joined(
            node, reads, None
        )

    def _is_loop(self, group: Group) -> bool:
        """Whether the group is a stencil, or could be one."""
        if group.family is STENCIL:
            return True
        return group.family is ELEMENTWISE and not group.scalars and len(group.shape) == 1

    def _is_shifted(self, read: Read) -> bool:
        """Whether a read of another node's value isn't at the reader's own position."""
        groups = self._groups
        if read.is_fixed or not (read.base in groups.sinkable or read.base in groups.producer):
            return False
        return read.shift != 0 or sizes(read.base.shape) != (read.high,)

    def _joined(self, node: Operation, reads: list[Read], group: Group | None) -> bool:
        """Tries to make the node a member of the group, or of a new one, with the sinkable nodes
        that it reads."""
        groups = self._groups
        sunk = self._sinkable(reads)
        trial = self._alignment(group, [*sunk, node])
        if trial is None or len(trial.placed) + len(sunk) >= _MOST:
            return False
        needed: list[Operation] = []
        for one in sunk:  # those that don't fit are computed by groups of their own
            if one not in trial.placed and trial.place(one, groups.views):
                needed.append(one)
        if not trial.place(node, groups.views) or not all(
            self._may_read(x, group, trial) for one in (*needed, node) for x in one.inputs
        ):
            return False
        if group is None:
            if not needed:
                return False
            group = groups.new(STENCIL, (trial.length,))
        group.family, self._alignments[group] = STENCIL, trial
        for one in (*needed, node):
            for x in one.inputs:
                if x in groups.views and groups.views[x].base not in trial.placed:
                    self._sinking.materialize(x)
        for one in needed:
            del groups.sinkable[one]
            groups.put(one, group, groups.views[one])
        groups.put(node, group, whole(node))
        return True

    def _sinkable(self, reads: list[Read]) -> list[Operation]:
        """The sinkable nodes that these reads need, inputs first."""
        groups = self._groups
        found: dict[Operation, None] = {}

        for read in reads:
            if read.base in groups.sinkable and not read.is_fixed:
                for one in postorder(read.base, inputs=self._sinkable_inputs):
                    if one in groups.sinkable and isinstance(one, Operation):
                        found[one] = None
        return [*found]

    def _alignment(self, group: Group | None, nodes: list[Operation]) -> Alignment | None:
        """A copy of the group's alignment; None if its nodes have none."""
        if group is None:
            length = max(sizes(node.shape)[0] for node in nodes if len(sizes(node.shape)) == 1)
            return Alignment(length) if length >= SHORTEST else None
        if group in self._alignments:
            return self._alignments[group].copy()
        (length,) = group.shape
        if length < SHORTEST or not all(
            self._groups.producer.get(one) is group for one in group.nodes
        ):
            return None
        return Alignment.of(group.nodes, length, self._groups.views)

    def _may_read(self, x: Node, group: Group | None, trial: Alignment) -> bool:
        """Whether a member may read x: another member, or what doesn't depend on the group."""
        groups = self._groups
        if x not in groups.views or (base := groups.views[x].base) in trial.placed:
            return True
        if base in groups.sinkable:  # to be computed by another group, which no member may feed
            inputs = postorder(base, inputs=self._sinkable_inputs)
            if any(one in trial.placed for one in inputs):
                return False
        return group is None or not groups.waits(base, group)

    def _sinkable_inputs(self, node: Node) -> list[Node]:
        """The values that a sinkable node reads; of other nodes none."""
        groups = self._groups
        return [groups.views[x].base for x in node.inputs] if node in groups.sinkable else []
