"""Of the rules of linear algebra."""

from __future__ import annotations

from mutation.survivors.reasons import (
    ABSORBS,
    BETWEEN,
    CAST,
    CUTOFF,
    DIAGONAL,
    EMPTY,
    FLAT,
    HERMITIAN,
    INFINITE,
    LENGTHS,
    NONZERO,
    NOUGHT,
    ON_DIAGONAL,
    OUTSIDE,
    PHASE,
    REAL,
    ROUNDED,
    SAME,
    SQUARE,
    SYMMETRIC,
    THRESHOLD,
    UNMOVED,
    UNREAD,
    UNSCALED,
)

_NARROW = "1000.0 if eps < 1e-05 else 8"
_SHARE = f"1000000.0 if eps < 1e-10 else {_NARROW}"
_CUTOFF = f"eps * ({_SHARE})"
_LENGTHS = "adjoint(v) @ v * row(ops.real(lengths))"
_PHASE = "WithoutPhase(ops.stop_gradient(ops.imag(p)), ops.stop_gradient(size))"
_OUTER = "ops.expand_dims(size, axis=-2)"
_INNER = "ops.expand_dims(size, axis=-1)"
_PAIRS = f"without_diagonal({_OUTER} + {_INNER})"
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
    "lu.LU.vjp": {
        "sign: ops.zeros_like(x) → -ops.zeros_like(x)": EMPTY,
        "factor: ops.zeros_like(x) → 2 * ops.zeros_like(x)": EMPTY,
        "dropped: ops.zeros_like(x) → None": EMPTY,
        "dtype: ops.zeros_like(x) → __narrow__(ops.zeros_like(x))": CAST,
        "dtype: ops.zeros_like(x) → __widen__(ops.zeros_like(x))": CAST,
        "second order: p → __stop__(p)": FLAT,
    },
    "lu.factors_to_matrix": {
        "branch: g if rows == columns else g[..., :k, :k] → g[..., :k, :k]": SAME,
        "comparison: columns > rows → columns >= rows": SAME,
        "branch: ops.concat([whole, *parts], axis=-2 if rows > columns else -1) if parts else "
        "whole → ops.concat([whole, *parts], axis=-2 if rows > columns else -1)": SAME,
        "branch: f[..., :k, :k] if parts else f → f[..., :k, :k]": SAME,
        "comparison: rows > columns → rows >= columns": SAME,
    },
    "lu._together": {
        "comparison: columns > k → columns >= k": SAME,
    },
    "lu.LuFactor.vjp": {
        "comparison: not rows or not columns → not rows and (not columns)": SAME,
        "sign: g[0] → -g[0]": EMPTY,
        "factor: g[0] → 2 * g[0]": EMPTY,
        "dropped: g[0] → None": EMPTY,
        "dtype: g[0] → __narrow__(g[0])": CAST,
        "dtype: g[0] → __widen__(g[0])": CAST,
    },
    "cholesky.CholeskySlope.vjp": {
        "call: adjoint(SolveTriangular(adjoint(c), adjoint(left), **UPPER)) → "
        "SolveTriangular(adjoint(c), adjoint(left), **UPPER)": HERMITIAN,
    },
    "parts.half_lower": {
        "swapped: np.tri(rows, columns, -1) → np.tri(columns, rows, -1)": SQUARE,
        "call: lower(x) → x": INFINITE,
        "swapped: np.eye(rows, columns) → np.eye(columns, rows)": SQUARE,
    },
    "lu.LuSolve.vjp": {"sign: -1 → 1": SQUARE, "factor: 1 → 2": SQUARE},
    "solve.Solve.vjp": {"second order: b → __stop__(b)": UNREAD},
    "solve.DirectSolve.vjp": {"second order: b → __stop__(b)": UNREAD},
    "solve._clipped": {
        "swapped: np.clip(at, 0, n - 1) → np.clip(0, at, n - 1)": SYMMETRIC,
    },
    "orthogonal.QR.vjp": {"comparison: rows >= columns → rows > columns": SAME},
    "solve.SolveBanded.vjp": {
        "call: _within(ab[..., turned[0], _clipped(turned[1], n)], turned[1], n) → "
        "ab[..., turned[0], _clipped(turned[1], n)]": OUTSIDE,
    },
    "parts.without_diagonal": {
        "swapped: np.eye(rows, columns, dtype=bool) → np.eye(columns, rows, dtype=bool)": SQUARE,
    },
    "parts.on_diagonal": {"sign: -1 → 1": ON_DIAGONAL, "factor: 1 → 2": ON_DIAGONAL},
    "lu._unit_lower": {
        "swapped: np.eye(rows, columns, dtype=bool) → np.eye(columns, rows, dtype=bool)": SQUARE,
    },
    "quotient.gap_quotient": {
        "branch: ops.zeros_like(scale) if reach is None else reach → "
        "ops.zeros_like(scale)": THRESHOLD,
        "second order: reach → __stop__(reach)": UNSCALED,
        "call: ops.stop_gradient(scale) → scale": UNSCALED,
        "call: ops.stop_gradient(reach) → reach": UNSCALED,
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
    "vectors._cutoff": {
        f"factor: {_CUTOFF} → 2 * ({_CUTOFF})": CUTOFF,
        f"dropped: {_CUTOFF} → eps": CUTOFF,
        f"branch: {_SHARE} → {_NARROW}": CUTOFF,
        f"branch: {_NARROW} → 8": CUTOFF,
        "factor: 1000000.0 → 1500000.0": CUTOFF,
        "factor: 1000.0 → 1500.0": CUTOFF,
        "factor: 8 → 9": CUTOFF,
        "comparison: eps < 1e-10 → eps <= 1e-10": BETWEEN,
        "factor: 1e-10 → 1.5e-10": BETWEEN,
        "comparison: eps < 1e-05 → eps <= 1e-05": BETWEEN,
        "factor: 1e-05 → 1.5000000000000002e-05": BETWEEN,
    },
    "matrix_functions._upper_right": {
        "sign: -1 → 1": SQUARE,
        "factor: 1 → 2": SQUARE,
    },
    "spectral.Eigh.vjp": {
        "call: is_complex(x.dtype) → x.dtype": REAL,
        "sign: a + without_phase(ops.diagonal(product, 0, -2, -1), b) → "
        "a - without_phase(ops.diagonal(product, 0, -2, -1), b)": NOUGHT,
        "dropped: a + without_phase(ops.diagonal(product, 0, -2, -1), b) → a": PHASE,
        "second order: w → __stop__(w)": UNSCALED,
        "second order: scale → __stop__(scale)": UNSCALED,
        "call: of_pairs(b) → b": THRESHOLD,
        "sign: ops.zeros_like(x) → -ops.zeros_like(x)": EMPTY,
        "factor: ops.zeros_like(x) → 2 * ops.zeros_like(x)": EMPTY,
        "dropped: ops.zeros_like(x) → None": EMPTY,
        "dtype: ops.zeros_like(x) → __narrow__(ops.zeros_like(x))": CAST,
        "dtype: ops.zeros_like(x) → __widen__(ops.zeros_like(x))": CAST,
        "second order: b → __stop__(b)": UNSCALED,
    },
    "singular.SVD.vjp": {
        "dropped: top * sums → top": THRESHOLD,
        "dropped: top * sums → sums": THRESHOLD,
        "call: is_complex(x.dtype) → x.dtype": REAL,
        "comparison: rows > columns → rows >= columns": SAME,
        "comparison: columns > rows → columns >= rows": SAME,
        "second order: s → __stop__(s)": UNSCALED,
        "second order: top → __stop__(top)": UNSCALED,
        "second order: sums → __stop__(sums)": UNSCALED,
        "second order: scale → __stop__(scale)": UNSCALED,
        "sign: ops.zeros_like(x) → -ops.zeros_like(x)": EMPTY,
        "factor: ops.zeros_like(x) → 2 * ops.zeros_like(x)": EMPTY,
        "dropped: ops.zeros_like(x) → None": EMPTY,
        "dtype: ops.zeros_like(x) → __narrow__(ops.zeros_like(x))": CAST,
        "dtype: ops.zeros_like(x) → __widen__(ops.zeros_like(x))": CAST,
        "dropped: none + turn * 1j → turn * 1j": PHASE,
        "second order: a → __stop__(a)": UNSCALED,
        "second order: b → __stop__(b)": UNSCALED,
    },
    "spectral.Eig.vjp": {
        f"sign: product - {_LENGTHS} → product + {_LENGTHS}": LENGTHS,
        f"dropped: product - {_LENGTHS} → product": LENGTHS,
        "call: largest(w) → w": THRESHOLD,
        f"dropped: {_LENGTHS} → row(ops.real(lengths))": LENGTHS,
        "call: without_diagonal(mixed) → mixed": UNMOVED,
        "second order: scale → __stop__(scale)": UNSCALED,
        "call: of_pairs(b) → b": THRESHOLD,
        "sign: ops.zeros_like(x) → -ops.zeros_like(x)": EMPTY,
        "factor: ops.zeros_like(x) → 2 * ops.zeros_like(x)": EMPTY,
        "dropped: ops.zeros_like(x) → None": EMPTY,
        "swapped: adjoint(v) @ v → v @ adjoint(v)": LENGTHS,
        "call: row(ops.real(lengths)) → ops.real(lengths)": LENGTHS,
        "sign: a + without_phase(lengths, b) → a - without_phase(lengths, b)": NOUGHT,
        "dropped: a + without_phase(lengths, b) → a": PHASE,
        "call: adjoint(v) → v": LENGTHS,
        "call: ops.real(lengths) → lengths": "equivalent: they are real where phases have no "
        "gradient",
        "call: without_phase(lengths, b) → lengths": PHASE,
    },
    "quotient.without_phase": {
        "sum: ops.sum(ops.abs(b), axis=-2) → __ops__.mean(ops.abs(b), axis=-2)": ROUNDED,
        f"sign: {_PHASE} → -{_PHASE}": NOUGHT,
        f"factor: {_PHASE} → 2 * {_PHASE}": NOUGHT,
        f"call: {_PHASE} → ops.stop_gradient(ops.imag(p))": PHASE,
        "axis: axis=-2 → axis=None": ROUNDED,
        "call: ops.stop_gradient(ops.imag(p)) → ops.imag(p)": FLAT,
        "call: ops.stop_gradient(size) → size": FLAT,
    },
    "quotient.of_pairs": {
        "sum: ops.sum(ops.abs(b), axis=-2) → __ops__.mean(ops.abs(b), axis=-2)": NONZERO,
        f"sign: {_PAIRS} → -{_PAIRS}": NONZERO,
        f"factor: {_PAIRS} → 2 * {_PAIRS}": NONZERO,
        f"dropped: {_PAIRS} → None": THRESHOLD,
        f"second order: {_PAIRS} → __stop__({_PAIRS})": UNSCALED,
        f"call: {_PAIRS} → {_OUTER} + {_INNER}": DIAGONAL,
        "call: ops.abs(b) → b": THRESHOLD,
        f"sign: {_OUTER} + {_INNER} → {_OUTER} - {_INNER}": THRESHOLD,
        f"dropped: {_OUTER} + {_INNER} → {_OUTER}": THRESHOLD,
        f"dropped: {_OUTER} + {_INNER} → {_INNER}": THRESHOLD,
        "second order: b → __stop__(b)": UNSCALED,
        "second order: size → __stop__(size)": UNSCALED,
        "axis: axis=-2 → axis=-1": THRESHOLD,
        "sign: -1 → 1": THRESHOLD,
        "factor: 1 → 2": THRESHOLD,
    },
}  # fmt: skip
