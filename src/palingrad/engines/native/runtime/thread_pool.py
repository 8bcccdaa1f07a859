"""The thread pool: worker threads that spin in compiled code and execute the chunks of a run.

A run publishes its table of pointers. Each thread takes chunks of a stage (`work_stealing.py`) and
waits until all chunks of the stage are done before it enters the next stage. A run never waits for
a worker that has not joined: if all workers sleep, the calling thread does every chunk. A worker
that finds no run for `_SPINS` iterations waits on a queue in Python until a run wakes it.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import threading
from functools import cache
from itertools import repeat
from queue import SimpleQueue
from typing import Any

from llvmlite import ir

from ....graph.state.forks import after_forks_in_child
from ....graph.state.turns import Turn, exhaust
from ....maths.blas import share_cores
from ...threads import get_num_threads, thread_changes
from ..llvm.builder import Builder
from ..llvm.kernel_context import POINTER
from ..llvm.loops import INT, declared, integer
from ..llvm.target import Library, host, machine_code
from .cache import obtained
from .cache_key import engine_key

# Indices of words in the pool's shared block, each on its own cache line of 8 words:
POSTED, ENTRY, TABLE, OPEN, ACTIVE, BUSY, STOP, YIELD = (8 * number for number in range(8))
SIZE, DONE, BASE = 64, 72, 80  # threads; chunks done in total; DONE at the start of this run
DEQUES = 88  # the first of the deques, one for each thread
_SPINS = 1 << 15  # of an idle worker before it sleeps: about a millisecond
_PATIENCE = 1 << 10  # spins of a waiting thread before it yields its core
# Runs a segment: (table, pool); runs its stages as one thread of the pool: (table, pool, thread).
SEGMENT = ir.FunctionType(ir.VoidType(), [POINTER.as_pointer(), INT.as_pointer()])
STAGES = ir.FunctionType(ir.VoidType(), [POINTER.as_pointer(), INT.as_pointer(), INT])


def word(builder: Any, pool: Any, number: int) -> Any:
    """A pointer to a word of the shared block."""
    return builder.gep(pool, [integer(number)])


def atomic_load(builder: Any, pointer: Any) -> Any:
    """Emits a sequentially consistent load of a word."""
    return builder.load_atomic(pointer, "seq_cst", 8)


def atomic_store(builder: Any, value: Any, pointer: Any) -> None:
    """Emits a sequentially consistent store to a word."""
    builder.store_atomic(value, pointer, "seq_cst", 8)


def emit_pause(builder: Any) -> None:
    """Emits the CPU's hint for a spin loop."""
    number = ir.IntType(32)
    if host().family == "x86":
        builder.call(declared(builder.module, "llvm.x86.sse2.pause", ir.VoidType(), []), [])
    elif host().family == "arm":
        hint = declared(builder.module, "llvm.aarch64.hint", ir.VoidType(), [number])
        builder.call(hint, [ir.Constant(number, 1)])  # yield


def emit_wait(builder: Any, pool: Any, done: Any) -> None:
    """Emits a loop that spins until `done()` holds, and yields the core each `_PATIENCE` spins."""
    function = builder.function
    test, again, rest = (function.append_basic_block(name) for name in ("test", "again", "yield"))
    after = function.append_basic_block("after")
    with builder.goto_entry_block():
        spins = builder.alloca(INT)
    builder.store(integer(0), spins)
    builder.branch(test)
    builder.position_at_end(test)
    builder.cbranch(done(), after, again)
    builder.position_at_end(again)
    emit_pause(builder)
    count = builder.add(builder.load(spins), integer(1))
    builder.store(count, spins)
    builder.cbranch(builder.icmp_signed("<", count, integer(_PATIENCE)), test, rest)
    builder.position_at_end(rest)
    builder.store(integer(0), spins)
    sched_yield = builder.load(word(builder, pool, YIELD))
    with builder.if_then(builder.icmp_signed("!=", sched_yield, integer(0))):
        kind = ir.FunctionType(ir.IntType(32), []).as_pointer()
        builder.call(builder.inttoptr(sched_yield, kind), [])
    builder.branch(test)
    builder.position_at_end(after)


