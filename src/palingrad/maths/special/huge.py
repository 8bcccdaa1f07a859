"""The powers before incomplete gamma and beta functions, for parameters so large that even the
logarithms in double-double arithmetic cancel."""

from __future__ import annotations

import math

import numpy as np

from ...dtypes import Array
from . import jets
from .double_double import exp, log, wide
from .gamma import log_gamma, polygamma, polygamma_step, psi

HUGE = 1e16


def gamma_power(a: Array, x: Array, order: int) -> Array:
    """xᵃ e⁻ˣ / Γ(a + 1) as a polynomial in a: e^(−a (μ − log(1 + μ)))/√(2πa), by Stirling's formula
    for a > HUGE; it is 0 unless μ = x/a − 1 is small."""
    mu = np.clip((x - a) / a, -0.5, 0.5)
    slopes = jets.constant(np.zeros_like(a), order, 0)
    if order:
        slopes[1, 0] = log_ratio(a, x) - 0.5 / a
    for k in range(2, order + 1):
        slopes[k, 0] = -polygamma(a + 1, k - 1) / math.factorial(k)
    fall = a * mu * mu * (1 / 2 - mu / 3 + mu * mu / 4)
    return np.exp(-fall) / np.sqrt(2 * math.pi * a) * jets.exp(slopes)


def log_ratio(a: Array, x: Array) -> Array:
    """log(x/a) where it is small."""
    return np.log1p(np.clip((x - a) / a, -0.5, 0.5))


def beta_power(a: Array, b: Array, x: Array, i: int, j: int) -> Array:
    """xᵃ (1 − x)ᵇ / B(a, b) as a polynomial in a and b, where one of them is > HUGE and the other
    so much smaller that Γ(s + l)/Γ(l) = lˢ (1 + s(s − 1)/2l − …), DLMF 5.11.12."""
    turn = a > b
    s, l = np.where(turn, b, a), np.where(turn, a, b)
    y = wide(np.where(turn, -x, x)) + np.where(turn, 1.0, 0.0)  # the power is 0 unless y is small
    small = y.value
    fall = y * l * (1 + y * (0.5 + y * (wide(1.0) / 3 + y / 4)))  # −l log(1 − y)
    rest = s * (s - 1) / 2 / l * (1 - (2 * s - 1) / 6 / l)
    power = (log(y) + log(wide(l))) * s - fall + rest - log_gamma(wide(s))
    of_s = (log(y) + log(wide(l)) - psi(wide(s))).value + (s - 0.5) / l
    of_l = np.log1p(-np.minimum(small, 0.5)) + np.log1p(s / l) + s / l / l / 2
    slopes = jets.constant(np.zeros_like(a), i, j)
    if i:
        slopes[1, 0] = np.where(turn, of_l, of_s)
    if j:
        slopes[0, 1] = np.where(turn, of_s, of_l)
    for m in range(i + 1):
        for n in range(j + 1):
            if m + n > 1:
                order = m + n - 1
                step = polygamma(a + b, order)
                if not n:
                    step = polygamma_step(a, b, order)
                elif not m:
                    step = polygamma_step(b, a, order)
                slopes[m, n] = step / (math.factorial(m) * math.factorial(n))
    return exp(power).value * jets.exp(slopes)
