"""Two random convolutions and their gradients, natively, against loops over taps in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engines.native.kernels.test_conv import IN_TURN, check, some

GROUPS = ((1,), (2, 3, 5, 8, 16, 17, 40))


def attempt(seed: int, folder: Path) -> None:
    rng = np.random.default_rng(seed)
    spaces = int(rng.integers(1, 3))
    cases = some(rng, 2, spaces, 24 if spaces == 2 else 70, GROUPS[seed % 2])
    check(cases, seed, *IN_TURN[:: (1 if seed // 2 % 2 else -1)])
