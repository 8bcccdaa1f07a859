"""`export`: writes a function, a model or a training step as an ONNX file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...dtypes import Array
from ...errors import ArgumentError, OnnxError
from ...files.atomic import write_atomically
from ...messages.checks import counted, whole
from ...ops.random import default_streams_kept
from . import serialise
from .dynamic import general
from .trace import Written, examples, written

_LARGEST = 2**31 - 2**20  # bytes of a protobuf message


def export(
    f: Callable[..., Any], example: Any, path: str | os.PathLike[str] | None,
    opset: int | None, dynamic_axes: Any,
) -> Any:  # fmt: skip
    """The path that was written, or without one the model; see `palingrad.onnx.export`."""
    if not callable(f):
        raise ArgumentError(f"onnx.export: expected a function or a model, got {f!r:.60}.",
                            hint='pg.onnx.export(model, x, "m.onnx")')  # fmt: skip
    newest = serialise.newest_opset()
    opset = newest if opset is None else whole("onnx.export: opset", opset, like=newest)
    if not serialise.OLDEST <= opset <= newest:
        raise ArgumentError(f"onnx.export: opset={opset} isn't one of {serialise.OLDEST} … "
                            f"{newest}, which this exporter and onnx {serialise.VERSION} know.",
                            )  # fmt: skip
    arrays = examples(example)
    dims: Mapping[str, Sequence[Any]] = {}
    with default_streams_kept():  # what is drawn later doesn't depend on an export
        graph = written(f, arrays, opset)
        if dynamic_axes is not None:
            axes = _axes(dynamic_axes, arrays, graph.inputs)
            graph, dims = general(f, arrays, axes, opset)
    model = serialise.model_of(graph.block, opset, _title(f), dims, _notes(graph))
    if model.ByteSize() > _LARGEST:
        raise OnnxError(f"onnx.export: the model has {model.ByteSize():,} bytes; a file of this "
                        "format has at most 2 GiB.")  # fmt: skip
    try:
        serialise.checked(model)
    except Exception as error:
        raise OnnxError(f"onnx.export: onnx's checker refuses the model: {error}") from error
    if path is None:
        return model
    target = Path(os.path.expanduser(path))
    write_atomically(target, model.SerializeToString())
    return target


def _title(f: Any) -> str:
    return getattr(f, "__name__", type(f).__name__)


def _notes(graph: Written) -> dict[str, str]:
    notes = {"palingrad.trainable": json.dumps(graph.trainable)}
    if graph.updates:
        notes["palingrad.updates"] = json.dumps(graph.updates)
    return notes


def _axes(given: Any, arrays: Sequence[Array], names: Sequence[str]) -> list[dict[int, str]]:
    """For each input its dynamic axes: {axis: name}."""
    if isinstance(given, str):
        if any(not x.ndim for x in arrays):
            raise ArgumentError("onnx.export: an example that is a number has no first axis.",
                                hint='Name the inputs: dynamic_axes={"x": {0: "batch"}}.',
                                )  # fmt: skip
        return [{0: given} for _ in arrays]
    if isinstance(given, Sequence) and len(given) == len(arrays):
        given = {str(number): one for number, one in enumerate(given)}
        names = list(given)
    if not isinstance(given, Mapping):
        raise ArgumentError(f"onnx.export: dynamic_axes={given!r:.60} isn't a name or a dict.",
                            hint='dynamic_axes={"x": {0: "batch"}}')  # fmt: skip
    if len(names) != len(arrays) or any(name not in names for name in given):
        raise ArgumentError(f"onnx.export: dynamic_axes names {', '.join(map(repr, given))}; the "
                            f"function has {counted(len(names), 'input')}: {', '.join(names)}.",
                            )  # fmt: skip
    found: list[dict[int, str]] = []
    for name, x in zip(names, arrays, strict=True):
        one = {int(axis): str(symbol) for axis, symbol in dict(given.get(name) or {}).items()}
        for axis in one:
            if not 0 <= axis < x.ndim:
                raise ArgumentError(f"onnx.export: dynamic_axes: {name} has no axis {axis}; its "
                                    f"example has shape {x.shape}.")  # fmt: skip
        found.append(one)
    return found
