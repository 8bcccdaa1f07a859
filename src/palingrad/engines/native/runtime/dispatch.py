"""Dispatch: generated code that runs the kernels of a program, from tables in its module.

The code is the same for every program; what differs is data: a record for each kernel and for each
stage. So a program of many stages costs no more code than one of few.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from llvmlite import ir

from ..llvm.builder import INT32
from ..llvm.flush_denormals import flush_denormals
from ..llvm.kernel_context import KERNEL, POINTER
from ..llvm.loops import INT, integer, loop
from .thread_pool import BASE, SIZE, word
from .work_stealing import deque, emit_finish, emit_first_chunk, emit_take, internal_function

_POOL = INT.as_pointer()
# A kernel's record: its function; the slot in the table and the offset in bytes of each of its
# buffers, and the number of buffers; the numbers of its items and of its chunks; whether it must
# not run after a bounds check has failed.
KERNEL_RECORD = ir.LiteralStructType([KERNEL.as_pointer(), _POOL, INT, INT, INT, INT])
FUNCTION, PLACES, BUFFERS, ITEMS, CHUNKS, GUARDED = range(6)
# A stage's record: its first kernel, the number of kernels, whether one thread runs them one after
# another, and the number of chunks of all earlier stages of the run.
STAGE_RECORD = ir.LiteralStructType([KERNEL_RECORD.as_pointer(), INT, INT, INT])
# Emits the call of a kernel: (builder, record, table, first item, end of items).
Call: TypeAlias = Callable[[Any, Any, Any, Any, Any], None]


def field(b: Any, record: Any, place: int) -> Any:
    """The value of a record's field."""
    at = [ir.Constant(INT32, 0), ir.Constant(INT32, place)]
    return b.load(b.gep(record, at))


def emit_call(b: Any, record: Any, table: Any, begin: Any, end: Any, most: int) -> None:
    """Emits the call of a record's kernel, which uses at most `most` buffers."""
    with b.goto_entry_block():
        area = b.alloca(ir.ArrayType(POINTER, max(most, 1)))
        pointers = b.bitcast(area, POINTER.as_pointer())
    places = field(b, record, PLACES)
    with loop(b, integer(0), field(b, record, BUFFERS)) as number:
        place = b.gep(places, [b.mul(number, integer(2))])
        start = b.load(b.gep(table, [b.load(place)]))
        offset = b.load(b.gep(place, [integer(1)]))
        b.store(b.gep(start, [offset]), b.gep(pointers, [number]))
    b.call(field(b, record, FUNCTION), [pointers, begin, end])


def emit_alone(module: ir.Module, call: Call, *, flushes: bool, name: str = "alone") -> ir.Function:
    """Emits alone(table, first, count), which runs these kernels one after another; if `flushes`,
    subnormal numbers count as 0."""
    types = [POINTER.as_pointer(), KERNEL_RECORD.as_pointer(), INT]
    function, b = internal_function(module, name, ir.VoidType(), types)
    table, first, count = function.args
    with flush_denormals(b, flushes), loop(b, integer(0), count) as number:
        kernel = b.gep(first, [number])
        call(b, kernel, table, integer(0), field(b, kernel, ITEMS))
    b.ret_void()
    return function


def emit_stages(
    module: ir.Module,
    largest: int,
    call: Call,
    alone: ir.Function,
    *,
    flushes: bool,
    name: str = "stages",
) -> ir.Function:
    """Emits stages(table, pool, thread, first, count), which executes these stages as one thread of
    the pool: it takes chunks of a stage until all deques are empty, then waits until all chunks of
    the stage are done. `largest` is the number of kernels of the largest stage; `alone` runs the
    kernels of a stage without chunks."""
    types = [POINTER.as_pointer(), _POOL, INT, STAGE_RECORD.as_pointer(), INT]
    function, b = internal_function(module, name, ir.VoidType(), types)
    table, pool, thread, first, count = function.args
    stage = _Stage(b, table, (pool, thread), largest)
    with flush_denormals(b, flushes), loop(b, integer(0), count) as number:
        stage.run(b.gep(first, [number]), call, alone)
    b.ret_void()
    return function


