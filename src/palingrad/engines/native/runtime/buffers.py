"""Slots: the table of pointers that generated code gets, and the memory behind it."""

from __future__ import annotations

import sys
from array import array as row_of
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ....dtypes import Array
from ....graph.declared.bounds import Bounds
from ....graph.leaves import Constant
from ....graph.node import Node
from ....passes.program import Program
from ....shapes import size, sizes
from ..kernels.bounds_check import FAILED, BoundsCheck
from ..kernels.formula import dtype_of
from ..kernels.kernel import Kernel
from ..plan.buffer_planner import LiveRange, plan_buffers
from ..plan.index_checks import check_of, fed
from ..plan.schedule import Schedule
from .aligned_alloc import placed

_LINE = 64  # bytes of a cache line
HELD = 3  # references to an array that only the slot and the asking function hold


class Memory:
    """What one run needs: the table, the arena, and the arrays that the table points to.

    `objects` holds the addresses of the arrays that are fed and handed out: generated code takes
    their data pointers from there.
    """

    def __init__(self, buffers: BufferTable) -> None:
        self.arena = _aligned(buffers.arena_bytes)
        self.control = _aligned(buffers.control_bytes)
        self.arrays: list[Any] = [None] * buffers.count
        self.spare: list[Any] = [None] * len(buffers.results)  # a second array for each result
        self.table = row_of("Q", bytes(8 * (buffers.count + 2)))
        self.address = self.table.buffer_info()[0]
        self.objects = row_of("Q", bytes(8 * max(buffers.objects, 1)))
        self.table[buffers.count] = self.arena.ctypes.data
        self.table[buffers.count + 1] = self.control.ctypes.data
        self.moves = row_of("q", bytes(8 * max(buffers.objects, 1)))
        # What `run` is called with: table, team, objects, how often, moves.
        self.block = row_of("Q", [self.address, 0, self.objects.buffer_info()[0], 1,
                                  self.moves.buffer_info()[0]])  # fmt: skip
        self.block_address = self.block.buffer_info()[0]
        self.pool: Any = None  # the team that runs with this memory
        self.states: list[Array] = []  # what Variables held when `count` was the count of changes
        self.count = -1
        self.tuple_results: dict[Node, Any] = {}  # results of NumPy that are several arrays
        for number, value in buffers.fixed.items():
            self.point(number, value)

    def joins(self, pool: Any) -> None:
        """Let this team run with the memory, or nobody but the caller; ring for who sleeps."""
        if pool is not self.pool:
            self.pool = pool
            self.block[1] = 0 if pool is None else pool.address
        if pool is not None and pool.asleep:
            pool.wake()

    def point(self, number: int, array: Array) -> None:
        """Let a slot be this array, which generated code can read as it lies."""
        flags = array.flags
        if not (flags.c_contiguous and flags.aligned):
            array = np.require(array, requirements=["C", "A"])
        self.arrays[number] = array
        self.table[number] = array.__array_interface__["data"][0]


def _aligned(size: int) -> Array:
    room = np.zeros(size + _LINE, np.uint8)
    start = -room.ctypes.data % _LINE
    return room[start : start + size]


