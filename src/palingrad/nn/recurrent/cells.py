"""Recurrent cells: one step from a state and an input to the next state.

A cell multiplies its input by `weight` (inputs, gates·hidden) and its state by `recurrent` (hidden,
gates·hidden), whose gates lie side by side. `projected` is the part that doesn't need the state, so
that a layer computes it for all steps in one product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from ...errors import ArgumentError
from ...graph.context import graph_scope
from ...graph.leaves import Variable
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops
from ...messages.checks import flag, shown, whole
from ...shapes import Shape
from .. import init
from ..checks import check_initializer
from ..module import Module

State = tuple[Node, ...]


class Cell(Module):
    """What the cells share. `gates` is the number of their products, `states` that of the arrays
    (batch, hidden) in their state, of which the first is the output."""

    gates: ClassVar[int]
    states: ClassVar[int] = 1

    def __init__(
        self,
        inputs: int,
        hidden: int,
        *,
        bias: bool = True,
        initializer: init.Initializer = init.glorot_uniform,
        recurrent_initializer: init.Initializer = init.orthogonal,
        seed: int | None = None,
        dtype: Any = None,
    ) -> None:
        name = type(self).__name__
        inputs = whole(f"{name}: inputs", inputs, least=1, like=8)
        hidden = whole(f"{name}: hidden", hidden, least=1, like=16)
        check_initializer(name, initializer)
        check_initializer(name, recurrent_initializer)
        width, second = self.gates * hidden, None if seed is None else seed + 1
        with graph_scope(None):
            weight = initializer((inputs, width), seed=seed, dtype=dtype)
            recurrent = recurrent_initializer((hidden, width), seed=second, dtype=dtype)
        self.weight = Variable(weight, name="weight")
        self.recurrent = Variable(recurrent, name="recurrent")
        self.bias = None
        if flag(f"{name}: bias", bias):
            self.bias = Variable(self._first_bias(hidden, self.weight.numpy().dtype), name="bias")
        self.inputs, self.hidden = inputs, hidden

    def _first_bias(self, hidden: int, dtype: Any) -> Any:
        return np.zeros(self.gates * hidden, dtype)

    def _hint(self, shape: Shape) -> str:
        last = shape[-1] if shape else None
        name = type(self).__name__
        fits = last is None or last == self.inputs
        return "" if fits else f" Its last axis has {last}: pg.nn.{name}({last}, …)."

    def forward(self, x: Any, state: Any = None, *, training: bool) -> Any:
        """The next state for x (…, inputs): an array, or a tuple of them. None begins with 0."""
        projected = self.projected(x)
        before = self.begin(projected) if state is None else self.unpacked(state)
        return self.packed(self.step(projected, before))

    def projected(self, x: Any) -> Node:
        """The part of the gates that x alone gives: (…, gates·hidden)."""
        y = ops.matmul(x, self.weight)
        return y if self.bias is None else y + self.bias

    def step(self, projected: Node, state: State) -> State:
        """The next state."""
        raise NotImplementedError

    def begin(self, projected: Any) -> State:
        """A state of zeros for one step's projected inputs (…, gates·hidden)."""
        gate = projected[..., : self.hidden]
        if gate.shape is not None and None not in gate.shape:
            zeros: Any = as_node(np.zeros(gate.shape, gate.dtype or self.weight.dtype))
        else:
            zeros = ops.zeros_like(gate)
        return (zeros,) * self.states

    def unpacked(self, state: Any) -> State:
        """A state as users write it, as a tuple. Raises ArgumentError if it isn't one."""
        parts = tuple(state) if isinstance(state, (tuple, list)) else (state,)
        if len(parts) != self.states:
            wanted = "(h, c)" if self.states == 2 else "one array"
            raise ArgumentError(f"{type(self).__name__}: a state is {wanted}, got "
                                f"{shown(state, 60)}.",
                                hint="Pass a state that a call returned, or None.")  # fmt: skip
        return tuple(map(as_node, parts))

    def packed(self, state: Sequence[Node]) -> Any:
        """A state as users get it."""
        return tuple(state) if self.states > 1 else state[0]

    def gate(self, values: Any, number: int) -> Node:
        """One gate of (…, gates·hidden)."""
        return values[..., number * self.hidden : (number + 1) * self.hidden]


class RNNCell(Cell):
    """h' = tanh(x W + h U + b), or another activation (Elman 1990)."""

    gates = 1

    def __init__(
        self,
        inputs: int,
        hidden: int,
        *,
        activation: Callable[[Any], Node] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(inputs, hidden, **options)
        if activation is not None and not callable(activation):
            raise ArgumentError(f"RNNCell: activation is {shown(activation)}; expected a function.",
                                hint="Write activation=pg.relu.")  # fmt: skip
        self.activation = activation

    def step(self, projected: Node, state: State) -> State:
        activation = ops.tanh if self.activation is None else self.activation
        total: Any = projected + ops.matmul(state[0], self.recurrent)
        return (activation(total),)


class LSTMCell(Cell):
    """c' = f·c + i·g, h' = o·tanh c', with i, f, o = σ(…) and g = tanh(…) of x W + h U + b
    (Hochreiter & Schmidhuber 1997; Gers et al. 2000).

    The gates lie in the order i, f, g, o. The bias of f begins at 1 (Jozefowicz et al. 2015). The
    state is (h, c).
    """

    gates, states = 4, 2

    def _first_bias(self, hidden: int, dtype: Any) -> Any:
        bias = super()._first_bias(hidden, dtype)
        bias[hidden : 2 * hidden] = 1
        return bias

    def step(self, projected: Node, state: State) -> State:
        h, c = state
        gates = projected + ops.matmul(h, self.recurrent)  # (…, 4·hidden)
        admit, keep, emit = (ops.sigmoid(self.gate(gates, k)) for k in (0, 1, 3))
        c = keep * c + admit * ops.tanh(self.gate(gates, 2))
        return emit * ops.tanh(c), c


class GRUCell(Cell):
    """h' = (1 − z)·n + z·h, with r, z = σ(x W + h U + b) and n = tanh(x Wₙ + bₙ + r·(h Uₙ + cₙ))
    (Cho et al. 2014; with r after the product, as in cuDNN).

    The gates lie in the order r, z, n.
    """

    gates = 3

    def __init__(self, inputs: int, hidden: int, **options: Any) -> None:
        super().__init__(inputs, hidden, **options)
        self.candidate_bias = None  # cₙ
        if self.bias is not None:
            zeros = np.zeros(self.hidden, self.bias.numpy().dtype)
            self.candidate_bias = Variable(zeros, name="candidate_bias")

    def step(self, projected: Node, state: State) -> State:
        (h,) = state
        recurrent = ops.matmul(h, self.recurrent)  # (…, 3·hidden)
        reset = ops.sigmoid(self.gate(projected, 0) + self.gate(recurrent, 0))
        update = ops.sigmoid(self.gate(projected, 1) + self.gate(recurrent, 1))
        inner: Any = self.gate(recurrent, 2)
        if self.candidate_bias is not None:
            inner = inner + self.candidate_bias
        new = ops.tanh(self.gate(projected, 2) + reset * inner)
        return (new + update * (h - new),)
