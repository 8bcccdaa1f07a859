"""The cache of keys and values from which a text is continued, token by token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...dtypes import as_dtype, default_dtype
from ...graph.node import Node
from ...graph.promotion import as_node
from ...graph.registry import ops
from ...messages.checks import whole
from ...shapes import sizes


@dataclass(frozen=True)
class KeyValueCache:
    """The keys and values (batch, heads, capacity, depth) of the `length` first positions.

    It is a value like any other: attention returns a new one, which can be the carry of a scan.
    """

    keys: Any
    values: Any
    length: Any  # a whole number, as a node

    @classmethod
    def empty(
        cls, batch: int, heads: int, capacity: int, depth: int, *, dtype: Any = None
    ) -> KeyValueCache:
        """A cache of no positions, for at most `capacity`."""
        shape = tuple(
            whole(f"KeyValueCache: {name}", size, least=1, like=64)
            for name, size in (("batch", batch), ("heads", heads), ("capacity", capacity),
                               ("depth", depth))
        )  # fmt: skip
        zeros = np.zeros(shape, default_dtype() if dtype is None else as_dtype(dtype))
        return cls(as_node(zeros), as_node(zeros), as_node(np.int64(0)))

    @property
    def capacity(self) -> int:
        """The most positions that it can hold."""
        return int(self.keys.shape[-2])

    def extended(self, keys: Any, values: Any) -> KeyValueCache:
        """The cache with the keys and values (batch, heads, time, depth) of `time` more positions.

        Positions past the capacity are an IndexError when the graph runs.
        """
        time = sizes(as_node(keys).shape)[-2]
        places = as_node(self.length) + np.arange(time)  # (time,)
        return KeyValueCache(
            self.keys.at[:, :, places].set(keys),
            self.values.at[:, :, places].set(values),
            as_node(self.length) + time,
        )

    def visible(self, time: int) -> Node:
        """Which positions each of the last `time` queries sees: booleans (time, capacity)."""
        last = as_node(self.length) - time + np.arange(time)  # (time,)
        return np.arange(self.capacity) <= ops.expand_dims(last, -1)
