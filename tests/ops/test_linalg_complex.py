"""Linear algebra of complex matrices: values, and gradients that phases of vectors don't change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad import linalg
from tolerances import assert_close

RNG = np.random.default_rng(0)
A = RNG.normal(size=(4, 4))
COMPLEX = A + 1j * RNG.normal(size=(4, 4))
HERMITIAN = COMPLEX + COMPLEX.conj().T
B = RNG.normal(size=(4, 2))
TALL, WIDE = RNG.normal(size=(5, 3)), RNG.normal(size=(3, 5))

OF_COMPLEX: list[tuple[Any, ...]] = [
    *((name, COMPLEX) for name in ("inv", "det", "slogdet", "qr", "svd", "svdvals", "pinv")),
    ("solve", COMPLEX, B),
    ("cholesky", HERMITIAN @ HERMITIAN),
    *((name, HERMITIAN) for name in ("eigh", "eigvalsh")),
    *(("norm", COMPLEX, p) for p in (None, "nuc", 1, 2)),
    ("cond", COMPLEX),
    ("vecdot", COMPLEX, B[:, 0]),
    ("trace", COMPLEX),
]


@pytest.mark.parametrize("given", OF_COMPLEX, ids=lambda given: given[0])
def test_values_of_complex_matrices_are_numpys(given):
    name, *arguments = given
    found, expected = (getattr(one, name)(*arguments) for one in (linalg, np.linalg))
    if not isinstance(expected, tuple):
        found, expected = (found,), (expected,)
    for one, other in zip(found, expected, strict=True):
        assert_close(one.numpy(), np.asarray(other), name)


def adjoint(x: Any) -> Any:
    return pg.conj(x).mT


def of_hermitian(x: Any) -> Any:
    w, v = linalg.eigh(x)
    return v * pg.exp(w / 4) @ adjoint(v)


def of_general(x: Any) -> Any:
    w, v = linalg.eig(x)
    return v * pg.exp(w / 4) @ linalg.inv(v)


def unitary(x: Any) -> Any:
    u, s, vh = linalg.svd(x, full_matrices=False)
    return (u / s[..., None, :]) @ vh


INVARIANT = [
    (of_hermitian, HERMITIAN),
    (lambda x: (lambda v: v[:, :2] @ adjoint(v[:, :2]))(linalg.eigh(x)[1]), HERMITIAN),
    (of_general, COMPLEX),
    (of_general, A),
    (lambda x: pg.abs(linalg.eig(x)[1]) ** 4, COMPLEX),
    (unitary, COMPLEX),
    (unitary, TALL + 0.5j * TALL[::-1]),
    (unitary, WIDE + 0.5j * WIDE[::-1]),
    (lambda x: pg.abs(linalg.eig(pg.stack([x, 2 * x + 1]))[1][1]) ** 4, COMPLEX),
]


@pytest.mark.parametrize("place", range(len(INVARIANT)))
def test_derivatives_through_complex_vectors(place):
    """The battery can't take them: a sum of the vectors' elements depends on their phases."""
    function, x = INVARIANT[place]
    weights = np.cos(np.arange(25.0)).reshape(5, 5) + 1j * np.sin(np.arange(25.0)).reshape(5, 5)

    def total(x: Any) -> Any:
        y = function(x)
        return pg.real(pg.sum(y * weights[: y.shape[0], : y.shape[1]]))

    pg.check_gradients(total, x, order=1 if place > 2 else 2)


@pytest.mark.parametrize("factor", [0, 1])
def test_a_gradient_along_an_undetermined_phase_is_refused(factor):
    functions: list[Any] = [linalg.eigh, linalg.eig, lambda x: linalg.svd(x)[:2][::-1]]
    for function in functions:
        gradient = pg.grad(lambda x, f=function: pg.imag(pg.sum(f(x)[1] * (2 + factor))))
        for way in (gradient, pg.function(gradient)):  # what a Program doesn't use isn't computed
            with pytest.raises(linalg.LinAlgError, match="depends on the phases"):
                way(HERMITIAN)


def test_residuals_of_complex_systems_are_squares_of_absolute_values():
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=(5, n)) + 1j * rng.normal(size=(5, n)) for n in (3, 2))
    found, expected = linalg.lstsq(a, b), np.linalg.lstsq(a, b)
    assert_close(found.solution.numpy(), expected[0], "x")
    assert_close(found.residuals.numpy(), expected[1], "residuals")
    assert_close(pg.grad(lambda b: pg.sum(linalg.lstsq(a, b).residuals))(b),
                 2 * np.conj(b - a @ expected[0]), "gradient")  # fmt: skip
