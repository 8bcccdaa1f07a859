"""The native engine: chooses machine code for a Program, or NumPy for unsupported dtypes."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

from ...dtypes import is_complex
from ...graph.operation import MultipleOutputs
from ...graph.state.imports import imported
from ...passes.program import Program
from ..base import Executable
from ..numpy import NumpyEngine
from ..threads import get_num_threads


class NativeEngine:
    """Compiles a Program to machine code for this CPU; needs llvmlite."""

    name = "native"

    def compile(self, program: Program) -> Executable:
        """The program as machine code, in which NumPy computes with complex numbers; on NumPy if
        generated code lacks another of its dtypes, or all of them, or has no kernel for any of its
        operations."""
        imported(f"{__package__}.uncompiled")
        from .llvm.target import compiled
        from .llvm.values import supported
        from .uncompiled import executable

        dtypes = {x.dtype for x in program.order if not isinstance(x, MultipleOutputs)}
        known = {dtype for dtype in dtypes if supported(dtype)}
        if known == dtypes or (known and all(map(is_complex, dtypes - known))):
            return compiled(lambda: executable(program))
        return NumpyEngine().compile(program)

    def compile_template(self, template: Program, optimised: Callable[[], Program]) -> Executable:
        """The same for a Program before the passes, which `optimised` applies. Code that is found
        on disk needs no passes."""
        imported(f"{__package__}.recalled")
        from .recalled import compiled

        return compiled(template, optimised, self.compile)


def describe() -> list[tuple[str, str]]:
    """(property, value) of the target of machine code on this computer, for `palingrad info`."""
    if importlib.util.find_spec("llvmlite") is None:
        return [("native", "llvmlite isn't installed, so everything runs on NumPy")]
    imported(f"{__package__}.runtime.cache")
    from .llvm.target import host
    from .runtime import cache

    target = host()
    return [
        ("cpu", target.cpu),
        ("vectors", f"{target.registers} of {8 * target.vector_bytes} bits"),
        ("threads", str(get_num_threads())),
        ("compiled", cache.described()),
    ]
