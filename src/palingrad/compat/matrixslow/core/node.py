"""Node and Variable, by MatrixSlow's names."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ....errors import GraphError, ShapeError
from ....graph import leaves
from ....graph.node import Node as PalingradNode
from ....messages.checks import shown
from . import running
from .graph import Graph, default_graph

__all__ = ["Node", "Variable"]

REACHED = running.State()  # what the values of all graphs are now


class Node:
    """A node with a matrix as its value, its parents, which it is computed from, and its children.

    A subclass of a user defines `compute(self)`, which sets `self.value`, and `get_jacobi(self,
    parent)`, ∂self/∂parent of shape (self.dimension(), parent.dimension()).
    """

    # Whether palingrad has the computation, by `node`, rather than a user's `compute`.
    compiled: ClassVar[bool] = False
    leaf: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        users = {"compute", "get_jacobi", "forward"} & cls.__dict__.keys()
        cls.compiled = "node" in cls.__dict__ or (cls.compiled and not users)

    def __init__(self, *parents: Any, **kargs: Any) -> None:
        for parent in parents:
            if not isinstance(parent, Node):
                raise GraphError(
                    f"{type(self).__name__}: {shown(parent)} isn't a node",
                    hint="An array is a node as Variable(dim, trainable=False) with set_value.",
                )
        self.kargs = kargs
        self.graph: Graph = kargs.get("graph", default_graph)
        self.need_save = kargs.get("need_save", True)
        self.name = ""
        self.gen_node_name(**kargs)
        self.parents: list[Node] = list(parents)
        self.children: list[Node] = []
        self._value: Any = None
        self._programs: dict[Any, Any] = {}
        for parent in self.parents:
            parent.children.append(self)
        self.graph.add_node(self)

    def get_parents(self) -> list[Node]:
        """The nodes that this one is computed from."""
        return self.parents

    def get_children(self) -> list[Node]:
        """The nodes that are computed from this one."""
        return self.children

    def gen_node_name(self, **kargs: Any) -> None:
        """Sets `name`: the one that was given, or as "MatMul:3", after the scope's."""
        self.name = kargs.get("name", f"{type(self).__name__}:{self.graph.node_count()}")
        if self.graph.name_scope:
            self.name = f"{self.graph.name_scope}/{self.name}"

    # ---------------------------------------------------------------- values

    @property
    def value(self) -> Any:
        """The value, a matrix; None until it is computed."""
        value = self._value
        if type(value) is np.ndarray:
            value = self._value = value.view(np.matrix)
        return value

    @value.setter
    def value(self, value: Any) -> None:
        self._value = value
        REACHED.next(exact=False)

    def forward(self) -> None:
        """Computes the value, and those of parents that have none."""
        running.forward(self)

    def compute(self) -> None:
        """Computes the value from the parents' values."""
        self._value = running.computed(self)

    def node(self, *parents: PalingradNode) -> PalingradNode:
        """This operation of palingrad's nodes."""
        raise GraphError(f"{type(self).__name__} needs compute(self) and get_jacobi(self, parent)")

    def options(self) -> Any:
        """What the computation depends on besides the parents."""
        return None

    def array(self) -> Any:
        """The value as an array. Raises GraphError if there is none."""
        value = self._value
        if value is None:
            hint = "x.set_value(matrix)" if isinstance(self, Variable) else "First node.forward()."
            raise GraphError(f"{self.name} has no value", hint=hint)
        return value if type(value) is np.ndarray else np.asarray(value, np.float64)

    def dimension(self) -> int:
        """The number of elements of the value."""
        return self.array().size

    def shape(self) -> tuple[int, int]:
        """The rows and columns of the value."""
        return self.array().shape

    def reset_value(self, recursive: bool = True) -> None:
        """Drops the value and, if recursive, those of all nodes that depend on it."""
        if not recursive:
            self._value = None
            REACHED.next(exact=False)
            return
        REACHED.next()
        stack: list[Node] = [self]
        done: set[Node] = {self}
        while stack:
            node = stack.pop()
            if node is not self and node._value is None and REACHED.exact:
                continue  # nodes that depend on it have no values either
            node._value = None
            for child in node.children:
                if child not in done:
                    done.add(child)
                    stack.append(child)

    # ---------------------------------------------------------------- Jacobians

    @property
    def jacobi(self) -> Any:
        """∂result/∂self of the latest backward pass: (result.dimension(), self.dimension()); None
        if there is none."""
        if self not in self.graph.jacobians and self.graph.latest is not None:
            running.fill(self, self.graph.latest)
        found = self.graph.jacobians.get(self)
        return None if found is None else found[2]

    @jacobi.setter
    def jacobi(self, value: Any) -> None:
        self.graph.jacobians[self] = None if value is None else (self, object(), value)

    def backward(self, result: Node) -> Any:
        """∂result/∂self at the present values, a matrix (result.dimension(), self.dimension())."""
        known = self.graph.jacobians.get(self)
        if known is None or known[0] is not result or known[1] is not REACHED.mark:
            running.backward(self, result, REACHED.mark)
            known = self.graph.jacobians[self]
        assert known is not None
        return known[2]

    def get_jacobi(self, parent: Node) -> Any:
        """∂self/∂parent, a matrix (self.dimension(), parent.dimension()). A parent that occurs more
        than once has one Jacobian."""
        return running.local_jacobian(self, parent)

    def clear_jacobi(self) -> None:
        """Drops the Jacobian."""
        self.graph.jacobians[self] = None

    @property
    def __palingrad_node__(self) -> PalingradNode:
        order = running.ancestors(self)
        return running.as_nodes(order, {node: node.node() for node in order if node.leaf})[-1]


class Variable(Node):
    """A node whose value is set. dim: its rows and columns. init: whether the value is drawn, of
    N(0, 0.001²). trainable: whether optimizers change it."""

    leaf = True

    def __init__(
        self, dim: tuple[int, int], init: bool = False, trainable: bool = True, **kargs: Any
    ) -> None:
        super().__init__(**kargs)
        self.dim = tuple(dim)
        self.trainable = trainable
        if len(self.dim) != 2:
            raise ShapeError(f"Variable: dim is (rows, columns), got {shown(dim)}")
        if init:
            self._value = np.random.normal(0, 0.001, self.dim)

    @property
    def value(self) -> Any:
        """The value, a matrix; None until it is set. Setting it resets what depends on it."""
        return Node.value.fget(self)  # type: ignore[attr-defined]

    @value.setter
    def value(self, value: Any) -> None:
        if value is None:
            self.reset_value()
        else:
            self.set_value(value)

    def forward(self) -> None:
        """Nothing is computed. Raises GraphError if there is no value."""
        self.array()

    def set_value(self, value: Any) -> None:
        """Sets the value, a matrix of shape `dim`, and resets what depends on it."""
        array = np.asarray(value, np.float64)
        if array.shape != self.dim:
            raise ShapeError(f"{self.name} has the shape {self.dim}, the value {array.shape}")
        self.reset_value()
        self._value = array

    def get_jacobi(self, parent: Node) -> Any:
        raise GraphError(f"{self.name} is a Variable: it has no parents")

    def node(self, *parents: PalingradNode) -> PalingradNode:
        return leaves.Variable(self.array(), trainable=self.trainable)
