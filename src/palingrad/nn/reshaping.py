"""Layers that move elements and compute nothing: Identity, Flatten, Reshape."""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError
from ..graph.node import Node
from ..graph.promotion import as_node
from ..graph.registry import ops
from ..messages.checks import shown
from .module import Module


class Identity(Module):
    """y = x."""

    def forward(self, x: Any, *, training: bool) -> Node:
        return as_node(x)


class Flatten(Module):
    """y = x with all axes after the first merged: (batch, …) to (batch, features)."""

    def forward(self, x: Any, *, training: bool) -> Node:
        return ops.flatten(x)


class Reshape(Module):
    """y = x with each example reshaped: (batch, …) to (batch, *shape)."""

    def __init__(self, *shape: int) -> None:
        for size in shape:
            if not isinstance(size, int) or size < -1:  # pyright: ignore
                inner = ", ".join(map(str, size)) if isinstance(size, (tuple, list)) else "3, 4"
                raise ArgumentError(
                    f"Reshape: a size is {shown(size)}; expected an integer ≥ 0, or -1.",
                    hint=f"Write pg.nn.Reshape({inner}).",
                )
        self.shape = shape

    def forward(self, x: Any, *, training: bool) -> Node:
        return ops.reshape(x, (-1, *self.shape))

    def _options(self) -> list[str]:
        return [str(self.shape)]
