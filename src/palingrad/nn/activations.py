"""Activation functions as layers, for use in `Sequential`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..graph.node import Node
from ..ops.elementwise import activation, trigonometric
from ..ops.reduction import softmax
from .module import Module


class Activation(Module):
    """A layer without parameters that applies one function."""

    def __init__(self, function: Callable[..., Node], **options: Any) -> None:
        self.function, self.options = function, options

    def forward(self, x: Any, *, training: bool) -> Node:
        return self.function(x, **self.options)

    def _options(self) -> list[str]:
        return [f"{name}={value}" for name, value in self.options.items()]


class ReLU(Activation):
    """y = max(x, 0)."""

    def __init__(self) -> None:
        super().__init__(activation.relu)


class LeakyReLU(Activation):
    """y = x where x > 0, else slope·x."""

    def __init__(self, slope: float = 0.01) -> None:
        super().__init__(activation.leaky_relu, slope=slope)


class ELU(Activation):
    """y = x where x > 0, else alpha·(eˣ − 1)."""

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__(activation.elu, alpha=alpha)


class GELU(Activation):
    """y = x·Φ(x); with `approximate`, the tanh approximation of Φ."""

    def __init__(self, *, approximate: bool = False) -> None:
        super().__init__(activation.gelu, approximate=approximate)


class SiLU(Activation):
    """y = x·σ(x)."""

    def __init__(self) -> None:
        super().__init__(activation.silu)


class Sigmoid(Activation):
    """y = 1/(1 + e⁻ˣ)."""

    def __init__(self) -> None:
        super().__init__(activation.sigmoid)


class Tanh(Activation):
    """y = tanh x."""

    def __init__(self) -> None:
        super().__init__(trigonometric.tanh)


class Softplus(Activation):
    """y = log(1 + eˣ)."""

    def __init__(self) -> None:
        super().__init__(activation.softplus)


class Softmax(Activation):
    """yᵢ = eˣⁱ / Σⱼ eˣʲ on `axis`."""

    def __init__(self, axis: int = -1) -> None:
        super().__init__(softmax.softmax, axis=axis)
