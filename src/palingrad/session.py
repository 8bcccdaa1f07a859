"""Session: runs nodes of a graph that was built before, with a cache of compiled programs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .dtypes import Array, DType
from .engines.selection import get_engine, precise
from .errors import ArgumentError, FeedError, GraphError
from .graph.graph import Graph
from .graph.leaves import Placeholder, Variable
from .graph.node import Node
from .graph.protocols.copies import refuse_pickling
from .graph.traversal.order import postorder
from .messages.calls import explains, misfit, public
from .messages.checks import shown
from .passes.specialise import specialise
from .programs import MAX_PROGRAMS, Compiled, ProgramCache, warn_of_eviction
from .signature import settings
from .trees import leaves, rebuilt

_fed: list[Callable[[Sequence[Placeholder], Sequence[Array]], None]] = []  # see `last_feeds`


@contextmanager
def last_feeds() -> Generator[dict[Placeholder, Array]]:
    """A dict that sessions fill, until the end of the `with`, with a copy of the most recent feed
    of each placeholder."""
    found: dict[Placeholder, Array] = {}

    def keep(placeholders: Sequence[Placeholder], arrays: Sequence[Array]) -> None:
        found.update(zip(placeholders, map(np.copy, arrays), strict=True))

    _fed.append(keep)
    try:
        yield found
    finally:
        _fed.remove(keep)


class Session:
    """Runs nodes of `graph`, or of any graph if it is None. Thread-safe.

    >>> import palingrad as pg
    >>> x = pg.placeholder()
    >>> pg.Session().run(x * 2, {x: [1, 2]})
    array([2, 4])
    """

    @public
    def __init__(
        self,
        graph: Graph | None = None,
        *,
        engine: str | None = None,
        precision: str | None = None,
        max_programs: int = MAX_PROGRAMS,
    ) -> None:
        if graph is not None and not isinstance(graph, Graph):  # pyright: ignore
            name = "engine" if isinstance(graph, str) else "graph"
            raise ArgumentError(
                f"Session: expected a Graph, got {shown(graph)}.",
                hint=f"Write pg.Session({name}={shown(graph) if name == 'engine' else 'graph'}).",
            )
        self.graph = graph
        self.engine, self.precision = engine, precision
        self._fetches: ProgramCache[Fetches] = ProgramCache(max_programs)
        self._programs: ProgramCache[Compiled] = ProgramCache(max_programs)

    __reduce__ = refuse_pickling(
        "A Session",
        "Make one where it is needed, pg.Session(): the programs in it are machine code.",
    )

    @explains
    def run(self, fetches: Any, feeds: Mapping[Any, Any] | None = None, **unknown: Any) -> Any:
        """The values of `fetches`: a node, or lists, tuples and dicts of nodes, in that structure.

        `feeds` maps placeholders to their values: arrays, numbers or nested lists. Values are
        read-only arrays; those of `minimize` and `group` nodes are None. Assignments among the
        fetches are written together after everything is computed. The `max_programs` most recently
        used programs are cached; the first eviction raises a warning. Raises FeedError for a
        missing or unsuitable feed, ShapeError if the shapes of the feeds are incompatible.
        """
        if unknown:
            raise misfit(Session.run, (self, fetches), unknown)
        nodes = leaves(fetches)
        ids = tuple(map(id, nodes))
        fetched = self._fetches.get(ids)
        if fetched is None:
            checked = self._checked(nodes)
            fetched = self._fetches.make(ids, lambda: Fetches(checked))
        arrays = fetched.accepted({} if feeds is None else feeds, self.graph)
        for keep in _fed:
            keep(fetched.placeholders, arrays)
        name = precise(self.engine, self.precision)
        engine = get_engine(name, observed=False).name  # a recorded run shares the program
        key = fetched, tuple([(x.shape, x.dtype) for x in arrays]), engine, settings()
        compiled = self._programs.get(key) or self._compiled(key)
        return rebuilt(fetches, iter(compiled(arrays)))

    def _compiled(self, key: Run) -> Compiled:
        fetched, forms, engine, _ = key
        fed = dict(zip(fetched.placeholders, forms, strict=True))
        compiled = self._programs.make(
            key, lambda: Compiled(fetched.nodes, specialise(fetched.nodes, fed), engine)
        )
        keys = self._programs.overflow()
        if keys:
            warn_of_eviction("Session", self._programs.limit, _what_varies(keys))
        return compiled

    def _checked(self, nodes: Sequence[Any]) -> list[Node]:
        for node in nodes:
            if isinstance(node, str):
                hint = _by_name(node, self.graph)
                raise GraphError(f"run: expected nodes to fetch, got str {node!r}.", hint=hint)
            if not isinstance(node, Node):
                raise GraphError(
                    f"run: expected nodes to fetch, got {type(node).__name__} {node!r:.40}.",
                    hint="Leave it out, or make it a node: pg.tensor(value).",
                )
            if self.graph is not None and node.graph not in (None, self.graph):
                raise GraphError(
                    f"run: {node.label()} isn't in this session's graph{node.built()}.",
                    hint="Run it in a session of its own graph, pg.Session(node.graph), or of any: "
                    "pg.Session().",
                )
        return list(nodes)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop all compiled programs."""
        self._programs.clear()
        self._fetches.clear()


