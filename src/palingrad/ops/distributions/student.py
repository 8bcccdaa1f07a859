"""Student's t distribution: its distribution function, differentiable in both arguments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...graph.functions import binary
from ...graph.kinds import Composite
from ...graph.registry import ops
from ...graph.samples import case, kink
from ..reduction.axes import narrowed, widened
from ..special.beta import betaln
from ..special.error import ndtr
from ..special.gamma import PolygammaStep
from ..special.incomplete import BetaDensity, Betainc, Betaincc

# What replaces |t|/√df = 0 where a formula has |t|: its square is far below rounding, and its power
# −3, a factor of the second derivative, is finite. From which df on the slope, proportional to
# df⁻², is 0.
_BOUNDS = {np.dtype(np.float64): (1e-18, 1e150), np.dtype(np.float32): (1e-12, 1e19)}
# From which |t|/√df on the first term of a series suffices, for the next is below rounding. Further
# out the square overflows, and before that the derivatives of other formulas do.
_FAR = {np.dtype(np.float64): 1e10, np.dtype(np.float32): 1e5}
_SAMPLE = case(np.array([0.7, 3.5]), np.array([0.4, -2.5]))
# The middle, the normal distribution, an end, far in float32, and so far that t² overflows there.
_AT = ([2.0, np.inf, 2.0, 0.01, 0.001], [0.0, 0.5, np.inf, 1e4, -1e30])
_SLOPES = [
    [0, 0, 0, 5.1771019782903921, -33.794455550335178],
    [0.353553390593274, 0.352065326764300, 0, 4.4256537652846817e-7, 0],
]
_CURVATURES = [
    [0, 0, 0, -83.045822243134546, 2690.3892187907153],
    [0.0201005070778185, 0, 0, 3.9079435672581777e-5, 0],
]


def student_log_density(df: Any, t: Any) -> Any:
    """log of the density of t: −log B(½df, ½) − ½ log df − ½(df + 1)·log(1 + t²/df)."""
    return -betaln(0.5 * df, 0.5) - 0.5 * ops.log(df) - 0.5 * (df + 1) * _log1p_square(df, t)


def _log1p_square(df: Any, t: Any) -> Any:
    """log(1 + t²/df), where t² may overflow."""
    scaled = t / ops.sqrt(df)
    far = ops.abs(scaled) > 1e4
    near = ops.log1p(ops.square(ops.where(far, 1, scaled)))
    return ops.where(far, 2 * ops.log(ops.abs(ops.where(far, scaled, 1))), near)


def _tails(df: Any, t: Any) -> Any:
    """Whether t² < df, and t²/(df + t²) there, df/(df + t²) elsewhere: the smaller of the two."""
    q = ops.square(t) / df
    near = q < 1
    y = ops.where(near, q, 0) / (1 + ops.where(near, q, 0))
    return near, y, 1 / (1 + ops.where(near, 1, q))


def _is_far(df: Any, t: Any) -> Any:
    return ops.abs(t) > _FAR[t.dtype] * ops.sqrt(df)


def _far_tail(df: Any, t: Any) -> Any:
    """The tail beyond |t| where df/t² is far below rounding: (|t|/√df)⁻ᵈᶠ/(df B(½df, ½)).

    The first term of the series of I(½df, ½, x), Abramowitz & Stegun 26.5.4, with
    df B(½df, ½) = (df + 1) B(½df + 1, ½), which is exact for small df too.
    """
    t = ops.abs(t)
    scaled = ops.where(df > 1, ops.pow(t / ops.sqrt(df), -df), ops.pow(t, -df) * df ** (0.5 * df))
    return scaled * ops.exp(-betaln(0.5 * df + 1, 0.5)) / (df + 1)


class StudentCdf(Composite):
    """y = the probability of at most t in Student's distribution with df degrees of freedom.

    It is ½ I(½df, ½, df/(df + t²)) for t < 0 (Abramowitz & Stegun 26.7.1), and Φ(t) for df = ∞.
    ∂y/∂t is the density.
    """

    math = r"F_{{d}}({t})"
    floats = True
    samples = [_SAMPLE, kink(*_AT, slopes=_SLOPES)]

    def expand(y, df, t):
        wide, t = widened(df), widened(t)
        normal = wide == math.inf
        wide = ops.where(normal, 1, ops.where(wide > 0, wide, math.nan))
        far = _is_far(wide, t)
        near, share, rest = _tails(wide, ops.where(far, 1, t))
        half = 0.5 * wide
        tail = 0.5 * ops.where(
            near,
            Betaincc(0.5, half, share, i=0, j=0),
            Betainc(half, 0.5, rest, i=0, j=0),
        )
        tail = ops.where(far, _far_tail(wide, ops.where(far, t, 1)), tail)
        tail = ops.where(ops.isnan(t), t, tail)
        value = ops.where(normal, ndtr(t), ops.where(t > 0, 1 - tail, tail))
        return narrowed(value, df.dtype)

    def vjp(y, g, df, t):
        def of_t() -> Any:
            return g * narrowed(_density(widened(df), widened(t)), df.dtype)

        return [lambda: g * StudentSlope(df, t), of_t]


class StudentSlope(Composite):
    """y = the derivative in df of the distribution function of Student's t. ∂y/∂t is that of its
    density."""

    math = r"\frac{\partial}{\partial {d}} F_{{d}}({t})"
    floats = True
    samples = [_SAMPLE, kink(*_AT, slopes=_CURVATURES)]

    def expand(y, df, t):
        return _slope(df, t)

    def vjp(y, g, df, t):
        def of_df() -> Any:
            fixed = ops.positive(t)  # a node of its own: t may depend on df, which counts elsewhere
            return ops.pull_back(_slope(df, fixed), [df, fixed], g)[0]

        return [of_df, lambda: g * narrowed(_mixed(widened(df), widened(t)), df.dtype)]


def _slope(df: Any, t: Any) -> Any:
    """The derivative in df of the distribution function, by those of incomplete beta functions."""
    dtype, df, t = df.dtype, widened(df), widened(t)
    least, most = _BOUNDS[t.dtype]
    flat = (df > most) | (ops.abs(t) == math.inf)
    df, t = ops.where(flat, 1, df), ops.where(flat, 1, t)
    far, signed = _is_far(df, t), t
    distant = _far_slope(df, ops.where(far, t, 1))
    t = ops.where(far, 1, t)
    tiny = ops.where(ops.abs(t) < least * ops.sqrt(df), least * ops.sqrt(df), 0)
    t = t + ops.stop_gradient(tiny)
    near, share, rest = _tails(df, t)
    half = 0.5 * df
    inner = Betaincc(0.5, half, ops.where(near, share, 0.5), i=0, j=1)
    outer = Betainc(half, 0.5, rest, i=1, j=0)
    # The share t²/(df + t²) and the rest df/(df + t²) change by ∓ their product over df.
    x = ops.where(near, share, rest)
    density = BetaDensity(ops.where(near, 0.5, half), ops.where(near, half, 0.5), x)
    tail = 0.25 * ops.where(near, inner, outer) + 0.5 * density * (x * (1 - x) / df)
    tail = ops.where(far, distant, tail)
    value = ops.where(flat, 0, ops.where(signed > 0, -tail, tail))
    return narrowed(value, dtype)


def _far_slope(df: Any, t: Any) -> Any:
    """The derivative in df of the far tail: the tail times that of its logarithm."""
    logarithm = ops.log(ops.abs(t)) - 0.5 * ops.log(df)
    step = PolygammaStep(0.5 * df + 0.5, 0.5, n=0)  # ψ(½df + 1) − ψ(½df + ½)
    return _far_tail(df, t) * (0.5 - logarithm - 0.5 * step)


def _mixed(df: Any, t: Any) -> Any:
    """The derivative in df of the density at t: half of the density times that of its logarithm."""
    normal = df == math.inf
    df = ops.where(normal, 1, df)
    q = ops.square(t) / df
    share = ops.where(q == math.inf, 1, q / (1 + q))
    slope = PolygammaStep(0.5 * df, 0.5, n=0) - 1 / df
    slope = slope - _log1p_square(df, t) + (df + 1) / df * share
    flat = normal | (ops.abs(t) == math.inf)
    return ops.where(flat, 0, 0.5 * slope * _density(df, t))


def _density(df: Any, t: Any) -> Any:
    """The density of Student's distribution, the normal one for df = ∞."""
    normal = df == math.inf
    log_density = student_log_density(ops.where(normal, 1, df), t)
    return ops.exp(ops.where(normal, -0.5 * t * t - 0.5 * math.log(2 * math.pi), log_density))


student_cdf = binary(StudentCdf)
