"""The target CPU, and compilation of modules for it."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import llvmlite.binding as llvm

from ....graph.state.forks import hold_over_forks
from ....graph.state.records import dataclass
from .caches import Caches, found as found_caches
from .library_functions import provide

T = TypeVar("T")


@dataclass(frozen=True)
class Target:
    """A CPU: its LLVM name and features, its vectors and registers, and its caches."""

    triple: str  # LLVM's target triple: architecture-vendor-system
    cpu: str
    features: str
    vector_bytes: int
    registers: int  # for vectors
    family: str  # x86, arm or another
    fused: str  # the intrinsic for a·b + c: rounded once where the CPU can
    caches: Caches = Caches()

    def lanes(self, itemsize: int) -> int:
        """The number of elements of this size in one vector."""
        return self.vector_bytes // itemsize

    def machine(self) -> Any:
        """A new LLVM target machine; an execution engine takes it over."""
        return llvm.Target.from_triple(self.triple).create_target_machine(
            cpu=self.cpu, features=self.features, opt=2, reloc="pic", codemodel="default", jit=True
        )


@cache
def host() -> Target:
    """The CPU that this process runs on, or the one that PALINGRAD_CPU names (x86-64-v2 …)."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    triple = llvm.get_process_triple()
    family = {"x86_64": "x86", "aarch64": "arm", "arm64": "arm"}.get(triple.split("-")[0], "")
    forced = os.environ.get("PALINGRAD_CPU", "")
    if forced:
        size, registers = _FORCED.get(forced, (16, 32 if family == "arm" else 16))
        fused = "fma" if size > 16 or family == "arm" else "fmuladd"
        return Target(triple, forced, "", size, registers, family, fused, found_caches())
    found = llvm.get_host_cpu_features()
    wide = found.get("avx512f", False) and found.get("avx512vl", False)
    middle = found.get("avx2", False) and found.get("fma", False)
    size = 64 if wide else 32 if middle else 16
    registers = 32 if wide or family == "arm" else 16
    fused = "fma" if middle or wide or family == "arm" else "fmuladd"
    cpu = llvm.get_host_cpu_name()
    return Target(triple, cpu, found.flatten(), size, registers, family, fused, found_caches())


# Bytes of a vector, and the number of vector registers, of the generic x86 levels.
_FORCED = {"x86-64-v2": (16, 16), "x86-64-v3": (32, 16), "x86-64-v4": (64, 32)}


def machine_code(text: str) -> bytes:
    """The code of a module given as LLVM IR, as `Library` loads it."""
    return packed([object_file(text)])


def object_file(text: str) -> bytes:
    """The object file of a module given as LLVM IR. Several threads may compile at a time."""
    machine = _machines.get()
    with _optimised(text, machine) as module, llvm.ffi.OutputString() as error:
        buffer = _unlocked("LLVMPY_TargetMachineEmitToMemory")(machine, module, 1, error)
        if not buffer:
            raise RuntimeError(str(error))
        try:
            start = llvm.ffi.lib.LLVMPY_GetBufferStart(buffer)
            return ctypes.string_at(start, llvm.ffi.lib.LLVMPY_GetBufferSize(buffer))
        finally:
            llvm.ffi.lib.LLVMPY_DisposeMemoryBuffer(buffer)


class _Machines(threading.local):
    """The target machine with which a thread compiles: a new one takes LLVM a millisecond, of which
    most passes when the first function is compiled."""

    _made: tuple[Target, Any] | None = None

    def get(self) -> Any:
        """The thread's machine for `host()`."""
        if self._made is None or self._made[0] is not host():
            self._made = host(), host().machine()
        return self._made[1]


_machines = _Machines()


def packed(objects: Sequence[bytes]) -> bytes:
    """Object files as one piece of code: their number, their sizes, and they."""
    sizes = [len(objects), *map(len, objects)]
    return b"".join([*(size.to_bytes(8, "little") for size in sizes), *objects])


