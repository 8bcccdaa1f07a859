"""The team: threads that wait in compiled code for a program's stages, and help.

A run posts its table; whoever helps takes chunks of a stage (`sharing.py`), and waits until all of
the stage's chunks are done before it goes on to the next. Nobody waits for a helper that hasn't
come: a run that finds them asleep does all chunks itself. A helper that finds nothing to do for
some thousand spins goes to sleep in Python, where it uses no time, until a run wakes it.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import threading
from functools import cache
from typing import Any

from llvmlite import ir

from ...threads import get_num_threads, thread_changes
from ..llvm.builder import Builder
from ..llvm.kernel_context import POINTER
from ..llvm.loops import INT, declared, integer
from ..llvm.target import Library, host, machine_code
from .cache import obtained
from .cache_key import engine_key

# Words of the shared block, each on a cache line of its own (8 words):
POSTED, ENTRY, TABLE, OPEN, ACTIVE, BUSY, STOP, YIELD = (8 * number for number in range(8))
SIZE, DONE, BASE = 64, 72, 80  # threads; chunks done since ever, and when this run began
LISTS = 88  # from here on a word for each thread: what is left of its part of a stage
_SPINS = 1 << 15  # of an idle helper before it sleeps: about a millisecond
_PATIENCE = 1 << 10  # spins of somebody who waits for others before the system may run these
# What runs a stretch: (table, team); and its stages as one thread of the team: (…, its number).
SEGMENT = ir.FunctionType(ir.VoidType(), [POINTER.as_pointer(), INT.as_pointer()])
STAGES = ir.FunctionType(ir.VoidType(), [POINTER.as_pointer(), INT.as_pointer(), INT])


def word(builder: Any, pool: Any, number: int) -> Any:
    """A pointer to a word of the shared block."""
    return builder.gep(pool, [integer(number)])


def atomic_load(builder: Any, pointer: Any) -> Any:
    """What is there now."""
    return builder.load_atomic(pointer, "seq_cst", 8)


def atomic_store(builder: Any, value: Any, pointer: Any) -> None:
    """Put it there for all to see."""
    builder.store_atomic(value, pointer, "seq_cst", 8)


def emit_pause(builder: Any) -> None:
    """Tell the CPU that this is a waiting loop."""
    number = ir.IntType(32)
    if host().family == "x86":
        builder.call(declared(builder.module, "llvm.x86.sse2.pause", ir.VoidType(), []), [])
    elif host().family == "arm":
        hint = declared(builder.module, "llvm.aarch64.hint", ir.VoidType(), [number])
        builder.call(hint, [ir.Constant(number, 1)])  # yield


def emit_wait(builder: Any, pool: Any, done: Any) -> None:
    """Spin until `done()` holds; after a while let the system run others between looks."""
    function = builder.function
    look, again, rest = (function.append_basic_block(name) for name in ("look", "again", "rest"))
    after = function.append_basic_block("after")
    with builder.goto_entry_block():
        spins = builder.alloca(INT)
    builder.store(integer(0), spins)
    builder.branch(look)
    builder.position_at_end(look)
    builder.cbranch(done(), after, again)
    builder.position_at_end(again)
    emit_pause(builder)
    count = builder.add(builder.load(spins), integer(1))
    builder.store(count, spins)
    builder.cbranch(builder.icmp_signed("<", count, integer(_PATIENCE)), look, rest)
    builder.position_at_end(rest)
    builder.store(integer(0), spins)
    give_way = builder.load(word(builder, pool, YIELD))
    with builder.if_then(builder.icmp_signed("!=", give_way, integer(0))):
        kind = ir.FunctionType(ir.IntType(32), []).as_pointer()
        builder.call(builder.inttoptr(give_way, kind), [])
    builder.branch(look)
    builder.position_at_end(after)


def emit_entry(module: ir.Module, name: str, stages: ir.Function, alone: ir.Function) -> None:
    """`name`(table, team): run the stages with the team's help, or alone if there is no team or it
    is busy with another run."""
    pointer = INT.as_pointer()
    entry = ir.Function(module, SEGMENT, name)
    table, pool = entry.args
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


def _worker() -> str:
    """helper(team, number): helps run after run as this thread of the team; returns when there was
    nothing to do for long."""
    module = ir.Module("team")
    kind = ir.FunctionType(ir.VoidType(), [INT.as_pointer(), INT])
    function = ir.Function(module, kind, "helper")
    pool, thread = function.args
    b: Any = Builder(function.append_basic_block("entry"))
    seen, spins = b.alloca(INT), b.alloca(INT)
    b.store(atomic_load(b, word(b, pool, POSTED)), seen)
    b.store(integer(0), spins)
    # Somebody who comes in the middle of a run may help with the rest of it.
    b.store(b.sub(b.load(seen), integer(1)), seen)
    look, help_, idle, out = (
        function.append_basic_block(name) for name in ("look", "help", "idle", "out")
    )
    b.branch(look)
    b.position_at_end(look)
    posted = atomic_load(b, word(b, pool, POSTED))
    b.cbranch(b.icmp_signed("!=", posted, b.load(seen)), help_, idle)
    b.position_at_end(help_)
    b.store(posted, seen)
    active = word(b, pool, ACTIVE)
    b.atomic_rmw("add", active, integer(1), "seq_cst")
    graph_scope = atomic_load(b, word(b, pool, OPEN))
    with b.if_then(b.icmp_signed("==", graph_scope, posted)):
        stages = b.inttoptr(b.load(word(b, pool, ENTRY)), STAGES.as_pointer())
        table = b.inttoptr(b.load(word(b, pool, TABLE)), POINTER.as_pointer())
        b.call(stages, [table, pool, thread])
    b.atomic_rmw("sub", active, integer(1), "seq_cst")
    b.store(integer(0), spins)
    b.branch(look)
    b.position_at_end(idle)
    emit_pause(b)
    count = b.add(b.load(spins), integer(1))
    b.store(count, spins)
    enough = b.icmp_signed(">", count, integer(_SPINS))
    stop = b.icmp_signed("!=", atomic_load(b, word(b, pool, STOP)), integer(0))
    b.cbranch(b.or_(enough, stop), out, look)
    b.position_at_end(out)
    b.ret_void()
    return str(module)


@cache
def _helper() -> Any:
    made = obtained(lambda: engine_key("helper"), lambda: machine_code(_worker()))
    library = Library(made.code)
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)
    return library, kind(library.address("helper"))


class ThreadPool:
    """`size` threads, this one among them, that work on one run at a time."""

    def __init__(self, size: int) -> None:
        self.size = size
        count = LISTS + 8 * size
        self._room = (ctypes.c_int64 * (count + 8))()
        start = ctypes.addressof(self._room)
        self.address = start + -start % 64
        self._words = (ctypes.c_int64 * count).from_address(self.address)
        self._words[SIZE] = size
        self._words[POSTED] = 1  # of which 0, the mark of a closed run, is no number
        self._words[YIELD] = _yield_address()
        self.asleep = 0
        self._lock = threading.Lock()
        self._bell = threading.Semaphore(0)
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the helpers."""
        _helper()
        for number in range(1, self.size):
            thread = threading.Thread(
                target=self._help, args=(number,), name=f"palingrad-{number}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def _help(self, number: int) -> None:
        _, helper = _helper()
        while not self._words[STOP]:
            helper(self.address, number)
            with self._lock:
                if self._words[STOP]:
                    return
                self.asleep += 1
            self._bell.acquire()

    def wake(self) -> None:
        """Ring for all who sleep; they come when they come."""
        with self._lock:
            count, self.asleep = self.asleep, 0
        for _ in range(count):
            self._bell.release()

    def stop(self) -> None:
        """Let all helpers go home."""
        self._words[STOP] = 1
        self.wake()
        for thread in self._threads:
            thread.join()


def _yield_address() -> int:
    """The C library's sched_yield, where there is one."""
    try:
        function = ctypes.CDLL(None).sched_yield
    except (AttributeError, OSError, TypeError):
        return 0
    return ctypes.cast(function, ctypes.c_void_p).value or 0


_lock = threading.Lock()
_teams: dict[int, ThreadPool | None] = {}  # one, once it is there
_former: list[ThreadPool] = []  # whose block a run may still look at


def dismiss() -> None:
    """Let the helpers go; the next run starts as many as are wanted then."""
    with _lock:
        old = _teams.pop(0, None)
    if old is not None:
        _former.append(old)
        old.stop()


thread_changes.append(dismiss)


def pool() -> ThreadPool | None:
    """This process's team, started when it is first asked for; None for a single thread."""
    try:
        return _teams[0]
    except KeyError:
        pass
    with _lock:
        if 0 not in _teams:
            size = get_num_threads()
            made = ThreadPool(size) if size > 1 else None
            if made is not None:
                made.start()
            _teams[0] = made
        return _teams[0]


def _after_fork() -> None:
    """A forked child has no threads but its own."""
    global _lock
    _lock = threading.Lock()
    made = _teams.pop(0, None)
    if made is not None:
        _former.append(made)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@atexit.register
def _close() -> None:
    made = _teams.get(0)
    if made is not None:
        made.stop()
