"""Initial values of Variables by TensorFlow's names: functions of a shape."""

from __future__ import annotations

import math
from typing import Any

from ...errors import ArgumentError
from .arrays import constant
from .framework.graph import Tensor
from .framework.types import as_dtype, static
from .random_numbers import random_normal, random_uniform, truncated_normal


class Initializer:
    """A function of a shape and a dtype: the initial value."""

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        raise NotImplementedError(type(self).__name__)


class Constant(Initializer):
    """One value everywhere, or the values of an array."""

    def __init__(self, value: Any = 0, dtype: Any = "float32", verify_shape: bool = False) -> None:
        self.value, self.dtype = value, dtype

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return constant(self.value, dtype or self.dtype, shape)


class Zeros(Constant):
    """Zeros."""

    def __init__(self, dtype: Any = "float32") -> None:
        super().__init__(0, dtype)


class Ones(Constant):
    """Ones."""

    def __init__(self, dtype: Any = "float32") -> None:
        super().__init__(1, dtype)


class RandomNormal(Initializer):
    """Numbers drawn from N(mean, stddev²)."""

    draw = staticmethod(random_normal)

    def __init__(
        self, mean: float = 0.0, stddev: float = 1.0, seed: int | None = None,
        dtype: Any = "float32",
    ) -> None:  # fmt: skip
        self.mean, self.stddev, self.seed, self.dtype = mean, stddev, seed, dtype

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return self.draw(shape, self.mean, self.stddev, dtype or self.dtype, self.seed)


class TruncatedNormal(RandomNormal):
    """Numbers drawn from N(mean, stddev²), at most two standard deviations from the mean."""

    draw = staticmethod(truncated_normal)


class RandomUniform(Initializer):
    """Numbers drawn uniformly from minval, below maxval."""

    def __init__(
        self, minval: float = 0.0, maxval: float | None = None, seed: int | None = None,
        dtype: Any = "float32",
    ) -> None:  # fmt: skip
        self.minval, self.maxval, self.seed, self.dtype = minval, maxval, seed, dtype

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return random_uniform(shape, self.minval, self.maxval, dtype or self.dtype, self.seed)


class VarianceScaling(Initializer):
    """Numbers of variance scale/n, for n inputs, outputs, or their mean (He et al. 2015)."""

    # Of N(0, 1), cut off at ±2: the standard deviation.
    _CUT = 0.87962566103423978

    def __init__(
        self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "truncated_normal",
        seed: int | None = None, dtype: Any = "float32",
    ) -> None:  # fmt: skip
        kinds = ("normal", "truncated_normal", "untruncated_normal", "uniform")
        if mode not in ("fan_in", "fan_out", "fan_avg") or distribution not in kinds:
            raise ArgumentError(f"variance_scaling: mode {mode!r}, distribution {distribution!r}.")
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.seed, self.dtype = seed, dtype

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        sizes = [one or 0 for one in static(shape) or ()]
        taps = math.prod(sizes[:-2])
        inputs = sizes[-2] * taps if len(sizes) > 1 else sizes[-1] if sizes else 1
        outputs = sizes[-1] * taps if sizes else 1
        counts = {"fan_in": inputs, "fan_out": outputs, "fan_avg": (inputs + outputs) / 2}
        variance = self.scale / max(1.0, counts[self.mode])
        kind = as_dtype(dtype or self.dtype)
        if self.distribution == "uniform":
            bound = math.sqrt(3 * variance)
            return random_uniform(shape, -bound, bound, kind, self.seed)
        if self.distribution == "untruncated_normal":
            return random_normal(shape, 0.0, math.sqrt(variance), kind, self.seed)
        deviation = math.sqrt(variance) / self._CUT
        return truncated_normal(shape, 0.0, deviation, kind, self.seed)


class GlorotUniform(VarianceScaling):
    """Uniform numbers of variance 2/(inputs + outputs) (Glorot & Bengio 2010)."""

    def __init__(self, seed: int | None = None, dtype: Any = "float32") -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed, dtype)


class GlorotNormal(VarianceScaling):
    """Normal numbers of variance 2/(inputs + outputs) (Glorot & Bengio 2010)."""

    def __init__(self, seed: int | None = None, dtype: Any = "float32") -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed, dtype)


def he_normal(seed: int | None = None) -> VarianceScaling:
    """Normal numbers of variance 2/inputs (He et al. 2015)."""
    return VarianceScaling(2.0, "fan_in", "truncated_normal", seed)


def he_uniform(seed: int | None = None) -> VarianceScaling:
    """Uniform numbers of variance 2/inputs (He et al. 2015)."""
    return VarianceScaling(2.0, "fan_in", "uniform", seed)


def value_of(initial: Any, shape: Any, dtype: Any) -> Tensor:
    """The initial value that an initializer, a class of them, a number or a tensor gives."""
    if isinstance(initial, Tensor):
        return initial
    if not callable(initial):
        return constant(initial, dtype, shape)
    if static(shape) is None or None in (static(shape) or ()):
        raise ArgumentError(f"a Variable's sizes are known, got the shape {shape}.")
    function: Any = initial() if isinstance(initial, type) else initial
    return function(shape, dtype=as_dtype(dtype))
