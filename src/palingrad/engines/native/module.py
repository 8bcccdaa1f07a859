"""Code generation: one LLVM module for a schedule, a function for each kernel and each segment.

A *segment* is a run of consecutive stages without a fallback, executed by one native call.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from ...dtypes import int64
from ...graph.declared.bounds import Bounds
from ...shapes import size
from .kernels.bounds_check import FAILED
from .kernels.formula import dtype_of
from .kernels.kernel import Kernel
from .llvm.builder import Builder
from .llvm.flush_denormals import flush_denormals
from .llvm.kernel_context import KERNEL, POINTER, KernelContext
from .llvm.loops import INT, integer, loop, read
from .plan.schedule import Schedule, ScheduledKernel, is_serial
from .runtime.array_fields import READABLE, array_layout
from .runtime.buffers import BufferTable
from .runtime.lease_words import emit_lease
from .runtime.thread_pool import SEGMENT, STAGES, emit_entry
from .runtime.work_stealing import emit_stage

_POOL = INT.as_pointer()


def segments(schedule: Schedule) -> list[list[list[ScheduledKernel]]]:
    """The segments, each a list of stages; a stage that NumPy computes is a segment of its own."""
    listed: list[list[list[ScheduledKernel]]] = []
    for stage in schedule.stages:
        if not (listed and is_native(stage) and is_native(listed[-1][0])):
            listed.append([stage])
        else:
            listed[-1].append(stage)
    return listed


def is_native(stage: list[ScheduledKernel]) -> bool:
    """Whether generated code computes the stage. A fallback is alone in its stage."""
    return stage[0].kernel.is_native


class Module:
    """The LLVM module of one program."""

    def __init__(self, schedule: Schedule, buffers: BufferTable) -> None:
        self.schedule, self.buffers = schedule, buffers
        self.module = ir.Module("program")
        self._kernels = {
            one: self._kernel(one.kernel, number)
            for number, one in enumerate(schedule.kernels)
            if one.items and one.kernel.is_native
        }
        _emit_prepare(self.module, buffers.objects, buffers.checks)
        names: list[str] = []
        for number, segment in enumerate(segments(schedule)):
            if is_native(segment[0]):
                self._segment(f"segment_{number}", segment)
                if number == 0:
                    names.append("segment_0")
        self._run(names)

    def __str__(self) -> str:
        return str(self.module)

    def _kernel(self, kernel: Kernel, number: int) -> ir.Function:
        name = f"{kernel.label.lower()}_{number}"
        function = ir.Function(self.module, KERNEL, name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        context = KernelContext(function, self.schedule.views, self.buffers.place)
        kernel.emit(context)
        context.builder.ret_void()
        return function

    def _call(self, b: Any, one: ScheduledKernel, table: Any, begin: Any, end: Any) -> None:
        """Calls the kernel on these items; a guarded kernel only if no bounds check has failed."""
        function = self._kernels[one]
        if not self._is_guarded(one.kernel):
            b.call(function, [table, begin, end])
            return
        with b.if_then(
            b.icmp_signed("==", b.load(self._diagnostics(b, table, FAILED)), integer(0))
        ):
            b.call(function, [table, begin, end])

    def _is_guarded(self, kernel: Kernel) -> bool:
        """Whether the kernel must not run after a bounds check has failed."""
        if not self.buffers.bounds_checks:
            return False
        updates = self.schedule.updates
        over = updates is not None and any(node in updates.alias for node in kernel.live_out)
        return over or kernel.is_guarded or kernel.overwrites is not None

    def _diagnostics(self, b: Any, table: Any, owner: Any) -> Any:
        """A pointer to the owner's diagnostics in the control block."""
        slot, offset = self.buffers.place(owner)
        control = b.load(b.gep(table, [integer(slot)]))
        return b.bitcast(b.gep(control, [integer(offset)]), INT.as_pointer())

    def _segment(self, name: str, segment: list[list[ScheduledKernel]]) -> None:
        """Emits `name`(table, pool), which runs the stages of a segment."""
        serial = all(is_serial(stage) for stage in segment)
        alone = ir.Function(self.module, SEGMENT, name if serial else f"{name}_alone")
        b: Any = Builder(alone.append_basic_block("entry"))
        with flush_denormals(b, self.schedule.trains):
            for kernel in (one for stage in segment for one in stage):
                self._call(b, kernel, alone.args[0], integer(0), integer(kernel.items))
        b.ret_void()
        if serial:
            return
        together = ir.Function(self.module, STAGES, f"{name}_together")
        b = Builder(together.append_basic_block("entry"))
        table, pool, thread = together.args
        before = 0
        with flush_denormals(b, self.schedule.trains):
            for stage in segment:
                before += self._stage(b, table, (pool, thread), stage, before)
        b.ret_void()
        emit_entry(self.module, name, together, alone)

    def _stage(
        self, b: Any, table: Any, member: tuple[Any, Any], stage: list[ScheduledKernel],
        before: int,
    ) -> int:  # fmt: skip
        """Emits a stage as one thread of the pool executes it; returns its number of chunks."""
        serial = is_serial(stage)
        chunks = [1] if serial else [kernel.chunks for kernel in stage]

        def work(number: int, chunk: Any) -> None:
            if serial:
                for kernel in stage:
                    self._call(b, kernel, table, integer(0), integer(kernel.items))
                return
            kernel = stage[number]
            items, count = integer(kernel.items), integer(kernel.chunks)
            begin = b.sdiv(b.mul(chunk, items), count)
            end = b.sdiv(b.mul(b.add(chunk, integer(1)), items), count)
            self._call(b, kernel, table, begin, end)

        emit_stage(b, *member, chunks, before, work)
        return sum(chunks)

    def _run(self, names: list[str]) -> None:
        """Emits run(block), which reads the arrays' pointers and runs the first segment, as often
        as the block says.

        The block: table, pool, objects, number of repetitions, and the bytes by which each array's
        pointer advances between them. Returns 0; n + 1 if array n is not contiguous or not aligned;
        or −n − 1 if array n holds an out-of-range integer, where n is the number of arrays if a
        bounds check found it among computed integers. A program that updates Variables in place
        refuses runs that don't hold its lease; see `emit_lease`.
        """
        leases = self.schedule.updates is not None
        kind = ir.FunctionType(INT, [INT.as_pointer()])
        run = ir.Function(self.module, kind, "run_held" if leases else "run")
        (block,) = run.args
        b: Any = Builder(run.append_basic_block("entry"))
        table, pool, objects, moves = (
            b.inttoptr(b.load(b.gep(block, [integer(number)])), llvm_type)
            for number, llvm_type in ((0, POINTER.as_pointer()), (1, _POOL), (2, _POOL), (4, _POOL))
        )
        times = b.load(b.gep(block, [integer(3)]))
        bad = b.call(self.module.globals["prepare"], [table, objects, times, moves])
        with b.if_then(b.icmp_signed("!=", bad, integer(0))):
            b.ret(bad)
        for owner in [FAILED, *self.buffers.bounds_checks] if self.buffers.bounds_checks else []:
            b.store(integer(0), self._diagnostics(b, table, owner))

        def once(segment: Any) -> None:
            b.call(segment, [table, pool])
            if self.buffers.bounds_checks:
                failed = b.load(self._diagnostics(b, table, FAILED))
                with b.if_then(b.icmp_signed("!=", failed, integer(0))):
                    b.ret(integer(-self.buffers.objects - 1))

        if names:
            segment = self.module.globals[names[0]]
            once(segment)
            words = b.bitcast(table, INT.as_pointer())
            with loop(b, integer(1), times):
                with loop(b, integer(0), integer(self.buffers.objects)) as number:
                    word = b.gep(words, [number])
                    move = b.load(b.gep(moves, [number]))
                    b.store(b.add(b.load(word), move), word)
                once(segment)
        b.ret(integer(0))
        if leases:
            run.linkage = "internal"
            emit_lease(self.module, run)


