"""The schedule: kernels in stages. Kernels of one stage are independent; a stage waits for the one
before. What a kernel does is cut into chunks of about equal work, as many as its size asks for and
not as there are threads: so results don't depend on how many threads there are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ....graph.node import Node
from ....passes.program import Program
from ..kernels.family import Group
from ..kernels.kernel import Fused, Kernel
from ..llvm.strided_view import View
from .concat_in_place import place_pieces
from .fusion import fused
from .groups import Groups
from .in_place import Updates, updates_in_place

_CHUNK = 5000.0  # nanoseconds of work in a chunk, about
_MOST = 64  # chunks of a kernel
MAX_CHUNKS = 1024  # of a stage: what a work-stealing deque can count (runtime/work_stealing.py)
_SERIAL = 2500.0  # a stage of less work than this isn't worth another thread


@dataclass(frozen=True, eq=False)
class ScheduledKernel:
    """A kernel in its place: its stage, and in how many chunks its items are cut."""

    kernel: Kernel
    stage: int
    items: int
    cost: float  # nanoseconds on one thread, estimated
    chunks: int = 1
    serial: bool = False  # whether the stage's kernels run one after another, on one thread


@dataclass(frozen=True, eq=False)
class Schedule:
    """Kernels, the stages they run in, and where every value lies."""

    kernels: list[ScheduledKernel]  # those without items too
    stages: list[list[ScheduledKernel]]
    views: dict[Node, View]
    producer: dict[Node, ScheduledKernel]
    updates: Updates | None  # how Variables are updated in place, None if they can't be
    trains: bool  # whether Variables are updated


def scheduled(program: Program) -> Schedule:
    """Cut `program` into kernels and put these in stages."""
    groups = fused(program)
    updates = updates_in_place(program, groups)
    settled = _settled(program, groups)
    place_pieces(program, groups, updates.alias if updates else ())
    # Every view is final: only now are there kernels.
    placing = _Placing(groups)
    for number in groups.dependencies.in_order():
        group = groups.listed[number]
        placing.add(group, group.family.kernel(settled[group], groups.views))
    kernels, stages = _staged(placing.kernels)
    producer = {node: kernels[number] for node, number in placing.producer.items()}
    return Schedule(kernels, stages, groups.views, producer, updates, bool(program.updates))


def _settled(program: Program, groups: Groups) -> dict[Group, Fused]:
    """What each group computes, and which of its values are read elsewhere."""
    views = groups.views
    needed = {views[x].base for x in program.roots if x in views}
    for group in groups.listed:
        for x in group.needs(views):
            base = groups.base(x)
            if groups.producer.get(base) is not group:
                needed.add(base)
    found: dict[Group, Fused] = {}
    for group in groups.listed:
        made = (node for node in group.nodes if groups.producer.get(node) is group)
        live_out = tuple(node for node in made if node in needed)
        found[group] = Fused(
            tuple(group.nodes), live_out, group.inner(views), group.shape, frozenset(group.scalars)
        )
    return found


class _Placing:
    """Kernels in an order in which they could run, each with the first stage that it can be in."""

    def __init__(self, groups: Groups) -> None:
        self.groups = groups
        self.kernels: list[tuple[Kernel, int]] = []
        self.producer: dict[Node, int] = {}  # the number of the kernel that completes a value
        self._done: dict[int, int] = {}  # the stage after which a group's values are there
        self._prepared: dict[Kernel, int] = {}  # the stage of each prerequisite

    def add(self, group: Group, kernel: Kernel) -> None:
        """The group's kernel and those that belong to it, after all groups that it waits for."""
        before = self.groups.dependencies.of(group.number)
        stage = max((self._done[number] + 1 for number in before), default=0)
        for one in kernel.prerequisites:
            stage = max(stage, self._prepare(one) + 1)
        if kernel.is_placed:
            self._done[group.number] = stage - 1
            self._complete(kernel, self._last_piece(group))
            return
        last = self._put(kernel, stage)
        more = kernel.continuation()
        if more is not None:
            stage += 1
            last = self._put(more, stage)
        self._done[group.number] = stage
        self._complete(kernel, last)

    def _put(self, kernel: Kernel, stage: int) -> int:
        self.kernels.append((kernel, stage))
        return len(self.kernels) - 1

    def _complete(self, kernel: Kernel, number: int) -> None:
        """Kernel `number` completes the values of the group that became `kernel`."""
        for node in kernel.fused.live_out if kernel.is_native else kernel.nodes:
            self.producer[node] = number

    def _prepare(self, kernel: Kernel) -> int:
        """The stage of a prerequisite, which runs once for all kernels that have an equal one."""
        if kernel not in self._prepared:
            producers = (self.groups.producer.get(self.groups.base(x)) for x in kernel.reads())
            before = (self._done[one.number] + 1 for one in producers if one is not None)
            self._prepared[kernel] = max(before, default=0)
            self._put(kernel, self._prepared[kernel])
        return self._prepared[kernel]

    def _last_piece(self, group: Group) -> int:
        """The number of the last kernel that writes a piece of the group's result."""
        views = self.groups.views
        return max(
            (
                number
                for x, number in self.producer.items()
                if x in views and views[x].base is group.first
            ),
            key=lambda number: self.kernels[number][1],
        )


def _staged(
    placed: list[tuple[Kernel, int]],
) -> tuple[list[ScheduledKernel], list[list[ScheduledKernel]]]:
    """The kernels with their chunks, as they are given and by stage. Stages of so little work that
    one thread does them are merged."""
    made = [ScheduledKernel(one, stage, one.items, one.cost) for one, stage in placed]
    count = max((one.stage for one in made if one.items), default=-1) + 1
    stages: list[list[int]] = [[] for _ in range(count)]
    for number, one in enumerate(made):
        if one.items:
            stages[one.stage].append(number)
    merged: list[list[int]] = []
    for stage in stages:
        native = [number for number in stage if made[number].kernel.is_native]
        for first in range(0, len(native), MAX_CHUNKS):
            some = native[first : first + MAX_CHUNKS]
            serial = sum(made[number].cost for number in some) < _SERIAL
            for number in some:
                chunks = min(_chunks(made[number]), max(MAX_CHUNKS // len(some), 1))
                made[number] = replace(made[number], serial=serial, chunks=1 if serial else chunks)
            if not serial:  # the longest chunks first, so that the last ones end together
                some.sort(key=lambda number: -made[number].cost / made[number].chunks)
            if serial and merged and made[merged[-1][0]].serial:
                merged[-1].extend(some)
            else:
                merged.append(some)
        merged.extend([number] for number in stage if not made[number].kernel.is_native)
    for place, stage in enumerate(merged):
        for number in stage:
            made[number] = replace(made[number], stage=place)
    return made, [[made[number] for number in stage] for stage in merged]


def _chunks(one: ScheduledKernel) -> int:
    if one.cost < _SERIAL:
        return 1
    wanted = max(round(one.cost / _CHUNK), 2)
    return min(wanted + wanted % 2, _MOST, one.items)


def is_serial(stage: list[ScheduledKernel]) -> bool:
    """Whether the kernels of the stage run one after another, on one thread."""
    return stage[0].serial
