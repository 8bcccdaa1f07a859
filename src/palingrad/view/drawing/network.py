"""The layers of a neural network, read from its graph, for the textbook picture of neurons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ...autodiff.jacobians import evaluate
from ...dtypes import Array
from ...errors import GraphError
from ...graph.context import graph_scope
from ...graph.kinds import Elementwise, Layout, Reduce, Window
from ...graph.leaves import Placeholder, Variable
from ...graph.node import Node
from ...graph.operation import Operation
from ...graph.traversal.order import postorder
from ...ops.contract import Dot, Matmul
from ...ops.layout.move import Flatten, Reshape
from ...ops.window.pooling import Pool
from ..names import is_named, names_of
from .facts import symbol

How = Literal["weights", "window", "same"]


@dataclass
class Connection:
    """An edge from an earlier layer: dense with weights (inputs, outputs), a sliding window, or
    unit by unit ("same")."""

    source: int
    how: How
    weights: Array | None = None
    label: str = ""
    parameter: Node | None = None


@dataclass
class Layer:
    """A layer: `units` neurons, or that many feature maps of `size`; `steps` are the operations
    applied after the weights."""

    units: int
    size: tuple[int, ...] = ()
    name: str = ""
    steps: list[str] = field(default_factory=list)
    sources: list[Connection] = field(default_factory=list)


def layers_of(output: Node) -> list[Layer]:
    """Returns the layers between the inputs and `output`, inputs first.

    The inputs are the placeholders that `output` depends on or, if there are none, its constant
    tensors. Everything that depends on no input (Variables, masks, values computed from them) is a
    parameter. Raises GraphError if `output` depends on no input.
    """
    return _Reader(output).layers


class _Reader:
    def __init__(self, output: Node) -> None:
        self.layers: list[Layer] = []
        self.at: dict[int, int] = {}  # id of a node that depends on the inputs → its layer
        order = postorder(output)
        self.names = names_of(order)
        fed = [node for node in order if isinstance(node, Placeholder)]
        given = {id(node) for node in fed} or None
        for node in order:
            if self._is_input(node, given):
                self._start(node)
            elif isinstance(node, Operation) and any(id(x) in self.at for x in node.inputs):
                self._operation(node)
        if id(output) not in self.at:
            raise GraphError(
                f"draw: {output.label()} depends on no input{output.built()}.",
                hint="Make the input a placeholder, or a pg.tensor of at least one dimension.",
            )
        self._drop_unused(self.at[id(output)])

    def _is_input(self, node: Node, given: set[int] | None) -> bool:
        if given is not None:
            return id(node) in given
        leaf = not node.inputs and not isinstance(node, Variable)
        return leaf and getattr(node, "scalar", None) is None and node.ndim != 0

    def _name(self, node: Node) -> str:
        name = self.names[id(node)]
        return name if is_named(node, name) else ""

    def _start(self, node: Node) -> None:
        units, size = _extent(node)
        self._add(node, Layer(units, size, self._name(node)))

    def _add(self, node: Node, layer: Layer) -> None:
        self.layers.append(layer)
        self.at[id(node)] = len(self.layers) - 1

    def _operation(self, node: Any) -> None:
        data = [x for x in node.inputs if id(x) in self.at]
        if isinstance(node, (Matmul, Dot)) and len(data) == 1:
            return self._product(node, data[0])
        if isinstance(node, Window) and len(node.inputs) == 2 and len(data) == 1:
            return self._window(node, data[0], node.inputs[1])
        if isinstance(node, Pool):
            return self._window(node, data[0], None)
        return self._other(node, data, node.kind_name())

    def _product(self, node: Any, x: Node) -> None:
        left, right = node.inputs
        parameter = right if left is x else left
        weights = _known(parameter)
        if weights.ndim == 1:
            weights = weights[:, None]
        elif parameter is left:
            weights = weights.mT
        label = self._name(parameter) or self._variables(parameter)
        link = Connection(self.at[id(x)], "weights", weights, label, parameter)
        self._add(node, Layer(weights.shape[-1], (), self._name(node), [], [link]))

    def _variables(self, parameter: Node) -> str:
        """The names of the Variables that a parameter is computed from."""
        made_of = [node for node in postorder(parameter) if isinstance(node, Variable)]
        return ", ".join(self.names[id(node)] for node in made_of)

    def _window(self, node: Any, x: Node, weight: Node | None) -> None:
        units, size = _extent(node)
        if weight is None:
            label = f"{node.kind_name().replace('_', ' ')} {_by(node.attributes['size'])}"
        else:
            label = f"{_by(weight.shape[2:])} {node.kind_name()}" if weight.shape else "window"
        link = Connection(self.at[id(x)], "window", None, label, weight)
        self._add(node, Layer(units, size, self._name(node), [], [link]))

    def _other(self, node: Any, data: Sequence[Node], kind: str) -> None:
        """Any other operation: a step of its layer, a join of several layers, or a new layer."""
        places = sorted({self.at[id(x)] for x in data})
        units, size = _extent(node)
        last = self.layers[places[-1]]
        same = (units, size) == (last.units, last.size)
        if len(places) == 1 and same and not isinstance(node, Reduce):
            if isinstance(node, Layout) or node.math == "{x}":  # the same numbers
                pass
            elif symbol(node) in ("+", "−") and len(data) == 1:
                last.steps.append(f"{symbol(node)} {self._bias(node)}".strip())
            else:
                last.steps.append(self._step(node, kind))
            last.name = self._name(node) or last.name
            self.at[id(node)] = places[0]
            return
        if len(places) > 1 and same and isinstance(node, Elementwise) and last.sources:
            for place in places[:-1]:
                last.sources.append(Connection(place, "same", None, symbol(node) or kind))
            last.name = self._name(node) or last.name
            self.at[id(node)] = places[-1]
            return
        label = "" if isinstance(node, (Flatten, Reshape)) else kind
        links = [Connection(place, "same", None, label) for place in places]
        self._add(node, Layer(units, size, self._name(node), [], links))

    def _bias(self, node: Node) -> str:
        names = [self._name(x) for x in node.inputs if id(x) not in self.at]
        return names[0] if names else ""

    def _step(self, node: Any, kind: str) -> str:
        sign = symbol(node)
        return sign if sign and len(node.inputs) == 2 else kind.replace("_", " ")

    def _drop_unused(self, last: int) -> None:
        """Remove the layers that the output doesn't depend on."""
        wanted = {last}
        for place in range(last, -1, -1):
            if place in wanted:
                wanted.update(link.source for link in self.layers[place].sources)
        places = {old: new for new, old in enumerate(sorted(wanted))}
        self.layers = [self.layers[old] for old in sorted(wanted)]
        for layer in self.layers:
            for link in layer.sources:
                link.source = places[link.source]


def _extent(node: Node) -> tuple[int, tuple[int, ...]]:
    """The units and map size of a node: an array (n, c, h, w) has c maps of size (h, w); an array
    of fewer than three axes has its last axis as units."""
    shape: Any = node.shape
    if shape is None:
        raise GraphError(f"draw: {node.label()} has no known shape{node.built()}; give it one")
    known = tuple(1 if size is None else size for size in shape)
    if len(known) >= 3:
        return known[1], known[2:]
    return (known[-1] if known else 1), ()


def _known(parameter: Node) -> Array:
    """The value of a parameter, evaluated if it is computed from Variables and masks."""
    if parameter.value is not None:
        return parameter.value
    with graph_scope(None, hidden=True):
        return evaluate(parameter)


def _by(size: Any) -> str:
    """3×3 for (3, 3) and for 3."""
    pair = size if isinstance(size, (tuple, list)) else (size, size)
    return "×".join(str(side) for side in pair)


def largest(layers: Sequence[Layer]) -> float:
    """The largest absolute weight, which gets the strongest line."""
    maxima = [
        float(np.max(np.abs(link.weights)))
        for layer in layers
        for link in layer.sources
        if link.weights is not None and link.weights.size
    ]
    return max(maxima, default=1.0) or 1.0
