"""The buffer table: which memory each buffer of a program has, and the memory of one run.

Generated code receives one table of pointers. An entry of the table, a *slot*, points to an array,
or to the arena that all intermediate values share.
"""

from __future__ import annotations

import ctypes
import sys
import weakref
from array import array as row_of
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ....dtypes import Array, DType
from ....graph.declared.bounds import Bounds
from ....graph.leaves import Constant
from ....graph.node import Node
from ....passes.program import Program
from ....shapes import size, sizes
from ..kernels.bounds_check import FAILED, BoundsCheck
from ..kernels.formula import dtype_of
from ..kernels.kernel import Kernel
from ..plan.buffer_planner import LiveRange, plan_buffers
from ..plan.index_checks import checks_of, fed
from ..plan.schedule import Schedule
from .aligned_alloc import COUNTS_ARE_EXACT, placed
from .array_fields import READABLE, array_layout

_LINE = 64  # bytes of a cache line


def _references() -> int:
    arrays = [object()]
    array = arrays[0]
    return sys.getrefcount(array)


# References to an array that no user holds: the slot's, a local variable's, the call's. How many
# are counted depends on Python's version.
HELD = _references() if COUNTS_ARE_EXACT else 0


class Memory:
    """The memory of one run: the table of pointers, the arena, and the arrays in the slots.

    `objects` holds the addresses of the Python arrays that are fed and returned; generated code
    reads the arrays' data pointers from their NumPy structures.
    """

    def __init__(self, buffers: MemoryPlan) -> None:
        self.arena = _aligned(buffers.arena_bytes)
        self.control = _aligned(buffers.control_bytes)
        self.arrays: list[Any] = [None] * buffers.count
        self.spare: list[Any] = [None] * len(buffers.results)  # a second array of each result
        self.table = row_of("Q", bytes(8 * (buffers.count + 2)))
        self.address = self.table.buffer_info()[0]
        self.objects = row_of("Q", bytes(8 * max(buffers.objects, 1)))
        self.table[buffers.count] = self.arena.ctypes.data
        self.table[buffers.count + 1] = self.control.ctypes.data
        self.moves = row_of("q", bytes(8 * max(buffers.objects, 1)))
        self.turns = row_of("q", [1] * max(buffers.objects, 1))  # by which moves are multiplied
        # The argument of `run`: table, pool, objects, number of repetitions, moves, the number of
        # the lease and the address of its words (`lease_words.py`), turns.
        self.block = row_of("q", [self.address, 0, self.objects.buffer_info()[0], 1,
                                  self.moves.buffer_info()[0], -1, 0,
                                  self.turns.buffer_info()[0]])  # fmt: skip
        self.block_address = self.block.buffer_info()[0]
        self.pool: Any = None  # the thread pool that `block` names
        self.states: list[Array] = []  # the Variables' values when `state.version` was `version`
        self.version: object = None
        buffers.made += 1
        self.tuple_results: dict[Node, Any] = {}  # NumPy's results that have no slot
        self.windows: dict[Node, Array] = {}  # arrays over the arena, for fallbacks that read it
        self.has_copies = False  # whether `arrays` holds copies of feeds that weren't contiguous
        for number, value in buffers.fixed.items():
            self.point(number, value)
            self.arrays[number].setflags(write=False)  # a copy, if it wasn't contiguous

    def use_pool(self, pool: Any) -> None:
        """Makes the next run use this thread pool, None for the calling thread alone, and wakes the
        pool's sleeping workers."""
        if pool is not self.pool:
            self.pool = pool
            self.block[1] = 0 if pool is None else pool.address
        if pool is not None and pool.asleep:
            pool.wake()

    def point(self, number: int, array: Array) -> None:
        """Puts an array in a slot, or a contiguous and aligned copy if it is neither."""
        data, flags = array_layout()
        if ctypes.c_int.from_address(id(array) + flags).value & READABLE != READABLE:
            array = np.require(array, requirements=["C", "A"])
        self.arrays[number] = array
        self.table[number] = ctypes.c_size_t.from_address(id(array) + data).value


def _aligned(size: int) -> Array:
    """`size` zero bytes that begin with a cache line."""
    allocation = np.zeros(size + _LINE, np.uint8)
    start = -allocation.ctypes.data % _LINE
    return allocation[start : start + size]


