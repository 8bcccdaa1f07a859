"""MyGrad: eager NumPy with a tape."""

from __future__ import annotations

from types import SimpleNamespace

import mygrad
import mygrad.nnet
import numpy as np

from contenders import Step
from contenders.eager import EAGER

M = SimpleNamespace(
    sum=mygrad.sum, sigmoid=mygrad.nnet.activations.sigmoid, relu=mygrad.nnet.activations.relu
)


class Framework:
    def __init__(self, threads: int) -> None:
        """MyGrad takes NumPy's number of threads."""

    def eager(self, name: str, *arrays: np.ndarray) -> Step:
        f, tensors = getattr(mygrad, name), [mygrad.tensor(one) for one in arrays]
        return lambda: f(*tensors)

    def eager_gradient(self, name: str, *arrays: np.ndarray) -> Step:
        f, tensors = EAGER[name], [mygrad.tensor(one) for one in arrays]

        def step() -> np.ndarray:
            f(M, *tensors).backward()
            return tensors[0].grad

        return step
