"""The words of a lease, and the code that reads and writes them; see `lease.py`."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from ..llvm.builder import Builder
from ..llvm.loops import INT, integer
from .thread_pool import atomic_load, atomic_store

# The words: 0, or CHECKING or WRITING while a run is in progress; the number of the lease.
RUNNING, NUMBER = 0, 1
CHECKING, WRITING = 1, 2
# The words of a run's block: the number for which it was prepared, and where the lease's words are.
PREPARED, WORDS = 5, 6
# What `run` returns if the lease has another number, or another run is using it.
REFUSED = 1 << 40


def emit_lease(module: ir.Module, run: ir.Function) -> None:
    """Emits run(block), which calls `run` unless the lease was ended since the run was prepared,
    or is in use, and recalled(words), which ends the lease: it changes the number and returns
    whether a run is in progress.

    Each first writes a word and then reads the other's, in sequentially consistent order. So either
    the run sees the new number, or `recalled` sees the run.
    """
    outer = ir.Function(module, run.function_type, "run")
    (block,) = outer.args
    b: Any = Builder(outer.append_basic_block("entry"))
    words = b.inttoptr(b.load(b.gep(block, [integer(WORDS)])), INT.as_pointer())
    running, number = (b.gep(words, [integer(n)]) for n in (RUNNING, NUMBER))
    taken = b.cmpxchg(running, integer(0), integer(CHECKING), "seq_cst", "seq_cst")
    with b.if_then(b.not_(b.extract_value(taken, 1))):
        b.ret(integer(REFUSED))
    prepared = b.load(b.gep(block, [integer(PREPARED)]))
    with b.if_then(b.icmp_signed("!=", atomic_load(b, number), prepared)):
        atomic_store(b, integer(0), running)
        b.ret(integer(REFUSED))
    atomic_store(b, integer(WRITING), running)
    result = b.call(run, [block])
    atomic_store(b, integer(0), running)
    b.ret(result)

    recalled = ir.Function(module, run.function_type, "recalled")
    (words,) = recalled.args
    b = Builder(recalled.append_basic_block("entry"))
    b.atomic_rmw("add", b.gep(words, [integer(NUMBER)]), integer(1), "seq_cst")
    b.ret(atomic_load(b, b.gep(words, [integer(RUNNING)])))
