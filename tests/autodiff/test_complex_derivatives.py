"""Derivatives of complex numbers, by JAX's convention: dL = Re(g·dz)."""

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import GradientError
from tolerances import assert_close, assert_same

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(3, 4)) + 1j * RNG.normal(size=(3, 4))

HOLOMORPHIC = {
    pg.exp: np.exp,
    pg.sin: np.cos,
    pg.log: lambda z: 1 / z,
    pg.sqrt: lambda z: 0.5 / np.sqrt(z),
    pg.square: lambda z: 2 * z,
    pg.asinh: lambda z: 1 / np.sqrt(1 + z * z),
}


@pytest.mark.parametrize("f", HOLOMORPHIC)
def test_the_derivative_of_a_holomorphic_function(f):
    z = 0.3 - 1.7j
    found = pg.grad(f, holomorphic=True)(np.asarray(z))
    assert_close(found, np.asarray(HOLOMORPHIC[f](z)))
    expected = np.diag(HOLOMORPHIC[f](Z[0]))
    assert_close(pg.jacobian(f, holomorphic=True)(Z[0]), expected)


def test_the_gradient_of_a_real_number():
    """L = a² + 3b has ∂L/∂a − i·∂L/∂b = 2a − 3i."""
    found = pg.grad(lambda z: z.real**2 + 3 * z.imag)(np.asarray(5 + 7j))
    assert_close(found, np.asarray(10 - 3j))


SMOOTH = {
    "powers": lambda z: z**3 + z ** (1 + 2j) + (2j) ** z,
    "quotient": lambda z: z / (1 + z * z),
    "matmul": lambda z: z @ pg.conj(z).T @ pg.exp(z),
    "prod": pg.prod,
    "norm": pg.vector_norm,
    "squared norm": lambda z: pg.vector_norm(z) ** 2,
    "std": lambda z: pg.std(z, axis=0),
    "var": pg.var,
    "phase": lambda z: pg.angle(z) * pg.abs(z) + pg.real(pg.sign(z)),
    "parts": lambda z: pg.complex(z.imag, z.real) * pg.conj(z),
    "where": lambda z: pg.where(pg.abs(z) > 1, pg.log(z), z * z),
    "indexing": lambda z: pg.concat([z[::2], z[:1]]) * z[0],
    "cumprod": lambda z: pg.cumprod(z[0], axis=0),
    "real to complex": lambda z: pg.exp(1j * pg.abs(z)),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_derivatives_are_slopes(name):
    pg.check_gradients(SMOOTH[name], Z[:2, :2] + 0.1, order=2)


def test_real_and_complex_arguments_together():
    f = lambda x, z: pg.sum(pg.abs(x * z + z**x) ** 2)  # noqa: E731
    pg.check_gradients(f, np.array([0.3, 0.5]), Z[0, :2], order=3)
    gx, gz = pg.grad(f, argnums=(0, 1))(np.array([0.3, 0.5]), Z[0, :2])
    assert (gx.dtype, gz.dtype) == (pg.float64, pg.complex128)


@pytest.mark.parametrize("f", [pg.abs, pg.angle, lambda z: pg.real(pg.sign(z)), pg.vector_norm])
def test_the_gradient_at_zero_is_zero(f):
    assert_same(pg.grad(f)(np.asarray(0j)), np.asarray(0j))


def test_the_hessian_of_the_squared_norm_at_zero():
    def f(a, b):
        return pg.vector_norm(pg.complex(a, b)) ** 2

    assert_close(pg.hessian(f)(np.zeros(2), np.zeros(2)), 2 * np.eye(2))


def test_a_branch_that_isnt_taken_adds_nothing():
    f = lambda z: pg.sum(pg.real(pg.where(pg.abs(z) > 0, pg.log(z), 0)))  # noqa: E731
    assert_close(pg.grad(f)(np.array([0j, 2j])), np.array([0, -0.5j]))


def test_jacobians_between_real_and_complex():
    x = np.array([1.0, 2.0, 3.0])
    rotation = lambda x: pg.exp(1j * x[:2])  # noqa: E731
    expected = np.hstack([np.diag(1j * np.exp(1j * x[:2])), np.zeros((2, 1))])
    assert_close(pg.jacobian(rotation)(x), expected)
    assert_close(pg.jacobian(pg.abs)(Z[0]), np.diag(np.conj(Z[0]) / np.abs(Z[0])))
    with pytest.raises(GradientError, match="holomorphic=True"):
        pg.jacobian(pg.exp)(Z[0])


def test_tangents_and_cotangents():
    t = np.array([1 - 2j, 0.5j])
    y, pushed = pg.jvp(lambda z: pg.abs(z) * z, (Z[0, :2],), (t,))
    h = 1e-6
    moved = [(lambda z: np.abs(z) * z)(Z[0, :2] + s * h * t) for s in (1, -1)]
    assert np.allclose(pushed, (moved[0] - moved[1]) / (2 * h))
    assert_close(y, np.abs(Z[0, :2]) * Z[0, :2])
    _, pull = pg.vjp(pg.exp, Z[0, :2])
    assert_close(pull(t)[0], t * np.exp(Z[0, :2]))


@pytest.mark.parametrize("call", [
    lambda z: pg.grad(pg.exp)(z),
    lambda z: pg.gradients(pg.exp(z), z),
    lambda z: pg.exp(z).backward(),
])  # fmt: skip
def test_a_complex_result_has_no_gradient(call):
    with pytest.raises(GradientError, match=r"only a real number has a gradient.*holomorphic=True"):
        call(pg.tensor(1j))


def test_holomorphic_needs_complex_numbers():
    with pytest.raises(GradientError, match="holomorphic: f returned float32"):
        pg.grad(pg.abs, holomorphic=True)(1j)
    with pytest.raises(GradientError, match="holomorphic: an argument is float32"):
        pg.grad(lambda x: pg.exp(1j * x), holomorphic=True)(1.0)
