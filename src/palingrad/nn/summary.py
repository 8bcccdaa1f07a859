"""The table of a model's modules: what each computes, from which parameters, at what cost."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ArgumentError, printable
from ..graph.context import graph_scope
from ..graph.graph import Graph
from ..graph.leaves import Placeholder
from ..graph.node import Node
from ..messages.checks import shown
from ..ops.flops import total_flops
from ..shapes import Shape, sizes, text
from ..trees import leaves


@dataclass(frozen=True)
class Row:
    """One call of a module: its name, its class, the shapes of its results, what it costs."""

    name: str
    depth: int  # the number of modules around it
    label: str  # its name in the module around it
    kind: str
    shapes: tuple[Shape, ...]
    parameters: int  # numbers in its trainable Variables, those of modules in it included
    flops: int  # floating-point operations, those of modules in it included


@dataclass(frozen=True)
class Summary:
    """The rows of all calls in order, and totals; `print` shows a table."""

    rows: tuple[Row, ...]
    parameters: int  # trainable numbers
    frozen: int  # numbers in Variables that aren't trained
    nbytes: int  # of all Variables
    flops: int

    def __str__(self) -> str:
        head = ("module", "output", "parameters", "FLOPs")
        cells = [
            (
                "  " * row.depth + (f"{row.label} ({row.kind})" if row.label else row.kind),
                ", ".join(map(text, row.shapes)),
                f"{row.parameters:,}",
                f"{row.flops:,}",
            )
            for row in self.rows
        ]
        widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
        line = "  ".join("─" * width for width in widths)
        rows = [_line(row, widths) for row in (head, *cells)]
        frozen = f", {self.frozen:,} not trained" if self.frozen else ""
        total = (
            f"{self.parameters:,} parameters{frozen}, {self.nbytes:,} bytes, {self.flops:,} FLOPs"
        )
        return "\n".join([rows[0], line, *rows[1:], line, total])

    __repr__ = __str__


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    left, right = zip(cells[:2], widths[:2], strict=True), zip(cells[2:], widths[2:], strict=True)
    parts = [f"{cell:<{width}}" for cell, width in left]
    return "  ".join([*parts, *(f"{cell:>{width}}" for cell, width in right)])


@dataclass(frozen=True, eq=False)
class Call:
    """A call of a module, while a summary is made: its result, and which nodes it made."""

    module: Any
    result: Any
    first: int
    last: int


class Watch:
    """The calls of modules in one graph, in the order in which they began."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.calls: list[Call | None] = []

    def begins(self) -> tuple[int, int]:
        """The number of the call, and that of the first node that it makes."""
        self.calls.append(None)
        return len(self.calls) - 1, len(self._graph.nodes)

    def ends(self, module: Any, begun: tuple[int, int], result: Any) -> None:
        """Record the call with what it returned."""
        number, first = begun
        self.calls[number] = Call(module, result, first, len(self._graph.nodes))


watch: ContextVar[Watch | None] = ContextVar("palingrad_summary", default=None)


def summarize(module: Any, inputs: Sequence[Any]) -> Summary:
    """The summary of a module called with inputs of these shapes."""
    graph = Graph()
    seen = Watch(graph)
    token = watch.set(seen)
    try:
        with graph_scope(graph):
            module(*[_placeholder(x) for x in inputs])
    finally:
        watch.reset(token)
    names = {id(part): name for name, part in module.modules().items()}
    rows = [_row(call, names, graph) for call in seen.calls if call is not None]
    variables = module.variables().values()
    arrays = [(v.trainable, v.numpy()) for v in variables]
    return Summary(
        tuple(rows),
        sum(array.size for trained, array in arrays if trained),
        sum(array.size for trained, array in arrays if not trained),
        sum(array.nbytes for _, array in arrays),
        total_flops(graph.nodes),
    )


def _placeholder(x: Any) -> Placeholder:
    if isinstance(x, tuple) and all(isinstance(n, (int, np.integer)) and n >= 0 for n in x):
        return Placeholder(x)
    if isinstance(x, (Node, np.ndarray)):
        return Placeholder(x.shape, dtype=x.dtype)
    raise ArgumentError(
        f"summary: an input is {shown(x)}; expected a shape or an array.",
        hint="Write model.summary((1, 784)), or np.zeros((1, 64), int) for integers.",
    )


def _row(call: Call, names: dict[int, str], graph: Graph) -> Row:
    kind = printable(type(call.module).__name__)
    name = names.get(id(call.module), kind)  # one that isn't an attribute has no name
    around = [one for one in names.values() if name and (not one or name.startswith(f"{one}."))]
    label = name[len(around[-1]) :].lstrip(".") if around else ""
    nodes = [y for y in leaves(call.result) if isinstance(y, Node)]
    trained = call.module.parameters().values()
    return Row(
        name, len(around), label, kind, tuple(sizes(y.shape) for y in nodes),
        sum(v.numpy().size for v in trained), total_flops(graph.nodes[call.first : call.last]),
    )  # fmt: skip
