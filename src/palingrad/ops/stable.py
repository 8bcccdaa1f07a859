"""Stable forms: what a naive formula is rewritten to before it overflows or cancels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..graph.leaves import Constant
from ..graph.node import Node
from ..graph.registry import ops
from .activation import Sigmoid
from .arithmetic import Add
from .exponential import Exp, Log, Log1p
from .reduce import Sum
from .softmax import Softmax


class StableForm(NamedTuple):
    """A better way to compute a node, which goes past the nodes in `skipped`."""

    build: Callable[[], Node]
    skipped: tuple[Node, ...]


def stable_form(node: Node) -> StableForm | None:
    """The stable form of `node`, or None where it is stable or unknown.

    log softmax x → log_softmax, log σ(x) → log_sigmoid, log(1 + eˣ) → softplus,
    log Σ eˣ → logsumexp.
    """
    if type(node) is Log:
        return _of_log(node.inputs[0])
    if type(node) is Log1p and type(node.inputs[0]) is Exp:
        inner = node.inputs[0]
        return StableForm(lambda: ops.softplus(inner.inputs[0]), (inner,))
    return None


def _of_log(inner: Any) -> StableForm | None:
    if type(inner) is Softmax:
        return StableForm(lambda: ops.log_softmax(inner.inputs[0], axis=inner.axis), (inner,))
    if type(inner) is Sigmoid:
        return StableForm(lambda: ops.log_sigmoid(inner.inputs[0]), (inner,))
    if type(inner) is Sum and type(inner.inputs[0]) is Exp:
        x = inner.inputs[0].inputs[0]
        return StableForm(
            lambda: ops.logsumexp(x, axis=inner.axis, keepdims=inner.keepdims),
            (inner, inner.inputs[0]),
        )
    if type(inner) is Add:
        for one, other in (inner.inputs, inner.inputs[::-1]):
            if isinstance(one, Constant) and one.scalar == 1 and type(other) is Exp:
                return StableForm(lambda x=other.inputs[0]: ops.softplus(x), (inner, other))
    return None
