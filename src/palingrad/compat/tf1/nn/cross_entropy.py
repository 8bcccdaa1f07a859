"""Cross-entropies of logits, one for each example or element."""

from __future__ import annotations

from typing import Any

from ....errors import ArgumentError
from ....graph.registry import ops
from ..framework.convert import node
from ..framework.graph import Tensor, build


def _two(function: str, sentinel: Any, labels: Any, logits: Any) -> tuple[Any, Any]:
    if sentinel is not None or labels is None or logits is None:
        raise ArgumentError(f"{function}: write labels=… and logits=….")
    y = node(logits)
    return y, node(labels, y.dtype)


def _softmax_cross_entropy(
    kind: str, labels: Any, logits: Any, axis: int, name: str | None, *, through: bool
) -> Tensor:
    def loss() -> Any:
        y, p = _two(kind, None, labels, logits)
        return ops.cross_entropy(
            y, p if through else ops.stop_gradient(p), axis=axis, reduction="none"
        )

    return build(kind, name, loss)


def softmax_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, dim: int = -1,
    name: str | None = None, axis: int | None = None,
) -> Tensor:  # fmt: skip
    """−Σ p log softmax(logits) of each example, for probabilities p; none of its gradient flows
    into the labels."""
    _two("softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    along = dim if axis is None else axis
    kind = "softmax_cross_entropy_with_logits"
    return _softmax_cross_entropy(kind, labels, logits, along, name, through=False)


def softmax_cross_entropy_with_logits_v2(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, axis: Any = None,
    name: str | None = None, dim: Any = None,
) -> Tensor:  # fmt: skip
    """−Σ p log softmax(logits) of each example, for probabilities p."""
    _two("softmax_cross_entropy_with_logits_v2", _sentinel, labels, logits)
    along = next((one for one in (axis, dim) if one is not None), -1)
    kind = "softmax_cross_entropy_with_logits"
    return _softmax_cross_entropy(kind, labels, logits, along, name, through=True)


def sparse_softmax_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> Tensor:
    """−log softmax(logits)[label] of each example, for integer labels."""
    if _sentinel is not None or labels is None or logits is None:
        raise ArgumentError("sparse_softmax_cross_entropy_with_logits: labels=… and logits=….")
    return build(
        "SparseSoftmaxCrossEntropyWithLogits",
        name,
        lambda: ops.cross_entropy(node(logits), node(labels), reduction="none"),
    )


def sigmoid_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> Tensor:
    """−p log σ(x) − (1 − p) log σ(−x) of each element, for probabilities p and logits x."""

    def loss() -> Any:
        y, p = _two("sigmoid_cross_entropy_with_logits", _sentinel, labels, logits)
        return ops.binary_cross_entropy_with_logits(y, p, reduction="none")

    return build("logistic_loss", name, loss)
