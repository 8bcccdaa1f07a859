"""Products, normalisation, losses, attention."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from ...graph.registry import ops
from .table import Call, in_dtype, reads


@reads("MatMul")
def matmul(n: Call, x: Any, y: Any) -> Any:
    """The matrix product."""
    return ops.matmul(x, y)


@reads("Gemm")
def gemm(n: Call, a: Any, b: Any, c: Any = None) -> Any:
    """alpha·a b + beta·c, each matrix transposed if asked."""
    a = ops.permute_dims(a, (1, 0)) if n.attr("transA", 0) else a
    b = ops.permute_dims(b, (1, 0)) if n.attr("transB", 0) else b
    alpha, beta = n.attr("alpha", 1.0), n.attr("beta", 1.0)
    y = ops.matmul(a, b)
    y = y if alpha == 1 else alpha * y
    return y if c is None else y + (c if beta == 1 else beta * c)


def _column(v: Any, x: Any) -> Any:
    """One number for each channel, as it broadcasts against x (n, c, …)."""
    return ops.reshape(v, (-1, *(1,) * (len(x.shape) - 2)))


@reads("BatchNormalization")
def batch_normalization(n: Call, x: Any, scale: Any, b: Any, mean: Any, var: Any) -> Any:
    """By the given moments, or those of the batch while training."""
    epsilon, momentum = n.attr("epsilon", 1e-5), n.attr("momentum", 0.9)
    training = bool(n.attr("training_mode", 0)) or (n.opset < 7 and not n.attr("is_test", 0))
    training = training and (n.opset >= 14 or n.opset < 7)
    moments = mean, var
    if training:
        axes = (0, *range(2, len(x.shape)))
        moments = ops.mean(x, axis=axes), ops.var(x, axis=axes)
    centred = x - _column(moments[0], x)
    size = ops.sqrt(_column(moments[1], x) + epsilon)
    y = in_dtype(centred / size * _column(scale, x) + _column(b, x), x)
    if not training or len(n.outputs) == 1:
        return y
    kept = [momentum * old + (1 - momentum) * new
            for old, new in zip((mean, var), moments, strict=True)]  # fmt: skip
    return (y, *kept)


@reads("InstanceNormalization")
def instance_normalization(n: Call, x: Any, scale: Any, b: Any) -> Any:
    """Each channel of each example by its own moments."""
    axes = tuple(range(2, len(x.shape)))
    y = _standard(x, axes, n.attr("epsilon", 1e-5))[0]
    return y * _column(scale, x) + _column(b, x)


def _standard(x: Any, axes: Any, epsilon: float) -> tuple[Any, Any, Any]:
    mean = ops.mean(x, axis=axes, keepdims=True)
    d = x - mean
    inverse = 1 / ops.sqrt(ops.mean(ops.square(d), axis=axes, keepdims=True) + epsilon)
    return d * inverse, mean, inverse


@reads("LayerNormalization")
def layer_normalization(n: Call, x: Any, scale: Any, b: Any = None) -> Any:
    """The last axes by their moments; also the mean and the inverse deviation."""
    first = int(n.attr("axis", -1)) % len(x.shape)
    y, mean, inverse = _standard(x, tuple(range(first, len(x.shape))), n.attr("epsilon", 1e-5))
    y = y * scale
    return (y if b is None else y + b), mean, inverse


@reads("RMSNormalization")
def rms_normalization(n: Call, x: Any, scale: Any) -> Any:
    """The last axes by the root of their mean square."""
    axes = tuple(range(int(n.attr("axis", -1)) % len(x.shape), len(x.shape)))
    mean = ops.mean(ops.square(x), axis=axes, keepdims=True)
    return x / ops.sqrt(mean + n.attr("epsilon", 1e-5)) * scale


@reads("GroupNormalization")
def group_normalization(n: Call, x: Any, scale: Any, b: Any) -> Any:
    """Groups of channels by their moments."""
    groups = int(n.attr("num_groups"))
    parts = ops.reshape(x, (x.shape[0], groups, -1))
    y = ops.reshape(_standard(parts, (2,), n.attr("epsilon", 1e-5))[0], x.shape)
    if n.opset < 21:
        each = x.shape[1] // groups
        scale, b = (ops.repeat(one, each, axis=0) for one in (scale, b))
    return y * _column(scale, x) + _column(b, x)


@reads("LRN")
def local_response(n: Call, x: Any) -> Any:
    """Each channel by the squares of its neighbours."""
    size = int(n.attr("size"))
    low = (size - 1) // 2
    sides = ((0, 0), (low, size - 1 - low), *((0, 0),) * (len(x.shape) - 2))
    padded = ops.pad(ops.square(x), sides, constant_values=0)
    count = x.shape[1]
    total = sum((padded[:, k : k + count] for k in range(1, size)), start=padded[:, :count])
    base = n.attr("bias", 1.0) + n.attr("alpha", 1e-4) / size * total
    return x / ops.pow(base, n.attr("beta", 0.75))


@reads("MeanVarianceNormalization")
def mean_variance_normalization(n: Call, x: Any) -> Any:
    """(x − mean) / deviation."""
    axes = tuple(int(a) for a in n.attr("axes", [0, 2, 3]))
    mean = ops.mean(x, axis=axes, keepdims=True)
    square = ops.mean(ops.square(x), axis=axes, keepdims=True)
    return (x - mean) / (ops.sqrt(square - ops.square(mean)) + 1e-9)


@reads("NegativeLogLikelihoodLoss")
def negative_log_likelihood(n: Call, x: Any, target: Any, weight: Any = None) -> Any:
    """−x at the target, weighted; the mean is by the sum of weights."""
    return _likelihood(n, x, target, weight)


@reads("SoftmaxCrossEntropyLoss")
def softmax_cross_entropy(n: Call, x: Any, target: Any, weight: Any = None) -> Any:
    """The same of the logarithm of softmax, which is the second result."""
    log = ops.log_softmax(x, axis=1)
    return _likelihood(n, log, target, weight), log


def _likelihood(n: Call, x: Any, target: Any, weight: Any) -> Any:
    ignored = n.attr("ignore_index")
    kept: Any = None
    if ignored is not None:
        kept = ops.not_equal(target, int(ignored))
        target = ops.where(kept, target, ops.zeros_like(target))
    found = ops.take_along_axis(x, ops.expand_dims(in_dtype(target, np.int64), 1), axis=1)
    loss = ops.negative(ops.squeeze(found, axis=1))
    w = ops.ones_like(loss) if weight is None else ops.take(weight, target, axis=0)
    if kept is not None:
        w = ops.where(kept, w, ops.zeros_like(w))
        loss = ops.where(kept, loss, ops.zeros_like(loss))
    loss = loss * w
    reduction = n.attr("reduction", "mean")
    if reduction == "none":
        return loss
    total = ops.sum(loss)
    return total if reduction == "sum" else total / ops.sum(w)


@reads("DFT")
def dft(n: Call, x: Any, length: Any = None, axis: Any = None) -> Any:
    """The discrete Fourier transform of pairs (real, imaginary) on the last axis."""
    ndim = len(x.shape)
    default = 1 if n.opset < 20 else -2
    at = int(n.attr("axis", default)) if axis is None else n.ints(axis, "the axis")[0]
    at %= ndim
    size = x.shape[at] if length is None else n.ints(length, "the length")[0]
    inverse, onesided = bool(n.attr("inverse", 0)), bool(n.attr("onesided", 0))
    real, imag = x[..., 0], x[..., 1] if x.shape[-1] == 2 else None
    if inverse and onesided:
        return _real_inverse(x, at, None if length is None else size)
    sign = 1 if inverse else -1
    angle = sign * 2 * np.pi * (np.outer(np.arange(size), np.arange(size)) % size) / size
    outputs = size // 2 + 1 if onesided else size
    cos, sin = (one[:outputs].astype(x.dtype) for one in (np.cos(angle), np.sin(angle)))
    scale = 1 / size if inverse else 1.0

    def moved(v: Any) -> Any:
        v = ops.moveaxis(v, at, -1)
        have = v.shape[-1]
        v = v[..., :size]
        return ops.pad(v, (*((0, 0),) * (ndim - 2), (0, size - have))) if have < size else v

    a = moved(real)
    y, z = ops.matmul(a, cos.T), ops.matmul(a, sin.T)
    if imag is not None:
        b = moved(imag)
        y, z = y - ops.matmul(b, sin.T), z + ops.matmul(b, cos.T)
    parts = [ops.moveaxis(one * scale, -1, at) for one in (y, z)]
    return ops.stack(parts, axis=-1)


def _real_inverse(x: Any, axis: int, size: int | None) -> Any:
    """The real numbers of which x (…, 2) is the first half of the transform."""
    n = 2 * (x.shape[axis] - 1) if size is None else size
    half = n // 2 + 1
    real, imag = (ops.moveaxis(x[..., k], axis, -1)[..., :half] for k in (0, 1))
    weight = np.full(real.shape[-1], 2.0)
    weight[0] = 1
    if n % 2 == 0 and len(weight) == half:
        weight[-1] = 1
    angle = 2 * np.pi * (np.outer(np.arange(len(weight)), np.arange(n)) % n) / n
    cos, sin = ((f(angle) * weight[:, None] / n).astype(x.dtype) for f in (np.cos, np.sin))
    y = ops.matmul(real, cos) - ops.matmul(imag, sin)
    return ops.expand_dims(ops.moveaxis(y, -1, axis), -1)


@reads("GridSample")
def grid_sample(n: Call, x: Any, grid: Any) -> Any:
    """x at points of a grid: the nearest element, or interpolated linearly or by cubics."""
    mode = {"bilinear": "linear", "bicubic": "cubic"}.get(n.attr("mode", ""), n.attr("mode", ""))
    mode = mode or "linear"
    space, count = x.shape[2:], len(x.shape) - 2
    corners, padding = bool(n.attr("align_corners", 0)), n.attr("padding_mode", "zeros")
    if mode == "cubic" and padding == "reflection":
        raise n.refuse("cubic interpolation with reflection isn't read")
    points: list[Any] = []
    for axis, size in enumerate(space):
        g = grid[..., count - 1 - axis]
        p = (g + 1) / 2 * (size - 1) if corners else ((g + 1) * size - 1) / 2
        if padding == "border" and mode != "cubic":
            p = ops.clip(p, 0, size - 1)
        elif padding == "reflection":
            p = _reflected(p, *((0, size - 1) if corners else (-0.5, size - 0.5)))
            p = ops.clip(p, 0, size - 1)
        points.append(p)
    if mode == "nearest":
        return _sampled(x, [ops.round(p) for p in points])
    floors = [ops.floor(p) for p in points]
    offsets = range(-1, 3) if mode == "cubic" else range(2)
    total: Any = 0
    for corner in product(offsets, repeat=count):
        weight: Any = 1
        for p, f, one in zip(points, floors, corner, strict=True):
            d = ops.abs(p - (f + one))
            weight = weight * (_cubic(d) if mode == "cubic" else 1 - d)
        places = [f + one for f, one in zip(floors, corner, strict=True)]
        if padding == "border":
            places = [ops.clip(f, 0, size - 1) for f, size in zip(places, space, strict=True)]
        total = total + _sampled(x, places) * ops.expand_dims(weight, 1)
    return total


def _cubic(d: Any, a: float = -0.75) -> Any:
    """The weight of an element at distance d ≤ 2 (Keys 1981)."""
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return ops.where(ops.less_equal(d, 1), near, far)


def _reflected(p: Any, low: float, high: float) -> Any:
    span = max(high - low, 1e-9)
    d = ops.remainder(p - low, 2 * span)
    return low + ops.minimum(d, 2 * span - d)


def _sampled(x: Any, places: list[Any]) -> Any:
    """x at whole coordinates, 0 outside of it."""
    inside: Any = True
    index: list[Any] = []
    for place, size in zip(places, x.shape[2:], strict=True):
        fits = ops.logical_and(ops.greater_equal(place, 0), ops.less(place, size))
        inside = ops.logical_and(inside, fits)
        index.append(ops.cast(ops.clip(place, 0, size - 1), np.int64))
    batch = np.arange(x.shape[0]).reshape(-1, *(1,) * (len(index[0].shape) - 1))
    rows = ops.moveaxis(x, 1, -1)[(batch, *index)]  # (n, *out, c)
    rows = ops.where(ops.expand_dims(inside, -1), rows, ops.zeros_like(rows))
    return ops.moveaxis(rows, -1, 1)
