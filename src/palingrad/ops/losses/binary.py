"""Losses of two classes: binary cross-entropy, focal, hinge and perceptron loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ArgumentError
from ...graph.describe.notation import POWER, PRODUCT, SUM, Piece
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops, register
from ...graph.samples import case, kink
from ...messages.checks import flag, within
from ..reduction.axes import narrowed, widened
from .reducing import ElementLoss, Reduction, reduced

inf = np.inf
_TARGETS = np.array([0.0, 1.0, 0.3, 1.0])
_SIDES = np.array([1.0, -1.0, 1.0, -1.0])


class BinaryCrossEntropy(ElementLoss):
    """z = −y log p − (1 − y) log(1 − p), with 0·log 0 = 0. ∂z/∂p = (p − y)/(p(1 − p)).

    Where y is 0 or 1, the slope is that of the one term that counts: 1 at p = y = 0.
    """

    math = r"-{y} \* \log {p} - (1 - {y}) \* \log(1 - {p})"
    samples = [
        case((4,), _TARGETS, low=0.1, high=0.9),
        kink([0.0, 1.0], [0.0, 1.0], slopes=[[1.0, -1.0], [inf, -inf]]),
    ]

    def expand(z, p, y):
        wide, y = widened(p), widened(y)
        hit = ops.absorbing_product(y, ops.log(wide))
        miss = ops.absorbing_product(1 - y, ops.log1p(-wide))
        return narrowed(-hit - miss, p.dtype)


class BinaryCrossEntropyWithLogits(ElementLoss):
    """z = w·y·softplus(−x) + (1 − y)·softplus(x), the binary cross-entropy of p = σ(x).

    Exact for large |x|; 0 where x = ±∞ is on the right side. For w = 1, ∂z/∂x = σ(x) − y.
    """

    math = r"-{y} \* \log \sigma({x}) - (1 - {y}) \* \log(1 - \sigma({x}))"
    samples = [
        case((4,), _TARGETS),
        case((2, 4), (2, 4), np.array([0.5, 2.0, 1.0, 3.0]), low=0.0, high=1.0),
        case(np.array([100.0, -100.0]), np.array([0.0, 1.0])),
        kink([-inf, inf], [0.0, 1.0], slopes=[[0.0, 0.0], [inf, -inf]]),
    ]

    def expand(z, x, y, *weights):
        wide, y = widened(x), widened(y)
        hit = ops.absorbing_product(y, ops.softplus(-wide))
        for weight in weights:
            hit = hit * widened(weight)
        return narrowed(hit + ops.absorbing_product(1 - y, ops.softplus(wide)), x.dtype)

    def notation(z, x, y, *weights):
        plain = super().notation(x, y)
        if not weights:
            return plain
        sign = r"\odot" if z.ndim else r"\,"
        return Piece(f"-{weights[0].within(PRODUCT)} {sign} {plain.latex[1:]}", SUM)


class FocalLoss(ElementLoss):
    """z = α·y·(1 − p)^γ·(−log p) + (1 − α)·(1 − y)·p^γ·(−log(1 − p)), with p = σ(x).

    Lin et al. 2017, "Focal loss for dense object detection". α = None leaves out α and 1 − α.
    """

    math = r"\operatorname{focal}(\sigma({x}), {y})"
    samples = [
        case((4,), _TARGETS, gamma=2.0, alpha=0.25),
        case((4,), _TARGETS, gamma=0.5, alpha=None),
        kink([-inf, inf], [0.0, 1.0], slopes=[[0.0, 0.0], [inf, -inf]], gamma=2.0, alpha=None),
    ]

    def expand(z, x, y):
        wide, y = widened(x), widened(y)
        cost_if_1, cost_if_0 = ops.softplus(-wide), ops.softplus(wide)  # −log p, −log(1 − p)
        hit, miss = cost_if_1, cost_if_0
        if z.gamma:  # (1 − p)^γ = exp(−γ·softplus(x)), whose slope is finite for all x
            hit = ops.absorbing_product(ops.exp(-z.gamma * cost_if_0), hit)
            miss = ops.absorbing_product(ops.exp(-z.gamma * cost_if_1), miss)
        share = (1.0, 1.0) if z.alpha is None else (z.alpha, 1 - z.alpha)
        total = share[0] * ops.absorbing_product(y, hit)
        return narrowed(total + share[1] * ops.absorbing_product(1 - y, miss), x.dtype)


class HingeLoss(ElementLoss):
    """z = max(0, margin − y·x) or its square, for a target y of ±1. The slope at the kink is 0."""

    math = r"\max(0, <margin> - {y} \* {x})"
    samples = [
        case((4,), _SIDES, low=-0.9, high=0.9, margin=1.0, squared=False),
        case(np.array([-2.0, 0.5, 3.0, -3.0]), _SIDES, margin=1.0, squared=True),
        kink([1.0, -1.0], [1.0, -1.0], slopes=[[0.0, 0.0], [0.0, 0.0]], margin=1.0, squared=False),
    ]

    def expand(z, x, y):
        gap = ops.relu(z.margin - y * x)
        return gap * gap if z.squared else gap

    def notation(z, x, y):
        gap = super().notation(x, y)
        return Piece(f"{gap.latex}^2", POWER) if z.squared else gap


class PerceptronLoss(ElementLoss):
    """z = max(0, −y·x) for a target y of ±1. The slope at the kink is 0."""

    math = r"\max(0, -{y} \* {x})"
    samples = [
        case(np.array([-2.0, 0.5, 3.0, -3.0]), _SIDES),
        kink([0.0], [1.0], slopes=[[0.0], [0.0]]),
    ]

    def expand(z, x, y):
        return ops.relu(-y * x)


def check_sides(function: str, target: Any) -> None:
    """Raise ArgumentError for known targets that aren't all −1 or 1."""
    values = as_node(target)._known()
    if values is not None and not np.isin(values, (-1, 1)).all():
        bits = np.isin(values, (0, 1)).all()
        raise ArgumentError(f"{function}: targets are −1 or 1, got {values.ravel()[:4].tolist()}…",
                            hint=f"Write {'2 * target - 1' if bits else 'pg.sign(target)'}.",
                            )  # fmt: skip


