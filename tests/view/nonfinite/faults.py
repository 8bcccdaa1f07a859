"""Programs with one fault each, on the line marked `# fault`.

Each takes a node x of floats and returns one number. `reason` is part of what must be said.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import palingrad as pg

LARGE = 3e38
BACKWARD = "backward"


class Fault(NamedTuple):
    """A program, its data, words of the reason, whether only the gradient shows it, and where it
    begins."""

    f: Callable[[Any], Any]
    data: Any
    reason: str
    backward: bool = False
    during: str = "forward"
    ieee: bool = False  # a fault only if 0·∞ is NaN in derivatives

    @property
    def line(self) -> int:
        """The line where the non-finite value originates."""
        lines, first = inspect.getsourcelines(self.f)
        return first + next(n for n, line in enumerate(lines) if "# fault" in line)


def log_of_negative(x):
    y = x - 0.8
    z = pg.log(y)  # fault
    return pg.sum(z * 2)


def log_of_zero(x):
    y = pg.relu(x)
    z = pg.log(y)  # fault
    return pg.mean(z)


def log2_of_zero(x):
    return pg.sum(
        pg.log2(x)  # fault
    )


def log10_of_negative(x):
    y = pg.log10(x)  # fault
    return pg.sum(pg.tanh(y))


def log1p_below_minus_one(x):
    y = pg.log1p(x)  # fault
    return pg.sum(y)


def log_of_one_minus_p(x):
    p = pg.sigmoid(x)
    q = pg.log(1 - p)  # fault
    return -pg.mean(q)


def entropy_with_a_zero(x):
    p = pg.maximum(x, 0)
    h = p * pg.log(p)  # fault
    return -pg.sum(h)


def root_of_negative(x):
    y = x * 3
    z = pg.sqrt(y)  # fault
    return pg.max(z)


def variance_by_hand(x):
    mean = pg.mean(x)
    spread = pg.mean(x * x) - mean * mean - 1.0
    deviation = pg.sqrt(spread)  # fault
    return deviation + 1


def zero_by_zero(x):
    top = x - x
    y = top / pg.sum(top)  # fault
    return pg.sum(y)


def one_by_zero(x):
    y = 1 / x  # fault
    return pg.sum(y)


def reciprocal_of_zero(x):
    y = pg.reciprocal(x)  # fault
    return pg.sum(pg.abs(y))


def normalised_zero_vector(x):
    length = pg.vector_norm(x)
    unit = x / length  # fault
    return pg.sum(unit * 3)


def exp_overflows(x):
    y = pg.exp(x)  # fault
    return pg.sum(y)


def softmax_by_hand(x):
    e = pg.exp(x)  # fault
    p = e / pg.sum(e)
    return pg.sum(p * p)


def softplus_by_hand_on_a_product(x):
    e = pg.exp(x)  # fault
    return pg.sum(pg.log(2 + e))


def exp2_overflows(x):
    y = pg.exp2(x)  # fault
    return pg.sum(y)


def expm1_overflows(x):
    return pg.sum(pg.expm1(x))  # fault


def sinh_overflows(x):
    y = pg.sinh(x)  # fault
    return pg.sum(y)


def cosh_overflows(x):
    y = pg.cosh(x)  # fault
    z = pg.reshape(y, (-1,))
    return pg.sum(z)


def fractional_power_of_negative(x):
    y = x**1.5  # fault
    return pg.sum(y)


def negative_power_of_zero(x):
    y = x**-2.0  # fault
    return pg.sum(y)


def power_overflows(x):
    y = x**9.0  # fault
    return pg.sum(y)


def asin_outside(x):
    y = pg.asin(x)  # fault
    return pg.sum(y)


def acos_outside(x):
    angle = pg.acos(x * 1.1)  # fault
    return pg.sum(angle)


def acosh_below_one(x):
    y = pg.acosh(x)  # fault
    return pg.sum(y)


def atanh_at_one(x):
    y = pg.atanh(x)  # fault
    return pg.sum(y)


def product_overflows(x):
    y = x * 1e30
    z = y * y  # fault
    return pg.mean(z)


def square_overflows(x):
    y = pg.square(x)  # fault
    return pg.mean(y)


def sum_overflows(x):
    y = x * 1.0
    total = pg.sum(y)  # fault
    return total / 4


def matmul_overflows(x):
    y = pg.matmul(x, x)  # fault
    return pg.mean(y * 1e-30)


def narrow_cast_overflows(x):
    y = pg.cast(x, pg.float16)  # fault
    return pg.sum(pg.cast(y, pg.float32))


def remainder_by_zero(x):
    y = pg.remainder(x, x - x)  # fault
    return pg.sum(y)


def mean_of_nothing(x):
    y = x[3:]
    m = pg.mean(y)  # fault
    return m * 2


def variance_of_one(x):
    v = pg.var(x, correction=1)  # fault
    return v


def infinite_mask_on_all(x):
    scores = pg.where(x > 0, x, -np.inf)
    p = pg.softmax(scores)  # fault
    return pg.sum(p)


def through_a_permutation(x):
    y = pg.log(x)  # fault
    z = pg.permute_dims(pg.stack([y, y * 2]), (1, 0))
    return pg.sum(z[1:2])


# ---------------------------------------------------------------- faults of the gradient alone


def root_at_zero(x):
    y = pg.sqrt(x)  # fault
    return pg.sum(y)


def norm_by_hand_at_zero(x):
    square = pg.sum(x * x)
    length = pg.sqrt(square)  # fault
    return length


def masked_root(x):
    y = pg.sqrt(x)  # fault
    return pg.sum(pg.where(x > 0, y, 0))


def masked_log(x):
    y = pg.log(x)  # fault
    return pg.sum(pg.where(x > 0, y, 0))


def masked_quotient(x):
    y = 1 / x  # fault
    return pg.sum(pg.where(x != 0, y, 0))


def half_power_at_zero(x):
    y = x**0.5  # fault
    return pg.sum(y)


def cube_root_at_zero(x):
    y = pg.cbrt(x)  # fault
    return pg.sum(y)


def asin_at_one(x):
    y = pg.asin(x)  # fault
    return pg.sum(y)


def acosh_at_one(x):
    y = pg.acosh(x)  # fault
    return pg.sum(y)


def masked_overflow(x):
    y = pg.exp(x)  # fault
    return pg.sum(pg.where(x < 50, y, 0))


FAULTS = [
    Fault(log_of_negative, [1.0, 0.5, 2.0], "log of −0.3"),
    Fault(log_of_zero, [1.0, -0.5], "log of 0"),
    Fault(log2_of_zero, [1.0, 0.0], "log2 of 0"),
    Fault(log10_of_negative, [1.0, -10.0], "log10 of −10"),
    Fault(log1p_below_minus_one, [0.0, -1.5], "log1p of −1.5"),
    Fault(log_of_one_minus_p, [0.0, 90.0], "log of 0"),
    Fault(entropy_with_a_zero, [0.5, 0.0, 0.5], "log of 0"),
    Fault(root_of_negative, [1.0, -2.0], "square root of −6"),
    Fault(variance_by_hand, [1.0, 1.0], "square root of −1"),
    Fault(zero_by_zero, [1.0, 2.0], "0/0"),
    Fault(one_by_zero, [1.0, 0.0], "1/0"),
    Fault(reciprocal_of_zero, [1.0, 0.0], "1/0"),
    Fault(normalised_zero_vector, [0.0, 0.0], "0/0"),
    Fault(exp_overflows, [1.0, 89.2], "exp overflows at 89.2 in float32"),
    Fault(softmax_by_hand, [1.0, 100.0], "exp overflows at 100 in float32"),
    Fault(softplus_by_hand_on_a_product, [95.0], "exp overflows at 95"),
    Fault(exp2_overflows, [128.5], "exp2 overflows at 128"),
    Fault(expm1_overflows, [100.0], "expm1 overflows at 100"),
    Fault(sinh_overflows, [1.0, 90.0], "sinh overflows at 90"),
    Fault(cosh_overflows, [-91.0, 2.0], "cosh overflows at −91"),
    Fault(fractional_power_of_negative, [2.0, -2.0], "−2 to the power 1.5"),
    Fault(negative_power_of_zero, [2.0, 0.0], "0 to the power −2"),
    Fault(power_overflows, [1e5], "1e05 to the power 9 overflows float32"),
    Fault(asin_outside, [0.5, 1.5], "asin of 1.5, which is outside −1 … 1"),
    Fault(acos_outside, [1.0], "acos of 1.1"),
    Fault(acosh_below_one, [2.0, 0.5], "acosh of 0.5, which is below 1"),
    Fault(atanh_at_one, [0.5, 1.0], "atanh of 1"),
    Fault(product_overflows, [1.0], "1e30 · 1e30 overflows float32"),
    Fault(square_overflows, [1e20], "1e20 · 1e20 overflows float32"),
    Fault(sum_overflows, [LARGE, LARGE], "the sum overflows float32"),
    Fault(matmul_overflows, [[1e20, 0.0], [0.0, 1e20]], "overflows float32"),
    Fault(narrow_cast_overflows, [7e4], "7e04 doesn't fit float16"),
    Fault(remainder_by_zero, [3.0], "remainder of 3 by 0"),
    Fault(mean_of_nothing, [1.0, 2.0], "0/0: the number of elements to average over is 0"),
    Fault(variance_of_one, [1.0], "0/0: the number of elements to average over is 0"),
    Fault(infinite_mask_on_all, [-1.0, -2.0], "−∞ − (−∞)"),
    Fault(through_a_permutation, [1.0, 0.0, 2.0], "log of 0"),
    Fault(root_at_zero, [1.0, 0.0], "the derivative of sqrt at 0 is ∞", True, BACKWARD),
    Fault(norm_by_hand_at_zero, [0.0, 0.0], "0 · ∞ in the derivative of sqrt at 0", True, BACKWARD),
    Fault(masked_root, [1.0, 0.0], "0 · ∞ in the derivative of sqrt at 0", True, BACKWARD, True),
    Fault(masked_log, [1.0, 0.0], "0 · ∞ in the derivative of log at 0", True, BACKWARD, True),
    Fault(masked_quotient, [1.0, 0.0], "1/0, a value that the gradient needs", True, ieee=True),
    Fault(half_power_at_zero, [1.0, 0.0], "the derivative of pow at (0, 0.5) is ∞", True, BACKWARD),
    Fault(cube_root_at_zero, [1.0, 0.0], "the derivative of cbrt at 0 is ∞", True, BACKWARD),
    Fault(asin_at_one, [1.0, 0.0], "the derivative of asin at 1 is ∞", True, BACKWARD),
    Fault(acosh_at_one, [1.0, 2.0], "the derivative of acosh at 1 is ∞", True, BACKWARD),
    Fault(masked_overflow, [1.0, 100.0], "exp overflows at 100", True, ieee=True),
]
