"""Implicit differentiation: derivatives of roots, fixed points and solutions."""

from __future__ import annotations

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import GradientError
from tolerances import assert_close, near

RNG = np.random.default_rng(0)
A = RNG.normal(size=(4, 4)) + 4 * np.eye(4)
B = RNG.normal(size=4)


def square_root(a):
    def newton(f, x):
        for _ in range(30):
            x = x - f(x) / (2 * x)
        return x

    return pg.custom_root(lambda x: x * x - a, np.ones(()), newton)


def test_a_root_has_derivatives_of_every_order():
    a = np.array(4.0)
    assert float(square_root(a)) == near(2.0)
    assert float(pg.grad(square_root)(a)) == near(1 / 4)
    assert float(pg.grad(pg.grad(square_root))(a)) == near(-1 / 32)
    assert float(pg.grad(pg.grad(pg.grad(square_root)))(a)) == near(3 / 256)
    assert float(pg.jvp(square_root, (a,), (np.array(2.0),))[1]) == near(1 / 2)


def test_a_root_of_several_unknowns_and_variables():
    w = pg.Variable(A)

    def solve(f, x):
        return np.linalg.solve(A, B + 0 * x)

    x = pg.custom_root(lambda x: w @ x - B, np.zeros(4), solve)
    assert_close(x.numpy(), np.linalg.solve(A, B))
    expected = pg.grad(lambda a: pg.sum(pg.linalg.solve(a, B) ** 2))(A)
    assert_close(pg.gradients(pg.sum(x**2), w).numpy(), expected)


def test_a_root_in_a_program_and_under_vmap():
    values = np.array([1.0, 4.0, 9.0])
    assert_close(pg.function(pg.grad(square_root))(values[1]), np.array(0.25))
    assert_close(pg.vmap(pg.grad(square_root))(values), 0.5 / np.sqrt(values))


def conjugate_gradients(product, b):
    x, r = np.zeros_like(b), b
    p = r
    for _ in range(20):
        q = product(p)
        step = (r @ r) / (p @ q + 1e-300)
        x, rest = x + step * p, r - step * q
        p, r = rest + (rest @ rest) / (r @ r + 1e-300) * p, rest
    return x


def through(matrix, b, **options):
    x = pg.custom_linear_solve(lambda x: matrix @ x, b, conjugate_gradients, **options)
    return pg.sum(pg.sin(x))


def direct(matrix, b):
    return pg.sum(pg.sin(pg.linalg.solve(matrix, b)))


@pytest.mark.parametrize("options", [{}, {"symmetric": True},
                                     {"transpose_solve": conjugate_gradients}])  # fmt: skip
def test_a_linear_system(options):
    matrix = A @ A.T

    def f(matrix, b):
        return through(matrix, b, **options)

    for one, other in zip(pg.grad(f, (0, 1))(matrix, B), pg.grad(direct, (0, 1))(matrix, B)):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
    ones = np.ones_like(B)
    second, expected = (pg.hvp(lambda b, f=f: f(matrix, b), (B,), (ones,)) for f in (f, direct))
    np.testing.assert_allclose(second, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: pg.custom_root(lambda x: x[:1], np.ones(2), lambda f, x: x), "as many equations"),
        (lambda: pg.custom_root(lambda x: x, np.ones(2), lambda f, x: 1.0), "solver returned"),
        (lambda: pg.custom_root(lambda x: (x,), np.ones(2), lambda f, x: x), "returns one array"),
    ],
)
def test_refused(call, words):
    with pytest.raises(GradientError, match=words):
        call()


def test_integers_that_the_equation_reads_are_those_of_each_example():
    table, values = np.array([1.0, 4.0]), np.array([1.0, 9.0])

    def root(a, n):
        def newton(f, x):
            for _ in range(30):
                x = x - f(x) / (2 * x)
            return x

        return pg.custom_root(lambda x: x * x - a * pg.take(table, n), np.ones(()), newton)

    found = pg.vmap(pg.value_and_grad(root))(values, np.array([1, 0]))
    assert_close(found[0], np.array([2.0, 3.0]))
    assert_close(found[1], np.array([1.0, 1 / 6]))
