"""Of the rules of arithmetic, reductions, products, losses and windows, and the passes."""

from __future__ import annotations

from mutation.survivors.reasons import (
    ABSORBS,
    ALIKE,
    ANY,
    ASKED,
    AXIS,
    BOOLEAN,
    CAST,
    CHECKED,
    EMPTY,
    FAR,
    FAR_DOWN,
    FLAT,
    GUARDED,
    IEEE,
    REAL,
    REGIONS,
    SAME,
    SHIFT,
    SUMMED,
    SYMMETRIC,
    TIES,
    TRUTH,
    WIDENED,
)

_SHARE = "ops.where(x == y, 0.5, ops.cast(wins, x.dtype))"
_LEAKY = "ops.where(x > 0, ops.ones_like(x), y.slope)"
_GRADIENT = "ops.scaled(widened(restored(g, y, x)), slope)"
_OTHERS = "_product_of_others(x, axes_in(y.axis, x.ndim))"
_STANDARD = "ops.scaled(rest, 1 / _deviation(y, widened(x)))"
_VARIANCE = "ops.var(x, axis=y.axis, keepdims=True)"
_PARTS = "1 / _deviation(y, widened(x))"
_PRODUCT = "ops.multiply if _ieee[0] else ops.absorbing_product"
_TANGENT = "ops.multiply if _ieee[0] else ops.doubly_absorbing_product"
_SWAPPED = "swapped: _within(40, x) → _within(x, 40)"
_FLOATS = "is_inexact(y.dtype) and is_inexact(x.dtype)"
_TOP = "ops.stop_gradient(ops.max(x, axis=axis, keepdims=True))"

