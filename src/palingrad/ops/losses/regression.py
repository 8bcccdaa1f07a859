"""Losses of numbers: absolute error, Huber's loss, likelihoods of Poisson and normal distributions.

Each is a number for each element of a prediction and a target of one shape, reduced to their mean.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...errors import ShapeError
from ...graph.node import Node
from ...graph.registry import ops, register
from ...graph.samples import case, kink
from ...messages.checks import flag, within
from ...shapes import Shape, broadcast, same, text
from ..reduction.axes import narrowed, widened
from .reducing import ElementLoss, Reduction, reduced

_AT_0: Any = kink([1.0, 2.0], [1.0, 2.0], slopes=[[0.0, 0.0], [0.0, 0.0]])
_PAIR = (np.array([-1.5, -0.4, 0.3, 2.5]), np.array([0.1, -0.1, 0.0, 0.2]))


class AbsoluteError(ElementLoss):
    """z = |x − y|. ∂z/∂x = sign(x − y), 0 at x = y."""

    math = r"\left|{x} - {y}\right|"
    commutes = True
    samples = [case(*_PAIR), case((0, 2), (0, 2)), _AT_0]

    def expand(z, x, y):
        return ops.abs(x - y)


class HuberLoss(ElementLoss):
    """z = ½d² where |d| = |x − y| ≤ δ, else δ(|d| − ½δ). ∂z/∂x = d, cut off at ±δ.

    Huber 1964, "Robust estimation of a location parameter".
    """

    math = r"\operatorname{huber}({x} - {y})"
    commutes = True
    samples = [case(*_PAIR, delta=0.7), kink([1.0], [0.5], slopes=[[0.5], [-0.5]], delta=0.5)]

    def expand(z, x, y):
        gap = x - y
        size = ops.abs(gap)
        far = z.delta * (size - 0.5 * z.delta)
        return ops.where(size <= z.delta, 0.5 * gap * gap, far)


class SmoothL1(ElementLoss):
    """z = ½d²/β where |d| = |x − y| < β, else |d| − ½β: Huber's loss divided by its δ = β."""

    math = r"\operatorname{smooth}_{L1}({x} - {y})"
    commutes = True
    samples = [case(*_PAIR, beta=0.7), case(*_PAIR, beta=0.0)]

    def expand(z, x, y):
        gap = x - y
        if not z.beta:
            return ops.abs(gap)
        size = ops.abs(gap)
        return ops.where(size < z.beta, 0.5 / z.beta * gap * gap, size - 0.5 * z.beta)


class LogCosh(ElementLoss):
    """z = log cosh(x − y), without overflow: about ½d² near 0 and |d| − log 2 far from it."""

    math = r"\log\cosh({x} - {y})"
    commutes = True
    samples = [case(*_PAIR), case(np.array([1000.0, -1e-4]), np.array([0.0, 0.0])), _AT_0]

    def expand(z, x, y):
        half = 0.5 * widened(x - y)
        # cosh d = 1 + 2 sinh²(d/2): no cancellation near 0. Beyond 3, |d| − log 2 + log1p(e^−2|d|).
        near = ops.log1p(2 * ops.square(ops.sinh(ops.clip(half, -2, 2))))
        size = 2 * ops.abs(half)
        far = size - math.log(2) + ops.log1p(ops.exp(-2 * size))
        return narrowed(ops.where(size < 3, near, far), x.dtype)


class PoissonNll(ElementLoss):
    """z = e^x − y·x for x the logarithm of a rate, or x − y·log x for a rate x; y are counts.

    −log of the Poisson probability, without log y!, for which `full` adds Stirling's approximation
    y·log y − y + ½ log(2πy) where y > 1. At x = y = 0 a rate has loss 0.
    """

    math = r"\operatorname{poissonnll}({x}, {y})"
    samples = [
        case(*_PAIR, log_rate=True, full=False),
        case((4,), (4,), low=0.2, high=5, log_rate=False, full=False),
        case((3,), np.array([0.0, 2.0, 5.0]), low=0.2, log_rate=False, full=True),
    ]

    def expand(z, x, y):
        wide, counts = widened(x), widened(y)
        if z.log_rate:
            loss = ops.exp(wide) - counts * wide
        else:
            loss = wide - ops.absorbing_product(counts, ops.log(wide))
        if z.full:
            safe = ops.where(counts > 1, counts, 1)
            rest = safe * ops.log(safe) - safe + 0.5 * ops.log(2 * math.pi * safe)
            loss = loss + ops.where(counts > 1, rest, 0)
        return narrowed(loss, x.dtype)


