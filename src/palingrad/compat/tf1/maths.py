"""Arithmetic, comparisons, reductions and matrix products by TensorFlow's names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...dtypes import is_integer
from ...graph.registry import ops
from .framework.convert import node, nodes, number_of
from .framework.graph import Tensor, build
from .framework.types import numeric

__all__ = [
    "abs", "acos", "acosh", "add", "add_n", "arg_max", "arg_min", "argmax", "argmin", "asin",
    "asinh", "atan", "atan2", "atanh", "cast", "ceil", "clip_by_global_norm", "clip_by_norm",
    "clip_by_value", "cos", "cosh", "cumsum", "div", "divide", "einsum", "equal", "erf", "erfc",
    "exp", "expm1", "floor", "floordiv", "floormod", "global_norm", "greater", "greater_equal",
    "identity", "is_finite", "is_inf", "is_nan", "less", "less_equal", "log", "log1p",
    "logical_and", "logical_not", "logical_or", "logical_xor", "matmul", "maximum", "minimum",
    "mod", "multiply", "negative", "norm", "not_equal", "pow", "reciprocal", "reduce_all",
    "reduce_any", "reduce_logsumexp", "reduce_max", "reduce_mean", "reduce_min", "reduce_prod",
    "reduce_sum", "rint", "round", "rsqrt", "sigmoid", "sign", "sin", "sinh", "sqrt", "square",
    "squared_difference", "stop_gradient", "subtract", "tan", "tanh", "tensordot", "to_float",
    "to_int32", "to_int64", "truediv",
]  # fmt: skip

Reduction = Callable[..., Tensor]


def _unary(kind: str, rule: str) -> Callable[..., Tensor]:
    def function(x: Any, name: str | None = None) -> Tensor:
        return build(kind, name, lambda: getattr(ops, rule)(node(x)))

    function.__doc__ = f"palingrad's `{rule}`, element by element."
    return function


def _binary(kind: str, rule: str) -> Callable[..., Tensor]:
    def function(x: Any, y: Any, name: str | None = None) -> Tensor:
        return build(kind, name, lambda: getattr(ops, rule)(*nodes(x, y)))

    function.__doc__ = f"palingrad's `{rule}` of x and y, which broadcast."
    return function


abs = _unary("Abs", "abs")
acos, asin, atan = _unary("Acos", "acos"), _unary("Asin", "asin"), _unary("Atan", "atan")
acosh, asinh, atanh = _unary("Acosh", "acosh"), _unary("Asinh", "asinh"), _unary("Atanh", "atanh")
ceil, floor, rint = _unary("Ceil", "ceil"), _unary("Floor", "floor"), _unary("Rint", "round")
cos, sin, tan = _unary("Cos", "cos"), _unary("Sin", "sin"), _unary("Tan", "tan")
cosh, sinh, tanh = _unary("Cosh", "cosh"), _unary("Sinh", "sinh"), _unary("Tanh", "tanh")
erf, erfc = _unary("Erf", "erf"), _unary("Erfc", "erfc")
exp, expm1 = _unary("Exp", "exp"), _unary("Expm1", "expm1")
log, log1p = _unary("Log", "log"), _unary("Log1p", "log1p")
is_finite, is_inf = _unary("IsFinite", "isfinite"), _unary("IsInf", "isinf")
is_nan = _unary("IsNan", "isnan")
logical_not, negative = _unary("LogicalNot", "logical_not"), _unary("Neg", "negative")
reciprocal, round = _unary("Reciprocal", "reciprocal"), _unary("Round", "round")
sigmoid, sign = _unary("Sigmoid", "sigmoid"), _unary("Sign", "sign")
sqrt, square = _unary("Sqrt", "sqrt"), _unary("Square", "square")
stop_gradient = _unary("StopGradient", "stop_gradient")

add, multiply, subtract = (
    _binary("Add", "add"),
    _binary("Mul", "multiply"),
    _binary("Sub", "subtract"),
)
divide = truediv = _binary("truediv", "divide")
floordiv, floormod = _binary("floordiv", "floor_divide"), _binary("FloorMod", "remainder")
mod = floormod
maximum, minimum = _binary("Maximum", "maximum"), _binary("Minimum", "minimum")
pow, atan2 = _binary("Pow", "pow"), _binary("Atan2", "atan2")
equal, not_equal = _binary("Equal", "equal"), _binary("NotEqual", "not_equal")
greater, greater_equal = _binary("Greater", "greater"), _binary("GreaterEqual", "greater_equal")
less, less_equal = _binary("Less", "less"), _binary("LessEqual", "less_equal")
logical_and, logical_or = (
    _binary("LogicalAnd", "logical_and"),
    _binary("LogicalOr", "logical_or"),
)
logical_xor = _binary("LogicalXor", "logical_xor")


def div(x: Any, y: Any, name: str | None = None) -> Tensor:
    """x / y; of integers the quotient rounded down."""
    whole = isinstance(x, Tensor) and x.dtype.is_integer
    return floordiv(x, y, name) if whole else build("div", name, lambda: ops.divide(*nodes(x, y)))


def squared_difference(x: Any, y: Any, name: str | None = None) -> Tensor:
    """(x − y)²."""
    return build("SquaredDifference", name, lambda: ops.square(ops.subtract(*nodes(x, y))))


def rsqrt(x: Any, name: str | None = None) -> Tensor:
    """1/√x."""
    return build("Rsqrt", name, lambda: ops.reciprocal(ops.sqrt(node(x))))


def add_n(inputs: Sequence[Any], name: str | None = None) -> Tensor:
    """The sum of several tensors."""

    def total() -> Any:
        first, *rest = nodes(*inputs)
        for one in rest:
            first = ops.add(first, one)
        return first

    return build("AddN", name, total)


def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None):
    """t, bounded below and above."""
    return build(
        "clip_by_value",
        name,
        lambda: ops.clip(*nodes(t, clip_value_min, clip_value_max)),
    )


def cast(x: Any, dtype: Any, name: str | None = None) -> Tensor:
    """x in another dtype; decimals are cut off."""
    return build("Cast", name, lambda: ops.cast(node(x), numeric(dtype)))


def to_float(x: Any, name: str = "ToFloat") -> Tensor:
    """x as float32."""
    return cast(x, "float32", name)


def to_int32(x: Any, name: str = "ToInt32") -> Tensor:
    """x as int32."""
    return cast(x, "int32", name)


def to_int64(x: Any, name: str = "ToInt64") -> Tensor:
    """x as int64."""
    return cast(x, "int64", name)


def identity(input: Any, name: str | None = None) -> Tensor:
    """The same values, by another name."""
    return build("Identity", name, lambda: node(input).copy())


def matmul(
    a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False,
    adjoint_a: bool = False, adjoint_b: bool = False, name: str | None = None, **_: Any,
) -> Tensor:  # fmt: skip
    """a @ b, of the last two axes; either may be transposed, or conjugated too."""

    def product() -> Any:
        x, y = map(node, (a, b)) if isinstance(a, Tensor) is isinstance(b, Tensor) else nodes(a, b)
        x = ops.matrix_transpose(ops.conj(x) if adjoint_a else x) if transpose_a or adjoint_a else x
        y = ops.matrix_transpose(ops.conj(y) if adjoint_b else y) if transpose_b or adjoint_b else y
        return ops.matmul(x, y)

    return build("MatMul", name, product)


def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Tensor:
    """The sum of products over pairs of axes."""
    return build("Tensordot", name, lambda: ops.tensordot(*nodes(a, b), axes=axes))


def einsum(equation: str, *inputs: Any, name: str | None = None) -> Tensor:
    """A sum of products in Einstein's notation."""
    return build("einsum", name, lambda: ops.einsum(equation, *nodes(*inputs)))


