"""Steps and runs without end, functions and models made and dropped: memory stays as it is."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from soak.repeated import EVERY

SHORT = 1
SECONDS = 0.6  # of each of the three phases of an attempt
NATIVE = {"compiled": 2}  # the compilations of each repetition
LLVMLITE = 1500  # bytes that llvmlite itself never frees for each compilation
CACHED = 40  # blocks of a compilation's constants in a bounded cache
os.environ["PALINGRAD_CACHE"] = "off"


class Memory(NamedTuple):
    """What the process holds."""

    blocks: int  # of Python's allocator
    heap: int  # bytes of the C library's allocator
    resident: int  # bytes
    mappings: int  # of the address space: machine code has its own


def attempt(seed: int, folder: Path) -> None:
    """Something is repeated in three phases; the last one leaves nothing behind."""
    name = list(EVERY)[seed % len(EVERY)]
    grown, count, found = growth(EVERY[name], SECONDS)
    compilations = count * NATIVE.get(name, 0)
    allowed = Memory(
        blocks=100 + count // 10 + CACHED * compilations,
        heap=30_000 + 4 * count + LLVMLITE * compilations,
        resident=2_000_000 + 8 * count + 4096 * compilations,
        mappings=8 + count // 20,
    )
    assert all(more <= most for more, most in zip(grown, allowed)), (
        f"{name}: {count} repetitions left {grown}, allowed {allowed}; objects: {found}"
    )


def growth(once: Callable[[int], object], seconds: float) -> tuple[Memory, int, Counter[str]]:
    """What the last of three phases of so many seconds left behind, its number of repetitions, and
    the classes of which it left most objects."""
    warnings.simplefilter("ignore")  # of evictions
    number, end = 0, time.process_time() + seconds
    while time.process_time() < end or number < 20:  # fills the caches
        number += 1
        once(number)
    for k in range(number, 2 * number):
        once(k)
    kinds, before = classes(), held()
    for k in range(2 * number, 3 * number):
        once(k)
    after = held()
    more = Memory(*(y - x for x, y in zip(before, after, strict=True)))
    return more, number, Counter(dict((classes() - kinds).most_common(8)))


def held() -> Memory:
    """What the process holds, without garbage."""
    gc.collect()
    blocks = sys.getallocatedblocks()
    if not sys.platform.startswith("linux"):
        return Memory(blocks, 0, 0, 0)
    _libc.malloc_trim(0)
    found = _libc.mallinfo2()
    with open("/proc/self/statm") as statm, open("/proc/self/maps") as maps:
        resident = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return Memory(blocks, found.uordblks + found.hblkhd, resident, sum(1 for _ in maps))


class _Mallinfo(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
            "fordblks", "keepcost",
        )
    ]  # fmt: skip


_libc = ctypes.CDLL(None)
if sys.platform.startswith("linux"):
    _libc.mallinfo2.restype = _Mallinfo


def classes() -> Counter[str]:
    """The number of objects of each class."""
    return Counter(f"{type(x).__module__}.{type(x).__qualname__}" for x in gc.get_objects())
