"""Neural networks: activations, convolutions, cross-entropies, recurrent networks."""

from typing import Any

from ..framework.graph import missing
from . import rnn_cell
from .activations import *  # noqa: F403
from .activations import __all__ as _activations
from .cross_entropy import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits_v2,
    sparse_softmax_cross_entropy_with_logits,
)
from .rnn import bidirectional_dynamic_rnn, dynamic_rnn, static_bidirectional_rnn, static_rnn
from .windows import avg_pool, conv2d, max_pool

__all__ = [  # noqa: PLE0604
    *_activations,
    "avg_pool",
    "bidirectional_dynamic_rnn",
    "conv2d",
    "dynamic_rnn",
    "max_pool",
    "rnn_cell",
    "sigmoid_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits_v2",
    "sparse_softmax_cross_entropy_with_logits",
    "static_bidirectional_rnn",
    "static_rnn",
]


def __getattr__(name: str) -> Any:
    raise missing("tf.nn", name, __all__)
