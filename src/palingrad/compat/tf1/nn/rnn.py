"""Recurrent networks, unrolled: one cell after the other in the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....errors import ArgumentError, ShapeError
from ....graph.registry import ops
from ....trees import leaves, rebuilt
from ..arrays import concat, shape, stack, unstack
from ..framework.convert import convert_to_tensor
from ..framework.graph import Tensor, build
from ..scopes import variable_scope
from .rnn_cell import RNNCell


def _start(cell: RNNCell, first: Tensor, state: Any, dtype: Any) -> Any:
    if state is not None:
        return state
    if dtype is None:
        raise ArgumentError("give the initial state, or its dtype=tf.float32.")
    return cell.zero_state(shape(first)[0], dtype)


def _held(longer: Any, new: Any, old: Any) -> Any:
    """The new state of the sequences that are longer, the old one of the others."""
    pairs = zip(leaves(new), leaves(old), strict=True)
    held = [
        build("Select", None, lambda a=a, b=b: ops.where(longer, a.node, b.node)) for a, b in pairs
    ]
    return rebuilt(new, iter(held))


def static_rnn(
    cell: RNNCell, inputs: Sequence[Any], initial_state: Any = None, dtype: Any = None,
    sequence_length: Any = None, scope: Any = None,
) -> tuple[list[Any], Any]:  # fmt: skip
    """(the cell's outputs of a list of inputs, the last state).

    Beyond a sequence's length its outputs are 0, and its state stays as it was.
    """
    if not inputs:
        raise ArgumentError("static_rnn: there are no inputs.")
    steps = [convert_to_tensor(one) for one in inputs]
    outputs: list[Any] = []
    with variable_scope(scope or "rnn"):
        state = _start(cell, steps[0], initial_state, dtype)
        lengths = None if sequence_length is None else convert_to_tensor(sequence_length)
        for time, one in enumerate(steps):
            output, new = cell(one, state)
            if lengths is not None:
                longer = build(
                    "LessEqual", None, lambda time=time: ops.reshape(lengths.node > time, (-1, 1))
                )
                state = _held(longer.node, new, state)
                output = build(
                    "Select",
                    None,
                    lambda y=output, longer=longer: ops.where(longer.node, y.node, 0),
                )
            else:
                state = new
            outputs.append(output)
    return outputs, state


def static_bidirectional_rnn(
    cell_fw: RNNCell, cell_bw: RNNCell, inputs: Sequence[Any], initial_state_fw: Any = None,
    initial_state_bw: Any = None, dtype: Any = None, sequence_length: Any = None,
    scope: Any = None,
) -> tuple[list[Any], Any, Any]:  # fmt: skip
    """(the outputs of both directions joined, the last state forwards, the last one backwards)."""
    if sequence_length is not None:
        raise NotImplementedError("static_bidirectional_rnn: sequence_length isn't supported.")
    with variable_scope(scope or "bidirectional_rnn"):
        ahead, first = static_rnn(cell_fw, inputs, initial_state_fw, dtype, scope="fw")
        back, last = static_rnn(cell_bw, inputs[::-1], initial_state_bw, dtype, scope="bw")
    joined = [concat([a, b], 1) for a, b in zip(ahead, reversed(back), strict=True)]
    return joined, first, last


def dynamic_rnn(
    cell: RNNCell, inputs: Any, sequence_length: Any = None, initial_state: Any = None,
    dtype: Any = None, parallel_iterations: Any = None, swap_memory: bool = False,
    time_major: bool = False, scope: Any = None,
) -> tuple[Tensor, Any]:  # fmt: skip
    """(the cell's outputs, the last state) of inputs (batch, time, size); time_major: (time, batch,
    size). The number of steps is known when the graph is built."""
    axis = 0 if time_major else 1
    steps = _steps(inputs, axis)
    outputs, state = static_rnn(cell, steps, initial_state, dtype, sequence_length, scope)
    return stack(outputs, axis), state


def bidirectional_dynamic_rnn(
    cell_fw: RNNCell, cell_bw: RNNCell, inputs: Any, sequence_length: Any = None,
    initial_state_fw: Any = None, initial_state_bw: Any = None, dtype: Any = None,
    parallel_iterations: Any = None, swap_memory: bool = False, time_major: bool = False,
    scope: Any = None,
) -> tuple[tuple[Tensor, Tensor], tuple[Any, Any]]:  # fmt: skip
    """((outputs forwards, backwards), (last state forwards, backwards)), as dynamic_rnn's."""
    if sequence_length is not None:
        raise NotImplementedError("bidirectional_dynamic_rnn: sequence_length isn't supported.")
    axis = 0 if time_major else 1
    steps = _steps(inputs, axis)
    with variable_scope(scope or "bidirectional_rnn"):
        ahead, first = static_rnn(cell_fw, steps, initial_state_fw, dtype, scope="fw")
        back, last = static_rnn(cell_bw, steps[::-1], initial_state_bw, dtype, scope="bw")
    return (stack(ahead, axis), stack(back[::-1], axis)), (first, last)


def _steps(inputs: Any, axis: int) -> list[Tensor]:
    sizes = convert_to_tensor(inputs).shape.as_list()
    if len(sizes) != 3 or sizes[axis] is None:
        raise ShapeError(
            f"the inputs have shape {sizes}; expected 3 axes, with a known number of steps.",
            hint="Networks are unrolled here: tf.placeholder(tf.float32, [None, 28, 28]).",
        )
    return unstack(inputs, axis=axis)
