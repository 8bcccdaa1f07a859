"""erf and erfc against mpmath, over their whole range and in the tails."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from palingrad.maths import erf, erfc

POINTS = np.concatenate(
    [
        np.linspace(-6, 6, 241),
        [0.46875, np.nextafter(0.46875, 1), 4.0, np.nextafter(4.0, 5), 1e-300, 1e-8, -1e-8],
        np.linspace(5, 26, 43),
    ]
)


@pytest.mark.tiny
@pytest.mark.parametrize(("ours", "theirs"), [(erf, mpmath.erf), (erfc, mpmath.erfc)])
def test_relative_error_is_a_few_roundings(ours, theirs):
    expected = np.array([float(theirs(mpmath.mpf(float(x)))) for x in POINTS])
    error = np.abs(ours(POINTS) - expected) / np.maximum(np.abs(expected), 1e-308)
    assert error.max() < 4 * np.finfo(np.float64).eps


def test_special_values_and_dtypes():
    special = np.array([np.inf, -np.inf, np.nan, 0.0, 100.0, -100.0])
    np.testing.assert_array_equal(erf(special), [1, -1, np.nan, 0, 1, -1])
    np.testing.assert_array_equal(erfc(special), [0, 2, np.nan, 1, 0, 2])
    assert np.signbit(erf(np.array(-0.0)))
    for dtype in ("float16", "float32", "float64"):
        assert erf(np.ones(2, dtype)).dtype == erfc(np.ones((), dtype)).dtype == dtype
