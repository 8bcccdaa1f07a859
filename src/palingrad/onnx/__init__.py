"""ONNX: writes functions, models and training steps as ONNX files, and reads ONNX files.

Needs `pip install 'palingrad[onnx]'`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

from ..errors import ArgumentError
from ..messages.calls import public
from ..messages.names import unknown_name

__all__ = ["export", "load"]


def _needing(module: str, what: str) -> Any:
    try:
        return import_module(f"{__name__}.{module}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == __name__.partition(".")[0]:
            raise
        raise ArgumentError(
            f"onnx.{what} needs the package {error.name}, which isn't installed.",
            hint="pip install 'palingrad[onnx]'",
        ) from error


@public
def export(
    f: Callable[..., Any],
    example: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    opset: int | None = None,
    dynamic_axes: Any = None,
) -> Any:
    """Write a function or model as an ONNX file; returns its path, or the model if path is None.

    `example` is an array, or a tuple with one for each argument of f: their shapes and dtypes are
    those of the inputs. `dynamic_axes` says which axes may have any size: a name, for the first
    axis of all inputs, or {input: {axis: name}}. `opset` is the newest by default, 13 at the
    oldest. Variables are initializers. Those that f assigns are inputs too, with their values as
    defaults, and their new values are outputs named `….new`: so a training step is exported.

    Raises OnnxError for an operation that ONNX can't express; it is named.
    """
    return _needing("writing.api", "export").export(f, example, path, opset, dynamic_axes)


@public
def load(path: str | os.PathLike[str], *, trainable: bool = True) -> Any:
    """The model in an ONNX file: a function of arrays or nodes, to call, differentiate, train, draw
    and compile.

    `path` may also be a model of the onnx package. Its initializers of floats are trainable
    Variables, unless `trainable` is False: `parameters()` are those, `variables()` are all.

    Raises OnnxError if the file is malformed, refers to files outside of its folder, or has an
    operator that palingrad lacks, which is named.
    """
    return _needing("reading.model", "load").load(path, trainable)


def __getattr__(name: str) -> object:
    raise unknown_name(__name__, name, __all__, {})


def __dir__() -> list[str]:
    return sorted(__all__)
