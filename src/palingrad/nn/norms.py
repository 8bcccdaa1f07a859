"""Normalisation layers, and the embedding layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import as_dtype, default_dtype
from ..graph.context import graph_scope
from ..graph.leaves import Variable
from ..graph.node import Node
from ..graph.promotion import as_node
from ..graph.registry import ops
from . import init
from .module import Module


class LayerNorm(Module):
    """y = scale·(x − mean)/√(var + ε) + offset over the last axis, of size `features`."""

    def __init__(self, features: int, *, epsilon: float = 1e-5, dtype: Any = None) -> None:
        self.scale = Variable(_full(1, (features,), dtype), name="scale")
        self.offset = Variable(_full(0, (features,), dtype), name="offset")
        self.epsilon = epsilon

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
        shape = (channels, *(1,) * spatial)
        self.scale = Variable(_full(1, shape, dtype), name="scale")
        self.offset = Variable(_full(0, shape, dtype), name="offset")
        self.mean = Variable(_full(0, shape, dtype), trainable=False, name="mean")
        self.variance = Variable(_full(1, shape, dtype), trainable=False, name="variance")
        self.axes = (0, *range(2, 2 + spatial))
        self.momentum, self.epsilon = momentum, epsilon

    def forward(self, x: Any, *, training: bool) -> Node:
        x = as_node(x)
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


class Embedding(Module):
    """y = table[x]: for integers x (…), the rows (…, size) of a table (rows, size)."""

    def __init__(
        self,
        rows: int,
        size: int,
        *,
        initializer: init.Initializer | None = None,
        seed: int | None = None,
        dtype: Any = None,
    ) -> None:
        with graph_scope(None):
            start = (initializer or init.normal(1.0))((rows, size), seed=seed, dtype=dtype)
        self.table = Variable(start, name="table")

    def forward(self, x: Any, *, training: bool) -> Node:
        return ops.embedding(x, self.table)


def _full(number: float, shape: tuple[int, ...], dtype: Any) -> Any:
    return np.full(shape, number, default_dtype() if dtype is None else as_dtype(dtype))