SURVIVORS: dict[str, dict[str, str]] = {
    "absorbing.AbsorbingProduct.vjp": {"swapped: scaled(g, y) → scaled(y, g)": ABSORBS},
    "activation._within": {
        "comparison: x > bound → x >= bound": FAR,
        "comparison: x < -bound → x <= -bound": FAR,
    },
    "activation.Gelu.d": {"factor: 40 → 41": FAR},
    "activation.GeluTanh.d": {"factor: 40 → 41": FAR},
    "activation.Silu.d": {"factor: 1000 → 1001": FAR},
    "activation.Erf.d": {"factor: 40 → 41": FAR, _SWAPPED: FAR_DOWN},
    "activation.Erfc.d": {"factor: 40 → 41": FAR, _SWAPPED: FAR_DOWN},
    "activation.LeakyRelu.d": {f"second order: {_LEAKY} → __stop__({_LEAKY})": FLAT},
    "arithmetic._base_slope": {"factor: 1 → 2": ANY},
    "exponential.Logaddexp.d": {"second order: x → __stop__(x)": FLAT},  # in isinf(x)
    "reverse.pulled_back": {
        "call: node.vjp(g, *node.inputs, needed=needed) → g": REGIONS,
    },
    "reduce.Prod.vjp": {
        f"swapped: ops.scaled(restored(g, y, x), {_OTHERS}) → "
        f"ops.scaled({_OTHERS}, restored(g, y, x))": ABSORBS,
    },
    "reduce._before": {
        "comparison: step < x.shape[-1] → step <= x.shape[-1]": "equivalent: a last step of the "
        "whole length multiplies by 1",
        "sign: product → -product": "equivalent: two such products are multiplied",
    },
    "reduce.Extreme.vjp": {"call: ops.cast(chosen, x.dtype) → chosen": "equivalent: a float "
                           "divided by the integer sum keeps its dtype"},
    "softmax.Softmax.vjp": {
        "call: widened(g) → g": WIDENED,
        "call: widened(y) → y": WIDENED,
        "call: narrowed(ops.scaled(g - total, wide), x.dtype) → ops.scaled(g - total, wide)": CAST,
        "swapped: ops.scaled(g - total, wide) → ops.scaled(wide, g - total)": ABSORBS,
        "swapped: ops.scaled(g, wide) → ops.scaled(wide, g)": ABSORBS,
    },
    "softmax.LogSoftmax.vjp": {
        "call: narrowed(g - ops.scaled(total, ops.exp(widened(y))), x.dtype) → "
        "g - ops.scaled(total, ops.exp(widened(y)))": CAST,
        "swapped: ops.scaled(total, ops.exp(widened(y))) → ops.scaled(ops.exp(widened(y)), total)":
        ABSORBS,
    },
    "axes.widened": {
        "branch: x if x.dtype is None else narrowed(x, accumulates_in(x.dtype)) → "
        "narrowed(x, accumulates_in(x.dtype))": "dtypes that aren't known occur in templates only, "
        "whose results `engines_agree` compares",
    },
    "axes.narrowed": {
        "branch: x if x.dtype == dtype else ops.cast(x, dtype) → ops.cast(x, dtype)": SAME,
    },
    "discrete.Step.d": {"dropped: [0] * len(x) → [0]": ASKED},
    "complexes.Abs.vjp": {"call: is_complex(x[0].dtype) → x[0].dtype": REAL},
    "complexes.Sign.vjp": {"call: is_complex(x[0].dtype) → x[0].dtype": REAL},
    "trigonometric.Asinh.d": {
        "call: is_complex(x.dtype) → x.dtype":
        "differs where x² overflows: no sample reaches it",
    },
    "discrete.Cast.vjp": {
        "branch: ops.like_input(g, x[0]) if _floats(y, x[0]) else None → "
        "ops.like_input(g, x[0])": ASKED,
        "call: ops.like_input(g, x[0]) → g": CAST,
    },
    "discrete.Cast.jvp": {"call: cast(tangents[0], y.dtype) → tangents[0]": CAST},
    "discrete._floats": {
        f"sign: {_FLOATS} → -({_FLOATS})": TRUTH,
        f"factor: {_FLOATS} → 2 * ({_FLOATS})": TRUTH,
        "call: is_inexact(x.dtype) → x.dtype": ASKED,
    },
    "move.BroadcastTo.vjp": {"sum: ops.sum_to(g, x.shape) → g": SUMMED},
    "reduce.sum_to": {
        "branch: total if total.shape == shape else ops.reshape(total, shape) → "
        "ops.reshape(total, shape)": SAME,
    },
    "selection.Maximum.d": {
        "second order: _share(x > y, x, y) → __stop__(_share(x > y, x, y))": FLAT,
        "second order: _share(y > x, x, y) → __stop__(_share(y > x, x, y))": FLAT,
        "comparison: x > y → x >= y": TIES,
        "comparison: y > x → y >= x": TIES,
    },
    "selection.Minimum.d": {
        "second order: _share(x < y, x, y) → __stop__(_share(x < y, x, y))": FLAT,
        "second order: _share(y < x, x, y) → __stop__(_share(y < x, x, y))": FLAT,
        "comparison: x < y → x <= y": TIES,
        "comparison: y < x → y <= x": TIES,
    },
    "selection._share": {f"second order: {_SHARE} → __stop__({_SHARE})": FLAT},
    "contract.Matmul.vjp": {
        "call: _vector(row @ y.mT, x, -2) → row @ y.mT": SUMMED,
        "sign: -1 → 1": AXIS,
        "swapped: ops.scaled(g, x) → ops.scaled(x, g)": ABSORBS,
        "swapped: ops.scaled(g, y) → ops.scaled(y, g)": ABSORBS,
    },
    "contract._vector": {
        "sum: ops.sum_to(ops.squeeze(g, axis=axis), x.shape) → ops.squeeze(g, axis=axis)": SUMMED,
    },
    "join.Concat.vjp": {"factor: 0 → 1": "equivalent: the number of axes is known"},
    "cross_entropy.CrossEntropy.vjp": {
        f"swapped: ops.scaled(g, {one}) → ops.scaled({one}, g)": ABSORBS
        for one in ("ops.softmax(x) * total - p", "ops.softmax(x) - hot")
    }
    | {"swapped: ops.scaled(-g, ops.log_softmax(x)) → ops.scaled(ops.log_softmax(x), -g)": ABSORBS},
    "kinds.Elementwise.vjp": {
        **{
            f"{one}": BOOLEAN
            for one in (
                "sign: [None] * len(x) → -([None] * len(x))",
                "factor: [None] * len(x) → 2 * ([None] * len(x))",
                "dropped: [None] * len(x) → None",
                "dropped: [None] * len(x) → [None]",
                "dropped: [None] * len(x) → len(x)",
            )
        },
        "swapped: scaled(g, y._checked_slope(slope())) → "
        "scaled(y._checked_slope(slope()), g)": ABSORBS,
        "call: y._checked_slope(slope) → slope": CHECKED,
        "call: y._checked_slope(slope()) → slope()": CHECKED,
    },
    "kinds.Elementwise.jvp": {"call: y._checked_slope(slope) → slope": CHECKED},
    "cotangents.scaled": {
        f"branch: {_PRODUCT} → ops.absorbing_product": IEEE,
        f"branch: {_PRODUCT} → ops.multiply": ABSORBS,
    },
    "cotangents.scaled_tangent": {
        f"branch: {_TANGENT} → ops.doubly_absorbing_product": IEEE,
        f"branch: {_TANGENT} → ops.multiply": ABSORBS,
        "swapped: _product(t, slope, product) → _product(slope, t, product)": "equivalent: the "
        "product is symmetric, and the slopes of these operations are nodes",
    },
    "squares.MeanSquaredError.vjp": {
        "call: widened(g) → g": WIDENED,
        "call: widened(x) → x": WIDENED,
        "call: widened(y) → y": WIDENED,
        "call: narrowed(slope, x.dtype) → slope": CAST,
        "call: narrowed(-slope, y.dtype) → -slope": CAST,
    },
    "norms.Standardize.vjp": {
        "call: widened(g) → g": WIDENED,
        "call: widened(y) → y": WIDENED,
        "call: widened(x) → x": "equivalent but for one rounding: the variance widens by itself",
        f"call: narrowed({_STANDARD}, x.dtype) → {_STANDARD}": CAST,
        "swapped: ops.scaled(g, wide) → ops.scaled(wide, g)": ABSORBS,
        "swapped: ops.scaled(share, wide) → ops.scaled(wide, share)": ABSORBS,
        f"swapped: ops.scaled(rest, {_PARTS}) → ops.scaled({_PARTS}, rest)": ABSORBS,
    },
    "norms._deviation": {
        f"sign: ops.sqrt({_VARIANCE} + y.epsilon) → -ops.sqrt({_VARIANCE} + y.epsilon)": ALIKE,
        f"sign: {_VARIANCE} + y.epsilon → {_VARIANCE} - y.epsilon": ALIKE,
        f"dropped: {_VARIANCE} + y.epsilon → {_VARIANCE}": ALIKE,
    },
    "pooling.MaxPool.vjp": {"second order: x → __stop__(x)": FLAT},
    "pooling.MaxPoolPlace.vjp": {"second order: x → __stop__(x)": FLAT},
    "pooling.MaxPoolSelect.vjp": {"second order: x → __stop__(x)": FLAT},
    "statistics.Std.vjp": {
        "call: widened(x) → x": WIDENED,
        "call: widened(restored(y, y, x)) → restored(y, y, x)": WIDENED,
        "call: widened(restored(g, y, x)) → restored(g, y, x)": WIDENED,
        f"call: narrowed({_GRADIENT}, x.dtype) → {_GRADIENT}": CAST,
        f"swapped: {_GRADIENT} → ops.scaled(slope, widened(restored(g, y, x)))": ABSORBS,
        "factor: 1 → 2": ANY,
        "branch: ops.where(deviation == 0, 1, deviation) → deviation": GUARDED,
        "factor: 0 → 1": GUARDED,
        "call: max(count(x, y.axis) - y.correction, 0) → count(x, y.axis) - y.correction":
        "equivalent: where the difference is negative, y is NaN",
    },
    "statistics.VectorNorm.vjp": {
        "call: widened(restored(y, y, x)) → restored(y, y, x)": WIDENED,
        "call: widened(x) → x": WIDENED,
        "call: widened(restored(g, y, x)) → restored(g, y, x)": WIDENED,
        f"call: narrowed({_GRADIENT}, x.dtype) → {_GRADIENT}": CAST,
        f"swapped: {_GRADIENT} → ops.scaled(slope, widened(restored(g, y, x)))": ABSORBS,
        "factor: 1 → 2": ANY,
        **{f"second order: {one} → __stop__({one})": FLAT for one in ("ends", "length", "wide")},
    },
    "statistics.infinite_count": {
        "call: real_of(x.dtype) → x.dtype": REAL,
        "second order: x → __stop__(x)": FLAT,
    },
    "statistics.Logsumexp.vjp": {
        "call: ops.stop_gradient(ops.max(wide, axis=y.axis, keepdims=True)) → "
        "ops.max(wide, axis=y.axis, keepdims=True)": SHIFT,
        "factor: 0 → 1": SHIFT,
        "call: widened(restored(g, y, x)) → restored(g, y, x)": WIDENED,
        f"call: narrowed({_GRADIENT}, x.dtype) → {_GRADIENT}": CAST,
        f"swapped: {_GRADIENT} → ops.scaled(slope, widened(restored(g, y, x)))": ABSORBS,
        "sign: ops.zeros_like(x) → -ops.zeros_like(x)": EMPTY,
        "factor: ops.zeros_like(x) → 2 * ops.zeros_like(x)": EMPTY,
        "dropped: ops.zeros_like(x) → None": EMPTY,
        "factor: 1 → 2": ANY,
    },
    "statistics._exponentials": {
        f"call: {_TOP} → ops.max(x, axis=axis, keepdims=True)": SHIFT,
        "factor: 0 → 1": SHIFT,
        "second order: top → __stop__(top)": SHIFT,
    },
    "trigonometric.Hypot.d": {
        "swapped: ops.logical_and(ops.isinf(x), ops.isinf(y)) → "
        "ops.logical_and(ops.isinf(y), ops.isinf(x))": SYMMETRIC,
        "factor: 1 → 2": ANY,
        **{f"second order: {one} → __stop__({one})": FLAT for one in (
            "ops.where(both, math.sqrt(0.5) * ops.sign(one), ops.sign(one))",
            *("x", "y", "end", "one"),
        )},
    },
}  # fmt: skip
