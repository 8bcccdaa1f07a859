"""The operations that one ONNX operator computes, where their formulas would take several."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...dtypes import is_floating
from ...graph.operation import Operation
from ...ops.elementwise.activation import LeakyRelu, Relu, Sigmoid
from ...ops.elementwise.numbers import Copysign, Fmod
from ...ops.reduction.softmax import LogSoftmax, Softmax
from ...ops.window.convolution import Convolution, ConvolutionInput
from ...ops.window.pooling import AveragePool, MaxPool
from .library import LibraryOnnx
from .values import Value

# What writes an operation: given `m`, the operation and its inputs. None: by its formula after all.
Rule = Callable[[LibraryOnnx, Any, Any], "Value | None"]
RULES: dict[type[Operation], Rule] = {}


def writes(*operations: type[Operation]) -> Callable[[Rule], Rule]:
    """Registers the function that writes these operations."""

    def registered(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(operations, rule))
        return rule

    return registered


def _sides(padding: Any) -> list[int]:
    return [low for low, _ in padding] + [high for _, high in padding]


def _narrow(*xs: Value) -> bool:
    """Whether the operator has kernels for this dtype in onnxruntime."""
    return all(is_floating(x.dtype) and x.dtype.itemsize == 4 and x.size for x in xs)


@writes(Convolution)
def convolution(m: LibraryOnnx, y: Any, xs: Any) -> Value | None:
    """Conv, of float32."""
    if not _narrow(*xs):
        return None
    return m.op("Conv", *xs, shape=y.shape, dtype=y.dtype, kernel_shape=list(xs[1].shape[2:]),
                strides=list(y.stride), pads=_sides(y.padding), dilations=list(y.dilation),
                group=y.groups)  # fmt: skip


@writes(ConvolutionInput)
def convolution_input(m: LibraryOnnx, y: Any, xs: Any) -> Value | None:
    """ConvTranspose, of float32; `output_padding` adds what the stride didn't reach."""
    if not _narrow(*xs):
        return None
    g, w = xs
    extra: list[int] = []
    for axis, (size, (low, high)) in enumerate(zip(y.space, y.padding, strict=True)):
        stride, dilation = y.stride[axis], y.dilation[axis]
        reached = (g.shape[2 + axis] - 1) * stride + (w.shape[2 + axis] - 1) * dilation + 1
        extra.append(size + low + high - reached)
        if not 0 <= extra[-1] < max(stride, dilation):
            return None
    return m.op("ConvTranspose", g, w, shape=y.shape, dtype=y.dtype,
                kernel_shape=list(w.shape[2:]), strides=list(y.stride), pads=_sides(y.padding),
                dilations=list(y.dilation), group=y.groups, output_padding=extra)  # fmt: skip


@writes(MaxPool)
def max_pool(m: LibraryOnnx, y: Any, xs: Any) -> Value | None:
    """MaxPool, of float32; it passes over NaN, so windows with one are found by another."""
    if not _narrow(*xs) or not _pads_less_than_windows(y):
        return None
    how = dict(shape=y.shape, dtype=y.dtype, pads=_sides(y.padding), **_kernel(y))
    missing = m.op("MaxPool", m.cast_to(m.isnan(xs[0]), y.dtype), **how)
    return m.where(m.greater(missing, 0.0), math.nan, m.op("MaxPool", xs[0], **how))


@writes(AveragePool)
def average_pool(m: LibraryOnnx, y: Any, xs: Any) -> Value | None:
    """AveragePool, of float32 without padding."""
    if not _narrow(*xs) or any(map(any, y.padding)):
        return None
    return m.op("AveragePool", xs[0], shape=y.shape, dtype=y.dtype, **_kernel(y))


def _kernel(y: Any) -> dict[str, Any]:
    return dict(kernel_shape=list(y.attributes["size"]), strides=list(y.stride))


def _pads_less_than_windows(y: Any) -> bool:
    return all(max(pad) < size for pad, size in zip(y.padding, y.attributes["size"], strict=True))


@writes(Copysign)
def copysign(m: LibraryOnnx, y: Any, xs: Any) -> Value | None:
    """A product with ±1: in the formula's `where`, onnxruntime turns −0.0 into 0.0."""
    return m.copysign(*xs) if is_floating(y.dtype) else None


@writes(Fmod)
def fmod(m: LibraryOnnx, y: Any, xs: Any) -> Value | None:
    """Mod with fmod=1, whose zeros have the sign of x."""
    return m.fmod(*xs) if is_floating(y.dtype) else None


@writes(Relu)
def relu(m: LibraryOnnx, y: Any, xs: Any) -> Value | None:
    """Relu."""
    return _plain("Relu", m, y, xs)


@writes(Sigmoid)
def sigmoid(m: LibraryOnnx, y: Any, xs: Any) -> Value | None:
    """Sigmoid."""
    return _plain("Sigmoid", m, y, xs)


@writes(LeakyRelu)
def leaky_relu(m: LibraryOnnx, y: Any, xs: Any) -> Value | None:
    """LeakyRelu, of float32."""
    slopes = [one for one in y.attributes.values() if isinstance(one, (int, float))]
    if y.dtype != np.float32 or len(slopes) != 1:
        return None
    return _plain("LeakyRelu", m, y, xs, alpha=float(slopes[0]))


def _plain(op: str, m: LibraryOnnx, y: Any, xs: Any, **attributes: Any) -> Value | None:
    if len(xs) != 1 or not is_floating(y.dtype) or xs[0].dtype != y.dtype:
        return None
    return m.op(op, *xs, shape=y.shape, dtype=y.dtype, **attributes)


@writes(Softmax, LogSoftmax)
def softmax(m: LibraryOnnx, y: Any, xs: Any) -> Value | None:
    """Softmax and LogSoftmax, along one axis."""
    axis = y.attributes["axis"]
    axes = axis if isinstance(axis, tuple) else (axis,)
    if len(axes) != 1 or axes[0] is None or not xs[0].ndim or not xs[0].size:
        return None
    if not is_floating(xs[0].dtype) or xs[0].dtype != y.dtype:
        return None
    return m.op(type(y).__name__, xs[0], shape=y.shape, dtype=y.dtype, axis=int(axes[0]))
