"""The peak performance of the hardware: fused multiply-adds and bytes per second.

Two small loops in LLVM IR: twelve independent chains of vector multiply-adds, and a ← b + s·c over
arrays far larger than the caches (the triad of McCalpin's STREAM).
"""

from __future__ import annotations

import ctypes
import importlib.util
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

CHAINS = 12  # independent sums: enough to hide four cycles of latency on two units, and no more
# than 16 registers hold
TURNS = 2_000_000
NUMBERS = 32_000_000  # float32, in each of the triad's arrays
REPEATS = 5

LOOPS = """
declare {v} @llvm.fma.{kind}({v}, {v}, {v})

define void @fma(ptr %out, i64 %turns) {{
entry:
  %x = load {v}, ptr %out, align 4
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
{phis}
{steps}
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %turns
  br i1 %more, label %loop, label %done
done:
{sums}
  store {v} %t{last}, ptr %out, align 4
  ret void
}}

define void @triad(ptr noalias %a, ptr noalias %b, ptr noalias %c, i64 %start, i64 %stop) {{
entry:
  br label %loop
loop:
  %i = phi i64 [ %start, %entry ], [ %next, %loop ]
  %to = getelementptr float, ptr %a, i64 %i
  %pb = getelementptr float, ptr %b, i64 %i
  %pc = getelementptr float, ptr %c, i64 %i
  %vb = load {v}, ptr %pb, align 4
  %vc = load {v}, ptr %pc, align 4
  %r = call {v} @llvm.fma.{kind}({v} %vc, {v} {scale}, {v} %vb)
  store {v} %r, ptr %to, align 4
  %next = add i64 %i, {lanes}
  %more = icmp slt i64 %next, %stop
  br i1 %more, label %loop, label %done
done:
  ret void
}}
"""


def measured(threads: int) -> dict[str, dict[str, float]] | None:
    """GFLOP/s and GB/s of one thread and of all threads; None without llvmlite."""
    if importlib.util.find_spec("llvmlite") is None:
        return None
    fma, triad, lanes, _alive = compiled()
    outs = [np.full(lanes, 1e-3, np.float32) for _ in range(threads)]
    a, b, c = (np.ones(NUMBERS, np.float32) for _ in range(3))

    def multiply(place: int, among: int) -> None:
        fma(outs[place].ctypes.data, TURNS)

    def move(place: int, among: int) -> None:
        part = NUMBERS // among // lanes * lanes
        triad(a.ctypes.data, b.ctypes.data, c.ctypes.data, place * part, (place + 1) * part)

    flops, moved = 2.0 * lanes * CHAINS * TURNS, 3.0 * 4 * NUMBERS
    found: dict[str, dict[str, float]] = {}
    for count in sorted({1, threads}):
        found[str(count)] = {
            "gflops": count * flops / fastest(multiply, count) / 1e9,
            "gbytes": moved / fastest(move, count) / 1e9,
        }
    return found


def fastest(work: Callable[[int, int], None], threads: int) -> float:
    """The minimum time in seconds, over some repeats, of `work(place, among)` on all threads."""
    best = float("inf")
    for _ in range(REPEATS):
        workers = [threading.Thread(target=work, args=(i, threads)) for i in range(threads)]
        start = time.perf_counter()
        for one in workers:
            one.start()
        for one in workers:
            one.join()
        best = min(best, time.perf_counter() - start)
    return best


def source(lanes: int) -> str:
    """The LLVM IR of both loops, for vectors of `lanes` float32 numbers."""
    v, kind, numbers = f"<{lanes} x float>", f"v{lanes}f32", range(CHAINS)
    fma = f"call {v} @llvm.fma.{kind}"
    sums = [f"  %t{i} = fadd {v} %r{i}, {f'%t{i - 1}' if i else '%x'}" for i in numbers]
    return LOOPS.format(
        v=v,
        kind=kind,
        lanes=lanes,
        last=CHAINS - 1,
        scale=f"<{', '.join(['float 3.0'] * lanes)}>",
        phis="\n".join(f"  %s{i} = phi {v} [ %x, %entry ], [ %r{i}, %loop ]" for i in numbers),
        steps="\n".join(f"  %r{i} = {fma}({v} %s{i}, {v} %x, {v} %x)" for i in numbers),
        sums="\n".join(sums),
    )


def compiled() -> tuple[Any, Any, int, Any]:
    """Both functions, the lanes of a vector, and the object that keeps the functions alive."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features()
    lanes = 16 if features.get("avx512f") else 8 if features.get("avx2") else 4
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features.flatten(), opt=3, jit=True
    )
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(source(lanes)), machine)
    engine.finalize_object()
    pointer, whole = ctypes.c_void_p, ctypes.c_int64
    fma = ctypes.CFUNCTYPE(None, pointer, whole)(engine.get_function_address("fma"))
    triad = ctypes.CFUNCTYPE(None, pointer, pointer, pointer, whole, whole)(
        engine.get_function_address("triad")
    )
    return fma, triad, lanes, engine
