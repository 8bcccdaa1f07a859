"""A compiled Program: stretches of native code, with NumPy between them where it must be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir

from ...dtypes import Array
from ...graph.kinds import Custom
from ...graph.node import Node
from ...graph.operation import Operation
from ...maths import numpy_maths
from ...passes.program import Program
from ...shapes import sizes, text
from ..base import Executable, sealed
from .elementwise import Loop
from .loops import integer, nest, read, write
from .schedule import Copy, Fallback, Unit, scheduled
from .slots import Memory, Slots
from .target import Library
from .views import View, row_major

_POINTER = ir.IntType(8).as_pointer()


class NativeExecutable(Executable):
    """Runs a Program as machine code; what can't be compiled runs through NumPy in between."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.schedule = scheduled(program)
        self._slots = Slots(program, self.schedule)
        self._stretches = _stretches(self.schedule.units)
        text = self._emitted()
        self.library = Library(text) if text else None
        self._calls: list[Any] = [
            self.library.function(f"stretch_{number}")
            if self.library and not isinstance(units[0], Fallback)
            else units[0]
            for number, units in enumerate(self._stretches)
        ]
        self._outputs = [self._handed_out(node) for node in program.outputs]
        self._values = [self._handed_out(node) for _, node in program.updates]

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
                number, offset = self._slots.place(node)
                with builder.goto_entry_block():
                    start = builder.load(builder.gep(table, [integer(number)]))
                    pointers[node] = builder.gep(start, [integer(offset)]) if offset else start
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
        memory = self._slots.taken()
        self._slots.fill(memory, feeds, states)
        for call in self._calls:
            if isinstance(call, Fallback):
                self._fall_back(call.node, memory)
            else:
                call(memory.address)
        outputs = [self._result(one, memory) for one in self._outputs]
        values = [self._result(one, memory) for one in self._values]
        self._slots.give_back(memory)
        return outputs, values

    def _handed_out(self, node: Node) -> tuple[Node, int | None, tuple[int, ...]]:
        """(node, the slot of memory that is made for it in each run, its shape)."""
        view = self.schedule.views.get(node)
        fresh = view is not None and view.plain and self._slots.is_fresh(view.base)
        slot = self._slots.place(view.base)[0] if fresh and view is not None else None
        return node, slot, sizes(node.shape)

    def _result(self, one: tuple[Node, int | None, tuple[int, ...]], memory: Memory) -> Array:
        node, slot, shape = one
        if slot is None:
            return sealed(self._array(node, memory), copy=True)
        array = memory.arrays[slot]
        return sealed(array if array.shape == shape else array.reshape(shape))

    def _array(self, node: Node, memory: Memory) -> Any:
        view = self.schedule.views.get(node)
        if view is None:  # several outputs, made by NumPy
            return memory.loose[node]
        return _seen(self._slots.buffer(view.base, memory), view)

    @np.errstate(all="ignore")
    def _fall_back(self, node: Operation, memory: Memory) -> None:
        inputs = [self._array(x, memory) for x in node.inputs]
        if isinstance(node, Custom):
            result = node._evaluate([sealed(value.view()) for value in inputs])
        else:
            result = node.f(numpy_maths, *inputs, **node.attributes)
        if isinstance(result, (tuple, list)):
            memory.loose[node] = [_apart(one, inputs) for one in result]
            return
        number, _ = self._slots.place(node)
        memory.point(number, _apart(result, inputs).reshape(sizes(node.shape)))


def _apart(result: Any, inputs: list[Any]) -> Array:
    """`result` in memory of its own: an input's is written over when nobody needs it any more."""
    array = np.ascontiguousarray(result)
    parts = [part for x in inputs for part in (x if isinstance(x, (tuple, list)) else [x])]
    return array.copy() if any(np.may_share_memory(array, part) for part in parts) else array


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
