"""A compiled Program: segments of machine code, and between them operations computed by NumPy."""

from __future__ import annotations

import ctypes
from collections.abc import Collection, Sequence
from sys import getrefcount
from time import perf_counter
from typing import Any

import numpy as np

from ...dtypes import Array
from ...graph.node import Node
from ...graph.operation import Operation
from ...graph.state.landing import snapshot, state
from ...graph.traversal.verify import checked_result
from ...maths import numpy_maths
from ...passes.program import Program
from ...shapes import sizes
from ..base import Executable, sealed
from .kernels.bounds_check import FAILED
from .llvm.strided_view import View
from .llvm.target import Library, machine_code
from .module import Module, is_native, segments
from .plan.lower import lowered
from .plan.schedule import is_serial, scheduled
from .report import explained
from .runtime.buffers import HELD, BufferTable, Memory
from .runtime.cache import obtained
from .runtime.cache_key import program_key
from .runtime.lease import Lease
from .runtime.lease_words import PREPARED, REFUSED, WORDS
from .runtime.thread_pool import pool

_RUN = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)
TIMES = 3  # the word of a block that holds the number of repetitions
_CALL_SECONDS = 0.01  # of one call in `repeat`
_SEGMENT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)


class NativeExecutable(Executable):
    """Runs a Program as machine code; NumPy computes the operations that can't be compiled."""

    def __init__(self, program: Program) -> None:
        program = lowered(program)
        super().__init__(program)
        self.schedule = scheduled(program)
        self.buffers = BufferTable(program, self.schedule)
        machine = obtained(
            lambda: program_key(program, self.schedule, self.buffers),
            lambda: machine_code(self.emitted()),
        )
        self.from_cache, self.unkept = machine.found, machine.unkept
        self.library = Library(machine.code)
        self._run = _RUN(self.library.address("run"))
        parts = segments(self.schedule)
        self._calls: list[Any] = [
            _SEGMENT(self.library.address(f"segment_{number}"))
            if is_native(segment[0])
            else segment[0][0].kernel.fused.first
            for number, segment in enumerate(parts)
        ]
        native = [call for call in self._calls if not isinstance(call, Operation)]
        self._rest = self._calls[1:] if native and self._calls[0] is native[0] else self._calls
        self._alone = all(is_serial(stage) for stage in self.schedule.stages if is_native(stage))
        self._lease: Lease | None = None
        if self.schedule.updates is not None:
            changing = set(self._updated)
            self._only_read = [variable for variable in self._reads if variable not in changing]
            recalled = _RUN(self.library.address("recalled"))
            self._lease = Lease(self._updated, self.library, recalled)
            self._first_leased = len(program.feeds) + len(self._only_read)
            self._at_once = 1  # runs of `repeat` in one call
        self._outputs = [self._handed_out(node) for node in program.outputs]
        self._values = [self._handed_out(node) for _, node in program.updates]
        self._result_slots = range(len(self.buffers.given), self.buffers.objects)
        # Whether every output has an array of its own, which is returned without a copy.
        self._simple = all(slot is not None for _, slot, _ in self._outputs)
        shapes = dict(
            enumerate((shape for shape, _ in self.buffers.results), len(self.buffers.given))
        )
        self._handing: list[Any] = [
            (slot, shape, shapes.get(slot) == shape)
            for _, slot, shape in self._outputs
            if slot is not None
        ]

    def emitted(self) -> str:
        """The program's LLVM IR."""
        return str(Module(self.schedule, self.buffers))

    def explain(self) -> str:
        return explained(self.program, self.schedule, self.buffers, self.from_cache, self.unkept)

    # ---------------------------------------------------------------- running

    def __call__(self, feeds: Sequence[Array]) -> list[Array]:
        if self._lease is not None:
            return self._in_place(feeds)
        if self._updated or self._rest or not self._simple:
            return super().__call__(feeds)
        # The fast path, written inline: a Python call takes as long as a small run.
        buffers = self.buffers
        try:
            memory = buffers.idle.pop()
        except IndexError:
            memory = Memory(buffers)
        objects, number = memory.objects, len(feeds)
        for place, array in enumerate(feeds):
            objects[place] = id(array)
        if self._reads and memory.version is not state.version:
            buffers.keep_states(memory, *snapshot(self._reads))
            for array in memory.states:
                objects[number] = id(array)
                number += 1
        arrays, array = memory.arrays, None
        for slot in self._result_slots:
            array = arrays[slot]
            if array is None or getrefcount(array) > HELD:
                buffers.results_for(memory)
                break
        del array  # its reference would count as a user's
        if not self._alone:
            memory.use_pool(pool())
        if self._run(memory.block_address):
            self._call(memory, [*feeds, *memory.states])
            buffers.let_go(memory)
        outputs = [
            arrays[slot] if same else arrays[slot].reshape(shape)
            for slot, shape, same in self._handing
        ]
        buffers.idle.append(memory)
        return outputs

    def repeat(
        self, feeds: Sequence[Array], times: int, along: Collection[int] = ()
    ) -> list[Array]:
        if self._lease is None or not self._simple or times < 2:
            return super().repeat(feeds, times, along)
        return self._repeated(feeds, times, along)

    def _in_place(self, feeds: Sequence[Array]) -> list[Array]:
        """One run that writes over the Variables' arrays, which this program leases."""
        buffers = self.buffers
        try:
            memory = buffers.idle.pop()
        except IndexError:
            memory = self._memory()
        objects, number = memory.objects, 0
        for array in feeds:
            objects[number] = id(array)
            number += 1
        if self._only_read and memory.version is not state.version:
            self._read_others(memory)
        buffers.results_for(memory)
        if not self._simple:
            given = [*feeds, *memory.states]
            memory.arrays[: len(given)] = given
        if not self._alone:
            memory.use_pool(pool())
        if self._run(memory.block_address):
            self._call(memory, [*feeds, *memory.states])
        outputs = [self._result(output, memory) for output in self._outputs]
        if self._rest or not self._simple or memory.has_copies:
            buffers.let_go(memory)
        buffers.idle.append(memory)
        return outputs

    def _memory(self) -> Memory:
        """New memory for runs in place."""
        assert self._lease is not None
        memory = Memory(self.buffers)
        memory.block[WORDS] = self._lease.address
        return memory

    def _read_others(self, memory: Memory) -> None:
        """Puts the arrays of the Variables that a run in place only reads in their slots."""
        self.buffers.keep_states(memory, *snapshot(self._only_read))
        first = self._first_leased - len(self._only_read)
        for number, array in enumerate(memory.states, first):
            memory.objects[number] = id(array)

    def _take(self, memory: Memory) -> None:
        """Puts the leased arrays in their slots. The lease refers to them, and the memory doesn't:
        machine code reads them only during that lease."""
        assert self._lease is not None
        number, arrays = self._lease.take(memory.block[PREPARED])
        for slot, array in enumerate(arrays, self._first_leased):
            memory.objects[slot] = id(array)
        memory.block[PREPARED] = number

    def _repeated(self, feeds: Sequence[Array], times: int, along: Collection[int]) -> list[Array]:
        """`times` runs in place; within a call, the pointers advance along stacked feeds and
        results. A call takes about `_CALL_SECONDS`, so that an interrupt needn't wait for long."""
        for slot, check in self.buffers.checks:  # before the first run changes anything
            if slot in along and feeds[slot].size:
                least, most = feeds[slot].min(), feeds[slot].max()
                if not check.allow(least, most):
                    raise check.error(least, most)
        idle, first = self.buffers.idle, len(self.buffers.given)
        try:
            memory = idle.pop()
        except IndexError:
            memory = self._memory()
        moves, objects = memory.moves, memory.objects
        # What is computed for an update alone is overwritten by each run.
        returned = {slot for _, slot, _ in self._outputs}
        stacks = [
            np.empty((times, *shape) if slot in returned else shape, dtype)
            for slot, (shape, dtype) in enumerate(self.buffers.results, first)
        ]
        for number in along:
            moves[number] = feeds[number].nbytes // times
        for number, stack in enumerate(stacks, first):
            moves[number] = stack.nbytes // times if number in returned else 0
        done = 0
        while done < times:
            count = min(self._at_once, times - done)
            part = slice(done, done + count)
            given = [feed[part] if n in along else feed for n, feed in enumerate(feeds)]
            results = [
                stack[part] if slot in returned else stack
                for slot, stack in enumerate(stacks, first)
            ]
            for number, array in enumerate(given):
                objects[number] = id(array)
            for number, array in enumerate(results, first):
                objects[number] = id(array)
            if self._only_read:
                self._read_others(memory)
            memory.block[TIMES] = count
            start = perf_counter()
            self._call(memory, [*given, *memory.states])
            seconds = max(perf_counter() - start, 1e-9)
            done += count
            self._at_once = max(min(int(count * _CALL_SECONDS / seconds), 8 * count), 1)
        memory.block[TIMES] = 1
        for number in range(len(moves)):
            moves[number] = 0
        memory.arrays[first : first + len(stacks)] = [None] * len(stacks)
        if memory.has_copies:
            self.buffers.let_go(memory)
        idle.append(memory)
        return [
            sealed(stacks[slot - first].reshape((times, *shape)))
            for _, slot, shape in self._outputs
            if slot is not None
        ]

    def compute(
        self, feeds: Sequence[Array], states: Sequence[Array]
    ) -> tuple[list[Array], list[Array]]:
        buffers = self.buffers
        memory = buffers.taken()
        given = [*feeds, *states]
        buffers.pin(memory, given, 0)
        buffers.results_for(memory)
        self._call(memory, given)
        outputs = [self._result(output, memory) for output in self._outputs]
        values = [self._result(value, memory) for value in self._values]
        buffers.let_go(memory)
        buffers.idle.append(memory)
        return outputs, values

    def _call(self, memory: Memory, given: Sequence[Array]) -> None:
        """One run. `given` are the arrays of feeds and Variables, which `memory` already holds."""
        if not self._alone:
            memory.use_pool(pool())
        while bad := self._run(memory.block_address):
            if bad == REFUSED:
                self._take(memory)
                continue
            if bad < 0:
                raise self._refused(-bad - 1, given, memory)
            array = np.require(given[bad - 1], requirements=["C", "A"])
            memory.has_copies = True
            memory.arrays[bad - 1] = array
            memory.objects[bad - 1] = id(array)
        for call in self._rest:
            if isinstance(call, Operation):
                self._fall_back(call, memory)
            else:
                call(memory.address, memory.block[1] or None)
                if self.buffers.bounds_checks and self.buffers.diagnostics(FAILED, memory)[0]:
                    raise self._refused(self.buffers.objects, given, memory)

    def _refused(self, number: int, given: Sequence[Array], memory: Memory) -> Exception:
        """The error of out-of-range integers in array `number`; if there is no array of that
        number, of computed integers."""
        if number < self.buffers.objects:
            least, most = given[number].min(), given[number].max()
            ranges = [(check, least, most) for slot, check in self.buffers.checks if slot == number]
        else:
            diagnostics = [
                (kernel.check, *self.buffers.diagnostics(kernel, memory))
                for kernel in self.buffers.bounds_checks
            ]
            ranges = [(check, least, most) for check, bad, least, most in diagnostics if bad]
        return next(
            check.error(least, most)
            for check, least, most in ranges
            if not check.allow(least, most)
        )

    def _handed_out(self, node: Node) -> tuple[Node, int | None, tuple[int, ...]]:
        """(node, the slot of its array if it is returned without a copy, its shape)."""
        view = self.schedule.views.get(node)
        fresh = view is not None and view.plain and self.buffers.is_fresh(view.base)
        slot = self.buffers.place(view.base)[0] if fresh and view is not None else None
        return node, slot, sizes(node.shape) if view is not None else ()

    def _result(self, output: tuple[Node, int | None, tuple[int, ...]], memory: Memory) -> Array:
        node, slot, shape = output
        if slot is None:
            return sealed(self._array(node, memory), copy=True)
        array = memory.arrays[slot]
        return array if array.shape == shape else array.reshape(shape)

    def _array(self, node: Node, memory: Memory) -> Any:
        view = self.schedule.views.get(node)
        if view is None:  # computed by NumPy: several outputs, or a dtype without native code
            return memory.tuple_results[node]
        return _seen(self.buffers.buffer(view.base, memory), view)

    @np.errstate(all="ignore")
    def _fall_back(self, node: Operation, memory: Memory) -> None:
        inputs = [self._array(x, memory) for x in node.inputs]
        if not node._shipped:
            result = checked_result(
                node, node._evaluate([sealed(value.view()) for value in inputs])
            )
        else:
            result = node.f(numpy_maths, *inputs, **node.attributes)
        if isinstance(result, (tuple, list)):
            memory.tuple_results[node] = [_apart(item, inputs) for item in result]
            return
        if node not in self.schedule.views:  # a dtype that generated code doesn't support
            memory.tuple_results[node] = _apart(result, inputs)
            return
        number, _ = self.buffers.place(node)
        memory.point(number, _apart(result, inputs).reshape(sizes(node.shape)))


def _apart(result: Any, inputs: list[Any]) -> Array:
    """`result` in memory of its own: an input's memory is reused when its live range has ended."""
    array = np.asarray(result, order="C")  # a scalar stays one
    parts = [part for x in inputs for part in (x if isinstance(x, (tuple, list)) else [x])]
    return array.copy() if any(np.may_share_memory(array, part) for part in parts) else array


def _seen(array: Array, view: View) -> Array:
    """The elements of a buffer that a view shows."""
    if view.plain:
        return array.reshape(view.shape)
    flat = array.reshape(-1)
    strides = [step * array.itemsize for step in view.strides]
    start = flat[view.offset :] if 0 not in view.shape else flat
    return np.lib.stride_tricks.as_strided(start, view.shape, strides, writeable=False)
