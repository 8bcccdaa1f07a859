"""The numpy engine, the reference: evaluates one operation at a time by its own formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..dtypes import Array
from ..errors import EngineError, PalingradError
from ..graph.declared.bounds import explained
from ..graph.leaves import Constant, Placeholder
from ..graph.node import Node
from ..graph.operation import Operation
from ..graph.regions.region import Region
from ..graph.regions.regional import Body, Regional
from ..graph.traversal.order import postorder
from ..graph.traversal.verify import checked_result
from ..maths import numpy_maths
from ..passes.program import Program
from ..shapes import text
from .base import Executable, owned, sealed
from .ufuncs import direct, is_large, makes_fresh, reusable, target

Step = Callable[[list[Any]], None]  # reads and writes numbered values
Formula = Callable[[Operation], Callable[..., Any]]


class NumpyExecutable(Executable):
    """A Program as a list of steps over numbered values."""

    def __init__(self, program: Program, formula_of: Formula | None = None) -> None:
        """`formula_of` gives the function that computes an operation, `formula` by default."""
        super().__init__(program)
        order = program.order
        inputs: tuple[Node, ...] = (*program.feeds, *program.reads)
        slots: dict[Node, int] = {node: slot for slot, node in enumerate(inputs)}
        for node in order:
            if node not in slots:
                slots[node] = len(slots)
        self._slots = slots
        self._fixed: list[Any] = [
            # As a view, which can't be made writable, because it may be returned.
            node._value.view() if isinstance(node, Constant) else None
            for node in slots
        ][len(inputs) :]
        self._steps = _steps(order, slots, program.roots, formula_of or formula)
        self._outputs = [(slots[node], _may_be_feed(node)) for node in program.outputs]
        self._values = [(slots[node], _may_be_feed(node)) for _, node in program.updates]

    @property
    def may_return_feeds(self) -> bool:
        """Whether an output may be a view of a feed."""
        return any(may_alias for _, may_alias in self._outputs)

    def explain(self) -> str:
        nodes = [node for node in self.program.order if isinstance(node, Operation)]
        lines = [f"{node.label()} {text(node.shape)} {node.dtype}{node.built()}" for node in nodes]
        return "\n".join([f"numpy: {len(nodes)} operations, in sequence", *lines])

    def __call__(self, feeds: Sequence[Array]) -> list[Array]:
        if self._updated or self._reads:
            return super().__call__(feeds)
        return _owned(self._computed(feeds), self._outputs, feeds)

    def values(self, feeds: Sequence[Any]) -> list[Any]:
        """The outputs of a Program without Variables, unsealed: some may be feeds or views of
        them. NumPy's warnings are the caller's to silence."""
        values = self._stepped([*feeds, *self._fixed])
        return [values[slot] for slot, _ in self._outputs]

    def in_steps(self) -> tuple[list[Step], list[int], list[Any]]:
        """What `values` does: the steps over [*feeds, *fixed], the places of the outputs, and the
        fixed values."""
        return self._steps, [slot for slot, _ in self._outputs], self._fixed

    def compute(
        self, feeds: Sequence[Array], states: Sequence[Array]
    ) -> tuple[list[Array], list[Array]]:
        values = self._computed(feeds, states)
        return _owned(values, self._outputs, feeds), _owned(values, self._values, feeds)

    @np.errstate(all="ignore")
    def _computed(self, feeds: Sequence[Array], states: Sequence[Array] = ()) -> list[Any]:
        """All values, by their numbers."""
        return self._stepped([*feeds, *states, *self._fixed])

    def _stepped(self, values: list[Any]) -> list[Any]:
        """The values after all steps."""
        try:
            for step in self._steps:
                step(values)
        except IndexError as error:
            self.explain_index(error, values)
            raise
        return values

    def explain_index(self, error: IndexError, values: Sequence[Any]) -> None:
        """Raise the error of the first operation that was given integers out of its bounds."""
        if isinstance(error, PalingradError):
            return
        for node in self.program.order:
            for one in explained(node) if isinstance(node, Operation) else ():
                x = values[self._slots[one.x]] if one.x in self._slots else None
                if (
                    x is not None
                    and np.size(x)
                    and not one.allow(least := np.min(x), most := np.max(x))
                ):
                    raise one.error(int(least), int(most)) from None


def _steps(
    order: list[Node], slots: dict[Node, int], roots: Sequence[Node], formula_of: Formula
) -> list[Step]:
    computed = [node for node in order if isinstance(node, Operation)]
    live_out = set(roots)
    large = {node for node in computed if is_large(node)}
    last_use = {x: node for node in computed for x in node.inputs if x in large} if large else {}
    free = reusable(order, live_out, large)
    steps: list[Step] = []
    for node in computed:
        dying = [
            x
            for x in (dict.fromkeys(node.inputs) if large else ())
            if x in large and last_use[x] is node and x not in live_out
        ]
        inputs = tuple([slots[x] for x in node.inputs])
        function: Any = direct(node)
        if function is None:
            function = formula_of(node)
        elif dying and isinstance(function, np.ufunc):
            out = target(node, dying, free)
            if out is not None:
                function, inputs = _writing(function), (*inputs, slots[out])
        steps.append(_step(function, inputs, slots[node]))
        if dying:
            steps.append(_dropping([slots[x] for x in dying]))
    return steps


def _writing(ufunc: Callable[..., Any]) -> Callable[..., Any]:
    """The ufunc with an additional last argument: the array to which it writes its result."""
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
    """A step that drops the references to large values after their last use."""

    def drop(values: list[Any]) -> None:
        for slot in slots:
            values[slot] = None

    return drop


def formula(node: Operation) -> Callable[..., Any]:
    """The function that computes the node's value from its inputs' values."""
    if not node._shipped:
        return partial(_guarded, node)
    if isinstance(node, Regional):
        return partial(node.run, [body_of(region) for region in node.regions])
    if type(node).compute is not Operation.compute:
        raise EngineError(f"{node.label()} isn't elementary: its Program wasn't expanded")
    return partial(node.f, numpy_maths, **node.attributes)


def body_of(region: Region) -> Body:
    """The function that computes a region's results from arrays, by NumPy."""
    return NumpyExecutable(Program(region.parameters, region.results)).values


def _guarded(node: Operation, *values: Array) -> Any:
    """Calls user code with read-only arrays; an exception gets a note that names the node."""
    arrays = [sealed(value.view()) for value in map(np.asarray, values)]
    return checked_result(node, node._evaluate(arrays))


def _may_be_feed(node: Node) -> bool:
    """Whether the value may be a view of a feed: a path to a placeholder leads through no operation
    that is known to allocate its result."""

    def viewed(x: Node) -> tuple[Node, ...]:
        return () if isinstance(x, Operation) and makes_fresh(x) else x.inputs

    return any(isinstance(x, Placeholder) for x in postorder(node, inputs=viewed))


def _owned(
    values: list[Any], slots: Sequence[tuple[int, bool]], feeds: Sequence[Array]
) -> list[Array]:
    """The values in these slots made read-only, and copied if they share memory with a feed, where
    they may."""
    return [
        owned(values[slot], feeds) if may_alias else sealed(values[slot])
        for slot, may_alias in slots
    ]


class NumpyEngine:
    """Interprets a Program with NumPy."""

    name = "numpy"

    def compile(self, program: Program) -> Executable:
        """An Executable that runs the program step by step."""
        return NumpyExecutable(program)
