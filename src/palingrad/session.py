"""Session: runs parts of a graph that was defined before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .dtypes import Array, DType, default_dtype
from .engines.selection import get_engine
from .errors import FeedError, GraphError
from .graph.graph import Graph
from .graph.leaves import Placeholder
from .graph.node import Node
from .graph.traversal.order import postorder
from .passes.specialise import specialise
from .programs import MAX_PROGRAMS, Compiled, ProgramCache, warn_of_crowd
from .trees import leaves, rebuilt


class Session:
    """Runs nodes of a graph, of any graph if none is given; safe to share between threads.

    >>> import palingrad as pg
    >>> x = pg.placeholder()
    >>> pg.Session().run(x * 2, {x: [1, 2]})
    array([2, 4])
    """

    def __init__(
        self,
        graph: Graph | None = None,
        *,
        engine: str | None = None,
        max_programs: int = MAX_PROGRAMS,
    ) -> None:
        self.graph = graph
        self.engine = engine
        self._fetches: ProgramCache[Fetches] = ProgramCache(max_programs)
        self._programs: ProgramCache[Compiled] = ProgramCache(max_programs)

    def run(self, fetches: Any, feeds: Mapping[Any, Any] | None = None) -> Any:
        """Compute `fetches`: a node, or lists, tuples and dicts of them, in the same form.

        `feeds` gives placeholders their values: arrays, numbers or nested lists. Assignments
        among the fetches land together after everything is computed; `minimize` and `group`
        nodes give None. Values are read-only arrays. The programs of the `max_programs` kinds of
        run used last are kept, and a warning says when one has to go. Raises FeedError for a
        missing feed or one that doesn't fit, ShapeError where the fed shapes don't fit together.
        """
        nodes = leaves(fetches)
        number = tuple(map(id, nodes))
        wanted = self._fetches.get(number)
        if wanted is None:
            checked = self._checked(nodes)
            wanted = self._fetches.make(number, lambda: Fetches(checked))
        arrays = wanted.accepted({} if feeds is None else feeds, self.graph)
        engine = get_engine(self.engine, observed=False).name  # whoever records shares the program
        key = wanted, tuple([(one.shape, one.dtype) for one in arrays]), engine, default_dtype()
        compiled = self._programs.get(key) or self._compiled(key)
        return rebuilt(fetches, iter(compiled(arrays)))

    def _compiled(self, key: Run) -> Compiled:
        wanted, forms, engine, _ = key
        fed = dict(zip(wanted.placeholders, forms, strict=True))
        made = self._programs.make(
            key, lambda: Compiled(wanted.nodes, specialise(wanted.nodes, fed), engine)
        )
        crowd = self._programs.crowd()
        if crowd:
            warn_of_crowd("Session", self._programs.limit, _what_varies(crowd))
        return made

    def _checked(self, nodes: Sequence[Any]) -> list[Node]:
        for node in nodes:
            if isinstance(node, str):
                hint = _by_name(node, self.graph)
                raise GraphError(f"run: expected nodes to fetch, got str {node!r}.", hint=hint)
            if not isinstance(node, Node):
                raise GraphError(
                    f"run: expected nodes to fetch, got {type(node).__name__} {node!r:.40}"
                )
            if self.graph is not None and node.graph not in (None, self.graph):
                raise GraphError(f"run: {node.label()} isn't in this session's graph{node.built()}")
        return list(nodes)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget all compiled programs."""
        self._programs.clear()
        self._fetches.clear()


class Fetches:
    """Nodes that are fetched together, and what they need to be fed."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes  # held here, so that no other node gets the same id
        self.placeholders = [node for node in postorder(*nodes) if isinstance(node, Placeholder)]

    def accepted(self, feeds: Any, graph: Graph | None) -> list[Array]:
        """An array for each placeholder. Raises FeedError where one is missing or doesn't fit."""
        if type(feeds) is not dict and not isinstance(feeds, Mapping):
            raise FeedError(f"feeds: expected a dict of placeholders, got {feeds!r:.60}")
        try:
            if len(feeds) > len(self.placeholders):
                check_keys(feeds, graph)
            return [node.accept(feeds[node]) for node in self.placeholders]
        except KeyError as error:
            node = error.args[0]
            check_keys(feeds, node.graph or graph)
            raise FeedError(f"{node.label()} needs a feed{node.built()}") from None


def check_keys(feeds: Mapping[Any, Any], graph: Graph | None = None) -> None:
    """Raise FeedError where something else than a placeholder, or one of another graph, is fed."""
    for key in feeds:
        if isinstance(key, str):
            raise FeedError(f"only placeholders are fed, got {key!r}.", hint=_by_name(key, graph))
        if not isinstance(key, Placeholder):
            raise FeedError(f"only placeholders are fed, got {key!r:.60}")
        if graph is not None and key.graph not in (None, graph):
            raise FeedError(
                f"{key.label()} is fed, which belongs to another graph than what is "
                f"computed{key.built()}"
            )


def _by_name(name: str, graph: Graph | None) -> str:
    """What to write for the name of a node."""
    if graph is None:
        return f"Use the node itself; graph[{name!r}] is a graph's node of that name."
    try:
        return f"Use the node itself: graph[{name!r}] is {graph[name].label()}."
    except GraphError as error:
        return f"Use the node itself. {error}"


# What the compiled program of a run is found by: what is fetched, shape and dtype of each feed, the
# engine, and the default float.
Run = tuple[Fetches, tuple[tuple[Any, Any], ...], str, DType]


def _what_varies(keys: list[Run]) -> str:
    """Which part of these runs had the most values, and what to do about it."""
    wanted = keys[-1][0]
    fetched = len({key[0] for key in keys})
    found = [(fetched, "the fetches", "lists of nodes: build nodes once, before the runs.")]
    alike = [forms for one, forms, *_ in keys if one is wanted]
    for place, node in enumerate(wanted.placeholders):
        found.append((len({forms[place] for forms in alike}), f"the feed of {node.label()}", _PAD))
    number, what, how = max(found, key=lambda one: one[0])
    return f"Most varied: {what}, {number} {how}"


_PAD = "shapes or dtypes: pad or cut arrays to a few shapes."
