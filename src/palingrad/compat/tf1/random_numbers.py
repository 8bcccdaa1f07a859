"""Random tensors by TensorFlow's names, of palingrad's generators: each run draws anew."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...dtypes import is_integer
from ...graph.registry import ops
from ...random import Generator
from .arrays import SizeOf, sizes
from .framework.convert import node
from .framework.graph import Tensor, build, get_default_graph
from .framework.types import numeric


def set_random_seed(seed: int) -> None:
    """Seeds the default graph's generator. The numbers aren't TensorFlow's."""
    get_default_graph().random.seed(seed)


def generator(seed: int | None) -> Generator:
    """The default graph's generator, or one of its own for a seed."""
    return get_default_graph().random if seed is None else Generator(seed)


def _shape(shape: Any, what: str) -> tuple[int, ...]:
    found = sizes(shape, what)
    if any(isinstance(one, SizeOf) for one in found):
        raise NotImplementedError(
            f"{what}: random tensors have sizes known when the graph is built. Give the "
            "placeholder its batch size."
        )
    return tuple(found)


def random_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32",
    seed: int | None = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Numbers drawn from N(mean, stddev²)."""

    def drawn() -> Any:
        found = generator(seed).standard_normal(_shape(shape, "random_normal"), numeric(dtype))
        return found * _scalar(stddev, dtype) + _scalar(mean, dtype)

    return build("random_normal", name, drawn)


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32",
    seed: int | None = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Numbers drawn from N(mean, stddev²), at most two standard deviations from the mean."""

    def drawn() -> Any:
        unit = generator(seed).truncated_normal(size=_shape(shape, "truncated_normal"))
        return ops.cast(unit, numeric(dtype)) * _scalar(stddev, dtype) + _scalar(mean, dtype)

    return build("truncated_normal", name, drawn)


def random_uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32",
    seed: int | None = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Numbers drawn uniformly from minval, below maxval, by default 1; integers too."""
    kind = numeric(dtype)

    def drawn() -> Any:
        size = _shape(shape, "random_uniform")
        if is_integer(np.dtype(kind)):
            return generator(seed).integers(minval, maxval, size, kind)
        unit = generator(seed).random(size, kind)
        high = _scalar(1.0 if maxval is None else maxval, dtype)
        low = _scalar(minval, dtype)
        return unit * (high - low) + low

    return build("random_uniform", name, drawn)


def _scalar(value: Any, dtype: Any) -> Any:
    return node(value) if isinstance(value, Tensor) else np.asarray(value, numeric(dtype))


def random_shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """The rows in random order."""
    return build("RandomShuffle", name, lambda: generator(seed).permutation(node(value)))
