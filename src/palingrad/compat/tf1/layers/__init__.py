"""Layers by TensorFlow's names: functions that make Variables and use them."""

from __future__ import annotations

import math
from typing import Any

from ....errors import ShapeError
from ....graph.registry import ops
from ..arrays import reshape
from ..framework.convert import convert_to_tensor, number_of
from ..framework.graph import Tensor, build, missing
from ..framework.types import as_dtype
from ..framework.variables import Variable
from ..initializers import Zeros
from ..maths import matmul
from ..nn.activations import bias_add, dropout as dropped
from ..nn.windows import avg_pool, conv2d as convolved, max_pool, pair
from ..scopes import get_variable, variable_scope

__all__ = [
    "Dense", "average_pooling2d", "conv2d", "dense", "dropout", "flatten", "max_pooling2d",
]  # fmt: skip


class Dense:
    """x @ kernel + bias, then the activation. Its Variables are made at the first call."""

    def __init__(
        self, units: int, activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = None, bias_initializer: Any = None,
        kernel_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, kernel_constraint: Any = None,
        bias_constraint: Any = None, trainable: bool = True, name: str | None = None,
        _reuse: Any = None, **_: Any,
    ) -> None:  # fmt: skip
        _refuse("dense", activity_regularizer, kernel_constraint, bias_constraint)
        self.units, self.activation, self.use_bias = int(units), activation, use_bias
        self._initializers = kernel_initializer, bias_initializer or Zeros()
        self._regularizers = kernel_regularizer, bias_regularizer
        self._trainable, self._name, self._reuse = trainable, name, _reuse
        self.kernel: Variable | None = None
        self.bias: Variable | None = None

    @property
    def variables(self) -> list[Variable]:
        """The kernel and the bias."""
        return [one for one in (self.kernel, self.bias) if one is not None]

    trainable_variables = trainable_weights = weights = variables

    def __call__(self, inputs: Any) -> Tensor:
        x = convert_to_tensor(inputs)
        with variable_scope(self._name, "dense", reuse=self._reuse):
            if self.kernel is None:
                self.kernel, self.bias = _weights(
                    [_channels(x, -1), self.units], self.units, x, self.use_bias,
                    self._initializers, self._regularizers, self._trainable,
                )  # fmt: skip
            y = matmul(x, self.kernel)
            y = y if self.bias is None else bias_add(y, self.bias)
            return y if self.activation is None else self.activation(y)

    apply = __call__


def _refuse(layer: str, *options: Any) -> None:
    if any(one is not None for one in options):
        raise NotImplementedError(
            f"{layer}: constraints and regularizers of activities aren't here."
        )


def _channels(x: Tensor, axis: int) -> int:
    size = x.shape.as_list()[axis]
    if size is None:
        raise ShapeError(f"a layer needs inputs whose last size is known, got {x.shape}.")
    return size


def _weights(
    shape: list[int], outputs: int, x: Tensor, use_bias: bool, initializers: Any,
    regularizers: Any, trainable: bool,
) -> tuple[Variable, Variable | None]:  # fmt: skip
    kinds = ("kernel", "bias") if use_bias else ("kernel",)
    made = [
        get_variable(
            kind, sizes, x.dtype, initializer, regularizer=regularizer, trainable=trainable
        )
        for kind, sizes, initializer, regularizer in zip(
            kinds, (shape, [outputs]), initializers, regularizers, strict=False
        )
    ]
    return made[0], made[1] if use_bias else None


def dense(
    inputs: Any, units: int, activation: Any = None, use_bias: bool = True,
    kernel_initializer: Any = None, bias_initializer: Any = None, kernel_regularizer: Any = None,
    bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
    bias_constraint: Any = None, trainable: bool = True, name: str | None = None,
    reuse: Any = None,
) -> Tensor:  # fmt: skip
    """inputs @ kernel + bias, then the activation."""
    layer = Dense(
        units, activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer,
        bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, trainable,
        name, reuse,
    )  # fmt: skip
    return layer(inputs)


def _format(data_format: str) -> str:
    return {"channels_last": "NHWC", "channels_first": "NCHW"}.get(data_format, data_format)


def conv2d(
    inputs: Any, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
    data_format: str = "channels_last", dilation_rate: Any = (1, 1), activation: Any = None,
    use_bias: bool = True, kernel_initializer: Any = None, bias_initializer: Any = None,
    kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
    kernel_constraint: Any = None, bias_constraint: Any = None, trainable: bool = True,
    name: str | None = None, reuse: Any = None,
) -> Tensor:  # fmt: skip
    """The convolution of images with filters of its own, then the activation."""
    _refuse("conv2d", activity_regularizer, kernel_constraint, bias_constraint)
    x, order = convert_to_tensor(inputs), _format(data_format)
    size = pair(kernel_size, order, "kernel_size")
    with variable_scope(name, "conv2d", reuse=reuse):
        kernel, bias = _weights(
            [*size, _channels(x, 1 if order == "NCHW" else -1), int(filters)], int(filters), x,
            use_bias, (kernel_initializer, bias_initializer or Zeros()),
            (kernel_regularizer, bias_regularizer), trainable,
        )  # fmt: skip
        y = convolved(x, kernel, strides, padding, data_format=order, dilations=dilation_rate)
        y = y if bias is None else bias_add(y, bias, order)
        return y if activation is None else activation(y)


def max_pooling2d(
    inputs: Any, pool_size: Any, strides: Any, padding: str = "valid",
    data_format: str = "channels_last", name: str | None = None,
) -> Tensor:  # fmt: skip
    """The largest number of each window."""
    return max_pool(inputs, pool_size, strides, padding, _format(data_format), name)


def average_pooling2d(
    inputs: Any, pool_size: Any, strides: Any, padding: str = "valid",
    data_format: str = "channels_last", name: str | None = None,
) -> Tensor:  # fmt: skip
    """The mean of each window."""
    return avg_pool(inputs, pool_size, strides, padding, _format(data_format), name)


def dropout(
    inputs: Any, rate: Any = 0.5, noise_shape: Any = None, seed: int | None = None,
    training: Any = False, name: str | None = None,
) -> Tensor:  # fmt: skip
    """inputs/(1 − rate) with probability 1 − rate, else 0, while training, which may be fed."""
    known = number_of(training)
    if known is not None and not known:
        return convert_to_tensor(inputs)
    y = dropped(inputs, rate=rate, noise_shape=noise_shape, seed=seed, name=name)
    if known is not None:
        return y
    flag = ops.cast
    return build(
        "cond",
        None,
        lambda: ops.where(
            flag(training.node, as_dtype("bool").as_numpy_dtype),
            y.node,
            convert_to_tensor(inputs).node,
        ),
    )


def flatten(inputs: Any, name: str | None = None, outputs_collections: Any = None) -> Tensor:
    """Each example as one row."""
    x = convert_to_tensor(inputs)
    sizes = x.shape.as_list()
    if None in sizes[1:]:
        raise ShapeError(f"flatten: the sizes of an example are known, got {x.shape}.")
    return reshape(x, [-1, math.prod(size or 1 for size in sizes[1:])], name or "flatten")


def __getattr__(name: str) -> Any:
    raise missing("tf.layers", name, __all__)
