"""Graph: palingrad's graph with TensorFlow's names, scopes and collections; tensors, operations."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator as Generator_, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ....errors import DTypeError, GraphError, UnknownNameError
from ....graph.context import opened
from ....graph.graph import Graph as PalingradGraph
from ....graph.node import Node
from ....messages.checks import did_you_mean, shown
from ....random import Generator
from .types import DType, TensorShape, as_dtype


class GraphKeys:
    """The names of the collections."""

    GLOBAL_VARIABLES = VARIABLES = "variables"
    TRAINABLE_VARIABLES = "trainable_variables"
    LOCAL_VARIABLES = "local_variables"
    SUMMARIES = "summaries"
    LOSSES = "losses"
    REGULARIZATION_LOSSES = "regularization_losses"
    UPDATE_OPS = "update_ops"
    TRAIN_OP = "train_op"
    GLOBAL_STEP = "global_step"


class Graph:
    """What is built while it is the default graph; `built` is palingrad's graph of it."""

    def __init__(self) -> None:
        self.built = PalingradGraph()
        self.scope = ""  # the open name scope, with a slash at its end
        self.stores: dict[str, Any] = {}  # get_variable's Variables, by name
        self.variables: dict[Node, Any] = {}  # all Variables, by palingrad's
        self.variable_scope: Any = None  # the open one
        self.scope_uses: dict[str, int] = {}
        self.owner: Any = None  # the session whose values the Variables hold
        self.random = Generator()
        self._uses: dict[str, int] = {}
        self._operations: dict[str, Operation] = {}
        self._collections: dict[str, list[Any]] = {}

    @contextmanager
    def as_default(self) -> Generator_[Graph]:
        """Makes this the graph that new nodes belong to."""
        _stack().append(self)
        try:
            yield self
        finally:
            _stack().remove(self)

    def unique_name(self, name: str) -> str:
        """The name inside the open scope, numbered if it is in use: add, add_1, …. One that ends
        with a slash is taken as it is."""
        if name.endswith("/"):
            return name[:-1]
        base = self.scope + name
        uses = self._uses.get(base, 0)
        found = base if not uses else f"{base}_{uses}"
        while found in self._uses and uses:
            uses += 1
            found = f"{base}_{uses}"
        self._uses[base] = uses + 1
        self._uses.setdefault(found, 1)
        return found

    @contextmanager
    def name_scope(self, name: str | None) -> Generator_[str]:
        """Puts `name/` before the names of what is built inside."""
        before = self.scope
        self.scope = self.unique_name(name) + "/" if name else ""
        try:
            yield self.scope
        finally:
            self.scope = before

    def note(self, operation: Operation) -> None:
        """Makes an operation known by its name."""
        self._operations[operation.name] = operation

    def get_operations(self) -> list[Operation]:
        """All operations, in the order in which they were built."""
        return list(self._operations.values())

    def get_operation_by_name(self, name: str) -> Operation:
        """The operation of this name. Raises GraphError if there is none."""
        try:
            return self._operations[name]
        except KeyError:
            hint = did_you_mean(name, self._operations, quoted=True)
            raise GraphError(f"the graph has no operation {name!r}.", hint=hint) from None

    def get_tensor_by_name(self, name: str) -> Tensor:
        """The tensor of this name, such as "x:0". Raises GraphError if there is none."""
        base, colon, number = name.partition(":")
        if not colon or not number.isdigit():
            raise GraphError(
                f"{name!r} isn't the name of a tensor.", hint=f"Its first output is {base + ':0'!r}"
            )
        outputs = self.get_operation_by_name(base).outputs
        if int(number) >= len(outputs):
            raise GraphError(f"{base!r} has {len(outputs)} outputs, none of them {name!r}.")
        return outputs[int(number)]

    def as_graph_element(self, what: Any) -> Tensor | Operation:
        """A tensor or an operation, or the one of this name."""
        if isinstance(what, str):
            named = self.get_tensor_by_name if ":" in what else self.get_operation_by_name
            return named(what)
        if isinstance(what, (Tensor, Operation)):
            if what.graph is not self:
                raise GraphError(f"{what.name!r} belongs to another graph.",
                                 hint="Make the session with graph=….")  # fmt: skip
            return what
        raise GraphError(f"expected a tensor, an operation or a name, got {shown(what)}.")

    def add_to_collection(self, name: str, value: Any) -> None:
        """Appends a value to a collection."""
        self._collections.setdefault(name, []).append(value)

    def get_collection(self, name: str, scope: str | None = None) -> list[Any]:
        """A collection's values; with a scope, those whose names begin with it."""
        values = self._collections.get(name, [])
        if scope is None:
            return list(values)
        return [one for one in values if getattr(one, "name", "").startswith(scope)]

    def get_collection_ref(self, name: str) -> list[Any]:
        """The collection itself."""
        return self._collections.setdefault(name, [])

    def finalize(self) -> None:
        """Does nothing: a session runs only what it is given."""


