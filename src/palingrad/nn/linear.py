"""The fully connected layer."""

from __future__ import annotations

import math
from typing import Any

from ..errors import ShapeError
from ..graph.context import graph_scope
from ..graph.leaves import Variable
from ..graph.node import Node
from ..graph.registry import ops
from ..messages.checks import flag, whole
from ..shapes import Shape
from . import init
from .checks import check_initializer
from .module import Module


class Linear(Module):
    """y = x W + b: x (…, inputs) to y (…, outputs), weight (inputs, outputs), bias (outputs,)."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        bias: bool = True,
        initializer: init.Initializer = init.glorot_uniform,
        seed: int | None = None,
        dtype: Any = None,
    ) -> None:
        inputs = whole("Linear: inputs", inputs, least=1, like=3)
        outputs = whole("Linear: outputs", outputs, least=1)
        bias = flag("Linear: bias", bias)
        check_initializer("Linear", initializer)
        with graph_scope(None):
            start = initializer((inputs, outputs), seed=seed, dtype=dtype)
            zeros = init.zeros((outputs,), dtype=dtype)
        if start.shape != (inputs, outputs):
            raise ShapeError(
                f"Linear: the initializer returned shape {start.shape} for a weight of shape "
                f"({inputs}, {outputs}).",
                hint="It is called with the shape, and returns an array of this shape: "
                "np.zeros(shape), for example.",
            )
        self.weight = Variable(start, name="weight")
        self.bias = Variable(zeros, name="bias") if bias else None

    def _hint(self, shape: Shape) -> str:
        inputs = self.weight.numpy().shape[0]
        if shape and None not in shape and math.prod(map(int, shape[1:])) == inputs:  # pyright: ignore
            return " Flatten it first: pg.nn.Flatten() before this layer."
        last = shape[-1] if shape else None
        return "" if last is None else f" Its last axis has {last}: pg.nn.Linear({last}, …)."

    def forward(self, x: Any, *, training: bool) -> Node:
        y = ops.matmul(x, self.weight)  # (…, outputs)
        return y if self.bias is None else y + self.bias