# ---------------------------------------------------------------- reductions


def _axis(axis: Any) -> Any:
    if axis is None or isinstance(axis, int):
        return axis
    known = number_of(axis)
    if known is None:
        raise TypeError("an axis is an integer, known when the graph is built.")
    return int(known) if not known.ndim else tuple(int(one) for one in known)


def _reduction(kind: str, rule: str, *, keeps: bool = True) -> Reduction:
    def function(
        input_tensor: Any, axis: Any = None, keepdims: bool | None = None,
        name: str | None = None, reduction_indices: Any = None, keep_dims: bool | None = None,
    ) -> Tensor:  # fmt: skip
        axes = _axis(reduction_indices if axis is None else axis)
        kept = bool(keepdims or keep_dims)

        def reduced() -> Any:
            x = node(input_tensor)
            if axes == ():
                return x
            y = getattr(ops, rule)(x, axis=axes, keepdims=kept)
            whole = keeps and is_integer(x.dtype)
            return ops.cast(y, x.dtype) if whole else y  # palingrad's sum of int32 is int64

        return build(kind, name, reduced)

    function.__doc__ = f"palingrad's `{rule}` over some axes, by default all."
    return function


reduce_sum, reduce_mean = _reduction("Sum", "sum"), _reduction("Mean", "mean")
reduce_max, reduce_min = _reduction("Max", "max"), _reduction("Min", "min")
reduce_prod = _reduction("Prod", "prod")
reduce_all = _reduction("All", "all", keeps=False)
reduce_any = _reduction("Any", "any", keeps=False)
reduce_logsumexp = _reduction("ReduceLogSumExp", "logsumexp")


