"""Variables: each session has values of its own, given by a run of their initializers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from ....dtypes import is_inexact
from ....errors import GraphError
from ....graph import leaves
from ....graph.node import Node
from ....graph.registry import ops
from .convert import convert_to_tensor, node
from .graph import (
    Graph,
    GraphKeys,
    Operation,
    Tensor,
    build,
    building,
    default_session,
    get_default_graph,
    named,
)
from .types import numeric


class Variable(Tensor):
    """A value that training changes. `node` is palingrad's Variable."""

    trainable: bool
    initializer: Operation
    initial_value: Tensor

    def __init__(
        self, initial_value: Any = None, trainable: bool = True, collections: Any = None,
        validate_shape: bool = True, caching_device: Any = None, name: str | None = None,
        variable_def: Any = None, dtype: Any = None, expected_shape: Any = None, **_: Any,
    ) -> None:  # fmt: skip
        graph = get_default_graph()
        full = graph.unique_name(name or "Variable")
        with graph.name_scope(f"{full}/"):
            value = initial_value() if callable(initial_value) else initial_value
            if value is None:
                raise GraphError("a Variable needs an initial value.",
                                 hint="tf.Variable(tf.zeros([784, 10])).")  # fmt: skip
            value = convert_to_tensor(value, dtype, name="initial_value")
        self._settle(graph, full, value, dtype, trainable, collections)

    def _settle(
        self, graph: Graph, full: str, value: Tensor, dtype: Any, trainable: bool, collections: Any
    ) -> None:
        kind = value.node.dtype if dtype is None else numeric(dtype)
        shape = value.node.shape
        if shape is None or None in shape:
            raise GraphError(
                f"the Variable {full!r} has the initial shape {value.shape}: sizes of Variables "
                "are known when the graph is built."
            )
        with building(graph, full):
            zeros = np.zeros([size or 0 for size in shape], kind)
            trains = trainable and is_inexact(zeros.dtype)
            made = leaves.Variable(zeros, trainable=trains)
        named(made, full)
        super().__init__(Operation(graph, full, "VariableV2", made), made)
        self.initial_value, self.trainable = value, trainable
        with building(graph, f"{full}/Assign"):
            given = ops.assign(made, ops.cast(value.node, made.dtype))
        self.initializer = Operation(graph, f"{full}/Assign", "Assign", given)
        graph.variables[made] = self
        keys = [GraphKeys.GLOBAL_VARIABLES] if collections is None else list(collections)
        keys += [GraphKeys.TRAINABLE_VARIABLES] if trainable else []
        for key in dict.fromkeys(keys):
            graph.add_to_collection(key, self)

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """The new value, which a run of it assigns."""
        return build("Assign", name, lambda: ops.assign(self.node, node(value, self.node.dtype)))

    def assign_add(self, delta: Any, use_locking: bool = False, name: Any = None) -> Tensor:
        """The value plus delta, which a run of it assigns."""
        return self._changed("AssignAdd", ops.add, delta, name)

    def assign_sub(self, delta: Any, use_locking: bool = False, name: Any = None) -> Tensor:
        """The value minus delta, which a run of it assigns."""
        return self._changed("AssignSub", ops.subtract, delta, name)

    def _changed(self, kind: str, rule: Any, delta: Any, name: str | None) -> Tensor:
        def changed() -> Node:
            return ops.assign(self.node, rule(self.node, node(delta, self.node.dtype)))

        return build(kind, name, changed)

    def load(self, value: Any, session: Any = None) -> None:
        """Sets the value in a session, by default the open one."""
        default_session(session).assign({self.node: np.asarray(value)})

    def initialized_value(self) -> Tensor:
        """The initial value, which other Variables' may be made of."""
        return self.initial_value

    def read_value(self) -> Tensor:
        """The value, as a tensor of its own."""
        return build("read", None, lambda: self.node.copy())

    def value(self) -> Tensor:
        """The value."""
        return self

    def __repr__(self) -> str:
        return f"<tf.Variable {self.name!r} shape={self.shape} dtype={self.dtype.name}>"

    __str__ = __repr__