class _Stage:
    """Emits the execution of a stage by one thread."""

    def __init__(self, b: Any, table: Any, member: tuple[Any, Any], largest: int) -> None:
        self.b, self.table = b, table
        self.pool, self.thread = member
        # For each kernel: the first of its chunks in the deque, and their number.
        self.low, self.many = (
            b.bitcast(b.alloca(ir.ArrayType(INT, largest)), _POOL) for _ in range(2)
        )
        self.done, self.owner = b.alloca(INT), b.alloca(INT)
        # The numbers of chunks in the deque and in the stage; a kernel, and a place in its chunks.
        self.length, self.total, self.number, self.rest = (b.alloca(INT) for _ in range(4))

    def run(self, record: Any, call: Call, alone: ir.Function) -> None:
        """Emits the stage of this record."""
        b, pool = self.b, self.pool
        self.kernels, count, serial, before = (field(b, record, place) for place in range(4))
        self.serial = b.icmp_signed("!=", serial, integer(0))
        self.parts = b.select(self.serial, integer(1), count)  # a serial stage is a single chunk
        stage = b.add(b.load(word(b, pool, BASE)), before)
        threads = b.load(word(b, pool, SIZE))
        b.store(integer(0), self.done)
        b.store(self.thread, self.owner)
        with loop(b, integer(0), threads) as steal:  # 0 for the thread's own deque
            victim = b.load(self.owner)
            self._divide(victim, threads)
            take, execute, empty = (
                b.function.append_basic_block(name) for name in ("take", "work", "empty")
            )
            b.branch(take)
            b.position_at_end(take)
            given = [deque(b, pool, victim), stage, b.load(self.length), steal]
            place = b.call(emit_take(b.module), given)
            b.cbranch(b.icmp_signed(">=", place, integer(0)), execute, empty)
            b.position_at_end(execute)
            with b.if_else(self.serial) as (whole, part):
                with whole:
                    b.call(alone, [self.table, self.kernels, count])
                with part:
                    self._chunk(place, call)
            b.store(b.add(b.load(self.done), integer(1)), self.done)
            b.branch(take)
            b.position_at_end(empty)
            following = b.add(victim, integer(1))
            last = b.icmp_signed("==", following, threads)
            b.store(b.select(last, integer(0), following), self.owner)
        end = b.add(stage, b.load(self.total))
        b.call(emit_finish(b.module), [pool, b.load(self.done), end])

    def _divide(self, victim: Any, threads: Any) -> None:
        """Emits the loop that finds each kernel's chunks in the deque of thread `victim`."""
        b, first_chunk = self.b, emit_first_chunk(self.b.module)
        b.store(integer(0), self.length)
        b.store(integer(0), self.total)
        with loop(b, integer(0), self.parts) as number:
            chunks = field(b, b.gep(self.kernels, [number]), CHUNKS)
            chunks = b.select(self.serial, integer(1), chunks)
            start = b.load(self.total)
            low, high = (
                b.call(first_chunk, [chunks, start, thread, threads])
                for thread in (victim, b.add(victim, integer(1)))
            )
            many = b.sub(high, low)
            b.store(low, b.gep(self.low, [number]))
            b.store(many, b.gep(self.many, [number]))
            b.store(b.add(b.load(self.length), many), self.length)
            b.store(b.add(start, chunks), self.total)

    def _chunk(self, place: Any, call: Call) -> None:
        """Emits the execution of the chunk at this place of the deque."""
        b = self.b
        b.store(integer(0), self.number)
        b.store(place, self.rest)
        test, following, found = (
            b.function.append_basic_block(name) for name in ("test", "following", "found")
        )
        b.branch(test)
        b.position_at_end(test)
        many = b.load(b.gep(self.many, [b.load(self.number)]))
        b.cbranch(b.icmp_signed("<", b.load(self.rest), many), found, following)
        b.position_at_end(following)
        b.store(b.sub(b.load(self.rest), many), self.rest)
        b.store(b.add(b.load(self.number), integer(1)), self.number)
        b.branch(test)
        b.position_at_end(found)
        number = b.load(self.number)
        kernel = b.gep(self.kernels, [number])
        chunk = b.add(b.load(b.gep(self.low, [number])), b.load(self.rest))
        items, chunks = field(b, kernel, ITEMS), field(b, kernel, CHUNKS)
        begin = b.sdiv(b.mul(chunk, items), chunks)
        end = b.sdiv(b.mul(b.add(chunk, integer(1)), items), chunks)
        call(b, kernel, self.table, begin, end)


def constant_array(module: ir.Module, name: str, kind: Any, values: list[Any]) -> ir.GlobalVariable:
    """A constant of the module: these values of one type, of which there is at least one."""
    made: Any = ir.GlobalVariable(module, ir.ArrayType(kind, len(values)), name)
    made.linkage, made.global_constant = "internal", True
    made.initializer = ir.Constant(made.value_type, values)
    return made


def element(array: ir.GlobalVariable, number: int) -> Any:
    """A constant pointer to an element of a constant array."""
    return array.gep([integer(0), integer(number)])
