"""How near two results must be. It depends on the dtype, never on the operation."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import Array, is_inexact

# A few dozen roundings in a row: 64 times the distance from 1 to the next number.
TOLERANCES = {
    np.dtype(dtype): 64 * float(np.finfo(dtype).eps) for dtype in ("f2", "f4", "f8", "c8", "c16")
}


def require(holds: Any, message: str) -> None:
    """Raise AssertionError with this message unless `holds`; unlike `assert`, also under -O."""
    if not holds:
        raise AssertionError(message)


def assert_close(found: Any, expected: Any, what: str = "") -> None:
    """Assert that two arrays have one shape and dtype and, within its tolerance, one value."""
    found, expected = _alike(found, expected, what)
    tolerance = TOLERANCES.get(expected.dtype, 0.0)  # integers and booleans are exact
    near: Any = found == expected
    if tolerance and not near.all():  # most are equal, which takes a tenth of the time to see
        with np.errstate(all="ignore"):
            near = np.isclose(found, expected, rtol=tolerance, atol=tolerance, equal_nan=True)
    _all_of(near, found, expected, what)


def assert_same(found: Any, expected: Any, what: str = "") -> None:
    """Assert that two arrays are the same in shape, dtype and every element; NaN equals NaN."""
    found, expected = _alike(found, expected, what)
    same = found == expected
    if is_inexact(expected.dtype):
        same |= (found != found) & (expected != expected)
    _all_of(same, found, expected, what)


def _alike(found: Any, expected: Any, what: str) -> tuple[Array, Array]:
    found, expected = np.asarray(found), np.asarray(expected)
    if found.shape != expected.shape or found.dtype != expected.dtype:
        told = f"{found.shape} {found.dtype}, expected {expected.shape} {expected.dtype}"
        raise AssertionError(f"{what}: {told}")
    return found, expected


def _all_of(equal: Any, found: Array, expected: Array, what: str) -> None:
    if np.all(equal):
        return
    places = np.argwhere(~np.asarray(equal))
    first = tuple(map(int, places[0]))
    raise AssertionError(
        f"{what}: {found[first]!r}, expected {expected[first]!r} at element {first}; "
        f"{len(places)} of {found.size} elements differ"
    )
