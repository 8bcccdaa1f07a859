"""The numpy engine, the reference: one operation at a time, each by its own formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import Array
from ..errors import EngineError
from ..graph.kinds import Custom, Move
from ..graph.leaves import Constant, Placeholder
from ..graph.node import Node
from ..graph.operation import Item, Operation
from ..maths import numpy_maths
from ..passes.program import Program
from .base import Executable, sealed


class Step(NamedTuple):
    """values[output] = function(*values[inputs]), after which `dead` values are dropped."""

    function: Callable[..., Any]
    inputs: tuple[int, ...]
    output: int
    dead: tuple[int, ...]


class NumpyExecutable(Executable):
    """A Program as a list of steps over numbered values."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        order = program.order
        slots = {node: slot for slot, node in enumerate((*program.feeds, *program.reads))}
        for node in order:
            slots.setdefault(node, len(slots))
        self._given = len(program.feeds) + len(program.reads)
        self._fixed: list[Any] = [
            node.value if isinstance(node, Constant) else None for node in slots
        ][self._given :]
        self._steps = _steps(order, slots, program.roots)
        self._outputs = [(slots[node], _may_be_feed(node)) for node in program.outputs]
        self._values = [(slots[node], _may_be_feed(node)) for _, node in program.updates]

    @np.errstate(all="ignore")
    def compute(
        self, feeds: Sequence[Array], states: Sequence[Array]
    ) -> tuple[list[Array], list[Array]]:
        values: list[Any] = [*feeds, *states, *self._fixed]
        for function, inputs, output, dead in self._steps:
            values[output] = function(*[values[slot] for slot in inputs])
            for slot in dead:
                values[slot] = None
        outputs = [sealed(values[slot], copy=copy) for slot, copy in self._outputs]
        return outputs, [sealed(values[slot], copy=copy) for slot, copy in self._values]


def _steps(order: list[Node], slots: dict[Node, int], roots: Sequence[Node]) -> list[Step]:
    computed = [node for node in order if isinstance(node, Operation)]
    last_use: dict[Node, Node] = {x: node for node in computed for x in node.inputs}
    kept = set(roots)
    steps: list[Step] = []
    for node in computed:
        dead = [
            slots[x]
            for x in dict.fromkeys(node.inputs)
            if last_use[x] is node and x not in kept and isinstance(x, Operation)
        ]
        inputs = tuple(slots[x] for x in node.inputs)
        steps.append(Step(_function(node), inputs, slots[node], tuple(dead)))
    return steps


def _function(node: Operation) -> Callable[..., Any]:
    if isinstance(node, Custom):
        return partial(_guarded, node)
    if type(node).compute is not Operation.compute:
        raise EngineError(f"{node.label()} should have been expanded")
    return partial(node.f, numpy_maths, **node.attributes)


def _guarded(node: Custom, *values: Array) -> Any:
    """A user's own code: what it is given is read-only, and its errors say where it was used."""
    return node._evaluate([sealed(value.view()) for value in map(np.asarray, values)])


def _may_be_feed(node: Node) -> bool:
    """Whether the value may share memory with what the caller fed, and must be copied."""
    while isinstance(node, (Move, Item)):
        if len(node.inputs) != 1:
            return False
        node = node.inputs[0]
    return isinstance(node, (Placeholder, Custom))


class NumpyEngine:
    """Interprets a Program with NumPy."""

    name = "numpy"

    def compile(self, program: Program) -> Executable:
        """A callable that runs the program step by step."""
        return NumpyExecutable(program)