class BufferTable:
    """Which slot each buffer has: feeds, states and results first, whose arrays change from run to
    run; then constants and what NumPy makes; all else is in the arena, the last slot but one."""

    def __init__(self, program: Program, schedule: Schedule) -> None:
        self._views = schedule.views
        alias: dict[Node, Any] = dict(schedule.updates.alias) if schedule.updates else {}
        given: list[Node] = [*program.feeds, *program.reads]
        if schedule.updates:  # what is updated in place stands last
            updated = [variable for variable, _ in program.updates]
            changing = set(updated)
            read = [one for one in program.reads if one not in changing]
            given = [*program.feeds, *read, *updated]
        fixed = [node for node in program.order if isinstance(node, Constant)]
        roots = {schedule.views[x].base for x in program.roots if x in schedule.views}
        made = list(schedule.producer)
        by_numpy = {
            x for one in schedule.kernels if not one.kernel.is_native for x in one.kernel.nodes
        }
        native = [
            node
            for node in made
            if node not in by_numpy and node not in alias and self._views[node].base is node
        ]
        results = [node for node in native if node in roots and self._views[node].plain]
        fresh = set(results)
        inner = [node for node in native if node not in fresh]
        tuple_results = [node for node in made if node in by_numpy]
        self.given = given
        self.objects = len(given) + len(results)
        self.results = [(sizes(x.shape), dtype_of(x)) for x in results]
        places = dict.fromkeys((*given, *results, *fixed, *tuple_results))
        self._number: dict[Any, int] = {node: number for number, node in enumerate(places)}
        self._number.update({node: self._number[variable] for node, variable in alias.items()})
        self.count = len(places)
        self.fixed = {self._number[node]: node.numpy() for node in fixed}
        self._fresh = fresh
        # What is looked at before a run, and in which slot.
        self.checks = _checks(schedule, self._number)
        # Who looks at other integers, first who waits for least, and where in the control block
        # each tells what it found.
        self.bounds_checks = [
            one.kernel for one in schedule.kernels if isinstance(one.kernel, BoundsCheck)
        ]
        diagnostics = [FAILED, *self.bounds_checks] if self.bounds_checks else []
        self._diagnostics = {owner: line * _LINE for line, owner in enumerate(diagnostics)}
        self.control_bytes = len(diagnostics) * _LINE
        live_ranges = _live_ranges(schedule, inner, roots)
        offsets, self.arena_bytes = plan_buffers([live_range for _, live_range in live_ranges])
        self._offset = {owner: at for (owner, _), at in zip(live_ranges, offsets, strict=True)}
        self.idle: list[Memory] = []

    def place(self, node: Any) -> tuple[int, int]:
        """(slot, offset in bytes) of a node's buffer or a kernel's workspace."""
        if node in self._offset:
            return self.count, self._offset[node]
        if node in self._diagnostics:
            return self.count + 1, self._diagnostics[node]
        return self._number[node], 0

    def find(self, node: Any) -> tuple[int, int] | None:
        """The same for anything: None for what has no buffer of its own."""
        known = node in self._offset or node in self._diagnostics or node in self._number
        return self.place(node) if known else None

    def diagnostics(self, owner: Any, memory: Memory) -> list[int]:
        """What was told in the last run: whether an integer was wrong, the least, the most."""
        start = self._diagnostics[owner]
        return memory.control[start : start + 24].view(np.int64).tolist()

    def is_fresh(self, node: Node) -> bool:
        """Whether the node's memory is a result's, which may be handed out."""
        return node in self._fresh

    def taken(self) -> Memory:
        """Memory for one run: used before and idle now, or new."""
        try:
            return self.idle.pop()
        except IndexError:
            return Memory(self)

    def give_back(self, memory: Memory) -> None:
        """Keep the memory for the next run."""
        self.idle.append(memory)

    def let_go(self, memory: Memory) -> None:
        """Keep the memory for the next run, and let go of what this one was given."""
        memory.tuple_results.clear()
        arrays = memory.arrays
        for number in range(len(self.given)):
            arrays[number] = None
        self.give_back(memory)

    def results_for(self, memory: Memory) -> None:
        """An array for each result: one of the last two runs' that nobody holds, else a new one."""
        arrays, objects, spare = memory.arrays, memory.objects, memory.spare
        number = len(self.given)
        for place, (shape, dtype) in enumerate(self.results):
            one = arrays[number]
            if one is None or sys.getrefcount(one) > HELD:
                # A caller who keeps each result until the next has come keeps one of two.
                other = spare[place]
                spare[place] = one
                one = other
                del other
                if one is None or sys.getrefcount(one) > HELD - 1:
                    one = placed(shape, dtype, place)
                    one.setflags(write=False)
                arrays[number] = one
                objects[number] = id(one)
            number += 1

    def pin(self, memory: Memory, arrays: Sequence[Array], first: int) -> None:
        """Let the slots from `first` on be these arrays."""
        for number, array in enumerate(arrays, first):
            memory.arrays[number] = array
            memory.objects[number] = id(array)

    def buffer(self, node: Node, memory: Memory) -> Array:
        """The node's buffer as an array."""
        number, offset = self.place(node)
        if number < len(memory.arrays):
            return memory.arrays[number]
        part = memory.arena[offset : offset + _bytes(node)].view(dtype_of(node))
        return part.reshape(sizes(node.shape))


def _checks(schedule: Schedule, buffers: dict[Any, int]) -> list[tuple[int, Bounds]]:
    """What must hold of what is fed, and its slot."""
    native = [one.kernel for one in schedule.kernels if one.kernel.is_native]
    found: list[tuple[int, Bounds]] = []
    for node in dict.fromkeys(node for kernel in native for node in kernel.nodes):
        check = check_of(node)
        base = None if check is None else fed(check.x, schedule.views)
        if check is not None and base is not None:
            found.append((buffers[base], check))
    return found


def _live_ranges(
    schedule: Schedule, nodes: list[Node], roots: set[Node]
) -> list[tuple[Any, LiveRange]]:
    """From which stage to which each value and each workspace is needed."""
    views = schedule.views
    first = {node: schedule.producer[node].stage for node in nodes}
    last = {node: len(schedule.stages) if node in roots else first[node] for node in nodes}
    workspaces: dict[Kernel, LiveRange] = {}
    for one in schedule.kernels:
        kernel, stage = one.kernel, one.stage
        for node in kernel.nodes:
            base = views[node].base if node in views else node
            if base in first:  # a fold that is finished later, or a piece, is written there
                first[base] = min(first[base], stage)
        for x in kernel.reads():
            base = views[x].base if x in views else x
            if base in last:
                last[base] = max(last[base], stage)
        if kernel.workspace:
            workspaces[kernel] = LiveRange(stage, stage, kernel.workspace)
    for one in schedule.kernels:
        for owner in one.kernel.workspaces:
            if owner in workspaces:
                alive = workspaces[owner]
                workspaces[owner] = replace(alive, last=max(alive.last, one.stage))
    found: list[tuple[Any, LiveRange]] = [
        (node, LiveRange(first[node], last[node], max(_bytes(node), 1))) for node in nodes
    ]
    return [*found, *workspaces.items()]


def _bytes(node: Node) -> int:
    return size(node.shape) * dtype_of(node).itemsize
