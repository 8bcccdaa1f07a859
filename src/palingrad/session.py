"""Session: runs parts of a graph that was defined before."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from .dtypes import Array, default_dtype
from .engines.base import Engine, Executable
from .engines.selection import get_engine
from .errors import FeedError, GraphError
from .graph.graph import Graph
from .graph.leaves import Placeholder
from .graph.node import Node
from .graph.operation import has_value
from .graph.order import postorder
from .passes.pipeline import optimise
from .passes.specialise import specialise
from .trees import leaves, rebuilt

_PLANS = 256  # lists of fetches whose programs a session remembers


class Session:
    """Runs nodes of a graph, of any graph if none is given; safe to share between threads.

    >>> import palingrad as pg
    >>> x = pg.placeholder()
    >>> pg.Session().run(x * 2, {x: [1, 2]})
    array([2, 4])
    """

    def __init__(self, graph: Graph | None = None, *, engine: str | None = None) -> None:
        self.graph = graph
        self.engine = engine
        self._plans: dict[tuple[int, ...], Plan] = {}
        self._lock = threading.Lock()

    def run(self, fetches: Any, feeds: Mapping[Any, Any] | None = None) -> Any:
        """Compute `fetches`: a node, or lists, tuples and dicts of them, in the same form.

        `feeds` gives placeholders their values: arrays, numbers or nested lists. Assignments
        among the fetches land together after everything is computed; `minimize` and `group`
        nodes give None. Values are read-only arrays. Raises FeedError for a missing feed or one
        that doesn't fit, ShapeError where the fed shapes don't fit together.
        """
        nodes = leaves(fetches)
        key = tuple(map(id, nodes))
        plan = self._plans.get(key)
        if plan is None:
            plan = self._keep(key, Plan(self._checked(nodes)))
        values = iter(plan.run(feeds or {}, get_engine(self.engine)))
        return rebuilt(fetches, values)

    def _keep(self, key: tuple[int, ...], plan: Plan) -> Plan:
        """The plan for these fetches, of this thread or of one that was faster."""
        with self._lock:
            while len(self._plans) >= _PLANS:  # fetches that are built anew for each run
                del self._plans[next(iter(self._plans))]
            return self._plans.setdefault(key, plan)

    def _checked(self, nodes: Sequence[Any]) -> list[Node]:
        for node in nodes:
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
        with self._lock:
            self._plans.clear()


class Plan:
    """What a list of fetches needs, and its Programs, one for each signature of feeds."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes  # held here, so that no other node gets the same id
        self.placeholders = [node for node in postorder(*nodes) if isinstance(node, Placeholder)]
        self._valued = [has_value(node) for node in nodes]
        self._compiled: dict[Any, Executable] = {}
        self._lock = threading.Lock()

    def run(self, feeds: Mapping[Placeholder, Any], engine: Engine) -> list[Array | None]:
        """One value for each node, None for one without."""
        arrays = self._accepted(feeds)
        signature = tuple((array.shape, array.dtype) for array in arrays)
        key = (signature, engine.name, default_dtype())
        executable = self._compiled.get(key)
        if executable is None:
            with self._lock:
                executable = self._compiled.get(key)
                if executable is None:
                    executable = self._compile(signature, engine)
                    self._compiled[key] = executable
        values = iter(executable(arrays))
        return [next(values) if valued else None for valued in self._valued]

    def _compile(self, signature: tuple[Any, ...], engine: Engine) -> Executable:
        fed = dict(zip(self.placeholders, signature, strict=True))
        return engine.compile(optimise(specialise(self.nodes, fed)))

    def _accepted(self, feeds: Any) -> list[Array]:
        if type(feeds) is not dict and not isinstance(feeds, Mapping):
            raise FeedError(f"feeds: expected a dict of placeholders, got {feeds!r:.60}")
        try:
            if len(feeds) > len(self.placeholders):
                check_keys(feeds)
            return [node.accept(feeds[node]) for node in self.placeholders]
        except KeyError as error:
            node = error.args[0]
            raise FeedError(f"{node.label()} needs a feed{node.built()}") from None


def check_keys(feeds: Mapping[Any, Any]) -> None:
    """Raise FeedError where something else than a placeholder is fed."""
    for key in feeds:
        if not isinstance(key, Placeholder):
            raise FeedError(f"only placeholders are fed, got {key!r:.60}")