def _unpacked(code: bytes) -> list[bytes]:
    count = int.from_bytes(code[:8], "little")
    place, objects = 8 * (count + 1), list[bytes]()
    for number in range(1, count + 1):
        size = int.from_bytes(code[8 * number : 8 * number + 8], "little")
        objects.append(code[place : place + size])
        place += size
    return objects


def _unlocked(name: str) -> Any:
    """A function of LLVM without llvmlite's lock, which would let only one thread compile. LLVM's
    passes need none, if no other thread uses their context and target machine."""
    function: Any = getattr(llvm.ffi.lib, name)
    try:
        return function._cfn
    except AttributeError:  # not where it was
        return function


def assembly(text: str) -> str:
    """The assembly of a module given as LLVM IR."""
    machine = host().machine()
    with _optimised(text, machine) as module:
        return machine.emit_assembly(module)


@contextmanager
def _optimised(text: str, machine: Any) -> Generator[Any]:
    """The module, optimised, in an LLVM context of its own.

    Constants and types belong to a context, which never frees them before its end: in LLVM's global
    context those of all modules would accumulate.
    """
    own = llvm.create_context()
    try:
        module = llvm.parse_assembly(text, own)
        try:
            module.verify()  # raises RuntimeError; LLVM's passes would abort the process instead
            _optimise(module, machine)
            yield module
        finally:
            module.close()
    finally:
        own.close()


def _optimise(module: Any, machine: Any) -> None:
    """Runs the passes that emitted code gains from.

    It needs no vectoriser, unrolling or inlining, and its loop-invariant values are hoisted by the
    code generator. LLVM's own pipelines, of which O1 is the smallest, take three times as long, and
    the steps of networks run as fast without them.
    """
    # llvmlite never frees the 1488 bytes of a pass builder's callbacks. The builder can't be used
    # for a second module, because a run leaves callbacks behind that refer to its stack frame.
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=1))
    passes = llvm.create_new_module_pass_manager()
    passes.add_sroa_pass()
    passes.add_instruction_combine_pass()
    passes.add_loop_rotate_pass()
    passes.add_simplify_cfg_pass()
    passes.add_dead_code_elimination_pass()
    _unlocked("LLVMPY_RunNewModulePassManager")(passes, module, builder)
    # llvmlite since 0.45 never frees a pass manager, because its class inherits an empty `_dispose`
    # before the effective one. That leaked 50 kB per compilation.
    llvm.ffi.lib.LLVMPY_DisposeNewModulePassManger(passes)
    passes.detach()


class Library:
    """Machine code in memory, as `packed` or `machine_code` returns it. Its functions are valid as
    long as this object exists."""

    def __init__(self, code: bytes, functions: Iterable[str] = ()) -> None:
        """`functions` of other libraries are what the code calls."""
        provide(functions)
        empty = llvm.parse_assembly("")
        self._engine = llvm.create_mcjit_compiler(empty, host().machine())
        for one in _unpacked(code):
            self._engine.add_object_file(llvm.ObjectFileRef.from_data(one))
        self._engine.finalize_object()

    def address(self, name: str) -> int:
        """The address of the function of this name."""
        return self._engine.get_function_address(name)

    def function(self, name: str) -> Any:
        """The function of this name as a Python callable with one pointer argument."""
        return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self.address(name))


def _llvm_lock() -> Any:
    """The lock that llvmlite holds during each call of LLVM; None if it isn't where it was."""
    try:
        return llvm.ffi.lib._lock._lock
    except AttributeError:
        return None


# Held while other threads compile. The holder may wait for llvmlite's lock, and so is registered
# first.
compiling = threading.RLock()
hold_over_forks(lambda: compiling)
hold_over_forks(_llvm_lock)


def compiled(make: Callable[[], T]) -> T:
    """`make()`, which uses LLVM. If it is interrupted, llvmlite's lock is released: llvmlite does
    that in Python code, which the interrupt may have skipped."""
    lock = _llvm_lock()
    if lock is None or lock._is_owned():
        return make()
    try:
        return make()
    except BaseException:
        while lock._is_owned():
            lock.release()
        raise
