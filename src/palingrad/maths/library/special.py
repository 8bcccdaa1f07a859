"""Special functions, elementwise: their declarations, and how `maths/special/` is called.

The formulas there compute in double precision; float16 and float32 are converted to it, and the
result is rounded once. They need SciPy, which is imported with the first call.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from ...classes import Protocol
from ...errors import ArgumentError


class SpecialMaths(Protocol):
    """Special functions, elementwise."""

    def gamma(self, x: Any) -> Any:
        """Γ(x); NaN at −1, −2, …, ±∞ at ±0."""

    def lgamma(self, x: Any) -> Any:
        """log |Γ(x)|; ∞ at 0, −1, −2, … and at ±∞."""

    def rgamma(self, x: Any) -> Any:
        """1/Γ(x); 0 at 0, −1, −2, …."""

    def digamma(self, x: Any) -> Any:
        """ψ(x) = Γ′(x)/Γ(x); NaN at −1, −2, …, ∓∞ at ±0."""

    def polygamma(self, x: Any, n: int) -> Any:
        """ψ⁽ⁿ⁾(x), the derivative of order n of ψ."""

    def polygamma_step(self, x: Any, h: Any, n: int) -> Any:
        """ψ⁽ⁿ⁾(x + h) − ψ⁽ⁿ⁾(x) without cancellation for small h."""

    def beta(self, a: Any, b: Any) -> Any:
        """B(a, b) = Γ(a)Γ(b)/Γ(a + b)."""

    def betaln(self, a: Any, b: Any) -> Any:
        """log |B(a, b)|."""

    def poch(self, x: Any, n: Any) -> Any:
        """Γ(x + n)/Γ(x)."""

    def binom(self, n: Any, k: Any) -> Any:
        """Γ(n + 1)/(Γ(k + 1)Γ(n − k + 1))."""

    def zeta(self, s: Any, q: Any, order: int) -> Any:
        """∂ⁿ/∂sⁿ Σₖ (q + k)⁻ˢ over k ≥ 0, n = order; NaN for s < 1 and q < 0."""

    def gamma_tail(self, a: Any, x: Any, upper: bool, order: int) -> Any:
        """∂ⁿ/∂aⁿ of P(a, x), or of Q(a, x) = 1 − P(a, x) if `upper`, n = order."""

    def gamma_density(self, a: Any, x: Any) -> Any:
        """xᵃ⁻¹e⁻ˣ/Γ(a) = ∂P(a, x)/∂x."""

    def beta_tail(self, a: Any, b: Any, x: Any, upper: bool, i: int, j: int) -> Any:
        """∂ⁱ⁺ʲ/∂aⁱ∂bʲ of I(x; a, b), or of 1 − I(x; a, b) if `upper`."""

    def beta_density(self, a: Any, b: Any, x: Any) -> Any:
        """xᵃ⁻¹(1 − x)ᵇ⁻¹/B(a, b) = ∂I(x; a, b)/∂x."""

    def erfinv(self, x: Any) -> Any:
        """The y with erf y = x; ±∞ at ±1, NaN for |x| > 1."""

    def erfcinv(self, x: Any) -> Any:
        """The y with erfc y = x; ∞ at 0, −∞ at 2, NaN outside."""

    def ndtri(self, p: Any) -> Any:
        """The x with Φ(x) = p; −∞ at 0, ∞ at 1, NaN outside."""

    def erfcx_integral(self, x: Any, n: int) -> Any:
        """e^x²·iⁿerfc x, n ≥ 0, for the n-fold integral of erfc from x to ∞."""

    def bessel_j(self, x: Any, n: float) -> Any:
        """J of order n; for x < 0 and a fractional n, NaN."""

    def bessel_y(self, x: Any, n: float) -> Any:
        """Y of order n; −∞ at 0, NaN for x < 0."""

    def bessel_i(self, x: Any, n: float, scaled: bool) -> Any:
        """I of order n, times e^−|x| if `scaled`."""

    def bessel_k(self, x: Any, n: float, scaled: bool) -> Any:
        """K of order n, times eˣ if `scaled`; ∞ at 0, NaN for x < 0."""

    def sinc_derivative(self, x: Any, n: int) -> Any:
        """dⁿ/dxⁿ sin(πx)/(πx)."""


# Where each is computed: the file in maths/special/, its name there, and the number of its arrays.
_FORMULAS = {
    "gamma": ("gamma", "gamma", 1),
    "lgamma": ("gamma", "gammaln", 1),
    "rgamma": ("gamma", "rgamma", 1),
    "digamma": ("gamma", "digamma", 1),
    "polygamma": ("gamma", "polygamma", 1),
    "polygamma_step": ("gamma", "polygamma_step", 2),
    "beta": ("gamma", "beta", 2),
    "betaln": ("gamma", "betaln", 2),
    "poch": ("gamma", "poch", 2),
    "binom": ("gamma", "binom", 2),
    "zeta": ("zeta", "zeta", 2),
    "gamma_tail": ("incomplete", "gamma_tail", 2),
    "gamma_density": ("incomplete", "gamma_density", 2),
    "beta_tail": ("incomplete", "beta_tail", 3),
    "beta_density": ("incomplete", "beta_density", 3),
    "erfinv": ("error", "erfinv", 1),
    "erfcinv": ("error", "erfcinv", 1),
    "ndtri": ("error", "ndtri", 1),
    "erfcx_integral": ("error", "erfcx_integral", 1),
    "bessel_j": ("bessel", "bessel_j", 1),
    "bessel_y": ("bessel", "bessel_y", 1),
    "bessel_i": ("bessel", "bessel_i", 1),
    "bessel_k": ("bessel", "bessel_k", 1),
    "sinc_derivative": ("error", "sinc_derivative", 1),
}


def special(name: str, *x: Any) -> Any:
    """The function `name` of arrays, then options, in their dtype by way of float64."""
    file, function, arrays = _FORMULAS[name]
    try:
        module = importlib.import_module(f"...special.{file}", __name__)
    except ImportError as error:
        raise ArgumentError(
            f"{name} needs SciPy, which isn't installed.", hint="pip install scipy"
        ) from error
    given = [one if hasattr(one, "dtype") else float(one) for one in x[:arrays]]  # not wider
    dtype = np.result_type(*given)
    with np.errstate(all="ignore"):
        wide = [np.asarray(one, np.float64) for one in given]
        return np.asarray(getattr(module, function)(*wide, *x[arrays:])).astype(dtype)


def _own(name: str) -> Callable[..., Any]:
    def function(*x: Any) -> Any:
        return special(name, *x)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = getattr(SpecialMaths, name).__doc__
    return function


OWN: dict[str, Callable[..., Any]] = {name: _own(name) for name in _FORMULAS}