def slot(graph: Graph, made: leaves.Variable, name: str, initial: float) -> Variable:
    """An optimizer's Variable, which palingrad has made, as one of the graph's: it is initialised,
    saved and kept by each session like the others."""
    known = graph.variables.get(made)
    if known is not None:
        return known
    found = Variable.__new__(Variable)
    scope = graph.scope
    graph.scope = ""
    full = graph.unique_name(name)
    graph.scope = scope
    Tensor.__init__(found, Operation(graph, full, "VariableV2", made), made)
    array = np.full(made.numpy().shape, initial, made.dtype)
    with building(graph, f"{full}/Assign"):
        value = leaves.Constant(array)
        given = ops.assign(made, value)
    found.initial_value = Tensor(Operation(graph, f"{full}/initial_value", "Const", value), value)
    found.initializer = Operation(graph, f"{full}/Assign", "Assign", given)
    found.trainable = False
    graph.variables[made] = found
    graph.add_to_collection(GraphKeys.GLOBAL_VARIABLES, found)
    return found


def assign(ref: Variable, value: Any, name: str | None = None, **_: Any) -> Tensor:
    """The new value, which a run of it assigns to a Variable."""
    return ref.assign(value, name=name)


def assign_add(ref: Variable, value: Any, use_locking: Any = None, name: Any = None) -> Tensor:
    """A Variable's value plus this one, which a run of it assigns."""
    return ref.assign_add(value, name=name)


def assign_sub(ref: Variable, value: Any, use_locking: Any = None, name: Any = None) -> Tensor:
    """A Variable's value minus this one, which a run of it assigns."""
    return ref.assign_sub(value, name=name)


def group(*inputs: Any, name: str | None = None, **_: Any) -> Operation:
    """An operation that runs all of these."""
    graph = get_default_graph()
    full = graph.unique_name(name or "group_deps")
    nodes = [one.node for one in inputs]
    with building(graph, full):
        made = ops.group(*nodes)
    return Operation(graph, full, "NoOp", made)


def no_op(name: str | None = None) -> Operation:
    """An operation that does nothing."""
    return group(name=name or "NoOp")


def global_variables(scope: str | None = None) -> list[Variable]:
    """The default graph's Variables."""
    return get_default_graph().get_collection(GraphKeys.GLOBAL_VARIABLES, scope)


def local_variables(scope: str | None = None) -> list[Variable]:
    """The default graph's Variables that aren't saved."""
    return get_default_graph().get_collection(GraphKeys.LOCAL_VARIABLES, scope)


def trainable_variables(scope: str | None = None) -> list[Variable]:
    """The default graph's Variables that training changes."""
    return get_default_graph().get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)


def variables_initializer(var_list: Iterable[Variable], name: str = "init") -> Operation:
    """An operation that gives Variables their initial values, computed when it is run."""
    return group(*(one.initializer for one in var_list), name=name)


def global_variables_initializer() -> Operation:
    """An operation that gives the Variables built so far their initial values."""
    return variables_initializer(global_variables())


def local_variables_initializer() -> Operation:
    """An operation that gives the local Variables their initial values."""
    return variables_initializer(local_variables(), name="init_local")


def add_to_collection(name: str, value: Any) -> None:
    """Appends a value to a collection of the default graph."""
    get_default_graph().add_to_collection(name, value)


def get_collection(key: str, scope: str | None = None) -> list[Any]:
    """A collection's values; with a scope, those whose names begin with it."""
    return get_default_graph().get_collection(key, scope)


def name_scope(name: str | None, default_name: str | None = None, values: Any = None) -> Any:
    """Puts `name/` before the names of what is built inside."""
    chosen = name if name is not None else default_name
    return get_default_graph().name_scope(chosen)


def control_dependencies(control_inputs: Sequence[Any]) -> Any:
    """Refused, unless empty: a run reads every Variable as it was before the run."""
    if not control_inputs:
        return nullcontext()
    raise GraphError(
        "control_dependencies orders assignments and reads within one run; here a run reads all "
        "Variables as they were before it, and assigns together at its end.",
        hint="Run the operations one after the other, or tf.group them.",
    )
