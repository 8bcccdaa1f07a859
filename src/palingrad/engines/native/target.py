"""This CPU as LLVM sees it, and modules compiled for it."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache
from typing import Any

import llvmlite.binding as llvm


@dataclass(frozen=True)
class Target:
    """A CPU: its LLVM name and features, the bytes of a vector and how many vectors it holds."""

    cpu: str
    features: str
    vector_bytes: int
    registers: int

    def lanes(self, itemsize: int) -> int:
        """How many elements of this size one vector holds."""
        return self.vector_bytes // itemsize

    def machine(self) -> Any:
        """A new LLVM target machine; an execution engine takes it over."""
        triple = llvm.Target.from_default_triple()
        return triple.create_target_machine(
            cpu=self.cpu, features=self.features, opt=2, reloc="pic", codemodel="default", jit=True
        )


@cache
def host() -> Target:
    """The CPU that this process runs on."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    found = llvm.get_host_cpu_features()
    wide = found.get("avx512f", False)
    middle = found.get("avx2", False) and found.get("fma", False)
    cpu, features = llvm.get_host_cpu_name(), found.flatten()
    neon = found.get("neon", False)
    size = 64 if wide else 32 if middle else 16
    return Target(cpu, features, size, 32 if wide or neon else 16)


class Library:
    """A compiled module; its functions stay callable as long as it lives."""

    def __init__(self, text: str) -> None:
        machine = host().machine()
        module = llvm.parse_assembly(text)
        module.verify()
        options = llvm.create_pipeline_tuning_options(speed_level=2)
        options.loop_vectorization = options.slp_vectorization = False  # vectors are ours already
        passes = llvm.create_pass_builder(machine, options)
        passes.getModulePassManager().run(module, passes)
        self.module = module
        self._engine = llvm.create_mcjit_compiler(module, machine)
        self._engine.finalize_object()

    def function(self, name: str) -> Any:
        """The function of this name, taking one pointer."""
        address = self._engine.get_function_address(name)
        return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)

    def assembly(self) -> str:
        """The module's machine code as text."""
        return host().machine().emit_assembly(self.module)
