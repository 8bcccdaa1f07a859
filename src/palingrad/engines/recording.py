"""The engine of recordings: the numpy engine's numbers, bit for bit, each told to observers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import Array
from ..graph.context import context
from ..graph.leaves import Constant
from ..graph.node import Node
from ..graph.operation import Operation
from ..passes.program import Program
from .base import Executable, sealed
from .numpy import NumpyEngine, formula


class WatchedExecutable(Executable):
    """A Program node by node: nothing is written over, every value lives until the run's end."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        operations = [node for node in program.order if isinstance(node, Operation)]
        self._steps = [(node, formula(node)) for node in operations]
        self._fixed: dict[Node, Any] = {
            node: node.numpy() for node in program.order if isinstance(node, Constant)
        }

    def explain(self) -> str:
        return NumpyEngine().compile(self.program).explain()

    @np.errstate(all="ignore")
    def compute(
        self, feeds: Sequence[Array], states: Sequence[Array]
    ) -> tuple[list[Array], list[Array]]:
        program = self.program
        values: dict[Node, Any] = dict(self._fixed)
        values.update(zip(program.feeds, (sealed(one, copy=True) for one in feeds), strict=True))
        values.update(zip(self._reads, states, strict=True))
        for node, function in self._steps:
            values[node] = node.seal(function(*[values[x] for x in node.inputs]))
        for observer in context.observers:
            observer.ran(program, values)
        outputs = [values[node] for node in program.outputs]
        return outputs, [values[node] for _, node in program.updates]


class WatchedEngine:
    """Interprets a Program and tells this thread's observers what came of it."""

    name = "watched"

    def compile(self, program: Program) -> Executable:
        """A callable that runs the program node by node."""
        return WatchedExecutable(program)
