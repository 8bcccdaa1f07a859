"""Resize and Upsample: along each axis a matrix of weights, known when the graph is built."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...dtypes import Array
from ...graph.registry import ops
from .elementwise import bounded
from .table import Call, in_dtype, reads


@reads("Upsample")
def upsample(n: Call, x: Any, scales: Any = None) -> Any:
    """Resize by scales, with asymmetric coordinates."""
    given = n.attr("scales") if scales is None else n.known(scales, "the scales").tolist()
    if given is None:
        given = [1.0, 1.0, n.attr("height_scale", 1.0), n.attr("width_scale", 1.0)]
    mode = {"nearest": "nearest", "linear": "linear", "bilinear": "linear"}
    how = {"mode": mode.get(n.attr("mode", "nearest"), "nearest"), "nearest_mode": "floor",
           "coordinate_transformation_mode": "asymmetric"}  # fmt: skip
    sizes = [math.floor(size * s) for size, s in zip(x.shape, given, strict=True)]
    return _resized(n, x, how, list(range(len(sizes))), sizes, given, None)


@reads("Resize")
def resize(n: Call, x: Any, *given: Any) -> Any:
    """x at other sizes."""
    roi, scales, sizes = (*([None] * (n.opset < 11)), *given, None, None, None)[:3]
    axes = [int(a) % len(x.shape) for a in n.attr("axes") or range(len(x.shape))]
    lengths = [x.shape[axis] for axis in axes]
    factors = [] if scales is None else [float(s) for s in n.known(scales, "the scales")]
    wanted = [] if sizes is None else n.ints(sizes, "the sizes")
    if wanted:
        factors = [new / old for new, old in zip(wanted, lengths, strict=True)]
        policy = n.attr("keep_aspect_ratio_policy", "stretch")
        if policy != "stretch":
            one = min(factors) if policy == "not_larger" else max(factors)
            factors = [one] * len(axes)
            wanted = [math.floor(one * old + 0.5) for old in lengths]
    elif factors:
        wanted = [math.floor(s * old) for s, old in zip(factors, lengths, strict=True)]
    else:
        raise n.refuse("it has neither scales nor sizes")
    how = dict(n.attributes)
    if n.opset < 11:
        how = {"mode": n.attr("mode", "nearest"), "nearest_mode": "floor",
               "coordinate_transformation_mode": "asymmetric"}  # fmt: skip
    area = None if roi is None else n.known(roi, "the region")
    return _resized(n, x, how, axes, wanted, factors, area)


def _resized(
    n: Call, x: Any, how: Any, axes: list[int], sizes: list[int], factors: Any, roi: Any
) -> Any:
    whole = list(x.shape)
    for axis, size in zip(axes, sizes, strict=True):
        whole[axis] = size
    bounded(n, whole)
    outside: Any = None
    crop = how.get("coordinate_transformation_mode") == "tf_crop_and_resize"
    for number, (axis, size, factor) in enumerate(zip(axes, sizes, factors, strict=True)):
        length = x.shape[axis]
        ends = (0.0, 1.0)
        if crop:
            ends = float(roi[number]), float(roi[number + len(axes)])
        if size == length and factor == 1 and ends == (0.0, 1.0):
            continue
        places = _coordinates(how, size, length, factor, ends)
        if crop:
            beyond = (places < 0) | (places > length - 1)
            mask = beyond.reshape([-1 if a == axis else 1 for a in range(len(whole))])
            outside = mask if outside is None else outside | mask
        x = _along(how, x, axis, places, length, factor)
    if outside is None:
        return x
    value = np.asarray(how.get("extrapolation_value", 0.0), x.dtype)
    return ops.where(outside, value, x)


def _coordinates(how: Any, size: int, length: int, scale: float, ends: Any) -> Array:
    """The places in the input of all elements of the output."""
    mode = how.get("coordinate_transformation_mode", "half_pixel")
    i = np.arange(size, dtype=np.float64)
    if mode == "asymmetric":
        return i / scale
    if mode == "align_corners":
        width = scale * length
        return i * 0 if width == 1 else i * (length - 1) / (width - 1)
    if mode == "tf_crop_and_resize":
        start, end = ends
        if size == 1:
            return i * 0 + 0.5 * (start + end) * (length - 1)
        return start * (length - 1) + i * (end - start) * (length - 1) / (size - 1)
    half = (i + 0.5) / scale - 0.5
    if mode == "half_pixel_symmetric":
        return length / 2 * (1 - size / (scale * length)) + half
    if mode == "pytorch_half_pixel" and size == 1:
        return i * 0 - 0.5
    return half


def _along(how: Any, x: Any, axis: int, places: Array, length: int, scale: float) -> Any:
    mode = how.get("mode", "nearest")
    if mode == "nearest":
        return ops.take(x, _nearest(how, places, length), axis=axis)
    matrix = np.zeros((len(places), length))
    for row, place in enumerate(places):
        low = math.floor(place)
        ratio = place - low
        if ratio == 0:
            low, ratio = low - 1, 1.0
        offsets, weights = _weights(how, mode, ratio, scale)
        indices = low + offsets
        if how.get("exclude_outside", 0):
            weights = np.where((indices < 0) | (indices >= length), 0.0, weights)
            weights = weights / weights.sum()
        np.add.at(matrix[row], np.clip(indices, 0, length - 1), weights)
    moved = ops.moveaxis(x, axis, -1)
    return ops.moveaxis(ops.matmul(moved, in_dtype(matrix.T, x)), -1, axis)


def _nearest(how: Any, places: Array, length: int) -> Array:
    mode = how.get("nearest_mode", "round_prefer_floor")
    found = {"round_prefer_floor": np.ceil(places - 0.5), "floor": np.floor(places),
             "ceil": np.ceil(places)}.get(mode, np.floor(places + 0.5))  # fmt: skip
    return np.clip(found, 0, length - 1).astype(np.int64)


def _weights(how: Any, mode: str, ratio: float, scale: float) -> tuple[Array, Array]:
    """Offsets from the element on the left, and their weights."""
    s = min(scale, 1.0) if how.get("antialias", 0) else 1.0
    reach = 1 if mode == "linear" else 2
    first = math.floor(-reach / s) + 1
    offsets = np.arange(first, 2 - first)
    d = np.abs(offsets - ratio) * s
    if mode == "linear":
        weights = np.clip(1 - d, 0, 1)
    else:
        weights = _cubic(d, how.get("cubic_coeff_a", -0.75))
    return offsets, weights / weights.sum() if how.get("antialias", 0) else weights


def _cubic(d: Array, a: float) -> Array:
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0.0))
