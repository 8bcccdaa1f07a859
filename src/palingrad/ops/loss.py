"""Losses: cross-entropy of logits, mean squared error."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from ..dtypes import is_boolean, is_floating, is_integer
from ..errors import DTypeError, ShapeError
from ..graph.describe.nonfinite import Reason
from ..graph.describe.notation import SUM, Piece, subscripted
from ..graph.kinds import Composite, Index
from ..graph.node import Node
from ..graph.promotion import align, as_node
from ..graph.registry import ops, register
from ..graph.samples import case
from ..messages.checks import did_you_mean
from ..shapes import Shape, broadcast_dim, same, size, text
from .reduction.axes import narrowed, widened

Reduction = Literal["mean", "sum", "none"]


class OneHot(Index):
    """y[…, k] = 1 where k is the label, else 0, on a new last axis of size `depth`.

    A label outside 0 … depth − 1 gives a row of NaN, so that wrong data shows in the loss.
    """

    math = r"\operatorname{onehot}({x})"
    promotes = False
    samples = [
        case(np.array([0, 2, 1]), depth=3, dtype=np.dtype(np.float64)),
        case(np.array([[1], [5]]), depth=4, dtype=np.dtype(np.float64)),
        case(np.array(1), depth=2, dtype=np.dtype(np.float64)),
    ]

    def f(m, x, *, depth, dtype):
        label = m.expand_dims(x, -1)
        hot = m.cast(m.equal(label, m.arange(depth)), dtype)
        return m.where((label < 0) | (label >= depth), math.nan, hot)

    def shape_rule(y, *shapes):
        return (*shapes[0], y.attributes["depth"])

    def dtype_rule(y, *dtypes):
        return y.attributes["dtype"]

    def vjp(y, g, x):
        return [None]

    def nonfinite(y, value, *x):
        return Reason("a label that is no class", "labels from 0 to the number of classes − 1")


class CrossEntropy(Composite):
    """y = −Σ p log softmax(x) over the last axis, or −log softmax(x)ₚ for an integer label p.

    ∂y/∂x = softmax(x)·Σp − p, which is softmax(x) − p for a distribution p. Logits x (…, classes)
    and p (…, classes), or labels p (…), give y (…).
    """

    math, onnx = r"-\sum {p} \log\operatorname{softmax}({x})", "SoftmaxCrossEntropyLoss"
    samples = [
        case((3, 4), np.array([0, 3, 1])),
        case((4,), np.array(2)),
        case((3, 4), (3, 4), low=0.1),
        case((2, 3, 4), (2, 3, 4), low=0.1),
        case((2, 3, 4), np.array([[0, 3, 1], [2, 2, 0]])),
        case(np.array([[1000.0, 0.0], [0.0, -1000.0]]), np.array([1, 0])),
    ]

    def align_inputs(self, inputs: tuple[Any, ...]) -> tuple[Node, ...]:
        labels = as_node(inputs[1])
        if is_floating(labels.dtype):
            return align((inputs[0], labels), promotes=True, floats=True, complexes=False)
        if is_boolean(labels.dtype):
            raise DTypeError(
                "labels are booleans, expected integers or one-hot floats",
                hint="Write labels.astype(int).",
            )
        return (*align(inputs[:1], promotes=True, floats=True, complexes=False), labels)

    def shape_rule(self, *shapes: Shape) -> Shape:
        logits, labels = shapes
        if logits and logits[-1] == 0:
            raise ShapeError(f"logits {text(logits)} have no classes")
        dtype = self.inputs[1].dtype
        of_classes, of_examples = len(logits), len(logits) - 1
        if dtype is None:
            ranks = (of_classes, of_examples)  # the dtype of the feed decides which
        else:
            ranks = (of_classes,) if is_floating(dtype) else (of_examples,)
        if not logits or len(labels) not in ranks or not all(map(same, labels, logits)):
            raise ShapeError(
                f"logits {text(logits)} expect integer labels {text(logits[:-1])} or one-hot "
                f"floats {text(logits)}, got {text(labels)}",
                hint=_labels_hint(self, logits, labels),
            )
        return tuple(map(broadcast_dim, logits[:-1], labels))

    def expand(y, x, p):
        weights = p if is_floating(p.dtype) else OneHot(p, depth=x.shape[-1], dtype=x.dtype)
        return -ops.sum(ops.absorbing_product(weights, ops.log_softmax(x)), axis=-1)

    def notation(y, x, p):
        dtype = y.inputs[1].dtype
        if dtype is None or is_floating(dtype):
            return super().notation(x, p)
        axes = "ijklmn"[: (y.inputs[0].ndim or 2) - 1]  # the indices of an example
        label = subscripted(p, axes).latex if axes else p.latex
        logs = rf"\log\operatorname{{softmax}}({x.latex})"
        return Piece(f"-{logs}_{{[{', '.join([*axes, label])}]}}", SUM)

    def vjp(y, g, x, p):
        g = ops.expand_dims(g, axis=-1)
        if is_floating(p.dtype):
            total = ops.sum(p, axis=-1, keepdims=True)
            return [
                lambda: ops.scaled(g, ops.softmax(x) * total - p),
                lambda: ops.scaled(-g, ops.log_softmax(x)),
            ]
        hot = OneHot(p, depth=x.shape[-1], dtype=x.dtype)
        return [lambda: ops.scaled(g, ops.softmax(x) - hot), None]


def _labels_hint(y: CrossEntropy, logits: Shape, labels: Shape) -> str:
    """What to do with labels of a shape or dtype that doesn't fit."""
    kinds = [x.dtype for x in y.inputs]
    if len(labels) > len(logits) and is_floating(kinds[1]):
        return "Did you exchange them? It is cross_entropy(logits, labels)."
    if is_floating(kinds[1]) and len(labels) == len(logits) - 1:
        return "Numbers of classes are integers: labels.astype(int)."
    if len(labels) == len(logits) and all(map(same, labels, logits)):
        return "One-hot labels are floats, labels.astype(float); or numbers: labels.argmax(-1)."
    if labels and labels[-1] == 1:
        return "Drop the last axis: labels[:, 0]."
    return ""


