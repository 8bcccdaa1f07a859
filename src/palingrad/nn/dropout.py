"""The dropout layer."""

from __future__ import annotations

from typing import Any

from ..graph.node import Node
from ..graph.promotion import as_node
from ..graph.registry import ops
from ..messages.checks import within
from ..ops import random
from .module import Module


class Dropout(Module):
    """In training, yᵢ = xᵢ/(1 − rate) with probability 1 − rate, else 0; in evaluation, y = x.

    Each call drops different elements; with a `seed` the sequence of calls is reproducible.
    """

    def __init__(self, rate: float, *, seed: int | None = None) -> None:
        self.rate = within("Dropout: rate", rate, "[0, 1)", like=0.5)
        self.generator = None if seed is None else random.Generator(seed)

    def forward(self, x: Any, *, training: bool) -> Node:
        if not training:
            return as_node(x)
        if self.generator is None:
            return ops.dropout(x, self.rate)
        state, stream = self.generator.state, self.generator.next_stream()
        return random.Dropout(x, state, rate=float(self.rate), stream=stream)

    def _options(self) -> list[str]:
        return [str(self.rate)]