class Operation:
    """What computes tensors, its `outputs`; `node` is palingrad's, which a run computes."""

    def __init__(self, graph: Graph, name: str, kind: str, node: Node | None = None) -> None:
        self.graph, self.name, self.type, self.node = graph, name, kind, node
        self.outputs: list[Tensor] = []
        graph.note(self)

    @property
    def __palingrad_node__(self) -> Node | None:
        return self.node

    def run(self, feed_dict: Any = None, session: Any = None) -> None:
        """Runs it in the session, by default the open one."""
        default_session(session).run(self, feed_dict)

    def __repr__(self) -> str:
        return f"<tf.Operation {self.name!r} type={self.type}>"


class Tensor:
    """What an operation computes; `node` is palingrad's node of it, None for strings."""

    __array_ufunc__ = None  # so that NumPy's arrays leave +, @ and the like to tensors
    node: Node

    def __init__(self, op: Operation, node: Node | None) -> None:
        self.op, self.value_index = op, len(op.outputs)
        if node is not None:
            self.node = node
        op.outputs.append(self)

    @property
    def __palingrad_node__(self) -> Node:
        return self.node

    @property
    def graph(self) -> Graph:
        """The graph it belongs to."""
        return self.op.graph

    @property
    def name(self) -> str:
        """The operation's name and the number of the output: "add:0"."""
        return f"{self.op.name}:{self.value_index}"

    @property
    def dtype(self) -> DType:
        """The dtype."""
        return as_dtype(self.node.dtype)

    @property
    def shape(self) -> TensorShape:
        """The sizes, as far as they are known."""
        return TensorShape(self.node.shape)

    def get_shape(self) -> TensorShape:
        """The sizes, as far as they are known."""
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Does nothing: a run knows the shape."""

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        """The value in the session, by default the open one."""
        return default_session(session).run(self, feed_dict)

    if TYPE_CHECKING:  # `maths` sets them

        def _operator(self, other: Any) -> Tensor: ...

        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _operator
        __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _operator
        __pow__ = __rpow__ = __matmul__ = __rmatmul__ = _operator
        __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _operator
        __lt__ = __le__ = __gt__ = __ge__ = _operator

        def __neg__(self) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __invert__(self) -> Tensor: ...

    def __hash__(self) -> int:
        return id(self)

    def __bool__(self) -> bool:
        raise GraphError(
            f"{self.name!r} has no value before a run, so it can't decide an `if`.",
            hint="tf.where(condition, x, y) chooses; session.run(x) gives the value.",
        )

    def __iter__(self) -> Any:
        size = self.shape.as_list()[:1]
        if size in ([], [None]):
            raise GraphError(f"{self.name!r} has no known length.", hint="tf.unstack(x, num).")
        return (self[i] for i in range(size[0] or 0))

    def __getitem__(self, key: Any) -> Tensor:
        return slicing[0](self, key)

    def __repr__(self) -> str:
        return f"<tf.Tensor {self.name!r} shape={self.shape} dtype={self.dtype.name}>"

    def __str__(self) -> str:
        return f'Tensor("{self.name}", shape={self.shape}, dtype={self.dtype.name})'


slicing: list[Callable[[Any, Any], Tensor]] = []  # how tensors are indexed, set by `operators`


class Text(Tensor):
    """A tensor of strings or summaries. `make` computes it from the values of `parts`."""

    def __init__(
        self, op: Operation, make: Callable[..., Any], parts: Iterable[Tensor] = ()
    ) -> None:
        super().__init__(op, None)
        self.make, self.parts = make, tuple(parts)

    @property
    def node(self) -> Node:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Raises DTypeError: a string isn't computed."""
        raise DTypeError(f"{self.name!r} is a string, which can't be computed with.")

    @property
    def dtype(self) -> DType:
        """The dtype, `string`."""
        return as_dtype("string")

    @property
    def shape(self) -> TensorShape:
        """That of one string."""
        return TensorShape(())


