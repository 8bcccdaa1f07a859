"""Computes the polynomials of the native engine's functions. Each interpolates its function at
Chebyshev points with 80 digits, which is within a bit of the minimax error (Trefethen,
Approximation Theory and Approximation Practice, ch. 16), at the lowest degree whose error is below
the goal. For float32 the coefficients are then rounded one by one, and the higher ones are fitted
again.

    python tools/coefficients.py            # lists each polynomial with its degree and error
    python tools/coefficients.py --write    # src/palingrad/engines/native/functions/coefficients.py
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import wrap
from typing import Any, NamedTuple

import numpy as np
from mpmath import mp, mpf

mp.dps = 80
FILE = Path(__file__).parent.parent / "src/palingrad/engines/native/functions/coefficients.py"
HALF_LOG2 = mp.log(2) / 2 * mpf("1.0001")
HEAD = '''"""Polynomials' coefficients, the highest power first: printed by tools/coefficients.py.

Each table has one row for float32 and one for float64.
"""

# fmt: off
'''


class Fit(NamedTuple):
    """A polynomial in x for `function` on [low, high], for float32 and for float64.

    Its error times `weight(x)` is below `goals`; for a goal of None there is no polynomial.
    """

    name: str
    meaning: str
    function: Callable[[Any], Any]
    low: Any
    high: Any
    goals: tuple[Any, Any]
    weight: Callable[[Any], Any] = lambda x: 1


def series(function: Callable[[Any], Any], at_zero: Any) -> Callable[[Any], Any]:
    """The function with its limit at x = 0, where its formula divides by 0."""
    return lambda x: at_zero if abs(x) < mpf(10) ** -25 else function(x)


def root(function: Callable[[Any], Any], at_zero: Any) -> Callable[[Any], Any]:
    """The function z ↦ f(√z) of a function f."""
    return series(lambda z: function(mp.sqrt(z)), at_zero)


def scaled_erfc(x: Any) -> Any:
    """e^(x²)·erfc x."""
    return mp.exp(x * x) * mp.erfc(x)


def scaled_erfc_of(u: Any) -> Any:
    """e^(x²)·erfc(x)/t with t = 1/(1 + x/2) and u = t − ½."""
    t = u + mpf("0.5")
    return scaled_erfc(2 / t - 2) / t


SINGLE, DOUBLE = mpf(2) ** -24, mpf(2) ** -53
GOALS = (SINGLE / 16, DOUBLE / 16)
ATANH = (mpf("0.2") * mpf("1.0001")) ** 2  # of s = (m − 1)/(m + 1), ¾ ≤ m < 3/2
FITS = [
    Fit("EXP", "(eʳ − 1 − r)/r², |r| ≤ ½ log 2",
        series(lambda r: (mp.expm1(r) - r) / r**2, mpf("0.5")), -HALF_LOG2, HALF_LOG2, GOALS,
        lambda r: r * r),
    Fit("EXPM1", "(eʳ − 1 − r)/r², |r| ≤ ½ log 2, relative to r",
        series(lambda r: (mp.expm1(r) - r) / r**2, mpf("0.5")), -HALF_LOG2, HALF_LOG2, GOALS),
    Fit("EXP2", "(2ʳ − 1)/r, |r| ≤ ½",
        series(lambda r: mp.expm1(r * mp.log(2)) / r, mp.log(2)), mpf("-0.5"), mpf("0.5"), GOALS,
        lambda r: r),
    Fit("SINH", "(sinh r − r)/r³ in r², |r| ≤ ½ log 2",
        root(lambda r: (mp.sinh(r) - r) / r**3, mpf(1) / 6), 0, HALF_LOG2**2, GOALS,
        lambda z: z),
    Fit("COSH", "(cosh r − 1)/r² in r², |r| ≤ ½ log 2",
        root(lambda r: (mp.cosh(r) - 1) / r**2, mpf(1) / 2), 0, HALF_LOG2**2, GOALS,
        lambda z: z),
    Fit("TANH", "(tanh x − x)/x³ in x², |x| ≤ 0.625",
        root(lambda x: (mp.tanh(x) - x) / x**3, mpf(-1) / 3), 0, mpf("0.3907"), GOALS,
        lambda z: z),
    Fit("LOG", "(log(1 + f) − f)/f², −¼ ≤ f < ½",
        series(lambda f: (mp.log1p(f) - f) / f**2, mpf("-0.5")), mpf("-0.25"), mpf("0.5"),
        (SINGLE / 8, None), lambda f: f),
    Fit("ATANH", "(2 artanh(s)/s − 2)/s² in s², |s| ≤ 1/5",
        root(lambda s: (2 * mp.atanh(s) / s - 2) / s**2, mpf(2) / 3), 0, ATANH,
        (None, DOUBLE / 32), lambda z: z),
    Fit("POWER", "(artanh(s)/s − 1 − s²/3)/s⁴ in s², |s| ≤ 1/5; for float32 to 2⁻³⁸ only",
        root(lambda s: (mp.atanh(s) / s - 1 - s * s / 3) / s**4, mpf(1) / 5), 0, ATANH,
        (mpf(2) ** -38, mpf(2) ** -68), lambda z: z * z),
    Fit("SIN", "(sin r − r)/r³ in r², |r| ≤ ½π",
        root(lambda r: (mp.sin(r) - r) / r**3, mpf(-1) / 6), 0, mpf("1.58") ** 2,
        GOALS, lambda z: z),
    Fit("SIN_QUARTER", "(sin r − r)/r³ in r², |r| ≤ ¼π",
        root(lambda r: (mp.sin(r) - r) / r**3, mpf(-1) / 6), 0, mpf("0.79") ** 2,
        GOALS, lambda z: z),
    Fit("COS_QUARTER", "(cos r − 1 + r²/2)/r⁴ in r², |r| ≤ ¼π",
        root(lambda r: (mp.cos(r) - 1 + r * r / 2) / r**4, mpf(1) / 24), 0, mpf("0.79") ** 2,
        GOALS, lambda z: z * z),
    Fit("ARCSIN", "(arcsin s − s)/s³ in s², |s| ≤ ½",
        root(lambda s: (mp.asin(s) - s) / s**3, mpf(1) / 6), 0, mpf("0.25"), GOALS,
        lambda z: z),
    Fit("ARCTAN", "(arctan t − t)/t³ in t², |t| ≤ tan ⅛π",
        root(lambda t: (mp.atan(t) - t) / t**3, mpf(-1) / 3), 0, mpf("0.4143") ** 2, GOALS,
        lambda z: z),
    Fit("CBRT", "(1 + f)^(−1/3), −¼ ≤ f < ½: a start",
        lambda f: (1 + f) ** (mpf(-1) / 3), mpf("-0.25"), mpf("0.5"),
        (mpf(2) ** -14, mpf(2) ** -15)),
    Fit("ERF", "erf(x)/x − 1 in x², |x| ≤ 0.9",
        root(lambda x: mp.erf(x) / x - 1, 2 / mp.sqrt(mp.pi) - 1), 0, mpf("0.81"), GOALS),
    Fit("ERF_FAR", "−log₂ erfc x, 0.9 ≤ x ≤ 4",
        lambda x: -mp.log(mp.erfc(x), 2), mpf("0.9"), 4, (SINGLE / 8, None),
        lambda x: mp.erfc(x) * mp.log(2)),
    Fit("ERFC", "e^(x²)·erfc(x)/t in t − ½, t = 1/(1 + x/2), x ≤ 10.2 and ≤ 27.3",
        scaled_erfc_of, None, mpf("0.5"), (SINGLE / 8, DOUBLE / 8),
        lambda u: 1 / scaled_erfc_of(u)),
]  # fmt: skip
TURN_BITS = 1232  # 971 for the largest exponent, 254 for the result, and whole bytes
ERFC_ENDS = (1 / mpf("6.1") - mpf("0.5"), 1 / mpf("14.65") - mpf("0.5"))


def interpolated(function: Callable[[Any], Any], low: Any, high: Any, degree: int) -> list[Any]:
    """The polynomial of this degree that interpolates the function at Chebyshev points."""
    middle, half = (high + low) / 2, (high - low) / 2
    points = [
        middle + half * mp.cos(mp.pi * (2 * k + 1) / (2 * degree + 2)) for k in range(degree + 1)
    ]
    powers = mp.matrix([[x**k for k in range(degree, -1, -1)] for x in points])
    return list(mp.lu_solve(powers, mp.matrix([function(x) for x in points])))


def rounded(fit: Fit, low: Any, coefficients: list[Any]) -> list[Any]:
    """The polynomial with float32 coefficients: each is rounded, from the lowest power on, and the
    higher ones are fitted again by weighted least squares."""
    middle, half = (fit.high + low) / 2, (fit.high - low) / 2
    count = 4 * len(coefficients)
    points = [middle + half * mp.cos(mp.pi * (2 * k + 1) / (2 * count)) for k in range(count)]
    values = [fit.function(x) for x in points]
    weights = [fit.weight(x) for x in points]
    found = [single(coefficients[-1])]  # the lowest power first
    while len(found) < len(coefficients):
        powers = range(len(found), len(coefficients))
        rows = [[w * x**k for k in powers] for x, w in zip(points, weights, strict=True)]
        known = [mp.polyval(found[::-1], x) for x in points]
        wanted = [w * (y - z) for w, y, z in zip(weights, values, known, strict=True)]
        found.append(single(mp.lu_solve(mp.matrix(rows), mp.matrix(wanted))[0]))
    return found[::-1]


def single(number: Any) -> Any:
    """The float32 nearest to x."""
    return mpf(float(np.float32(float(number))))


def error(fit: Fit, low: Any, coefficients: list[Any]) -> Any:
    """The maximum weighted error on a grid."""
    grid = [low + (fit.high - low) * k / 300 for k in range(301)]
    return max(abs((mp.polyval(coefficients, x) - fit.function(x)) * fit.weight(x)) for x in grid)


def solved(fit: Fit, double: bool) -> tuple[list[Any], Any]:
    """The coefficients at the lowest degree that meets the goal, and the error."""
    goal = fit.goals[double]
    if goal is None:
        return [], mpf(0)
    low = ERFC_ENDS[double] if fit.low is None else mpf(fit.low)
    for degree in range(2, 40):
        found = interpolated(fit.function, low, mpf(fit.high), degree)
        reached = error(fit, low, found)
        if reached <= goal:
            return found, reached
    raise ArithmeticError(f"{fit.name} doesn't get below {mp.nstr(goal, 3)}")


def two_over_pi() -> str:
    """The digits of 2/π needed for the largest float64, as one hexadecimal number."""
    with mp.workprec(TURN_BITS + 100):
        digits = hex(int(mp.floor(2 / mp.pi * mpf(2) ** TURN_BITS)))[2:]
    rows = [f'    "{digits[k : k + 90]}"' for k in range(0, len(digits), 90)]
    start = f"# 2/π behind its point, {TURN_BITS} bits\nTWO_OVER_PI_BITS = {TURN_BITS}\n"
    return start + "TWO_OVER_PI = int(\n" + "\n".join(rows) + ",\n    16,\n)\n"


PIECES = 32  # number of pieces of a piecewise polynomial
FAR, NEAR, WIDE = mpf(21) / 64, mpf(7) / 64, mpf(1) / 8  # widths of the pieces


def erfc_pieces() -> str:
    """Piecewise polynomials of −log₂ erfc y in t = y − the middle of the piece, for float32: the
    integer part, and the coefficients of t⁰ to t⁴, each as a row of all pieces."""
    rows: list[list[Any]] = []
    for number in range(PIECES):
        middle = FAR * number + FAR / 2
        found = interpolated(
            lambda t, middle=middle: -mp.log(mp.erfc(middle + t), 2), -FAR / 2, FAR / 2, 4
        )[::-1]
        whole = mp.nint(found[0])
        rows.append([whole, found[0] - whole, *found[1:]])
    meaning = "−log₂ erfc y in pieces 21/64 wide: wholes, then the coefficients of t⁰ to t⁴"
    return table("ERFC_PIECES", meaning, rows)


def pieces(name: str, meaning: str, function: Any, width: Any, degree: int) -> str:
    """Piecewise polynomials of a function around multiples of `width`, for float32."""
    rows: list[list[Any]] = []
    for number in range(PIECES):

        def near(t: Any, middle: Any = number * width) -> Any:
            return function(middle + t)

        fit = Fit("", "", near, -width / 2, width / 2, (None, None), lambda t, f=near: 1 / f(t))
        rows.append(rounded(fit, fit.low, interpolated(near, fit.low, fit.high, degree)))
    return table(name, f"{meaning}, the highest power first", rows)


def table(name: str, meaning: str, rows: list[list[Any]]) -> str:
    """The columns of the rows, one after the other, as Python source."""
    lines = [f"# {meaning}", f"{name} = ("]
    for column in zip(*rows, strict=True):
        numbers = ", ".join(str(np.float32(float(number))) for number in column)
        indent = " " * 8
        lines += ["    (", *wrap(numbers, 100, initial_indent=indent, subsequent_indent=indent)]
        lines.append("    ),")
    return "\n".join([*lines, ")", ""])


def main() -> None:
    lines = [HEAD]
    for fit in FITS:
        rows: list[str] = []
        for double in (False, True):
            found, reached = solved(fit, double)
            print(f"{fit.name:12} degree {len(found) - 1:3}, error {mp.nstr(reached, 3)}")
            if found and not double and fit.name != "POWER":  # which is computed in float64
                low = ERFC_ENDS[double] if fit.low is None else mpf(fit.low)
                found = rounded(fit, low, found)
            numbers = [repr(float(c)) for c in found]
            row, current = [], "       "
            for number in numbers:
                if len(current) + len(number) + 3 > 100:
                    row.append(current)
                    current = "       "
                current += f" {number},"
            rows.append("    (\n" + "\n".join([*row, current]) + "\n    )," if found else "    (),")
        lines.append(f"# {fit.meaning}\n{fit.name} = (\n" + "\n".join(rows) + "\n)\n")
    lines.append(erfc_pieces())
    meaning = "erfc y in pieces around multiples of 7/64"
    lines.append(pieces("ERFC_NEAR", meaning, mp.erfc, NEAR, 6))
    meaning = "erf y in pieces around multiples of 1/8, those below 0.8125 left out"
    lines.append(
        pieces("ERF_PIECES", meaning, lambda y: mp.erf(y) if y > 0.8125 else mpf(1), WIDE, 5)
    )
    lines.append(two_over_pi())
    if "--write" in sys.argv:
        FILE.write_text("\n".join(lines))


if __name__ == "__main__":
    main()
