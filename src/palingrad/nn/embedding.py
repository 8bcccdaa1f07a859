"""Layers that look rows up in a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import is_integer
from ..errors import ArgumentError
from ..graph.context import graph_scope
from ..graph.leaves import Variable
from ..graph.node import Node
from ..graph.promotion import as_node
from ..graph.registry import ops
from ..messages.checks import one_of, whole
from . import init
from .checks import check_initializer
from .module import Module


class Embedding(Module):
    """y = table[x]: for integers x (…), the rows (…, size) of a table (rows, size).

    padding: an integer whose row starts at zero and isn't trained; it fills up ragged batches.
    """

    def __init__(
        self,
        rows: int,
        size: int,
        *,
        padding: int | None = None,
        initializer: init.Initializer | None = None,
        seed: int | None = None,
        dtype: Any = None,
    ) -> None:
        self.table = table("Embedding", rows, size, padding, initializer, seed, dtype)
        self.padding = padding

    def forward(self, x: Any, *, training: bool) -> Node:
        y = ops.embedding(x, self.table)
        return y if self.padding is None else _silenced(y, x, self.padding)

    def _options(self) -> list[str]:
        padding = [] if self.padding is None else [f"padding={self.padding}"]
        return [*super()._options(), *padding]


class EmbeddingBag(Module):
    """y = the mean, sum or maximum of the rows of a table at the integers of each bag: x (bags,
    length) to (bags, size). `weights`, one for each integer, multiply the rows of a sum."""

    def __init__(
        self,
        rows: int,
        size: int,
        *,
        mode: str = "mean",
        initializer: init.Initializer | None = None,
        seed: int | None = None,
        dtype: Any = None,
    ) -> None:
        one_of("EmbeddingBag: mode", mode, ("mean", "sum", "max"))
        self.table = table("EmbeddingBag", rows, size, None, initializer, seed, dtype)
        self.mode = mode

    def forward(self, x: Any, offsets: Any = None, *, weights: Any = None, training: bool) -> Node:
        return ops.embedding_bag(x, self.table, offsets, mode=self.mode, weights=weights)


def table(
    layer: str, rows: int, size: int, padding: Any, initializer: Any, seed: Any, dtype: Any
) -> Variable:
    """The trainable table (rows, size), by default standard normal; the row of `padding` is 0."""
    rows = whole(f"{layer}: rows", rows, least=1, like=10)
    size = whole(f"{layer}: size", size, least=1, like=4)
    if initializer is not None:
        check_initializer(layer, initializer)
    with graph_scope(None):
        start = (initializer or init.normal(1.0))((rows, size), seed=seed, dtype=dtype).numpy()
    if padding is not None:
        whole(f"{layer}: padding", padding, like=0)
        if padding >= rows:
            raise ArgumentError(f"{layer}: padding {padding} isn't one of the {rows} rows.",
                                hint=f"Write padding={rows - 1}.")  # fmt: skip
        start = start.copy()
        start[padding] = 0
    return Variable(start, name="table")


def _silenced(y: Node, x: Any, padding: int) -> Node:
    """y with zeros, and without a gradient, where x is the padding."""
    x = as_node(x)
    if x.dtype is not None and not is_integer(x.dtype):
        return y  # the error is the embedding's
    return ops.where(ops.expand_dims(x != np.asarray(padding), axis=-1), y, 0)
