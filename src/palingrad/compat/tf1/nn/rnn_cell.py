"""Recurrent cells: functions from (input, state) to (output, state)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ....graph.registry import ops
from ..arrays import filled
from ..framework.convert import node
from ..framework.graph import Tensor, build
from ..framework.types import numeric
from ..framework.variables import Variable
from ..initializers import Constant, Zeros
from ..maths import tanh
from ..scopes import get_variable, variable_scope
from .activations import dropout


class LSTMStateTuple(NamedTuple):
    """The state of an LSTM: the cell's content c, and its output h."""

    c: Any
    h: Any


class RNNCell:
    """A cell; `state_size` is the size of its state, or a tuple of sizes."""

    state_size: Any
    output_size: int
    variables: list[Variable]

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """The state before the first input; batch_size may be tf.shape(x)[0]."""
        return zeros_of(self.state_size, batch_size, dtype)

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        raise NotImplementedError(type(self).__name__)


def zeros_of(size: Any, batch: Any, dtype: Any) -> Any:
    """Zeros (batch, size), in the structure of the sizes."""
    if isinstance(size, LSTMStateTuple):
        return LSTMStateTuple(*(zeros_of(one, batch, dtype) for one in size))
    if isinstance(size, tuple):
        return tuple(zeros_of(one, batch, dtype) for one in size)
    return build("zeros", None, lambda: filled([batch, size], 0, numeric(dtype), "zero_state"))


class _Cell(RNNCell):
    """A cell with matrices of its own, which it makes in the variable scope of its first call."""

    scope_name = "rnn_cell"

    def __init__(
        self, num_units: int, activation: Any, reuse: Any, name: Any, initializer: Any = None
    ) -> None:
        self.output_size = self.state_size = int(num_units)
        self._activation = activation or tanh
        self._name, self._reuse, self._initializer = name, reuse, initializer
        self.variables = []

    def _built(self, inputs: Tensor, scope: Any, outputs: int) -> list[Variable]:
        if not self.variables:
            name = scope or self._name or self.scope_name
            with variable_scope(name, reuse=self._reuse, initializer=self._initializer):
                self._build(int(inputs.shape.as_list()[-1] or 0), outputs)
        return self.variables

    def _build(self, inputs: int, outputs: int) -> None:
        size = self.output_size
        self.variables = [
            get_variable("kernel", [inputs + size, outputs * size]),
            get_variable("bias", [outputs * size], initializer=Zeros()),
        ]

    def _function(self) -> Callable[[Any], Any]:
        """The activation, of palingrad's nodes."""
        rule = self._activation
        return lambda x: ops.tanh(x) if rule is tanh else node(rule(_tensor(x)))


def _tensor(x: Any) -> Tensor:
    return build("Identity", None, lambda: x.copy())


class BasicRNNCell(_Cell):
    """h ← tanh([x, h]·W + b)."""

    scope_name = "basic_rnn_cell"

    def __init__(
        self, num_units: int, activation: Any = None, reuse: Any = None, name: Any = None
    ) -> None:
        super().__init__(num_units, activation, reuse, name)

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        kernel, bias = (one.node for one in self._built(inputs, scope, 1))
        function = self._function()

        def step() -> Any:
            both = ops.concat([inputs.node, state.node], axis=1)
            return function(ops.matmul(both, kernel) + bias)

        output = build(self.scope_name, None, step)
        return output, output