class GaussianNll(ElementLoss):
    """z = ½(log v + (x − y)²/v) with v = max(variance, ε); `full` adds ½ log 2π.

    −log of the normal density at y, of mean x. The variance broadcasts to x. Where it is below ε,
    its gradient is 0.
    """

    math = r"\operatorname{gaussiannll}({x}, {y}, {v})"
    samples = [
        case((3, 2), (3, 2), np.array([[0.5], [1.5], [2.0]]), epsilon=1e-6, full=False),
        case((3,), (3,), np.array([0.5, 1.5, 0.1]), epsilon=0.2, full=True),
    ]

    def shape_rule(self, *shapes: Shape) -> Shape:
        shape = super().shape_rule(*shapes[:2])
        try:
            whole = broadcast(shape, shapes[2])
            fits = len(whole) == len(shape) and all(map(same, whole, shape))
        except ShapeError:
            fits = False
        if not fits:
            raise ShapeError(
                f"a variance of {text(shapes[2])} doesn't broadcast to {text(shape)}",
                hint="Give one variance for each element, or for each row a column: v[:, None].",
            )
        return shape

    def expand(z, x, y, v):
        gap, spread = widened(x) - widened(y), ops.maximum(widened(v), z.epsilon)
        loss = 0.5 * (ops.log(spread) + gap * gap / spread)
        return narrowed(loss + (0.5 * math.log(2 * math.pi) if z.full else 0.0), x.dtype)


@register
def mae(
    prediction: Any, target: Any, *, reduction: Reduction = "mean", name: str | None = None
) -> Node:
    """The mean over all elements of |prediction − target|, of two arrays of one shape.

    reduction: 'mean', 'sum' or 'none'.
    """
    return reduced(AbsoluteError, (prediction, target), reduction, name)


@register
def huber(
    prediction: Any,
    target: Any,
    *,
    delta: float = 1.0,
    reduction: Reduction = "mean",
    name: str | None = None,
) -> Node:
    """The mean of ½d² where |d| ≤ δ, else δ(|d| − ½δ), with d = prediction − target (Huber 1964).

    reduction: 'mean', 'sum' or 'none'.
    """
    delta = float(within("huber: delta", delta, "(0, inf)", like=1.0))
    return reduced(HuberLoss, (prediction, target), reduction, name, delta=delta)


@register
def smooth_l1(
    prediction: Any,
    target: Any,
    *,
    beta: float = 1.0,
    reduction: Reduction = "mean",
    name: str | None = None,
) -> Node:
    """The mean of ½d²/β where |d| < β, else |d| − ½β, with d = prediction − target.

    It is `huber` divided by its δ = β; β = 0 gives the absolute error. reduction: 'mean', 'sum' or
    'none'.
    """
    beta = float(within("smooth_l1: beta", beta, "[0, inf)", like=1.0))
    return reduced(SmoothL1, (prediction, target), reduction, name, beta=beta)


@register
def log_cosh(
    prediction: Any, target: Any, *, reduction: Reduction = "mean", name: str | None = None
) -> Node:
    """The mean of log cosh(prediction − target), a smooth form of the absolute error.

    reduction: 'mean', 'sum' or 'none'.
    """
    return reduced(LogCosh, (prediction, target), reduction, name)


@register
def poisson_nll(
    prediction: Any,
    target: Any,
    *,
    log_rate: bool = True,
    full: bool = False,
    reduction: Reduction = "mean",
    name: str | None = None,
) -> Node:
    """The mean of −log of the Poisson probability of the counts `target`, without log target!.

    prediction: the logarithms of the rates, or with log_rate=False the rates. With `full`,
    Stirling's approximation of log target! is added where target > 1. reduction: 'mean', 'sum' or
    'none'.
    """
    options = dict(log_rate=flag("poisson_nll: log_rate", log_rate), full=flag("full", full))
    return reduced(PoissonNll, (prediction, target), reduction, name, **options)


@register
def gaussian_nll(
    prediction: Any,
    target: Any,
    variance: Any,
    *,
    full: bool = False,
    epsilon: float = 1e-6,
    reduction: Reduction = "mean",
    name: str | None = None,
) -> Node:
    """The mean of −log of the normal density at `target`, of mean `prediction`: ½(log v + d²/v).

    variance v: broadcasts to the prediction; smaller ones than `epsilon` are replaced by it. With
    `full`, the constant ½ log 2π is added. reduction: 'mean', 'sum' or 'none'.
    """
    epsilon = float(within("gaussian_nll: epsilon", epsilon, "(0, inf)", like=1e-6))
    options = dict(epsilon=epsilon, full=flag("gaussian_nll: full", full))
    return reduced(GaussianNll, (prediction, target, variance), reduction, name, **options)
