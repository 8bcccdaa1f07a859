"""The functions that tools/special.py measures: where, and what they should be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np

from palingrad import grad, special as s


class Row(NamedTuple):
    """A function, its points, and its exact value; `size` is what errors are relative to where the
    result is smaller: the amplitude of an oscillation, for example."""

    function: Callable[..., Any]
    exact: Callable[..., Any]
    draw: Callable[[np.random.Generator, int], tuple[Any, ...]]
    domain: str
    size: Callable[..., Any] | None = None
    digits: int = 30


def logs(low: float, high: float) -> Callable[[Any, int], Any]:
    """Numbers whose logarithms are uniform."""
    return lambda rng, n: np.exp(rng.uniform(np.log(low), np.log(high), n))


def flat(low: float, high: float) -> Callable[[Any, int], Any]:
    return lambda rng, n: rng.uniform(low, high, n)


def mixed(*parts: Callable[[Any, int], Any]) -> Callable[[Any, int], tuple[Any]]:
    """The parts, in equal numbers, of one argument."""
    return lambda rng, n: (np.concatenate([part(rng, -(-n // len(parts))) for part in parts]),)


def several(*parts: Callable[[Any, int], Any]) -> Callable[[Any, int], tuple[Any, ...]]:
    """One part for each argument."""
    return lambda rng, n: tuple(part(rng, n) for part in parts)


def negated(part: Callable[[Any, int], Any]) -> Callable[[Any, int], Any]:
    return lambda rng, n: -part(rng, n)


def below_one(part: Callable[[Any, int], Any]) -> Callable[[Any, int], Any]:
    return lambda rng, n: 1 - part(rng, n)


def around(low: float, high: float, width: float) -> Callable[[Any, int], tuple[Any, Any]]:
    """(a, x) with x within `width` standard deviations of a, and far from it."""

    def draw(rng: Any, n: int) -> tuple[Any, Any]:
        a = logs(low, high)(rng, n)
        near = np.abs(a + rng.uniform(-width, width, n) * np.sqrt(a))
        return a, np.where(rng.random(n) < 0.6, near, a * logs(1e-2, 5)(rng, n))

    return draw


def of_beta(low: float, high: float) -> Callable[[Any, int], tuple[Any, Any, Any]]:
    """(a, b, x) with x within 5 standard deviations of the mean, and anywhere."""

    def draw(rng: Any, n: int) -> tuple[Any, Any, Any]:
        a, b = logs(low, high)(rng, n), logs(low, high)(rng, n)
        spread = np.sqrt(a * b / (a + b + 1)) / (a + b)
        near = np.clip(a / (a + b) + rng.uniform(-5, 5, n) * spread, 1e-3, 1 - 1e-3)
        return a, b, np.where(rng.random(n) < 0.5, near, rng.uniform(0, 1, n))

    return draw


REAL = mixed(flat(-20, 30), logs(1e-300, 1), negated(logs(1e-10, 1)), flat(-150, 170))
POSITIVE = mixed(logs(1e-300, 1e-3), logs(1e-3, 1e3), logs(1e3, 1e15), flat(0.5, 3))
UNIT = mixed(flat(0, 1), logs(1e-300, 0.1), below_one(logs(1e-15, 0.1)))
WIDE = mixed(flat(-6, 6), logs(1e-300, 1), negated(logs(1e-300, 1)))
POLES = "±[1e-300, 170]"


def lgamma(x: Any) -> Any:
    return mp.log(abs(mp.gamma(x)))


def betaln(a: Any, b: Any) -> Any:
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


def zeta(s: Any, q: Any) -> Any:
    """By Euler and Maclaurin's formula: mp.zeta's error is absolute, and small values have none."""
    a = q + 60
    tail = [
        mp.bernoulli(2 * k) / mp.factorial(2 * k) * mp.rf(s, 2 * k - 1) / a ** (2 * k - 1)
        for k in range(1, 16)
    ]
    return mp.fsum((q + k) ** -s for k in range(60)) + a**-s * (a / (s - 1) + 0.5 + mp.fsum(tail))


def erfcinv(y: Any) -> Any:
    """By Newton's method on log erfc."""
    if y > 1:
        return -erfcinv(2 - y)
    x = mp.sqrt(-mp.log(y)) if y < 0.1 else (1 - y) * mp.sqrt(mp.pi) / 2
    for _ in range(60):
        step = (mp.erfc(x) / y - 1) * y / (2 / mp.sqrt(mp.pi) * mp.exp(-x * x))
        x += step if abs(step) < 1 else mp.sign(step)
        if abs(step) < abs(x) * mp.mpf(10) ** (-mp.mp.dps + 5):
            break
    return x


