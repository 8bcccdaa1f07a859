"""Flush denormals to zero: subnormal numbers count as 0 while a training step runs.

A moment whose gradient stays 0 shrinks step by step until it is subnormal, and stays subnormal.
On some CPUs arithmetic with such numbers takes a hundred times as long. The mode is a setting of
the thread, which is restored at the end.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir

from .builder import INT, INT32, declared
from .loops import BYTE, integer
from .target import host

_MXCSR = 0x8040  # Intel 64 manual, volume 1, 10.2.3: flush to zero, denormals are zeros
_FPCR = 1 << 24  # Arm architecture reference manual, FPCR.FZ


@contextmanager
def flush_denormals(b: Any, wanted: bool) -> Generator[None]:
    """Code emitted inside the `with` block flushes denormals, if `wanted` and the CPU is known."""
    family = host().family if wanted else ""
    if family == "x86":
        with b.goto_entry_block():
            before, inside = b.alloca(INT32), b.alloca(INT32)
        _x86(b, "st", before)
        b.store(b.or_(b.load(before), ir.Constant(INT32, _MXCSR)), inside)
        _x86(b, "ld", inside)
        yield
        _x86(b, "ld", before)
    elif family == "arm":
        read = declared(b.module, "llvm.aarch64.get.fpcr", INT, [])
        write = declared(b.module, "llvm.aarch64.set.fpcr", ir.VoidType(), [INT])
        found = b.call(read, [])
        b.call(write, [b.or_(found, integer(_FPCR))])
        yield
        b.call(write, [found])
    else:
        yield


def _x86(b: Any, which: str, place: Any) -> None:
    pointer = BYTE.as_pointer()
    function = declared(b.module, f"llvm.x86.sse.{which}mxcsr", ir.VoidType(), [pointer])
    b.call(function, [b.bitcast(place, pointer)])
