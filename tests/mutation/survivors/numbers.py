"""Of the rules of complex numbers, rounding, activations and special functions."""

from __future__ import annotations

from mutation.survivors.reasons import (
    ABSORBS,
    ANY,
    BELOW,
    BOTH,
    BY_DENSITY,
    CAST,
    EVEN,
    FAR,
    FLAT,
    GUARDED,
    HALVES,
    NORMAL,
    NOTHING,
    OF_CDF,
    PARAMETERS,
    REAL,
    SAME,
    SPARE,
    SYMMETRIC,
    TIES,
    UNDERFLOWS,
    UNREAD,
    WIDENED,
)

SURVIVORS: dict[str, dict[str, str]] = {
    "complexes.Abs.jvp": {
        "call: is_complex(x[0].dtype) → x[0].dtype": REAL,
    },
    "complexes.Sign.jvp": {
        "call: is_complex(x[0].dtype) → x[0].dtype": REAL,
        "dropped: super().jvp(tangents, *x) → None": NOTHING,
    },
    "complexes._turning": {
        "branch: ops.where(x == 0, 1, x) → x": GUARDED,
        "factor: 1 → 2": ANY,
        "factor: 0 → 1": GUARDED,
    },
    "complexes.Imag.vjp": {
        "branch: ops.complex(ops.zeros_like(g), -g) if is_complex(x[0].dtype) "
        "else None → ops.complex(ops.zeros_like(g), -g)": REAL,
        "call: is_complex(x[0].dtype) → x[0].dtype": REAL,
    },
    "complexes.Angle.vjp": {
        "branch: ops.scaled(g, -_turning(x[0])) if is_complex(x[0].dtype) else "
        "None → ops.scaled(g, -_turning(x[0]))": REAL,
        "call: is_complex(x[0].dtype) → x[0].dtype": REAL,
        "swapped: ops.scaled(g, -_turning(x[0])) → ops.scaled(-_turning(x[0]), g)": ABSORBS,
    },
    "complexes.Angle.jvp": {
        "call: ops.real(ops.scaled_tangent(tangents[0], -_turning(x[0]))) → "
        "ops.scaled_tangent(tangents[0], -_turning(x[0]))": CAST,
        "call: is_complex(x[0].dtype) → x[0].dtype": REAL,
    },
    "complexes.Complex.vjp": {
        "call: ops.real(g) → g": CAST,
    },
    "activations.Selu.d": {
        "call: ops.minimum(x, 0) → x": GUARDED,
        "swapped: ops.minimum(x, 0) → ops.minimum(0, x)": SYMMETRIC,
        "factor: 0 → 1": ANY,
    },
    "activations.Celu.d": {
        "comparison: x > 0 → x >= 0": BOTH,
    },
    "activations.Mish.d": {
        "comparison: ops.abs(x) > 1000 → ops.abs(x) >= 1000": FAR,
        "factor: 1000 → 1001": FAR,
    },
    "activations.HardSigmoid.d": {
        "second order: ops.where((x > -3) & (x < 3), 1 / 6, ops.zeros_like(x)) → "
        "__stop__(ops.where((x > -3) & (x < 3), 1 / 6, ops.zeros_like(x)))": FLAT,
    },
    "activations.Prelu.d": {
        "comparison: x > 0 → x >= 0": BOTH,
    },
    "attention.VisibleSoftmax.vjp": {
        "second order: x → __stop__(x)": UNREAD,
    },
    "numbers.Copysign.d": {
        "second order: ops.where(signbit(x) == signbit(y), ops.ones_like(x), -1) "
        "→ __stop__(ops.where(signbit(x) == signbit(y), ops.ones_like(x), -1))": FLAT,
    },
    "numbers.Fmax.d": {
        "second order: _share((x > y) | ops.isnan(y), x, y) → __stop__(_share((x "
        "> y) | ops.isnan(y), x, y))": FLAT,
        "second order: _share((y > x) | ops.isnan(x), x, y) → __stop__(_share((y "
        "> x) | ops.isnan(x), x, y))": FLAT,
        "comparison: x > y → x >= y": TIES,
        "comparison: y > x → y >= x": TIES,
    },
    "numbers._share": {
        "second order: ops.where(x == y, 0.5, ops.cast(wins, x.dtype)) → "
        "__stop__(ops.where(x == y, 0.5, ops.cast(wins, x.dtype)))": FLAT,
    },
    "numbers.Fmin.d": {
        "second order: _share((x < y) | ops.isnan(y), x, y) → __stop__(_share((x "
        "< y) | ops.isnan(y), x, y))": FLAT,
        "second order: _share((y < x) | ops.isnan(x), x, y) → __stop__(_share((y "
        "< x) | ops.isnan(x), x, y))": FLAT,
        "comparison: x < y → x <= y": TIES,
        "comparison: y < x → y <= x": TIES,
    },
    "numbers.Fmod.d": {
        "second order: x → __stop__(x)": FLAT,
        "second order: y → __stop__(y)": FLAT,
    },
    "numbers.Ldexp.d": {
        "second order: ldexp(ops.ones_like(x), n) → __stop__(ldexp(ops.ones_like(x), n))": FLAT,
    },
    "bessel.BesselIe.d": {
        "branch: above if y.n == 0 else 0.5 * (below + above) → 0.5 * (below + above)": SAME,
    },
    "gamma.rgamma_slope": {
        "comparison: x < 0.5 → x <= 0.5": BOTH,
        "factor: 0.5 → 0.75": BOTH,
        "branch: ops.where(low, x, 0) → x": GUARDED,
        "branch: ops.where(low, 1, x) → x": GUARDED,
        "second order: left → __stop__(left)": FLAT,
        "second order: sign → __stop__(sign)": FLAT,
        "factor: 0 → 1": ANY,
        "factor: 1 → 2": ANY,
        "sign: left - whole → left + whole": EVEN,
        "swapped: left - whole → whole - left": EVEN,
    },
    "beta.Poch.d": {
        "branch: ops.where(y == 0, at_zero, y * PolygammaStep(x, n, n=0)) → at_zero": BOTH,
    },
    "error.Bell.d": {
        "comparison: ops.abs(x) > 60 → ops.abs(x) >= 60": UNDERFLOWS,
        "factor: 0 → 1": UNDERFLOWS,
        "factor: 60 → 61": UNDERFLOWS,
    },
    "error.InverseMills.d": {
        "comparison: x < 0 → x <= 0": BOTH,
        "comparison: x > 60 → x >= 60": UNDERFLOWS,
        "comparison: x < -30 → x <= -30": BOTH,
        "factor: 30 → 31": BOTH,
        "factor: 0 → 1": HALVES,
        "factor: 60 → 61": UNDERFLOWS,
        "sign: -60 → 60": HALVES,
        "branch: ops.where(far, x, -60) → x": GUARDED,
        "branch: ops.where(low, ops.where(far, 0, x), 0) → ops.where(far, 0, x)": GUARDED,
        "branch: ops.where(far, 0, x) → x": GUARDED,
    },
    "incomplete._log_slope": {
        "second order: a → __stop__(a)": PARAMETERS,
    },
    "incomplete.GammaTail.d": {
        "second order: type(y)(a, x, order=y.order + 1) → __stop__(type(y)(a, x, "
        "order=y.order + 1))": PARAMETERS,
        "second order: a → __stop__(a)": PARAMETERS,
        "second order: x → __stop__(x)": PARAMETERS,
    },
    "incomplete._density_slope": {
        "second order: a → __stop__(a)": PARAMETERS,
        "factor: 1 → 2": SPARE,
        "second order: math.comb(m - 1, k) * _log_slope(a, x, m - k) * slopes[k] "
        "→ __stop__(math.comb(m - 1, k) * _log_slope(a, x, m - k) * slopes[k])": PARAMETERS,
        "second order: x → __stop__(x)": PARAMETERS,
    },
    "incomplete.BetaDensity.d": {
        "second order: y * _log_beta_slope(a, b, x, 0, 1) → __stop__(y * "
        "_log_beta_slope(a, b, x, 0, 1))": PARAMETERS,
        "second order: y → __stop__(y)": PARAMETERS,
        "second order: b → __stop__(b)": PARAMETERS,
        "second order: a → __stop__(a)": PARAMETERS,
        "second order: x → __stop__(x)": PARAMETERS,
    },
    "beta.Binom.d": {
        "branch: ops.where(y == 0, at_zero, y * PolygammaStep(rest, k, n=0)) → at_zero": BOTH,
        "branch: ops.where(y == 0, gamma(n + 1) * slope, y * (digamma(rest) - "
        "digamma(k + 1))) → gamma(n + 1) * slope": BOTH,
    },
    "incomplete._beta_slope": {
        "dropped: i + 1 → 1": "equivalent: i is 0 where the derivatives are in b",
    },
    "student._density": {
        "branch: ops.where(normal, 1, df) → df": GUARDED,
        "factor: 1 → 2": ANY,
        "second order: t → __stop__(t)": NORMAL,
    },
    "student._log1p_square": {
        "comparison: ops.abs(scaled) > 10000.0 → ops.abs(scaled) >= 10000.0": BOTH,
        "factor: 10000.0 → 15000.0": BOTH,
        "branch: ops.where(far, 1, scaled) → scaled": GUARDED,
        "factor: 1 → 2": ANY,
        "branch: ops.where(far, scaled, 1) → scaled": GUARDED,
        "second order: scaled → __stop__(scaled)": "only second derivatives far out make a "
        "difference; `tests/ops/test_stats.py` has those",
    },
    "student._slope": {
        "branch: ops.where(far, 1, t) → t": GUARDED,
        "branch: ops.where(far, t, 1) → t": GUARDED,
        "branch: ops.where(flat, 1, t) → t": GUARDED,
        "branch: ops.where(flat, 1, df) → df": GUARDED,
        "branch: ops.where(near, share, 0.5) → share": GUARDED,
        "factor: 0.5 → 0.75": GUARDED,
        "factor: 1 → 2": ANY,
        "branch: ops.where(flat, 0, ops.where(signed > 0, -tail, tail)) → "
        "ops.where(signed > 0, -tail, tail)": OF_CDF,
        "factor: 0 → 1": OF_CDF,
        "call: ops.abs(t) → t": "only t = −∞ makes a difference, which `tests/ops/test_stats.py` "
        "has, or a shift of t below rounding",
        "comparison: df > most → df >= most": BOTH,
        "comparison: signed > 0 → signed >= 0": BOTH,
        "comparison: ops.abs(t) < least * ops.sqrt(df) → "
        "ops.abs(t) <= least * ops.sqrt(df)": BELOW,
        "branch: ops.where(ops.abs(t) < least * ops.sqrt(df), least * ops.sqrt(df), 0) → "
        "least * ops.sqrt(df)": BELOW,
        "sign: t + ops.stop_gradient(tiny) → t - ops.stop_gradient(tiny)": BELOW,
        "call: ops.stop_gradient(tiny) → tiny": BELOW,
        "dropped: least * ops.sqrt(df) → least": BELOW,
        "dropped: least * ops.sqrt(df) → ops.sqrt(df)": BELOW,
        "call: ops.sqrt(df) → df": BELOW,
        "call: narrowed(value, dtype) → value": CAST,
        "call: widened(df) → df": WIDENED,
        "second order: df → __stop__(df)": FLAT,
        "second order: t → __stop__(t)": BY_DENSITY,
    },
    "student._tails": {
        "comparison: q < 1 → q <= 1": BOTH,
        "branch: ops.where(near, q, 0) → q": GUARDED,
        "factor: 0 → 1": GUARDED,
        "branch: ops.where(near, 1, q) → q": GUARDED,
        "factor: 1 → 2": GUARDED,
    },
    "student._far_slope": {
        "second order: t → __stop__(t)": BY_DENSITY,
    },
    "student._mixed": {
        "branch: ops.where(normal, 1, df) → df": GUARDED,
        "factor: 1 → 2": ANY,
        "call: ops.abs(t) → t": "only t = −∞ makes a difference; `tests/ops/test_stats.py` has it",
    },
    "student.StudentCdf.vjp": {
        "call: narrowed(_density(widened(df), widened(t)), df.dtype) → "
        "_density(widened(df), widened(t))": CAST,
        "call: widened(df) → df": WIDENED,
        "call: widened(t) → t": WIDENED,
    },
    "student.student_log_density": {
        "swapped: betaln(0.5 * df, 0.5) → betaln(0.5, 0.5 * df)": SYMMETRIC,
    },
    "student.StudentSlope.vjp": {
        "call: narrowed(_mixed(widened(df), widened(t)), df.dtype) → "
        "_mixed(widened(df), widened(t))": CAST,
        "call: widened(df) → df": WIDENED,
        "call: widened(t) → t": WIDENED,
    },
}  # fmt: skip
