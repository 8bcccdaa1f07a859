"""The schedule: kernels in stages, cut into chunks.

The kernels of one stage are independent; a stage begins when the one before has ended. A kernel's
work is cut into chunks of about equal work. Their number follows from sizes alone, not from the
number of threads, so results don't depend on the number of threads.
"""

from __future__ import annotations

from dataclasses import replace

from ....graph.node import Node
from ....graph.state.records import dataclass
from ....passes.program import Program
from ..kernels.family import Group
from ..kernels.kernel import Fused, Kernel
from ..llvm.strided_view import View
from .concat_in_place import place_pieces
from .fusion import fused
from .groups import Groups
from .in_place import Updates, updates_in_place
from .joining.gathers import inline_gathers
from .joining.reductions import inline_loops

_CHUNK = 5000.0  # nanoseconds of work in a chunk, about
_MOST = 64  # chunks of a kernel at most
MAX_CHUNKS = 1024  # of a stage: what a work-stealing deque can count (runtime/work_stealing.py)
_SERIAL = 2500.0  # nanoseconds; a stage of less work runs on one thread


@dataclass(frozen=True, eq=False)
class ScheduledKernel:
    """A kernel with its stage, and the number of chunks that its items are cut into."""

    kernel: Kernel
    stage: int
    items: int
    cost: float  # nanoseconds on one thread, estimated
    chunks: int = 1
    serial: bool = False  # whether one thread runs the stage's kernels one after another


@dataclass(frozen=True, eq=False)
class Schedule:
    """Kernels, the stages they run in, and the view of every value."""

    kernels: list[ScheduledKernel]  # including those without items
    stages: list[list[ScheduledKernel]]
    views: dict[Node, View]
    producer: dict[Node, ScheduledKernel]
    updates: Updates | None  # how Variables are updated in place, None if they can't be
    flushes: bool  # whether subnormal numbers count as 0


def scheduled(program: Program, *, inside: bool = False, flushes: bool = False) -> Schedule:
    """Partitions `program` into kernels and assigns these to stages. `inside`: whether it is that
    of a region, which runs within the machine code of another one. `flushes`: whether subnormal
    numbers count as 0, as they do where Variables are updated."""
    groups = fused(program, inside=inside)
    inline_gathers(program, groups)
    inline_loops(program, groups)
    updates = updates_in_place(program, groups)
    nodes_of = _fused_nodes(program, groups)
    place_pieces(program, groups, updates.alias if updates else ())
    # Every view is final from here on, so the groups can become kernels.
    placing = _Placing(groups)
    for number in groups.dependencies.in_order():
        group = groups.listed[number]
        if group.is_merged:
            continue
        placing.add(group, group.family.kernel(nodes_of[group], groups.views))
    kernels, stages = _staged(placing.kernels)
    producer = {node: kernels[number] for node, number in placing.producer.items()}
    flushes = flushes or bool(program.updates)
    return Schedule(kernels, stages, groups.views, producer, updates, flushes)


def _fused_nodes(program: Program, groups: Groups) -> dict[Group, Fused]:
    """The nodes of each group, and the values that it writes to memory for other groups."""
    views = groups.views
    needed = {views[x].base for x in program.roots if x in views}
    for group in groups.listed:
        for x in group.needs(views):
            base = groups.base(x)
            if groups.producer.get(base) is not group:
                needed.add(base)
    nodes_of: dict[Group, Fused] = {}
    for group in groups.listed:
        produced = (node for node in group.nodes if groups.producer.get(node) is group)
        live_out = tuple(node for node in produced if node in needed)
        nodes_of[group] = Fused(
            tuple(group.nodes), live_out, group.inner(views), group.shape, frozenset(group.scalars)
        )
    return nodes_of


