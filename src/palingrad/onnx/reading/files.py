"""Reads ONNX files from anywhere: malformed ones are refused, and nothing outside is read."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import numpy_helper

from ...dtypes import Array
from ...errors import OnnxError
from ...files.atomic import path_text
from .elementwise import _NUMBERS as NUMBERS

_LARGEST = 2**31  # bytes of a file; protobuf reads no more
_DEPTH = 20  # subgraphs in subgraphs
_NODES = 1_000_000


def model_in(path: Any) -> tuple[Any, Path | None]:
    """The ModelProto that a file holds, or that was given, and the folder of its other files."""
    if isinstance(path, onnx.ModelProto):
        return path, None
    target = Path(os.path.expanduser(path))
    where = path_text(target)
    try:
        size = target.stat().st_size
        if not target.is_file():
            raise OnnxError(f"onnx.load: {where} isn't a file.")
        if size >= _LARGEST:
            raise OnnxError(f"onnx.load: {where} has {size:,} bytes; a model has at most 2 GiB.",
                            hint="Larger models keep their weights in other files.")  # fmt: skip
        data = target.read_bytes()
    except OSError as error:
        raise OnnxError(f"onnx.load: {where} can't be read: {error.strerror}.") from error
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except (DecodeError, RecursionError) as error:
        raise OnnxError(f"onnx.load: {where} isn't an ONNX file, or is damaged.") from error
    if not model.HasField("graph") or not model.opset_import:
        raise OnnxError(f"onnx.load: {where} isn't an ONNX model: it has no graph or no opset.")
    return model, target.parent


def array_of(tensor: Any, folder: Path | None) -> Array:
    """The array of a TensorProto; its data may be in a file of `folder`."""
    name = tensor.name or "a tensor"
    shape = tuple(tensor.dims)
    if any(size < 0 for size in shape):
        raise OnnxError(f"onnx.load: {name!r:.60} has shape {shape}.")
    if tensor.data_type not in NUMBERS:
        raise OnnxError(f"onnx.load: {name!r:.60} has ONNX's type number {tensor.data_type}, for "
                        "which palingrad has no dtype.")  # fmt: skip
    dtype = np.dtype(NUMBERS[tensor.data_type])
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        return _external(tensor, folder, shape, dtype)
    count = math.prod(shape)
    held = len(tensor.raw_data) // dtype.itemsize if tensor.raw_data else max(
        len(getattr(tensor, field)) for field in
        ("float_data", "int32_data", "int64_data", "double_data", "uint64_data"))  # fmt: skip
    if held != count:
        raise OnnxError(f"onnx.load: {name!r:.60} of shape {shape} has {held:,} numbers, not "
                        f"{count:,}.")  # fmt: skip
    try:
        array = numpy_helper.to_array(tensor)
    except (ValueError, TypeError, OverflowError) as error:
        raise OnnxError(f"onnx.load: {name!r:.60} can't be read: {error}.") from error
    return np.ascontiguousarray(array).reshape(shape).astype(dtype, copy=False)


def _external(tensor: Any, folder: Path | None, shape: Any, dtype: Any) -> Array:
    """Data in another file, which must lie in the folder of the model."""
    entries = {one.key: one.value for one in tensor.external_data}
    location = entries.get("location", "")
    what = f"onnx.load: the data of {tensor.name!r:.60} is in the file {location!r:.80}"
    if folder is None:
        raise OnnxError(f"{what}; a model that isn't a file has no folder.",
                        hint="Load it by the path of its file.")  # fmt: skip
    root = folder.resolve()
    try:
        outside = os.path.isabs(location) or not location or "\\" in location
        target = (root / location).resolve()
        outside = outside or not target.is_relative_to(root) or target == root
        if outside:
            raise OnnxError(f"{what}, which is outside of the model's folder.",
                            hint="Nothing outside is read. Copy the file into the folder.",
                            )  # fmt: skip
        offset, size = int(entries.get("offset", 0)), math.prod(shape) * dtype.itemsize
        length = int(entries.get("length", size))
        have = target.stat().st_size
    except (OSError, ValueError) as error:
        if isinstance(error, OnnxError):
            raise
        raise OnnxError(f"{what}, which can't be read: {error}.") from error
    if not target.is_file() or length != size or offset < 0 or offset + size > have:
        raise OnnxError(f"{what}: {size:,} bytes at {offset:,} are needed, it has {have:,}.")
    with open(target, "rb") as file:
        file.seek(offset)
        data = file.read(size)
    return np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype).reshape(shape)


def check_graph(graph: Any, depth: int = 0) -> None:
    """Raise OnnxError unless each name is given once, before it is used: so there are no cycles."""
    if depth > _DEPTH:
        raise OnnxError(f"onnx.load: more than {_DEPTH} graphs lie within one another.")
    if len(graph.node) > _NODES:
        raise OnnxError(f"onnx.load: the graph has {len(graph.node):,} nodes; at most {_NODES:,} "
                        "are read.")  # fmt: skip
    made: set[str] = {one.name for one in graph.input} | {one.name for one in graph.initializer}
    made |= {one.values.name for one in graph.sparse_initializer}
    later = {name for node in graph.node for name in node.output if name}
    for node in graph.node:
        for name in node.input:
            if name in later and name not in made:
                raise OnnxError(f"onnx.load: {node.op_type} {node.name!r:.60} reads {name!r:.60} "
                                "before it is computed: the graph has a cycle or isn't sorted.",
                                )  # fmt: skip
        for attribute in node.attribute:
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                check_graph(inner, depth + 1)
        for name in node.output:
            if name and name in made:
                raise OnnxError(f"onnx.load: {name!r:.60} is computed twice.")
            made.add(name)
