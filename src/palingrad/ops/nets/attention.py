"""Scaled dot-product attention, and bags of embeddings."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...dtypes import DType, is_boolean, is_integer
from ...errors import ArgumentError, ShapeError
from ...graph.describe.notation import ATOM, PRODUCT, Piece, applied, attribute_text, operator
from ...graph.describe.template import below, stated_options
from ...graph.kinds import Composite
from ...graph.node import Node
from ...graph.promotion import align, as_node
from ...graph.registry import ops, register
from ...graph.samples import case, kink
from ...messages.checks import flag, number_of, one_of, shown
from ...shapes import Shape, axis_in, broadcast, same, text
from ..reduction.axes import narrowed, widened
from ..reduction.softmax import Normalised, Softmax

_ALLOWED = np.array([[True, False, True], [False, False, False]])


class VisibleSoftmax(Normalised):
    """yᵢ = eˣⁱ / Σⱼ eˣʲ along `axis`, and 0 where all x are −∞. ∂L/∂x = y·(g − Σ g·y).

    Elements are 0 if they are subnormal before the division.
    """

    math = r"\operatorname{softmax}({x})"
    samples = [
        case((3, 4), axis=-1),
        case(np.array([[-np.inf, 1.0], [-np.inf, -np.inf]]), axis=-1),
        kink([-np.inf, -np.inf], slopes=[[0.0, 0.0]], axis=0),
    ]

    def expand(y, x: Any):
        if not x.shape[axis_in(y.axis, x.ndim)]:
            return ops.softmax(x, axis=y.axis)
        wide = widened(x)
        top = ops.stop_gradient(ops.max(wide, axis=y.axis, keepdims=True))
        lowered = wide - ops.where(top == -math.inf, 0, top)
        least = float(np.log(np.finfo(wide.dtype).tiny))  # eˣ is subnormal below, and slow
        weights = ops.where(lowered < least, 0, ops.exp(ops.maximum(lowered, least)))
        total = ops.sum(weights, axis=y.axis, keepdims=True)
        return narrowed(weights / ops.where(total == 0, 1, total), x.dtype)

    def vjp(y, g, x):
        return Softmax.vjp(y, g, x)  # pyright: ignore[reportArgumentType]


class Attention(Composite):
    """y = softmax(s·q·kᵀ + mask)·v, with the scale s, by default 1/√depth.

    q (…, t, depth), k (…, u, depth) and v (…, u, features) give y (…, t, features). A boolean mask,
    which broadcasts to (…, t, u), is True where a query sees a key; numbers are added. `causal`:
    query i sees the keys up to i. A query that sees no key gives 0, with slope 0.

    Vaswani et al. 2017.
    """

    complexes = False
    math = r"\operatorname{softmax}\left({s}\,{q}\,{k}^T\right)\,{v}"
    samples = [
        case((2, 3, 2), (2, 4, 2), (2, 4, 3), causal=False, scale=None),
        case((3, 2), (3, 2), (3, 1), causal=True, scale=0.5),
        case((2, 2), (3, 2), (3, 2), _ALLOWED, causal=False, scale=None),
        case((2, 2), (3, 2), (3, 2), (2, 3), causal=True, scale=None),
    ]

    def align_inputs(self, inputs: tuple[Any, ...]) -> tuple[Node, ...]:
        q, k, v = align(inputs[:3], promotes=True, floats=True, complexes=False)
        masks = [as_node(mask) for mask in inputs[3:]]
        if masks and q.dtype is not None and masks[0].dtype is not None:
            masks = [mask if is_boolean(mask.dtype) else narrowed(mask, q.dtype) for mask in masks]
        return (q, k, v, *masks)

    def shape_rule(self, *shapes: Shape) -> Shape:
        q, k, v, *masks = shapes
        if min(map(len, (q, k, v))) < 2 or not same(q[-1], k[-1]) or not same(k[-2], v[-2]):
            raise ShapeError(
                f"queries {text(q)}, keys {text(k)} and values {text(v)} don't fit",
                hint="They are (…, t, depth), (…, u, depth) and (…, u, features).",
            )
        lead = broadcast(q[:-2], k[:-2], v[:-2])
        for mask in masks:
            whole = (*lead, q[-2], k[-2])
            try:
                fits = broadcast(whole, mask)
            except ShapeError:
                fits = ()
            if len(fits) != len(whole) or not all(map(same, fits, whole)):
                raise ShapeError(f"a mask of {text(mask)} doesn't broadcast to {text(whole)}")
        return (*lead, q[-2], v[-1])

    def dtype_rule(self, *dtypes: DType) -> DType:
        return dtypes[0]

    def notation(y, q, k, v, *masks):
        scale = rf"\sqrt{{{y.inputs[0].shape[-1]}}}" if y.inputs[0].shape else r"\sqrt{d}"
        scores = rf"{q.within(PRODUCT)}\,{k.within(ATOM)}^T"
        if y.scale is None:
            scores = rf"\frac{{{scores}}}{{{scale}}}"
        elif y.scale != 1:
            scores = rf"{attribute_text(y.scale)}\,{scores}"
        for mask, node in zip(masks, y.inputs[3:], strict=True):
            if is_boolean(node.dtype):
                scores = rf"\left({scores} \mid {mask.latex}\right)"
            else:
                scores = f"{scores} + {mask.within(PRODUCT)}"
        rows = r"_{j \le i}" if y.causal else ""
        return Piece(rf"\operatorname{{softmax}}{rows}\left({scores}\right)\,{v.within(PRODUCT)}",
                     PRODUCT)  # fmt: skip

    def expand(y, q, k, v, *masks):
        dtype = q.dtype
        q, k, v = widened(q), widened(k), widened(v)
        scale = 1 / math.sqrt(max(q.shape[-1], 1)) if y.scale is None else y.scale
        scores = ops.matmul(q * scale, k.mT)  # (…, t, u)
        for mask in masks:
            scores = (
                ops.where(mask, scores, -math.inf)
                if is_boolean(mask.dtype)
                else scores + widened(mask)
            )
        if y.causal:
            seen = np.tri(*scores.shape[-2:], dtype=bool)
            scores = ops.where(seen, scores, -math.inf)
        hidden = bool(masks) or y.causal
        weights = VisibleSoftmax(scores, axis=-1) if hidden else ops.softmax(scores)
        return narrowed(ops.matmul(weights, v), dtype)


class EmbeddingBag(Composite):
    """y = the mean, sum or maximum of the rows of a table at the integers of each bag.

    Integers (bags, length) give y (bags, size). With `offsets`, bag i has the integers of a vector
    from offset i up to the next; an empty bag gives 0. Weights, one for each integer, multiply the
    rows of a sum.
    """

    math = r"\operatorname{bag}\left({x}, {i}\right)"
    promotes = False
    samples = [
        case((4, 2), np.array([[0, 3, 3], [1, 0, 2]]), mode="mean", offsets=None),
        case((4, 2), np.array([0, 3, 3, 1]), (4,), mode="sum", offsets=(0, 1, 1)),
        case((4, 2), np.array([0, 3, 2, 1]), mode="max", offsets=(0, 3, 3)),
    ]

    def notation(y, *x):
        return applied(operator("bag") + below(stated_options(y)), x)

    def shape_rule(self, *shapes: Shape) -> Shape:
        table, indices, *weights = shapes
        offsets = self.attributes["offsets"]
        if len(table) != 2 or len(indices) != (2 if offsets is None else 1):
            raise ShapeError(
                f"table {text(table)} and integers {text(indices)} don't fit",
                hint="They are (rows, size) and (bags, length), or (length,) with offsets.",
            )
        if table[0] == 0 and 0 not in indices:
            raise ShapeError("the table has no rows")
        for given in weights:
            if len(given) != len(indices) or not all(map(same, given, indices)):
                raise ShapeError(f"weights {text(given)} for integers {text(indices)}",
                                 hint="Give one weight for each integer.")  # fmt: skip
        if offsets is not None and indices[0] is not None and offsets[-1:] > (indices[0],):
            raise ShapeError(f"offset {offsets[-1]} for {indices[0]} integers")
        return (indices[0] if offsets is None else len(offsets), table[1])

    def dtype_rule(self, *dtypes: DType) -> DType:
        return dtypes[0]

    def expand(y, table, indices, *weights):
        if y.offsets is None:
            lengths, filled = indices.shape[1], True
        else:  # positions of the integers of each bag, padded to the longest bag
            ends = np.asarray((*y.offsets[1:], indices.shape[0]))
            starts = np.asarray(y.offsets)
            lengths = (ends - starts)[:, None]
            steps = np.arange(max(int(lengths.max(initial=0)), 1))
            filled = steps < lengths  # (bags, longest)
            places = np.where(filled, starts[:, None] + steps, 0)
            if not indices.shape[0]:
                nothing = ops.sum(table[:0], axis=0)  # (size,) zeros
                return ops.broadcast_to(nothing, (len(y.offsets), table.shape[1]))
            indices = ops.take(indices, places, axis=0)
            weights = [ops.take(given, places, axis=0) for given in weights]
            filled = filled[..., None]
        rows = widened(ops.take(table, indices, axis=0))  # (bags, length, size)
        for given in weights:
            rows = rows * ops.expand_dims(ops.cast(given, rows.dtype), axis=-1)
        if y.mode == "max":
            empty = np.asarray(lengths == 0)
            if filled is not True:
                rows = ops.where(filled | empty[..., None], rows, -math.inf)
            most = ops.max(rows, axis=1)
            return narrowed(ops.where(empty, 0, most) if empty.any() else most, table.dtype)
        total = ops.sum(rows if filled is True else ops.where(filled, rows, 0), axis=1)
        if y.mode == "mean":
            total = total / np.maximum(lengths, 1).astype(total.dtype)
        return narrowed(total, table.dtype)


@register
def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    /,
    *,
    mask: Any = None,
    causal: bool = False,
    scale: float | None = None,
    name: str | None = None,
) -> Node:
    """y = softmax(scale·query·keyᵀ + mask)·value, over the keys (Vaswani et al. 2017).

    query (…, t, depth), key (…, u, depth), value (…, u, features): y (…, t, features). Leading
    axes, such as (batch, heads), broadcast. mask: booleans, True where a query sees a key, or
    numbers that are added; it broadcasts to (…, t, u). causal: query i sees the keys 0 … i. scale:
    by default 1/√depth. A query that sees no key gives 0.
    """
    if scale is not None and number_of(scale) is None:
        raise ArgumentError(f"scaled_dot_product_attention: scale is {shown(scale)}; expected a "
                            "number.", hint="Multiply the queries: query * scale.")  # fmt: skip
    masks = () if mask is None else (mask,)
    causal = flag("scaled_dot_product_attention: causal", causal)
    factor = None if scale is None else float(scale)
    return Attention(query, key, value, *masks, causal=causal, scale=factor, name=name)


@register
def embedding_bag(
    indices: Any,
    table: Any,
    offsets: Any = None,
    /,
    *,
    mode: str = "mean",
    weights: Any = None,
    name: str | None = None,
) -> Node:
    """y = the mean, sum or maximum of the rows of `table` at the integers of each bag.

    table (rows, size); indices (bags, length), or (length,) with `offsets`, which say where each
    bag starts and must be known when the graph is built: y (bags, size). An empty bag gives 0.
    mode: 'mean', 'sum' or 'max'. weights: one for each index, for 'sum' only.
    """
    one_of("embedding_bag: mode", mode, ("mean", "sum", "max"))
    if weights is not None and mode != "sum":
        raise ArgumentError(f"embedding_bag: weights are for mode='sum', not {mode!r}.",
                            hint="Write mode='sum'.")  # fmt: skip
    starts = None
    if offsets is not None:
        values = as_node(offsets)._known()
        if values is None:
            raise ShapeError("embedding_bag: the offsets aren't known yet",
                             hint="Pass them as an array, or indices (bags, length).")  # fmt: skip
        steps = np.diff(values) if values.ndim == 1 else None
        if steps is None or not is_integer(values.dtype) or (steps < 0).any() or values[:1] != [0]:
            raise ArgumentError(f"embedding_bag: offsets are {shown(values.tolist())}; expected "
                                "integers from 0 that don't decrease.",
                                hint="Write offsets=[0, 3, 5].")  # fmt: skip
        starts = tuple(values.tolist())
    given = () if weights is None else (weights,)
    return EmbeddingBag(table, indices, *given, mode=mode, offsets=starts, name=name)
