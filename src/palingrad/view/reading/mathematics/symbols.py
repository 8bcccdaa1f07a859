"""Names, numbers and small arrays as LaTeX."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from typing import Any

import numpy as np

from ....dtypes import Array, is_inexact, is_integer

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε",
    "zeta": "ζ", "eta": "η", "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ",
    "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ",
    "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ",
    "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
_LETTER = {sign: name for name, sign in GREEK.items()}
_SPECIAL = re.compile(r"([#$%&_{}])")
_SIMILAR = str.maketrans("\\^~-", "∖ˆ∼‐")
_WORD = re.compile(r"(?:[^\W\d]|[^\x00-\u2fff])(?:\w|[^\x00-\u2fff])*'*")  # letters, emoji
_LARGEST = 9  # elements of the largest array that is written out


def symbol(name: str) -> str:
    r"""A name as LaTeX: x, x_1 of x1 or x₁, \theta of theta or θ, \mathrm{loss} of loss."""
    name = unicodedata.normalize("NFKC", name).replace("lamda", "lambda").strip()
    match = re.fullmatch(r"([^\W\d_]+?)_?(\d+)", name)
    base, index = (match[1], match[2]) if match else (name, "")
    if base in _LETTER or base in GREEK:
        text = "\\" + _LETTER.get(base, base)
    elif re.fullmatch(r"[A-Za-z]", base):
        text = base
    elif _WORD.fullmatch(base):
        text = f"\\mathrm{{{_escaped(base)}}}"
    else:  # read as one name: ‘a b’, ‘x−1’
        return quoted(_escaped(name))
    return f"{text}_{{{index}}}" if len(index) > 1 else f"{text}_{index}" if index else text


def quoted(text: str) -> str:
    """A name in quotes, as what could be read as something else."""
    return f"\\mathrm{{‘{text}’}}"


def _escaped(text: str) -> str:
    r"""Text for \mathrm, with LaTeX's special characters escaped, or replaced by similar ones."""
    text = text.translate(_SIMILAR).replace(" ", r"\ ")
    return _SPECIAL.sub(r"\\\1", text)


def bar(text: str) -> str:
    r"""The cotangent of `text`, \bar{x}: the gradient of the result with respect to x."""
    match = re.fullmatch(r"(\\?[a-zA-Z]+)(_.*)?", text)
    if match and (len(match[1]) == 1 or match[1].startswith("\\")):
        return f"\\bar{{{match[1]}}}{match[2] or ''}"
    return f"\\overline{{{text}}}"


def partial(y: str, x: str) -> str:
    """∂y/∂x."""
    return rf"\frac{{\partial {y}}}{{\partial {x}}}"


def number(value: Any, *, exact: bool = False) -> str:
    r"""A number with four significant digits; very small or large ones as 1.5 \cdot 10^{-7}.

    With `exact`, of a literal in a formula, it has seven digits where fewer than four would look
    like the whole number: 1.00001.
    """
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, complex):
        return _complex_number(value)
    if isinstance(value, bool):
        return r"\mathrm{true}" if value else r"\mathrm{false}"
    if isinstance(value, float) and not np.isfinite(value):
        return r"\mathrm{NaN}" if np.isnan(value) else r"\infty" if value > 0 else r"-\infty"
    value = value + 0 if value == 0 else value  # −0.0 is 0
    text = str(value) if isinstance(value, int) and abs(value) < 10**6 else _rounded(value, exact)
    if "e" not in text:
        return text
    digits, power = text.split("e")
    start = "" if digits == "1" else "-" if digits == "-1" else digits + r" \cdot "
    return f"{start}10^{{{int(power)}}}"


def _rounded(value: float, exact: bool) -> str:
    text = f"{value:.4g}"
    if not exact:
        return text
    digits = re.sub(r"e.*|^-|\.|^0\.?0*", "", text).lstrip("0")
    return f"{value:.7g}" if len(digits) < 4 and float(text) != value else text


def fraction_of(value: Any, text: str) -> str:
    """A number that its text rounds as a fraction p/q with q < 100, if it is one; else ""."""
    if not isinstance(value, (float, np.floating)) or not np.isfinite(value) or "." not in text:
        return ""
    fraction = Fraction(float(value)).limit_denominator(99)
    rounded = type(value)(fraction.numerator / fraction.denominator) == value
    if not rounded or float(text.split()[0]) == float(value) or abs(fraction.numerator) > 99:
        return ""
    sign = "-" if fraction < 0 else ""
    return rf"{sign}\frac{{{abs(fraction.numerator)}}}{{{fraction.denominator}}}"


def _complex_number(value: complex) -> str:
    r"""As 2 - 3\,i, or the one part that isn't 0."""
    size = number(abs(value.imag))
    last = "i" if size == "1" else rf"{size}\,i"
    if value.real == 0:
        return f"-{last}" if value.imag < 0 else last
    return number(value.real) + (f" - {last}" if value.imag < 0 else f" + {last}") * (
        value.imag != 0
    )


def is_small(array: Array) -> bool:
    """Whether an array is written out in a formula."""
    return 0 < array.size <= _LARGEST and array.ndim <= 2


def symbol_of(array: Array) -> str:
    r"""A constant array as a symbol, with its shape: \mathrm{const}_{4 \times 3}."""
    sizes = r" \times ".join(map(str, array.shape))
    if array.ndim == 2 and array.shape[0] == array.shape[1]:
        if np.array_equal(array, np.eye(len(array))):
            return rf"I_{{{len(array)}}}"
    if array.ndim == 1 and array.size and is_integer(array.dtype):
        if np.all(np.diff(array) == 1):
            return rf"\left({array[0]}, \dots, {array[-1]}\right)"
    return rf"\mathrm{{const}}_{{{sizes}}}"


def value_of(array: Array) -> str:
    """An array: a number, a small vector or matrix in full, otherwise its shape and norm."""
    if array.ndim == 0:
        return number(array[()])
    if array.size <= _LARGEST and array.ndim <= 2 and array.size:
        rows = array.reshape(1, -1) if array.ndim == 1 else array
        lines = [" & ".join(map(number, row)) for row in rows]
        return r"\begin{pmatrix} " + r" \\ ".join(lines) + r" \end{pmatrix}"
    shape = r" \times ".join(map(str, array.shape))
    if not array.size or not is_inexact(array.dtype):
        return f"[{shape}]"
    with np.errstate(all="ignore"):
        norm = np.sqrt(np.sum(np.square(np.abs(array), dtype=np.float64)))
    return f"[{shape}],\\ \\mathrm{{norm}}\\ {number(norm)}"
