"""Optimizers: steps along the mean gradient of a mini-batch, whose samples are run one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import ArgumentError, GradientError, GraphError, ShapeError
from ...functions import function
from ...graph.node import Node as PalingradNode
from ...graph.registry import ops
from ...messages.checks import shown
from .core import Graph, Node, Variable, get_node_from_graph
from .core.node import REACHED
from .core.running import as_matrix, step

__all__ = ["AdaGrad", "Adam", "GradientDescent", "Momentum", "Optimizer", "RMSProp"]

_EPSILON = 1e-10


class Optimizer:
    """Minimises a node of shape (1, 1): `one_step()` adds the gradient of one sample, `update()`
    changes the trainable Variables of the graph along the mean.

    A user's subclass defines `_update(self)`, which reads `get_gradient(node)` and sets values.
    """

    def __init__(self, graph: Any, target: Any, learning_rate: float = 0.01) -> None:
        if not isinstance(graph, Graph) or not isinstance(target, Node):
            raise ArgumentError(
                f"{type(self).__name__}: a graph and a node of it, got {shown(graph)} and "
                f"{shown(target)}",
                hint="Adam(ms.default_graph, loss, 0.01)",
            )
        self.graph: Graph = graph
        self.target: Node = target
        self.learning_rate = learning_rate
        self.acc_gradient: dict[Node, Any] = {}
        self.acc_no = 0
        self._run: Any = None

    def _variables(self) -> list[Variable]:
        return [one for one in self.graph.nodes if isinstance(one, Variable) and one.trainable]

    def one_step(self) -> None:
        """Runs one sample: adds its gradient."""
        self.forward_backward()
        self.acc_no += 1

    def forward_backward(self) -> None:
        """Computes the target and its Jacobians, and adds the gradient."""
        self.graph.clear_jacobi()
        wanted = self._variables()
        for node, gradient in zip(wanted, step(self.target, wanted, REACHED.mark), strict=True):
            known = self.acc_gradient.get(node)
            self.acc_gradient[node] = gradient if known is None else known + gradient

    def get_gradient(self, node: Node) -> Any:
        """The mean gradient of the samples since the last update, a matrix."""
        if node not in self.acc_gradient:
            raise GradientError(f"{node.name} has no gradient yet", hint="First one_step().")
        return as_matrix(self.acc_gradient[node] / self.acc_no)

    def apply_gradients(
        self,
        node_gradients_dict: Mapping[Any, Any],
        summarize: bool = False,
        acc_no: int | None = None,
    ) -> None:
        """Takes gradients, of nodes or nodes' names, in place of those of samples, or adds them if
        `summarize`. acc_no: the number of samples that they are the sum of; without it, they are
        means."""
        for key, gradient in node_gradients_dict.items():
            node = key if isinstance(key, Node) else get_node_from_graph(key, graph=self.graph)
            if node is None:
                raise GraphError(f"there is no node {key!r} to apply a gradient to")
            array = np.asarray(gradient, np.float64)
            if array.shape != node.shape():
                raise ShapeError(f"{node.name} is {node.shape()}, its gradient {array.shape}")
            known = self.acc_gradient.get(node) if summarize else None
            self.acc_gradient[node] = array if known is None else known + array
        if summarize:
            if acc_no is None:
                raise ArgumentError("apply_gradients: summarize=True needs acc_no, of samples")
            self.acc_no += acc_no
        else:
            self.acc_no = 1 if acc_no is None else acc_no

    def update(self, var_gradients: Mapping[Any, Any] | None = None) -> None:
        """Takes one step along the mean gradient, or along those given, and forgets it."""
        if var_gradients is not None:
            self.apply_gradients(var_gradients)
        self._update()
        self.acc_gradient.clear()
        self.acc_no = 0

    def _update(self) -> None:
        """Changes the Variables by `_rule`."""
        chosen, slots = self._variables(), self._slots()
        arrays = [np.asarray(self.get_gradient(node)) for node in chosen]
        arrays += [node.array() for node in chosen]
        for slot in slots:
            arrays += [np.asarray(slot.get(node, np.zeros(node.shape()))) for node in chosen]
        rates = [np.array(rate, np.float64) for rate in self._rates()]
        if self._run is None:
            self._run = function(self._rules)
        columns = iter(_pieces(self._run(*rates, *arrays), len(chosen)))
        for node, value in zip(chosen, next(columns), strict=True):
            node.set_value(value)
        for slot, column in zip(slots, columns, strict=True):
            slot.update(zip(chosen, map(as_matrix, column), strict=True))

    def _rules(self, *arguments: PalingradNode) -> list[PalingradNode]:
        """The rule for each Variable: the new values, then each slot's."""
        count = len(self._rates())
        rates, columns = arguments[:count], _pieces(arguments[count:], len(self._variables()))
        rows = [self._rule(*rates, *row) for row in zip(*columns, strict=True)]
        return [one for column in zip(*rows, strict=True) for one in column]

    def _rates(self) -> tuple[float, ...]:
        """The numbers that the rule depends on."""
        return (self.learning_rate,)

    def _slots(self) -> tuple[dict[Node, Any], ...]:
        """The dicts of what is remembered of each Variable, at first 0."""
        return ()

    def _rule(self, *arguments: Any) -> tuple[PalingradNode, ...]:
        """(new value, new slots) from the rates, the gradient, the value and the slots."""
        raise NotImplementedError(f"{type(self).__name__} needs _update")


