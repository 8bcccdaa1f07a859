"""Sliding windows for the numpy maths namespace: the view of windows, and its adjoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import Array

Sizes = Sequence[int]
Pads = Sequence[tuple[int, int]]


def padded(x: Array, padding: Pads, value: Any = 0) -> Array:
    """x (n, c, *space) padded with `value` along its spatial axes."""
    if not any(map(any, padding)):
        return x
    return np.pad(x, ((0, 0), (0, 0), *padding), constant_values=value)


def windows(x: Array, size: Sizes, stride: Sizes, dilation: Sizes) -> Array:
    """A view of x (n, c, *space) as (n, c, *positions, *size): one window for each position."""
    ndim = len(size)
    positions = [
        (length - (k - 1) * d - 1) // s + 1
        for length, k, s, d in zip(x.shape[2:], size, stride, dilation, strict=True)
    ]
    if min(positions) < 1:
        raise ValueError(f"windows of {tuple(size)} don't fit {x.shape[2:]}")
    steps = x.strides[2:]
    return np.lib.stride_tricks.as_strided(
        x,
        (*x.shape[:2], *positions, *size),
        (
            *x.strides[:2],
            *(steps[axis] * stride[axis] for axis in range(ndim)),
            *(steps[axis] * dilation[axis] for axis in range(ndim)),
        ),
        writeable=False,
    )


def unwindowed(parts: Array, space: Sizes, stride: Sizes, padding: Pads, dilation: Sizes) -> Array:
    """The adjoint of `padded` followed by `windows`.

    Windows `parts` (n, c, *positions, *size) are added up in zeros (n, c, *space), where they
    overlap: one addition of a strided view for each element (tap) of a window.
    """
    ndim = len(space)
    positions, size = parts.shape[2 : 2 + ndim], parts.shape[2 + ndim :]
    extent = [length + low + high for length, (low, high) in zip(space, padding, strict=True)]
    total = np.zeros((*parts.shape[:2], *extent), parts.dtype)
    for tap in np.ndindex(*size):
        slices = tuple(
            slice(t * d, t * d + s * (count - 1) + 1, s)
            for t, d, s, count in zip(tap, dilation, stride, positions, strict=True)
        )
        total[(..., *slices)] += parts[(..., *tap)]
    inner = tuple(slice(low, low + length) for length, (low, _) in zip(space, padding, strict=True))
    return total[(..., *inner)]
