"""Cross-entropy of logits, with class weights, ignored labels and label smoothing."""

from __future__ import annotations

import math
from operator import index
from typing import Any

import numpy as np

from ...dtypes import int64, is_boolean, is_floating, is_integer
from ...errors import ArgumentError, DTypeError, ShapeError
from ...graph.batching.rules import as_it_is
from ...graph.describe.nonfinite import Reason
from ...graph.describe.notation import SUM, Piece, applied, operator, subscripted
from ...graph.describe.template import below, stated_options
from ...graph.kinds import Composite, Index
from ...graph.node import Node
from ...graph.promotion import align, as_node
from ...graph.registry import ops, register
from ...graph.samples import case
from ...messages.checks import within
from ...shapes import Shape, axis_in, broadcast_dim, same, size, text
from ..reduction.axes import narrowed, widened
from .reducing import Reduction, check_reduction, reduced


class OneHot(Index):
    """y[…, k] = 1 where k is the label, else 0, on a new last axis of size `depth`.

    A label outside 0 … depth − 1 gives a row of NaN, so that wrong data shows in the loss.
    """

    batched = as_it_is
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


def _options(**changed: Any) -> dict[str, Any]:
    plain: dict[str, Any] = dict(axis=-1, ignore_index=None, label_smoothing=0.0, reduction="mean")
    return plain | changed


class CrossEntropy(Composite):
    """y = −Σ p log softmax(x) over the last axis, or −log softmax(x)ₚ for an integer label p.

    ∂y/∂x = softmax(x)·Σp − p, which is softmax(x) − p for a distribution p. Logits x (…, classes)
    and p (…, classes), or labels p (…), give y (…).
    """

    math, onnx = r"-\sum_{-1} {p} \* \log\operatorname{softmax}({x})", "SoftmaxCrossEntropyLoss"
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


class WeightedCrossEntropy(Composite):
    """y = −Σₖ wₖ pₖ log softmax(x)ₖ over the classes k on `axis`, reduced over the examples.

    p is one-hot for integer labels, and 0 where a label is `ignore_index`; with smoothing ε over K
    classes, p becomes (1 − ε)·p + ε/K (Szegedy et al. 2016). The mean for integer labels is Σ y /
    Σ w_label over the examples that aren't ignored, and NaN if all are.
    """

    math, onnx = r"\operatorname{crossentropy}({x}, {p})", "SoftmaxCrossEntropyLoss"
    samples = [
        case((3, 4), np.array([0, -100, 1]), (4,), low=0.1, **_options(ignore_index=-100)),
        case((2, 4, 3), np.array([[0, 3, 1], [2, 2, 0]]), **_options(axis=1, label_smoothing=0.2)),
        case((3, 4), (3, 4), low=0.1, **_options(label_smoothing=0.1, reduction="none")),
        case((4, 3), (4, 3), (4,), low=0.1, **_options(axis=0, reduction="sum")),
    ]

    def align_inputs(self, inputs: tuple[Any, ...]) -> tuple[Node, ...]:
        x, p, *weights = inputs
        x, p = CrossEntropy.align_inputs(self, (x, p))  # pyright: ignore[reportArgumentType]
        if weights and x.dtype is not None:
            weights = [narrowed(as_node(weights[0]), x.dtype)]
        return (x, p, *map(as_node, weights))

    def shape_rule(self, *shapes: Shape) -> Shape:
        logits, labels, *weights = shapes
        a = self.attributes
        if not logits:
            raise ShapeError("logits are a scalar and have no classes")
        axis = axis_in(a["axis"], len(logits))
        moved = (*logits[:axis], *logits[axis + 1 :], logits[axis])
        if len(labels) == len(logits):
            labels = (*labels[:axis], *labels[axis + 1 :], labels[axis])
        shape = CrossEntropy.shape_rule(self, moved, labels)  # pyright: ignore[reportArgumentType]
        if weights and (len(weights[0]) != 1 or not same(weights[0][0], moved[-1])):
            raise ShapeError(
                f"class weights {text(weights[0])} for {moved[-1]} classes",
                hint="Give one weight for each class.",
            )
        return shape if a["reduction"] == "none" else ()

    def notation(y, *x):
        return applied(operator("crossentropy") + below(stated_options(y)), x)

    def expand(y, x, p, *weights):
        dtype, x = x.dtype, widened(ops.moveaxis(x, y.axis, -1))  # (…, classes)
        weights = list(map(widened, weights))
        classes, kept = x.shape[-1], None
        if is_floating(p.dtype):
            target = widened(ops.moveaxis(p, y.axis, -1))
        else:
            if y.ignore_index is not None:
                kept = p != y.ignore_index
                p = ops.where(kept, p, 0)
            target = OneHot(p, depth=classes, dtype=x.dtype)
        share = target if not weights else target * weights[0]
        if y.label_smoothing:
            target = (1 - y.label_smoothing) * target + y.label_smoothing / classes
            target = target if not weights else target * weights[0]
        else:
            target = share
        each = CrossEntropy(x, target)
        if kept is not None:  # a cotangent of 0 then keeps the slopes of ignored rows out
            each, share = ops.where(kept, each, 0), ops.where(kept[..., None], share, 0)
        if y.reduction == "none":
            return narrowed(each, dtype)
        total = ops.sum(each)
        if y.reduction == "mean":
            weighted = not is_floating(y.inputs[1].dtype)
            total = total / (ops.sum(share) if weighted else size(each.shape))
        return narrowed(total, dtype)


