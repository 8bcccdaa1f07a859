"""The native engine."""

from __future__ import annotations

from ...graph.operation import MultipleOutputs
from ...passes.program import Program
from ..base import Executable
from ..numpy import NumpyEngine


class NativeEngine:
    """Compiles a Program to machine code for this CPU; needs llvmlite."""

    name = "native"

    def compile(self, program: Program) -> Executable:
        """A callable that runs the program as machine code."""
        from .executable import NativeExecutable
        from .values import supported

        single = [node for node in program.order if not isinstance(node, MultipleOutputs)]
        if all(supported(node.dtype) for node in single):
            return NativeExecutable(program)
        return NumpyEngine().compile(program)  # a dtype that generated code doesn't know
