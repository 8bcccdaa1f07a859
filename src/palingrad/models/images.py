"""Classifiers of images and of rows of numbers: perceptrons, LeNet-5, ResNet-20."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from .. import nn
from ..errors import ArgumentError
from ..graph.node import Node
from ..graph.promotion import as_node
from ..graph.registry import ops
from ..messages.checks import whole


def mlp(*sizes: int, activation: Callable[[Any], Node] = ops.relu, dropout: float = 0.0,
        seed: int | None = None) -> nn.Sequential:  # fmt: skip
    """A multilayer perceptron: x (n, …), flattened to sizes[0] numbers, to scores (n, sizes[-1]).

    >>> import palingrad as pg
    >>> pg.models.mlp(784, 100, 20, 10).summary((1, 784)).parameters
    80730
    """
    if len(sizes) < 2:
        raise ArgumentError(f"mlp: {len(sizes)} sizes given; expected those of input and output.",
                            hint="Write pg.models.mlp(784, 100, 10).")  # fmt: skip
    layers: list[Any] = [nn.Flatten()]
    for number, (inputs, outputs) in enumerate(pairwise(sizes)):
        own = None if seed is None else seed + number
        layers.append(nn.Linear(inputs, outputs, initializer=nn.init.he_normal, seed=own))
        if number < len(sizes) - 2:
            layers += [activation, *([nn.Dropout(dropout, seed=own)] if dropout else [])]
    return nn.Sequential(*layers)


def lenet(classes: int = 10, *, channels: int = 1, side: int = 28) -> nn.Sequential:
    """LeNet-5 (LeCun et al. 1998): images (n, channels, side, side) to scores (n, classes)."""
    side = whole("lenet: side", side, least=16, like=28)
    last = (side // 2 - 4) // 2  # of the last feature maps
    return nn.Sequential(
        nn.Conv2D(channels, 6, 5, padding="same"),
        ops.tanh,
        nn.AveragePool2D(2),
        nn.Conv2D(6, 16, 5),
        ops.tanh,
        nn.AveragePool2D(2),
        nn.Flatten(),
        nn.Linear(16 * last * last, 120),
        ops.tanh,
        nn.Linear(120, 84),
        ops.tanh,
        nn.Linear(84, classes),
    )


class ResidualBlock(nn.Module):
    """relu(x + two 3 × 3 convolutions of it, each with batch normalisation) (He et al. 2016).

    With stride 2 the sides are halved; new channels begin as zeros in the shortcut, which has no
    parameters (option A of the paper).
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        self.conv1 = nn.Conv2D(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm(outputs, spatial=2)
        self.conv2 = nn.Conv2D(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm(outputs, spatial=2)
        self.stride, self.added = stride, outputs - inputs

    def forward(self, x: Any, *, training: bool) -> Node:
        y = ops.relu(self.norm1(self.conv1(x, training=training), training=training))
        y = self.norm2(self.conv2(y, training=training), training=training)
        shortcut: Any = as_node(x)
        if self.stride > 1:
            shortcut = shortcut[:, :, :: self.stride, :: self.stride]
        if self.added:
            shortcut = ops.pad(shortcut, ((0, 0), (0, self.added), (0, 0), (0, 0)))
        return ops.relu(y + shortcut)


def resnet20(classes: int = 10, *, channels: int = 3, width: int = 16) -> nn.Sequential:
    """ResNet-20 for small images, section 4.2 of He et al. 2016: images (n, channels, height,
    width) to scores (n, classes); three stages of three blocks of `width`, 2·width and 4·width
    channels. 269,722 parameters for 10 classes.
    """
    layers: list[Any] = [
        nn.Conv2D(channels, width, 3, padding=1, bias=False),
        nn.BatchNorm(width, spatial=2),
        ops.relu,
    ]
    inputs = width
    for stage in range(3):
        outputs = width * 2**stage
        for number in range(3):
            stride = 2 if stage and not number else 1
            layers.append(ResidualBlock(inputs, outputs, stride))
            inputs = outputs
    return nn.Sequential(*layers, nn.GlobalAveragePool(), nn.Linear(inputs, classes))
