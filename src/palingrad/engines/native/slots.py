"""Slots: the table of pointers that generated code gets, and the memory behind it."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import Array
from ...graph.leaves import Constant
from ...graph.node import Node
from ...passes.program import Program
from ...shapes import size, sizes
from .elementwise import Loop, dtype_of
from .memory import Span, planned
from .schedule import Fallback, Schedule


class Memory:
    """What one run needs: the table, the arena, and the arrays that the table points to."""

    def __init__(self, arena: Array, fixed: dict[int, Array], count: int) -> None:
        self.arena = arena
        self.arrays: list[Any] = [None] * count
        self.table = (ctypes.c_void_p * (count + 1))()
        self.address = ctypes.addressof(self.table)
        self.loose: dict[Node, Any] = {}  # results of NumPy that are several arrays
        self.table[count] = arena.ctypes.data
        for number, array in fixed.items():
            self.point(number, array)

    def point(self, number: int, array: Array) -> None:
        """Let a slot be this array, which generated code can read as it lies."""
        flags = array.flags
        if not (flags.c_contiguous and flags.aligned):
            array = np.require(array, requirements=["C", "A"])
        self.arrays[number] = array
        self.table[number] = array.__array_interface__["data"][0]


class Slots:
    """Which slot each buffer has: feeds and states, constants, results; all else is in the arena,
    the last slot."""

    def __init__(self, program: Program, schedule: Schedule) -> None:
        given: list[Node] = [*program.feeds, *program.reads]
        fixed = [node for node in program.order if isinstance(node, Constant)]
        made = [node for node in schedule.maker if _has_buffer(node, schedule)]
        roots = {schedule.views[x].base for x in program.roots if x in schedule.views}
        by_numpy = {unit.node for unit in schedule.units if isinstance(unit, Fallback)}
        native = [node for node in made if node not in by_numpy]
        results = [node for node in native if node in roots]
        inner = [node for node in native if node not in roots]
        loose = [node for node in made if node in by_numpy]
        places = dict.fromkeys((*given, *fixed, *results, *loose))
        self._number = {node: number for number, node in enumerate(places)}
        self._given = len(given)
        self._fixed = {self._number[node]: node.numpy() for node in fixed}
        self._results = [(self._number[x], sizes(x.shape), dtype_of(x)) for x in results]
        self._fresh = set(results)
        offsets, self.arena_bytes = planned(_lives(schedule, inner))
        self._offset = dict(zip(inner, offsets, strict=True))
        self._idle: list[Memory] = []

    def place(self, node: Node) -> tuple[int, int]:
        """(slot, offset in bytes) of the node's buffer."""
        if node in self._offset:
            return len(self._number), self._offset[node]
        return self._number[node], 0

    def is_fresh(self, node: Node) -> bool:
        """Whether the node's memory is made for each run and may be handed out."""
        return node in self._fresh

    def taken(self) -> Memory:
        """Memory for one run: used before and idle now, or new."""
        try:
            return self._idle.pop()
        except IndexError:
            room = np.empty(self.arena_bytes + 64, np.uint8)
            start = -room.ctypes.data % 64
            arena = room[start : start + self.arena_bytes]
            return Memory(arena, self._fixed, len(self._number))

    def give_back(self, memory: Memory) -> None:
        """Keep the arena for the next run, and let go of what this one was given and made."""
        memory.loose.clear()
        for number in range(self._given):
            memory.arrays[number] = None
        for number, _, _ in self._results:
            memory.arrays[number] = None
        self._idle.append(memory)

    def fill(self, memory: Memory, feeds: Sequence[Array], states: Sequence[Array]) -> None:
        """Point the table to what is given, and to new memory for results."""
        point = memory.point
        number = 0
        for array in feeds:
            point(number, array)
            number += 1
        for array in states:
            point(number, array)
            number += 1
        for number, shape, dtype in self._results:
            point(number, np.empty(shape, dtype))

    def buffer(self, node: Node, memory: Memory) -> Array:
        """The node's buffer as an array."""
        number, offset = self.place(node)
        if number < len(memory.arrays):
            return memory.arrays[number]
        part = memory.arena[offset : offset + _bytes(node)].view(dtype_of(node))
        return part.reshape(sizes(node.shape))


def _has_buffer(node: Node, schedule: Schedule) -> bool:
    """Whether the node's value is in memory: those that live in registers alone aren't."""
    unit = schedule.units[schedule.maker[node]]
    kept = not isinstance(unit, Loop) or node in set(unit.kept)
    return kept and node in schedule.views


def _lives(schedule: Schedule, nodes: list[Node]) -> list[Span]:
    """From which unit to which each value is needed."""
    last = {node: schedule.maker[node] for node in nodes}
    for node, place in schedule.maker.items():
        for x in node.inputs:
            view = schedule.views.get(x)
            if view is not None and view.base in last:
                last[view.base] = max(last[view.base], place)
    return [Span(schedule.maker[node], last[node], max(_bytes(node), 1)) for node in nodes]


def _bytes(node: Node) -> int:
    return size(node.shape) * dtype_of(node).itemsize
