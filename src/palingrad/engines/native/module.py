"""Code generation: one LLVM module for a schedule, a function for each distinct kernel and for each
segment.

A *segment* is a run of consecutive stages without a fallback, or control flow. The function `run`
executes all segments before the first fallback.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from itertools import takewhile
from typing import Any

from llvmlite import ir

from ...dtypes import int64
from ...graph.declared.bounds import Bounds
from ...shapes import size
from .control.emit import emit_control, emit_entry
from .control.plan import plan_of
from .kernels.bounds_check import FAILED
from .kernels.control import Control, plan_with
from .kernels.formula import dtype_of
from .kernels.kernel import Kernel
from .kernels.signature import Signature, Unshared
from .llvm.builder import Builder
from .llvm.kernel_context import KERNEL, POINTER, KernelContext
from .llvm.loops import INT, integer, loop, read
from .llvm.parts import Compiler, Parts
from .plan.schedule import Schedule, ScheduledKernel, is_serial
from .runtime.array_fields import READABLE, array_layout
from .runtime.buffers import BufferTable
from .runtime.dispatch import (
    GUARDED,
    KERNEL_RECORD,
    STAGE_RECORD,
    constant_array,
    element,
    emit_alone,
    emit_call,
    emit_stages,
    field,
)
from .runtime.lease_words import emit_lease
from .runtime.thread_pool import SEGMENT, STAGES, emit_enter

_POOL = INT.as_pointer()
_CALLED = re.compile(r"run|recalled|segment_\d+")  # names of functions that Python calls


def segments(schedule: Schedule) -> list[list[list[ScheduledKernel]]]:
    """The segments, each a list of stages; a stage that NumPy computes, or that is control flow, is
    a segment of its own."""
    listed: list[list[list[ScheduledKernel]]] = []
    for stage in schedule.stages:
        if not listed or _is_alone(stage) or _is_alone(listed[-1][0]):
            listed.append([stage])
        else:
            listed[-1].append(stage)
    return listed


def leading(schedule: Schedule) -> int:
    """The number of segments before the first fallback."""
    return len([*takewhile(lambda segment: is_native(segment[0]), segments(schedule))])


def _is_alone(stage: list[ScheduledKernel]) -> bool:
    return stage[0].kernel.has_own_segment


def is_native(stage: list[ScheduledKernel]) -> bool:
    """Whether generated code computes the stage. A fallback is alone in its stage."""
    return stage[0].kernel.is_native


class _Emission:
    """What the codes of a program and of its regions share: the module and its parts."""

    def __init__(self, compiler: Compiler | None) -> None:
        self.module = ir.Module("program")
        # By signature: a function, and the numbers of the owners of the buffers that it uses.
        self.shared: dict[Hashable, tuple[ir.Function, list[int]]] = {}
        self.functions = 0  # of kernels
        self.parts = None if compiler is None else Parts(self.module, _CALLED, compiler)

    def emitted(self) -> None:
        """Hands a part on, if the kernels that were emitted are enough for one."""
        self.functions += 1
        if self.parts is not None:
            self.parts.emitted()


class Code:
    """The code of a schedule: of a program's, or of a region's.

    Kernels of equal signatures (`kernels/signature.py`) share one function. Tables of constants say
    what the segments run: the buffers, items and chunks of every kernel, and the stages. All
    kernels are emitted first, those of regions too; what calls them is in the last part.
    """

    def __init__(
        self, emission: _Emission, schedule: Schedule, buffers: BufferTable, prefix: str = ""
    ) -> None:
        """`prefix`: of the names of its functions and constants; none for the program's."""
        self.schedule, self.buffers, self.prefix = schedule, buffers, prefix
        self._emission, self.module, self._shared = emission, emission.module, emission.shared
        native = [stage for stage in schedule.stages if is_native(stage)]
        self._emit_tables([one for stage in native if not _is_alone(stage) for one in stage])
        self.regions: dict[Control, list[Code]] = {}
        for number, one in enumerate(schedule.kernels):
            if isinstance(one.kernel, Control):
                self.regions[one.kernel] = [
                    Code(emission, region.schedule, region.buffers, f"{prefix}r{number}_{place}_")
                    for place, region in enumerate(one.kernel.regions)
                ]

    def dispatch(self) -> list[ir.Function]:
        """Emits the functions that call the kernels; returns those of the segments before the first
        fallback."""
        listed = segments(self.schedule)
        self._emit_segments({n: one for n, one in enumerate(listed) if is_native(one[0])})
        return [
            self.module.globals[f"{self.prefix}segment_{number}"]
            for number in range(leading(self.schedule))
        ]

    # ---------------------------------------------------------------- kernels

    def _emit_tables(self, kernels: list[ScheduledKernel]) -> None:
        """Emits the kernels, and the table of their records in the order in which they run."""
        self._record = {one: number for number, one in enumerate(kernels)}
        if not kernels:
            return
        places: list[int] = []
        found: list[tuple[ScheduledKernel, ir.Function, int, int]] = []
        for number, one in enumerate(kernels):
            function, owners = self._kernel(one, number)
            found.append((one, function, len(places), len(owners)))
            places += (word for owner in owners for word in self.buffers.place(owner))
        self._most = max(count for *_, count in found)
        table = constant_array(
            self.module, f"{self.prefix}places", INT, [integer(word) for word in places]
        )
        records = [
            ir.Constant(KERNEL_RECORD, [
                function, element(table, start), integer(count), integer(one.items),
                integer(one.chunks), integer(int(self._is_guarded(one.kernel))),
            ])
            for one, function, start, count in found
        ]  # fmt: skip
        self._records = constant_array(self.module, f"{self.prefix}kernels", KERNEL_RECORD, records)

    def _kernel(self, one: ScheduledKernel, number: int) -> tuple[ir.Function, list[Any]]:
        """The function that computes a kernel, and the owners of the buffers that it uses."""
        try:
            whole = one.chunks == 1
            signature = Signature(one.kernel, self.schedule.views, whole, FAILED)
        except Unshared:
            return self._emitted(one, number)
        if signature.key in self._shared:
            function, numbers = self._shared[signature.key]
            return function, [signature.owners[number] for number in numbers]
        function, owners = self._emitted(one, number)
        try:
            self._shared[signature.key] = function, [signature.number(owner) for owner in owners]
        except Unshared:
            pass
        return function, owners

    def _emitted(self, one: ScheduledKernel, number: int) -> tuple[ir.Function, list[Any]]:
        name = f"{self.prefix}{one.kernel.label.lower()}_{number}"
        function = ir.Function(self.module, KERNEL, name)
        function.attributes.add("noinline")
        items = one.items if one.chunks == 1 else None  # each call is for all items
        context = KernelContext(function, self.schedule.views, items)
        one.kernel.emit(context)
        context.builder.ret_void()
        self._emission.emitted()
        return function, context.owners

    def _call(self, b: Any, record: Any, table: Any, begin: Any, end: Any) -> None:
        """Calls the kernel of a record on these items; a guarded kernel only if no bounds check has
        failed."""
        if not self.buffers.may_fail:
            emit_call(b, record, table, begin, end, self._most)
            return
        failed = b.load(self.diagnostics(b, table, FAILED))
        stopped = b.and_(field(b, record, GUARDED), failed)
        with b.if_then(b.icmp_signed("==", stopped, integer(0))):
            emit_call(b, record, table, begin, end, self._most)

    def _is_guarded(self, kernel: Kernel) -> bool:
        """Whether the kernel must not run after a bounds check has failed."""
        if not self.buffers.may_fail:
            return False
        updates = self.schedule.updates
        over = updates is not None and any(node in updates.alias for node in kernel.live_out)
        return over or kernel.is_guarded or kernel.overwrites is not None

    def diagnostics(self, b: Any, table: Any, owner: Any) -> Any:
        """A pointer to the owner's diagnostics in the control block."""
        slot, offset = self.buffers.place(owner)
        control = b.load(b.gep(table, [integer(slot)]))
        return b.bitcast(b.gep(control, [integer(offset)]), INT.as_pointer())

    # ---------------------------------------------------------------- segments

    def _emit_segments(self, listed: dict[int, list[list[ScheduledKernel]]]) -> None:
        """Emits segment_n(table, pool) for each segment, which runs its stages."""
        control = {n: one for n, one in listed.items() if isinstance(one[0][0].kernel, Control)}
        for number, ((scheduled,),) in control.items():
            kernel: Any = scheduled.kernel
            entries = [emit_entry(code) for code in self.regions[kernel]]
            emit_control(self, kernel, entries, f"{self.prefix}segment_{number}")
        listed = {n: one for n, one in listed.items() if n not in control}
        if not listed:
            return
        flushes, prefix = self.schedule.flushes, self.prefix
        alone = emit_alone(self.module, self._call, flushes=flushes, name=f"{prefix}alone")
        stages = [stage for segment in listed.values() for stage in segment]
        enter = together = None
        if not all(map(is_serial, stages)):
            largest = max(map(len, stages))
            together = emit_stages(
                self.module, largest, self._call, alone, flushes=flushes, name=f"{prefix}stages"
            )
            enter = emit_enter(self.module)
        for number, segment in listed.items():
            serial = all(map(is_serial, segment))
            count = integer(sum(map(len, segment)))
            name = f"{prefix}segment_{number}"
            by_one = ir.Function(self.module, SEGMENT, name if serial else f"{name}_alone")
            b: Any = Builder(by_one.append_basic_block("entry"))
            b.call(
                alone, [by_one.args[0], element(self._records, self._record[segment[0][0]]), count]
            )
            b.ret_void()
            if serial:
                continue
            table = self._stage_table(f"{name}_stages", segment)
            by_all = ir.Function(self.module, STAGES, f"{name}_together")
            b = Builder(by_all.append_basic_block("entry"))
            b.call(together, [*by_all.args, element(table, 0), integer(len(segment))])
            b.ret_void()
            whole = ir.Function(self.module, SEGMENT, name)
            b = Builder(whole.append_basic_block("entry"))
            b.call(enter, [*whole.args, by_all, by_one])
            b.ret_void()

    def _stage_table(self, name: str, segment: list[list[ScheduledKernel]]) -> ir.GlobalVariable:
        """Emits the table of a segment's stages."""
        before, stages = 0, []
        for stage in segment:
            serial = is_serial(stage)
            stages.append(ir.Constant(STAGE_RECORD, [
                element(self._records, self._record[stage[0]]), integer(len(stage)),
                integer(int(serial)), integer(before),
            ]))  # fmt: skip
            before += 1 if serial else sum(one.chunks for one in stage)
        return constant_array(self.module, name, STAGE_RECORD, stages)