class _Placing:
    """Kernels in a topological order, each with the earliest stage possible."""

    def __init__(self, groups: Groups) -> None:
        self.groups = groups
        self.kernels: list[tuple[Kernel, int]] = []
        self.producer: dict[Node, int] = {}  # the number of the kernel that completes a value
        self._done: dict[int, int] = {}  # the stage after which a group's values are complete
        self._complete_after: dict[int, int] = {}  # the groups with each such stage, as a bit mask
        self._last = -1  # the largest such stage
        self._prepared: dict[Kernel, int] = {}  # the stage of each prerequisite

    def add(self, group: Group, kernel: Kernel) -> None:
        """Places the group's kernel, its prerequisites and its continuation, after the kernels of
        all groups that the group depends on."""
        before = self.groups.dependencies.masks[group.number]
        # From the last stage back, because most groups wait for one of the last.
        ends = range(self._last, -1, -1) if before else ()
        stage = next((end + 1 for end in ends if self._complete_after.get(end, 0) & before), 0)
        for prerequisite in kernel.prerequisites:
            stage = max(stage, self._prepare(prerequisite) + 1)
        if kernel.is_placed:
            self._record(group, stage - 1)
            self._complete(kernel, self._last_piece(group))
            return
        last = self._append(kernel, stage)
        more = kernel.continuation()
        while more is not None:
            stage += 1
            last = self._append(more, stage)
            more = more.continuation()
        self._record(group, stage)
        self._complete(kernel, last)

    def _record(self, group: Group, stage: int) -> None:
        self._done[group.number], self._last = stage, max(self._last, stage)
        self._complete_after[stage] = self._complete_after.get(stage, 0) | 1 << group.number

    def _append(self, kernel: Kernel, stage: int) -> int:
        self.kernels.append((kernel, stage))
        return len(self.kernels) - 1

    def _complete(self, kernel: Kernel, number: int) -> None:
        """Records that kernel `number` completes the values of the group that became `kernel`."""
        for node in kernel.fused.live_out if kernel.is_native else kernel.nodes:
            self.producer[node] = number

    def _prepare(self, kernel: Kernel) -> int:
        """The stage of a prerequisite, which runs once for all kernels with an equal one."""
        if kernel not in self._prepared:
            producers = (self.groups.producer.get(self.groups.base(x)) for x in kernel.reads())
            before = (self._done[group.number] + 1 for group in producers if group is not None)
            self._prepared[kernel] = max(before, default=0)
            self._append(kernel, self._prepared[kernel])
        return self._prepared[kernel]

    def _last_piece(self, group: Group) -> int:
        """The number of the last kernel that writes a piece of the group's result."""
        views = self.groups.views
        return max(
            (
                number
                for x, number in self.producer.items()
                if x in views and views[x].base is views[group.first].base
            ),
            key=lambda number: self.kernels[number][1],
        )


def _staged(
    placed: list[tuple[Kernel, int]],
) -> tuple[list[ScheduledKernel], list[list[ScheduledKernel]]]:
    """The kernels with their chunks, in the given order and by stage. Adjacent serial stages are
    merged; a kernel that NumPy computes, or that is control flow, has a stage of its own."""
    kernels = [
        ScheduledKernel(kernel, stage, kernel.items, kernel.cost) for kernel, stage in placed
    ]
    count = max((kernel.stage for kernel in kernels if kernel.items), default=-1) + 1
    stages: list[list[int]] = [[] for _ in range(count)]
    for number, kernel in enumerate(kernels):
        if kernel.items:
            stages[kernel.stage].append(number)
    merged: list[list[int]] = []
    for stage in stages:
        native = [number for number in stage if not kernels[number].kernel.has_own_segment]
        for first in range(0, len(native), MAX_CHUNKS):
            part = native[first : first + MAX_CHUNKS]
            cost = sum(kernels[number].cost for number in part)
            # One thread computes the longest kernel without parts; what is there for the others?
            alone = max((kernels[n].cost for n in part if kernels[n].items == 1), default=0.0)
            serial = cost - alone < _SERIAL
            for number in part:
                chunks = min(_chunks(kernels[number]), max(MAX_CHUNKS // len(part), 1))
                kernels[number] = replace(
                    kernels[number], serial=serial, chunks=1 if serial else chunks
                )
            if not serial:  # the longest chunks first, so that the last ones end together
                part.sort(key=lambda number: -kernels[number].cost / kernels[number].chunks)
            before = kernels[merged[-1][0]] if merged else None
            if serial and before and before.serial and not before.kernel.has_own_segment:
                merged[-1].extend(part)
            else:
                merged.append(part)
        merged.extend([number] for number in stage if kernels[number].kernel.has_own_segment)
    for position, stage in enumerate(merged):
        for number in stage:
            serial = kernels[number].serial or kernels[number].kernel.is_serial
            kernels[number] = replace(kernels[number], stage=position, serial=serial)
    return kernels, [[kernels[number] for number in stage] for stage in merged]


def _chunks(kernel: ScheduledKernel) -> int:
    """The number of chunks: an even one, for two threads."""
    if kernel.cost < _SERIAL:
        return 1
    count = max(round(kernel.cost / _CHUNK), 2)
    return min(count + count % 2, _MOST, kernel.items)


def is_serial(stage: list[ScheduledKernel]) -> bool:
    """Whether one thread runs the kernels of the stage one after another."""
    return stage[0].serial
