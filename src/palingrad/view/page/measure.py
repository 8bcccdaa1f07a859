"""What the page can colour nodes by that needs the machine: seconds, bytes, dead units."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...dtypes import Array
from ...errors import PalingradError
from ...graph.context import graph_scope
from ...graph.node import Node
from ...graph.operation import Item, MultipleOutputs, Operation
from ...ops.activation import Rectifier

_SECONDS = 0.5  # to spend on measuring


def seconds_of(order: Sequence[Node], values: Mapping[Node, Any]) -> dict[Node, float]:
    """How long each operation took here, the fastest of three, with NumPy."""
    found: dict[Node, float] = {}
    end = time.perf_counter() + _SECONDS
    with graph_scope(None, hidden=True), np.errstate(all="ignore"):
        for node in order:
            if not isinstance(node, Operation) or isinstance(node, (Item, MultipleOutputs)):
                continue
            given = [values[x] for x in node.inputs]
            if any(one is None for one in given) or time.perf_counter() > end:
                continue
            try:
                found[node] = min(_timed(node, given) for _ in range(3))
            except (PalingradError, TypeError, ValueError):
                continue
    return found


def _timed(node: Operation, values: Sequence[Any]) -> float:
    start = time.perf_counter()
    node.compute(*values)
    return time.perf_counter() - start


def bytes_of(value: Any) -> int:
    """The size of a value in memory."""
    if isinstance(value, tuple):
        return sum(bytes_of(one) for one in value)
    return int(np.asarray(value).nbytes)


def dead_units(node: Node, value: Any) -> float | None:
    """Of a rectifier's units (the last axis) the share that is off for every example.

    None for everything else, and where there is one example only.
    """
    if not isinstance(node, Rectifier) or not isinstance(value, np.ndarray):
        return None
    array: Array = value
    if array.ndim < 2 or array.size == array.shape[-1] or not array.size:
        return None
    off = (array.reshape(-1, array.shape[-1]) <= 0).all(axis=0)
    return float(np.mean(off))
