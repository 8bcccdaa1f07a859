"""How the threads of a team share the chunks of a stage.

Each thread has a list of its own: of every kernel the same part of its chunks in each run, so that
what it wrote in one stage or run it finds in its own caches in the next. It takes chunks from the
front of its list; when that is empty, from the ends of the others'. Which thread does a chunk is
nothing that results depend on.

A list is one word of the team's block, which says how many chunks are taken from its front and how
many from its end, and of which stage: stages are numbered by how many chunks the team had done
before. So a new stage finds all lists full, and who comes too late for one finds it empty.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from ..llvm.builder import Builder
from ..llvm.loops import INT, integer, loop
from ..plan.schedule import MAX_CHUNKS
from .thread_pool import BASE, DONE, LISTS, SIZE, atomic_load, emit_wait, word

# Of a list's word: chunks taken from the front, from the end, and above the stage's number. These
# 42 bits begin anew after 4·10¹² chunks, months of work.
_BITS = 11
assert MAX_CHUNKS <= 1 << (_BITS - 1)  # so that neither count of a deque overflows
_LATER = 1 << 24  # chunks by which a stage can be ahead of somebody who is late; any other list is
# one that nobody has taken from for long
_POOL = INT.as_pointer()


def emit_stage(
    b: Any, pool: Any, index: Any, chunks: list[int], before: int, work: Callable[[int, Any], None]
) -> None:
    """Take chunks as thread `index` until there are none, then wait until all are done.

    `chunks` says how many each kernel of the stage has, `before` how many all stages before had.
    `work(k, chunk)` emits one chunk of kernel k.
    """
    total = sum(chunks)
    base = b.load(word(b, pool, BASE))
    stage = b.add(base, integer(before))
    threads = b.load(word(b, pool, SIZE))
    share = _share(b.module)
    with b.goto_entry_block():
        done, owner = b.alloca(INT), b.alloca(INT)
    b.store(integer(0), done)
    b.store(index, owner)
    with loop(b, integer(0), threads) as turn:
        mine = b.load(owner)
        parts: list[tuple[Any, Any]] = []  # of each kernel: the first chunk in the list, how many
        length: Any = integer(0)
        start = 0
        for count in chunks:
            low, high = (
                b.call(share, [integer(count), integer(start), one, threads])
                for one in (mine, b.add(mine, integer(1)))
            )
            parts.append((low, b.sub(high, low)))
            length = b.add(length, parts[-1][1])
            start += count
        take, some, none = (
            b.function.append_basic_block(name) for name in ("take", "work", "none")
        )
        b.branch(take)
        b.position_at_end(take)
        place = b.call(_take(b.module), [_list(b, pool, mine), stage, length, turn])
        b.cbranch(b.icmp_signed(">=", place, integer(0)), some, none)
        b.position_at_end(some)
        for number, (low, many) in enumerate(parts):
            inside = b.and_(b.icmp_signed(">=", place, integer(0)), b.icmp_signed("<", place, many))
            with b.if_then(inside):
                work(number, b.add(low, place))
            place = b.sub(place, many)
        b.store(b.add(b.load(done), integer(1)), done)
        b.branch(take)
        b.position_at_end(none)
        following = b.add(mine, integer(1))
        last = b.icmp_signed("==", following, threads)
        b.store(b.select(last, integer(0), following), owner)
    b.call(_finish(b.module), [pool, b.load(done), b.add(stage, integer(total))])


def _list(b: Any, pool: Any, thread: Any) -> Any:
    """A pointer to the word that is a thread's list."""
    return b.gep(pool, [b.add(integer(LISTS), b.mul(thread, integer(8)))])


def _function(module: ir.Module, name: str, result: Any, kinds: list[Any]) -> tuple[Any, Any]:
    """A new function of the module's own, and its builder."""
    function = ir.Function(module, ir.FunctionType(result, kinds), name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    b: Any = Builder(function.append_basic_block("entry"))
    return function, b


def _share(module: ir.Module) -> Any:
    """share(count, start, thread, threads): which of `count` chunks is the thread's first, as even
    as can be. Chunks left over go to thread after thread, from `start` on."""
    if "share" in module.globals:
        return module.globals["share"]
    function, b = _function(module, "share", INT, [INT] * 4)
    count, start, thread, threads = function.args
    turn = b.srem(b.add(start, b.sub(threads, integer(1))), threads)
    b.ret(b.sdiv(b.add(b.mul(count, thread), turn), threads))
    return function


def _take(module: ir.Module) -> Any:
    """take(list, stage, length, steal): the place in the list of a chunk that is the caller's now,
    from the end if it isn't the caller's list; −1 if there is none."""
    if "take" in module.globals:
        return module.globals["take"]
    function, b = _function(module, "take", INT, [_POOL, INT, INT, INT])
    shared, stage, length, steal = function.args
    look, fine, again = (function.append_basic_block(name) for name in ("look", "fine", "again"))
    mark = b.shl(stage, integer(2 * _BITS))
    counts = integer((1 << 2 * _BITS) - 1)
    stealing = b.icmp_signed("!=", steal, integer(0))
    one = b.select(stealing, integer(1 << _BITS), integer(1))
    b.branch(look)
    b.position_at_end(look)
    found = atomic_load(b, shared)
    ahead = b.sub(b.and_(found, b.not_(counts)), mark)
    full = b.icmp_signed("!=", ahead, integer(0))  # nobody has taken anything yet,
    near = b.icmp_unsigned("<", ahead, integer(_LATER << 2 * _BITS))
    with b.if_then(b.and_(full, near)):
        b.ret(integer(-1))  # or the stage is over
    word_now = b.select(full, mark, found)
    front = b.and_(word_now, integer((1 << _BITS) - 1))
    end = b.and_(b.lshr(word_now, integer(_BITS)), integer((1 << _BITS) - 1))
    some = b.icmp_signed("<", b.add(front, end), length)
    with b.if_then(b.not_(some)):
        b.ret(integer(-1))
    taken = b.cmpxchg(shared, found, b.add(word_now, one), "seq_cst", "seq_cst")
    b.cbranch(b.extract_value(taken, 1), fine, again)
    b.position_at_end(again)
    b.branch(look)
    b.position_at_end(fine)
    last = b.sub(b.sub(length, integer(1)), end)
    b.ret(b.select(stealing, last, front))
    return function


def _finish(module: ir.Module) -> Any:
    """finish(team, done, all): so many chunks are done; return when all are."""
    if "finish" in module.globals:
        return module.globals["finish"]
    function, b = _function(module, "finish", ir.VoidType(), [_POOL, INT, INT])
    pool, done, wanted = function.args
    counter = word(b, pool, DONE)
    with b.if_then(b.icmp_signed(">", done, integer(0))):
        b.atomic_rmw("add", counter, done, "seq_cst")
    emit_wait(
        b, pool,
        lambda: b.icmp_signed(">=", b.sub(atomic_load(b, counter), wanted), integer(0)),
    )  # fmt: skip
    b.ret_void()
    return function
