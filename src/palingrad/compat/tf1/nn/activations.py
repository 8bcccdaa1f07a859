"""Activations, normalisations and lookups by TensorFlow's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....errors import ArgumentError
from ....graph.registry import ops
from ....messages.checks import within
from ....ops.random import Dropout
from ..framework.convert import node, nodes, number_of
from ..framework.graph import Tensor, build
from ..framework.types import TensorShape
from ..maths import sigmoid, tanh
from ..random_numbers import generator


def relu(features: Any, name: str | None = None) -> Tensor:
    """max(x, 0)."""
    return build("Relu", name, lambda: ops.relu(node(features)))


def relu6(features: Any, name: str | None = None) -> Tensor:
    """min(max(x, 0), 6)."""
    return build("Relu6", name, lambda: ops.relu6(node(features)))


def elu(features: Any, name: str | None = None) -> Tensor:
    """x, or eˣ − 1 below 0."""
    return build("Elu", name, lambda: ops.elu(node(features)))


def selu(features: Any, name: str | None = None) -> Tensor:
    """The scaled exponential linear unit (Klambauer et al. 2017)."""
    return build("Selu", name, lambda: ops.selu(node(features)))


def leaky_relu(features: Any, alpha: float = 0.2, name: str | None = None) -> Tensor:
    """x, or αx below 0."""
    return build("LeakyRelu", name, lambda: ops.leaky_relu(node(features), slope=alpha))


def softplus(features: Any, name: str | None = None) -> Tensor:
    """log(1 + eˣ)."""
    return build("Softplus", name, lambda: ops.softplus(node(features)))


def softsign(features: Any, name: str | None = None) -> Tensor:
    """x/(1 + |x|)."""
    return build("Softsign", name, lambda: ops.softsign(node(features)))


def softmax(logits: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Tensor:
    """eˣ/Σeˣ along an axis, by default the last."""
    along = next((one for one in (axis, dim) if one is not None), -1)
    return build("Softmax", name, lambda: ops.softmax(node(logits), axis=along))


def log_softmax(logits: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Tensor:
    """log(eˣ/Σeˣ) along an axis, by default the last."""
    along = next((one for one in (axis, dim) if one is not None), -1)
    return build("LogSoftmax", name, lambda: ops.log_softmax(node(logits), axis=along))


def bias_add(value: Any, bias: Any, data_format: Any = None, name: str | None = None) -> Tensor:
    """value + bias, along the last axis; with data_format="NCHW" along the second."""

    def added() -> Any:
        x, b = nodes(value, bias)
        if data_format is not None and data_format.startswith("NC"):
            b = ops.reshape(b, (-1, *(1,) * (len(x.shape) - 2)))
        return x + b

    return build("BiasAdd", name, added)


def xw_plus_b(x: Any, weights: Any, biases: Any, name: str | None = None) -> Tensor:
    """x @ weights + biases."""
    return build("xw_plus_b", name, lambda: ops.matmul(node(x), node(weights)) + node(biases))


def dropout(
    x: Any, keep_prob: Any = None, noise_shape: Any = None, seed: int | None = None,
    name: str | None = None, rate: Any = None,
) -> Tensor:  # fmt: skip
    """x/keep_prob with this probability, else 0; `rate` is 1 − keep_prob. Either may be fed."""
    if noise_shape is not None:
        raise NotImplementedError("dropout: noise_shape isn't supported.")
    if (keep_prob is None) is (rate is None):
        raise ArgumentError("dropout: give keep_prob or rate.")

    def dropped() -> Any:
        given = rate if keep_prob is None else keep_prob
        known = number_of(given)
        lost: Any = node(given) if known is None else float(known)
        lost = lost if keep_prob is None else 1 - lost
        if isinstance(lost, float) and not lost:
            return node(x).copy()
        source = generator(seed)
        stream = source.next_stream()
        if isinstance(lost, float):
            within("dropout: rate", lost, "[0, 1)", like=0.5)
            return Dropout(node(x), source.state, rate=lost, stream=stream)
        return Dropout(node(x), source.state, lost, rate=None, stream=stream)

    return build("dropout", name, dropped)


def l2_loss(t: Any, name: str | None = None) -> Tensor:
    """Σx²/2."""
    return build("L2Loss", name, lambda: ops.sum(ops.square(node(t))) / 2)


def l2_normalize(
    x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None, dim: Any = None
) -> Tensor:
    """x/√max(Σx², ε) along an axis."""
    along = dim if axis is None else axis
    along = tuple(along) if isinstance(along, list) else along

    def normalized() -> Any:
        squares = ops.sum(ops.square(node(x)), axis=along, keepdims=True)
        return node(x) / ops.sqrt(ops.maximum(squares, epsilon))

    return build("l2_normalize", name, normalized)


def moments(
    x: Any, axes: Any, shift: Any = None, name: str | None = None, keep_dims: Any = False,
    keepdims: Any = None,
) -> list[Tensor]:  # fmt: skip
    """The mean and the variance over some axes."""
    kept, along = bool(keepdims or keep_dims), tuple(np.atleast_1d(axes).tolist())
    return build(
        "moments",
        name,
        lambda: [rule(node(x), axis=along, keepdims=kept) for rule in (ops.mean, ops.var)],
    )


def batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: float,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """(x − mean)/√(variance + ε)·scale + offset."""

    def normalized() -> Any:
        y = (node(x) - node(mean)) / ops.sqrt(node(variance) + variance_epsilon)
        y = y if scale is None else y * node(scale)
        return y if offset is None else y + node(offset)

    return build("batchnorm", name, normalized)


def embedding_lookup(params: Any, ids: Any, name: str | None = None, **_: Any) -> Tensor:
    """The rows of a matrix at these indices."""
    return build("embedding_lookup", name, lambda: ops.take(node(params), node(ids), axis=0))


def in_top_k(predictions: Any, targets: Any, k: int, name: str | None = None) -> Tensor:
    """Whether fewer than k predictions are larger than the target's."""

    def within() -> Any:
        x = node(predictions)
        classes = TensorShape(x.shape).as_list()[-1]
        hot = ops.one_hot(node(targets), classes) > 0  # (batch, classes)
        own = ops.max(ops.where(hot, x, -np.inf), axis=1, keepdims=True)
        return ops.sum(ops.cast(x > own, np.dtype(np.int64)), axis=1) < k

    return build("InTopK", name, within)


def top_k(input: Any, k: int = 1, sorted: bool = True, name: str | None = None) -> list[Tensor]:
    """The k largest numbers along the last axis, and their indices."""

    def largest() -> Any:
        values, places = ops.topk(node(input), k)
        return [values, ops.cast(places, np.dtype(np.int32))]

    return build("TopKV2", name, largest)


__all__ = [
    "batch_normalization", "bias_add", "dropout", "elu", "embedding_lookup", "in_top_k", "l2_loss",
    "l2_normalize", "leaky_relu", "log_softmax", "moments", "relu", "relu6", "selu", "sigmoid",
    "softmax", "softplus", "softsign", "tanh", "top_k", "xw_plus_b",
]  # fmt: skip