class MemoryPlan:
    """What the memory of a run consists of, in numbers; and the memories that exist.

    The slots of feeds, Variables and results come first, because their arrays change from run to
    run; then those of constants and of values that NumPy computes; then the arena, which holds all
    other values, and the control block, where bounds checks write their diagnostics.
    """

    def __init__(
        self,
        *,
        given: int,
        results: list[tuple[tuple[int, ...], DType]],
        fixed: dict[int, Array],
        from_numpy: Sequence[int],
        count: int,
        sizes: tuple[int, int],
    ) -> None:
        """`given`: feeds and Variables; `results`: shapes and dtypes of the arrays that are
        returned; `fixed`: constants by their slots; `from_numpy`: the slots of NumPy's values;
        `count`: slots; `sizes`: bytes of the arena and of the control block."""
        self.given, self.results, self.fixed, self.count = given, results, fixed, count
        self.objects = given + len(results)
        # Strides and dtype of each result: all but the size of what a user may set on an array.
        # None, which no strides equal, for an empty one, which is made anew by each run.
        self.forms = [
            (np.empty(shape, dtype).strides if 0 not in shape else None, dtype)
            for shape, dtype in results
        ]
        self.arena_bytes, self.control_bytes = sizes
        self._from_numpy = from_numpy
        self._nones = [None] * given
        self.idle: list[Memory] = []
        self.made = 0  # the number of memories, idle or in use

    def taken(self) -> Memory:
        """Memory for one run: idle memory of an earlier run if there is any, else new memory."""
        try:
            return self.idle.pop()
        except IndexError:
            return Memory(self)

    def keep_states(self, memory: Memory, version: object, states: list[Array]) -> None:
        """Keeps the Variables' values in the memory, also between runs, until another program runs
        after a change: see `release_states`."""
        release_states(version)
        memory.version, memory.states = version, states
        key = id(self)
        if key not in _with_states:
            _with_states[key] = weakref.ref(self, lambda _: _with_states.pop(key, None))

    def let_go_states(self, version: object) -> bool:
        """Drops the values in idle memories, except those of this version. Returns whether no
        memory holds any."""
        released = 0
        for _ in range(len(self.idle)):
            try:
                memory = self.idle.pop(0)
            except IndexError:  # taken by runs
                break
            if memory.version is not version:
                memory.version, memory.states = None, []
                released += 1
            self.idle.append(memory)
        return released == self.made

    def let_go(self, memory: Memory) -> None:
        """Drops the arrays that the last run was given, and what NumPy computed in it."""
        memory.tuple_results.clear()
        memory.has_copies = False
        memory.arrays[: self.given] = self._nones
        for number in self._from_numpy:
            memory.arrays[number] = None

    def results_for(self, memory: Memory) -> None:
        """Puts an array in each result's slot: one of the last two runs' if no user holds it, also
        by a weak reference, or has set its shape, strides or dtype; else a new one."""
        arrays, objects, spare = memory.arrays, memory.objects, memory.spare
        number = self.given
        for place, (shape, dtype) in enumerate(self.results):
            array, form = arrays[number], self.forms[place]
            if array is None or sys.getrefcount(array) > HELD or not is_as_made(array, *form):
                # Two arrays suffice for a caller that keeps each result until the next run.
                other = spare[place]
                spare[place] = array
                array = other
                del other
                if (
                    array is None
                    or sys.getrefcount(array) > HELD - 1
                    or not is_as_made(array, *form)
                ):
                    array = placed(shape, dtype, place)
                    array.setflags(write=False)
                arrays[number] = array
                objects[number] = id(array)
            number += 1

    def pin(self, memory: Memory, arrays: Sequence[Array], first: int) -> None:
        """Puts the arrays in the slots from `first` on."""
        for number, array in enumerate(arrays, first):
            memory.arrays[number] = array
            memory.objects[number] = id(array)


def is_as_made(array: Array, strides: tuple[int, ...] | None, dtype: DType) -> bool:
    """Whether an array has the form of a result, and no weak references."""
    return array.strides == strides and array.dtype is dtype and not weakref.getweakrefcount(array)


