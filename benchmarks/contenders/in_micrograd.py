"""micrograd: a tape of Python numbers."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from micrograd.engine import Value

from contenders import Step
from contenders.eager import EAGER

M = SimpleNamespace(relu=lambda x: x.relu())


class Framework:
    def __init__(self, threads: int) -> None:
        """micrograd computes with Python numbers."""

    def eager_gradient(self, name: str, *arrays: np.ndarray) -> Step:
        f, values = EAGER[name], [Value(float(one)) for one in arrays]

        def step() -> np.ndarray:
            for value in values:
                value.grad = 0  # backward() adds to it
            f(M, *values).backward()
            return np.asarray(values[0].grad)

        return step
