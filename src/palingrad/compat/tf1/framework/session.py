"""Session: palingrad's session with Variables of its own, names as fetches, and strings."""

from __future__ import annotations

from collections.abc import Callable, Generator as Generator_, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from ....errors import FeedError
from ....graph.leaves import Placeholder, Variable as Leaf, assign_all, sealed
from ....graph.node import Node
from ....graph.traversal.order import postorder
from ....ops.state import AssignVariable
from ....session import Session as PalingradSession
from ....trees import leaves, rebuilt
from ..errors import FailedPreconditionError, InvalidArgumentError
from .graph import Graph, Operation, Tensor, Text, get_default_graph, sessions

_PLANS = 512  # lists of fetches, whose plans are kept


class _Plan:
    """What a list of fetches computes: palingrad's nodes, the Variables that are read and written,
    and the results from the nodes' values."""

    def __init__(self, fetches: list[Any], graph: Graph) -> None:
        self.fetches = fetches  # the strong references prevent reuse of the ids
        self.nodes: list[Node] = []
        self._places: dict[Node, int] = {}
        self.results = [self._result(graph.as_graph_element(one)) for one in fetches]
        order = postorder(*self.nodes)
        self.read = [graph.variables[one] for one in order if one in graph.variables]
        self.written = {
            one.attributes["variable"] for one in order if isinstance(one, AssignVariable)
        }

    def _place(self, node: Node) -> int:
        if node not in self._places:
            self._places[node] = len(self.nodes)
            self.nodes.append(node)
        return self._places[node]

    def _result(self, fetch: Tensor | Operation) -> Callable[[list[Any]], Any]:
        if isinstance(fetch, Text):
            parts = [self._result(one) for one in fetch.parts]
            return lambda values: fetch.make(*(part(values) for part in parts))
        if isinstance(fetch, Operation):
            if fetch.node is not None:
                self._place(fetch.node)
            return lambda values: None
        place = self._place(fetch.node)
        return lambda values: _own(values[place])


def _array(nested: Any) -> Any:
    """Nested lists as an array, which NumPy makes faster than palingrad does."""
    try:
        return np.asarray(nested)
    except ValueError:  # of different lengths: palingrad's message says what is wrong
        return nested


def _own(value: Any) -> Any:
    """An array of the user's own, or a number where there are no axes."""
    return value[()] if not value.ndim else np.array(value)


class Session:
    """Runs a graph, by default the one that is the default when the session is made."""

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        self.graph = graph or get_default_graph()
        self._runs = PalingradSession(self.graph.built)
        self._plans: dict[tuple[int, ...], _Plan] = {}
        self._values: dict[Leaf, Any] = {}  # while another session has the Variables
        self._initialized: set[Node] = set()
        self._closed = False
        self._contexts: list[Any] = []

    def run(
        self, fetches: Any, feed_dict: Mapping[Any, Any] | None = None, options: Any = None,
        run_metadata: Any = None,
    ) -> Any:  # fmt: skip
        """The values of tensors, operations (None) or names: one, or lists, tuples and dicts.

        Raises FailedPreconditionError for a Variable without a value in this session, and
        InvalidArgumentError for a placeholder that isn't fed.
        """
        if self._closed:
            raise RuntimeError("the session is closed.")
        wanted = leaves(fetches)
        ids = tuple(map(id, wanted))
        plan = self._plans.get(ids) or self._planned(ids, wanted)
        self._own_variables()
        missing = [one for one in plan.read if one.node not in self._initialized]
        if missing:
            raise FailedPreconditionError(
                f"the Variable {missing[0].op.name!r} has no value in this session.",
                hint="Run tf.global_variables_initializer() first, made after all Variables.",
            )
        try:
            values = self._runs.run(plan.nodes, self._feeds(feed_dict or {}))
        except FeedError as error:
            raise InvalidArgumentError(error.fact, hint=error.hint) from error
        self._initialized |= plan.written
        return rebuilt(fetches, iter([result(values) for result in plan.results]))

    def _planned(self, ids: tuple[int, ...], wanted: list[Any]) -> _Plan:
        if len(self._plans) >= _PLANS:
            self._plans.clear()
        plan = self._plans[ids] = _Plan(wanted, self.graph)
        return plan

    def _feeds(self, feed_dict: Mapping[Any, Any]) -> dict[Node, Any]:
        feeds: dict[Node, Any] = {}
        for key, value in feed_dict.items():
            tensor = key if isinstance(key, Tensor) else self.graph.as_graph_element(key)
            if not isinstance(tensor, Tensor) or not isinstance(tensor.node, Placeholder):
                raise InvalidArgumentError(
                    f"{tensor.name!r} is computed; only placeholders are fed here.",
                    hint="Build the graph on a placeholder, or fetch with other inputs.",
                )
            if isinstance(value, Tensor):
                raise FeedError(f"the feed of {tensor.name!r} is a tensor.",
                                hint="Feed its value: session.run(tensor).")  # fmt: skip
            feeds[tensor.node] = _array(value) if isinstance(value, (list, tuple)) else value
        return feeds

    # ---------------------------------------------------------------- Variables

    def _own_variables(self) -> None:
        """Gives the graph's Variables the values that they have in this session."""
        owner = self.graph.owner
        if owner is self:
            return
        if owner is not None:
            owner._values = {one: one.numpy() for one in owner._initialized}
        self.graph.owner = self
        self.assign(self._values)
        self._values = {}

    def assign(self, values: Mapping[Any, Any]) -> None:
        """Sets palingrad's Variables to arrays, in this session."""
        self._own_variables()
        variables = list(values)
        for one in variables:
            one.check(np.shape(values[one]), None)
        assign_all(variables, [sealed(values[one], one.dtype) for one in variables])
        self._initialized.update(variables)

    def initialized(self, variable: Tensor) -> bool:
        """Whether a Variable has a value in this session."""
        return variable.node in self._initialized

    # ---------------------------------------------------------------- opening

    @contextmanager
    def as_default(self) -> Generator_[Session]:
        """Makes this the session of eval() and run() without one."""
        sessions().append(self)
        try:
            yield self
        finally:
            sessions().remove(self)

    def __enter__(self) -> Session:
        opened = [self.graph.as_default(), self.as_default()]
        for one in opened:
            one.__enter__()
        self._contexts.append(opened)
        return self

    def __exit__(self, *error: Any) -> None:
        for one in reversed(self._contexts.pop()):
            one.__exit__(*error)
        self.close()

    def close(self) -> None:
        """Drops the values of the Variables."""
        self._closed = True
        if self.graph.owner is self:
            self.graph.owner = None
        self._values, self._initialized = {}, set()
        self._runs.close()
        if self in sessions():
            sessions().remove(self)


class InteractiveSession(Session):
    """A session that is the default from now on."""

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        super().__init__(target, graph, config)
        sessions().append(self)
