"""A compiled Program: stretches of native code, with NumPy between them where it must be."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir

from ...dtypes import Array
from ...graph.kinds import Custom
from ...graph.leaves import Constant
from ...graph.node import Node
from ...graph.operation import Operation
from ...maths import numpy_maths
from ...passes.program import Program
from ...shapes import size, sizes, text
from ..base import Executable, sealed
from .elementwise import Loop, dtype_of
from .loops import integer, nest, read, write
from .memory import Span, planned
from .schedule import Copy, Fallback, Schedule, Unit, scheduled
from .target import Library
from .views import View, row_major

_POINTER = ir.IntType(8).as_pointer()


class NativeExecutable(Executable):
    """Runs a Program as machine code; what can't be compiled runs through NumPy in between."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.schedule = scheduled(program)
        self._slots = _Slots(program, self.schedule)
        self._stretches = _stretches(self.schedule.units)
        text = self._emitted()
        self.library = Library(text) if text else None
        self._calls: list[Any] = [
            self.library.function(f"stretch_{number}")
            if self.library and not isinstance(units[0], Fallback)
            else units[0]
            for number, units in enumerate(self._stretches)
        ]
        self._arenas: list[Array] = []

    def _emitted(self) -> str:
        """The module's code: one function for each native stretch."""
        module = ir.Module("program")
        any_native = False
        for number, units in enumerate(self._stretches):
            if isinstance(units[0], Fallback):
                continue
            any_native = True
            signature = ir.FunctionType(ir.VoidType(), [_POINTER.as_pointer()])
            function = ir.Function(module, signature, f"stretch_{number}")
            for place, unit in enumerate(units):
                body = ir.Function(module, signature, f"unit_{number}_{place}")
                body.linkage = "internal"
                self._emit_unit(ir.IRBuilder(body.append_basic_block("entry")), unit)
            builder = ir.IRBuilder(function.append_basic_block("entry"))
            for place in range(len(units)):
                builder.call(module.globals[f"unit_{number}_{place}"], function.args)
            builder.ret_void()
        return str(module) if any_native else ""

    def _emit_unit(self, builder: Any, unit: Unit) -> None:
        table = builder.function.args[0]
        pointers: dict[Node, Any] = {}

        def pointer(node: Node) -> Any:
            if node not in pointers:
                with builder.goto_entry_block():
                    slot = builder.gep(table, [integer(self._slots.number[node])])
                    pointers[node] = builder.load(slot)
            return pointers[node]

        if isinstance(unit, Copy):
            _emit_copy(builder, unit, pointer, self.schedule.views)
        else:
            assert not isinstance(unit, Fallback)
            unit.emit(builder, pointer, self.schedule.views)
        builder.ret_void()

    def explain(self) -> str:
        """The units in order: what was fused into each, and what falls back to NumPy."""
        lines = [
            f"native: {len(self.schedule.units)} units in {len(self._stretches)} stretches, "
            f"{self._slots.arena_bytes:,} bytes for intermediate values"
        ]
        for unit in self.schedule.units:
            nodes = unit.nodes if isinstance(unit, Loop) else [unit.node]
            names = ", ".join(node.label() for node in nodes)
            lines.append(f"{type(unit).__name__.lower():<10} {text(nodes[-1].shape)} {names}")
        return "\n".join(lines)

    # ---------------------------------------------------------------- running

    def compute(
        self, feeds: Sequence[Array], states: Sequence[Array]
    ) -> tuple[list[Array], list[Array]]:
        slots = self._slots
        try:
            arena = self._arenas.pop()
        except IndexError:
            arena = slots.new_arena()
        table = (ctypes.c_void_p * len(slots.number))()
        held: dict[Node, Any] = slots.filled(table, arena, feeds, states)
        for call in self._calls:
            if isinstance(call, Fallback):
                self._fall_back(call.node, table, held)
            else:
                call(ctypes.addressof(table))
        outputs = [self._result(node, held, slots.outside) for node in self.program.outputs]
        values = [self._result(node, held, slots.outside) for _, node in self.program.updates]
        self._arenas.append(arena)
        return outputs, values

    def _array(self, node: Node, held: dict[Node, Any]) -> Any:
        view = self.schedule.views.get(node)
        if view is None:  # several outputs, made by NumPy
            return held[node]
        return _seen(held[view.base], view)

    @np.errstate(all="ignore")
    def _fall_back(self, node: Operation, table: Any, held: dict[Node, Any]) -> None:
        inputs = [self._array(x, held) for x in node.inputs]
        if isinstance(node, Custom):
            result = node._evaluate([sealed(value.view()) for value in inputs])
        else:
            result = node.f(numpy_maths, *inputs, **node.attributes)
        if isinstance(result, (tuple, list)):
            held[node] = result
            return
        held[node] = array = np.ascontiguousarray(result).reshape(sizes(node.shape))
        number = self._slots.number.get(node)
        if number is not None:
            table[number] = array.ctypes.data

    def _result(self, node: Node, held: dict[Node, Any], outside: set[Node]) -> Array:
        array = self._array(node, held)
        view = self.schedule.views.get(node)
        own = view is not None and view.plain and view.base not in outside
        fresh = own and view is not None and self._slots.is_fresh(view.base)
        return sealed(array, copy=not fresh)


