"""Layers and initializers of tf.contrib."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..framework.graph import Tensor, missing
from ..initializers import GlorotNormal, GlorotUniform, VarianceScaling
from ..layers import dense, flatten
from ..maths import abs as absolute, multiply, reduce_sum
from ..nn.activations import l2_loss, relu

__all__ = [
    "flatten", "fully_connected", "l1_regularizer", "l2_regularizer",
    "variance_scaling_initializer", "xavier_initializer",
]  # fmt: skip


def fully_connected(
    inputs: Any, num_outputs: int, activation_fn: Any = relu, weights_initializer: Any = None,
    biases_initializer: Any = None, reuse: Any = None, scope: Any = None, **_: Any,
) -> Tensor:  # fmt: skip
    """inputs @ weights + biases, then ReLU or another activation."""
    return dense(
        inputs, num_outputs, activation_fn, kernel_initializer=weights_initializer,
        bias_initializer=biases_initializer, name=scope or None, reuse=reuse,
    )  # fmt: skip


def xavier_initializer(uniform: bool = True, seed: int | None = None, dtype: Any = "float32"):
    """Numbers of variance 2/(inputs + outputs) (Glorot & Bengio 2010)."""
    return (GlorotUniform if uniform else GlorotNormal)(seed, dtype)


def variance_scaling_initializer(
    factor: float = 2.0, mode: str = "FAN_IN", uniform: bool = False, seed: int | None = None,
    dtype: Any = "float32",
) -> VarianceScaling:  # fmt: skip
    """Numbers of variance factor/inputs (He et al. 2015)."""
    kind = "uniform" if uniform else "truncated_normal"
    return VarianceScaling(factor, mode.lower(), kind, seed, dtype)


def l2_regularizer(scale: float, scope: Any = None) -> Callable[[Any], Tensor]:
    """A penalty scale·Σw²/2."""
    return lambda weights: multiply(l2_loss(weights), float(scale))


def l1_regularizer(scale: float, scope: Any = None) -> Callable[[Any], Tensor]:
    """A penalty scale·Σ|w|."""
    return lambda weights: multiply(reduce_sum(absolute(weights)), float(scale))


def __getattr__(name: str) -> Any:
    raise missing("tf.contrib.layers", name, __all__)
