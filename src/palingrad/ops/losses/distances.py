"""Distances of distributions and of vectors: Kullback–Leibler, Jensen–Shannon, cosine, margins."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from ...errors import ShapeError
from ...graph.describe.notation import POWER, Piece
from ...graph.kinds import Composite
from ...graph.node import Node
from ...graph.registry import ops, register
from ...graph.samples import case, kink
from ...messages.checks import flag, within
from ...shapes import Shape, axis_in, broadcast, reduced as without_axes, same, text
from ..reduction.axes import narrowed, widened
from .binary import check_sides
from .reducing import ElementLoss, Reduction, one_shape, reduced


class AxisLoss(Composite):
    """A number for each vector along `axis` of two inputs of one shape."""

    floats = True
    complexes = False

    def shape_rule(self, *shapes: Shape) -> Shape:
        shape = one_shape(shapes[0], shapes[1])
        return without_axes(shape, [axis_in(self.attributes["axis"], len(shape))], False)


class KlDivergence(AxisLoss):
    """z = Σ p log(p/q) along `axis`: the Kullback–Leibler divergence of q from p, in nats.

    Terms with p = 0 are 0. `log_q` says that q is given by its logarithms. ∂z/∂q = −p/q.
    """

    math = r"D({p} \,\|\, {q})"
    samples = [
        case((2, 3), (2, 3), low=0.1, high=0.9, axis=-1, log_q=False),
        case((3, 2), (3, 2), low=0.1, axis=0, log_q=True),
        kink([0.0, 1.0], [0.0, 1.0], axis=0, log_q=False, slopes=[[np.nan, 1.0], [0.0, -1.0]]),
        kink([0.0, 1.0], [0.5, 0.5], axis=0, log_q=False,
             slopes=[[-np.inf, 1 + np.log(2)], [0.0, -2.0]]),
    ]  # fmt: skip

    def expand(z, p, q):
        dtype, p, q = p.dtype, widened(p), widened(q)
        gap = ops.log(p) - (q if z.log_q else ops.log(q))
        return narrowed(ops.sum(ops.absorbing_product(p, gap), axis=z.axis), dtype)

    def notation(z, p, q):
        other = Piece(f"e^{{{q.latex}}}", POWER) if z.log_q else q
        return super().notation(p, other)


class JsDivergence(AxisLoss):
    """z = ½D(p‖m) + ½D(q‖m) with m = ½(p + q), along `axis`: in [0, log 2] (Lin 1991)."""

    math = r"\operatorname{JS}({p}, {q})"
    commutes = True
    samples = [case((2, 3), (2, 3), low=0.1, high=0.9, axis=-1), case((3,), (3,), low=0.2, axis=0)]

    def expand(z, p, q):
        dtype, p, q = p.dtype, widened(p), widened(q)
        middle = 0.5 * (p + q)
        options = dict(axis=z.axis, log_q=False)
        total = KlDivergence(p, middle, **options) + KlDivergence(q, middle, **options)
        return narrowed(0.5 * total, dtype)


class CosineSimilarity(AxisLoss):
    """z = Σ x·y / (‖x‖·‖y‖) along `axis`; 0, with slope 0 in x, where x = 0, and likewise for y."""

    math = r"\cos({x}, {y})"
    commutes = True
    samples = [
        case((2, 3), (2, 3), axis=-1),
        case((3, 2), (3, 2), axis=0),
        kink([0.0, 0.0], [3.0, 4.0], axis=0, slopes=[[0.0, 0.0], [0.0, 0.0]]),
    ]

    def expand(z, x, y):
        units = [_unit(widened(one), z.axis) for one in (x, y)]
        return narrowed(ops.sum(units[0] * units[1], axis=z.axis), x.dtype)


def _unit(x: Any, axis: int) -> Any:
    """x divided by its norm, 0 where that is 0."""
    length = ops.vector_norm(x, axis=axis, keepdims=True)
    return ops.where(length == 0, 0, x / ops.where(length == 0, 1, length))


class CosineLoss(AxisLoss):
    """z = 1 − cos(x, y) along `axis`."""

    math = r"1 - \cos({x}, {y})"
    samples = [case((2, 3), (2, 3), axis=-1)]

    def expand(z, x, y):
        return narrowed(1 - CosineSimilarity(widened(x), widened(y), axis=z.axis), x.dtype)


class MarginRankingLoss(ElementLoss):
    """z = max(0, margin − t·(x − y)): 0 where x is the larger by the margin, for a t of 1."""

    math = r"\max(0, <margin> - {t} \* ({x} - {y}))"
    samples = [
        case(np.array([0.5, 2.0, -1.0]), np.array([0.0, -1.5, 0.5]), np.array([1.0, -1, 1]),
             margin=0.2),
        kink([1.0], [1.0], [1.0], margin=0.0, slopes=[[0.0], [0.0], [0.0]]),
    ]  # fmt: skip

    def shape_rule(self, *shapes: Shape) -> Shape:
        shape = super().shape_rule(*shapes[:2])
        if len(shapes[2]) > len(shape) or not all(map(same, broadcast(shape, shapes[2]), shape)):
            raise ShapeError(f"the target {text(shapes[2])} doesn't broadcast to {text(shape)}")
        return shape

    def expand(z, x, y, t):
        return ops.relu(z.margin - t * (x - y))


class TripletLoss(AxisLoss):
    """z = max(0, ‖a − p‖ − ‖a − n‖ + margin) along `axis` (Schroff et al. 2015, not squared)."""

    math = (
        r"\max(0, \lVert{a} - {p}\rVert_{2; <axis>} - \lVert{a} - {n}\rVert_{2; <axis>} + <margin>)"
    )
    samples = [
        case((2, 3), (2, 3), (2, 3), axis=-1, margin=6.0),
        kink([0.0], [0.0], [2.0], axis=0, margin=3.0, slopes=[[1.0], [0.0], [-1.0]]),
    ]

    def shape_rule(self, *shapes: Shape) -> Shape:
        super().shape_rule(shapes[0], shapes[2])
        return super().shape_rule(*shapes[:2])

    def expand(z, a, p, n):
        dtype, a = a.dtype, widened(a)
        near, far = (ops.vector_norm(a - widened(one), axis=z.axis) for one in (p, n))
        return narrowed(ops.relu(near - far + z.margin), dtype)


@register
def kl_divergence(
    p: Any,
    q: Any,
    *,
    axis: int = -1,
    log_q: bool = False,
    reduction: Reduction = "mean",
    name: str | None = None,
) -> Node:
    """The mean of Σ p log(p/q) along `axis`, of how far the distribution q is from p, in nats.

    p is the target. log_q: q is given by its logarithms, such as `log_softmax(logits)`. Terms with
    p = 0 are 0. reduction: 'mean' over the distributions, 'sum' or 'none'.
    """
    options = dict(axis=index(axis), log_q=flag("kl_divergence: log_q", log_q))
    return reduced(KlDivergence, (p, q), reduction, name, **options)


@register
def js_divergence(
    p: Any, q: Any, *, axis: int = -1, reduction: Reduction = "mean", name: str | None = None
) -> Node:
    """The mean of ½D(p‖m) + ½D(q‖m) along `axis`, with m = ½(p + q): symmetric, at most log 2.

    reduction: 'mean' over the distributions, 'sum' or 'none'.
    """
    return reduced(JsDivergence, (p, q), reduction, name, axis=index(axis))


@register
def cosine_similarity(x: Any, y: Any, /, *, axis: int = -1, name: str | None = None) -> Node:
    """z = Σ x·y / (‖x‖·‖y‖) along `axis`, in [−1, 1]; 0 where a norm is 0."""
    return CosineSimilarity(x, y, axis=index(axis), name=name)


@register
def cosine_loss(
    prediction: Any,
    target: Any,
    *,
    axis: int = -1,
    reduction: Reduction = "mean",
    name: str | None = None,
) -> Node:
    """The mean of 1 − cos(prediction, target), of vectors along `axis`.

    reduction: 'mean' over the vectors, 'sum' or 'none'.
    """
    return reduced(CosineLoss, (prediction, target), reduction, name, axis=index(axis))


@register
def margin_ranking_loss(
    first: Any,
    second: Any,
    target: Any,
    *,
    margin: float = 0.0,
    reduction: Reduction = "mean",
    name: str | None = None,
) -> Node:
    """The mean of max(0, margin − t·(first − second)): t = 1 says that the first is to be larger.

    The targets t are −1 or 1. reduction: 'mean', 'sum' or 'none'.
    """
    check_sides("margin_ranking_loss", target)
    margin = float(within("margin_ranking_loss: margin", margin, "(-inf, inf)", like=0.0))
    return reduced(MarginRankingLoss, (first, second, target), reduction, name, margin=margin)


@register
def triplet_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    margin: float = 1.0,
    axis: int = -1,
    reduction: Reduction = "mean",
    name: str | None = None,
) -> Node:
    """The mean of max(0, ‖anchor − positive‖ − ‖anchor − negative‖ + margin), vectors along `axis`.

    The gradient of a distance is 0 where it is 0. reduction: 'mean' over the vectors, 'sum' or
    'none'.
    """
    margin = float(within("triplet_loss: margin", margin, "(-inf, inf)", like=1.0))
    inputs = (anchor, positive, negative)
    return reduced(TripletLoss, inputs, reduction, name, margin=margin, axis=index(axis))
