"""The default engine, a tiered one: it interprets a Program with NumPy until it is hot, then
compiles it to machine code.

So a graph that runs once isn't compiled. The costs of a run and of compiling are estimated from
counts and sizes only, never from the clock or the state of the cache: the same calls always run the
same code and return the same bits.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence

import numpy as np

from ..dtypes import Array, setting_changes
from ..graph.kinds import Contract, Window
from ..graph.node import Node
from ..graph.operation import MultipleOutputs, Operation
from ..graph.regions.regional import Regional
from ..graph.state.collections import rare_collections
from ..graph.state.landing import Unchanged
from ..graph.state.turns import Turn
from ..passes.program import Program
from ..shapes import size
from .base import Executable
from .native.engine import NativeEngine
from .numpy import NumpyEngine

# Cost model, in microseconds.
_CALL = 1.0  # NumPy: per operation
_ELEMENT = 5e-4  # NumPy: per element
_PRODUCT = 2e-5  # NumPy: per multiplication in a matrix product or convolution
_COMPILE = 20_000.0  # compiling: per Program
_COMPILE_KIND = 5_000.0  # compiling: per operation of a new kind, see `compile_cost`
_COMPILE_NODE = 300.0  # compiling: per operation
_PATIENCE = 120.0  # seconds that a thread waits for another that compiles the program
_THRESHOLD = 0.5  # compile when the runs so far have cost this fraction of the cost of compiling


class AutoExecutable(Executable):
    """A Program that is run by NumPy first, and compiled when its runs have cost enough."""

    def __init__(self, program: Program, native: Callable[[], Executable] | None = None) -> None:
        """`native` makes the native executable; by default it compiles `program`."""
        super().__init__(program)
        self._make_native = native
        self._now = NumpyEngine().compile(program)
        self._run = self._now.shortest
        self._native = False
        self._compiling = Turn(_PATIENCE)
        operations = [node for node in program.order if isinstance(node, Operation)]
        self._run_cost = sum(map(cost_of, operations))
        self._spent = 0.0
        self._limit = _THRESHOLD * compile_cost(operations)

    def expect(self, runs: int) -> None:
        self._spend(runs)

    def explain(self) -> str:
        if self._native or not self._run_cost:  # without operations it is never compiled
            return self._now.explain()
        runs = max(round((self._limit - self._spent) / self._run_cost), 1)
        return f"{self._now.explain()}\ncompiled to machine code after about {runs:,} more runs"

    def __call__(self, feeds: Sequence[Array]) -> list[Array]:
        if not self._native:
            self._spend(1)
        return self._run(feeds)

    def under(self, condition: Unchanged, feeds: Sequence[Array]) -> list[Array] | None:
        if not self._native:
            self._spend(1)
        return self._now.under(condition, feeds)

    def repeat(
        self, feeds: Sequence[Array], times: int, along: Collection[int] = ()
    ) -> list[Array]:
        if not self._native:
            self._spend(times)
        return self._now.repeat(feeds, times, along)

    def _spend(self, runs: int) -> None:
        self._spent += runs * self._run_cost
        if self._spent > self._limit:
            self._compiling.hold(self._compile)

    def _compile(self) -> None:
        if self._native:
            return
        now, make = self._now, self._make_native
        try:
            with rare_collections():
                now = NativeEngine().compile(self.program) if make is None else make()
        except (ImportError, OSError, RuntimeError) as error:
            # LLVM is missing or broken, or doesn't know the CPU.
            say_once(f"programs run on NumPy because they can't be compiled here: {error}")
        self._now, self._native, self._run = now, True, now.shortest
        self._make_native = None  # which refers to the Program before the passes


def cost_of(node: Operation) -> float:
    """The estimated time of a node on NumPy, in microseconds."""
    if isinstance(node, Regional):
        return _CALL + node.iterations() * sum(map(cost_of, _inside(node)))
    if isinstance(node, MultipleOutputs) or node.shape is None:
        return _CALL
    elements = size(node.shape)
    if isinstance(node, (Contract, Window)):
        largest = max(map(_elements, node.inputs))  # about rows × terms of each sum
        return _CALL + _PRODUCT * elements * max(largest / max((*node.shape, 1)[0] or 1, 1), 1)
    largest = max([elements, *map(_elements, node.inputs)])
    return _CALL + _ELEMENT * largest


def _inside(node: Regional) -> list[Operation]:
    """The operations of the regions."""
    return [x for region in node.regions for x in region.order if isinstance(x, Operation)]


def compile_cost(operations: Sequence[Operation]) -> float:
    """The estimated time of compiling these operations, in microseconds. Operations of the same
    kind, attributes, shapes and dtypes are in equal kernels, as a rule, which are compiled once."""
    inner = [x for one in operations if isinstance(one, Regional) for x in _inside(one)]
    if inner:
        return compile_cost([one for one in operations if not isinstance(one, Regional)] + inner)
    kinds = {
        (type(one), one.shape, one.dtype, *((x.shape, x.dtype) for x in one.inputs), _plain(one))
        for one in operations
        if not isinstance(one, MultipleOutputs)
    }
    return _COMPILE + _COMPILE_KIND * len(kinds) + _COMPILE_NODE * len(operations)


def _plain(node: Operation) -> str:
    """The attributes that are no arrays, as text."""
    plain = ((k, v) for k, v in node.attributes.items() if not isinstance(v, (Node, np.ndarray)))
    return "".join(f"{name}={value}" for name, value in plain)


def _elements(x: Node) -> int:
    return 1 if isinstance(x, MultipleOutputs) or x.shape is None else size(x.shape)


_said: set[str] = set()


def say_once(message: str) -> None:
    """Print a message on standard error, once per process."""
    if message not in _said:
        _said.add(message)
        print(f"palingrad: {message}", file=sys.stderr)


class AutoEngine:
    """Runs a Program on NumPy until it is hot, then as machine code."""

    name = "auto"

    def compile(self, program: Program) -> Executable:
        """An Executable that starts on NumPy and is compiled after enough runs."""
        return AutoExecutable(program)

    def compile_template(self, template: Program, optimised: Callable[[], Program]) -> Executable:
        """The same for a Program before the passes, which `optimised` applies: its machine code is
        found on disk by a key of the template, as that of the native engine is."""
        program, changes = optimised(), setting_changes[0]

        def native() -> Executable:
            engine = NativeEngine()
            if changes != setting_changes[0]:  # the key would name settings of another time
                return engine.compile(program)
            return engine.compile_template(template, lambda: program)

        return AutoExecutable(program, native)