@register
def binary_cross_entropy(
    probabilities: Any, target: Any, *, reduction: Reduction = "mean", name: str | None = None
) -> Node:
    """The mean over all elements of −y log p − (1 − y) log(1 − p), for probabilities p, targets y.

    reduction: 'mean', 'sum' or 'none'. From logits, `binary_cross_entropy_with_logits` is exact.
    """
    return reduced(BinaryCrossEntropy, (probabilities, target), reduction, name)


@register
def binary_cross_entropy_with_logits(
    logits: Any,
    target: Any,
    *,
    positive_weight: Any = None,
    reduction: Reduction = "mean",
    name: str | None = None,
) -> Node:
    """The mean of −y log σ(x) − (1 − y) log σ(−x), for logits x and targets y in [0, 1].

    positive_weight: a factor of the first term, which broadcasts to x. reduction: 'mean', 'sum' or
    'none'.
    """
    weights = () if positive_weight is None else (positive_weight,)
    return reduced(BinaryCrossEntropyWithLogits, (logits, target, *weights), reduction, name)


@register
def focal_loss(
    logits: Any,
    target: Any,
    *,
    gamma: float = 2.0,
    alpha: float | None = 0.25,
    reduction: Reduction = "mean",
    name: str | None = None,
) -> Node:
    """The mean of the binary cross-entropies of logits, each weighted by (probability of error)^γ.

    alpha: the weight of class 1, and 1 − alpha that of class 0; None leaves both out (Lin et al.
    2017). reduction: 'mean', 'sum' or 'none'.
    """
    gamma = float(within("focal_loss: gamma", gamma, "[0, inf)", like=2.0))
    if alpha is not None:
        alpha = float(within("focal_loss: alpha", alpha, "[0, 1]", like=0.25))
    return reduced(FocalLoss, (logits, target), reduction, name, gamma=gamma, alpha=alpha)


@register
def hinge_loss(
    prediction: Any,
    target: Any,
    *,
    margin: float = 1.0,
    squared: bool = False,
    reduction: Reduction = "mean",
    name: str | None = None,
) -> Node:
    """The mean of max(0, margin − target·prediction), or of its square; targets are −1 or 1.

    reduction: 'mean', 'sum' or 'none'.
    """
    check_sides("hinge_loss", target)
    margin = float(within("hinge_loss: margin", margin, "[0, inf)", like=1.0))
    squared = flag("hinge_loss: squared", squared)
    inputs = (prediction, target)
    return reduced(HingeLoss, inputs, reduction, name, margin=margin, squared=squared)


@register
def perceptron_loss(
    prediction: Any, target: Any, *, reduction: Reduction = "mean", name: str | None = None
) -> Node:
    """The mean of max(0, −target·prediction); targets are −1 or 1 (Rosenblatt 1958).

    reduction: 'mean', 'sum' or 'none'.
    """
    check_sides("perceptron_loss", target)
    return reduced(PerceptronLoss, (prediction, target), reduction, name)
