"""An elementwise operation of your own: a class and its function.

An operation inside palingrad is the same class in a file of its family, and one line of exports.
"""

import numpy as np

import palingrad as pg
from palingrad import case, edge


class Mish(pg.Elementwise):
    r"""y = x·u, u = tanh(log(1 + eˣ)) (Misra 2019). ∂y/∂x = u + x·σ(x)·(1 − u²)."""

    math = r"{x}\tanh(\log(1 + e^{{x}}))"
    floats = True
    samples = (case((3, 4)), case(()), case((0, 2)), edge(0.0, 30.0, -30.0, np.nan))

    def f(m, x):
        return x * m.tanh(m.logaddexp(x, 0 * x))

    def d(y, x):
        u = pg.tanh(pg.softplus(x))
        return [u + x * pg.sigmoid(x) * (1 - u * u)]


mish = pg.unary(Mish)


class Clamped(pg.Custom):
    """y = min(max(x, 0), 1), with the gradient of y = x (a straight-through estimator).

    `compute` may be any NumPy code, which engines call and don't compile.
    """

    samples = (edge(-1.0, 0.5, 2.0),)

    def compute(self, x):
        return np.clip(x, 0, 1)

    def vjp(self, g, x):
        return [g]


def main() -> None:
    # define-then-run
    with pg.Graph():
        x = pg.placeholder()
        y = mish(x)
        slope = pg.gradients(pg.sum(y), x)
    print("graph   ", *pg.Session().run([y, slope], {x: [0.0, 1.0]}))

    # eager
    x = pg.tensor([0.0, 1.0])
    y = pg.sum(mish(x))
    y.backward()
    print("eager   ", mish(x).value, x.grad.value)

    # functions and second derivatives
    print("function", pg.function(mish)(np.array([0.0, 1.0])))
    print("second  ", pg.hessian(lambda x: pg.sum(mish(x)))(np.array([0.0, 1.0])).diagonal())

    # comparison with central differences
    pg.check_gradients(mish, np.linspace(-2, 2, 9))
    print("agrees with central differences, to the second order")

    x = pg.tensor([-1.0, 0.5, 2.0])
    pg.sum(Clamped(x)).backward()
    print("custom  ", Clamped(x).value, x.grad.value)


if __name__ == "__main__":
    main()
