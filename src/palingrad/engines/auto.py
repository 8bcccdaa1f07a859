"""The engine that is used where none is named: numpy until a Program has proved hot, then native.

Nobody waits for a compiler on a graph that runs once. What a run costs on the numpy engine and what
compiling costs is estimated from counts and sizes alone, never from the clock or from what is in
the cache: so the same calls run the same code, and give the same bits, every time.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Collection, Sequence

from ..dtypes import Array
from ..graph.kinds import Contract, Window
from ..graph.node import Node
from ..graph.operation import MultipleOutputs, Operation
from ..passes.program import Program
from ..shapes import size
from .base import Executable
from .native.engine import NativeEngine
from .numpy import NumpyEngine

_CALL = 1.0  # microseconds that NumPy takes for an operation on little
_ELEMENT = 5e-4  # microseconds for each element
_PRODUCT = 2e-5  # microseconds for each multiplication of a product
_COMPILE = 20_000.0  # microseconds that compiling takes at least,
_COMPILE_NODE = 1_500.0  # and for each operation
_PATIENCE = 0.5  # compile once the runs cost this share of it


class AutoExecutable(Executable):
    """A Program that starts on NumPy and is compiled when it has run enough."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self._now = NumpyEngine().compile(program)
        self._native = False
        self._lock = threading.Lock()
        operations = [node for node in program.order if isinstance(node, Operation)]
        self._run_cost = sum(map(cost_of, operations))
        self._spent = 0.0
        self._limit = _PATIENCE * (_COMPILE + _COMPILE_NODE * len(operations))

    def expect(self, runs: int) -> None:
        self._spend(runs)

    def explain(self) -> str:
        if self._native or not self._run_cost:  # nothing computed, nothing to compile
            return self._now.explain()
        runs = max(round((self._limit - self._spent) / self._run_cost), 1)
        return f"{self._now.explain()}\nmachine code after about {runs:,} more runs"

    def __call__(self, feeds: Sequence[Array]) -> list[Array]:
        if not self._native:
            self._spend(1)
        return self._now(feeds)

    def repeat(
        self, feeds: Sequence[Array], times: int, along: Collection[int] = ()
    ) -> list[Array]:
        if not self._native:
            self._spend(times)
        return self._now.repeat(feeds, times, along)

    def _spend(self, runs: int) -> None:
        with self._lock:
            self._spent += runs * self._run_cost
            if self._spent > self._limit and not self._native:
                self._native = True
                try:
                    self._now = NativeEngine().compile(self.program)
                except (
                    ImportError,
                    OSError,
                    RuntimeError,
                ) as error:  # LLVM, or a CPU unknown to it
                    say_once(f"programs run on NumPy, for machine code can't be made here: {error}")


def cost_of(node: Operation) -> float:
    """Microseconds that NumPy takes for a node, by a rule of thumb."""
    if isinstance(node, MultipleOutputs) or node.shape is None:
        return _CALL
    elements = size(node.shape)
    if isinstance(node, (Contract, Window)):
        largest = max(map(_elements, node.inputs))  # about rows × terms
        return _CALL + _PRODUCT * elements * max(largest / max((*node.shape, 1)[0] or 1, 1), 1)
    largest = max([elements, *map(_elements, node.inputs)])
    return _CALL + _ELEMENT * largest


def _elements(x: Node) -> int:
    return 1 if isinstance(x, MultipleOutputs) or x.shape is None else size(x.shape)


_said: set[str] = set()


def say_once(message: str) -> None:
    """Tell the user on standard error, one time."""
    if message not in _said:
        _said.add(message)
        print(f"palingrad: {message}", file=sys.stderr)


class AutoEngine:
    """Runs a Program on NumPy until it has proved hot, then as machine code."""

    name = "auto"

    def compile(self, program: Program) -> Executable:
        """A callable that runs the program, faster once it has run often."""
        return AutoExecutable(program)
