"""Of the rules of indexing, layouts, scans, statistics and signals, and the passes."""

from __future__ import annotations

from mutation.survivors.reasons import (
    ABSORBS,
    ALIKE_MISSING,
    ANY,
    ASKED,
    AXIS,
    CAST,
    EMPTY,
    FLAT,
    GUARDED,
    LEAF,
    LONGER,
    NEGATIVE,
    NOUGHT,
    ONE_NODE,
    OWN_DTYPE,
    PAIRED,
    PATTERN,
    PROMOTED,
    REAL,
    SAME,
    SYMMETRIC,
    TRUTH,
    TWO_NODES,
    UNREACHED,
    UNREAD,
    WIDENED,
    WRAPPED,
    ZEROS,
)

OPENED = "a graph opens itself likewise; only its nodes are then listed among consumers"
STANDS = "the node is one that stands for an input, whatever it would be computed from"

SURVIVORS: dict[str, dict[str, str]] = {
    "batching.Mapped._example": {
        "call: graph_scope(AnonymousGraph(), hidden=True) → AnonymousGraph()": OPENED,
        "sign: Placeholder(shape, dtype=dtype) → -Placeholder(shape, dtype=dtype)": STANDS,
        "factor: Placeholder(shape, dtype=dtype) → 2 * Placeholder(shape, dtype=dtype)": STANDS,
        "second order: Placeholder(shape, dtype=dtype) → "
        "__stop__(Placeholder(shape, dtype=dtype))": STANDS,
    },
    "batching.Mapped.vjp": {
        "call: graph_scope(AnonymousGraph(), hidden=True) → AnonymousGraph()": OPENED,
    },
    "cumulative.Cumprod.vjp": {
        "second order: y → __stop__(y)": UNREAD,
        "swapped: ops.scaled(rest[later], y[earlier]) → ops.scaled(y[earlier], "
        "rest[later])": ABSORBS,
    },
    "cumulative.LinearRecurrence.vjp": {
        "branch: a if a.shape == y.shape else ops.broadcast_to(a, y.shape) → "
        "ops.broadcast_to(a, y.shape)": SAME,
        "branch: ops.scaled_tangent if y.absorbing else ops.scaled → ops.scaled_tangent": ABSORBS,
        "branch: ops.scaled_tangent if y.absorbing else ops.scaled → ops.scaled": ABSORBS,
        "swapped: product(rest, previous(y, y.axis, y.reverse)) → "
        "product(previous(y, y.axis, y.reverse), rest)": ABSORBS,
    },
    "cumulative.previous": {
        "second order: x → __stop__(x)": UNREAD,
    },
    "cumulative.recurrence": {
        "comparison: not ieee_gradients() → ieee_gradients()": ABSORBS,
    },
    "cumulative.RunTotals.vjp": {
        "second order: keys → __stop__(keys)": UNREAD,
    },
    "cumulative.CumulativeExtreme.vjp": {
        "call: ops.cast(chosen, widened(x).dtype) → chosen": PROMOTED,
        "second order: y → __stop__(y)": FLAT,
        "call: widened(g) → g": WIDENED,
        "call: ops.maximum(total, 1) → total": GUARDED,
        "swapped: ops.maximum(total, 1) → ops.maximum(1, total)": SYMMETRIC,
        "call: narrowed(ops.where(chosen, rest, 0), x.dtype) → ops.where(chosen, rest, 0)": CAST,
        "call: widened(x) → x": WIDENED,
    },
    "gather.GatherND.vjp": {
        "second order: zeros → __stop__(zeros)": LEAF,
    },
    "gather._set": {
        "call: Constant(np.arange(math.prod(shape)).reshape(shape)) → "
        "np.arange(math.prod(shape)).reshape(shape)": WRAPPED,
        "call: Constant(np.int64(0)) → np.int64(0)": WRAPPED,
        "call: np.int64(0) → 0": WRAPPED,
        "second order: zeros → __stop__(zeros)": LEAF,
        "factor: 0 → 1": ANY,
    },
    "gather._multiplied": {
        "swapped: ops.scaled(_at(y, ops.scaled(g, x), indices), others) → "
        "ops.scaled(others, _at(y, ops.scaled(g, x), indices))": ABSORBS,
        "second order: x → __stop__(x)": UNREAD,
        "second order: v → __stop__(v)": UNREAD,
        "swapped: ops.scaled(g, x) → ops.scaled(x, g)": ABSORBS,
    },
    "gather._divided": {
        "swapped: ops.scaled(_at(y, ops.scaled(g, y), indices), ops.divide(1, v)) → "
        "ops.scaled(ops.divide(1, v), _at(y, ops.scaled(g, y), indices))": ABSORBS,
        "swapped: ops.scaled(g, y) → ops.scaled(y, g)": ABSORBS,
    },
    "gather._extreme": {
        "call: ops.cast(chosen, g.dtype) → chosen": PROMOTED,
        "call: ops.maximum(ties, 1) → ties": GUARDED,
        "swapped: ops.maximum(ties, 1) → ops.maximum(1, ties)": SYMMETRIC,
    },
    "gather._elements": {
        "call: Constant(np.arange(size(x.shape)).reshape(sizes(x.shape))) → "
        "np.arange(size(x.shape)).reshape(sizes(x.shape))": WRAPPED,
        "sign: ops.reshape(_at(y, positions, indices), (-1,)) → "
        "-ops.reshape(_at(y, positions, indices), (-1,))": PATTERN,
        "factor: ops.reshape(_at(y, positions, indices), (-1,)) → "
        "2 * ops.reshape(_at(y, positions, indices), (-1,))": PATTERN,
    },
    "duplicates._chained": {
        "call: Constant(np.array([count])) → np.array([count])": WRAPPED,
        "call: np.array([count]) → [count]": WRAPPED,
        "comparison: step < count - 1 → step <= count - 1": LONGER,
        "sign: count - 1 → count + 1": LONGER,
        "dropped: count - 1 → count": LONGER,
        "sign: product → -product": PAIRED,
        "call: v[:1] → v": LONGER,
        "off by one: :1 → :1 + 1": LONGER,
        "off by one: 1 → 2": LONGER,
        "axis: axis=0 → axis=-1": AXIS,
        "axis: axis=0 → axis=None": AXIS,
    },
    "overwrite.Overwrite.vjp": {
        "call: Constant.of(0, g.dtype) → 0": ZEROS,
        "second order: zeros → __stop__(zeros)": LEAF,
    },
    "sorting.Sort.vjp": {
        "second order: x → __stop__(x)": FLAT,
    },
    "sorting.Sort._order": {
        "second order: x → __stop__(x)": FLAT,
    },
    "sorting.Lexsort.vjp": {
        "sign: [None] * len(x) → -([None] * len(x))": ASKED,
        "factor: [None] * len(x) → 2 * ([None] * len(x))": ASKED,
        "dropped: [None] * len(x) → None": ASKED,
        "dropped: [None] * len(x) → [None]": ASKED,
        "dropped: [None] * len(x) → len(x)": ASKED,
    },
    "vector_norm.PowerNorm.vjp": {
        "swapped: ops.logical_and(wide != 0, length != 0) → "
        "ops.logical_and(length != 0, wide != 0)": SYMMETRIC,
        "branch: ops.where(length == 0, 1, length) → length": GUARDED,
        "call: narrowed(ops.scaled(widened(restored(g, y, x)), slope), x.dtype) "
        "→ ops.scaled(widened(restored(g, y, x)), slope)": CAST,
        "sign: ops.zeros_like(x) → -ops.zeros_like(x)": EMPTY,
        "factor: ops.zeros_like(x) → 2 * ops.zeros_like(x)": EMPTY,
        "dropped: ops.zeros_like(x) → None": EMPTY,
        "dtype: ops.zeros_like(x) → __narrow__(ops.zeros_like(x))": EMPTY,
        "dtype: ops.zeros_like(x) → __widen__(ops.zeros_like(x))": EMPTY,
        "branch: ops.where(inside, ratio, 1) → ratio": GUARDED,
        "swapped: ops.scaled(widened(restored(g, y, x)), slope) → "
        "ops.scaled(slope, widened(restored(g, y, x)))": ABSORBS,
        "factor: 1 → 2": ANY,
        "factor: 0 → 1": GUARDED,
        "call: widened(restored(g, y, x)) → restored(g, y, x)": WIDENED,
        "swapped: ops.logical_and(ops.isinf(wide), ops.isinf(length)) → "
        "ops.logical_and(ops.isinf(length), ops.isinf(wide))": SYMMETRIC,
        "call: ops.maximum(infinite_count(wide, y), 1) → infinite_count(wide, y)": GUARDED,
        "swapped: ops.maximum(infinite_count(wide, y), 1) → "
        "ops.maximum(1, infinite_count(wide, y))": SYMMETRIC,
        **{f"second order: {one} → __stop__({one})": FLAT for one in ("wide", "length", "number")},
    },
    "missing.Nanstd.vjp": {
        "call: widened(x) → x": WIDENED,
        "call: widened(restored(y, y, x)) → restored(y, y, x)": WIDENED,
        "call: ops.logical_or(ops.isnan(wide), deviation == 0) → ops.isnan(wide)": GUARDED,
        "swapped: ops.logical_or(ops.isnan(wide), deviation == 0) → "
        "ops.logical_or(deviation == 0, ops.isnan(wide))": SYMMETRIC,
        "call: narrowed(ops.scaled(widened(restored(g, y, x)), slope), x.dtype) "
        "→ ops.scaled(widened(restored(g, y, x)), slope)": CAST,
        "second order: wide → __stop__(wide)": FLAT,
        "branch: ops.where(deviation == 0, 1, deviation) → deviation": GUARDED,
        "swapped: ops.scaled(widened(restored(g, y, x)), slope) → "
        "ops.scaled(slope, widened(restored(g, y, x)))": ABSORBS,
        "factor: 1 → 2": ANY,
        "call: widened(restored(g, y, x)) → restored(g, y, x)": WIDENED,
        "factor: 0 → 1": GUARDED,
    },
    "missing._freedom": {
        "second order: ops.where(free > 0, free, math.nan) → "
        "__stop__(ops.where(free > 0, free, math.nan))": FLAT,
        "branch: ops.where(free > 0, free, math.nan) → free": ALIKE_MISSING,
        "comparison: free > 0 → free >= 0": ALIKE_MISSING,
        "second order: free → __stop__(free)": FLAT,
        "second order: x → __stop__(x)": FLAT,
    },
    "missing._count": {
        "call: real_of(x.dtype) → x.dtype": REAL,
        "second order: x → __stop__(x)": FLAT,
    },
    "convolve.Convolve1D.vjp": {
        "swapped: Convolve1D(g, ops.flip(y), mode='full') → "
        "Convolve1D(ops.flip(y), g, mode='full')": SYMMETRIC,
    },
    "logcumsumexp.Logcumsumexp.vjp": {
        "call: widened(g) → g": WIDENED,
        "call: narrowed(ops.scaled(rest, parts.term / parts.divisor), x.dtype) → "
        "ops.scaled(rest, parts.term / parts.divisor)": CAST,
        "swapped: ops.scaled(rest, parts.term / parts.divisor) → "
        "ops.scaled(parts.term / parts.divisor, rest)": ABSORBS,
    },
    "transforms.AlongAxis.options": {
        "factor: 0 → 1": ANY,
    },
    "transforms.fitted": {
        "comparison: size > length → size >= length": SAME,
    },
    "transforms.halves": {
        "factor: 1 → 2": NEGATIVE,
    },
    "reverse._accumulate_item": {
        "branch: g if parts[index] is None else ops.add(parts[index], g) → g": TWO_NODES,
        "call: ops.add(parts[index], g) → parts[index]": TWO_NODES,
    },
    "forward._pushed": {
        "branch: t if t.shape == node.shape else ops.broadcast_to(t, node.shape) → "
        "ops.broadcast_to(t, node.shape)": SAME,
        "branch: t if t.dtype == node.dtype else ops.like_input(t, node) → "
        "ops.like_input(t, node)": SAME,
        "branch: t if t.dtype == node.dtype else ops.like_input(t, node) → t": OWN_DTYPE,
        "comparison: t.dtype == node.dtype → t.dtype != node.dtype": OWN_DTYPE,
        "call: ops.like_input(t, node) → t": OWN_DTYPE,
        "swapped: ops.like_input(t, node) → ops.like_input(node, t)": OWN_DTYPE,
    },
    "forward._double_vjp": {
        "sign: is_inexact(y.dtype) → -is_inexact(y.dtype)": TRUTH,
        "factor: is_inexact(y.dtype) → 2 * is_inexact(y.dtype)": TRUTH,
        "call: is_inexact(y.dtype) → y.dtype": UNREACHED,
        "call: any(floats) → floats": UNREACHED,
        "sign: ops.zeros_like(y) → -ops.zeros_like(y)": NOUGHT,
        "factor: ops.zeros_like(y) → 2 * ops.zeros_like(y)": NOUGHT,
        "second order: node → __stop__(node)": UNREAD,
        "branch: ops.add(seeds[c], t) if c in seeds else t → t": ONE_NODE,
        "call: ops.add(seeds[c], t) → seeds[c]": ONE_NODE,
    },
}  # fmt: skip