class Fetches:
    """Nodes that are fetched together, and the placeholders on which they depend."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes  # the strong references prevent reuse of the ids
        self.placeholders = [node for node in postorder(*nodes) if isinstance(node, Placeholder)]

    def accepted(self, feeds: Any, graph: Graph | None) -> list[Array]:
        """An array for each placeholder. Raises FeedError if one is missing or doesn't fit."""
        if type(feeds) is not dict and not isinstance(feeds, Mapping):
            names = [node._name or "x" for node in self.placeholders]
            raise FeedError(
                f"feeds: expected a dict of placeholders, got {feeds!r:.60}.",
                hint=f"Write {{{', '.join(f'{name}: …' for name in names)}}}.",
            )
        try:
            if len(feeds) > len(self.placeholders):
                check_keys(feeds, graph)
            return [node.accept(feeds[node]) for node in self.placeholders]
        except KeyError as error:
            node = error.args[0]
            check_keys(feeds, node.graph or graph)
            name = node._name or "x"
            before = "".join(f"{x._name or '…'}: …, " for x in feeds)
            raise FeedError(
                f"{node.label()} needs a feed{node.built()}.",
                hint=f"Write run(y, {{{before}{name}: …}}), with its value.",
            ) from None


def check_keys(feeds: Mapping[Any, Any], graph: Graph | None = None) -> None:
    """Raise FeedError if a key isn't a placeholder, or is one of another graph."""
    for key in feeds:
        if isinstance(key, str):
            raise FeedError(f"only placeholders are fed, got {key!r}.", hint=_by_name(key, graph))
        if not isinstance(key, Placeholder):
            hint = "The keys are placeholders themselves, and the values what they are in this run."
            if isinstance(key, Variable):
                hint = f"A Variable keeps its value: {key._name or 'w'}.assign(value) changes it."
            raise FeedError(f"only placeholders are fed, got {key!r:.60}.", hint=hint)
        if graph is not None and key.graph not in (None, graph):
            raise FeedError(
                f"{key.label()} is fed, which belongs to another graph than the fetches"
                f"{key.built()}.",
                hint=_placeholders_of(graph),
            )


def _placeholders_of(graph: Graph) -> str:
    names = [node.name for node in graph.placeholders]
    return f"The placeholders of their graph are {', '.join(names)}." if names else ""


def _by_name(name: str, graph: Graph | None) -> str:
    """A hint for a user who passed a node's name instead of the node."""
    if graph is None:
        return f"Use the node itself; graph[{name!r}] is a graph's node of that name."
    try:
        return f"Use the node itself: graph[{name!r}] is {graph[name].label()}."
    except GraphError as error:
        return f"Use the node itself; {error}"


# The cache key of a compiled program: fetches, shape and dtype of each feed, engine, default float.
Run = tuple[Fetches, tuple[tuple[Any, Any], ...], str, tuple[DType, bool, int]]


def _what_varies(keys: list[Run]) -> str:
    """The part of these keys with the most distinct values, with advice."""
    last = keys[-1][0]
    lists = len({fetched for fetched, *_ in keys})
    counts = [(lists, "the fetches", "lists of nodes: build nodes once, before the runs.")]
    alike = [forms for fetched, forms, *_ in keys if fetched is last]
    for number, node in enumerate(last.placeholders):
        forms = {forms[number] for forms in alike}
        counts.append((len(forms), f"the feed of {node.label()}", _PAD))
    count, what, advice = max(counts, key=lambda entry: entry[0])
    return f"Most varied: {what}, {count} {advice}"


_PAD = "shapes or dtypes: pad or cut arrays to a few shapes."
