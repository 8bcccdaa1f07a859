"""Operators that compute each element alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...dtypes import is_boolean, is_floating, is_integer, is_unsigned
from ...graph.registry import ops
from ...maths.numpy import cast as cast_array
from .table import RULES, Call, in_dtype, reads

_UNARY = {
    "Abs": "abs", "Neg": "negative", "Sign": "sign", "Exp": "exp", "Log": "log", "Sqrt": "sqrt",
    "Sin": "sin", "Cos": "cos", "Tan": "tan", "Asin": "asin", "Acos": "acos", "Atan": "atan",
    "Sinh": "sinh", "Cosh": "cosh", "Tanh": "tanh", "Asinh": "asinh", "Acosh": "acosh",
    "Atanh": "atanh", "Erf": "erf", "Floor": "floor", "Ceil": "ceil", "Round": "round",
    "Reciprocal": "reciprocal", "IsNaN": "isnan", "Not": "logical_not", "Relu": "relu",
    "Sigmoid": "sigmoid", "Softplus": "softplus", "Softsign": "softsign", "Mish": "mish",
    "HardSwish": "hard_swish", "BitwiseNot": "bitwise_invert",
}  # fmt: skip
_BINARY = {
    "Add": "add", "Sub": "subtract", "Mul": "multiply", "And": "logical_and", "Or": "logical_or",
    "Xor": "logical_xor", "Equal": "equal", "Less": "less", "Greater": "greater",
    "LessOrEqual": "less_equal", "GreaterOrEqual": "greater_equal", "BitwiseAnd": "bitwise_and",
    "BitwiseOr": "bitwise_or", "BitwiseXor": "bitwise_xor",
}  # fmt: skip


def _unary(name: str) -> Any:
    return lambda n, x: getattr(ops, name)(x)


def _binary(name: str) -> Any:
    return lambda n, x, y: getattr(ops, name)(x, aligned(n, x, y))


def aligned(n: Call, x: Any, y: Any) -> Any:
    """y as it broadcasts against x: before opset 7 its axes began at the attribute `axis`."""
    axis = n.attr("axis")
    if n.opset >= 7 or axis is None:
        return y
    missing = len(x.shape) - int(axis) - len(y.shape)
    return ops.reshape(y, (*y.shape, *(1,) * missing))


for _op, _name in _UNARY.items():
    RULES[_op] = _unary(_name)
for _op, _name in _BINARY.items():
    RULES[_op] = _binary(_name)


@reads("Identity", "Optional")
def identity(n: Call, x: Any) -> Any:
    """x."""
    return x


@reads("Div")
def divide(n: Call, x: Any, y: Any) -> Any:
    """x / y; of integers truncated towards 0."""
    y = aligned(n, x, y)
    if is_floating(x.dtype):
        return ops.divide(x, y)
    whole = ops.floor_divide(x, y)
    if is_unsigned(x.dtype):
        return whole
    inexact = ops.not_equal(x - whole * y, 0)
    below = ops.not_equal(ops.less(x, 0), ops.less(y, 0))
    return whole + ops.cast(ops.logical_and(inexact, below), x.dtype)


@reads("Mod")
def modulo(n: Call, x: Any, y: Any) -> Any:
    """The remainder, with the sign of y, or with fmod=1 that of x."""
    return ops.fmod(x, y) if n.attr("fmod", 0) else ops.remainder(x, y)


@reads("Pow")
def power(n: Call, x: Any, y: Any) -> Any:
    """xʸ in x's dtype."""
    y = aligned(n, x, y)
    if x.dtype == y.dtype:
        return ops.pow(x, y)
    if is_integer(x.dtype) and is_integer(y.dtype):
        return ops.pow(x, in_dtype(y, x.dtype))
    wide = np.result_type(x.dtype, y.dtype)
    if is_floating(x.dtype) and is_integer(y.dtype):
        wide = x.dtype
    return in_dtype(ops.pow(in_dtype(x, wide), in_dtype(y, wide)), x.dtype)


@reads("Max", "Min", "Sum", "Mean")
def several(n: Call, *xs: Any) -> Any:
    """Of any number of inputs."""
    name = {"Max": "maximum", "Min": "minimum"}.get(n.op, "add")
    total = xs[0]
    for x in xs[1:]:
        total = getattr(ops, name)(total, x)
    return total / len(xs) if n.op == "Mean" else total


