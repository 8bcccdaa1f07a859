"""How near two results must be. It depends on the dtype, never on the operation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

# A few dozen roundings in a row: 64 times the distance from 1 to the next number.
TOLERANCES = {np.dtype(dtype): 64 * float(np.finfo(dtype).eps) for dtype in ("f2", "f4", "f8")}


def near(expected: Any, dtype: Any = np.float64) -> Any:
    """What compares equal to numbers within the dtype's tolerance of `expected`."""
    tolerance = TOLERANCES[np.dtype(dtype)]
    return pytest.approx(expected, rel=tolerance, abs=tolerance)


def assert_close(found: Any, expected: Any, what: str = "") -> None:
    """Assert that two arrays have one shape and dtype and, within its tolerance, one value."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype), (
        f"{what}: {found.shape} {found.dtype}, expected {expected.shape} {expected.dtype}"
    )
    tolerance = TOLERANCES.get(expected.dtype, 0.0)  # integers and booleans are exact
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance, err_msg=what)


def assert_same(found: Any, expected: Any, what: str = "") -> None:
    """Assert that two arrays are the same in shape, dtype and every element; NaN equals NaN."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype), (
        f"{what}: {found.shape} {found.dtype}, expected {expected.shape} {expected.dtype}"
    )
    np.testing.assert_array_equal(found, expected, err_msg=what)