class BufferTable(MemoryPlan):
    """Assigns each buffer of a Program a slot, and an offset within it."""

    def __init__(self, program: Program, schedule: Schedule) -> None:
        self._views = schedule.views
        alias: dict[Node, Any] = dict(schedule.updates.alias) if schedule.updates else {}
        given: list[Node] = [*program.feeds, *program.reads]
        if schedule.updates:  # Variables that are updated in place come last
            updated = [variable for variable, _ in program.updates]
            changing = set(updated)
            only_read = [variable for variable in program.reads if variable not in changing]
            given = [*program.feeds, *only_read, *updated]
        nested = [x for one in schedule.kernels for x in one.kernel.constants]
        fixed = [x for x in dict.fromkeys([*program.order, *nested]) if isinstance(x, Constant)]
        self.constants = tuple(fixed)
        roots = {schedule.views[x].base for x in program.roots if x in schedule.views}
        computed = list(schedule.producer)
        by_numpy = {
            x for one in schedule.kernels if not one.kernel.is_native for x in one.kernel.nodes
        }
        native = [
            node
            for node in computed
            if node not in by_numpy and node not in alias and self._views[node].base is node
        ]
        results = [node for node in native if node in roots and self._views[node].plain]
        fresh = set(results)
        inner = [node for node in native if node not in fresh]
        from_numpy = [node for node in computed if node in by_numpy]
        places = dict.fromkeys((*given, *results, *fixed, *from_numpy))
        self._number: dict[Any, int] = {node: number for number, node in enumerate(places)}
        self._number.update({node: self._number[variable] for node, variable in alias.items()})
        self._fresh = fresh
        # (slot, bounds) of the fed integers that are checked before the first kernel runs.
        self.checks = _checks(schedule, self._number)
        # The kernels that check computed integers, in the order of the schedule. Each has a cache
        # line of the control block for its diagnostics.
        self.bounds_checks = [
            one.kernel for one in schedule.kernels if isinstance(one.kernel, BoundsCheck)
        ]
        self.may_fail = any(one.kernel.may_fail for one in schedule.kernels)
        diagnostics = [FAILED, *self.bounds_checks] if self.may_fail else []
        self._diagnostics = {owner: line * _LINE for line, owner in enumerate(diagnostics)}
        live_ranges = _live_ranges(schedule, inner, roots)
        offsets, arena_bytes = plan_buffers([live_range for _, live_range in live_ranges])
        self._offset = {owner: at for (owner, _), at in zip(live_ranges, offsets, strict=True)}
        super().__init__(
            given=len(given),
            results=[(sizes(x.shape), dtype_of(x)) for x in results],
            fixed={self._number[node]: node.numpy() for node in fixed},
            from_numpy=[self._number[node] for node in from_numpy],
            count=len(places),
            sizes=(arena_bytes, len(diagnostics) * _LINE),
        )

    def place(self, node: Any) -> tuple[int, int]:
        """(slot, offset in bytes) of a node's buffer or a kernel's workspace."""
        if node in self._offset:
            return self.count, self._offset[node]
        if node in self._diagnostics:
            return self.count + 1, self._diagnostics[node]
        return self._number[node], 0

    def find(self, node: Any) -> tuple[int, int] | None:
        """The same; None for a node or kernel without a buffer of its own."""
        known = node in self._offset or node in self._diagnostics or node in self._number
        return self.place(node) if known else None

    def diagnostics(self, owner: Any, memory: Memory) -> list[int]:
        """What a bounds check wrote in the last run: [whether an integer was out of range, the
        smallest integer, the largest]."""
        start = self._diagnostics[owner]
        return memory.control[start : start + 24].view(np.int64).tolist()

    def is_fresh(self, node: Node) -> bool:
        """Whether the node is in the array of a result, which is returned without a copy."""
        return node in self._fresh

    def buffer(self, node: Node, memory: Memory) -> Array:
        """The node's buffer as an array."""
        number, offset = self.place(node)
        if number < len(memory.arrays):
            return memory.arrays[number]
        part = memory.arena[offset : offset + _bytes(node)].view(dtype_of(node))
        return part.reshape(sizes(node.shape))


# The tables with a memory that holds Variables' values, by their ids.
_with_states: dict[int, weakref.ref[MemoryPlan]] = {}


def release_states(version: object = ()) -> None:
    """Drops the Variables' values that idle memories hold, except those of this version of the
    state.

    Else each program that has run would hold the values from the time of its last run, and a lease
    would have to copy the arrays.
    """
    for key in list(_with_states):
        reference = _with_states.pop(key, None)
        table = None if reference is None else reference()
        if reference is not None and table is not None and not table.let_go_states(version):
            _with_states.setdefault(key, reference)


def _checks(schedule: Schedule, buffers: dict[Any, int]) -> list[tuple[int, Bounds]]:
    """(slot, bounds) of the fed integers that native kernels use as indices or exponents."""
    native = [one.kernel for one in schedule.kernels if one.kernel.is_native]
    checks: list[tuple[int, Bounds]] = []
    for node in dict.fromkeys(node for kernel in native for node in kernel.nodes):
        for check in checks_of(node):
            base = fed(check.x, schedule.views)
            if base is not None:
                checks.append((buffers[base], check))
    return checks


def _live_ranges(
    schedule: Schedule, nodes: list[Node], roots: set[Node]
) -> list[tuple[Any, LiveRange]]:
    """The live range of each value and each workspace, in stages."""
    views = schedule.views
    first = {node: schedule.producer[node].stage for node in nodes}
    last = {node: len(schedule.stages) if node in roots else first[node] for node in nodes}
    workspaces: dict[Kernel, LiveRange] = {}
    for one in schedule.kernels:
        kernel, stage = one.kernel, one.stage
        for node in kernel.nodes:
            base = views[node].base if node in views else node
            if base in first:  # an unfinished reduction, or a piece of a join, is written there
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
    values: list[tuple[Any, LiveRange]] = [
        (node, LiveRange(first[node], last[node], max(_bytes(node), 1))) for node in nodes
    ]
    return [*values, *workspaces.items()]


def _bytes(node: Node) -> int:
    return size(node.shape) * dtype_of(node).itemsize
