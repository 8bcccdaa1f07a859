"""The error function's inverses and scaled integrals, and derivatives of sinc, on doubles."""

from __future__ import annotations

import math

import numpy as np
import scipy.special as sc  # pyright: ignore[reportMissingTypeStubs]

from ...dtypes import Array

_STEPS = 300  # of the continued fraction, which starts at x = 1


def erfinv(x: Array) -> Array:
    """The y with erf y = x; ±∞ at ±1, NaN for |x| > 1."""
    return sc.erfinv(x)


def erfcinv(x: Array) -> Array:
    """The y with erfc y = x; ∞ at 0, −∞ at 2, NaN outside."""
    return sc.erfcinv(x)


def ndtri(p: Array) -> Array:
    """The x with Φ(x) = p; −∞ at 0, ∞ at 1, NaN outside."""
    return sc.ndtri(p)


def erfcx_integral(x: Array, n: int) -> Array:
    """e^x²·iⁿerfc x, for the n-fold integral of erfc from x to ∞ (DLMF 7.18), n ≥ 0.

    2n·Eₙ = Eₙ₋₂ − 2x·Eₙ₋₁, from E₋₁ = 2/√π and E₀ = e^x²·erfc x. For x ≥ 1 this cancels; there
    Eₙ/Eₙ₋₁ = 1/(2x + 2(n + 1)·Eₙ₊₁/Eₙ).
    """
    return np.where(x >= 1, _ratios(np.maximum(x, 1), n), _upwards(np.minimum(x, 1), n))


def _upwards(x: Array, n: int) -> Array:
    below, y = np.full_like(x, 2 / math.sqrt(math.pi)), erfcx(x)
    for k in range(1, n + 1):
        below, y = y, (below - 2 * x * y) / (2 * k)
    return y


def _ratios(x: Array, n: int) -> Array:
    ratio, product = np.zeros_like(x), np.full_like(x, 2 / math.sqrt(math.pi))
    for k in range(n + _STEPS, -1, -1):
        ratio = 1 / (2 * x + 2 * (k + 1) * ratio)
        product = product * ratio if k <= n else product
    return product


def erfcx(x: Array) -> Array:
    """e^x²·erfc x, with the rounding of x² compensated where x < 0."""
    coarse = np.rint(x * 1024) / 1024
    growth = np.exp(coarse * coarse) * np.exp((x - coarse) * (x + coarse))
    return np.where(x < 0, np.where(x < -27, np.inf, 2 * growth) - sc.erfcx(np.abs(x)), sc.erfcx(x))


def sinc_derivative(x: Array, n: int) -> Array:
    """dⁿ/dxⁿ sin(πx)/(πx) = πⁿ ∫₀¹ tⁿ cos(πxt + ½nπ) dt.

    By Gauss's quadrature for small |x|, else from x·Sₙ + n·Sₙ₋₁ = πⁿ⁻¹ sin(πx + ½nπ).
    """
    bound = (n + 2) / 3
    near = np.clip(x, -bound, bound)
    nodes, weights = np.polynomial.legendre.leggauss(40 + n // 2)
    t = (nodes + 1) / 2
    angle = math.pi * near[..., None] * t
    wave = (np.cos(angle), -np.sin(angle), -np.cos(angle), np.sin(angle))[n % 4]
    inner = math.pi**n * np.sum(weights / 2 * t**n * wave, axis=-1)
    with np.errstate(all="ignore"):
        k = np.rint(x)
        turn = math.pi * (x - k)
        sign = 1 - 2 * np.abs(np.mod(k, 2))
        sine, cosine = sign * np.sin(turn), sign * np.cos(turn)
        outer = sine / (math.pi * x)
        for m in range(1, n + 1):
            shifted = (sine, cosine, -sine, -cosine)[m % 4]
            outer = (math.pi ** (m - 1) * shifted - m * outer) / x
    outer = np.where(np.isinf(x), 0.0, outer)
    return np.where(np.abs(x) <= bound, inner, outer)
