"""Which executable a Program gets: machine code, or NumPy alone where nothing has a kernel."""

from __future__ import annotations

from ...passes.program import Program
from ..base import Executable
from ..numpy import NumpyExecutable
from .executable import NativeExecutable
from .native_loops import compile_with, formula_of
from .plan.lower import lowered
from .plan.schedule import Schedule, scheduled
from .report import explained
from .runtime.buffers import BufferTable


def executable(program: Program, *, inside: bool = False, flushes: bool = False) -> Executable:
    """The program as machine code, or run by NumPy if all its kernels are fallbacks. `inside`:
    whether it is the body of a loop, so that loops in it run within its machine code. `flushes`:
    whether subnormal numbers count as 0 in it."""
    simpler = lowered(program)
    schedule = scheduled(simpler, inside=inside, flushes=flushes)
    if any(one.kernel.is_native for one in schedule.kernels):
        return NativeExecutable(simpler, schedule)
    return UncompiledExecutable(simpler, schedule)


class UncompiledExecutable(NumpyExecutable):
    """A Program without native kernels. The numpy engine's steps cost less than fallbacks, whose
    operands and results are in a table for machine code."""

    def __init__(self, program: Program, schedule: Schedule) -> None:
        super().__init__(program, formula_of)
        self._schedule = schedule

    def explain(self) -> str:
        buffers = BufferTable(self.program, self._schedule)
        return explained(self.program, self._schedule, buffers, None)


compile_with(executable, NativeExecutable)
