"""The native engine."""

from __future__ import annotations

from ...passes.program import Program
from ..base import Executable


class NativeEngine:
    """Compiles a Program to machine code for this CPU; needs llvmlite."""

    name = "native"

    def compile(self, program: Program) -> Executable:
        """A callable that runs the program as machine code."""
        from .executable import NativeExecutable

        return NativeExecutable(program)
