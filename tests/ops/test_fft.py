"""pg.fft: each transform as NumPy computes it, in both widths, and its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import palingrad as pg
from palingrad.errors import ArgumentError, DTypeError, ShapeError, UnknownNameError
from tolerances import assert_close, assert_same

X = np.sin(np.arange(30.0)).reshape(2, 3, 5)
Z = X + 1j * np.cos(np.arange(30.0)).reshape(2, 3, 5)
OF_REAL = ("rfft", "ihfft", "rfft2", "rfftn")
ONE_AXIS: list[dict[str, Any]] = [{}, dict(n=4), dict(n=8, axis=0), dict(axis=1), dict(n=1)]
AXES: list[dict[str, Any]] = [
    {}, dict(axes=(0, 2)), dict(s=(4, 3), axes=(2, 0)), dict(s=(2, 7), axes=(-2, -1)),
    dict(axes=(1, 1)),
]  # fmt: skip
CASES = [
    *[(name, options) for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
      for options in ONE_AXIS],
    *[(name, options) for name in ("fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn",
                                   "irfftn") for options in AXES],
]  # fmt: skip


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_transform_is_numpys(name, options):
    for x in (X, X.astype(np.float32), *(() if name in OF_REAL else (Z, Z.astype(np.complex64)))):
        for norm in (None, "ortho", "forward") if x.dtype.itemsize > 8 else ("backward",):
            expected = getattr(np.fft, name)(x, **options, norm=norm)
            found = getattr(pg.fft, name)(x, **options, norm=norm).numpy()
            assert found.dtype == expected.dtype
            assert_close(found, expected)
    compiled = pg.function(lambda x: getattr(pg.fft, name)(x, **options), engine="native")
    assert_close(compiled(X), getattr(np.fft, name)(X, **options))


def test_shifts_and_frequencies():
    for axes in (None, 1, (0, 2)):
        assert_same(pg.fft.fftshift(X, axes).numpy(), np.fft.fftshift(X, axes))
        assert_same(pg.fft.ifftshift(Z, axes).numpy(), np.fft.ifftshift(Z, axes))
    for n in (1, 4, 5):
        for name in ("fftfreq", "rfftfreq"):
            found = getattr(pg.fft, name)(n, 0.5)
            assert found.dtype == np.float32
            assert_close(found.numpy(), getattr(np.fft, name)(n, 0.5).astype(np.float32))
    assert pg.fft.fftfreq(4, dtype="float64").dtype == np.float64


def test_the_gradient_of_a_power_spectrum():
    def energy(x: Any) -> Any:
        return pg.sum(pg.abs(pg.fft.rfft(x, axis=0)) ** 2 * np.arange(3.0))

    x = X[0, :, 0].copy()
    x = np.append(x, [0.5, -1.0])
    matrix = np.exp(-2j * np.pi * np.outer(np.arange(3), np.arange(5)) / 5)
    weighted = 2 * ((matrix.conj().T * np.arange(3)) @ matrix).real
    assert_close(pg.grad(energy)(x), weighted @ x)
    assert_close(pg.hessian(energy)(x), weighted)
    for engine in ("numpy", "native"):
        assert_close(pg.function(pg.grad(energy), engine=engine)(x), weighted @ x)


def test_there_and_back_changes_nothing():
    slope = pg.grad(lambda x: pg.sum(pg.fft.irfft(pg.fft.rfft(x), n=5) * X))(X)
    assert_close(slope, X)
    found = pg.fft.ifftn(pg.fft.fftn(pg.tensor(Z), norm="ortho"), norm="ortho")
    assert_close(found.numpy(), Z)
    assert_close(pg.fft.irfft(np.ones((2, 0)), n=3).numpy(), np.zeros((2, 3)))


WRONG: list[tuple[Any, Any, str]] = [
    (lambda: pg.fft.rfft(Z), DTypeError, "expected real numbers"),
    (lambda: pg.fft.fft(X, n=0), ArgumentError, "an integer ≥ 1"),
    (lambda: pg.fft.fft(X, norm="othro"), ArgumentError, "Did you mean 'ortho'"),
    (lambda: pg.fft.fft(X[:, :0], axis=1), ShapeError, "one or more"),
    (lambda: pg.fft.irfft(Z[..., :1]), ShapeError, "has 1 elements"),
    (lambda: pg.fft.fft2(X[0, 0]), ShapeError, "out of range"),
    (lambda: pg.fft.fftn(X, s=(2,), axes=(0, 1)), ArgumentError, "1 sizes for 2 axes"),
    (lambda: pg.fft.rfftn(X, axes=()), ShapeError, "at least one axis"),
    (lambda: getattr(pg.fft, "dc" + "t"), UnknownNameError, "rfft of x and its mirror image"),
    (lambda: pg.grad(lambda x: pg.fft.fft(x)[0])(X[0, 0]), Exception, "only a real number"),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_what_does_not_fit_is_refused(number):
    call, error, text = WRONG[number]
    with pytest.raises(error, match=text):
        call()
