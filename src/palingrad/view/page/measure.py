"""What the page says of a node besides its numbers: time, memory, dead units, shape, attributes."""

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
from ...ops.elementwise.activation import Rectifier

_SECONDS = 0.5  # the time limit of all measurements together


def seconds_of(order: Sequence[Node], values: Mapping[Node, Any]) -> dict[Node, float]:
    """The time of each operation in the numpy engine, in seconds: the fastest of three runs."""
    times: dict[Node, float] = {}
    end = time.perf_counter() + _SECONDS
    with graph_scope(None, hidden=True), np.errstate(all="ignore"):
        for node in order:
            if not isinstance(node, Operation) or isinstance(node, (Item, MultipleOutputs)):
                continue
            inputs = [values[x] for x in node.inputs]
            if any(value is None for value in inputs) or time.perf_counter() > end:
                continue
            try:
                times[node] = min(_timed(node, inputs) for _ in range(3))
            except (PalingradError, TypeError, ValueError):
                continue
    return times


def _timed(node: Operation, values: Sequence[Any]) -> float:
    start = time.perf_counter()
    node.compute(*values)
    return time.perf_counter() - start


def bytes_of(value: Any) -> int:
    """The size of a value in memory, in bytes."""
    if isinstance(value, tuple):
        return sum(map(bytes_of, value))
    return int(np.asarray(value).nbytes)


def dead_units(node: Node, value: Any) -> float | None:
    """The fraction of a rectifier's units (last axis) that are inactive in every example.

    None for other operations, and if there is only one example.
    """
    if not isinstance(node, Rectifier) or not isinstance(value, np.ndarray):
        return None
    array: Array = value
    if array.ndim < 2 or array.size == array.shape[-1] or not array.size:
        return None
    off = (array.reshape(-1, array.shape[-1]) <= 0).all(axis=0)
    return float(np.mean(off))


def shape_of(node: Node, value: Any) -> Any:
    """The shape of a node's value as the page has it; None if it is unknown."""
    if isinstance(value, tuple):
        return [int(sum(np.size(output) for output in value))] if value else None
    shape: Any = node.shape if value is None else np.shape(value)
    if shape is None or isinstance(node, MultipleOutputs):
        return None
    return list(shape)


def dtype_of(node: Node, value: Any) -> str | None:
    """The name of the dtype; None if the node has several outputs."""
    dtype = getattr(value, "dtype", None) if not isinstance(value, tuple) else None
    dtype = dtype or (None if isinstance(node, MultipleOutputs) else node.dtype)
    return None if dtype is None else str(dtype)


def attributes_of(node: Operation) -> str:
    """The operation's attributes, as in a call: axis=0, keepdims=True."""
    parts: list[str] = []
    for name, value in node.attributes.items():
        text = value.label() if isinstance(value, Node) else repr(value)
        parts.append(f"{name}={text}"[:80])
    return ", ".join(parts)