@register
def cross_entropy(
    logits: Any,
    labels: Any,
    *,
    weights: Any = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    axis: int = -1,
    reduction: Reduction = "mean",
    name: str | None = None,
) -> Node:
    """The mean over all examples of −log softmax(logits)[label], in nats.

    logits: (..., classes), or with the classes on `axis`. labels: integers (...), or probabilities
    (..., classes) as floats. weights: one for each class; the mean for integer labels is divided by
    the sum of the labels' weights. ignore_index: a label whose examples count neither in the sum
    nor in the mean. label_smoothing ε: p becomes (1 − ε)·p + ε/classes. reduction: 'mean', 'sum' or
    'none'. An integer label outside 0 … classes − 1 raises ShapeError if it is known when the graph
    is built; if it is fed, the loss is NaN.
    """
    check_reduction(reduction)
    x, p = as_node(logits), as_node(labels)
    smoothing = label_smoothing
    if type(smoothing) is not float or smoothing:
        smoothing = float(within("cross_entropy: label_smoothing", smoothing, "[0, 1]", like=0.1))
    if ignore_index is not None:
        ignore_index = index(ignore_index)
        if is_floating(p.dtype):
            raise ArgumentError(
                "cross_entropy: ignore_index is for integer labels; these are probabilities.",
                hint="A row of zeros has loss 0: pg.where(ignored[:, None], 0, labels).",
            )
    _check_classes(x, p, axis, ignore_index)
    if weights is None and ignore_index is None and not smoothing and axis == -1:
        return reduced(CrossEntropy, (x, p), reduction, name)
    given = () if weights is None else (weights,)
    return WeightedCrossEntropy(
        x, p, *given, axis=index(axis), ignore_index=ignore_index, label_smoothing=smoothing,
        reduction=reduction, name=name,
    )  # fmt: skip


def _check_classes(x: Node, p: Node, axis: int, ignored: int | None) -> None:
    """Raise ShapeError for known integer labels that are no classes."""
    values = p._known()
    if values is None or not is_integer(values.dtype) or not x.shape:
        return
    values = values if ignored is None else values[values != ignored]
    if values.size:
        if axis == -1 and values.dtype == int64 and x.shape[-1] is not None:
            # One reduction for the usual case: as unsigned integers, negative labels are large.
            if values.view(np.uint64).max() < x.shape[-1]:
                return
        low, high = int(values.min()), int(values.max())
        depth = x.shape[axis_in(axis, len(x.shape))]
        if low < 0 or (depth is not None and high >= depth):
            raise ShapeError(
                f"cross_entropy: labels {low} … {high} for {depth} classes",
                hint=classes_hint(low, high, depth),
            )
