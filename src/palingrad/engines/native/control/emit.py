"""The code of control flow: it fills the tables of regions, and calls the regions' segments.

A region reads its parameters where the inputs of the operation are, or a loop's carries, each of
which has two halves: a repetition reads one while it writes the other. What one region may fail
with, an index that names no row or an error of a signal handler, ends all that contain it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir

from ....dtypes import bool_, int64
from ....graph.regions.regional import Repeats, Steps
from ....shapes import size, sizes
from ..kernels.bounds_check import FAILED
from ..kernels.control import Control, RegionPlan, bytes_before, carries_of, is_contiguous
from ..kernels.formula import dtype_of
from ..kernels.library.call import copied
from ..kernels.loop.kernel import EndlessInRegisters, emit_in_registers
from ..llvm.builder import INT, Builder, declared
from ..llvm.kernel_context import KERNEL, POINTER, KernelContext
from ..llvm.loops import BYTE, integer, loop, read
from ..llvm.strided_view import View, row_major
from ..runtime.thread_pool import SEGMENT
from .signals import ERROR, INTERRUPTED, TICKS, TICKS_AT, emit_look

BROKEN = 201  # what the first word of the failures' line is after the first control flow failed
_POOL = INT.as_pointer()
_ENTRY = ir.FunctionType(INT, [POINTER.as_pointer(), _POOL])


def emit_entry(code: Any) -> ir.Function:
    """Emits entry(table, pool), which runs a region; it returns 0, or what the region failed with:
    the first word of its line in the control block, 1 for integers out of range."""
    parts = code.dispatch()
    function = ir.Function(code.module, _ENTRY, f"{code.prefix}entry")
    function.linkage = "internal"
    table, pool = function.args
    b: Any = Builder(function.append_basic_block("entry"))
    buffers = code.buffers
    for owner in [FAILED, *buffers.bounds_checks] if buffers.may_fail else []:
        b.store(integer(0), code.diagnostics(b, table, owner))
    for slot, check in buffers.checks:
        dtype, base = dtype_of(check.x), b.load(b.gep(table, [integer(slot)]))
        with loop(b, integer(0), integer(size(check.x.shape))) as place:
            index = read(b, base, dtype, place, 1, 1).cast(int64).code
            bad = b.icmp_signed("<", index, integer(check.low))
            if check.high is not None:
                bad = b.or_(bad, b.icmp_signed(">=", index, integer(check.high)))
            with b.if_then(bad, likely=False):
                b.ret(integer(1))
    for part in parts:
        b.call(part, [table, pool])
        if buffers.may_fail:
            failed = b.load(code.diagnostics(b, table, FAILED))
            with b.if_then(b.icmp_signed("!=", failed, integer(0)), likely=False):
                b.ret(failed)
    b.ret(integer(0))
    return function


def emit_control(code: Any, kernel: Control, entries: Sequence[ir.Function], name: str) -> None:
    """Emits the segment `name` of a control flow whose regions these functions run."""
    function = ir.Function(code.module, KERNEL, f"{name}_control")
    function.linkage = "internal"
    function.attributes.add("noinline")
    context = KernelContext(function, code.schedule.views)
    _Emitter(code, kernel, context, entries).emit()
    context.builder.ret_void()
    segment = ir.Function(code.module, SEGMENT, name)
    table, pool = segment.args
    b: Any = Builder(segment.append_basic_block("entry"))
    owners = context.owners
    area = b.alloca(ir.ArrayType(POINTER, max(len(owners), 1)))
    pointers = b.bitcast(area, POINTER.as_pointer())
    for number, owner in enumerate(owners):
        slot, offset = code.buffers.place(owner)
        start = b.load(b.gep(table, [integer(slot)]))
        b.store(b.gep(start, [integer(offset)]), b.gep(pointers, [integer(number)]))
    b.call(function, [pointers, b.ptrtoint(pool, INT), integer(0)])
    b.ret_void()


class _Emitter:
    """Emits one control flow. Instead of the first item its function gets the thread pool."""

    def __init__(
        self, code: Any, kernel: Control, context: KernelContext, entries: Sequence[ir.Function]
    ) -> None:
        self.code, self.kernel, self.context, self.entries = code, kernel, context, entries
        self.b: Any = context.builder
        failing = [one.kernel for one in code.schedule.kernels if is_failing(one.kernel)]
        self._broken = BROKEN + 2 * failing.index(kernel) if kernel.may_fail else 0

    def emit(self) -> None:
        """Emits all of it."""
        b, kernel, context = self.b, self.kernel, self.context
        self.pool = b.inttoptr(context.begin, _POOL)
        if kernel.may_fail:
            self.line = context.typed(FAILED, int64)
        if kernel.lets_signals_in:
            self.ticks = b.gep(self.line, [integer(TICKS)])
            if self.code.prefix:  # of a region: the program's word, in memory that stays
                at = b.load(b.gep(self.line, [integer(TICKS_AT)]))
                self.ticks = b.inttoptr(at, _POOL)
        steps, repeats = kernel.node.steps(), kernel.node.repeats()
        if isinstance(kernel, EndlessInRegisters):
            emit_in_registers(kernel, context, self._look)
        elif repeats is not None:
            self._repeat(repeats)
        elif steps is not None:
            self._step(steps)
        else:
            self._choose()

    # ---------------------------------------------------------------- memory

    def _area(self, *key: Any) -> Any:
        """A pointer to a part of the workspace."""
        return self.b.gep(self.context.pointer(self.kernel), [integer(self.kernel.offsets[key])])

    def _input(self, number: int) -> Any:
        """A pointer to an input's elements in row-major order, copied if they aren't."""
        view = self.kernel.inputs[number]
        if is_contiguous(view):
            return self.b.gep(self.context.pointer(view.base), [integer(bytes_before(view))])
        area = self._area("input", number)
        copied(self.context, view, area, row_major(view.shape))
        return area

    def _copy(self, to: Any, source: Any, count: int) -> None:
        """Emits the copy of `count` bytes."""
        bit = ir.IntType(1)
        kinds = [POINTER, POINTER, INT, bit]
        function = declared(self.b.module, "llvm.memcpy.p0.p0.i64", ir.VoidType(), kinds)
        if count:
            self.b.call(function, [to, source, integer(count), ir.Constant(bit, 0)])

    def _put(self, region: int, slot: int, pointer: Any) -> None:
        """Emits the store of a pointer in the region's table."""
        table = self.b.bitcast(self._area("table", region), POINTER.as_pointer())
        self.b.store(pointer, self.b.gep(table, [integer(slot)]))

    def _prepare(self, region: int) -> None:
        """Emits what the table of a region holds besides its parameters and results."""
        b, buffers = self.b, self.kernel.regions[region].buffers
        self._put(region, buffers.count, self._area("arena", region))
        control = self._area("control", region)
        self._put(region, buffers.count + 1, control)
        for node in buffers.constants:
            self._put(region, buffers.place(node)[0], self.context.pointer(node))
        if buffers.may_fail and self.kernel.lets_signals_in:
            words = b.bitcast(control, _POOL)
            b.store(b.ptrtoint(self.ticks, INT), b.gep(words, [integer(TICKS_AT)]))

    def _run(self, region: int) -> None:
        """Emits a run of the region; if it fails, so does this control flow."""
        b = self.b
        if not self.kernel.regions[region].schedule.stages:
            return
        table = b.bitcast(self._area("table", region), POINTER.as_pointer())
        failed = b.call(self.entries[region], [table, self.pool])
        if not self.kernel.regions[region].may_fail:
            return
        with b.if_then(b.icmp_signed("!=", failed, integer(0)), likely=False):
            interrupted = b.icmp_signed("==", failed, integer(INTERRUPTED))
            with b.if_then(interrupted):
                words = b.bitcast(self._area("control", region), _POOL)
                for word in (0, ERROR, ERROR + 1, ERROR + 2):
                    at = [integer(word)]
                    b.store(b.load(b.gep(words, at)), b.gep(self.line, at))
                b.ret_void()
            self._fail()

    def _fail(self) -> None:
        """Emits the end of a control flow that failed."""
        self.b.store(integer(self._broken), self.line)
        self.b.ret_void()

    def _look(self, cost: float) -> None:
        """Emits a look at signals now and then, at the end of work of this many nanoseconds."""
        if self.kernel.lets_signals_in:
            with self.b.if_then(emit_look(self.b, self.ticks, self.line, cost), likely=False):
                self.b.ret_void()

    # ---------------------------------------------------------------- a choice

    def _choose(self) -> None:
        b, kernel = self.b, self.kernel
        view, count = kernel.inputs[0], len(kernel.regions)
        dtype = dtype_of(view.base)
        number = read(b, self.context.pointer(view.base), dtype, integer(view.offset), 1, 1)
        if dtype == bool_:
            chosen = b.zext(number.code, INT)
        else:
            chosen = number.cast(int64).code
        outputs = {n: self.context.pointer(y) for n, y in kernel.outputs.items()}
        after = b.append_basic_block("after")
        wrong = b.append_basic_block("wrong")
        choice = b.switch(chosen, wrong)
        for region in range(count):
            block = b.append_basic_block("region")
            choice.add_case(integer(region), block)
            b.position_at_end(block)
            self._prepare(region)
            for slot in range(len(kernel.inputs) - 1):
                if kernel.regions[region].reads(slot):
                    self._put(region, slot, self._input(slot + 1))
            plan = kernel.regions[region]
            for n, slot in plan.results.items():
                self._put(region, slot, outputs.get(n) or self._area("result", region, n))
            self._run(region)
            for n, slot in plan.passed.items():
                if n in outputs:
                    self._copy(outputs[n], self._input(slot + 1), _bytes(kernel.outputs[n]))
            b.branch(after)
        b.position_at_end(wrong)
        if dtype == bool_:
            b.unreachable()
        else:
            self._fail()
        b.position_at_end(after)

    # ---------------------------------------------------------------- a condition

    def _repeat(self, repeats: Repeats) -> None:
        b, kernel = self.b, self.kernel
        condition, body = kernel.regions
        given = {n: self._input(n) for n in range(len(kernel.inputs))}
        for region in range(2):
            self._prepare(region)
            for n in range(len(kernel.inputs)):
                self._put(region, n, given[n])
        for n, slot in condition.results.items():
            self._put(0, slot, self._area("result", 0, n))
        for n, slot in body.results.items():
            self._put(1, slot, self._area("result", 1, n))
        carries = _Carries(self, given, body)
        left = self.context.slot(INT)
        b.store(integer(-1 if repeats.most is None else repeats.most), left)
        head, ask, inside, after = (
            b.append_basic_block(name) for name in ("head", "ask", "inside", "after")
        )
        b.branch(head)
        b.position_at_end(head)
        b.cbranch(b.icmp_signed("==", b.load(left), integer(0)), after, ask)
        b.position_at_end(ask)
        carries.show(0)
        self._run(0)
        if condition.results:
            holds = self._area("result", 0, 0)
        else:
            holds = carries.parameter(condition.passed[0])
        zero = ir.Constant(BYTE, 0)
        b.cbranch(b.icmp_unsigned("!=", b.load(holds), zero), inside, after)
        b.position_at_end(inside)
        carries.show(1)
        carries.write(1)
        self._run(1)
        carries.pass_on()
        carries.turn()
        if repeats.most is not None:
            b.store(b.sub(b.load(left), integer(1)), left)
        self._look(condition.cost + body.cost)
        b.branch(head)
        b.position_at_end(after)
        self._return(given, carries)

    def _return(self, given: dict[int, Any], carries: _Carries) -> None:
        """Emits the copies of the last carries."""
        for n, y in self.kernel.outputs.items():
            if n < carries.count:
                source = carries.now(n) if n in carries.moving else given[n]
                self._copy(self.context.pointer(y), source, _bytes(y))

    # ---------------------------------------------------------------- a number of steps

    def _step(self, steps: Steps) -> None:
        b, kernel, first = self.b, self.kernel, steps.carries
        (body,) = kernel.regions
        rows = range(first, first + steps.slices)
        given: dict[int, Any] = {}
        jumps: dict[int, int] = {}
        for n in range(len(kernel.inputs)):
            if n in rows:
                given[n], jumps[n] = self._rows(n)
            else:
                given[n] = self._input(n)
        self._prepare(0)
        for n in range(len(kernel.inputs)):
            self._put(0, n, given[n])
        outputs = {n: self.context.pointer(y) for n, y in kernel.outputs.items()}
        for n, slot in body.results.items():
            self._put(0, slot, self._area("result", 0, n))
        carries = _Carries(self, given, body)
        with loop(b, integer(0), integer(steps.length)) as count:
            at = b.sub(integer(steps.length - 1), count) if steps.reverse else count
            for n in rows:
                self._put(0, n, b.gep(given[n], [b.mul(at, integer(jumps[n]))]))
            places: dict[int, Any] = {}
            for n, y in enumerate(kernel.node.regions[0].results):
                if n >= first and n in outputs:
                    places[n] = b.gep(outputs[n], [b.mul(at, integer(_bytes(y)))])
                    if n in body.results:
                        self._put(0, body.results[n], places[n])
            carries.show(0)
            carries.write(0)
            self._run(0)
            for n, slot in body.passed.items():
                if n in places:
                    source = b.gep(given[slot], [b.mul(at, integer(jumps.get(slot, 0)))])
                    source = carries.parameter(slot) if slot < first else source
                    self._copy(places[n], source, _bytes(kernel.node.regions[0].results[n]))
            carries.pass_on()
            carries.turn()
            self._look(body.cost)
        self._return(given, carries)

    def _rows(self, number: int) -> tuple[Any, int]:
        """A pointer to the first row of an input, and the bytes from row to row."""
        view = self.kernel.inputs[number]
        width = dtype_of(view.base).itemsize
        row = View(view.base, view.shape[1:], view.strides[1:], view.offset)
        if is_contiguous(row):
            start = self.context.pointer(view.base)
            return self.b.gep(start, [integer(bytes_before(view))]), view.strides[0] * width
        return self._input(number), size(row.shape) * width


