"""The batching rules of convolutions: examples are more images, more outputs or more groups."""

from __future__ import annotations

from typing import Any

from ...graph.batching.batch import Batch, moved, split
from ...graph.registry import ops
from ...shapes import sizes


def convolution(y: Any, batch: Batch) -> Any:
    """y (n, o, *places) from x (n, c, *space) and w (o, c/groups, *size)."""
    (x, w), (of_x, of_w) = batch.xs, batch.mapped
    if not of_w:
        return split(y, y.applied([batch.merged(0), w], y.attributes), batch)
    if not of_x and y.attributes["groups"] == 1:
        found = y.applied([x, batch.merged(1)], y.attributes)
        return _channels_split(y, found, batch)
    return _by_groups(y, batch, [_channels_merged(batch.front(0)), batch.merged(1)])


def of_input(y: Any, batch: Batch) -> Any:
    """x (n, c, *space) from g (n, o, *places) and w (o, c/groups, *size)."""
    if not batch.mapped[1]:
        return split(y, y.applied([batch.merged(0), batch.xs[1]], y.attributes), batch)
    return _by_groups(y, batch, [_channels_merged(batch.front(0)), batch.merged(1)])


def of_weight(y: Any, batch: Batch) -> Any:
    """w (o, c/groups, *size) from x (n, c, *space) and g (n, o, *places)."""
    merged = [_channels_merged(x) for x in batch.fronts()]
    return split(y, y.applied(merged, _grouped(y, batch)), batch)


def _by_groups(y: Any, batch: Batch, merged: Any) -> Any:
    return _channels_split(y, y.applied(merged, _grouped(y, batch)), batch)


def _grouped(y: Any, batch: Batch) -> dict[str, Any]:
    """The options with which the channels of each example are groups of their own."""
    return {**y.attributes, "groups": y.attributes["groups"] * batch.size}


def _channels_merged(x: Any) -> Any:
    """(examples, n, c, …) as (n, examples · c, …)."""
    examples, n, c, *space = sizes(x.shape)
    return ops.reshape(moved(x, 0, 1), (n, examples * c, *space))


def _channels_split(y: Any, result: Any, batch: Batch) -> Any:
    """(n, examples · c, …) as (examples, n, c, …)."""
    n, c, *space = sizes(y.shape)
    return moved(ops.reshape(result, (n, batch.size, c, *space)), 1, 0)
