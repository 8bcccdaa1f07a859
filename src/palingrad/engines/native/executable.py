"""A compiled Program: segments of machine code, and between them operations computed by NumPy."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable, Collection, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from ...dtypes import Array
from ...graph.context import quiet_here
from ...graph.state.landing import ChangedError, Unchanged, snapshot, state
from ...passes.program import Program
from ..base import Executable, Run, sealed
from ..threads import get_num_threads
from .control.errors import control_error, raise_error_of_signal
from .control.signals import INTERRUPTED
from .fallback_calls import Fallbacks, reader
from .kernels.bounds_check import FAILED
from .kernels.library.call import failure
from .llvm.parts import Compiler
from .llvm.target import Library, packed
from .module import Module, is_native, segments
from .native_loops import StepFailed
from .plan.lower import lowered
from .plan.schedule import Schedule, ScheduledKernel, scheduled
from .quick_run import quick_run
from .report import explained
from .run_plan import Output, RunPlan
from .runtime.buffers import BufferTable, Memory
from .runtime.cache import obtained
from .runtime.cache_key import program_key
from .runtime.kernel_store import KernelStore
from .runtime.lease import Lease
from .runtime.lease_words import PREPARED, REFUSED, WORDS
from .runtime.thread_pool import pool

_RUN = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)
TIMES = 3  # the word of a block that holds the number of repetitions
_CALL_SECONDS = 0.01  # of one call in `repeat`
_SEGMENT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)


class NativeExecutable(Executable):
    """Runs a Program as machine code; NumPy computes the operations that can't be compiled."""

    is_body = False  # whether it takes the steps of a loop, in which errors are found one by one

    def __init__(self, program: Program, schedule: Schedule | None = None) -> None:
        """`program` has been lowered if its schedule is given."""
        if schedule is None:
            program = lowered(program)
            schedule = scheduled(program)
        super().__init__(program)
        self.schedule = schedule
        self.buffers = buffers = BufferTable(program, schedule)
        machine = obtained(lambda: program_key(program, schedule, buffers), self._code)
        self.from_cache, self.unkept, self.key = machine.found, machine.unkept, machine.key
        self._fallbacks = Fallbacks(schedule, buffers)
        self._load(machine.code, RunPlan.of(program, schedule, buffers, self._fallbacks))
        parts = segments(schedule)
        calls = [self._part(number, segment) for number, segment in enumerate(parts)]
        self._rest = calls[self.plan.starts :]
        # Whether the library's own operations are all that NumPy computes.
        self._quiet = all(x._shipped for one in schedule.kernels for x in one.kernel.nodes)
        self._quick = self._shortest()

    def _load(self, code: bytes, plan: RunPlan) -> None:
        """Sets what runs need, given the buffers and the Variables."""
        self.plan = plan
        self.library = Library(code, plan.functions)
        self._run = _RUN(self.library.address("run"))
        self._rest: list[Callable[[Memory], bool | None]] = []  # what follows the first segments
        self._alone = plan.alone
        self._lease: Lease | None = None
        if plan.in_place:
            changing = set(self._updated)
            self._only_read = [variable for variable in self._reads if variable not in changing]
            recalled = _RUN(self.library.address("recalled"))
            self._lease = Lease(self._updated, self.library, recalled)
            self._first_leased = plan.feeds + len(self._only_read)
            self._at_once = 1  # runs of `repeat` in one call
        self._outputs, self._values = plan.outputs, plan.values
        self._result_slots = range(self.buffers.given, self.buffers.objects)
        # Whether every output has an array of its own, which is returned without a copy.
        self._simple = all(output.slot is not None for output in self._outputs)

    def _shortest(self) -> Run | None:
        """The shortest way through a run, where the program updates no Variable."""
        if self._updated or not self._simple:
            return None
        itself = weakref.ref(self)  # for a run, which is a call of it, so that it exists

        def call(memory: Memory, given: Sequence[Array]) -> None:
            executable = itself()
            assert executable is not None
            executable._call(memory, given)

        handing: Any = [output[1:] for output in self._outputs]
        return quick_run(
            self.buffers, self._reads, handing, self._run, call,
            is_alone=self._alone, has_more=bool(self._rest),
        )  # fmt: skip

    def _code(self) -> bytes:
        """The program's machine code, compiled now."""
        native = [one for stage in self.schedule.stages if is_native(stage) for one in stage]
        what = f"{len(native):,} kernels"
        with KernelStore() as store, Compiler(get_num_threads(), what, store) as compiler:
            Module(self.schedule, self.buffers, compiler)
            return packed(compiler.code())

    def emitted(self) -> str:
        """The program's LLVM IR."""
        return str(Module(self.schedule, self.buffers))

    @property
    def table(self) -> BufferTable:
        """Where the value of each node is in a run's memory."""
        return self.buffers

    def explain(self) -> str:
        return explained(self.program, self.schedule, self.buffers, self.from_cache, self.unkept)

    # ---------------------------------------------------------------- running

    def __call__(self, feeds: Sequence[Array]) -> list[Array]:
        if self._lease is not None:
            return self._in_place(feeds)
        return super().__call__(feeds) if self._quick is None else self._quick(feeds)

    @property
    def shortest(self) -> Run:
        if self._lease is not None:
            return self._in_place
        return super().shortest if self._quick is None else self._quick

    def repeat(
        self, feeds: Sequence[Array], times: int, along: Collection[int] = ()
    ) -> list[Array]:
        are_results = all(output.slot in self._result_slots for output in self._outputs)
        if self._lease is None or not are_results or times < 2 or self.plan.is_single:
            return super().repeat(feeds, times, along)
        return self._repeated(feeds, times, along)

    def under(self, condition: Unchanged, feeds: Sequence[Array]) -> list[Array] | None:
        if self._lease is None:
            return super().under(condition, feeds)
        try:
            return self._in_place(feeds, condition)
        except ChangedError:
            return None

    def _in_place(self, feeds: Sequence[Array], condition: Unchanged | None = None) -> list[Array]:
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
        # After the memory was taken: another run may have prepared it for a lease of its own.
        if condition is not None and not condition.holds():
            buffers.idle.append(memory)
            raise ChangedError
        buffers.results_for(memory)
        if not self._simple:
            given = [*feeds, *memory.states]
            memory.arrays[: len(given)] = given
        if not self._alone:
            memory.use_pool(pool())
        if self._run(memory.block_address):
            self._call(memory, [*feeds, *memory.states], condition)
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

    def _take(self, memory: Memory, condition: Unchanged | None) -> None:
        """Puts the leased arrays in their slots. The lease refers to them, and the memory doesn't:
        machine code reads them only during that lease."""
        assert self._lease is not None
        number, arrays = self._lease.take(memory.block[PREPARED], condition)
        for slot, array in enumerate(arrays, self._first_leased):
            memory.objects[slot] = id(array)
        memory.block[PREPARED] = number

    def _repeated(self, feeds: Sequence[Array], times: int, along: Collection[int]) -> list[Array]:
        """`times` runs in place; within a call, the pointers advance along stacked feeds and
        results. A call takes about `_CALL_SECONDS`, so that an interrupt needn't wait for long."""
        for slot, check in self.buffers.checks:  # before the first run changes anything
            if slot in along and feeds[slot].size:
                least, most = int(feeds[slot].min()), int(feeds[slot].max())
                if not check.allow(least, most):
                    raise check.error(least, most)
        idle, first = self.buffers.idle, self.buffers.given
        try:
            memory = idle.pop()
        except IndexError:
            memory = self._memory()
        moves, objects = memory.moves, memory.objects
        # What is computed for an update alone is overwritten by each run.
        returned = {output.slot for output in self._outputs}
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
            for _, slot, shape, _ in self._outputs
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

    def _call(
        self, memory: Memory, given: Sequence[Array], condition: Unchanged | None = None
    ) -> None:
        """One run. `given` are the arrays of feeds and Variables, which `memory` already holds."""
        if self.plan.is_single:
            raise_error_of_signal(memory)  # that a first attempt was ended with
        if not self._alone:
            memory.use_pool(pool())
        while bad := self._run(memory.block_address):
            if bad == REFUSED:
                self._take(memory, condition)
                continue
            if bad < 0:
                raise self._refused(-bad - 1, given, memory)
            array = np.require(given[bad - 1], requirements=["C", "A"])
            memory.has_copies = True
            memory.arrays[bad - 1] = array
            memory.objects[bad - 1] = id(array)
            place = bad - 1 - len(given) + len(memory.states)
            if place >= 0:  # a Variable's value, whose address stays for later runs
                memory.states[place] = array
        if self._rest:
            self._complete(memory, given)

    def _complete(self, memory: Memory, given: Sequence[Array]) -> None:
        """The run after its first segments."""
        if self._quiet:
            try:
                quiet_here.run(self._complete_loudly, memory, given)
                return
            except RuntimeError as error:
                if "cannot enter context" not in str(error):
                    raise
        with np.errstate(all="ignore"):  # re-entered, for example by a signal handler
            self._complete_loudly(memory, given)

    def _complete_loudly(self, memory: Memory, given: Sequence[Array]) -> None:
        """The same, with NumPy's warnings as they are."""
        for call in self._rest:
            if call(memory) and self.buffers.diagnostics(FAILED, memory)[0]:
                raise self._refused(self.buffers.objects, given, memory)

    def _part(
        self, number: int, segment: list[list[ScheduledKernel]]
    ) -> Callable[[Memory], bool | None]:
        """The function that computes a segment in the memory of a run; it returns whether a bounds
        check may have failed."""
        if not is_native(segment[0]):
            (node,) = segment[0][0].kernel.nodes
            return self._fallbacks.call(node)
        run = _SEGMENT(self.library.address(f"segment_{number}"))
        may_fail = self.buffers.may_fail

        def compute(memory: Memory) -> bool:
            run(memory.address, memory.block[1] or None)
            return may_fail

        return compute

    def _refused(self, number: int, given: Sequence[Array], memory: Memory) -> BaseException:
        """The error of out-of-range integers in array `number`; if there is no array of that
        number, of computed integers."""
        computed = number >= self.buffers.objects
        if computed and self.buffers.diagnostics(FAILED, memory)[0] >= INTERRUPTED:
            return control_error(self, given, memory)
        if self.is_body:
            return StepFailed()
        if not computed:
            least, most = int(given[number].min()), int(given[number].max())
            ranges = [(check, least, most) for slot, check in self.buffers.checks if slot == number]
        else:
            error = failure(self.buffers.diagnostics(FAILED, memory)[0])
            if error is not None:
                return error
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

    def _result(self, output: Output, memory: Memory) -> Array:
        node, slot, shape, whole = output
        if slot is None:
            assert node is not None
            value = reader(node, self.schedule, self.buffers)(memory)
            return sealed(value, copy=True)
        array = memory.arrays[slot]
        return array if whole else array.reshape(shape)
