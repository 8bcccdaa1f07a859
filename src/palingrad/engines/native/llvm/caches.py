"""The sizes of the CPU's caches, from which kernels derive the sizes of their blocks.

Linux: /sys/devices/system/cpu/cpu0/cache, else glibc's sysconf. macOS: sysctl, of the faster cores.
Elsewhere, and where these say nothing plausible: 32 KiB and 512 KiB, which most CPUs exceed.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from ....graph.state.records import dataclass

LINE = 64  # bytes of a cache line; Apple's have two such halves
_FOLDER = Path("/sys/devices/system/cpu/cpu0/cache")
_UNITS = {"K": 1 << 10, "M": 1 << 20}


@dataclass(frozen=True)
class Caches:
    """Bytes of the data caches that one core has to itself. A second-level cache for several cores
    counts in equal parts."""

    first: int = 32 << 10
    second: int = 512 << 10

    @property
    def near(self) -> int:
        """The largest power of two that fits the first-level cache: 32 KiB of 48 KiB, so that what
        streams past has room."""
        return 1 << (self.first.bit_length() - 1)


def found() -> Caches:
    """The caches of this machine's first CPU."""
    for first, second in (_of_folder(_FOLDER), _of_sysctl(), _of_sysconf()):
        if 8 << 10 <= first <= 1 << 20 and 64 << 10 <= second <= 1 << 28:
            return Caches(first, second)
    return Caches()


def _of_folder(folder: Path) -> tuple[int, int]:
    """(first level, second level) as Linux lists them; zeros if they aren't listed."""
    sizes, sharers = {1: 0, 2: 0}, {1: 1, 2: 1}
    try:
        for one in sorted(folder.glob("index*")):
            level = int((one / "level").read_text())
            if level in sizes and (one / "type").read_text().strip() in ("Data", "Unified"):
                sizes[level] = _bytes((one / "size").read_text().strip())
                sharers[level] = _count((one / "shared_cpu_list").read_text())
    except (OSError, ValueError):
        return 0, 0
    # CPUs that share the first level are threads of one core.
    return sizes[1], sizes[2] // max(sharers[2] // sharers[1], 1)


def _bytes(text: str) -> int:
    """512K is 524288."""
    return int(text[:-1]) * _UNITS[text[-1]] if text[-1:] in _UNITS else int(text)


def _count(text: str) -> int:
    """The number of CPUs in a list such as 0-3,8."""
    ends = [one.split("-") for one in text.strip().split(",")]
    return sum(int(one[-1]) - int(one[0]) + 1 for one in ends)


def _of_sysctl() -> tuple[int, int]:
    """(first level, second level) of macOS's faster cores; zeros elsewhere."""
    if sys.platform != "darwin":
        return 0, 0
    library = ctypes.CDLL(None)

    def number(name: str) -> int:
        value = ctypes.c_int64(0)
        size = ctypes.c_size_t(ctypes.sizeof(value))
        failed = library.sysctlbyname(
            name.encode(), ctypes.byref(value), ctypes.byref(size), None, ctypes.c_size_t(0)
        )
        return 0 if failed else value.value

    first = number("hw.perflevel0.l1dcachesize") or number("hw.l1dcachesize")
    second = number("hw.perflevel0.l2cachesize") or number("hw.l2cachesize")
    return first, second // max(number("hw.perflevel0.cpusperl2"), 1)


def _of_sysconf() -> tuple[int, int]:
    """(first level, second level) as glibc knows them; zeros elsewhere."""
    try:
        return os.sysconf("SC_LEVEL1_DCACHE_SIZE"), os.sysconf("SC_LEVEL2_CACHE_SIZE")
    except (AttributeError, OSError, ValueError):  # no such function, or no such name
        return 0, 0