class BasicLSTMCell(_Cell):
    """c ← σ(f + forget_bias)·c + σ(i)·tanh j, h ← σ(o)·tanh c, of [i, j, f, o] = [x, h]·W + b.

    Hochreiter & Schmidhuber 1997; the forget gate of Gers et al. 2000.
    """

    scope_name = "basic_lstm_cell"

    def __init__(
        self, num_units: int, forget_bias: float = 1.0, state_is_tuple: bool = True,
        activation: Any = None, reuse: Any = None, name: Any = None, initializer: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(num_units, activation, reuse, name, initializer)
        if not state_is_tuple:
            raise NotImplementedError("LSTM cells have a tuple (c, h) as their state here.")
        self._forget_bias = forget_bias
        self.state_size = LSTMStateTuple(self.output_size, self.output_size)

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        kernel, bias = (one.node for one in self._built(inputs, scope, 4))
        before, output = state
        function = self._function()

        def step() -> Any:
            both = ops.concat([inputs.node, output.node], axis=1)
            parts = ops.split(ops.matmul(both, kernel) + bias, 4, axis=1)
            enter, new, keep, leave = parts
            kept = before.node * ops.sigmoid(keep + self._forget_bias)
            c = kept + ops.sigmoid(enter) * function(new)
            return [c, function(c) * ops.sigmoid(leave)]

        c, h = build(self.scope_name, None, step)
        return h, LSTMStateTuple(c, h)


class LSTMCell(BasicLSTMCell):
    """The same without peepholes, projection and clipping."""

    scope_name = "lstm_cell"

    def __init__(
        self, num_units: int, use_peepholes: bool = False, cell_clip: Any = None,
        initializer: Any = None, num_proj: Any = None, proj_clip: Any = None,
        num_unit_shards: Any = None, num_proj_shards: Any = None, forget_bias: float = 1.0,
        state_is_tuple: bool = True, activation: Any = None, reuse: Any = None, name: Any = None,
    ) -> None:  # fmt: skip
        if use_peepholes or cell_clip is not None or num_proj is not None:
            raise NotImplementedError(
                "LSTMCell: use_peepholes, cell_clip and num_proj aren't here."
            )
        super().__init__(
            num_units, forget_bias, state_is_tuple, activation, reuse, name, initializer
        )


class GRUCell(_Cell):
    """h ← u·h + (1 − u)·tanh([x, r·h]·V + d), of [r, u] = σ([x, h]·W + b) (Cho et al. 2014).

    b begins at 1.
    """

    scope_name = "gru_cell"

    def __init__(
        self, num_units: int, activation: Any = None, reuse: Any = None,
        kernel_initializer: Any = None, bias_initializer: Any = None, name: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(num_units, activation, reuse, name, kernel_initializer)
        self._bias_initializer = bias_initializer

    def _build(self, inputs: int, outputs: int) -> None:
        size = self.output_size
        for scope, width, start in (("gates", 2 * size, 1.0), ("candidate", size, 0.0)):
            with variable_scope(scope):
                self.variables += [
                    get_variable("kernel", [inputs + size, width]),
                    get_variable(
                        "bias", [width], initializer=self._bias_initializer or Constant(start)
                    ),
                ]

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        kernel, bias, candidate, shift = (one.node for one in self._built(inputs, scope, 2))
        function = self._function()

        def step() -> Any:
            x, h = inputs.node, state.node
            gates = ops.sigmoid(ops.matmul(ops.concat([x, h], axis=1), kernel) + bias)
            reset, update = ops.split(gates, 2, axis=1)
            both = ops.concat([x, reset * h], axis=1)
            return update * h + (1 - update) * function(ops.matmul(both, candidate) + shift)

        output = build(self.scope_name, None, step)
        return output, output


class MultiRNNCell(RNNCell):
    """Cells one above the other; the state is a tuple of theirs."""

    def __init__(self, cells: Sequence[RNNCell], state_is_tuple: bool = True) -> None:
        self._cells = list(cells)
        self.state_size = tuple(cell.state_size for cell in self._cells)
        self.output_size = self._cells[-1].output_size

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        states: list[Any] = []
        with variable_scope(scope or "multi_rnn_cell"):
            for number, (cell, one) in enumerate(zip(self._cells, state, strict=True)):
                with variable_scope(f"cell_{number}"):
                    inputs, new = cell(inputs, one)
                states.append(new)
        return inputs, tuple(states)


class DropoutWrapper(RNNCell):
    """A cell whose inputs and outputs are dropped at random."""

    def __init__(
        self, cell: RNNCell, input_keep_prob: Any = 1.0, output_keep_prob: Any = 1.0,
        state_keep_prob: Any = 1.0, **options: Any,
    ) -> None:  # fmt: skip
        if options or not (isinstance(state_keep_prob, float) and state_keep_prob == 1.0):
            raise NotImplementedError("DropoutWrapper: only input_keep_prob and output_keep_prob.")
        self._cell, self._keep = cell, (input_keep_prob, output_keep_prob)
        self.state_size, self.output_size = cell.state_size, cell.output_size

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        output, new = self._cell(dropout(inputs, self._keep[0]), state, scope)
        return dropout(output, self._keep[1]), new
