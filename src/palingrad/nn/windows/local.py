"""The locally connected layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...graph.context import graph_scope
from ...graph.leaves import Variable
from ...graph.node import Node
from ...graph.registry import ops
from ...messages.checks import flag, whole
from ...ops.window.geometry import pads, places, several
from ...shapes import Shape
from .. import init
from ..checks import check_initializer
from ..module import Module


class LocallyConnected(Module):
    """A convolution whose weights aren't shared: x (n, inputs, *space) to y (n, outputs, *places).

    `space` is the size of x's axes after the channels, which fixes the number of places; weight
    (*places, outputs, inputs, *size), bias (outputs, *places).
    """

    def __init__(
        self,
        space: int | Sequence[int],
        inputs: int,
        outputs: int,
        size: int | Sequence[int],
        *,
        stride: int | Sequence[int] = 1,
        padding: Any = 0,
        bias: bool = True,
        initializer: init.Initializer = init.he_normal,
        seed: int | None = None,
        dtype: Any = None,
    ) -> None:
        ndim = 1 if isinstance(space, int) else len(space)
        self.space = several(space, ndim, "LocallyConnected: space")
        inputs = whole("LocallyConnected: inputs", inputs, least=1)
        outputs = whole("LocallyConnected: outputs", outputs, least=1)
        taps = several(size, ndim, "LocallyConnected: size")
        steps = several(stride, ndim, "LocallyConnected: stride")
        around = pads(padding, taps, steps, (1,) * ndim)
        grid = tuple(
            int(places(length, k, step, pad, 1) or 0)
            for length, k, step, pad in zip(self.space, taps, steps, around, strict=True)
        )
        flag("LocallyConnected: bias", bias)
        check_initializer("LocallyConnected", initializer)
        with graph_scope(None):  # one convolution's weight for each place, drawn side by side
            flat = initializer((outputs * math.prod(grid), inputs, *taps), seed=seed, dtype=dtype)
            start = ops.reshape(flat, (*grid, outputs, inputs, *taps))
            zeros = init.zeros((outputs, *grid), dtype=dtype)
        self.weight = Variable(start, name="weight")
        self.bias = Variable(zeros, name="bias") if bias else None
        self.options: dict[str, Any] = dict(stride=steps, padding=around)

    def _hint(self, shape: Shape) -> str:
        return f" It was made for space={self.space}."

    def forward(self, x: Any, *, training: bool) -> Node:
        y: Any = ops.locally_connected(x, self.weight, **self.options)  # (n, outputs, *places)
        return y if self.bias is None else y + self.bias