@reads("Where")
def where(n: Call, condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, else y."""
    return ops.where(condition, x, y)


@reads("IsInf")
def isinf(n: Call, x: Any) -> Any:
    """Whether x is one of the infinities asked for."""
    positive = n.attr("detect_positive", 1)
    negative = n.attr("detect_negative", 1)
    found = ops.isinf(x)
    if not positive:
        found = ops.logical_and(found, ops.less(x, 0))
    return found if negative else ops.logical_and(found, ops.greater(x, 0))


@reads("BitShift")
def shift(n: Call, x: Any, y: Any) -> Any:
    """x shifted by y bits."""
    left = n.attr("direction") == "LEFT"
    return (ops.bitwise_left_shift if left else ops.bitwise_right_shift)(x, y)


@reads("Cast")
def cast(n: Call, x: Any) -> Any:
    """x in another dtype."""
    return ops.cast(x, dtype_of(n, n.attr("to")))


@reads("CastLike")
def cast_like(n: Call, x: Any, y: Any) -> Any:
    """x in y's dtype."""
    if isinstance(x, np.ndarray):  # known, whatever y is
        return cast_array(x, y.dtype)
    return ops.cast(x, y.dtype)


_NUMBERS = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64",
    9: "bool", 10: "float16", 11: "float64", 12: "uint32", 13: "uint64",
}  # fmt: skip


def dtype_of(n: Call, number: Any) -> Any:
    """The dtype of a number of TensorProto.DataType."""
    if number not in _NUMBERS:
        raise n.refuse(f"palingrad has no dtype for ONNX's type number {number}")
    return np.dtype(_NUMBERS[number])


# ---------------------------------------------------------------- activations


@reads("LeakyRelu")
def leaky_relu(n: Call, x: Any) -> Any:
    """x, times alpha where x < 0."""
    return ops.where(ops.less(x, 0), x * n.attr("alpha", 0.01), x)


@reads("PRelu")
def prelu(n: Call, x: Any, slope: Any) -> Any:
    """x, times a slope where x < 0."""
    if n.opset < 7 and len(slope.shape) == 1 and slope.shape[0] > 1:
        slope = ops.reshape(slope, (-1, *(1,) * (len(x.shape) - 2)))
    return ops.where(ops.less(x, 0), slope * x, x)


@reads("Elu")
def elu(n: Call, x: Any) -> Any:
    """x, or alpha·(eˣ − 1) where x < 0."""
    below = n.attr("alpha", 1.0) * ops.expm1(ops.minimum(x, 0))
    return ops.where(ops.less(x, 0), below, x)


@reads("Celu")
def celu(n: Call, x: Any) -> Any:
    """max(0, x) + min(0, alpha·(e^{x/alpha} − 1))."""
    return ops.celu(x, alpha=n.attr("alpha", 1.0))


@reads("Selu")
def selu(n: Call, x: Any) -> Any:
    """gamma·x, or gamma·alpha·(eˣ − 1) where x ≤ 0."""
    old = n.opset < 6
    alpha = n.attr("alpha", 1.6732 if old else 1.67326319217681884765625)
    gamma = n.attr("gamma", 1.0507 if old else 1.05070102214813232421875)
    below = alpha * ops.expm1(ops.minimum(x, 0))
    return gamma * ops.where(ops.greater(x, 0), x, below)


@reads("Gelu")
def gelu(n: Call, x: Any) -> Any:
    """x·Φ(x)."""
    return ops.gelu(x, approximate=n.attr("approximate", "none") == "tanh")


@reads("HardSigmoid")
def hard_sigmoid(n: Call, x: Any) -> Any:
    """alpha·x + beta, clipped to [0, 1]."""
    return ops.clip(n.attr("alpha", 0.2) * x + n.attr("beta", 0.5), 0, 1)


@reads("ThresholdedRelu")
def thresholded_relu(n: Call, x: Any) -> Any:
    """x where it exceeds alpha, else 0."""
    return ops.where(ops.greater(x, n.attr("alpha", 1.0)), x, ops.zeros_like(x))


@reads("Shrink")
def shrink(n: Call, x: Any) -> Any:
    """x moved towards 0 by bias outside of [−lambd, lambd], else 0."""
    bias, limit = n.attr("bias", 0.0), n.attr("lambd", 0.5)
    moved = ops.where(ops.less(x, -limit), x + bias, x - bias)
    outside = ops.greater(ops.abs(x), limit)
    return in_dtype(ops.where(outside, moved, ops.zeros_like(moved)), x)


@reads("Swish")
def swish(n: Call, x: Any) -> Any:
    """x·σ(alpha·x)."""
    return x * ops.sigmoid(n.attr("alpha", 1.0) * x)