def _stretches(units: list[Unit]) -> list[list[Unit]]:
    """Neighbouring native units together, each fallback alone."""
    found: list[list[Unit]] = []
    for unit in units:
        if not isinstance(unit, Fallback) and found and not isinstance(found[-1][0], Fallback):
            found[-1].append(unit)
        else:
            found.append([unit])
    return found


def _seen(array: Array, view: View) -> Array:
    """The elements of a buffer that a view shows."""
    if view.plain:
        return array.reshape(view.shape)
    flat = array.reshape(-1)
    strides = [step * array.itemsize for step in view.strides]
    start = flat[view.offset :] if 0 not in view.shape else flat
    return np.lib.stride_tricks.as_strided(start, view.shape, strides, writeable=False)


def _emit_copy(builder: Any, unit: Copy, pointer: Any, views: dict[Node, View]) -> None:
    x = views[unit.node.inputs[0]]
    dtype: Any = unit.node.dtype
    source, to = pointer(x.base), pointer(unit.node)

    def one(places: list[Any]) -> None:
        write(builder, to, read(builder, source, dtype, places[0], 1, 1), places[1])

    if 0 not in x.shape:
        steps = [x.strides, row_major(x.shape)]
        nest(builder, x.shape, steps, [integer(x.offset), integer(0)], one)


class _Slots:
    """The table of pointers: which buffer has which number, and where its memory comes from."""

    def __init__(self, program: Program, schedule: Schedule) -> None:
        self.program = program
        given = [*program.feeds, *program.reads]
        fixed = [node for node in program.order if isinstance(node, Constant)]
        made = [node for node in schedule.maker if node in schedule.views and _kept(node, schedule)]
        roots = {schedule.views[x].base for x in program.roots if x in schedule.views}
        self.number = {
            node: number for number, node in enumerate(dict.fromkeys((*given, *fixed, *made)))
        }
        self.outside: set[Node] = {*given, *fixed}
        by_numpy = {unit.node for unit in schedule.units if isinstance(unit, Fallback)}
        self._fixed = [(self.number[node], node, node.numpy()) for node in fixed]
        native = [node for node in made if node not in by_numpy]
        self._results = [node for node in native if node in roots]
        inner = [node for node in native if node not in roots]
        lives = _lives(schedule, inner)
        offsets, self.arena_bytes = planned(lives)
        self._inner = list(zip(inner, offsets, strict=True))
        self._fresh = set(self._results)

    def new_arena(self) -> Array:
        """Memory for one run's intermediate values."""
        room = np.empty(self.arena_bytes + 64, np.uint8)
        start = -room.ctypes.data % 64
        return room[start : start + self.arena_bytes]

    def is_fresh(self, node: Node) -> bool:
        """Whether the node's memory is made for each run and handed out."""
        return node in self._fresh

    def filled(
        self, table: Any, arena: Array, feeds: Sequence[Array], states: Sequence[Array]
    ) -> dict[Node, Any]:
        """Point the table to all buffers; the result keeps their memory alive."""
        held: dict[Node, Any] = {}
        given = zip((*self.program.feeds, *self.program.reads), (*feeds, *states), strict=True)
        for node, array in given:
            held[node] = array = np.require(array, requirements=["C", "A"])
            table[self.number[node]] = array.ctypes.data
        for number, node, array in self._fixed:
            held[node] = array = np.require(array, requirements=["C", "A"])
            table[number] = array.ctypes.data
        for node in self._results:
            held[node] = array = np.empty(sizes(node.shape), node.dtype)
            table[self.number[node]] = array.ctypes.data
        start = arena.ctypes.data
        for node, offset in self._inner:
            part = arena[offset : offset + _bytes(node)].view(dtype_of(node))
            held[node] = part.reshape(sizes(node.shape))
            table[self.number[node]] = start + offset
        return held


def _kept(node: Node, schedule: Schedule) -> bool:
    """Whether the node has a buffer: values that live in registers alone have none."""
    unit = schedule.units[schedule.maker[node]]
    return not isinstance(unit, Loop) or node in set(unit.kept)


def _lives(schedule: Schedule, nodes: list[Node]) -> list[Span]:
    last = {node: schedule.maker[node] for node in nodes}
    for node, place in schedule.maker.items():
        for x in node.inputs:
            view = schedule.views.get(x)
            if view is not None and view.base in last:
                last[view.base] = max(last[view.base], place)
    return [Span(schedule.maker[node], last[node], max(_bytes(node), 1)) for node in nodes]


def _bytes(node: Node) -> int:
    return size(node.shape) * dtype_of(node).itemsize
