"""How near two results must be: the package's own tolerances, under the tests' short names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from palingrad.proof.tolerances import (
    TOLERANCES,
    assert_close as assert_close,
    assert_same as assert_same,
)


def near(expected: Any, dtype: Any = np.float64) -> Any:
    """What compares equal to numbers within the dtype's tolerance of `expected`."""
    tolerance = TOLERANCES[np.dtype(dtype)]
    return pytest.approx(expected, rel=tolerance, abs=tolerance)
