"""Losses by TensorFlow's names: means over all elements whose weight isn't 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...graph.registry import ops
from .framework.convert import node, nodes
from .framework.graph import GraphKeys, Tensor, build, get_default_graph, missing
from .maths import add_n
from .nn.cross_entropy import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits_v2,
    sparse_softmax_cross_entropy_with_logits,
)

__all__ = [
    "absolute_difference", "add_loss", "get_losses", "get_regularization_losses", "get_total_loss",
    "hinge_loss", "huber_loss", "log_loss", "mean_squared_error", "sigmoid_cross_entropy",
    "softmax_cross_entropy", "sparse_softmax_cross_entropy",
]  # fmt: skip


def add_loss(loss: Tensor, loss_collection: str | None = GraphKeys.LOSSES) -> None:
    """Puts a loss into the collection that get_total_loss adds up."""
    if loss_collection is not None:
        get_default_graph().add_to_collection(loss_collection, loss)


def _mean(kind: str, each: Callable[[], Any], weights: Any, scope: Any, collection: Any) -> Tensor:
    def loss() -> Any:
        y = each()
        if isinstance(weights, (int, float)):
            return ops.mean(y) * float(weights)
        w = ops.broadcast_to(node(weights, y.dtype), y.shape)
        return ops.sum(y * w) / ops.maximum(ops.sum(ops.cast(w != 0, y.dtype)), 1)

    made = build(kind, scope, loss)
    add_loss(made, collection)
    return made


def _elements(kind: str, rule: Callable[[Any, Any], Any]) -> Callable[..., Tensor]:
    def function(
        labels: Any, predictions: Any, weights: Any = 1.0, scope: Any = None,
        loss_collection: Any = GraphKeys.LOSSES, **_: Any,
    ) -> Tensor:  # fmt: skip
        def each() -> Any:
            x, y = nodes(predictions, labels)
            return rule(x, ops.cast(y, x.dtype))

        return _mean(kind, each, weights, scope, loss_collection)

    function.__doc__ = f"The {kind.replace('_', ' ')} of predictions and labels of one shape."
    return function


mean_squared_error = _elements("mean_squared_error", lambda x, y: ops.square(x - y))
absolute_difference = _elements("absolute_difference", lambda x, y: ops.abs(x - y))
huber_loss = _elements("huber_loss", lambda x, y: ops.huber(x, y, reduction="none"))
log_loss = _elements(
    "log_loss", lambda x, y: -y * ops.log(x + 1e-7) - (1 - y) * ops.log(1 - x + 1e-7)
)


def hinge_loss(
    labels: Any, logits: Any, weights: Any = 1.0, scope: Any = None,
    loss_collection: Any = GraphKeys.LOSSES, **_: Any,
) -> Tensor:  # fmt: skip
    """The mean of max(0, 1 − y·logit) with y = −1 or 1, for labels 0 and 1."""

    def each() -> Any:
        x, y = nodes(logits, labels)
        return ops.relu(1 - (2 * ops.cast(y, x.dtype) - 1) * x)

    return _mean("hinge_loss", each, weights, scope, loss_collection)


def _entropy(kind: str, rule: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def function(
        labels: Any = None, logits: Any = None, weights: Any = 1.0, label_smoothing: float = 0,
        scope: Any = None, loss_collection: Any = GraphKeys.LOSSES, onehot_labels: Any = None,
        multi_class_labels: Any = None, **_: Any,
    ) -> Tensor:  # fmt: skip
        if label_smoothing:
            raise NotImplementedError(f"{kind}: label_smoothing isn't supported.")
        given = [one for one in (labels, onehot_labels, multi_class_labels) if one is not None]
        each = rule(labels=given[0], logits=logits)
        return _mean(kind, lambda: each.node, weights, scope, loss_collection)

    function.__doc__ = f"The mean {kind.replace('_', ' ')} of logits."
    return function


softmax_cross_entropy = _entropy("softmax_cross_entropy", softmax_cross_entropy_with_logits_v2)
sigmoid_cross_entropy = _entropy("sigmoid_cross_entropy", sigmoid_cross_entropy_with_logits)
sparse_softmax_cross_entropy = _entropy(
    "sparse_softmax_cross_entropy", sparse_softmax_cross_entropy_with_logits
)


def get_losses(scope: Any = None, loss_collection: str = GraphKeys.LOSSES) -> list[Tensor]:
    """The losses built so far."""
    return get_default_graph().get_collection(loss_collection, scope)


def get_regularization_losses(scope: Any = None) -> list[Tensor]:
    """The penalties of Variables."""
    return get_default_graph().get_collection(GraphKeys.REGULARIZATION_LOSSES, scope)


def get_total_loss(add_regularization_losses: bool = True, name: str = "total_loss") -> Tensor:
    """The sum of all losses, and of the penalties of Variables."""
    penalties = get_regularization_losses() if add_regularization_losses else []
    return add_n([*get_losses(), *penalties], name=name)


def __getattr__(name: str) -> Any:
    raise missing("tf.losses", name, __all__)
