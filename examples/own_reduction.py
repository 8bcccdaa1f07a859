"""Compiled reductions and layouts of your own.

A reduction declares how elements combine, a layout which strided view of its input it is.
"""

import math

import numpy as np

import palingrad as pg
from palingrad import case


class LogMeanExp(pg.Reduce):
    r"""y = log(1/n Σ eˣ), without overflow. ∂y/∂x = eˣ⁻ʸ/n.

    a ⊕ b = log(eᵃ + eᵇ) is associative and commutative, with the identity −∞.
    """

    math = r"\log\operatorname{mean} e^{{x}}"
    floats = True
    samples = (
        case((3, 4), axis=None, keepdims=False),
        case((3, 4), axis=-1, keepdims=True),
        case((2, 3, 4), axis=(0, 2), keepdims=False),
    )

    def identity(dtype):
        return -np.inf

    def combine(m, a, b):
        return m.logaddexp(a, b)

    def finish(m, total, n):
        return total - math.log(n)

    def vjp(y, g, x):
        return [y.beside(g) * pg.exp(x - y.beside(y)) / y.count]


class PowerMean(pg.Reduce):
    """y = (1/n Σ |x|ᵖ)^(1/p), for p ≥ 1. ∂y/∂x = sign x·(|x|/y)ᵖ⁻¹/n."""

    floats = True
    samples = (
        case((3, 4), low=0.3, axis=0, keepdims=False, p=3.0),
        case((3, 4), low=0.3, axis=None, keepdims=True, p=1.5),
    )

    def prepare(m, x, *, p):
        return m.power(m.absolute(x), p)

    def identity(dtype, *, p):
        return 0

    def combine(m, a, b, *, p):
        return a + b

    def finish(m, total, n, *, p):
        return m.power(total / n, 1 / p)

    def vjp(y, g, x):
        ratio = pg.abs(x) / y.beside(y)
        return [y.beside(g) * pg.sign(x) * ratio ** (y.p - 1) / y.count]


class QuarterTurn(pg.Layout):
    """y = x rotated by 90°: yᵢⱼ = x₍ₙ₋₁₋ⱼ₎ᵢ for x of n rows. A view, which moves no elements."""

    samples = (case((3, 4)), case((1, 2)))

    def f(m, x):
        return m.slice_of(m.swapaxes(x, 0, 1), (slice(None), slice(None, None, -1)))

    def shape_rule(y, x):
        return x[1], x[0]

    def view(y, x):
        return x.permuted((1, 0)).sliced((slice(None), slice(None, None, -1)))

    def vjp(y, g, x):
        return [g[:, ::-1].mT]


def score(x):
    """A user's reduction between the library's operations, compiled to one kernel."""
    return LogMeanExp(pg.tanh(x) * 5, axis=1, keepdims=False) + 1


def main() -> None:
    x = np.linspace(-1, 1, 12).reshape(3, 4)
    expected = np.log(np.mean(np.exp(np.tanh(x) * 5), axis=1)) + 1
    print("score   ", pg.function(score)(x), np.abs(score(x).value - expected).max() < 1e-14)
    print("rotated ", pg.function(lambda x: QuarterTurn(x) + 1)(x)[0])
    print("power   ", PowerMean(x, axis=0, keepdims=False, p=2.0).value)

    pg.check_gradients(lambda x: PowerMean(x, axis=1, keepdims=False, p=3.0), x)
    pg.check_gradients(score, x)
    print("agrees with central differences")


if __name__ == "__main__":
    main()