def classes_hint(low: int, high: int, classes: int | None) -> str:
    """What to do about integer labels `low` … `high` that aren't all classes."""
    if classes is None or low < 0:
        return "Classes are numbered from 0."
    if low == 1 and high == classes:
        return "Classes are numbered from 0: labels - 1."
    return f"Classes are numbered 0 … {classes - 1}; the model needs {high + 1} outputs."


class SquaredError(Composite):
    """z = (x − y)², elementwise. The inputs have one shape: broadcasting a loss hides mistakes."""

    math = "({x} - {y})^2"
    commutes = True
    complexes = False  # |x − y|² is meant
    floats = True
    samples = [case((3, 4), (3, 4)), case((), ()), case((0, 2), (0, 2))]

    def shape_rule(self, *shapes: Shape) -> Shape:
        x, y = shapes
        if len(x) != len(y) or not all(map(same, x, y)):
            raise ShapeError(
                f"prediction {text(x)} and target {text(y)} differ in shape",
                hint="Reshape one of them: prediction[:, 0] drops a last axis of size 1."
                if x[-1:] == (1,) and len(x) == len(y) + 1
                else "Reshape one of them.",
            )
        return tuple(map(broadcast_dim, x, y))

    def expand(z, x, y):
        return ops.square(x - y)


class MeanSquaredError(Composite):
    """z = Σ (x − y)² / n over all n elements of two inputs of one shape; NaN if n = 0.

    ∂z/∂x = 2(x − y)/n = −∂z/∂y.
    """

    math = r"\overline{({x} - {y})^2}"
    floats = True
    samples = [case((3, 4), (3, 4)), case((), ()), case((12,), (12,), low=-95, high=95)]

    def shape_rule(self, *shapes: Shape) -> Shape:
        SquaredError.shape_rule(self, *shapes)  # pyright: ignore[reportArgumentType]
        return ()

    def expand(z, x, y):
        return narrowed(ops.mean(ops.square(widened(x) - widened(y))), x.dtype)

    def vjp(z, g, x, y):
        slope = widened(g) * (2 / max(size(x.shape), 1)) * (widened(x) - widened(y))
        return [lambda: narrowed(slope, x.dtype), lambda: narrowed(-slope, y.dtype)]


def _reduce(loss: Node, reduction: Reduction, name: str | None) -> Node:
    if reduction not in ("mean", "sum", "none"):
        raise ShapeError(
            f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}",
            hint=did_you_mean(reduction, ("mean", "sum", "none"), quoted=True),
        )
    if reduction == "none":
        return loss
    return (ops.mean if reduction == "mean" else ops.sum)(loss, name=name)


@register
def cross_entropy(
    logits: Any, labels: Any, *, reduction: Reduction = "mean", name: str | None = None
) -> Node:
    """The mean over all examples of −log softmax(logits)[label], in nats.

    logits: (..., classes). labels: integers (...), or probabilities (..., classes) as floats.
    reduction: 'mean', 'sum' or 'none'. An integer label outside 0 … classes − 1 raises ShapeError
    if it is known when the graph is built; if it is fed, the loss is NaN.
    """
    x, p = as_node(logits), as_node(labels)
    values = p._known()
    if values is not None and is_integer(values.dtype) and values.size and x.shape:
        low, high = int(values.min()), int(values.max())
        depth = x.shape[-1]
        if low < 0 or (depth is not None and high >= depth):
            raise ShapeError(
                f"cross_entropy: labels {low} … {high} for {depth} classes",
                hint=classes_hint(low, high, depth),
            )
    own = name if reduction == "none" else None
    return _reduce(CrossEntropy(x, p, name=own), reduction, name)


@register
def mse(
    prediction: Any, target: Any, *, reduction: Reduction = "mean", name: str | None = None
) -> Node:
    """The mean over all elements of (prediction − target)², of two arrays of one shape.

    reduction: 'mean', 'sum' or 'none'. Raises ShapeError if the shapes differ, because broadcasting
    a loss hides mistakes.
    """
    if reduction == "mean":
        return MeanSquaredError(prediction, target, name=name)
    own = name if reduction == "none" else None
    return _reduce(SquaredError(prediction, target, name=own), reduction, name)
