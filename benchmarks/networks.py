"""The networks of the benchmarks: layers, initial weights and batches, in plain NumPy."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
RATE, BETA1, BETA2, EPSILON = 0.001, 0.9, 0.999, 1e-8  # Adam
BATCHES = 4  # the number of batches, which are used cyclically


@dataclass(frozen=True)
class Dense:
    outputs: int


@dataclass(frozen=True)
class Conv:
    """A convolution with padding "same"."""

    outputs: int
    size: int


@dataclass(frozen=True)
class Pool:
    """Max pooling of windows of 2 × 2."""


@dataclass(frozen=True)
class Network:
    """Layers with a ReLU after each convolution and each dense layer except the last. The loss is
    the cross-entropy, or the logistic loss for one output. Images are (channels, height, width)."""

    inputs: tuple[int, ...]
    layers: tuple[Dense | Conv | Pool, ...]
    batch: int

    @property
    def classes(self) -> int:
        last = self.layers[-1]
        assert isinstance(last, Dense)
        return last.outputs

    def shapes(self) -> list[tuple[int, ...]]:
        """The input shape of each layer, then the output shape of the last, without the batch."""
        found = [self.inputs]
        for layer in self.layers:
            shape = found[-1]
            if isinstance(layer, Dense):
                found.append((layer.outputs,))
            elif isinstance(layer, Conv):
                found.append((layer.outputs, *shape[1:]))
            else:
                found.append((shape[0], shape[1] // 2, shape[2] // 2))
        return found

    def weights(self) -> list[tuple[Array, Array] | None]:
        """Weight and bias of each layer: (inputs, outputs) for dense layers, (outputs, inputs,
        height, width) for convolutions. He's normal initialisation, from one seed."""
        rng = np.random.default_rng(1)
        found: list[tuple[Array, Array] | None] = []
        for layer, shape in zip(self.layers, self.shapes(), strict=False):
            if isinstance(layer, Pool):
                found.append(None)
                continue
            if isinstance(layer, Dense):
                form, terms = (math.prod(shape), layer.outputs), math.prod(shape)
            else:
                form = (layer.outputs, shape[0], layer.size, layer.size)
                terms = math.prod(form[1:])
            start = math.sqrt(2 / terms) * rng.standard_normal(form)
            found.append((start.astype(np.float32), np.zeros(layer.outputs, np.float32)))
        return found

    def batches(self) -> list[tuple[Array, Array]]:
        """Inputs and labels. Each input recurs with other labels, so that the network can't fit
        them, and gradients keep their size in runs of any length."""
        rng = np.random.default_rng(0)
        inputs = [rng.random((self.batch, *self.inputs), dtype=np.float32) for _ in range(BATCHES)]
        labels = [rng.integers(0, max(self.classes, 2), self.batch) for _ in range(4 * BATCHES)]
        if self.classes == 1:
            labels = [one.astype(np.float32) for one in labels]
        return [(inputs[place % BATCHES], one) for place, one in enumerate(labels)]

    def flops(self) -> float:
        """The floating-point operations of matrix products and convolutions in one step: forward,
        and backward for the weights and, except in the first layer, for the inputs."""
        total, passes = 0.0, 2
        for layer, into, out in zip(self.layers, self.shapes(), self.shapes()[1:], strict=False):
            if isinstance(layer, Pool):
                continue
            terms = math.prod(into) if isinstance(layer, Dense) else into[0] * layer.size**2
            total += passes * 2 * self.batch * terms * math.prod(out)
            passes = 3
        return total


def mlp(*sizes: int, batch: int) -> Network:
    """A network of dense layers: inputs, hidden sizes, outputs."""
    return Network(sizes[:1], tuple(map(Dense, sizes[1:])), batch)


def cnn(side: int, size: int, channels: tuple[int, ...], *dense: int, batch: int) -> Network:
    """A CNN for images of one channel: convolutions of size × size, each with a pooling, then dense
    layers."""
    windows = (layer for count in channels for layer in (Conv(count, size), Pool()))
    return Network((1, side, side), (*windows, *map(Dense, dense)), batch)
