"""Dropout as a layer."""

from __future__ import annotations

from typing import Any

from ..graph.node import Node
from ..graph.promotion import as_node
from ..graph.registry import ops
from .module import Module


class Dropout(Module):
    """While training, y = x/(1 − rate) with chance 1 − rate, else 0; while evaluating y = x."""

    def __init__(self, rate: float, *, seed: int | None = None) -> None:
        self.rate, self.seed = rate, seed
        ops.dropout(0.0, rate, seed=0)  # an impossible rate fails here, not in the first step

    def forward(self, x: Any, *, training: bool) -> Node:
        return ops.dropout(x, self.rate, seed=self.seed) if training else as_node(x)

    def _options(self) -> list[str]:
        return [str(self.rate)]