def _position(kind: str, rule: str) -> Callable[..., Tensor]:
    def function(
        input: Any, axis: Any = None, name: str | None = None, dimension: Any = None,
        output_type: Any = "int64",
    ) -> Tensor:  # fmt: skip
        chosen = dimension if axis is None else axis
        along = 0 if chosen is None else _axis(chosen)

        def found() -> Any:
            return ops.cast(getattr(ops, rule)(node(input), axis=along), numeric(output_type))

        return build(kind, name, found)

    function.__doc__ = f"palingrad's `{rule}` along an axis, by default the first."
    return function


argmax, argmin = _position("ArgMax", "argmax"), _position("ArgMin", "argmin")
arg_max, arg_min = argmax, argmin


def cumsum(x: Any, axis: int = 0, name: str | None = None) -> Tensor:
    """The sums of all elements up to each, along an axis."""
    return build("Cumsum", name, lambda: ops.cast(ops.cumsum(node(x), axis=axis), node(x).dtype))


def norm(
    tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """√Σx²; of other orders as NumPy's."""
    order = 2 if ord in ("euclidean", "fro") else ord
    return build(
        "norm",
        name,
        lambda: ops.vector_norm(node(tensor), axis=_axis(axis), ord=order, keepdims=keepdims),
    )


def global_norm(t_list: Sequence[Any], name: str | None = None) -> Tensor:
    """√ of the sum of the squares of all elements."""

    def total() -> Any:
        squares = [ops.sum(ops.square(node(one))) for one in t_list if one is not None]
        return ops.sqrt(sum(squares[1:], squares[0]))

    return build("global_norm", name, total)


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """t, scaled down to this norm if its own is larger."""

    def clipped() -> Any:
        x, bound = nodes(t, clip_norm)
        length = ops.sqrt(ops.sum(ops.square(x), axis=_axis(axes), keepdims=True))
        return x * bound / ops.maximum(length, bound)

    return build("clip_by_norm", name, clipped)


def clip_by_global_norm(
    t_list: Sequence[Any], clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], Tensor]:
    """Tensors, scaled down together to this global norm if theirs is larger, and theirs."""
    length = global_norm(t_list) if use_norm is None else use_norm
    scale = divide(clip_norm, maximum(length, clip_norm))
    return [None if one is None else multiply(one, scale) for one in t_list], length


def bind() -> None:
    """Gives tensors their operators."""
    table = {
        "add": ("add", add), "sub": ("sub", subtract), "mul": ("mul", multiply),
        "truediv": ("truediv", divide), "floordiv": ("floordiv", floordiv),
        "mod": ("mod", floormod), "pow": ("pow", pow), "matmul": ("matmul", matmul),
        "and": ("and", logical_and), "or": ("or", logical_or), "xor": ("xor", logical_xor),
    }  # fmt: skip
    for method, (name, function) in table.items():

        def forward(x: Tensor, y: Any, _of: Any = function, _name: str = name) -> Tensor:
            return _of(x, y, name=_name)

        def backward(x: Tensor, y: Any, _of: Any = function, _name: str = name) -> Tensor:
            return _of(y, x, name=_name)

        setattr(Tensor, f"__{method}__", forward)
        setattr(Tensor, f"__r{method}__", backward)
    for method, function in (
        ("lt", less), ("le", less_equal), ("gt", greater), ("ge", greater_equal),
        ("neg", negative), ("abs", abs), ("invert", logical_not),
    ):  # fmt: skip
        setattr(Tensor, f"__{method}__", function)


bind()
