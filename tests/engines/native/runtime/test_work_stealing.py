"""Each chunk is taken once, usually by the thread whose deque holds it, whatever the order in which
threads ask; a thread that is late for a stage takes none of a later stage's chunks."""

from __future__ import annotations

import ctypes
import random
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from llvmlite import ir

import palingrad as pg
from palingrad.engines.native.llvm.target import Library, machine_code
from palingrad.engines.native.plan import schedule
from palingrad.engines.native.plan.lower import lowered
from palingrad.engines.native.runtime import work_stealing

INT = ctypes.c_int64


@cache
def functions() -> tuple[Any, Any, Any]:
    """first_chunk and take, compiled as in every program, and the library that holds them."""
    module = ir.Module("work_stealing")
    for function in (work_stealing.emit_first_chunk(module), work_stealing.emit_take(module)):
        function.linkage = "external"
    library = Library(machine_code(str(module)))
    share = ctypes.CFUNCTYPE(INT, INT, INT, INT, INT)(library.address("first_chunk"))
    take = ctypes.CFUNCTYPE(INT, ctypes.POINTER(INT), INT, INT, INT)(library.address("take"))
    return share, take, library


@pytest.mark.parametrize("threads", [1, 2, 3, 5, 64])
def test_threads_share_the_chunks_of_a_kernel_evenly(threads):
    share, *_ = functions()
    start = 0
    for count in (1, 1, 1, 2, 5, 12, 64):
        bounds = [share(count, start, one, threads) for one in range(threads + 1)]
        sizes = [high - low for low, high in pairwise(bounds)]
        assert (bounds[0], bounds[-1]) == (0, count)
        assert max(sizes) - min(sizes) <= 1
        start += count


def test_single_chunks_go_to_successive_threads():
    share, *_ = functions()
    owners = [
        next(one for one in range(3) if share(1, start, one + 1, 3)) for start in range(6)
    ]  # fmt: skip
    assert owners[0] == 0
    assert sorted(owners) == [0, 0, 1, 1, 2, 2]


def test_every_chunk_is_taken_once_from_the_front_by_its_owner_and_from_the_back_by_thieves():
    _, take, _ = functions()
    word = INT(0)
    stage = 7
    for length in (1, 2, 9, 40):
        order = random.Random(length)
        owner: list[int] = []
        thief: list[int] = []
        while True:
            steal = order.random() < 0.4
            place = take(word, stage, length, int(steal))
            if place < 0:
                break
            (thief if steal else owner).append(place)
        assert owner == sorted(owner)
        assert thief == sorted(thief, reverse=True)
        assert sorted(owner + thief) == list(range(length))
        assert take(word, stage, length, 0) == take(word, stage, length, 1) == -1
        stage += length


def test_a_late_thread_gets_no_chunk_of_a_later_stage():
    _, take, _ = functions()
    word = INT(0)
    assert take(word, 10, 4, 0) == 0
    assert take(word, 14, 3, 1) == 2  # the next stage has begun
    assert take(word, 10, 4, 0) == -1
    assert [take(word, 14, 3, 0), take(word, 14, 3, 0), take(word, 14, 3, 0)] == [0, 1, -1]


@pytest.mark.parametrize("before", [0, 1, 1 << 30, 1 << 41, (1 << 42) - (1 << 25), 3 << 45])
def test_a_deque_unused_for_many_stages_is_full(before):
    _, take, _ = functions()
    word = INT(0)
    assert take(word, 5, 2, 0) == 0
    stage = 5 + 2 + before
    assert sorted(take(word, stage, 3, steal) for steal in (0, 1, 0)) == [0, 1, 2]


def test_a_stage_of_many_kernels_is_cut_in_several(monkeypatch):
    monkeypatch.setattr(schedule, "MAX_CHUNKS", 8)
    x = np.linspace(0, 1, 100_003, dtype=np.float32)
    many = pg.function(lambda x: [pg.sum(x[n : n + 40_000]) for n in range(21)], engine="numpy")
    stages = schedule.scheduled(lowered(many.program(x))).stages
    assert sum(kernel.chunks for stage in stages for kernel in stage) > 21
    assert max(sum(kernel.chunks for kernel in stage) for stage in stages) <= 8