def _emit_prepare(module: ir.Module, count: int, checks: list[tuple[int, Bounds]]) -> None:
    """Emits prepare(table, objects, times, moves), which copies each array's data pointer from its
    NumPy structure to the table, and checks the bounds of fed integers.

    Returns 0, n + 1 if array n is not contiguous or not aligned, or −n − 1 if array n holds an
    out-of-range integer.
    """
    llvm_types = [POINTER.as_pointer(), _POOL, INT, _POOL]
    function = ir.Function(module, ir.FunctionType(INT, llvm_types), "prepare")
    table, objects, times, moves = function.args
    b: Any = Builder(function.append_basic_block("entry"))
    data, flags = array_layout()
    with loop(b, integer(0), integer(count)) as number:
        array = b.load(b.gep(objects, [number]))
        at = b.inttoptr(b.add(array, integer(flags)), ir.IntType(32).as_pointer())
        readable = ir.Constant(ir.IntType(32), READABLE)
        fine = b.icmp_signed("==", b.and_(b.load(at), readable), readable)
        with b.if_then(b.not_(fine)):
            b.ret(b.add(number, integer(1)))
        pointer = b.inttoptr(b.add(array, integer(data)), POINTER.as_pointer())
        b.store(b.load(pointer), b.gep(table, [number]))
    for slot, check in checks:
        dtype, many = dtype_of(check.x), size(check.x.shape)
        moving = b.icmp_signed("!=", b.load(b.gep(moves, [integer(slot)])), integer(0))
        total = b.mul(integer(many), b.select(moving, times, integer(1)))
        base = b.load(b.gep(table, [integer(slot)]))
        with loop(b, integer(0), total) as place:
            index = read(b, base, dtype, place, 1, 1).cast(int64).code
            bad = b.icmp_signed("<", index, integer(check.low))
            if check.high is not None:
                bad = b.or_(bad, b.icmp_signed(">=", index, integer(check.high)))
            with b.if_then(bad):
                b.ret(integer(-slot - 1))
    b.ret(integer(0))