# ---------------------------------------------------------------- defaults of each thread


class _Defaults(threading.local):
    def __init__(self) -> None:
        self.graphs = [Graph()]
        self.sessions: list[Any] = []


_defaults = _Defaults()


def _stack() -> list[Graph]:
    return _defaults.graphs


def get_default_graph() -> Graph:
    """The graph that new nodes belong to."""
    return _defaults.graphs[-1]


def reset_default_graph() -> None:
    """Replaces the default graph by an empty one."""
    _defaults.graphs[0] = Graph()


def sessions() -> list[Any]:
    """The open sessions of this thread, the innermost last."""
    return _defaults.sessions


def get_default_session() -> Any:
    """The open session, or None."""
    return _defaults.sessions[-1] if _defaults.sessions else None


def default_session(session: Any = None) -> Any:
    """`session`, or the open one. Raises GraphError if there is none."""
    found = session or get_default_session()
    if found is None:
        raise GraphError(
            "there is no open session to run this in.",
            hint="Write with tf.Session() as sess: …, or pass session=.",
        )
    return found


# ---------------------------------------------------------------- building


@contextmanager
def building(graph: Graph, name: str) -> Generator_[None]:
    """Opens palingrad's graph, with this name before those of what is built inside."""
    with opened(graph=graph.built, scope=f"{name}/"):
        yield


def build(kind: str, name: str | None, make: Callable[[], Any]) -> Any:
    """A new operation of the default graph: the tensor of the node that `make` returns, or a list
    of tensors of several nodes."""
    graph = get_default_graph()
    full = graph.unique_name(name or kind)
    with building(graph, full):
        made = make()
    if not isinstance(made, Node):
        op = Operation(graph, full, kind)
        return [Tensor(op, one) for one in made]
    named(made, full)
    return Tensor(Operation(graph, full, kind, made), made)


def named(node: Node, full: str) -> None:
    """Gives the node of an operation the operation's name, if the operation built it."""
    if node.graph is not None and node.name.startswith(f"{full}/"):
        node.graph.rename(node, full)


def constant_of(value: Any, dtype: Any = None) -> np.ndarray[Any, Any]:
    """An array of `value`; without a dtype, Python's floats are float32 and integers int32."""
    if dtype is not None:
        return np.asarray(value, dtype)
    array = np.asarray(value)
    if not isinstance(value, (np.ndarray, np.generic)):
        narrow = {"float64": np.float32, "int64": np.int32}.get(array.dtype.name)
        array = array if narrow is None else array.astype(narrow)
    return array


@contextmanager
def device(name: Any) -> Generator_[None]:
    """A scope without effect: palingrad's engine decides where a graph runs."""
    yield


def missing(module: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """The error for a name that a module of TensorFlow has and that isn't here."""
    names = sorted(one for one in known if not one.startswith("_"))
    return UnknownNameError(
        f"{module}.{name} isn't among the names of TensorFlow 1 that palingrad.compat.tf1 has.",
        hint=f"{did_you_mean(name, names)} {module} has {', '.join(names)}.".strip(),
    )
