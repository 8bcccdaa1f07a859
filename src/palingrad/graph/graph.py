"""Graph: the list of nodes built while it is open, with unique names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import GraphError, quoted
from ..messages.checks import close
from .context import context, held, open_for_good, set_default, set_open
from .leaves import Placeholder, Variable
from .node import Node, value_hint
from .operation import Operation
from .protocols.copies import refuse_pickling
from .registry import ops, viewer
from .state.handlers import running_handlers

if TYPE_CHECKING:
    from ..dtypes import Array


class Graph:
    """A graph that is built first and run later: while it is open, new nodes are deferred.

    >>> import palingrad as pg
    >>> with pg.Graph() as graph:
    ...     x = pg.placeholder(name="x")
    ...     y = pg.square(x, name="y")
    >>> [node.name for node in graph.nodes], graph["y"] is y
    (['x', 'y'], True)
    """

    takes_assignments: ClassVar[bool] = True  # whether a user's code can assign while it is open
    __reduce__ = refuse_pickling(
        "A Graph",
        "Pickle the function that builds it; Variables are saved by pg.io.save_checkpoint.",
    )

    def __init__(self) -> None:
        # Signal handlers that were running when the graph was made: one that starts later must not
        # change the graph by accident.
        self.handlers = running_handlers() if self.takes_assignments else 0
        self.nodes: list[Node] = []
        self._names: dict[str, Node] = {}
        self._uses: dict[str, int] = {}

    # ---------------------------------------------------------------- nodes

    @property
    def operations(self) -> list[Operation]:
        """The operations, in the order they were built."""
        return [node for node in self.nodes if isinstance(node, Operation)]

    @property
    def placeholders(self) -> list[Placeholder]:
        """The placeholders, in the order they were built."""
        return [node for node in self.nodes if isinstance(node, Placeholder)]

    @property
    def variables(self) -> list[Variable]:
        """The Variables, in the order they were built."""
        return [node for node in self.nodes if isinstance(node, Variable)]

    def __getitem__(self, name: str) -> Node:
        """The node of this name. Raises GraphError, with the nearest names, if there is none."""
        try:
            return self._names[name]
        except KeyError:
            near = close(name, self._names)
            hint = f"Did you mean {' or '.join(map(quoted, near))}?" if near else ""
            fact = f"the graph has no node named {quoted(name)}."
            raise GraphError(fact, hint=hint) from None

    def __contains__(self, node: object) -> bool:
        """Whether a node, or a node of this name, is in the graph."""
        if isinstance(node, Node):
            return node.graph is self
        return node in self._names

    def __len__(self) -> int:
        return len(self.nodes)

    def __repr__(self) -> str:
        return (
            f"Graph({len(self.operations)} operations, {len(self.variables)} variables, "
            f"{len(self.placeholders)} placeholders)"
        )

    # ---------------------------------------------------------------- opening

    def __enter__(self) -> Graph:
        state = context()
        set_open(state.having(graph=self, outer=(*state.outer, held())))
        return self

    def __exit__(self, *_: object) -> None:
        set_open(context().outer[-1])

    def as_default(self) -> DefaultGraph:
        """Open this graph at once, for the calling thread; in a `with`, until its end and only for
        the calling task."""
        return DefaultGraph(self)

    # ---------------------------------------------------------------- adding nodes

    def add(self, node: Node) -> None:
        """Add a new node and make its name unique: add, add_1, …."""
        node.graph = self
        self.nodes.append(node)
        name = self._unique(node._name or context().scope + node.kind_name())
        self._names[name] = node
        node._unnamed = node._name is None
        node._name = name

    def _unique(self, base: str) -> str:
        """A name that no node of the graph has, which counts as used."""
        uses = self._uses.get(base, 0)
        name = base if uses == 0 else f"{base}_{uses}"
        while name in self._names:
            uses += 1
            name = f"{base}_{uses}"
        self._uses[base] = uses + 1
        return name

    def rename(self, node: Node, name: str) -> None:
        """Gives a node of the graph another name, numbered if it is in use."""
        assert node.graph is self
        del self._names[node.name]
        node._name, node._unnamed = self._unique(name), False
        self._names[node.name] = node

    def adopt(self, inputs: tuple[Node, ...]) -> tuple[Node, ...]:
        """The inputs for a new node of this graph. Raises GraphError for a deferred node of another
        graph."""
        for x in inputs:
            if x.graph is not self and x.graph is not None and x.deferred:
                raise GraphError(
                    f"{x.label()} belongs to another graph{x.built()}; all inputs of a node must "
                    "be in one graph.",
                    hint="Build it in this graph, or run the other graph first and feed its value.",
                )
        return inputs

    def check_new_variable(self) -> None:
        """Raise GraphError if no Variable may be created in this graph; here any may."""

    def value_hint(self, node: Node) -> str:
        """How to get the value of a node that has none, for messages while this graph is open."""
        return value_hint(node, "graph")

    # ---------------------------------------------------------------- display

    def draw(self, path: Any = None, **options: Any) -> Any:
        """A drawing of the graph.

        It is written to `path` in the format of its ending (.svg, .png, .pdf, .html, .dot, .mmd,
        .txt); without a path it is returned. Options: see `palingrad.view.draw`.
        """
        return viewer().draw(self, path, **options)

    def binarize(self) -> Graph:
        """An equivalent graph in which no node has more than two inputs."""
        return viewer().binarized(self)

    def unbinarize(self) -> Graph:
        """The graph from which `binarize` made this one."""
        return viewer().unbinarized(self)

    def _repr_html_(self) -> str | None:
        return viewer().html_of(self)

    def _repr_svg_(self) -> str | None:
        return viewer().svg_of(self)

    # ---------------------------------------------------------------- values and Jacobians

    def evaluate(self, result: Node, feeds: Any = None) -> Array:
        """Compute `result`, store the value of every node on the way in `.value`, and return it.

        Stored values are reused until a Variable or feed that they depend on changes.
        """
        return ops.evaluate(result, feeds)

    def jacobians(self, result: Node, feeds: Any = None) -> None:
        """Set `.jacobian` of every node that `result` depends on to ∂result/∂node.

        Shapes: result.shape + node.shape. Values are stored as by `evaluate`.
        """
        ops.jacobians(result, feeds)

    def clear_jacobians(self) -> None:
        """Set every node's `.jacobian` to None."""
        for node in self.nodes:
            node.jacobian = None

    def reset_values(self) -> None:
        """Drop the values stored by `evaluate` and `jacobians`."""
        for node in self.nodes:
            node._cached_value = None


class DefaultGraph:
    """Makes a graph the default: until the end of the `with`, or permanently without one."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._before, self._default = open_for_good(graph)

    def __enter__(self) -> Graph:
        set_default(self._default)
        return self._graph

    def __exit__(self, *_: object) -> None:
        set_open(self._before)


def get_default_graph() -> Graph | None:
    """The graph that is open in this thread, or None if operations compute eagerly."""
    return context().graph


def reset_default_graph() -> None:
    """Close the graph that is open in this thread: operations compute eagerly afterwards."""
    open_for_good(None)


class AnonymousGraph(Graph):
    """A graph that doesn't record its nodes and accepts inputs from any graph."""

    takes_assignments = False

    def add(self, node: Node) -> None:
        pass

    def adopt(self, inputs: tuple[Node, ...]) -> tuple[Node, ...]:
        return inputs
