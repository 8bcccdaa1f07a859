"""Of the rules of linear algebra."""

from __future__ import annotations

from mutation.survivors.reasons import (
    ABSORBS,
    DIAGONAL,
    REAL,
    SQUARE,
    THRESHOLD,
    UNSCALED,
)

SURVIVORS: dict[str, dict[str, str]] = {
    "parts.lower": {
        "swapped: np.tri(rows, columns, offset, dtype=bool) → np.tri(columns, "
        "rows, offset, dtype=bool)": SQUARE,
    },
    "parts.upper": {
        "swapped: np.tri(rows, columns, offset - 1, dtype=bool) → "
        "np.tri(columns, rows, offset - 1, dtype=bool)": SQUARE,
    },
    "determinant.Det.vjp": {
        "swapped: ops.scaled(per_matrix(g), Cofactor(x)) → "
        "ops.scaled(Cofactor(x), per_matrix(g))": ABSORBS,
    },
    "determinant.Slogdet.vjp": {
        "call: is_complex(x.dtype) → x.dtype": REAL,
    },
    "quotient.GapQuotient.vjp": {
        "second order: scale → __stop__(scale)": UNSCALED,
    },
    "quotient.largest": {
        "sign: ops.expand_dims(ops.max(ops.abs(w), axis=-1, keepdims=True), "
        "axis=-1) → -ops.expand_dims(ops.max(ops.abs(w), axis=-1, "
        "keepdims=True), axis=-1)": THRESHOLD,
        "factor: ops.expand_dims(ops.max(ops.abs(w), axis=-1, keepdims=True), "
        "axis=-1) → 2 * ops.expand_dims(ops.max(ops.abs(w), axis=-1, "
        "keepdims=True), axis=-1)": THRESHOLD,
        "second order: ops.expand_dims(ops.max(ops.abs(w), axis=-1, "
        "keepdims=True), axis=-1) → __stop__(ops.expand_dims(ops.max(ops.abs(w), "
        "axis=-1, keepdims=True), axis=-1))": THRESHOLD,
        "call: ops.expand_dims(ops.max(ops.abs(w), axis=-1, keepdims=True), "
        "axis=-1) → ops.max(ops.abs(w), axis=-1, keepdims=True)": THRESHOLD,
        "axis: axis=-1 → axis=0": THRESHOLD,
        "call: ops.abs(w) → w": THRESHOLD,
        "axis: axis=-1 → axis=None": THRESHOLD,
        "axis: keepdims=True → keepdims=False": THRESHOLD,
        "sign: -1 → 1": THRESHOLD,
        "second order: w → __stop__(w)": THRESHOLD,
        "factor: 1 → 2": THRESHOLD,
    },
    "quotient.differences": {
        "sign: ops.stop_gradient(scale) + 1 → ops.stop_gradient(scale) - 1": DIAGONAL,
        "dropped: ops.stop_gradient(scale) + 1 → ops.stop_gradient(scale)": DIAGONAL,
        "dropped: ops.stop_gradient(scale) + 1 → 1": DIAGONAL,
        "call: ops.stop_gradient(scale) → scale": DIAGONAL,
        "factor: 1 → 2": DIAGONAL,
    },
    "spectral.onto": {
        "sign: -1 → 1": SQUARE,
        "factor: 1 → 2": SQUARE,
    },
}  # fmt: skip
