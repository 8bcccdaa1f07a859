"""Work stealing: how the threads of the pool share the chunks of a stage.

Each thread has a deque, which holds the same part of each kernel's chunks in every run, so that a
thread finds what it wrote in an earlier stage or run in its own caches. A thread takes chunks from
the front of its deque; when that is empty, it steals from the back of the others'. Results do not
depend on which thread executes a chunk.

A deque is one 64-bit word of the pool's shared block: the number of chunks taken from the front,
the number taken from the back, and the number of the stage. A stage's number is the count of chunks
that the pool had done before it. So every deque is full when a stage begins, without a reset, and
a thread that arrives after the stage has finished sees an empty deque. `dispatch.py` has the loops
that use these functions.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from ..llvm.builder import Builder
from ..llvm.loops import INT, integer
from ..plan.schedule import MAX_CHUNKS
from .thread_pool import DEQUES, DONE, atomic_load, emit_wait, word

# A deque's word, from the low end: `_BITS` bits count the chunks taken from the front, `_BITS` bits
# those taken from the back, and 42 bits hold the stage's number, which wraps around after 4·10¹²
# chunks (months of work).
_BITS = 11
assert MAX_CHUNKS <= 1 << (_BITS - 1)  # so that neither count of a deque overflows
# A deque whose stage is fewer chunks than this ahead of the thread's belongs to a later stage, and
# the thread is late. Any other difference means that the deque was last used in an earlier stage.
_LATER = 1 << 24
_POOL = INT.as_pointer()


def deque(b: Any, pool: Any, thread: Any) -> Any:
    """A pointer to the word that is a thread's deque."""
    return b.gep(pool, [b.add(integer(DEQUES), b.mul(thread, integer(8)))])


def internal_function(
    module: ir.Module, name: str, result: Any, llvm_types: list[Any]
) -> tuple[Any, Any]:
    """A new internal function of the module, and its builder."""
    function = ir.Function(module, ir.FunctionType(result, llvm_types), name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    b: Any = Builder(function.append_basic_block("entry"))
    return function, b


def emit_first_chunk(module: ir.Module) -> Any:
    """first_chunk(count, start, thread, threads): the first chunk of the thread's part when `count`
    chunks are divided as evenly as possible. The remaining chunks go to one thread each, beginning
    at a thread that depends on `start`. Tests call the function alone."""
    if "first_chunk" in module.globals:
        return module.globals["first_chunk"]
    function, b = internal_function(module, "first_chunk", INT, [INT] * 4)
    count, start, thread, threads = function.args
    rotation = b.srem(b.add(start, b.sub(threads, integer(1))), threads)
    b.ret(b.sdiv(b.add(b.mul(count, thread), rotation), threads))
    return function


def emit_take(module: ir.Module) -> Any:
    """take(deque, stage, length, steal): removes a chunk from the front of the deque, or from its
    back if `steal` isn't 0, and returns the chunk's position; −1 if the deque is empty. Tests call
    the function alone, in orders of events that running threads seldom meet."""
    if "take" in module.globals:
        return module.globals["take"]
    function, b = internal_function(module, "take", INT, [_POOL, INT, INT, INT])
    shared, stage, length, steal = function.args
    attempt, success, again = (
        function.append_basic_block(name) for name in ("attempt", "success", "again")
    )
    mark = b.shl(stage, integer(2 * _BITS))
    counts = integer((1 << 2 * _BITS) - 1)
    stealing = b.icmp_signed("!=", steal, integer(0))
    one = b.select(stealing, integer(1 << _BITS), integer(1))
    b.branch(attempt)
    b.position_at_end(attempt)
    stored = atomic_load(b, shared)
    ahead = b.sub(b.and_(stored, b.not_(counts)), mark)
    other_stage = b.icmp_signed("!=", ahead, integer(0))
    later = b.icmp_unsigned("<", ahead, integer(_LATER << 2 * _BITS))
    with b.if_then(b.and_(other_stage, later)):
        b.ret(integer(-1))  # the caller's stage is over
    # A deque of an earlier stage is full: no thread has taken a chunk of this stage from it.
    current = b.select(other_stage, mark, stored)
    front = b.and_(current, integer((1 << _BITS) - 1))
    back = b.and_(b.lshr(current, integer(_BITS)), integer((1 << _BITS) - 1))
    with b.if_then(b.icmp_signed(">=", b.add(front, back), length)):
        b.ret(integer(-1))
    exchange = b.cmpxchg(shared, stored, b.add(current, one), "seq_cst", "seq_cst")
    b.cbranch(b.extract_value(exchange, 1), success, again)
    b.position_at_end(again)
    b.branch(attempt)
    b.position_at_end(success)
    last = b.sub(b.sub(length, integer(1)), back)
    b.ret(b.select(stealing, last, front))
    return function


def emit_finish(module: ir.Module) -> Any:
    """finish(pool, done, total): adds `done` to the pool's count of chunks, and returns when that
    count has reached `total`."""
    if "finish" in module.globals:
        return module.globals["finish"]
    function, b = internal_function(module, "finish", ir.VoidType(), [_POOL, INT, INT])
    pool, done, total = function.args
    counter = word(b, pool, DONE)
    with b.if_then(b.icmp_signed(">", done, integer(0))):
        b.atomic_rmw("add", counter, done, "seq_cst")
    emit_wait(
        b, pool,
        lambda: b.icmp_signed(">=", b.sub(atomic_load(b, counter), total), integer(0)),
    )  # fmt: skip
    b.ret_void()
    return function
