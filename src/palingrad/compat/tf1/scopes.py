"""variable_scope and get_variable: Variables that are shared by name."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from .framework.graph import Graph, Tensor, get_default_graph
from .framework.types import as_dtype
from .framework.variables import Variable, add_to_collection
from .initializers import GlorotUniform, Zeros, value_of

AUTO_REUSE = "AUTO_REUSE"


class VariableScope:
    """The prefix of Variables' names, whether those that exist are shared, and defaults."""

    def __init__(
        self, name: str, reuse: Any, initializer: Any, regularizer: Any, dtype: Any
    ) -> None:
        self.name, self.reuse = name, reuse
        self.initializer, self.regularizer, self.dtype = initializer, regularizer, dtype

    @property
    def original_name_scope(self) -> str:
        """The name with a slash at its end."""
        return f"{self.name}/" if self.name else ""

    def reuse_variables(self) -> None:
        """From now on get_variable gives the Variables that exist."""
        self.reuse = True

    def global_variables(self) -> list[Variable]:
        """The Variables whose names begin with the prefix."""
        return get_default_graph().get_collection("variables", f"{self.name}/")

    def trainable_variables(self) -> list[Variable]:
        """Those of them that training changes."""
        return get_default_graph().get_collection("trainable_variables", f"{self.name}/")


def get_variable_scope() -> VariableScope:
    """The open scope."""
    graph = get_default_graph()
    if graph.variable_scope is None:
        graph.variable_scope = VariableScope("", None, None, None, "float32")
    return graph.variable_scope


@contextmanager
def variable_scope(
    name_or_scope: Any, default_name: str | None = None, values: Any = None,
    initializer: Any = None, regularizer: Any = None, caching_device: Any = None,
    partitioner: Any = None, custom_getter: Any = None, reuse: Any = None, dtype: Any = None,
    use_resource: Any = None, constraint: Any = None, auxiliary_name_scope: bool = True,
) -> Generator[VariableScope]:  # fmt: skip
    """Puts the scope's name before those of get_variable's Variables, and of all that is built
    inside. `reuse`: True gives those that exist, AUTO_REUSE makes what lacks."""
    graph, outer = get_default_graph(), get_variable_scope()
    if custom_getter is not None:
        raise NotImplementedError("variable_scope: custom_getter isn't supported.")
    base, short = outer, str(name_or_scope)
    if isinstance(name_or_scope, VariableScope):
        base, name = name_or_scope, name_or_scope.name
        short = name.rpartition("/")[2]
    else:
        if name_or_scope is None:
            short = _unique(graph, outer, default_name)
        name = f"{outer.name}/{short}" if outer.name else short
    shared = outer.reuse or base.reuse if reuse is None else reuse
    start = base.initializer if initializer is None else initializer
    graph.variable_scope = VariableScope(
        name, shared, start, regularizer or base.regularizer, dtype or base.dtype
    )
    try:
        with graph.name_scope(short or None):
            yield graph.variable_scope
    finally:
        graph.variable_scope = outer


def _unique(graph: Graph, outer: VariableScope, default_name: str | None) -> str:
    """A name that no scope has had inside the open name scope: dense, dense_1, …."""
    base = default_name or "scope"
    key = f"{outer.name}:{graph.scope}{base}"
    uses = graph.scope_uses.get(key, 0)
    graph.scope_uses[key] = uses + 1
    return base if not uses else f"{base}_{uses}"


def get_variable(
    name: str, shape: Any = None, dtype: Any = None, initializer: Any = None,
    regularizer: Any = None, trainable: bool | None = None, collections: Any = None,
    caching_device: Any = None, partitioner: Any = None, validate_shape: bool = True,
    use_resource: Any = None, custom_getter: Any = None, constraint: Any = None, **_: Any,
) -> Variable:  # fmt: skip
    """The Variable of this name in the open scope: a new one, or where the scope reuses, the one
    that exists. Raises ValueError otherwise."""
    scope, graph = get_variable_scope(), get_default_graph()
    full = f"{scope.name}/{name}" if scope.name else name
    known = graph.stores.get(full)
    if known is not None:
        if not scope.reuse:
            raise ValueError(
                f"the Variable {full!r} exists already. Write with tf.variable_scope(…, "
                "reuse=tf.AUTO_REUSE) to share it."
            )
        if shape is not None and known.shape.as_list() != [int(one) for one in _sizes(shape)]:
            raise ValueError(f"the Variable {full!r} has shape {known.shape}, not {shape}.")
        return known
    if scope.reuse is True:
        raise ValueError(f"there is no Variable {full!r} to reuse.")
    chosen = scope.initializer if initializer is None else initializer
    kind = as_dtype(
        dtype or (chosen.dtype if isinstance(chosen, Tensor) else scope.dtype or "float32")
    )
    if chosen is None:
        chosen = GlorotUniform() if kind.is_floating else Zeros()
    outer, graph.scope = graph.scope, ""
    try:
        made = Variable(
            lambda: value_of(chosen, shape, kind),
            trainable is not False, collections, name=full, dtype=kind,
        )  # fmt: skip
    finally:
        graph.scope = outer
    graph.stores[full] = made
    penalty = regularizer or scope.regularizer
    if penalty is not None:
        add_to_collection("regularization_losses", penalty(made))
    return made


def _sizes(shape: Any) -> Any:
    return [shape] if isinstance(shape, int) else shape