class Module(Code):
    """The LLVM module of one program."""

    def __init__(
        self, schedule: Schedule, buffers: BufferTable, compiler: Compiler | None = None
    ) -> None:
        """`compiler` compiles each part of the module as soon as it is emitted."""
        emission = _Emission(compiler)
        super().__init__(emission, schedule, buffers)
        _emit_prepare(self.module, buffers.objects, buffers.checks)
        self._run(self.dispatch())
        if emission.parts is not None:
            emission.parts.last()

    def __str__(self) -> str:
        return str(self.module)

    @property
    def functions(self) -> int:
        """The number of functions that compute kernels."""
        return self._emission.functions

    def _run(self, parts: list[ir.Function]) -> None:
        """Emits run(block), which reads the arrays' pointers and runs the first segments, as often
        as the block says.

        The block: table, pool, objects, number of repetitions, and the bytes by which each array's
        pointer advances between them; a turn of −1 makes the next move go back. Returns 0; n + 1 if
        array n is not contiguous or not aligned; or −n − 1 if array n holds an out-of-range
        integer, where n is the number of arrays if a bounds check found it among computed integers.
        A program that updates Variables in place refuses runs that don't hold its lease; see
        `emit_lease`.
        """
        leases = self.schedule.updates is not None
        kind = ir.FunctionType(INT, [INT.as_pointer()])
        run = ir.Function(self.module, kind, "run_held" if leases else "run")
        (block,) = run.args
        b: Any = Builder(run.append_basic_block("entry"))
        words = (0, POINTER.as_pointer()), (1, _POOL), (2, _POOL), (4, _POOL), (7, _POOL)
        table, pool, objects, moves, turns = (
            b.inttoptr(b.load(b.gep(block, [integer(number)])), llvm_type)
            for number, llvm_type in words
        )
        times = b.load(b.gep(block, [integer(3)]))
        bad = b.call(self.module.globals["prepare"], [table, objects, times, moves, turns])
        with b.if_then(b.icmp_signed("!=", bad, integer(0))):
            b.ret(bad)
        for owner in [FAILED, *self.buffers.bounds_checks] if self.buffers.may_fail else []:
            b.store(integer(0), self.diagnostics(b, table, owner))

        def once() -> None:
            for segment in parts:
                b.call(segment, [table, pool])
                if self.buffers.may_fail:
                    failed = b.load(self.diagnostics(b, table, FAILED))
                    with b.if_then(b.icmp_signed("!=", failed, integer(0))):
                        b.ret(integer(-self.buffers.objects - 1))

        if parts:
            once()
            words = b.bitcast(table, INT.as_pointer())
            with loop(b, integer(1), times):
                with loop(b, integer(0), integer(self.buffers.objects)) as number:
                    word = b.gep(words, [number])
                    at = b.gep(moves, [number])
                    move = b.load(at)
                    b.store(b.add(b.load(word), move), word)
                    b.store(b.mul(move, b.load(b.gep(turns, [number]))), at)
                once()
        b.ret(integer(0))
        if leases:
            run.linkage = "internal"
            emit_lease(self.module, run)


def _emit_prepare(module: ir.Module, count: int, checks: list[tuple[int, Bounds]]) -> None:
    """Emits prepare(table, objects, times, moves, turns), which copies each array's data pointer
    from its NumPy structure to the table, and checks the bounds of fed integers: those of all
    repetitions, or of a loop's carry, whose pointer turns back, the first.

    Returns 0, n + 1 if array n is not contiguous or not aligned, or −n − 1 if array n holds an
    out-of-range integer.
    """
    llvm_types = [POINTER.as_pointer(), _POOL, INT, _POOL, _POOL]
    function = ir.Function(module, ir.FunctionType(INT, llvm_types), "prepare")
    table, objects, times, moves, turns = function.args
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
        onwards = b.icmp_signed("==", b.load(b.gep(turns, [integer(slot)])), integer(1))
        moving = b.and_(moving, onwards)
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


plan_with(plan_of)