@reads("Clip")
def clip(n: Call, x: Any, low: Any = None, high: Any = None) -> Any:
    """x within bounds."""
    if n.opset < 11:
        low, high = n.attr("min"), n.attr("max")
    if low is not None:
        x = ops.maximum(x, low)
    return x if high is None else ops.minimum(x, high)


@reads("Dropout")
def dropout(n: Call, x: Any, ratio: Any = None, training: Any = None) -> Any:
    """x and a mask of ones; elements are dropped only while training."""
    training = training is not None and bool(n.known(training, "training_mode"))
    rate = 0.5 if ratio is None else float(n.known(ratio, "ratio"))
    if training and rate:
        raise n.refuse("ONNX leaves the random numbers open; load a model for inference")
    return x, np.ones(x.shape, bool if n.opset >= 10 else x.dtype)


@reads("Bernoulli", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike",
       "Multinomial")  # fmt: skip
def random(n: Call, *xs: Any) -> Any:
    """Refused: ONNX doesn't say which numbers."""
    raise n.refuse("ONNX leaves the random numbers open; make them an input of the model")


# ---------------------------------------------------------------- constants


@reads("Constant")
def constant(n: Call) -> Any:
    """An array."""
    for name, dtype in (("value_float", "f4"), ("value_floats", "f4"), ("value_int", "i8"),
                        ("value_ints", "i8")):  # fmt: skip
        if name in n.attributes:
            return np.asarray(n.attr(name), dtype)
    value = n.attr("value")
    if not isinstance(value, np.ndarray):
        raise n.refuse("its value isn't an array of numbers")
    return value


@reads("ConstantOfShape")
def constant_of_shape(n: Call, shape: Any) -> Any:
    """An array of one number."""
    value = n.attr("value", np.zeros(1, np.float32))
    return np.full(bounded(n, n.ints(shape, "the shape")), value.reshape(-1)[0], value.dtype)


_LARGEST = 2**28  # elements of an array that a few bytes of a file ask for


def bounded(n: Call, shape: Any) -> tuple[int, ...]:
    """The shape. Raises OnnxError if it is negative, or has so many elements that the file is
    likely made to exhaust memory."""
    shape = tuple(map(int, shape))
    if any(size < 0 for size in shape) or math.prod(shape) > _LARGEST:
        raise n.refuse(f"an array of shape {shape} isn't made: at most {_LARGEST:,} elements are")
    return shape


@reads("EyeLike")
def eye_like(n: Call, x: Any) -> Any:
    """Ones on a diagonal."""
    number = n.attr("dtype")
    dtype = x.dtype if number is None else dtype_of(n, number)
    return np.eye(*bounded(n, x.shape), k=int(n.attr("k", 0)), dtype=dtype)


@reads("Range")
def arange(n: Call, start: Any, limit: Any, delta: Any) -> Any:
    """start, start + delta, …."""
    a, b, d = (n.known(x, "its bounds").reshape(-1)[0] for x in (start, limit, delta))
    count = max(math.ceil((float(b) - float(a)) / float(d)), 0) if d else -1
    bounded(n, (count,))
    return (a + np.arange(count) * d).astype(start.dtype)


@reads("Shape")
def shape_of(n: Call, x: Any) -> Any:
    """The sizes of the axes."""
    shape = tuple(x.shape)
    return np.array(shape[slice(n.attr("start", 0), n.attr("end"))], np.int64)


@reads("Size")
def size_of(n: Call, x: Any) -> Any:
    """The number of elements."""
    return np.asarray(math.prod(x.shape), np.int64)


@reads("BlackmanWindow", "HannWindow", "HammingWindow")
def window(n: Call, size: Any) -> Any:
    """A window function."""
    (length,) = bounded(n, [int(n.known(size, "the size"))])
    whole = length if n.attr("periodic", 1) else length - 1
    angle = 2 * np.pi * np.arange(length) / max(whole, 1)
    terms = {"HannWindow": (0.5, 0.5, 0.0), "HammingWindow": (25 / 46, 21 / 46, 0.0),
             "BlackmanWindow": (0.42, 0.5, 0.08)}[n.op]  # fmt: skip
    found = terms[0] - terms[1] * np.cos(angle) + terms[2] * np.cos(2 * angle)
    return found.astype(dtype_of(n, n.attr("output_datatype", 1)))


def truth(x: Any) -> Any:
    """x as booleans."""
    return x if is_boolean(x.dtype) else ops.not_equal(x, 0)
