"""Program: a specialised graph, concrete from feeds to outputs, ready for an engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from operator import is_
from typing import Any

from ..graph.context import graph_scope
from ..graph.kinds import AnonymousGraph
from ..graph.leaves import Placeholder, Variable
from ..graph.node import Node
from ..graph.operation import Operation
from ..graph.registry import viewer
from ..graph.traversal.order import postorder
from ..graph.traversal.replay import replay


@dataclass(frozen=True, eq=False)
class Program:
    """What one run computes: outputs and new values of Variables, from feeds and Variables.

    All shapes and dtypes are known. A run is atomic: every read of a Variable sees its value
    before the run, and all updates land together at the end.
    """

    feeds: tuple[Placeholder, ...]
    outputs: tuple[Node, ...]
    updates: tuple[tuple[Variable, Node], ...] = ()

    @property
    def roots(self) -> tuple[Node, ...]:
        """All nodes that a run must compute."""
        return (*self.outputs, *(value for _, value in self.updates))

    @cached_property
    def order(self) -> list[Node]:
        """All nodes, inputs first."""
        return postorder(*self.roots)

    @property
    def reads(self) -> tuple[Variable, ...]:
        """The Variables whose values a run reads."""
        return tuple(node for node in self.order if isinstance(node, Variable))

    def draw(self, path: Any = None, **options: Any) -> Any:
        """A picture of what runs, written to `path` by its ending; see `pg.Graph.draw`."""
        return viewer().draw(self, path, **options)

    def _repr_html_(self) -> str | None:
        return viewer().html_of(self)

    def _repr_svg_(self) -> str | None:
        return viewer().svg_of(self)

    def rewritten(self, rule: Callable[[Operation], Node]) -> Program:
        """The program with every operation, its inputs rewritten already, replaced by rule(it).

        A rule that has nothing to say returns the operation itself. Nodes that nothing needs any
        more are gone from the result.
        """

        def rewritten(node: Operation, inputs: list[Node]) -> Node:
            same = all(map(is_, inputs, node.inputs))
            return rule(node if same else node.rewired(inputs))

        with graph_scope(AnonymousGraph(), hidden=True):
            built = replay(self.order, rewritten)
        return Program(
            self.feeds,
            tuple(built[node] for node in self.outputs),
            tuple((variable, built[value]) for variable, value in self.updates),
        )
