"""The fully connected layer."""

from __future__ import annotations

from typing import Any

from ..errors import ShapeError
from ..graph.context import graph_scope
from ..graph.leaves import Variable
from ..graph.node import Node
from ..graph.registry import ops
from . import init
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
        if inputs < 1 or outputs < 1:
            raise ShapeError(f"Linear: sizes must be positive, got {inputs} and {outputs}")
        with graph_scope(None):
            start = initializer((inputs, outputs), seed=seed, dtype=dtype)
            zeros = init.zeros((outputs,), dtype=dtype)
        if start.shape != (inputs, outputs):
            raise ShapeError(
                f"Linear: the initializer returned shape {start.shape} for a weight of shape "
                f"({inputs}, {outputs})"
            )
        self.weight = Variable(start, name="weight")
        self.bias = Variable(zeros, name="bias") if bias else None

    def forward(self, x: Any, *, training: bool) -> Node:
        y = ops.matmul(x, self.weight)  # (…, outputs)
        return y if self.bias is None else y + self.bias