def emit_enter(module: ir.Module) -> ir.Function:
    """Emits enter(table, pool, stages, alone), which runs the stages on the pool, or calls `alone`
    if there is no pool or another run occupies it."""
    if "enter" in module.globals:
        return module.globals["enter"]
    pointer = INT.as_pointer()
    kinds = [*SEGMENT.args, STAGES.as_pointer(), SEGMENT.as_pointer()]
    entry = ir.Function(module, ir.FunctionType(ir.VoidType(), kinds), "enter")
    entry.linkage = "internal"
    table, pool, stages, alone = entry.args
    b: Any = Builder(entry.append_basic_block("entry"))
    with b.if_then(b.icmp_unsigned("==", pool, ir.Constant(pointer, None))):
        b.call(alone, [table, pool])
        b.ret_void()
    taken = b.cmpxchg(word(b, pool, BUSY), integer(0), integer(1), "seq_cst", "seq_cst")
    with b.if_then(b.not_(b.extract_value(taken, 1))):
        b.call(alone, [table, pool])
        b.ret_void()
    b.store(b.load(word(b, pool, DONE)), word(b, pool, BASE))
    address = b.ptrtoint(stages, INT)
    b.store(address, word(b, pool, ENTRY))
    b.store(b.ptrtoint(table, INT), word(b, pool, TABLE))
    number = b.add(b.load(word(b, pool, POSTED)), integer(1))
    atomic_store(b, number, word(b, pool, OPEN))
    atomic_store(b, number, word(b, pool, POSTED))
    b.call(stages, [table, pool, integer(0)])
    atomic_store(b, integer(0), word(b, pool, OPEN))
    zero = integer(0)
    emit_wait(b, pool, lambda: b.icmp_signed("==", atomic_load(b, word(b, pool, ACTIVE)), zero))
    atomic_store(b, integer(0), word(b, pool, BUSY))
    b.ret_void()
    return entry


def _worker_ir() -> str:
    """LLVM IR of worker(pool, thread), which joins run after run as this thread of the pool, and
    returns when it has found no run for `_SPINS` spins."""
    module = ir.Module("thread_pool")
    kind = ir.FunctionType(ir.VoidType(), [INT.as_pointer(), INT])
    function = ir.Function(module, kind, "worker")
    pool, thread = function.args
    b: Any = Builder(function.append_basic_block("entry"))
    seen, spins = b.alloca(INT), b.alloca(INT)
    b.store(atomic_load(b, word(b, pool, POSTED)), seen)
    b.store(integer(0), spins)
    # A worker that wakes in the middle of a run joins that run.
    b.store(b.sub(b.load(seen), integer(1)), seen)
    test, join, idle, out = (
        function.append_basic_block(name) for name in ("test", "join", "idle", "out")
    )
    b.branch(test)
    b.position_at_end(test)
    posted = atomic_load(b, word(b, pool, POSTED))
    b.cbranch(b.icmp_signed("!=", posted, b.load(seen)), join, idle)
    b.position_at_end(join)
    b.store(posted, seen)
    active = word(b, pool, ACTIVE)
    b.atomic_rmw("add", active, integer(1), "seq_cst")
    open_run = atomic_load(b, word(b, pool, OPEN))
    with b.if_then(b.icmp_signed("==", open_run, posted)):
        stages = b.inttoptr(b.load(word(b, pool, ENTRY)), STAGES.as_pointer())
        table = b.inttoptr(b.load(word(b, pool, TABLE)), POINTER.as_pointer())
        b.call(stages, [table, pool, thread])
    b.atomic_rmw("sub", active, integer(1), "seq_cst")
    b.store(integer(0), spins)
    b.branch(test)
    b.position_at_end(idle)
    emit_pause(b)
    count = b.add(b.load(spins), integer(1))
    b.store(count, spins)
    enough = b.icmp_signed(">", count, integer(_SPINS))
    stop = b.icmp_signed("!=", atomic_load(b, word(b, pool, STOP)), integer(0))
    b.cbranch(b.or_(enough, stop), out, test)
    b.position_at_end(out)
    b.ret_void()
    return str(module)


