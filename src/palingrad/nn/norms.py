"""Normalisation layers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..dtypes import as_dtype, default_dtype
from ..errors import ArgumentError, ShapeError
from ..graph.leaves import Variable
from ..graph.node import Node
from ..graph.promotion import as_node
from ..graph.registry import ops
from ..messages.checks import whole, within
from ..shapes import Shape
from .module import Module


class LayerNorm(Module):
    """y = scale·(x − mean)/√(var + ε) + offset over the last axis, of size `features`."""

    def __init__(self, features: int, *, epsilon: float = 1e-5, dtype: Any = None) -> None:
        features = whole("LayerNorm: features", features, least=1)
        within("LayerNorm: epsilon", epsilon, "[0, inf)", like=1e-5)
        self.scale = Variable(_full(1, (features,), dtype), name="scale")
        self.offset = Variable(_full(0, (features,), dtype), name="offset")
        self.epsilon = epsilon

    def _hint(self, shape: Shape) -> str:
        return f" Its last axis has {shape[-1]}: pg.nn.LayerNorm({shape[-1]})." if shape else ""

    def forward(self, x: Any, *, training: bool) -> Node:
        return ops.layer_norm(x, self.scale, self.offset, epsilon=self.epsilon)


class BatchNorm(Module):
    """y = scale·(x − mean)/√(var + ε) + offset for each channel, axis 1 of x (n, c, *space).

    In training, mean and variance are the batch's, and running means r of both are updated:
    r ← momentum·r + (1 − momentum)·batch. In evaluation they are these running means (Ioffe &
    Szegedy 2015). `spatial` is the number of axes after the channels: 0 for (n, c), 2 for images.
    """

    def __init__(
        self,
        channels: int,
        *,
        spatial: int = 0,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        dtype: Any = None,
    ) -> None:
        channels = whole("BatchNorm: channels", channels, least=1, like=3)
        spatial = whole("BatchNorm: spatial", spatial, like=2)
        within("BatchNorm: momentum", momentum, "[0, 1]", like=0.9)
        within("BatchNorm: epsilon", epsilon, "[0, inf)", like=1e-5)
        shape = (channels, *(1,) * spatial)
        self.scale = Variable(_full(1, shape, dtype), name="scale")
        self.offset = Variable(_full(0, shape, dtype), name="offset")
        self.mean = Variable(_full(0, shape, dtype), trainable=False, name="mean")
        self.variance = Variable(_full(1, shape, dtype), trainable=False, name="variance")
        self.axes = (0, *range(2, 2 + spatial))
        self.momentum, self.epsilon = momentum, epsilon

    def _hint(self, shape: Shape) -> str:
        channels, spatial = self.scale.numpy().shape[0], len(shape) - 2
        if len(shape) > 1 and shape[1] == channels:
            return f" It has {spatial} axes after the channels: BatchNorm(…, spatial={spatial})."
        return f" Axis 1 has {shape[1]}: BatchNorm({shape[1]})." if len(shape) > 1 else ""

    def forward(self, x: Any, *, training: bool) -> Node:
        x = as_node(x)
        if x.shape is not None and len(x.shape) != 1 + len(self.scale.numpy().shape):
            raise ShapeError(f"BatchNorm: x has {len(x.shape)} axes, expected "
                             f"{1 + len(self.scale.numpy().shape)}.")  # fmt: skip
        if not training:
            scale: Any = self.scale / ops.sqrt(self.variance + self.epsilon)
            return (x - self.mean) * scale + self.offset
        y = ops.batch_norm(x, self.scale, self.offset, axis=self.axes, epsilon=self.epsilon)
        updates = [
            self._update(self.mean, ops.mean(x, axis=self.axes, keepdims=True)),
            self._update(self.variance, ops.var(x, axis=self.axes, keepdims=True)),
        ]
        return ops.after(y, *updates)  # so that every run of y updates the running means

    def _update(self, running: Variable, batch: Any) -> Node:
        new = ops.reshape(ops.stop_gradient(batch), running.shape)  # (c, 1, …)
        return running.assign(self.momentum * running + (1 - self.momentum) * new)


class RMSNorm(Module):
    """y = scale·x/√(mean x² + ε) over the last axis, of size `features` (Zhang & Sennrich 2019)."""

    def __init__(self, features: int, *, epsilon: float = 1e-5, dtype: Any = None) -> None:
        features = whole("RMSNorm: features", features, least=1)
        within("RMSNorm: epsilon", epsilon, "[0, inf)", like=1e-5)
        self.scale = Variable(_full(1, (features,), dtype), name="scale")
        self.epsilon = epsilon

    def _hint(self, shape: Shape) -> str:
        return f" Its last axis has {shape[-1]}: pg.nn.RMSNorm({shape[-1]})." if shape else ""

    def forward(self, x: Any, *, training: bool) -> Node:
        return ops.rms_norm(x, self.scale, epsilon=self.epsilon)


class GroupNorm(Module):
    """y = scale·(x − mean)/√(var + ε) + offset for each group of channels of each example: x (n,
    channels, …), whose channels make `groups` equal groups (Wu & He 2018)."""

    def __init__(
        self, groups: int, channels: int, *, epsilon: float = 1e-5, dtype: Any = None
    ) -> None:
        groups = whole("GroupNorm: groups", groups, least=1, like=2)
        channels = whole("GroupNorm: channels", channels, least=1, like=4)
        if channels % groups:
            raise ArgumentError(
                f"GroupNorm: {groups} groups don't divide {channels} channels.",
                hint=f"Write pg.nn.GroupNorm({math.gcd(groups, channels)}, {channels}).",
            )
        within("GroupNorm: epsilon", epsilon, "[0, inf)", like=1e-5)
        self.scale = Variable(_full(1, (channels,), dtype), name="scale")
        self.offset = Variable(_full(0, (channels,), dtype), name="offset")
        self.groups, self.epsilon = groups, epsilon

    def _hint(self, shape: Shape) -> str:
        return f" Axis 1 has {shape[1]} channels." if len(shape) > 1 else ""

    def forward(self, x: Any, *, training: bool) -> Node:
        return ops.group_norm(x, self.groups, self.scale, self.offset, epsilon=self.epsilon)


def _full(number: float, shape: tuple[int, ...], dtype: Any) -> Any:
    return np.full(shape, number, default_dtype() if dtype is None else as_dtype(dtype))
