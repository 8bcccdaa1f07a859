"""Recurrent cells and networks, as tf.nn has them."""

from typing import Any

from ..framework.graph import missing
from ..nn.rnn import static_bidirectional_rnn, static_rnn
from ..nn.rnn_cell import (
    BasicLSTMCell,
    BasicRNNCell,
    DropoutWrapper,
    GRUCell,
    LSTMCell,
    LSTMStateTuple,
    MultiRNNCell,
    RNNCell,
)

__all__ = [
    "BasicLSTMCell", "BasicRNNCell", "DropoutWrapper", "GRUCell", "LSTMCell", "LSTMStateTuple",
    "MultiRNNCell", "RNNCell", "static_bidirectional_rnn", "static_rnn",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    raise missing("tf.contrib.rnn", name, __all__)