class _Carries:
    """The carries of a loop while it runs: for each that changes, the half that holds it now and
    the other one."""

    def __init__(self, emitter: _Emitter, given: dict[int, Any], body: RegionPlan) -> None:
        self._emitter, self._given, self._body = emitter, given, body
        node = emitter.kernel.node
        self.count = carries_of(node)
        self.moving = [n for n in range(self.count) if body.passed.get(n) != n]
        b, context = emitter.b, emitter.context
        self._places: dict[int, tuple[Any, Any]] = {}
        for n in self.moving:
            halves = [emitter._area("carry", n, half) for half in range(2)]
            emitter._copy(halves[0], given[n], self._bytes(n))
            places = context.slot(POINTER), context.slot(POINTER)
            for place, half in zip(places, halves, strict=True):
                b.store(half, place)
            self._places[n] = places

    def _bytes(self, number: int) -> int:
        node = self._emitter.kernel.node
        return size(node.shape[number]) * node.dtype[number].itemsize

    def parameter(self, number: int) -> Any:
        """A pointer to a parameter of the regions, the carry or an input."""
        return self.now(number) if number in self._places else self._given[number]

    def pass_on(self) -> None:
        """Emits the copies of parameters that are the next carries."""
        for n in self.moving:
            if n in self._body.passed:
                other = self._emitter.b.load(self._places[n][1])
                source = self.parameter(self._body.passed[n])
                self._emitter._copy(other, source, self._bytes(n))

    def now(self, number: int) -> Any:
        """A pointer to the carry."""
        return self._emitter.b.load(self._places[number][0])

    def show(self, region: int) -> None:
        """Emits that the region reads the carries."""
        for n in self.moving:
            self._emitter._put(region, n, self.now(n))

    def write(self, region: int) -> None:
        """Emits that the region writes the next carries."""
        for n in self.moving:
            if n in self._body.results:
                other = self._emitter.b.load(self._places[n][1])
                self._emitter._put(region, self._body.results[n], other)

    def turn(self) -> None:
        """Emits that the next carries are the carries."""
        b = self._emitter.b
        for now, other in self._places.values():
            first, second = b.load(now), b.load(other)
            b.store(second, now)
            b.store(first, other)


def is_failing(kernel: object) -> bool:
    """Whether it is control flow that can make the run raise an error."""
    return isinstance(kernel, Control) and kernel.may_fail


def _bytes(node: Any) -> int:
    return size(sizes(node.shape)) * dtype_of(node).itemsize
