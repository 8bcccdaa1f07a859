"""Weight initialisers: functions from a shape to random numbers whose variance suits the layer.

A weight of shape (inputs, outputs) has fan-in `inputs` and fan-out `outputs`. For a convolution's
weight (outputs, inputs, *window), both are multiplied by the number of elements of the window.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtypes import as_dtype, default_dtype
from ..errors import ShapeError
from ..graph.node import Node
from ..graph.promotion import as_node
from ..graph.registry import ops
from ..messages.checks import within

Initializer = Callable[..., Node]


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """(fan-in, fan-out) of a weight. Raises ShapeError if it has fewer than two axes."""
    if len(shape) < 2:
        raise ShapeError(f"fan-in and fan-out need two axes or more, got shape {tuple(shape)}")
    if len(shape) == 2:
        return shape[0], shape[1]
    window = math.prod(shape[2:])
    return shape[1] * window, shape[0] * window


def _uniform(shape: Sequence[int], variance: float, options: dict[str, Any]) -> Node:
    limit = math.sqrt(3 * variance)
    return ops.uniform(shape, low=-limit, high=limit, **options)


def _normal(shape: Sequence[int], variance: float, options: dict[str, Any]) -> Node:
    return ops.normal(shape, std=math.sqrt(variance), **options)


def glorot_uniform(shape: Sequence[int], *, seed: int | None = None, dtype: Any = None) -> Node:
    """Uniform with variance 2/(fan-in + fan-out) (Glorot & Bengio 2010): for tanh and sigmoid."""
    return _uniform(shape, 2 / sum(fans(shape)), dict(seed=seed, dtype=dtype))


def glorot_normal(shape: Sequence[int], *, seed: int | None = None, dtype: Any = None) -> Node:
    """Normal with variance 2/(fan-in + fan-out) (Glorot & Bengio 2010)."""
    return _normal(shape, 2 / sum(fans(shape)), dict(seed=seed, dtype=dtype))


def he_uniform(shape: Sequence[int], *, seed: int | None = None, dtype: Any = None) -> Node:
    """Uniform with variance 2/fan-in (He et al. 2015): for ReLU."""
    return _uniform(shape, 2 / fans(shape)[0], dict(seed=seed, dtype=dtype))


def he_normal(shape: Sequence[int], *, seed: int | None = None, dtype: Any = None) -> Node:
    """Normal with variance 2/fan-in (He et al. 2015): for ReLU."""
    return _normal(shape, 2 / fans(shape)[0], dict(seed=seed, dtype=dtype))


def lecun_uniform(shape: Sequence[int], *, seed: int | None = None, dtype: Any = None) -> Node:
    """Uniform with variance 1/fan-in (LeCun et al. 1998)."""
    return _uniform(shape, 1 / fans(shape)[0], dict(seed=seed, dtype=dtype))


def lecun_normal(shape: Sequence[int], *, seed: int | None = None, dtype: Any = None) -> Node:
    """Normal with variance 1/fan-in (LeCun et al. 1998)."""
    return _normal(shape, 1 / fans(shape)[0], dict(seed=seed, dtype=dtype))


def orthogonal(shape: Sequence[int], *, seed: int | None = None, dtype: Any = None) -> Node:
    """A matrix with orthonormal rows or columns, whichever are fewer (Saxe et al. 2014): for the
    weights of recurrent states. Axes after the first are taken as one."""
    fans(shape)
    rows, columns = shape[0], math.prod(shape[1:])
    tall = max(rows, columns), min(rows, columns)
    q, r = np.linalg.qr(ops.normal(tall, seed=seed, dtype="float64").numpy())
    q *= np.where(np.diagonal(r) < 0, -1, 1)  # so that q is uniformly distributed
    found = q if rows >= columns else q.T
    kind = default_dtype() if dtype is None else as_dtype(dtype)
    return as_node(np.ascontiguousarray(found.reshape(tuple(shape)), kind))


def normal(std: float = 0.01) -> Initializer:
    """Normal with standard deviation `std`, independent of the shape."""
    within("normal: std", std, "[0, inf)", like=0.01)
    return lambda shape, *, seed=None, dtype=None: ops.normal(
        shape, std=std, seed=seed, dtype=dtype
    )


def uniform(limit: float = 0.05) -> Initializer:
    """Uniform in [−limit, limit), independent of the shape."""
    within("uniform: limit", limit, "[0, inf)", like=0.05)
    return lambda shape, *, seed=None, dtype=None: ops.uniform(
        shape, low=-limit, high=limit, seed=seed, dtype=dtype
    )


def zeros(shape: Sequence[int], *, seed: int | None = None, dtype: Any = None) -> Node:
    """Zeros, for biases."""
    return as_node(np.zeros(tuple(shape), default_dtype() if dtype is None else as_dtype(dtype)))
