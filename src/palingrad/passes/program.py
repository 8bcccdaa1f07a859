"""Program: a specialised graph with concrete shapes and dtypes, the input of an engine."""

from __future__ import annotations

from collections.abc import Callable, Container, Set
from operator import is_
from typing import Any, ClassVar

from ..graph.context import context, graph_scope, set_open
from ..graph.kinds import AnonymousGraph
from ..graph.leaves import Placeholder, Variable
from ..graph.node import Node
from ..graph.operation import Operation
from ..graph.registry import viewer
from ..graph.state.lazy import lazy
from ..graph.state.records import dataclass
from ..graph.traversal.order import postorder


@dataclass(frozen=True, eq=False)
class Program:
    """One run's computation: outputs and new values of Variables, from feeds and Variables.

    All shapes and dtypes are known. A run is atomic: every read of a Variable returns its value
    before the run, and all updates are written together at the end.
    """

    feeds: tuple[Placeholder, ...]
    outputs: tuple[Node, ...]
    updates: tuple[tuple[Variable, Node], ...] = ()
    _settled: ClassVar[Any] = None  # of a rewritten one: the rule, if asking it again is in vain

    @property
    def roots(self) -> tuple[Node, ...]:
        """All nodes that a run must compute."""
        return (*self.outputs, *(value for _, value in self.updates))

    @lazy
    def order(self) -> list[Node]:
        """All nodes, inputs first."""
        return postorder(*self.roots)

    @lazy
    def kinds(self) -> frozenset[type[Node]]:
        """The classes of all nodes."""
        return frozenset(map(type, self.order))

    def has(self, *kinds: type) -> bool:
        """Whether there is a node of one of these classes, or of a subclass."""
        return any(issubclass(kind, kinds) for kind in self.kinds)

    @property
    def reads(self) -> tuple[Variable, ...]:
        """The Variables whose values a run reads."""
        return tuple(node for node in self.order if isinstance(node, Variable))

    def draw(self, path: Any = None, **options: Any) -> Any:
        """A drawing of the Program, written to `path` if given; see `pg.Graph.draw`."""
        return viewer().draw(self, path, **options)

    def _repr_html_(self) -> str | None:
        return viewer().html_of(self)

    def _repr_svg_(self) -> str | None:
        return viewer().svg_of(self)

    def rewritten(
        self, rule: Callable[[Any], Node], only: Container[type] | None = None
    ) -> Program:
        """The program with every operation replaced by rule(operation), inputs first.

        The operation that the rule is given already has rewritten inputs. A rule that doesn't
        apply returns the operation itself; it applies to no other classes than those in `only`, if
        given. Nodes that are no longer used are dropped. If the rule applies nowhere, the program
        itself is returned. A rule is pure: it isn't asked again for nodes that it left alone, if
        it made no others.
        """
        if self._settled is rule:
            return self
        operations = {kind for kind in self.kinds if issubclass(kind, Operation)}
        kinds = operations if only is None else {kind for kind in operations if kind in only}
        changed, settled = self._changed(rule, kinds, operations) if kinds else ({}, True)
        if not any(node in changed for node in self.roots):
            return self
        program = Program(
            self.feeds,
            tuple(changed.get(node, node) for node in self.outputs),
            tuple((variable, changed.get(value, value)) for variable, value in self.updates),
        )
        if settled:
            program.__dict__["_settled"] = rule
        return program

    def _changed(
        self, rule: Callable[[Any], Node], kinds: Set[type[Node]], operations: Set[type[Node]]
    ) -> tuple[dict[Node, Node], bool]:
        """What `rewritten` replaces nodes by, and whether the rule was asked for all nodes that
        remain: each that it replaced became one of its inputs. `kinds`: the classes to which the
        rule applies."""
        changed: dict[Node, Node] = {}
        settled = True
        with graph_scope(AnonymousGraph(), hidden=True):
            outside = context()
            inside = outside.having()  # new nodes get the origin of the one that they replace
            before = set_open(inside)
            try:
                for node in self.order:
                    kind, same = type(node), True
                    if changed and kind in operations:
                        for x in node.inputs:
                            if x in changed:
                                same = False
                                break
                    applies = kind in kinds
                    if same and not applies:
                        continue
                    inside.origin = node._origin or outside.origin
                    new: Any = node
                    if not same:
                        inputs = [changed.get(x, x) for x in node.inputs]
                        new = new.rewired(inputs)
                        settled = settled and all(map(is_, new.inputs, inputs))  # without casts
                    if applies:
                        asked, new = new, rule(new)
                        if new is not asked and settled:
                            settled = any(new is x for x in asked.inputs)
                    if new is not node:
                        changed[node] = new
            finally:
                set_open(before)
        return changed, settled
