"""Losses."""

from __future__ import annotations

import numpy as np

from ....graph.node import Node as PalingradNode
from ....graph.registry import ops
from .ops import Operator

__all__ = ["CrossEntropyWithSoftMax", "LogLoss", "LossFunction", "PerceptionLoss"]


class LossFunction(Operator):
    """A loss."""


class LogLoss(LossFunction):
    """log(1 + exp(−x)), elementwise."""

    count = 1

    def node(self, *parents: PalingradNode) -> PalingradNode:
        return ops.softplus(-parents[0])


class CrossEntropyWithSoftMax(LossFunction):
    """−Σ p · log softmax(x) over all elements, of logits x and probabilities p, in this order."""

    count = 2

    def node(self, *parents: PalingradNode) -> PalingradNode:
        x, p = (ops.reshape(one, (1, -1)) for one in parents)
        return ops.reshape(ops.cross_entropy(x, p, reduction="sum"), (1, 1))


class PerceptionLoss(LossFunction):
    """−x where x < 0, 0 elsewhere."""

    count = 1

    def node(self, *parents: PalingradNode) -> PalingradNode:
        (x,) = parents
        return ops.where(x >= 0, np.float64(0), -x)
