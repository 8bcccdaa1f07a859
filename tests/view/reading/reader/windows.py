"""Pooling and convolution by their definition: sums over windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Function = Callable[..., Any]


def _on_each(value: Any, count: int, usual: Any) -> Any:
    """A setting of windows on each axis."""
    if value is None:
        return (usual,) * count
    plain_ = isinstance(value, int) or (count == 1 and isinstance(usual, tuple))
    return (value,) if plain_ and not (value and isinstance(value[0], tuple)) else value


def windows(x: Any, o: Any, size: Any, fill: float) -> Any:
    """(…, *places, *size): the windows over the last axes of x."""
    size = (size,) * 1 if isinstance(size, int) else size
    axes = tuple(range(x.ndim - len(size), x.ndim))
    o = {**o, **{name: _on_each(o[name], len(size), usual) for name, usual in
                 (("padding", (0, 0)), ("stride", 1), ("dilation", 1))}}  # fmt: skip
    width = [(0, 0)] * (x.ndim - len(size)) + [tuple(ends) for ends in o["padding"]]
    padded = np.pad(x, width, constant_values=fill)
    dilation = o.get("dilation", (1,) * len(size))
    whole = [(n - 1) * d + 1 for n, d in zip(size, dilation)]
    found = np.lib.stride_tricks.sliding_window_view(padded, whole, axes)
    places = [slice(None, None, s) for s in o["stride"]]
    taps = [slice(None, None, d) for d in dilation]
    return found[(..., *places, *taps)]


def pooled(function: Any, fill: float) -> Function:
    def pooled(o: Any, x: Any) -> Any:
        if o["stride"] is None and o["padding"] is None and "adaptive" in o:
            raise KeyError("windows whose size depends on their place")
        size = (o["size"],) if isinstance(o["size"], int) else o["size"]
        found = windows(x, o, size, fill)
        return function(found, axis=tuple(range(-len(size), 0)))

    return pooled


def convolution(o: Any, x: Any, w: Any) -> Any:
    groups, axes = o["groups"], w.ndim - 2
    parts = []
    for one, kernel in zip(np.split(x, groups, 1), np.split(w, groups, 0)):
        taps = windows(one, o, w.shape[2:], 0)  # (n, c, *places, *size)
        found = np.tensordot(taps, kernel, ([1, *range(-axes, 0)], range(1, axes + 2)))
        parts.append(np.moveaxis(found, -1, 1))
    return np.concatenate(parts, 1)