def normal(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def lower(a: Any, x: Any) -> Any:
    return mp.gammainc(a, 0, x, regularized=True)


def upper(a: Any, x: Any) -> Any:
    return mp.gammainc(a, x, regularized=True)


def ibeta(a: Any, b: Any, x: Any) -> Any:
    return mp.betainc(a, b, 0, x, regularized=True)


def slope(f: Callable[..., Any], place: int) -> Callable[..., Any]:
    """∂f/∂(argument `place`), by mpmath's differences."""

    def derivative(*x: Any) -> Any:
        with mp.workdps(2 * mp.mp.dps + 20):
            return mp.diff(lambda t: f(*x[:place], t, *x[place + 1 :]), x[place])

    return derivative


def gradient(f: Callable[..., Any], place: int) -> Callable[..., Any]:
    """∂f/∂(argument `place`) of palingrad, elementwise."""
    return lambda *x: _Array(np.asarray(grad(lambda *x: f(*x).sum(), place)(*x)))


class _Array(NamedTuple):
    value: Any

    def numpy(self) -> Any:
        return self.value


def amplitude(n: int) -> Callable[[float], float]:
    return lambda x: min(1.0, np.sqrt(2 / np.pi / x)) if x > n else 0.0


def bessel(function: Any, exact: Any, n: int) -> Row:
    return Row(
        function,
        lambda x: exact(n, x),
        mixed(flat(0, 50), logs(1e-10, 1e4), logs(1e4, 1e12)),
        "[1e-10, 1e12]",
        amplitude(n),
    )


TABLE: dict[str, Row] = {
    "gamma": Row(s.gamma, mp.gamma, REAL, POLES),
    "lgamma": Row(
        s.lgamma, lgamma, mixed(flat(-20, 30), logs(1e-300, 1e15), flat(0.5, 3)), "≤ 1e15"
    ),
    "rgamma": Row(s.rgamma, mp.rgamma, REAL, POLES),
    "digamma": Row(s.digamma, mp.digamma, mixed(flat(-20, 30), logs(1e-300, 1e15)), "≤ 1e15"),
    "polygamma, n = 1": Row(
        lambda x: s.polygamma(1, x),
        lambda x: mp.polygamma(1, x),
        mixed(logs(1e-100, 1e10), flat(-20, 30)),
        "[−20, 1e10]",
    ),
    "polygamma, n = 4": Row(
        lambda x: s.polygamma(4, x),
        lambda x: mp.polygamma(4, x),
        mixed(logs(1e-30, 1e10), flat(-20, 30)),
        "[−20, 1e10]",
    ),
    "beta": Row(
        s.beta,
        lambda a, b: mp.exp(betaln(a, b)),
        several(logs(1e-8, 1e6), logs(1e-8, 1e6)),
        "[1e-8, 1e6]",
    ),
    "betaln": Row(s.betaln, betaln, several(logs(1e-8, 1e10), logs(1e-8, 1e10)), "[1e-8, 1e10]"),
    "poch": Row(s.poch, mp.rf, several(logs(1e-3, 1e3), logs(1e-8, 100)), "[1e-3, 1e3]"),
    "binom": Row(s.binom, mp.binomial, several(logs(1, 500), logs(1e-3, 300)), "[1e-3, 500]"),
    "zeta": Row(
        s.zeta,
        zeta,
        lambda rng, n: (1 + logs(1e-6, 200)(rng, n), logs(1e-3, 1e3)(rng, n)),
        "x ≤ 200, q ≤ 1e3",
    ),
    "∂zeta/∂x": Row(
        gradient(s.zeta, 0),
        lambda x, q: mp.zeta(x, q, 1),
        lambda rng, n: (1 + logs(1e-3, 50)(rng, n // 4), logs(1e-2, 1e2)(rng, n // 4)),
        "x ≤ 50, q ≤ 100",
        digits=60,
    ),
    "erf": Row(s.erf, mp.erf, WIDE, "[−6, 6]"),
    "erfc": Row(s.erfc, mp.erfc, mixed(flat(-6, 26), logs(1e-300, 1)), "[−6, 26]"),
    "erfcx": Row(
        s.erfcx,
        lambda x: mp.exp(x * x) * mp.erfc(x),
        mixed(flat(-26, 50), logs(1e-300, 1), logs(1, 1e100)),
        "[−26, 1e100]",
        digits=400,
    ),
    "erfinv": Row(
        s.erfinv,
        mp.erfinv,
        mixed(flat(-1, 1), logs(1e-300, 0.1), below_one(logs(1e-15, 0.1))),
        "(−1, 1)",
    ),
    "erfcinv": Row(
        s.erfcinv,
        erfcinv,
        mixed(flat(0, 2), logs(1e-300, 0.1), below_one(logs(1e-15, 0.1))),
        "(0, 2)",
    ),
    "ndtr": Row(s.ndtr, normal, mixed(flat(-37, 10), flat(-1, 1)), "[−37, 10]"),
    "log_ndtr": Row(
        s.log_ndtr,
        lambda x: mp.log1p(-normal(-x)) if x > 0 else mp.log(normal(x)),
        mixed(flat(-40, 37), flat(-1, 1), negated(logs(10, 1e6))),
        "[−1e6, 37]",
        digits=60,
    ),
    "ndtri": Row(s.ndtri, lambda p: -mp.sqrt(2) * erfcinv(2 * p), UNIT, "(0, 1)"),
    "logit": Row(s.logit, lambda p: mp.log(p / (1 - p)), UNIT, "(0, 1)"),
    "expit": Row(
        s.expit,
        lambda x: 1 / (1 + mp.exp(-x)),
        mixed(flat(-700, 40), flat(-3, 3)),
        "[−700, 40]",
        digits=400,
    ),
    "log_expit": Row(
        s.log_expit, lambda x: -mp.log1p(mp.exp(-x)), mixed(flat(-700, 700), flat(-3, 3)), "±700"
    ),
    "xlogy": Row(
        s.xlogy,
        lambda x, y: x * mp.log(y),
        several(logs(1e-30, 1e30), logs(1e-30, 1e30)),
        "[1e-30, 1e30]",
    ),
    "xlog1py": Row(
        s.xlog1py,
        lambda x, y: x * mp.log1p(y),
        several(logs(1e-30, 1e30), logs(1e-30, 1e30)),
        "[1e-30, 1e30]",
    ),
    "entr": Row(s.entr, lambda x: -x * mp.log(x), POSITIVE, "[1e-300, 1e15]"),
    "rel_entr": Row(
        s.rel_entr,
        lambda x, y: x * mp.log(x / y),
        lambda rng, n: (x := logs(1e-3, 1e3)(rng, n), x * (1 + logs(1e-15, 100)(rng, n))),
        "[1e-3, 1e5]",
    ),
    "kl_div": Row(
        s.kl_div,
        lambda x, y: x * mp.log(x / y) - x + y,
        lambda rng, n: (x := logs(1e-3, 1e3)(rng, n), x * (1 + logs(1e-8, 100)(rng, n))),
        "[1e-3, 1e5]",
        digits=60,
    ),
    "sinc": Row(
        s.sinc,
        lambda x: mp.sin(mp.pi * x) / (mp.pi * x),
        mixed(flat(-20, 20), logs(1e-10, 1e10)),
        "±1e10",
    ),
    "i0": Row(s.i0, lambda x: mp.besseli(0, x), mixed(flat(-700, 700), flat(-10, 10)), "±700"),
    "i1": Row(s.i1, lambda x: mp.besseli(1, x), mixed(flat(-700, 700), logs(1e-300, 10)), "±700"),
    "i0e": Row(
        s.i0e,
        lambda x: mp.besseli(0, x) * mp.exp(-abs(x)),
        mixed(flat(-700, 700), logs(1e-10, 1e8)),
        "[−700, 1e8]",
    ),
    "i1e": Row(
        s.i1e,
        lambda x: mp.besseli(1, x) * mp.exp(-abs(x)),
        mixed(flat(-700, 700), logs(1e-10, 1e8)),
        "[−700, 1e8]",
    ),
    "iv, v = 2": Row(
        lambda x: s.iv(2, x), lambda x: mp.besseli(2, x), mixed(logs(1e-3, 600)), "[1e-3, 600]"
    ),
    "kv, v = 2": Row(
        lambda x: s.kv(2, x), lambda x: mp.besselk(2, x), mixed(logs(1e-3, 600)), "[1e-3, 600]"
    ),
    "j0": bessel(s.j0, mp.besselj, 0),
    "j1": bessel(s.j1, mp.besselj, 1),
    "jn, n = 7": bessel(lambda x: s.jn(7, x), mp.besselj, 7),
    "y0": bessel(s.y0, mp.bessely, 0),
    "y1": bessel(s.y1, mp.bessely, 1),
    "yn, n = 7": bessel(lambda x: s.yn(7, x), mp.bessely, 7),
    "gammainc": Row(s.gammainc, lower, around(1e-3, 1e4, 6), "a ≤ 1e4", digits=40),
    "gammaincc": Row(s.gammaincc, upper, around(1e-3, 1e4, 6), "a ≤ 1e4", digits=40),
    "∂gammainc/∂a": Row(
        gradient(s.gammainc, 0),
        slope(lower, 0),
        lambda rng, n: around(1e-2, 1e2, 4)(rng, n // 5),
        "a ≤ 100",
    ),
    "betainc": Row(s.betainc, ibeta, of_beta(1e-2, 1e3), "a, b ≤ 1e3", digits=40),
    "betaincc": Row(
        s.betaincc, lambda a, b, x: ibeta(b, a, 1 - x), of_beta(1e-2, 1e3), "a, b ≤ 1e3", digits=40
    ),
    "∂betainc/∂a": Row(
        gradient(s.betainc, 0),
        slope(ibeta, 0),
        lambda rng, n: of_beta(0.1, 50)(rng, n // 5),
        "a, b ≤ 50",
    ),
    "∂betainc/∂b": Row(
        gradient(s.betainc, 1),
        slope(ibeta, 1),
        lambda rng, n: of_beta(0.1, 50)(rng, n // 5),
        "a, b ≤ 50",
    ),
}
