"""The recording engine: the numpy engine's values, bit for bit, passed to observers after a run."""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_
from typing import Any

import numpy as np

from ..dtypes import Array
from ..graph.context import context
from ..graph.leaves import Constant
from ..graph.node import Node
from ..graph.operation import Operation
from ..graph.state.landing import array_of
from ..passes.program import Program
from .base import Executable, sealed
from .numpy import NumpyEngine, formula


class RecordingExecutable(Executable):
    """A Program evaluated node by node; every value is kept until the end of the run."""

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
        values.update(zip(program.feeds, (sealed(feed, copy=True) for feed in feeds), strict=True))
        values.update(zip(self._reads, states, strict=True))
        for node, function in self._steps:
            values[node] = node.seal(function(*[values[x] for x in node.inputs]))
        # Not if a Variable has changed: then nothing is written, and the program runs again.
        if not program.updates or all(map(is_, map(array_of, self._reads), states)):
            for observer in context().observers:
                observer.ran(program, values)
        outputs = [values[node] for node in program.outputs]
        return outputs, [values[node] for _, node in program.updates]


class RecordingEngine:
    """Interprets a Program and notifies this thread's observers of all values."""

    name = "recording"

    def compile(self, program: Program) -> Executable:
        """An Executable that runs the program node by node."""
        return RecordingExecutable(program)
