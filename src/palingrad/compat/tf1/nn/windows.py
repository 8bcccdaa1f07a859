"""Convolution and pooling: images (batch, height, width, channels), or NCHW."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....errors import ArgumentError, ShapeError
from ....graph.registry import ops
from ..framework.convert import node
from ..framework.graph import Tensor, build

_FIRST, _LAST = (0, 3, 1, 2), (0, 2, 3, 1)  # NHWC to NCHW, and back


def pair(value: Any, data_format: str, what: str) -> tuple[int, int]:
    """The two spatial entries of a number, of two, or of four, one for each axis."""
    given = [value] * 2 if isinstance(value, int) else [int(one) for one in value]
    if len(given) == 1:
        given *= 2
    if len(given) == 4:
        outer = given[:2] if data_format == "NCHW" else [given[0], given[3]]
        if outer != [1, 1]:
            raise ArgumentError(f"{what} are 1 for the examples and channels, got {value}.")
        given = given[2:] if data_format == "NCHW" else given[1:3]
    if len(given) != 2:
        raise ArgumentError(f"{what}: expected 1, 2 or 4 numbers, got {value}.")
    return given[0], given[1]


def _pads(padding: Any, shape: Any, size: Any, stride: Any, dilation: Any) -> Any:
    """The padding of both spatial axes: SAME makes ⌈length/stride⌉ places."""
    if not isinstance(padding, str) or padding.upper() not in ("SAME", "VALID"):
        raise ArgumentError(f"padding is 'SAME' or 'VALID', got {padding!r}.")
    if padding.upper() == "VALID":
        return 0
    found: list[tuple[int, int]] = []
    for length, k, step, d in zip(shape[2:], size, stride, dilation, strict=True):
        span = (k - 1) * d + 1
        if step == 1:
            total = span - 1
        elif length is None:
            raise ShapeError("SAME padding with strides needs images of known size.",
                             hint="Give the placeholder a shape: [None, 28, 28, 1].")  # fmt: skip
        else:
            total = max((-(-length // step) - 1) * step + span - length, 0)
        found.append((total // 2, total - total // 2))
    return tuple(found)


def _on_channels_first(data_format: str, x: Any, rule: Callable[[Any], Any]) -> Any:
    if data_format not in ("NHWC", "NCHW"):
        raise ArgumentError(f"data_format is 'NHWC' or 'NCHW', got {data_format!r}.")
    if data_format == "NCHW":
        return rule(x)
    return ops.permute_dims(rule(ops.permute_dims(x, _FIRST)), _LAST)


def conv2d(
    input: Any, filter: Any = None, strides: Any = 1, padding: Any = None,
    use_cudnn_on_gpu: bool = True, data_format: str = "NHWC", dilations: Any = 1,
    name: str | None = None, filters: Any = None,
) -> Tensor:  # fmt: skip
    """The convolution with filters (height, width, channels, outputs)."""
    stride = pair(strides, data_format, "strides")
    dilation = pair(dilations, data_format, "dilations")

    def convolved() -> Any:
        w = ops.permute_dims(node(filter if filters is None else filters), (3, 2, 0, 1))

        def rule(x: Any) -> Any:
            pads = _pads(padding, x.shape, w.shape[2:], stride, dilation)
            return ops.conv2d(x, w, stride=stride, padding=pads, dilation=dilation)

        return _on_channels_first(data_format, node(input), rule)

    return build("Conv2D", name, convolved)


def _pool(kind: str, rule: str) -> Callable[..., Tensor]:
    def function(
        value: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NHWC",
        name: str | None = None,
    ) -> Tensor:  # fmt: skip
        size = pair(ksize, data_format, "ksize")
        stride = pair(strides, data_format, "strides")

        def pooled(x: Any) -> Any:
            pads = _pads(padding, x.shape, size, stride, (1, 1))
            options = dict(stride=stride, padding=pads)
            y = getattr(ops, rule)(x, size, **options)
            if rule == "average_pool" and pads and any(map(any, pads)):
                y = y / ops.average_pool(ops.ones_like(x), size, **options)  # padding isn't counted
            return y

        return build(kind, name, lambda: _on_channels_first(data_format, node(value), pooled))

    function.__doc__ = f"palingrad's `{rule}` of images, with windows of ksize."
    return function


max_pool, avg_pool = _pool("MaxPool", "max_pool"), _pool("AvgPool", "average_pool")