@cache
def _worker() -> Any:
    """(the library that holds it, the compiled function worker)."""
    machine = obtained(lambda: engine_key("worker"), lambda: machine_code(_worker_ir()))
    library = Library(machine.code)
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)
    return library, kind(library.address("worker"))


class ThreadPool:
    """`size` threads, the calling one included, that execute one run at a time."""

    def __init__(self, size: int) -> None:
        self.size = size
        count = DEQUES + 8 * size
        self._allocation = (ctypes.c_int64 * (count + 8))()
        start = ctypes.addressof(self._allocation)
        self.address = start + -start % 64
        self._words = (ctypes.c_int64 * count).from_address(self.address)
        self._words[SIZE] = size
        self._words[POSTED] = 1  # the numbers of runs differ from 0, which marks a closed run
        self._words[YIELD] = _yield_address()
        # The queues of sleeping workers: an element wakes one. A signal handler that interrupts the
        # use of a SimpleQueue may use it too; one that interrupts a Semaphore may not.
        self.asleep: list[SimpleQueue[None]] = []
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Starts the worker threads."""
        _worker()
        for number in range(1, self.size):
            thread = threading.Thread(
                target=self._work, args=(number,), name=f"palingrad-{number}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def _work(self, number: int) -> None:
        _, worker = _worker()
        bell: SimpleQueue[None] = SimpleQueue()
        while not self._words[STOP]:
            worker(self.address, number)
            self.asleep.append(bell)
            if not self._words[STOP]:  # else `stop` may have rung before
                bell.get()

    def wake(self) -> None:
        """Wakes all sleeping workers, without waiting for them to join."""
        # In one call, so that an interrupt leaves no worker asleep that isn't in the list.
        with contextlib.suppress(IndexError):  # the list is empty
            exhaust(map(SimpleQueue[None].put, iter(self.asleep.pop, None), repeat(None)))

    def stop(self) -> None:
        """Stops all worker threads and joins them."""
        self._words[STOP] = 1
        self.wake()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()


@cache
def _yield_address() -> int:
    """The address of the C library's sched_yield, 0 where there is none."""
    try:
        function = ctypes.CDLL(None).sched_yield
    except (AttributeError, OSError, TypeError):
        return 0
    return ctypes.cast(function, ctypes.c_void_p).value or 0


_starting = Turn()
_pools: dict[int, ThreadPool | None] = {}  # at key 0 the process's pool, once it is started


def stop_pool() -> None:
    """Stops the pool; the next run starts one of the size that is set by then."""
    old = _pools.pop(0, None)
    if old is not None:
        old.stop()  # a run that still reads its shared block keeps the pool: see `Memory.use_pool`


thread_changes.append(stop_pool)


def pool() -> ThreadPool | None:
    """This process's thread pool for a run, started by the first call; None for a single thread."""
    try:
        found = _pools[0]
    except KeyError:
        found = _starting.hold(_started)
    if found is not None:
        share_cores()
    return found


def _started() -> ThreadPool | None:
    if 0 in _pools:
        return _pools[0]
    size = get_num_threads()
    new = ThreadPool(size) if size > 1 else None
    if new is not None:
        try:
            new.start()
        except BaseException:
            new.stop()
            raise
    current = _pools.setdefault(0, new)
    if new is not None and new is not current:  # a signal handler has started one meanwhile
        new.stop()
    return current


def _after_fork() -> None:
    """Forgets the pool in a forked child, which has only the thread that called fork."""
    _pools.pop(0, None)


after_forks_in_child(_after_fork)


@atexit.register
def _close() -> None:
    current = _pools.get(0)
    if current is not None:
        current.stop()
