"""Operators on quantised numbers: integers with a scale and a zero point."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.registry import ops
from .elementwise import dtype_of
from .table import Call, in_dtype, reads
from .windows import conv

_INT = np.dtype(np.int32)


def _along(n: Call, v: Any, x: Any) -> Any:
    """A scale or zero point as it broadcasts against x: one number, one for each index of an axis,
    or one for each block of an axis."""
    shape = tuple(v.shape)
    if len(shape) == 0 or shape == (1,):
        return ops.reshape(v, ())
    axis = int(n.attr("axis", 1)) % len(x.shape)
    block = int(n.attr("block_size", 0))
    if block:
        return ops.repeat(v, block, axis=axis)[(*(slice(None),) * axis, slice(x.shape[axis]))]
    return ops.reshape(v, tuple(-1 if place == axis else 1 for place in range(len(x.shape))))


@reads("DequantizeLinear")
def dequantize(n: Call, x: Any, scale: Any, zero: Any = None) -> Any:
    """(x − zero)·scale."""
    number = n.attr("output_dtype", 0)
    y = ops.cast(x, scale.dtype)
    if zero is not None:
        y = y - ops.cast(_along(n, zero, x), scale.dtype)
    y = y * _along(n, scale, x)
    return ops.cast(y, dtype_of(n, number)) if number else y


@reads("QuantizeLinear")
def quantize(n: Call, x: Any, scale: Any, zero: Any = None) -> Any:
    """round(x/scale) + zero, within the bounds of the integers."""
    number = n.attr("output_dtype", 0)
    dtype = np.dtype(np.uint8) if zero is None else zero.dtype
    dtype = dtype_of(n, number) if number else dtype
    whole = ops.round(in_dtype(x, np.float32) / in_dtype(_along(n, scale, x), np.float32))
    if zero is not None:
        whole = whole + ops.cast(_along(n, zero, x), whole.dtype)
    return _saturated(whole, dtype)


def _saturated(y: Any, dtype: Any) -> Any:
    bounds = np.iinfo(dtype)
    return ops.cast(ops.clip(y, float(bounds.min), float(bounds.max)), dtype)


@reads("DynamicQuantizeLinear")
def dynamic_quantize(n: Call, x: Any) -> Any:
    """x as uint8, with the scale and zero point of its range."""
    low, high = ops.minimum(ops.min(x), 0), ops.maximum(ops.max(x), 0)
    scale = (high - low) / 255
    zero = ops.clip(ops.round(-low / scale), 0, 255)
    y = _saturated(ops.round(x / scale) + zero, np.dtype(np.uint8))
    return y, scale, ops.cast(zero, np.uint8)


def _less(n: Call, x: Any, zero: Any, *, rows: bool = False) -> Any:
    """x − zero as int32; of a vector of zero points one for each row, or column, of x."""
    x = ops.cast(x, _INT)
    if zero is None:
        return x
    zero = ops.cast(zero, _INT)
    if len(zero.shape) == 1 and zero.shape[0] > 1 and rows:
        zero = ops.expand_dims(zero, -1)
    return x - (ops.reshape(zero, ()) if zero.shape == (1,) else zero)


@reads("MatMulInteger")
def matmul_integer(n: Call, a: Any, b: Any, za: Any = None, zb: Any = None) -> Any:
    """(a − za)(b − zb) in int32."""
    return ops.matmul(_less(n, a, za, rows=True), _less(n, b, zb))


@reads("QLinearMatMul")
def linear_matmul(
    n: Call, a: Any, sa: Any, za: Any, b: Any, sb: Any, zb: Any, sy: Any, zy: Any
) -> Any:
    """The product of two quantised matrices, quantised."""
    y = ops.cast(ops.matmul(_less(n, a, za, rows=True), _less(n, b, zb)), np.float32)
    factor = ops.cast(sa, np.float32) * ops.cast(sb, np.float32) / ops.cast(sy, np.float32)
    return _saturated(ops.round(y * factor) + ops.cast(zy, np.float32), zy.dtype)


def _convolved(n: Call, x: Any, zx: Any, w: Any, zw: Any) -> Any:
    """The convolution of integers, in float64, which holds them exactly."""
    x, w = (ops.cast(_less(n, one, None), np.float64) for one in (x, w))
    if zx is not None:
        x = x - ops.cast(ops.reshape(zx, ()), np.float64)
    if zw is not None:
        zw = ops.cast(zw, np.float64)
        column = len(zw.shape) == 1 and zw.shape[0] > 1
        w = w - ops.reshape(zw, (-1, *(1,) * (len(w.shape) - 1)) if column else ())
    return conv(n, x, w)


@reads("ConvInteger")
def conv_integer(n: Call, x: Any, w: Any, zx: Any = None, zw: Any = None) -> Any:
    """The convolution of x − zx and w − zw in int32."""
    return ops.cast(_convolved(n, x, zx, w, zw), _INT)


@reads("QLinearConv")
def linear_conv(
    n: Call, x: Any, sx: Any, zx: Any, w: Any, sw: Any, zw: Any, sy: Any, zy: Any, b: Any = None
) -> Any:
    """A convolution of quantised numbers, quantised."""
    y = _convolved(n, x, zx, w, zw)
    if b is not None:
        y = y + ops.reshape(ops.cast(b, np.float64), (-1, *(1,) * (len(x.shape) - 2)))
    factor = ops.cast(sx, np.float64) * ops.cast(sw, np.float64) / ops.cast(sy, np.float64)
    if len(factor.shape) == 1 and factor.shape[0] > 1:
        factor = ops.reshape(factor, (-1, *(1,) * (len(x.shape) - 2)))
    else:
        factor = ops.reshape(factor, ())
    return _saturated(ops.round(y * factor) + ops.cast(zy, np.float64), zy.dtype)
