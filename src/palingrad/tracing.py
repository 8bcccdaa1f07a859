"""Tracing: calls a function with placeholders and makes a Program of the nodes that it builds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from .classes import NamedTuple
from .errors import GraphError
from .graph.context import graph_scope
from .graph.graph import Graph
from .graph.kinds import AnonymousGraph, Assign
from .graph.leaves import Constant, Placeholder, Variable
from .graph.node import Node
from .graph.operation import Operation, has_value
from .messages.calls import called
from .ops.state import Latest
from .passes.program import Program
from .passes.specialise import specialise
from .signature import form_of, is_fed, parameter_names, traced
from .trees import leaves, rebuilt


class TraceResult(NamedTuple):
    """A traced call of f: its result, with nodes instead of arrays, and the Program computing it.

    `arguments` are the args and kwargs with which f was called, with placeholders for fed leaves.
    """

    result: Any
    program: Program
    arguments: list[Any]


def trace(
    f: Callable[..., Any], args: Any, kwargs: Any, forms: Sequence[Hashable] | None = None
) -> TraceResult:
    """Call f with placeholders for the fed leaves of the arguments, and specialise the result."""
    given = leaves([args, kwargs])
    forms = tuple(map(form_of, given)) if forms is None else forms
    graph = Trace()
    with graph_scope(graph, hidden=True):
        new = [traced(leaf, form) for leaf, form in zip(given, forms, strict=True)]
        _name([leaf for leaf in new if type(leaf) is Placeholder], f, args, kwargs, forms)
        arguments = rebuilt([args, kwargs], iter(new))
        result = called(f, *arguments[0], **arguments[1])
        found = leaves(result, dataclasses=True)
        returned = graph.adopt(tuple(x for x in found if isinstance(x, Node)))
    outputs = [x for x in returned if has_value(x)]
    fed = {x: (x.shape, x.dtype) for x, form in zip(new, forms) if is_fed(form)}
    return TraceResult(result, specialise(outputs, fed, assigned=graph.assigned), arguments)


def _name(
    fed: Sequence[Node], f: Callable[..., Any], args: Any, kwargs: Any, forms: Sequence[Hashable]
) -> None:
    """Name the placeholders after f's parameters, numbered if a parameter has several leaves."""
    names = parameter_names(f, args, kwargs)
    names = [name for name, form in zip(names, forms, strict=True) if is_fed(form)]
    total = Counter(names)
    seen: Counter[str] = Counter()
    function = f"pg.function {getattr(f, '__name__', type(f).__name__)!r}"
    for node, name in zip(fed, names, strict=True):
        node.fed_by = function
        if name:
            node._name = name if total[name] == 1 else f"{name}{seen[name]}"
            seen[name] += 1


class Trace(AnonymousGraph):
    """The graph of one trace. It tracks assignments, so that later reads of a Variable see them."""

    takes_assignments = True

    def __init__(self) -> None:
        super().__init__()
        self.assigned: dict[Variable, Node] = {}
        self._reads: dict[Variable, Node] = {}
        self._captured: dict[Node, Node] = {}

    def add(self, node: Node) -> None:
        if isinstance(node, Assign):
            self.assigned[node.attributes["variable"]] = node

    def adopt(self, inputs: tuple[Node, ...]) -> tuple[Node, ...]:
        assigned = self.assigned
        for x in inputs:
            if (
                x.graph is not None
                or (x._value is not None and isinstance(x, Operation))
                or (assigned and x in assigned)
            ):
                return tuple([self._traced(x) for x in Graph.adopt(self, inputs)])
        return inputs

    def _traced(self, x: Node) -> Node:
        """The node that represents x in the trace: for an assigned Variable its new value, for a
        node computed outside a constant, else x."""
        if isinstance(x, Variable) and x in self.assigned:
            assigned = self.assigned[x]
            if x not in self._reads or self._reads[x].inputs[0] is not assigned:
                self._reads[x] = Latest(assigned, variable=x)
            return self._reads[x]
        if x._value is not None and isinstance(x, Operation):
            if x not in self._captured:
                self._captured[x] = Constant(x.numpy())
            return self._captured[x]
        return x

    def check_new_variable(self) -> None:
        raise GraphError(
            "a Variable can't be created inside pg.function: it would be lost after the trace.",
            hint="Create it before; pg.tensor makes a constant.",
        )

    def value_hint(self, node: Node) -> str:
        """For messages: no Python code can have the value of a node while f is being traced."""
        if isinstance(node, Placeholder):
            what, how = "is fed to each run", f"static_argnames={node.name!r}"
        else:
            what, how = "is computed in each run", "static_argnames=… for what it depends on"
        return (
            f"it {what} of the pg.function. Compute with the node itself, by functions of pg "
            "(pg.mean for np.mean). If Python needs its value while tracing (a size, an axis, an "
            f"if), make it part of the signature: pg.function(f, {how})"
        )
