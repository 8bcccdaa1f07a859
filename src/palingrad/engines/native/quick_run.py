"""The shortest way through a run of a Program that updates no Variable, and whose results all have
arrays of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from sys import getrefcount
from typing import Any
from weakref import getweakrefcount

from ...dtypes import Array
from ...graph.leaves import Variable
from ...graph.state.landing import snapshot, state
from .runtime.buffers import HELD, Memory, MemoryPlan
from .runtime.thread_pool import pool

# The rest of a run, in this memory, of the arrays that it was given: segments after the first, and
# the run of arrays that machine code refused.
Call = Callable[[Memory, Sequence[Array]], None]


def quick_run(
    buffers: MemoryPlan,
    reads: Sequence[Variable],
    handing: Sequence[tuple[int, tuple[int, ...], bool]],
    start: Callable[[int], int],
    call: Call,
    *,
    is_alone: bool,
    has_more: bool,
) -> Callable[[Sequence[Array]], list[Array]]:
    """The function that runs the program once. `handing` has the slot and the shape of each output,
    and whether the slot's array has that shape; `start` computes the first segment. All it needs is
    a variable of its own: Python's calls and attributes take as long as a small run."""
    take, give_back = buffers.idle.pop, buffers.idle.append
    results = [(slot, *form) for slot, form in enumerate(buffers.forms, buffers.given)]
    only = handing[0][0] if len(handing) == 1 and handing[0][2] else -1

    def run(feeds: Sequence[Array]) -> list[Array]:
        try:
            memory = take()
        except IndexError:
            memory = Memory(buffers)
        objects, number = memory.objects, 0
        for array in feeds:
            objects[number] = id(array)
            number += 1
        if reads and memory.version is not state.version:
            buffers.keep_states(memory, *snapshot(reads))
            for array in memory.states:
                objects[number] = id(array)
                number += 1
        arrays = memory.arrays
        for slot, strides, dtype in results:
            array = arrays[slot]
            if (
                array is None
                or getrefcount(array) > HELD
                or array.strides != strides
                or array.dtype is not dtype
                or getweakrefcount(array)
            ):
                array = None  # its reference would count as a user's
                buffers.results_for(memory)
                break
        array = None
        if not is_alone:
            memory.use_pool(pool())
        if has_more or start(memory.block_address):
            given = [*feeds, *memory.states]
            arrays[: len(given)] = given
            call(memory, given)
            outputs = _returned(arrays, handing)
            buffers.let_go(memory)
        else:
            outputs = [arrays[only]] if only >= 0 else _returned(arrays, handing)
        give_back(memory)
        return outputs

    return run


def _returned(
    arrays: list[Any], handing: Sequence[tuple[int, tuple[int, ...], bool]]
) -> list[Array]:
    return [arrays[slot] if same else arrays[slot].reshape(shape) for slot, shape, same in handing]
