"""The numpy engine, the reference: one operation at a time, each by its own formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import EngineError
from ..graph.leaves import Constant, Placeholder
from ..graph.node import Node
from ..graph.operation import Operation
from ..graph.traversal.order import postorder
from ..graph.traversal.verify import checked_result
from ..maths import numpy_maths
from ..passes.program import Program
from ..shapes import text
from .base import Executable, owned, sealed
from .ufuncs import is_large, makes_fresh, reusable, single_ufunc, target

Step = Callable[[list[Any]], None]  # reads and writes numbered values


class NumpyExecutable(Executable):
    """A Program as a list of steps over numbered values."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        order = program.order
        given: tuple[Node, ...] = (*program.feeds, *program.reads)
        slots: dict[Node, int] = {node: slot for slot, node in enumerate(given)}
        for node in order:
            slots.setdefault(node, len(slots))
        self._fixed: list[Any] = [
            node.value if isinstance(node, Constant) else None for node in slots
        ][len(given) :]
        self._steps = _steps(order, slots, program.roots)
        self._outputs = [(slots[node], _may_be_feed(node)) for node in program.outputs]
        self._values = [(slots[node], _may_be_feed(node)) for _, node in program.updates]

    def explain(self) -> str:
        nodes = [node for node in self.program.order if isinstance(node, Operation)]
        lines = [f"{node.label()} {text(node.shape)} {node.dtype}{node.built()}" for node in nodes]
        return "\n".join([f"numpy: {len(nodes)} operations, one after another", *lines])

    @np.errstate(all="ignore")
    def compute(
        self, feeds: Sequence[Array], states: Sequence[Array]
    ) -> tuple[list[Array], list[Array]]:
        values: list[Any] = [*feeds, *states, *self._fixed]
        for step in self._steps:
            step(values)
        outputs = [_own(values[slot], feeds, doubtful) for slot, doubtful in self._outputs]
        return outputs, [_own(values[slot], feeds, doubtful) for slot, doubtful in self._values]


def _steps(order: list[Node], slots: dict[Node, int], roots: Sequence[Node]) -> list[Step]:
    computed = [node for node in order if isinstance(node, Operation)]
    last_use: dict[Node, Node] = {x: node for node in computed for x in node.inputs}
    kept = set(roots)
    free = reusable(order, kept)
    steps: list[Step] = []
    for node in computed:
        dying: list[Node] = [
            x
            for x in dict.fromkeys(node.inputs)
            if last_use[x] is node and x not in kept and isinstance(x, Operation)
        ]
        inputs = tuple(slots[x] for x in node.inputs)
        function: Any = single_ufunc(node)
        if function is None:
            function = formula(node)
        elif (out := target(node, dying, free)) is not None:
            function, inputs = _writing(function), (*inputs, slots[out])
        steps.append(_step(function, inputs, slots[node]))
        large = [slots[x] for x in dying if is_large(x)]
        if large:
            steps.append(_dropping(large))
    return steps


def _writing(ufunc: Callable[..., Any]) -> Callable[..., Any]:
    """The ufunc with one more argument: the array that it writes its result to."""
    return lambda *arguments: ufunc(*arguments[:-1], out=arguments[-1])


def _step(function: Callable[..., Any], inputs: tuple[int, ...], output: int) -> Step:
    """values[output] = function(*values[inputs])."""
    if len(inputs) == 1:
        (a,) = inputs

        def unary(values: list[Any]) -> None:
            values[output] = function(values[a])

        return unary
    if len(inputs) == 2:
        a, b = inputs

        def binary(values: list[Any]) -> None:
            values[output] = function(values[a], values[b])

        return binary

    def general(values: list[Any]) -> None:
        values[output] = function(*[values[slot] for slot in inputs])

    return general


def _dropping(slots: list[int]) -> Step:
    """Let go of large values that nobody needs any more."""

    def drop(values: list[Any]) -> None:
        for slot in slots:
            values[slot] = None

    return drop


def formula(node: Operation) -> Callable[..., Any]:
    """The function from the values of the inputs to the node's value."""
    if not node._shipped:
        return partial(_guarded, node)
    if type(node).compute is not Operation.compute:
        raise EngineError(f"{node.label()} should have been expanded")
    return partial(node.f, numpy_maths, **node.attributes)


def _guarded(node: Operation, *values: Array) -> Any:
    """A user's own code: what it is given is read-only, and its errors say where it was used."""
    return checked_result(node, node._evaluate([sealed(value.view()) for value in map(np.asarray, values)]))


def _may_be_feed(node: Node) -> bool:
    """Whether the value may be memory of what the caller fed: no operation on the way is known to
    make memory of its own."""

    def behind(one: Node) -> tuple[Node, ...]:
        return () if isinstance(one, Operation) and makes_fresh(one) else one.inputs

    return any(isinstance(one, Placeholder) for one in postorder(node, inputs=behind))


def _own(value: Any, feeds: Sequence[Array], doubtful: bool) -> Array:
    """`value` sealed, and copied if it is memory of a feed."""
    return owned(value, feeds) if doubtful else sealed(value)


class NumpyEngine:
    """Interprets a Program with NumPy."""

    name = "numpy"

    def compile(self, program: Program) -> Executable:
        """A callable that runs the program step by step."""
        return NumpyExecutable(program)