def _pieces(row: Any, width: int) -> list[Any]:
    """Pieces of that length."""
    return [row[i : i + width] for i in range(0, len(row), width)] if width else []


class GradientDescent(Optimizer):
    """θ ← θ − η·g."""

    def _rule(self, *arguments: Any) -> tuple[PalingradNode, ...]:
        rate, g, value = arguments
        return (value - rate * g,)


class Momentum(Optimizer):
    """v ← μ·v − η·g, θ ← θ + v."""

    def __init__(
        self, graph: Graph, target: Node, learning_rate: float = 0.01, momentum: float = 0.9
    ) -> None:
        super().__init__(graph, target, learning_rate)
        self.momentum = momentum
        self.v: dict[Node, Any] = {}

    def _rates(self) -> tuple[float, ...]:
        return (self.learning_rate, self.momentum)

    def _slots(self) -> tuple[dict[Node, Any], ...]:
        return (self.v,)

    def _rule(self, *arguments: Any) -> tuple[PalingradNode, ...]:
        rate, momentum, g, value, v = arguments
        v = momentum * v - rate * g
        return value + v, v


class AdaGrad(Optimizer):
    """s ← s + g², θ ← θ − η·g / √(s + 10⁻¹⁰)."""

    def __init__(self, graph: Graph, target: Node, learning_rate: float = 0.01) -> None:
        super().__init__(graph, target, learning_rate)
        self.s: dict[Node, Any] = {}

    def _slots(self) -> tuple[dict[Node, Any], ...]:
        return (self.s,)

    def _rule(self, *arguments: Any) -> tuple[PalingradNode, ...]:
        rate, g, value, s = arguments
        s = s + g * g
        return value - rate * g / ops.sqrt(s + _EPSILON), s


def _decay(name: str, value: float) -> float:
    if not 0 < value < 1:
        raise ArgumentError(f"{name} is between 0 and 1, got {shown(value)}")
    return value


class RMSProp(Optimizer):
    """s ← β·s + (1 − β)·g², θ ← θ − η·g / √(s + 10⁻¹⁰)."""

    def __init__(
        self, graph: Graph, target: Node, learning_rate: float = 0.01, beta: float = 0.9
    ) -> None:
        super().__init__(graph, target, learning_rate)
        self.beta = _decay("RMSProp: beta", beta)
        self.s: dict[Node, Any] = {}

    def _rates(self) -> tuple[float, ...]:
        return (self.learning_rate, self.beta)

    def _slots(self) -> tuple[dict[Node, Any], ...]:
        return (self.s,)

    def _rule(self, *arguments: Any) -> tuple[PalingradNode, ...]:
        rate, beta, g, value, s = arguments
        s = beta * s + (1 - beta) * (g * g)
        return value - rate * g / ops.sqrt(s + _EPSILON), s


class Adam(Optimizer):
    """v ← β₁·v + (1 − β₁)·g, s ← β₂·s + (1 − β₂)·g², θ ← θ − η·v / √(s + 10⁻¹⁰): MatrixSlow's rule,
    which doesn't correct the bias of v and s, as Kingma & Ba's does."""

    def __init__(
        self,
        graph: Graph,
        target: Node,
        learning_rate: float = 0.01,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
    ) -> None:
        super().__init__(graph, target, learning_rate)
        self.beta_1, self.beta_2 = _decay("Adam: beta_1", beta_1), _decay("Adam: beta_2", beta_2)
        self.v: dict[Node, Any] = {}
        self.s: dict[Node, Any] = {}

    def _rates(self) -> tuple[float, ...]:
        return (self.learning_rate, self.beta_1, self.beta_2)

    def _slots(self) -> tuple[dict[Node, Any], ...]:
        return (self.v, self.s)

    def _rule(self, *arguments: Any) -> tuple[PalingradNode, ...]:
        rate, beta_1, beta_2, g, value, v, s = arguments
        v = beta_1 * v + (1 - beta_1) * g
        s = beta_2 * s + (1 - beta_2) * (g * g)
        return value - rate * v / ops.sqrt(s + _EPSILON), v, s
